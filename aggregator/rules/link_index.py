"""Stories indexed by what one brief asks for, and how much of a passage each of them covers."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from aggregator.language.concepts import akin
from aggregator.language.grams import grams
from aggregator.language.names import codes, same_name
from aggregator.language.places import country_of
from aggregator.language.reading import Anchor
from aggregator.rules.link_values import Candidate, Frequencies, Passage, Query, Weights

#: Kinds that say the same thing twice when they agree.
_GROUPS = {"term": "concept", "given": "name"}


def group_of(kind: str) -> str:
    """The kind that an anchor counts as when kinds must agree."""
    return _GROUPS.get(kind, kind)


def _merged(one: Hits, other: Hits) -> Hits:
    if not other:
        return one
    if not one:
        return other
    both = dict(one)
    for number, spans in other.items():
        both[number] = both[number] + spans if number in both else spans
    return both


@dataclass(slots=True)
class Wanted:
    """One anchor of a passage, with where it stands in the stories."""

    kind: str
    start: int
    end: int
    weight: float
    #: Story number -> spans in its text.
    hits: Hits
    #: For a given name: where its family name begins, which must be there too.
    head: int | None = None


#: The rarity at which a name weighs as much as another anchor; beyond it, more.
USUAL_RARITY = 5.0

Span = tuple[int, int]
#: Story number -> the places in its text.
Hits = dict[int, list[Span]]
#: A name as it is written, in a language.
Spelling = tuple[str, str]


class Linker:
    """Stories made ready to be suggested for one brief: indexed by what the brief asks for."""

    def __init__(
        self,
        stories: Sequence[Candidate],
        query: Query,
        *,
        frequencies: Frequencies | None = None,
        weights: Weights | None = None,
    ) -> None:
        self.stories = stories
        self.weights = weights or Weights()
        self._language = query.language
        self._frequencies = frequencies or Frequencies(0, {})
        self._by_language = Counter(story.language for story in stories)
        self._posted: dict[tuple[str, str], Hits] = {}
        self._spellings: dict[str, dict[Spelling, Hits]] = {}
        self._names: dict[str, Hits] = {}
        self._index(query)
        lengths = [max(1, len(story.title) + len(story.summary)) for story in stories]
        mean = sum(lengths) / max(1, len(lengths)) or 1.0
        w = self.weights
        #: What BM25 counts length for, story by story.
        self._length = [w.k1 * (1 - w.b + w.b * length / mean) for length in lengths]
        self._letters = _Letters([story.title or story.summary for story in stories])

    def _index(self, query: Query) -> None:
        asked = {(a.kind, a.key) for p in query.passages for a in p.anchors}
        codes_asked = {key for kind, key in asked if kind in ("name", "given")}
        asked_akin: dict[str, list[str]] = {}
        for kind, key in asked:
            for other in akin(key) if kind == "concept" else ():
                asked_akin.setdefault(other, []).append(key)
        for number, story in enumerate(self.stories):
            text = story.text
            for anchor in story.anchors:
                if anchor.kind in ("name", "given"):
                    if anchor.key in codes_asked:
                        spelling = (text[anchor.start : anchor.end].casefold(), story.language)
                        self._spell(number, spelling, anchor)
                    continue
                if (anchor.kind, anchor.key) in asked:
                    self._post((anchor.kind, anchor.key), number, anchor)
                for concept in asked_akin.get(anchor.key, ()) if anchor.kind == "concept" else ():
                    self._post(("akin", concept), number, anchor)
                # Riyadh is in Saudi Arabia: a story on the one bears on the other.
                country = country_of(anchor.key) if anchor.kind == "place" else None
                if country and country != anchor.key and ("place", country) in asked:
                    self._post(("within", country), number, anchor)

    def _post(self, key: tuple[str, str], number: int, anchor: Anchor) -> None:
        self._posted.setdefault(key, {}).setdefault(number, []).append((anchor.start, anchor.end))

    def _spell(self, number: int, spelling: Spelling, anchor: Anchor) -> None:
        hits = self._spellings.setdefault(anchor.key, {}).setdefault(spelling, {})
        hits.setdefault(number, []).append((anchor.start, anchor.end))

    def wanted(self, passage: Passage) -> list[Wanted]:
        """The anchors of a passage with their rarity and where they stand."""
        found: dict[tuple[str, str], Wanted] = {}
        for anchor in passage.anchors:
            is_name = anchor.kind in ("name", "given")
            form = passage.text[anchor.start : anchor.end]
            key = ("name", form.casefold()) if is_name else (anchor.kind, anchor.key)
            if key not in found:
                hits = self._named(form) if is_name else self._hits(anchor)
                weight = (
                    self.weights.kinds.get(anchor.kind, 0.0) * anchor.weight * self._rarity(anchor, len(hits))
                )
                found[key] = Wanted(anchor.kind, anchor.start, anchor.end, weight, hits, anchor.head)
                if anchor.kind == "concept" and (related := self._posted.get(("akin", anchor.key))):
                    weight = (
                        self.weights.akin * self.weights.kinds["concept"] * self._rarity(anchor, len(related))
                    )
                    found["akin", anchor.key] = Wanted("concept", anchor.start, anchor.end, weight, related)
        return list(found.values())

    def _hits(self, anchor: Anchor) -> Hits:
        hits = self._posted.get((anchor.kind, anchor.key), {})
        return _merged(hits, self._posted.get(("within", anchor.key), {})) if anchor.kind == "place" else hits

    def _rarity(self, anchor: Anchor, hits: int) -> float:
        """Inverse document frequency; a word of one language is counted among its stories."""
        language = anchor.key.partition(":")[0] if anchor.kind == "term" else None
        told = self._by_language.get(language or "", 0) if language else len(self.stories)
        documents = told + self._frequencies.documents_in(language)
        holding = min(hits + self._frequencies.count(anchor.kind, anchor.key), documents)
        rarity = math.log(1 + (documents - holding + 0.5) / (holding + 0.5))
        # Who is named seldom is what a passage is about: everybody names the presidents.
        return rarity * rarity / USUAL_RARITY if anchor.kind == "name" else rarity

    def _named(self, form: str) -> Hits:
        """Every place where a name stands, in any spelling."""
        key = form.casefold()
        if key not in self._names:
            merged: Hits = {}
            seen: set[Spelling] = set()
            for code in codes(form, self._language):
                for spelling, hits in self._spellings.get(code, {}).items():
                    if spelling not in seen and same_name(form, self._language, *spelling):
                        seen.add(spelling)
                        merged = _merged(merged, hits)
            self._names[key] = merged
        return self._names[key]

    def coverage(self, wanted: Sequence[Wanted]) -> dict[int, float]:
        """Story number -> the share of the weight asked for that it covers."""
        heads = {w.start: w.hits for w in wanted if w.kind == "name"}
        by_word: dict[int, list[Wanted]] = {}
        for each in wanted:
            if each.weight > 0:
                by_word.setdefault(each.start, []).append(each)
        total = sum(max(each.weight for each in group) for group in by_word.values()) or 1.0
        scores: dict[int, float] = defaultdict(float)
        for group in by_word.values():
            # One word of the brief counts once, by its best kind.
            best: dict[int, float] = {}
            for each in group:
                needed = None if each.head is None else heads.get(each.head, {})
                for number, spans in each.hits.items():
                    value = self._saturated(each.weight, len(spans), number)
                    if value > best.get(number, 0.0) and (needed is None or number in needed):
                        best[number] = value
            for number, value in best.items():
                scores[number] += value / total
        return scores

    def cover(self, wanted: Sequence[Wanted], numbers: Collection[int]) -> dict[int, Covered]:
        """By what these stories cover a passage: story number -> kinds and reasons."""
        heads = {w.start: w.hits for w in wanted if w.kind == "name"}
        found = {number: Covered() for number in numbers}
        for each in wanted:
            if each.weight <= 0:
                continue
            needed = None if each.head is None else heads.get(each.head, {})
            for number in each.hits.keys() & found.keys():
                if needed is None or number in needed:
                    spans = each.hits[number]
                    found[number].take(each, spans[0], self._saturated(each.weight, len(spans), number))
        return found

    def _saturated(self, weight: float, times: int, number: int) -> float:
        return weight * times * (self.weights.k1 + 1) / (times + self._length[number])

    def alike(self, text: str) -> dict[int, float]:
        """Likeness of letters to the title of each story: cognates, and rare words of no table."""
        return self._letters.alike(text)


class _Letters:
    """Groups of letters of the titles."""

    def __init__(self, titles: Sequence[str]) -> None:
        self._posted: dict[str, list[int]] = {}
        self._sizes: list[int] = []
        for number, title in enumerate(titles):
            shown = grams(title)
            for gram in shown:
                self._posted.setdefault(gram, []).append(number)
            self._sizes.append(max(20, len(shown)))

    def alike(self, text: str) -> dict[int, float]:
        """Story number -> likeness, by rare groups in common."""
        total = len(self._sizes)
        rarity = {
            gram: math.log(1 + total / len(posted))
            for gram in grams(text)
            if (posted := self._posted.get(gram)) and len(posted) < 0.2 * total
        }
        norm = math.sqrt(sum(value * value for value in rarity.values())) or 1.0
        scores: dict[int, float] = defaultdict(float)
        for gram, value in rarity.items():
            for number in self._posted[gram]:
                scores[number] += value * value
        return {n: score / norm / (8 * math.sqrt(self._sizes[n])) for n, score in scores.items()}


@dataclass(slots=True)
class Covered:
    """By what one story covers a passage."""

    #: Each with the place of the brief's word.
    kinds: set[tuple[str, int]] = field(default_factory=set)
    why: list[tuple[float, Wanted, Span]] = field(default_factory=list)

    def take(self, wanted: Wanted, span: Span, value: float) -> None:
        """Count an anchor that the story holds."""
        self.kinds.add((group_of(wanted.kind), wanted.start))
        self.why.append((value, wanted, span))
