"""A partner that reads the changes of a channel loses nothing and gets nothing twice."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from aggregator.errors import BadInput
from aggregator.flows.editorial import correct_brief, import_brief, publish_brief, withdraw_brief
from aggregator.flows.partners import Change, Terms, add_partner, changes_for, note_taken
from aggregator.flows.publish import publish_channels
from aggregator.model import Reuse
from aggregator.outgoing import Carried, Partner, Told
from aggregator.rules.channels import Channel
from aggregator.store import carried, fetches, sources
from aggregator.store.database import Database
from feeds.model import Entry
from tests.conftest import Clock
from tests.flows.wire import SITE
from tests.store.newsroom import follow, heard, says

WIRE = Channel("wire", "The wire", entries=20)
#: On PostgreSQL each commit is a round trip; a part of them shows the same there.
#: WIREBRIEF_CHANGES=10000 makes more of them.
CHANGES = int(os.environ.get("WIREBRIEF_CHANGES", "800"))


@dataclass
class Site:
    """A partner's site: what it shows, and the cursor that it keeps."""

    channel: Channel = WIRE
    partner: Partner | None = None
    cursor: int = 0
    shown: dict[str, Change] = field(default_factory=dict)
    #: (entry, change) of all that it was told.
    told: list[tuple[str, int]] = field(default_factory=list)

    def polls(self, database: Database, *, limit: int = 100, dies_after: int | None = None) -> None:
        """Read on until there is no more; or die after so many answers, the last one unnoticed."""
        for number in range(10_000):
            found = database.read_now(
                lambda s: changes_for(s, self.channel, SITE, self.cursor, limit, self.partner)
            )
            if number == dies_after:
                return
            for one in found.changes:
                self.told.append((one.id, one.change))
                if one.told is Told.REMOVED:
                    self.shown.pop(one.id, None)
                else:
                    self.shown[one.id] = one
            self.cursor = found.next
            if not found.is_more:
                return


def ours(database: Database) -> dict[str, Carried]:
    """What subscribers were told, without what was taken away again."""
    rows = database.read_now(lambda s: carried.changes_after(s, "wire", 0, limit=100_000))
    return {row.entry_id: row for row in rows if row.told is not Told.REMOVED}


async def render(database: Database, clock: Clock, channel: Channel = WIRE) -> None:
    clock.move(timedelta(seconds=1))
    await publish_channels(database, clock, SITE, [channel], [])


async def test_a_partner_that_polls_through_ten_thousand_changes_ends_with_exactly_our_state(
    database: Database, clock: Clock
) -> None:
    dice = random.Random(11)
    site = Site()
    (source,) = follow(database, "https://wire.example/feed")
    slugs: list[str] = []
    made = 0
    while made < CHANGES:
        some = dice.randrange(1, 80)
        stories = {str(dice.randrange(2_500)) for _ in range(some)}
        made += len(stories)
        at = clock.move(timedelta(seconds=5))
        drafts = [
            says(
                key, f"Story {key}, told {dice.random()}", published=at - timedelta(minutes=dice.randrange(9))
            )
            for key in sorted(stories)
        ]
        database.write_now(lambda s, d=drafts, at=at: fetches.record(s, [heard(source, *d, at=at)]))  # type: ignore[misc]
        if dice.random() < 0.2:
            made += await some_act(database, clock, slugs, dice)
        await render(database, clock)
        # It polls when it likes, a few at a time, and is killed in the middle now and then.
        match dice.randrange(4):
            case 0:
                site.polls(database, limit=dice.randrange(1, 60), dies_after=dice.randrange(4))
            case 1:
                site.polls(database, limit=dice.randrange(1, 60))
                site = replace(site, shown=dict(site.shown))
    site.polls(database)
    expected = ours(database)
    assert {id: (one.change, one.entry) for id, one in site.shown.items()} == {
        id: (row.change, row.entry) for id, row in expected.items()
    }
    assert len(site.told) == len(set(site.told)), "nothing twice"
    assert len(expected) > CHANGES // 4
    assert any(one.told is Told.WITHDRAWN for one in site.shown.values())


async def some_act(database: Database, clock: Clock, slugs: list[str], dice: random.Random) -> int:
    """An editor publishes, corrects or withdraws."""
    text = f"Talks, part {len(slugs)}\n\n2025-02-18\n\nThey met and agreed to meet again, {dice.random()}.\n"
    match dice.randrange(3):
        case 1 if slugs:
            slug = dice.choice(slugs)
            await correct_brief(database, clock, slug, text, by="ada", why="It was otherwise.")
        case 2 if slugs:
            slug = slugs.pop(dice.randrange(len(slugs)))
            await withdraw_brief(database, clock, slug, by="ada", why="It was not so.")
        case _:
            slug = f"brief-{clock.now.timestamp():.0f}"
            await import_brief(database, clock, text, by="ada", slug=slug)
            await publish_brief(database, clock, slug, by="ada")
            slugs.append(slug)
    return 1


async def told(database: Database, clock: Clock, **more: Entry) -> int:
    """One story that the channel carries; its source."""
    (source,) = follow(database, "https://wire.example/feed")
    database.write_now(lambda s: fetches.record(s, [heard(source, says("1"))]))
    await render(database, clock)
    return source


async def test_a_cursor_that_was_never_given_out_is_refused(database: Database, clock: Clock) -> None:
    await told(database, clock)
    with pytest.raises(BadInput, match=r"the newest change is 1\. Start again with since=0"):
        database.read_now(lambda s: changes_for(s, WIRE, SITE, 2, 100))


async def test_nothing_new_leaves_the_cursor_where_it_was(database: Database, clock: Clock) -> None:
    await told(database, clock)
    found = database.read_now(lambda s: changes_for(s, WIRE, SITE, 1, 100))
    assert (found.changes, found.next, found.is_more) == ((), 1, False)


async def test_a_partner_is_given_no_more_than_was_agreed(database: Database, clock: Clock) -> None:
    (source,) = follow(database, "https://wire.example/feed")
    drafts = [says("1", summary="They met."), says("2", "Les pourparlers", language="fr")]
    database.write_now(lambda s: fetches.record(s, [heard(source, *drafts)]))
    await render(database, clock)
    terms = Terms(("wire",), languages=("en",), reuse=Reuse.HEADLINE)
    partner, _ = await add_partner(database, clock, "daily", terms, [WIRE], by="ada")
    site = Site(partner=partner)
    site.polls(database)
    (one,) = site.shown.values()
    assert one.entry is not None
    assert (one.entry.title, one.entry.summary) == ("Talks open in Riyadh", None)


async def test_what_a_partner_may_not_have_any_more_is_taken_away_from_it(
    database: Database, clock: Clock
) -> None:
    source = await told(database, clock)
    partner, _ = await add_partner(
        database, clock, "daily", Terms(("wire",), languages=("en",)), [WIRE], by="ada"
    )
    site = Site(partner=partner)
    site.polls(database)
    await note_taken(database, clock, partner, [("urn:1", 1)], via="api")
    french = says("1", "Les pourparlers", language="fr")
    database.write_now(
        lambda s: fetches.record(s, [heard(source, french, at=clock.move(timedelta(hours=1)))])
    )
    await render(database, clock)
    site.polls(database)
    assert site.shown == {}


async def test_a_source_that_forbids_reuse_takes_its_stories_out_of_the_channel(
    database: Database, clock: Clock
) -> None:
    source = await told(database, clock)
    site = Site()
    site.polls(database)
    assert list(site.shown) == ["urn:1"]
    database.write_now(lambda s: sources.allow(s, source, Reuse.NONE))
    await render(database, clock)
    site.polls(database)
    assert site.shown == {}
