"""Numbers in words, read by the grammar that is common to the languages here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from aggregator.language.lines import is_near
from aggregator.language.number_words import (
    HALF_OF,
    HALVES,
    JOINTS,
    VAGUE,
    alone,
    cardinals,
    groups,
    plural_groups,
    scale,
)
from aggregator.language.terms import is_common
from aggregator.language.text import Word
from aggregator.language.units import unit_of, vocabulary

#: One in five is a share that we do not read, and no five.
_OUT_OF = vocabulary("in out sur von su na из із з of cada")
#: Words that are a number only before what they count: neuf is new, sei is you are.
_DOUBTFUL = {"fr": frozenset({"neuf"}), "it": frozenset({"sei"})}


@dataclass(frozen=True, slots=True)
class Bare:
    """A number before its scale and unit."""

    value: float
    start: int
    end: int
    #: The number of the word behind it.
    next: int
    #: 3m is three million beside a sign of money only.
    is_short_million: bool = False
    #: A unit that is glued to the digits: 12km.
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """What is read."""

    text: str
    words: Sequence[Word]
    language: str | None

    def folded(self, at: int) -> str:
        """The word of that number, "" beyond the ends."""
        return self.words[at].folded if 0 <= at < len(self.words) else ""

    def follows(self, end: int, at: int) -> bool:
        """True where the word of that number stands right behind a place."""
        return at < len(self.words) and is_near(self.text, end, self.words[at])

    def ahead(self, end: int, at: int, most: int = 3) -> list[str]:
        """The folded words that follow a place without a mark between."""
        found: list[str] = []
        while len(found) < most and self.follows(end, at):
            found.append(self.words[at].folded)
            end, at = self.words[at].end, at + 1
        return found


class _Sum:
    """A number in words, word by word."""

    def __init__(self) -> None:
        self._total, self._group, self._last = 0.0, 0.0, 0.0

    @property
    def value(self) -> float:
        """What it comes to."""
        return self._total + self._group

    def takes(self, value: float) -> bool:
        """Adds a number below 1000 (a compound may be more) where the grammar of numbers has room for it."""
        group = self._group
        if group == 0 or (group % 100 == 0 and value < 100) or self._is_tens_and(value):
            self._group = group + value
        elif value == 100 and group < 10:
            self._group = group * 100
        elif value == 20 and group % 100 == 4:
            # Quatre-vingts.
            self._group = group + 76
        else:
            return False
        return True

    def _is_tens_and(self, value: float) -> bool:
        """Twenty-five, and soixante-dix-sept, which adds up to nineteen."""
        tens = self._group % 100
        if tens >= 20 and tens % 10 == 0 and value < 10:
            return True
        return (tens in (60, 80) and 10 <= value < 20) or (tens in (70, 90) and value < 10)

    def scales(self, factor: float) -> None:
        """Behind thousand, million: dos mil millones multiplies, two thousand five hundred adds."""
        if factor > self._last:
            self._total = (self.value or 1.0) * factor
        else:
            self._total += self._group * factor
        self._group, self._last = 0.0, factor

    def adds_half(self) -> None:
        """And a half."""
        self._group += 0.5

    def multiplies(self, times: float) -> None:
        """Dozens."""
        self._total, self._group = 0.0, (self.value or 1.0) * times


def spelled(wire: Wire) -> Iterator[Bare]:
    at, vocabulary = 0, number_vocabulary(wire.language)
    while at < len(wire.words):
        bare = _number_at(wire, at) if wire.words[at].folded in vocabulary else None
        if bare is not None:
            first, at = at, bare.next
            if not _is_none(wire, bare, first):
                yield bare
        else:
            at += 1


def _number_at(wire: Wire, first: int) -> Bare | None:
    folded = wire.words[first].folded
    if folded in HALF_OF:
        return _half(wire, first)
    at, total = first, _Sum()
    while at < len(wire.words) and (at == first or wire.follows(wire.words[at - 1].end, at)):
        at, before = _next(wire, at, total), at
        if at == before:
            break
    return Bare(total.value, wire.words[first].start, wire.words[at - 1].end, at)


def _next(wire: Wire, at: int, total: _Sum) -> int:
    """Where the number goes on, having taken one more of its words; `at` where it ends."""
    folded = wire.folded(at)
    known = cardinals(wire.language)
    if folded in known:
        return at + 1 if total.takes(known[folded]) else at
    if factor := scale(folded, wire.language):
        total.scales(factor)
        return at + 1
    if times := groups(wire.language).get(folded) or (
        total.value and plural_groups(wire.language).get(folded)
    ):
        total.multiplies(times)
        return at + 1
    if halves := halves_at(wire, at):
        total.adds_half()
        return at + halves
    joined = wire.folded(at + 1) if folded in JOINTS and total.value >= 20 else ""
    is_small = 0 < known.get(joined, 0) < 20 and joined not in _ones(wire.language) | {"dix"}
    is_small = is_small or (joined in _ones(wire.language) and total.value % 10 == 0 and total.value < 100)
    return at + 2 if is_small and total.takes(known[joined]) else at


@cache
def _ones(language: str | None) -> frozenset[str]:
    return frozenset(word for word, value in cardinals(language).items() if value == 1)


def halves_at(wire: Wire, at: int) -> int:
    """How many words say "and a half" here; 0 for none."""
    for said in HALVES:
        length = said.count(" ") + 1
        if (
            wire.folded(at) == said.split(" ", 1)[0]
            and " ".join(wire.folded(at + n) for n in range(length)) == said
        ):
            return length
    return 0


def _half(wire: Wire, first: int) -> Bare | None:
    """Half a million, une demi-heure: only before a scale or a unit."""
    at = first + 1
    if wire.folded(at) in {"a", "an"}:
        at += 1
    factor = scale(wire.folded(at), wire.language)
    if not factor and unit_of(wire.folded(at)) in {"", "%"}:
        return None
    end = wire.words[at].end if factor else wire.words[at - 1].end
    return Bare(0.5 * (factor or 1), wire.words[first].start, end, at + bool(factor))


def _is_none(wire: Wire, bare: Bare, first: int) -> bool:
    """Several hundred, one in five, pour cent, and words that are numbers only before what they count."""
    before = wire.folded(first - 1)
    if before in VAGUE and bare.value >= 10:
        return True
    if before in _OUT_OF and wire.folded(first - 2) in _ones(wire.language):
        return True
    if (
        before in _OUT_OF
        and wire.folded(first - 2) in _OUT_OF
        and wire.folded(first - 3) in _ones(wire.language)
    ):
        return True
    doubtful = wire.words[first].folded in _DOUBTFUL.get(wire.language or "", ()) and bare.next == first + 1
    counted = wire.ahead(bare.end, bare.next, 1)
    return doubtful and (not counted or is_common(counted[0], wire.language or ""))


@cache
def number_vocabulary(language: str | None) -> frozenset[str]:
    """One of these begins every number in words."""
    return frozenset(cardinals(language)) | alone(language) | frozenset(groups(language)) | HALF_OF
