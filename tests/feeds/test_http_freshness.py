"""When a server says that we should come again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from feeds.http import Freshness
from feeds.http.times import read_http_date, write_http_date

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
DATE = "Mon, 05 Jan 2026 08:00:00 GMT"
ONE_HOUR_LATER = "Mon, 05 Jan 2026 09:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Cache-Control": "max-age=300"}, 300),
        ({"cache-control": "public, MAX-AGE=300, must-revalidate"}, 300),
        ({"Cache-Control": 'max-age="300"'}, 300),
        ({"Cache-Control": "max-age=300", "Age": "100"}, 200),
        ({"Cache-Control": "max-age=300", "Age": "1000"}, 0),
        ({"Cache-Control": "max-age=300", "Age": "old"}, 300),
        ({"Cache-Control": "max-age=300, max-age=900"}, 300),
        ({"Cache-Control": "max-age=soon"}, 0),
        ({"Cache-Control": "max-age=-1"}, 0),
        ({"Cache-Control": "max-age"}, 0),
        ({"Cache-Control": "max-age=" + "9" * 30}, 2**31),
        ({"Cache-Control": "max-age=2147483649"}, 2**31),
        ({"Cache-Control": "max-age=٣٠٠"}, 0),
        ({"Cache-Control": "s-maxage=900"}, None),
        ({"Cache-Control": "s-maxage=900, max-age=300"}, 300),
        ({"Cache-Control": "no-cache, max-age=300"}, 0),
        ({"Cache-Control": "no-store"}, 0),
        ({"Cache-Control": 'private="no-store", max-age=60'}, 60),
        ({"Cache-Control": "must-revalidate"}, None),
        ({"Cache-Control": "max-age=300", "Date": DATE, "Expires": ONE_HOUR_LATER}, 300),
        ({"Date": DATE, "Expires": ONE_HOUR_LATER}, 3600),
        ({"Date": DATE, "Expires": ONE_HOUR_LATER, "Age": "600"}, 3000),
        ({"Date": ONE_HOUR_LATER, "Expires": DATE}, 0),
        ({"Date": DATE, "Expires": "0"}, 0),
        ({"Expires": "Mon, 05 Jan 2026 12:30:00 GMT"}, 1800),
        ({"Date": "today", "Expires": "Mon, 05 Jan 2026 12:30:00 GMT"}, 1800),
        ({}, None),
    ],
)
def test_a_feed_stays_fresh_as_long_as_its_server_says(headers: dict[str, str], seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert Freshness.from_headers(headers, now=NOW) == Freshness(lifetime=expected)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": " 0 "}, 0),
        ({"Retry-After": "9" * 5000}, 2**31),
        ({"Retry-After": ONE_HOUR_LATER, "Date": DATE}, 3600),
        ({"Retry-After": DATE, "Date": ONE_HOUR_LATER}, 0),
        ({"Retry-After": "Mon, 05 Jan 2026 12:30:00 GMT"}, 1800),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "later"}, None),
        ({}, None),
    ],
)
def test_a_server_that_wants_rest_says_how_long(headers: dict[str, str], seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert Freshness.from_headers(headers, now=NOW).retry_after == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Friday, 06-Nov-26 08:49:37 GMT", datetime(2026, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Sun Nov  6 08:49:37 1994", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Sat, 31 Dec 2016 23:59:60 GMT", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("Sun, 31 Feb 2016 00:00:00 GMT", None),
        ("Sun, 06 Nov 1994 25:00:00 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37", None),
        ("06 Nov 1994 08:49:37 GMT", None),
        ("dim, 06 nov 1994 08:49:37 GMT", None),
        ("", None),
    ],
)
def test_a_date_of_http_is_read_by_the_letter(text: str, expected: datetime | None) -> None:
    assert read_http_date(text) == expected


def test_a_date_of_http_is_written_in_greenwich_time() -> None:
    paris = timezone(timedelta(hours=1))
    assert write_http_date(datetime(2026, 1, 5, 9, 0, 0, 999, tzinfo=paris)) == DATE


def test_a_date_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        write_http_date(datetime(2026, 1, 5))  # noqa: DTZ001 - The point of the test.
