from __future__ import annotations

import re
import unicodedata

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

import feeds.html
from feeds.html import clean_text, escape, excerpt, sanitize, text_of_clean, to_text
from feeds.urls import absolute

BASE = "https://news.example/wire/feed"
PIECES = st.one_of(
    st.sampled_from(
        ["<p ", '<a href="x">', "</a>", "<b>", "</i>", "<table>", "<td>", "<img src=y>", "<!--", "-->"]
    ),
    st.sampled_from(
        ["&", "&amp;", "&#8238;", "&lt;", '"', "'", ">", " ", "x", "é", "\x00", "\u202e", "\u2067", "\n"]
    ),
    st.sampled_from(
        ["<script>", "</script>", "<svg>", "<math>", "<style>", "<![CDATA[", "<noscript>", "<textarea>"]
    ),
    st.sampled_from(
        ["<li>", "<div>", "</p>", "<pre>\n\n", "<br>", "<form>", "<select>", "<h1>", "<rt>", "</table>"]
    ),
)
MARKUP = st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join)


def test_what_a_browser_would_run_is_gone() -> None:
    html = (
        "<p onclick='x()' style='color:red'>A<script>x()</script><style>p{}</style>"
        "<iframe src='https://v.example/'>no</iframe><svg><title>t</title></svg></p>"
    )
    assert sanitize(html) == "<p>A</p>"


def test_a_form_leaves_only_its_words() -> None:
    assert sanitize("<form action='/x'>Name <input name=a><button>Go</button></form>") == "Name Go"


def test_direction_and_language_of_a_text_are_kept() -> None:
    html = '<p dir="rtl" lang="ar">سلام</p>'
    assert sanitize(html) == html


def test_links_and_pictures_are_absolute() -> None:
    html = '<a href="/a b">A</a><img src="p.png" alt="P"><blockquote cite="q">Q</blockquote>'
    assert sanitize(html, BASE) == (
        '<a href="https://news.example/a%20b">A</a><img src="https://news.example/wire/p.png" alt="P">'
        '<blockquote cite="https://news.example/wire/q">Q</blockquote>'
    )


def test_only_web_and_mail_are_linked() -> None:
    html = '<a href="javascript:x()">1</a><a href="mailto:d@news.example">2</a><a href="tel:1">3</a><img src="data:,x">'
    assert sanitize(html) == '<a>1</a><a href="mailto:d@news.example">2</a><a>3</a>'


@pytest.mark.parametrize("size", ['width="1" height="1"', "height=0", 'width="1px"'])
def test_pictures_that_only_count_readers_are_gone(size: str) -> None:
    assert sanitize(f'<p>A<img src="https://t.example/c.gif" {size}></p>') == "<p>A</p>"


def test_a_picture_with_brackets_in_its_text_is_kept() -> None:
    assert 'alt="a &gt; b"' in sanitize('<img src="https://n.example/1.png" width="100" alt="a > b">')


def test_text_that_is_no_html_comes_back_escaped() -> None:
    assert sanitize("AT&T: 3 < 4") == "AT&amp;T: 3 &lt; 4"


def test_hidden_controls_of_direction_do_not_come_back_through_entities() -> None:
    assert sanitize("<b title='&#8238;x'>&#8238;live&#1;</b>") == '<b title="x">live</b>'
    assert to_text("&#8238;live&#x202D;") == "live"


def test_markup_deeper_than_any_article_loses_its_tags() -> None:
    html = "<div title='x'>" * 5000 + "story <br> told" + "</div>" * 5000
    assert sanitize(html).split() == ["story", "told"]
    assert to_text(html) == "story told"


def test_many_elements_side_by_side_are_not_deep() -> None:
    html = "<p><b>x</b></p>" * 300 + "</div>"
    assert sanitize(html).count("<b>") == 300


def test_the_words_of_html_stand_in_lines_as_blocks_did() -> None:
    html = "<h1>A &amp; B</h1><p>one<br>two</p><ul><li>three</li></ul><table><tr><td>4</td><td>5</td></tr></table>"
    assert to_text(html) == "A & B\none\ntwo\nthree\n4 5"


def test_words_that_are_no_html_stay() -> None:
    assert to_text("  AT&T   <3\n a < b ") == "AT&T <3 a < b"
    assert to_text("a  b\n\nc") == "a b\nc"


def test_clean_text_is_one_line_that_xml_can_hold() -> None:
    assert clean_text("\ufeff A\x00\x0b\ud800\uffff \r\n\t B \u2028") == "A B"


def test_controls_of_windows_1252_are_the_quotes_they_were_meant_to_be() -> None:
    assert clean_text("\x93Yes\x94 \x85\x81") == "“Yes” …"


def test_direction_is_overridden_by_nobody() -> None:
    assert clean_text("\u202etxt.exe\u202c") == "txt.exe"
    assert clean_text("\u2067a\u2069 \u2067b \u2069\u2069 \u2068c") == "\u2067a\u2069 \u2067b \u2069 c"


def test_a_sign_of_loss_and_french_spaces_are_kept() -> None:
    assert clean_text("«\u00a0Oui\u202f!\u00a0» \ufffd") == "«\u00a0Oui\u202f!\u00a0» \ufffd"


def test_escape_is_fit_for_attributes() -> None:
    assert escape("<a & 'b' \"c\">") == "&lt;a &amp; &#x27;b&#x27; &quot;c&quot;&gt;"


def test_a_short_text_is_its_own_excerpt() -> None:
    assert excerpt("Short.", 6) == "Short."


def test_an_excerpt_ends_with_a_sentence_where_it_can() -> None:
    assert excerpt("The talks began. They go on tomorrow in Geneva.", 25) == "The talks began. …"
    assert excerpt("会谈开始了。会谈明天在日内瓦继续进行", 12) == "会谈开始了。会谈明天在…"
    assert excerpt("各方会谈今天开始了。会谈明天在日内瓦继续", 14) == "各方会谈今天开始了。 …"


def test_an_excerpt_ends_with_a_word_else() -> None:
    assert excerpt("The talks began on Tuesday morning", 20) == "The talks began on…"
    assert excerpt("The talks began on Tuesday", 19) == "The talks began on…"


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("каф" + "e\u0301" * 9, 6, "кафe\u0301…"),
        ("ab👩\u200d👩\u200d👧cdefgh", 6, "ab…"),
        ("ab👍\U0001f3fdcdefghijk", 4, "ab…"),
        ("a🇺🇦🇫🇷🇩🇪bcdefgh", 5, "a🇺🇦…"),
        ("\u1112\u1161\u11ab" * 9, 6, "\u1112\u1161\u11ab…"),
        ("e" + "\u0301" * 40, 9, "…"),
    ],
)
def test_an_excerpt_never_cuts_what_a_person_takes_for_one_character(text: str, limit: int, cut: str) -> None:
    assert excerpt(text, limit) == cut


def test_an_excerpt_needs_room() -> None:
    with pytest.raises(ValueError, match="room"):
        excerpt("text", 0)


@given(st.text() | MARKUP)
def test_clean_text_is_clean(text: str) -> None:
    clean = clean_text(text)
    assert clean_text(clean) == clean
    etree.Element("t").text = clean
    assert not re.search("[\n\u202a-\u202e\x80-\x9f]", clean)


@given(MARKUP)
def test_sanitised_html_is_safe_and_stays_as_it_is(html: str) -> None:
    safe = sanitize(html, BASE)
    assert not re.search(r"<(?:script|style|iframe|form|svg|math|input|select)|javascript:|\son\w+=", safe)
    etree.Element("t").text = safe
    assert to_text(sanitize(safe)) == to_text(safe)


@given(MARKUP)
def test_the_words_of_html_hold_nothing_that_xml_forbids(html: str) -> None:
    etree.Element("t").text = to_text(html)


@given(st.text(), st.integers(1, 40))
def test_an_excerpt_fits_and_is_a_beginning(text: str, limit: int) -> None:
    cut = excerpt(text, limit)
    assert len(cut) <= limit
    assert excerpt(cut, limit) == cut
    if cut != text:
        assert cut.endswith("…")
        beginning = cut[:-1].rstrip()
        assert text.startswith(beginning)
        rest = text[len(beginning) :].lstrip()
        assert (
            not rest or not beginning or not unicodedata.combining(rest[0]) or text[len(beginning)].isspace()
        )


@given(MARKUP)
def test_the_words_of_clean_html_are_the_same_without_parsing_it_again(markup: str) -> None:
    clean = sanitize(markup, BASE)
    assert text_of_clean(clean) == to_text(clean)


@pytest.mark.parametrize(
    "markup",
    [
        "<table><tr><td>a<td>b</table>c",
        "plain\nlines \t of text\u2028here",
        "<p>one\ntwo<br>three <b>f</b>our</p>&nbsp;&amp;lt;",
        "<p title='a>b'>\u2067x\u2069 \u00a0 y</p>",
        "<script>x</script>y",
        "1 < 2 &#8238;",
        "",
    ],
)
def test_whatever_clean_html_is_not_is_parsed(markup: str) -> None:
    assert text_of_clean(markup) == to_text(markup)
    assert text_of_clean(sanitize(markup)) == to_text(sanitize(markup))


ADDRESSES = st.sampled_from(
    [
        "https://a.example/b?c=1&d=2",
        "https://a.example/b;c?#",
        "HTTP://A.example",
        "/b c",
        "",
        "#d",
        "javascript:x",
        "mailto:a@b.example?subject=x&amp;y",
        "https://xn--a.example/%zz",
        "https://é.example/é\"'",
        "http://1.2.3.4.5/",
        "a\u00a0b<>",
    ]
)
TAGS = st.builds(
    "<{} {}='{}' {}=\"{}\" {}={}>x".format,
    st.sampled_from(["a", "img", "q", "video", "span"]),
    *(
        part
        for _ in range(3)
        for part in (st.sampled_from(["href", "src", "cite", "poster", "title", "alt", "lang"]), ADDRESSES)
    ),
)


@given(st.lists(TAGS | PIECES, max_size=6).map("".join), st.sampled_from([BASE, None]))
def test_addresses_are_joined_as_if_nh3_asked_for_each_attribute(html: str, base: str | None) -> None:
    def joined(_tag: str, name: str, value: str) -> str | None:
        return absolute(value, base, mailto=name == "href") if name in feeds.html._ADDRESSES else value

    asking = nh3.Cleaner(
        tags={*feeds.html._INLINE, *feeds.html._BLOCKS, *feeds.html._PARTS},
        clean_content_tags=set(feeds.html._GONE_WITH_CONTENT),
        attributes=feeds.html._ATTRIBUTES,
        attribute_filter=joined,
        link_rel=None,
        url_schemes={"http", "https", "mailto"},
    )
    legal = feeds.html._made_legal(html)
    cleaned = feeds.html._made_legal(asking.clean(legal))
    assert sanitize(html, base) == feeds.html._IMAGE.sub(feeds.html._unless_tracker, cleaned).strip()


@given(st.text() | MARKUP)
def test_what_is_found_legal_at_a_glance_is_so_by_every_character(text: str) -> None:
    assert not feeds.html._is_legal(text) or feeds.html._made_legal(text) == text


DEPTHS = st.sampled_from(
    ["<b>", "</b>", "<P>", "</P>", "<br>", "<br/>", "<li>", "</li>", "<PRE>", "</pre>", "<bé>", "< </", "<i"]
)


@given(st.lists(DEPTHS))
def test_depth_is_counted_as_by_every_tag(tags: list[str]) -> None:
    text, depth, deepest = "".join(tags) * 60, 0, 0
    for tag in re.finditer(r"<(/?)([a-zA-Z][^\s/<>]*)", text):
        if tag[2].lower() not in feeds.html._WITHOUT_END:
            depth = max(0, depth - 1) if tag[1] else depth + 1
            deepest = max(deepest, depth)
    assert feeds.html._is_deep(text) == (deepest > 200)
