"""Documents that were made, or broken, to do harm."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.errors import ParseError
from feeds.model import Entry, Feed
from feeds.read import parse
from feeds.read.parts import ENTRIES, LINE

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


@pytest.mark.parametrize(
    "declared",
    [
        f'<!ENTITY l0 "ha">{LAUGHS}',
        '<!ENTITY l11 "&a;"><!ENTITY a "&l11;">',
        "".join(f'<!ENTITY l{i} "&l{i + 1};">' for i in range(5_000)),
        "".join(f'<!ENTITY l{i} "{f"&l{i + 1};" * 3}">' for i in range(5_000)),
    ],
)
def test_a_billion_laughs_are_refused(declared: str) -> None:
    with pytest.raises(ParseError, match="unfold into one another"):
        parse(f"<!DOCTYPE x [{declared}]>{RSS.format('<title>&l11;</title>')}".encode())


def test_a_few_entities_of_entities_are_only_not_expanded() -> None:
    feed = parse(
        f'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>{RSS.format("<title>&a; &b;</title>")}'.encode()
    )
    assert feed.title == "ha &b;"


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


ITEM = "<item><title>{0}</title><link>https://n.example/{0}</link><description>{1}</description></item>"


def one_with(description: str, *, title: str = "T", link: str = "https://n.example/1") -> Entry:
    """The only entry of a feed, as it is read."""
    body = f"<item><title>{title}</title><link>{link}</link><description>{description}</description></item>"
    (entry,) = parse(RSS.format(body).encode(), base_url="https://n.example/feed").entries
    return entry


@pytest.mark.parametrize("tag", ["div", "a", "item", "b", "svg"])
def test_countless_elements_in_one_another_are_refused(tag: str) -> None:
    with pytest.raises(ParseError, match="tags"):
        parse(RSS.format(f"<{tag}>" * 200_000 + f"</{tag}>" * 200_000).encode())


def test_a_million_items_are_refused() -> None:
    with pytest.raises(ParseError, match="tags"):
        parse(RSS.format("<item/>" * 1_000_000).encode())


def test_of_a_million_objects_the_first_are_read() -> None:
    body = b'{"version":"https://jsonfeed.org/version/1.1","items":[{"id":1}' + b",{}" * 300_000 + b"]}"
    assert len(parse(body).entries) == ENTRIES


def test_a_body_full_of_markup_is_no_attack() -> None:
    (entry,) = parse(
        RSS.format(f"<item><description><![CDATA[{'<b>x</b>' * 150_000}]]></description></item>").encode()
    ).entries
    assert entry.summary is not None


def test_markup_nested_a_hundred_thousand_deep_leaves_its_words() -> None:
    entry = one_with("&lt;div&gt;" * 100_000 + "the words")
    assert entry.summary is not None
    assert entry.summary.value.strip() == "the words"


def test_objects_nested_a_hundred_thousand_deep_are_refused() -> None:
    with pytest.raises(ParseError, match="broken"):
        parse(b'{"version":"https://jsonfeed.org/version/1.1","items":' + b'{"a":' * 100_000)


def test_a_title_of_ten_megabytes_is_kept_as_long_as_a_line_may_be() -> None:
    entry = one_with("short", title="Talks " * 1_700_000)
    assert len(entry.title) <= LINE
    assert entry.title.startswith("Talks Talks")


@pytest.mark.parametrize(
    "scheme",
    ["file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "vbscript:x", " java\tscript:x"],
)
def test_a_link_leads_to_a_page_or_nowhere(scheme: str) -> None:
    entry = one_with(f'&lt;a href="{scheme}"&gt;here&lt;/a&gt;&lt;img src="{scheme}"&gt;', link=scheme)
    assert entry.links == ()
    assert entry.summary is not None
    assert entry.summary.value == "<a>here</a>"


def test_what_counts_readers_asks_them_or_runs_is_gone() -> None:
    evil = (
        "<p>Talks.<img src='https://t.example/1.gif' width=1 height=1><form action='https://e.example'><input>"
        "<button>Go</button></form><iframe src='https://e.example'></iframe><script>x()</script>"
        "<img src=x onerror=x()><a href='javascript:x()' onclick=x()>y</a><meta http-equiv=refresh content=0></p>"
    )
    entry = one_with(evil.replace("<", "&lt;").replace(">", "&gt;"))
    assert entry.summary is not None
    assert entry.summary.value == '<p>Talks.</p>Go<img src="https://n.example/x"><a>y</a><p></p>'


def test_nothing_turns_the_words_around() -> None:
    entry = one_with(
        "&#x202E;gnp.exe\u202d &lt;b title='\u202e'&gt;x&lt;/b&gt;\u2067", title="\u202eevil\u2066"
    )
    assert entry.title == "evil"
    assert entry.summary is not None
    assert not set(entry.summary.value) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_control_characters_and_halves_of_characters_are_left_out() -> None:
    feed = parse(RSS.format(ITEM.format("a\x00\x08b&#0;&#55296;&#xD800;c", "d\x0b")).encode())
    assert feed.entries[0].title == "abc"
    broken = parse(b"<rss><channel><item><title>a&#xD800;b&#99999999;c</title><a &></item>")
    assert broken.entries[0].title == "abc"


@pytest.mark.parametrize(
    "label", ["utf-16", "utf-7", "idna", "rot13", "zip", "undefined", "cp037", "x\x00", "a" * 9_999]
)
@pytest.mark.parametrize("where", ["server", "document"])
def test_a_lie_about_the_encoding_costs_no_word(label: str, where: str) -> None:
    head = f'<?xml version="1.0" encoding="{label}"?>' if where == "document" else ""
    content_type = f"text/xml; charset={label}" if where == "server" else None
    feed = parse((head + RSS.format(ITEM.format("Réunion", "à Kyïv"))).encode(), content_type=content_type)
    assert feed.entries[0].title == "Réunion"


@pytest.mark.parametrize("piece", ["y", "1", "1 ", "may ", "1-", "a.", "日"])
def test_a_date_of_a_megabyte_is_none_at_once(piece: str) -> None:
    body = RSS.format(f"<pubDate>{piece * 200_000}</pubDate>{ITEM.format('T', 'x')}")
    assert parse(body.encode()).entries[0].title == "T"


def test_an_author_of_a_million_letters_is_looked_through_once() -> None:
    # Tried from each of its letters, the pattern of an address would take hours here.
    name = "x" * 1_000_000
    body = f"<rss version='2.0'><channel><item><title>T</title><author>{name}</author></item></channel></rss>"
    (entry,) = parse(body.encode()).entries
    assert [person.email for person in entry.authors] == [None]
