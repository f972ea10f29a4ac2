"""What an editor relies on, whatever the feed looks like."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from feeds.model import Category, Enclosure, Entry, Feed, Link, Person, Text
from feeds.read import parse

BASE = "https://news.example/feed"
SPACES = (
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
)


def rss(channel: str = "", item: str = "", base: str | None = BASE) -> Feed:
    text = f"<rss version='2.0' {SPACES}><channel>{channel}<item>{item}</item></channel></rss>"
    return parse(text.encode(), base_url=base)


def item(text: str, base: str | None = BASE) -> Entry:
    return rss(item=text, base=base).entries[0]


def atom(text: str, base: str | None = BASE) -> Feed:
    return parse(f'<feed xmlns="http://www.w3.org/2005/Atom">{text}</feed>'.encode(), base_url=base)


def news(**fields: Any) -> Feed:
    return parse(
        json.dumps({"version": "https://jsonfeed.org/version/1", "items": []} | fields).encode(),
        base_url=BASE,
    )


def test_an_entry_keeps_its_id_when_its_feed_moves() -> None:
    text = "<guid>1234</guid><link>/a</link>"
    assert item(text).id == item(text, base="https://other.example/").id == "1234"
    assert atom("<entry><id>/a/../b</id></entry>").entries[0].id == "/a/../b"


def test_a_permanent_guid_is_the_page_of_an_entry_without_link() -> None:
    assert item("<guid>https://news.example/1</guid>").url == "https://news.example/1"
    assert item("<guid isPermaLink='false'>https://news.example/1</guid>").url is None
    assert (
        item("<guid>https://news.example/1</guid><link>https://news.example/2</link>").url
        == "https://news.example/2"
    )


def test_nothing_relative_is_made_up_where_the_address_of_the_feed_is_unknown() -> None:
    entry = item("<link>/a</link><description>&lt;a href='b'&gt;B&lt;/a&gt;</description>", base=None)
    assert entry.links == ()
    assert entry.summary == Text("<a>B</a>", "html")


def test_the_base_of_one_entry_is_not_that_of_the_next() -> None:
    one, other = atom(
        '<entry xml:base="https://one.example/"><link href="a"/></entry><entry><link href="b"/></entry>',
        base=None,
    ).entries
    assert one.url == "https://one.example/a"
    assert other.links == ()


def test_the_order_of_a_feed_is_kept() -> None:
    feed = atom("".join(f"<entry><id>{number}</id></entry>" for number in (3, 1, 2)))
    assert [entry.id for entry in feed.entries] == ["3", "1", "2"]


def test_dangerous_links_are_no_links() -> None:
    entry = item("<link>javascript:alert(1)</link><enclosure url='file:///x'/><media:content url='data:,'/>")
    assert entry.links == ()
    assert entry.enclosures == ()


def test_no_text_of_a_feed_holds_what_turns_the_text_around() -> None:
    entry = item("<title>\u202etxt &#x202E;</title><author>\u202eAda</author><category>\u202eSea</category>")
    assert (entry.title, entry.authors, entry.categories) == ("txt", (Person("Ada"),), (Category("Sea"),))


@pytest.mark.parametrize(
    ("written", "person"),
    [
        ("desk@wire.agency (Ada Quay)", Person("Ada Quay", "desk@wire.agency")),
        ("Ada Quay &lt;desk@wire.example&gt;", Person("Ada Quay", "desk@wire.example")),
        ("Ada (desk@wire.example)", Person("Ada", "desk@wire.example")),
        ("mailto:desk@wire.example?subject=News", Person("desk@wire.example", "desk@wire.example")),
        ("Ada Quay", Person("Ada Quay")),
    ],
)
def test_the_author_of_an_item_has_a_name_and_an_address(written: str, person: Person) -> None:
    assert item(f"<author>{written}</author>").authors == (person,)


def test_an_author_of_nothing_is_no_author() -> None:
    assert (
        atom("<entry><author><name> </name><email>no mail</email></author></entry>").entries[0].authors == ()
    )
    assert item("<author></author>").authors == ()


def test_the_body_is_the_fullest_one_and_the_summary_the_short_one() -> None:
    entry = item(
        "<description>Short.</description><content:encoded>&lt;p&gt;A&lt;/p&gt;</content:encoded>"
        "<content:encoded>&lt;p&gt;A and B&lt;/p&gt;</content:encoded>"
    )
    assert entry.summary == Text("Short.", "html")
    assert entry.content == Text("<p>A and B</p>", "html")


def test_a_body_is_not_repeated_as_a_summary() -> None:
    entry = atom('<entry><content type="html">&lt;p&gt;A&lt;/p&gt;</content></entry>').entries[0]
    assert (entry.summary, entry.content) == (None, Text("<p>A</p>", "html"))


def test_a_text_of_which_nothing_remains_is_none() -> None:
    assert item("<description>&lt;script&gt;x()&lt;/script&gt;</description>").summary is None


def test_a_picture_s_caption_is_not_taken_for_the_story() -> None:
    entry = item(
        "<title>Flood</title><description>The river rose.</description>"
        "<media:content url='/p.jpg'><media:title>River</media:title>"
        "<media:description>A bridge under water</media:description></media:content>"
    )
    assert entry.title == "Flood"
    assert entry.content is None
    assert str(entry.summary) == "The river rose."
    assert entry.enclosures == (Enclosure("https://news.example/p.jpg", title="River"),)


def test_a_credit_beside_a_picture_is_the_picture_s() -> None:
    entry = item("<media:content url='/p.jpg'/><media:credit>Cy Mast</media:credit>")
    assert entry.enclosures == (Enclosure("https://news.example/p.jpg", credit="Cy Mast"),)


def test_a_title_in_a_picture_s_terms_serves_an_entry_without_one() -> None:
    assert item("<media:title>Flood</media:title>").title == "Flood"


def test_the_title_of_an_entry_is_not_that_of_its_image() -> None:
    assert item("<title>Flood</title><image><title>Logo</title></image>").title == "Flood"


def test_what_a_feed_says_wrongly_of_a_file_is_left_out() -> None:
    (enclosure,) = item("<enclosure url='/a.mp3' length='many' type='sound'/>").enclosures
    assert enclosure == Enclosure("https://news.example/a.mp3")


def test_a_preview_that_is_the_picture_itself_counts_once() -> None:
    entry = item("<media:thumbnail url='/p.jpg' width='80'/><media:content url='/p.jpg' width='800px'/>")
    assert entry.enclosures == (Enclosure("https://news.example/p.jpg", width=800),)


def test_a_thumbnail_may_stand_in_its_element() -> None:
    entry = item("<media:thumbnail>https://news.example/p.jpg</media:thumbnail>")
    assert entry.enclosures == (Enclosure("https://news.example/p.jpg", is_thumbnail=True),)


def test_broken_media_elements_leave_the_entry_whole() -> None:
    text = "<rss version='2.0'><channel><item></media:group></media:content><title>A</title></item></channel></rss>"
    assert parse(text.encode()).entries[0].title == "A"


@pytest.mark.parametrize(
    ("written", "ttl"),
    [
        ("<ttl>60</ttl>", timedelta(hours=1)),
        ("<ttl>0</ttl>", None),
        ("<ttl>often</ttl>", None),
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", timedelta(hours=1)),
        (
            "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>",
            timedelta(days=1),
        ),
        (
            "<sy:updatePeriod>weekly</sy:updatePeriod><sy:updateFrequency>x</sy:updateFrequency>",
            timedelta(weeks=1),
        ),
    ],
)
def test_a_feed_says_how_often_it_changes(written: str, ttl: timedelta | None) -> None:
    assert rss(written).ttl == ttl


def test_a_name_of_a_language_is_no_language() -> None:
    assert rss("<language>English</language>").language is None
    assert rss("<language>pt_BR</language>").entries[0].language == "pt-BR"


def test_a_title_says_the_language_of_an_entry_that_does_not() -> None:
    entry = atom('<entry><title xml:lang="cs">Povodeň</title></entry>').entries[0]
    assert entry.language == "cs"


def test_a_feed_s_own_enclosures_stay_links() -> None:
    assert atom('<link rel="enclosure" href="/a.mp3" length="7"/>').links == (
        Link("https://news.example/a.mp3", "enclosure", length=7),
    )


def test_an_origin_that_says_nothing_is_none() -> None:
    assert item("<source/>").origin is None
    assert item("<source>Agency</source>").origin is not None


def test_an_origin_keeps_its_own_links() -> None:
    entry = atom('<entry><source><link href="https://a.example/"/></source></entry>').entries[0]
    assert entry.origin is not None
    assert entry.origin.links == (Link("https://a.example/"),)


def test_a_category_without_a_word_is_none() -> None:
    assert item("<category domain='https://news.example/'> </category>").categories == ()


def test_broken_xml_says_where_it_broke() -> None:
    feed = parse(b"<rss version='2.0'><channel>\n<title>A</channel></rss>")
    assert feed.problems == ("The XML is broken in line 2 (mismatched tag); it was read as far as it goes.",)


@pytest.mark.parametrize(
    ("element", "name"),
    [("<textinput><link href='x'/></textinput>", "link"), ("<link/><g:posList>1</g:posList>", "poslist")],
)
def test_one_element_without_sense_does_not_cost_the_others(element: str, name: str) -> None:
    feed = parse(
        f"<rss version='2.0' xmlns:g='http://www.opengis.net/gml'><channel><item><title>A</title>{element}</item>"
        "<item><title>B</title></item></channel></rss>".encode()
    )
    assert [entry.title for entry in feed.entries] == ["A", "B"]
    assert feed.problems == (f"These elements make no sense and were left out: <{name}>.",)


def test_the_base_stays_right_after_an_element_without_sense() -> None:
    entry = atom(
        "<entry xml:base='https://one.example/' xml:lang='fr'>"
        "<g:posList xmlns:g='http://www.opengis.net/gml' xml:base='/t/' xml:lang='de'>1</g:posList>"
        "<link href='a'/><title>A</title></entry>"
    ).entries[0]
    assert (entry.url, entry.language) == ("https://one.example/a", "fr")


def test_a_withdrawn_entry_is_found_in_broken_xml_too() -> None:
    feed = parse(
        b"<feed xmlns='http://www.w3.org/2005/Atom'><deleted-entry ref='1' when='2024-02-05T12:00:00Z'>"
        b"<comment>Wrong</comment></deleted-entry><title>A</feed>"
    )
    assert [(stone.ref, stone.comment, stone.by) for stone in feed.tombstones] == [("1", "Wrong", None)]


def test_json_feed_of_the_first_version() -> None:
    feed = news(author={"name": "Desk"}, items=[{"id": 1.5, "content_text": " \n"}])
    assert feed.version == "json10"
    assert feed.authors == (Person("Desk"),)
    assert (feed.entries[0].id, feed.entries[0].content) == ("1.5", None)
    assert feed.problems == ()


def test_json_feed_without_version_or_items_is_read() -> None:
    feed = parse(b'\xef\xbb\xbf{"items": [{"id": "1"}]}')
    assert (feed.version, feed.problems) == ("json", ("It does not say which version of JSON Feed it is.",))
    assert news(items=None).problems == ("Some of its items are none, and were left out.",)


def test_what_json_feed_says_in_the_wrong_type_is_left_out() -> None:
    feed = news(
        title=7, home_page_url=[], authors=[7], hubs={}, icon=1, favicon="/f.ico", items=[{"summary": 7}]
    )
    assert (feed.title, feed.links, feed.authors, feed.icon) == ("", (), (), "https://news.example/f.ico")
    assert feed.entries == (Entry(),)
