"""feedparser, driven so that it gives what a newsroom needs to know.

feedparser reads every dialect that was ever seen. Its own `parse` is not used, for three reasons:
it opens files when bytes look like a path, it joins ids to the address of the feed (so all stories
would come back as new when a site moves), and it takes the captions of pictures for the text of a
story. Its parser classes take care of the rest here: they get clean UTF-8 from memory and a base.
"""

from __future__ import annotations

import io
import xml.sax
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from xml.sax.handler import feature_external_ges, feature_namespaces
from xml.sax.xmlreader import InputSource

from feedparser.api import LooseFeedParser, StrictFeedParser
from feedparser.mixin import _FeedParserMixin
from feedparser.sanitizer import replace_doctype

#: Base of a feed whose address nobody knows. Without any base, feedparser keeps the xml:base of one
#: entry for all that follow; what was joined to this one is told apart and left out.
NOWHERE = "https://nowhere.invalid/"

# What feedparser's code was seen to raise on hostile or broken documents, besides errors of SAX.
_SURPRISES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read, as feedparser's own dictionaries, with keys beginning in `wire_` that are ours."""

    feed: Raw
    entries: list[Raw]
    tombstones: list[Raw]
    version: str
    problems: list[str]


def read(text: str, base: str) -> Reading:
    """Read XML strictly, and where it is broken as far as it goes."""
    # No entity is left in the text (`repairs`), so the parsers get none to expand.
    version, data, _ = replace_doctype(text.encode())
    problems: list[str] = []
    parser: Any = _Strict(base, None, "utf-8")
    try:
        _run_strictly(parser, data)
    except xml.sax.SAXParseException as error:
        where = f"in line {error.getLineNumber()} ({error.getMessage()})"
        problems.append(f"The XML is broken {where}; it was read as far as it goes.")
        parser = _read_loosely(base, data)
    except _SURPRISES:
        problems.append("The XML has names that make no sense; it was read as far as it goes.")
        parser = _read_loosely(base, data)
    if parser.wire_unread:
        names = ", ".join(f"<{name}>" for name in sorted(set(parser.wire_unread)))
        problems.append(f"These elements make no sense and were left out: {names}.")
    return Reading(
        dict(parser.feeddata),
        [dict(entry) for entry in parser.entries],
        parser.wire_tombstones,
        version or parser.version,
        problems,
    )


def _read_loosely(base: str, data: bytes) -> Any:
    parser = _Loose(base, None, "utf-8", {})
    parser.feed(data.decode())
    return parser


def _run_strictly(parser: Any, data: bytes) -> None:
    # Entities that could grow are gone by now, and external ones are not loaded.
    reader = xml.sax.make_parser()  # noqa: S317
    reader.setFeature(feature_namespaces, True)
    reader.setFeature(feature_external_ges, False)
    reader.setContentHandler(parser)
    reader.setErrorHandler(parser)
    source = InputSource()
    source.setByteStream(io.BytesIO(data))
    reader.parse(source)


class _Extras(_FeedParserMixin):  # type: ignore[misc]  # feedparser has no types.
    """What we read differently from feedparser, in both of its parsers.

    Its `_start_…` and `_end_…` methods are called by the names of elements.
    """

    # We clean and join HTML ourselves: nh3 reads it like a browser, and twice as fast.
    sanitize_html = False
    resolve_relative_uris = False
    # An id is compared character by character (RFC 4287 section 4.2.6.1).
    can_be_relative_uri = StrictFeedParser.can_be_relative_uri - {"id"}

    def __init__(self, *args: Any) -> None:
        self.wire_tombstones: list[Raw] = []
        #: Elements at which feedparser failed; one of them does not cost the others.
        self.wire_unread: list[str] = []
        self._grave: _Grave | None = None
        self._scopes: list[Raw] = []
        super().__init__(*args)

    def unknown_starttag(self, tag: str, attrs: list[tuple[str, str]]) -> None:
        name = tag.rpartition(":")[2]
        if self._grave is not None:
            self._grave.open(name)
        elif name == "deleted-entry":
            self._grave = _Grave(dict(attrs))
        else:
            try:
                super().unknown_starttag(tag, attrs)
            except _SURPRISES:
                self.wire_unread.append(name)

    def unknown_endtag(self, tag: str) -> None:
        if self._grave is None:
            try:
                super().unknown_endtag(tag)
            except _SURPRISES:
                self.wire_unread.append(tag.rpartition(":")[2])
                self._leave()
        elif self._grave.close():
            self.wire_tombstones.append(self._grave.found)
            self._grave = None

    def _leave(self) -> None:
        """Go out of an element whose end feedparser could not read, as it does itself after each end."""
        self.depth -= 1
        for stack, name in ((self.basestack, "baseuri"), (self.langstack, "lang")):
            stack[-1:] = []
            setattr(self, name, next(reversed(stack), getattr(self, name)))

    def handle_data(self, text: str, escape: int = 1) -> None:
        if self._grave is None:
            super().handle_data(text, escape)
        else:
            self._grave.say(text)

    def _start_item(self, attrs: Raw) -> None:
        self._scopes.clear()
        super()._start_item(attrs)
        self.entries[-1].update(wire_base=self.baseuri, wire_language=self.lang)

    _start_entry = _start_item

    def _start_source(self, attrs: Raw) -> None:
        super()._start_source(attrs)
        self.sourcedata["wire_language"] = attrs.get("xml:lang")

    def _end_author(self) -> None:
        """Keep what an author's element says as it is; feedparser mixes up two and knows no long domains."""
        written = self.pop("author")
        self.inauthor = 0
        people = self._get_context().get("authors")
        if people and written and not people[-1]:
            people[-1]["wire_text"] = written

    _end_managingeditor = _end_author

    def _sync_author_detail(self, key: str = "author") -> None:
        """Nothing: `parts` takes names and addresses of mail apart."""

    def _start_link(self, attrs: Raw) -> None:
        """Remember whether the feed itself gave the type that feedparser would fill in."""
        attrs["wire_type"] = attrs.get("type")
        super()._start_link(attrs)

    def _start_media_group(self, _attrs: Raw) -> None:
        self._scopes.append({"contents": []})

    def _end_media_group(self) -> None:
        group = self._scopes.pop() if self._scopes else {}
        for media in group.pop("contents", []):
            media.update({key: text for key, text in group.items() if key not in media})
        self._keep_caption(group)

    def _start_media_content(self, attrs: Raw) -> None:
        media = self._with_address(attrs)
        self._get_context().setdefault("wire_media", []).append(media)
        if self._scopes and "contents" in self._scopes[-1]:
            self._scopes[-1]["contents"].append(media)
        self._scopes.append(media)

    def _end_media_content(self) -> None:
        self._keep_caption(self._scopes.pop() if self._scopes else {})

    def _start_media_thumbnail(self, attrs: Raw) -> None:
        super()._start_media_thumbnail(self._with_address(attrs))

    def _start_media_title(self, attrs: Raw) -> None:
        self._start_caption("title", attrs)

    def _end_media_title(self) -> None:
        self._end_caption("title")

    def _start_media_description(self, attrs: Raw) -> None:
        self._start_caption("description", attrs)

    def _end_media_description(self) -> None:
        self._end_caption("description")

    def _start_media_credit(self, attrs: Raw) -> None:
        self._start_caption("credit", attrs)

    def _end_media_credit(self) -> None:
        self._end_caption("credit")

    def _start_caption(self, key: str, attrs: Raw) -> None:
        """A text within a picture is the picture's; outside of one it may be the entry's."""
        if self._scopes or key == "description":
            self.push(f"wire_{key}", 0)
        else:
            getattr(super(), f"_start_media_{key}")(attrs)

    def _end_caption(self, key: str) -> None:
        if self._scopes:
            self._scopes[-1].setdefault(key, self.pop(f"wire_{key}"))
        elif key == "description":
            self._keep_caption({key: self.pop(f"wire_{key}")})
        else:
            getattr(super(), f"_end_media_{key}")()

    def _keep_caption(self, scope: Raw) -> None:
        """The first description of a picture serves entries that have no summary of their own."""
        if scope.get("description"):
            self._get_context().setdefault("wire_caption", scope["description"])

    def _with_address(self, attrs: Raw) -> Raw:
        return {**attrs, "url": self.resolve_uri(attrs["url"])} if attrs.get("url") else dict(attrs)


class _Grave:
    """A tombstone while it is read (RFC 6721 section 3)."""

    def __init__(self, attrs: Raw) -> None:
        self.found: Raw = {"ref": attrs.get("ref"), "when": attrs.get("when")}
        self._path: list[str] = []

    def open(self, name: str) -> None:
        self._path.append(name)

    def close(self) -> bool:
        """Whether the tombstone itself ended, not an element in it."""
        if self._path:
            self._path.pop()
            return False
        return True

    def say(self, text: str) -> None:
        key = "/".join(self._path)
        self.found[key] = self.found.get(key, "") + text


class _Strict(_Extras, StrictFeedParser):  # type: ignore[misc]  # The same.
    """Well-formed XML."""


#: The elements that have a method in feedparser or here, by the names of those.
ELEMENTS = frozenset(
    name.removeprefix(place)
    for name in dir(_Strict)
    for place in ("_start_", "_end_")
    if name.startswith(place)
)


class _Loose(_Extras, LooseFeedParser):  # type: ignore[misc]  # The same.
    """Anything with tags in it."""

    def handle_charref(self, ref: str) -> None:
        """A character by its number; one that no text can hold says nothing."""
        with suppress(ValueError, OverflowError):
            super().handle_charref(ref)
