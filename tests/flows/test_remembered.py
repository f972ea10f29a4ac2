"""What publishing remembers spares work, and decides nothing."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from aggregator.flows import publish, remembered
from aggregator.flows.plans import Press, look_at
from aggregator.flows.publish import publish_channels
from aggregator.flows.remembered import Bounded, Memory, memory_of
from aggregator.flows.topics import match_topics
from aggregator.model import Reuse
from aggregator.outgoing import Carried
from aggregator.rules.channels import Channel
from aggregator.store import carried, documents, fetches, sources, stories
from aggregator.store.database import Database
from aggregator.store.schema import prepare
from tests.conftest import Clock
from tests.flows.same_bytes import decides
from tests.flows.wire import SITE, TALKS, Desk, entry
from tests.store.newsroom import follow, heard, says

CHANNELS = (
    Channel("wire", "The wire", entries=12),
    Channel("talks", "Talks", topics=("talks",), entries=8, language="fr"),
    Channel("found", "Found", query="round", age=timedelta(hours=2)),
    Channel("briefs", "Briefs", carries=("briefs",)),
)


def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let publishing remember nothing from look to look."""
    monkeypatch.setattr(publish, "memory_of", lambda database: Memory())


async def lives(database: Database, *, rounds: int, seed: int) -> list[Any]:
    """Let a desk live through a history; every row that was told and every byte, after each step."""
    dice, clock, slugs, seen = random.Random(seed), Clock(), list[str](), []
    feeds = follow(database, "https://a.example/feed", "https://b.example/feed", title="A wire")
    for number in range(rounds):
        at = clock.move(timedelta(minutes=dice.choice([1, 7, 50])))
        for feed in dice.sample(feeds, dice.randrange(3)):
            keys = {dice.randrange(40) for _ in range(dice.randrange(1, 6))}
            drafts = [
                says(f"{feed}-{key}", f"Talks, round {dice.randrange(9)}", summary="They met.", language="en")
                for key in sorted(keys)
            ]
            report = heard(feed, *drafts, at=at)
            await database.write(lambda s, report=report: fetches.record(s, [report]))  # type: ignore[misc]
        if dice.random() < 0.2:
            reuse = dice.choice([Reuse.HEADLINE, Reuse.SUMMARY, Reuse.NONE])
            await database.write(lambda s, reuse=reuse: sources.allow(s, feeds[0], reuse))  # type: ignore[misc]
        if database.read_now(lambda s: stories.count(s)):
            await decides(database, clock, slugs, number, dice)
        for _ in range(dice.choice([1, 1, 3])):
            clock.move(timedelta(seconds=1))
            await match_topics(database, [TALKS])
            await publish_channels(database, clock, SITE, CHANNELS, [TALKS])
        seen.append(database.read_now(everything))
    return seen


def everything(session: Any) -> list[Any]:
    """What every channel told, and all that is served."""
    rows = [carried.changes_after(session, one.slug, 0, limit=10_000) for one in CHANNELS]
    return [rows, documents.all_documents(session), documents.archive(session)]


@pytest.mark.parametrize("seed", range(2))
async def test_an_empty_memory_gives_the_same_rows_and_bytes(
    database: Database, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_memory = await lives(database, rounds=14, seed=seed)
    forgetful(monkeypatch)
    with Database(f"sqlite:///{tmp_path / 'other.db'}") as other:
        prepare(other)
        assert await lives(other, rounds=14, seed=seed) == with_memory


async def test_a_look_without_change_reads_no_story_and_writes_nothing(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    for _ in range(2):
        await desk.publish()
    before = desk.document()
    with Listening(desk.database) as listening:
        (done,) = await desk.publish()
    assert (done.is_new, done.fresh, done.entries) == (False, 0, 2)
    assert desk.document() == before
    assert {one.split()[0] for one in listening.statements} <= {"BEGIN", "SELECT"}
    assert not [one for one in listening.statements if "version.entry" in one or "carried.entry," in one]


async def test_an_entry_that_grows_too_old_leaves_although_nothing_came(desk: Desk) -> None:
    channel = Channel("wire", "The wire", age=timedelta(hours=30))
    await desk.hears(entry(98), entry(99, published=desk.clock() - timedelta(hours=29)))
    for _ in range(3):
        await desk.publish(channel)
    assert len(desk.received().entries) == 2
    desk.clock.move(timedelta(hours=1))
    await desk.publish(channel)
    assert [one.title for one in desk.received().entries] == ["Talks go into day 98"]


async def test_what_its_source_lets_be_passed_on_counts_at_once(desk: Desk) -> None:
    await desk.hears(entry(1))
    for _ in range(3):
        await desk.publish()
    source = desk.source()
    await desk.database.write(lambda s: sources.allow(s, source.id, Reuse.HEADLINE))
    await desk.publish()
    assert str(desk.received().entries[0].summary) == "Talks go into day 1"


async def test_what_another_process_did_is_seen(desk: Desk) -> None:
    await desk.hears(entry(1))
    for _ in range(3):
        await desk.publish()
    with Database(str(desk.database.url.render_as_string(hide_password=False))) as other:
        desk.wire.says(entry(1), entry(2))
        await desk.poll()
        here, there = Clock(desk.clock.move(timedelta(seconds=1))), Clock(desk.clock())
        await asyncio.gather(
            publish_channels(desk.database, here, SITE, [Channel("wire", "The wire")], []),
            publish_channels(other, there, SITE, [Channel("wire", "The wire")], []),
        )
        desk.clock.move(timedelta(seconds=2))
        for database in (other, desk.database):
            (done,) = await publish_channels(database, desk.clock, SITE, [Channel("wire", "The wire")], [])
            assert done.is_new is False
    assert len(desk.received().entries) == 2


async def test_entries_that_were_forgotten_are_written_again_and_kept(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    for _ in range(2):
        await desk.publish()
    desk.database.write_now(lambda s: documents.prune_fragments(s, desk.clock() + timedelta(days=1)))
    memory_of(desk.database).fragments = Bounded(remembered.MOST_BYTES, len)
    desk.wire.says(entry(1), entry(2), entry(3))
    await desk.poll()
    (done,) = await desk.publish()
    assert (done.is_new, done.fresh) == (True, 1)
    assert len(desk.received().entries) == 3
    with Listening(desk.database) as listening:
        await desk.publish(Channel("wire", "Renamed"))
    assert not [one for one in listening.statements if "INSERT INTO fragment" in one]


def test_a_look_through_memory_is_the_look_without(desk: Desk) -> None:
    channel, press = Channel("wire", "The wire"), Press(SITE, {})
    memory = Memory()
    for _ in range(2):
        looks = [desk.database.read_now(lambda s, m=m: look_at(s, channel, press, m)) for m in (memory, None)]  # type: ignore[misc]
        assert looks[0] == looks[1]


def test_a_memory_forgets_what_was_not_used_for_longest() -> None:
    known: Bounded[str, bytes] = Bounded(10, len)
    known["a"], known["b"] = b"12345", b"1234"
    assert known.get_all(["a", "c"]) == {"a": b"12345"}
    known["c"] = b"12"
    assert known.get_all(["a", "b", "c"]) == {"a": b"12345", "c": b"12"}
    known["a"] = b"1"
    known["d"] = b"1234567"
    assert len(known) == 3
    known["e"] = b"12345678901"
    assert len(known) == 0


def test_rows_that_were_read_are_not_read_again(desk: Desk) -> None:
    memory: Bounded[tuple[Any, ...], Carried] = Bounded(1_000_000)

    def read() -> list[dict[str, Carried]]:
        return [
            desk.database.read_now(lambda s: carried.present(s, "wire", memory)),
            desk.database.read_now(lambda s: carried.present(s, "wire")),
        ]

    first, plain = read()
    assert first == plain
    again, _ = read()
    assert all(again[id] is row for id, row in first.items())


class Listening:
    """Every statement that a database is given meanwhile."""

    def __init__(self, database: Database) -> None:
        self._engines = [database.engine, database._reading]
        self.statements: list[str] = []

    def __enter__(self) -> Listening:
        for engine in self._engines:
            event.listen(engine, "before_cursor_execute", self._hear)
        return self

    def __exit__(self, *exc: object) -> None:
        for engine in self._engines:
            event.remove(engine, "before_cursor_execute", self._hear)

    def _hear(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.statements.append(statement)
