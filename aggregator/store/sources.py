"""Sources: what is followed, what is due, how each one is doing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, delete, func, or_, select, update
from sqlalchemy.engine import Row
from sqlmodel import Session

from aggregator.model import Identity, Outcome, Reuse, Source, SourceDraft, SourceDue, SourceKind
from aggregator.store import moves, paced, pauses
from aggregator.store.dialects import chunks, exclusive, row_id, upsert
from aggregator.store.tables import FETCH, SOURCE, STORY, FetchRow
from aggregator.store.tables_out import PUSH_SOURCE
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


def claim_due(session: Session, now: datetime, *, limit: int, lease: timedelta) -> list[SourceDue]:
    """Take up to `limit` sources whose time has come and whose domain is not paused, fairly by host.

    The first due of every host comes before the second of any, so one host with hundreds of
    feeds holds up nobody. Claimed rows are nobody else's until they are recorded or the lease
    has passed.
    """
    is_due = [SOURCE.c.next_due <= now, *_answerable(), ~pauses.is_paused(now)]
    return _claim(session, now, is_due, limit=limit, lease=lease)


def claim_now(
    session: Session, now: datetime, *, lease: timedelta, only: Sequence[int] = (), even_waiting: bool = False
) -> list[SourceDue]:
    """Take sources whether or not their time has come: all, or those of `only`.

    Those paused, gone or told to wait (a Retry-After not yet passed) are left out, unless they
    are named or `even_waiting` asks for every one.
    """
    conditions: list[ColumnElement[bool]] = []
    if only:
        conditions.append(SOURCE.c.id.in_(only))
    elif not even_waiting:
        asked_to_wait = (SOURCE.c.failure_kind.in_(["rate_limited", "unavailable"])) & (
            SOURCE.c.next_due > now
        )
        conditions += [*_answerable(), ~func.coalesce(asked_to_wait, False), ~pauses.is_paused(now)]
    return _claim(session, now, conditions, limit=None, lease=lease)


def release(session: Session, source_ids: Sequence[int]) -> None:
    """Give claimed sources back unasked, as at the end of a program."""
    for ids in chunks(source_ids, columns=1):
        session.execute(update(SOURCE).where(SOURCE.c.id.in_(ids)).values(claimed_until=None))


def earliest_due(session: Session) -> datetime | None:
    """When the next source is due; None where nothing is followed."""
    # A claim only ever puts a source off: one whose lease has passed is due when it was due before.
    is_put_off = SOURCE.c.claimed_until > SOURCE.c.next_due
    free = case((is_put_off, SOURCE.c.claimed_until), else_=SOURCE.c.next_due)
    paused_until = pauses.paused_until()
    due = select(func.min(case((paused_until > free, paused_until), else_=free))).where(*_answerable())
    found: datetime | None = session.execute(due).scalar_one()
    return found


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


def as_due(session: Session, source_id: int, *, whatever: bool = False) -> SourceDue | None:
    """What reading something of a source needs to know, unclaimed; None where it is not known.

    One that is paused or gone is left out as well, unless `whatever` its state is asked for.
    """
    state = [] if whatever else _answerable()
    row = session.execute(select(*_OF_DUE).where(SOURCE.c.id == source_id, *state)).first()
    return _due(row) if row else None


def prune_fetches(session: Session, before: datetime) -> int:
    """Forget fetches older than this that found nothing; how many."""
    old = delete(FETCH).where(FETCH.c.at < before, FETCH.c.outcome == Outcome.UNCHANGED.value)
    return int(session.execute(old).rowcount)  # type: ignore[attr-defined]


def _ailing(since: datetime) -> list[ColumnElement[bool]]:
    late = SOURCE.c.last_fetch.is_not(None) & (
        SOURCE.c.last_success.is_(None) | (SOURCE.c.last_success < since)
    )
    return [~SOURCE.c.is_paused, or_(SOURCE.c.gone_at.is_not(None), SOURCE.c.failure_kind.is_not(None), late)]


def _answerable() -> list[ColumnElement[bool]]:
    return [~SOURCE.c.is_paused, SOURCE.c.gone_at.is_(None)]


def _claim(
    session: Session,
    now: datetime,
    conditions: Sequence[ColumnElement[bool]],
    *,
    limit: int | None,
    lease: timedelta,
) -> list[SourceDue]:
    exclusive(session, "claims")
    free = or_(SOURCE.c.claimed_until.is_(None), SOURCE.c.claimed_until <= now)
    rank = func.row_number().over(partition_by=SOURCE.c.host, order_by=(SOURCE.c.next_due, SOURCE.c.id))
    ranked = select(SOURCE.c.id.label("id"), rank.label("rank")).where(free, *conditions).subquery()
    trusted = PUSH_SOURCE.c.is_trusted & PUSH_SOURCE.c.is_confirmed & (PUSH_SOURCE.c.lease_until > now)
    query = (
        select(*_OF_DUE, func.coalesce(trusted, False).label("is_pushed"))
        .join(ranked, ranked.c.id == SOURCE.c.id)
        .outerjoin(PUSH_SOURCE, PUSH_SOURCE.c.source_id == SOURCE.c.id)
        .order_by(ranked.c.rank, SOURCE.c.next_due, SOURCE.c.id)
        .limit(limit)
    )
    rows = session.execute(query).all()
    for ids in chunks([row.id for row in rows], columns=1):
        claim = update(SOURCE).where(SOURCE.c.id.in_(ids)).values(claimed_until=now + lease)
        session.execute(claim.execution_options(synchronize_session=False))
    return [_due(row, is_pushed=bool(row.is_pushed)) for row in rows]


#: What of a source a fetch must know. What it last said of itself is left out: reading that costs the most.
_OF_DUE = tuple(
    SOURCE.c[name]
    for name in (
        "id", "url", "title", "site_url", "language", "kind", "etag", "last_modified", "digest", "failures",
        "identity", "host", "interval_seconds", "usual_seconds", "quiet_seconds", "newest_at", "whole_at",
        "gaps", "gap_at", "moved_chain", "moved_since",
    )
)  # fmt: skip


def _due(row: Row[Any], *, is_pushed: bool = False) -> SourceDue:
    return SourceDue(
        id=row.id,
        url=row.url,
        title=row.title,
        site_url=row.site_url,
        language=row.language,
        kind=SourceKind(row.kind),
        etag=row.etag,
        last_modified=row.last_modified,
        digest=row.digest,
        failures=row.failures,
        identity="link" if row.identity == "link" else "id",
        host=row.host,
        paced=paced.of_row(row, is_pushed=is_pushed),
    )


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
