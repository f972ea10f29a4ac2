"""Two people write in one brief: what each of them changed, put together; and where passages went.

Both rest on what the texts share (Ratcliff and Obershelp's longest matching blocks, as `difflib`
has them), by line for texts and by paragraph for passages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

#: A paragraph that still says so much of what it said is the same one, reworded.
SAME_PASSAGE = 0.5


@dataclass(frozen=True, slots=True)
class Clash:
    """A place that both changed, each in another way."""

    #: What stood there when both began; "" where both added something.
    base: str
    mine: str
    theirs: str


@dataclass(frozen=True, slots=True)
class MergedText:
    """Two versions of one text, put together."""

    #: Where both changed the same place it has theirs, which is what others have seen already.
    text: str
    clashes: tuple[Clash, ...]


def merge(base: str, mine: str, theirs: str) -> MergedText:
    """What `mine` and `theirs` each changed of `base`, in one text.

    A line that one of them changed is as they have it; lines that both changed in the same way
    are no clash. Line ends are taken as "\\n".
    """
    old, one, other = (_lines(text) for text in (base, mine, theirs))
    found: list[str] = []
    clashes: list[Clash] = []
    begin_old, begin_one, begin_other = 0, 0, 0
    for end_old, end_one, end_other in _shared(old, one, other):
        gap = old[begin_old:end_old], one[begin_one:end_one], other[begin_other:end_other]
        kept, clash = _merged(*gap)
        found += kept
        if clash is not None:
            clashes.append(clash)
        if end_old < len(old):
            found.append(old[end_old])
        begin_old, begin_one, begin_other = end_old + 1, end_one + 1, end_other + 1
    return MergedText("\n".join(found), tuple(clashes))


def moved(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str | None]:
    """Where each passage went: its id in `after` by its id in `before`, None where it is gone.

    Both are texts by id, in order. Paragraphs that say the same are found wherever they stand;
    one that was reworded is found between its neighbours, or else anywhere. "p0", the title,
    stays the title.
    """
    found: dict[str, str | None] = {"p0": "p0"} if "p0" in before and "p0" in after else {}
    free = {id: text for id, text in after.items() if id not in found.values()}
    for id, text in before.items():
        same = next((other for other, said in free.items() if said == text), None)
        if id not in found and same is not None:
            found[id] = same
            del free[same]
    left = [(id, text) for id, text in before.items() if id not in found]
    likeness = [
        (_likeness(text, said), -number, id, other)
        for number, (id, text) in enumerate(left)
        for other, said in free.items()
    ]
    for like, _, id, other in sorted(likeness, reverse=True):
        if like >= SAME_PASSAGE and id not in found and other in free:
            found[id] = other
            del free[other]
    return {id: found.get(id) for id in before}


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _shared(old: Sequence[str], one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int, int]]:
    """The lines that stand in all three, as their numbers in each; then the ends of all."""
    in_one, in_other = _matches(old, one), _matches(old, other)
    both = sorted(in_one.keys() & in_other.keys())
    return [*((line, in_one[line], in_other[line]) for line in both), (len(old), len(one), len(other))]


def _matches(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    # No line is junk: a blank one is where paragraphs part.
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return {block.a + step: block.b + step for block in blocks for step in range(block.size)}


def _merged(
    old: Sequence[str], one: Sequence[str], other: Sequence[str]
) -> tuple[Sequence[str], Clash | None]:
    if one in (other, old):
        return other, None
    if other == old:
        return one, None
    return other, Clash("\n".join(old), "\n".join(one), "\n".join(other))


def _likeness(one: str, other: str) -> float:
    """The share of words that two paragraphs have in common and in order, from 0 to 1."""
    return SequenceMatcher(None, one.split(), other.split(), autojunk=False).ratio()
