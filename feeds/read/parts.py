"""The parts that entries, feeds and origins are made of, from feedparser's dictionaries to values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar

from feeds.html import clean_text, excerpt, sanitize, to_text
from feeds.model import Category, Enclosure, Link, Person, Text
from feeds.read.parser import NOWHERE, Raw
from feeds.urls import absolute

T = TypeVar("T")

_HTML = frozenset({"text/html", "application/xhtml+xml", "html", "xhtml"})
_LANGUAGE = re.compile(r"(?:[A-Za-z]{2,3}|[ix](?=-))(?:-[A-Za-z0-9]{1,8})*")
# It begins where its run of characters does: tried from within as well, a long word would take quadratic time.
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9.!#$%&'*+/=?^_`{|}~-])[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]++@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
)
_SUBJECT = re.compile(r"\?subject=\S*", re.IGNORECASE)
_AROUND_NAME = re.compile(r"^\((.*)\)$|\(\s*\)$")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+(?:\s*;.*)?", re.IGNORECASE)
# A scheme names a vocabulary and is never followed, so it may be more than a web address.
_VOCABULARY = re.compile(r"(?:https?|tag|urn|info):[^\s<>\"{}|\\^`]+", re.IGNORECASE)
# Relations that IANA registered may be written out (RFC 4287 section 4.2.7.2).
_REGISTERED = ("http://www.iana.org/assignments/relation/", "https://www.iana.org/assignments/relation/")
_USUAL = ("alternate", "self", "enclosure", "replies", "edit")
#: Characters of a title, rights or a subtitle, at most.
LINE = 5_000
#: Entries of a feed that are read, at most; the newest stand first.
ENTRIES = 10_000
_NUMBER = re.compile(r"\s*(\d{1,15})\s*(?:px)?\s*", re.IGNORECASE)


def address(url: Any, base: str | None = None) -> str | None:
    """An absolute address; None where it is none or relative to a feed whose place nobody knows."""
    found = absolute(url, base) if isinstance(url, str) else None
    return None if found is None or found.startswith(NOWHERE) else found


def plain(value: Any) -> str:
    """One line of plain text; "" for what is no text."""
    return clean_text(value) if isinstance(value, str) else ""


def line(text: str) -> str:
    """One line as far as anyone reads it; a title of a megabyte is there to do harm."""
    return excerpt(text, LINE)


def lines(value: str) -> str:
    """Plain text whose line breaks mean something."""
    return "\n".join(clean_text(line) for line in value.splitlines()).strip()


def language_of(value: Any) -> str | None:
    """A tag of BCP 47; None for names of languages and other things that feeds say instead."""
    if not isinstance(value, str):
        return None
    tag = value.strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else None


def count_of(value: Any) -> int | None:
    """A size in bytes or pixels; None for none and for what is no whole number."""
    found = None if value is None else _NUMBER.fullmatch(str(value))
    return int(found[1]) if found else None


def media_type_of(value: Any) -> str | None:
    """A media type; None for what is none."""
    found = _MEDIA_TYPE.fullmatch(value.strip()) if isinstance(value, str) else None
    return plain(found[0]) if found else None


def part_of(raw: Raw, key: str) -> Raw:
    """A dictionary in a dictionary; an element that happens to have its name may have left a text there."""
    found = raw.get(key)
    return _as_dict(found) if isinstance(found, dict) else {}


def parts_of(raw: Raw, key: str) -> list[Raw]:
    """Dictionaries in a dictionary, as `part_of`."""
    found = raw.get(key)
    return [_as_dict(one) for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _as_dict(found: Raw) -> Raw:
    """Those of feedparser answer for other keys than they hold."""
    return found if type(found) is dict else dict(found)


def line_of(raw: Raw, key: str) -> str:
    """A title, rights or a subtitle as one line of plain text, whatever markup it came in."""
    detail = part_of(raw, f"{key}_detail")
    # The detail may be that of an element further in, as an image's title.
    value = raw.get(key, detail.get("value"))
    if not isinstance(value, str):
        return ""
    return line(clean_text(to_text(value) if is_html(detail) else value))


def is_html(detail: Raw) -> bool:
    """Whether a text is marked up."""
    return detail.get("type") in _HTML


def text_of(detail: Raw, base: str | None, language: str | None) -> Text | None:
    """A summary or a body; None where nothing remains of it, and for one that is no text at all.

    `base` and `language` are the entry's; the text's own win.
    """
    value, kind = detail.get("value"), detail.get("type") or "text/plain"
    if not isinstance(value, str):
        return None
    if is_html(detail):
        own = somewhere(detail.get("base")) or base
        text = Text(sanitize(value, own), "html", _other_than(language, detail.get("language")))
    elif kind.startswith("text/"):
        text = Text(lines(value), "text", _other_than(language, detail.get("language")))
    else:
        return None
    return text if text.value else None


def somewhere(base: Any) -> str | None:
    """A base to join to; None for that of a feed whose place nobody knows."""
    return base if isinstance(base, str) and base and not base.startswith(NOWHERE) else None


def _other_than(entry: str | None, own: Any) -> str | None:
    tag = language_of(own)
    return tag if tag != entry else None


def _each_once(found: list[T]) -> tuple[T, ...]:
    return tuple(found) if len(found) < 2 else tuple(dict.fromkeys(found))


def people(raw: Iterable[Raw], base: str | None) -> tuple[Person, ...]:
    """Authors or contributors, each once; those without a name go by their address of mail or page."""
    found = (_person(one, base) for one in raw)
    return _each_once([person for person in found if person])


def _person(raw: Raw, base: str | None) -> Person | None:
    if raw.get("wire_text"):
        raw = {**raw, **_name_and_mail(plain(raw["wire_text"]))}
    mail = plain(raw.get("email")).removeprefix("mailto:")
    email = mail if _EMAIL.fullmatch(mail) else None
    url = address(raw.get("href"), base)
    name = clean_text(to_text(plain(raw.get("name")))) or email or url
    return Person(name, email, url) if name else None


def _name_and_mail(written: str) -> Raw:
    """RSS has both in one text: `desk@wire.example (Ada Quay)`, or the other way round."""
    written = written.replace("&lt;", "<").replace("&gt;", ">")
    found = _EMAIL.search(written)
    if found is None:
        return {"name": written}
    rest = _SUBJECT.sub("", written[: found.start()] + " " + written[found.end() :])
    name = rest.replace("mailto:", "").replace("<>", "").replace("< >", "").strip(" ,;<>")
    return {"name": _AROUND_NAME.sub(r"\1", name).strip(), "email": found[0]}


def categories(raw: Iterable[Raw]) -> tuple[Category, ...]:
    """Subjects, each once and in the feed's order."""
    found = (_category(one) for one in raw)
    return _each_once([category for category in found if category])


def _category(raw: Raw) -> Category | None:
    label = plain(raw.get("label")) or None
    term = plain(raw.get("term")) or label
    scheme = plain(raw.get("scheme"))
    return Category(term, scheme if _VOCABULARY.fullmatch(scheme) else None, label) if term else None


def links(raw: Raw, base: str | None, *, with_enclosures: bool = True) -> tuple[Link, ...]:
    """The links of a feed, an entry or an origin; those of an entry without its enclosures, which stand apart.

    Where none is an alternate one, the guid of an RSS item may be (RSS 2.0, isPermaLink).
    """
    found = [link for one in parts_of(raw, "links") if (link := _link(one, base))]
    if not with_enclosures:
        found = [link for link in found if link.rel != "enclosure"]
    page = address(raw.get("link"), base)
    if page and not any(link.rel == "alternate" for link in found):
        found.insert(0, Link(page))
    return _each_once(found)


def _link(raw: Raw, base: str | None) -> Link | None:
    href = address(raw.get("href"), base)
    if href is None:
        return None
    return Link(
        href,
        relation(raw),
        media_type_of(raw.get("wire_type")),
        language_of(raw.get("hreflang")),
        plain(raw.get("title")) or None,
        count_of(raw.get("length")),
    )


def relation(raw: Raw) -> str:
    """What a link is to its entry, in the short form where there is one."""
    rel = raw.get("rel")
    if rel in _USUAL:
        return str(rel)
    rel = plain(rel)
    for prefix in _REGISTERED:
        rel = rel.removeprefix(prefix)
    return rel or "alternate"


def enclosures(raw: Raw, base: str | None) -> tuple[Enclosure, ...]:
    """What hangs on an entry: enclosures first, then Media RSS, previews last; each address once.

    Where both speak of the same file, what the enclosure says wins and Media RSS completes it.
    """
    if "wire_media" not in raw and "media_thumbnail" not in raw and not _has_enclosure(raw):
        return ()
    credit = next((plain(one.get("content")) for one in parts_of(raw, "media_credit")), None)
    found = [_enclosure(one, base) for one in parts_of(raw, "links") if relation(one) == "enclosure"]
    found += [_media(one, base, credit) for one in parts_of(raw, "wire_media")]
    found += [_media(one, base, None, is_thumbnail=True) for one in parts_of(raw, "media_thumbnail")]
    by_url: dict[str, Enclosure] = {}
    for one in found:
        if one is not None:
            by_url[one.url] = _completed(by_url[one.url], one) if one.url in by_url else one
    return tuple(by_url.values())


def _has_enclosure(raw: Raw) -> bool:
    return any(relation(one) == "enclosure" for one in parts_of(raw, "links"))


def _enclosure(raw: Raw, base: str | None) -> Enclosure | None:
    url = address(raw.get("href"), base)
    if url is None:
        return None
    return Enclosure(
        url, media_type_of(raw.get("type")), count_of(raw.get("length")), plain(raw.get("title")) or None
    )


def _media(raw: Raw, base: str | None, credit: str | None, *, is_thumbnail: bool = False) -> Enclosure | None:
    url = address(raw.get("url"), base)
    if url is None:
        return None
    caption = clean_text(to_text(raw.get("title") or raw.get("description") or ""))
    return Enclosure(
        url,
        media_type_of(raw.get("type")),
        count_of(raw.get("filesize")),
        caption or None,
        clean_text(to_text(raw.get("credit") or credit or "")) or None,
        count_of(raw.get("width")),
        count_of(raw.get("height")),
        is_thumbnail,
    )


def _completed(first: Enclosure, other: Enclosure) -> Enclosure:
    return Enclosure(
        first.url,
        first.type or other.type,
        first.length if first.length is not None else other.length,
        first.title or other.title,
        first.credit or other.credit,
        first.width if first.width is not None else other.width,
        first.height if first.height is not None else other.height,
        first.is_thumbnail and other.is_thumbnail,
    )
