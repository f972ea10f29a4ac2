"""What holds of every document that we write, whatever the wire sends."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds import read, write
from feeds.html import clean_text
from feeds.model import Category, Enclosure, Entry, Feed, Link, Origin, Person, Text, Tombstone
from feeds.urls import absolute
from feeds.write.values import _CLEAN, uri

ATOM = "{http://www.w3.org/2005/Atom}"
GRAMMAR = etree.RelaxNG(file=str(Path(__file__).parents[1] / "acceptance" / "atom.rng"))
# Anything of XML 1.0 section 2.2 that is no character, C1 controls, and what overrides direction.
FORBIDDEN = [*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F)]

hostile = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from(
            "\x00\x07\x0b\r\n\t\x85\x93\x9f\ud800\udfff\u202e\u2067\u2069\ufeff\ufffd\ufffe\uffff<>&\"']"
        ),
        st.sampled_from("سلام שלום 中文 é😀"),
    ),
    max_size=30,
)
maybe = st.one_of(st.none(), hostile)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
sizes = st.one_of(st.none(), st.integers())
addresses = st.one_of(hostile, hostile.map(lambda text: f"https://desk.example/{text}"))
persons = st.builds(Person, hostile, maybe, maybe)
texts = st.builds(Text, hostile, st.sampled_from(["text", "html"]), maybe)
hostile_links = st.builds(
    Link, addresses, hostile | st.sampled_from(["alternate", "via"]), maybe, maybe, maybe, sizes
)
enclosures = st.builds(Enclosure, addresses, maybe, sizes, maybe, maybe, sizes, sizes, st.booleans())
categories = st.builds(Category, hostile, maybe, maybe)


def some(values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(values, max_size=2).map(tuple)


origins = st.builds(
    Origin,
    maybe,
    hostile,
    some(hostile_links),
    st.one_of(st.none(), moments),
    maybe,
    maybe,
    some(persons),
    maybe,
)
hostile_entries = st.builds(
    Entry,
    id=st.integers(0, 10**6).map("tag:desk.example,2025:{}".format),
    title=hostile,
    links=some(hostile_links),
    summary=st.one_of(st.none(), texts),
    content=st.one_of(st.none(), texts),
    published=st.one_of(st.none(), moments),
    updated=moments,
    authors=some(persons),
    contributors=some(persons),
    categories=some(categories),
    language=maybe,
    origin=st.one_of(st.none(), origins),
    enclosures=some(enclosures),
    rights=maybe,
)
hostile_feeds = st.builds(
    Feed,
    id=st.just("tag:desk.example,2025:channel"),
    title=hostile,
    subtitle=maybe,
    links=some(hostile_links),
    updated=moments,
    language=maybe,
    authors=some(persons),
    categories=some(categories),
    rights=maybe,
    generator=maybe,
    icon=st.one_of(st.none(), addresses),
    logo=st.one_of(st.none(), addresses),
    entries=st.lists(hostile_entries, max_size=2, unique_by=lambda entry: entry.id).map(tuple),
    tombstones=st.lists(
        st.builds(Tombstone, st.just("urn:x-desk:9"), moments, st.one_of(st.none(), persons), maybe),
        max_size=1,
    ).map(tuple),
)


@settings(max_examples=120, deadline=None)
@given(hostile_feeds)
def test_nothing_that_the_wire_sends_breaks_the_document(feed: Feed) -> None:
    document = write.render(feed)
    root = etree.fromstring(document.body)
    GRAMMAR.assertValid(root)
    assert [found.text for found in root.iterfind(f"{ATOM}entry/{ATOM}id")] == [
        entry.id for entry in feed.entries
    ]
    text = document.body.decode()
    assert not [character for character in map(chr, FORBIDDEN) if character in text]
    assert "\ufffd" not in text


@settings(max_examples=60, deadline=None)
@given(hostile_feeds)
def test_the_same_feed_is_the_same_bytes_whole_or_in_parts(feed: Feed) -> None:
    stored = [write.atom.entry_fragment(entry, language=feed.language) for entry in feed.entries]
    assert write.render(feed) == write.render(feed) == write.atom.assemble(feed, stored)


@settings(max_examples=300, deadline=None)
@given(st.from_regex(_CLEAN, fullmatch=True) | addresses)
def test_the_short_way_to_an_address_ends_where_the_long_one_does(address: str) -> None:
    assert uri(address) == absolute(address, mailto=True)


# What a parser gives: one line, cleaned, never blank.
# Latin-1 is left out: feedparser takes "Â¡" for a badly decoded "¡" and mends it.
latin_or_beyond = st.characters(max_codepoint=0x7E, exclude_characters="<>&") | st.characters(
    min_codepoint=0x100, exclude_characters="\ufffd"
)
lines = (
    st.text(latin_or_beyond, max_size=40)
    .map(clean_text)
    .filter(lambda text: text.isprintable() and text.strip() == text != "")
)
pages = st.from_regex(r"https://[a-z]{1,9}\.example/[a-z0-9/]{0,9}(\?[a-z]=[0-9])?", fullmatch=True)
languages = st.sampled_from(["en", "fr", "ar", "zh-Hant", "ru", "he"])
clean_entries = st.builds(
    lambda number, title, page, language, times, summary, names, terms, size: Entry(
        id=f"tag:desk.example,2025:{number}",
        title=title,
        links=(
            Link(page, type="text/html", hreflang=language),
            Link(
                "https://agency.example/1", rel="via", type="text/html", hreflang="fr", title=title, length=7
            ),
            Link("https://desk.example/brief", rel="https://desk.example/rels/brief"),
        ),
        summary=Text(summary),
        content=Text(
            f'<p>{summary} <a href="{page}">{title}</a></p>', "html", None if language == "en" else "en"
        ),
        published=min(times),
        updated=max(times),
        authors=tuple(Person(name, "desk@desk.example", page) for name in names),
        contributors=(Person(summary),),
        categories=tuple(Category(term, "https://desk.example/topics", term) for term in terms),
        language=language,
        origin=Origin(
            "urn:x-agency:1",
            summary,
            (
                Link("https://agency.example/", type="text/html", hreflang="fr"),
                Link("https://agency.example/f", rel="self", type="application/rss+xml"),
            ),
            min(times),
            rights=title,
            language="fr",
            icon="https://agency.example/icon.png",
        ),
        enclosures=(
            Enclosure(page + "#picture", "image/jpeg", size, title, summary, size, 9),
            Enclosure(page + "#sound", "audio/mpeg"),
            Enclosure(page + "#preview", width=90, height=60, is_thumbnail=True),
        ),
        rights=summary,
    ),
    st.integers(0, 10**6),
    lines,
    pages,
    languages,
    st.tuples(moments, moments).map(lambda pair: tuple(moment.replace(microsecond=0) for moment in pair)),
    lines,
    st.lists(lines, min_size=1, max_size=2, unique=True),
    st.lists(lines, max_size=2, unique=True),
    st.integers(1, 10**5),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(clean_entries, max_size=3, unique_by=lambda entry: entry.id).map(tuple))
def test_what_is_written_is_read_back(entries: tuple[Entry, ...]) -> None:
    channel = Feed(
        id="tag:desk.example,2025:channel",
        title="Talks",
        subtitle="What stands behind them",
        updated=datetime(2025, 2, 18, tzinfo=UTC),
        links=(
            Link("https://desk.example/talks", type="text/html", hreflang="en"),
            Link("https://desk.example/talks.atom", rel="self", type="application/atom+xml"),
            Link("https://hub.example/", rel="hub"),
        ),
        language="en",
        authors=(Person("The desk", "desk@desk.example"),),
        categories=(Category("talks", "https://desk.example/topics", "Talks"),),
        rights="© The desk",
        generator="wirebrief",
        icon="https://desk.example/icon.png",
        logo="https://desk.example/logo.png",
        entries=entries,
        tombstones=(
            Tombstone("urn:x-desk:9", datetime(2025, 2, 18, tzinfo=UTC), Person("The desk"), "Killed"),
        ),
    )
    document = write.render(channel)
    found = read.parse(
        document.body, content_type=document.media_type, base_url="https://desk.example/talks.atom"
    )
    assert found.problems == ()
    assert found == channel
