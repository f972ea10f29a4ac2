"""A channel that takes another name keeps its past, its subscribers and its partners."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from aggregator.flows.candidates import cursor_name
from aggregator.flows.partners import Terms, add_partner
from aggregator.outgoing import SubscriptionAsked
from aggregator.rules.channels import Channel
from aggregator.store import carried, documents, partners, progress, subscribers
from tests.flows.wire import Desk, entry

WIRE = Channel("wire", "The wire", entries=2)
WORLD = replace(WIRE, slug="world", formerly=("news", "wire"))


async def past(desk: Desk) -> None:
    """Stories came, a page was archived, somebody subscribed and a partner signed."""
    await desk.hears(entry(1), entry(2))
    await desk.publish(WIRE)
    desk.wire.says(entry(3), entry(4))
    await desk.poll()
    await desk.publish(WIRE)
    await add_partner(desk.database, desk.clock, "daily", Terms(("wire",)), [WIRE], by="ada")
    wish = SubscriptionAsked(
        1, "subscribe", "wire", "atom", "https://r.example/", None, timedelta(days=1), None, 0
    )
    desk.database.write_now(lambda s: subscribers.subscribe(s, wish, now=desk.clock()))


async def test_a_channel_under_a_new_name_tells_nothing_anew_and_forgets_nobody(desk: Desk) -> None:
    await past(desk)
    before = desk.database.read_now(lambda s: carried.changes_after(s, "wire", 0, limit=99))
    pages = desk.database.read_now(lambda s: documents.archive(s, "wire"))
    assert pages
    await desk.publish(WORLD)
    after = desk.database.read_now(lambda s: carried.changes_after(s, "world", 0, limit=99))
    assert [replace(row, channel="wire") for row in after] == before
    assert desk.database.read_now(lambda s: carried.changes_after(s, "wire", 0, limit=99)) == []
    moved = desk.database.read_now(lambda s: documents.archive(s, "world"))
    assert [page.name for page in moved] == [page.name for page in pages]
    assert [one.channel for one in desk.database.read_now(subscribers.everyone)] == ["world"]
    assert [one.channels for one in desk.database.read_now(partners.everyone)] == [("world",)]
    assert desk.database.read_now(lambda s: progress.get(s, cursor_name(WORLD))) > 0
    assert {one.channel for one in desk.database.read_now(documents.all_documents)} == {"world"}
    assert desk.received("world").id == "tag:desk.example,2025-01-01:channel/news"


async def test_two_channels_with_a_past_of_their_own_stay_apart(desk: Desk) -> None:
    await past(desk)
    await desk.publish(WIRE, replace(WIRE, slug="world"))
    await desk.publish(WORLD)
    assert desk.database.read_now(lambda s: carried.changes_after(s, "wire", 0, limit=99))
