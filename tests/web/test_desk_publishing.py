"""What becomes of a brief for its readers, and how its page hears of what changes."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from html import unescape
from types import SimpleNamespace

import httpx
import pytest

from aggregator.errors import BadInput
from aggregator.flows import desk, editorial, suggest, upkeep
from aggregator.model import Role
from aggregator.rules.wire_views import View
from aggregator.store import briefs
from aggregator.web.desk import events
from aggregator.web.desk.events import Streams
from tests.store.newsroom import keep_stories, says
from tests.web.newsroom import BRIEF, Newsroom
from tests.web.test_desk import MEETING, PAGE, brief, page, send, signed_in


@pytest.fixture
async def editor(newsroom: Newsroom, reader: httpx.AsyncClient) -> httpx.AsyncClient:
    """Ada, signed in, with a brief."""
    await signed_in(newsroom, reader)
    await newsroom.brief()
    return reader


def later(newsroom: Newsroom, hours: int) -> str:
    return (newsroom.clock() + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M")


async def test_a_brief_under_an_embargo_is_published_by_nobody_before(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    until = later(newsroom, 6)
    assert (await send(editor, f"{PAGE}/embargo", act="set", until=until)).status_code == 303
    assert "Embargo until" in await page(editor)
    answer = await send(editor, f"{PAGE}/publish", act="publish")
    assert answer.status_code == 400
    assert "under an embargo until" in answer.text
    answer = await send(editor, f"{PAGE}/publish", act="plan", at=later(newsroom, 5))
    assert answer.status_code == 400
    assert (await send(editor, f"{PAGE}/publish", act="plan", at=until)).status_code == 303
    assert brief(newsroom).release_at == datetime.fromisoformat(f"{until}+00:00")


async def test_an_embargo_is_lifted_and_set_only_where_it_keeps_something(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    await send(editor, f"{PAGE}/embargo", act="set", until=later(newsroom, 6))
    assert (await send(editor, f"{PAGE}/embargo", act="lift")).status_code == 303
    await send(editor, f"{PAGE}/publish", act="plan", at=later(newsroom, 2))
    answer = await send(editor, f"{PAGE}/embargo", act="set", until=later(newsroom, 6))
    assert "take that back first" in answer.text
    await newsroom.publish()
    answer = await send(editor, f"{PAGE}/embargo", act="set", until=later(newsroom, 6))
    assert "Readers have riyadh already" in unescape(answer.text)


async def test_a_time_is_read_by_the_clock_of_whoever_writes_it(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    await send(editor, "/desk/you", language="fr", zone="Europe/Paris")
    await send(editor, f"{PAGE}/publish", act="plan", at="2031-07-01T09:30")
    assert brief(newsroom).release_at == datetime.fromisoformat("2031-07-01T07:30:00+00:00")
    assert "1 juil. 2031, 09:30" in await page(editor)


async def test_the_preview_shows_what_changes_for_readers(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    assert "What changes for readers" not in await page(editor, f"{PAGE}/preview")
    await newsroom.publish()
    assert "Nothing: readers have all of this." in await page(editor, f"{PAGE}/preview")
    await send(editor, f"{PAGE}/text", text=BRIEF.replace("on Tuesday", "on Monday"), base="1")
    shown = await page(editor, f"{PAGE}/preview")
    assert "<del>Tuesday </del><ins>Monday </ins>" in shown


async def test_a_text_is_saved_while_somebody_types(newsroom: Newsroom, editor: httpx.AsyncClient) -> None:
    editor.headers["accept"] = "application/json"
    new = BRIEF.replace("on Tuesday", "on Monday")
    answer = await send(editor, f"{PAGE}/text", text=new, base="1")
    assert answer.json() == {"number": 2, "mine": 2, "text": new, "merged": False, "clashes": 0}
    other = BRIEF.replace("Nobody had met", "Nobody at all had met")
    said = (await send(editor, f"{PAGE}/text", text=other, base="1")).json()
    assert (said["number"], said["mine"], said["merged"]) == (4, 3, True)
    assert "on Monday" in said["text"]
    assert "Nobody at all" in said["text"]
    clash = (
        await send(editor, f"{PAGE}/text", text=BRIEF.replace("on Tuesday", "on Friday"), base="1")
    ).json()
    assert clash["clashes"] == 1
    answer = await send(editor, f"{PAGE}/text", text="No brief", base="4")
    assert (answer.status_code, "paragraph" in answer.json()["problem"]) == (422, True)


async def test_an_earlier_text_is_put_back_as_a_new_revision(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    await send(editor, f"{PAGE}/text", text=BRIEF.replace("on Tuesday", "on Monday"), base="1")
    assert "Put this text back" in await page(editor, f"{PAGE}/revisions?of=1")
    await send(editor, f"{PAGE}/text", text=BRIEF, base="2")
    assert brief(newsroom).revision.text == BRIEF
    assert brief(newsroom).revisions == 3


async def test_the_list_of_briefs_is_read_by_state_and_page_by_page(
    newsroom: Newsroom, editor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aggregator.web.desk.briefs.ON_A_PAGE", 2)
    for number in range(3):
        await newsroom.brief(BRIEF.replace("Talks open", f"Talks {number} open"), f"talks-{number}")
    await newsroom.publish()
    first = await page(editor, "/desk/briefs")
    assert [f"talks-{n}" in first for n in range(3)] == [False, True, True]
    before = first.partition("before=")[2].partition('"')[0]
    second = await page(editor, f"/desk/briefs?before={before}")
    assert ("/desk/briefs/talks-0" in second, "/desk/briefs/riyadh" in second) == (True, True)
    published = await page(editor, "/desk/briefs?state=published")
    assert ("/desk/briefs/riyadh" in published, "talks-1" in published) == (True, False)
    assert "No brief is in this state." in await page(editor, "/desk/briefs?state=withdrawn")


async def test_ten_papers_that_print_one_agency_are_one_voice(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    wire = "RIYADH (Agence Ancre) - Delegations met in Saudi Arabia."
    told = keep_stories(newsroom.database, says("1", MEETING, summary=wire), says("2", MEETING, summary=wire))
    for story in told.values():
        await newsroom.pick(story)

    def seen() -> desk.PassageSeen:
        return newsroom.database.read_now(lambda session: desk.brief_seen(session, "riyadh")).passages[1]

    assert (seen().voices, seen().coverage) == (1, "partly")
    assert "One voice" in await page(editor)
    other = keep_stories(newsroom.database, says("3", "Nothing of that", summary="Riyadh heard it too."))
    await newsroom.pick(other["3"], role=Role.BACKGROUND)
    # What is background stands behind nothing.
    assert seen().voices == 1


async def test_a_passage_that_the_wire_knows_nothing_of_says_so_once_it_was_read(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    assert "No source" not in await page(editor)
    await suggest.suggest_links(newsroom.database, newsroom.clock)
    assert "No source" in await page(editor)
    text = "Background: Nobody had met at this level since February 2022."
    fields = {"act": "ignore", "kind": "unsupported", "brief": text, "sources_say": "", "passage": "p2"}
    await send(editor, f"{PAGE}/checks", why="Our own archive.", **fields)
    assert "Ignored by ada: Our own archive." in unescape(await page(editor)).replace("<bdi>", "")


async def test_a_page_hears_of_whatever_changes_of_its_brief(
    newsroom: Newsroom, editor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LOOK", timedelta(milliseconds=5))
    id = brief(newsroom).id

    def pulse() -> str:
        return newsroom.database.read_now(lambda session: desk.pulse(session, id))

    async def look() -> tuple[str, dict[str, object]]:
        return pulse(), {}

    streams = Streams()
    heard = streams.follow(look, pulse())
    assert await anext(heard) == "retry: 3000\n\n"
    told = keep_stories(newsroom.database, says("1", MEETING))
    deeds = [
        lambda: send(editor, f"{PAGE}/text", text=BRIEF.replace("Tuesday", "Monday"), base="1"),
        lambda: newsroom.pick(told["1"]),
        lambda: send(editor, f"{PAGE}/picks", passage="p1", story=str(told["1"]), act="reject"),
        lambda: newsroom.publish(),
        lambda: newsroom.withdraw(),
    ]
    for deed in deeds:
        waiting = asyncio.ensure_future(anext(heard))
        await deed()
        said = await asyncio.wait_for(waiting, 10)
        assert said.startswith("event: news\n")
    streams.close()
    async for _ in heard:
        pass
    assert streams.open == 0


async def test_a_stream_is_for_whoever_is_signed_in_and_ends_with_the_server(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    service = newsroom.service()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service), base_url=newsroom.site.url) as other:
        assert (await other.get("/desk/events?brief=riyadh")).status_code == 303
        other.cookies = editor.cookies
        service.close()  # type: ignore[attr-defined]
        answer = await other.get("/desk/events?brief=riyadh&since=x")
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.text == "retry: 3000\n\n"
        assert (await other.get("/desk/events?brief=nothing")).status_code == 400


async def test_only_so_many_listen(
    newsroom: Newsroom, editor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOST_STREAMS", 0)
    assert (await editor.get("/desk/events?brief=riyadh")).status_code == 503


async def test_a_plan_before_the_embargo_is_refused_for_programs_too(newsroom: Newsroom) -> None:
    await newsroom.brief()
    until = newsroom.clock() + timedelta(hours=3)
    await editorial.embargo_brief(newsroom.database, newsroom.clock, "riyadh", until, by="ada")
    with pytest.raises(BadInput, match="set by ada"):
        await editorial.publish_brief(newsroom.database, newsroom.clock, "riyadh", by="bo")
    newsroom.clock.move(timedelta(hours=4))
    await editorial.publish_brief(newsroom.database, newsroom.clock, "riyadh", by="bo")
    assert newsroom.database.read_now(lambda s: briefs.newest_publication(s)) == 1


async def test_the_wire_says_how_many_events_came_to_a_view(
    newsroom: Newsroom, editor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LOOK", timedelta(milliseconds=5))
    keep_stories(newsroom.database, says("1", MEETING))
    monkeypatch.setattr(events, "SHARED", timedelta())
    streams, service = Streams(), SimpleNamespace(database=newsroom.database)
    look = events._of_wire(service, streams, View(q="riyadh"), 1)  # type: ignore[arg-type]
    heard = streams.follow(look, "0")
    await anext(heard)
    waiting = asyncio.ensure_future(anext(heard))
    keep_stories(newsroom.database, says("2", "A hurricane nears the coast"))
    keep_stories(newsroom.database, says("3", "Riyadh again"), says("4", "Nobody from Kyiv in Riyadh"))
    await upkeep.index_search(newsroom.database)
    assert '{"new": 2}' in await asyncio.wait_for(waiting, 10)
    streams.close()


async def test_all_who_listen_to_one_thing_share_a_look_until_something_is_told() -> None:
    streams, reads = Streams(), 0

    async def read() -> int:
        nonlocal reads
        reads += 1
        return reads

    assert await asyncio.gather(*(streams.look("wire", read) for _ in range(3))) == [1, 1, 1]
    assert await streams.look("brief 1", read) == 2
    streams.stir()
    assert await asyncio.gather(*(streams.look("wire", read) for _ in range(3))) == [3, 3, 3]


@pytest.mark.parametrize("asked", ["", "wire=1", "wire=1&since=x"])
async def test_a_stream_says_what_it_can_be_asked_for(
    newsroom: Newsroom, editor: httpx.AsyncClient, asked: str
) -> None:
    assert "Say what to listen to" in (await editor.get(f"/desk/events?{asked}")).text
