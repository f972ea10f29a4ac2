"""Stories indexed by what one brief asks for, and how much of a passage each of them covers."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

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
    #: Story number -> what it is worth there: the weight, by how often it stands there and how long that is.
    worth: dict[int, float]
    #: For a given name: where its family name begins, which must be there too.
    head: int | None = None


#: The rarity at which a name weighs as much as another anchor; beyond it, more.
USUAL_RARITY = 5.0

Span = tuple[int, int]
#: Story number -> the places in its text.
Hits = dict[int, list[Span]]
#: A name as it is written, in a language.
Spelling = tuple[str, str]


#: Kinds of anchor, each with the place of the brief's word.
Kinds = set[tuple[str, int]]
Why = tuple[float, Wanted, Span]


def _needed(wanted: Wanted, heads: Mapping[int, Hits]) -> Hits | None:
    """The stories that hold the family name which a given name depends on; None where it is no given name."""
    return None if wanted.head is None else heads.get(wanted.head, {})


def _best(group: Sequence[Wanted], heads: Mapping[int, Hits]) -> Mapping[int, float]:
    """What one word of the brief is worth in each story: it counts once, by its best kind."""
    if len(group) == 1 and group[0].head is None:
        return group[0].worth
    best: dict[int, float] = {}
    for each in group:
        needed = _needed(each, heads)
        for number, value in each.worth.items():
            if value > best.get(number, 0.0) and (needed is None or number in needed):
                best[number] = value
    return best


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
                kind, key = anchor.kind, anchor.key
                if kind in ("name", "given"):
                    if key in codes_asked:
                        spelling = (text[anchor.start : anchor.end].casefold(), story.language)
                        self._spell(number, spelling, anchor)
                    continue
                if (kind, key) in asked:
                    self._post((kind, key), number, anchor)
                if kind == "concept" and key in asked_akin:
                    for concept in asked_akin[key]:
                        self._post(("akin", concept), number, anchor)
                # Riyadh is in Saudi Arabia: a story on the one bears on the other.
                elif kind == "place":
                    country = country_of(key)
                    if country and country != key and ("place", country) in asked:
                        self._post(("within", country), number, anchor)

    def _post(self, key: tuple[str, str], number: int, anchor: Anchor) -> None:
        hits = self._posted.get(key)
        if hits is None:
            hits = self._posted[key] = {}
        if number in hits:
            hits[number].append((anchor.start, anchor.end))
        else:
            hits[number] = [(anchor.start, anchor.end)]

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
                found[key] = self._weighed(anchor, weight, hits, anchor.head)
                if anchor.kind == "concept" and (related := self._posted.get(("akin", anchor.key))):
                    weight = (
                        self.weights.akin * self.weights.kinds["concept"] * self._rarity(anchor, len(related))
                    )
                    found["akin", anchor.key] = self._weighed(anchor, weight, related)
        return list(found.values())

    def _weighed(self, anchor: Anchor, weight: float, hits: Hits, head: int | None = None) -> Wanted:
        most, length = self.weights.k1 + 1, self._length
        worth = {
            number: weight * times * most / (times + length[number])
            for number, spans in hits.items()
            if (times := len(spans))
        }
        return Wanted(anchor.kind, anchor.start, anchor.end, weight, hits, worth, head)

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
            for number, value in _best(group, heads).items():
                scores[number] += value / total
        return scores

    def kinds(self, wanted: Sequence[Wanted], numbers: Collection[int]) -> dict[int, Kinds]:
        """The kinds by which these stories cover a passage, each with the place of the brief's word."""
        heads = {w.start: w.hits for w in wanted if w.kind == "name"}
        found: dict[int, Kinds] = {number: set() for number in numbers}
        for each in wanted:
            if each.weight > 0:
                kind = (group_of(each.kind), each.start)
                needed = _needed(each, heads)
                for number in found.keys() & each.hits.keys():
                    if needed is None or number in needed:
                        found[number].add(kind)
        return found

    def why(self, wanted: Sequence[Wanted], number: int) -> list[Why]:
        """What a story covers of a passage: the worth, the anchor and its first place in the story."""
        heads = {w.start: w.hits for w in wanted if w.kind == "name"}
        found = []
        for each in wanted:
            if each.weight > 0 and number in each.hits:
                needed = _needed(each, heads)
                if needed is None or number in needed:
                    found.append((each.worth[number], each, each.hits[number][0]))
        return found

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
