"""Bodies that were kept are read again: what would today's reader make of them?

Nothing is changed unless somebody asks for that; then what differs is recorded on the road that every
story takes, so that a difference is a new story or a new version, and nothing is overwritten.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows import recording
from aggregator.model import Clock, Evidence, FetchReport, Outcome, Source, SourceDue, StoryDraft
from aggregator.rules.evidence import unpacked
from aggregator.rules.stories import read_stories
from aggregator.store import claims, evidence, read_back
from aggregator.store.database import Database
from aggregator.store.evidence import Kept
from aggregator.store.read_back import Texts, Written
from feeds.errors import ParseError
from feeds.read import parse


@dataclass(frozen=True, slots=True)
class Difference:
    """What today's reader makes otherwise of an entry."""

    #: "new": no story was made of it. "changed": its story says something else.
    kind: str
    #: The story where there is one.
    story_id: int | None
    title: str
    url: str | None
    #: What differs: title, summary, body, language, url, published.
    fields: tuple[str, ...]
    #: The body that it was read from, and when that was fetched.
    hash: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """What came of reading a source again."""

    bodies: int
    entries: int
    differences: tuple[Difference, ...]
    #: Bodies that today's reader cannot read, and why.
    unreadable: tuple[tuple[str, str], ...]
    is_applied: bool


#: A draft with the body that it was read from.
_Read = tuple[Kept, StoryDraft]


class _NotMeant(Exception):
    """Ends a transaction that was only made to see what would come of it."""

    def __init__(self, differences: list[Difference]) -> None:
        super().__init__()
        self.differences = differences


async def read_again(
    database: Database,
    clock: Clock,
    source: Source,
    *,
    since: datetime | None = None,
    apply: bool = False,
) -> ReadAgain:
    """Read the kept bodies of a source once more; with `apply`, record what differs.

    Of an entry in several bodies the newest counts. What a later body said, which is not kept any
    more, is not taken back.
    """
    due = await database.read(partial(claims.as_due, source_id=source.id, whatever=True))
    if due is None:
        raise BadInput("This source is not followed any more.")
    kept = await database.read(partial(evidence.of_source, source_id=source.id, since=since))
    read: dict[str, _Read] = {}
    unreadable = []
    bodies = entries = 0
    for one in kept:
        packed = await database.read(partial(evidence.body, hash=one.hash))
        if packed is None:
            continue
        bodies += 1
        try:
            drafts = await asyncio.to_thread(_drafts, packed, one, due)
        except (ParseError, ValueError) as error:
            unreadable.append((one.hash, str(error)))
            continue
        entries += len(drafts)
        for draft in drafts:
            read.setdefault(draft.key, (one, draft))
    differences = await _compare(database, clock, due, list(read.values()), apply=apply)
    return ReadAgain(bodies, entries, tuple(differences), tuple(unreadable), apply and bool(differences))


def _drafts(packed: bytes, one: Kept, source: SourceDue) -> tuple[StoryDraft, ...]:
    feed = parse(unpacked(packed), content_type=one.content_type, base_url=one.base_url)
    return read_stories(feed, source_url=source.url, language=source.language, identity=source.identity)


async def _compare(
    database: Database, clock: Clock, source: SourceDue, read: Sequence[_Read], *, apply: bool
) -> list[Difference]:
    if not read:
        return []

    def work(session: Session) -> list[Difference]:
        tried = session.begin_nested()
        found = _differences(read, _record(session, source, read, clock()))
        tried.rollback()
        if not apply:
            raise _NotMeant([difference for difference, _ in found])
        if found:
            _record(session, source, [each for _, each in found], clock())
        return [difference for difference, _ in found]

    try:
        return await database.write(work)
    except _NotMeant as end:
        return end.differences


def _record(session: Session, source: SourceDue, read: Sequence[_Read], now: datetime) -> list[Written]:
    """Record these drafts as the bodies that they are from; the versions that came of it."""
    before = read_back.newest(session)
    drafts: defaultdict[Kept, list[StoryDraft]] = defaultdict(list)
    for one, draft in read:
        drafts[one].append(draft)
    # Oldest first, as they came.
    reports = [_report(source, one, drafts[one], now) for one in sorted(drafts, key=lambda one: one.at)]
    recording.record(session, reports)
    return read_back.since(session, before)


def _report(source: SourceDue, one: Kept, drafts: Sequence[StoryDraft], now: datetime) -> FetchReport:
    return FetchReport(
        source_id=source.id,
        at=now,
        outcome=Outcome.AGAIN,
        next_due=None,
        why=f"read again from what came on {one.at:%Y-%m-%d at %H:%M} UTC",
        final_url=one.base_url,
        entries=len(drafts),
        # Kept already; the versions say what they were read from.
        evidence=Evidence(one.hash, one.content_type, one.base_url, 0, b""),
        drafts=tuple(drafts),
    )


def _differences(read: Sequence[_Read], written: Sequence[Written]) -> list[tuple[Difference, _Read]]:
    """What was written, with the draft that it was written for; without what a later body had otherwise."""
    by_words: dict[tuple[str | None, str, str], _Read] = {
        (one.hash, draft.digest, draft.entry.title): (one, draft) for one, draft in read
    }
    found = []
    for row in written:
        each = by_words.get((row.evidence, row.digest, row.now.title))
        if each is None or (row.before_at is not None and row.before_at > each[0].at):
            continue
        one, draft = each
        is_new = row.before is None
        difference = Difference(
            kind="new" if is_new else "changed",
            story_id=None if is_new else row.story_id,
            title=draft.entry.title,
            url=draft.url,
            fields=() if row.before is None else _fields(row.before, row.now),
            hash=one.hash,
            at=one.at,
        )
        found.append((difference, each))
    return found


def _fields(before: Texts, now: Texts) -> tuple[str, ...]:
    values: Mapping[str, tuple[object, object]] = {
        name: (getattr(before, name), getattr(now, name)) for name in Texts.__slots__
    }
    return tuple(name for name, (one, other) in values.items() if one != other)
