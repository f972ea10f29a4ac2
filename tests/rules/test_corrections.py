from __future__ import annotations

from aggregator.rules.briefs import read_brief
from aggregator.rules.checking.values import Check
from aggregator.rules.corrections import corrected, words_instead

TEXT = """Les pourparlers de février 2021

18/02/2025

C'est la première rencontre depuis l'invasion
de **février
2021**, dit-on. En février 2021, déjà.

Situation : voir [février 2021](https://archive.example/2021) pour le reste de cette histoire.
"""


def check(kind: str, brief: str, sources_say: str) -> Check:
    return Check(kind, "p1", brief, 0, 1, sources_say, (), (), "")


def place(passage: str, words: str, number: int = 0) -> tuple[str, int, int]:
    said = {each.id: each.text for each in read_brief(TEXT).passages}[passage]
    start = -1
    for _ in range(number + 1):
        start = said.index(words, start + 1)
    return passage, start, start + len(words)


def test_the_year_of_a_date_is_put_right_and_its_month_stays() -> None:
    assert words_instead(check("year", "février 2021", "2022")) == "février 2022"
    assert words_instead(check("year", "février", "2022")) is None


def test_a_place_is_left_to_the_editor() -> None:
    assert words_instead(check("place", "à Kyiv", "Bruxelles")) is None
    assert words_instead(check("unsupported", "text", "")) is None
    assert words_instead(check("role", "le porte-parole", "le ministre")) == "le ministre"


def test_a_correction_changes_its_own_place_and_no_other() -> None:
    new = corrected(TEXT, *place("p1", "février 2021"), "février 2022")
    assert new == TEXT.replace("février\n2021", "février 2022")
    new = corrected(TEXT, *place("p1", "février 2021", 1), "février 2022")
    assert new == TEXT.replace("En février 2021", "En février 2022")
    new = corrected(TEXT, *place("p0", "2021"), "2022")
    assert new == TEXT.replace("de février 2021\n", "de février 2022\n")


def test_the_address_of_a_link_is_not_taken_for_its_words() -> None:
    new = corrected(TEXT, *place("p2", "2021"), "2022")
    assert new == TEXT.replace("[février 2021]", "[février 2022]")


def test_a_place_that_is_not_there_changes_nothing() -> None:
    assert corrected(TEXT, "p9", 0, 4, "new") is None
    assert corrected(TEXT, "p1", 5, 5, "new") is None
    # The words run over the end of a link: there is no such run in the text as it was written.
    assert corrected(TEXT, *place("p2", "2021 pour"), "2022 pour") is None
