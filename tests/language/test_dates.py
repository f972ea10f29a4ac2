"""Times that texts name, in the languages of the desk."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.language.date_words import SPOKEN
from aggregator.language.dates import read_dates
from aggregator.language.intervals import Dated
from aggregator.language.text import spans

#: A Wednesday.
DATELINE = date(2025, 2, 19)


def read(text: str, language: str | None = "en", dateline: date | None = DATELINE) -> list[tuple[str, str]]:
    return [(each.key, text[each.start : each.end]) for each in read_dates(text, language, dateline=dateline)]


def keys(text: str, language: str | None = "en", dateline: date | None = DATELINE) -> list[str]:
    return [key for key, _ in read(text, language, dateline)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "18 February 2025"), ("en", "February 18, 2025"), ("en", "Feb 18"), ("en", "Feb. 18"),
        ("en", "Tuesday 18th February"), ("en", "Tue, 18 Feb 2025"), ("en", "Tuesday"), ("en", "2025-02-18"),
        ("en", "02/18/2025"), ("en", "yesterday"), ("en", "last Tuesday"), ("en", "Tuesday 18th"),
        ("fr", "18 février"), ("fr", "mardi 18 février"), ("fr", "mardi 18"), ("fr", "18/02"), ("fr", "18/02/2025"),
        ("fr", "hier"), ("fr", "mardi"), ("fr", "18 févr. 2025"), ("de", "Dienstag, dem 18. Februar"),
        ("de", "18.02."), ("de", "Di., 18. Februar"), ("de", "Dienstagabend"), ("de", "gestern"),
        ("es", "18 de febrero de 2025"), ("es", "martes 18 de febrero"), ("es", "ayer"), ("it", "18 febbraio"),
        ("it", "martedì"), ("it", "ieri"), ("pl", "18 lutego"), ("pl", "wt., 18 lutego"), ("pl", "wczoraj"),
        ("pl", "wtorek"), ("ru", "18-го февраля"), ("ru", "вторник, 18 февраля"), ("ru", "вчера"),
        ("uk", "вівторок, 18 лютого"), ("uk", "учора"), ("pt", "terça-feira, 18 de fevereiro"), ("pt", "ontem"),
        ("nl", "dinsdag 18 februari"), ("nl", "gisteren"), ("cs", "úterý 18. února"), ("tr", "18 Şubat 2025"),
        ("tr", "dün"), ("ar", "18 فبراير 2025"), ("ar", "أمس"), ("zh", "2月18日"), ("zh", "2025年2月18日"),
        ("zh", "周二"), ("zh", "昨天"), ("zh", "本周二"), ("sk", "18.02.2025"), (None, "18.2.2025"),
    ],
)  # fmt: skip
def test_one_day_is_said_in_many_ways(language: str | None, text: str) -> None:
    assert read(text, language) == [("day:2025-02-18", text)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "three years ago"), ("en", "three years after"), ("en", "3 years ago"), ("en", "2022"),
        ("fr", "il y a trois ans"), ("fr", "trois ans après"), ("fr", "il y a presque trois ans"),
        ("de", "drei Jahre nach"), ("de", "vor drei Jahren"), ("es", "hace tres años"), ("es", "tres años después"),
        ("it", "tre anni dopo"), ("it", "tre anni fa"), ("pl", "trzy lata po"), ("pl", "trzy lata temu"),
        ("ru", "три года после"), ("ru", "три года назад"), ("uk", "три роки після"), ("uk", "три роки тому"),
        ("pt", "há três anos"), ("nl", "drie jaar geleden"), ("tr", "üç yıl önce"), ("ar", "قبل 3 سنوات"),
        ("zh", "三年前"), ("zh", "2022年"), ("ru", "2022г"),
    ],
)  # fmt: skip
def test_one_year_is_said_in_many_ways(language: str, text: str) -> None:
    assert read(text, language) == [("year:2022", text)]


@pytest.mark.parametrize(
    ("language", "text", "span"),
    [
        ("en", "almost three years after", "three years after"),
        ("de", "fast drei Jahre nach", "drei Jahre nach"),
        ("ru", "через три года после", "три года после"),
        ("uk", "майже три роки тому", "три роки тому"),
    ],
)
def test_almost_is_no_part_of_the_span(language: str, text: str, span: str) -> None:
    assert read(text, language) == [("year:2022", span)]


@pytest.mark.parametrize(
    ("language", "text", "key"),
    [
        ("pl", "rok temu", "year:2024"), ("ru", "год назад", "year:2024"), ("uk", "тиждень тому", "week:2025-02-10"),
        ("en", "five months ago", "month:2024-09"), ("en", "two weeks ago", "week:2025-02-03"),
        ("en", "twenty five days ago", "day:2025-01-25"), ("en", "last week", "week:2025-02-10"),
        ("fr", "la semaine dernière", "week:2025-02-10"), ("de", "letzte Woche", "week:2025-02-10"),
        ("es", "el mes pasado", "month:2025-01"), ("it", "l'anno scorso", "year:2024"),
        ("pl", "w przyszłym roku", "year:2026"), ("ru", "на этой неделе", "week:2025-02-17"),
        ("uk", "минулого року", "year:2024"), ("uk", "торік", "year:2024"), ("de", "des Vorjahres", "year:2024"),
        ("es", "el año que viene", "year:2026"), ("en", "next month", "month:2025-03"),
        ("zh", "上周", "week:2025-02-10"), ("zh", "去年", "year:2024"), ("zh", "上周三", "day:2025-02-12"),
        ("zh", "10年前", "year:2015"), ("zh", "3月", "month:2025-03"), ("zh", "2024年12月", "month:2024-12"),
        ("en", "early February", "month:2025-02"), ("fr", "mi-février", "month:2025-02"),
        ("de", "Mitte Februar", "month:2025-02"), ("en", "February of last year", "month:2024-02"),
        ("pl", "w lutym ubiegłego roku", "month:2024-02"), ("fr", "en mars", "month:2025-03"),
        ("en", "December", "month:2024-12"), ("en", "this November", "month:2025-11"),
        ("fr", "février dernier", "month:2024-02"), ("fr", "mars prochain", "month:2025-03"),
        ("fr", "février de cette année", "month:2025-02"), ("en", "in the autumn of 2022", "year:2022"),
        ("en", "next Tuesday", "day:2025-02-25"), ("fr", "mardi prochain", "day:2025-02-25"),
        ("en", "last Wednesday", "day:2025-02-12"), ("en", "this Friday", "day:2025-02-21"),
        ("pl", "najbliższy wtorek", "day:2025-02-25"), ("en", "Thursday", "day:2025-02-20"),
        ("ru", "позавчера", "day:2025-02-17"), ("it", "dopodomani", "day:2025-02-21"),
    ],
)  # fmt: skip
def test_what_is_said_from_a_point_of_view_is_counted_from_the_dateline(
    language: str, text: str, key: str
) -> None:
    assert keys(text, language) == [key]


def test_without_a_dateline_only_what_is_said_in_full_is_a_date() -> None:
    text = "Tuesday, 18 February, February 18, May, 18/02, last week, three years ago, yesterday, this June"
    assert keys(text, dateline=None) == []
    assert keys("周二, 2月18日", "zh", None) == []
    assert keys("18 February 2025 and March 2014", dateline=None) == ["day:2025-02-18", "month:2014-03"]


def test_a_range_names_both_of_its_ends() -> None:
    assert read("12-14 February") == [("day:2025-02-12", "12"), ("day:2025-02-14", "14 February")]
    assert read("February 12 to 14") == [("day:2025-02-12", "February 12"), ("day:2025-02-14", "14")]
    assert keys("du 12 au 14 février", "fr") == ["day:2025-02-12", "day:2025-02-14"]
    assert keys("между 12 и 14 февраля", "ru") == ["day:2025-02-12", "day:2025-02-14"]


def test_a_comma_parts_a_weekday_from_what_is_last() -> None:
    assert read("наступного вівторка, минулого тижня", "uk") == [
        ("day:2025-02-25", "наступного вівторка"),
        ("week:2025-02-10", "минулого тижня"),
    ]
    assert keys("le mois, dernier acte", "fr") == []


def test_a_weekday_beside_a_date_is_kept_for_checking() -> None:
    (dated,) = read_dates("mardi 18 février 2025", "fr")
    assert dated == Dated("day:2025-02-18", 0, 21, date(2025, 2, 18), date(2025, 2, 18), 1)
    assert dated.unit == "day"


def test_a_day_of_the_month_beside_another_weekday_is_no_date() -> None:
    assert read("mardi 20 personnes", "fr") == [("day:2025-02-18", "mardi")]
    assert read("Tuesday 18 people") == [("day:2025-02-18", "Tuesday")]


def test_the_nearest_year_is_meant() -> None:
    assert keys("28 December", dateline=date(2025, 1, 3)) == ["day:2024-12-28"]
    assert keys("3 January", dateline=date(2024, 12, 28)) == ["day:2025-01-03"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "May said"), ("en", "the Mars rover at Mar-a-Lago"), ("en", "the Sun newspaper sat"),
        ("en", "they may 18 march"), ("en", "USA Today"), ("en", "9/11, 24/7 and 10/10"), ("en", "April smiled"),
        ("fr", "sur Mars, 10/10"), ("fr", "dit Juillet"),
        ("de", "so ist das, am Morgen"), ("es", "Plácido Domingo; la mañana"), ("ru", "в окружающей среде"),
        ("en", "01/01/1500"), ("en", "some years ago"),
        ("en", "0 years ago, 900 years ago"), ("en", "two and a half years ago"), ("zh", "13月"), ("zh", "1500年"),
        ("de", "früher Morgen"), ("zh", "1500年2月"),
        ("en", "half years ago"), ("fr", "1500-01-01"), ("ru", "пять рок назад"),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_date_is_none(language: str, text: str) -> None:
    assert keys(text, language) == []


def test_a_full_stop_behind_a_number_ends_an_english_sentence() -> None:
    assert read("They freed 18. February was cold") == [("month:2025-02", "February")]


def test_a_day_that_no_month_has_leaves_the_month() -> None:
    assert keys("31 February 2025") == ["month:2025-02"]


def test_a_number_before_may_is_a_month_only_where_in_stands() -> None:
    assert read("In May 12 people died") == [("month:2025-05", "May")]


@pytest.mark.parametrize(
    "text",
    ["2000 soldiers", "$2022", "2019 km", "2014%", "1.2025", "+2020", "1850", "1990s", "over 1900 dead"],
)
def test_four_digits_that_count_something_are_no_year(text: str) -> None:
    assert keys(text) == []


@pytest.mark.parametrize(
    "text", ["in 2000 soldiers", "2000", "2000 year", "the 2022 invasion", "after 2022 years"]
)
def test_four_digits_elsewhere_are_a_year(text: str) -> None:
    assert keys(text)[0].startswith("year:20")


def test_english_papers_disagree_on_what_comes_first() -> None:
    assert keys("03/04/2025") == ["year:2025"]
    assert keys("03/03/2025") == ["day:2025-03-03"]
    assert keys("03/04/2025", "fr") == ["day:2025-04-03"]


def test_words_that_are_known_are_not_read_again() -> None:
    text = "le 18 février 2025"
    assert read_dates(text, "fr", words=spans(text)) == read_dates(text, "fr")


@given(
    st.text(max_size=80),
    st.sampled_from([None, "zh", "sk", *SPOKEN]),
    st.dates(date(1900, 1, 1), date(2099, 1, 1)),
)
def test_the_dates_of_any_text_stand_in_it_in_order(text: str, language: str | None, dateline: date) -> None:
    found = read_dates(text, language, dateline=dateline)
    assert all(0 <= each.start < each.end <= len(text) and each.first <= each.last for each in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert found == read_dates(text, language, dateline=dateline)


_PARTS = """
18 12 2025 3 - . , février mardi dernier May February ago years three il y a ans вторник 18-го 2022-02-24 недели lutego
rok temu 周二 2月 prochain last vor drei Jahren
"""


@given(st.lists(st.sampled_from(_PARTS.split()), max_size=12))
def test_no_arrangement_of_date_words_breaks_the_reader(parts: list[str]) -> None:
    for language in ("en", "fr", "ru", "pl", "zh"):
        text = " ".join(parts)
        for each in read_dates(text, language, dateline=DATELINE):
            assert text[each.start : each.end].strip() == text[each.start : each.end]


def test_a_range_of_ordinals_at_the_end_of_a_text_is_read() -> None:
    found = read_dates("It will be held in Tehran from February 1st to 4th.", "en", dateline=date(2026, 1, 3))
    assert [each.key for each in found] == ["day:2026-02-01", "day:2026-02-04"]
