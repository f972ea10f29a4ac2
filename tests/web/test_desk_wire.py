"""The wire in a browser: filters, marks, saved views and their feeds, events."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest

from aggregator.flows import cluster, desk_wire, recording
from aggregator.language.query import parse_query
from aggregator.rules.wire_views import View
from aggregator.store import clusters, saved_views, stories
from aggregator.store.clusters import Placed
from aggregator.web.desk.wire_shown import SUMMARY, about, marked
from feeds.model import Tombstone
from feeds.read import parse
from tests.conftest import NOW
from tests.store.newsroom import follow, heard, keep_stories, record, says, stored
from tests.web.newsroom import Newsroom
from tests.web.test_desk import page, send, signed_in

WIRE = "/desk/wire"
MEETING = "Delegations meet in Riyadh"


@pytest.fixture
async def editor(newsroom: Newsroom, reader: httpx.AsyncClient) -> httpx.AsyncClient:
    """Ada, signed in."""
    await signed_in(newsroom, reader)
    return reader


def index(newsroom: Newsroom) -> None:
    while newsroom.database.write_now(lambda s: stories.index_new(s, limit=100)):
        pass


def together(newsroom: Newsroom, *members: int) -> int:
    placed = [Placed(each, members[0], each, 1.0, "“Riyadh” shared", None) for each in members]
    newsroom.database.write_now(lambda s: clusters.record(s, placed, [], at=NOW))
    return members[0]


def rows(shown: str) -> int:
    return shown.count("data-row")


async def test_a_wire_without_stories_says_what_to_do(editor: httpx.AsyncClient) -> None:
    shown = await page(editor, WIRE)
    assert "No story has come in yet." in shown
    assert 'href="/desk/sources"' in shown


async def test_a_view_that_nothing_meets_says_so(newsroom: Newsroom, editor: httpx.AsyncClient) -> None:
    keep_stories(newsroom.database, says("1", MEETING))
    assert "Nothing on the wire meets this." in await page(editor, f"{WIRE}?language=zz")
    assert "Nothing on the wire meets this." in await page(editor, f"{WIRE}?source=nobody&q=x&topic=none")


async def test_a_row_carries_the_marks_that_the_script_of_the_desk_looks_for(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    story = keep_stories(newsroom.database, says("1", MEETING))["1"]
    shown = await page(editor, f"{WIRE}?language=en")
    assert f'data-row id="e{story}"' in shown
    assert f'<a href="/desk/wire/{story}?language=en" data-open>{MEETING}</a>' in shown
    assert "data-take" in shown
    assert "data-spike" in shown
    assert "data-search" in shown
    assert 'data-follow="/desk/events?wire=1&since=1&language=en"' in shown
    assert '<p class="fresh" data-fresh hidden data-one=' in shown


async def test_a_story_that_its_source_took_back_is_marked_wherever_it_stands(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    told = keep_stories(newsroom.database, says("1", MEETING), says("2", "A hurricane nears the coast"))
    await newsroom.brief()
    (source,) = follow(newsroom.database, "https://wire.example/feed")
    stone = Tombstone("urn:1", NOW, None, "It was not so.")
    report = heard(source, says("2", "A hurricane nears the coast"), tombstones=(stone,))
    newsroom.database.write_now(lambda s: recording.record(s, [report]))
    marked_so = "taken back by its source"
    assert (await page(editor, WIRE)).count(marked_so) == 1
    assert marked_so in await page(editor, f"{WIRE}/{told['1']}")
    assert marked_so not in await page(editor, f"{WIRE}/{told['2']}")


async def test_one_row_an_event_says_which_brief_uses_it(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    told = keep_stories(newsroom.database, says("1", MEETING), says("2", "A hurricane nears the coast"))
    await newsroom.brief()
    await newsroom.pick(told["1"])
    await cluster.cluster_new(newsroom.database, newsroom.clock)
    for path in (WIRE, f"{WIRE}?state=used", f"{WIRE}/{told['1']}"):
        assert "in “Talks open in Riyadh without Kyiv”" in await page(editor, path)
    assert rows(await page(editor, WIRE)) == 2
    assert rows(await page(editor, f"{WIRE}?state=used")) == 1


async def test_a_search_that_cannot_be_read_says_why_and_stays_in_its_field(
    editor: httpx.AsyncClient,
) -> None:
    wrong = await editor.get(f"{WIRE}?q=%22open")
    assert wrong.status_code == 400
    assert 'role="alert"' in wrong.text
    assert 'value="&#34;open"' in wrong.text


async def test_what_is_searched_for_is_marked_in_any_script(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    keep_stories(
        newsroom.database,
        says("1", "Зустріч у Києві завершено", language="uk"),
        says("2", "Réunion à l’Élysée <hier>", language="fr"),
        says("3", "محادثات السلام في الرياض", language="ar"),
        says("4", "Other news", body="The Élysée is in the text only."),
    )
    index(newsroom)
    for query, expected in [
        ("КИЄВІ", "у <mark>Києві</mark> завершено"),
        ("elysee", "l’<mark>Élysée</mark> <hier>"),
        ("الرياض", "<mark>الرياض</mark>"),
        ('"reunion a"', "<mark>Réunion à</mark> l’"),
    ]:
        shown = await page(editor, f"{WIRE}?{urlencode({'q': query})}")
        assert expected in shown
    assert "found in its text" in await page(editor, f"{WIRE}?q=text")
    raw = (await editor.get(f"{WIRE}?q=elysee")).text
    assert "&lt;hier&gt;" in raw


def test_a_summary_is_shown_where_it_holds_what_is_searched_for() -> None:
    summary = "word " * 100 + "Élysée " + "word " * 100
    query = parse_query("elysee")
    shown = about(summary, query)
    assert shown.startswith("…word")
    assert len(shown) <= SUMMARY + 2
    assert [each.text for each in marked(shown, query) if each.kind] == ["Élysée"]
    assert about(summary, None).startswith("word")


async def test_long_things_and_sixty_outlets_are_folded(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    headline = "Überlang " * 60
    for n in range(60):
        (source,) = follow(newsroom.database, f"https://outlet{n}.example/feed", title=f"Outlet {n}")
        at = NOW - timedelta(minutes=60 - n)
        record(newsroom.database, heard(source, says("a", headline, published=at, language="de")))
    together(newsroom, *sorted(story.id for story in stored(newsroom.database)))
    shown = await page(editor, WIRE)
    assert rows(shown) == 1
    assert "and 51 more" in shown
    assert "60 stories" in shown
    assert headline.strip() not in shown
    event = await editor.get(re.search(r'href="(/desk/wire/\d+)"', shown)[1])  # type: ignore[index]
    assert event.text.count('class="report"') == 40
    assert "More of this event" in event.text
    assert len(event.content) < 150_000


async def test_an_event_is_taken_from_its_row_and_given_back(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    story = keep_stories(newsroom.database, says("1", MEETING))["1"]
    path = f"{WIRE}/{story}/mark?language=en"
    answer = await send(editor, path, act="take", **{"from": "wire"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{WIRE}?language=en#e{story}")
    shown = await page(editor, WIRE)
    assert "taken by ada" in shown
    assert "data-take" not in shown
    decided = re.search(r'name="decided" value="(\d+)"', shown)
    assert decided is not None
    answer = await send(editor, f"{WIRE}/{story}/mark", act="give_back", decided=decided[1])
    assert answer.headers["location"] == f"{WIRE}/{story}"
    assert "taken by ada" not in await page(editor, WIRE)
    assert "given back by ada" in await page(editor, f"{WIRE}/{story}")


async def test_a_spike_without_a_reason_comes_back_with_its_form_open(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    story = keep_stories(newsroom.database, says("1", MEETING))["1"]
    for place in ("wire", ""):
        answer = await send(editor, f"{WIRE}/{story}/mark", act="spike", why=" ", **{"from": place})
        assert answer.status_code == 400
        assert "Say why the event is spiked" in answer.text
        assert '<details class="spike" open>' in answer.text
    await send(editor, f"{WIRE}/{story}/mark", act="spike", why="Seen <before>", **{"from": "wire"})
    assert rows(await page(editor, WIRE)) == 0
    assert "Every event of the wire was spiked." in await page(editor, WIRE)
    shown = await page(editor, f"{WIRE}?state=spiked")
    assert "spiked by ada" in shown
    assert "Seen <before>" in shown


async def test_a_decision_on_an_old_page_keeps_what_was_typed(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    story = keep_stories(newsroom.database, says("1", MEETING))["1"]
    await desk_wire.mark(newsroom.database, newsroom.clock, story, "take", decided=0, by="bea")
    answer = await send(editor, f"{WIRE}/{story}/mark", act="spike", why="Seen before", **{"from": "wire"})
    assert answer.status_code == 409
    assert "bea took it meanwhile" in answer.text
    assert 'value="Seen before"' in answer.text


async def test_who_may_only_look_sees_marks_and_no_buttons(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await signed_in(newsroom, reader, "viewer")
    story = keep_stories(newsroom.database, says("1", MEETING))["1"]
    await desk_wire.mark(newsroom.database, newsroom.clock, story, "take", decided=0, by="bea")
    await desk_wire.save_view(newsroom.database, newsroom.clock, "Everything", View(), by="bea")
    for path in (WIRE, f"{WIRE}/{story}"):
        shown = await page(reader, path)
        assert "taken by bea" in shown
        assert "/mark" not in shown
        assert "/remove" not in shown
    token = re.search(r'name="form_token" value="([^"]+)"', await page(reader, WIRE))
    assert token is not None
    for path in (f"{WIRE}/{story}/mark", f"{WIRE}/{story}/undo-merge", "/desk/views", "/desk/views/1/remove"):
        answer = await reader.post(path, data={"form_token": token[1], "act": "take", "name": "x"})
        assert answer.status_code == 403


async def test_older_events_are_behind_a_link_and_come_once(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    drafts = [says(str(n), f"Story {n}", published=NOW - timedelta(minutes=n)) for n in range(60)]
    keep_stories(newsroom.database, *drafts)
    first = await page(editor, f"{WIRE}?language=en")
    older = re.search(r'href="(/desk/wire\?language=en&before=[^"]+)" rel="next"', first)
    assert older is not None
    second = await page(editor, older[1])
    assert "data-follow" not in second
    found = [re.findall(r"data-open>(Story \d+)<", shown) for shown in (first, second)]
    assert [len(some) for some in found] == [40, 20]
    assert len({*found[0], *found[1]}) == 60
    assert 'rel="next"' not in second


async def test_an_event_shows_its_stories_their_versions_and_its_merges(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    known = keep_stories(
        newsroom.database,
        says("1", MEETING),
        says("2", "الوفود تجتمع في الرياض", language="ar"),
        says("3", "Talks"),
    )
    (source,) = follow(newsroom.database, "https://wire.example/feed")
    record(
        newsroom.database, heard(source, says("1", "Delegations met in Riyadh"), at=NOW + timedelta(hours=1))
    )
    one, other = together(newsroom, known["1"], known["2"]), together(newsroom, known["3"])
    newsroom.database.write_now(lambda s: clusters.record(s, [], [(one, other, "the same talks")], at=NOW))
    shown = await page(editor, f"{WIRE}/{known['2']}")
    assert "<del>meet </del><ins>met </ins>" in shown
    assert "“Riyadh” shared" in shown
    assert 'dir="rtl"' in shown
    assert "the same talks" in shown
    merge = re.search(r'name="merge" value="(\d+)"', shown)
    assert merge is not None
    answer = await send(editor, f"{WIRE}/{one}/undo-merge", merge=merge[1])
    assert answer.headers["location"] == f"{WIRE}/{one}"
    assert "the same talks" not in await page(editor, f"{WIRE}/{one}")
    assert (await send(editor, f"{WIRE}/{one}/undo-merge", merge=merge[1])).status_code == 400
    assert (await send(editor, f"{WIRE}/{one}/undo-merge", merge="x")).status_code == 400
    for path in (f"{WIRE}/99", f"{WIRE}/0", f"{WIRE}/99999999999", f"{WIRE}/x"):
        assert (await editor.get(path)).status_code == 400


async def test_a_view_is_saved_as_a_link_and_a_feed_and_removed(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    story = keep_stories(newsroom.database, says("1", MEETING), says("2", "Football", published=NOW))["1"]
    index(newsroom)
    query = View(q="riyadh", language="en").query
    answer = await send(editor, "/desk/views", name="Riyadh & co", query=query)
    assert answer.headers["location"] == f"{WIRE}?{query}"
    shown = await page(editor, WIRE)
    assert f'href="/desk/wire?{query}"' in shown
    path = re.search(r'href="(/desk/views/[^"]+\.atom)"', shown)
    assert path is not None
    async with newsroom.client() as stranger:
        found = await stranger.get(path[1])
        assert found.status_code == 200
        assert found.headers["cache-control"] == "private, no-cache"
        assert found.headers["x-robots-tag"] == "noindex"
        feed = parse(found.content, content_type=found.headers["content-type"], base_url="https://x.example/")
        assert (feed.title, feed.problems) == ("Riyadh & co · The Harbour Desk", ())
        assert [(entry.id, entry.title, entry.url) for entry in feed.entries] == [
            (newsroom.site.tag(f"event/{story}"), MEETING, "https://wire.example/1")
        ]
        assert feed.updated == feed.entries[0].updated == NOW
        again = await stranger.get(path[1], headers={"if-none-match": found.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await stranger.head(path[1])).headers["content-length"] == found.headers["content-length"]
        newsroom.clock.move(timedelta(days=1))
        assert (await stranger.get(path[1])).content == found.content
        wrong = path[1].replace(".atom", "x.atom")
        for address in (wrong, "/desk/views/1-.atom", "/desk/views/1.atom", "/desk/views/é-ü.atom"):
            assert (await stranger.get(address)).status_code == 404
        number = newsroom.database.read_now(saved_views.all_views)[0].id
        removed = await send(editor, f"/desk/views/{number}/remove", query=query)
        assert removed.headers["location"] == f"{WIRE}?{query}"
        assert (await stranger.get(path[1])).status_code == 404
    await send(editor, "/desk/views/none/remove")


async def test_a_view_without_a_name_or_that_cannot_be_read_is_not_saved(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    nameless = await send(editor, "/desk/views", name=" ", query="language=en")
    assert nameless.status_code == 400
    assert "Give the view a name" in nameless.text
    unread = await send(editor, "/desk/views", name="Open", query="q=%22open")
    assert unread.status_code == 400
    assert "never closed" in unread.text
    assert newsroom.database.read_now(saved_views.all_views) == []


async def test_a_feed_of_an_empty_wire_is_a_feed(newsroom: Newsroom, editor: httpx.AsyncClient) -> None:
    await send(editor, "/desk/views", name="All", query="")
    (view,) = newsroom.database.read_now(saved_views.all_views)
    found = await editor.get(f"/desk/views/{view.key}.atom")
    assert (
        parse(found.content, content_type="application/atom+xml", base_url="https://x.example/").updated
        == NOW
    )


async def test_the_wire_is_spoken_in_the_language_of_the_reader(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    keep_stories(newsroom.database, says("1", MEETING, language="uk"))
    answer = await editor.get(WIRE, headers={"accept-language": "fr"})
    assert 'title="ukrainien"' in answer.text
