"""When most hosts fail at once, the fault is ours: then nobody is charged with it, and all are asked again soon."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from aggregator.flows.pacing import AGAIN
from aggregator.model import FetchReport, SourceDue
from aggregator.rules.cadence import drifted, in_words
from aggregator.store import pauses
from aggregator.store.database import Database
from feeds.errors import FailureKind
from feeds.urls import host_of

log = logging.getLogger(__name__)

#: What our own connection makes of every feed when it fails.
KINDS = (FailureKind.UNKNOWN_HOST, FailureKind.UNREACHABLE, FailureKind.TIMEOUT)
#: Hosts that must fail before it can be our fault.
LEAST = 3
#: Hosts that were asked so shortly before count, too: a round may be small.
LATELY = timedelta(minutes=2)
#: An outage that lasts for longer is none of ours: then those are charged that do not answer.
LONGEST = timedelta(days=1)

Result = tuple[SourceDue, FetchReport]


class Round:
    """Who could be reached in a round. Failures of the network wait for its end, when more is known."""

    def __init__(self, keep: Callable[[Result], None]) -> None:
        self._keep = keep
        self._held: list[Result] = []
        #: The addresses of those who answered: whose hosts they are is asked only once somebody did not.
        self._answered: list[str] = []

    def take(self, source: SourceDue, report: FetchReport) -> bool:
        """Keep a result, or hold it back; whether it was kept."""
        if report.failure_kind in KINDS:
            self._held.append((source, report))
            return False
        if report.failure_kind != FailureKind.OURS:
            self._answered.append(source.url)
        self._keep((source, report))
        return True

    async def end(self, database: Database, now: datetime) -> None:
        """Keep what was held back, charged or not."""
        held, self._held = self._held, []
        if not held and not self._answered:
            return
        standing = await database.read(pauses.outage)
        if not held and standing is None:
            return
        answered = set(map(host_of, self._answered))
        # Who failed before this round says nothing about our own connection.
        failed = {host_of(source.url) for source, _ in held if source.failures == 0} - answered
        reached = set(answered)
        if failed and standing is None:
            kinds = [kind.value for kind in KINDS]
            lately = await database.read(lambda session: pauses.lately(session, now - LATELY, kinds))
            failed |= {host for host, is_failing in lately.items() if is_failing} - reached
            reached |= {host for host, is_failing in lately.items() if not is_failing} - failed
        is_ours = len(failed) > len(reached) and (standing is not None or len(failed) >= LEAST)
        if standing is not None and now - standing.began_at > LONGEST:
            is_ours = False
        if is_ours:
            why = f"{len(failed)} of {len(failed | reached)} hosts could not be reached"
            await self._begin(database, now, why, is_known=standing is not None)
            held = [(source, _uncharged(source, report, why, now)) for source, report in held]
        elif standing is not None and answered:
            await database.write(lambda session: pauses.end_outage(session, now))
            log.warning("our own connection is back", extra={"failed_at": standing.began_at.isoformat()})
        for result in held:
            self._keep(result)

    async def _begin(self, database: Database, now: datetime, why: str, *, is_known: bool) -> None:
        if is_known:
            return

        def begin(session: Session) -> bool:
            return pauses.begin_outage(session, now, why)

        if await database.write(begin):
            log.warning("our own connection failed", extra={"reason": why})


def _uncharged(source: SourceDue, report: FetchReport, why: str, now: datetime) -> FetchReport:
    next_due = drifted(AGAIN, now, seed=source.url)
    said = f"our own connection failed: {why}; asked again in {in_words(next_due - now)}"
    asked = replace(report.asked, is_ours=True, pauses=None)
    return replace(report, failures=source.failures, next_due=next_due, why=said, asked=asked)
