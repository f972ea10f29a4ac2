"""What one text changed of another, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Kind = Literal["same", "gone", "new", "left_out"]

#: Words of what did not change that are shown before and behind what did.
AROUND = 12
#: Words between two changes that are shown whole, since leaving them out would spare nothing.
_BRIDGE = 2 * AROUND + 6
#: Words on one side that are compared one by one; of longer stretches, sentences are.
MOST_WORDS = 1_500
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
