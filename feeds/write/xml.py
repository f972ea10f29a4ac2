"""Elements that Atom and RSS have in common, and how a stored entry is cut out of its document."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from feeds.model import Link

MEDIA = "http://search.yahoo.com/mrss/"
HISTORY = "http://purl.org/syndication/history/1.0"


def add(parent: etree._Element, name: str, text: str | None, **attributes: str | int | None) -> None:
    """An element with a text and what is known of its attributes; none without a text."""
    if text:
        element = etree.SubElement(parent, name)
        element.text = text
        set_given(element, **attributes)


def set_given(element: etree._Element, **attributes: str | int | None) -> None:
    """Set what is known; a size of nothing or less is not."""
    for name, value in attributes.items():
        if value and not (isinstance(value, int) and value < 0):
            element.set(name, str(value))


def link_element(link: Link, name: str = "link") -> etree._Element:
    """A link as Atom writes it (RFC 4287 section 4.2.7); `name` may say another namespace."""
    element = etree.Element(name, rel=link.rel)
    set_given(element, type=link.type, hreflang=link.hreflang, href=link.href)
    set_given(element, title=link.title, length=link.length)
    return element


def fragment_bytes(element: etree._Element, namespaces: Mapping[str, str]) -> bytes:
    """Serialise an entry without declarations of namespaces, which the head of every document has."""
    shell = etree.Element("shell", nsmap=dict(namespaces))
    shell.append(element)
    written = etree.tostring(shell, encoding="UTF-8")
    return written[written.index(b"<shell") :].partition(b">")[2].removesuffix(b"</shell>")
