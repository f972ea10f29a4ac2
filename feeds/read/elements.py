"""What feedparser makes of each element of a plain feed: one table from its name to a handler.

The handlers say again what feedparser's classes (with those of `parser`) do, for elements that hold what
they should. Where they hold something else, `NotPlain` sends the whole document to feedparser.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from xml.etree.ElementTree import Element

from feedparser.html import _cp1252
from feedparser.mixin import _FeedParserMixin
from feedparser.urls import _urljoin, make_safe_absolute_uri
from feedparser.util import FeedParserDict

from feeds.read.markup import markup_of
from feeds.read.parser import ELEMENTS, Raw
from feeds.read.trees import Names, NotPlain, attributes_of
from feeds.urls import is_settled

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_XHTML = "application/xhtml+xml"
_TYPES = {"text": "text/plain", "plain": "text/plain", "html": "text/html", "xhtml": _XHTML}
_SUPPORTED = _HTML | {"text/plain"}
_C1 = re.compile("[\x80-\x9f]")
_QUERY_TAKEN_FOR_ENTITY = re.compile("&([A-Za-z0-9_]+);")


def _names(written: str) -> frozenset[str]:
    return frozenset(written.split())


# What is read from feedparser's dictionaries; no element without a handler may put something there.
_READ = _names("""
    authors content contributors created generator icon id image language link links logo media_credit
    media_thumbnail published rights rights_detail source subtitle subtitle_detail summary
    summary_detail sy_updatefrequency sy_updateperiod tags title title_detail ttl updated wire_base
    wire_caption wire_language wire_media guidislink
""")


@dataclass(slots=True)
class Scope:
    """Where elements stand: in the feed, in an entry, or in the source of an entry."""

    raw: Raw
    is_entry: bool
    #: What relative addresses are joined to here.
    base: str
    language: str | None
    #: That of the element itself; its children stand one deeper.
    depth: int
    #: The categories that are in `raw`.
    tags: set[tuple[str | None, ...]] = field(default_factory=set)


class Walk:
    """The state that feedparser keeps across elements, and what it fills."""

    def __init__(self, names: Names, base: str, *, is_atom: bool) -> None:
        self.names = names
        self.is_atom = is_atom
        self.feed: Raw = {}
        self.entries: list[Raw] = []
        #: How deep the first title stood; others as deep or deeper do not count.
        self.title_depth = -1
        self.has_content = False
        #: Media groups and contents around the element.
        self.media: list[Raw] = []
        self.start = Scope(self.feed, False, base, None, 0)
        self._bases: dict[str, str] = {}

    def enter(self, element: Element, outer: Scope, raw: Raw, *, is_entry: bool = False) -> tuple[Raw, Scope]:
        """The attributes of an element that holds others, and its scope."""
        attrs, base, language = self.place(element, outer)
        tags = outer.tags if raw is outer.raw else set()
        return attrs, Scope(raw, is_entry, base, language, outer.depth + 1, tags)

    def place(self, element: Element, scope: Scope) -> tuple[Raw, str, str | None]:
        """The attributes of an element, and the base and the language in it."""
        if not element.attrib:
            return {}, self._base(scope.base), scope.language
        attrs = attributes_of(element)
        written = attrs.get("xml:base", attrs.get("base"))
        base = (
            make_safe_absolute_uri(scope.base, written) or scope.base if written else self._base(scope.base)
        )
        language = attrs.get("xml:lang", attrs.get("lang"))
        return attrs, base, scope.language if language is None else language or None

    def _base(self, outer: str) -> str:
        """feedparser joins the base to itself at each element, which may drop an empty fragment."""
        if outer not in self._bases:
            self._bases[outer] = make_safe_absolute_uri(outer, outer) or outer
        return self._bases[outer]

    def children(self, element: Element, scope: Scope, handlers: Handlers) -> None:
        """Hand each child to its handler."""
        names = self.names
        for child in element:
            key = names[child.tag]
            handler = handlers.get(key)
            if handler is None:
                self.pass_over(child, key)
            else:
                handler(self, scope, child)

    def pass_over(self, element: Element, key: str) -> None:
        """Leave out an element that says nothing to feedparser, nor do those in it."""
        if not is_unknown(key) or (
            len(element) and not all(is_unknown(self.names[e.tag]) for e in element.iter())
        ):
            raise NotPlain

    def detail(self, scope: Scope, element: Element, default: str = "text/plain") -> Raw:
        """A text that may be marked up."""
        attrs, base, language = self.place(element, scope)
        written = attrs.get("type", default).lower()
        kind = _TYPES.get(written, written)
        if kind not in _SUPPORTED or attrs.get("mode") == "base64":
            raise NotPlain
        if kind == _XHTML:
            value = markup_of(element, self.names, unwrap=self.is_atom).strip()
        else:
            value = text_of(element)
            if kind == "text/plain" and not self.is_atom and looks_like_html(value):
                kind = "text/html"
        if not value.isascii():
            # What cleans HTML puts control characters of Windows right by itself.
            value = _redecoded(value) if kind in _HTML else mended(value)
        return {
            "type": kind,
            "language": language.replace("_", "-") if language else language,
            "base": base,
            "value": value,
        }


Handler = Callable[[Walk, Scope, Element], None]
Handlers = dict[str, Handler]


def is_unknown(key: str) -> bool:
    """Whether an element of this name neither has a handler nor leaves something where we read."""
    stored = FeedParserDict.keymap.get(key, key)
    return key not in ELEMENTS and (stored[0] if isinstance(stored, list) else stored) not in _READ


def text_of(element: Element) -> str:
    """The text of an element that holds nothing else."""
    if len(element):
        raise NotPlain
    return (element.text or "").strip()


def looks_like_html(text: str) -> bool:
    """Whether feedparser takes a plain text for HTML."""
    return ("</" in text or "&" in text) and _FeedParserMixin.looks_like_html(text)


def mended(text: str) -> str:
    """The text as it was meant, where UTF-8 or Windows-1252 was taken for Latin-1."""
    if text.isascii():
        return text
    text = _redecoded(text)
    return text.translate(_cp1252) if _C1.search(text) else text


def _redecoded(text: str) -> str:
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def joined(base: str, address: str) -> str:
    """An address in an attribute, made absolute as feedparser does it."""
    return address if is_settled(address) else str(_urljoin(base, address))


def place_in(base: str, element: Element) -> str:
    """The address that is the text of an element, made absolute if there is one."""
    text = text_of(element)
    return mended(joined(base, text)) if text else ""


def with_href(attrs: Raw) -> Raw:
    """The attributes with the address under one name."""
    href = attrs.get("url", attrs.get("uri", attrs.get("href")))
    if href:
        attrs.pop("url", None)
        attrs.pop("uri", None)
        attrs["href"] = href
    return attrs


def ignore(_walk: Walk, _scope: Scope, element: Element) -> None:
    """Nothing that we read, as long as nothing else stands in it."""
    if len(element):
        raise NotPlain


def plain(key: str, walk: Walk, scope: Scope, element: Element) -> None:
    """A text of one line: a date, a language, an id."""
    scope.raw[key] = mended(text_of(element))


def setting(key: str, walk: Walk, scope: Scope, element: Element) -> None:
    """A text that feedparser has no method for; with attributes, only those count."""
    attrs, base, _ = walk.place(element, scope)
    text = place_in(base, element) if key in ("icon", "logo") else mended(text_of(element))
    scope.raw[key] = attrs or text


def title(walk: Walk, scope: Scope, element: Element) -> None:
    if _has_title(walk, scope, element):
        walk.title_depth = scope.depth + 1


def _has_title(walk: Walk, scope: Scope, element: Element) -> bool:
    detail = walk.detail(scope, element)
    if not -1 < walk.title_depth <= scope.depth + 1:
        scope.raw["title"], scope.raw["title_detail"] = detail["value"], detail
    return bool(detail["value"])


def media_title(walk: Walk, scope: Scope, element: Element) -> None:
    if walk.media:
        walk.media[-1].setdefault("title", text_of(element))
    else:
        _has_title(walk, scope, element)


def rights(walk: Walk, scope: Scope, element: Element) -> None:
    detail = walk.detail(scope, element)
    scope.raw["rights"], scope.raw["rights_detail"] = detail["value"], detail


def subtitle(walk: Walk, scope: Scope, element: Element) -> None:
    detail = walk.detail(scope, element)
    scope.raw["subtitle"], scope.raw["subtitle_detail"] = detail["value"], detail


def short_text(key: str, default: str, walk: Walk, scope: Scope, element: Element) -> None:
    """A description or a summary; the second one is taken for the body where there is none yet."""
    if "summary" in scope.raw and not walk.has_content:
        body("text/plain", walk, scope, element)
        return
    detail = walk.detail(scope, element, default)
    if scope.is_entry:
        key = "summary"
    scope.raw[key], scope.raw[f"{key}_detail"] = detail["value"], detail


def body(default: str, walk: Walk, scope: Scope, element: Element) -> None:
    walk.has_content = True
    detail = walk.detail(scope, element, default)
    if scope.is_entry:
        scope.raw.setdefault("content", []).append(detail)
    scope.raw.setdefault("summary", detail["value"])


def link(walk: Walk, scope: Scope, element: Element) -> None:
    attrs, base, _ = walk.place(element, scope)
    attrs["wire_type"] = attrs.get("type")
    rel = attrs.setdefault("rel", "alternate")
    attrs.setdefault("type", "application/atom+xml" if rel == "self" else "text/html")
    attrs = with_href(attrs)
    scope.raw.setdefault("links", []).append(attrs)
    text = place_in(base, element)
    if "href" in attrs:
        attrs["href"] = joined(base, attrs["href"])
        if rel == "alternate" and _TYPES.get(attrs["type"], attrs["type"]) in _HTML:
            scope.raw["link"] = attrs["href"]
        return
    if "&" in text:
        text = text.replace("&amp;", "&") if scope.is_entry else text
        text = _QUERY_TAKEN_FOR_ENTITY.sub(r"&\1", text)
    scope.raw["link"] = text
    if text or not scope.is_entry:
        attrs["href"] = text


def guid(walk: Walk, scope: Scope, element: Element) -> None:
    attrs = attributes_of(element)
    value = scope.raw["id"] = mended(text_of(element))
    if attrs.get("ispermalink", "true") == "true":
        scope.raw.setdefault("link", value)


def category(scheme: str | None, walk: Walk, scope: Scope, element: Element) -> None:
    attrs = attributes_of(element)
    given = attrs.get("scheme", scheme) if scheme else attrs.get("scheme", attrs.get("domain"))
    _add_tag(scope, attrs.get("term"), given, attrs.get("label"))
    _name_tag(scope, mended(text_of(element)))


def itunes_category(walk: Walk, scope: Scope, element: Element) -> None:
    attrs = attributes_of(element)
    _add_tag(scope, attrs.get("text"), "http://www.itunes.com/", None)
    text = element.text or ""
    for child in element:
        if walk.names[child.tag] != "itunes_category" or len(child):
            raise NotPlain
        itunes_category(walk, scope, child)
        text += child.tail or ""
    _name_tag(scope, mended(text.strip()))


def keywords(scheme: str | None, walk: Walk, scope: Scope, element: Element) -> None:
    text = text_of(element)
    if not element.attrib:
        for term in mended(text).split(","):
            if term.strip():
                _add_tag(scope, term.strip(), scheme, None)


def _add_tag(scope: Scope, term: str | None, scheme: str | None, label: str | None) -> None:
    tags = scope.raw.setdefault("tags", [])
    tag = (term, scheme, label)
    if (term or scheme or label) and tag not in scope.tags:
        scope.tags.add(tag)
        tags.append({"term": term, "scheme": scheme, "label": label})


def _name_tag(scope: Scope, text: str) -> None:
    """A text is the term of the last category if that has none, else one of its own."""
    tags = scope.raw["tags"]
    if text and tags and not tags[-1]["term"]:
        scope.tags.discard(tuple(tags[-1].values()))
        tags[-1]["term"] = text
        scope.tags.add(tuple(tags[-1].values()))
    elif text:
        _add_tag(scope, text, None, None)


def enclosure(walk: Walk, scope: Scope, element: Element) -> None:
    attrs = attributes_of(element)
    ignore(walk, scope, element)
    scope.raw.setdefault("links", []).append({**with_href(attrs), "rel": "enclosure"})


def license_of(walk: Walk, scope: Scope, element: Element) -> None:
    """A licence of Creative Commons, by its text."""
    value = mended(text_of(element))
    scope.raw.setdefault("links", []).append({"rel": "license", **({"href": value} if value else {})})


def license_named(walk: Walk, scope: Scope, element: Element) -> None:
    """A licence of Creative Commons, by its attribute."""
    attrs = attributes_of(element)
    ignore(walk, scope, element)
    value = attrs.get("rdf:resource")
    scope.raw.setdefault("links", []).append({"rel": "license", **({"href": value} if value else {})})


TEXTS: Handlers = {
    **dict.fromkeys(("title", "dc_title"), title),
    **dict.fromkeys(("rights", "copyright", "dc_rights"), rights),
    **dict.fromkeys(("description", "dc_description"), partial(short_text, "subtitle", "text/html")),
    **dict.fromkeys(("summary", "itunes_summary"), partial(short_text, "summary", "text/plain")),
    "content": partial(body, "text/plain"),
    "content_encoded": partial(body, "text/html"),
    "link": link,
    **dict.fromkeys(("id", "guid"), guid),
    **dict.fromkeys(("published", "issued", "pubdate", "dcterms_issued"), partial(plain, "published")),
    **dict.fromkeys(
        ("updated", "modified", "lastbuilddate", "dc_date", "dcterms_modified"), partial(plain, "updated")
    ),
    **dict.fromkeys(("created", "dcterms_created"), partial(plain, "created")),
    **dict.fromkeys(("language", "dc_language"), partial(plain, "language")),
    "generator": partial(plain, "generator"),
    **dict.fromkeys(("category", "keywords", "dc_subject"), partial(category, None)),
    "media_category": partial(category, "http://search.yahoo.com/mrss/category_schema"),
    "itunes_category": itunes_category,
    "media_keywords": partial(keywords, None),
    "itunes_keywords": partial(keywords, "http://www.itunes.com/"),
    "enclosure": enclosure,
    **dict.fromkeys(("creativecommons_license",), license_of),
    "cc_license": license_named,
}
IGNORED: Handlers = dict.fromkeys(
    _names("""
        cloud dc_publisher dcterms_valid email expirationdate feedburner_browserfriendly georss_box
        georss_line georss_point georss_polygon height homepage info itunes_block itunes_explicit
        media_license media_player media_rating media_restriction name uri url webmaster width
    """),
    ignore,
)
