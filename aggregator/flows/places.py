"""Places at hosts: few requests at once over everything that a process asks, none at one that has had enough."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary, WeakValueDictionary

from aggregator.model import FetchReport
from feeds.domains import domain_of

#: So often it is looked what others were told.
LOOK = timedelta(seconds=3)
#: A pause that is no longer is sat out within the round.
SHORT = timedelta(seconds=5)

#: By host and number of places; kept only for as long as somebody is there or waits, since hosts are many.
_Places = WeakValueDictionary[tuple[str, int], asyncio.Semaphore]
#: A semaphore belongs to the loop that waits for it.
_of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, _Places] = WeakKeyDictionary()


def place_at(host: str, *, most: int) -> asyncio.Semaphore:
    """Where to wait for one of the `most` places at a host."""
    loop = asyncio.get_running_loop()
    if loop not in _of_loop:
        _of_loop[loop] = WeakValueDictionary()
    places, key = _of_loop[loop], (host, most)
    place = places.get(key)
    if place is None:
        place = places[key] = asyncio.Semaphore(most)
    return place


#: What other processes were told: until when each domain is paused, and the time now.
Others = Callable[[], Awaitable[tuple[Mapping[str, datetime], datetime]]]


class Quiet:
    """The domains that answered 429 in a round, to us or to others who ask at the same time."""

    def __init__(self, *, is_heeded: bool, others: Others | None = None) -> None:
        self._is_heeded = is_heeded
        #: By the clock of the loop.
        self._until: dict[str, float] = {}
        self._others = others
        #: What stood when it was looked last. What stood before the round was heeded when it was claimed.
        self._stood: Mapping[str, datetime] | None = None
        self._next_look = 0.0

    def note(self, report: FetchReport) -> None:
        """A fetch ended; it may have been told that there were too many."""
        if self._is_heeded and report.asked.pauses and report.next_due:
            wait = (report.next_due - report.at).total_seconds()
            self._until[report.asked.pauses] = asyncio.get_running_loop().time() + wait

    async def is_over(self, url: str) -> bool:
        """Whether an address may be asked, after a short wait where that is enough."""
        loop = asyncio.get_running_loop()
        await self._hear_of_others(loop.time())
        while self._until and (left := self._until.get(domain_of(url), 0) - loop.time()) > 0:
            if left > SHORT.total_seconds():
                return False
            await asyncio.sleep(left)
        return True

    async def _hear_of_others(self, now: float) -> None:
        """Look from time to time what others were told since the round began."""
        if self._others is None or not self._is_heeded or now < self._next_look:
            return
        self._next_look = now + LOOK.total_seconds()
        standing, clock = await self._others()
        if self._stood is not None:
            for domain, until in standing.items():
                if self._stood.get(domain) != until:
                    self._until[domain] = now + (until - clock).total_seconds()
        self._stood = standing
