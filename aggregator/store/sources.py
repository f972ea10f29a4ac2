"""Sources: what is followed, what is due, how each one is doing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.engine import Row
from sqlmodel import Session

from aggregator.model import Identity, Outcome, Reuse, Source, SourceDraft, SourceKind
from aggregator.store import moves
from aggregator.store.dialects import chunks, row_id, upsert
from aggregator.store.tables import FETCH, SOURCE, STORY, FetchRow
from feeds.domains import domain_of
from feeds.urls import host_of


def add(session: Session, drafts: Iterable[SourceDraft], *, now: datetime) -> list[int]:
    """Follow these feeds; the ids of those that were not followed before.

    A feed is known by its URL, and by those that it had: added again, it stays as it is, pause and all.
    """
    drafts = list(drafts)
    moved = moves.source_at(session, [draft.url for draft in drafts])
    rows = [
        {
            "url": draft.url,
            "title": draft.title,
            "site_url": draft.site_url,
            "language": draft.language,
            "kind": draft.kind.value,
            "rights": draft.rights,
            "reuse": draft.reuse.value,
            "added_at": now,
            "is_paused": False,
            "host": host_of(draft.url),
            "domain": domain_of(draft.url),
            "gaps": 0,
            "is_insisted": False,
            "next_due": now,
            "failures": 0.0,
            "readings": 0,
            "why": "never asked yet",
        }
        for draft in drafts
        if draft.url not in moved
    ]
    added: list[int] = []
    for some in chunks(rows, columns=len(SOURCE.c)):
        statement = upsert(session, SOURCE).values(list(some)).on_conflict_do_nothing(index_elements=["url"])
        added += session.execute(statement.returning(SOURCE.c.id)).scalars()
    return added


def remove(session: Session, source_id: int) -> bool:
    """Stop following a source. One that gave stories is only paused, since they are kept.

    Returns whether its row is gone.
    """
    stories = select(func.count()).where(STORY.c.source_id == source_id)
    if session.execute(stories).scalar_one():
        pause(session, source_id, paused=True)
        return False
    session.execute(delete(SOURCE).where(SOURCE.c.id == source_id))
    return True


def pause(session: Session, source_id: int, *, paused: bool) -> None:
    """Pause a source, or go on with it: then one that was gone is asked again, too."""
    values = (
        {"is_paused": True, "why": "paused by an editor"}
        if paused
        else {"is_paused": False, "gone_at": None, "why": "an editor says to go on"}
    )
    session.execute(update(SOURCE).where(SOURCE.c.id == source_id).values(**values))


def allow(session: Session, source_id: int, reuse: Reuse) -> None:
    """Say how much of a source's stories is passed on. Channels follow at their next rendering."""
    session.execute(update(SOURCE).where(SOURCE.c.id == source_id).values(reuse=reuse.value))


def describe(
    session: Session,
    source_id: int,
    *,
    title: str,
    kind: SourceKind,
    language: str | None,
    rights: str | None,
) -> None:
    """Say what a source is called and what it is. Channels follow at their next rendering."""
    values = {"title": title, "kind": kind.value, "language": language, "rights": rights}
    session.execute(update(SOURCE).where(SOURCE.c.id == source_id).values(**values))


def identify(session: Session, source_id: int, identity: Identity, *, why: str, by: str) -> None:
    """Say by what a source's entries are known. Where somebody says so, the program leaves it at that.

    The body that it gave last is read again, since it may be read otherwise now.
    """
    values = {"identity": identity, "identity_why": why, "identity_by": by, "digest": None}
    unasked = {"etag": None, "last_modified": None}
    session.execute(update(SOURCE).where(SOURCE.c.id == source_id).values(**values, **unasked))


def own_title(session: Session, source_id: int) -> str:
    """What the feed calls itself, as it was last read; "" where that is not known."""
    origin = session.execute(select(SOURCE.c.origin).where(SOURCE.c.id == source_id)).scalar()
    return origin.title or "" if origin else ""


def hasten(session: Session, source_id: int, now: datetime, *, why: str | None = None) -> None:
    """Ask a source now, if it was to be asked later: somebody says that it has something new."""
    soon = (SOURCE.c.id == source_id, SOURCE.c.next_due > now)
    said = {"why": why} if why else {}
    session.execute(update(SOURCE).where(*soon).values(next_due=now, **said))


def insist(session: Session, source_id: int, now: datetime, *, why: str) -> None:
    """Ask a source now, though its server or its whole domain asked us to wait."""
    hasten(session, source_id, now, why=why)
    session.execute(update(SOURCE).where(SOURCE.c.id == source_id).values(is_insisted=True))


def all_sources(session: Session) -> list[Source]:
    """Every source, by title."""
    rows = session.execute(_read().order_by(func.lower(SOURCE.c.title), SOURCE.c.id)).all()
    return [_source(row) for row in rows]


def by_id(session: Session, source_id: int) -> Source | None:
    """One source."""
    row = session.execute(_read().where(SOURCE.c.id == source_id)).first()
    return _source(row) if row else None


def named(session: Session, name: str) -> list[Source]:
    """Sources of this id, URL or title (or a part of either), closest first."""
    number = row_id(name)
    if number is not None and (exact := by_id(session, number)):
        return [exact]
    same = session.execute(_read().where(or_(SOURCE.c.url == name, SOURCE.c.title == name))).all()
    if same:
        return [_source(row) for row in same]
    if (before := moves.source_at(session, [name])) and (exact := by_id(session, before[name])):
        return [exact]
    # Both sides are lowered by the database: SQLite lowers ASCII letters only.
    like = or_(*(column.icontains(name, autoescape=True) for column in (SOURCE.c.url, SOURCE.c.title)))
    return [_source(row) for row in session.execute(_read().where(like).order_by(SOURCE.c.id)).all()]


def fetches(
    session: Session, source_id: int, *, limit: int = 50, before: int | None = None
) -> list[FetchRow]:
    """The newest fetches of a source, newest first; with `before`, those older than that one."""
    query = select(FetchRow).where(FETCH.c.source_id == source_id)
    if before is not None:
        at = select(FETCH.c.at).where(FETCH.c.id == before).scalar_subquery()
        query = query.where(or_(FETCH.c.at < at, (FETCH.c.at == at) & (FETCH.c.id < before)))
    # By time first: so the index over both gives them in order.
    return list(session.execute(query.order_by(FETCH.c.at.desc(), FETCH.c.id.desc()).limit(limit)).scalars())


def silent(session: Session, since: datetime) -> list[Source]:
    """Sources that are followed and have answered nothing usable since then."""
    late = or_(SOURCE.c.last_success.is_(None), SOURCE.c.last_success < since)
    asked = SOURCE.c.last_fetch.is_not(None)
    rows = session.execute(_read().where(late, asked, ~SOURCE.c.is_paused)).all()
    return [_source(row) for row in rows]


def ailing(session: Session, since: datetime, *, limit: int) -> list[Source]:
    """Sources that are gone, fail, or have answered nothing usable since then; the longest silent first."""
    order = (SOURCE.c.last_success.is_not(None), SOURCE.c.last_success, SOURCE.c.id)
    rows = session.execute(_read().where(*_ailing(since)).order_by(*order).limit(limit)).all()
    return [_source(row) for row in rows]


def count_ailing(session: Session, since: datetime) -> tuple[int, int]:
    """How many sources are ailing (see `ailing`), and how many are followed."""
    ill = select(func.count()).select_from(SOURCE).where(*_ailing(since))
    followed = select(func.count()).select_from(SOURCE).where(~SOURCE.c.is_paused)
    return int(session.execute(ill).scalar_one()), int(session.execute(followed).scalar_one())


def prune_fetches(session: Session, before: datetime) -> int:
    """Forget fetches older than this that found nothing; how many."""
    old = delete(FETCH).where(FETCH.c.at < before, FETCH.c.outcome == Outcome.UNCHANGED.value)
    return int(session.execute(old).rowcount)  # type: ignore[attr-defined]


def _ailing(since: datetime) -> list[ColumnElement[bool]]:
    late = SOURCE.c.last_fetch.is_not(None) & (
        SOURCE.c.last_success.is_(None) | (SOURCE.c.last_success < since)
    )
    return [~SOURCE.c.is_paused, or_(SOURCE.c.gone_at.is_not(None), SOURCE.c.failure_kind.is_not(None), late)]


#: What a `Source` shows. The feed's own word about itself is left out: reading it costs more than all else.
_COLUMNS = (
    "id", "url", "title", "site_url", "language", "kind", "rights", "reuse", "added_at", "is_paused", "gone_at",
    "next_due", "failures", "last_fetch", "last_success", "failure_kind", "why", "quiet_seconds", "keep_days",
    "identity", "identity_why", "identity_by",
)  # fmt: skip


def _read() -> Select[Any]:
    stories = select(func.count()).where(STORY.c.source_id == SOURCE.c.id).correlate(SOURCE).scalar_subquery()
    return select(*(SOURCE.c[name] for name in _COLUMNS), stories.label("stories"))


def _source(row: Row[Any]) -> Source:
    values = dict(row._mapping)
    return Source(**(values | {"kind": SourceKind(values["kind"]), "reuse": Reuse(values["reuse"])}))
