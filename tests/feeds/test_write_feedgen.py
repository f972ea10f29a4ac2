"""What feedgen 1.0.0 does not write, pinned.

Each test states a fault that `feeds.write.elements` works around. One that fails says that feedgen
changed: look whether the work-around can go. Measured in its source: feedgen/entry.py, feedgen/feed.py.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import pytest
from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from lxml import etree

NOON = datetime(2025, 2, 18, 12, 0, 0, 123456, tzinfo=UTC)


def entry() -> FeedEntry:
    written = FeedEntry()
    written.id("tag:desk.example,2025:1")
    written.title("Talks end")
    written.updated(NOON)
    written.content("Body")
    return written


def feed() -> FeedGenerator:
    written = FeedGenerator()
    written.id("tag:desk.example,2025:feed")
    written.title("Talks")
    written.updated(NOON)
    return written


def test_these_faults_are_those_of_one_version() -> None:
    assert version("feedgen") == "1.0.0"


def test_feedgen_drops_all_of_an_entrys_link_but_its_address() -> None:
    written = entry()
    facts = {"rel": "enclosure", "type": "image/jpeg", "hreflang": "en", "title": "A picture", "length": "9"}
    written.link(href="https://desk.example/1.jpg", **facts)
    assert dict(written.atom_entry().find("link").attrib) == {"href": "https://desk.example/1.jpg"}


@pytest.mark.parametrize("rel", ["license", "replies", "hub", "https://desk.example/rels/brief"])
def test_feedgen_refuses_most_relations_of_an_entry(rel: str) -> None:
    with pytest.raises(ValueError, match="Invalid value for rel"):
        entry().link(href="https://desk.example/", rel=rel)


def test_feedgen_refuses_relations_that_are_uris_on_a_feed() -> None:
    with pytest.raises(ValueError, match="Invalid value for rel"):
        feed().link(href="https://desk.example/", rel="https://desk.example/rels/brief")


def test_feedgen_knows_a_source_only_as_title_and_bare_link() -> None:
    written = entry()
    written.source(url="https://agency.example/feed", title="Agency")
    source = written.atom_entry().find("source")
    assert [(child.tag, dict(child.attrib), child.text) for child in source] == [
        ("title", {}, "Agency"),
        ("link", {"href": "https://agency.example/feed"}, None),
    ]


def test_feedgen_says_no_language_of_an_entry() -> None:
    assert not hasattr(entry(), "language")
    assert not entry().atom_entry().attrib


def test_feedgen_writes_times_with_an_offset_and_fractions() -> None:
    assert entry().atom_entry().findtext("updated") == "2025-02-18T12:00:00.123456+00:00"


def test_feedgen_dates_what_has_no_date_with_the_time_of_the_build() -> None:
    begin = datetime.now(UTC) - timedelta(seconds=1)
    undated = FeedEntry().updated()
    assert undated >= begin
    assert FeedGenerator().updated() >= begin


def test_feedgen_names_itself_as_the_program() -> None:
    assert etree.fromstring(feed().atom_str()).findtext("{*}generator") == "python-feedgen"


def test_feedgen_says_nothing_of_withdrawn_entries() -> None:
    assert not hasattr(feed(), "deleted_entry")


def test_feedgen_writes_entries_without_a_namespace_of_their_own() -> None:
    # What fragments are made of: joined to a head, they are in Atom's namespace, which it declares.
    assert etree.tostring(entry().atom_entry()).startswith(b"<entry><id>")
    assert b'<feed xmlns="http://www.w3.org/2005/Atom"><id>' in feed().atom_str()


def test_feedgen_wants_a_content_or_an_alternate_link() -> None:
    written = FeedEntry()
    written.id("tag:desk.example,2025:1")
    written.title("Talks end")
    with pytest.raises(ValueError, match="alternate link"):
        written.atom_entry()


@pytest.mark.parametrize("text", ["\x00", "\x0b", "\ufffe", "\ud800"])
def test_feedgen_takes_characters_that_no_document_may_hold(text: str) -> None:
    written = entry()
    written.title(text)
    with pytest.raises((ValueError, UnicodeEncodeError)):
        written.atom_entry()


def test_feedgen_drops_persons_without_a_name() -> None:
    written = entry()
    written.author(email="desk@desk.example")
    assert written.atom_entry().find("author") is None


def test_feedgen_does_not_check_addresses_of_mail() -> None:
    written = entry()
    written.author(name="Desk", email="no address")
    assert written.atom_entry().findtext("author/email") == "no address"
