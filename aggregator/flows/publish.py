"""Channels are rendered when something in them changed, and stored ready to be served.

First what subscribers are told is recorded (`store.carried`, under rising numbers), then what left
the document goes into archive pages, then the documents follow. A crash in between leaves
documents that are stale, and the next rendering mends that.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from aggregator import __version__
from aggregator.flows.archives import archive_past, forget_removed
from aggregator.flows.candidates import Arrived, arrived_stories, cursor_name, find_candidates
from aggregator.model import Clock
from aggregator.outgoing import Carried, StoredDocument, Told
from aggregator.rules.carrying import Plan, draw, fit, tombstone_of, without
from aggregator.rules.channels import Candidate, Channel, Site, head_of
from aggregator.rules.codings import packed
from aggregator.rules.topics import CompiledTopic, Topic, compile_topic
from aggregator.store import carried, documents, progress, renames
from aggregator.store.database import Database, StoreError
from aggregator.store.dialects import exclusive
from feeds.errors import RenderError
from feeds.model import Document, Feed, Tombstone
from feeds.write import WRITERS, Format

log = logging.getLogger(__name__)

#: Another process may render the same channel at the same moment: then its state is looked at anew.
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Press:
    """What all channels are rendered with."""

    site: Site
    #: By slug.
    topics: Mapping[str, CompiledTopic]
    #: Addresses of the hubs that every document names.
    hubs: tuple[str, ...] = ()

    @property
    def titles(self) -> dict[str, str]:
        """The title of each topic by its slug."""
        return {slug: each.topic.title for slug, each in self.topics.items()}


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of a channel."""

    channel: str
    entries: int
    #: False where nothing in it had changed, so that its bytes stay.
    is_new: bool
    #: Entries that had to be rendered; the others were kept from before.
    fresh: int
    #: Entries that cannot be published, by id with the reason.
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """A channel as it stands, and what it may carry now: one consistent state."""

    candidates: tuple[Candidate, ...]
    #: What was told of them, and all that is present, by entry id.
    before: Mapping[str, Carried]
    #: Seconds on which other entries stand.
    taken: frozenset[datetime]
    arrived: Arrived


async def publish_channels(
    database: Database,
    clock: Clock,
    site: Site,
    channels: Sequence[Channel],
    topics: Sequence[Topic],
    *,
    hubs: Sequence[str] = (),
) -> list[Rendered]:
    """Render every channel that is stale. Doing it twice changes nothing.

    A document's Last-Modified strictly rises, in whole seconds, since some readers go by it
    alone: within one second the second change waits for the next.
    """
    press = Press(site, {topic.slug: compile_topic(topic) for topic in topics}, tuple(hubs))
    await database.write(partial(_settle_names, channels=channels))
    return [await publish_channel(database, clock, channel, press) for channel in channels]


def _settle_names(session: Session, channels: Sequence[Channel]) -> None:
    """Let channels keep their past under a new name, and forget the documents of those that are no more."""
    for channel in channels:
        # The newest of its earlier names is the one that its subscribers know.
        for old in reversed(channel.formerly):
            renames.rename_channel(session, old, channel.slug)
    documents.drop_channels(session, [channel.slug for channel in channels])


async def publish_channel(database: Database, clock: Clock, channel: Channel, press: Press) -> Rendered:
    """Render one channel if it is stale, in every format."""
    drawn = await _told(database, clock, channel, press)
    is_new = await _render_documents(database, clock, channel, press)
    for id, why in drawn.refused.items():
        log.warning("entry not published", extra={"channel": channel.slug, "entry": id, "reason": why})
    return Rendered(channel.slug, len(drawn.plan.present), is_new, drawn.fresh, tuple(drawn.refused.items()))


def look_at(session: Session, channel: Channel, press: Press) -> Look:
    """A channel as it stands and what it may carry now."""
    before = carried.present(session, channel.slug)
    arrived = arrived_stories(session, channel)
    candidates = find_candidates(
        session,
        channel,
        press.site,
        press.topics,
        stories_too={row.ref for row in before.values() if row.kind == "story"} | {*arrived.ids},
        briefs_too={row.ref for row in before.values() if row.kind == "brief"},
    )
    ids = {candidate.entry.id or "" for candidate in candidates}
    before |= carried.of_ids(session, channel.slug, ids - before.keys())
    moments = [candidate.entry.updated for candidate in candidates if candidate.entry.updated]
    taken = carried.seconds(session, channel.slug, min(moments), but=ids) if moments else set()
    return Look(tuple(candidates), before, frozenset(taken), arrived)


def plan_of(channel: Channel, press: Press, look: Look, now: datetime) -> Plan:
    """The channel as it is to stand, before it is known whether everything fits."""
    return draw(channel, look.candidates, before=look.before, taken=look.taken, titles=press.titles, now=now)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A plan whose entries are written: it fits, and what cannot be written is out."""

    look: Look
    plan: Plan
    #: Entries in every format that were written now, by digest.
    written: Mapping[str, bytes]
    #: How many entries those are of.
    fresh: int
    #: Why an entry cannot be published, by its id.
    refused: Mapping[str, str]


async def _told(database: Database, clock: Clock, channel: Channel, press: Press) -> Drawn:
    """Record what subscribers are told from now on, until nothing has come that was not looked at."""
    for _ in range(ATTEMPTS):
        is_more = True
        while is_more:
            look = await database.read(partial(look_at, channel=channel, press=press))
            plan = await asyncio.to_thread(plan_of, channel, press, look, clock())
            kept = await database.read(
                partial(kept_fragments, rows=plan.present, language=language_of(channel, press))
            )
            drawn = await asyncio.to_thread(write_plan, channel, press, look, plan, kept, clock())
            record = partial(_record, channel=channel, press=press, look=look, drawn=drawn, now=clock())
            is_idle = not drawn.plan.changed(look.before) and look.arrived.since == look.arrived.upto
            is_recorded = is_idle or await database.write(record)
            is_more = is_recorded and look.arrived.is_more
        if is_recorded:
            return drawn
    raise StoreError(
        f"Channel {channel.slug} is being rendered by others all the time: it is tried again soon."
    )


def write_plan(
    channel: Channel, press: Press, look: Look, plan: Plan, kept: Mapping[str, bytes], now: datetime
) -> Drawn:
    """Write the entries that are present and not kept, in every format; one bad one never stops a channel."""
    language = language_of(channel, press)
    sizes: dict[str, int] = {}
    written: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    fresh = 0
    for row in plan.present:
        missing = [format for format in WRITERS if fragment_name(row, format, language) not in kept]
        try:
            new = {fragment_name(row, f, language): _fragment(row, f, language) for f in missing}
        except (RenderError, ValueError) as error:
            refused[row.entry_id] = str(error)
            continue
        written |= new
        fresh += bool(new)
        name = fragment_name(row, "atom", language)
        sizes[row.entry_id] = len(kept.get(name) or new[name])
    plan = without(plan, refused, look.before, now) if refused else plan
    return Drawn(look, fit(plan, sizes, channel.body_bytes), written, fresh, refused)


def _record(
    session: Session, channel: Channel, press: Press, look: Look, drawn: Drawn, now: datetime
) -> bool:
    """Record a plan and archive what leaves the document; False where another process was faster."""
    rows = drawn.plan.changed(look.before)
    ids = [row.entry_id for row in rows]
    if carried.of_ids(session, channel.slug, ids) != {id: look.before[id] for id in ids if id in look.before}:
        return False
    carried.tell(session, rows)
    language = language_of(channel, press)
    if rows:
        used = [fragment_name(row, format, language) for row in drawn.plan.present for format in WRITERS]
        documents.keep_fragments(session, drawn.written, used, now=now)
    pages = [page for row in rows if row.told is not Told.PUT and (page := _page_of(look, row))]
    if pages:
        forget_removed(session, channel, min(pages))
    archive_past(session, channel, press.site, partial(_fragments, language=language), now=now)
    progress.put(session, cursor_name(channel), look.arrived.upto)
    return True


def _page_of(look: Look, row: Carried) -> int | None:
    """The archive page in which a row stands as it was told before."""
    old = look.before.get(row.entry_id)
    return old.archived if old else None


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the documents of a channel are made of."""

    rows: tuple[Carried, ...]
    tombstones: tuple[Tombstone, ...]
    archive: str | None
    old: Mapping[str, StoredDocument]


async def _render_documents(database: Database, clock: Clock, channel: Channel, press: Press) -> bool:
    """Bring the documents of a channel to what its subscribers were told; whether any bytes changed."""
    for _ in range(ATTEMPTS):
        standing = await database.read(partial(_standing, channel=channel, site=press.site))
        heads = {format: _head(channel, press, standing, format) for format in WRITERS}
        states = {format: _state(head, standing.rows) for format, head in heads.items()}
        stale = [f for f in WRITERS if f not in standing.old or standing.old[f].state != states[f]]
        if not stale:
            return False
        bodies = await database.read(
            partial(_assemble, heads={f: heads[f] for f in stale}, rows=standing.rows)
        )
        dates = [old.last_modified for old in standing.old.values()]
        at = await _next_second(clock, max(dates, default=None))
        new = await asyncio.to_thread(_documents, channel, standing, bodies, states, at)
        put = partial(_put, channel=channel, new=new, standing=standing, clock=clock)
        if await database.write(put):
            return any(d.last_modified == at for d in new)
    raise StoreError(
        f"Channel {channel.slug} is being rendered by others all the time: it is tried again soon."
    )


def _standing(session: Session, channel: Channel, site: Site) -> _Standing:
    rows = carried.present(session, channel.slug).values()
    page = documents.newest_page(session, channel.slug)
    return _Standing(
        rows=tuple(sorted(rows, key=lambda row: (row.entry.updated, row.entry_id), reverse=True)),
        tombstones=tuple(tombstone_of(row, site.author) for row in carried.withdrawn(session, channel.slug)),
        archive=page.name if page else None,
        old=documents.of_channel(session, channel.slug),
    )


def _head(channel: Channel, press: Press, standing: _Standing, format: str) -> Feed:
    return head_of(
        channel,
        press.site,
        updated=standing.rows[0].entry.updated if standing.rows else None,
        format=format,
        hubs=press.hubs,
        # Pages are Atom, so only a document of that family leads to them.
        archive=standing.archive if format in ("atom", "rss") else None,
        tombstones=standing.tombstones,
    )


def _assemble(
    session: Session, heads: Mapping[Format, Feed], rows: Sequence[Carried]
) -> dict[Format, Document]:
    return {
        format: WRITERS[format].assemble(
            head, _fragments(session, rows, language=head.language, format=format)
        )
        for format, head in heads.items()
    }


def _documents(
    channel: Channel,
    standing: _Standing,
    bodies: Mapping[Format, Document],
    states: Mapping[Format, str],
    at: datetime,
) -> list[StoredDocument]:
    found = []
    for format, document in bodies.items():
        old = standing.old.get(format)
        if old is not None and old.etag == document.etag:
            # Something changed that no subscriber would see.
            found.append(replace(old, state=states[format]))
        else:
            found.append(
                StoredDocument(
                    channel=channel.slug,
                    format=format,
                    state=states[format],
                    media_type=document.media_type,
                    codings=packed(document.body),
                    etag=document.etag,
                    last_modified=at,
                    holds=tuple((row.entry_id, row.entry.revision) for row in standing.rows),
                )
            )
    return found


def _put(
    session: Session, channel: Channel, new: Sequence[StoredDocument], standing: _Standing, clock: Clock
) -> bool:
    """Put documents in the place of the old ones; False where another process did so meanwhile."""
    exclusive(session, "documents")
    if documents.states(session, channel.slug) != {f: one.state for f, one in standing.old.items()}:
        return False
    for document in new:
        documents.put(session, document)
    carried.serve(session, channel.slug, [row.entry_id for row in standing.rows], now=clock())
    return True


def fragment_name(row: Carried, format: str, language: str | None) -> str:
    """What a fragment is kept under: the entry as it is told, the format, the program that wrote it."""
    told = row.entry.updated.isoformat() if row.entry.updated else ""
    return hashlib.sha256(f"{__version__}\n{format}\n{language}\n{row.digest}\n{told}".encode()).hexdigest()


def _fragment(row: Carried, format: Format, language: str | None) -> bytes:
    return WRITERS[format].entry_fragment(row.entry, language=language)


def _fragments(
    session: Session, rows: Sequence[Carried], *, language: str | None, format: Format = "atom"
) -> list[bytes]:
    """The entries of these rows in a format, in their order."""
    names = [fragment_name(row, format, language) for row in rows]
    kept = documents.fragments(session, names)
    return [kept.get(n) or _fragment(row, format, language) for n, row in zip(names, rows, strict=True)]


def kept_fragments(session: Session, rows: Sequence[Carried], language: str | None) -> dict[str, bytes]:
    """The entries of these rows in every format, as far as they are kept, by name."""
    return documents.fragments(session, [fragment_name(r, f, language) for r in rows for f in WRITERS])


def language_of(channel: Channel, press: Press) -> str:
    """The language of a channel's own words (BCP 47)."""
    return channel.language or press.site.language


def _state(head: Feed, rows: Sequence[Carried]) -> str:
    told = [f"{row.digest} {row.entry.updated}" for row in rows]
    return hashlib.sha256("\n".join([__version__, repr(head), *told]).encode()).hexdigest()


async def _next_second(clock: Clock, last: datetime | None) -> datetime:
    while True:
        now = clock().replace(microsecond=0)
        if last is None or now > last:
            return now
        if last - now > timedelta(minutes=1):
            # The clock was set back: going on from the last time beats waiting for hours.
            return last + timedelta(seconds=1)
        await asyncio.sleep(0.05)
