from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.dates import parse_date, rfc822, rfc3339

NOON = datetime(2024, 2, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "Mon, 05 Feb 2024 12:00:00 GMT",
        "Mon, 5 Feb 2024 12:00 +0000",
        "Mon, 05 Feb 24 12:00:00 UT",
        "Mon, 05 Feb 2024 07:00:00 EST",
        "Mon, 05 Feb 2024 13:00:00 +0100",
        "Mon, 05 Feb 2024 13:00:00 +01:00",
        "Mon, 05 Feb 2024 13:00:00 +1",
        "Mon, 05 Feb 2024 13:00:00 GMT+0100",
        "Mon, 05 Feb 2024 12:00:00 +0000 (UTC)",
        "Mon, 05 Feb 2024 17:30:00 IST",
        "Mon, 05 Feb 2024 12:00:00 XYZ",
        "Mon 05-Feb-2024 12:00:00",
        "2024-02-05T12:00:00Z",
        "2024-02-05t12:00:00.987z",
        "2024-02-05 07:00:00-05:00",
        "2024-02-05T07:00:00\N{MINUS SIGN}0500",
        "2024-02-05T13:00+01",
        "2024-02-05T12",
        "2024-02-05T13+01:00",
        "20240205T120000Z",
        "20240205T1200",
        "2024/02/05 12:00",
        "Mon Feb  5 12:00:00 2024",
        "Mon Feb  5 07:00:00 EST 2024",
        "Feb 5, 2024 12:00 PM",
        "5 février 2024 à 13:00 +0100",
        "lundi 5 févr. 2024 12:00",
        "5 de febrero de 2024 12:00",
        "5 лютого 2024 12:00",
        "5 февраля 2024, 15:00 MSK",
        "2024. február 5. 12:00",
        "05.02.2024 12:00",
        "2024년 02월 05일 오후 9:00",
        "2024年2月5日 12:00",
        "1707134400",
        "1707134400000",
    ],
)
def test_every_way_of_writing_noon_is_noon(written: str) -> None:
    assert parse_date(written) == NOON


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2024", "2024-01-01"),
        ("2024-02", "2024-02-01"),
        ("2024-02-05", "2024-02-05"),
        ("20240205", "2024-02-05"),
        ("5 Feb 2024", "2024-02-05"),
        ("February 5th, 2024", "2024-02-05"),
        ("1 Jan 99", "1999-01-01"),
        ("5 Feb 2024 77:00:00", "2024-02-05"),
    ],
)
def test_a_date_without_a_time_begins_the_day(written: str, day: str) -> None:
    assert parse_date(written) == datetime.fromisoformat(day).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "written", ["2024-02-05T24:00:00Z", "Mon, 05 Feb 2024 23:59:60 GMT", "6 Feb 2024 12:00 AM"]
)
def test_midnight_and_leap_seconds_belong_to_the_next_day(written: str) -> None:
    assert parse_date(written) == datetime(2024, 2, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "yesterday",
        "0001-01-01T00:00:00",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "30 Dec 1899",
        "31 Feb 2024",
        "2024-13-01",
        "20241301",
        "2024-335",
        "5 Foo 2024",
        "31.31.2024",
        "9999999999",
        "Fri, 31 Dec 9999 23:59:60 -0100",
    ],
)
def test_what_names_no_moment_is_no_date(written: str | None) -> None:
    assert parse_date(written) is None


def test_times_are_written_in_utc_and_whole_seconds() -> None:
    moment = datetime(2024, 2, 5, 14, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(moment) == "2024-02-05T12:00:00Z"
    assert rfc822(moment) == "Mon, 05 Feb 2024 12:00:00 GMT"


@pytest.mark.parametrize("write", [rfc3339, rfc822])
def test_a_time_without_a_zone_is_not_written(write: object) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        write(datetime(2024, 2, 5))  # type: ignore[operator]  # noqa: DTZ001


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_what_we_write_we_read(moment: datetime) -> None:
    assert parse_date(rfc3339(moment)) == parse_date(rfc822(moment)) == moment.replace(microsecond=0)


@given(st.text() | st.from_regex(r"[\d\sTZ:.+-]{0,30}"))
def test_no_text_breaks_the_reading_of_dates(text: str) -> None:
    moment = parse_date(text)
    assert moment is None or moment.utcoffset() == timedelta()


@given(
    st.integers(1, 32), st.sampled_from(["Jan", "Feb", "May", "Dec", "Xyz"]), st.integers(1890, 2110),
    st.times(), st.sampled_from(["GMT", "UTC", "Z", "+0000", "-0530", "+0190", "+1400"]),
)  # fmt: skip
def test_the_form_of_rfc_822_reads_as_any_other_would(
    day: int, month: str, year: int, clock: time, zone: str
) -> None:
    text = f"Tue, {day} {month} {year} {clock:%H:%M:%S} {zone}"
    assert parse_date(text) == parse_date(text.lower())


@given(
    st.integers(0, 2110), st.integers(0, 13), st.integers(0, 32), st.times(),
    st.sampled_from(["Z", "z", "+00:00", "-05:30", ".25Z", ".1+14:00"]),
)  # fmt: skip
def test_the_form_of_rfc_3339_reads_as_any_other_would(
    year: int, month: int, day: int, clock: time, zone: str
) -> None:
    date, moment = f"{year:04}-{month:02}-{day:02}", f"{clock:%H:%M:%S}{zone}"
    assert parse_date(f"{date}T{moment}") == parse_date(f"{date}  {moment}")
