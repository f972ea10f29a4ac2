"""Quotation marks: what they enclose, in every newsroom's typography."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from aggregator.language.text import Span

#: The mark that opens, and those that may close it.
_CLOSERS = {
    "«": "»", "»": "«", "‹": "›", "›": "‹", "“": "”“", "„": "“”\"", "‚": "‘’", '"': '"', "‘": "’", "'": "'",
    "”": "”", "「": "」", "『": "』",
}  # fmt: skip
_OPENER = re.compile("[" + "".join(_CLOSERS) + "]")
#: Marks that are letters' signs as well (apostrophe, inch), so that more is asked of them.
_DOUBTFUL = "'‘‚"
_STRAIGHT = "\"'‘‚”“"
#: Marks that look the same when they open and when they close.
_UNDIRECTED = "\"'”"
#: Quotations read in one text; a paragraph of the wire has five.
MOST_QUOTATIONS = 200
#: Marks within one another; more are no quotation.
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Marked:
    """A quotation by its marks: the outer span includes them."""

    outer: Span
    inner: Span


def marked_in(text: str) -> list[Marked]:
    """The quotations of a text by their marks, in order, none within another."""
    return list(islice(_find(text), MOST_QUOTATIONS))


def _find(text: str) -> Iterator[Marked]:
    at = 0
    while opener := _OPENER.search(text, at):
        start = opener.start()
        end = _closing(text, start) if _may_open(text, start) else None
        at = start + 1
        if end is not None and (inner := _trimmed(text, start + 1, end)) is not None:
            yield Marked(Span(start, end + 1), inner)
            at = end + 1


def _may_open(text: str, at: int) -> bool:
    """Straight and single marks open after a space or a sign, and before a letter."""
    mark = text[at]
    if mark not in _STRAIGHT:
        return True
    after = text[at + 1 : at + 2]
    if text[at - 1 : at].isalnum() or not after or after.isspace():
        return False
    return mark not in _DOUBTFUL or after.isalpha()


def _closing(text: str, start: int) -> int | None:
    """Where the mark opened at `start` is closed, over marks of the same kind within."""
    opener, closers = text[start], _CLOSERS[text[start]]
    limit = text.find("\n\n", start) if opener in _STRAIGHT else -1
    depth = 0
    for at in range(start + 1, len(text) if limit < 0 else limit):
        sign = text[at]
        if sign in closers and _may_close(text, at, opener):
            if depth == 0:
                return at
            depth -= 1
        elif sign == opener:
            # Marks that open and close alike do not nest: the first opened nothing.
            depth += 1
            if depth > _DEEPEST or (opener in _UNDIRECTED and _may_open(text, at)):
                return None
    return None


def _may_close(text: str, at: int, opener: str) -> bool:
    if opener not in _STRAIGHT:
        return True
    return not text[at - 1].isspace() and not text[at + 1 : at + 2].isalnum()


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """The span between the marks without its outer spaces; None where it quotes nothing."""
    inside = text[start:end]
    stripped = inside.strip()
    is_single = text[start - 1] in _DOUBTFUL
    if not any(map(str.isalpha, stripped)) or (is_single and len(stripped.split()) < 2):
        return None
    start += len(inside) - len(inside.lstrip())
    return Span(start, start + len(stripped))


def blanked(text: str, marked: list[Marked]) -> str:
    """The text with its quoted words blanked out, every offset kept."""
    pieces, at = [], 0
    for inner in (each.inner for each in marked):
        # The quotation's own full stop is kept: it may end the sentence around it.
        last = text[inner.end - 1] if text[inner.end - 1] in ".!?…" else " "
        pieces += [text[at : inner.start], " " * (inner.end - inner.start - 1), last]
        at = inner.end
    return "".join([*pieces, text[at:]])
