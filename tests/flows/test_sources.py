from __future__ import annotations

from pathlib import Path

import pytest

from aggregator.errors import BadInput
from aggregator.flows.sources import (
    add_sources,
    check_url,
    export_opml,
    import_opml,
    read_document,
    remove_source,
    require_sources,
    require_web_url,
    resume_source,
)
from aggregator.model import SourceDraft
from aggregator.store import sources
from feeds.errors import FetchError, ParseError
from tests.conftest import NOW
from tests.flows.wire import Desk, entry

PAGE = (
    b"<!doctype html><title>Harbour</title>"
    b'<link rel="alternate" type="application/rss+xml" title="World" href="/world.rss">'
)
OPML = b"""<?xml version="1.0"?><opml version="2.0"><head><title>Mine</title></head><body>
<outline text="Harbour" type="rss" xmlUrl="https://wire.example/feed" htmlUrl="https://wire.example/" language="en"/>
<outline text="Nowhere" type="rss" xmlUrl="feed-without-address"/>
</body></opml>"""


async def urls(desk: Desk) -> list[str]:
    return [source.url for source in await desk.database.read(sources.all_sources)]


async def test_an_address_is_looked_at_before_it_is_followed(desk: Desk) -> None:
    found = await check_url(desk.client, desk.wire.says(entry(1)), desk.settings.limits)
    assert found.feed is not None
    assert (found.url, found.feed.title, len(found.feed.entries)) == (desk.wire.feed, "Harbour Wire", 1)


async def test_a_page_is_asked_for_the_feeds_that_it_names(desk: Desk) -> None:
    page = desk.wire.answers(200, "Content-Type: text/html", body=PAGE, path="/")
    found = await check_url(desk.client, page, desk.settings.limits)
    assert found.feed is None
    assert [feed.url for feed in found.found] == [desk.wire.at("/world.rss")]
    assert "web page, not a feed" in found.why


async def test_an_address_where_nothing_answers_is_said_to_be_so(desk: Desk) -> None:
    with pytest.raises(FetchError, match="404"):
        await check_url(desk.client, desk.wire.answers(404), desk.settings.limits)
    with pytest.raises(BadInput, match="is no web address"):
        await check_url(desk.client, "mailto:desk@wire.example", desk.settings.limits)


def test_a_bare_host_is_an_address_too() -> None:
    assert require_web_url("wire.example/feed") == "https://wire.example/feed"
    assert require_web_url("http://wire.example/feed") == "http://wire.example/feed"
    assert require_web_url("wire.example/@ada/feed") == "https://wire.example/@ada/feed"
    with pytest.raises(BadInput, match="'file:///etc/passwd' is no web address"):
        require_web_url("file:///etc/passwd")


async def test_a_feed_that_is_followed_already_is_not_followed_twice(desk: Desk) -> None:
    draft = SourceDraft("https://wire.example/feed")
    assert await add_sources(desk.database, desk.clock, [draft], by="ada") == 1
    assert (
        await add_sources(desk.database, desk.clock, [draft, SourceDraft("https://wire.example/b")], by="ada")
        == 1
    )


async def test_a_readers_opml_is_brought_in_once(desk: Desk) -> None:
    assert await import_opml(desk.database, desk.clock, OPML, by="ada") == (1, 1)
    assert await import_opml(desk.database, desk.clock, OPML, by="ada") == (0, 1)
    source = desk.source()
    assert (source.url, source.title, source.site_url, source.language) == (
        "https://wire.example/feed", "Harbour", "https://wire.example/", "en",
    )  # fmt: skip


async def test_an_opml_that_names_no_feed_is_refused(desk: Desk) -> None:
    with pytest.raises(BadInput, match="names no feed"):
        await import_opml(
            desk.database, desk.clock, b"<opml><body><outline text='x'/></body></opml>", by="ada"
        )
    with pytest.raises(ParseError):
        await import_opml(desk.database, desk.clock, b"<html><p>No list.", by="ada")


async def test_what_is_followed_goes_out_as_opml_and_comes_back_the_same(desk: Desk) -> None:
    await import_opml(desk.database, desk.clock, OPML, by="ada")
    await desk.follow("https://wire.example/untitled")
    body = await export_opml(desk.database, title="Ours", created=NOW)
    assert await export_opml(desk.database, title="Ours", created=NOW) == body
    before = await urls(desk)
    for source in await desk.database.read(sources.all_sources):
        assert await remove_source(desk.database, desk.clock, source.id, by="ada")
    assert await import_opml(desk.database, desk.clock, body, by="ada") == (2, 2)
    assert sorted(await urls(desk)) == sorted(before)


async def test_a_document_is_read_from_a_file_or_from_the_web(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "list.opml").write_bytes(OPML)
    limits = desk.settings.limits
    assert await read_document(desk.client, str(tmp_path / "list.opml"), limits) == OPML
    assert await read_document(desk.client, desk.wire.answers(200, body=OPML), limits) == OPML
    with pytest.raises(BadInput, match=r"none.opml cannot be read: No such file"):
        await read_document(desk.client, str(tmp_path / "none.opml"), limits)


async def test_a_source_is_named_by_number_address_or_part_of_its_title(desk: Desk) -> None:
    await desk.follow("https://wire.example/a", title="Harbour World")
    await desk.follow("https://wire.example/b", title="Harbour Sport")
    known = {source.title: source for source in await desk.database.read(sources.all_sources)}
    world = known["Harbour World"]
    for name in (str(world.id), world.url, "Harbour World", "world"):
        assert await require_sources(desk.database, [name]) == [world]
    assert await require_sources(desk.database, ["sport", "world"]) == [known["Harbour Sport"], world]
    with pytest.raises(BadInput, match=r"may mean several sources: .*\(Harbour World\).*by its number"):
        await require_sources(desk.database, ["harbour"])
    with pytest.raises(BadInput, match="No source is called 'river'"):
        await require_sources(desk.database, ["river"])


async def test_a_source_that_gave_stories_is_only_paused_when_it_is_removed(desk: Desk) -> None:
    await desk.hears(entry(1))
    assert not await remove_source(desk.database, desk.clock, desk.source().id, by="ada")
    assert desk.source().is_paused
    assert len(desk.stories()) == 1


async def test_a_source_that_was_paused_or_gone_goes_on_when_an_editor_says_so(desk: Desk) -> None:
    await desk.follow(desk.wire.answers(410))
    await desk.sweep()
    assert desk.source().gone_at is not None
    assert await resume_source(desk.database, desk.clock, desk.wire.feed, by="ada")
    assert not await resume_source(desk.database, desk.clock, desk.wire.feed, by="ada")
    desk.wire.says(entry(1))
    assert (await desk.sweep())[0].new == 1
    assert not await remove_source(desk.database, desk.clock, desk.source().id, by="ada")
    assert await resume_source(desk.database, desk.clock, desk.wire.feed, by="ada")
    assert not desk.source().is_paused
