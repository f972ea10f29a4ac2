"""Recording what fetches found: one transaction for many results, and nothing twice.

The road of a story never makes an ORM object a row: what is known is skipped by one look-up per
batch, what is new or changed goes in by Core inserts.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlmodel import Session

from aggregator.model import FetchReport, Outcome, Recorded
from aggregator.store import alarms, evidence, moves, notices, paced, pauses, story_records
from aggregator.store.dialects import chunks, exclusive, upsert
from aggregator.store.story_records import TellApart
from aggregator.store.tables import FETCH, SOURCE
from aggregator.store.tables_out import PUSH_SOURCE

#: Ends a report once it is known what of it was new, and who is followed already where it moves to.
Settle = Callable[[FetchReport, Recorded, int | None], FetchReport]


def record(
    session: Session,
    reports: Sequence[FetchReport],
    settle: Settle | None = None,
    *,
    tell_apart: TellApart | None = None,
) -> list[Recorded]:
    """Keep what these fetches found: stories, versions, the fetch log, and where each source stands.

    Recording the same report twice keeps nothing twice. `tell_apart` says which entries are stories
    that came under other names, and which changes count (see `story_records.keep`).
    """
    if not reports:
        return []
    if any(report.drafts for report in reports):
        exclusive(session, "versions")
    done = list(map(_with_skipped, reports, story_records.keep(session, reports, tell_apart)))
    if any(found.is_news for found in done):
        notices.tell(session, notices.DESK)
    if settle is not None:
        taken = moves.follow_redirects(session, reports)
        reports = [settle(r, found, taken.get(r.source_id)) for r, found in zip(reports, done, strict=True)]
    reports = [_with_words(report, found) for report, found in zip(reports, done, strict=True)]
    evidence.keep(session, reports, done)
    alarms.count_entries(session, reports)
    session.execute(insert(FETCH), [_fetch(r, d) for r, d in zip(reports, done, strict=True)])
    _record_sources(session, reports)
    _record_hubs(session, reports)
    pauses.keep(session, reports)
    return done


def _with_skipped(report: FetchReport, found: Recorded) -> Recorded:
    """What was found, with the entries that became no story."""
    if report.entries is None:
        return found
    return replace(found, skipped=max(0, report.entries - found.new - found.changed - found.known))


def _with_words(report: FetchReport, found: Recorded) -> FetchReport:
    """The report with what was found in words, where something was read."""
    if report.entries is None and not found.notes:
        return report
    counted = "" if report.entries is None else str(found)
    return replace(report, why="; ".join(filter(None, (counted, *found.notes, report.why))))


def _fetch(report: FetchReport, done: Recorded) -> dict[str, Any]:
    return {
        "source_id": report.source_id,
        "at": report.at,
        "outcome": report.outcome.value,
        "status": report.status,
        "failure_kind": report.failure_kind,
        "final_url": report.final_url,
        "body_bytes": report.body_bytes,
        "seconds": report.seconds,
        "new": done.new,
        "changed": done.changed,
        "known": done.known,
        "entries": report.entries,
        "skipped": done.skipped,
        "evidence": report.evidence.hash if report.evidence and (done.new or done.changed) else None,
        "is_gap": report.asked.is_gap,
        "hops": paced.hops_of(report.asked.hops),
        "why": report.why,
    }


def _record_sources(session: Session, reports: Sequence[FetchReport]) -> None:
    """Where each source stands now. One statement for each shape of change, many rows each."""
    by_shape: defaultdict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
    for report in reports:
        # What is read again says nothing about how its source is doing.
        if report.outcome is not Outcome.AGAIN:
            values = {f"to_{name}": value for name, value in _standing(report).items()}
            by_shape[frozenset(values)].append({"source": report.source_id, **values})
    table = SOURCE
    for shape, rows in by_shape.items():
        names = sorted(name.removeprefix("to_") for name in shape)
        bound = {name: bindparam(f"to_{name}", type_=table.c[name].type) for name in names}
        statement = update(table).where(table.c.id == bindparam("source")).values(bound)
        session.connection().execute(statement, rows)
    _name_untitled(session, reports)


def _record_hubs(session: Session, reports: Sequence[FetchReport]) -> None:
    """Which hub each feed names. One that is named anew is subscribed to; the old one ends with its lease."""
    rows = [
        {"source_id": report.source_id, "topic_url": report.hubs.topic_url, "hub": report.hubs.hubs[0]}
        | {"token": secrets.token_urlsafe(24), "secret": secrets.token_urlsafe(32), "next_try": report.at}
        | {"is_confirmed": False, "is_trusted": False, "tries": 0, "why": "not asked yet"}
        for report in reports
        if report.hubs is not None
    ]
    for some in chunks(rows, columns=8):
        statement = upsert(session, PUSH_SOURCE).values(list(some))
        new = statement.excluded
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["source_id"],
                set_={column.name: new[column.name] for column in new if column.name in rows[0]},
                where=(PUSH_SOURCE.c.hub != new.hub) | (PUSH_SOURCE.c.topic_url != new.topic_url),
            )
        )


def _standing(report: FetchReport) -> dict[str, Any]:
    if report.outcome is Outcome.PUSHED:
        # It is still asked when it is due: a hub may fall silent.
        return {"last_success": report.at, "why": report.why}
    if report.asked.is_ours:
        # It was not the source that failed: it stands as it stood.
        return {"claimed_until": None, "why": report.why, "next_due": report.next_due or report.at}
    values: dict[str, Any] = {
        "claimed_until": None,
        "is_insisted": False,
        "last_fetch": report.at,
        "failures": report.failures,
        "failure_kind": report.failure_kind,
        "why": report.why,
        "gone_at": report.at if report.next_due is None else None,
        "next_due": report.next_due or report.at,
    }
    if report.outcome is not Outcome.FAILED:
        values |= {"last_success": report.at, "etag": report.etag, "last_modified": report.last_modified}
    if report.outcome is Outcome.FETCHED:
        values |= {"digest": report.digest, "origin": report.origin}
    return values | paced.values_of(report)


def _name_untitled(session: Session, reports: Sequence[FetchReport]) -> None:
    """A source added without a name or a site takes its feed's."""
    for report in reports:
        found = {"title": report.title, "site_url": report.site_url}
        values = {name: value for name, value in found.items() if value}
        if values:
            session.execute(update(SOURCE).where(SOURCE.c.id == report.source_id).values(**values))
