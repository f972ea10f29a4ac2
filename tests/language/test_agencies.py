from __future__ import annotations

import pytest

from aggregator.language.agencies import agency_of


@pytest.mark.parametrize(
    ("text", "agency"),
    [
        ("RIYADH (Reuters) - Talks opened on Tuesday.", "reuters"),
        ("PARIS, Feb 18 (AFP) - Talks opened.", "afp"),
        ("Talks opened.\nRIYADH, AP — The delegations met.", "ap"),
        ("Rozmowy w Rijadzie. (PAP)", "pap"),
        ("Rozmowy w Rijadzie. Źródło: PAP", "pap"),
        ("Переговоры в Эр-Рияде. /ТАСС/", "tass"),
        ("Talks opened. Reuters", "reuters"),
    ],
)
def test_a_text_says_which_agency_wrote_it(text: str, agency: str) -> None:
    assert agency_of(text) == agency


@pytest.mark.parametrize(
    "text",
    [
        "",
        "An official told Reuters that talks had opened.",
        "The pap test (a screening) is free.",
        "Map (APEC).",
    ],
)
def test_a_text_that_only_mentions_an_agency_is_not_its_own(text: str) -> None:
    assert agency_of(text) is None
