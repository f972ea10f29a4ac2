"""What editors see of topics: how much each takes, and what another wording would take instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from sqlmodel import Session

from aggregator.flows.catalogue import Catalogue
from aggregator.flows.topics import subject_of
from aggregator.model import Clock, Version
from aggregator.rules.channels import Channel
from aggregator.rules.topics import CompiledTopic, Topic, Verdict, decide, fingerprint, looks_for, weigh
from aggregator.store import definitions, partners, stories, subscribers, topics
from aggregator.store.database import Database
from aggregator.store.definitions import Definition
from aggregator.store.topics import TopicStanding

#: How far back a topic is tried.
TRIAL_SPAN = timedelta(days=30)
#: After so long without a story a trial looks at the time up to the newest one.
SILENCE = timedelta(days=1)
#: Stories that one trial decides, the newest first: about a second.
MOST_TRIED = 5_000
#: Stories that are shown of each kind.
MOST_SHOWN = 50
#: Days that are counted, today among them.
DAYS = 7


@dataclass(frozen=True, slots=True)
class TopicRow:
    """A topic in the list."""

    topic: Topic
    #: What the desk defines; None where it stands in the settings.
    definition: Definition | None
    #: Whether the settings define it, too.
    is_declared: bool
    channels: tuple[Channel, ...]
    #: Stories on each of the last days; the last one is today.
    days: tuple[int, ...]
    #: Stories in all.
    total: int
    #: Whether it has decided every story that is here.
    is_done: bool

    @property
    def today(self) -> int:
        """Stories of today."""
        return self.days[-1]

    @property
    def week(self) -> int:
        """Stories of all these days."""
        return sum(self.days)


@dataclass(frozen=True, slots=True)
class Follower:
    """A channel that takes a topic, with who would miss it."""

    channel: Channel
    #: What the desk defines of it; None where it stands in the settings.
    definition: Definition | None
    #: Titles of the partners that were given it.
    partners: tuple[str, ...]
    #: How many are pushed to.
    subscribers: int


@dataclass(frozen=True, slots=True)
class Tried:
    """A story under a topic as it would be."""

    version: Version
    #: Where it stands.
    url: str | None
    #: The topic's word as it would be, with its reasons.
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Pile:
    """Stories of which the same becomes: how many, and the newest of them."""

    count: int
    shown: tuple[Tried, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a topic would take instead of what it takes."""

    #: The end of the span, where no story came for long; None where that is now.
    until: datetime | None
    #: How many stories were published within the span.
    within: int
    #: How many of them hold a word that is looked for, and were decided.
    read: int
    #: Where there were more, the time of the oldest that was read: so far back this goes.
    cut_at: datetime | None
    #: In it then, and not now.
    comes: Pile
    #: In it now, and not then.
    goes: Pile
    stays: Pile
    #: Those that are in it neither way, and miss it by one part.
    near: Pile


def overview(session: Session, held: Catalogue, now: datetime, zone: tzinfo) -> list[TopicRow]:
    """Every topic, with what it took on each of the last days by this clock."""
    begins = day_begins(now, zone)
    daily = topics.daily(session, begins)
    standing = {one.slug: one for one in topics.standings(session)}
    newest = stories.newest_version(session)
    return [
        TopicRow(
            topic=compiled.topic,
            definition=held.definition("topic", slug),
            is_declared=held.declared.has("topic", slug),
            channels=held.using(slug),
            days=tuple(daily.get(slug, [0] * len(begins))),
            total=standing[slug].stories if slug in standing else 0,
            is_done=_is_done(compiled.topic, standing.get(slug), newest),
        )
        for slug, compiled in held.topics.items()
    ]


def day_begins(now: datetime, zone: tzinfo) -> list[datetime]:
    """When each of the last `DAYS` days began by this clock, today last."""
    today = now.astimezone(zone).date()
    return [
        datetime.combine(today - timedelta(days=days), time.min, zone) for days in range(DAYS - 1, -1, -1)
    ]


def followers(session: Session, held: Catalogue, slug: str) -> list[Follower]:
    """The channels that take a topic, with who reads them."""
    everyone = [one for one in partners.everyone(session) if not one.revoked_at]
    pushed = subscribers.everyone(session)
    return [
        Follower(
            channel=channel,
            definition=held.definition("channel", channel.slug),
            partners=tuple(one.title for one in everyone if channel.slug in one.channels),
            subscribers=sum(one.channel == channel.slug for one in pushed),
        )
        for channel in held.using(slug)
    ]


def past_of(session: Session, slug: str) -> list[Definition]:
    """What editors made of a topic, newest first."""
    return definitions.past(session, "topic", slug)


async def compare_topics(
    database: Database, clock: Clock, now: CompiledTopic | None, then: CompiledTopic
) -> Comparison:
    """What a topic would take of the newest stories, those of `TRIAL_SPAN`, against what it takes now.

    None takes nothing. Only stories that hold a word of either are read, and of these the newest
    `MOST_TRIED`: so it stays fast however much there is.
    """
    both = (then,) if now is None else (now, then)

    def compare(session: Session) -> Comparison:
        newest = stories.newest_at(session)
        # Where the wire has been silent for long, its last days say more than an empty month.
        until = newest if newest is not None and newest < clock() - SILENCE else None
        since = (until or clock()) - TRIAL_SPAN
        found = stories.versions_holding(session, looks_for(*both), since, limit=MOST_TRIED + 1)
        is_cut, found = len(found) > MOST_TRIED, found[:MOST_TRIED]
        piles = _sorted(found, now, then)
        shown = {name: pile[:MOST_SHOWN] for name, pile in piles.items()}
        urls = stories.urls_of(session, [one.story_id for some in shown.values() for one in some])

        def tried(version: Version) -> Tried:
            return Tried(version, urls.get(version.story_id), decide(then, subject_of(version)))

        return Comparison(
            until=until,
            within=stories.count_since(session, since),
            read=len(found),
            cut_at=found[-1].sorted_at if is_cut else None,
            **{name: Pile(len(pile), tuple(map(tried, shown[name]))) for name, pile in piles.items()},
        )

    return await database.read(compare)


def _sorted(
    found: Sequence[Version], now: CompiledTopic | None, then: CompiledTopic
) -> dict[str, list[Version]]:
    piles: dict[str, list[Version]] = {"comes": [], "goes": [], "stays": [], "near": []}
    for version in found:
        subject = subject_of(version)
        weighed = weigh(then, subject)
        was_in = now is not None and weigh(now, subject).is_in
        if weighed.is_in:
            piles["stays" if was_in else "comes"].append(version)
        elif was_in:
            piles["goes"].append(version)
        elif weighed.is_near:
            piles["near"].append(version)
    return piles


def _is_done(topic: Topic, standing: TopicStanding | None, newest: int) -> bool:
    """Whether a topic has decided everything that is here, as it is defined now."""
    return standing is not None and standing.upto >= newest and standing.fingerprint == fingerprint(topic)
