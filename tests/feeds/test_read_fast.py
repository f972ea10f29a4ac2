from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feeds.errors import ParseError
from feeds.model import Feed
from feeds.read import charsets, fast, universal
from feeds.read.universal import is_taken
from tests.feeds import made_feeds

BASE = "https://news.example/feeds/all?x=1"
SPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:own="https://own.example/"'
)


def rss(item: str, *, channel: str = "<title>Wire</title>", more: str = "") -> str:
    return f'<rss version="2.0" {SPACES} {more}><channel>{channel}<item>{item}</item></channel></rss>'


def answer(read: object, text: str, base: str | None) -> tuple[object, ...]:
    assert callable(read)
    try:
        feed = read(text, base_url=base)
    except ParseError as error:
        return (str(error),)
    assert isinstance(feed, Feed)
    return feed, feed.version, feed.problems


def assert_alike(text: str, base: str | None = BASE) -> None:
    assert answer(universal.read, text, base) == answer(universal.read_by_feedparser, text, base)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(made_feeds.feeds(), st.sampled_from((BASE, None)))
def test_a_made_feed_reads_the_same_on_both_paths(text: str, base: str | None) -> None:
    assert_alike(text, base)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(made_feeds.feeds(), st.data())
def test_a_made_feed_with_an_injury_reads_the_same_on_both_paths(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 8))
    scar = data.draw(
        st.sampled_from(
            ("", "&", "<", ">", "]]>", "&nbsp;", "&#1;", "&#0000000065;", "\x01", "<!DOCTYPE rss>")
        )
    )
    assert_alike(text[:place] + scar + text[place + length :])


@pytest.mark.parametrize(
    "text",
    [
        rss("<title>One</title><link>https://news.example/1</link>"),
        rss("<title>One</title>").replace('version="2.0"', 'version="0.92"'),
        "<?xml version='1.0' encoding='latin-1'?>" + rss("<title>Café</title>"),
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://a.example/"><entry><content type="xhtml">'
        '<div xmlns="http://www.w3.org/1999/xhtml"><p>a<br/>b</p></div></content></entry></feed>',
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
        '<channel><title>Wire</title></channel><item rdf:about="urn:1"><title>One</title></item></rdf:RDF>',
        rss('<source url="https://a.example/">A</source>'),
        rss('<media:group><media:content url="/p.jpg"><media:title>P</media:title></media:content></media:group>'),
        rss("<description>&lt;p&gt;one&lt;/p&gt;</description><content:encoded><![CDATA[<p>two</p>]]></content:encoded>"),
    ],
)  # fmt: skip
def test_a_plain_feed_takes_the_fast_path(text: str) -> None:
    assert is_taken(text)
    assert_alike(text)


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("not well-formed", rss("<title>R&D</title>")),
        ("an entity of HTML", rss("<title>a&nbsp;b</title>")),
        ("a document type", "<!DOCTYPE rss>" + rss("<title>One</title>")),
        ("a document type in a comment", "<!-- \n<!DOCTYPE rss> -->" + rss("<title>One</title>")),
        ("a control character", rss("<title>a\x01b</title>")),
        ("a reference of many digits", rss("<title>&#00000000065;</title>")),
        ("a tombstone", rss('<at:deleted-entry xmlns:at="http://purl.org/atompub/tombstones/1.0" ref="x"/>')),
        ("markup that is not escaped", rss("<description><p>one</p></description>")),
        ("content in base64", rss('<description mode="base64">YQ==</description>')),
        ("content of another kind", rss('<content type="image/png">YQ==</content>')),
        ("a known name in an unknown element", rss("<own:box><title>x</title></own:box>")),
        ("an element at which feedparser fails", rss("<caption>x</caption>")),
        ("an element that feedparser takes for another", rss("<date>2025-02-18</date>")),
        ("a prefix of another meaning", rss("<title/>", more='xmlns:x="a" xmlns:X="b"')),
        ("a known prefix for another", '<rss xmlns:media="http://purl.org/dc/elements/1.1/"/>'),
        ("a namespace of two prefixes", rss("<title/>", more='xmlns:more="https://own.example/"')),
        ("names of xlink", rss("<title/>", more='xmlns:xlink="http://www.w3.org/1999/xlink"')),
        ("a drawing in XHTML", rss('<content type="xhtml"><div><svg/></div></content>')),
        ("an item before the channel", "<rss><item/><channel/></rss>"),
        ("two channels", "<rss><channel/><channel/></rss>"),
        ("attributes of CDF", '<rss><channel href="https://a.example/"/></rss>'),
        ("Atom 0.3", '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>x</title></feed>'),
        ("RSS in the namespace of RSS 1.0", '<rss xmlns:r="http://purl.org/rss/1.0/"><channel/></rss>'),
        ("a person with more than a name", rss("<author><name>A</name><title>x</title></author>")),
        ("a picture with more than an address", rss("", channel="<image><url>/a</url><rating>1</rating></image>")),
        ("a field with more than a title", rss("", channel="<textInput><rating>1</rating></textInput>")),
        ("categories three deep", rss("<x:category><x:category><x:category/></x:category></x:category>",
            more='xmlns:x="http://www.itunes.com/dtds/podcast-1.0.dtd"')),
        ("something between the channel and the root of RDF",
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
            "<item/><channel/></rdf:RDF>"),
        ("markup of a hundred levels", rss(f'<content type="xhtml">{"<b>" * 120}{"</b>" * 120}</content>')),
        ("a picture in an entry", rss("<image><url>/a</url></image>")),
        ("a space in a namespace", rss("<title/>", more='xmlns:more="a b"')),
    ],
)  # fmt: skip
def test_what_is_not_plain_goes_to_feedparser(why: str, text: str) -> None:
    assert not is_taken(text), why
    assert_alike(text)


@pytest.mark.parametrize(
    "text",
    [
        rss("<title>one</title><image>x</image><title>two</title>"),
        rss("<title>Caf\u00c3\u00a9 \x96 bar</title><description>Caf\u00c3\u00a9 \x96</description>"),
        rss("<category domain='d'/><category>a</category><category domain='d'>b</category><category>a</category>"),
        rss("<description>a</description><description>b</description><description>c</description>"),
        rss("<title>x</title>", channel="<title>a</title><image><title>b</title></image><title>c</title>"),
        rss("<link/><guid>https://a.example/1</guid>"),
        rss('<link own:url="https://b.example/" url="https://a.example/"/>'),
        rss("<title>x</title>") .replace("</channel>", "<title>later</title><description>last</description></channel>"),
        rss("<own:a><own:b>x</own:b></own:a><own:c d='e'>f</own:c>"),
        rss("<media:description>d</media:description><media:credit>c</media:credit><media:credit/>"
            "<media:keywords>a, ,b</media:keywords><media:keywords c='d'>e</media:keywords>"
            "<media:thumbnail>/t</media:thumbnail>"
            "<dc:contributor>Ada</dc:contributor><contributor><name>Quay</name><own:x/></contributor>"),
        rss("<cc:license rdf:resource='https://l.example/'/><cc:license/><c:license>https://m.example/</c:license><c:license/>"
            "<i:category text='A'><i:category text='B'/> C </i:category><link>?a=1&amp;b;=2</link><source/>",
            more='xmlns:i="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:cc="http://web.resource.org/cc/" '
            'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            'xmlns:c="http://backend.userland.com/creativeCommonsRssModule"'),
        rss("<title>x</title>", channel="<textInput><title>t</title><name>n</name></textInput>"
            "<title>w</title><title>v</title>"
            "<i:owner><i:name>A</i:name><i:email>a@b.example</i:email></i:owner><i:owner/>"
            "<i:image href='/i'/><i:image/><ttl a='b'/>",
            more='xmlns:i="http://www.itunes.com/dtds/podcast-1.0.dtd"'),
    ],
)  # fmt: skip
def test_what_feedparser_does_oddly_is_done_as_oddly(text: str) -> None:
    assert is_taken(text)
    assert_alike(text)


def test_a_feed_of_many_categories_is_read_in_linear_time() -> None:
    item = "".join(f"<category>c{n}</category>" for n in range(20_000))
    reading = fast.read(rss(item), BASE)
    assert reading is not None
    assert len(reading.entries[0]["tags"]) == 20_000


def test_bytes_in_utf_8_and_others_come_to_the_same_text() -> None:
    text = rss("<title>Café</title>")
    for charset in ("utf-8", "utf-16", "utf-8-sig"):
        decoded, _ = charsets.decode(text.encode(charset))
        assert is_taken(decoded)
