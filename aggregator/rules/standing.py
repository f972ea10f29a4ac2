"""How a source is doing, in one word: from what it last answered and from its own rhythm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from aggregator.model import Source, SourceKind

#: The rhythm of a source is that of so many of its newest stories.
SAMPLE = 20
#: With fewer, nothing can be said of it.
LEAST = 5
#: Quiet for so many times its usual pause, a source is silent.
TIMES = 10
#: But not sooner than this: a night, a weekend and a holiday are quiet, too.
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

    @property
    def usual(self) -> timedelta | None:
        """The usual time between two stories; None where too few are known to say so."""
        return (self.newest - self.earliest) / (self.stories - 1) if self.stories >= LEAST else None


def is_silent(rhythm: Rhythm | None, kind: SourceKind, now: datetime) -> bool:
    """Whether a source has been quiet for much longer than it usually is."""
    if rhythm is None or (usual := rhythm.usual) is None:
        return False
    return now - rhythm.newest > max(TIMES * usual, LEAST_SILENCE[kind])


def standing_of(source: Source, rhythm: Rhythm | None, now: datetime) -> Standing:
    """How a source is doing; what an editor decided comes before what its server says."""
    if source.is_paused:
        return Standing.PAUSED
    if source.gone_at is not None:
        return Standing.GONE
    if source.last_success is None:
        return Standing.WAITING if source.last_fetch is None else Standing.NEVER
    if source.failure_kind is not None:
        return Standing.FAILING
    return Standing.SILENT if is_silent(rhythm, source.kind, now) else Standing.FINE
