"""A text becomes anchors: each with a key that is the same in any language, and a verbatim span."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.language.reading import Anchor, anchors

DATELINE = date(2025, 2, 19)
LANGUAGES = ("en", "fr", "de", "es", "it", "pl", "ru", "uk", "ar", "tr", "zh", "pt", "nl", "sk")
WORDS = """
Ouchakov Путин Zelensky États-Unis le 18 février 2025 l'OTAN вторник 2,5 Mrd. € « » ceasefire talks President Krieg
Moskau 周二 泽连斯基 بوتين في the of und і Jean-Yves Le Drian NATO'ya 3m
"""
TEXTS = st.one_of(st.text(max_size=120), st.lists(st.sampled_from(WORDS.split()), max_size=14).map(" ".join))


def kinds(text: str, language: str) -> set[str]:
    return {anchor.kind for anchor in anchors(text, language, dateline=DATELINE)}


def by_kind(text: str, language: str, kind: str) -> set[str]:
    return {anchor.key for anchor in anchors(text, language, dateline=DATELINE) if anchor.kind == kind}


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from(LANGUAGES))
def test_every_span_stands_in_the_text_verbatim(text: str, language: str) -> None:
    found = anchors(text, language, dateline=DATELINE)
    for anchor in found:
        assert 0 <= anchor.start < anchor.end <= len(text)
        assert text[anchor.start : anchor.end] == text[anchor.start : anchor.end].strip()
        assert anchor.key
        assert anchor.weight > 0
    assert [each.start for each in found] == sorted(each.start for each in found)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.sampled_from(LANGUAGES))
def test_the_same_text_gives_the_same_anchors(text: str, language: str) -> None:
    assert anchors(text, language, dateline=DATELINE) == anchors(text, language, dateline=DATELINE)


def test_an_empty_text_has_no_anchors() -> None:
    assert anchors("", "fr") == anchors(" \n", "uk") == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "Iouri Ouchakov négocie le 18 février à Moscou, après 176 drones."),
        ("pl", "Jurij Uszakow negocjuje 18 lutego w Moskwie, po ataku 176 dronów."),
        ("en", "Yuri Ushakov negotiates on February 18 in Moscow, after 176 drones."),
        ("ru", "Юрий Ушаков ведет переговоры 18 февраля в Москве, после 176 дронов."),
    ],
)
def test_one_event_has_the_same_anchors_in_every_language(language: str, text: str) -> None:
    assert by_kind(text, language, "date") == {"day:2025-02-18"}
    assert by_kind(text, language, "number") == {"176"}
    assert "talks" in by_kind(text, language, "concept")
    english = "Yuri Ushakov negotiates on February 18 in Moscow, after 176 drones."
    assert by_kind(text, language, "name") & by_kind(english, "en", "name")
    assert by_kind(text, language, "place") & by_kind(english, "en", "place")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("tr", "Zelenskiy 18 Şubat 2025 günü Türkiye'de 176 dron dedi"),
        ("pt", "Zelensky disse em 18 de fevereiro de 2025 em Portugal que 176 drones"),
        ("nl", "Zelensky zei op 18 februari 2025 in Nederland dat 176 drones"),
        ("zh", "泽连斯基2025年2月18日在中国说176架无人机"),
        ("ar", "قال زيلينسكي في 18 فبراير 2025 في مصر إن 176 طائرة"),
    ],
)
def test_a_language_without_tables_still_gives_dates_numbers_places_and_names(
    language: str, text: str
) -> None:
    assert {"date", "number", "place", "name"} <= kinds(text, language)


def test_a_language_that_nobody_taught_gives_what_needs_no_words() -> None:
    found = kinds("Zelenskyj 18.02.2025 povedal, že 176 dronov", "sk")
    assert {"date", "number", "name"} <= found
    assert "concept" not in found


def test_scripts_may_be_mixed_in_one_text() -> None:
    text = "Путин (Putin, 普京, بوتين) и NATO 18 февраля"
    read = {text[a.start : a.end] for a in anchors(text, "ru", dateline=DATELINE)}
    assert {"Путин", "18 февраля"} <= read
    assert len(anchors(text, "ru", dateline=DATELINE)) > 4


def test_what_stands_within_a_longer_anchor_is_hidden_by_it() -> None:
    text = "les États-Unis"
    assert by_kind(text, "fr", "place") == {"US"}
    assert by_kind(text, "fr", "concept") == set()


def test_a_number_within_a_date_is_no_number() -> None:
    assert by_kind("18 February 2025", "en", "number") == set()


def test_without_a_dateline_tuesday_is_no_date() -> None:
    assert [a for a in anchors("On Tuesday", "en") if a.kind == "date"] == []
    assert [a for a in anchors("On Tuesday", "en", dateline=DATELINE) if a.kind == "date"] == [
        Anchor("date", "day:2025-02-18", 3, 10)
    ]


def test_a_book_is_read_to_its_end() -> None:
    sentence = "President Putin met 176 soldiers in Moscow on 18 February 2025 for ceasefire talks today. "
    text = sentence * (10_000 // len(sentence.split()))
    found = anchors(text, "en", dateline=DATELINE)
    assert max(anchor.end for anchor in found) > len(text) - len(sentence)
