"""The stories that a brief is held against, made ready: sentences, and where each anchor stands."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from aggregator.language.names import codes, same_given, same_name
from aggregator.language.places import country_of
from aggregator.language.reading import Anchor
from aggregator.language.text import fold
from aggregator.rules.checking.agencies import voice_of
from aggregator.rules.checking.values import Brief, Evidence, Paragraph, Stretch

#: A line end, or a full stop behind a word of two letters and more ("U.S. officials" goes on).
_SENTENCE_END = re.compile(r"(?<=[^\W\d_]{2})[.!?…]+[\s»”\"]+|\n+|(?:(?<=[)%»”\"])|(?<=\d{3}))[.!?]\s+")
_ABBREVIATED = re.compile(r"(?:^|\s)(?:Feb|Jan|Aug|Sept|Oct|Nov|Dec|Mr|Mrs|Ms|Dr|St|Mme|Sr|ds|tys|gen)\.\s$")

#: Kinds of anchor that say what a sentence is about.
TELLING_KINDS = frozenset({"concept", "place", "org", "number"})

#: An anchor in more than this share of the stories, and in more than so many, tells no event.
COMMON = 0.25
FEW = 20


def split(text: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(text.split())


#: Concepts that stand beside anything and tell no event from another.
SAYING_LITTLE = split(
    """
    statement report country president minister prime_minister government official leader exclude ready
    speak_languages hope inform warn ask answer respond know begin end continue birth street first_time
    vice spokes group people city capital_city regional conference year month week day night
    """
)


def sentences(text: str) -> list[Stretch]:
    """The sentences of a text, each with what ends it."""
    cuts = [0]
    for end in _SENTENCE_END.finditer(text):
        if "\n" in end[0] or not _ABBREVIATED.search(text[max(0, end.start() - 6) : end.start()] + ". "):
            cuts.append(end.end())
    return [(a, b) for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True) if b > a]


@lru_cache(maxsize=1 << 12)
def sentence_starts(text: str) -> tuple[int, ...]:
    """Where each sentence begins."""
    return tuple(start for start, _ in sentences(text))


def words_between(text: str, one: Stretch, other: Stretch) -> int:
    """How many words part two spans; 0 where they touch or overlap."""
    (_, end), (start, _) = sorted((one, other))
    return len(text[end:start].split()) if start > end else 0


@dataclass(frozen=True, slots=True)
class Mention:
    """A name where it stands: the family name, and the given names before it."""

    name: str
    start: int
    end: int
    #: Verbatim, in order; empty where it stands alone.
    given: tuple[str, ...] = ()
    #: Where the whole of it begins.
    first: int = 0


#: Initials are shorter than this.
MOST_INITIALS = 4


@lru_cache(maxsize=1 << 12)
def mentions(text: str, anchors: tuple[Anchor, ...]) -> tuple[Mention, ...]:
    """The names of a text by their heads, in order."""
    given: defaultdict[int, dict[int, Anchor]] = defaultdict(dict)
    heads: dict[int, Anchor] = {}
    for anchor in anchors:
        if anchor.kind == "given" and anchor.head is not None:
            given[anchor.head].setdefault(anchor.start, anchor)
        elif anchor.kind == "name":
            heads.setdefault(anchor.start, anchor)
    for start, head in sorted(heads.items()):
        # JD Vance, J. D. Vance: initials are given names.
        behind = heads.get(head.end + 1)
        if behind is not None and head.end - start < MOST_INITIALS and text[start : head.end].isupper():
            given[behind.start][start] = heads.pop(start)
    found = []
    for start, head in sorted(heads.items()):
        before = [part for at, part in sorted(given[start].items()) if at < start]
        names = tuple(text[part.start : part.end] for part in before)
        found.append(
            Mention(text[start : head.end], start, head.end, names, before[0].start if before else start)
        )
    return tuple(found)


class Telling:
    """One story as the checks read it."""

    def __init__(self, number: int, evidence: Evidence) -> None:
        self.number = number
        self.url = evidence.url
        self.text = evidence.text
        self.language = evidence.language
        self.published = evidence.published
        self.anchors = tuple(evidence.anchors)
        self.agency = voice_of(evidence.text, evidence.source)

    def sentence(self, at: int) -> Stretch:
        """The sentence that a place in the text is in."""
        starts = sentence_starts(self.text)
        number = bisect_right(starts, at)
        return starts[number - 1], starts[number] if number < len(starts) else len(self.text)

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """The names in it."""
        return mentions(self.text, self.anchors)

    @cached_property
    def countries(self) -> frozenset[str]:
        """Places and their countries."""
        return frozenset(key for a in self.anchors if a.kind == "place" for key in lands(a.key))

    def within(self, stretch: Stretch, *kinds: str) -> list[Anchor]:
        """Anchors of some kinds that begin in a stretch."""
        return [a for a in self.anchors if a.kind in kinds and stretch[0] <= a.start < stretch[1]]


def lands(key: str) -> tuple[str, ...]:
    """A place, and the country that it is in."""
    country = country_of(key)
    return (key,) if country is None or country == key else (key, country)


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of a brief, with what is read in it."""

    passage: Paragraph
    start: int
    end: int
    language: str

    def anchors(self, *kinds: str) -> list[Anchor]:
        """Its anchors of some kinds; offsets are the passage's."""
        return [a for a in self.passage.anchors if a.kind in kinds and self.start <= a.start < self.end]

    @property
    def mentions(self) -> list[Mention]:
        """The names in it."""
        found = mentions(self.passage.text, tuple(self.passage.anchors))
        return [mention for mention in found if self.start <= mention.start < self.end]


def claims(brief: Brief) -> list[Claim]:
    """The sentences of a brief, in order."""
    return [
        Claim(passage, start, end, brief.language)
        for passage in brief.passages
        for start, end in sentences(passage.text)
    ]


@dataclass(frozen=True, slots=True)
class Aligned:
    """A sentence of a story that tells of the same as one of the brief."""

    telling: Telling
    stretch: Stretch
    #: Share of the weight of the brief's sentence that it holds, 0 to 1.
    cover: float
    #: The keys that both hold.
    shared: frozenset[tuple[str, str]]

    @property
    def entities(self) -> int:
        """Names, places and organisations among them."""
        return sum(kind in ("name", "place", "org") for kind, _ in self.shared)

    @property
    def subjects(self) -> int:
        """Concepts among them that say something."""
        return sum(kind == "concept" for kind, _ in self.shared)


class Wire:
    """The stories at hand, best first, indexed by what stands in them."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self.tellings = [Telling(number, each) for number, each in enumerate(evidence)]
        self._places: defaultdict[tuple[str, str], dict[tuple[int, int], Anchor]] = defaultdict(dict)
        self._spelt: defaultdict[str, dict[tuple[str, str], list[tuple[Telling, Mention]]]] = defaultdict(
            dict
        )
        self._by_given: defaultdict[str, list[tuple[Telling, Mention]]] = defaultdict(list)
        self._written: set[str] = set()
        self._named: dict[tuple[str, str], list[tuple[Telling, Mention]]] = {}
        for telling in self.tellings:
            self._add(telling)

    def _add(self, telling: Telling) -> None:
        for anchor in telling.anchors:
            if anchor.kind in TELLING_KINDS:
                for key in lands(anchor.key) if anchor.kind == "place" else (anchor.key,):
                    self._places[anchor.kind, key][telling.number, anchor.start] = anchor
        for mention in telling.mentions:
            form = (fold(mention.name), telling.language)
            self._written.add(form[0])
            for code in {code for name in mention.given for code in codes(name, telling.language)}:
                self._by_given[code].append((telling, mention))
            for code in codes(mention.name, telling.language):
                self._spelt[code].setdefault(form, []).append((telling, mention))

    def where(self, kind: str, key: str) -> list[tuple[Telling, Anchor]]:
        """Every place where an anchor stands."""
        found = self._places.get((kind, key), {})
        return [(self.tellings[number], anchor) for (number, _), anchor in found.items()]

    def is_rare(self, kind: str, key: str) -> bool:
        """Whether so few stories hold an anchor that it can tell one event from another."""
        holding = {number for number, _ in self._places.get((kind, key), {})}
        return len(holding) <= max(FEW, COMMON * len(self.tellings))

    def named(self, name: str, language: str) -> list[tuple[Telling, Mention]]:
        """Every mention of a family name, in any spelling, best story first."""
        form = (fold(name), language)
        if form not in self._named:
            found: dict[tuple[int, int], tuple[Telling, Mention]] = {}
            for code in codes(name, language):
                for spelling, places in self._spelt.get(code, {}).items():
                    if same_name(form[0], language, *spelling):
                        found.update({(telling.number, m.start): (telling, m) for telling, m in places})
            self._named[form] = [each for _, each in sorted(found.items(), key=lambda item: item[0])]
        return self._named[form]

    def of_person(self, mention: Mention, language: str) -> list[tuple[Telling, Mention]]:
        """Mentions of one person: where both give a given name, it is the same."""
        return [
            (telling, other)
            for telling, other in self.named(mention.name, language)
            if is_one_person(mention, other)
        ]

    def is_written(self, name: str) -> bool:
        """Whether any story writes a name exactly so, case and accents apart."""
        return fold(name) in self._written

    def of_given(self, given: Sequence[str], language: str) -> Iterator[tuple[Telling, Mention]]:
        """Mentions of people with one of these given names, best story first."""
        found = {
            (telling.number, mention.start): (telling, mention)
            for name in given
            for code in codes(name, language)
            for telling, mention in self._by_given.get(code, ())
            if any(same_given(name, other) for other in mention.given)
        }
        return (found[place] for place in sorted(found))

    def aligned(self, claim: Claim) -> list[Aligned]:
        """The sentences that share something with a sentence of the brief, by how much of it."""
        wanted = self._wanted(claim)
        total = sum(weight for _, weight, _ in wanted) or 1.0
        scores: defaultdict[tuple[int, Stretch], float] = defaultdict(float)
        shared: defaultdict[tuple[int, Stretch], set[tuple[str, str]]] = defaultdict(set)
        for key, weight, places in wanted:
            for place in places:
                scores[place] += weight
                shared[place].add(key)
        return [
            Aligned(self.tellings[place[0]], place[1], score / total, frozenset(shared[place]))
            for place, score in scores.items()
        ]

    def _wanted(self, claim: Claim) -> list[tuple[tuple[str, str], float, set[tuple[int, Stretch]]]]:
        keys: dict[tuple[str, str], set[tuple[int, Stretch]]] = {}
        for anchor in claim.anchors("concept", "place", "org"):
            if anchor.key not in SAYING_LITTLE:
                found = self.where(anchor.kind, anchor.key)
                keys[anchor.kind, anchor.key] = {(t.number, t.sentence(a.start)) for t, a in found}
        for mention in claim.mentions:
            known = self.of_person(mention, claim.language)
            if known:
                keys["name", fold(mention.name)] = {(t.number, t.sentence(m.start)) for t, m in known}
        stories = len(self.tellings)
        return [
            (key, math.log(1 + stories / (1 + len({number for number, _ in places}))), places)
            for key, places in keys.items()
        ]


def is_one_person(mention: Mention, other: Mention) -> bool:
    """Whether the given names of two mentions of one family name agree; one without agrees with any."""
    if not mention.given or not other.given:
        return True
    return any(same_given(a, b) for a in mention.given for b in other.given)
