"""Times as intervals: the day, week, month or year that a text names, and where it names it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

#: Years that news speaks of; other numbers of four digits are numbers.
FIRST_YEAR, LAST_YEAR = 1800, 2100


@dataclass(frozen=True, slots=True)
class Dated:
    """A time that a text names."""

    #: day:2025-02-18, week:2025-02-10 (its Monday), month:2025-02 or year:2022.
    key: str
    start: int
    end: int
    #: First and last day of it.
    first: date
    last: date
    #: The weekday that stands beside a day, 0 for Monday.
    weekday: int | None = None

    @property
    def unit(self) -> str:
        """day, week, month or year."""
        return self.key.partition(":")[0]


def in_year(year: int, start: int, end: int) -> Iterator[Dated]:
    """That year, if news speaks of it."""
    if FIRST_YEAR <= year <= LAST_YEAR:
        yield Dated(f"year:{year}", start, end, date(year, 1, 1), date(year, 12, 31))


def days_of_month(year: int, month: int) -> tuple[date, date]:
    """Its first and its last day."""
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def on_day(
    year: int, month: int, day: int, start: int, end: int, weekday: int | None = None
) -> Iterator[Dated]:
    """That day, unless there is none such."""
    try:
        found = date(year, month, day)
    except ValueError:
        return
    if FIRST_YEAR <= year <= LAST_YEAR:
        yield Dated(f"day:{found}", start, end, found, found, weekday)


def nearest_year(month: int, day: int, dateline: date) -> int:
    """News looks back further than it looks ahead."""
    ahead = (month * 31 + day) - (dateline.month * 31 + dateline.day)
    return dateline.year - 1 if ahead > 120 else dateline.year + 1 if ahead < -300 else dateline.year


def away_by(unit: str, away: int, dateline: date, start: int, end: int) -> Dated:
    """The day, week, month or year so many away from the dateline's."""
    if unit == "day":
        day = dateline + timedelta(days=away)
        return Dated(f"day:{day}", start, end, day, day)
    if unit == "week":
        monday = dateline - timedelta(days=dateline.weekday()) + timedelta(weeks=away)
        return Dated(f"week:{monday}", start, end, monday, monday + timedelta(days=6))
    if unit == "month":
        count = dateline.year * 12 + dateline.month - 1 + away
        first, last = days_of_month(count // 12, count % 12 + 1)
        return Dated(f"month:{first.year}-{first.month:02}", start, end, first, last)
    year = dateline.year + away
    return Dated(f"year:{year}", start, end, date(year, 1, 1), date(year, 12, 31))
