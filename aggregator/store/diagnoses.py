"""What can be out of joint in a database, looked for in bulk; and what of it can be made again.

Each look is a statement or two and reads no text, so that hundreds of thousands of stories take seconds.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import brotli  # type: ignore[import-untyped]
import zstandard
from sqlalchemy import and_, exists, func, inspect, or_, select, text, update
from sqlmodel import Session

from aggregator.outgoing import Codings
from aggregator.store import moving, notices, progress, queue_tables, stories
from aggregator.store.dialects import is_sqlite, search_tables
from aggregator.store.tables import (
    BRIEF,
    FETCH,
    PROGRESS,
    PUBLICATION,
    SOURCE,
    STORY,
    STORY_LINK,
    TOPIC,
    VERSION,
)
from aggregator.store.tables_out import ARCHIVE, CARRIED, DOCUMENT

#: What keeps the audit from being changed.
GUARDS = {
    "sqlite": ("audit_no_delete", "audit_no_update"),
    "postgresql": ("audit_is_kept", "audit_only_grows"),
}

#: How the names of those begin who count versions, and of those who count acts of publishing.
_OF_VERSIONS = ("search", "anchors", "clusters", "suggest:", "channel:", "backup")
_OF_PUBLICATIONS = ("webhooks", "rendered:")

#: Ids that are named at most.
_MOST = 5


@dataclass(frozen=True, slots=True)
class Amiss:
    """Rows in which something is wrong."""

    count: int
    #: A few of them.
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Jobs that wait in the queue though their time has come."""

    count: int
    #: The oldest of them, since when.
    since: datetime | None
    #: Workers that gave a sign of life within the last minutes.
    workers: int


def _amiss(found: Sequence[int]) -> Amiss:
    return Amiss(len(found), tuple(found[:_MOST]))


# The schema


def missing_guards(session: Session) -> list[str]:
    """The triggers that should keep the audit as it is, and are not there."""
    if is_sqlite(session):
        there = session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars()
    else:
        there = session.execute(
            text(
                "SELECT tgname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid"
                " WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND tgenabled <> 'D'"
            )
        ).scalars()
    return sorted(set(GUARDS[session.get_bind().dialect.name]) - set(there))


def is_indexed_anew(session: Session) -> bool:
    """Whether the search index was made as this program makes it."""
    if not is_sqlite(session):
        return True
    made = session.execute(text("SELECT sql FROM sqlite_master WHERE name = 'story_search'")).scalar()
    wanted = search_tables("sqlite")[0].replace("IF NOT EXISTS ", "")
    return made is not None and made.split() == wanted.split()


# Stories


def stories_at_odds(session: Session) -> Amiss:
    """Stories that say something else of their newest version than it does."""
    return _amiss(_odd_stories(session))


def _odd_stories(session: Session) -> Sequence[int]:
    newest = and_(VERSION.c.story_id == STORY.c.id, VERSION.c.number == STORY.c.versions)
    later = VERSION.alias()
    # A story takes the digest of a newer program where its text did not change; the version keeps its own.
    differs = and_(VERSION.c.digest != STORY.c.digest, VERSION.c.digest.contains(":"))
    has_later = exists().where(later.c.story_id == STORY.c.id, later.c.number > STORY.c.versions)
    query = (
        select(STORY.c.id).outerjoin(VERSION, newest).where(or_(VERSION.c.id.is_(None), differs, has_later))
    )
    return session.execute(query.order_by(STORY.c.id)).scalars().all()


def settle_stories(session: Session) -> int:
    """Let those say what their newest version says; how many could not, since they have none."""
    numbers = select(func.max(VERSION.c.number)).where(VERSION.c.story_id == STORY.c.id).scalar_subquery()
    found = _odd_stories(session)
    for some in (found[at : at + 500] for at in range(0, len(found), 500)):
        mine = (STORY.c.id.in_(some), exists().where(VERSION.c.story_id == STORY.c.id))
        session.execute(update(STORY).where(*mine).values(versions=numbers))
        digest = select(VERSION.c.digest).where(
            VERSION.c.story_id == STORY.c.id, VERSION.c.number == STORY.c.versions
        )
        session.execute(update(STORY).where(*mine).values(digest=digest.scalar_subquery()))
    return stories_at_odds(session).count


# The search index


def unindexed(session: Session) -> int:
    """How many stories are not in the search index that should be."""
    return _count(
        session,
        f"SELECT count(*) FROM story WHERE id NOT IN (SELECT {_ROW[_kind(session)]})"  # noqa: S608 - our own names
        " AND id NOT IN (SELECT story_id FROM version WHERE id > :upto)",
        upto=stories.indexed_upto(session),
    )


def indexed_in_vain(session: Session) -> int:
    """How many stories are in the search index that are gone."""
    row = _ROW[_kind(session)]
    name, _, table = row.partition(" FROM ")
    return _count(session, f"SELECT count(*) FROM {table} WHERE {name} NOT IN (SELECT id FROM story)")  # noqa: S608


#: How the ids of what is indexed are read, without reading what is indexed.
_ROW = {"sqlite": "id FROM story_search_content", "postgresql": "story_id FROM story_search"}


def empty_index(session: Session) -> None:
    """Let the search index begin anew."""
    if is_sqlite(session):
        session.execute(text("DROP TABLE IF EXISTS story_search"))
        for statement in search_tables("sqlite"):
            session.execute(text(statement))
    else:
        session.execute(text("DELETE FROM story_search"))
    progress.put(session, stories.INDEX, 0)


# Cursors, numbers


def cursors_ahead(session: Session) -> list[str]:
    """Who says to have read further than anything was ever numbered."""
    given = moving.highest_ids(session)
    found = []
    for name, upto in session.execute(select(PROGRESS.c.name, PROGRESS.c.upto).order_by(PROGRESS.c.name)):
        is_ahead_of_versions = name.startswith(_OF_VERSIONS) and upto > given["version"]
        if is_ahead_of_versions or (name.startswith(_OF_PUBLICATIONS) and upto > given["publication"]):
            found.append(name)
    ahead = select(TOPIC.c.slug).where(TOPIC.c.upto > given["version"]).order_by(TOPIC.c.slug)
    return found + [f"topic {slug}" for slug in session.execute(ahead).scalars()]


def set_back(session: Session) -> None:
    """Let them go on from what is there."""
    given = moving.highest_ids(session)
    for name in cursors_ahead(session):
        if name.startswith("topic "):
            slug = name.removeprefix("topic ")
            session.execute(update(TOPIC).where(TOPIC.c.slug == slug).values(upto=given["version"]))
        elif name == stories.INDEX:
            empty_index(session)
        else:
            kind = "publication" if name.startswith(_OF_PUBLICATIONS) else "version"
            progress.put(session, name, given[kind])


def numbers_taken(session: Session) -> list[str]:
    """Tables of PostgreSQL in which the next row would get a number that one has already."""
    return [] if is_sqlite(session) else moving.numbers_taken(session)


def number_on(session: Session) -> None:
    """Let new rows be numbered behind all that there are."""
    moving.number_on(session, moving.highest_ids(session))


# What goes out


def documents_at_odds(session: Session) -> list[tuple[str, str]]:
    """Documents whose compressed twins are not the document."""
    found = []
    columns = [DOCUMENT.c[name] for name in ("channel", "format", "body", "gzip", "br", "zstd")]
    query = select(*columns).order_by(DOCUMENT.c.channel, DOCUMENT.c.format)
    for channel, format, *codings in session.execute(query.execution_options(yield_per=4)):
        if not _are_twins(*codings):
            found.append((str(channel), str(format)))
    return found


def pages_at_odds(session: Session) -> list[tuple[str, str]]:
    """Archive pages whose compressed twins are not the page."""
    found = []
    columns = [ARCHIVE.c[name] for name in ("channel", "name", "body", "gzip", "br", "zstd")]
    query = select(*columns).where(~ARCHIVE.c.is_replaced).order_by(ARCHIVE.c.channel, ARCHIVE.c.number)
    for channel, name, *codings in session.execute(query.execution_options(yield_per=4)):
        if not _are_twins(*codings):
            found.append((str(channel), str(name)))
    return found


def _are_twins(body: bytes, packed: bytes, br: bytes, zstd: bytes) -> bool:
    try:
        twins = (gzip.decompress(packed), brotli.decompress(br), zstandard.decompress(zstd))
    except (OSError, EOFError, zlib.error, brotli.error, zstandard.ZstdError):
        return False
    return all(twin == body for twin in twins)


def body_of(session: Session, channel: str, format: str) -> bytes:
    """The plain bytes of a document."""
    query = select(DOCUMENT.c.body).where(DOCUMENT.c.channel == channel, DOCUMENT.c.format == format)
    return bytes(session.execute(query).scalar_one())


def put_twins(session: Session, channel: str, format: str, codings: Codings) -> None:
    """Put other twins beside a document, with an ETag of their own; when it is rendered next, it is compared."""
    notices.tell(session, notices.DOCUMENTS)
    # Whoever serves the old twins from memory knows them by the old ETag.
    etag = hashlib.blake2b(b"mended" + codings.body, digest_size=16).hexdigest()
    new = {"gzip": codings.gzip, "br": codings.br, "zstd": codings.zstd, "etag": f'"{etag}"', "state": ""}
    own = (DOCUMENT.c.channel == channel, DOCUMENT.c.format == format)
    session.execute(update(DOCUMENT).where(*own).values(new))


def shown_in_vain(session: Session) -> Amiss:
    """Entries of channels whose story or brief is gone."""
    lost = or_(
        and_(CARRIED.c.kind == "story", ~exists().where(STORY.c.id == CARRIED.c.ref)),
        and_(CARRIED.c.kind == "brief", ~exists().where(BRIEF.c.id == CARRIED.c.ref)),
    )
    return _amiss(session.execute(select(CARRIED.c.ref).where(CARRIED.c.is_present, lost)).scalars().all())


def picks_in_vain(session: Session) -> Amiss:
    """Picks, and sources that readers were told of, whose story or version is gone."""
    lost = or_(
        ~exists().where(STORY.c.id == STORY_LINK.c.story_id),
        ~exists().where(BRIEF.c.id == STORY_LINK.c.brief_id),
    )
    found = set(session.execute(select(STORY_LINK.c.story_id).where(lost)).scalars())
    told = {
        (int(story), int(version))
        for links in session.execute(select(PUBLICATION.c.links)).scalars()
        for _, story, version, *_ in links
    }
    there = set()
    ids = sorted({story for story, _ in told})
    for some in (ids[at : at + 500] for at in range(0, len(ids), 500)):
        query = select(VERSION.c.story_id, VERSION.c.number).where(VERSION.c.story_id.in_(some))
        there |= {(story, number) for story, number in session.execute(query)}
    return _amiss(sorted(found | {story for story, _ in told - there}))


# Time


def newest_fetch(session: Session) -> datetime | None:
    """When a source was fetched last."""
    last: datetime | None = session.execute(select(FETCH.c.at).order_by(FETCH.c.id.desc()).limit(1)).scalar()
    return last


def put_off(session: Session, beyond: datetime) -> Amiss:
    """Sources that are claimed, or are not to be asked, until after a time."""
    is_asked = (~SOURCE.c.is_paused, SOURCE.c.gone_at.is_(None))
    late = or_(SOURCE.c.claimed_until > beyond, SOURCE.c.next_due > beyond)
    return _amiss(
        session.execute(select(SOURCE.c.id).where(late, *is_asked).order_by(SOURCE.c.id)).scalars().all()
    )


def ask_now(session: Session, beyond: datetime, now: datetime) -> None:
    """Let those be asked as if nobody had claimed them."""
    session.execute(
        update(SOURCE).where(SOURCE.c.claimed_until > beyond).values(claimed_until=None, claimed_by=None)
    )
    session.execute(update(SOURCE).where(SOURCE.c.next_due > beyond).values(next_due=now))


def unkept_since(session: Session, upto: int) -> datetime | None:
    """When the first version came that is in no backup."""
    query = select(VERSION.c.seen_at).where(VERSION.c.id > upto).order_by(VERSION.c.id).limit(1)
    found: datetime | None = session.execute(query).scalar()
    return found


def waiting_jobs(session: Session, before: datetime) -> Waiting | None:
    """The jobs that should have begun before a time; None where no queue was ever used."""
    if is_sqlite(session) or not inspect(session.connection()).has_table(
        "procrastinate_jobs", queue_tables.QUEUE
    ):
        return None
    ready = text(
        f"SELECT count(*), min(told.at) FROM {queue_tables.QUEUE}.procrastinate_jobs job"  # noqa: S608 - our own names
        f" JOIN LATERAL (SELECT max(at) AS at FROM {queue_tables.QUEUE}.procrastinate_events event"
        " WHERE event.job_id = job.id) told ON true"
        " WHERE job.status = 'todo' AND told.at < :before AND coalesce(job.scheduled_at, told.at) < :before"
    )
    count, since = session.execute(ready, {"before": before}).one()
    alive = text(
        f"SELECT count(*) FROM {queue_tables.QUEUE}.procrastinate_workers WHERE last_heartbeat > :before"  # noqa: S608
    )
    return Waiting(count, since, int(session.execute(alive, {"before": before}).scalar_one()))


def _kind(session: Session) -> str:
    return session.get_bind().dialect.name


def _count(session: Session, sql: str, **values: int) -> int:
    return int(session.execute(text(sql), values).scalar_one())
