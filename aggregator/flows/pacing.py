"""What a fetch says about the next one: when that is and why, and where the feed is to be asked."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from aggregator.model import LONGEST_ADDRESS, FetchReport, Outcome, Recorded, SourceDue
from aggregator.paced import Asked
from aggregator.rules.cadence import Cadences, after_failure, after_success, drifted, in_words, weight
from aggregator.rules.polling import (
    Shown,
    asked_to_wait,
    is_gap,
    is_permanent,
    is_to_https,
    pace,
    usual_pause,
)
from aggregator.store.fetches import Settle
from feeds.domains import domain_of
from feeds.errors import FailureKind, FetchError
from feeds.http import Fetched, NotModified
from feeds.shareable import is_shareable
from feeds.urls import host_of

log = logging.getLogger(__name__)

#: So soon is asked again whom we could not ask, through our own fault.
AGAIN = timedelta(minutes=1)
#: What a server says that wants to be left alone.
_WAITING = (FailureKind.RATE_LIMITED, FailureKind.UNAVAILABLE)


def asked_of(answer: Fetched | NotModified, source: SourceDue, now: datetime, *, after: timedelta) -> Asked:
    """What an answer shows besides stories.

    A source moves once the same permanent redirects have held for so long, and at once where they only
    take http to https. A login in the address would be lost with it, so such a source stays.
    """
    hops = tuple((hop.url, hop.status, hop.location) for hop in answer.hops)
    target = hops[-1][2] if is_permanent(hops) and "@" not in source.url else None
    if target is not None and len(target) > LONGEST_ADDRESS:
        target = None
    if target is not None and not is_to_https(source.url, target):
        held = source.paced.chain == hops and source.paced.chain_since
        target = target if held and now - held >= after else None
    return Asked(hops=hops, lifetime=answer.freshness.lifetime, move_to=target)


def settle_with(due: Mapping[int, SourceDue], cadences: Cadences) -> Settle:
    """Ends the reports of these sources, once it is known what of each was new."""

    def settle(report: FetchReport, found: Recorded, taken: int | None) -> FetchReport:
        source = due.get(report.source_id)
        if source is None or report.outcome not in (Outcome.UNCHANGED, Outcome.FETCHED):
            return report
        return _settled(report, found, taken, source, cadences)

    return settle


def failed(
    error: FetchError, now: datetime, begun: datetime, cadences: Cadences, source: SourceDue
) -> FetchReport:
    """A fetch that came to nothing, and when the next one is. Who asks us to wait has not failed."""
    if error.kind is FailureKind.OURS:
        return _unasked(error, now, begun, source)
    failures = source.failures + weight(error.kind)
    cadence, paced = cadences.of(source.kind), source.paced
    then = []
    if error.kind in _WAITING and error.retry_after is None:
        paced = replace(paced, interval=asked_to_wait(cadence, source))
        next_due = drifted(paced.interval or cadence.floor, now, seed=source.url)
    else:
        again = after_failure(cadence, error.kind, failures, error.retry_after, now, seed=source.url)
        if again is None:
            return _report(
                error, now, begun, source, failures, None, "not asked again until an editor says so"
            )
        next_due = again
    pauses = domain_of(error.url) if error.kind is FailureKind.RATE_LIMITED else None
    if pauses:
        then.append(f"every feed of {pauses} waits")
    then.append(f"asked again in {in_words(next_due - now)}")
    report = _report(error, now, begun, source, failures, next_due, "; ".join(then))
    return replace(report, paced=paced, asked=Asked(hops=error.hops, pauses=pauses))


def _unasked(error: FetchError, now: datetime, begun: datetime, source: SourceDue) -> FetchReport:
    """What we could not ask: nothing is held against the source, which is asked again soon."""
    next_due = drifted(AGAIN, now, seed=source.url)
    then = f"asked again in {in_words(next_due - now)}"
    report = _report(error, now, begun, source, source.failures, next_due, then)
    return replace(report, asked=Asked(hops=error.hops, is_ours=True))


def _report(
    error: FetchError,
    now: datetime,
    begun: datetime,
    source: SourceDue,
    failures: float,
    next_due: datetime | None,
    then: str,
) -> FetchReport:
    return FetchReport(
        source_id=source.id,
        at=now,
        outcome=Outcome.FAILED,
        next_due=next_due,
        why=f"{str(error).removesuffix('.')}; {then}",
        seconds=(now - begun).total_seconds(),
        status=error.status,
        failure_kind=error.kind.value,
        failures=failures,
        asked=Asked(hops=error.hops),
    )


def _settled(
    report: FetchReport, found: Recorded, taken: int | None, source: SourceDue, cadences: Cadences
) -> FetchReport:
    now, asked, cadence = report.at, report.asked, cadences.of(source.kind)
    times = [draft.entry.published or draft.entry.updated for draft in report.drafts]
    usual = usual_pause([moment for moment in times if moment], now) or source.paced.usual
    known = source
    if usual != source.paced.usual:
        known = replace(source, paced=replace(source.paced, usual=usual))
    shown = Shown(found.new, found.known + found.changed, is_delta=report.status == 226)
    wait, gap = pace(cadence, known, shown, asked.lifetime, now), is_gap(source, shown)
    next_due = after_success(cadence, wait.lifetime, now, seed=source.url, interval=wait.interval)
    chain = asked.hops if is_permanent(asked.hops) else ()
    since = (source.paced.chain_since if chain == source.paced.chain else None) or now
    if asked.move_to:
        # Followed there, it leads nowhere; else it is tried again once its redirects held for as long again.
        chain, since = (chain, now) if taken is not None else ((), now)
        facts = {"source": source.id, "from": source.url, "to": asked.move_to, "taken_by": taken}
        log.info("source moved", extra=facts)
    why = [report.why, _moved(asked, taken), f"asked again in {in_words(next_due - now)}: {wait.why}"]
    return replace(
        report,
        next_due=next_due,
        why="; ".join(filter(None, why)),
        asked=replace(asked, is_gap=True) if gap else asked,
        paced=replace(
            source.paced,
            interval=wait.interval,
            usual=usual,
            newest_at=now if found.new else source.paced.newest_at,
            whole_at=source.paced.whole_at if report.status == 304 else now,
            gaps=source.paced.gaps + gap,
            gap_at=now if gap else source.paced.gap_at,
            chain=chain,
            chain_since=since if chain else None,
        ),
    )


def _moved(asked: Asked, taken: int | None) -> str:
    if not asked.move_to:
        return ""
    # Who may not know an address reads this, too.
    where = asked.move_to if is_shareable(asked.move_to) else host_of(asked.move_to)
    if taken is not None:
        return f"it moved for good to {where}, which source {taken} follows already; both stay as they are"
    return f"it moved for good: followed at {where} from now on"
