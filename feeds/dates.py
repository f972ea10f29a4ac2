"""Times as feeds write them, and as we write them.

Feeds should hold RFC 822 dates (RSS) or RFC 3339 ones (Atom); in the wild they hold every form
that a person or a program ever wrote. All of them become aware times in UTC here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

#: Other years say that a program had no date: 1 (.NET), 1899 (spreadsheets), 9999 (databases).
_YEARS = range(1900, 2101)

# Names of months as they begin, in the languages whose feeds were seen to use them instead of
# the English ones. The longer beginnings of a language win over the shorter ones.
_MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "jan ene gen янв ιαν janv",
            "feb fév fev лют фев φεβ févr",
            "mar mär mrz maa мар μάρ μαρ márc mars marz",
            "apr avr abr апр απρ ápr avri",
            "may mai mei maj mag май мая μάι μαϊ μαι máj",
            "jun juin giu июн ιούν ιου jún junh giug",
            "jul juil lug июл ιούλ ιολ júl julh lugl",
            "aug aoû aou ago авг αύγ αυγ août",
            "sep set сен σεπ sept szep",
            "oct okt ott out окт οκτ",
            "nov ноя νοέ νοε",
            "dec dez déc dic дек δεκ",
        ),
        start=1,
    )
    for name in names.split()
}

# Hours and minutes east of Greenwich. RFC 822 section 5.1 names the American zones; the others
# are what feeds use. A single letter means UTC (RFC 2822 section 4.3), as does what nobody knows.
_ZONES = {
    "edt": -240, "est": -300, "cdt": -300, "cst": -360, "mdt": -360, "mst": -420, "pdt": -420,
    "pst": -480, "akdt": -480, "akst": -540, "hst": -600, "ast": -240, "adt": -180, "nst": -210,
    "ndt": -150, "brt": -180, "art": -180, "wet": 0, "west": 60, "bst": 60, "cet": 60, "cest": 120,
    "met": 60, "mest": 120, "mez": 60, "mesz": 120, "eet": 120, "eest": 180, "msk": 180, "msd": 240,
    "trt": 180, "ist": 330, "pkt": 300, "ict": 420, "wib": 420, "sgt": 480, "hkt": 480, "awst": 480,
    "jst": 540, "kst": 540, "aest": 600, "aedt": 660, "acst": 570, "acdt": 630, "nzst": 720, "nzdt": 780,
}  # fmt: skip

_YEAR_FIRST = re.compile(
    r"""(?P<year>\d{4}) (?: (?:[-/.]|\s?[年년]\s?) (?P<month>\d{1,2})
        (?: (?:[-/.]|\s?[月월]\s?) (?P<day>\d{1,2}) (?!\d) [日일]? )? )?
        (?= $ | [\st,] )""",
    re.VERBOSE,
)
_COMPACT = re.compile(
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?=$|[t ])(?:[t ](?P<clock>\d{4}(?:\d\d)?)(?!\d))?"
)
_MONTH_BETWEEN = re.compile(r"(?P<year>\d{4})[\s.-]+(?P<month>[^\W\d_]{3,})[\s.-]+(?P<day>\d{1,2})(?!\d)")
_DOTTED = re.compile(r"(?<!\d)(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})(?!\d)")
_DAY_FIRST = re.compile(
    r"""(?<!\d) (?P<day>\d{1,2}) (?:st|nd|rd|th|er)? [\s.,/-]* (?:de\s+|d')?
        (?P<month>[^\W\d_]{3,}) [\s.,/-]* (?:de\s+)? (?P<year>\d{4}|\d{2}) (?![\d:])""",
    re.VERBOSE,
)
_MONTH_FIRST = re.compile(
    r"""(?P<month>[^\W\d_]{3,}) [\s.]+ (?P<day>\d{1,2}) (?:st|nd|rd|th)? ,? \s+
        (?: (?:at\s+)? \d{1,2}:\d\d (?::\d\d)? \s+ (?:[a-z]{1,5}\s+)? )? (?P<year>\d{4}) (?!\d)""",
    re.VERBOSE,
)
_TIME = re.compile(
    r"""(?P<before>오전|오후|上午|下午)? \s*
        (?<!\d) (?P<hour>\d{1,2}) : (?P<minute>\d\d) (?: : (?P<second>\d\d) (?:[.,]\d+)? )?
        \s* (?P<after>[ap]\.?m\b\.?)? \s*
        (?: \(? (?P<name>[a-z]{1,5}) \b \)? )? \s*
        (?P<offset> [+\-\N{MINUS SIGN}] \s? \d{1,2} :? (?:\d\d)? (?!\d) )?""",
    re.VERBOSE,
)
_HOUR_ONLY = re.compile(r"t(?P<hour>\d\d)(?P<offset>z|[+-]\d\d:?\d\d)?$")
_EPOCH = re.compile(r"\d{9,10}(?:\d{3})?")

# The two forms that the standards ask for and nearly all dates have. They are read first, for the time that
# it saves; the others would read them alike.
_RFC822 = re.compile(
    r"""(?:[A-Za-z]{3},\ )? ([0-9]{1,2})\ ([A-Z][a-z]{2})\ ([0-9]{4})
        \ ([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])\ (?:GMT|UTC|Z|([+-])([0-9]{2})([0-9]{2}))""",
    re.VERBOSE,
)
_RFC3339 = re.compile(
    r"""([0-9]{4})-([0-9]{2})-([0-9]{2})
        [Tt ]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))""",
    re.VERBOSE,
)
_ENGLISH = {
    "Jan": "1", "Feb": "2", "Mar": "3", "Apr": "4", "May": "5", "Jun": "6", "Jul": "7", "Aug": "8", "Sep": "9",
    "Oct": "10", "Nov": "11", "Dec": "12",
}  # fmt: skip

#: Characters in which a date must stand.
_LONGEST = 200


def parse_date(text: str | None) -> datetime | None:
    """The moment that a feed's date names, as an aware UTC time; None where it names none.

    Reads RFC 822 and 2822 with zones by name or number, RFC 3339, W3CDTF down to a bare year,
    ISO 8601 without separators, asctime, Unix times, month names of a dozen languages and
    East Asian dates. A date without a zone is taken as UTC, one without a time as midnight.
    A year before 1900 or after 2100 means that a program had no date: None.
    """
    # No date is longer, and looking for one in a text of thousands takes quadratic time.
    begun = (text or "")[:_LONGEST]
    moment = _standard(begun.strip())
    if moment is not None:
        return moment if moment.year in _YEARS else None
    wanted = " ".join(begun.lower().split())
    if _EPOCH.fullmatch(wanted):
        return _from_epoch(int(wanted[:10] if len(wanted) > 10 else wanted))
    for read in (_compact, _year_first, _dotted, _named_month):
        moment = read(wanted)
        if moment is not None:
            return moment if moment.year in _YEARS else None
    return None


def rfc3339(moment: datetime) -> str:
    """Write a time as Atom and JSON Feed want it: UTC, whole seconds, `Z` (RFC 3339 section 5.6).

    Raises:
        ValueError: `moment` has no time zone.
    """
    return _utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc822(moment: datetime) -> str:
    """Write a time as RSS wants it: English names, a year of four digits, `GMT` (RFC 2822 section 3.3).

    Raises:
        ValueError: `moment` has no time zone.
    """
    return format_datetime(_utc(moment), usegmt=True)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return moment.astimezone(UTC)


def _standard(text: str) -> datetime | None:
    """A date as RFC 822 (with a year of four digits) or RFC 3339 want it; None for others and for no real day."""
    if found := _RFC822.fullmatch(text):
        day, name, year, *clock = found.groups()
        month = _ENGLISH.get(name, "0")
    elif found := _RFC3339.fullmatch(text):
        year, month, day, *clock = found.groups()
    else:
        return None
    hour, minute, second, sign, east, more = clock
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        if sign is None:
            return moment
        ahead = timedelta(minutes=int(east) * 60 + int(more))
        return moment - ahead if sign == "+" else moment + ahead
    except (ValueError, OverflowError):
        return None


def _from_epoch(seconds: int) -> datetime | None:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment if moment.year in _YEARS else None


def _compact(text: str) -> datetime | None:
    found = _COMPACT.match(text)
    if found is None:
        return None
    clock = found["clock"]
    if clock is None:
        return _moment(found, found["month"], text[found.end() :])
    return _moment(
        found, found["month"], f"{clock[:2]}:{clock[2:4]}:{clock[4:] or '00'}{text[found.end() :]}"
    )


def _year_first(text: str) -> datetime | None:
    found = _YEAR_FIRST.match(text)
    if found is None:
        return None
    zone = "+0900" if "년" in text else ""
    return _moment(found, found["month"] or "1", text[found.end() :] + zone)


def _dotted(text: str) -> datetime | None:
    found = _DOTTED.search(text)
    return _moment(found, found["month"], text[found.end() :]) if found else None


def _named_month(text: str) -> datetime | None:
    for pattern in (_MONTH_BETWEEN, _DAY_FIRST, _MONTH_FIRST):
        for found in pattern.finditer(text):
            month = _month(found["month"])
            if month is not None:
                rest = text[found.start() :] if pattern is _MONTH_FIRST else text[found.end() :]
                return _moment(found, str(month), rest)
    return None


def _month(name: str) -> int | None:
    return _MONTHS.get(name[:4]) or _MONTHS.get(name[:3])


def _moment(found: re.Match[str], month: str, rest: str) -> datetime | None:
    """The time that a found day and the clock in `rest` make; None where there is no such day."""
    try:
        day = datetime(_full_year(found["year"]), int(month), int(found["day"] or 1), tzinfo=UTC)
        return day + _time_of_day(rest)
    except (ValueError, OverflowError):
        return None


def _full_year(digits: str) -> int:
    """Two digits are of the years 1950 to 2049 (RFC 2822 section 4.3)."""
    year = int(digits)
    if len(digits) > 2:
        return year
    return year + (2000 if year < 50 else 1900)


def _time_of_day(rest: str) -> timedelta:
    """The clock in `rest` since midnight UTC; zero where there is none or it shows an hour that is none.

    Midnight as 24:00 and a leap second belong to the next day, as they do by adding them.
    """
    bare = _HOUR_ONLY.fullmatch(rest)
    if bare is not None:
        return timedelta(hours=int(bare["hour"]), minutes=-_offset(bare["offset"]))
    found = _TIME.search(rest)
    if found is None:
        return timedelta()
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    if hour > 24 or minute > 59 or second > 60:
        return timedelta()
    half = found["before"] or found["after"] or ""
    if half.startswith(("p", "오후", "下午")) and hour < 12:
        hour += 12
    elif half.startswith(("a", "오전", "上午")) and hour == 12:
        hour = 0
    east = _ZONES.get(found["name"] or "", 0) + _offset(found["offset"])
    return timedelta(hours=hour, minutes=minute - east, seconds=second)


def _offset(written: str | None) -> int:
    """Minutes east of Greenwich that `+01:00`, `-0530`, `+1` or `-530` mean; 0 for none."""
    digits = re.sub(r"\D", "", written or "")
    if not written or not digits:
        return 0
    hours, minutes = (int(digits), 0) if len(digits) < 3 else (int(digits[:-2]), int(digits[-2:]))
    east = hours * 60 + minutes
    return east if written.startswith("+") else -east
