"""Lists of feeds as every reader of feeds takes and gives them: OPML 2.0 (opml.org/spec2.opml)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from html.entities import html5

from lxml import etree

from feeds.dates import parse_date, rfc822
from feeds.errors import ParseError
from feeds.html import clean_text

_FEED_TYPES = ("rss", "atom", "feed", "rdf", "json")
# An ampersand that begins none of the references that XML knows without a DTD.
_LOOSE_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#\d+|#[xX][0-9a-fA-F]+);)(?:(\w+;))?")


@dataclass(frozen=True, slots=True)
class Subscription:
    """One feed of a list."""

    #: Address of the feed, as it was written.
    url: str
    #: Plain text, one line; "" where the list gives none.
    title: str = ""
    #: Address of the page that the feed belongs to.
    site_url: str | None = None
    #: As it was written, BCP 47 as a rule.
    language: str | None = None
    #: Names of the folders that it lies in, the outermost first; one without a name counts for nothing.
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SubscriptionList:
    """A list of feeds."""

    #: Plain text, one line.
    title: str = ""
    created: datetime | None = None
    #: In the order of the list, each as often as it stands there under another folder.
    subscriptions: tuple[Subscription, ...] = ()


def read_opml(body: bytes) -> SubscriptionList:
    """The feeds of an OPML document, whatever program wrote it.

    Broken XML is read as far as it goes; names of attributes count in any case; where feeds lie
    in no folder, the first path of their `category` stands for one. No entity of the document is
    expanded and nothing is loaded.

    Raises:
        ParseError: this is no OPML.
    """
    root = _root(body)
    head = {_name(element): element.text or "" for element in root.iter(etree.Element) if element.text}
    found = _subscriptions(root, ())
    return SubscriptionList(
        title=clean_text(head.get("title", "")),
        created=parse_date(head.get("datecreated")),
        subscriptions=tuple(dict.fromkeys(found)),
    )


def _root(body: bytes) -> etree._Element:
    # Blank lines before the XML declaration are what a copy by hand leaves.
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root: etree._Element | None = etree.fromstring(
            _LOOSE_AMPERSAND.sub(_reference, body.lstrip()), parser
        )
    except etree.XMLSyntaxError as error:
        raise ParseError("This is no list of feeds: it cannot be read as XML.") from error
    if root is None:
        raise ParseError("This is no list of feeds: it cannot be read as XML.")
    if _name(root) != "opml":
        raise ParseError(f"This is no list of feeds: it is a document of type “{_name(root)}”, not “opml”.")
    return root


def _reference(ampersand: re.Match[bytes]) -> bytes:
    """A reference that XML understands: `&eacute;` by number, `?a=1&b=2` as it was meant.

    Entities that the document declares itself come to nothing this way, and so do attacks with them.
    """
    name = (ampersand[1] or b"").decode("ascii", "replace")
    if name not in html5:
        return b"&amp;" + (ampersand[1] or b"")
    return "".join(f"&#{ord(character)};" for character in html5[name]).encode()


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname.lower()


def _subscriptions(parent: etree._Element, folders: tuple[str, ...]) -> Iterator[Subscription]:
    for element in parent.iterchildren(etree.Element):
        if _name(element) != "outline":
            yield from _subscriptions(element, folders)
            continue
        given = {name.lower(): clean_text(value) for name, value in _attributes(element)}
        name = given.get("title") or given.get("text") or ""
        url = _feed_url(given)
        if url:
            place = folders or _first_category(given.get("category", ""))
            site, language = given.get("htmlurl") or None, given.get("language") or None
            yield Subscription(url, name, site, language, place)
        # Some programs hang feeds below a feed; those lie in the folder of the upper one.
        inner = (*folders, name) if name and not url else folders
        yield from _subscriptions(element, inner)


def _attributes(element: etree._Element) -> Iterator[tuple[str, str]]:
    for name, value in element.attrib.items():
        yield str(name), str(value)


def _feed_url(given: dict[str, str]) -> str:
    if "xmlurl" in given:
        return given["xmlurl"]
    return given.get("url", "") if given.get("type", "").lower() in _FEED_TYPES else ""


def _first_category(written: str) -> tuple[str, ...]:
    """The first of "/Sport/Football,/Europe" as a path."""
    return tuple(part.strip() for part in written.split(",")[0].split("/") if part.strip())


def write_opml(subscriptions: Iterable[Subscription], *, title: str, created: datetime | None) -> bytes:
    """The same list as OPML 2.0, in UTF-8.

    A folder stands where its first feed stands and holds all of its feeds in their order. No
    `docs` element: validators know only `head` elements of the specification, which has none.

    Raises:
        ValueError: `created` has no time zone.
    """
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = clean_text(title)
    if created is not None:
        etree.SubElement(head, "dateCreated").text = rfc822(created)
    folders: dict[tuple[str, ...], etree._Element] = {(): etree.SubElement(root, "body")}
    for subscription in subscriptions:
        path = tuple(filter(None, map(clean_text, subscription.folders)))
        etree.SubElement(_folder(folders, path), "outline", _outline(subscription))
    return etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)


def _folder(folders: dict[tuple[str, ...], etree._Element], path: tuple[str, ...]) -> etree._Element:
    if path not in folders:
        folders[path] = etree.SubElement(_folder(folders, path[:-1]), "outline", {"text": path[-1]})
    return folders[path]


def _outline(subscription: Subscription) -> dict[str, str]:
    title = clean_text(subscription.title)
    attributes = {
        "type": "rss",
        # The specification wants a text in every outline; a title of its own says that there is one.
        "text": title or clean_text(subscription.url),
        "title": title,
        "xmlUrl": clean_text(subscription.url),
        "htmlUrl": clean_text(subscription.site_url or ""),
        "language": clean_text(subscription.language or ""),
    }
    return {name: value for name, value in attributes.items() if value}
