"""Channels are rendered when something in them changed, and stored ready to be served.

First what subscribers are told is recorded (`store.carried`, under rising numbers), then what left
the document goes into archive pages, then the documents follow. A crash in between leaves
documents that are stale, and the next rendering mends that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlmodel import Session

from aggregator.flows.archives import archive_past, forget_removed
from aggregator.flows.candidates import cursor_name
from aggregator.flows.plans import (
    Drawn,
    Look,
    Press,
    kept_sizes,
    language_of,
    look_at,
    names_of,
    plan_of,
    write_plan,
)
from aggregator.flows.remembered import Memory, memory_of
from aggregator.flows.rendering import ATTEMPTS, atom_of, render_documents
from aggregator.model import Clock
from aggregator.outgoing import Carried, Told
from aggregator.rules.channels import Channel, Site
from aggregator.rules.topics import Topic, compile_topic
from aggregator.store import briefs, carried, documents, progress, renames
from aggregator.store.database import Database, StoreError

log = logging.getLogger(__name__)


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
class _Idle:
    """A state in which a channel left nothing to do, and what was answered."""

    channel: Channel
    press: Press
    look: Look
    #: It holds between these times; without an end where nothing in the channel grows too old.
    since: datetime
    until: datetime | None
    done: Rendered

    def holds(self, channel: Channel, press: Press, look: Look, now: datetime) -> bool:
        """Whether a channel stands as it stood then."""
        in_time = self.until is None or self.since <= now <= self.until
        return in_time and (self.channel, self.press, self.look) == (channel, press, look)


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
    press = press_of(site, topics, hubs)
    await settle_names(database, channels)
    return [await publish_channel(database, clock, channel, press) for channel in channels]


def press_of(site: Site, topics: Sequence[Topic], hubs: Sequence[str]) -> Press:
    """What channels are rendered with."""
    return Press(site, {topic.slug: compile_topic(topic) for topic in topics}, tuple(hubs))


async def settle_names(database: Database, channels: Sequence[Channel]) -> None:
    """Let these be all the channels: some under a new name, and none besides."""
    memory_of(database).forget_others([channel.slug for channel in channels])
    if not await database.read(partial(are_settled, channels=channels)):
        await database.write(partial(_settle_names, channels=channels))


def are_settled(session: Session, channels: Sequence[Channel]) -> bool:
    """Whether no channel has a past under an earlier name, and none is gone that has documents."""
    if documents.names(session) - {channel.slug for channel in channels}:
        return False
    return not any(
        renames.is_known(session, old) and not renames.is_known(session, channel.slug)
        for channel in channels
        for old in channel.formerly
    )


def _settle_names(session: Session, channels: Sequence[Channel]) -> None:
    """Let channels keep their past under a new name, and forget the documents of those that are no more."""
    for channel in channels:
        # The newest of its earlier names is the one that its subscribers know.
        for old in reversed(channel.formerly):
            renames.rename_channel(session, old, channel.slug)
    documents.drop_channels(session, [channel.slug for channel in channels])


async def publish_channel(database: Database, clock: Clock, channel: Channel, press: Press) -> Rendered:
    """Render one channel if it is stale, in every format."""
    memory = memory_of(database)
    look = await database.read(partial(look_at, channel=channel, press=press, memory=memory))
    now, idle = clock(), memory.idle.get(channel.slug)
    if isinstance(idle, _Idle) and idle.holds(channel, press, look, now):
        return _reported(idle.done)
    drawn = await _told(database, clock, channel, press, look, memory)
    stand = look.stand if drawn.look is look and drawn.is_idle else None
    is_new = await render_documents(database, clock, channel, press, stand, memory)
    done = Rendered(channel.slug, len(drawn.plan.present), is_new, drawn.fresh, tuple(drawn.refused.items()))
    if stand is not None and not is_new:
        memory.idle[channel.slug] = _Idle(channel, press, look, now, _next_end(channel, drawn), done)
    return _reported(done)


async def publish_upto(database: Database, clock: Clock, channel: Channel, press: Press) -> Rendered:
    """`publish_channel`, and note with which act of publishing it was done, for those who are told of it."""
    newest = await database.read(briefs.newest_publication)
    done = await publish_channel(database, clock, channel, press)
    name = _rendered(channel.slug)
    if await database.read(lambda session: progress.get(session, name)) < newest:
        await database.write(lambda session: progress.put(session, name, newest))
    return done


def rendered_upto(session: Session, slugs: Sequence[str]) -> int:
    """The newest act of publishing that all of these channels were rendered with (`publish_upto`)."""
    return min(
        (progress.get(session, _rendered(slug)) for slug in slugs),
        default=briefs.newest_publication(session),
    )


def _rendered(slug: str) -> str:
    return f"rendered:{slug}"


def _reported(done: Rendered) -> Rendered:
    for id, why in done.refused:
        log.warning("entry not published", extra={"channel": done.channel, "entry": id, "reason": why})
    return done


def _next_end(channel: Channel, drawn: Drawn) -> datetime | None:
    """When the first of a channel's entries grows too old for it; None where none ever does."""
    moments = [row.entry.updated for row in drawn.plan.present if row.entry.updated]
    return min(moments) + channel.age if channel.age and moments else None


async def _told(
    database: Database, clock: Clock, channel: Channel, press: Press, look: Look, memory: Memory
) -> Drawn:
    """Record what subscribers are told from now on, until nothing has come that was not looked at."""
    for _ in range(ATTEMPTS):
        while True:
            drawn = await _drawn(database, clock, channel, press, look, memory)
            is_recorded = drawn.is_idle or await _recorded(database, clock(), channel, press, drawn, memory)
            if is_recorded and not look.arrived.is_more:
                return drawn
            look = await database.read(partial(look_at, channel=channel, press=press, memory=memory))
            if not is_recorded:
                break
    raise StoreError(
        f"Channel {channel.slug} is being rendered by others all the time: it is tried again soon."
    )


async def _drawn(
    database: Database, clock: Clock, channel: Channel, press: Press, look: Look, memory: Memory
) -> Drawn:
    """The plan that a look leads to, its entries written."""
    plan = await asyncio.to_thread(plan_of, channel, press, look, clock())
    language = language_of(channel, press)
    kept = await database.read(partial(kept_sizes, rows=plan.present, language=language, memory=memory))
    return await asyncio.to_thread(write_plan, channel, press, look, plan, kept, clock())


async def _recorded(
    database: Database, now: datetime, channel: Channel, press: Press, drawn: Drawn, memory: Memory
) -> bool:
    """Record a plan, and once a day that the entries of before are still in use."""
    is_due = memory.noted.get(channel.slug) != now.date()
    record = partial(_record, channel=channel, press=press, drawn=drawn, memory=memory, note=is_due, now=now)
    is_recorded = await database.write(record)
    if is_recorded and is_due:
        memory.noted[channel.slug] = now.date()
    return is_recorded


def _record(
    session: Session,
    channel: Channel,
    press: Press,
    drawn: Drawn,
    memory: Memory,
    *,
    note: bool,
    now: datetime,
) -> bool:
    """Record a plan and archive what leaves the document; False where another process was faster."""
    look = drawn.look
    rows = drawn.plan.changed(look.before)
    ids = [row.entry_id for row in rows]
    if carried.of_ids(session, channel.slug, ids) != {id: look.before[id] for id in ids if id in look.before}:
        return False
    carried.tell(session, rows)
    language = language_of(channel, press)
    present = drawn.plan.present if note else ()
    used = [name for row in present for name in names_of(row, language).values()]
    documents.keep_fragments(session, drawn.written, used, now=now)
    pages = [page for row in rows if row.told is not Told.PUT and (page := _page_of(look, row))]
    if pages:
        forget_removed(session, channel, min(pages))
    archive_past(session, channel, press.site, partial(atom_of, language=language, memory=memory), now=now)
    progress.put(session, cursor_name(channel), look.arrived.upto)
    return True


def _page_of(look: Look, row: Carried) -> int | None:
    """The archive page in which a row stands as it was told before."""
    old = look.before.get(row.entry_id)
    return old.archived if old else None
