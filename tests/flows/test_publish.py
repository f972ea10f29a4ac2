from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard

from aggregator.errors import AggregatorError
from aggregator.flows.candidates import published_briefs
from aggregator.flows.editorial import correct_brief, withdraw_brief
from aggregator.flows.export import export_channels
from aggregator.flows.publish import Rendered
from aggregator.model import Role
from aggregator.rules.channels import Channel
from aggregator.store import documents, sources
from feeds.errors import RenderError
from feeds.model import Entry
from feeds.write import rss
from tests.conftest import NOW
from tests.flows.briefs import SLUG, TEXT, pick, release, write
from tests.flows.wire import EVERYTHING, TALKS, Desk, entry

SECOND = timedelta(seconds=1)
PAGE = "https://wire.example/stories/1"
TITLE = "Talks open in Riyadh"


@dataclass
class Running:
    """A clock on which time passes while it is looked at."""

    now: datetime
    step: timedelta = timedelta(milliseconds=200)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


async def test_a_subscriber_receives_every_story_newest_first(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    assert await desk.publish() == [Rendered("wire", 2, is_new=True, fresh=2)]
    feed = desk.received()
    assert (feed.title, feed.id, feed.problems) == (
        "The wire",
        "tag:desk.example,2025-01-01:channel/wire",
        (),
    )
    assert [e.id for e in feed.entries] == ["tag:wire.example,2025:2", "tag:wire.example,2025:1"]
    assert feed.entries[0].origin is not None
    assert feed.entries[0].origin.title == "Harbour Wire"


async def test_a_channel_without_anything_to_carry_is_a_feed_all_the_same(desk: Desk) -> None:
    assert await desk.publish() == [Rendered("wire", 0, is_new=True, fresh=0)]
    assert desk.received().entries == ()


async def test_a_story_without_page_title_and_date_reaches_the_subscriber_too(desk: Desk) -> None:
    await desk.hears(replace(entry(1), title="", link=None, guid="1", published=None))
    await desk.publish()
    (received,) = desk.received().entries
    assert received.title.startswith("The delegations met for the 1th time")
    assert received.updated == NOW
    assert (received.id or "").startswith("urn:uuid:")


async def test_the_same_state_gives_the_same_bytes(desk: Desk) -> None:
    await desk.hears(entry(1))
    await desk.publish()
    before = desk.document()
    assert await desk.publish() == [Rendered("wire", 1, is_new=False, fresh=0)]
    assert desk.document() == before


async def test_a_change_that_no_subscriber_sees_changes_no_bytes(desk: Desk) -> None:
    await desk.hears(entry(1))
    await desk.publish()
    before = desk.document()
    retyped = replace(EVERYTHING, title=" The  wire")
    assert await desk.publish(retyped) == [Rendered("wire", 1, is_new=False, fresh=0)]
    assert replace(desk.document(), state="") == replace(before, state="")


async def test_one_changed_entry_renders_one_fragment(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2), entry(3))
    await desk.publish()
    before = desk.document()
    desk.wire.says(entry(1), entry(2, "Talks break off"), entry(3))
    await desk.poll()
    assert await desk.publish() == [Rendered("wire", 3, is_new=True, fresh=1)]
    after = desk.document()
    assert after.etag != before.etag
    assert after.last_modified > before.last_modified
    assert desk.entry("Talks break off").updated == NOW + SECOND


async def test_a_story_in_two_channels_is_rendered_once(desk: Desk) -> None:
    await desk.hears(entry(1))
    other = Channel("other", "The same again")
    assert [done.fresh for done in await desk.publish(EVERYTHING, other)] == [1, 0]
    assert desk.received("other").entries == desk.received().entries


async def test_last_modified_strictly_rises_within_one_second(desk: Desk) -> None:
    clock = Running(NOW)
    stamps = []
    for day in range(1, 4):
        await desk.follow(desk.wire.says(*(entry(n) for n in range(day))))
        await desk.poll()
        await desk.publish(clock=clock)
        stamps.append(desk.document().last_modified)
    assert stamps == sorted(set(stamps))
    assert all(stamp.microsecond == 0 for stamp in stamps)
    assert stamps[-1] <= clock.now


async def test_last_modified_rises_when_the_clock_was_set_back(desk: Desk) -> None:
    await desk.hears(entry(1))
    await desk.publish()
    before = desk.document().last_modified
    desk.wire.says(entry(2), entry(1))
    await desk.poll()
    desk.clock.move(-timedelta(hours=1))
    await desk.publish()
    assert desk.document().last_modified == before + SECOND


async def test_a_document_has_a_twin_in_every_coding(desk: Desk) -> None:
    await desk.hears(entry(1))
    await desk.publish()
    document = desk.document()
    codings = document.codings
    assert gzip.decompress(codings.gzip) == codings.body
    assert brotli.decompress(codings.br) == codings.body
    assert zstandard.ZstdDecompressor().decompress(codings.zstd) == codings.body
    assert document.media_type.startswith("application/atom+xml")


async def test_a_channel_that_is_no_longer_declared_is_forgotten(desk: Desk) -> None:
    await desk.publish(EVERYTHING, Channel("old", "Old"))
    await desk.publish(EVERYTHING)
    assert {d.channel for d in desk.database.read_now(documents.all_documents)} == {"wire"}


async def test_a_channel_takes_what_belongs_to_its_topics(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2, "Harvest"))
    await desk.match(TALKS)
    await desk.publish(Channel("talks", "Talks", topics=("talks",)), topics=[TALKS])
    (received,) = desk.received("talks").entries
    assert received.title == "Talks go into day 1"
    assert ("talks", "Talks") in [(c.term, c.label) for c in received.categories]


async def test_a_language_that_is_rare_on_the_wire_still_fills_its_channel(desk: Desk) -> None:
    french = entry(1, "Les pourparlers continuent", description="Les délégations se sont vues hier à Riyad.")
    await desk.hears(french, *(entry(n) for n in range(2, 12)))
    await desk.publish(Channel("fr", "En français", languages=("fr",), entries=2))
    assert [e.title for e in desk.received("fr").entries] == ["Les pourparlers continuent"]


async def test_a_brief_reaches_its_subscribers_with_its_sources(desk: Desk) -> None:
    await desk.hears(entry(1))
    await write(desk)
    await pick(desk, PAGE)
    await release(desk)
    await desk.publish()
    received = desk.entry(TITLE)
    assert received.id == f"tag:desk.example,2025-01-01:brief/{SLUG}"
    assert [link.href for link in received.links if link.rel == "via"] == [PAGE]
    assert "Talks go into day 1</a>, Harbour Wire" in str(received.content)


async def test_a_draft_is_for_nobody_but_the_desk(desk: Desk) -> None:
    await write(desk)
    await desk.publish()
    assert desk.received().entries == ()


async def test_picks_change_nothing_for_subscribers_until_the_brief_is_published_again(desk: Desk) -> None:
    await desk.hears(entry(1))
    await write(desk)
    await release(desk)
    await desk.publish()
    before = desk.document()
    await pick(desk, PAGE, role=Role.BACKGROUND)
    assert (await desk.publish())[0].is_new is False
    assert desk.document() == before
    await release(desk)
    assert (await desk.publish())[0].fresh == 1
    assert [link.href for link in desk.entry(TITLE).links if link.rel == "related"] == [PAGE]


async def test_a_text_that_is_only_saved_changes_nothing_for_subscribers(desk: Desk) -> None:
    await write(desk)
    await release(desk)
    await desk.publish()
    await write(desk, TEXT.replace("Tuesday", "Monday"))
    assert (await desk.publish())[0].is_new is False


async def test_a_corrected_brief_shows_its_note_and_moves_updated(desk: Desk) -> None:
    await write(desk)
    await release(desk)
    await desk.publish()
    before = desk.entry(TITLE)
    # Within the same second: readers go by `updated`, so it moves all the same.
    desk.clock.now = NOW
    text = TEXT.replace("Tuesday", "Monday")
    await correct_brief(desk.database, desk.clock, SLUG, text, by="bob", why="It was Monday.")
    desk.clock.now = NOW + 5 * SECOND
    await desk.publish()
    after = desk.entry(TITLE)
    assert "Corrected on 18 February 2025: It was Monday." in str(after.content)
    assert (after.id, after.published) == (before.id, before.published)
    assert after.updated == NOW + SECOND > (before.updated or NOW)


async def test_a_withdrawn_brief_leaves_a_tombstone_and_a_notice_under_the_same_id(desk: Desk) -> None:
    await desk.hears(entry(1))
    await write(desk)
    await pick(desk, PAGE)
    await release(desk)
    await desk.publish()
    before = desk.entry(TITLE)
    await withdraw_brief(desk.database, desk.clock, SLUG, by="bob", why="It was not so.")
    await desk.publish()
    notice = desk.entry(f"Withdrawn: {TITLE}")
    (stone,) = desk.received().tombstones
    assert notice.id == before.id == stone.ref
    assert stone.comment == "It was not so."
    assert "Reason: It was not so." in str(notice.content)
    assert "end of the war" not in desk.document().codings.body.decode()


async def test_a_brief_belongs_to_the_topics_that_it_names_and_to_those_that_take_it(desk: Desk) -> None:
    await write(desk, f"---\ntopics: europe\n---\n{TEXT}")
    await release(desk)
    await desk.publish(Channel("talks", "Talks", topics=("talks",)), topics=[TALKS])
    (received,) = desk.received("talks").entries
    assert [category.term for category in received.categories] == ["europe", "talks", "brief"]


async def test_a_source_that_is_no_longer_followed_stays_behind_its_briefs(desk: Desk) -> None:
    await desk.hears(entry(1))
    await write(desk)
    await pick(desk, PAGE)
    await release(desk)
    source = desk.source()
    await desk.database.write(lambda s: sources.remove(s, source.id))
    (published,) = desk.database.read_now(lambda s: published_briefs(s, {}))
    assert [story.url for story in published.stories.values()] == [PAGE]


async def test_exported_files_are_the_bytes_that_are_served(desk: Desk, tmp_path: Path) -> None:
    await desk.hears(entry(1))
    await desk.publish()
    folder = tmp_path / "out" / "feeds"
    written = await export_channels(desk.database, folder, public=["wire"])
    assert [path.name for path in written] == ["wire.atom", "wire.json", "wire.ninjs", "wire.rss"]
    document = desk.document()
    assert (folder / "wire.atom").read_bytes() == document.codings.body
    assert (folder / "wire.atom.gz").read_bytes() == document.codings.gzip
    assert (folder / "wire.atom.br").read_bytes() == document.codings.br
    assert (folder / "wire.atom.zst").read_bytes() == document.codings.zstd
    # A web server makes its Last-Modified of it.
    assert (folder / "wire.atom").stat().st_mtime == document.last_modified.timestamp()
    assert not list(folder.glob(".*"))


async def test_a_channel_for_partners_is_not_exported(desk: Desk, tmp_path: Path) -> None:
    await desk.publish()
    await export_channels(desk.database, tmp_path / "out", public=["wire"])
    # Closed since: what was written of it is taken away.
    assert await export_channels(desk.database, tmp_path / "out", public=[]) == []
    assert [
        path for path in await asyncio.to_thread(lambda: [*(tmp_path / "out").rglob("*")]) if path.is_file()
    ] == []


async def test_a_folder_that_cannot_be_written_is_named(desk: Desk, tmp_path: Path) -> None:
    await desk.publish()
    (tmp_path / "file").write_text("")
    with pytest.raises(AggregatorError, match=r"file/out cannot be written \(Not a directory\)"):
        await export_channels(desk.database, tmp_path / "file" / "out", public=["wire"])


async def test_one_story_that_cannot_be_written_stops_no_channel(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.hears(entry(1), entry(2))
    write_entry = rss.entry_fragment

    def refuse(one: Entry, *, language: str | None) -> bytes:
        if one.id == "tag:wire.example,2025:1":
            raise RenderError("it is written in water")
        return write_entry(one, language=language)

    monkeypatch.setattr(rss, "entry_fragment", refuse)
    (done,) = await desk.publish()
    assert done.refused == (("tag:wire.example,2025:1", "it is written in water"),)
    # It is left out of every format, so that all of them carry the same.
    assert [e.id for e in desk.received().entries] == ["tag:wire.example,2025:2"]
