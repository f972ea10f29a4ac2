"""What was read is kept as it came, for a time, and can be read again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from aggregator.errors import BadInput
from aggregator.flows import evidence as flow
from aggregator.flows.evidence import ReadAgain, read_again
from aggregator.flows.upkeep import KeepSettings, forget_old
from aggregator.model import StoryDraft
from aggregator.rules import stories as reading
from aggregator.rules.evidence import MOST_BYTES, evidence_of, unpacked
from aggregator.store import evidence, sources
from aggregator.store.evidence import Kept
from aggregator.store.tables import FETCH, VERSION
from aggregator.store.tables_ingest import EVIDENCE
from tests.flows.briefs import pick, write
from tests.flows.wire import Desk, entry, rss

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEEP = KeepSettings()


def kept(desk: Desk, since: datetime | None = None) -> list[Kept]:
    """The kept bodies of the only source, the newest first."""
    return desk.database.read_now(lambda s: evidence.of_source(s, desk.source().id, since=since))


def body_of(desk: Desk, one: Kept) -> bytes:
    packed = desk.database.read_now(lambda s: evidence.body(s, one.hash))
    assert packed is not None
    return unpacked(packed)


def hashes(desk: Desk) -> list[str | None]:
    """What each version was read from, oldest first."""
    query = select(VERSION.c.evidence).order_by(VERSION.c.id)
    return desk.database.read_now(lambda s: list(s.execute(query).scalars()))


def said(desk: Desk) -> list[str]:
    """Why each fetch ended as it did, in the counts alone, oldest first."""
    query = select(FETCH.c.why).order_by(FETCH.c.id)
    return [why.split(";")[0] for why in desk.database.read_now(lambda s: list(s.execute(query).scalars()))]


async def again(desk: Desk, **more: Any) -> ReadAgain:
    return await read_again(desk.database, desk.clock, desk.source(), **more)


async def test_a_body_that_gave_something_new_is_kept_as_it_came(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    (one,) = kept(desk)
    assert body_of(desk, one) == rss(entry(1), entry(2))
    assert (one.base_url, one.content_type) == (desk.wire.feed, "application/rss+xml; charset=utf-8")
    assert hashes(desk) == [one.hash, one.hash]


async def test_a_body_that_gave_nothing_new_is_not_kept(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    # The same stories, in another order and under another name: other bytes.
    desk.wire.answers(200, "Content-Type: application/rss+xml", body=rss(entry(2), entry(1), title="New"))
    await desk.poll()
    assert len(kept(desk)) == 1


async def test_every_fetch_says_what_it_found(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    desk.wire.says(entry(1), entry(2, "Talks end"), entry(3), entry(3))
    await desk.poll()
    desk.wire.says()
    await desk.poll()
    assert said(desk) == ["2 new", "1 skipped, 1 known, 1 changed, 1 new", "no entries"]
    assert desk.source().why.startswith("no entries; ")
    query = select(FETCH.c.entries, FETCH.c.skipped).order_by(FETCH.c.id)
    assert [tuple(row) for row in desk.database.read_now(lambda s: s.execute(query).all())] == [
        (2, 0),
        (4, 1),
        (0, 0),
    ]


async def test_one_body_is_kept_once_however_many_give_it(desk: Desk) -> None:
    one, other = (desk.wire.says(entry(1), path=path) for path in ("/one", "/other"))
    await desk.follow(one, other)
    await desk.poll()
    room = desk.database.read_now(evidence.room)
    assert room.bodies == 1
    for url in (one, other):
        source = desk.source(url)
        (found,) = desk.database.read_now(lambda s, id=source.id: evidence.of_source(s, id))  # type: ignore[misc]
        # Links are read as each of them meant them.
        assert found.base_url == url


def test_a_body_too_large_is_not_kept() -> None:
    huge = b"".join(str(n * 7919 % 10**9).encode() for n in range(10**6))
    assert evidence_of(huge, content_type=None, base_url="https://w.example/") is None
    small = evidence_of(b"<rss/>" * 1_000, content_type=None, base_url="https://w.example/")
    assert small is not None
    assert (small.size, unpacked(small.packed)) == (6_000, b"<rss/>" * 1_000)
    assert len(small.packed) < 100 < MOST_BYTES
    with pytest.raises(ValueError, match="no body that was kept"):
        unpacked(b"nothing")


async def test_bodies_are_forgotten_after_a_time(desk: Desk) -> None:
    await desk.hears(entry(1))
    desk.clock.move(10 * DAY)
    desk.wire.says(entry(1), entry(2))
    await desk.poll()
    desk.clock.move(5 * DAY)
    await forget_old(desk.database, desk.clock, KEEP)
    assert [body_of(desk, one) for one in kept(desk)] == [rss(entry(1), entry(2))]
    # What the first version was read from is still said, though it is not there any more.
    assert len({*hashes(desk)}) == 2


async def test_the_oldest_bodies_go_when_there_are_too_many_bytes(desk: Desk) -> None:
    await desk.hears(entry(1))
    for n in range(2, 5):
        desk.clock.move(HOUR)
        desk.wire.says(entry(n))
        await desk.poll()
    sizes = [
        len(desk.database.read_now(lambda s, h=one.hash: evidence.body(s, h)) or b"") for one in kept(desk)
    ]  # type: ignore[misc]
    assert len(sizes) == 4
    most = sum(sizes[:2]) + 1
    await forget_old(desk.database, desk.clock, replace(KEEP, evidence_bytes=most))
    assert [body_of(desk, one) for one in kept(desk)] == [rss(entry(4)), rss(entry(3))]
    assert desk.database.read_now(evidence.room).packed_size == sum(sizes[:2])


async def test_what_a_picked_story_was_read_from_stays(desk: Desk) -> None:
    (story,) = await desk.hears(entry(1))
    desk.clock.move(HOUR)
    desk.wire.says(entry(2))
    await desk.poll()
    await write(desk)
    await pick(desk, str(story.id))
    desk.clock.move(90 * DAY)
    await forget_old(desk.database, desk.clock, replace(KEEP, evidence_bytes=1))
    assert [body_of(desk, one) for one in kept(desk)] == [rss(entry(1))]
    # Undone, it may have been published all the same.
    await pick(desk, str(story.id), undo=True)
    await forget_old(desk.database, desk.clock, KEEP)
    assert len(kept(desk)) == 1


# Reading again


async def test_the_same_reader_finds_nothing_otherwise(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    desk.clock.move(HOUR)
    desk.wire.says(entry(1, "Talks end"), entry(2), entry(3))
    await desk.poll()
    found = await again(desk)
    assert (found.bodies, found.entries, found.differences) == (2, 5, ())
    assert not (await again(desk, apply=True)).is_applied


def reads_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that finds more in an entry than the one before."""
    ours = reading.read_stories

    def better(*given: Any, **more: Any) -> tuple[StoryDraft, ...]:
        return tuple(
            replace(
                draft, digest=f"2:better-{draft.digest}", body=f"{draft.summary} And more.", language="fr"
            )
            for draft in ours(*given, **more)
        )

    monkeypatch.setattr(flow, "read_stories", better)


async def test_a_better_reader_says_what_would_differ_and_changes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (story,) = await desk.hears(entry(1))
    reads_otherwise(monkeypatch)
    before = desk.source()
    found = await again(desk)
    (one,) = found.differences
    assert (one.kind, one.story_id, one.title) == ("changed", story.id, story.title)
    assert set(one.fields) == {"body", "language"}
    assert (one.hash, found.is_applied) == (kept(desk)[0].hash, False)
    assert len(desk.versions(story)) == 1
    assert desk.source() == before
    assert len(said(desk)) == 1


async def test_what_differs_is_recorded_where_that_is_asked_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (story,) = await desk.hears(entry(1))
    reads_otherwise(monkeypatch)
    before = desk.source()
    desk.clock.move(HOUR)
    assert (await again(desk, apply=True)).is_applied
    first, second = desk.versions(story)
    assert (first.body, second.body) == ("", f"{story.summary} And more.")
    assert hashes(desk) == [kept(desk)[0].hash] * 2
    # Reading it again was no fetch: its source stands where it stood, and the log says what was done.
    assert desk.source() == before
    query = select(FETCH.c.outcome, FETCH.c.why).order_by(FETCH.c.id.desc()).limit(1)
    outcome, why = desk.database.read_now(lambda s: s.execute(query).one())
    assert (outcome, why) == ("again", "1 changed; read again from what came on 2025-02-18 at 09:00 UTC")
    assert (await again(desk)).differences == ()


async def test_an_entry_that_was_not_read_becomes_a_story(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("aggregator.rules.stories.MOST_ENTRIES", 1)
        await desk.hears(entry(2), entry(1))
    found = await again(desk)
    assert [(one.kind, one.story_id, one.title) for one in found.differences] == [
        ("new", None, "Talks go into day 1")
    ]
    assert len(desk.stories()) == 1
    await again(desk, apply=True)
    assert [story.title for story in desk.stories()] == ["Talks go into day 2", "Talks go into day 1"]


async def test_what_a_later_body_said_is_not_taken_back(desk: Desk) -> None:
    (story,) = await desk.hears(entry(1, "Talks open"))
    desk.clock.move(20 * DAY)
    desk.wire.says(entry(2))
    await desk.poll()
    desk.clock.move(HOUR)
    desk.wire.says(entry(1, "Talks end"))
    await desk.poll()
    # Only the body in between is kept, and the one that named the story first.
    newest = kept(desk)[0]
    desk.database.write_now(lambda s: s.execute(delete(EVIDENCE).where(EVIDENCE.c.hash == newest.hash)))
    assert (await again(desk)).differences == ()
    assert (await again(desk, apply=True)).is_applied is False
    assert [one.title for one in desk.versions(story)] == ["Talks open", "Talks end"]


async def test_only_what_came_since_is_read(desk: Desk) -> None:
    await desk.hears(entry(1))
    desk.clock.move(2 * DAY)
    desk.wire.says(entry(2))
    await desk.poll()
    assert (await again(desk, since=desk.clock() - DAY)).bodies == 1
    assert (await again(desk)).bodies == 2


async def test_a_body_that_cannot_be_read_any_more_is_named(desk: Desk) -> None:
    await desk.hears(entry(1))
    desk.database.write_now(lambda s: s.execute(update(EVIDENCE).values(body=b"nothing")))
    found = await again(desk)
    assert (found.bodies, found.entries) == (1, 0)
    assert found.unreadable == ((kept(desk)[0].hash, "These bytes are no body that was kept."),)


async def test_a_source_that_is_paused_can_be_read_again_and_one_that_is_gone_not(desk: Desk) -> None:
    await desk.hears(entry(1))
    source = desk.source()
    desk.database.write_now(lambda s: sources.pause(s, source.id, paused=True))
    assert (await again(desk)).bodies == 1
    with pytest.raises(BadInput, match="not followed any more"):
        await read_again(desk.database, desk.clock, replace(source, id=99))
