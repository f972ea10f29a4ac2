"""Which stories stand behind a passage: names, numbers and words that both of them hold.

A suggestion needs two of them from two different places, and each reason is a pair of verbatim
spans. Names meet across alphabets by a plain transliteration; words meet within one language.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aggregator.language.text import fold, spans

#: Suggestions for one passage.
MOST = 20
#: Letters of a word that count: endings differ within a language.
STEM = 6
#: What each kind is worth, before its rarity.
WORTH = {"name": 2.0, "number": 1.5, "term": 1.0}
#: A mark in more than this share of the stories says nothing.
COMMON = 0.2
FEW = 20

_CYRILLIC = "а б в г ґ д е ж з и й к л м н о п р с т у ф х ц щ ы і ї є э ч ш ю я ь ъ"
_AS_LATIN = "a b v g g d e j z i i k l m n o p r s t u f h c sh i i i e e ch sh u a - -"
_LATIN = dict(zip(_CYRILLIC.split(), _AS_LATIN.replace("-", "").split(" "), strict=True)) | {
    "y": "i",
    "w": "v",
    "j": "i",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A story as the linker reads it."""

    url: str
    title: str
    summary: str
    language: str | None
    source: str
    #: RFC 3339, or "" where it is not known.
    published: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a story was suggested: a span of the passage and one of the story, both verbatim."""

    kind: str
    brief: str
    story: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A story proposed for a passage."""

    candidate: Candidate
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _Mark:
    kind: str
    key: str
    span: str


class Linker:
    """Stories made ready to be suggested."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self._candidates = list(candidates)
        self._marks = [_first(_marks(f"{c.title}\n{c.summary}", c.language)) for c in self._candidates]
        self._holding: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for number, marks in enumerate(self._marks):
            for key in marks:
                self._holding[key].append(number)

    def suggest(self, text: str, language: str) -> list[Suggestion]:
        """The stories behind a text, best first; ties by URL."""
        wanted = _first(_marks(text, language))
        scores: defaultdict[int, float] = defaultdict(float)
        shared: defaultdict[int, list[tuple[float, Reason]]] = defaultdict(list)
        for key, span in wanted.items():
            holding = self._holding.get(key, ())
            if not holding or len(holding) > max(FEW, COMMON * len(self._candidates)):
                continue
            weight = WORTH[key[0]] * math.log(1 + len(self._candidates) / len(holding))
            for number in holding:
                scores[number] += weight
                shared[number].append((weight, Reason(key[0], span, self._marks[number][key])))
        found = [self._suggestion(number, score, shared[number]) for number, score in scores.items()]
        kept = [suggestion for suggestion in found if len(set(map(_word, suggestion.reasons))) > 1]
        return sorted(kept, key=lambda s: (-s.score, s.candidate.url))[:MOST]

    def _suggestion(self, number: int, score: float, shared: list[tuple[float, Reason]]) -> Suggestion:
        reasons = tuple(reason for _, reason in sorted(shared, key=lambda pair: (-pair[0], pair[1].brief)))
        # A long story holds more of everything by chance.
        length = math.sqrt(1 + len(self._marks[number]))
        return Suggestion(self._candidates[number], round(score / length, 4), reasons)


def rank(passages: Sequence[Sequence[Suggestion]]) -> list[tuple[str, float]]:
    """All suggested stories by their best and their summed scores: (URL, score), best first."""
    total: defaultdict[str, float] = defaultdict(float)
    for suggestions in passages:
        for suggestion in suggestions:
            total[suggestion.candidate.url] += suggestion.score
    return sorted(((url, round(score, 4)) for url, score in total.items()), key=lambda p: (-p[1], p[0]))


def _first(marks: Iterable[_Mark]) -> dict[tuple[str, str], str]:
    """Each mark once, with the span in which it came first."""
    found: dict[tuple[str, str], str] = {}
    for mark in marks:
        found.setdefault((mark.kind, mark.key), mark.span)
    return found


def _marks(text: str, language: str | None) -> Iterable[_Mark]:
    for word in spans(text):
        if word.folded.isdigit():
            if len(word.folded) > 1:
                yield _Mark("number", word.folded, word.text)
        elif len(word.folded) > 3:
            if word.text[0].isupper():
                yield _Mark("name", _skeleton(word.folded), word.text)
            yield _Mark("term", f"{language}:{word.folded[:STEM]}", word.text)


def _word(reason: Reason) -> str:
    """What a reason rests on, so that one word in two forms or kinds counts once."""
    return reason.brief if reason.kind == "number" else _skeleton(fold(reason.brief))


def _skeleton(folded: str) -> str:
    """The beginning of a name as any alphabet writes it, without doubled letters."""
    latin = "".join(_LATIN.get(letter, letter) for letter in folded)
    single = "".join(letter for i, letter in enumerate(latin) if i == 0 or letter != latin[i - 1])
    return single[:STEM]
