"""XHTML in an element, written out as feedparser does it."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from feeds.read.parser import ELEMENTS
from feeds.read.trees import Names, NotPlain, attributes_of, local_name

_FOREIGN = frozenset({"math", "svg"})
#: Elements within elements.
_DEPTH = 100


def markup_of(element: Element, names: Names, *, unwrap: bool) -> str:
    """What stands in an element, as text; without the `div` around all of it if there is one."""
    pieces = list(_inner(element, names, 0))
    if unwrap:
        while len(pieces) > 1 and not pieces[-1].strip():
            del pieces[-1]
        while len(pieces) > 1 and not pieces[0].strip():
            del pieces[0]
        if pieces and _is_one_div(pieces):
            pieces = pieces[1:-1]
    return "".join(pieces)


def _inner(element: Element, names: Names, depth: int) -> Iterator[str]:
    if depth > _DEPTH:
        raise NotPlain
    if element.text:
        yield escape(element.text)
    for child in element:
        tag = local_name(child)
        if tag in _FOREIGN or names[child.tag] in ELEMENTS:
            raise NotPlain
        attributes = "".join(
            f' {name}="{escape(value, _QUOTES)}"' for name, value in attributes_of(child).items()
        )
        yield f"<{tag}{attributes}>"
        yield from _inner(child, names, depth + 1)
        yield f"</{tag}>"
        if child.tail:
            yield escape(child.tail)


_QUOTES = {'"': "&quot;"}


def _is_one_div(pieces: list[str]) -> bool:
    """Whether the first `div` begins and ends all of it."""
    if not (pieces[0] == "<div>" or pieces[0].startswith("<div ")) or pieces[-1] != "</div>":
        return False
    depth = 0
    for piece in pieces[:-1]:
        if piece.startswith("</"):
            depth -= 1
            if depth == 0:
                return False
        elif piece.startswith("<"):
            depth += 1
    return True
