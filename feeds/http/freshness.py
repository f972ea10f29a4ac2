"""How long an answer stays good, and how long a server asked us to stay away."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds.http.times import read_http_date

# RFC 9111 section 1.2.2: greater numbers count as this one. It is 68 years.
_MOST_SECONDS = 2**31
_DIRECTIVE = re.compile(r'([!#$%&\'*+.^_`|~\w-]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,;]*))?', re.ASCII)


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a server says about when to come again."""

    #: How much longer the answer stays fresh; zero where it says "always ask", None where it says nothing.
    lifetime: timedelta | None = None
    #: How long it asked us to stay away (Retry-After).
    retry_after: timedelta | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str], *, now: datetime) -> Freshness:
        """Read the headers of an answer that came at `now`, an aware time.

        `now` only stands in for a Date header that is missing or broken: dates are compared with
        the server's own clock, which may be wrong by hours without harm.
        """
        names = {name.lower(): value for name, value in headers.items()}
        date = read_http_date(names.get("date", "")) or now
        return cls(_lifetime(names, date), _retry_after(names.get("retry-after", ""), date))


def _lifetime(names: Mapping[str, str], date: datetime) -> timedelta | None:
    """The freshness lifetime less the age (RFC 9111 section 4.2), for a private cache.

    s-maxage speaks to shared caches and must-revalidate to those that would serve stale
    answers: neither says anything to one who only asks again.
    """
    directives = _directives(names.get("cache-control", ""))
    if "no-store" in directives or "no-cache" in directives:
        return timedelta(0)
    if "max-age" in directives:
        whole = _seconds(directives["max-age"]) or timedelta(0)
    elif "expires" in names:
        # A broken date, "0" above all, means that it has already expired (section 5.3).
        whole = (read_http_date(names["expires"]) or date) - date
    else:
        return None
    age = _seconds(names.get("age", "")) or timedelta(0)
    return max(whole - age, timedelta(0))


def _directives(value: str) -> dict[str, str]:
    """Cache-Control by directive; of one that is repeated, the first counts (section 4.2.1)."""
    found: dict[str, str] = {}
    for name, argument in _DIRECTIVE.findall(value):
        found.setdefault(name.lower(), argument.strip('"'))
    return found


def _retry_after(value: str, date: datetime) -> timedelta | None:
    """Seconds, or a date (RFC 9110 section 10.2.3); None where it is neither."""
    if (seconds := _seconds(value)) is not None:
        return seconds
    moment = read_http_date(value)
    return max(moment - date, timedelta(0)) if moment else None


def _seconds(value: str) -> timedelta | None:
    digits = value.strip()
    if not (digits.isascii() and digits.isdigit()):
        return None
    # Only the length is looked at first: a number of a million digits is not worth reading.
    return timedelta(seconds=_MOST_SECONDS if len(digits) > 10 else min(int(digits), _MOST_SECONDS))
