"""How a source is doing, in one word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator.model import Source, SourceKind
from aggregator.rules.standing import LEAST, Rhythm, Standing, is_silent, standing_of
from tests.conftest import NOW

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

FINE = Source(
    id=1, url="https://w.example/feed", title="", site_url=None, language=None, kind=SourceKind.NEWS,
    rights=None, added_at=NOW - 999 * DAY, is_paused=False, gone_at=None, next_due=NOW, failures=0.0,
    last_fetch=NOW, last_success=NOW, failure_kind=None, why="", stories=20,
)  # fmt: skip


def rhythm(*, quiet: timedelta, every: timedelta, stories: int = 20) -> Rhythm:
    """That of a source which gave a story so often, and has been quiet for so long."""
    newest = NOW - quiet
    return Rhythm(newest, newest - every * (stories - 1), stories)


def test_the_rhythm_is_the_usual_time_between_two_stories() -> None:
    assert rhythm(quiet=DAY, every=HOUR).usual == HOUR
    assert rhythm(quiet=DAY, every=HOUR, stories=LEAST - 1).usual is None


@pytest.mark.parametrize(
    ("kind", "every", "quiet", "is_so"),
    [
        (SourceKind.WIRE, timedelta(minutes=5), timedelta(hours=7), True),
        (SourceKind.WIRE, timedelta(minutes=5), timedelta(hours=5), False),
        (SourceKind.NEWS, HOUR, timedelta(hours=35), False),
        (SourceKind.NEWS, HOUR, timedelta(hours=37), True),
        (SourceKind.BLOG, 2 * DAY, timedelta(days=19), False),
        (SourceKind.BLOG, 2 * DAY, timedelta(days=21), True),
    ],
)
def test_a_source_is_silent_by_its_own_rhythm_and_never_over_a_night(
    kind: SourceKind, every: timedelta, quiet: timedelta, is_so: bool
) -> None:
    assert is_silent(rhythm(quiet=quiet, every=every), replace(FINE, kind=kind)) is is_so


def test_of_a_source_with_few_stories_nothing_is_said() -> None:
    assert not is_silent(None, FINE)
    assert not is_silent(rhythm(quiet=900 * DAY, every=HOUR, stories=LEAST - 1), FINE)


def test_nobody_says_that_a_source_was_silent_before_it_was_followed() -> None:
    quiet = rhythm(quiet=900 * DAY, every=HOUR)
    assert is_silent(quiet, FINE)
    assert not is_silent(quiet, replace(FINE, added_at=NOW - HOUR))


def test_a_source_stands_in_one_place() -> None:
    quiet = rhythm(quiet=9 * DAY, every=HOUR)
    assert standing_of(FINE, rhythm(quiet=HOUR, every=HOUR)) is Standing.FINE
    assert standing_of(FINE, quiet) is Standing.SILENT
    # Why it is silent is known, so that is said.
    failing = replace(FINE, failure_kind="timeout")
    assert standing_of(failing, quiet) is Standing.FAILING
    assert standing_of(replace(failing, last_success=None), None) is Standing.NEVER
    assert standing_of(replace(FINE, last_success=None, last_fetch=None), None) is Standing.WAITING
    gone = replace(failing, gone_at=NOW)
    assert standing_of(gone, quiet) is Standing.GONE
    assert standing_of(replace(gone, is_paused=True), quiet) is Standing.PAUSED
