"""Amounts that texts name, in digits and in words."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.language.date_words import SPOKEN
from aggregator.language.numbers import Amount, number, read_numbers
from aggregator.language.text import spans


def read(text: str, language: str | None = "en") -> list[tuple[str, str]]:
    return [(each.key, text[each.start : each.end]) for each in read_numbers(text, language)]


def keys(text: str, language: str | None = "en") -> list[str]:
    return [each.key for each in read_numbers(text, language)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "twenty-five"), ("fr", "vingt-cinq"), ("de", "fünfundzwanzig"), ("es", "veinticinco"),
        ("it", "venticinque"), ("pl", "dwadzieścia pięć"), ("ru", "двадцать пять"), ("uk", "двадцять п'ять"),
        ("pt", "vinte e cinco"), ("nl", "vijfentwintig"), ("tr", "yirmi beş"), ("en", "25"),
    ],
)  # fmt: skip
def test_twenty_five_is_one_number_in_every_language(language: str, text: str) -> None:
    assert read(text, language) == [("25", text)]


@pytest.mark.parametrize(
    ("language", "text", "key"),
    [
        ("fr", "trois cents", "300"), ("pl", "dwieście", "200"), ("ru", "двести", "200"), ("es", "trecientos", "300"),
        ("de", "dreihundert", "300"), ("it", "duecento", "200"), ("en", "two hundred and five", "205"),
        ("fr", "quatre-vingt-dix-sept", "97"), ("fr", "soixante et onze", "71"), ("fr", "vingt et un", "21"),
        ("es", "treinta y cinco", "35"), ("it", "trentacinque", "35"), ("it", "ventotto", "28"),
        ("de", "zweitausend", "2000"), ("fr", "deux mille trois cents", "2300"), ("it", "tremila", "3000"),
        ("es", "dos mil millones", "2000000000"), ("es", "dos millones trescientos mil", "2300000"),
        ("en", "two thousand five hundred", "2500"), ("fr", "mille", "1000"), ("ru", "тысяча", "1000"),
        ("en", "a hundred", "100"), ("fr", "un million", "1000000"), ("en", "half a million", "500000"),
        ("ru", "полтора миллиона", "1500000"), ("uk", "півтори тисячі", "1500"),
        ("pl", "półtora miliona", "1500000"),
        ("de", "eineinhalb Millionen", "1500000"), ("en", "two and a half million", "2500000"),
        ("en", "a dozen", "12"), ("en", "two dozen", "24"), ("fr", "deux douzaines", "24"),
        ("fr", "une douzaine", "12"), ("zh", "说176架", "176"),
        ("ru", "три десятка", "30"),
        ("ru", "пять десятков", "50"), ("it", "due dozzine", "24"), ("de", "zwei Dutzend", "24"),
        ("en", "1,500", "1500"), ("de", "1.500", "1500"), ("fr", "1 500", "1500"), ("fr", "12 345,67", "12345.67"),
        ("de", "2,5", "2.5"), ("en", "0.125", "0.125"), ("en", "1,234,567", "1234567"), ("en", "40k", "40000"),
        ("en", "1.2bn", "1200000000"), ("de", "2,5 Mrd.", "2500000000"), ("en", "2 billion", "2000000000"),
        ("de", "2 Billionen", "2000000000000"), ("ru", "2 тыс.", "2000"), ("pl", "1,2 mln", "1200000"),
        ("en", "500 crore", "5000000000"), ("zh", "2万人", "20000"), ("zh", "20人", "20"), ("ar", "3 آلاف", "3000"),
    ],
)  # fmt: skip
def test_a_number_has_one_value_however_it_is_written(language: str, text: str, key: str) -> None:
    assert keys(text, language) == [key]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "four and a half hours"), ("fr", "quatre heures et demie"), ("de", "viereinhalb Stunden"),
        ("es", "cuatro horas y media"), ("it", "quattro ore e mezza"), ("pl", "cztery i pół godziny"),
        ("ru", "четыре с половиной часа"), ("uk", "чотири з половиною години"), ("de", "4,5 Stunden"),
        ("en", "4.5 hours"), ("ru", "4 с половиной часа"),
    ],
)  # fmt: skip
def test_four_and_a_half_hours_last_as_long_everywhere(language: str, text: str) -> None:
    assert read(text, language) == [("4.5h", text)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "two thirds"), ("fr", "deux tiers"), ("de", "zwei Drittel"), ("es", "dos tercios"),
        ("it", "due terzi"), ("pl", "dwie trzecie"), ("ru", "две трети"), ("uk", "дві третини"),
    ],
)  # fmt: skip
def test_shares_are_per_cent(language: str, text: str) -> None:
    assert read(text, language) == [("66.7%", text)]


@pytest.mark.parametrize(
    ("language", "text", "key"),
    [
        ("en", "$3 million", "3000000USD"), ("en", "€3m", "3000000EUR"), ("en", "3m people", "3000000"),
        ("en", "3m tall", "3m"), ("fr", "3m", "3m"), ("fr", "2,5 milliards d'euros", "2500000000EUR"),
        ("fr", "3 €", "3EUR"), ("uk", "20,8 відсотка", "20.8%"), ("fr", "20 %", "20%"), ("tr", "%20", "20%"),
        ("fr", "vingt pour cent", "20%"), ("en", "3 percentage points", "3pp"), ("de", "5 Prozentpunkte", "5pp"),
        ("ru", "200 рублей", "200RUB"), ("pl", "5 zł", "5PLN"), ("en", "12km", "12km"), ("en", "half an hour", "0.5h"),
        ("fr", "10 livres sterling", "10GBP"), ("de", "eine halbe Stunde", "0.5h"), ("uk", "20-річний", "20y"),
        ("en", "one percent", "1%"), ("de", "2,5 Mrd. €", "2500000000EUR"), ("en", "40 miles", "40mi"),
        ("es", "40 miles", "40000"), ("en", "5 of dollars", "5USD"), ("en", "5 of hours", "5"),
    ],
)  # fmt: skip
def test_what_an_amount_is_measured_in_is_part_of_it(language: str, text: str, key: str) -> None:
    assert keys(text, language) == [key]


def test_the_head_is_the_word_that_is_counted() -> None:
    assert [a.head for a in read_numbers("176 drones, 20 % of the voters, 3 of them. Peace, 5", "en")] == [
        "drones", "voters", "", "",
    ]  # fmt: skip
    assert read_numbers("300 soldats", "fr") == [Amount(300, "", 0, 3, "soldats")]


def test_both_ends_of_a_range_are_measured_alike() -> None:
    assert keys("between 20 and 30 percent") == ["20%", "30%"]
    assert keys("20-30 million") == ["20000000", "30000000"]
    assert keys("de 2 à 3 milliards d'euros", "fr") == ["2000000000EUR", "3000000000EUR"]
    assert keys("20 and 30 percent, 5 to 0") == ["20", "30%", "5", "0"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "dozens of thousands"), ("en", "several hundred"), ("fr", "des milliers"), ("en", "one in five"),
        ("en", "one out of five"), ("en", "18th"), ("en", "5G"), ("en", "the F-16"), ("en", "at 10:30"),
        ("en", "10 am"), ("fr", "20h30"), ("fr", "20h"), ("en", "in 2014"), ("en", "18 February"),
        ("en", "February 18"), ("es", "18 de febrero"), ("de", "die 3. Brigade"), ("pl", "80. rocznica"),
        ("ru", "5-й, 18-го"), ("en", "2/3"), ("en", "2025-02-18"), ("de", "18.02."), ("en", "one man"),
        ("fr", "un jour"), ("fr", "neuf"), ("it", "sei stato"), ("pl", "godz. 18"), ("en", "half the"[:4]),
        ("en", "the first half"), ("en", ""),
    ],
)  # fmt: skip
def test_what_only_looks_like_an_amount_is_none(language: str, text: str) -> None:
    assert keys(text, language) == []


def test_a_digit_that_an_accent_ties_to_a_letter_is_no_amount_by_itself() -> None:
    assert keys("a\u03015") == ["5"]


def test_new_is_nine_before_what_it_counts() -> None:
    assert keys("neuf soldats", "fr") == ["9"]


def test_numbers_side_by_side_are_two() -> None:
    assert keys("two, three and four") == ["2", "3", "4"]
    assert keys("five twenty") == ["5", "20"]
    assert keys("half") == []


def test_two_thousand_soldiers_are_no_year() -> None:
    assert keys("2000 soldiers in 2014") == ["2000"]


def test_three_digits_behind_a_mark_are_thousands() -> None:
    assert [number(digits) for digits in ("1.500", "1,5", "0,125", "12’000", "7")] == [
        1500,
        1.5,
        0.125,
        12000,
        7,
    ]


def test_a_language_without_words_has_digits() -> None:
    assert keys("176 dronov za päť", "sk") == keys("176 drones", None) == ["176"]


def test_words_that_are_known_are_not_read_again() -> None:
    text = "trois cents chars"
    assert read_numbers(text, "fr", words=spans(text)) == read_numbers(text, "fr")


_PARTS = """
18 2,5 2025 1 500 20 30 % $ € - . , m k million mille et demie heures vingt cinq quatre cents two thirds of and a half
dozen one in between to d' euros двадцать п'ять з половиною тысяч dos mil y media ein halbe 万 5-й km pour cent
"""


@given(
    st.lists(st.sampled_from(_PARTS.split()), max_size=10),
    st.sampled_from([None, "zh", *SPOKEN]),
    st.sampled_from(["", " "]),
)
def test_no_arrangement_of_number_words_breaks_the_reader(
    parts: list[str], language: str | None, gap: str
) -> None:
    check(gap.join(parts), language)


@given(st.text(max_size=80), st.sampled_from([None, "zh", *SPOKEN]))
def test_the_amounts_of_any_text_stand_in_it_in_order(text: str, language: str | None) -> None:
    check(text, language)


def check(text: str, language: str | None) -> None:
    found = read_numbers(text, language)
    assert all(0 <= each.start < each.end <= len(text) and each.value >= 0 for each in found)
    assert all(text[each.start : each.end].strip() == text[each.start : each.end] for each in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
