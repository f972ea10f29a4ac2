"""How a source stands with being asked: what the next time depends on, and what a fetch makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: A redirect that was followed: from, status, to.
Step = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Paced:
    """What the next time depends on, besides headers and failures."""

    #: How long it waited the last time, before its headers had their say; None where it was never asked.
    interval: timedelta | None = None
    #: The usual pause between its stories; None where too little is known.
    usual: timedelta | None = None
    #: The pause that 99 of 100 of its stories keep within.
    quiet: timedelta | None = None
    #: When it last gave something new.
    newest_at: datetime | None = None
    #: When it last answered with a whole document.
    whole_at: datetime | None = None
    #: How often nothing that it showed was known, so that stories may be missing; and when last.
    gaps: int = 0
    gap_at: datetime | None = None
    #: The permanent redirects that it led through the last time, and since when they are the same.
    chain: tuple[Step, ...] = ()
    chain_since: datetime | None = None
    #: A hub sends us what is new, and has proved so.
    is_pushed: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking once showed besides stories."""

    #: The redirects that were followed.
    hops: tuple[Step, ...] = ()
    #: How long the answer stays fresh by its own headers.
    lifetime: timedelta | None = None
    #: Where it is followed from now on: its redirects have held for long enough.
    move_to: str | None = None
    #: The domain that answered 429: nothing of it is asked before the source itself.
    pauses: str | None = None
    #: Our own connection failed, so the source is not charged with it.
    is_ours: bool = False
    #: Nothing that it showed was known, though it had given stories before.
    is_gap: bool = False
