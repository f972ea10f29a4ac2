"""When somebody should look at a source."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aggregator.model import AlarmKind, Shown, Source, SourceKind
from aggregator.rules.alarms import Watched, alarms_of
from aggregator.rules.standing import Rhythm, longest_pause
from tests.conftest import NOW

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FAILING = 6 * HOUR

FINE = Source(
    id=1, url="https://w.example/feed", title="", site_url=None, language=None, kind=SourceKind.NEWS,
    rights=None, added_at=NOW - 999 * DAY, is_paused=False, gone_at=None, next_due=NOW, failures=0.0,
    last_fetch=NOW, last_success=NOW, failure_kind=None, why="The server did not answer.", stories=200,
)  # fmt: skip


def watched(
    quiet: timedelta = HOUR,
    longest: timedelta | None = 2 * HOUR,
    failing: timedelta | None = None,
    shown: Shown | None = None,
    **source: Any,
) -> Watched:
    """A source that gave its newest story so long ago, and fails for so long."""
    rhythm = Rhythm(NOW - quiet, NOW - quiet - 10 * DAY, 20, longest)
    since = NOW - failing if failing is not None else None
    return Watched(replace(FINE, **source), rhythm, since, shown)


def kinds(one: Watched) -> list[AlarmKind]:
    return list(alarms_of(one, failing=FAILING))


def test_a_source_that_is_well_raises_none() -> None:
    assert kinds(watched(shown=Shown(30, 30, 50))) == []


def test_the_longest_pause_is_the_one_that_all_but_one_in_a_hundred_are_shorter_than() -> None:
    steady = [NOW - HOUR * n for n in range(102)]
    assert longest_pause(steady) == HOUR
    # One night among a hundred pauses is no habit; two are.
    assert longest_pause([*steady, NOW - 200 * HOUR]) == HOUR
    assert longest_pause([*steady, NOW - 200 * HOUR, NOW - 300 * HOUR]) == 99 * HOUR
    assert longest_pause([NOW, NOW - DAY, NOW - 3 * DAY, NOW - 4 * DAY, NOW - 5 * DAY]) == 2 * DAY
    assert longest_pause(steady[:4]) is None


@pytest.mark.parametrize(
    ("kind", "longest", "quiet", "is_raised"),
    [
        (SourceKind.WIRE, 20 * MINUTE, 5 * HOUR, False),
        (SourceKind.WIRE, 20 * MINUTE, 7 * HOUR, True),
        (SourceKind.WIRE, 9 * HOUR, 8 * HOUR, False),
        (SourceKind.NEWS, 3 * HOUR, 35 * HOUR, False),
        (SourceKind.NEWS, 3 * HOUR, 37 * HOUR, True),
        (SourceKind.BLOG, 30 * DAY, 29 * DAY, False),
        (SourceKind.BLOG, 30 * DAY, 31 * DAY, True),
    ],
)
def test_a_source_is_silent_beyond_its_longest_pause_and_a_floor_of_its_kind(
    kind: SourceKind, longest: timedelta, quiet: timedelta, is_raised: bool
) -> None:
    found = kinds(watched(quiet, longest, kind=kind))
    assert found == ([AlarmKind.SILENT] if is_raised else [])


def test_silence_is_said_in_words() -> None:
    told = alarms_of(watched(3 * DAY, 2 * DAY), failing=FAILING)
    assert told == {
        AlarmKind.SILENT: "It answers, but gave no story for 3 days; it hardly ever lets 2 days pass."
    }


def test_nobody_is_silent_for_the_time_that_we_were_away() -> None:
    away = watched(9 * DAY, last_success=NOW - 9 * DAY + HOUR)
    assert kinds(away) == []


def test_a_source_fails_when_it_has_for_hours() -> None:
    assert kinds(watched(failing=5 * HOUR, failure_kind="timeout")) == []
    told = alarms_of(watched(failing=7 * HOUR, failure_kind="timeout"), failing=FAILING)
    assert told == {AlarmKind.FAILING: "It has failed for 7 h: The server did not answer."}


def test_one_failure_before_we_were_away_is_no_failing_for_hours() -> None:
    away = watched(failing=3 * DAY, failure_kind="timeout", last_fetch=NOW - 3 * DAY)
    assert kinds(away) == []


def test_a_source_that_never_answered_fails_too() -> None:
    assert kinds(watched(failing=7 * HOUR, failure_kind="not_found", last_success=None)) == [
        AlarmKind.FAILING
    ]
    assert kinds(Watched(replace(FINE, last_success=None, last_fetch=None), None, None, None)) == []


def test_a_source_that_is_gone_raises_one_at_once() -> None:
    told = alarms_of(watched(failure_kind="gone", gone_at=NOW), failing=FAILING)
    assert list(told) == [AlarmKind.FAILING]
    assert "gone for good" in told[AlarmKind.FAILING]


def test_of_a_source_that_fails_only_that_is_said() -> None:
    few = Shown(1, 30, 50)
    assert kinds(watched(9 * DAY, failing=7 * HOUR, shown=few, failure_kind="timeout")) == [AlarmKind.FAILING]
    assert kinds(watched(9 * DAY, failing=HOUR, shown=few, failure_kind="timeout")) == []


def test_a_paused_source_raises_none() -> None:
    assert kinds(watched(9 * DAY, failing=9 * DAY, failure_kind="timeout", is_paused=True)) == []


@pytest.mark.parametrize(
    ("now", "usual", "readings", "is_raised"),
    [
        (6, 30, 50, True),
        (0, 30, 50, True),
        (7, 30, 50, False),
        # Too few readings to know what is usual; too few entries to speak of a drop.
        (0, 30, 5, False),
        (0, 4, 50, False),
    ],
)
def test_a_source_that_lost_four_entries_in_five_raises_one(
    now: int, usual: float, readings: int, is_raised: bool
) -> None:
    told = alarms_of(watched(shown=Shown(now, usual, readings)), failing=FAILING)
    assert told == ({AlarmKind.FEWER: f"It shows {now} entries; usually it shows 30."} if is_raised else {})
