"""Folding and words: what an editor types finds what the wire wrote."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.language import text as reading
from aggregator.language.text import fold, spans, words

NEWS = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from("éñłйїёґ’ʼ' -\n«»0٣中ไ\u0301\u00ad\u200b"))
)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("lodz", "Łódź"),
        ("strasse", "Straße"),
        ("oresund", "Øresund"),
        ("aero", "Ærø"),
        ("dokovic", "Đoković"),
        ("istanbul", "İstanbul"),
        ("kirik", "Kırık"),
        ("е", "ё"),
        ("nato", "ＮＡＴＯ"),
        ("123", "١٢٣"),
        ("اسراييل", "إسرائيل"),
        ("عربي", "عَرَبـيّ"),
        ("l'otan", "l’OTAN"),
        ("한국", "한국"),
        ("cooperate", "coop\u00aderate"),
        ("a b", "a\u200bb"),
        ("e", "e\u0301"),
    ],
)
def test_what_an_editor_types_meets_what_the_wire_wrote(typed: str, written: str) -> None:
    assert fold(written) == typed


def test_letters_that_tell_words_apart_in_russian_and_ukrainian_stay_apart() -> None:
    assert fold("Йод") == "йод" != fold("иод")
    assert fold("Їжа") == "їжа" != fold("іжа")
    assert fold("Ўсё") == "ўсе"


def test_a_letter_typed_with_a_separate_accent_is_the_same_letter() -> None:
    assert fold(unicodedata.normalize("NFD", "Київ й Żółć")) == fold("Київ й Żółć")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("l'Ukraine et l’OTAN", ["l", "ukraine", "et", "l", "otan"]),
        ("п'ять, п’ять, пʼять", ["пять", "пять", "пять"]),
        ("Trump's cease-fire, U.S.", ["trump", "s", "cease", "fire", "u", "s"]),
        ("北京 talks", ["北", "京", "talks"]),
        ("ไทย", ["ไ", "ท", "ย"]),
        ("G7 in 2025: 12,5 %", ["g7", "in", "2025", "12", "5"]),
        ("'слово' д’Артаньян", ["слово", "дартаньян"]),
        ("½ ـ …", ["12"]),
        ("snake_case", ["snake", "case"]),
        ("", []),
    ],
)
def test_a_text_is_cut_into_the_words_that_are_indexed(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_each_word_knows_where_it_stands_in_the_text() -> None:
    text = "Décès à Kyi\u0301v : п’ять."
    assert [(word.text, word.folded) for word in spans(text)] == [
        ("Décès", "deces"),
        ("à", "a"),
        ("Kyi\u0301v", "kyiv"),
        ("п’ять", "пять"),
    ]
    assert all(text[word.start : word.end] == word.text for word in spans(text))


def test_a_mark_that_folds_to_nothing_is_no_word() -> None:
    assert spans("ـ – \u0301") == words("ـ – \u0301") == []


@given(NEWS)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(NEWS)
def test_words_hold_nothing_that_a_database_would_cut(text: str) -> None:
    assert all(word.isalnum() and fold(word) == word for word in words(text))


@given(NEWS)
def test_words_and_their_places_tell_the_same(text: str) -> None:
    placed = spans(text)
    assert [word.folded for word in placed] == words(text)
    assert all(text[word.start : word.end] == word.text for word in placed)
    assert all(one.end <= two.start for one, two in pairwise(placed))


def test_stretches_are_forgotten_when_they_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MOST_KNOWN", 2)
    known = reading._Stretches()
    met = [known[stretch] for stretch in ("Élysée,", "l'été", "п'ять", "Élysée,", "é" * 40)]
    assert met == [("elysee",), ("l", "ete"), ("пять",), ("elysee",), ("e" * 40,)]
    assert len(known) <= 2
    assert "é" * 40 not in known


@given(st.text(st.sampled_from("ab É'’п\u0301\u200b\u200d\u2028\t\x85\u00a0_-½國ﾞ²ß"), max_size=20))
def test_words_are_those_of_the_stretches_between_white_space(text: str) -> None:
    assert words(text) == [word for stretch in text.split() for word in words(stretch)]
    assert words(text) == [word.folded for word in spans(text)]
