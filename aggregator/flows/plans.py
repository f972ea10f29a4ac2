"""What a channel would carry if it were rendered now: it is looked at, planned, and written down.

Nothing here writes to the store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from aggregator import __version__
from aggregator.flows.candidates import Arrived, arrived_stories, find_candidates
from aggregator.flows.remembered import Memory
from aggregator.outgoing import Carried
from aggregator.rules.carrying import Plan, draw, fit, tombstone_of, unplaced_since, without
from aggregator.rules.channels import Candidate, Channel, Site
from aggregator.rules.topics import CompiledTopic
from aggregator.store import carried, documents
from aggregator.store.documents import Standing
from feeds.errors import RenderError
from feeds.model import Tombstone
from feeds.write import WRITERS, Format


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
class Stand:
    """What the documents of a channel are to be made of, and what they are."""

    #: What subscribers were told that is present, newest first.
    rows: tuple[Carried, ...]
    tombstones: tuple[Tombstone, ...]
    #: The name of the newest archive page.
    archive: str | None
    #: By format.
    old: Mapping[str, Standing]


@dataclass(frozen=True, slots=True)
class Look:
    """A channel as it stands, and what it may carry now: one consistent state."""

    candidates: tuple[Candidate, ...]
    #: What was told of them, and all that is present, by entry id.
    before: Mapping[str, Carried]
    #: Seconds on which other entries stand.
    taken: frozenset[datetime]
    arrived: Arrived
    stand: Stand


@dataclass(frozen=True, slots=True)
class Drawn:
    """A plan whose entries are written: it fits, and what cannot be written is out."""

    look: Look
    plan: Plan
    #: Entries in every format that were written now, by name.
    written: Mapping[str, bytes]
    #: How many entries those are of.
    fresh: int
    #: Why an entry cannot be published, by its id.
    refused: Mapping[str, str]

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to record."""
        arrived = self.look.arrived
        is_new = arrived.since != arrived.upto or bool(self.written)
        return not is_new and not self.plan.changed(self.look.before)


def look_at(session: Session, channel: Channel, press: Press, memory: Memory | None = None) -> Look:
    """A channel as it stands and what it may carry now."""
    memory = memory or Memory()
    before = carried.present(session, channel.slug, memory.rows)
    stand = stand_of(session, channel, press.site, memory, before)
    arrived = arrived_stories(session, channel)
    candidates = find_candidates(
        session,
        channel,
        press.site,
        press.topics,
        stories_too={row.ref for row in before.values() if row.kind == "story"} | {*arrived.ids},
        briefs_too={row.ref for row in before.values() if row.kind == "brief"},
        memory=memory,
    )
    ids = {candidate.entry.id or "" for candidate in candidates}
    before |= carried.of_ids(session, channel.slug, ids - before.keys(), memory.rows)
    since = unplaced_since(candidates, before)
    taken = carried.seconds(session, channel.slug, since, but=ids) if since else set()
    return Look(tuple(candidates), before, frozenset(taken), arrived, stand)


def stand_of(
    session: Session,
    channel: Channel,
    site: Site,
    memory: Memory,
    present: Mapping[str, Carried] | None = None,
) -> Stand:
    """What the documents of a channel are to be made of, and what they are."""
    rows = carried.present(session, channel.slug, memory.rows) if present is None else present
    page = documents.newest_page(session, channel.slug)
    stones = carried.withdrawn(session, channel.slug, memory.rows)
    return Stand(
        rows=tuple(sorted(rows.values(), key=lambda row: (row.entry.updated, row.entry_id), reverse=True)),
        tombstones=tuple(tombstone_of(row, site.author) for row in stones),
        archive=page[1] if page else None,
        old=documents.standing(session, channel.slug),
    )


def plan_of(channel: Channel, press: Press, look: Look, now: datetime) -> Plan:
    """The channel as it is to stand, before it is known whether everything fits."""
    return draw(channel, look.candidates, before=look.before, taken=look.taken, titles=press.titles, now=now)


def kept_sizes(
    session: Session, rows: Sequence[Carried], language: str | None, memory: Memory | None = None
) -> dict[str, Mapping[Format, int]]:
    """How many bytes the entries of these rows have in the formats in which they are kept, by entry id."""
    remembered = (memory or Memory()).sizes
    keys = {row.entry_id: (row.digest, row.entry.updated, language) for row in rows}
    known = remembered.get_all(keys.values())
    found = {id: known[key] for id, key in keys.items() if key in known}
    names = {row.entry_id: names_of(row, language) for row in rows if row.entry_id not in found}
    kept = documents.sizes(session, [name for each in names.values() for name in each.values()])
    for id, each in names.items():
        found[id] = {format: kept[name] for format, name in each.items() if name in kept}
        if len(found[id]) == len(WRITERS):
            remembered[keys[id]] = found[id]
    return found


def write_plan(
    channel: Channel,
    press: Press,
    look: Look,
    plan: Plan,
    kept: Mapping[str, Mapping[Format, int]],
    now: datetime,
) -> Drawn:
    """Write the entries that are present and not kept, in every format; one bad one never stops a channel."""
    language = language_of(channel, press)
    sizes: dict[str, int] = {}
    written: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    fresh = 0
    for row in plan.present:
        have = kept.get(row.entry_id, {})
        missing: list[Format] = [format for format in WRITERS if format not in have]
        try:
            new = {format: fragment(row, format, language) for format in missing}
        except (RenderError, ValueError) as error:
            refused[row.entry_id] = str(error)
            continue
        if new:
            names = names_of(row, language)
            written |= {names[format]: body for format, body in new.items()}
            fresh += 1
        sizes[row.entry_id] = len(new["atom"]) if "atom" in new else have["atom"]
    plan = without(plan, refused, look.before, now) if refused else plan
    return Drawn(look, fit(plan, sizes, channel.body_bytes), written, fresh, refused)


def names_of(row: Carried, language: str | None) -> dict[Format, str]:
    """What the entry of a row is kept under in each format.

    A name stands for the bytes: it is a digest of the entry as it is told, of the language of its
    channel and of the program that wrote it.
    """
    told = row.entry.updated.isoformat() if row.entry.updated else ""
    digest = hashlib.sha256(f"{__version__}\n{language}\n{row.digest}\n{told}".encode()).hexdigest()
    return {format: f"{digest}.{format}" for format in WRITERS}


def fragment(row: Carried, format: Format, language: str | None) -> bytes:
    """The entry of a row in a format.

    Raises:
        RenderError: the entry lacks what the format cannot do without.
    """
    return WRITERS[format].entry_fragment(row.entry, language=language)


def language_of(channel: Channel, press: Press) -> str:
    """The language of a channel's own words (BCP 47)."""
    return channel.language or press.site.language
