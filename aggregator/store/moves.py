"""Where sources stand now: addresses that they had, addresses that they seem to have gone to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlmodel import Session

from aggregator.model import FetchReport
from aggregator.store.dialects import chunks, upsert
from aggregator.store.tables import SOURCE
from aggregator.store.tables_ingest import SOURCE_MOVE, SOURCE_URL, SourceMoveRow, SourceUrlRow
from feeds.domains import domain_of
from feeds.urls import host_of

#: Failures after which a source is looked for elsewhere.
LOST = ("not_found", "gone", "not_a_feed")


def move(
    session: Session, source_id: int, url: str, *, now: datetime, why: str, is_same: bool = False
) -> int | None:
    """Follow a source at another address from now on, stories and all, and remember the old one.

    `is_same` says that its last answer came from there, so that its validators hold.

    Returns the source that is followed there already, where there is one: then nothing is changed.
    """
    other = session.execute(select(SOURCE.c.id).where(SOURCE.c.url == url)).scalar()
    if other is not None:
        return int(other)
    old = session.execute(select(SOURCE.c.url).where(SOURCE.c.id == source_id)).scalar_one()
    # It comes back to an address that it, or another one, had before.
    session.execute(delete(SOURCE_URL).where(SOURCE_URL.c.url == url))
    kept = upsert(session, SOURCE_URL).values(url=old, source_id=source_id, until=now, why=why)
    new = kept.excluded
    session.execute(
        kept.on_conflict_do_update(
            index_elements=["url"], set_={"source_id": new.source_id, "until": new.until, "why": new.why}
        )
    )
    values: dict[str, str | None] = {"url": url, "host": host_of(url), "domain": domain_of(url)}
    if not is_same:
        # They belong to what stood at the old address.
        values |= dict.fromkeys(("etag", "last_modified", "digest", "moved_chain", "moved_since"))
    session.execute(update(SOURCE).where(SOURCE.c.id == source_id).values(**values))
    session.execute(delete(SOURCE_MOVE).where(SOURCE_MOVE.c.source_id == source_id))
    return None


def follow_redirects(session: Session, reports: Sequence[FetchReport]) -> dict[int, int | None]:
    """Move the sources whose redirects have held for long enough; by id, who is followed there already."""
    found: dict[int, int | None] = {}
    for report in reports:
        url = report.asked.move_to
        if url:
            why = f"moved for good, says its server ({report.asked.hops[0][1]})"
            other = move(session, report.source_id, url, now=report.at, why=why, is_same=True)
            found[report.source_id] = other
    return found


def source_at(session: Session, urls: Iterable[str]) -> dict[str, int]:
    """Which of these addresses sources had before, each with the id of its source."""
    found: dict[str, int] = {}
    for some in chunks(list(urls), columns=1):
        query = select(SOURCE_URL.c.url, SOURCE_URL.c.source_id).where(SOURCE_URL.c.url.in_(some))
        found.update((url, source) for url, source in session.execute(query))
    return found


def old_urls(session: Session, source_id: int) -> list[SourceUrlRow]:
    """The addresses that a source had, the last one first."""
    query = (
        select(SourceUrlRow).where(SOURCE_URL.c.source_id == source_id).order_by(SOURCE_URL.c.until.desc())
    )
    return list(session.execute(query).scalars())


def to_look_for(session: Session, before: datetime, *, limit: int) -> list[tuple[int, str, str | None, str]]:
    """Sources that worked once, are lost, and were not looked for since: id, address, site, failure."""
    looked = select(SOURCE_MOVE.c.looked_at).where(SOURCE_MOVE.c.source_id == SOURCE.c.id).correlate(SOURCE)
    since = looked.scalar_subquery()
    query = select(SOURCE.c.id, SOURCE.c.url, SOURCE.c.site_url, SOURCE.c.failure_kind).where(
        SOURCE.c.failure_kind.in_(LOST),
        SOURCE.c.last_success.is_not(None),
        ~SOURCE.c.is_paused,
        or_(since.is_(None), since < before),
    )
    return [tuple(row) for row in session.execute(query.order_by(SOURCE.c.last_success.desc()).limit(limit))]


def propose(
    session: Session,
    source_id: int,
    *,
    url: str | None,
    title: str,
    headlines: Sequence[str],
    why: str,
    now: datetime,
) -> None:
    """Keep where a source seems to have gone. What an editor refused is not proposed again."""
    kept = session.get(SourceMoveRow, source_id)
    refused = kept.refused_by if kept is not None and kept.url == url else None
    row = upsert(session, SOURCE_MOVE).values(
        source_id=source_id,
        looked_at=now,
        url=url,
        title=title,
        headlines=json.dumps(list(headlines), ensure_ascii=False),
        why=why,
        refused_by=refused,
    )
    new = row.excluded
    names = ("looked_at", "url", "title", "headlines", "why", "refused_by")
    session.execute(
        row.on_conflict_do_update(index_elements=["source_id"], set_={name: new[name] for name in names})
    )


def proposal(session: Session, source_id: int) -> SourceMoveRow | None:
    """Where a source seems to have gone, which nobody refused."""
    query = select(SourceMoveRow).where(
        SOURCE_MOVE.c.source_id == source_id,
        SOURCE_MOVE.c.url.is_not(None),
        SOURCE_MOVE.c.refused_by.is_(None),
    )
    return session.execute(query).scalars().first()


def refuse(session: Session, source_id: int, *, by: str) -> None:
    """An editor says that it is not there."""
    session.execute(update(SOURCE_MOVE).where(SOURCE_MOVE.c.source_id == source_id).values(refused_by=by))


def go_on(session: Session, source_id: int, now: datetime, *, why: str) -> None:
    """Ask a source anew, as if it had never failed: it was followed elsewhere."""
    values = {"next_due": now, "failures": 0.0, "failure_kind": None, "gone_at": None, "why": why}
    session.execute(update(SOURCE).where(SOURCE.c.id == source_id).values(**values))
