"""Places at hosts: few requests at once over everything that a process asks, none at one that has had enough."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from weakref import WeakKeyDictionary

from aggregator.model import FetchReport
from feeds.domains import domain_of

#: A pause that is no longer is sat out within the round.
SHORT = timedelta(seconds=5)

#: A semaphore belongs to the loop that waits for it.
_of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, int], asyncio.Semaphore]] = (
    WeakKeyDictionary()
)


def place_at(host: str, *, most: int) -> asyncio.Semaphore:
    """Where to wait for one of the `most` places at a host."""
    loop = asyncio.get_running_loop()
    if loop not in _of_loop:
        _of_loop[loop] = {}
    places = _of_loop[loop]
    key = (host, most)
    if key not in places:
        places[key] = asyncio.Semaphore(most)
    return places[key]


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
