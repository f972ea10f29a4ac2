"""What partners' newsrooms receive: the ninjs documents that we write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from lxml import etree

from feeds import write
from feeds.errors import RenderError
from feeds.model import Category, Enclosure, Entry, Feed, Link, Origin, Person, Text
from feeds.write import ninjs
from tests.feeds.test_write_atom import channel, story
from tests.feeds.test_write_properties import FORBIDDEN, hostile_feeds
from tests.schemas import checked

NOON = datetime(2025, 2, 18, 12, 0, tzinfo=UTC)
PAGE = Link("https://desk.example/1")
WEB = [{"name": "web", "href": "https://desk.example/1", "contentType": "text/html"}]


def opened(feed: Feed) -> Any:
    return checked(write.render(feed, "ninjs"), "ninjs")


def written(entry: Entry, language: str | None = "en") -> Any:
    """The entry as a document of its own."""
    return checked(ninjs.render_entry(entry, language=language), "ninjs")


def plain(role: str, value: str) -> dict[str, str]:
    return {"role": role, "contentType": "text/plain", "value": value}


def test_a_channel_is_an_item_made_of_its_entries() -> None:
    document = write.render(channel(story(), story(id="urn:x-desk:2"), subtitle="Briefs"), "ninjs")
    assert document.media_type == "application/json"
    assert document.body.endswith(b"}\n]}\n")
    found = checked(document, "ninjs")
    assert [(each["uri"], each["name"]) for each in found.pop("associations")] == [
        ("tag:desk.example,2025:1", "Talks end"),
        ("urn:x-desk:2", "Talks end"),
    ]
    assert found == {
        "uri": "tag:desk.example,2025:channel",
        "standard": {
            "name": "ninjs",
            "version": "3.1",
            "schema": "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json#",
        },
        "type": "composite",
        "versionCreated": "2025-02-18T12:00:00Z",
        "pubStatus": "usable",
        "language": "en",
        "title": "Talks",
        "headlines": [plain("main", "Talks")],
        "descriptions": [plain("summary", "Briefs")],
        "renditions": [
            {"name": "web", "href": "https://desk.example/talks", "contentType": "text/html"},
        ],
    }


def test_an_empty_channel_is_an_item_of_nothing() -> None:
    assert opened(channel())["associations"] == []


def test_a_channel_says_whose_it_is() -> None:
    found = opened(
        channel(authors=(Person("The desk"),), rights="© The desk", categories=(Category("talks"),))
    )
    assert (found["by"], found["copyrightNotice"]) == ("The desk", "© The desk")
    assert found["subjects"] == [{"name": "talks", "literal": "talks"}]


def test_a_brief_says_all_that_is_known_of_it() -> None:
    found = written(
        story(
            content=Text("<p>They <b>ended</b>.</p>", "html"),
            published=NOON - timedelta(hours=1),
            authors=(Person("Ann"), Person("Bob")),
            rights="© The desk",
            links=(PAGE, Link("https://desk.example/by", rel="license")),
        )
    )
    del found["standard"]
    assert found == {
        "uri": "tag:desk.example,2025:1",
        "type": "text",
        "representationType": "full",
        "version": "1",
        "firstCreated": "2025-02-18T11:00:00Z",
        "versionCreated": "2025-02-18T12:00:00Z",
        "pubStatus": "usable",
        "language": "en",
        "copyrightNotice": "© The desk",
        "rightsInfo": {"linkedRights": "https://desk.example/by"},
        "by": "Ann, Bob",
        "headlines": [plain("main", "Talks end")],
        "descriptions": [plain("summary", "They ended.")],
        "bodies": [{"role": "main", "contentType": "text/html", "value": "<p>They <b>ended</b>.</p>"}],
        "renditions": WEB,
    }


@pytest.mark.parametrize(
    ("content", "kind", "bodies"),
    [
        (None, "partial", None),
        (Text("<script>x</script>", "html"), "partial", None),
        (Text("One\ntwo"), "full", [plain("main", "One\ntwo")]),
    ],
)
def test_an_item_says_whether_it_is_the_whole_text(content: Text | None, kind: str, bodies: object) -> None:
    found = written(story(content=content))
    assert (found["representationType"], found.get("bodies")) == (kind, bodies)


def test_a_correction_says_what_and_how_often() -> None:
    found = written(story(note="2022, not 2021", revision=3))
    assert (found["version"], found["edNote"], found["pubStatus"]) == ("3", "2022, not 2021", "usable")


def test_a_withdrawn_entry_is_canceled() -> None:
    assert written(story(is_withdrawn=True, revision=2))["pubStatus"] == "canceled"
    assert opened(channel(story(is_withdrawn=True)))["associations"][0]["pubStatus"] == "canceled"


def test_a_brief_rests_on_its_sources_and_links_its_background() -> None:
    found = written(
        story(
            links=(
                PAGE,
                Link("https://afp.example/1", rel="via", hreflang="fr", title="AFP: Fin"),
                Link("https://afp.example/2", rel="via"),
                Link("https://tass.example/1", rel="related", title="TASS"),
                Link("javascript:alert(1)", rel="via"),
            )
        )
    )
    assert found["associations"] == [
        {
            "name": "source-1",
            "rel": "basis",
            "uri": "https://afp.example/1",
            "representationType": "partial",
            "language": "fr",
            "headlines": [plain("main", "AFP: Fin")],
        },
        {
            "name": "source-2",
            "rel": "basis",
            "uri": "https://afp.example/2",
            "representationType": "partial",
        },
        {
            "name": "background-1",
            "rel": "background",
            "uri": "https://tass.example/1",
            "representationType": "partial",
            "headlines": [plain("main", "TASS")],
        },
    ]
    assert found["infoSources"] == [{"name": "afp.example", "uri": "https://afp.example/"}]


@pytest.mark.parametrize(
    ("origin", "sources"),
    [
        (
            Origin(title="AFP", links=(Link("https://afp.example/"), Link("https://afp.example/f", "self"))),
            [{"name": "AFP", "uri": "https://afp.example/"}],
        ),
        (
            Origin(links=(Link("https://afp.example/f", "self"),)),
            [{"name": "afp.example", "uri": "https://afp.example/f"}],
        ),
        (Origin(title="AFP"), [{"name": "AFP"}]),
        (Origin(), None),
    ],
)
def test_a_story_names_the_agency_that_it_came_from(origin: Origin, sources: object) -> None:
    found = written(story(origin=origin, links=(PAGE, Link("https://tass.example/1", rel="via"))))
    assert found.get("infoSources") == sources


def test_the_terms_of_an_agency_stand_beside_the_notice_of_a_story() -> None:
    found = written(story(rights="© Ann", origin=Origin(title="AFP", rights="Not for resale")))
    assert (found["copyrightNotice"], found["usageTerms"]) == ("© Ann", "Not for resale")


@pytest.mark.parametrize(
    ("category", "subject"),
    [
        (Category("peace"), {"name": "peace", "literal": "peace"}),
        (
            Category("t1", "https://desk.example/topics", "Talks"),
            {"name": "Talks", "literal": "t1"},
        ),
        (
            Category("medtop:20000076", "http://cv.iptc.org/newscodes/mediatopic/", "peace talks"),
            {
                "name": "peace talks",
                "uri": "http://cv.iptc.org/newscodes/mediatopic/20000076",
                "literal": "medtop:20000076",
            },
        ),
    ],
)
def test_a_subject_is_a_uri_where_its_vocabulary_makes_one(
    category: Category, subject: dict[str, str]
) -> None:
    assert written(story(categories=(category,)))["subjects"] == [subject]


def test_what_hangs_on_a_story_is_associated_with_it() -> None:
    found = written(
        story(
            enclosures=(
                Enclosure("https://desk.example/1.jpg", None, 7, "Hands", "Ann / AFP", 1200, 800),
                Enclosure("https://desk.example/1.pdf"),
                Enclosure("https://desk.example/s.gif", is_thumbnail=True),
            )
        )
    )
    assert found["associations"] == [
        {
            "name": "media-1",
            "rel": "media",
            "uri": "https://desk.example/1.jpg",
            "type": "picture",
            "by": "Ann / AFP",
            "descriptions": [plain("caption", "Hands")],
            "renditions": [
                {
                    "name": "main",
                    "href": "https://desk.example/1.jpg",
                    "contentType": "image/jpeg",
                    "width": 1200,
                    "height": 800,
                    "sizeInBytes": 7,
                }
            ],
        },
        {
            "name": "media-2",
            "rel": "media",
            "uri": "https://desk.example/1.pdf",
            "renditions": [
                {"name": "main", "href": "https://desk.example/1.pdf", "contentType": "application/pdf"}
            ],
        },
        {
            "name": "media-3",
            "rel": "media",
            "uri": "https://desk.example/s.gif",
            "type": "picture",
            "renditions": [
                {"name": "thumbnail", "href": "https://desk.example/s.gif", "contentType": "image/gif"}
            ],
        },
    ]


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Talks"),
        ("fr", "Pourparlers « à ce stade »"),
        ("ar", "محادثات"),
        ("zh", "会谈"),
        ("ru", "Итог"),
    ],
)
def test_an_item_is_in_the_language_of_its_entry(language: str, title: str) -> None:
    found = written(story(language=language, title=title, content=Text(f"<p>{title}</p>", "html")))
    assert (found["language"], found["headlines"]) == (language, [plain("main", title)])
    assert ('dir="rtl"' in found["bodies"][0]["value"]) == (language == "ar")


def test_an_entry_has_one_id_in_every_format() -> None:
    feed = channel(story(), story(id="urn:uuid:0f1e"))
    ids = [entry.id for entry in feed.entries]
    atom, rss = (etree.fromstring(write.render(feed, format).body) for format in ("atom", "rss"))
    assert [found.text for found in atom.iterfind("{*}entry/{*}id")] == ids
    assert [found.text for found in rss.iterfind("channel/item/guid")] == ids
    assert [item["id"] for item in checked(write.render(feed, "json"), "jsonfeed")["items"]] == ids
    assert [item["uri"] for item in opened(feed)["associations"]] == ids


def test_a_channel_that_cannot_be_written_says_what_it_lacks() -> None:
    with pytest.raises(RenderError, match="The feed 'Talks' has no id"):
        opened(channel(id=None))


@settings(max_examples=80, deadline=None)
@given(hostile_feeds)
def test_nothing_that_the_wire_sends_breaks_the_document(feed: Feed) -> None:
    document = write.render(feed, "ninjs")
    found = checked(document, "ninjs")
    assert [item["uri"] for item in found["associations"]] == [entry.id for entry in feed.entries]
    text = document.body.decode()
    assert not [character for character in map(chr, FORBIDDEN) if character in text]
    stored = [ninjs.entry_fragment(entry, language=feed.language) for entry in feed.entries]
    assert ninjs.assemble(feed, stored) == document == write.render(feed, "ninjs")
    for entry in feed.entries:
        assert written(entry, feed.language)["uri"] == entry.id
