"""When to ask a source again: from what it says, how it behaves and what kind it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.model import SourceKind
from aggregator.written import Duration
from feeds.errors import FailureKind

#: How much a failure counts. What a server asks for (429, 503) is no failure of the feed, nor is what we lack.
WEIGHTS = {
    FailureKind.OURS: 0.0,
    FailureKind.RATE_LIMITED: 0.0,
    FailureKind.UNAVAILABLE: 0.0,
    FailureKind.TIMEOUT: 0.25,
    FailureKind.UNKNOWN_HOST: 0.25,
    FailureKind.UNREACHABLE: 0.25,
    FailureKind.BROKEN_ANSWER: 0.5,
    FailureKind.SERVER_ERROR: 0.5,
    FailureKind.TOO_LARGE: 0.5,
}
HARD = 1.0

#: Above this the wait is the ceiling anyway.
MOST_DOUBLINGS = 12


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often a kind of source is asked."""

    #: Never sooner than this after the last time.
    floor: Duration
    #: Never later than this, whatever its headers say.
    ceiling: Duration
    #: The longest wait after failures, and the longest Retry-After that is obeyed.
    patience: Duration = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Cadences:
    """One cadence for each kind of source."""

    wire: Cadence = Cadence(floor=timedelta(minutes=1), ceiling=timedelta(minutes=5))
    news: Cadence = Cadence(floor=timedelta(minutes=5), ceiling=timedelta(minutes=30))
    blog: Cadence = Cadence(floor=timedelta(minutes=30), ceiling=timedelta(hours=6))

    def of(self, kind: SourceKind) -> Cadence:
        """The cadence of a kind."""
        return {SourceKind.WIRE: self.wire, SourceKind.NEWS: self.news, SourceKind.BLOG: self.blog}[kind]


def after_success(
    cadence: Cadence,
    lifetime: timedelta | None,
    now: datetime,
    *,
    seed: str,
    interval: timedelta | None = None,
) -> datetime:
    """When to ask next after an answer that stays fresh for `lifetime` (RFC 9111 section 4.2).

    Not before its own `interval`, between the floor and the ceiling, and then up to a tenth later.
    """
    wait = max(lifetime or cadence.floor, interval or cadence.floor, cadence.floor)
    return drifted(min(wait, cadence.ceiling), now, seed=seed)


def drifted(wait: timedelta, now: datetime, *, seed: str) -> datetime:
    """A wait from now, or up to a tenth longer: sources that were added together drift apart.

    `seed` makes the drift the same every time for the same source and moment.
    """
    return now + wait * (1 + _fraction(seed, now) / 10)


def after_failure(
    cadence: Cadence,
    kind: FailureKind,
    failures: float,
    retry_after: timedelta | None,
    now: datetime,
    *,
    seed: str,
) -> datetime | None:
    """When to ask next after a failure, of which there were `failures` (weighted) in a row.

    A Retry-After replaces everything else. The floor doubles with every whole point. None for a
    feed that is gone (410): only an editor brings it back.
    """
    if kind is FailureKind.GONE:
        return None
    if retry_after is not None:
        return now + min(max(retry_after, timedelta(seconds=1)), cadence.patience)
    wait = min(cadence.floor * 2.0 ** min(int(failures), MOST_DOUBLINGS), cadence.patience)
    return drifted(wait, now, seed=seed)


def weight(kind: FailureKind) -> float:
    """How much a failure of this kind counts: hard 1, soft 1/2, temporary 1/4, asked for 0."""
    return WEIGHTS.get(kind, HARD)


def in_words(wait: timedelta) -> str:
    """A wait as an editor reads it: 45 s, 5 min, 3 h, 2 days."""
    seconds = max(0, round(wait.total_seconds()))
    if seconds < 90:
        return f"{seconds} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    if seconds < 36 * 3600:
        return f"{round(seconds / 3600)} h"
    return f"{round(seconds / 86400)} days"


def _fraction(seed: str, now: datetime) -> float:
    digest = hashlib.sha256(f"{seed} {now.isoformat()}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32
