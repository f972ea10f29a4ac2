"""What others' programs say of the hardest feeds that we can think of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feedparser
import pytest
from lxml import etree

from feeds import write
from feeds.model import (
    Category,
    Enclosure,
    Entry,
    Feed,
    Link,
    Origin,
    Person,
    Text,
    Tombstone,
)
from tests.acceptance.validators import w3c

ATOM = "{http://www.w3.org/2005/Atom}"
BEGIN = datetime(2025, 2, 18, 6, 0, tzinfo=UTC)
SELF = "https://desk.example/channels/ukraine.atom"

HEADLINES = {
    "en": "Talks in Riyadh end without a date for a ceasefire, officials say",
    "fr": "Les pourparlers de Riyad s’achèvent sans date de cessez-le-feu « à ce stade »",
    "ar": "محادثات الرياض تنتهي من دون تحديد موعد لوقف إطلاق النار",
    "zh": "利雅得会谈结束，未就停火日期达成一致",
    "ru": "Переговоры в Эр-Рияде завершились без даты прекращения огня",
    "he": "השיחות בריאד הסתיימו ללא מועד להפסקת אש",
    "de": "Gespräche in Riad enden ohne Termin für eine Waffenruhe – „kein Durchbruch“",
}

BODIES = (
    '<p>{}</p><p><a href="https://example.org/a?b=1&amp;c=2">More</a> &amp; <em>analysis</em>, 5 &lt; 6.</p>'
    "<ul><li>one</li><li>two</li></ul><blockquote><p>“No comment.”</p></blockquote>",
    '<figure><img src="https://example.org/p.jpg" alt="A picture" width="640" height="360">'
    "<figcaption>{}</figcaption></figure><table><tbody><tr><td>1</td></tr></tbody></table><p>a<br>b</p>",
    "<p>{}</p><details><summary>Unclosed <b>bold<i>both</b></i><script>alert(1)</script></details><p>Broken",
)


def origin(language: str, number: int) -> Origin:
    host = f"agency-{language}.example"
    return Origin(
        id=f"tag:{host},2020:wire" if number % 2 else None,
        title=f"Agency {language.upper()} & Partners",
        links=(
            Link(f"https://{host}/wire.xml", rel="self", type="application/rss+xml" if number % 3 else None),
            Link(f"https://{host}/"),
        ),
        updated=BEGIN if number % 2 else None,
        rights="© Agency <all rights>",
        language=language,
        authors=(Person("Agency desk"),) if number % 4 == 0 else (),
        icon=f"https://{host}/icon.png",
    )


def story(number: int) -> Entry:
    """One of the entries of the hard feed: its number decides what is odd about it."""
    language = list(HEADLINES)[number % len(HEADLINES)]
    headline = f"{HEADLINES[language]} ({number})" + " – and on" * (60 if number % 29 == 0 else 0)
    page = f"https://новости-{number % 5}.пример/статья {number}?q=a[1]&x=é#{language}"
    published = BEGIN + timedelta(seconds=61 * number, microseconds=123456)
    return Entry(
        id=f"tag:desk.example,2025:story/{number}",
        title=headline + ("\u202e\x07\x93x\x94" if number % 11 == 0 else ""),
        links=(
            Link("https://agency.example/wire", rel="via", type="text/html", title="Where we got it"),
            Link(page, hreflang=language if number % 2 else None),
            Link(f"https://desk.example/amp/{number}", type="text/html"),
            Link(f"https://desk.example/{number}.json", type="application/json"),
            Link(f"https://desk.example/{number}.2.json", type="application/json"),
            Link("https://desk.example/briefs/1", rel="related", title="Brief & sources"),
            Link("https://creativecommons.org/licenses/by/4.0/", rel="license"),
            Link(f"https://desk.example/{number}/replies", rel="replies", type="application/atom+xml"),
            Link("https://desk.example/cite", rel="https://desk.example/rels/background"),
            Link("https://desk.example/canonical", rel="canonical"),
            Link("javascript:alert(1)", rel="related"),
        ),
        summary=Text(f"<p>{headline}</p>", "html") if number % 3 else Text(f"{headline}\nsecond line"),
        content=Text(BODIES[number % 3].format(headline), "html") if number % 7 else None,
        published=published,
        updated=published + timedelta(seconds=7) if number % 2 else None,
        authors=(Person("Ann Ødegård", "ann@desk.example", "https://desk.example/ann"),)
        if number % 5
        else (),
        contributors=(Person("Bogdan <b@desk.example>", "богдан@desk.example"),),
        categories=(
            Category("medtop:20000053", "http://cv.iptc.org/newscodes/mediatopic/", "peace & talks"),
            Category("война", "not a uri"),
        ),
        language=language,
        origin=origin(language, number),
        enclosures=(
            Enclosure(
                f"https://desk.example/{number}.jpg", "image/jpeg", 48213, "Photo", "Reuters", 1200, 800
            ),
            Enclosure(f"https://desk.example/{number}.mp3"),
            Enclosure(f"https://desk.example/{number}-s.jpg", width=90, height=60, is_thumbnail=True),
        ),
        rights="© 2025",
    )


def hard_feed(*tombstones: Tombstone, size: int = 210) -> Feed:
    return Feed(
        id="tag:desk.example,2025:channel/ukraine",
        title="Ukraine talks: briefs & sources",
        subtitle="What stands behind each paragraph",
        links=(
            Link("https://desk.example/channels/ukraine"),
            Link(SELF, rel="self"),
            Link("https://hub.example/", rel="hub"),
            Link("https://desk.example/channels/ukraine/2025-01.atom", rel="prev-archive"),
            Link("https://desk.example/licence", rel="license"),
        ),
        language="fr",
        authors=(Person("The desk", "desk@desk.example"),),
        categories=(Category("ukraine", "https://desk.example/topics/", "Ukraine"),),
        rights="© 2025 The desk",
        generator="wirebrief/0.1.0 (+https://desk.example/about)",
        icon="https://desk.example/icon.png",
        logo="https://desk.example/logo.png",
        entries=tuple(story(number) for number in reversed(range(size))),
        tombstones=tombstones,
    )


WITHDRAWN = Tombstone(
    "tag:desk.example,2025:story/gone", BEGIN, Person("The desk", "desk@desk.example"), "The agency killed it"
)


@pytest.fixture(scope="module")
def grammar() -> etree.RelaxNG:
    return etree.RelaxNG(file=str(Path(__file__).with_name("atom.rng")))


@pytest.fixture(scope="module")
def hard_body() -> bytes:
    return write.render(hard_feed(WITHDRAWN)).body


def test_a_hard_feed_follows_the_grammar(grammar: etree.RelaxNG, hard_body: bytes) -> None:
    grammar.assertValid(etree.fromstring(hard_body))


def test_the_smallest_feed_follows_the_grammar(grammar: etree.RelaxNG) -> None:
    smallest = Feed(id="urn:x-desk:1", updated=BEGIN, entries=(Entry(id="urn:x-desk:2", updated=BEGIN),))
    grammar.assertValid(etree.fromstring(write.render(smallest).body))


@pytest.mark.parametrize(
    ("sound", "damaged"),
    [
        (b"<id>tag:desk.example,2025:channel/ukraine</id>", b""),
        (b"<id>tag:desk.example,2025:channel/ukraine</id>", b"<id>no uri</id>"),
        (b"<title>Ukraine talks", b"<title>x</title><title>Ukraine talks"),
        (b"<title>Ukraine talks", b'<title dir="ltr">Ukraine talks'),
        (b"<entry ", b"<entry/><entry "),
        (b"</feed>", b"<title>late</title></feed>"),
        (b"</feed>", b'<x:late xmlns:x="urn:x-desk:x"/></feed>'),
        (b'when="', b'xml:base="/" when="'),
        (b"T06:00:00Z</updated>", b"T06:00:00.5Z</updated>"),
        (b"T06:00:00Z</updated>", b"T06:00:00+03:00</updated>"),
        (b"T06:00:00Z</updated>", b"t06:00:00z</updated>"),
        (b'hreflang="fr"', b'hreflang="fr_FR"'),
        (b'type="text/html"', b'type="html"'),
        (b'length="48213"', b'length="-1"'),
        (b'href="https://desk.example/cite"', b'href="/cite"'),
        (b'<content type="html">', b'<content type="CDATA">'),
        (b"<name>The desk</name>", b"<name> </name>"),
        (b'term="ukraine"', b'term=""'),
        (b'scheme="https://desk.example/topics/"', b'scheme="topics"'),
    ],
)
def test_the_grammar_refuses_what_the_rfc_refuses(
    grammar: etree.RelaxNG, hard_body: bytes, sound: bytes, damaged: bytes
) -> None:
    assert sound in hard_body
    broken = etree.fromstring(hard_body.replace(sound, damaged, 1))
    # RFC 4287 lets xml:base and any attribute stand on foreign elements; they are not ours to judge.
    assert grammar.validate(broken) == (b"xml:base" in damaged)


def test_a_hard_feed_keeps_what_no_grammar_can_say(hard_body: bytes) -> None:
    feed = etree.fromstring(hard_body)
    entries = feed.findall(f"{ATOM}entry")
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == len(entries) == 210
    assert feed.find(f"{ATOM}author/{ATOM}name") is not None
    for element in [feed, *entries, *feed.iter(f"{ATOM}source")]:
        alternates = [(link.get("type"), link.get("hreflang")) for link in alternates_of(element)]
        assert len(set(alternates)) == len(alternates)


def test_every_story_opens_at_its_own_page(hard_body: bytes) -> None:
    for entry in etree.fromstring(hard_body).findall(f"{ATOM}entry"):
        first = entry.find(f"{ATOM}link")
        assert (first.get("rel"), first.get("type")) == ("alternate", "text/html")
        assert first.get("href").startswith("https://xn--")
        assert entry[-1].tag == f"{ATOM}source"


def test_feedparser_reads_back_every_id_title_link_and_date(hard_body: bytes) -> None:
    feed = hard_feed(WITHDRAWN)
    headers = {"content-location": SELF, "content-type": write.atom.MEDIA_TYPE}
    read = feedparser.parse(hard_body, response_headers=headers)
    assert not read.bozo, read.bozo_exception
    assert len(read.entries) == len(feed.entries)
    for entry, found in zip(feed.entries, read.entries, strict=True):
        number = entry.id.rpartition("/")[2]
        assert found.id == entry.id
        assert found.title == entry.title.replace("\u202e\x07\x93x\x94", "“x”")
        assert found.link.endswith(
            f"/%D1%81%D1%82%D0%B0%D1%82%D1%8C%D1%8F%20{number}?q=a%5B1%5D&x=%C3%A9#{entry.language}"
        )
        assert datetime(*found.published_parsed[:6], tzinfo=UTC) == entry.published.replace(microsecond=0)
        assert datetime(*found.updated_parsed[:6], tzinfo=UTC) >= entry.published.replace(microsecond=0)
        assert found.title_detail.language == entry.language


def test_the_w3c_validator_finds_nothing_in_a_hard_feed() -> None:
    assert w3c(write.render(hard_feed()).body, at=SELF) == {}


def test_the_w3c_validator_only_does_not_know_tombstones(hard_body: bytes) -> None:
    # Its list of namespaces has no place for that of RFC 6721, which no other name can stand for.
    assert w3c(hard_body, at=SELF) == {"UnknownNamespace": 1}


def test_the_w3c_validator_finds_nothing_in_an_empty_feed() -> None:
    feed = Feed(
        id="tag:desk.example,2025:new",
        title="New",
        language="en",
        updated=BEGIN,
        links=(Link(SELF, rel="self"),),
    )
    assert w3c(write.render(feed).body, at=SELF) == {}


@pytest.mark.parametrize("is_archive", [False, True])
def test_the_w3c_validator_finds_nothing_in_a_hard_rss_feed(is_archive: bool) -> None:
    here = SELF.replace(".atom", ".rss")
    feed = hard_feed()
    links = [replace(link, href=here) if link.rel == "self" else link for link in feed.links]
    links.append(Link(here, rel="current"))
    feed = replace(feed, links=tuple(links), is_archive=is_archive)
    assert w3c(write.render(feed, "rss").body, at=here, kind="application/rss+xml") == {}


def alternates_of(element: etree._Element) -> list[etree._Element]:
    return [link for link in element.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
