from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aggregator.model import SourceDue, SourceKind
from aggregator.paced import Paced
from aggregator.rules.cadence import Cadence
from aggregator.rules.polling import (
    Shown,
    asked_to_wait,
    is_gap,
    is_permanent,
    is_to_https,
    pace,
    usual_pause,
    why_whole,
)
from tests.conftest import NOW

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CADENCE = Cadence(floor=5 * MINUTE, ceiling=30 * MINUTE)
SOURCE = SourceDue(
    id=1,
    url="https://wire.example/feed",
    title="",
    site_url=None,
    language=None,
    kind=SourceKind.NEWS,
    etag='"a"',
    last_modified=None,
    digest="d",
    failures=0.0,
)


def stands(**paced: Any) -> SourceDue:
    """A source that gave stories before and waits ten minutes."""
    return replace(SOURCE, paced=Paced(**{"interval": 10 * MINUTE, "newest_at": NOW - HOUR, **paced}))


def minutes(source: SourceDue, shown: Shown, lifetime: timedelta | None = None) -> float:
    return pace(CADENCE, source, shown, lifetime, NOW).interval / MINUTE


@pytest.mark.parametrize(
    ("shown", "minutes_then"),
    [
        (Shown(), 12.5),
        (Shown(new=1, known=19), 11),
        (Shown(new=10, known=10), 10),
        (Shown(new=15, known=5), 7.5),
        (Shown(new=20), 5),
        (Shown(new=20, is_delta=True), 10),
    ],
)
def test_the_interval_follows_what_two_polls_share(shown: Shown, minutes_then: float) -> None:
    assert minutes(stands(), shown) == pytest.approx(minutes_then)


def test_where_nothing_was_known_stories_may_be_missing_and_the_interval_is_halved() -> None:
    wait = pace(CADENCE, stands(interval=30 * MINUTE), Shown(new=20), 30 * MINUTE, NOW)
    assert (wait.interval, wait.lifetime) == (15 * MINUTE, None)
    assert wait.why == "none of 20 entries was known, so stories may be missing; asked twice as often"


def test_a_first_fetch_and_one_that_gives_only_what_is_new_are_no_gap() -> None:
    assert is_gap(stands(), Shown(new=3))
    assert not is_gap(stands(newest_at=None), Shown(new=3))
    assert not is_gap(stands(), Shown(new=3, is_delta=True))
    assert not is_gap(stands(), Shown(new=3, known=1))
    assert not is_gap(stands(), Shown())


def test_an_interval_stays_between_floor_and_ceiling() -> None:
    assert minutes(stands(interval=6 * MINUTE), Shown(new=20)) == 5
    assert minutes(stands(interval=29 * MINUTE), Shown()) == 30
    assert minutes(replace(SOURCE, paced=Paced()), Shown(new=9)) == 5


def test_a_source_that_has_something_every_few_minutes_is_asked_twice_in_that_time() -> None:
    busy = stands(interval=9 * MINUTE, usual=12 * MINUTE, newest_at=NOW)
    wait = pace(CADENCE, busy, Shown(new=1, known=29), None, NOW)
    assert (wait.interval, wait.why) == (6 * MINUTE, "it has something about every 12 min")


def test_a_busy_source_that_has_become_quiet_is_asked_more_seldom() -> None:
    assert minutes(stands(interval=20 * MINUTE, usual=MINUTE, newest_at=NOW - 8 * HOUR), Shown()) == 24


def test_freshness_is_heeded_and_an_absurd_one_cut() -> None:
    said = pace(CADENCE, stands(), Shown(), 20 * MINUTE, NOW)
    assert (said.lifetime, said.why) == (20 * MINUTE, "its headers say 20 min")
    absurd = pace(CADENCE, stands(), Shown(), 365 * DAY, NOW)
    assert absurd.why == "its headers say 365 days, a news source is asked after 30 min"


def test_headers_that_made_us_lose_stories_are_not_heeded_for_a_day() -> None:
    lost = pace(CADENCE, stands(gap_at=NOW - HOUR), Shown(new=1, known=9), 30 * MINUTE, NOW)
    assert (lost.lifetime, lost.why) == (None, "its headers say 30 min, but stories came and went meanwhile")
    later = pace(CADENCE, stands(gap_at=NOW - DAY), Shown(new=1, known=9), 30 * MINUTE, NOW)
    assert later.lifetime == 30 * MINUTE
    assert pace(CADENCE, stands(gap_at=NOW - HOUR), Shown(), MINUTE, NOW).lifetime is None


def test_what_a_trusted_hub_sends_is_asked_for_as_seldom_as_may_be() -> None:
    wait = pace(CADENCE, stands(is_pushed=True), Shown(), None, NOW)
    assert (wait.interval, wait.why) == (30 * MINUTE, "its hub sends what is new")


@pytest.mark.parametrize(
    ("interval", "shown", "why"),
    [
        (
            5 * MINUTE,
            Shown(new=9),
            "none of 9 entries was known, so stories may be missing; asked twice as often",
        ),
        (5 * MINUTE, Shown(new=9, known=1), "a news source is asked no sooner"),
        (30 * MINUTE, Shown(), "a news source is asked no later"),
        (10 * MINUTE, Shown(), "little of it was new"),
        (10 * MINUTE, Shown(new=9, known=3), "much of it was new"),
        (10 * MINUTE, Shown(new=5, known=5), "as often as before"),
    ],
)
def test_every_wait_says_why(interval: timedelta, shown: Shown, why: str) -> None:
    assert pace(CADENCE, stands(interval=interval), shown, None, NOW).why == why


def test_a_server_that_names_no_time_is_left_alone_for_twice_as_long_each_time() -> None:
    assert asked_to_wait(CADENCE, stands()) == 20 * MINUTE
    assert asked_to_wait(CADENCE, SOURCE) == 10 * MINUTE
    assert asked_to_wait(CADENCE, stands(interval=20 * HOUR)) == DAY


def test_the_usual_pause_is_that_of_the_newest_entries_with_a_time() -> None:
    times = [NOW - n * HOUR for n in range(40)]
    assert usual_pause([*times, NOW + DAY], NOW) == HOUR
    assert usual_pause(times[:4], NOW) is None


def test_validators_are_dropped_after_eight_days_and_when_a_source_is_quiet_for_longer_than_ever() -> None:
    fresh = stands(whole_at=NOW - DAY, newest_at=NOW - DAY, quiet=2 * DAY)
    assert why_whole(fresh, NOW, after=8 * DAY) is None
    assert why_whole(stands(whole_at=NOW - DAY), NOW, after=8 * DAY) is None
    assert why_whole(fresh, NOW + 7 * DAY, after=8 * DAY) == "asked for the whole after 8 days"
    assert why_whole(stands(whole_at=None), NOW, after=8 * DAY) is not None
    quiet = why_whole(fresh, NOW + 2 * DAY, after=8 * DAY)
    assert quiet == "asked for the whole, since it is seldom quiet for 2 days"
    # Asked for the whole in vain, it is not asked so again at once.
    again = stands(whole_at=NOW - HOUR, newest_at=NOW - 3 * DAY, quiet=2 * DAY)
    assert why_whole(again, NOW, after=8 * DAY) is None


def test_a_source_without_validators_is_asked_for_the_whole_anyway() -> None:
    assert why_whole(replace(SOURCE, etag=None), NOW, after=DAY) is None
    assert why_whole(replace(SOURCE, etag=None, last_modified="x"), NOW, after=DAY) is not None


def test_a_pause_of_minutes_drops_no_validators() -> None:
    hasty = stands(whole_at=NOW - HOUR, newest_at=NOW - 2 * HOUR, quiet=MINUTE)
    assert why_whole(hasty, NOW, after=8 * DAY) is None
    assert why_whole(hasty, NOW + MINUTE, after=8 * DAY) is not None


def test_a_chain_is_permanent_only_as_a_whole() -> None:
    assert is_permanent([("a", 301, "b"), ("b", 308, "c")])
    assert not is_permanent([("a", 301, "b"), ("b", 302, "c")])
    assert not is_permanent([])


def test_http_becomes_https_only_at_the_same_place() -> None:
    assert is_to_https("http://wire.example/feed", "https://wire.example/feed")
    assert not is_to_https("http://wire.example/feed", "https://wire.example/news")
    assert not is_to_https("https://wire.example/feed", "https://wire.example/feed")
