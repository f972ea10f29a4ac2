"""What subscribers receive: the Atom documents that we write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from lxml import etree

from feeds import write
from feeds.errors import RenderError
from feeds.model import Category, Document, Enclosure, Entry, Feed, Link, Origin, Person, Text, Tombstone
from feeds.write import atom

NOON = datetime(2025, 2, 18, 12, 0, tzinfo=UTC)
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
NS = {
    "a": "http://www.w3.org/2005/Atom",
    "at": "http://purl.org/atompub/tombstones/1.0",
    "fh": "http://purl.org/syndication/history/1.0",
    "media": "http://search.yahoo.com/mrss/",
}
PAGE = Link("https://desk.example/1", type="text/html", hreflang="en")


def story(**facts: object) -> Entry:
    known: dict[str, object] = {
        "id": "tag:desk.example,2025:1",
        "title": "Talks end",
        "links": (PAGE,),
        "summary": Text("They ended."),
        "updated": NOON,
        "language": "en",
    }
    return Entry(**(known | facts))


def channel(*entries: Entry, **facts: object) -> Feed:
    known: dict[str, object] = {
        "id": "tag:desk.example,2025:channel",
        "title": "Talks",
        "updated": NOON,
        "language": "en",
        "links": (Link("https://desk.example/talks.atom", rel="self"), Link("https://desk.example/talks")),
    }
    return Feed(entries=entries, **(known | facts))


def read(document: Document) -> etree._Element:
    return etree.fromstring(document.body)


def written(entry: Entry, language: str | None = "en") -> etree._Element:
    """The entry as it stands in a channel."""
    document = atom.assemble(channel(), [atom.entry_fragment(entry, language=language)])
    return read(document).find("a:entry", NS)


def links(element: etree._Element) -> list[dict[str, str]]:
    return [dict(link.attrib) for link in element.findall("a:link", NS)]


def test_a_channel_is_a_document_that_can_be_served() -> None:
    document = write.render(channel(story()))
    assert document.body.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<feed ")
    assert document.body.endswith(b"</entry>\n</feed>\n")
    assert document.media_type == "application/atom+xml; charset=utf-8"
    assert document.etag.startswith('"')
    assert document.etag.endswith('"')


def test_the_same_channel_is_the_same_bytes() -> None:
    assert write.render(channel(story())) == write.render(channel(story()))


def test_a_changed_word_is_another_etag() -> None:
    assert write.render(channel(story())).etag != write.render(channel(story(title="Talks go on"))).etag


def test_a_format_that_nobody_writes_is_refused_by_name() -> None:
    with pytest.raises(RenderError, match="'gopher': ask for one of atom, rss, json, ninjs"):
        write.render(channel(), "gopher")  # type: ignore[arg-type]


def test_stored_entries_joined_to_a_head_are_the_whole_channel() -> None:
    entries = [story(), story(id="tag:desk.example,2025:2")]
    stored = [atom.entry_fragment(entry, language="en") for entry in entries]
    assert atom.assemble(channel(), stored) == write.render(channel(*entries))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("<b>Talks</b> end", "Talks end"),
        ("R&amp;D &lt;b&gt;grows&lt;/b&gt;", "R&D grows"),
        ("AT&T and 5 < 6 > 4", "AT&T and 5 < 6 > 4"),
        ("It was <not> so", "It was <not> so"),
        ("Read<br/>on<!-- x -->", "Read on"),
    ],
)
def test_a_title_is_published_without_the_markup_that_its_source_left_in_it(said: str, shown: str) -> None:
    element = etree.fromstring(write.render(channel(story(title=said))).body)
    assert element.findtext("{*}entry/{*}title") == shown


def test_a_stored_entry_declares_no_namespace_and_ends_where_it_ends() -> None:
    pictures = (Enclosure("https://desk.example/1.jpg", is_thumbnail=True),)
    text = 'A quote: <x xmlns:media="http://search.yahoo.com/mrss/">'
    fragment = atom.entry_fragment(story(enclosures=pictures, title=text), language=None)
    assert fragment.startswith(b'<entry xml:lang="en"><id>')
    assert fragment.endswith(b"</entry>")
    assert fragment.count(b"xmlns") == 1
    assert b'&lt;x xmlns:media="http://search.yahoo.com/mrss/"&gt;' in fragment


def test_entries_keep_the_order_they_were_given() -> None:
    ids = [f"tag:desk.example,2025:{number}" for number in (3, 1, 2)]
    feed = read(write.render(channel(*(story(id=each) for each in ids))))
    assert [found.text for found in feed.findall("a:entry/a:id", NS)] == ids


# The head.


def test_a_channel_says_who_and_what_it_is() -> None:
    feed = read(
        write.render(
            channel(
                subtitle="Briefs\nand sources",
                authors=(Person("The desk", "desk@desk.example", "https://desk.example/"),),
                categories=(Category("talks", "https://desk.example/topics", "Talks"),),
                rights="© The desk",
                generator="wirebrief/0.1.0 (+https://desk.example/about)",
                icon="https://desk.example/icon.png",
                logo="https://desk.example/logo.png",
            )
        )
    )
    found = {etree.QName(child).localname: child for child in feed}
    assert feed.get(LANG) == "en"
    assert found["id"].text == "tag:desk.example,2025:channel"
    assert found["title"].text == "Talks"
    assert found["subtitle"].text == "Briefs\nand sources"
    assert found["updated"].text == "2025-02-18T12:00:00Z"
    assert [child.text for child in found["author"]] == [
        "The desk",
        "desk@desk.example",
        "https://desk.example/",
    ]
    assert dict(found["category"].attrib) == {
        "term": "talks",
        "scheme": "https://desk.example/topics",
        "label": "Talks",
    }
    assert found["rights"].text == "© The desk"
    assert found["generator"].text == "wirebrief"
    assert dict(found["generator"].attrib) == {"uri": "https://desk.example/about", "version": "0.1.0"}
    assert found["icon"].text == "https://desk.example/icon.png"
    assert found["logo"].text == "https://desk.example/logo.png"


def test_a_channel_links_its_page_itself_and_its_hub() -> None:
    feed = channel(
        links=(
            Link("https://desk.example/talks.atom", rel="self", type="application/rss+xml"),
            Link("https://hub.example/", rel="hub"),
            Link("https://desk.example/old.atom", rel="prev-archive"),
            Link("https://desk.example/talks"),
        )
    )
    assert links(read(write.render(feed))) == [
        {"rel": "alternate", "type": "text/html", "hreflang": "en", "href": "https://desk.example/talks"},
        {"rel": "self", "type": "application/atom+xml", "href": "https://desk.example/talks.atom"},
        {"rel": "hub", "href": "https://hub.example/"},
        {"rel": "prev-archive", "href": "https://desk.example/old.atom"},
    ]


@pytest.mark.parametrize(
    ("said", "name", "attributes"),
    [
        (None, "wirebrief", {}),
        ("Old Program 2", "Old Program 2", {}),
        ("feedy/2.0", "feedy", {"version": "2.0"}),
        ("feedy/2.0 (javascript:x)", "feedy", {"version": "2.0"}),
    ],
)
def test_a_channel_names_the_program_that_wrote_it(said: str, name: str, attributes: dict[str, str]) -> None:
    generator = read(write.render(channel(generator=said))).find("a:generator", NS)
    assert (generator.text, dict(generator.attrib)) == (name, attributes)


def test_a_channel_without_authors_is_by_itself() -> None:
    assert read(write.render(channel())).findtext("a:author/a:name", namespaces=NS) == "Talks"


@pytest.mark.parametrize(
    ("facts", "title"),
    [({}, "desk.example"), ({"links": ()}, "tag:desk.example,2025:channel")],
)
def test_a_channel_without_a_title_is_named_by_its_site_or_id(facts: dict[str, object], title: str) -> None:
    assert read(write.render(channel(title=" ", **facts))).findtext("a:title", namespaces=NS) == title


def test_a_channel_without_a_date_is_as_new_as_its_newest_change() -> None:
    late, later = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    feed = channel(story(), story(id="urn:x-desk:2", updated=late), updated=None)
    assert read(write.render(feed)).findtext("a:updated", namespaces=NS) == "2025-02-18T13:00:00Z"
    gone = channel(story(), updated=None, tombstones=(Tombstone("urn:x-desk:3", later),))
    assert read(write.render(gone)).findtext("a:updated", namespaces=NS) == "2025-02-18T14:00:00Z"


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"id": None}, "The feed 'Talks' has no id: give it one"),
        ({"id": "talks"}, "The feed 'Talks' has the id 'talks', which is no URI"),
        ({"updated": None}, "The feed 'Talks' has no entries and no date"),
        ({"updated": NOON.replace(tzinfo=None)}, "The feed 'Talks': .* has no time zone"),
        ({"tombstones": (Tombstone("gone", NOON),)}, "A withdrawn entry has the id 'gone'"),
    ],
)
def test_a_channel_that_cannot_be_written_says_what_it_lacks(facts: dict[str, object], message: str) -> None:
    with pytest.raises(RenderError, match=message):
        write.render(channel(**facts))


def test_two_entries_with_one_id_are_refused() -> None:
    with pytest.raises(RenderError, match=r"Two entries carry the id 'tag:desk\.example,2025:1'"):
        write.render(channel(story(), story(title="Another")))


# Withdrawn entries.


def test_a_withdrawn_entry_leaves_a_tombstone_before_the_first_entry() -> None:
    by = Person("The desk", "desk@desk.example", "https://desk.example/")
    feed = read(
        write.render(channel(story(), tombstones=(Tombstone("urn:x-desk:9", NOON, by, "Killed\n by AFP"),)))
    )
    stone = feed.find("at:deleted-entry", NS)
    assert dict(stone.attrib) == {"ref": "urn:x-desk:9", "when": "2025-02-18T12:00:00Z"}
    assert [child.text for child in stone.find("at:by", NS)] == [
        "The desk",
        "https://desk.example/",
        "desk@desk.example",
    ]
    assert stone.findtext("at:comment", namespaces=NS) == "Killed\nby AFP"
    assert feed.index(stone) < feed.index(feed.find("a:entry", NS))


def test_a_tombstone_may_say_nothing_but_which_and_when() -> None:
    feed = read(write.render(channel(tombstones=(Tombstone("urn:x-desk:9", NOON),))))
    assert len(feed.find("at:deleted-entry", NS)) == 0


def test_a_channel_without_tombstones_does_not_declare_them() -> None:
    assert b"tombstones" not in write.render(channel(story())).body


def test_an_archive_says_before_its_first_entry_that_it_never_changes() -> None:
    feed = read(write.render(channel(story(), is_archive=True)))
    archive = feed.find("fh:archive", NS)
    assert feed.index(archive) < feed.index(feed.find("a:entry", NS))
    assert b"history" not in write.render(channel(story())).body


# Entries.


def test_an_entry_says_all_that_is_known_of_it() -> None:
    entry = written(
        story(
            content=Text("<p>They <b>ended</b>.</p>", "html"),
            published=NOON - timedelta(hours=1),
            authors=(Person("Ann", "ann@desk.example", "https://desk.example/ann"),),
            contributors=(Person("Bob"),),
            categories=(Category("peace"), Category("peace"), Category(" ")),
            rights="© AFP",
        )
    )
    assert [(etree.QName(child).localname, child.text) for child in entry] == [
        ("id", "tag:desk.example,2025:1"),
        ("title", "Talks end"),
        ("updated", "2025-02-18T12:00:00Z"),
        ("link", None),
        ("author", None),
        ("content", "<p>They <b>ended</b>.</p>"),
        ("summary", "They ended."),
        ("category", None),
        ("contributor", None),
        ("published", "2025-02-18T11:00:00Z"),
        ("rights", "© AFP"),
    ]
    assert entry.find("a:content", NS).get("type") == "html"
    assert entry.find("a:summary", NS).get("type") == "text"


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"id": None}, "The entry 'Talks end' has no id: give it one that never changes, such as a tag: URI"),
        (
            {"id": "1234", "title": ""},
            "The entry 'https://desk.example/1' has the id '1234', which is no URI",
        ),
        ({"id": "urn:x a"}, "which is no URI"),
        ({"id": "urn:x\x00"}, "which is no URI"),
        ({"updated": None}, "The entry 'Talks end' has no date: give it the time at which it was first seen"),
        ({"updated": NOON.replace(tzinfo=None)}, "The entry 'Talks end': .* has no time zone"),
    ],
)
def test_an_entry_that_cannot_be_written_says_what_it_lacks(facts: dict[str, object], message: str) -> None:
    with pytest.raises(RenderError, match=message):
        atom.entry_fragment(story(**facts), language=None)


def test_times_are_whole_seconds_in_utc() -> None:
    riyadh = datetime(2025, 2, 18, 19, 38, 0, 123000, tzinfo=timezone(timedelta(hours=3)))
    assert written(story(updated=riyadh)).findtext("a:updated", namespaces=NS) == "2025-02-18T16:38:00Z"


def test_an_entry_was_never_updated_before_it_was_published() -> None:
    entry = written(story(updated=NOON - timedelta(hours=1), published=NOON))
    assert entry.findtext("a:updated", namespaces=NS) == "2025-02-18T12:00:00Z"


def test_an_entry_without_updated_is_as_old_as_its_publication() -> None:
    assert (
        written(story(updated=None, published=NOON)).findtext("a:updated", namespaces=NS)
        == "2025-02-18T12:00:00Z"
    )


@pytest.mark.parametrize(
    ("facts", "title"),
    [
        ({}, "They ended."),
        ({"summary": None, "content": Text("<p>Ended &amp; done</p>", "html")}, "Ended & done"),
        ({"summary": Text("word " * 60)}, "word " * 23 + "word…"),
        ({"summary": None}, "https://desk.example/1"),
        ({"summary": None, "links": ()}, "tag:desk.example,2025:1"),
    ],
)
def test_an_entry_without_a_title_is_named_by_its_text_or_address(
    facts: dict[str, object], title: str
) -> None:
    assert written(story(title="", **facts)).findtext("a:title", namespaces=NS) == title


def test_an_entry_always_has_a_text_to_show() -> None:
    bare = written(story(summary=None))
    assert bare.findtext("a:summary", namespaces=NS) == "Talks end"
    assert bare.find("a:content", NS) is None
    alone = written(story(links=(), content=Text("  ")))
    assert alone.findtext("a:content", namespaces=NS) == "They ended."


def test_html_in_a_summary_becomes_its_words() -> None:
    entry = written(story(summary=Text("<p>One &amp; two</p><p>three</p>", "html")))
    assert entry.findtext("a:summary", namespaces=NS) == "One & two\nthree"


def test_plain_text_stays_plain_text() -> None:
    content = written(story(content=Text("1 < 2\n\n& so on"))).find("a:content", NS)
    assert (content.get("type"), content.text) == ("text", "1 < 2\n& so on")


def test_what_no_parser_cleaned_is_cleaned_before_it_is_published() -> None:
    body = '<p onclick="x()">Text</p><script>alert(1)</script><a href="javascript:x()">link</a>'
    content = written(story(content=Text(body, "html"))).findtext("a:content", namespaces=NS)
    assert content == "<p>Text</p><a>link</a>"


# Languages.


@pytest.mark.parametrize(
    ("said", "of_feed", "language"),
    [("fr_FR", "en", "fr-FR"), (None, "en", "en"), ("not a tag", "en", "en"), (None, None, None)],
)
def test_an_entry_names_its_language(said: str | None, of_feed: str | None, language: str | None) -> None:
    assert written(story(language=said), language=of_feed).get(LANG) == language


def test_a_text_in_another_language_than_its_entry_says_so() -> None:
    entry = written(
        story(summary=Text("Ils ont fini", language="fr"), content=Text("They ended", language="en"))
    )
    assert entry.find("a:summary", NS).get(LANG) == "fr"
    assert entry.find("a:content", NS).get(LANG) is None


@pytest.mark.parametrize("language", ["ar", "he-IL", "fa", "ur"])
def test_html_written_from_right_to_left_carries_its_direction(language: str) -> None:
    content = Text("<p>نص</p>", "html")
    once = written(story(language=language, content=content)).findtext("a:content", namespaces=NS)
    assert once == f'<div dir="rtl" lang="{language}"><p>نص</p></div>'
    again = written(story(language=language, content=Text(once, "html")))
    assert again.findtext("a:content", namespaces=NS) == once


def test_a_body_of_its_own_language_is_written_in_its_own_direction() -> None:
    entry = written(story(language="ar", content=Text("<p>Text</p>", "html", language="en")))
    assert entry.findtext("a:content", namespaces=NS) == "<p>Text</p>"


# Links.


def test_a_story_opens_at_its_page_whatever_else_it_links_to() -> None:
    entry = story(
        links=(
            Link("https://agency.example/1", rel="via", title="AFP"),
            Link("https://desk.example/1.json", type="application/json"),
            Link("https://desk.example/1"),
            Link("https://desk.example/1/fr", type="text/html", hreflang="fr"),
            Link("https://desk.example/1", rel="related"),
            Link("https://desk.example/brief", rel="related", title=" The\nbrief "),
        )
    )
    assert links(written(entry)) == [
        {"rel": "alternate", "type": "text/html", "hreflang": "en", "href": "https://desk.example/1"},
        {"rel": "via", "href": "https://agency.example/1", "title": "AFP"},
        {"rel": "related", "type": "application/json", "href": "https://desk.example/1.json"},
        {"rel": "related", "type": "text/html", "hreflang": "fr", "href": "https://desk.example/1/fr"},
        {"rel": "related", "href": "https://desk.example/brief", "title": "The brief"},
    ]


def test_a_page_that_is_no_html_is_still_the_page() -> None:
    entry = written(story(links=(Link("https://desk.example/1.pdf", type="application/pdf", length=9),)))
    assert links(entry) == [
        {
            "rel": "alternate",
            "type": "application/pdf",
            "hreflang": "en",
            "href": "https://desk.example/1.pdf",
            "length": "9",
        }
    ]


@pytest.mark.parametrize(
    ("rel", "kept"),
    [
        ("via", "via"),
        ("license", "license"),
        ("https://desk.example/rels/brief", "https://desk.example/rels/brief"),
        ("http://www.iana.org/assignments/relation/via", "via"),
        ("canonical", "related"),
        ("edit-media", None),
        ("prev-archive", None),
    ],
)
def test_relations_are_those_that_readers_know(rel: str, kept: str | None) -> None:
    entry = written(story(links=(PAGE, Link("https://desk.example/x", rel=rel))))
    assert [link["rel"] for link in links(entry)[1:]] == ([kept] if kept else [])


@pytest.mark.parametrize(
    ("href", "written_as"),
    [
        ("https://münchen.example/straße?q=[ü]", "https://xn--mnchen-3ya.example/stra%C3%9Fe?q=%5B%C3%BC%5D"),
        ("mailto:desk@desk.example", "mailto:desk@desk.example"),
        ("javascript:alert(1)", None),
        ("/relative", None),
    ],
)
def test_addresses_are_uris_or_are_left_out(href: str, written_as: str | None) -> None:
    entry = written(story(links=(Link(href, rel="related"),)))
    assert [link["href"] for link in links(entry)] == ([written_as] if written_as else [])


def test_enclosures_say_their_type_and_their_size_where_it_is_known() -> None:
    entry = story(
        links=(
            PAGE,
            Link("https://desk.example/1.jpg", rel="enclosure", type="image/png"),
            Link("https://desk.example/1.ogg", rel="enclosure"),
        ),
        enclosures=(
            Enclosure("https://desk.example/1.jpg", "image/jpeg; q=1", 48213, "A picture"),
            Enclosure("https://desk.example/1.mp3?x=1", "audio", 0),
            Enclosure("https://desk.example/stream"),
            Enclosure("javascript:x"),
        ),
    )
    assert links(written(entry))[1:] == [
        {"rel": "enclosure", "type": "audio/ogg", "href": "https://desk.example/1.ogg"},
        {
            "rel": "enclosure",
            "type": "image/jpeg",
            "href": "https://desk.example/1.jpg",
            "title": "A picture",
            "length": "48213",
        },
        {"rel": "enclosure", "type": "audio/mpeg", "href": "https://desk.example/1.mp3?x=1"},
        {"rel": "enclosure", "href": "https://desk.example/stream"},
    ]


def test_pictures_keep_their_credit_and_size_and_previews_are_no_enclosures() -> None:
    entry = written(
        story(
            enclosures=(
                Enclosure("https://desk.example/1.jpg", credit="Ann / AFP", width=1200, height=800),
                Enclosure("https://desk.example/2.jpg", credit="Bob", length=-1, width=-1, height=0),
                Enclosure("https://desk.example/s.jpg", width=90, is_thumbnail=True),
                Enclosure("javascript:x", credit="Eve", is_thumbnail=True),
            )
        )
    )
    assert len(links(entry)) == 3
    assert [dict(each.attrib) for each in entry.findall("media:content", NS)] == [
        {"url": "https://desk.example/1.jpg", "type": "image/jpeg", "width": "1200", "height": "800"},
        {"url": "https://desk.example/2.jpg", "type": "image/jpeg"},
    ]
    assert [each.text for each in entry.iterfind("media:content/media:credit", NS)] == ["Ann / AFP", "Bob"]
    assert [dict(each.attrib) for each in entry.findall("media:thumbnail", NS)] == [
        {"url": "https://desk.example/s.jpg", "width": "90"}
    ]


# Persons and subjects.


@pytest.mark.parametrize(
    ("facts", "names"),
    [
        ({"authors": (Person("Ann"), Person(" "))}, ["Ann"]),
        ({"authors": (Person(" "),), "origin": Origin(title="AFP")}, ["AFP"]),
        ({"origin": Origin(title="AFP", authors=(Person("Desk"),))}, ["Desk"]),
        ({"origin": Origin(id="https://afp.example/")}, []),
        ({}, []),
    ],
)
def test_a_story_without_a_by_line_is_by_its_agency(facts: dict[str, object], names: list[str]) -> None:
    entry = written(story(**facts))
    assert [name.text for name in entry.findall("a:author/a:name", NS)] == names


@pytest.mark.parametrize("email", ["богдан@desk.example", "no address", "a@b@desk.example", ""])
def test_addresses_of_mail_that_are_none_are_left_out(email: str) -> None:
    entry = written(story(authors=(Person("Ann <ann@desk.example>", email, "ftp://x"),)))
    assert [(child.tag.rpartition("}")[2], child.text) for child in entry.find("a:author", NS)] == [
        ("name", "Ann")
    ]


def test_a_vocabulary_that_is_no_uri_is_left_out() -> None:
    entry = written(story(categories=(Category("война", "topics"),)))
    assert dict(entry.find("a:category", NS).attrib) == {"term": "война"}


# Where it came from.


def test_the_source_of_a_story_stands_last_and_is_complete() -> None:
    origin = Origin(
        id="tag:afp.example,2020:wire",
        title="AFP",
        links=(
            Link("https://afp.example/wire.xml", rel="self", type="application/rss+xml"),
            Link("https://afp.example/wire.json", rel="self", type="application/feed+json"),
            Link("https://afp.example/"),
            Link("https://hub.example/", rel="hub"),
        ),
        updated=NOON - timedelta(hours=3),
        rights="© AFP",
        language="fr",
        authors=(Person("Desk"),),
        icon="https://afp.example/icon.png",
    )
    source = written(story(origin=origin, enclosures=(Enclosure("https://desk.example/1.jpg", width=2),)))[-1]
    assert source.get(LANG) == "fr"
    assert [(etree.QName(child).localname, child.text) for child in source] == [
        ("id", "tag:afp.example,2020:wire"),
        ("title", "AFP"),
        ("updated", "2025-02-18T09:00:00Z"),
        ("link", None),
        ("link", None),
        ("link", None),
        ("rights", "© AFP"),
        ("icon", "https://afp.example/icon.png"),
    ]
    assert links(source) == [
        {"rel": "alternate", "type": "text/html", "hreflang": "fr", "href": "https://afp.example/"},
        {"rel": "self", "type": "application/rss+xml", "href": "https://afp.example/wire.xml"},
        {"rel": "self", "href": "https://afp.example/wire.json"},
    ]


@pytest.mark.parametrize(
    ("origin", "texts"),
    [
        (
            Origin(links=(Link("https://afp.example/"), Link("https://afp.example/wire.xml", rel="self"))),
            ["https://afp.example/wire.xml", "afp.example", "2025-02-18T12:00:00Z"],
        ),
        (
            Origin(id="wire", title="AFP", links=(Link("https://afp.example/"),)),
            ["https://afp.example/", "AFP", "2025-02-18T12:00:00Z"],
        ),
        (Origin(title="AFP"), ["AFP", "2025-02-18T12:00:00Z"]),
        (
            Origin(id="https://afp.example/"),
            ["https://afp.example/", "afp.example", "2025-02-18T12:00:00Z"],
        ),
        (Origin(id="urn:x-afp:1"), ["urn:x-afp:1", "urn:x-afp:1", "2025-02-18T12:00:00Z"]),
    ],
)
def test_a_source_that_says_little_is_completed_from_what_is_known(origin: Origin, texts: list[str]) -> None:
    source = written(story(origin=origin))[-1]
    assert [child.text for child in source if child.text] == texts


def test_a_source_of_which_nothing_is_known_is_left_out() -> None:
    assert written(story(origin=Origin(rights="©"))).find("a:source", NS) is None
