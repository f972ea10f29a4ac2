"""The documents of a channel follow what its subscribers were told: joined, packed, put in place."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from aggregator import __version__, measures
from aggregator.flows.plans import Press, Stand, fragment, language_of, names_of, stand_of
from aggregator.flows.remembered import Memory
from aggregator.model import Clock
from aggregator.outgoing import Carried, Codings, StoredDocument
from aggregator.rules.channels import Channel, head_of
from aggregator.rules.codings import packed
from aggregator.store import carried, documents, stories
from aggregator.store.database import Database, StoreError
from aggregator.store.dialects import exclusive
from aggregator.store.stories import Way
from feeds.model import Document, Feed
from feeds.write import WRITERS, Format

#: Another process may render the same channel at the same moment: then its state is looked at anew.
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Stale:
    """What a channel's documents are to say, by format: those that say something else."""

    heads: Mapping[Format, Feed]
    states: Mapping[Format, str]


@dataclass
class _Joined:
    """Documents that are stale, joined anew."""

    #: Those whose bytes are others now.
    new: dict[Format, Document] = field(default_factory=dict)
    #: Those that nobody would see a change in.
    same: list[Format] = field(default_factory=list)
    #: Entries that were kept no more, written again, by name.
    written: dict[str, bytes] = field(default_factory=dict)


def stale_of(channel: Channel, press: Press, stand: Stand) -> Stale:
    """The formats whose documents do not say what subscribers were told."""
    told = _told(stand)
    heads = {format: _head(channel, press, stand, format) for format in WRITERS}
    states = {format: _state(head, told) for format, head in heads.items()}
    stale = [f for f in WRITERS if f not in stand.old or stand.old[f].state != states[f]]
    return Stale({f: heads[f] for f in stale}, {f: states[f] for f in stale})


async def render_documents(
    database: Database, clock: Clock, channel: Channel, press: Press, stand: Stand | None, memory: Memory
) -> bool:
    """Bring the documents of a channel to what its subscribers were told; whether any bytes changed.

    `stand` is how it stands, where that was just read.
    """
    language, began = language_of(channel, press), time.perf_counter()
    for _ in range(ATTEMPTS):
        if stand is None:
            stand = await database.read(partial(stand_of, channel=channel, site=press.site, memory=memory))
        stale = stale_of(channel, press, stand)
        if not stale.heads:
            return False
        join = partial(
            _join, channel=channel, heads=stale.heads, stand=stand, language=language, memory=memory
        )
        joined = await database.read(join)
        at = await _next_second(clock, max((old.last_modified for old in stand.old.values()), default=None))
        codings = await _packed(joined.new)
        new = [
            _stored(channel, stand, format, document, codings[format], stale.states[format], at)
            for format, document in joined.new.items()
        ]
        same = {format: stale.states[format] for format in joined.same}
        put = partial(
            _put, channel=channel, new=new, same=same, written=joined.written, stand=stand, clock=clock
        )
        ways = await database.write(put)
        if ways is not None:
            _count(new, ways, time.perf_counter() - began)
            return bool(new)
        stand = None
    raise StoreError(
        f"Channel {channel.slug} is being rendered by others all the time: it is tried again soon."
    )


def _head(channel: Channel, press: Press, stand: Stand, format: str) -> Feed:
    return head_of(
        channel,
        press.site,
        updated=stand.rows[0].entry.updated if stand.rows else None,
        format=format,
        hubs=press.hubs,
        # Pages are Atom, so only a document of that family leads to them.
        archive=stand.archive if format in ("atom", "rss") else None,
        tombstones=stand.tombstones,
    )


def _told(stand: Stand) -> str:
    """A digest of what subscribers were told that is present."""
    told = "\n".join(f"{row.digest} {row.entry.updated}" for row in stand.rows)
    return hashlib.sha256(told.encode()).hexdigest() if told else ""


def _state(head: Feed, told: str) -> str:
    return hashlib.sha256("\n".join([__version__, repr(head), told]).encode()).hexdigest()


def _join(
    session: Session,
    channel: Channel,
    heads: Mapping[Format, Feed],
    stand: Stand,
    language: str,
    memory: Memory,
) -> _Joined:
    """Join the documents of these heads; what says the same as before is not made anew."""
    joined = _Joined()
    name = f"{__version__}\n{language}\n{_told(stand)}"
    all_names = [names_of(row, language) for row in stand.rows]
    for format, head in heads.items():
        names = [each[format] for each in all_names]
        parts = _fragments(session, stand.rows, names, format, language, memory, joined.written)
        document = WRITERS[format].assemble(head, parts, name=name)
        if _is_same(session, channel, stand, format, document):
            joined.same.append(format)
        else:
            joined.new[format] = document
    return joined


def _is_same(session: Session, channel: Channel, stand: Stand, format: Format, document: Document) -> bool:
    """Whether something changed that no subscriber would see. Two names may stand for the same bytes."""
    old = stand.old.get(format)
    if old is None or old.body_bytes != len(document.body):
        return False
    return documents.body_of(session, channel.slug, format) == document.body


def _fragments(
    session: Session,
    rows: Sequence[Carried],
    names: Sequence[str],
    format: Format,
    language: str | None,
    memory: Memory,
    written: dict[str, bytes],
) -> list[bytes]:
    """The entries of these rows in a format, in their order; those not kept are `written` again."""
    found = memory.fragments.get_all(names)
    kept = documents.fragments(session, [name for name in names if name not in found])
    for row, name in zip(rows, names, strict=True):
        if name not in found:
            body = kept.get(name)
            if body is None:
                body = written[name] = fragment(row, format, language)
            found[name] = memory.fragments[name] = body
    return [found[name] for name in names]


def atom_of(
    session: Session, rows: Sequence[Carried], *, language: str | None, memory: Memory
) -> list[bytes]:
    """The entries of these rows in Atom, in their order: what archive pages are made of."""
    names = [names_of(row, language)["atom"] for row in rows]
    return _fragments(session, rows, names, "atom", language, memory, {})


async def _packed(new: Mapping[Format, Document]) -> dict[Format, Codings]:
    """The documents in every coding. Each is packed on a thread, since packing leaves Python alone."""
    found = await asyncio.gather(*(asyncio.to_thread(packed, one.body) for one in new.values()))
    return dict(zip(new, found, strict=True))


def _stored(
    channel: Channel,
    stand: Stand,
    format: Format,
    document: Document,
    codings: Codings,
    state: str,
    at: datetime,
) -> StoredDocument:
    return StoredDocument(
        channel=channel.slug,
        format=format,
        state=state,
        media_type=document.media_type,
        codings=codings,
        etag=document.etag,
        last_modified=at,
        holds=tuple((row.entry_id, row.entry.revision) for row in stand.rows),
    )


def _put(
    session: Session,
    channel: Channel,
    new: Sequence[StoredDocument],
    same: Mapping[Format, str],
    written: Mapping[str, bytes],
    stand: Stand,
    clock: Clock,
) -> list[Way] | None:
    """Put documents in the place of the old ones; None where another process did so meanwhile.

    Gives the ways that stories came which stand in them for the first time.
    """
    exclusive(session, "documents")
    if documents.states(session, channel.slug) != {f: one.state for f, one in stand.old.items()}:
        return None
    for document in new:
        documents.put(session, document)
    for format, state in same.items():
        documents.keep(session, channel.slug, format, state)
    now = clock()
    documents.keep_fragments(session, written, (), now=now)
    fresh = carried.serve(session, channel.slug, [row.entry_id for row in stand.rows], now=now)
    # What a channel begins with did not come just now.
    return stories.ways(session, fresh, now) if stand.old else []


def _count(new: Sequence[StoredDocument], ways: Sequence[Way], seconds: float) -> None:
    """Count what stands ready now, for whoever watches the service."""
    for document in new:
        measures.DOCUMENTS.add(document.channel, document.format)
    if new:
        measures.RENDER_SECONDS.observe(seconds)
    for since_published, since_seen in ways:
        if since_published is not None:
            measures.WIRE_TO_FEED.observe(since_published, "published")
        measures.WIRE_TO_FEED.observe(since_seen, "first_seen")


async def _next_second(clock: Clock, last: datetime | None) -> datetime:
    while True:
        now = clock().replace(microsecond=0)
        if last is None or now > last:
            return now
        if last - now > timedelta(minutes=1):
            # The clock was set back: going on from the last time beats waiting for hours.
            return last + timedelta(seconds=1)
        await asyncio.sleep(0.05)
