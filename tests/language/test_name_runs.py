"""Where names stand in a text, in alphabets with capitals and without."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.language.name_runs import NameToken, arabic_tokens, chinese_names, name_tokens
from aggregator.language.text import spans

_CODES = "en fr de es it pl nl cs hu pt tr ro sr ru uk be bg ar el he zh"
_LANGUAGES = st.sampled_from([None, *_CODES.split()])
_VOCABULARY = "the meets in on and said may for talks president krieg eine la so then we und"
_COMMON = frozenset(_VOCABULARY.split())


def tokens(text: str, language: str) -> list[NameToken]:
    return name_tokens(text, spans(text), language, is_common=_COMMON.__contains__)


def heads(text: str, language: str) -> list[str]:
    return [token.name for token in tokens(text, language) if token.is_head]


def test_the_family_name_is_the_head_and_particles_stay_inside() -> None:
    text = "So sprach Ursula von der Leyen mit Jean-Yves Le Drian."
    found = tokens(text, "de")
    assert [(token.name, token.is_head) for token in found] == [
        ("Ursula", False), ("Leyen", True), ("Jean", False), ("Yves", False), ("Drian", True),
    ]  # fmt: skip
    words = spans(text)
    assert [word.text for word in words[found[1].first_word : found[1].last_word + 1]] == [
        "von",
        "der",
        "Leyen",
    ]


def test_an_english_headline_in_title_case_is_taken_apart() -> None:
    assert heads("Trump Meets Putin in Alaska for Talks", "en") == ["Trump", "Putin", "Alaska"]


def test_a_common_word_is_a_name_behind_a_given_name_only() -> None:
    assert heads("Then Theresa May said so. May comes.", "en") == ["May"]
    assert heads("The May Talks", "en") == []


def test_acronyms_are_told_from_names() -> None:
    found = tokens("the NATO chief Mark Rutte and King Charles III", "en")
    assert [(token.name, token.is_acronym) for token in found if token.is_head] == [
        ("NATO", True), ("Rutte", False), ("Charles", False),
    ]  # fmt: skip


def test_a_line_in_capitals_holds_no_acronyms() -> None:
    assert not any(token.is_acronym for token in tokens("PUTIN MEETS TRUMP\nthe talks", "en"))


def test_germans_write_every_noun_large() -> None:
    assert heads("der Pilger und die Wolken sahen neue russische Panzer und eine Handlung", "de") == []
    assert heads("am Abend kam Putin, Pilger sagte nichts", "de") == ["Putin", "Pilger"]
    assert heads("Der Außenminister Lawrow kam", "de") == ["Lawrow"]


def test_hyphens_tie_two_names_or_one() -> None:
    assert heads("met Alexander Ocasio-Cortez", "en") == ["Ocasio", "Cortez"]
    assert heads("met Jean-Yves", "en") == ["Yves"]
    assert heads("met Kim Jong-un", "en")[-1] == "Jong-un"


def test_initials_abbreviations_and_irish_names_stay_in_the_run() -> None:
    assert heads("met J. D. Vance, Dr. Fauci and O'Brien", "en") == ["Vance", "Fauci", "O'Brien"]


def test_romance_particles_part_two_names() -> None:
    assert heads("avec Macron de France et Dominique de Villepin", "fr") == ["Macron", "France", "Villepin"]


def test_cyrillic_runs_are_read_alike() -> None:
    assert heads("Встретились Владимир Путин и Урсула фон дер Ляйен", "ru")[-2:] == ["Путин", "Ляйен"]


def test_arabic_and_chinese_names_come_without_capitals() -> None:
    arabic, chinese = "قال فلاديمير بوتين في", "总统弗拉基米尔·泽连斯基说"
    assert [token.name for token in arabic_tokens(spans(arabic))] == ["قال", "فلاديمير", "بوتين"]
    assert [token.name for token in chinese_names(chinese, spans(chinese))] == ["弗拉基米尔", "泽连斯基"]
    assert tokens(arabic + chinese, "zh") == []


@settings(max_examples=200)
@given(st.text(alphabet="AbЖж عп泽连-.'’ \nÉßIVO", max_size=60), _LANGUAGES)
def test_any_text_has_tokens_that_stand_in_it(text: str, language: str | None) -> None:
    words = spans(text)
    found = name_tokens(text, words, language, is_common=_COMMON.__contains__)
    for token in [*found, *arabic_tokens(words), *chinese_names(text, words)]:
        assert 0 <= token.run <= token.last_word < len(words)
        assert token.first_word <= token.last_word
