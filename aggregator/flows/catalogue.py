"""What is followed and published now: the settings, and what editors defined instead of it or besides.

Both are read anew where somebody defined something, so that every process follows without a
restart: one that serves looks at most once a second, the schedule at every digest and push.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.model import Clock
from aggregator.people import Deed
from aggregator.rules.channels import Channel
from aggregator.rules.definitions import channel_faults, former_name
from aggregator.rules.topics import CompiledTopic, Topic, compile_topic
from aggregator.store import audit, definitions, partners
from aggregator.store.database import Database, StoreError
from aggregator.store.definitions import Definition, DefinitionKind

log = logging.getLogger(__name__)

#: How long a catalogue in memory is taken for fresh.
FRESH = timedelta(seconds=1)
#: How long a request waits for that, in seconds, where something is held.
PATIENCE = 0.05

_TYPES: Mapping[DefinitionKind, TypeAdapter[Any]] = {
    "topic": TypeAdapter(Topic),
    "channel": TypeAdapter(Channel),
}

Key = tuple[DefinitionKind, str]


@dataclass(frozen=True, slots=True)
class Declared:
    """What the settings say, which nothing but a restart changes."""

    topics: Sequence[Topic] = ()
    channels: Sequence[Channel] = ()

    def has(self, kind: DefinitionKind, slug: str) -> bool:
        """Whether the settings define this name."""
        return any(one.slug == slug for one in (self.topics if kind == "topic" else self.channels))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The topics and channels that hold."""

    declared: Declared
    #: By slug: those of the settings in their order, then those of the desk.
    topics: Mapping[str, CompiledTopic]
    #: In the same order.
    channels: tuple[Channel, ...]
    #: The newest definition that this was made of; 0 where there was none.
    upto: int = 0
    #: What editors said last of each name.
    definitions: Mapping[Key, Definition] = field(default_factory=dict)
    #: What of it cannot be used as it stands, in words.
    problems: tuple[str, ...] = ()
    #: Channels by slug.
    by_slug: Mapping[str, Channel] = field(default_factory=dict)
    #: The slug that a channel has now, by each that it had before.
    moved: Mapping[str, str] = field(default_factory=dict)

    @property
    def plain_topics(self) -> tuple[Topic, ...]:
        """The topics as they were written."""
        return tuple(compiled.topic for compiled in self.topics.values())

    def definition(self, kind: DefinitionKind, slug: str) -> Definition | None:
        """What the desk defines under this name now; None where the settings' word holds, or none."""
        found = self.definitions.get((kind, slug))
        return None if found is None or found.is_removed else found

    def began(self, kind: DefinitionKind, slug: str) -> int:
        """The id of what editors said last of this name; 0 where they said nothing."""
        found = self.definitions.get((kind, slug))
        return found.id if found else 0

    def has_ended(self, channel: str) -> bool:
        """Whether there was a channel of this name, made at the desk, and is no more."""
        return channel not in self.by_slug and ("channel", channel) in self.definitions

    def using(self, topic: str) -> tuple[Channel, ...]:
        """The channels that take a topic by its name."""
        return tuple(channel for channel in self.channels if topic in channel.topics)


@dataclass(frozen=True, slots=True)
class Defined:
    """A definition was added, or stood so already."""

    id: int


@dataclass(frozen=True, slots=True)
class Clash:
    """Somebody else defined it since; nothing was done."""

    theirs: Definition


def catalogue_now(session: Session, declared: Declared) -> Catalogue:
    """What holds now."""
    return _made(declared, definitions.standing(session))


def only(declared: Declared) -> Catalogue:
    """What the settings say, without a look at what editors defined."""
    return _made(declared, [])


def _made(declared: Declared, standing: Sequence[Definition]) -> Catalogue:
    topics: dict[str, CompiledTopic] = {topic.slug: _compiled(topic) for topic in declared.topics}
    channels = {channel.slug: channel for channel in declared.channels}
    problems: list[str] = []
    for definition in (one for one in standing if not one.is_removed):
        # One that a newer wirebrief wrote, or a hand spoiled, must not take the others along.
        try:
            value = value_of(definition)
            if isinstance(value, Topic):
                topics[value.slug] = _compiled(value)
            else:
                channels[value.slug] = value
        except BadInput as error:
            problems.append(f"The {definition.kind} {definition.slug} cannot be used: {error}")
    for channel in channels.values():
        problems += _faults(channel, channels, topics)
    return Catalogue(
        declared=declared,
        topics=topics,
        channels=tuple(channels.values()),
        upto=max((one.id for one in standing), default=0),
        definitions={(one.kind, one.slug): one for one in standing},
        problems=tuple(problems),
        by_slug=channels,
        moved={name: one.slug for one in channels.values() for name in one.formerly},
    )


@lru_cache(maxsize=512)
def _compiled(topic: Topic) -> CompiledTopic:
    return compile_topic(topic)


def _faults(
    channel: Channel, channels: Mapping[str, Channel], topics: Mapping[str, CompiledTopic]
) -> list[str]:
    def named(part: str) -> str:
        return f"{channel.slug}: {part}" if part else "The name"

    slugs = {*channels, channel.slug}
    found = channel_faults(channel, among=slugs, topics=topics, named=named, no_topic="no such topic")
    return list(found)


def value_of(definition: Definition) -> Topic | Channel:
    """What a definition says.

    Raises:
        BadInput: its fields are none of a topic or a channel.
    """
    given = {**definition.body, "slug": definition.slug}
    try:
        found: Topic | Channel = _TYPES[definition.kind].validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        part = ".".join(str(each) for each in first["loc"])
        raise BadInput(f"{part} = {first['input']!r}: {first['msg'].lower()}.") from error
    return found


def body_of(value: Topic | Channel) -> dict[str, Any]:
    """The fields of a topic or a channel as a definition keeps them: without its name and what is usual."""
    kind = kind_of(value)
    plain: dict[str, Any] = _TYPES[kind].dump_python(value, mode="json", exclude_defaults=True)
    for name, given in plain.items():
        if isinstance(own := getattr(value, name), timedelta):
            plain[name] = f"{own.total_seconds():.3f}s"
        elif isinstance(own, frozenset):
            plain[name] = sorted(given)
    return {name: given for name, given in plain.items() if name != "slug"}


def kind_of(value: Topic | Channel) -> DefinitionKind:
    """What this is."""
    return "topic" if isinstance(value, Topic) else "channel"


class Keeper:
    """The catalogue of a process that serves: as fresh as a second ago."""

    def __init__(self, database: Database, clock: Clock, declared: Declared) -> None:
        self.held = only(declared)
        #: False until the database was read once.
        self.is_known = False
        self.declared = declared
        self._database = database
        self._clock = clock
        self._checked: datetime | None = None
        self._checking: asyncio.Task[None] | None = None
        self._doubts = 0

    def doubt(self) -> None:
        """Look again when somebody asks: an editor defined something."""
        self._doubts += 1
        self._checked = None

    @property
    def is_due(self) -> bool:
        """Whether it is time to look again."""
        # A clock that was set back must not stop the looks, so the distance counts.
        return self._checked is None or abs(self._clock() - self._checked) >= FRESH

    async def follow(self) -> None:
        """Take what editors defined meanwhile; one look for all who ask.

        What is held stays on failure, and while the store is busy with other things.
        """
        if not self.is_due:
            return
        if self._checking is None:
            self._checking = asyncio.create_task(self._look())
            self._checking.add_done_callback(self._forget)
        # Not awaited itself: a client that goes away must not take the look from the others.
        await asyncio.wait({self._checking}, timeout=PATIENCE if self.is_known else None)

    async def define(self, value: Topic | Channel, *, began: int | None, by: str) -> Defined | Clash:
        """Let a topic or a channel be so from now on.

        `began` is what `Catalogue.began` said when its editor began; None where it is to be new.

        Raises:
            BadInput: it cannot be used, with what to write instead.
        """
        now = self._clock()

        def work(session: Session) -> Defined | Clash:
            definitions.alone(session)
            held = catalogue_now(session, self.declared)
            kind = kind_of(value)
            last, there = held.definitions.get((kind, value.slug)), _standing(held, kind, value.slug)
            if began is None and there is not None:
                raise BadInput(
                    f"There is a {kind} {value.slug} already: choose another name, or open that one."
                )
            if began is not None and last is not None and last.id != began:
                return Clash(last)
            _require_usable(value, held)
            if value == there:
                return Defined(began or 0)
            deed = Deed(by, f"{kind}.define", value.slug, _body(there), body_of(value))
            audit.add(session, deed, now)
            return Defined(definitions.add(session, kind, value.slug, body_of(value), by=by, now=now))

        done = await self._database.write(work)
        await self._look()
        return done

    async def take_back(self, kind: DefinitionKind, slug: str, *, began: int, by: str) -> Defined | Clash:
        """Let the desk define nothing of this name any more: what the settings say of it holds, if anything.

        Raises:
            BadInput: the desk does not define it, or a channel or a partner goes by this topic.
        """
        now = self._clock()

        def work(session: Session) -> Defined | Clash:
            definitions.alone(session)
            held = catalogue_now(session, self.declared)
            last = held.definition(kind, slug)
            if last is None:
                raise BadInput(
                    f"The desk does not define the {kind} {slug}, so there is nothing to take back."
                )
            if last.id != began:
                return Clash(last)
            if kind == "topic" and not self.declared.has(kind, slug):
                _require_unused(session, slug, held)
            audit.add(session, Deed(by, f"{kind}.take-back", slug, _body(_standing(held, kind, slug))), now)
            return Defined(definitions.take_back(session, kind, slug, by=by, now=now))

        done = await self._database.write(work)
        await self._look()
        return done

    def _forget(self, _done: asyncio.Task[None]) -> None:
        self._checking = None

    async def _look(self) -> None:
        def look(session: Session) -> Catalogue | None:
            is_new = not self.is_known or definitions.newest_id(session) != self.held.upto
            return catalogue_now(session, self.declared) if is_new else None

        doubts = self._doubts
        try:
            found = await self._database.read(look)
        except StoreError as error:
            log.warning("definitions could not be read", extra={"reason": str(error)})
        else:
            if found is not None:
                # Two looks may end in another order than they began.
                if found.upto >= self.held.upto:
                    self.held = found
                for problem in found.problems:
                    log.warning("definition cannot be used", extra={"reason": problem})
            self.is_known = True
        # What was defined while the store was asked is not in its answer.
        self._checked = self._clock() if doubts == self._doubts else None


def _standing(held: Catalogue, kind: DefinitionKind, slug: str) -> Topic | Channel | None:
    """What holds under this name."""
    if kind == "channel":
        return held.by_slug.get(slug)
    found = held.topics.get(slug)
    return found.topic if found else None


def _body(value: Topic | Channel | None) -> dict[str, Any]:
    return body_of(value) if value is not None else {}


def _require_usable(value: Topic | Channel, held: Catalogue) -> None:
    if not value.title.strip():
        raise BadInput("Give it a title: readers and editors know it by that.")
    if isinstance(value, Topic):
        _compiled(value)
        return
    for fault in _faults(value, held.by_slug, held.topics):
        raise BadInput(fault)
    others = [one for one in held.channels if one.slug != value.slug]
    if before := former_name(value.slug, others):
        raise BadInput(
            f"{value.slug} was the name of “{before.title}”, and leads there: choose another name."
        )


def _require_unused(session: Session, slug: str, held: Catalogue) -> None:
    users = [f"the channel “{channel.title}”" for channel in held.using(slug)]
    users += [
        f"the partner {one.title}"
        for one in partners.everyone(session)
        if slug in one.topics and not one.revoked_at
    ]
    if users:
        raise BadInput(
            f"This topic is used by {', '.join(users)}: let them do without it first, then remove it."
        )
