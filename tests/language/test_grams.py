"""Groups of letters that titles in different languages share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aggregator.language.grams import SIZE, grams, transliterated


def test_a_word_gives_its_groups_with_its_ends() -> None:
    assert grams("NATO") == {" nat", "nato", "ato "}


def test_a_word_shorter_than_a_group_gives_itself_or_nothing() -> None:
    assert grams("no") == {" no "}
    assert grams("a") == frozenset()


def test_cognates_meet_across_alphabets() -> None:
    assert len(grams("Саммит президента") & grams("Summit president")) >= 3
    assert transliterated("переговори") == "peregovori"


@given(st.text(max_size=80))
def test_any_text_has_groups_of_one_size(text: str) -> None:
    found = grams(text)
    assert all(len(gram) == SIZE for gram in found)
    assert found == grams(text)
