"""Bodies as they came: kept once each, for a bounded time, and as long as a brief picked from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, func, select
from sqlmodel import Session

from aggregator.model import FetchReport, Outcome, Recorded
from aggregator.store.dialects import chunks, upsert
from aggregator.store.tables import FETCH, STORY_LINK, VERSION
from aggregator.store.tables_ingest import EVIDENCE


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept body of a source, without the body."""

    hash: str
    #: When it was fetched last.
    at: datetime
    content_type: str | None
    #: The base for relative links, as it was when this source gave it.
    base_url: str


@dataclass(frozen=True, slots=True)
class Room:
    """How much is kept."""

    bodies: int
    #: Bytes of them, compressed.
    packed_size: int


def keep(session: Session, reports: Sequence[FetchReport], done: Sequence[Recorded]) -> None:
    """Keep the bodies that gave something new, each once."""
    rows = {
        report.evidence.hash: {
            "hash": report.evidence.hash,
            "content_type": report.evidence.content_type,
            "base_url": report.evidence.base_url,
            "size": report.evidence.size,
            "packed_size": len(report.evidence.packed),
            "first_seen": report.at,
            "last_seen": report.at,
            "body": report.evidence.packed,
        }
        for report, found in zip(reports, done, strict=True)
        if report.evidence is not None and report.evidence.packed and (found.new or found.changed)
    }
    for some in chunks(list(rows.values()), columns=8):
        statement = upsert(session, EVIDENCE).values(list(some))
        seen = {"last_seen": statement.excluded.last_seen}
        session.execute(statement.on_conflict_do_update(index_elements=["hash"], set_=seen))


def of_source(session: Session, source_id: int, *, since: datetime | None = None) -> list[Kept]:
    """The kept bodies of a source, the one fetched last first."""
    base = func.coalesce(FETCH.c.final_url, EVIDENCE.c.base_url)
    query = (
        select(EVIDENCE.c.hash, FETCH.c.at, EVIDENCE.c.content_type, base)
        .select_from(FETCH)
        .join(EVIDENCE, EVIDENCE.c.hash == FETCH.c.evidence)
        # Reading it again is no fetch of it.
        .where(FETCH.c.source_id == source_id, FETCH.c.outcome != Outcome.AGAIN.value)
        .order_by(FETCH.c.at.desc(), FETCH.c.id.desc())
    )
    if since is not None:
        query = query.where(FETCH.c.at >= since)
    found: dict[str, Kept] = {}
    for row in session.execute(query):
        found.setdefault(row[0], Kept(*row))
    return list(found.values())


def body(session: Session, hash: str) -> bytes | None:
    """A kept body, compressed; None where it is not kept."""
    found: bytes | None = session.execute(select(EVIDENCE.c.body).where(EVIDENCE.c.hash == hash)).scalar()
    return found


def room(session: Session) -> Room:
    """How much is kept now."""
    total = func.coalesce(func.sum(EVIDENCE.c.packed_size), 0)
    bodies, packed = session.execute(select(func.count(), total).select_from(EVIDENCE)).one()
    return Room(int(bodies), int(packed))


def prune(session: Session, before: datetime, *, most: int) -> int:
    """Forget the bodies seen last before this, and the oldest beyond `most` bytes; how many.

    `most` counts compressed bytes; 0 sets no limit. What a picked story was read from stays.
    """
    old = delete(EVIDENCE).where(EVIDENCE.c.last_seen < before, EVIDENCE.c.hash.not_in(_picked()))
    gone = int(session.execute(old).rowcount)  # type: ignore[attr-defined]
    return gone + (_prune_beyond(session, most) if most else 0)


def _prune_beyond(session: Session, most: int) -> int:
    total = room(session).packed_size
    if total <= most:
        return 0
    oldest = (
        select(EVIDENCE.c.hash, EVIDENCE.c.packed_size)
        .where(EVIDENCE.c.hash.not_in(_picked()))
        .order_by(EVIDENCE.c.last_seen, EVIDENCE.c.hash)
    )
    gone = []
    for hash, size in session.execute(oldest).all():
        if total <= most:
            break
        total -= size
        gone.append(hash)
    for some in chunks(gone, columns=1):
        session.execute(delete(EVIDENCE).where(EVIDENCE.c.hash.in_(some)))
    return len(gone)


def _picked() -> Select[tuple[str]]:
    """What stories were read from that a brief picked, even where that was undone: it may have been published."""
    return (
        select(VERSION.c.evidence)
        .join(STORY_LINK, STORY_LINK.c.story_id == VERSION.c.story_id)
        .where(VERSION.c.evidence.is_not(None))
    )
