"""Places at hosts: few requests at once over everything that a process asks, none at one that has had enough."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from weakref import WeakKeyDictionary, WeakValueDictionary

from aggregator.model import FetchReport
from feeds.domains import domain_of

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


class Quiet:
    """The domains that answered 429 in a round."""

    def __init__(self, *, is_heeded: bool) -> None:
        self._is_heeded = is_heeded
        #: By the clock of the loop.
        self._until: dict[str, float] = {}

    def note(self, report: FetchReport) -> None:
        """A fetch ended; it may have been told that there were too many."""
        if self._is_heeded and report.asked.pauses and report.next_due:
            wait = (report.next_due - report.at).total_seconds()
            self._until[report.asked.pauses] = asyncio.get_running_loop().time() + wait

    async def is_over(self, url: str) -> bool:
        """Whether an address may be asked, after a short wait where that is enough."""
        loop = asyncio.get_running_loop()
        while self._until and (left := self._until.get(domain_of(url), 0) - loop.time()) > 0:
            if left > SHORT.total_seconds():
                return False
            await asyncio.sleep(left)
        return True
