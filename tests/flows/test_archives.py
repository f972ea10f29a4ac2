"""Archive pages: what left the document stays to be read, and nothing in a page ever changes."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise

from aggregator.flows import archives
from aggregator.flows.editorial import correct_brief, withdraw_brief
from aggregator.outgoing import ArchivePage, Told
from aggregator.rules.channels import Channel
from aggregator.store import carried, documents
from feeds.model import Entry, Feed
from feeds.read import parse
from tests.flows.briefs import SLUG, TEXT, release, write
from tests.flows.wire import SITE, Desk, Item, entry

NARROW = Channel("wire", "The wire", entries=10)


def pages(desk: Desk) -> list[ArchivePage]:
    """The chain, oldest first."""
    return desk.database.read_now(lambda s: documents.archive(s, "wire"))


def read(page: ArchivePage) -> Feed:
    """A page as a reader of the archive reads it."""
    return parse(page.codings.body, content_type=page.media_type)


def rel(feed: Feed, name: str) -> str | None:
    """Where a link of a feed leads."""
    return next((link.href for link in feed.links if link.rel == name), None)


def walked(desk: Desk) -> dict[str | None, Entry]:
    """Everything that whoever follows the chain from the document has: of each entry the newest state."""
    by_url = {SITE.page(f"channels/wire/archive/{page.name}.atom"): read(page) for page in pages(desk)}
    feed = desk.received()
    found = {e.id: e for e in feed.entries}
    while (url := rel(feed, "prev-archive")) is not None:
        feed = by_url[url]
        for e in feed.entries:
            known = found.get(e.id)
            if known is None or (e.updated and known.updated and e.updated > known.updated):
                found[e.id] = e
    return found


async def arrives(desk: Desk, *items: Item) -> None:
    """The wire says these, and the channel is rendered."""
    desk.wire.says(*items)
    await desk.poll()
    await desk.publish(NARROW)


async def fill(desk: Desk, upto: int) -> None:
    """Stories come one by one, as they do on a wire."""
    await desk.follow(desk.wire.says(entry(1)))
    for number in range(1, upto + 1):
        await arrives(desk, entry(number))


async def test_what_leaves_the_document_stands_in_a_page_that_says_what_it_is(desk: Desk) -> None:
    await fill(desk, 10)
    assert pages(desk) == []
    await arrives(desk, entry(11))
    (page,) = pages(desk)
    feed = read(page)
    assert rel(feed, "current") == "https://desk.example/channels/wire.atom"
    assert rel(feed, "self") == f"https://desk.example/channels/wire/archive/{page.name}.atom"
    assert rel(feed, "prev-archive") is None
    assert rel(desk.received(), "prev-archive") == rel(feed, "self")
    # It is filled with what will leave next.
    assert len(feed.entries) == 11
    assert feed.id == desk.received().id


async def test_pages_form_a_chain_and_never_change(desk: Desk) -> None:
    await fill(desk, 11)
    first = pages(desk)
    await desk.publish(NARROW)
    many = [entry(number) for number in range(12, 140)]
    await arrives(desk, *many)
    now = pages(desk)
    assert now[:1] == first
    assert len(now) > 3
    assert [page.number for page in now] == list(range(1, len(now) + 1))
    for before, after in pairwise(now):
        assert b"<fh:archive/>" in after.codings.body
        assert rel(read(after), "prev-archive") == rel(read(before), "self")


async def test_whoever_walks_the_chain_has_every_story_that_was_told(desk: Desk) -> None:
    await fill(desk, 11)
    await arrives(desk, *(entry(number) for number in range(12, 200)))
    assert {e.title for e in walked(desk).values()} == {f"Talks go into day {n}" for n in range(1, 200)}


async def test_a_correction_stands_in_the_document_and_its_page_stays(desk: Desk) -> None:
    await fill(desk, 30)
    before = pages(desk)
    await arrives(desk, entry(2, "Talks never began"))
    assert pages(desk)[: len(before)] == before
    assert desk.entry("Talks never began")
    assert walked(desk)["tag:wire.example,2025:2"].title == "Talks never began"


async def test_a_withdrawn_brief_is_taken_out_of_the_pages_that_hold_it(desk: Desk) -> None:
    await write(desk)
    await release(desk)
    await fill(desk, 90)
    holding = [page for page in pages(desk) if b"end of the war" in page.codings.body]
    assert holding
    await withdraw_brief(desk.database, desk.clock, SLUG, by="bob", why="It was not so.")
    await desk.publish(NARROW)
    assert not any(b"end of the war" in page.codings.body for page in pages(desk))
    assert len(walked(desk)) == 91
    # The addresses of old stay known, to say that they were replaced.
    name = holding[0].name
    found = desk.database.read_now(lambda s: documents.page_named(s, "wire", name))
    assert found is not None
    page, is_replaced = found
    assert (is_replaced, page.codings.body) == (True, b"")


async def test_a_page_of_the_same_entries_is_the_same_page(desk: Desk) -> None:
    await fill(desk, 12)
    before = pages(desk)
    desk.database.write_now(lambda s: documents.replace_pages(s, "wire", 1))
    desk.database.write_now(lambda s: carried.unmark_archived(s, "wire", 1))
    await arrives(desk, entry(13))
    assert pages(desk)[0].number == 1
    assert pages(desk)[0].name != before[0].name  # It now ends with another story.


async def test_under_random_edits_the_chain_and_the_document_are_all_that_was_told(desk: Desk) -> None:
    dice = random.Random(3)
    await write(desk)
    await release(desk)
    await desk.follow(desk.wire.says(entry(1)))
    told = 0
    for day in range(60):
        some = [
            entry(dice.randrange(1, 120), f"Talks, as of {day}.{dice.randrange(9)}")
            for _ in range(dice.randrange(1, 9))
        ]
        desk.clock.move(timedelta(minutes=1))
        await arrives(desk, *{item.guid: item for item in some}.values())
        if day == 40:
            text = TEXT.replace("Tuesday", "Monday")
            await correct_brief(desk.database, desk.clock, SLUG, text, by="bob", why="It was Monday.")
        told = day
    assert told == 59
    rows = desk.database.read_now(lambda s: carried.changes_after(s, "wire", 0, limit=10_000))
    expected = {row.entry_id: row.entry.title for row in rows if row.told is Told.PUT}
    assert {id: e.title for id, e in walked(desk).items()} == expected
    assert all(len(page.ids) <= archives.PAGE for page in pages(desk))
