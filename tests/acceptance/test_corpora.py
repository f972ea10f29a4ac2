"""Thousands of feeds that others collected, read by us.

The files are no part of the project. They stand in a folder beside the checkout, and these tests
skip where it is absent.
"""

from __future__ import annotations

import calendar
import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from feeds.dates import parse_date
from feeds.errors import ParseError
from feeds.html import clean_text, sanitize, to_text
from feeds.model import Category, Enclosure, Entry, Feed, Link, Origin, Person, Text
from feeds.read import charsets, parse, sniff, universal
from feeds.urls import absolute

CORPORA = Path(__file__).parents[2] / ".." / "shared" / "corpora"
WELLFORMED = CORPORA / "suites" / "feedparser" / "wellformed"
ADDRESS = "http://127.0.0.1:8097/"

#: Expectations that concern what we keep and that we meet otherwise on purpose: file -> why.
DIFFERENCES: dict[str, str] = {
    name: why
    for why, names in {
        "octet-stream is no text, whatever it decodes to": """
            atom10/entry_content_base64.xml atom10/entry_content_base64_2.xml
            atom10/entry_summary_base64.xml atom10/entry_summary_base64_2.xml""",
        "an id is kept as written, so that a feed may move": """
            base/http_entry_id_base_content_location.xml base/http_entry_id_base_docuri.xml
            base/http_feed_id_base_content_location.xml base/http_feed_id_base_docuri.xml""",
        "a text without a language has its entry's": """
            lang/entry_content_xml_lang_blank.xml lang/entry_content_xml_lang_blank_2.xml
            lang/entry_summary_xml_lang_blank.xml""",
        "enclosures stand apart from links, so links are counted otherwise": """
            psc/atomsimplechapterexternal.xml rss/item_enclosure_url.xml""",
        "browsers show nothing of what stands in an iframe": """
            sanitize/entry_content_iframe.xml sanitize/entry_summary_iframe.xml sanitize/feed_subtitle_iframe.xml
            sanitize/item_content_encoded_iframe.xml sanitize/item_description_iframe.xml
            sanitize/item_fullitem_iframe.xml""",
        "broken comments, doctypes and CDATA in HTML end where browsers end them": """
            rss/item_description_not_a_doctype.xml sanitize/acceptable_element_br.xml
            sanitize/entry_content_crazy.xml sanitize/entry_summary_crazy.xml sanitize/entry_title_crazy.xml
            sanitize/feed_copyright_crazy.xml sanitize/feed_subtitle_crazy.xml sanitize/feed_tagline_crazy.xml
            sanitize/feed_title_crazy.xml sanitize/item_content_encoded_crazy.xml
            sanitize/item_content_encoded_script_nested_cdata.xml sanitize/item_description_crazy.xml
            sanitize/item_fullitem_crazy.xml sanitize/xml_declaration_unexpected_character.xml
            sanitize/xml_malicious_comment.xml""",
    }.items()
    for name in names.split()
}

pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the folder ../shared/corpora is absent")


class NotKept(Exception):
    """An expectation asks for something that our values do not hold."""


class View(dict[str, Any]):
    """One of our values as the mapping that feedparser's expectations read."""

    aliases: ClassVar = {
        "guid": "id", "date": "updated", "modified": "updated", "issued": "published",
        "description": "summary", "description_detail": "summary_detail", "copyright": "rights",
        "copyright_detail": "rights_detail", "tagline": "subtitle", "tagline_detail": "subtitle_detail",
        "date_parsed": "updated_parsed", "modified_parsed": "updated_parsed",
        "issued_parsed": "published_parsed", "url": "href",
    }  # fmt: skip

    def __getitem__(self, key: str) -> Any:
        key = self.aliases.get(key, key)
        if key not in self:
            raise NotKept(key)
        return super().__getitem__(key)

    def __getattr__(self, key: str) -> Any:
        return self[key]

    def get(self, key: str, default: Any = None) -> Any:
        return self[key]

    def has_key(self, key: str) -> bool:
        return bool(self[key])


class Part(View):
    """A link, a person or a category: here a missing key is one that we lost."""

    known: ClassVar = {
        "name",
        "email",
        "href",
        "rel",
        "type",
        "title",
        "hreflang",
        "length",
        "term",
        "scheme",
        "label",
    }

    def __getitem__(self, key: str) -> Any:
        if self.aliases.get(key, key) in self.known - self.keys():
            return None
        return super().__getitem__(key)


class Plain(str):
    """A text that we keep as plain: equal to marked-up text that says the same."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        says = str(other)
        return str(self) in (clean_text(to_text(says)), clean_text(says))


class Html(str):
    """HTML that our own allow-list made: equal to what it makes of the expected HTML."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        wanted = str(other)
        if wanted and not self and not sanitize(wanted):
            raise NotKept("of markup that our allow-list does not know")
        return str(self) in (wanted, sanitize(wanted))


class Address(str):
    """An address in the spelling that we publish: equal to others of the same address."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return str(self) == absolute(str(other))


class Moment(str):
    """A time as a feed wrote it: equal to every way of writing it."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return parse_date(str(self)) == parse_date(str(other))


def seen(feed: Feed) -> dict[str, Any]:
    """What an expectation may name."""
    return {
        "bozo": any(problem.startswith("The XML is broken") for problem in feed.problems),
        "version": feed.version,
        "feed": of_feed(feed),
        "entries": [of_entry(entry) for entry in feed.entries],
        "len": len,
    }


def of_feed(feed: Feed) -> View:
    return View(
        id=feed.id or "",
        title=Plain(feed.title),
        title_detail=View(value=Plain(feed.title)),
        subtitle=Plain(feed.subtitle or ""),
        subtitle_detail=View(value=Plain(feed.subtitle or "")),
        # A feed has no summary; its description is its subtitle.
        summary=Plain(feed.subtitle or ""),
        summary_detail=View(value=Plain(feed.subtitle or "")),
        rights=Plain(feed.rights or ""),
        rights_detail=View(value=Plain(feed.rights or "")),
        link=feed.url and Address(feed.url),
        links=[of_link(link) for link in feed.links],
        language=feed.language,
        generator=feed.generator,
        generator_detail=View(name=feed.generator),
        icon=feed.icon,
        logo=feed.logo,
        image=View(href=Address(feed.logo or "")),
        ttl=str(int(feed.ttl.total_seconds() // 60)) if feed.ttl else None,
        tags=[of_category(category) for category in feed.categories],
        category=feed.categories[0].term if feed.categories else None,
        **of_people(feed.authors),
        **of_moment("updated", feed.updated),
    )


def of_entry(entry: Entry) -> View:
    return View(
        id=entry.id or "",
        title=Plain(entry.title),
        title_detail=View(value=Plain(entry.title)),
        summary=of_text(entry.summary or entry.content)["value"],
        summary_detail=of_text(entry.summary, entry.language),
        content=[of_text(entry.content, entry.language)],
        rights=Plain(entry.rights or ""),
        rights_detail=View(value=Plain(entry.rights or "")),
        link=entry.url and Address(entry.url),
        links=[of_link(link) for link in entry.links]
        + [of_enclosure(one, rel="enclosure") for one in entry.enclosures],
        enclosures=[of_enclosure(one) for one in entry.enclosures],
        media_thumbnail=[View(href=one.url) for one in entry.enclosures if one.is_thumbnail],
        language=entry.language,
        contributors=[of_person(person) for person in entry.contributors],
        source=of_origin(entry.origin or Origin()),
        tags=[of_category(category) for category in entry.categories],
        category=entry.categories[0].term if entry.categories else None,
        **of_people(entry.authors),
        **of_moment("updated", entry.updated),
        **of_moment("published", entry.published),
    )


def of_text(text: Text | None, language: str | None = None) -> View:
    if text is None:
        return View(value=Html(""))
    value = Html(text.value) if text.type == "html" else Plain(text.value)
    return View(value=value, language=text.language or language)


def of_origin(origin: Origin) -> View:
    return View(
        id=origin.id,
        title=Plain(origin.title),
        title_detail=View(value=Plain(origin.title)),
        rights=Plain(origin.rights or ""),
        rights_detail=View(value=Plain(origin.rights or "")),
        href=next((link.href for link in origin.links if link.rel == "self"), None),
        link=next((link.href for link in origin.links if link.rel == "alternate"), None),
        links=[of_link(link) for link in origin.links],
        icon=origin.icon,
        **of_people(origin.authors),
        **of_moment("updated", origin.updated),
    )


def of_people(people: tuple[Person, ...]) -> dict[str, Any]:
    found = [of_person(person) for person in people]
    last = found[-1] if found else Part()
    name, email = dict.get(last, "name"), dict.get(last, "email")
    return {
        "authors": found,
        "author_detail": last,
        "author": f"{name} ({email})" if name and email else name or email,
    }


def of_person(person: Person) -> View:
    parts = {"name": person.name, "email": person.email, "href": person.url}
    if person.name in (person.email, person.url):
        del parts["name"]
    return Part({key: value for key, value in parts.items() if value})


def of_link(link: Link) -> View:
    usual = "application/atom+xml" if link.rel == "self" else "text/html"
    parts = {"rel": link.rel, "type": link.type or usual, "href": Address(link.href), "title": link.title}
    parts |= {"hreflang": link.hreflang, "length": None if link.length is None else str(link.length)}
    return Part({key: value for key, value in parts.items() if value is not None})


def of_enclosure(one: Enclosure, **more: str) -> View:
    parts = {
        "href": Address(one.url),
        "type": one.type,
        "length": None if one.length is None else str(one.length),
    }
    return View(
        {key: value for key, value in (parts | {"title": one.title} | more).items() if value is not None}
    )


def of_category(category: Category) -> View:
    return Part(term=category.term, scheme=category.scheme, label=category.label)


def of_moment(key: str, moment: datetime | None) -> dict[str, Any]:
    if moment is None:
        return {key: "", f"{key}_parsed": None}
    parsed = time.gmtime(calendar.timegm(moment.astimezone(UTC).timetuple()))
    return {key: Moment(moment.isoformat()), f"{key}_parsed": tuple(parsed)}


def expectations() -> Iterator[tuple[str, bytes, str, dict[str, str]]]:
    """Name, bytes, expression and headers of each file."""
    for path in sorted(WELLFORMED.rglob("*.xml")):
        body = path.read_bytes()
        head = body.decode("utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
        expected = re.search(r"Expect:\s*(.*)", head)
        assert expected is not None, path
        headers = {key.lower(): value.strip() for key, value in re.findall(r"Header:\s*([\w-]+):(.*)", head)}
        yield path.relative_to(WELLFORMED).as_posix(), body, expected[1].strip(), headers


def base_of(name: str, body: bytes, headers: dict[str, str]) -> str | None:
    place = f"{ADDRESS}tests/wellformed/{name}"
    if "content-location" in headers:
        return absolute(headers["content-location"], place) or place
    return place if ADDRESS.encode() in body else None


def verdict(name: str, body: bytes, expected: str, headers: dict[str, str]) -> str:
    """ "holds", "fails", or why the expectation concerns nothing that we keep."""
    if "content-language" in headers:
        return "apart: languages of HTTP headers are not handed to the parser"
    try:
        feed = parse(body, content_type=headers.get("content-type"), base_url=base_of(name, body, headers))
        names = seen(feed)
        return "holds" if eval(expected, {"__builtins__": {}}, names) else "fails"  # noqa: S307
    except NotKept as error:
        return f"apart: field {error}"
    except NameError as error:
        return f"apart: {error.name}"
    except (IndexError, ParseError):
        return "fails"


@pytest.mark.skipif(not WELLFORMED.is_dir(), reason="the folder ../shared/corpora is absent")
def test_what_feedparser_expects_of_its_own_corpus_holds_through_our_values() -> None:
    verdicts = {case[0]: verdict(*case) for case in expectations()}
    counted = Counter(found.partition(":")[0] for found in verdicts.values())
    failing = {name for name, found in verdicts.items() if found == "fails"}
    strict = counted["holds"] / (counted["holds"] + len(failing))
    share = counted["holds"] / (counted["holds"] + len(failing - DIFFERENCES.keys()))
    print(f"{dict(counted)}: {strict:.4f} hold, {share:.4f} of those without a wanted difference")  # noqa: T201
    assert counted["holds"] > 1300
    assert not DIFFERENCES.keys() - failing, "these hold by now"
    assert strict >= 0.97
    assert share >= 0.98, sorted(failing - DIFFERENCES.keys())


def test_every_feed_of_the_corpora_is_read_or_refused_quickly() -> None:
    read: Counter[str] = Counter()
    for path in sorted(CORPORA.rglob("*")):
        if path.is_file():
            body, began = path.read_bytes(), time.process_time()
            try:
                parse(body, base_url="https://example.org/feed")
                read["feed"] += 1
            except ParseError:
                read["refused"] += 1
            assert time.process_time() - began < 5, path
    assert read["feed"] > 3800
    assert read["refused"] < 80


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the folder ../shared/corpora is absent")
@pytest.mark.parametrize("base_url", ["https://example.org/feed?x=1", None])
def test_the_fast_path_reads_the_corpora_as_feedparser_does(base_url: str | None) -> None:
    taken = entries = 0
    for path in sorted(CORPORA.rglob("*")):
        if not path.is_file():
            continue
        text, problems = charsets.decode(path.read_bytes())
        if sniff.kind(text) is not sniff.Kind.XML or not universal.is_taken(text, base_url=base_url):
            continue
        fast = universal.read(text, base_url=base_url, problems=problems)
        whole = universal.read_by_feedparser(text, base_url=base_url, problems=problems)
        assert (fast, fast.version, fast.problems) == (whole, whole.version, whole.problems), path
        taken, entries = taken + 1, entries + len(fast.entries)
    assert taken > 2_500
    assert entries > 5_000
