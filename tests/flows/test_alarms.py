"""Alarms about sources: raised once, cleared when it is over, told to the operator's webhook."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta

import pytest

from aggregator.flows import alarms as flow
from aggregator.flows.alarms import AlarmSettings, Told, measure_pauses, send_alarms, watch_sources
from aggregator.flows.diagnosis import examine
from aggregator.flows.upkeep import KeepSettings
from aggregator.model import AlarmKind, FetchReport
from aggregator.rules.webhooks import is_genuine, new_secret
from aggregator.store import alarms, pauses, sources
from aggregator.store.database import Database
from tests.conftest import NOW, Clock
from tests.flows.receivers import receiving
from tests.flows.wire import SITE
from tests.store.newsroom import failed, follow, heard, record, says, unchanged

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECRET = new_secret(bytes(range(32)))
QUIET = AlarmSettings()


def standing(database: Database) -> list[tuple[int, AlarmKind]]:
    return [(one.source_id, one.kind) for one in database.read_now(alarms.standing)]


async def look(database: Database, clock: Clock, settings: AlarmSettings = QUIET) -> Told:
    return await watch_sources(database, clock, settings)


def hourly(source: int, stories: int = 30, *, before: datetime = NOW) -> FetchReport:
    """A source that gave a story an hour, the last one an hour ago."""
    drafts = [says(f"{source}-{n}", published=before - HOUR * n) for n in range(1, stories + 1)]
    return heard(source, *drafts, at=before)


async def test_a_source_that_falls_silent_raises_one_alarm_until_it_speaks_again(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    (source,) = follow(database, "https://w.example/feed", title="Harbour Wire")
    record(database, hourly(source))
    assert await look(database, clock) == Told((), ())
    clock.move(2 * DAY)
    record(database, unchanged(source, at=clock()))
    with caplog.at_level(logging.INFO):
        told = await look(database, clock)
    (raised,) = told.raised
    assert (raised.source_id, raised.kind, raised.cleared_at) == (source, AlarmKind.SILENT, None)
    assert raised.why.startswith("It answers, but gave no story for 2 days; it hardly ever lets")
    (line,) = [one for one in caplog.records if one.message == "alarm raised"]
    assert (line.levelname, vars(line)["source"], vars(line)["kind"]) == ("WARNING", "Harbour Wire", "silent")
    clock.move(HOUR)
    # Raised once, however long it lasts.
    assert await look(database, clock) == Told((), ())
    assert standing(database) == [(source, AlarmKind.SILENT)]
    record(database, heard(source, says("again", published=clock()), at=clock()))
    with caplog.at_level(logging.INFO):
        told = await look(database, clock)
    assert [one.cleared_at for one in told.cleared] == [clock()]
    assert "alarm cleared" in caplog.messages
    assert standing(database) == []
    # It stays in the log of the source, and may be raised again.
    (past,) = database.read_now(lambda s: alarms.of_source(s, source, limit=5))
    assert (past.id, past.cleared_at) == (raised.id, clock())
    clock.move(3 * DAY)
    record(database, unchanged(source, at=clock()))
    assert len((await look(database, clock)).raised) == 1


async def test_a_pause_is_measured_over_many_stories_and_anew_after_hours(
    database: Database, clock: Clock
) -> None:
    (source, other) = follow(database, "https://w.example/feed", "https://b.example/feed")
    record(database, hourly(source), unchanged(other))
    assert await measure_pauses(database, clock) == 2
    assert await measure_pauses(database, clock) == 0
    seconds = {one.id: one.quiet_seconds for one in database.read_now(sources.all_sources)}
    assert seconds == {source: 3600.0, other: None}
    clock.move(flow.MEASURED_EVERY + HOUR)
    assert await measure_pauses(database, clock) == 2


async def test_a_source_that_pauses_for_long_by_habit_is_not_silent(database: Database, clock: Clock) -> None:
    (source,) = follow(database, "https://w.example/feed")
    times = [NOW - 4 * DAY * n for n in range(8)]
    record(database, heard(source, *(says(str(at), published=at) for at in times)))
    clock.move(3 * DAY + HOUR)
    record(database, unchanged(source, at=clock()))
    assert await look(database, clock) == Told((), ())
    clock.move(DAY)
    record(database, unchanged(source, at=clock()))
    assert len((await look(database, clock)).raised) == 1


async def test_a_source_that_fails_for_hours_raises_one_until_it_answers(
    database: Database, clock: Clock
) -> None:
    (source,) = follow(database, "https://w.example/feed")
    record(database, heard(source))
    # The first failure counts, not the last answer: it was not asked in between.
    clock.move(9 * HOUR)
    record(database, failed(source, at=clock(), next_due=clock() + HOUR))
    assert await look(database, clock) == Told((), ())
    clock.move(6 * HOUR)
    record(database, failed(source, at=clock(), next_due=clock() + HOUR))
    (raised,) = (await look(database, clock)).raised
    assert (raised.kind, raised.why) == (AlarmKind.FAILING, "It has failed for 6 h: no answer")
    record(database, unchanged(source, at=clock()))
    assert len((await look(database, clock)).cleared) == 1


async def test_what_failed_with_our_own_connection_is_not_counted(database: Database, clock: Clock) -> None:
    (source,) = follow(database, "https://w.example/feed")
    record(database, failed(source, next_due=NOW + HOUR))
    database.write_now(lambda s: pauses.begin_outage(s, NOW + HOUR / 60, "none of 9 hosts could be reached"))
    clock.move(9 * HOUR)
    database.write_now(lambda s: pauses.end_outage(s, clock()))
    clock.move(HOUR)
    record(database, failed(source, at=clock(), next_due=clock() + HOUR))
    assert await look(database, clock) == Told((), ())
    clock.move(6 * HOUR)
    record(database, failed(source, at=clock(), next_due=clock() + HOUR))
    assert len((await look(database, clock)).raised) == 1


async def test_a_source_that_is_gone_raises_one_and_a_paused_one_none(
    database: Database, clock: Clock
) -> None:
    (source,) = follow(database, "https://w.example/feed")
    record(database, failed(source, kind="gone"))
    assert len((await look(database, clock)).raised) == 1
    database.write_now(lambda s: sources.pause(s, source, paused=True))
    assert len((await look(database, clock)).cleared) == 1


async def test_a_source_that_shows_far_fewer_entries_raises_one(database: Database, clock: Clock) -> None:
    (source,) = follow(database, "https://w.example/feed")

    def shows(entries: int) -> None:
        clock.move(HOUR)
        drafts = (says(f"{clock()}", published=clock()),)
        record(database, heard(source, *drafts, at=clock(), entries=entries, status=200))

    for entries in (30, 28, 30, 32, 30, 30):
        shows(entries)
    assert await look(database, clock) == Told((), ())
    shows(3)
    (raised,) = (await look(database, clock)).raised
    assert (raised.kind, raised.why) == (AlarmKind.FEWER, "It shows 3 entries; usually it shows 30.")
    shows(30)
    assert len((await look(database, clock)).cleared) == 1
    # One document of thousands does not make the next one small.
    shows(3_000)
    shows(30)
    assert await look(database, clock) == Told((), ())


async def test_what_is_usual_follows_a_feed_that_was_cut_for_good(database: Database, clock: Clock) -> None:
    (source,) = follow(database, "https://w.example/feed")
    for entries in (*[50] * 10, *[5] * 20):
        clock.move(HOUR)
        record(database, heard(source, says(f"{clock()}"), at=clock(), entries=entries, status=200))
    assert await look(database, clock) == Told((), ())


async def test_a_part_of_a_feed_says_nothing_about_its_entries(database: Database, clock: Clock) -> None:
    (source,) = follow(database, "https://w.example/feed")
    for entries, status in (*[(30, 200)] * 8, (1, 226)):
        clock.move(HOUR)
        record(database, heard(source, says(f"{clock()}"), at=clock(), entries=entries, status=status))
    assert await look(database, clock) == Told((), ())


async def tell(database: Database, clock: Clock, settings: AlarmSettings) -> int:
    return await send_alarms(database, clock, SITE, settings, user_agent="wirebrief-test/1")


async def test_the_webhook_is_told_what_was_raised_and_what_is_over(database: Database, clock: Clock) -> None:
    (source,) = follow(database, "https://w.example/feed?key=secret", title="Harbour Wire")
    record(database, failed(source, kind="gone"))
    async with receiving() as receiver:
        settings = AlarmSettings(webhook=receiver.at("/alarms"), webhook_secret=SECRET)
        await look(database, clock, settings)
        assert await tell(database, clock, settings) == 1
        assert await tell(database, clock, settings) == 0
        database.write_now(lambda s: sources.pause(s, source, paused=True))
        clock.move(HOUR)
        await look(database, clock, settings)
        assert await tell(database, clock, settings) == 1
        first, second = receiver.got("/alarms")
    for one in (first, second):
        assert is_genuine(SECRET, one.headers, one.body, now=clock() - HOUR / 2, tolerance=HOUR)
    told = json.loads(first.body)
    assert (told["type"], told["data"]["kind"]) == ("alarm.raised", "failing")
    assert "gone for good" in told["data"]["why"]
    assert told["data"]["source"] == {
        "id": source,
        "title": "Harbour Wire",
        "url": f"https://desk.example/desk/sources/{source}",
    }
    over = json.loads(second.body)
    assert (over["type"], over["data"]["id"]) == ("alarm.cleared", told["data"]["id"])
    assert over["data"]["cleared_at"] is not None
    assert b"secret" not in first.body + second.body


async def test_a_webhook_that_fails_is_tried_a_few_times_and_given_up(
    database: Database, clock: Clock
) -> None:
    (source,) = follow(database, "https://w.example/feed")
    record(database, failed(source, kind="gone"))
    async with receiving() as receiver:
        settings = AlarmSettings(webhook=receiver.at("/alarms"), webhook_secret=SECRET)
        receiver.status["/alarms"] = 503
        await look(database, clock, settings)
        tried = 0
        for _ in range(2 * flow.TRIES):
            tried += await tell(database, clock, settings)
            clock.move(2 * HOUR)
        assert tried == flow.TRIES == len(receiver.got("/alarms"))
        ids = {one.headers["webhook-id"] for one in receiver.heard}
    assert len(ids) == 1


async def test_an_alarm_that_was_over_before_it_could_be_told_is_told_as_that(
    database: Database, clock: Clock
) -> None:
    (source,) = follow(database, "https://w.example/feed")
    record(database, failed(source, kind="gone"))
    async with receiving() as receiver:
        settings = AlarmSettings(webhook=receiver.at("/alarms"), webhook_secret=SECRET)
        (raised,) = (await look(database, clock, settings)).raised
        database.write_now(lambda s: sources.pause(s, source, paused=True))
        await look(database, clock, settings)
        # Whoever told it as raised meanwhile does not hide that it is over.
        database.write_now(lambda s: alarms.told(s, raised, tries=1, next_try=None))
        assert await tell(database, clock, settings) == 1
        (one,) = receiver.heard
    assert json.loads(one.body)["type"] == "alarm.cleared"


async def test_without_a_webhook_nobody_is_told(database: Database, clock: Clock) -> None:
    (source,) = follow(database, "https://w.example/feed")
    record(database, failed(source, kind="gone"))
    await look(database, clock)
    assert await tell(database, clock, QUIET) == 0
    # One that is set later is told of what comes then, not of the past.
    async with receiving() as receiver:
        settings = AlarmSettings(webhook=receiver.at("/alarms"), webhook_secret=SECRET)
        assert await tell(database, clock, settings) == 0


async def test_doctor_names_the_alarms_that_stand(database: Database, clock: Clock) -> None:
    found = {one.name: one for one in await examine(database, clock, KeepSettings())}
    assert (found["alarms"].is_well, found["alarms"].says) == (True, "no alarm about a source stands")
    ids = follow(database, *(f"https://w{n}.example/feed" for n in range(12)))
    record(database, *(failed(source, kind="gone") for source in ids))
    await look(database, clock)
    found = {one.name: one for one in await examine(database, clock, KeepSettings())}
    assert not found["alarms"].is_well
    assert found["alarms"].says.startswith("12 about sources: w")
    assert found["alarms"].says.endswith("; and 2 more")


async def test_alarms_go_with_their_source(database: Database, clock: Clock) -> None:
    (source,) = follow(database, "https://w.example/feed")
    record(database, failed(source, kind="gone"))
    await look(database, clock)
    database.write_now(lambda s: sources.remove(s, source))
    assert await look(database, clock) == Told((), ())
    assert standing(database) == []


def test_an_alarm_shows_no_secret() -> None:
    assert "whsec" not in repr(AlarmSettings(webhook="https://ops.example", webhook_secret=SECRET))
