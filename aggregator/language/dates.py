"""Days, weeks, months and years that a text names, as intervals.

The words are in `date_words`. What is said from a point of view ("Tuesday", "last week", "three
years ago") is resolved on the dateline; without one it is left alone.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from aggregator.language.chinese_dates import chinese_dates
from aggregator.language.date_words import (
    DOUBTFUL,
    LARGE_LETTERS,
    SMALL_LETTERS,
    Calendar,
    calendar,
    is_turn,
    is_unit,
)
from aggregator.language.intervals import (
    Dated,
    away_by,
    days_of_month,
    in_year,
    nearest_year,
    on_day,
)
from aggregator.language.lines import Line, as_line
from aggregator.language.number_words import cardinals
from aggregator.language.text import Word, spans
from aggregator.language.years import YEAR_DIGITS, is_year


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text as the rules look at it."""

    line: Line
    calendar: Calendar
    language: str | None
    dateline: date | None

    def is_written_right(self, match: re.Match[str], group: str) -> bool:
        """False where its first letter says that it is no month or weekday: May is one, may is none."""
        letter = self.line.first(match, group).text[0]
        if self.language in LARGE_LETTERS:
            return letter.isupper()
        return self.language not in SMALL_LETTERS or letter.islower() or self.line.opens(match, group)

    def is_doubtful(self, match: re.Match[str], group: str) -> bool:
        """True for a name that is another word too, with nothing before it that decides."""
        if match[group] not in DOUBTFUL.get(self.language or "", ()):
            return False
        return self.calendar.context.search(self.line.text, 0, match.start(group)) is None


def read_dates(
    text: str, language: str | None, *, dateline: date | None = None, words: Sequence[Word] | None = None
) -> list[Dated]:
    """Every time that a text names, in order; the longest reading of each place.

    A day without a year is the one nearest to the dateline; without a dateline it is left out.
    `words` are the text's `text.spans`, for callers that have them.
    """
    found: list[Dated] = []
    words = spans(text) if words is None else words
    if any(map(str.isdecimal, text)):
        found += _numeric(text, language, dateline) if _JOINED.search(text) else ()
        found += _years(text, words)
    folded = {word.folded for word in words}
    known = calendar(language)
    if language == "zh":
        found += chinese_dates(text, dateline)
    if steps := _steps(known, folded, language, dateline):
        reading = _Reading(as_line(text, words, language), known, language, dateline)
        for step in steps:
            found += step(reading)
    return _outermost(found)


def _steps(
    known: Calendar, folded: set[str], language: str | None, dateline: date | None
) -> list[Callable[[_Reading], Iterator[Dated]]]:
    """What is worth trying, by the words that stand in the text at all."""
    steps: list[Callable[[_Reading], Iterator[Dated]]] = []
    if not known.month_words.isdisjoint(folded):
        steps += [_day_months, _month_days, _months]
    if dateline is None:
        return steps
    if not known.day_words.isdisjoint(folded):
        steps.append(_weekdays)
    if not known.away_words.isdisjoint(folded):
        steps.append(_away)
    if any(is_unit(word, language) for word in folded):
        if any(is_turn(word, language) for word in folded):
            steps.append(_spoken)
        if not known.ago_signs.isdisjoint(folded):
            steps.append(_ago)
    return steps


_JOINED = re.compile(r"\d[-/.]\d")
_NUMERIC = re.compile(
    r"(?<![\d./-])(?:(?P<iso>\d{4})(?P<mark>[-/.])(?P<iso_month>\d{1,2})(?P=mark)(?P<iso_day>\d{1,2})"
    r"|(?P<day>\d{1,2})(?P<sign>[./-])(?P<month>\d{1,2})(?P=sign)(?P<year>\d{4}))(?![\d/-])"
    r"|(?<![\d./-])(?P<short>\d{1,2})(?:/(?P<of>0[1-9]|1[0-2])(?![\d/.%])|\.(?P<dotted>0?[1-9]|1[0-2])\.(?![\d]))"
)


def _numeric(text: str, language: str | None, dateline: date | None) -> Iterator[Dated]:
    """2025-02-18, 18.02.2025, 18/02/2025, 18/02 and 18.02. beside a dateline."""
    for match in _NUMERIC.finditer(text):
        start, end = match.span()
        if match["iso"]:
            yield from on_day(int(match["iso"]), int(match["iso_month"]), int(match["iso_day"]), start, end)
        elif match["year"]:
            day, month, year = int(match["day"]), int(match["month"]), int(match["year"])
            yield from _either_way(
                day, month, year, start, end, is_english=language == "en" and match["sign"] == "/"
            )
        elif dateline is not None and not (language == "en" and match["of"]):
            day, month = int(match["short"]), int(match["of"] or match["dotted"])
            # Ten out of ten is no day.
            if day != month or match["dotted"]:
                yield from on_day(nearest_year(month, day, dateline), month, day, start, end)


def _either_way(
    day: int, month: int, year: int, start: int, end: int, *, is_english: bool
) -> Iterator[Dated]:
    """English papers write the day first in one country and the month in another."""
    if not is_english or day > 12 or day == month:
        yield from on_day(year, month, day, start, end)
    elif month > 12:
        yield from on_day(year, day, month, start, end)
    else:
        yield from in_year(year, end - YEAR_DIGITS, end)


def _day_months(reading: _Reading) -> Iterator[Dated]:
    """18 February 2025, le 1er mars, Dienstag, dem 18. Februar, 12-14 lutego."""
    for match in reading.calendar.day_month.finditer(reading.line.text):
        year = _year_of(match, reading.dateline)
        month, day = reading.calendar.months[match["month"]], int(match["day"])
        # May and can be verbs behind a number too.
        if reading.language in LARGE_LETTERS and not reading.is_written_right(match, "month"):
            continue
        if year is None and (year := _year_near(month, day, reading.dateline)) is None:
            continue
        start, end = reading.line.first(match).start, reading.line.last(match).end
        if match["from"]:
            first = reading.line.first(match, "from")
            yield from on_day(year, month, int(match["from"]), start, first.end, _weekday(match, reading))
            yield from on_day(year, month, day, reading.line.first(match, "day").start, end)
        else:
            yield from on_day(year, month, day, start, end, _weekday(match, reading))


def _month_days(reading: _Reading) -> Iterator[Dated]:
    """February 18, 2025, as English writes it."""
    if reading.language != "en":
        return
    for match in reading.calendar.month_day.finditer(reading.line.text):
        month, day = reading.calendar.months[match["month"]], int(match["day"])
        year = int(match["year"]) if match["year"] else _year_near(month, day, reading.dateline)
        if year is None or not reading.is_written_right(match, "month"):
            continue
        start, end = reading.line.first(match).start, reading.line.last(match).end
        if match["to"]:
            yield from on_day(year, month, int(match["to"]), reading.line.first(match, "to").start, end)
            end = reading.line.last(match, "day").end
        yield from on_day(year, month, day, start, end, _weekday(match, reading))


def _months(reading: _Reading) -> Iterator[Dated]:
    """February 2025, mi-février, w lutym ubiegłego roku, and a bare month in full."""
    for match in reading.calendar.month.finditer(reading.line.text):
        month, year = reading.calendar.months[match["month"]], _year_of(match, reading.dateline)
        if year is None:
            if reading.dateline is None or not _stands_bare(match, reading):
                continue
            year = _turned_year(_turn(match, reading.line)[0], month, reading.dateline)
        first, last = days_of_month(year, month)
        start, end = reading.line.first(match).start, reading.line.last(match).end
        yield Dated(f"month:{year}-{month:02}", start, end, first, last)


def _stands_bare(match: re.Match[str], reading: _Reading) -> bool:
    """True for a month in full that is no other word here."""
    if match["month"] not in reading.calendar.wide_months or not reading.is_written_right(match, "month"):
        return False
    return bool(match["part"] or match["past2"] or match["next2"]) or not reading.is_doubtful(match, "month")


def _weekday(match: re.Match[str], reading: _Reading) -> int | None:
    return reading.calendar.short_days[match["weekday"]] if match["weekday"] else None


def _year_of(match: re.Match[str], dateline: date | None) -> int | None:
    """The year that is said, in digits or as last year."""
    if match["year"]:
        return int(match["year"])
    if dateline is None or not (match["last"] or match["this"]):
        return None
    return dateline.year - 1 if match["last"] else dateline.year


def _year_near(month: int, day: int, dateline: date | None) -> int | None:
    return None if dateline is None else nearest_year(month, day, dateline)


def _turned_year(turn: int | None, month: int, dateline: date) -> int:
    """Février dernier is behind the dateline, février prochain ahead."""
    if turn is None:
        return nearest_year(month, 15, dateline)
    if turn == 0:
        return dateline.year
    return (
        dateline.year - (month >= dateline.month) if turn < 0 else dateline.year + (month <= dateline.month)
    )


def _weekdays(reading: _Reading) -> Iterator[Dated]:
    """A weekday is the last one of that name; the one that begins tomorrow is tomorrow."""
    assert reading.dateline is not None  # noqa: S101 - `_steps` has seen to it.
    for match in reading.calendar.weekday.finditer(reading.line.text):
        if not reading.is_written_right(match, "weekday") or reading.is_doubtful(match, "weekday"):
            continue
        number = reading.calendar.days[match["weekday"]]
        start, end = reading.line.first(match).start, reading.line.last(match, "weekday").end
        if match["day"] and (named := _day_of_month(match, number, reading)) is not None:
            yield Dated(f"day:{named}", start, reading.line.last(match).end, named, named, number)
            continue
        turn, group = _turn(match, reading.line)
        if group.endswith("2"):
            end = reading.line.last(match, group).end
        day = _turned_day(turn, number, reading.dateline)
        yield Dated(f"day:{day}", start, end, day, day)


def _turn(match: re.Match[str], line: Line) -> tuple[int | None, str]:
    """-1 for last, 0 for this, 1 for next, and the group that says so; a comma parts it from a name before."""
    for group, turn in (("past", -1), ("same", 0), ("next", 1)):
        if match.groupdict().get(group):
            return turn, group
    for group, turn in (("past2", -1), ("next2", 1)):
        if line.is_close(match, group):
            return turn, group
    return None, ""


def _turned_day(turn: int | None, weekday: int, dateline: date) -> date:
    back = (dateline.weekday() - weekday) % 7
    if turn is None:
        return dateline + timedelta(days=1) if back == 6 else dateline - timedelta(days=back)
    if turn == 0:
        return dateline + timedelta(days=weekday - dateline.weekday())
    return dateline - timedelta(days=back or 7) if turn < 0 else dateline + timedelta(days=7 - back)


def _day_of_month(match: re.Match[str], weekday: int, reading: _Reading) -> date | None:
    """Le mardi 18: the nearest 18th, if that is a Tuesday. English needs its th."""
    assert reading.dateline is not None  # noqa: S101 - as above.
    if reading.language == "en" and not match["ordinal"]:
        return None
    days = (reading.dateline + timedelta(days=away) for away in range(-15, 16))
    return next((d for d in days if d.day == int(match["day"]) and d.weekday() == weekday), None)


def _away(reading: _Reading) -> Iterator[Dated]:
    """Yesterday, przedwczoraj, and years said in one word."""
    assert reading.dateline is not None  # noqa: S101 - as above.
    known = reading.calendar
    for match in known.away_said.finditer(reading.line.text):
        before = reading.line.text[max(0, match.start() - 20) : match.start()].rstrip().rpartition(" ")[2]
        if before in known.not_behind or _is_morning(match, reading):
            continue
        start, end = reading.line.first(match).start, reading.line.last(match).end
        if match[0] in known.years_away:
            yield from in_year(reading.dateline.year + known.years_away[match[0]], start, end)
        else:
            day = reading.dateline + timedelta(days=known.away[match[0]])
            yield Dated(f"day:{day}", start, end, day, day)


def _is_morning(match: re.Match[str], reading: _Reading) -> bool:
    """Morgen with a large letter is a German morning, unless a sentence begins with it."""
    if reading.language != "de" or match[0] != "morgen":
        return False
    return reading.line.first(match).text[0].isupper() and not reading.line.opens(match)


def _spoken(reading: _Reading) -> Iterator[Dated]:
    """Last week, l'an prochain, в этом месяце."""
    assert reading.dateline is not None  # noqa: S101 - as above.
    for match in reading.calendar.spoken.finditer(reading.line.text):
        away, _ = _turn(match, reading.line)
        if away is None:
            continue
        unit = _unit(match["unit"] or match["unit2"], reading.calendar.units)
        yield away_by(
            unit, away, reading.dateline, reading.line.first(match).start, reading.line.last(match).end
        )


def _ago(reading: _Reading) -> Iterator[Dated]:
    """Three years ago, drei Jahre nach …, rok temu: the day, week, month or year that it comes to."""
    assert reading.dateline is not None  # noqa: S101 - as above.
    for pattern in reading.calendar.ago:
        for match in pattern.finditer(reading.line.text):
            number, start = _count(match, reading)
            unit = _unit(match["unit"], reading.calendar.ago_units)
            back = number * {"year": 365, "month": 30, "week": 7, "day": 1}[unit]
            # Longer ago than news reaches back, it is no date.
            if not 0 < back < 365 * 250:
                continue
            yield away_by(unit, -number, reading.dateline, start, reading.line.last(match).end)


def _count(match: re.Match[str], reading: _Reading) -> tuple[int, int]:
    """How many years, and where it begins; 0 for a word that is no number, 1 for none: rok temu."""
    start, said = reading.line.first(match).start, match.groupdict().get("number")
    if said is None:
        return int(_is_single(match["unit"])), start
    if said.isdecimal():
        return int(said), start
    known = cardinals(reading.language)
    first, _, second = said.rpartition(" ")
    if second not in known or not known[second].is_integer():
        return 0, start
    if first in known:
        return int(known[first] + known[second]), start
    # Almost three years ago: the number alone is the span.
    if first and match.start() == match.start("number"):
        start = reading.line.words[reading.line.starting[match.start() + len(first) + 1]].start
    return int(known[second]), start


def _is_single(unit: str) -> bool:
    return unit in {"rok", "miesiac", "tydzien", "год", "месяц", "неделю", "день", "рік", "місяць", "тиждень"}


def _unit(said: str, units: Sequence[tuple[str, re.Pattern[str]]]) -> str:
    return next(unit for unit, pattern in units if pattern.fullmatch(said))


def _years(text: str, words: Sequence[Word]) -> Iterator[Dated]:
    for at, word in enumerate(words):
        if is_year(text, words, at):
            yield from in_year(int(word.folded[:YEAR_DIGITS]), word.start, word.end)


def _outermost(found: list[Dated]) -> list[Dated]:
    """Without those that overlap a longer one: the year of a full date says nothing more."""
    kept: list[Dated] = []
    for each in sorted(found, key=lambda each: (each.start - each.end, each.start)):
        at = bisect_left(kept, each.start, key=lambda other: other.start)
        is_free = at == len(kept) or each.end <= kept[at].start
        if is_free and (at == 0 or kept[at - 1].end <= each.start):
            kept.insert(at, each)
    return kept
