from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import event, text

from aggregator.flows import batches, ingest
from aggregator.flows.ingest import FetchSettings, Round, client_for
from aggregator.model import FetchReport, Outcome, SourceDue, SourceKind
from aggregator.rules.cadence import Cadence, Cadences
from aggregator.rules.stories import read_stories
from aggregator.store import sources
from aggregator.store.database import Database, StoreError
from feeds.http import make_client
from tests.conftest import NOW, Clock
from tests.flows.wire import RSS, Desk, ScriptedWire, entry, interrupted, rss

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def hour_long_gathering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written before the end of a round."""
    monkeypatch.setattr(batches, "GATHERING", HOUR)
    monkeypatch.setattr(batches, "GATHERING_UNCHANGED", HOUR)


@contextmanager
def counted_writes(database: Database) -> Iterator[list[str]]:
    """A line for each transaction that is kept meanwhile."""
    kept: list[str] = []

    def note(_connection: Any) -> None:
        kept.append("commit")

    event.listen(database.engine, "commit", note)
    yield kept
    event.remove(database.engine, "commit", note)


async def test_a_poll_keeps_every_story_of_a_feed(desk: Desk) -> None:
    await desk.follow(desk.wire.says(entry(1), entry(2)))
    found = await desk.poll()
    assert (found.sources, found.new, found.changed, found.unchanged) == (1, 2, 0, 0)
    assert [story.title for story in desk.stories()] == ["Talks go into day 2", "Talks go into day 1"]


async def test_the_same_feed_polled_twice_stores_nothing_twice(desk: Desk) -> None:
    await desk.follow(desk.wire.says(entry(1)))
    await desk.poll()
    before = desk.stories()
    found = await desk.poll()
    assert (found.new, found.changed, found.unchanged) == (0, 0, 1)
    assert desk.stories() == before
    assert "the same bytes as before" in desk.source().why


async def test_a_feed_whose_bytes_alone_changed_gives_nothing_new(desk: Desk) -> None:
    (before,) = await desk.hears(entry(1))
    desk.wire.answers(200, RSS, body=rss(entry(1), title="Harbour Wire, rebuilt"))
    found = await desk.poll()
    assert (found.new, found.changed, found.unchanged) == (0, 0, 0)
    (after,) = desk.stories()
    assert (after.id, after.versions) == (before.id, 1)


async def test_a_source_answering_304_keeps_its_stories(desk: Desk) -> None:
    await desk.follow(desk.wire.says(entry(1), headers=['ETag: "a"']))
    await desk.poll()
    before = desk.stories()
    desk.wire.answers(304)
    found = await desk.poll()
    assert found.unchanged == 1
    assert desk.stories() == before
    assert desk.wire.requests()[-1]["if-none-match"] == '"a"'
    assert desk.source().why.startswith("nothing new (304); asked again in ")


async def test_a_304_after_a_304_is_still_asked_with_the_validator(desk: Desk) -> None:
    await desk.follow(desk.wire.says(entry(1), headers=["Last-Modified: Tue, 18 Feb 2025 08:00:00 GMT"]))
    await desk.poll()
    desk.wire.answers(304)
    await desk.poll()
    await desk.poll()
    assert desk.wire.requests()[-1]["if-modified-since"] == "Tue, 18 Feb 2025 08:00:00 GMT"


async def test_an_entry_without_guid_is_the_same_story_next_time(desk: Desk) -> None:
    (before,) = await desk.hears(entry(1, guid=None))
    page = "https://wire.example/stories/1?utm_source=rss"
    desk.wire.says(entry(1, guid=None, link=page), entry(2, guid=None))
    found = await desk.poll()
    assert (found.new, found.changed) == (1, 0)
    assert {story.id for story in desk.stories()} > {before.id}


async def test_a_changed_text_is_a_second_version_and_the_first_stays(desk: Desk) -> None:
    (before,) = await desk.hears(entry(1, "Talks begin"))
    desk.clock.move(HOUR)
    desk.wire.says(entry(1, "Talks break off"))
    found = await desk.poll()
    assert (found.new, found.changed) == (0, 1)
    (after,) = desk.stories()
    assert (after.id, after.title, after.versions) == (before.id, "Talks break off", 2)
    assert (after.first_seen, after.changed_at) == (NOW, NOW + HOUR)
    assert [v.title for v in desk.versions(after)] == ["Talks begin", "Talks break off"]


async def test_a_source_without_name_takes_its_feeds(desk: Desk) -> None:
    await desk.hears(entry(1))
    assert (desk.source().title, desk.source().site_url) == ("Harbour Wire", "https://wire.example/")


async def test_a_source_keeps_the_name_that_the_desk_gave_it(desk: Desk) -> None:
    await desk.follow(desk.wire.says(entry(1)), title="Harbour", site_url="https://harbour.example/")
    await desk.poll()
    assert (desk.source().title, desk.source().site_url) == ("Harbour", "https://harbour.example/")


async def test_what_is_wrong_with_a_feed_is_told_with_its_entries(desk: Desk) -> None:
    broken = rss(entry(1)).replace(b"</channel></rss>", b"<wire:note>&oops;</channel>")
    await desk.follow(desk.wire.answers(200, RSS, body=broken))
    await desk.poll()
    said = desk.source().why
    assert said.startswith("1 new; ")
    assert said.count(";") >= 2


async def test_a_429_is_no_failure_and_its_retry_after_is_obeyed(desk: Desk) -> None:
    await desk.follow(desk.wire.answers(429, "Retry-After: 7200"))
    found, due = await desk.sweep()
    assert found.failed == {"rate_limited": 1}
    assert due == NOW + timedelta(hours=2)
    assert (desk.source().failures, desk.source().failure_kind) == (0.0, "rate_limited")
    assert desk.source().why.endswith("asked again in 2 h")
    desk.clock.move(timedelta(minutes=119))
    assert (await desk.sweep())[0].sources == 0
    desk.clock.move(MINUTE)
    assert (await desk.sweep())[0].sources == 1


async def test_a_retry_after_is_obeyed_up_to_our_patience(desk: Desk) -> None:
    await desk.follow(desk.wire.answers(503, "Retry-After: 31536000"))
    _, due = await desk.sweep()
    assert due == NOW + timedelta(days=1)
    assert desk.source().failures == 0.0


async def test_a_feed_that_is_gone_is_never_asked_again(desk: Desk) -> None:
    await desk.follow(desk.wire.answers(410))
    found, due = await desk.sweep()
    assert (found.failed, due) == ({"gone": 1}, None)
    assert desk.source().why.endswith("not asked again until an editor says so")
    desk.clock.move(timedelta(days=400))
    assert (await desk.sweep())[0].sources == 0
    assert len(desk.wire.requests()) == 1


async def test_a_feed_that_becomes_html_is_named_so_and_its_stories_stay(desk: Desk) -> None:
    before = await desk.hears(entry(1))
    desk.wire.answers(200, "Content-Type: text/html", body=b"<!doctype html><title>Moved</title><p>We moved.")
    found = await desk.poll()
    assert found.failed == {"not_a_feed": 1}
    assert desk.stories() == before
    source = desk.source()
    assert (source.failure_kind, source.failures) == ("not_a_feed", 1.0)
    assert "web page, not a feed" in source.why


async def test_failures_add_up_and_a_success_forgets_them(desk: Desk) -> None:
    await desk.follow(desk.wire.answers(500))
    await desk.poll()
    await desk.poll()
    assert (desk.source().failures, desk.source().failure_kind) == (1.0, "server_error")
    desk.wire.says(entry(1))
    await desk.poll()
    assert (desk.source().failures, desk.source().failure_kind) == (0.0, None)


async def test_a_source_that_fails_is_left_alone_for_longer_and_longer(desk: Desk) -> None:
    await desk.follow(desk.wire.answers(404), kind=SourceKind.WIRE)
    waits = []
    for _ in range(4):
        await desk.poll()
        waits.append(desk.source().next_due - NOW)
    assert all(2 * first * 0.9 < second for first, second in pairwise(waits))


async def test_one_broken_feed_does_not_stop_a_round(desk: Desk) -> None:
    await desk.follow(
        desk.wire.fails("/broken"),
        desk.wire.says(entry(1), path="/good"),
        desk.wire.answers(404, path="/lost"),
    )
    found = await desk.poll()
    assert (found.sources, found.new) == (3, 1)
    assert found.failed == {"broken_answer": 1, "not_found": 1}


async def test_two_requests_at_most_go_to_one_host(desk: Desk) -> None:
    paths = [f"/feed/{n}" for n in range(20)]
    await desk.follow(*(desk.wire.says(entry(n), path=path, after=0.01) for n, path in enumerate(paths)))
    found, _ = await desk.sweep()
    assert (found.sources, found.new) == (20, 20)
    assert desk.wire.most_at_once == 2


async def test_a_busy_host_takes_no_place_from_another(desk: Desk) -> None:
    desk.settings = replace(desk.settings, concurrency=3)
    held = [desk.wire.hangs(f"/held/{n}") for n in range(5)]
    free = desk.wire.says(entry(1), path="/free").replace("127.0.0.1", "localhost")
    await desk.follow(*held, free)
    is_done = asyncio.Event()
    polling = asyncio.create_task(desk.poll(on_done=lambda *_: is_done.set()))
    async with asyncio.timeout(20):
        await is_done.wait()
    await interrupted(polling)
    assert [story.source_url for story in desk.stories()] == [free]


async def test_a_round_of_304s_is_one_write(desk: Desk, hour_long_gathering: None) -> None:
    await desk.follow(*(desk.wire.says(entry(n), path=f"/{n}", headers=['ETag: "a"']) for n in range(12)))
    await desk.poll()
    for n in range(12):
        desk.wire.answers(304, path=f"/{n}")
    due = await desk.claim()
    with counted_writes(desk.database) as kept:
        found = await ingest.poll(desk.database, desk.client, desk.clock, desk.settings, due)
    assert (found.unchanged, kept) == (12, ["commit"])


@pytest.mark.parametrize("limit", ["BATCH", "BATCH_READ"])
async def test_a_full_batch_is_written_without_waiting(
    limit: str, desk: Desk, hour_long_gathering: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, limit, 3)
    monkeypatch.setattr(ingest, "MOST_AT_ONCE", 4)
    await desk.follow(*(desk.wire.says(entry(n), path=f"/{n}") for n in range(7)))
    due = await desk.claim()
    with counted_writes(desk.database) as kept:
        found = await ingest.poll(desk.database, desk.client, desk.clock, desk.settings, due)
    assert (found.new, len(kept)) == (7, 3)


async def test_what_was_read_does_not_wait_as_long_as_what_was_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "GATHERING_UNCHANGED", HOUR)
    await desk.follow(desk.wire.says(entry(1), path="/1"), desk.wire.hangs("/2"))
    due, written = await desk.claim(), asyncio.Event()
    polling = asyncio.create_task(
        ingest.poll(
            desk.database, desk.client, desk.clock, desk.settings, due, on_done=lambda *_: written.set()
        )
    )
    async with asyncio.timeout(10):
        await written.wait()
    assert [story.title for story in desk.stories()] == ["Talks go into day 1"]
    await interrupted(polling)


async def test_a_poll_that_is_interrupted_keeps_what_was_fetched_and_frees_the_rest(
    desk: Desk, hour_long_gathering: None
) -> None:
    # One request at a time: once the second feed is asked, the first has been read.
    desk.settings = replace(desk.settings, per_host=1)
    await desk.follow(desk.wire.says(entry(1), path="/1"), desk.wire.hangs("/2"), desk.wire.hangs("/3"))
    polling = asyncio.create_task(desk.poll())
    await desk.wire.is_asked("/2")
    await interrupted(polling)
    assert polling.cancelled()
    assert [story.title for story in desk.stories()] == ["Talks go into day 1"]
    assert [due.url for due in await desk.claim()] == [desk.wire.at(path) for path in ("/2", "/3", "/1")]


async def test_a_bug_stops_the_round_and_nothing_fetched_is_lost(
    desk: Desk, hour_long_gathering: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_bug(feed: Any, *, source_url: str, language: str | None, identity: Any) -> Any:
        if source_url.endswith("/2"):
            raise ZeroDivisionError
        return read_stories(feed, source_url=source_url, language=language, identity=identity)

    monkeypatch.setattr(ingest, "read_stories", with_a_bug)
    desk.settings = replace(desk.settings, per_host=1)
    said = [desk.wire.says(entry(n), path=f"/{n}") for n in (1, 2)]
    await desk.follow(*said, desk.wire.hangs("/3"))
    with pytest.raises(ZeroDivisionError):
        await desk.poll()
    assert [story.title for story in desk.stories()] == ["Talks go into day 1"]
    assert {due.url for due in await desk.claim()} == {desk.wire.at(f"/{n}") for n in (1, 2, 3)}


async def test_a_database_that_fails_ends_the_round_at_once(
    sqlite_database: Database, clock: Clock, wire: ScriptedWire
) -> None:
    async with make_client(user_agent="test", private_networks=True) as client:
        desk = Desk(sqlite_database, clock, wire, client)
        await desk.follow(wire.says(entry(1), path="/1"), wire.hangs("/2"))
        due = await desk.claim()
        sqlite_database.write_now(lambda s: s.execute(text("DROP TABLE fetch")))
        with pytest.raises(StoreError, match="wirebrief init"):
            await ingest.poll(sqlite_database, client, clock, desk.settings, due)
        assert (len(await desk.claim()), desk.stories()) == (2, [])


async def test_who_follows_a_round_is_told_of_every_source(desk: Desk) -> None:
    await desk.follow(desk.wire.says(entry(1)), desk.wire.answers(404, path="/lost"))
    told: dict[str, Outcome] = {}

    def note(source: SourceDue, report: FetchReport) -> None:
        told[source.url] = report.outcome

    await desk.poll(on_done=note)
    assert told == {desk.wire.feed: Outcome.FETCHED, desk.wire.at("/lost"): Outcome.FAILED}


async def test_a_source_is_asked_again_when_its_answer_is_no_longer_fresh(desk: Desk) -> None:
    await desk.follow(desk.wire.says(entry(1), headers=["Cache-Control: max-age=600"]))
    _, due = await desk.sweep()
    assert due is not None
    assert NOW + 10 * MINUTE <= due <= NOW + 11 * MINUTE
    desk.clock.now = due - timedelta(seconds=1)
    assert (await desk.sweep())[0].sources == 0
    desk.clock.now = due
    assert (await desk.sweep())[0].sources == 1


async def test_a_sweep_with_nothing_to_do_does_nothing(desk: Desk) -> None:
    assert await desk.sweep() == (Round(), None)


async def test_a_kind_of_source_has_a_cadence_of_its_own(desk: Desk) -> None:
    cadences = Cadences(blog=Cadence(floor=5 * HOUR, ceiling=6 * HOUR))
    desk.settings = replace(desk.settings, cadence=cadences)
    await desk.follow(desk.wire.says(entry(1)), kind=SourceKind.BLOG)
    _, due = await desk.sweep()
    assert due is not None
    assert due >= NOW + 5 * HOUR


async def test_the_client_of_a_process_says_who_we_are_and_refuses_private_addresses(desk: Desk) -> None:
    await desk.follow(desk.wire.says(entry(1)))
    desk.settings = FetchSettings(private_networks=True, user_agent="desk.example/1 (+mail)")
    async with client_for(desk.settings) as client:
        await ingest.poll(desk.database, client, desk.clock, desk.settings, await desk.claim())
    assert desk.wire.requests()[0]["user-agent"] == "desk.example/1 (+mail)"
    async with client_for(FetchSettings()) as client:
        found = await ingest.poll(desk.database, client, desk.clock, desk.settings, await desk.claim())
    assert found.failed == {"private_address": 1}
    assert "fetch.private_networks" in desk.source().why


async def test_a_body_beyond_the_limit_is_refused(desk: Desk) -> None:
    await desk.follow(desk.wire.says(entry(1)))
    desk.settings = replace(desk.settings, body_bytes=100)
    assert (await desk.poll()).failed == {"too_large": 1}


async def test_a_source_that_was_removed_while_it_was_asked_stays_away(desk: Desk) -> None:
    await desk.follow(desk.wire.says(entry(1)))
    await desk.poll()
    kept = desk.source()
    assert not await desk.database.write(lambda s: sources.remove(s, kept.id))
    assert (await desk.sweep())[0].sources == 0
    assert len(desk.stories()) == 1
