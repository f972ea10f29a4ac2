"""A story made ready to be compared with others: what it tells, each thing once, and where it stands.

The window keeps thousands of these for days, so a reading holds keys that all stories share, and
places in its text instead of pieces of it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain
from sys import intern

from aggregator.language.agencies import agency_of
from aggregator.language.reading import Anchor
from aggregator.language.text import words

#: What an anchor is found by, the same in every story that holds it: its kind, a colon, its key.
Key = str

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
AS_ONE = {"org": "name", "given": "name", "role": "concept"}
#: Kinds by which stories of one language are compared.
_TERMS = ("term", "number", "date")
#: Kinds whose spans make a word more than a plain one.
_NAMED = ("name", "given", "org", "place")
_NONE: frozenset[Key] = frozenset()


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
    """One thing that a story speaks of, with every key it may be found under, where it came first."""

    kind: str
    keys: tuple[Key, ...]
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A story made ready to be compared."""

    #: Without its anchors, which stand below.
    story: Arrival
    #: The same in any language.
    mentions: tuple[Mention, ...]
    #: Words of its language, numbers and dates, each once, in the order they came.
    terms: tuple[Key, ...]
    #: What each of them is worth before its rarity.
    weights: tuple[float, ...]
    #: The kind that each agrees by: of a name it is "name"; a plain word's is "term".
    kinds: tuple[str, ...]
    #: Where each begins and ends.
    places: array[int]
    #: How many of them stand in the title: the first ones.
    in_title: int
    #: Numbers and dates of the title: those of a series differ from day to day.
    figures: frozenset[Key]
    #: The agency it is credited to.
    agency: str | None
    #: Folded words of the title, and of what copies are compared by.
    title_words: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def keys(self) -> tuple[Key, ...]:
        """Everything that it may be found by, each once."""
        told = chain.from_iterable(mention.keys for mention in self.mentions)
        return tuple(dict.fromkeys(chain(self.terms, told)))

    @property
    def title_terms(self) -> tuple[Key, ...]:
        """The terms of the title, numbers and dates among them."""
        return self.terms[: self.in_title]

    def figures_of(self, kind: str) -> frozenset[Key]:
        """The dates, or the numbers, of the title."""
        return frozenset(key for key in self.figures if key.startswith(f"{kind}:")) if self.figures else _NONE

    def spans(self) -> dict[Key, str]:
        """Each of its terms as it is written where it comes first."""
        text, at = self.story.text, self.places
        return {key: text[at[2 * n] : at[2 * n + 1]] for n, key in enumerate(self.terms)}


def read(story: Arrival) -> Reading:
    """A story, read once for all comparisons."""
    # Each word and each key is kept once, however many stories hold it.
    title_words, lead = (tuple(map(intern, words(text))) for text in (story.title, story.lead))
    keys = [intern(f"{anchor.kind}:{anchor.key}") for anchor in story.anchors]
    title = len(story.title)
    first: dict[Key, int] = {}
    weights: dict[Key, float] = {}
    for number, (anchor, key) in enumerate(zip(story.anchors, keys, strict=True)):
        if anchor.kind in _TERMS:
            weight = TITLE if anchor.start < title else 1.0
            if key in weights:
                weights[key] = max(weight, weights[key]) + 0.5
            else:
                first[key], weights[key] = number, weight
    told = [story.anchors[number] for number in first.values()]
    in_title = sum(anchor.start < title for anchor in told)
    return Reading(
        # The anchors themselves would be most of a reading.
        story=Arrival(
            story.id, story.language, story.outlet, story.at, story.seen, story.title, story.lead, ()
        ),
        mentions=tuple(_mentions(story, keys)),
        terms=tuple(first),
        weights=tuple(map(_one_of, weights.values())),
        kinds=tuple(_kinds(told, story.anchors)),
        places=array("I", chain.from_iterable((anchor.start, anchor.end) for anchor in told)),
        in_title=in_title,
        figures=frozenset(key for key, a in zip(first, told[:in_title], strict=False) if a.kind != "term"),
        agency=agency_of(story.text),
        title_words=title_words,
        words=lead if len(lead) >= LEAD_WORDS else title_words + lead,
    )


@lru_cache(maxsize=256)
def _one_of(weight: float) -> float:
    """The same object for the same number: weights are few, and stories many."""
    return weight


def _kinds(told: Sequence[Anchor], anchors: Sequence[Anchor]) -> list[str]:
    """The kind that each of these agrees by: a word of a name or a place is no plain one."""
    named = [a for a in anchors if a.kind in _NAMED]
    other = [a for a in anchors if a.kind in WORTH]
    kinds = [a.kind for a in told]
    starts = [a.start for a in told]
    # The first of them that holds a word says what it is, so that one is written last.
    for holder in reversed([*named, *other]):
        for number in range(bisect_left(starts, holder.start), bisect_left(starts, holder.end)):
            if told[number].kind == "term" and told[number].end <= holder.end:
                kinds[number] = AS_ONE.get(holder.kind, holder.kind)
    return kinds


def _mentions(story: Arrival, keys: Sequence[Key]) -> Iterator[Mention]:
    """What a story speaks of, each once; several readings of one name are one mention."""
    title = len(story.title)
    at: dict[tuple[int, int, str], list[Key]] = {}
    for anchor, key in zip(story.anchors, keys, strict=True):
        if anchor.kind in WORTH:
            at.setdefault((anchor.start, anchor.end, anchor.kind), []).append(key)
    told: set[Key] = set()
    for (start, end, kind), here in sorted(at.items()):
        if told.isdisjoint(here):
            weight = WORTH[kind] * (TITLE if start < title else 1.0)
            yield Mention(kind, tuple(here), start, end, _one_of(weight))
        told.update(here)


def runs(said: Sequence[str], length: int = RUN) -> set[tuple[str, ...]]:
    """Every run of so many words."""
    return set(zip(*(said[at:] for at in range(length)), strict=False))


def overlap(a: Sequence[str], b: Sequence[str], length: int = RUN) -> float:
    """The share of runs of words that two texts have in common (Jaccard), from 0 to 1."""
    here, there = runs(a, length), runs(b, length)
    both = len(here & there)
    return both / (len(here) + len(there) - both) if here and there else 0.0
