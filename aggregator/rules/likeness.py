"""How much two stories say the same: as texts (copies), and as reports of one event.

Within one language the words decide; across languages what is the same in any language does:
names, places, organisations, dates, numbers, offices and concepts. Rare ones count more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from sys import intern

from aggregator.language.agencies import agency_of
from aggregator.language.names import same_name
from aggregator.language.reading import Anchor
from aggregator.language.text import words

Key = tuple[str, str]
#: How rare an anchor is: the logarithm of stories by stories that hold it.
Idf = Callable[[Key], float]

#: Words in a run that copies share.
RUN = 5
#: Words in a run that a rewritten copy still shares.
SHORT_RUN = 2
#: A lead of fewer words is compared together with its title.
LEAD_WORDS = 15

#: What each kind is worth across languages, before its rarity.
WORTH = {"name": 1.0, "org": 0.9, "place": 0.8, "concept": 0.8, "number": 0.7, "date": 0.5, "role": 0.5}
#: What stands in a title is what the story is about.
TITLE = 2.0
#: Kinds that agree as one: who was there.
_KINDS = {"org": "name", "given": "name", "role": "concept"}
#: Kinds whose spans make a word more than a plain one.
_NAMED = ("name", "given", "org", "place")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A story as it is clustered."""

    id: int
    #: ISO 639-1; None where nobody could tell.
    language: str | None
    #: Who published it: the host of its page.
    outlet: str
    #: When it was published, or first seen where that is earlier.
    at: datetime
    #: When it came here: never goes back from one arrival to the next.
    seen: datetime
    title: str
    lead: str
    #: Read in `text`.
    anchors: tuple[Anchor, ...]

    @property
    def text(self) -> str:
        """What the anchors' places count in."""
        return text_of(self.title, self.lead)


def text_of(title: str, lead: str) -> str:
    """A title and a lead as they are read for anchors."""
    return f"{title}\n{lead}"


@dataclass(frozen=True, slots=True)
class Mention:
    """One thing that a story speaks of, with every key it may be found under."""

    kind: str
    keys: tuple[Key, ...]
    #: Verbatim, as it came first.
    span: str
    weight: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A story made ready to be compared."""

    #: Without its anchors, which stand below.
    story: Arrival
    #: The same in any language.
    mentions: tuple[Mention, ...]
    #: Each key of `mentions`, with its mention.
    holding: dict[Key, Mention]
    #: Words of its language, with what they are worth before their rarity.
    terms: dict[Key, float]
    #: The kind that a term agrees by: of a name it is "name"; a plain word's is "term".
    kinds: dict[Key, str]
    spans: dict[Key, str]
    #: The agency it is credited to.
    agency: str | None
    #: Folded words of the title, and of what copies are compared by.
    title_words: tuple[str, ...]
    words: tuple[str, ...]
    #: Numbers and dates of the title: those of a series differ from day to day.
    figures: frozenset[Key]
    #: The terms of the title.
    title_terms: frozenset[Key]
    #: Everything that it may be found by.
    keys: tuple[Key, ...]

    def figures_of(self, kind: str) -> frozenset[Key]:
        """The dates, or the numbers, of the title."""
        return frozenset(key for key in self.figures if key[0] == kind)


def read(story: Arrival) -> Reading:
    """A story, read once for all comparisons."""
    # Each word and each key is kept once, however many stories hold it.
    title, lead = (tuple(map(intern, words(text))) for text in (story.title, story.lead))
    mentions = tuple(_mentions(story))
    named = [(a.start, a.end, _KINDS.get(a.kind, a.kind)) for a in story.anchors if a.kind in _NAMED]
    other = [(a.start, a.end, _KINDS.get(a.kind, a.kind)) for a in story.anchors if a.kind in WORTH]
    terms: dict[Key, float] = {}
    kinds: dict[Key, str] = {}
    spans: dict[Key, str] = {}
    text, length = story.text, len(story.title)
    for anchor in story.anchors:
        if anchor.kind in ("term", "number", "date"):
            key = (anchor.kind, intern(anchor.key))
            weight = TITLE if anchor.start < length else 1.0
            terms[key] = max(weight, terms.get(key, 0.0)) + (0.5 if key in terms else 0.0)
            kinds.setdefault(key, _kind_of(anchor, [*named, *other]))
            spans.setdefault(key, text[anchor.start : anchor.end])
    holding = {key: mention for mention in reversed(mentions) for key in mention.keys}
    in_title = [(a.kind, intern(a.key)) for a in story.anchors if a.start < length]
    figures = frozenset(key for key in in_title if key[0] in ("number", "date"))
    title_terms = frozenset(key for key in in_title if key[0] == "term")
    # The window keeps thousands of readings, for days. The anchors themselves would be most of each.
    told = replace(story, anchors=())
    return Reading(
        told, mentions, holding, terms, kinds, spans, agency_of(story.text), title,
        lead if len(lead) >= LEAD_WORDS else title + lead, figures, title_terms, tuple({**terms, **holding}),
    )  # fmt: skip


def _kind_of(anchor: Anchor, spans: Sequence[tuple[int, int, str]]) -> str:
    if anchor.kind != "term":
        return anchor.kind
    return next((kind for start, end, kind in spans if start <= anchor.start and anchor.end <= end), "term")


def _mentions(story: Arrival) -> Iterator[Mention]:
    """What a story speaks of, each once; several readings of one name are one mention."""
    text, length = story.text, len(story.title)
    at: dict[tuple[int, int, str], list[Key]] = {}
    for anchor in story.anchors:
        if anchor.kind in WORTH:
            at.setdefault((anchor.start, anchor.end, anchor.kind), []).append(
                (anchor.kind, intern(anchor.key))
            )
    told: set[Key] = set()
    for (start, end, kind), keys in sorted(at.items()):
        if told.isdisjoint(keys):
            weight = WORTH[kind] * (TITLE if start < length else 1.0)
            yield Mention(kind, tuple(keys), text[start:end], weight)
        told.update(keys)


@dataclass(frozen=True, slots=True)
class Shared:
    """One thing that two stories share."""

    kind: str
    #: Verbatim in the first and in the second story.
    here: str
    there: str
    #: How rare it is.
    idf: float

    def __str__(self) -> str:
        return self.here if self.here.casefold() == self.there.casefold() else f"{self.here} ↔ {self.there}"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two reports are, from 0 to 1, and by what; the rarest first."""

    score: float
    shared: tuple[Shared, ...] = ()

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds that agree."""
        return frozenset(each.kind for each in self.shared)


class Rarity:
    """How rare anchors are at one moment, worked out once each."""

    def __init__(self, idf: Idf) -> None:
        self._idf = idf
        self._known: dict[Key, float] = {}
        self._within: dict[int, float] = {}
        self._across: dict[int, float] = {}

    def of(self, key: Key) -> float:
        """How rare an anchor is."""
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._idf(key)
        return known

    def within(self, reading: Reading) -> float:
        """What all words of a story are worth together."""
        known = self._within.get(reading.story.id)
        if known is None:
            worth = sum([(weight * self.of(key)) ** 2 for key, weight in reading.terms.items()])
            known = self._within[reading.story.id] = math.sqrt(worth)
        return known

    def across(self, reading: Reading) -> float:
        """What all that a story mentions is worth together."""
        known = self._across.get(reading.story.id)
        if known is None:
            known = self._across[reading.story.id] = sum([self.worth(m) for m in reading.mentions])
        return known

    def worth(self, mention: Mention) -> float:
        """What sharing a mention proves."""
        return mention.weight * self.of_mention(mention) ** 2

    def of_mention(self, mention: Mention) -> float:
        """How rare a mention is: as the most usual of its keys."""
        return min([self.of(key) for key in mention.keys])


def likeness(a: Reading, b: Reading, rarity: Rarity) -> Likeness:
    """How alike two reports are; symmetric."""
    if a.story.language == b.story.language:
        return _within(a, b, rarity)
    return _across(a, b, rarity)


def _within(a: Reading, b: Reading, rarity: Rarity) -> Likeness:
    both = a.terms.keys() & b.terms.keys()
    if not both:
        return Likeness(0.0)
    product = math.fsum([a.terms[key] * b.terms[key] * rarity.of(key) ** 2 for key in both])
    score = product / (rarity.within(a) * rarity.within(b))
    shared = [Shared(a.kinds[key], a.spans[key], b.spans[key], rarity.of(key)) for key in both]
    return Likeness(score, _rarest(shared))


def _across(a: Reading, b: Reading, rarity: Rarity) -> Likeness:
    pairs = list(_pairs(a, b))
    if not pairs:
        return Likeness(0.0)
    here = sum(rarity.worth(mention) for mention, _ in pairs) / rarity.across(a)
    there = sum(rarity.worth(mention) for mention, _ in _pairs(b, a)) / rarity.across(b)
    shared = [Shared(_KINDS.get(x.kind, x.kind), x.span, y.span, rarity.of_mention(x)) for x, y in pairs]
    return Likeness(math.sqrt(here * there), _rarest(shared))


def _pairs(a: Reading, b: Reading) -> Iterator[tuple[Mention, Mention]]:
    for mention in a.mentions:
        other = next((b.holding[key] for key in mention.keys if key in b.holding), None)
        if other is not None and _is_one(mention, a.story.language, other, b.story.language):
            yield mention, other


def _is_one(a: Mention, language_a: str | None, b: Mention, language_b: str | None) -> bool:
    return a.kind != "name" or same_name(a.span, language_a, b.span, language_b)


def _rarest(shared: Iterable[Shared]) -> tuple[Shared, ...]:
    return tuple(sorted(shared, key=lambda each: (-each.idf, each.here, each.there)))


def runs(said: Sequence[str], length: int = RUN) -> set[tuple[str, ...]]:
    """Every run of so many words."""
    return {tuple(said[i : i + length]) for i in range(len(said) - length + 1)}


def overlap(a: Sequence[str], b: Sequence[str], length: int = RUN) -> float:
    """The share of runs of words that two texts have in common (Jaccard), from 0 to 1."""
    here, there = runs(a, length), runs(b, length)
    return len(here & there) / len(here | there) if here and there else 0.0
