"""What readers that know nothing newer receive: the RSS documents that we write."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds import read, write
from feeds.errors import RenderError
from feeds.model import Category, Document, Enclosure, Entry, Feed, Link, Origin, Person, Text
from feeds.write import rss
from tests.feeds.test_write_atom import channel, story
from tests.feeds.test_write_properties import FORBIDDEN, clean_entries, hostile_feeds

NS = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "fh": "http://purl.org/syndication/history/1.0",
    "media": "http://search.yahoo.com/mrss/",
}
NOON = datetime(2025, 2, 18, 12, 0, tzinfo=UTC)


def opened(document: Document) -> etree._Element:
    return etree.fromstring(document.body).find("channel")


def written(entry: Entry, language: str | None = "en") -> etree._Element:
    """The entry as it stands in a channel."""
    return opened(rss.assemble(channel(), [rss.entry_fragment(entry, language=language)])).find("item")


def texts(element: etree._Element, path: str) -> list[str | None]:
    return [found.text for found in element.findall(path, NS)]


def attributes(element: etree._Element, path: str) -> list[dict[str, str]]:
    return [dict(found.attrib) for found in element.findall(path, NS)]


def test_a_channel_is_an_rss_document_that_can_be_served() -> None:
    document = write.render(channel(story()), "rss")
    assert document.body.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<rss ")
    assert document.body.endswith(b"</item>\n</channel></rss>\n")
    assert document.media_type == "application/rss+xml; charset=utf-8"


def test_a_channel_says_who_and_what_it_is() -> None:
    found = opened(
        write.render(
            channel(
                subtitle="Briefs and sources",
                authors=(Person("The desk", "desk@desk.example"),),
                categories=(Category("talks", "https://desk.example/topics", "Talks"),),
                rights="© The desk",
                generator="wirebrief/0.1.0",
                logo="https://desk.example/logo.svg",
                icon="https://desk.example/icon.png?v=2",
                ttl=timedelta(minutes=5, seconds=20),
            ),
            "rss",
        )
    )
    assert [(etree.QName(child).localname, child.text) for child in found] == [
        ("title", "Talks"),
        ("link", "https://desk.example/talks"),
        ("description", "Briefs and sources"),
        ("language", "en"),
        ("copyright", "© The desk"),
        ("lastBuildDate", "Tue, 18 Feb 2025 12:00:00 GMT"),
        ("docs", "https://www.rssboard.org/rss-specification"),
        ("ttl", "5"),
        ("generator", "wirebrief/0.1.0"),
        ("creator", "The desk"),
        ("category", "Talks"),
        ("image", None),
        ("link", None),
    ]
    assert [child.text for child in found.find("image")] == [
        "https://desk.example/icon.png?v=2",
        "Talks",
        "https://desk.example/talks",
    ]
    assert attributes(found, "category") == [{"domain": "https://desk.example/topics"}]


def test_a_channel_that_says_little_still_has_all_that_rss_demands() -> None:
    found = opened(write.render(Feed(id="tag:desk.example,2025:x", updated=NOON), "rss"))
    assert [found.findtext(name) for name in ("title", "link", "description")] == [
        "tag:desk.example,2025:x",
    ] * 3
    assert found.find("ttl") is found.find("image") is None


def test_a_channel_without_a_page_links_itself() -> None:
    links = (Link("https://desk.example/talks.rss", rel="self"),)
    assert opened(write.render(channel(links=links), "rss")).findtext("link") == links[0].href


def test_a_channel_links_itself_its_hub_and_its_archive() -> None:
    links = (
        Link("https://desk.example/talks"),
        Link("https://desk.example/talks.rss", rel="self", type="application/atom+xml"),
        Link("https://hub.example/", rel="hub"),
        Link("https://desk.example/1.rss", rel="prev-archive"),
        Link("https://desk.example/talks.rss", rel="current"),
    )
    found = opened(write.render(channel(links=links, is_archive=True), "rss"))
    assert attributes(found, "atom:link") == [
        {"rel": "self", "type": "application/rss+xml", "href": "https://desk.example/talks.rss"},
        {"rel": "hub", "href": "https://hub.example/"},
        {"rel": "prev-archive", "href": "https://desk.example/1.rss"},
        {"rel": "current", "href": "https://desk.example/talks.rss"},
    ]
    assert found.find("fh:archive", NS) is not None


def test_only_an_archive_declares_the_history_of_feeds() -> None:
    assert b"history" not in write.render(channel(story()), "rss").body


def test_an_item_says_all_that_is_known_of_the_entry() -> None:
    item = written(
        story(
            content=Text("<p>They <b>ended</b>.</p>", "html"),
            published=NOON - timedelta(hours=1),
            authors=(Person("Ann", "ann@desk.example"), Person("Bob")),
            contributors=(Person("Eve"),),
            categories=(Category("peace"),),
            rights="© AFP",
        )
    )
    assert [(etree.QName(child).localname, child.text) for child in item] == [
        ("title", "Talks end"),
        ("link", "https://desk.example/1"),
        ("guid", "tag:desk.example,2025:1"),
        ("pubDate", "Tue, 18 Feb 2025 11:00:00 GMT"),
        ("description", "They ended."),
        ("encoded", "<p>They <b>ended</b>.</p>"),
        ("creator", "Ann"),
        ("creator", "Bob"),
        ("contributor", "Eve"),
        ("category", "peace"),
        ("updated", "2025-02-18T12:00:00Z"),
        ("language", "en"),
        ("rights", "© AFP"),
    ]
    assert attributes(item, "guid") == [{"isPermaLink": "false"}]


def test_an_item_is_never_without_a_description() -> None:
    body = Text("<p>They ended.</p>", "html")
    assert written(story(summary=None, content=body)).findtext("description") == "They ended."
    assert written(story(summary=None)).findtext("description") == "Talks end"


def test_a_plain_body_is_html_in_rss_and_keeps_its_lines() -> None:
    item = written(story(content=Text("1 < 2\n& more")))
    assert texts(item, "content:encoded") == ["<p>1 &lt; 2</p><p>&amp; more</p>"]


def test_titles_and_descriptions_hold_hex_references_and_no_markup() -> None:
    fragment = rss.entry_fragment(story(title="Q & A <5>", summary=Text("<so far> & l'état")), language=None)
    assert b"<title>Q &#x26; A &#x3c;5&gt;</title>" in fragment
    assert "<description>&#x26;lt;so far&#x26;gt; &#x26;amp; l'état</description>".encode() in fragment


def test_a_stored_item_declares_no_namespace() -> None:
    pictures = (Enclosure("https://desk.example/1.jpg", is_thumbnail=True),)
    fragment = rss.entry_fragment(story(enclosures=pictures, rights="©"), language="fr")
    assert fragment.startswith(b"<item><title>")
    assert fragment.endswith(b"</item>")
    assert b"xmlns" not in fragment


def test_a_story_has_one_enclosure_and_the_rest_as_media() -> None:
    item = written(
        story(
            links=(Link("https://desk.example/2.pdf", rel="enclosure", length=9),),
            enclosures=(
                Enclosure("https://desk.example/s.jpg", width=90, is_thumbnail=True),
                Enclosure("https://desk.example/1.jpg", "image/jpeg", 48213, "Hands", "Ann / AFP", 1200, 800),
                Enclosure("https://desk.example/stream"),
            ),
        )
    )
    assert attributes(item, "enclosure") == [
        {"url": "https://desk.example/1.jpg", "length": "48213", "type": "image/jpeg"}
    ]
    assert attributes(item, "media:content") == [
        {
            "url": "https://desk.example/1.jpg",
            "fileSize": "48213",
            "type": "image/jpeg",
            "medium": "image",
            "width": "1200",
            "height": "800",
        },
        {"url": "https://desk.example/stream"},
        {"url": "https://desk.example/2.pdf", "fileSize": "9", "type": "application/pdf"},
    ]
    assert texts(item, "media:content/media:title") == ["Hands"]
    assert texts(item, "media:content/media:credit") == ["Ann / AFP"]
    assert attributes(item, "media:thumbnail") == [{"url": "https://desk.example/s.jpg", "width": "90"}]


def test_an_enclosure_of_which_little_is_known_has_no_length_and_no_kind() -> None:
    item = written(story(enclosures=(Enclosure("https://desk.example/stream"),)))
    assert attributes(item, "enclosure") == [
        {"url": "https://desk.example/stream", "length": "0", "type": "application/octet-stream"}
    ]
    assert item.find("media:content", NS) is None


def test_a_brief_links_each_of_its_sources_with_its_language() -> None:
    item = written(
        story(
            links=(
                Link("https://desk.example/1"),
                Link("https://afp.example/1", rel="via", hreflang="fr", title="AFP: Fin & suite"),
                Link("https://tass.example/1", rel="related", type="text/html"),
                Link("javascript:alert(1)", rel="via"),
            )
        )
    )
    assert attributes(item, "atom:link") == [
        {"rel": "via", "hreflang": "fr", "href": "https://afp.example/1", "title": "AFP: Fin & suite"},
        {"rel": "related", "type": "text/html", "href": "https://tass.example/1"},
    ]


@pytest.mark.parametrize(
    ("origin", "url", "name"),
    [
        (
            Origin(title="AFP", links=(Link("https://afp.example/"), Link("https://afp.example/f", "self"))),
            "https://afp.example/f",
            "AFP",
        ),
        (Origin(links=(Link("https://afp.example/"),)), "https://afp.example/", "https://afp.example/"),
        (Origin(title="AFP"), None, None),
    ],
)
def test_a_story_names_the_feed_that_it_came_from(origin: Origin, url: str | None, name: str | None) -> None:
    source = written(story(origin=origin)).find("source")
    assert (source is None) == (url is None)
    if source is not None:
        assert (source.get("url"), source.text) == (url, name)


def test_a_story_without_a_page_has_no_link() -> None:
    assert written(story(links=())).find("link") is None


def test_html_written_from_right_to_left_carries_its_direction() -> None:
    item = written(story(language="ar", content=Text("<p>نص</p>", "html")))
    assert texts(item, "content:encoded") == ['<div dir="rtl" lang="ar"><p>نص</p></div>']
    assert texts(item, "dc:language") == ["ar"]


def test_hostile_html_is_cleaned_before_it_is_published() -> None:
    body = '<p onclick="x()">Text</p><script>alert(1)</script><a href="javascript:x()">link</a>'
    assert texts(written(story(content=Text(body, "html"))), "content:encoded") == ["<p>Text</p><a>link</a>"]


def test_addresses_of_other_scripts_are_written_as_uris() -> None:
    item = written(story(links=(Link("https://новости.example/статья"),)))
    assert item.findtext("link").startswith("https://xn--")
    assert item.findtext("link").isascii()


@pytest.mark.parametrize("facts", [{"id": None}, {"id": "1234"}, {"updated": None}])
def test_an_entry_that_cannot_be_written_says_what_it_lacks(facts: dict[str, object]) -> None:
    for writer in write.WRITERS.values():
        with pytest.raises(RenderError, match="The entry 'Talks end' has"):
            writer.entry_fragment(story(**facts), language=None)


@pytest.mark.parametrize("format", get_args(write.Format))
def test_two_entries_with_one_id_are_refused_in_every_format(format: write.Format) -> None:
    with pytest.raises(RenderError, match="Two entries carry the id"):
        write.render(channel(story(), story()), format)


@settings(max_examples=80, deadline=None)
@given(hostile_feeds, st.booleans())
def test_nothing_that_the_wire_sends_breaks_the_document(feed: Feed, is_archive: bool) -> None:
    feed = replace(feed, is_archive=is_archive)
    document = write.render(feed, "rss")
    assert [found.text for found in opened(document).findall("item/guid")] == [e.id for e in feed.entries]
    text = document.body.decode()
    assert not [character for character in map(chr, FORBIDDEN) if character in text]
    stored = [rss.entry_fragment(entry, language=feed.language) for entry in feed.entries]
    assert rss.assemble(feed, stored) == document == write.render(feed, "rss")


@settings(max_examples=60, deadline=None)
@given(st.lists(clean_entries, max_size=3, unique_by=lambda entry: entry.id).map(tuple))
def test_what_is_written_is_read_back(entries: tuple[Entry, ...]) -> None:
    document = write.render(channel(*entries), "rss")
    found = read.parse(document.body, content_type=document.media_type)
    assert (found.title, found.url, found.problems) == ("Talks", "https://desk.example/talks", ())
    for entry, back in zip(entries, found.entries, strict=True):
        assert (back.id, back.title, back.url) == (entry.id, entry.title, entry.url)
        assert (back.published, back.updated, back.language) == (
            entry.published,
            entry.updated,
            entry.language,
        )
        assert [link for link in back.links if link.rel == "via"] == [entry.links[1]]
        assert [each.url for each in back.enclosures] == [each.url for each in entry.enclosures]
