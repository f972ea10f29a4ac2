"""The short way through a plain feed, to the same dictionaries that feedparser's classes would fill.

Nearly all feeds are well-formed RSS 2.0, RSS 1.0 or Atom 1.0 of a few dozen elements. For those, tables
in `elements` and `groups` go from the name of an element to what feedparser does with it, and the tree
is walked once. At the first thing that is not in them, or of which feedparser would make something odd,
the walk ends, and feedparser reads the whole document.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from feeds.read import repairs
from feeds.read.elements import Walk
from feeds.read.groups import ROOTS
from feeds.read.parser import Reading
from feeds.read.trees import ATOM, NotPlain, Tree, attributes_of, grow

# feedparser looks for a document type, and removes it, in all that stands before this.
_FIRST_TAG = re.compile(r"<\w", re.ASCII)
_VERSIONS = {"0.91": "rss091u", "0.92": "rss092", "0.93": "rss093", "0.94": "rss094"}


def read(text: str, base: str) -> Reading | None:
    """Read a plain feed, its declaration or first element first; None for what feedparser must read."""
    if not repairs.needs_none(text) or "deleted-entry" in text or _may_have_doctype(text):
        return None
    try:
        tree = grow(repairs.declared_anew(text))
        version = _version(tree)
        walk = Walk(tree.names, base, is_atom=version == "atom10")
        ROOTS[tree.names[tree.root.tag]](walk, walk.start, tree.root)
    except (NotPlain, expat.ExpatError):
        return None
    return Reading(walk.feed, walk.entries, [], version, [])


def _may_have_doctype(text: str) -> bool:
    first = _FIRST_TAG.search(text)
    head = text[: first.start()] if first else text
    return "<!DOCTYPE" in head or "<!ENTITY" in head


def _version(tree: Tree) -> str:
    """What feedparser calls the format.

    Raises:
        NotPlain: it is none of those that are read here.
    """
    kind = tree.names[tree.root.tag]
    if kind == "feed" and tree.version == "atom10" and tree.root.tag.lower().startswith(ATOM + " "):
        return "atom10"
    if kind == "rdf_rdf" and tree.version in ("rss10", "rss090"):
        return tree.version
    if kind == "rss" and not tree.version.startswith("rss"):
        written = str(attributes_of(tree.root).get("version", ""))
        return _VERSIONS.get(written) or ("rss20" if written.startswith("2.") else "rss")
    raise NotPlain
