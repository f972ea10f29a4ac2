"""Whether a story belongs to a topic, and why.

A topic is written in the search language (`language.query`): at least one of `any`, at least one
of every group of `all`, nothing of `none`, in its languages and from its sources. A verdict gives
a reason for each of these, met or not, with the story's own words.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

from aggregator.errors import BadInput
from aggregator.language.query import And, Not, Or, Query, QueryError, Term, find, matches, parse_query
from aggregator.language.text import Span, fold, spans, words

#: Counted up when the same topic would decide otherwise, so that stored verdicts are renewed.
RULES_VERSION = 1
#: Terms named in "nothing of …" before the rest is only counted.
_NAMED_TERMS = 4
#: By so many characters a prefix is looked up; a longer one is then compared in full.
_LONGEST_BEGINNING = 8
#: Stories kept in mind between topics: one is asked about by every topic in turn.
_READ_STORIES = 64

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

Place = Literal["title", "summary"]


class TopicError(BadInput):
    """A topic cannot be used as it is written; the message names the part and says why."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What an editor follows. Every string in `any`, `all` and `none` is a query expression."""

    #: Lower-case letters, digits and hyphens.
    slug: str
    #: As an editor reads it.
    title: str
    #: At least one of these; empty asks for nothing.
    any: tuple[str, ...] = ()
    #: Of each group at least one.
    all: tuple[tuple[str, ...], ...] = ()
    #: None of these.
    none: tuple[str, ...] = ()
    #: ISO 639-1; empty takes every language, and stories of unknown language.
    languages: frozenset[str] = frozenset()
    #: Feed URLs, hosts or names of sources; empty takes all.
    sources: frozenset[str] = frozenset()
    #: For editors: what the topic is meant to take.
    description: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What of a story a topic looks at."""

    title: str
    #: Plain text.
    summary: str
    #: ISO 639-1, or None where it is not known.
    language: str | None
    #: The feed's URL.
    source_url: str
    source_name: str


@dataclass(frozen=True, slots=True)
class Reason:
    """How one part of a topic met a story."""

    #: any, all[0], all[1] …, none, languages or sources.
    part: str
    #: True where it speaks for the story.
    is_met: bool
    #: As an editor reads it.
    sentence: str
    #: The expression that was found, verbatim from the topic.
    expression: str | None = None
    #: The story's own words, verbatim, and where they stand.
    found: str | None = None
    place: Place | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a story is in a topic, with a reason for each part of the topic."""

    is_in: bool
    reasons: tuple[Reason, ...]

    @property
    def why(self) -> str:
        """The reasons that decided, as sentences: all of them for a yes, those against for a no."""
        return " ".join(reason.sentence for reason in self.reasons if reason.is_met is self.is_in)


@dataclass(frozen=True, slots=True)
class _Group:
    """The queries of one part, found by a word that each of them needs."""

    name: str
    expressions: tuple[str, ...]
    queries: tuple[Query, ...]
    #: Which queries a word, or the beginning of one, makes possible.
    by_word: dict[str, tuple[int, ...]]
    by_beginning: dict[str, tuple[int, ...]]
    #: The keys of both as sets, which are compared with a story's faster than a mapping's.
    needed_words: frozenset[str]
    needed_beginnings: frozenset[str]
    #: What is said of the many stories that hold none of it.
    nothing: Reason


@dataclass(frozen=True, slots=True)
class CompiledTopic:
    """A topic made ready to decide on many stories."""

    topic: Topic
    _groups: tuple[_Group, ...] = field(repr=False)
    _sources: frozenset[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Read:
    """A story's words, in the forms that deciding needs."""

    #: Title, a gap that no phrase crosses, summary.
    words: tuple[str, ...]
    known: frozenset[str]
    #: Every beginning of every word, up to `_LONGEST_BEGINNING`.
    beginnings: frozenset[str]


def compile_topic(topic: Topic) -> CompiledTopic:
    """The topic made ready for `decide`.

    Raises:
        TopicError: the slug is no slug, the topic looks for nothing, or an expression cannot be
            read; the message names the part.
    """
    if not _SLUG.fullmatch(topic.slug):
        raise TopicError(f'Topic "{topic.slug}": write its name in small letters, digits and hyphens.')
    if not topic.any and not topic.all:
        raise TopicError(f"Topic {topic.slug} looks for nothing: give it terms under any or all.")
    parts = [("any", topic.any)] if topic.any else []
    for number, expressions in enumerate(topic.all):
        if not expressions:
            raise TopicError(f"Topic {topic.slug}, all[{number}] is empty: give it terms, or take it out.")
        parts.append((f"all[{number}]", expressions))
    if topic.none:
        parts.append(("none", topic.none))
    groups = tuple(_group(topic.slug, name, expressions) for name, expressions in parts)
    return CompiledTopic(topic, groups, frozenset(map(fold, topic.sources)))


def decide(topic: CompiledTopic, subject: Subject) -> Verdict:
    """Whether a story belongs to a topic, with every reason for and against.

    A story's words are read once and kept for the next topics, so go story by story.
    """
    read = _read(subject)
    reasons: list[Reason] = []
    if topic.topic.languages:
        reasons.append(_by_language(topic.topic.languages, subject))
    if topic.topic.sources:
        reasons.append(_by_source(topic, subject))
    reasons.extend(_by_words(group, read, subject) for group in topic._groups)
    return Verdict(all(reason.is_met for reason in reasons), tuple(reasons))


@dataclass(frozen=True, slots=True)
class Weighed:
    """What `decide` would say, without the reasons, which are the dearest part of it."""

    is_in: bool
    #: It is not in, misses it by one part, and some word speaks for or against it.
    is_near: bool


def weigh(topic: CompiledTopic, subject: Subject) -> Weighed:
    """Whether a story belongs to a topic, or misses it by one part; for many stories at once."""
    read = _read(subject)
    met: list[bool] = []
    if topic.topic.languages:
        met.append(subject.language in topic.topic.languages)
    if topic.topic.sources:
        met.append(not known_as(subject.source_url, subject.source_name).isdisjoint(topic._sources))
    is_found = False
    for group in topic._groups:
        has = any(matches(group.queries[number], read.words) for number in _possible(group, read))
        is_found = is_found or has
        met.append(has is (group.name != "none"))
    missed = met.count(False)
    return Weighed(missed == 0, is_found and missed == 1)


def looks_for(*topics: CompiledTopic) -> Query:
    """What a text must hold one of before it can be in one of these topics, or miss it by one part.

    A text that holds none of it has no word that speaks for it, so it need not be read.
    """
    groups = (group for topic in topics for group in topic._groups if group.name != "none")
    terms = {term: None for group in groups for query in group.queries for term in _needed(query)}
    return Or(tuple(terms))


def known_as(url: str, name: str) -> frozenset[str]:
    """What a source may be called, folded: its feed's address, its host with and without www., its title."""
    host = _host(url)
    return frozenset((fold(url), fold(name), host, host.removeprefix("www.")))


def fingerprint(topic: Topic) -> str:
    """A digest of what decides: stored verdicts hold as long as it stays the same.

    Title and description decide nothing and do not count, nor does the order of languages and
    sources.
    """
    rule = [
        RULES_VERSION, topic.slug, topic.any, topic.all, topic.none,
        sorted(topic.languages), sorted(topic.sources),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(rule, ensure_ascii=False).encode()).hexdigest()


def _group(slug: str, name: str, expressions: tuple[str, ...]) -> _Group:
    queries = tuple(_query(slug, name, expression) for expression in expressions)
    by_word: dict[str, list[int]] = {}
    by_beginning: dict[str, list[int]] = {}
    for number, query in enumerate(queries):
        for term in _needed(query):
            is_beginning = term.is_prefix and len(term.words) == 1
            index, key = (
                (by_beginning, term.words[0][:_LONGEST_BEGINNING])
                if is_beginning
                else (by_word, term.words[0])
            )
            index.setdefault(key, []).append(number)
    sentence = f"{name}: nothing of {_listed(expressions)} in title or summary."
    nothing = Reason(name, name == "none", sentence)
    return _Group(
        name, expressions, queries, _frozen(by_word), _frozen(by_beginning),
        frozenset(by_word), frozenset(by_beginning), nothing,
    )  # fmt: skip


def _frozen(index: dict[str, list[int]]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(numbers) for key, numbers in index.items()}


def _query(slug: str, name: str, expression: str) -> Query:
    try:
        return parse_query(expression)
    except QueryError as error:
        raise TopicError(f"Topic {slug}, {name}, the term {expression!r}: {error}") from error


def _needed(query: Query) -> list[Term]:
    """Terms of which a text must hold one before the query can match at all."""
    if isinstance(query, Term):
        return [query]
    if isinstance(query, And):
        # It always holds a part that is no Not.
        return _needed(next(part for part in query.parts if not isinstance(part, Not)))
    # A Not stands nowhere but in an And, so this is an Or.
    return [term for part in (query.parts if isinstance(query, Or) else ()) for term in _needed(part)]


@lru_cache(maxsize=_READ_STORIES)
def _read(subject: Subject) -> _Read:
    read = (*words(subject.title), "", *words(subject.summary))
    known = frozenset(read)
    beginnings = {word[:end] for word in known for end in range(1, min(len(word), _LONGEST_BEGINNING) + 1)}
    return _Read(read, known, frozenset(beginnings))


def _by_words(group: _Group, read: _Read, subject: Subject) -> Reason:
    found = [number for number in _possible(group, read) if matches(group.queries[number], read.words)]
    return _found(group, found, subject) if found else group.nothing


def _possible(group: _Group, read: _Read) -> Iterable[int]:
    """The queries worth trying, in the topic's order. Most stories end here, at two set operations."""
    numbers: set[int] = set()
    for word in read.known & group.needed_words:
        numbers.update(group.by_word[word])
    for beginning in read.beginnings & group.needed_beginnings:
        numbers.update(group.by_beginning[beginning])
    return sorted(numbers)


def _found(group: _Group, numbers: list[int], subject: Subject) -> Reason:
    """The first query found in the title, since that is what an editor sees; else in the summary."""
    places: tuple[tuple[Place, str], ...] = (("title", subject.title), ("summary", subject.summary))
    number, place, text, span = next(
        (number, place, text, span)
        for place, text in places
        for standing in (spans(text),)
        for number in numbers
        for span in find(group.queries[number], standing)[:1]
    )
    found = text[span.start : span.end]
    sentence = f"{group.name}: “{found}” in the {place}."
    return Reason(group.name, group.name != "none", sentence, group.expressions[number], found, place, span)


def _by_language(languages: frozenset[str], subject: Subject) -> Reason:
    allowed = ", ".join(sorted(languages))
    if subject.language is None:
        return Reason(
            "languages", False, f"languages: the story's is not known, and only {allowed} are taken."
        )
    if subject.language in languages:
        return Reason("languages", True, f"languages: {subject.language} is one of them.")
    return Reason("languages", False, f"languages: {subject.language} is none of {allowed}.")


def _by_source(topic: CompiledTopic, subject: Subject) -> Reason:
    if known_as(subject.source_url, subject.source_name).isdisjoint(topic._sources):
        allowed = _listed(sorted(topic.topic.sources))
        return Reason("sources", False, f"sources: {subject.source_name} is none of {allowed}.")
    return Reason("sources", True, f"sources: {subject.source_name} is one of them.")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # "http://[" is no address, and so from no host.
        return ""


def _listed(terms: Iterable[str]) -> str:
    """The first terms by name and the others by number."""
    named = list(terms)
    rest = len(named) - _NAMED_TERMS
    listed = ", ".join(named[:_NAMED_TERMS])
    return f"{listed} and {rest} more" if rest > 0 else listed
