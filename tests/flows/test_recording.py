"""Stories are told apart whatever their feeds call them, and change only where something changed."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from aggregator.flows import editorial
from aggregator.flows.desk import CheckSeen, brief_seen, pulse
from aggregator.flows.today import open_checks
from aggregator.model import Source
from aggregator.rules.channels import Channel
from aggregator.rules.identities import MOST_VERSIONS, older_digest_of, told_by
from aggregator.rules.stories import from_entry
from aggregator.store import sources
from aggregator.store.tables import STORY
from aggregator.store.tables_ingest import STORY_KEY
from feeds.dates import rfc3339
from tests.conftest import NOW
from tests.flows.briefs import SLUG, release, write
from tests.flows.wire import Desk, Item, entry

HOUR = timedelta(hours=1)
PAGE = "https://wire.example/stories"


def titles(desk: Desk) -> list[str]:
    return sorted(story.title for story in desk.stories())


def log(desk: Desk, source: Source | None = None) -> str:
    """What the newest fetch says."""
    id = (source or desk.source()).id
    return desk.database.read_now(lambda s: sources.fetches(s, id))[0].why


async def again(desk: Desk, *items: Item) -> None:
    """Let the wire say this next, and ask it."""
    desk.wire.says(*items)
    desk.clock.move(HOUR)
    await desk.poll()


async def test_a_new_id_at_the_page_of_a_story_is_that_story(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    await again(desk, entry(1, guid="urn:1:edited"), entry(2))
    assert len(desk.stories()) == 2
    assert [story.versions for story in desk.stories()] == [1, 1]
    assert desk.source().identity == "id"


async def test_a_correction_under_a_new_id_is_a_version(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    corrected = "The delegations met for the 3th time in Riyadh and agreed to meet again."
    await again(desk, entry(1, guid="urn:1:edited", description=corrected), entry(2))
    assert sorted(story.versions for story in desk.stories()) == [1, 2]
    # The next time it is known by the new id, and by the old one.
    await again(desk, entry(1, guid="urn:1:edited", description=corrected))
    await again(desk, entry(1, description=corrected))
    assert sorted(story.versions for story in desk.stories()) == [1, 2]


async def test_another_text_at_a_page_under_a_new_id_is_another_story(desk: Desk) -> None:
    await desk.hears(entry(1))
    other = {"description": "Dockers in Marseille voted on Monday to go on strike.", "title": "Port closed"}
    await again(desk, entry(1, guid="urn:other", **other))
    assert titles(desk) == ["Port closed", "Talks go into day 1"]


async def test_a_feed_whose_ids_change_every_time_is_known_by_its_links(desk: Desk) -> None:
    await desk.hears(*(entry(n, guid=f"urn:0:{n}") for n in range(1, 6)))
    await again(desk, *(entry(n, guid=f"urn:1:{n}") for n in range(1, 7)))
    source = desk.source()
    assert len(desk.stories()) == 6
    assert (source.identity, source.identity_by) == ("link", "")
    assert source.identity_why == "5 of 5 known stories came back under new ids"
    assert "warning: 5 of 5 known stories came back under new ids" in log(desk)
    # Its links tell all from now on, whatever stands there.
    told = {"title": "Marseille", "description": "Dockers voted to go on strike."}
    await again(desk, *(entry(n, guid=f"urn:2:{n}", **(told if n == 1 else {})) for n in range(1, 8)))
    assert sorted(story.versions for story in desk.stories()) == [1, 1, 1, 1, 1, 1, 2]
    await again(desk, *(entry(n, guid=f"urn:3:{n}") for n in range(2, 8)))
    assert len(desk.stories()) == 7


async def test_an_editor_who_says_that_ids_count_is_believed(desk: Desk) -> None:
    await desk.hears(*(entry(n, guid=f"urn:0:{n}") for n in range(1, 4)))
    source = desk.source().id
    desk.database.write_now(lambda s: sources.identify(s, source, "id", why="", by="ada"))
    await again(desk, *(entry(n, guid=f"urn:1:{n}", title=f"Live, page {n}") for n in range(1, 4)))
    assert len(desk.stories()) == 6
    assert (desk.source().identity, desk.source().identity_by) == ("id", "ada")
    # What says the very same is no news to anybody.
    await again(desk, *(entry(n, guid=f"urn:2:{n}", title=f"Live, page {n}") for n in range(1, 4)))
    assert len(desk.stories()) == 6


async def test_going_back_to_ids_stores_nothing_anew(desk: Desk) -> None:
    await desk.hears(*(entry(n) for n in range(1, 4)))
    source = desk.source().id
    for identity in ("link", "id"):
        desk.database.write_now(lambda s, to=identity: sources.identify(s, source, to, why="", by="ada"))  # type: ignore[misc]
        await again(desk, *(entry(n) for n in range(1, 6)))
        assert [story.versions for story in desk.stories()] == [1] * 5


async def test_ids_that_only_follow_how_the_address_is_written_are_no_churn(desk: Desk) -> None:
    def at(n: int, base: str) -> Item:
        return entry(n, guid=f"{base}/{n}", link=f"{base}/{n}")

    await desk.hears(*(at(n, "http://wire.example/a") for n in range(1, 6)))
    await again(desk, *(at(n, "https://www.wire.example/a") for n in range(1, 6)))
    assert len(desk.stories()) == 5
    assert desk.source().identity == "id"


async def test_an_address_written_otherwise_is_no_other_story(desk: Desk) -> None:
    await desk.hears(entry(1, guid=None, link="http://wire.example/stories/1"))
    for link in (
        "https://wire.example/stories/1/",
        "https://www.wire.example/stories/1",
        "https://wire.example/stories/1?utm_source=rss&ref=rss#top",
    ):
        await again(desk, entry(1, guid=None, link=link))
    (story,) = desk.stories()
    assert story.versions == 1


async def test_one_id_for_all_entries_loses_none_of_them(desk: Desk) -> None:
    await desk.hears(*(entry(n, guid="0") for n in range(1, 6)))
    assert len(desk.stories()) == 5
    assert desk.source().identity == "link"
    assert len({story.entry_id for story in desk.stories()}) == 5
    await again(desk, *(entry(n, guid="0") for n in range(1, 6)))
    assert [story.versions for story in desk.stories()] == [1] * 5


async def test_a_page_that_all_entries_link_to_tells_none_of_them(desk: Desk) -> None:
    home = "https://wire.example/"
    await desk.hears(*(entry(n, guid=f"urn:0:{n}", link=home) for n in range(1, 5)))
    assert len(desk.stories()) == 4
    await again(desk, *(entry(n, guid=f"urn:1:{n}", link=home) for n in range(1, 5)), entry(6, link=home))
    assert len(desk.stories()) == 5


async def test_entries_without_id_that_link_to_the_front_page_are_all_kept(desk: Desk) -> None:
    home = "https://wire.example"
    await desk.hears(*(entry(n, guid=None, link=home) for n in range(1, 5)))
    await again(desk, *(entry(n, guid=None, link=home) for n in range(1, 6)))
    assert len(desk.stories()) == 5


async def test_an_id_used_again_for_another_article_is_a_new_story_with_a_warning(desk: Desk) -> None:
    await desk.hears(entry(1, guid="latest"))
    other = {"link": f"{PAGE}/port", "title": "Port closed", "description": "Dockers voted to go on strike."}
    await again(desk, entry(1, guid="latest", published=NOW, **other))
    assert titles(desk) == ["Port closed", "Talks go into day 1"]
    assert "warning: the id latest was used again for another story" in log(desk)
    assert len({story.entry_id for story in desk.stories()}) == 2
    # It is known the next time, and may change in its turn.
    await again(desk, entry(1, guid="latest", published=NOW, **(other | {"title": "Port closed for days"})))
    assert titles(desk) == ["Port closed for days", "Talks go into day 1"]
    assert "warning" not in log(desk)


async def test_a_story_that_moves_under_its_id_stays_the_same(desk: Desk) -> None:
    await desk.hears(entry(1))
    await again(desk, entry(1, title="Talks go into day one", link=f"{PAGE}/one", published=NOW))
    (story,) = desk.stories()
    assert (story.versions, story.url) == (2, f"{PAGE}/one")


async def test_counters_and_clocks_are_no_versions_and_the_toll_is_one(desk: Desk) -> None:
    said = "At least {} dead in the blast. {} comments\nUpdated {}:32"
    await desk.hears(entry(1, description=said.format(12, 3, 10)))
    await again(desk, entry(1, description=said.format(12, 40, 11)))
    assert desk.stories()[0].versions == 1
    await again(desk, entry(1, description=said.format(14, 41, 12)))
    assert desk.stories()[0].versions == 2


async def test_a_story_that_changes_for_ever_is_capped(desk: Desk) -> None:
    body = (
        "The delegations met in Riyadh and agreed to meet again before the end of the month in Geneva. " * 5
    )

    def says(n: int, **more: str) -> Item:
        return entry(1, description=f"{body} Page {n} of the visitors' book.", **more)

    await desk.hears(says(0))
    for n in range(1, MOST_VERSIONS + 5):
        await again(desk, says(n))
    assert desk.stories()[0].versions == MOST_VERSIONS
    await again(desk, says(1, title="Talks fail"))
    assert desk.stories()[0].versions == MOST_VERSIONS + 1
    await again(desk, entry(1, title="Talks fail", description="Nobody met anywhere, and nobody will."))
    assert desk.stories()[0].versions == MOST_VERSIONS + 2


async def test_stories_of_an_older_database_get_no_version_for_a_new_way_of_counting(desk: Desk) -> None:
    (story,) = await desk.hears(entry(1, description="They met. 12 comments"))
    before = older_digest_of(told_by(from_entry(story.entry, source_url="", language=None)))
    desk.database.write_now(lambda s: s.execute(update(STORY).values(digest=before)))
    await again(desk, entry(1, description="They met. 12 comments"), entry(2))
    assert desk.versions(story)[-1].number == 1
    digest = desk.database.read_now(
        lambda s: s.execute(select(STORY.c.digest).order_by(STORY.c.id)).scalars().first()
    )
    assert str(digest).startswith("2:")
    desk.database.write_now(lambda s: s.execute(update(STORY).values(digest=before)))
    await again(desk, entry(1, description="They met. 13 comments"), entry(2))
    assert desk.versions(story)[-1].number == 1
    await again(desk, entry(1, description="They did not meet. 13 comments"), entry(2))
    assert desk.versions(story)[-1].number == 2


async def test_a_purged_story_does_not_come_back_under_another_id(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    gone = next(story for story in desk.stories() if story.url == f"{PAGE}/1")

    def purge(session: object) -> None:
        from aggregator.store import retention

        retention.purge(session, [gone.id], now=NOW)  # type: ignore[arg-type]

    desk.database.write_now(purge)
    await again(desk, entry(1), entry(2))
    await again(desk, entry(1, guid="urn:new"), entry(2))
    assert titles(desk) == ["Talks go into day 2"]
    left = desk.database.read_now(
        lambda s: s.execute(select(STORY_KEY.c.story_id).where(STORY_KEY.c.story_id.is_(None))).all()
    )
    assert left
    # What is published at that page afterwards is news.
    await again(desk, entry(1, guid="urn:newer", published=NOW + HOUR), entry(2))
    assert len(desk.stories()) == 2


ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0">
<id>urn:feed</id><title>Harbour Wire</title><updated>2025-02-18T12:00:00Z</updated>{}</feed>"""
ENTRY = """<entry><id>urn:{n}</id><title>Talks go into day {n}</title><updated>2025-02-18T09:00:00Z</updated>
<link href="https://wire.example/stories/{n}"/><summary>They met.</summary></entry>"""
STONE = '<at:deleted-entry ref="urn:{}" when="{}"><at:comment>Wrong from end to end</at:comment></at:deleted-entry>'


def atom(desk: Desk, *parts: str) -> str:
    return desk.wire.answers(
        200, "Content-Type: application/atom+xml", body=ATOM.format("".join(parts)).encode()
    )


async def test_a_story_that_its_feed_withdraws_is_withdrawn_and_kept(desk: Desk) -> None:
    await desk.follow(atom(desk, ENTRY.format(n=1), ENTRY.format(n=2)))
    await desk.poll()
    desk.clock.move(HOUR)
    atom(desk, ENTRY.format(n=2), STONE.format(1, rfc3339(NOW)))
    found = await desk.poll()
    by_url = {story.url: story for story in desk.stories()}
    gone = by_url[f"{PAGE}/1"]
    assert (gone.withdrawn_at, gone.withdrawn_why) == (desk.clock(), "Wrong from end to end")
    assert by_url[f"{PAGE}/2"].withdrawn_at is None
    assert found.withdrawn == 1
    assert "1 story was withdrawn by its feed" in log(desk)
    # Said again, it is no news.
    desk.clock.move(HOUR)
    atom(desk, STONE.format(1, rfc3339(NOW)))
    assert (await desk.poll()).withdrawn == 0


async def test_a_story_that_comes_back_after_it_was_withdrawn_stands_again(desk: Desk) -> None:
    await desk.follow(atom(desk, ENTRY.format(n=1)))
    await desk.poll()
    atom(desk, STONE.format(1, rfc3339(NOW)))
    await desk.poll()
    assert desk.stories()[0].withdrawn_at is not None
    atom(desk, ENTRY.format(n=1))
    await desk.poll()
    assert desk.stories()[0].withdrawn_at is None


async def test_who_had_a_story_that_was_withdrawn_gets_a_notice_and_others_nothing(desk: Desk) -> None:
    await desk.follow(atom(desk, ENTRY.format(n=1)))
    await desk.poll()
    await desk.publish()
    told = desk.entry("Talks go into day 1")
    desk.clock.move(HOUR)
    atom(desk, STONE.format(1, rfc3339(NOW)))
    await desk.poll()
    await desk.publish()
    notice = desk.entry("Withdrawn: Talks go into day 1")
    assert notice.id == told.id
    assert "Reason: Wrong from end to end" in str(notice.summary)
    assert "They met." not in str(notice.summary)
    assert [(stone.ref, stone.comment) for stone in desk.received().tombstones] == [
        (told.id, "Wrong from end to end")
    ]
    # Whoever was told nothing of it hears nothing.
    late = Channel("late", "Late")
    await desk.publish(late)
    assert desk.received("late").entries == ()
    # It may come back.
    desk.clock.move(HOUR)
    atom(desk, ENTRY.format(n=1))
    await desk.poll()
    await desk.publish()
    assert desk.entry("Talks go into day 1").id == told.id
    assert desk.received().tombstones == ()


async def test_a_picked_story_that_was_withdrawn_is_a_check_of_its_brief_and_of_the_day(desk: Desk) -> None:
    await desk.follow(atom(desk, ENTRY.format(n=1)))
    await desk.poll()
    (story,) = desk.stories()
    await write(desk)
    await editorial.pick_story(desk.database, desk.clock, SLUG, "p1", str(story.id), by="ada")
    await release(desk)
    desk.clock.move(HOUR)
    atom(desk, STONE.format(1, rfc3339(NOW)))
    before = desk.database.read_now(lambda s: pulse(s, 1))
    await desk.poll()
    seen = desk.database.read_now(lambda s: brief_seen(s, SLUG))
    assert "killed" in {one.check.kind for one in seen.passages[1].checks}
    assert desk.database.read_now(lambda s: pulse(s, 1)) != before
    ((check,),) = (found.checks for found in desk.database.read_now(lambda s: open_checks(s, desk.clock())))
    assert check.kind == "killed"


async def test_a_correction_of_a_picked_story_is_in_its_brief_within_one_poll_as_a_diff(desk: Desk) -> None:
    said = "At least {} people died in {}, the governor said."
    await desk.hears(entry(1, description=said.format(12, "Kyiv")))
    (story,) = desk.stories()
    await write(desk)
    await editorial.pick_story(desk.database, desk.clock, SLUG, "p1", str(story.id), by="ada")
    await again(desk, entry(1, description=said.format(14, "Kharkiv")))
    # A draft: what counts is what its editor saw.
    (one,) = changes_of(desk)
    assert (one.check.kind, one.check.passage) == ("superseded", "p1")
    assert one.change is not None
    assert (one.change.seen, one.change.story.versions) == (1, 2)
    words = one.change.parts["summary"]
    assert [(each.kind, each.text.strip()) for each in words if each.is_fact] == [
        ("gone", "12"), ("new", "14"), ("gone", "Kyiv,"), ("new", "Kharkiv,"),
    ]  # fmt: skip
    # Published, its readers have the newest.
    await release(desk)
    assert changes_of(desk) == []
    await again(desk, entry(1, title="Talks break off", description=said.format(14, "Kharkiv")))
    (one,) = changes_of(desk)
    assert one.change is not None
    assert (one.change.seen, list(one.change.parts)) == (2, ["title"])


def changes_of(desk: Desk) -> list[CheckSeen]:
    seen = desk.database.read_now(lambda s: brief_seen(s, SLUG))
    return [one for passage in seen.passages for one in passage.checks if one.change is not None]
