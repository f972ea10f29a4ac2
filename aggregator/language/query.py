"""The search language, used alike by search, topics and saved views.

    ceasefire talks          both words
    "peace talks"            the words in this order, side by side
    ceasefire OR truce       either
    talks -football          not the second (NOT football says the same)
    (truce OR talks) kyiv    parentheses group; side by side binds tighter than OR
    negotiat*                every word that begins so

Words are compared folded (`text.fold`), so case and accents do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aggregator.errors import BadInput
from aggregator.language.text import Span, Word
from aggregator.language.text import words as words_of

#: Characters of a query, and parentheses within one another: more is a mistake or an attack.
MOST_CHARACTERS = 2_000
DEEPEST = 20


class QueryError(BadInput):
    """A query cannot be read; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or several side by side."""

    #: Folded, never empty.
    words: tuple[str, ...]
    #: True where the last word may go on: negotiat*.
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold. At least one of them is no `Not`."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One part or more holds. None of them is a `Not`."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold. Stands only within an `And`, and holds no `Not` directly."""

    part: Query


Query = Term | And | Or | Not

_QUOTES = '"“”„‟«»'
_TOKEN = re.compile(
    rf"""
      (?P<space>\s+)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<minus>[-−](?=[^\s)]))
    | (?P<phrase>[{_QUOTES}](?P<inside>[^{_QUOTES}]*)[{_QUOTES}](?P<star>\*?))
    | (?P<unclosed>[{_QUOTES}])
    | (?P<operator>(?:OR|AND|NOT)(?=[\s()]|$))
    | (?P<word>[^\s(){_QUOTES}]+)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def parse_query(text: str) -> Query:
    """The query that a text writes.

    Its result can be rendered for either database: a `Not` always stands in an `And` beside
    something to find.

    Raises:
        QueryError: nothing to find, a quotation mark or parenthesis without its twin, an
            operator without its words, or longer than `MOST_CHARACTERS`.
    """
    if len(text) > MOST_CHARACTERS:
        raise QueryError(f"This search has {len(text):,} characters; shorten it to {MOST_CHARACTERS:,}.")
    parser = _Parser(list(_tokens(text)))
    query = parser.either(0)
    if parser.next_is("close"):
        raise QueryError("A ) closes a parenthesis that was never opened: take it out, or write ( before.")
    if query is None:
        raise QueryError("This search holds no word: write at least one.")
    return _require_positive(query)


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if match["phrase"] is not None:
            yield _Token("term", match["inside"] + match["star"])
        elif kind == "unclosed":
            raise QueryError('A quotation mark is opened and never closed: write a second ".')
        elif kind != "space":
            yield _Token("term" if kind == "word" else kind, match[0])


class _Parser:
    """Reads tokens from the left: either of several, each all of several, each perhaps not.

    A rule answers None where it met only signs without letters, which ask for nothing.
    """

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def next_is(self, kind: str, text: str | None = None) -> bool:
        """True where a token of this kind comes next."""
        if self._at == len(self._tokens):
            return False
        token = self._tokens[self._at]
        return token.kind == kind and text in (None, token.text)

    def _take(self, kind: str, text: str | None = None) -> bool:
        if not self.next_is(kind, text):
            return False
        self._at += 1
        return True

    def either(self, depth: int) -> Query | None:
        """a OR b OR c."""
        parts = [self._all(depth)]
        while self._take("operator", "OR"):
            parts.append(self._all(depth))
        if len(parts) == 1:
            return parts[0]
        return Or(_flat(Or, [_require_positive(_require_beside("OR", part)) for part in parts]))

    def _all(self, depth: int) -> Query | None:
        parts: list[Query] = []
        while not self._is_at_end_of_all():
            if self._take("operator", "AND"):
                parts.append(self._beside_and(parts, depth))
            elif (part := self._one(depth)) is not None:
                parts.append(part)
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else And(_flat(And, parts))

    def _is_at_end_of_all(self) -> bool:
        is_last = self._at == len(self._tokens)
        return is_last or self.next_is("close") or self.next_is("operator", "OR")

    def _beside_and(self, before: list[Query], depth: int) -> Query:
        if not before or self._is_at_end_of_all() or self.next_is("operator", "AND"):
            raise QueryError("AND stands between two words: write one on each side, or leave it out.")
        return _require_beside("AND", self._one(depth))

    def _one(self, depth: int) -> Query | None:
        if self._take("minus") or self._take("operator", "NOT"):
            return self._negated(depth)
        if self._take("open"):
            return self._group(depth + 1)
        token = self._tokens[self._at]
        self._at += 1
        return _term(token.text)

    def _negated(self, depth: int) -> Query | None:
        if self._is_at_end_of_all() or self.next_is("operator") or self.next_is("minus"):
            raise QueryError("NOT stands before a word to leave out: write one after it.")
        part = self._one(depth)
        return part if part is None else Not(_require_positive(part))

    def _group(self, depth: int) -> Query | None:
        if depth > DEEPEST:
            raise QueryError(f"Parentheses stand more than {DEEPEST} deep: take some out.")
        query = self.either(depth)
        if not self._take("close"):
            raise QueryError("A parenthesis is opened and never closed: write a ).")
        return query


def _term(text: str) -> Term | None:
    found = words_of(text)
    if found:
        return Term(tuple(found), is_prefix=text.endswith("*"))
    if "*" in text:
        raise QueryError("A * stands after the beginning of a word: write negotiat* for every word from it.")
    return None


def _flat(kind: type[And | Or], parts: Sequence[Query]) -> tuple[Query, ...]:
    """The parts, with those of the same kind opened up: (a b) c is a b c."""
    flat: list[Query] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, And | Or) and isinstance(part, kind) else [part])
    return tuple(flat)


def _require_beside(operator: str, part: Query | None) -> Query:
    if part is None:
        raise QueryError(f"{operator} stands between two words: write one on each side.")
    return part


def _require_positive(query: Query) -> Query:
    """The query itself, sure to say what to find and not only what to leave out."""
    is_negative = isinstance(query, Not) or (
        isinstance(query, And) and all(isinstance(part, Not) for part in query.parts)
    )
    if is_negative:
        raise QueryError("This only says what to leave out: write beside it a word to find.")
    return query


def matches(query: Query, words: Sequence[str]) -> bool:
    """True where a text of these folded words is one that the query asks for."""
    match query:
        case Term():
            return next(_places(query, words), None) is not None
        case And(parts):
            return all(matches(part, words) for part in parts)
        case Or(parts):
            return any(matches(part, words) for part in parts)
        case _:
            return not matches(query.part, words)


def find(query: Query, words: Sequence[Word]) -> list[Span]:
    """Where the terms of a query stand in a text, in order of place, none within another.

    For highlighting: each term counts by itself, whether or not the whole query `matches`;
    what stands under a `Not` is never shown.
    """
    folded = [word.folded for word in words]
    found: list[Span] = []
    for term in positive_terms(query):
        for at in _places(term, folded):
            found.append(Span(words[at].start, words[at + len(term.words) - 1].end))
    return _outermost(found)


def positive_terms(query: Query) -> list[Term]:
    """The terms that a query asks for, in its order, without those that it leaves out."""
    match query:
        case Term():
            return [query]
        case And(parts) | Or(parts):
            return [term for part in parts for term in positive_terms(part)]
        case _:
            return []


def _places(term: Term, words: Sequence[str]) -> Iterator[int]:
    """Where in `words` the term begins."""
    *before, last = term.words
    count = len(before)
    for end in range(count, len(words)):
        word = words[end]
        is_last = word.startswith(last) if term.is_prefix else word == last
        if is_last and list(words[end - count : end]) == before:
            yield end - count


def _outermost(found: list[Span]) -> list[Span]:
    """Without the spans that begin within an earlier one."""
    kept: list[Span] = []
    for span in sorted(found, key=lambda span: (span.start, -span.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept
