"""Words within one language: what their forms share, and which of them say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from aggregator.language import terms
from aggregator.language.terms import is_common, stem
from aggregator.language.text import words

DATA = Path(terms.__file__).parent / "data"
LANGUAGES = ("en", "fr", "de", "es", "it", "pl", "ru", "uk")


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "negotiators", "negotiator"),
        ("fr", "soldats", "soldat"),
        ("de", "soldaten", "soldat"),
        ("es", "soldados", "soldado"),
        ("it", "soldati", "soldato"),
        ("ru", "солдаты", "солдата"),
    ],
)
def test_the_forms_of_a_word_share_a_stem(language: str, one: str, other: str) -> None:
    assert stem(one, language) == stem(other, language)


def test_where_there_is_no_stemmer_words_share_their_beginning() -> None:
    assert stem("jednaniach", "sk") == stem("jednanie", "sk")
    assert stem("mir", "sk") == "mir"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "and the of which according said told she has been"),
        ("fr", "et le la dont selon après été elle avait à"),
        ("de", "und der die über für während laut würde nicht"),
        ("es", "y el la según después también había está"),
        ("it", "e il la perché più è stato dopo secondo"),
        ("pl", "i w że się który według także został"),
        ("ru", "и в что который после также был её"),
        ("uk", "і в що який після також був її"),
        ("tr", "ve bir için"),
        ("ar", "في من على قال"),
    ],
)
def test_articles_prepositions_and_helping_verbs_say_nothing(language: str, text: str) -> None:
    assert [word for word in words(text) if not is_common(word, language)] == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "war talks minister land troops"),
        ("fr", "guerre pays ministre accord"),
        ("de", "Krieg Land Minister Abkommen"),
        ("es", "guerra país ministro acuerdo"),
        ("it", "guerra paese ministro accordo"),
        ("pl", "wojna kraj minister rozmowy"),
        ("ru", "война страна министр переговоры"),
        ("uk", "війна країна міністр переговори"),
    ],
)
def test_what_news_is_about_says_something(language: str, text: str) -> None:
    assert not any(is_common(word, language) for word in words(text))


def test_a_language_without_a_list_leaves_out_the_words_of_all() -> None:
    assert is_common("the", "sk")
    assert not is_common("vojna", "sk")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_of_the_desk_has_a_list_of_its_own(language: str) -> None:
    rows = (DATA / "common.tsv").read_text(encoding="utf-8").splitlines()
    (common,) = [row.split("\t")[1].split() for row in rows if row.startswith(f"{language}\t")]
    assert len(common) > 250
    assert common == sorted(set(common))
    assert all(words(word) == [word] for word in common)
