"""Days, weeks, months and years in Chinese, whose words are written without spaces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from aggregator.language.intervals import (
    FIRST_YEAR,
    LAST_YEAR,
    Dated,
    away_by,
    days_of_month,
    in_year,
    nearest_year,
    on_day,
)

_HAN_NUMBERS = {sign: number for number, sign in enumerate("一二三四五六七八九十", 1)} | {"两": 2}
_HAN_WEEKDAYS = {sign: number for number, sign in enumerate("一二三四五六日")} | {"天": 6}
_HAN_AWAY = {"前天": -2, "昨天": -1, "昨日": -1, "今天": 0, "今日": 0, "明天": 1, "明日": 1}
_HAN_SPANS = {
    "上周": ("week", -1), "上星期": ("week", -1), "本周": ("week", 0), "下周": ("week", 1), "上个月": ("month", -1),
    "上月": ("month", -1), "本月": ("month", 0), "下个月": ("month", 1), "去年": ("year", -1), "今年": ("year", 0),
    "明年": ("year", 1),
}  # fmt: skip
_CHINESE = re.compile(
    r"(?:(?P<year>\d{4})年)?(?P<month>\d{1,2})月(?:(?P<day>\d{1,2})[日号])?|(?P<only>\d{4})年"
    rf"|(?P<turn>[上下本这]?)(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])|(?P<away>{'|'.join(_HAN_AWAY)})"
    rf"|(?P<count>\d{{1,2}}|[一二两三四五六七八九十])年前|(?P<span>{'|'.join(_HAN_SPANS)})"
)


def chinese_dates(text: str, dateline: date | None) -> Iterator[Dated]:
    """2025年2月18日, 2月18日, 周二, 上周, 三年前."""
    for match in _CHINESE.finditer(text):
        start, end = match.span()
        if match["only"]:
            yield from in_year(int(match["only"]), start, end)
        elif match["month"]:
            yield from _chinese_month(match, dateline)
        elif dateline is not None:
            yield _chinese_turn(match, dateline)


def _chinese_month(match: re.Match[str], dateline: date | None) -> Iterator[Dated]:
    month, day, (start, end) = int(match["month"]), int(match["day"] or 0), match.span()
    year = (
        int(match["year"])
        if match["year"]
        else (nearest_year(month, day or 15, dateline) if dateline else None)
    )
    if year is None or not 1 <= month <= 12:
        return
    if day:
        yield from on_day(year, month, day, start, end)
    elif FIRST_YEAR <= year <= LAST_YEAR:
        yield Dated(f"month:{year}-{month:02}", start, end, *days_of_month(year, month))


def _chinese_turn(match: re.Match[str], dateline: date) -> Dated:
    start, end = match.span()
    if match["weekday"]:
        number = _HAN_WEEKDAYS[match["weekday"]]
        back = (dateline.weekday() - number) % 7
        week = {"上": -7, "本": 0, "这": 0, "下": 7}.get(match["turn"])
        away = -back if week is None else week + number - dateline.weekday()
        return away_by("day", away, dateline, start, end)
    if match["away"]:
        return away_by("day", _HAN_AWAY[match["away"]], dateline, start, end)
    if match["span"]:
        return away_by(*_HAN_SPANS[match["span"]], dateline, start, end)
    said = match["count"]
    return away_by("year", -(int(said) if said.isdecimal() else _HAN_NUMBERS[said]), dateline, start, end)
