"""A well-formed document as a tree whose elements and attributes go by feedparser's names.

expat parses here as it does for feedparser, so both judge alike what is well-formed; the tree is built
by the C code of the standard library. Nothing is loaded and no entity expanded: a document with a
document type is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from feedparser.api import StrictFeedParser

_XLINK = "http://www.w3.org/1999/xlink"
#: The namespace of Atom 1.0, in lower case.
ATOM = "http://www.w3.org/2005/atom"
_RSS10 = "http://purl.org/rss/1.0/"
_RSS090 = "http://my.netscape.com/rdf/simple/0.9/"
# The prefix under which feedparser knows a namespace; "" for those of the feed formats themselves.
_KNOWN = {uri.lower(): prefix.lower() for uri, prefix in StrictFeedParser.namespaces.items()}
_PREFIXES = frozenset(_KNOWN.values()) - {""}

#: Characters of text that are handed over at once.
_BUFFER = 1 << 16


class NotPlain(Exception):
    """Something in the document needs feedparser."""


class Names(dict[str, str]):
    """From expat's names of elements to those of feedparser's methods, as `dc_creator` or `title`."""

    def __init__(self, prefixes: dict[str, str]) -> None:
        super().__init__()
        self._prefixes = prefixes

    def __missing__(self, name: str) -> str:
        uri, local = _divided(name)
        prefix = _known(uri)
        if prefix is None:
            prefix = self._prefixes.get(uri, "")
        found = self[name] = (f"{prefix}_{local}" if prefix else local).lower()
        return found


class Tree:
    """A document that was read."""

    def __init__(self, root: Element, declared: list[tuple[str | None, str]]) -> None:
        self.root = root
        self.names = Names(_unknown(declared))
        #: What feedparser takes for the version, going by namespaces alone; "" where they say nothing.
        self.version = next((found for one in declared if (found := _version(*one))), "")


def grow(text: str) -> Tree:
    """The tree of a document.

    Raises:
        NotPlain: it has a document type, or plays with namespaces.
        expat.ExpatError: it is not well-formed.
    """
    declared: list[tuple[str | None, str]] = []
    builder = TreeBuilder()
    parser = expat.ParserCreate("utf-8", " ")
    parser.namespace_prefixes = True
    parser.buffer_text = True
    parser.buffer_size = _BUFFER
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartNamespaceDeclHandler = lambda prefix, uri: declared.append((prefix, uri))
    parser.StartDoctypeDeclHandler = _refuse
    parser.Parse(text, True)
    # Without an address, a declaration takes the default namespace away.
    return Tree(builder.close(), [(prefix, uri) for prefix, uri in declared if uri])


def attributes_of(element: Element) -> dict[str, Any]:
    """Its attributes by the names that feedparser gives them; one in a namespace may go by two."""
    named: dict[str, Any] = {}
    if not element.attrib:
        return named
    plain = True
    for name, value in element.attrib.items():
        if " " in name:
            uri, local = _divided(name)
            prefix, plain = _known(uri), False
            name = f"{prefix}:{local}" if prefix else local
        named[name.lower()] = value
    if not plain:
        # What stands in the document wins: of `other:url` and `url`, the second is `url`.
        for name, value in element.attrib.items():
            _, _, written = name.partition(" ")
            local, _, prefix = written.partition(" ")
            named[(f"{prefix}:{local}" if prefix else local or name).lower()] = value
    for name in ("rel", "type"):
        if name in named:
            named[name] = named[name].lower()
    return named


def local_name(element: Element) -> str:
    """Its name in lower case, wherever it is from."""
    return _divided(element.tag)[1].lower()


def _divided(name: str) -> tuple[str, str]:
    """Namespace and name of what expat calls `namespace name prefix`, the first and the last if there are any."""
    parts = name.split(" ")
    return (parts[0], parts[1]) if len(parts) > 1 else ("", name)


def _known(uri: str) -> str | None:
    lower = uri.lower()
    return "" if "backend.userland.com/rss" in lower else _KNOWN.get(lower)


def _version(prefix: str | None, uri: str) -> str:
    lower = uri.lower()
    if lower == _RSS090:
        return "" if prefix else "rss090"
    return {_RSS10: "rss10", ATOM: "atom10"}.get(lower, "")


def _unknown(declared: Iterable[tuple[str | None, str]]) -> dict[str, str]:
    """The prefix of each namespace that feedparser does not know.

    Raises:
        NotPlain: a prefix means two things, or something else than it always does; a namespace has two
            prefixes. feedparser does not undo declarations, so there the order of elements counts.
    """
    prefixes: dict[str, str] = {}
    defaults = set()
    for prefix, uri in declared:
        if uri == _XLINK or uri.split() != [uri]:
            raise NotPlain
        if prefix is None:
            defaults.add(uri)
        elif prefixes.setdefault(prefix.lower(), uri) != uri:
            raise NotPlain
    unknown: dict[str, str] = {}
    for name, uri in prefixes.items():
        known = _known(uri)
        if known is None:
            if uri in unknown or uri in defaults:
                raise NotPlain
            unknown[uri] = name
        elif known != name and name in _PREFIXES:
            raise NotPlain
    return unknown


def _refuse(*_: object) -> NoReturn:
    raise NotPlain
