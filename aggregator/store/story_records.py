"""Recording what entries say: new stories, new versions, and every name under which a story was shown.

The road of a story never makes an ORM object a row: what is known is skipped by one look-up per
batch, what is new or changed goes in by Core inserts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count, starmap
from typing import Any

from sqlalchemy import and_, bindparam, func, select, tuple_, update
from sqlmodel import Session

from aggregator.model import FetchReport, Recorded, StoryDraft
from aggregator.store.dialects import chunks, insert_rows, is_sqlite, named_pairs, upsert
from aggregator.store.tables import SOURCE, STORY, VERSION
from aggregator.store.tables_ingest import STORY_KEY

#: A name of a story: its source, and the key under which it was shown there.
Key = tuple[int, str]
Pair = tuple[FetchReport, StoryDraft]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a story when an entry comes under one of its names."""

    #: None where it was purged: then it does not come back.
    story_id: int | None
    #: Digest of its newest version.
    digest: str
    versions: int
    page: str | None
    is_withdrawn: bool = False
    #: When it was published; of one that was purged, when that was.
    published: datetime | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What the newest version of a story says, and when it was published."""

    title: str
    summary: str
    body: str
    published: datetime | None


@dataclass(slots=True)
class Apart:
    """How the entries of a batch are told apart, beyond their keys."""

    #: Entries under new names that are known stories.
    names: dict[Key, Known] = field(default_factory=dict)
    #: Entries that stand under another key than they came with.
    own: dict[Key, StoryDraft] = field(default_factory=dict)
    #: Second entries of new stories, each with the entry that counts.
    twins: dict[Key, Key] = field(default_factory=dict)
    #: Entries that differ from the newest version in nothing that counts.
    unchanged: set[Key] = field(default_factory=set)
    #: Stories taken back: by source and story, when and why.
    withdrawn: dict[tuple[int, int], tuple[datetime, str]] = field(default_factory=dict)
    #: Stories that stand again, by source.
    restored: set[tuple[int, int]] = field(default_factory=set)
    #: Sources whose entries are known by their links from now on, and why.
    by_link: dict[int, str] = field(default_factory=dict)
    #: What an editor should know, by source.
    notes: dict[int, list[str]] = field(default_factory=dict)


#: Tells the entries of a batch apart; it is given them and what is known under their keys.
TellApart = Callable[[Session, Sequence[FetchReport], Mapping[Key, Pair], Mapping[Key, Known]], Apart]


def keep(
    session: Session, reports: Sequence[FetchReport], tell_apart: TellApart | None = None
) -> list[Recorded]:
    """Keep the stories and versions of these reports, nothing twice.

    Without `tell_apart` a story is known by its key alone, and every other digest is a version.
    """
    wanted: dict[Key, Pair] = {
        (report.source_id, draft.key): (report, draft)
        # The first of two entries with one identity is the newer one in nearly every feed.
        for report in reports
        for draft in reversed(report.drafts)
    }
    known = of_keys(session, list(wanted))
    apart = Apart()
    if tell_apart is not None:
        apart = tell_apart(session, reports, wanted, known)
        # What stands under a key of its own is not the story that is known under the key it came with.
        known = {key: seen for key, seen in known.items() if key not in apart.own} | apart.names
        wanted |= {key: (wanted[key][0], draft) for key, draft in apart.own.items()}
    new = {key: pair for key, pair in wanted.items() if key not in known and key not in apart.twins}
    changed = _one_each(
        {
            key: pair
            for key, pair in wanted.items()
            if key in known and known[key].digest != pair[1].digest and key not in apart.unchanged
        },
        known,
    )
    ids = _insert_new(session, new)
    _add_versions(session, changed, known)
    _name(session, _names(wanted, ids, apart))
    _upgrade(session, wanted, known, changed)
    _take_back(session, apart)
    _read_by_link(session, apart.by_link)
    return [_count(report, new, changed, apart) for report in reports]


def of_keys(session: Session, keys: Collection[Key]) -> dict[Key, Known]:
    """What is known under these names."""
    found: dict[Key, Known] = {}
    asked = named_pairs(session, keys)
    own = (STORY_KEY.c.source_id, STORY_KEY.c.key)
    columns = (*own, STORY.c.id, STORY.c.digest, STORY.c.versions, STORY.c.page, STORY.c.withdrawn_at)
    query = (
        select(*columns)
        .select_from(asked)
        .join(STORY_KEY, and_(own[0] == asked.c.one, own[1] == asked.c.other))
        .outerjoin(STORY, STORY.c.id == STORY_KEY.c.story_id)
    )
    for source, key, story, digest, versions, page, withdrawn in session.execute(query):
        found[source, key] = Known(story, digest or "", versions or 0, page, withdrawn is not None)
    return found


def at_pages(session: Session, pages: Collection[Key]) -> dict[Key, list[Known]]:
    """The stories that stand at these pages of their sources, oldest first; a purged one is among them."""
    found: dict[Key, list[Known]] = {}
    asked = named_pairs(session, pages)
    columns = (STORY.c.id, STORY.c.digest, STORY.c.versions, STORY.c.page, STORY.c.withdrawn_at)
    standing = (
        select(*columns, STORY.c.published, STORY.c.source_id)
        .select_from(asked)
        .join(STORY, and_(STORY.c.source_id == asked.c.one, STORY.c.page == asked.c.other))
        .order_by(STORY.c.id)
    )
    for story, digest, versions, page, withdrawn, published, source in session.execute(standing):
        known = Known(story, digest, versions, page, withdrawn is not None, published)
        found.setdefault((source, page), []).append(known)
    name = (STORY_KEY.c.source_id, STORY_KEY.c.key)
    purged = (
        select(*name, STORY_KEY.c.purged_at)
        .select_from(asked)
        .join(STORY_KEY, and_(name[0] == asked.c.one, name[1] == asked.c.other))
        # Not IS NULL, for which SQLite would walk through all that was ever purged.
        .where(func.coalesce(STORY_KEY.c.story_id, 0) == 0)
    )
    for source, page, at in session.execute(purged):
        found.setdefault((source, page), [Known(None, "", 0, page, published=at)])
    return found


def words_of(session: Session, story_ids: Collection[int]) -> dict[int, Words]:
    """What the newest versions of these stories say."""
    found: dict[int, Words] = {}
    newest = and_(VERSION.c.story_id == STORY.c.id, VERSION.c.number == STORY.c.versions)
    columns = (STORY.c.id, VERSION.c.title, VERSION.c.summary, VERSION.c.body, STORY.c.published)
    for some in chunks(sorted(story_ids), columns=1):
        query = select(*columns).join(VERSION, newest).where(STORY.c.id.in_(some))
        found.update((id, Words(*said)) for id, *said in session.execute(query))
    return found


def with_entry_ids(session: Session, ids: Collection[Key]) -> dict[Key, int]:
    """The stories of these sources that are republished under these ids."""
    found: dict[Key, int] = {}
    for some in chunks(sorted(ids), columns=2):
        query = select(STORY.c.source_id, STORY.c.entry_id, STORY.c.id)
        rows = session.execute(query.where(tuple_(STORY.c.source_id, STORY.c.entry_id).in_(some)))
        found.update(((source, entry), story) for source, entry, story in rows)
    return found


def identities(session: Session, source_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """By what the entries of these sources are known, and who said so."""
    columns = (SOURCE.c.id, SOURCE.c.identity, SOURCE.c.identity_by)
    query = select(*columns).where(SOURCE.c.id.in_(sorted(source_ids)))
    return {id: (identity, by) for id, identity, by in session.execute(query)}


def _one_each(changed: Mapping[Key, Pair], known: Mapping[Key, Known]) -> dict[Key, Pair]:
    """Of entries under several names of one story, the one that its document names first."""
    first = {known[key].story_id: key for key in changed}
    return {key: changed[key] for story, key in first.items() if story is not None}


def _count(report: FetchReport, new: Any, changed: Any, apart: Apart) -> Recorded:
    keys = {(report.source_id, draft.key) for draft in report.drafts}
    added, moved = sum(key in new for key in keys), sum(key in changed for key in keys)
    gone = sum(source == report.source_id for source, _ in (*apart.withdrawn, *apart.restored))
    notes = tuple(apart.notes.get(report.source_id, ()))
    known = len(keys) - added - moved
    return Recorded(report.source_id, added, moved, known, withdrawn=gone, notes=notes)


def _insert_new(session: Session, new: Mapping[Key, Pair]) -> dict[Key, int]:
    """The ids of the stories that were inserted, by the key that they came with."""
    rows = {(row["source_id"], row["key"]): row for row in starmap(_story, new.values())}
    by_own = _insert_stories(session, rows)
    own = {key: (report.source_id, draft.key) for key, (report, draft) in new.items()}
    ids = {key: by_own[mine] for key, mine in own.items() if mine in by_own}
    # Oldest first, so that version ids follow the order of the news.
    versions = [
        _version(ids[key], 1, *pair)
        for key, pair in sorted(new.items(), key=lambda item: _sorted_at(*item[1]))
        if key in ids
    ]
    insert_rows(session, VERSION, versions)
    return ids


def _insert_stories(session: Session, rows: Mapping[Key, dict[str, Any]]) -> dict[Key, int]:
    """The ids of those that went in. SQLite has one writer, so it may number them ahead; that is cheaper."""
    if not rows:
        return {}
    name = (STORY.c.source_id, STORY.c.key, STORY.c.id)
    if not is_sqlite(session):
        statement = upsert(session, STORY).on_conflict_do_nothing().returning(*name)
        kept = session.execute(statement, list(rows.values()))
        return {(source, key): story for source, key, story in kept}
    first = session.execute(select(func.coalesce(func.max(STORY.c.id), 0))).scalar_one() + 1
    ids = dict(zip(rows, count(first), strict=False))
    numbered = [{"id": ids[key], **row} for key, row in rows.items()]
    insert_rows(session, STORY, numbered, skip=True)
    new = select(func.count()).select_from(STORY).where(STORY.c.id >= first)
    if session.execute(new).scalar_one() == len(rows):
        return ids
    kept = session.execute(select(*name).where(STORY.c.id >= first))
    return {(source, key): story for source, key, story in kept}


def _add_versions(session: Session, changed: Mapping[Key, Pair], known: Mapping[Key, Known]) -> None:
    if not changed:
        return
    numbered = [(known[key].story_id or 0, known[key].versions + 1, pair) for key, pair in changed.items()]
    insert_rows(session, VERSION, [_version(story, number, *pair) for story, number, pair in numbered])
    statement = (
        update(STORY)
        .where(STORY.c.id == bindparam("story"))
        .values(
            versions=bindparam("count"),
            digest=bindparam("hash"),
            url=bindparam("address"),
            page=bindparam("at_page"),
        )
    )
    session.connection().execute(
        statement,
        [
            {"story": story, "count": number, "hash": draft.digest, "address": draft.url}
            | {"at_page": draft.page}
            for story, number, (_, draft) in numbered
        ],
    )


def _names(wanted: Mapping[Key, Pair], ids: Mapping[Key, int], apart: Apart) -> Iterable[tuple[Key, int]]:
    """Every name that was not known before, with its story."""
    for key, story in ids.items():
        yield (key[0], wanted[key][1].key), story
    for key, known in apart.names.items():
        if known.story_id is not None:
            yield (key[0], wanted[key][1].key), known.story_id
    for key, first in apart.twins.items():
        if first in ids:
            yield key, ids[first]


def _name(session: Session, names: Iterable[tuple[Key, int]]) -> None:
    rows = [{"source_id": source, "key": key, "story_id": story} for (source, key), story in names]
    insert_rows(session, STORY_KEY, rows, skip=True)


def _upgrade(
    session: Session, wanted: Mapping[Key, Pair], known: Mapping[Key, Known], changed: Mapping[Key, Pair]
) -> None:
    """Let stories that did not change have the digest and the page that this program gives them."""
    rows = [
        {"story": known[key].story_id, "hash": draft.digest}
        for key, (_, draft) in wanted.items()
        if key in known
        and key not in changed
        and known[key].story_id is not None
        and known[key].digest != draft.digest
        and ":" in draft.digest
        and ":" not in known[key].digest
    ]
    if rows:
        statement = update(STORY).where(STORY.c.id == bindparam("story")).values(digest=bindparam("hash"))
        session.connection().execute(statement, rows)


def _take_back(session: Session, apart: Apart) -> None:
    if apart.withdrawn:
        statement = (
            update(STORY)
            .where(STORY.c.id == bindparam("story"), STORY.c.withdrawn_at.is_(None))
            .values(
                withdrawn_at=bindparam("at", type_=STORY.c.withdrawn_at.type), withdrawn_why=bindparam("why")
            )
        )
        rows = [{"story": id, "at": at, "why": why} for (_, id), (at, why) in apart.withdrawn.items()]
        session.connection().execute(statement, rows)
    for some in chunks([story for _, story in sorted(apart.restored)], columns=1):
        stands = update(STORY).where(STORY.c.id.in_(some))
        session.execute(stands.values(withdrawn_at=None, withdrawn_why=""))


def _read_by_link(session: Session, by_link: Mapping[int, str]) -> None:
    for source, why in by_link.items():
        still = (SOURCE.c.id == source, SOURCE.c.identity_by == "", SOURCE.c.identity == "id")
        session.execute(update(SOURCE).where(*still).values(identity="link", identity_why=why))


def _sorted_at(report: FetchReport, draft: StoryDraft) -> Any:
    published = draft.entry.published or draft.entry.updated
    return min(published, report.at) if published else report.at


def _story(report: FetchReport, draft: StoryDraft) -> dict[str, Any]:
    return {
        "source_id": report.source_id,
        "key": draft.key,
        "entry_id": draft.entry_id,
        "url": draft.url,
        "published": draft.entry.published or draft.entry.updated,
        "first_seen": report.at,
        "sorted_at": _sorted_at(report, draft),
        "versions": 1,
        "digest": draft.digest,
        "page": draft.page,
    }


def _version(story: int, number: int, report: FetchReport, draft: StoryDraft) -> dict[str, Any]:
    return {
        "story_id": story,
        "number": number,
        "seen_at": report.at,
        "digest": draft.digest,
        "title": draft.entry.title,
        "summary": draft.summary,
        "body": draft.body,
        "language": draft.language,
        "updated": draft.entry.updated,
        "entry": draft.entry,
        "evidence": report.evidence.hash if report.evidence else None,
    }
