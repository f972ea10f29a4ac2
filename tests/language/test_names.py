"""Names across languages: what a newsroom writes for one person meets, and no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.language.names import codes, is_given, same_given, same_name, similarity
from aggregator.language.orthography import readings, rows, script_of

_CODES = "en fr de es it pl nl cs hu pt tr ro sr ru uk be bg ar el he zh"
_LANGUAGES = st.sampled_from([None, *_CODES.split()])


@pytest.mark.parametrize(
    ("a", "language_a", "b", "language_b"),
    [
        ("Ouchakov", "fr", "Uszakow", "pl"),
        ("Zelensky", "en", "Зеленським", "uk"),
        ("Zełenskiego", "pl", "Selenskyj", "de"),
        ("Ławrowa", "pl", "Лаврову", "ru"),
        ("Macronem", "pl", "Макрона", "ru"),
        ("Tuskowi", "pl", "Туск", "uk"),
        ("Putinem", "cs", "Poutine", "fr"),
        ("Putyin", "hu", "Путиным", "ru"),
        ("Witkoff", "en", "Уиткофф", "ru"),
        ("Hegseth", "en", "Гегсета", "uk"),
        ("Waltz", "en", "Уолтца", "ru"),
        ("Trudeau", "en", "Трюдо", "ru"),
        ("Barrot", "en", "Барро", "ru"),
        ("Drian", "fr", "Дриан", "ru"),
        ("Jinping", "en", "Цзиньпин", "ru"),
        ("Nawrockiego", "pl", "Навроцкий", "ru"),
        ("Merkelové", "cs", "Меркель", "ru"),
        ("Erdoğan'ın", "tr", "Эрдогана", "ru"),
        ("Trump's", "en", "Трампу", "ru"),
        ("Putins", "de", "Putin", "en"),
        ("l'Obama", "fr", "أوباما", "ar"),
        ("Путина", "ru", "بوتين", "ar"),
        ("Trump", "en", "特朗普", "zh"),
        ("Zelensky", "fr", "泽连斯基", "zh"),
        ("Putin", "en", "普京", "zh"),
        ("Putin", "en", "Πούτιν", "el"),
        ("Putin", "en", "פוטין", "he"),
        ("Путин", "ru", "Пуцін", "be"),
        ("Tsikhanouskaya", "en", "Тихановская", "ru"),
    ],
)
def test_newsrooms_spell_one_name_in_many_ways(a: str, language_a: str, b: str, language_b: str) -> None:
    assert same_name(a, language_a, b, language_b)
    assert codes(a, language_a) & codes(b, language_b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Putin", "Payton"), ("Kuleba", "Club"), ("Chubais", "Jobs"), ("Pashinyan", "Poznań"),
        ("Barrot", "Bayrou"), ("Merz", "Mars"), ("Macron", "Merkel"), ("Trump", "Trompe-l'œil"),
    ],
)  # fmt: skip
def test_names_that_only_look_alike_stay_two(a: str, b: str) -> None:
    assert not same_name(a, "en", b, "en")


def test_the_language_may_be_unknown() -> None:
    assert same_name("Ouchakov", None, "Ушакову", None)


def test_a_shared_skeleton_is_no_proof() -> None:
    assert codes("Putin", "en") & codes("Payton", "en")
    assert similarity("Putin", "en", "Payton", "en") < 0.9


def test_a_text_without_letters_has_no_codes() -> None:
    assert codes("2014", "en") == codes("", None) == frozenset()


def test_every_rule_uses_known_sounds() -> None:
    sounds = set("aeioubpdtgkvfmnlrszchXSZCD")
    for _, items in rows("orthography"):
        for item in items.split():
            assert set(item.rpartition("=")[2]) <= sounds | {"|", "-"}, item
    for _, heard in rows("hanzi"):
        assert set(heard) <= sounds | {"|"}


def test_english_readers_know_that_foreign_names_sound_foreign() -> None:
    assert "barro" in readings("Barrot", "en")


def test_the_script_of_a_name_is_its_letters() -> None:
    assert [script_of(name) for name in ("Żak", "Жак", "جاك", "雅克", "Ζακ", "ז'אק")] == [
        "latin", "cyrillic", "arabic", "hanzi", "greek", "hebrew",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("a", "b"), [("Mike", "Michael"), ("Bill", "William"), ("V.", "Vladimir"), ("Yves", "Ив")]
)
def test_a_short_form_may_be_the_same_given_name(a: str, b: str) -> None:
    assert same_given(a, b)
    assert same_given(b, a)


def test_volodymyr_is_not_vladimir_unless_a_paper_translated_him() -> None:
    assert not same_given("Volodymyr", "Vladimir")
    assert same_given("Володимир", "Владимир")
    assert not same_given("Steve", "Donald")
    assert not same_given("S.", "Donald")
    assert same_given("Mojtaba", "Моджтаба")


def test_given_names_are_known_in_their_cases() -> None:
    assert is_given("Donaldem", "pl")
    assert not is_given("Krieg", "de")


@given(st.text(max_size=60), _LANGUAGES, st.text(max_size=60), _LANGUAGES)
def test_similarity_is_symmetric_and_between_0_and_1(
    a: str, language_a: str | None, b: str, language_b: str | None
) -> None:
    one = similarity(a, language_a, b, language_b)
    assert 0 <= one <= 1
    assert one == pytest.approx(similarity(b, language_b, a, language_a))
    assert same_name(a, language_a, b, language_b) == same_name(b, language_b, a, language_a)
    assert same_given(a, b) == same_given(b, a)


@given(st.text(max_size=60), _LANGUAGES)
def test_a_name_is_itself(name: str, language: str | None) -> None:
    assert same_name(name, language, name, language)
    assert all(codes(name, language))
