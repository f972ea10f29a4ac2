"""A text becomes anchors: facts that are the same in every language, each with its verbatim span.

Each anchor has a kind, a key that means the same in any language, and the place where it was
read. What stands inside a longer one of several words is hidden: "États-Unis" holds no "état".
"""

from __future__ import annotations

import gc
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

from aggregator.language.dates import read_dates
from aggregator.language.lexicon import Found, Lexicon, read_table
from aggregator.language.name_runs import NameToken, arabic_tokens, chinese_names, name_tokens
from aggregator.language.names import codes
from aggregator.language.numbers import read_numbers
from aggregator.language.places import places
from aggregator.language.terms import is_common, stem
from aggregator.language.text import Word, spans

#: Amounts below this are in every second text.
SMALL = 10


@dataclass(frozen=True, slots=True)
class Anchor:
    """A language-neutral fact read in a text."""

    #: name, given, place, org, role, date, number, concept or term.
    kind: str
    #: The same for the same thing in any language; a term's is of its language.
    key: str
    #: `text[start:end]` is the span, verbatim.
    start: int
    end: int
    #: What it is worth beside others of its kind, before its rarity; 1 is usual.
    weight: float = 1.0
    #: Where it depends on a name (a given name does): the place where that begins.
    head: int | None = None


def anchors(text: str, language: str, *, dateline: date | None = None) -> list[Anchor]:
    """The anchors of a text, in order.

    `language` is ISO 639-1; a language without tables still gives dates, numbers, places and
    names. `dateline` resolves "Tuesday" and "last week".
    """
    words = spans(text)
    found = _hide(list(_from_tables(words, language)), words)
    dated = [
        Anchor("date", d.key, d.start, d.end)
        for d in read_dates(text, language, dateline=dateline, words=words)
    ]
    within_dates = _Stretches(dated)
    amounts = [
        Anchor("number", a.key, a.start, a.end, 1.0 if a.unit or a.value >= SMALL else 0.5)
        for a in read_numbers(text, language, words=words)
        if not within_dates.holds(a.start)
    ]
    read = [*found, *dated, *amounts]
    named = list(_names(text, words, language, read))
    terms = _terms(words, language, [*read, *named])
    return sorted([*read, *named, *terms], key=lambda a: (a.start, a.end, a.kind, a.key))


def _from_tables(words: Sequence[Word], language: str) -> Iterator[tuple[str, Found, float]]:
    for kind, lexicon in lexicons().items():
        for found in lexicon.find(words, language):
            yield kind, found, 1.0
    for found in places(words, language):
        yield "place", found, 1.0


def _hide(found: Sequence[tuple[str, Found, float]], words: Sequence[Word]) -> list[Anchor]:
    """Those of one word that stand inside one of several words are hidden by it."""
    long = {(f.first, f.last) for _, f, _ in found if f.last > f.first}
    covering: dict[int, list[tuple[int, int]]] = {}
    for first, last in long:
        for place in range(first, last + 1):
            covering.setdefault(place, []).append((first, last))
    return [
        Anchor(kind, f.key, words[f.first].start, words[f.last].end, weight)
        for kind, f, weight in found
        if not any(_inside(f, first, last) for first, last in covering.get(f.first, ()))
    ]


def _inside(found: Found, first: int, last: int) -> bool:
    return first <= found.first and found.last <= last and (found.first, found.last) != (first, last)


class _Stretches:
    """Stretches of a text, looked up by place."""

    def __init__(self, anchors: Iterable[Anchor]) -> None:
        merged: list[list[int]] = []
        for start, end in sorted((a.start, a.end) for a in anchors):
            if merged and start < merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        self._starts = [start for start, _ in merged]
        self._ends = [end for _, end in merged]

    def holds(self, place: int) -> bool:
        """Whether a place of the text lies within one of them."""
        at = bisect_right(self._starts, place) - 1
        return at >= 0 and place < self._ends[at]


def _names(text: str, words: Sequence[Word], language: str, read: Iterable[Anchor]) -> Iterator[Anchor]:
    known = _Stretches(a for a in read if a.kind in ("place", "org", "date"))
    offices = {a.start for a in read if a.kind == "role"}
    tokens = _name_tokens(text, words, language)
    heads = {token.run: words[token.first_word].start for token in tokens if token.is_head}
    for token in tokens:
        start, end = words[token.first_word].start, words[token.last_word].end
        if start in offices or known.holds(start):
            continue
        for code in sorted(codes(token.name, language)):
            if token.is_head:
                yield Anchor("name", code, start, end)
            else:
                yield Anchor("given", code, start, end, 0.25, heads.get(token.run))


def _name_tokens(text: str, words: Sequence[Word], language: str) -> list[NameToken]:
    if language == "ar":
        return arabic_tokens(words)
    if language == "zh":
        return chinese_names(text, words)
    return name_tokens(text, words, language, is_common=lambda folded: _is_vocabulary(folded, language))


@lru_cache(maxsize=20_000)
def _is_vocabulary(folded: str, language: str) -> bool:
    """Whether a word is no name by itself: it says nothing, or a table knows it."""
    return is_common(folded, language) or any(
        lexicons()[kind].is_known(folded, language) for kind in ("concept", "role")
    )


def _terms(words: Sequence[Word], language: str, read: Sequence[Anchor]) -> list[Anchor]:
    starts = [word.start for word in words]
    hidden = _Stretches(a for a in read if a.kind in ("place", "org", "date") and _is_long(a, starts))
    return [
        Anchor("term", f"{language}:{stem(word.folded, language)}", word.start, word.end)
        for word in words
        if len(word.folded) > 1
        and not word.folded.isdigit()
        and not is_common(word.folded, language)
        and not hidden.holds(word.start)
    ]


def _is_long(anchor: Anchor, starts: Sequence[int]) -> bool:
    """Whether it spans more than one word."""
    after = bisect_right(starts, anchor.start)
    return after < len(starts) and starts[after] < anchor.end


@cache
def lexicons() -> dict[str, Lexicon]:
    """The tables, read when the first text is."""
    read = {
        "concept": Lexicon(read_table("concepts")),
        "role": Lexicon(read_table("offices")),
        "org": Lexicon(read_table("organisations")),
    }
    # They stay for good, and so does all that was imported until now. Unfrozen, every full collection
    # would walk through it again, while stories by the thousand are read.
    gc.freeze()
    return read
