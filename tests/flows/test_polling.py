"""When and where feeds are asked: gaps, pauses, outages of our own, redirects, dropped validators."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator.flows import ingest, outages
from aggregator.flows.diagnosis import examine
from aggregator.flows.pacing import asked_of
from aggregator.flows.pushed import take_push
from aggregator.flows.upkeep import KeepSettings
from aggregator.model import SourceDraft, SourceKind
from aggregator.store import claims, moves, pauses, push_sources, sources
from aggregator.store.database import Database
from aggregator.store.tables import FetchRow
from feeds.errors import FailureKind, FetchError
from feeds.http import Freshness, Hop, NotModified, Validators
from feeds.websub import sign
from tests.conftest import NOW
from tests.flows.wire import RSS, Desk, entry, rss

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def log(desk: Desk, url: str | None = None) -> list[FetchRow]:
    """The fetches of a source, newest first."""
    return desk.database.read_now(lambda s: sources.fetches(s, desk.source(url).id))


def wait(desk: Desk) -> float:
    """How many minutes the only source waits."""
    return (desk.source().next_due - desk.clock()) / MINUTE


# Gaps


async def test_a_fetch_that_shows_nothing_known_is_a_gap_and_the_next_comes_sooner(desk: Desk) -> None:
    await desk.follow(desk.wire.says(entry(1), entry(2), headers=["Cache-Control: max-age=1200"]))
    await desk.poll()
    assert not log(desk)[0].is_gap
    assert 20 <= wait(desk) <= 22
    desk.clock.move(20 * MINUTE)
    desk.wire.says(entry(3), entry(4), headers=["Cache-Control: max-age=1200"])
    await desk.poll()
    (gap, _) = log(desk)
    assert gap.is_gap
    assert "none of 2 entries was known, so stories may be missing" in gap.why
    assert 5 <= wait(desk) <= 5.5
    # What the headers say is not believed for a day.
    desk.wire.says(entry(3), entry(4), entry(5), headers=["Cache-Control: max-age=1200"])
    await desk.poll()
    assert not log(desk)[0].is_gap
    assert "but stories came and went meanwhile" in desk.source().why
    assert wait(desk) < 7


async def test_a_source_with_nothing_new_is_asked_more_and_more_seldom_up_to_its_ceiling(desk: Desk) -> None:
    await desk.follow(desk.wire.says(entry(1)))
    waits = []
    for _ in range(12):
        await desk.poll()
        waits.append(wait(desk))
        desk.clock.move(MINUTE)
    assert waits[0] < 5.6 < waits[1] < waits[4]
    assert 30 <= waits[-1] <= 33
    assert "a news source is asked no later" in desk.source().why


async def test_a_priority_wire_is_asked_every_minute(desk: Desk) -> None:
    now = desk.clock()
    items = [entry(n, published=now - n * MINUTE) for n in range(1, 20)]
    await desk.follow(desk.wire.says(*items), kind=SourceKind.WIRE)
    for _ in range(5):
        await desk.poll()
        assert 1 <= wait(desk) <= 1.1
    assert "a wire source is asked no sooner" in desk.source().why


async def test_an_answer_with_only_what_is_new_is_taken_and_is_no_gap(desk: Desk) -> None:
    await desk.hears(entry(1))
    desk.wire.answers(226, RSS, "IM: feed", body=rss(entry(2)))
    found = await desk.poll()
    assert (found.new, log(desk)[0].is_gap, log(desk)[0].status) == (1, False, 226)


# Who asks us to wait


async def test_a_429_pauses_every_feed_of_its_domain_and_no_other(desk: Desk) -> None:
    limited = desk.wire.answers(429, "Retry-After: 3600", path="/limited")
    same = desk.wire.says(entry(1), path="/same")
    other = desk.wire.says(entry(2), path="/other").replace("127.0.0.1", "localhost")
    desk.settings = replace(desk.settings, per_host=1)
    await desk.follow(limited, same, other)
    found, due = await desk.sweep()
    # The second feed of the host was not asked once the first had said so.
    assert (found.sources, found.new) == (2, 1)
    assert desk.wire.requests("/same") == []
    assert desk.source(same).failures == desk.source(limited).failures == 0
    assert "every feed of 127.0.0.1 waits" in desk.source(limited).why
    assert due is not None
    assert due <= NOW + 6 * MINUTE, "the other host goes on"
    desk.clock.now = NOW + 59 * MINUTE
    assert [s.url for s in await claimed(desk)] == [other]
    desk.clock.now = NOW + 60 * MINUTE
    assert {s.url for s in await claimed(desk)} >= {limited, same}


async def claimed(desk: Desk) -> list[SourceDraft]:
    found = await desk.database.write(
        lambda s: claims.claim_due(s, desk.clock(), limit=10, lease=desk.settings.lease)
    )
    await desk.database.write(lambda s: claims.release(s, [due.id for due in found]))
    return [SourceDraft(due.url) for due in found]


async def test_the_next_sweep_comes_when_a_paused_domain_may_be_asked_again(desk: Desk) -> None:
    desk.settings = replace(desk.settings, per_host=1)
    limited = desk.wire.answers(429, "Retry-After: 3600", path="/limited")
    await desk.follow(limited, desk.wire.says(entry(1), path="/same"))
    _, due = await desk.sweep()
    assert due == NOW + HOUR


async def test_a_pause_of_a_second_is_sat_out(desk: Desk) -> None:
    desk.settings = replace(desk.settings, per_host=1)
    limited = desk.wire.answers(429, "Retry-After: 1", path="/limited")
    await desk.follow(limited, desk.wire.says(entry(1), path="/same"))
    found, _ = await desk.sweep()
    assert (found.sources, found.new) == (2, 1)


async def test_who_asks_everything_asks_the_rest_of_a_paused_domain_too(desk: Desk) -> None:
    desk.settings = replace(desk.settings, per_host=1)
    limited = desk.wire.answers(429, "Retry-After: 3600", path="/limited")
    await desk.follow(limited, desk.wire.says(entry(1), path="/same"))
    due = await desk.claim()
    found = await ingest.poll(desk.database, desk.client, desk.clock, desk.settings, due, even_waiting=True)
    assert (found.sources, found.new) == (2, 1)


async def test_an_editor_may_insist_on_a_feed_whose_domain_is_paused(desk: Desk) -> None:
    desk.settings = replace(desk.settings, per_host=1)
    limited = desk.wire.answers(429, "Retry-After: 3600", path="/limited")
    same = desk.wire.says(entry(1), path="/same")
    await desk.follow(limited, same)
    await desk.sweep()
    assert await claimed(desk) == []
    id = desk.source(same).id
    await desk.database.write(lambda s: sources.insist(s, id, desk.clock(), why="ada says to ask now"))
    assert [s.url for s in await claimed(desk)] == [same]
    assert (await desk.sweep())[0].new == 1
    desk.clock.move(10 * MINUTE)
    assert await claimed(desk) == [], "once"


async def test_a_503_pauses_its_feed_alone(desk: Desk) -> None:
    away = desk.wire.answers(503, "Retry-After: 3600", path="/away")
    here = desk.wire.says(entry(1), path="/here")
    await desk.follow(away, here)
    await desk.sweep()
    desk.clock.move(10 * MINUTE)
    assert [s.url for s in await claimed(desk)] == [here]
    assert desk.source(away).failures == 0


async def test_who_names_no_time_is_left_alone_for_longer_and_longer(desk: Desk) -> None:
    await desk.follow(desk.wire.answers(503))
    waits = []
    for _ in range(3):
        await desk.poll()
        waits.append(wait(desk))
    assert 10 <= waits[0] <= 11 < 20 <= waits[1] <= 22 < 40 <= waits[2] <= 44
    desk.wire.says(entry(1))
    await desk.poll()
    assert wait(desk) <= 33


# Our own connection


def cut(monkeypatch: pytest.MonkeyPatch, *reached: str) -> None:
    """Only these hosts can be reached."""
    real = ingest.fetch

    async def fetch(client: object, url: str, **more: object) -> object:
        if not any(host in url for host in reached):
            raise FetchError("The host is not known.", url=url, kind=FailureKind.UNKNOWN_HOST)
        if ".example" in url:
            raise FetchError("It answered 500.", url=url, kind=FailureKind.SERVER_ERROR, status=500)
        return await real(client, url, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(ingest, "fetch", fetch)


async def test_where_most_hosts_fail_at_once_the_fault_is_ours_and_nobody_is_charged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds = [f"https://h{n}.example/feed" for n in range(5)]
    await desk.follow(*feeds, desk.wire.says(entry(1)))
    with monkeypatch.context() as network:
        cut(network, "127.0.0.1")
        found, due = await desk.sweep()
    assert (found.sources, found.failed) == (6, {"unknown_host": 5})
    assert due is not None
    assert NOW + MINUTE <= due <= NOW + 1.1 * MINUTE
    source = desk.source(feeds[0])
    assert (source.failures, source.failure_kind, source.gone_at) == (0.0, None, None)
    assert "our own connection failed: 5 of 6 hosts could not be reached" in source.why
    said = {each.name: each for each in await examine(desk.database, desk.clock, KeepSettings())}
    assert "our own connection failed at 2025-" in said["connection"].says
    assert not said["connection"].is_well
    # A small round says so, too, as long as it lasts.
    desk.clock.now = due
    with monkeypatch.context() as network:
        cut(network)
        await desk.sweep()
    assert desk.source(feeds[0]).failures == 0
    desk.clock.move(6 * MINUTE)
    with monkeypatch.context() as network:
        cut(network, "127.0.0.1", "h0", "h1")
        await desk.poll()
    # Half of them are reached: who is not is charged.
    outage = desk.database.read_now(lambda s: pauses.outage(s, NOW))
    assert outage is not None
    assert outage.ended_at == desk.clock()
    assert desk.source(feeds[4]).failures == 0.25


async def test_two_hosts_that_fail_are_their_own_fault(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.follow("https://h0.example/feed", "https://h1.example/feed")
    cut(monkeypatch)
    await desk.sweep()
    assert desk.source("https://h0.example/feed").failures == 0.25
    assert desk.database.read_now(pauses.outage) is None


async def test_hosts_that_never_come_back_are_charged_after_a_day(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.follow(*(f"https://h{n}.example/feed" for n in range(4)))
    cut(monkeypatch)
    await desk.sweep()
    assert desk.source("https://h0.example/feed").failures == 0
    desk.clock.move(outages.LONGEST + HOUR)
    await desk.sweep()
    assert desk.source("https://h0.example/feed").failures == 0.25


# Redirects


async def test_every_redirect_is_recorded_and_none_of_them_moves_a_source_at_once(desk: Desk) -> None:
    there = desk.wire.says(entry(1), path="/there")
    desk.wire.answers(302, f"Location: {there}", path="/between")
    here = desk.wire.answers(301, f"Location: {desk.wire.at('/between')}")
    await desk.follow(here)
    await desk.poll()
    assert log(desk)[0].hops == (
        f'[["{here}", 301, "{desk.wire.at("/between")}"], ["{desk.wire.at("/between")}", 302, "{there}"]]'
    )
    desk.clock.move(30 * DAY)
    await desk.poll()
    assert desk.source().url == here, "a 302 never moves it"


async def test_a_source_moves_once_the_same_permanent_redirect_has_held_for_days(desk: Desk) -> None:
    there = desk.wire.says(entry(1), path="/there", headers=['ETag: "a"'])
    here = desk.wire.answers(301, f"Location: {there}")
    await desk.follow(here)
    await desk.poll()
    (before,) = desk.stories()
    desk.clock.move(6 * DAY)
    await desk.poll()
    assert desk.source().url == here
    desk.clock.move(DAY)
    await desk.poll()
    source = desk.source()
    assert source.url == there
    assert f"it moved for good: followed at {there} from now on" in source.why
    (old,) = desk.database.read_now(lambda s: moves.old_urls(s, source.id))
    assert (old.url, old.until) == (here, desk.clock())
    asked = len(desk.wire.requests())
    await desk.poll()
    assert len(desk.wire.requests()) == asked
    (after,) = desk.stories()
    assert (after.id, after.entry_id) == (before.id, before.entry_id)
    # Added again, the old address finds the source.
    await desk.follow(here)
    assert desk.source().id == source.id
    assert [s.id for s in desk.database.read_now(lambda s: sources.named(s, here))] == [source.id]


def led(*hops: tuple[str, int, str]) -> NotModified:
    """An answer at the end of these redirects."""
    steps = tuple(Hop(*hop) for hop in hops)
    return NotModified(steps[-1].location, Validators(), Freshness(), steps, timedelta())


@pytest.mark.parametrize(
    ("url", "status", "to", "moves_to"),
    [
        ("http://wire.example/feed", 301, "https://wire.example/feed", "https://wire.example/feed"),
        ("http://wire.example/feed", 302, "https://wire.example/feed", None),
        ("http://wire.example/feed", 308, "https://wire.example/other", None),
        ("http://ada:key@wire.example/feed", 301, "https://wire.example/feed", None),
    ],
)
async def test_http_becomes_https_at_once_and_no_login_is_lost(
    desk: Desk, url: str, status: int, to: str, moves_to: str | None
) -> None:
    await desk.follow(url)
    (source,) = await desk.claim()
    assert asked_of(led((url, status, to)), source, NOW, after=7 * DAY).move_to == moves_to


async def test_a_redirect_that_changes_begins_anew(desk: Desk) -> None:
    one, two = (desk.wire.says(entry(n), path=f"/{n}") for n in (1, 2))
    here = desk.wire.answers(308, f"Location: {one}")
    await desk.follow(here)
    await desk.poll()
    desk.clock.move(6 * DAY)
    desk.wire.answers(308, f"Location: {two}")
    await desk.poll()
    desk.clock.move(6 * DAY)
    await desk.poll()
    assert desk.source().url == here
    desk.clock.move(DAY)
    await desk.poll()
    assert desk.source().url == two


async def test_two_sources_are_never_made_one(desk: Desk) -> None:
    there = desk.wire.says(entry(1), path="/there")
    here = desk.wire.answers(301, f"Location: {there}")
    await desk.follow(here, there)
    await desk.poll()
    desk.clock.move(7 * DAY)
    await desk.poll()
    taken = desk.source(there)
    assert f"which source {taken.id} follows already; both stay as they are" in desk.source(here).why
    await desk.poll()
    assert "follows already" not in desk.source(here).why, "it is said once"


# Validators


async def test_a_server_that_answers_304_for_ever_is_asked_for_the_whole_after_eight_days(desk: Desk) -> None:
    await desk.follow(desk.wire.says(entry(1), headers=['ETag: "a"']))
    await desk.poll()
    desk.wire.answers(304)
    desk.clock.move(7 * DAY)
    await desk.poll()
    assert desk.wire.requests()[-1]["if-none-match"] == '"a"'
    desk.clock.move(DAY)
    desk.wire.says(entry(1), entry(2), headers=['ETag: "a"'])
    found = await desk.poll()
    assert "if-none-match" not in desk.wire.requests()[-1]
    assert found.new == 1
    assert "asked for the whole after 8 days" in desk.source().why
    await desk.poll()
    assert desk.wire.requests()[-1]["if-none-match"] == '"a"'


# Hubs


async def test_a_hub_is_trusted_after_its_first_push_and_no_more_after_a_missed_one(desk: Desk) -> None:
    hub = '<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="hub" href="https://hub.example/"/>'

    def says(*numbers: int) -> bytes:
        items = (entry(n, published=desk.clock() - HOUR) for n in numbers)
        return rss(*items).replace(b"<language>", hub.encode() + b"<language>")

    await desk.follow(desk.wire.answers(200, RSS, body=says(1)))
    await desk.poll()
    (push,) = desk.database.read_now(push_sources.everyone)
    await desk.database.write(lambda s: push_sources.confirm(s, push, 10 * DAY, now=desk.clock()))
    await desk.poll()
    assert "its hub" not in desk.source().why
    body = says(1, 2)
    signature = sign(body, push.secret)
    assert await take_push(
        desk.database, desk.clock, push.token, body=body, content_type=None, signature=signature
    )
    assert desk.database.read_now(push_sources.everyone)[0].is_trusted
    desk.wire.answers(200, RSS, body=says(1, 2))
    await desk.poll()
    assert 30 <= wait(desk) <= 33
    assert "its hub sends what is new" in desk.source().why
    assert desk.database.read_now(push_sources.everyone)[0].is_trusted
    desk.wire.answers(200, RSS, body=says(1, 2, 3))
    await desk.poll()
    (after,) = desk.database.read_now(push_sources.everyone)
    assert (after.is_trusted, after.missed_at) == (False, desk.clock())
    assert after.why == "it missed a story that we found by asking"
    await desk.poll()
    assert "its hub" not in desk.source().why


# Fairness


async def test_a_sweep_ends_in_time_though_a_host_has_hundreds_of_slow_feeds(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "SWEEP", timedelta(seconds=0.3))
    crowd = [desk.wire.says(entry(n), path=f"/{n}", after=0.1) for n in range(40)]
    other = desk.wire.says(entry(99), path="/other").replace("127.0.0.1", "localhost")
    await desk.follow(*crowd, other)
    found, due = await desk.sweep()
    assert 2 <= found.sources < 30
    assert due is not None
    assert due <= desk.clock(), "the rest is due still, and nobody's"
    assert desk.source(other).last_success is not None
    assert desk.wire.most_at_once <= 3


async def test_two_sweeps_at_once_share_the_places_at_a_host(desk: Desk) -> None:
    await desk.follow(*(desk.wire.says(entry(n), path=f"/{n}", after=0.02) for n in range(12)))
    due = await desk.claim()
    await asyncio.gather(
        *(
            ingest.poll(desk.database, desk.client, desk.clock, desk.settings, some)
            for some in (due[:6], due[6:])
        )
    )
    assert len(desk.stories()) == 12
    assert desk.wire.most_at_once == 2


async def test_300_overdue_feeds_of_one_host_do_not_hold_up_50_others(database: Database) -> None:
    crowd = [SourceDraft(f"https://crowd.example/{n}") for n in range(300)]
    others = [SourceDraft(f"https://h{n}.example/feed") for n in range(50)]
    await database.write(lambda s: sources.add(s, crowd, now=NOW - DAY))
    await database.write(lambda s: sources.add(s, others, now=NOW))
    due = await database.write(lambda s: claims.claim_due(s, NOW, limit=51, lease=HOUR))
    assert {draft.url for draft in others} < {each.url for each in due}
