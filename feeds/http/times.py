"""HTTP dates, in the three forms that every reader of HTTP must know (RFC 9110 section 5.6.7)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_LONG_DAY = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_FORMS = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"{_DAY}, (?P<day>\d\d) {_MONTH} (?P<year>\d{{4}}) {_CLOCK} GMT",
        rf"{_LONG_DAY}, (?P<day>\d\d)-{_MONTH}-(?P<year>\d\d) {_CLOCK} GMT",
        rf"{_DAY} {_MONTH} (?P<day>[ \d]\d) {_CLOCK} (?P<year>\d{{4}})",
    )
)


# The same dates come again and again: the time now from every server, and a feed's own with each question.
@lru_cache(maxsize=1024)
def read_http_date(text: str) -> datetime | None:
    """An HTTP date as an aware UTC time, or None where the text is no valid one.

    A year of two digits is read as 1970 to 2069, so that the answer does not depend on today.
    """
    found = next((match for form in _FORMS if (match := form.fullmatch(text.strip()))), None)
    if found is None:
        return None
    part = found.groupdict()
    year = int(part["year"])
    if len(part["year"]) == 2:
        year += 1900 if year >= 70 else 2000
    # The grammar has room for a leap second; datetime has not.
    second = 59 if part["second"] == "60" else int(part["second"])
    month = _MONTHS.index(part["month"]) + 1
    try:
        return datetime(
            year, month, int(part["day"]), int(part["hour"]), int(part["minute"]), second, tzinfo=UTC
        )
    except ValueError:
        return None


def write_http_date(moment: datetime) -> str:
    """An aware time as an IMF-fixdate, in whole seconds.

    Raises:
        ValueError: `moment` has no time zone.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone")
    return format_datetime(moment.astimezone(UTC), usegmt=True)
