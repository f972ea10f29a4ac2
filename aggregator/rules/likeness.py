"""How much two stories say the same, as reports of one event.

Within one language the words decide; across languages what is the same in any language does:
names, places, organisations, dates, numbers, offices and concepts. Rare ones count more.

A new story is compared with dozens, and few of these are of its event. So a comparison first says
how rare the things are that both hold, then how alike the two are, and only then, to be read, what
it is that they share.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import mul

from aggregator.language.names import same_name
from aggregator.rules.holders import Holders
from aggregator.rules.readings import AS_ONE, Key, Mention, Reading

#: Stories that are imagined to stand before the first: in an empty archive nothing is rare yet.
BEFORE = 1_000


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


class _ByCount(dict[int, float]):
    """How rare an anchor is by the number of stories that hold it, worked out once each."""

    def __init__(self, stories: int) -> None:
        self._stories = stories

    def __missing__(self, count: int) -> float:
        found = self[count] = math.log((self._stories + BEFORE) / (count + 1))
        return found


class Rarity:
    """How rare anchors are at one moment: the logarithm of all stories by those that hold one."""

    def __init__(self, holders: Holders, terms: Mapping[int, Sequence[int]]) -> None:
        """`holders`: the stories that hold each anchor; `terms`: by story, the numbers of its terms there.

        Both change when the moment is over.
        """
        self.holders = holders
        self.terms = terms
        #: How rare an anchor is by the number of stories that hold it.
        self.by_count = _ByCount(len(terms))
        self._norms: dict[int, float] = {}
        self._sums: dict[int, float] = {}

    def of(self, key: Key) -> float:
        """How rare an anchor is."""
        return self.by_count[self.holders.count(key)]

    def of_mention(self, mention: Mention) -> float:
        """How rare a mention is: as the most usual of its keys."""
        return min(map(self.of, mention.keys))

    def worth(self, mention: Mention) -> float:
        """What sharing a mention proves."""
        return mention.weight * self.of_mention(mention) ** 2

    def within(self, reading: Reading) -> float:
        """What all words of a story are worth together."""
        known = self._norms.get(reading.story.id)
        if known is None:
            numbers = self.terms.get(reading.story.id)
            if numbers is None:
                idfs: Iterable[float] = map(self.of, reading.terms)
            else:
                counts = map(self.holders.counts.__getitem__, numbers)
                idfs = map(self.by_count.__getitem__, counts)
            known = self._norms[reading.story.id] = math.hypot(*map(mul, reading.weights, idfs))
        return known

    def across(self, reading: Reading) -> float:
        """What all that a story mentions is worth together."""
        known = self._sums.get(reading.story.id)
        if known is None:
            known = self._sums[reading.story.id] = sum(map(self.worth, reading.mentions))
        return known


class Subject:
    """A story that is compared with those of the window, at one moment."""

    def __init__(self, reading: Reading, rarity: Rarity) -> None:
        self.reading = reading
        self.rarity = rarity
        number, counts, by_count = rarity.holders.number, rarity.holders.counts, rarity.by_count
        #: The number of each of its anchors that somebody holds, and how rare that is.
        self.numbers = {key: number[key] for key in reading.keys if key in number}
        self.idf = {n: by_count[counts[n]] for n in self.numbers.values()}
        #: By the number of a term: its worth where another story holds it too, and its kind.
        self.worth: dict[int, float] = {}
        self.kinds: dict[int, str] = {}
        for key, weight, kind in zip(reading.terms, reading.weights, reading.kinds, strict=True):
            if key in self.numbers:
                n = self.numbers[key]
                self.worth[n], self.kinds[n] = weight * self.idf[n] ** 2, kind
        self.holding = _holding(reading)

    def may_share(self, others: Mapping[int, Reading], rare: float, least: int) -> list[int]:
        """Those of these stories that may hold so many of its rare things: most do not, and are done with."""
        language = self.reading.story.language
        same = {story for story, other in others.items() if other.story.language == language}
        foreign = others.keys() - same
        counts = dict.fromkeys(others, 0)
        idf, numbers = self.idf, self.numbers
        for story in filter(same.__contains__, self._holders(n for n in self.worth if idf[n] >= rare)):
            counts[story] += 1
        for mention in self.reading.mentions if foreign else ():
            held = [numbers[key] for key in mention.keys if key in numbers]
            if held and min(map(idf.__getitem__, held)) >= rare:
                for story in foreign.intersection(self._holders(held)):
                    counts[story] += 1
        return [story for story, count in counts.items() if count >= least]

    def _holders(self, numbers: Iterable[int]) -> Iterator[int]:
        return chain.from_iterable(map(self.rarity.holders.of, numbers))

    def beside(self, other: Reading) -> Within | Across:
        """This story and one of the window; alike is symmetric."""
        if self.reading.story.language == other.story.language:
            return Within(self, other)
        return Across(self, other)


class Within:
    """Two stories of one language."""

    def __init__(self, one: Subject, other: Reading) -> None:
        self._one, self._other = one, other
        self._terms = one.rarity.terms[other.story.id]
        self._both = one.worth.keys() & self._terms

    def telling(self, rare: float, least: int) -> list[float]:
        """How rare the things are that both hold, from `rare` on; nothing where they are too few."""
        idf = self._one.idf
        found = [worth for number in self._both if (worth := idf[number]) >= rare]
        return found if len(found) >= least else []

    def kinds(self) -> set[str]:
        """The kinds that agree."""
        return set(map(self._one.kinds.__getitem__, self._both))

    def score(self) -> float:
        """How alike they are, from 0 to 1: the cosine of their words."""
        if not self._both:
            return 0.0
        worth, other, rarity = self._one.worth, self._other, self._one.rarity
        both = [worth[n] * weight for n, weight in zip(self._terms, other.weights, strict=True) if n in worth]
        return math.fsum(both) / (rarity.within(self._one.reading) * rarity.within(other))

    def shared(self) -> tuple[Shared, ...]:
        """What both hold, the rarest first."""
        one, here, there = self._one, self._one.reading.spans(), self._other.spans()
        return _rarest(
            Shared(one.kinds[number], here[key], there[key], one.idf[number])
            for key, number in one.numbers.items()
            if number in self._both
        )


class Across:
    """Two stories of two languages."""

    def __init__(self, one: Subject, other: Reading) -> None:
        self._one, self._other = one, other
        self._pairs: list[tuple[Mention, Mention]] | None = None

    def telling(self, rare: float, least: int) -> list[float]:
        """How rare the things are that both hold, from `rare` on; nothing where they are too few."""
        of = self._one.rarity.of_mention
        found = [worth for mention, _ in self.pairs() if (worth := of(mention)) >= rare]
        return found if len(found) >= least else []

    def kinds(self) -> set[str]:
        """The kinds that agree."""
        return {AS_ONE.get(mention.kind, mention.kind) for mention, _ in self.pairs()}

    def score(self) -> float:
        """How alike they are, from 0 to 1: the mean of the shares of each that the other one tells."""
        if not self.pairs():
            return 0.0
        a, b, rarity = self._one.reading, self._other, self._one.rarity
        back = _pairs(b, a, self._one.holding)
        here = sum(rarity.worth(mention) for mention, _ in self.pairs()) / rarity.across(a)
        there = sum(rarity.worth(mention) for mention, _ in back) / rarity.across(b)
        return math.sqrt(here * there)

    def shared(self) -> tuple[Shared, ...]:
        """What both hold, the rarest first."""
        of = self._one.rarity.of_mention
        here, there = self._one.reading.story.text, self._other.story.text
        return _rarest(
            Shared(AS_ONE.get(x.kind, x.kind), here[x.start : x.end], there[y.start : y.end], of(x))
            for x, y in self.pairs()
        )

    def pairs(self) -> list[tuple[Mention, Mention]]:
        """What the first one mentions, with where the other one does."""
        if self._pairs is None:
            self._pairs = list(_pairs(self._one.reading, self._other, _holding(self._other)))
        return self._pairs


def _holding(reading: Reading) -> dict[Key, Mention]:
    """Each key that a story is found under across languages, with its first mention."""
    return {key: mention for mention in reversed(reading.mentions) for key in mention.keys}


def _pairs(a: Reading, b: Reading, holding: Mapping[Key, Mention]) -> Iterator[tuple[Mention, Mention]]:
    for mention in a.mentions:
        other = next((holding[key] for key in mention.keys if key in holding), None)
        if other is not None and (mention.kind != "name" or _is_one(a, mention, b, other)):
            yield mention, other


def _is_one(a: Reading, here: Mention, b: Reading, there: Mention) -> bool:
    name, other = a.story.text[here.start : here.end], b.story.text[there.start : there.end]
    return same_name(name, a.story.language, other, b.story.language)


def _rarest(shared: Iterable[Shared]) -> tuple[Shared, ...]:
    return tuple(sorted(shared, key=lambda each: (-each.idf, each.here, each.there)))
