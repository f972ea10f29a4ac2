"""What readers of JSON Feed receive: the documents that we write."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds import read, write
from feeds.errors import RenderError
from feeds.model import Category, Enclosure, Entry, Feed, Link, Origin, Person, Text
from feeds.write import jsonfeed
from tests.feeds.test_write_atom import channel, story
from tests.feeds.test_write_properties import FORBIDDEN, clean_entries, hostile_feeds
from tests.schemas import checked

NOON = datetime(2025, 2, 18, 12, 0, tzinfo=UTC)
PAGE = Link("https://desk.example/1")
AFP = Link("https://afp.example/1", rel="via", hreflang="fr", title="AFP: Fin")
TASS = Link("https://tass.example/1", rel="via")


def opened(feed: Feed) -> Any:
    return checked(write.render(feed, "json"), "jsonfeed")


def written(entry: Entry, language: str | None = "en") -> Any:
    """The entry as it stands in a channel."""
    document = jsonfeed.assemble(channel(), [jsonfeed.entry_fragment(entry, language=language)])
    return checked(document, "jsonfeed")["items"][0]


def told(entry: Entry) -> Any:
    """What our own extension says of the entry, beside what it is about."""
    extension = written(entry)["_wirebrief"]
    assert "sources" in extension.pop("about")
    return extension


def test_a_channel_is_a_json_feed_that_can_be_served() -> None:
    document = write.render(channel(story(), story(id="urn:x-desk:2")), "json")
    assert document.body.startswith(b'{"version":"https://jsonfeed.org/version/1.1","title":"Talks",')
    assert document.body.endswith(b"}\n]}\n")
    assert document.body.count(b"\n") == 4
    assert document.media_type == "application/feed+json; charset=utf-8"
    assert len(checked(document, "jsonfeed")["items"]) == 2


def test_a_channel_says_who_and_what_it_is() -> None:
    feed = opened(
        channel(
            subtitle="Briefs and sources",
            authors=(Person("The desk", "desk@desk.example", "https://desk.example/"), Person("Ann")),
            icon="https://desk.example/icon.png",
            rights="© The desk",
            is_archive=True,
            links=(
                Link("https://desk.example/talks"),
                Link("https://desk.example/talks.json", rel="self"),
                Link("https://hub.example/", rel="hub"),
                Link("https://desk.example/1.json", rel="prev-archive"),
            ),
        )
    )
    about = feed["_wirebrief"].pop("about")
    assert about
    assert feed == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Talks",
        "home_page_url": "https://desk.example/talks",
        "feed_url": "https://desk.example/talks.json",
        "description": "Briefs and sources",
        "next_url": "https://desk.example/1.json",
        "icon": "https://desk.example/icon.png",
        "authors": [{"name": "The desk", "url": "https://desk.example/"}, {"name": "Ann"}],
        "language": "en",
        "hubs": [{"type": "WebSub", "url": "https://hub.example/"}],
        "_wirebrief": {
            "id": "tag:desk.example,2025:channel",
            "updated": "2025-02-18T12:00:00Z",
            "rights": "© The desk",
            "is_archive": True,
        },
        "items": [],
    }


def test_no_channel_sends_its_readers_in_circles() -> None:
    own = "https://desk.example/talks.json"
    links = (Link(own, rel="self"), Link(own, rel="next"))
    assert "next_url" not in opened(channel(links=links))


def test_an_item_says_all_that_is_known_of_the_entry() -> None:
    assert written(
        story(
            content=Text("<p>They <b>ended</b>.</p>", "html"),
            published=NOON - timedelta(hours=1),
            authors=(Person("Ann", "ann@desk.example"),),
            categories=(Category("t1", "https://desk.example/t", "Peace"), Category("t2", label="Peace")),
        )
    ) == {
        "id": "tag:desk.example,2025:1",
        "url": "https://desk.example/1",
        "title": "Talks end",
        "content_html": "<p>They <b>ended</b>.</p>",
        "summary": "They ended.",
        "date_published": "2025-02-18T11:00:00Z",
        "date_modified": "2025-02-18T12:00:00Z",
        "authors": [{"name": "Ann"}],
        "tags": ["Peace"],
        "language": "en",
    }


@pytest.mark.parametrize(
    ("facts", "texts"),
    [
        ({}, {"content_text": "They ended."}),
        ({"summary": None}, {"content_text": "Talks end"}),
        ({"content": Text("  ")}, {"content_text": "They ended."}),
        ({"content": Text("<script>x</script>", "html")}, {"content_text": "They ended."}),
        ({"content": Text("1 < 2\n& so")}, {"content_text": "1 < 2\n& so", "summary": "They ended."}),
        ({"content": Text("<p>x</p>", "html"), "summary": None}, {"content_html": "<p>x</p>"}),
    ],
)
def test_an_item_has_one_body(facts: dict[str, object], texts: dict[str, str]) -> None:
    item = written(story(**facts))
    assert {name: item[name] for name in ("content_html", "content_text", "summary") if name in item} == texts


def test_a_brief_names_each_of_its_sources() -> None:
    related = Link("https://desk.example/2", rel="related")
    license = Link("https://desk.example/by", rel="license")
    assert told(story(links=(PAGE, AFP, related, license), rights="© The desk")) == {
        "sources": [
            {"rel": "via", "url": "https://afp.example/1", "title": "AFP: Fin", "language": "fr"},
            {"rel": "related", "url": "https://desk.example/2"},
        ],
        "rights": "© The desk",
        "license": "https://desk.example/by",
    }


@pytest.mark.parametrize(
    ("facts", "url"),
    [
        ({"links": (PAGE, AFP)}, "https://afp.example/1"),
        ({"links": (PAGE, AFP, TASS)}, None),
        ({"links": (AFP,)}, None),
        ({"links": (PAGE, AFP), "origin": Origin(title="AFP")}, None),
    ],
)
def test_a_brief_of_one_source_is_about_its_page(facts: dict[str, object], url: str | None) -> None:
    assert written(story(**facts)).get("external_url") == url


def test_a_story_names_the_feed_that_it_came_from() -> None:
    links = (Link("https://afp.example/"), Link("https://afp.example/f", rel="self"))
    origin = Origin("urn:x-afp:1", "AFP", links, rights="© AFP")
    assert told(story(origin=origin)) == {
        "source_feed": {
            "title": "AFP",
            "url": "https://afp.example/",
            "feed_url": "https://afp.example/f",
            "rights": "© AFP",
        }
    }
    assert "_wirebrief" not in written(story(origin=Origin()))


def test_a_correction_says_what_and_how_often() -> None:
    assert told(story(note="2022,\nnot 2021", revision=3)) == {"note": "2022,\nnot 2021", "revision": 3}


def test_a_withdrawn_entry_says_so() -> None:
    assert told(story(is_withdrawn=True, revision=2)) == {"revision": 2, "withdrawn": True}


def test_what_hangs_on_a_story_is_attached() -> None:
    item = written(
        story(
            enclosures=(
                Enclosure("https://desk.example/s.gif", is_thumbnail=True),
                Enclosure("https://desk.example/1.mp3", length=7, title="Sound"),
                Enclosure("https://desk.example/1.jpg", title="Hands", credit="Ann / AFP", width=9, height=8),
                Enclosure("https://desk.example/2.jpg", title="Hands"),
                Enclosure("https://desk.example/stream", length=-1),
                Enclosure("javascript:x"),
            )
        )
    )
    assert item["image"] == "https://desk.example/1.jpg"
    assert item["attachments"] == [
        {
            "url": "https://desk.example/1.mp3",
            "mime_type": "audio/mpeg",
            "title": "Sound",
            "size_in_bytes": 7,
        },
        # Two of one title would be one thing in two forms.
        {
            "url": "https://desk.example/1.jpg",
            "mime_type": "image/jpeg",
            "_wirebrief": {"credit": "Ann / AFP", "width": 9, "height": 8},
        },
        {"url": "https://desk.example/2.jpg", "mime_type": "image/jpeg"},
        {"url": "https://desk.example/stream", "mime_type": "application/octet-stream"},
    ]


def test_a_preview_is_the_picture_of_a_story_that_has_no_other() -> None:
    preview = Enclosure("https://desk.example/s.gif", is_thumbnail=True)
    assert written(story(enclosures=(preview,)))["image"] == "https://desk.example/s.gif"


def test_other_scripts_are_written_as_they_are_and_links_as_uris() -> None:
    entry = story(
        title="تنتهي",
        language="ar",
        content=Text("<p>نص</p>", "html"),
        links=(Link("https://новости.example/статья"),),
    )
    assert '"title":"تنتهي"'.encode() in jsonfeed.entry_fragment(entry, language="en")
    item = written(entry)
    assert item["content_html"] == '<div dir="rtl" lang="ar"><p>نص</p></div>'
    assert item["url"].startswith("https://xn--")
    assert item["language"] == "ar"


def test_a_channel_that_cannot_be_written_says_what_it_lacks() -> None:
    with pytest.raises(RenderError, match="The feed 'Talks' has no id"):
        write.render(channel(id=None), "json")
    with pytest.raises(RenderError, match="The feed 'Talks' has no entries and no date"):
        write.render(channel(updated=None), "json")


@settings(max_examples=80, deadline=None)
@given(hostile_feeds, st.booleans())
def test_nothing_that_the_wire_sends_breaks_the_document(feed: Feed, is_archive: bool) -> None:
    feed = replace(feed, is_archive=is_archive)
    document = write.render(feed, "json")
    items = checked(document, "jsonfeed")["items"]
    assert [item["id"] for item in items] == [entry.id for entry in feed.entries]
    text = document.body.decode()
    assert not [character for character in map(chr, FORBIDDEN) if character in text]
    stored = [jsonfeed.entry_fragment(entry, language=feed.language) for entry in feed.entries]
    assert jsonfeed.assemble(feed, stored) == document == write.render(feed, "json")


@settings(max_examples=60, deadline=None)
@given(st.lists(clean_entries, max_size=3, unique_by=lambda entry: entry.id).map(tuple))
def test_what_is_written_is_read_back(entries: tuple[Entry, ...]) -> None:
    document = write.render(channel(*entries), "json")
    found = read.parse(document.body, content_type=document.media_type)
    assert (found.title, found.url, found.version, found.problems) == (
        "Talks",
        "https://desk.example/talks",
        "json11",
        (),
    )
    for entry, back in zip(entries, found.entries, strict=True):
        assert (back.id, back.title, back.url) == (entry.id, entry.title, entry.url)
        assert (back.published, back.updated, back.language) == (
            entry.published,
            entry.updated,
            entry.language,
        )
        assert [author.name for author in back.authors] == [author.name for author in entry.authors]
