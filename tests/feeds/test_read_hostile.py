"""Documents that were made, or broken, to do harm."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.errors import ParseError
from feeds.model import Feed
from feeds.read import parse

RSS = "<rss version='2.0'><channel>{}</channel></rss>"
LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))


@pytest.fixture(autouse=True)
def _within_reason() -> Iterator[None]:
    """No document of these may take more than five seconds or 200 MB."""
    tracemalloc.start()
    began = time.process_time()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.process_time() - began < 5
    assert peak < 200e6


def test_a_billion_laughs_are_not_laughed() -> None:
    feed = parse(f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>{RSS.format("<title>&l11;</title>")}'.encode())
    assert feed.title == "&l11;"


def test_one_long_entity_is_not_repeated_either() -> None:
    feed = parse(
        f'<!DOCTYPE x [<!ENTITY a "{"A" * 50_000}">]>{RSS.format("<title>" + "&a;" * 9_000 + "</title>")}'.encode()
    )
    assert len(feed.title) < 50_000


def test_files_of_our_machine_are_not_read() -> None:
    feed = parse(
        f'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>{RSS.format("<title>&f;</title>")}'.encode()
    )
    assert feed.title == "&f;"


@pytest.mark.parametrize("name", [b"/etc/passwd", b"tests/corpus/expected.json", b"http://127.0.0.1/feed"])
def test_bytes_that_look_like_a_path_or_an_address_are_not_opened(name: bytes) -> None:
    with pytest.raises(ParseError, match="plain text"):
        parse(name)


@pytest.mark.parametrize(
    "body",
    [
        RSS.format("<a>" * 5_000 + "</a>" * 5_000),
        "<rss version='2.0'><channel>" + "<a>" * 5_000,
        RSS.format("<item><description>" + "&lt;div&gt;" * 10_000 + "</description></item>"),
        "<rss version='2.0'><channel>" + "<![CDATA[" * 20_000,
        "<rss version='2.0'><channel>" + "<!--" * 20_000,
        "<rss version='2.0'><channel><title>" + "&" * 20_000,
        "<rss version='2.0'><channel>" + "<" * 20_000,
        "<rss version='2.0'><channel>" + "<item " * 500,
    ],
)
def test_a_document_without_end_or_bottom_is_read_in_reason(body: str) -> None:
    assert isinstance(parse(body.encode()), Feed)


def test_an_element_of_countless_attributes_is_refused() -> None:
    attributes = " ".join(f'a{number}="1"' for number in range(5_000))
    with pytest.raises(ParseError, match="attributes"):
        parse(RSS.format(f"<item {attributes}/>").encode())


@pytest.mark.parametrize("body", [b'{"items":' + b"[" * 100_000, b'{"items":[{"id":' + b"9" * 5_000 + b"}]}"])
def test_json_made_to_break_its_reader_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError, match="broken"):
        parse(body)


PIECES = st.one_of(
    st.sampled_from(
        ["<rss>", "<channel>", "<item>", "</item>", "<image>", "</image>", "<link>", "</link>", "<title>"]
    ),
    st.sampled_from(
        ["<media:content url='a'>", "</media:content>", "<media:group>", "</media:group>", "<source>"]
    ),
    st.sampled_from(
        ["<media:title>", "</media:title>", "<media:thumbnail>", "</media:thumbnail>", "<media:credit>"]
    ),
    st.sampled_from(
        ["<author>", "</author>", "<name>", "<contributor>", "<category>", "<guid>", "</guid>", "<ttl>", "x"]
    ),
    st.sampled_from(
        ["<at:deleted-entry ref='a'>", "</at:deleted-entry>", "<textinput>", "<feed>", "<entry>", "<div>"]
    ),
    st.sampled_from(
        ["<content type='xhtml'>", "</content>", "<link href='http://[' rel='enclosure'/>", "<enclosure>"]
    ),
    st.sampled_from(
        ["&#x;", "&#9;", "&#55555555555;", "<pubDate>", "<![CDATA[", "]]>", "<description>", "<svg>"]
    ),
)


NAMES = """
    authors author_detail contributors content summary_detail title_detail subtitle_detail rights_detail links
    link tags image source media_credit media_thumbnail wire_media wire_caption wire_base wire_language wire_text
    id language published ttl sy_updateperiod icon entries wire_type
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_an_element_may_have_any_name(name: str) -> None:
    wild = f"<{name}>x</{name}><{name} a='b' type='html'/>"
    entry = f"<item>{wild}<author>A</author><title>T</title>{wild}</item>"
    assert parse(RSS.format(wild + entry).encode()).entries[0].title == "T"


def is_read_or_refused(body: bytes) -> bool:
    try:
        return isinstance(parse(body), Feed)
    except ParseError as error:
        return bool(str(error))


@given(st.lists(PIECES, max_size=25))
def test_broken_feeds_are_read_or_refused(pieces: list[str]) -> None:
    assert is_read_or_refused("".join(["<rss>", *pieces]).encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert is_read_or_refused(body)
