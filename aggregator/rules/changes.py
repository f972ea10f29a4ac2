"""What one text changed of another, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

from aggregator.language.reading import anchors
from aggregator.language.terms import is_common
from aggregator.language.text import words as folded_words

Kind = Literal["same", "gone", "new", "left_out"]

#: Words of what did not change that are shown before and behind what did.
AROUND = 12
#: Words between two changes that are shown whole, since leaving them out would spare nothing.
_BRIDGE = 2 * AROUND + 6
#: Words on one side that are compared one by one; of longer stretches, sentences are.
MOST_WORDS = 1_500
#: Characters of a text in which names and numbers are looked for.
MOST_READ = 20_000
#: Kinds of anchors that are facts by themselves.
_FACTS = frozenset({"name", "given", "place", "org", "number", "date"})
#: Characters of one stretch that are shown.
MOST_CHARACTERS = 1_200

#: A word with the space behind it. Signs of scripts without spaces are words by themselves.
_WORD = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]\s*"
    r"|[^\s\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]+\s*"
)
_SENTENCE = re.compile(r"[^.!?。！？؟\n]*[.!?。！？؟\n]*\s*")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a text against the one before it."""

    #: "left_out" stands for words that both have and that are not shown.
    kind: Kind
    text: str = ""
    #: A name, a place, a number or a date: what an editor looks at first.
    is_fact: bool = False


def changed(old: str, new: str) -> tuple[Stretch, ...]:
    """What `new` changed of `old`; empty where the words are the same.

    All that is "same" or "gone" is of the old text in its order, "same" and "new" of the new one.
    """
    before, after = _WORD.findall(old), _WORD.findall(new)
    start = _alike(before, after)
    end = _alike(before[start:][::-1], after[start:][::-1])
    inner = (before[start : len(before) - end], after[start : len(after) - end])
    if not any(inner):
        return ()
    stretches: list[tuple[Kind, Sequence[str]]] = [
        ("same", after[:start]),
        *_compared(*inner),
        ("same", after[len(after) - end :]),
    ]
    return tuple(_shown([(kind, words) for kind, words in stretches if words]))


def with_facts(stretches: Iterable[Stretch], old: str, new: str, language: str | None) -> Iterator[Stretch]:
    """The same stretches, with the names, places, numbers and dates apart in what went and what came."""
    facts = {"gone": _facts(old, language), "new": _facts(new, language)}
    for stretch in stretches:
        if stretch.kind not in facts:
            yield stretch
            continue
        said = _WORD.findall(stretch.text)
        for is_fact, some in groupby(said, key=lambda word: _is_among(word, facts[stretch.kind])):
            yield Stretch(stretch.kind, "".join(some), is_fact)


def _facts(text: str, language: str | None) -> frozenset[str]:
    """The words, folded, of every name, place, number and date that a text holds."""
    read = text[:MOST_READ]
    return frozenset(
        word
        for anchor in anchors(read, language or "")
        if anchor.kind in _FACTS
        for word in folded_words(read[anchor.start : anchor.end])
        if not is_common(word, language or "")
    )


def _is_among(said: str, facts: frozenset[str]) -> bool:
    return any(word in facts for word in folded_words(said))


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a.strip() != b.strip()), min(len(one), len(other)))


def _compared(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[Kind, Sequence[str]]]:
    if max(len(before), len(after)) > MOST_WORDS:
        before, after = _SENTENCE.findall("".join(before)), _SENTENCE.findall("".join(after))
        if max(len(before), len(after)) > MOST_WORDS:
            yield from (("gone", before), ("new", after))
            return
    bare_before, bare_after = [word.strip() for word in before], [word.strip() for word in after]
    for what, a, b, c, d in SequenceMatcher(None, bare_before, bare_after, autojunk=False).get_opcodes():
        if what == "equal":
            yield "same", after[c:d]
        else:
            yield "gone", before[a:b]
            yield "new", after[c:d]


def _shown(stretches: Sequence[tuple[Kind, Sequence[str]]]) -> Iterator[Stretch]:
    """The stretches, with what is the same over long ways left out."""
    for place, (kind, words) in enumerate(stretches):
        if kind != "same":
            yield Stretch(kind, _cut("".join(words)))
            continue
        lead = 0 if place == 0 else AROUND
        tail = 0 if place == len(stretches) - 1 else AROUND
        if len(words) <= lead + tail + _BRIDGE - 2 * AROUND:
            yield Stretch("same", _cut("".join(words)))
            continue
        if lead:
            yield Stretch("same", _cut("".join(words[:lead])))
        yield Stretch("left_out")
        if tail:
            yield Stretch("same", _cut("".join(words[-tail:])))


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
