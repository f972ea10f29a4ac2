from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model import SourceKind
from aggregator.rules.cadence import Cadence, Cadences, after_failure, after_success, in_words, weight
from feeds.errors import FailureKind
from tests.conftest import NOW

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CADENCE = Cadence(floor=5 * MINUTE, ceiling=30 * MINUTE, patience=24 * HOUR)

lengths = st.timedeltas(timedelta(), timedelta(days=3650))


@pytest.mark.parametrize(
    ("lifetime", "least"),
    [
        (None, 5 * MINUTE),
        (timedelta(), 5 * MINUTE),
        (MINUTE, 5 * MINUTE),
        (12 * MINUTE, 12 * MINUTE),
        (HOUR, 30 * MINUTE),
    ],
)
def test_a_source_is_asked_when_its_answer_is_stale_between_floor_and_ceiling(
    lifetime: timedelta | None, least: timedelta
) -> None:
    wait = after_success(CADENCE, lifetime, NOW, seed="a") - NOW
    assert least <= wait <= least * 1.1


def test_sources_that_were_added_together_drift_apart() -> None:
    moments = {after_success(CADENCE, None, NOW, seed=f"https://wire.example/{n}") for n in range(50)}
    assert len(moments) == 50


@given(st.none() | lengths)
def test_the_same_source_at_the_same_moment_waits_as_long(lifetime: timedelta | None) -> None:
    first, second = (after_success(CADENCE, lifetime, NOW, seed="a") for _ in range(2))
    assert first == second
    assert CADENCE.floor <= first - NOW <= CADENCE.ceiling * 1.1


def test_a_feed_that_is_gone_is_not_asked_again() -> None:
    assert after_failure(CADENCE, FailureKind.GONE, 1.0, HOUR, NOW, seed="a") is None


@pytest.mark.parametrize(
    ("asked", "obeyed"),
    [(2 * HOUR, 2 * HOUR), (timedelta(days=9), 24 * HOUR), (timedelta(), timedelta(seconds=1))],
)
def test_a_retry_after_replaces_everything_else_up_to_our_patience(
    asked: timedelta, obeyed: timedelta
) -> None:
    assert after_failure(CADENCE, FailureKind.RATE_LIMITED, 7.0, asked, NOW, seed="a") == NOW + obeyed


@pytest.mark.parametrize(
    ("failures", "floors"), [(0.0, 1), (0.75, 1), (1.0, 2), (1.5, 2), (3.25, 8), (8.0, 256), (5000.0, 288)]
)
def test_the_wait_doubles_with_every_whole_point_until_our_patience_ends(
    failures: float, floors: int
) -> None:
    due = after_failure(CADENCE, FailureKind.SERVER_ERROR, failures, None, NOW, seed="a")
    assert due is not None
    assert floors * CADENCE.floor <= due - NOW <= floors * CADENCE.floor * 1.1


def test_what_a_server_asks_for_is_no_failure_and_what_passes_is_a_small_one() -> None:
    assert weight(FailureKind.RATE_LIMITED) == weight(FailureKind.UNAVAILABLE) == 0
    assert weight(FailureKind.TIMEOUT) < weight(FailureKind.SERVER_ERROR) < weight(FailureKind.NOT_FOUND)
    assert all(0 <= weight(kind) <= 1 for kind in FailureKind)


def test_a_wire_is_asked_more_eagerly_than_a_blog() -> None:
    cadences = Cadences()
    wire, news, blog = (cadences.of(kind) for kind in SourceKind)
    assert wire.floor < news.floor < blog.floor
    assert wire.ceiling < news.ceiling < blog.ceiling


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=45.4), "45 s"),
        (timedelta(seconds=90), "2 min"),
        (5 * MINUTE, "5 min"),
        (90 * MINUTE, "2 h"),
        (24 * HOUR, "24 h"),
        (36 * HOUR, "2 days"),
        (timedelta(days=9), "9 days"),
    ],
)
def test_a_wait_is_said_as_an_editor_would(wait: timedelta, words: str) -> None:
    assert in_words(wait) == words
