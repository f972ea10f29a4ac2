"""Lists of feeds, as other programs write them and read ours."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from feeds.errors import ParseError
from feeds.html import clean_text
from feeds.opml import Subscription, SubscriptionList, read_opml, write_opml

BBC = Subscription("https://bbc.example/rss", "BBC", "https://bbc.example/", "en-GB", ("World", "Europe"))


def opml(body: str, head: str = "<title>Desk</title>") -> bytes:
    return f'<?xml version="1.0"?><opml version="2.0"><head>{head}</head><body>{body}</body></opml>'.encode()


def read(body: str) -> tuple[Subscription, ...]:
    return read_opml(opml(body)).subscriptions


def test_a_feed_keeps_its_name_language_site_and_folders() -> None:
    body = """<outline text="World"><outline text="Europe"><outline type="rss" text="bbc" title="BBC"
        xmlUrl="https://bbc.example/rss" htmlUrl="https://bbc.example/" language="en-GB"/></outline></outline>"""
    assert read(body) == (BBC,)


def test_the_list_itself_has_a_title_and_a_date() -> None:
    head = "<title>My\n list</title><dateCreated>Mon, 05 Jan 2026 08:00:00 GMT</dateCreated><ownerName/>"
    made = read_opml(opml("", head))
    assert made == SubscriptionList("My list", datetime(2026, 1, 5, 8, tzinfo=UTC), ())


@pytest.mark.parametrize("name", ["xmlUrl", "xmlurl", "XMLURL", "xmlURL"])
def test_the_address_counts_in_any_case(name: str) -> None:
    assert read(f'<outline TEXT="A" {name}=" https://a.example/ "/>') == (
        Subscription("https://a.example/", "A"),
    )


def test_a_feed_without_a_title_has_none() -> None:
    assert read('<outline xmlUrl="https://a.example/"/>') == (Subscription("https://a.example/"),)


def test_a_title_wins_over_a_text() -> None:
    assert read('<outline text="a" title="A" xmlUrl="https://a.example/"/>')[0].title == "A"


def test_a_feed_may_give_its_address_as_url_when_it_says_that_it_is_one() -> None:
    body = '<outline type="rss" url="https://a.example/"/><outline type="link" url="https://b.example/"/>'
    assert [feed.url for feed in read(body)] == ["https://a.example/"]


def test_a_category_stands_for_a_folder_where_there_is_none() -> None:
    body = """<outline xmlUrl="https://a.example/" category="/Sport/Football,/Europe"/>
        <outline text="World"><outline xmlUrl="https://b.example/" category="/Europe"/></outline>"""
    assert [feed.folders for feed in read(body)] == [("Sport", "Football"), ("World",)]


def test_folders_without_a_name_and_feeds_below_feeds_lose_nothing() -> None:
    body = """<outline><outline text="A"><outline xmlUrl="https://a.example/"><outline xmlUrl="https://b.example/"/>
        </outline></outline></outline><!-- note --><div><outline xmlUrl="https://c.example/"/></div>"""
    assert [(feed.url, feed.folders) for feed in read(body)] == [
        ("https://a.example/", ("A",)),
        ("https://b.example/", ("A",)),
        ("https://c.example/", ()),
    ]


def test_a_feed_in_two_folders_stands_in_both_and_not_twice_in_one() -> None:
    feed = '<outline xmlUrl="https://a.example/"/>'
    found = read(f'<outline text="A">{feed}{feed}</outline><outline text="B">{feed}</outline>')
    assert [feed.folders for feed in found] == [("A",), ("B",)]


def test_ampersands_that_a_program_forgot_to_escape_stay_in_the_address() -> None:
    body = '<outline text="R&D &eacute;&nbsp;x &amp; &#233;&bogus;" xmlUrl="https://a.example/?a=1&b=2&copy=3&amp;d=4"/>'
    assert read(body) == (Subscription("https://a.example/?a=1&b=2&copy=3&d=4", "R&D é\xa0x & é&bogus;"),)


def test_broken_xml_is_read_as_far_as_it_goes() -> None:
    whole = opml('<outline xmlUrl="https://a.example/"/><outline xmlUrl="https://b.example/"/>')
    cut = whole[: whole.index(b"</body>")]
    assert len(read_opml(b"\n\n" + cut).subscriptions) == 2
    assert len(read('<outline text="<b>bold</b>" xmlUrl="https://a.example/"/>')) == 1


def test_other_encodings_and_namespaces_are_read() -> None:
    outline = '<o:outline xmlUrl="u" text="é"/>'
    text = f'<?xml version="1.0" encoding="utf-16"?><o:OPML xmlns:o="urn:x">{outline}</o:OPML>'
    assert read_opml(text.encode("utf-16")).subscriptions == (Subscription("u", "é"),)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "cannot be read as XML"),
        (b"\0\1", "cannot be read as XML"),
        (b"feeds: none", "cannot be read as XML"),
        (b"<rss version='2.0'/>", "of type “rss”, not “opml”"),
        (b"<!DOCTYPE html><html><body>x</body></html>", "of type “html”"),
    ],
)
def test_what_is_no_list_of_feeds_is_told(body: bytes, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        read_opml(body)


def test_entities_that_a_list_declares_come_to_nothing() -> None:
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    attack = f"""<!DOCTYPE opml [<!ENTITY l0 "lol"><!ENTITY file SYSTEM "file:///etc/passwd">{laughs}]>
        <opml><head><title>&file;&l9;</title></head><body><outline text="&l9;" xmlUrl="https://a.example/"/></body></opml>"""
    made = read_opml(attack.encode())
    assert made.title == "&file;&l9;"
    assert made.subscriptions == (Subscription("https://a.example/", "&l9;"),)


def test_a_list_nested_beyond_reason_ends() -> None:
    assert read('<outline text="a">' * 5000) == ()


def test_our_list_is_opml_2_by_the_letter() -> None:
    plain = Subscription("https://a.example/?x=1&y=2")
    made = write_opml([BBC, plain], title="Desk", created=datetime(2026, 1, 5, 8, tzinfo=UTC))
    assert made.decode() == (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        '<opml version="2.0">\n'
        "  <head>\n"
        "    <title>Desk</title>\n"
        "    <dateCreated>Mon, 05 Jan 2026 08:00:00 GMT</dateCreated>\n"
        "  </head>\n"
        "  <body>\n"
        '    <outline text="World">\n'
        '      <outline text="Europe">\n'
        '        <outline type="rss" text="BBC" title="BBC" xmlUrl="https://bbc.example/rss" '
        'htmlUrl="https://bbc.example/" language="en-GB"/>\n'
        "      </outline>\n"
        "    </outline>\n"
        '    <outline type="rss" text="https://a.example/?x=1&amp;y=2" xmlUrl="https://a.example/?x=1&amp;y=2"/>\n'
        "  </body>\n"
        "</opml>\n"
    )


def test_a_folder_stands_once_with_all_its_feeds() -> None:
    feeds = [
        Subscription(f"https://{name}.example/", name, folders=(name[0],)) for name in ("a1", "b1", "a2")
    ]
    made = write_opml(feeds, title="", created=None)
    assert [feed.title for feed in read_opml(made).subscriptions] == ["a1", "a2", "b1"]
    assert len(etree.fromstring(made).findall("body/outline")) == 2


def test_a_date_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="time zone"):
        write_opml([], title="", created=datetime(2026, 1, 5))  # noqa: DTZ001 - The point of the test.


texts = st.text(max_size=20).map(clean_text)
names = texts.filter(bool)
subscriptions = st.builds(
    Subscription,
    url=names,
    title=names,
    site_url=st.none() | names,
    language=st.sampled_from([None, "uk", "pt-BR"]),
    folders=st.lists(names, max_size=3).map(tuple),
)


@given(st.lists(subscriptions, max_size=8), texts)
def test_a_list_comes_back_as_it_was_written(feeds: list[Subscription], title: str) -> None:
    created = datetime(2026, 1, 5, 8, tzinfo=UTC)
    made = write_opml(feeds, title=title, created=created)
    again = read_opml(made)
    assert (again.title, again.created) == (title, created)
    assert set(again.subscriptions) == set(feeds)
    assert write_opml(again.subscriptions, title=title, created=created) == write_opml(
        dict.fromkeys(feeds), title=title, created=created
    )


@given(
    st.lists(st.builds(Subscription, url=st.text(), title=st.text(), folders=st.tuples(st.text()))), st.text()
)
def test_no_text_makes_a_list_that_cannot_be_read(feeds: list[Subscription], title: str) -> None:
    made = write_opml(feeds, title=title, created=None)
    assert etree.fromstring(made).tag == "opml"


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    with suppress(ParseError):
        assert isinstance(read_opml(b"<opml><body>" + body), SubscriptionList)
