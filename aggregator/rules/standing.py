"""How a source is doing, in one word: from what it last answered and from its own rhythm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from math import ceil

from aggregator.model import Source, SourceKind

#: The rhythm of a source is that of so many of its newest stories.
SAMPLE = 20
#: With fewer, nothing can be said of it.
LEAST = 5
#: Of a source whose pauses were not measured yet, so many times its usual one is longer than all but a few.
TIMES = 10
#: But no source is silent sooner than this: a night, a weekend and a holiday are quiet, too.
LEAST_SILENCE = {
    SourceKind.WIRE: timedelta(hours=6),
    SourceKind.NEWS: timedelta(hours=36),
    SourceKind.BLOG: timedelta(days=3),
}


class Standing(StrEnum):
    """How a source is doing. In the order in which an editor looks at them."""

    #: Its server says that it is no more; it is not asked again by itself.
    GONE = "gone"
    #: The last fetch failed.
    FAILING = "failing"
    #: It was asked, and never gave a usable answer.
    NEVER = "never"
    #: It answers, and has nothing new for much longer than it usually has.
    SILENT = "silent"
    #: It was added, and not asked yet.
    WAITING = "waiting"
    FINE = "fine"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a source gives stories, by the newest of them."""

    newest: datetime
    #: The oldest of those that were looked at.
    earliest: datetime
    #: How many were looked at.
    stories: int
    #: The pause that all but one in a hundred are shorter than; None where it was not measured.
    longest: timedelta | None = None

    @property
    def usual(self) -> timedelta | None:
        """The usual time between two stories; None where too few are known to say so."""
        return (self.newest - self.earliest) / (self.stories - 1) if self.stories >= LEAST else None


def longest_pause(times: Sequence[datetime]) -> timedelta | None:
    """The 99th percentile of the pauses between these times (nearest rank); None where they are too few."""
    if len(times) < LEAST:
        return None
    pauses = sorted(later - earlier for earlier, later in pairwise(sorted(times)))
    return pauses[ceil(0.99 * len(pauses)) - 1]


def patience_with(rhythm: Rhythm, kind: SourceKind) -> timedelta | None:
    """How long a source may be quiet before it is silent; None where too little is known to say so."""
    longest = rhythm.longest
    if longest is None and (usual := rhythm.usual) is not None:
        longest = TIMES * usual
    return max(longest, LEAST_SILENCE[kind]) if longest is not None else None


def is_silent(rhythm: Rhythm | None, source: Source) -> bool:
    """Whether a source has been quiet for longer than it ever is, up to its last answer.

    What counts is the time from when it was followed to when it was last asked: nobody can say that
    it was silent while we were away.
    """
    patience = patience_with(rhythm, source.kind) if rhythm is not None else None
    if rhythm is None or patience is None or source.last_success is None:
        return False
    return source.last_success - max(rhythm.newest, source.added_at) > patience


def rhythm_of(source: Source, span: tuple[datetime, datetime] | None) -> Rhythm | None:
    """The rhythm of a source whose `SAMPLE` newest stories are from the second of these times to the first."""
    if span is None:
        return None
    seconds = source.quiet_seconds
    longest = timedelta(seconds=seconds) if seconds is not None else None
    return Rhythm(*span, stories=min(source.stories, SAMPLE), longest=longest)


def standing_of(source: Source, rhythm: Rhythm | None) -> Standing:
    """How a source is doing; what an editor decided comes before what its server says."""
    if source.is_paused:
        return Standing.PAUSED
    if source.gone_at is not None:
        return Standing.GONE
    if source.last_success is None:
        return Standing.WAITING if source.last_fetch is None else Standing.NEVER
    if source.failure_kind is not None:
        return Standing.FAILING
    return Standing.SILENT if is_silent(rhythm, source) else Standing.FINE
