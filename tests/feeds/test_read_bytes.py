"""From bytes to a text that a parser can take: what it is, its encoding, small repairs."""

from __future__ import annotations

import codecs

import pytest

from feeds.errors import ParseError
from feeds.read import parse
from feeds.read.charsets import decode
from feeds.read.repairs import repair
from feeds.read.sniff import Kind, kind, root, without_preface

FEED = '<?xml version="1.0" encoding="{}"?><rss version="2.0"><channel><title>{}</title></channel></rss>'


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"Service unavailable", "plain text"),
        (b"<!DOCTYPE html><title>News</title>", "web page"),
        (b"<!-- x --><html><body>News</body></html>", "web page"),
        (b"Sorry<br>come back later", "web page"),
        (b"<p>Sorry</p>", "web page"),
        (b"<opml version='2.0'><body/></opml>", "begins with <opml>"),
        (b"<?xml version='1.0'?><urlset/>", "begins with <urlset>"),
        (b"{}", "no JSON Feed"),
        (b"[1]", "no JSON Feed"),
        (b'{"items": [', "broken"),
    ],
)
def test_an_editor_is_told_what_stands_there_instead_of_a_feed(body: bytes, says: str) -> None:
    with pytest.raises(ParseError, match=says):
        parse(body)


def test_an_empty_channel_is_a_feed() -> None:
    assert parse(b"<rss version='2.0'><channel/></rss>").entries == ()


def test_a_feed_under_a_doctype_of_html_is_a_feed() -> None:
    text = "<!DOCTYPE html PUBLIC 'x'>\n<rss version='2.0'><channel/></rss>"
    assert kind(text) is Kind.XML
    assert root(text) == "rss"


def test_warnings_of_php_before_a_feed_are_skipped() -> None:
    feed = parse(b"<br />\n<b>Warning</b>: old\n" + FEED.format("utf-8", "News").encode())
    assert feed.title == "News"
    assert feed.problems == ("Something stands before the feed; it was skipped.",)


def test_a_text_without_any_feed_keeps_its_beginning() -> None:
    assert without_preface("<p>x</p>") == "<p>x</p>"


@pytest.mark.parametrize(
    ("label", "encoding"),
    [
        ("windows-1251", "cp1251"),
        ("koi8-r", "koi8-r"),
        ("iso-8859-5", "iso-8859-5"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-16-le"),
        ("utf-16", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("utf-32", "utf-32-le"),
        ("utf-32", "utf-32-be"),
        ("utf-8", "utf-8-sig"),
        ("iso-2022-jp", "iso-2022-jp"),
        ("klingon", "utf-8"),
        ("rot13", "utf-8"),
        ("utf-7", "utf-8"),
    ],
)
def test_a_feed_says_the_same_in_every_encoding(label: str, encoding: str) -> None:
    body = FEED.format(label, "Новини").encode(encoding)
    assert parse(body).title == "Новини"


def test_a_feed_from_a_mainframe_is_read() -> None:
    assert parse(FEED.format("cp037", "News").encode("cp037")).title == "News"


def test_a_label_is_read_as_browsers_read_it() -> None:
    assert parse(FEED.format("iso-8859-1", "“Oui”").encode("cp1252")).title == "“Oui”"
    assert parse(FEED.format("gb2312", "朱镕基").encode("gb18030")).title == "朱镕基"


def test_the_label_of_the_server_wins_over_the_document_s() -> None:
    body = FEED.format("iso-8859-1", "Новини").encode("cp1251")
    assert parse(body, content_type='text/xml; charset="windows-1251"').title == "Новини"


def test_utf_8_is_read_as_utf_8_whatever_its_label() -> None:
    text, problems = decode("Zoë".encode(), "text/xml; charset=iso-8859-1")
    assert text == "Zoë"
    assert problems == ("It is labelled as cp1252 but written in UTF-8.",)
    assert decode(b"Zoe", "text/xml; charset=iso-8859-1") == ("Zoe", ())
    assert decode("Zoë".encode(), "text/xml; charset=utf-8\r\nX: y") == ("Zoë", ())


def test_one_damaged_character_does_not_damage_the_others() -> None:
    text, problems = decode("Новини дня".encode() + b"\xff", "text/xml; charset=utf-8")
    assert text == "Новини дня\ufffd"
    assert problems == ("Some characters are damaged: they are not valid UTF-8.",)


def test_what_no_label_fits_is_read_as_windows_1252() -> None:
    text, problems = decode(b"caf\xe9 \x93ol\xe9\x94")
    assert text == "café “olé”"
    assert problems == ("Its encoding is not what it says; it was read as cp1252.",)


def test_a_label_that_nearly_fits_is_used() -> None:
    text, problems = decode("日本".encode("cp932") + b"\x82", "text/xml; charset=shift_jis")
    assert text.startswith("日本")
    assert problems == ("Its encoding is not what it says; it was read as cp932.",)


def test_a_mark_wins_over_all_labels() -> None:
    assert decode(codecs.BOM_UTF16_LE + "ж".encode("utf-16-le"), "text/xml; charset=utf-8") == ("ж", ())


def test_a_clean_document_is_not_mended() -> None:
    assert repair("<a>&lt;&#65;</a>") == ("<a>&lt;&#65;</a>", ())


def test_references_to_what_xml_forbids_are_left_out() -> None:
    assert repair("<a>&#0;&#x1F;&#xD800;&#XFFFE;&#99999999;&#9;&#X41;&#x1F600;\x0c</a>")[0] == (
        "<a>&#9;&#x41;&#x1F600;</a>"
    )


def test_names_of_html_become_their_characters_but_for_cdata() -> None:
    text, problems = repair("<a>&nbsp;&foo; & <![CDATA[&nbsp; &]]><!-- & --></a>")
    assert text == "<a>&#160;&amp;foo; &amp; <![CDATA[&nbsp; &]]><!-- & --></a>"
    assert problems == ("It holds ampersands or entities that XML does not know; they were mended.",)


def test_short_entities_of_the_document_s_own_are_honoured() -> None:
    body = b"""<!DOCTYPE rss [<!ENTITY wire "The Wire"><!ENTITY e '&#233;'><!ENTITY e 'x'>]>
        <rss version="2.0"><channel><title>&wire; caf&e;</title></channel></rss>"""
    feed = parse(body)
    assert feed.title == "The Wire café"
    assert feed.problems == ()


@pytest.mark.parametrize("before", [b"\n\n\xef\xbb\xbf", b"\xef\xbb\xbf \n", b" \t\r\n"])
def test_what_stands_before_a_json_feed_is_passed_over(before: bytes) -> None:
    body = b'{"version": "https://jsonfeed.org/version/1.1", "title": "T", "items": [{"id": "1"}]}'
    assert len(parse(before + body, content_type="application/feed+json").entries) == 1
