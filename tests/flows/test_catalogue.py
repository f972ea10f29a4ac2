from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator.app import App
from aggregator.errors import BadInput
from aggregator.flows.catalogue import (
    FRESH,
    Catalogue,
    Clash,
    Declared,
    Defined,
    Keeper,
    body_of,
    catalogue_now,
    value_of,
)
from aggregator.flows.partners import Terms, add_partner
from aggregator.model import Reuse
from aggregator.rules.channels import Channel
from aggregator.rules.topics import Topic, TopicError
from aggregator.settings import Settings
from aggregator.store import definitions, documents, topics
from aggregator.store.database import Database
from aggregator.store.definitions import Definition
from tests.conftest import NOW, Clock
from tests.web.newsroom import lost

TALKS = Topic("talks", "Talks", any=("talks", '"cease fire"'), all=(("a", "b"), ("c",)), none=("football",))
GULF = Topic("gulf", "The Gulf", any=("doha",), languages=frozenset(("fr", "en")), sources=frozenset(("x",)))
WIRE = Channel("wire", "The wire")
ON_GULF = Channel("gulf", "The Gulf", topics=("gulf",), entries=10)
FILE = Declared((TALKS,), (WIRE,))


def keeper(database: Database, clock: Clock, declared: Declared = FILE) -> Keeper:
    return Keeper(database, clock, declared)


def now(database: Database, declared: Declared = FILE) -> Catalogue:
    return database.read_now(lambda session: catalogue_now(session, declared))


def past(database: Database, slug: str = "talks") -> Sequence[Definition]:
    return database.read_now(lambda session: definitions.past(session, "topic", slug))


def written(database: Database, kind: str, slug: str, body: dict[str, object]) -> None:
    database.write_now(lambda s: definitions.add(s, kind, slug, body, by="ada", now=NOW))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [
        TALKS,
        GULF,
        WIRE,
        Channel(
            "all", "All", topics=("talks",), languages=("fr",), reuse=Reuse.FULL, carries=("briefs",),
            age=timedelta(days=8), is_public=False, formerly=("old",), description="D", query="peace",
        ),
    ],
    ids=lambda value: value.slug,
)  # fmt: skip
def test_what_is_written_into_a_definition_is_read_from_it(value: Topic | Channel) -> None:
    kind = "topic" if isinstance(value, Topic) else "channel"
    body = body_of(value)
    assert "slug" not in body
    assert value_of(Definition(1, kind, value.slug, body, False, "ada", NOW)) == value  # type: ignore[arg-type]


def test_a_definition_keeps_only_what_is_not_usual() -> None:
    assert body_of(WIRE) == {"title": "The wire"}
    assert body_of(GULF)["languages"] == ["en", "fr"]


async def test_without_definitions_the_settings_hold(database: Database) -> None:
    held = now(database)
    assert (held.plain_topics, held.channels, held.upto, held.problems) == ((TALKS,), (WIRE,), 0, ())


async def test_what_the_desk_defines_stands_instead_of_the_file_and_can_be_given_back(
    database: Database, clock: Clock
) -> None:
    desk = keeper(database, clock)
    other = replace(TALKS, title="Peace talks", any=("peace",))
    done = await desk.define(other, began=0, by="ada")
    assert isinstance(done, Defined)
    held = now(database)
    assert held.plain_topics == (other,)
    definition = held.definition("topic", "talks")
    assert definition is not None
    assert (definition.id, definition.by, definition.at) == (done.id, "ada", NOW)
    assert await desk.take_back("topic", "talks", began=done.id, by="bob") != done
    assert now(database).plain_topics == (TALKS,)
    assert now(database).definition("topic", "talks") is None
    assert [(one.by, one.is_removed) for one in past(database)] == [("bob", True), ("ada", False)]


async def test_what_the_desk_adds_comes_after_what_the_file_has(database: Database, clock: Clock) -> None:
    desk = keeper(database, clock)
    await desk.define(GULF, began=None, by="ada")
    await desk.define(replace(TALKS, title="Other"), began=0, by="ada")
    await desk.define(ON_GULF, began=None, by="ada")
    assert list(desk.held.topics) == ["talks", "gulf"]
    assert desk.held.channels == (WIRE, ON_GULF)
    assert desk.held.using("gulf") == (ON_GULF,)


async def test_what_is_saved_unchanged_is_no_new_definition(database: Database, clock: Clock) -> None:
    desk = keeper(database, clock)
    assert await desk.define(TALKS, began=0, by="ada") == Defined(0)
    assert past(database) == []


async def test_the_desk_cannot_break_a_topic(database: Database, clock: Clock) -> None:
    desk = keeper(database, clock)
    with pytest.raises(TopicError, match=r"Topic talks, any, the term '\('"):
        await desk.define(replace(TALKS, any=("(",)), began=0, by="ada")
    with pytest.raises(TopicError, match="looks for nothing"):
        await desk.define(Topic("talks", "Talks"), began=0, by="ada")
    with pytest.raises(TopicError, match="small letters"):
        await desk.define(replace(GULF, slug="The Gulf"), began=None, by="ada")
    with pytest.raises(BadInput, match="Give it a title"):
        await desk.define(replace(GULF, title=" "), began=None, by="ada")
    assert now(database).plain_topics == (TALKS,)


@pytest.mark.parametrize(
    ("channel", "says"),
    [
        (replace(ON_GULF, topics=("none",)), "topics names 'none', but there is no such topic"),
        (replace(ON_GULF, entries=0), "entries = 0 cannot be used: write 1 or more"),
        (replace(ON_GULF, query="("), "gulf: query: "),
        (replace(ON_GULF, slug="No"), "The name = 'No' cannot be used: write its name in small letters"),
        (replace(ON_GULF, formerly=("wire",)), "names 'wire', but there is a channel of that name"),
        (replace(ON_GULF, slug="old"), "old was the name of “New”, and leads there"),
        (WIRE, "There is a channel wire already"),
    ],
)
async def test_the_desk_cannot_break_a_channel(
    database: Database, clock: Clock, channel: Channel, says: str
) -> None:
    new = Channel("new", "New", formerly=("old",))
    desk = keeper(database, clock, Declared((TALKS, GULF), (WIRE, new)))
    with pytest.raises(BadInput) as refused:
        await desk.define(channel, began=None, by="ada")
    assert says in str(refused.value)
    assert desk.held.channels == (WIRE, new)


async def test_two_who_save_at_once_lose_nothing(database: Database, clock: Clock) -> None:
    mine, theirs = keeper(database, clock), keeper(database, clock)
    first = await theirs.define(replace(TALKS, title="Theirs"), began=0, by="bob")
    assert isinstance(first, Defined)
    clash = await mine.define(replace(TALKS, title="Mine"), began=0, by="ada")
    assert isinstance(clash, Clash)
    assert (clash.theirs.by, clash.theirs.body["title"]) == ("bob", "Theirs")
    assert isinstance(await mine.take_back("topic", "talks", began=0, by="ada"), Clash)
    assert isinstance(await mine.define(replace(TALKS, title="Mine"), began=first.id, by="ada"), Defined)
    assert [one.body["title"] for one in past(database)] == ["Mine", "Theirs"]


async def test_a_topic_in_use_is_not_removed_and_who_uses_it_is_named(
    database: Database, clock: Clock
) -> None:
    desk = keeper(database, clock)
    topic = await desk.define(GULF, began=None, by="ada")
    channel = await desk.define(ON_GULF, began=None, by="ada")
    terms = Terms(channels=("wire",), title="The Daily", topics=("gulf",))
    await add_partner(database, clock, "daily", terms, desk.held.channels, by="ada")
    assert isinstance(topic, Defined)
    assert isinstance(channel, Defined)
    with pytest.raises(BadInput, match="the channel “The Gulf”, the partner The Daily"):
        await desk.take_back("topic", "gulf", began=topic.id, by="ada")
    await desk.take_back("channel", "gulf", began=channel.id, by="ada")
    with pytest.raises(BadInput, match="used by the partner The Daily"):
        await desk.take_back("topic", "gulf", began=topic.id, by="ada")
    with pytest.raises(BadInput, match="does not define the topic talks"):
        await desk.take_back("topic", "talks", began=0, by="ada")


async def test_a_channel_that_ended_is_known_to_have_been_there(database: Database, clock: Clock) -> None:
    desk = keeper(database, clock, Declared((GULF,), (WIRE,)))
    assert not desk.held.has_ended("gulf")
    made = await desk.define(ON_GULF, began=None, by="ada")
    assert isinstance(made, Defined)
    await desk.take_back("channel", "gulf", began=made.id, by="ada")
    assert desk.held.has_ended("gulf")
    assert desk.held.channels == (WIRE,)
    await desk.define(ON_GULF, began=None, by="ada")
    assert not desk.held.has_ended("gulf")


async def test_every_process_follows_within_a_second(database: Database, clock: Clock) -> None:
    one, other = keeper(database, clock), keeper(database, clock)
    await other.follow()
    await one.define(GULF, began=None, by="ada")
    assert list(one.held.topics) == ["talks", "gulf"]
    await other.follow()
    assert list(other.held.topics) == ["talks"]
    clock.move(FRESH)
    await other.follow()
    assert list(other.held.topics) == ["talks", "gulf"]


async def test_a_digest_follows_what_the_desk_defined(database: Database, clock: Clock) -> None:
    app = App(Settings(topics=(TALKS,), channels=(WIRE,)), database, clock)
    assert [one.channel for one in await app.digest()] == ["wire"]
    desk = keeper(database, clock)
    await desk.define(GULF, began=None, by="ada")
    made = await desk.define(ON_GULF, began=None, by="ada")
    clock.move(FRESH)
    assert [one.channel for one in await app.digest()] == ["wire", "gulf"]
    assert [one.slug for one in database.read_now(topics.standings)] == ["talks", "gulf"]
    assert ("gulf", "atom") in database.read_now(documents.stamps)
    assert isinstance(made, Defined)
    await desk.take_back("channel", "gulf", began=made.id, by="ada")
    clock.move(FRESH)
    await app.digest()
    assert ("gulf", "atom") not in database.read_now(documents.stamps)


async def test_a_look_that_finds_nothing_new_keeps_the_catalogue(database: Database, clock: Clock) -> None:
    desk = keeper(database, clock)
    await desk.follow()
    before = desk.held
    clock.move(FRESH)
    await desk.follow()
    assert desk.held is before


async def test_a_definition_that_nobody_can_read_takes_no_other_along(database: Database) -> None:
    written(database, "topic", "broken", {"title": 3})
    written(database, "topic", "worse", {"title": "Worse", "any": ["("]})
    written(database, "topic", "gulf", body_of(GULF))
    written(database, "channel", "lost", {"title": "Lost", "topics": ["gone"]})
    held = now(database)
    assert list(held.topics) == ["talks", "gulf"]
    assert held.by_slug["lost"].topics == ("gone",)
    assert [problem.split(":")[0] for problem in held.problems] == [
        "The topic broken cannot be used",
        "The topic worse cannot be used",
        "lost",
    ]


async def test_what_a_newer_program_wrote_into_a_definition_is_left_aside(database: Database) -> None:
    written(database, "topic", "gulf", {**body_of(GULF), "mood": "calm"})
    assert now(database).topics["gulf"].topic == GULF


async def test_a_database_that_does_not_answer_leaves_what_is_held(database: Database, clock: Clock) -> None:
    desk = keeper(database, clock)
    with lost(database, "definition"):
        await desk.follow()
        assert not desk.is_known
        assert desk.held.plain_topics == (TALKS,)
    clock.move(FRESH)
    await desk.follow()
    assert desk.is_known
