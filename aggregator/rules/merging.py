"""Two people write in one brief: what each of them changed, put together; and where passages went.

Both rest on what the texts share (Ratcliff and Obershelp's longest matching blocks, as `difflib`
has them), by line for texts and by paragraph for passages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

#: A paragraph that still says so much of what it said is the same one, reworded.
SAME_PASSAGE = 0.5


#: The end of a line, with the blank lines after it.
_GAP = re.compile(r"([ \t]*\n(?:[ \t]*\n)*)")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that says something."""

    words: str
    #: What parts it from the next one. It is no line of its own: blank lines, all alike, would be
    #: taken for each other, and a paragraph that both have would stand twice.
    gap: str


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
    found: list[_Line] = []
    clashes: list[Clash] = []
    begin_old, begin_one, begin_other = 0, 0, 0
    for end_old, end_one, end_other in _shared(old, one, other):
        gap = old[begin_old:end_old], one[begin_one:end_one], other[begin_other:end_other]
        kept, clash = _merged(*gap)
        found += kept
        if clash is not None:
            clashes.append(clash)
        if end_old < len(old):
            line, clash = _merged_line(old[end_old], one[end_one], other[end_other])
            found.append(line)
            clashes += [clash] if clash is not None else []
        begin_old, begin_one, begin_other = end_old + 1, end_one + 1, end_other + 1
    return MergedText(_text(found), tuple(clashes))


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


def _lines(text: str) -> list[_Line]:
    parts = [*_GAP.split(text.replace("\r\n", "\n").replace("\r", "\n")), ""]
    lines = [_Line(*pair) for pair in zip(parts[::2], parts[1::2], strict=True)]
    return lines if lines[-1].words else lines[:-1]


def _text(lines: Sequence[_Line]) -> str:
    # A line that was the last one and is so no more has nothing yet that parts it from the next.
    parted = [line.words + (line.gap if "\n" in line.gap else "\n\n") for line in lines[:-1]]
    return "".join([*parted, *(line.words + line.gap for line in lines[-1:])])


def _merged_line(old: _Line, one: _Line, other: _Line) -> tuple[_Line, Clash | None]:
    gap = other.gap if one.gap == old.gap else one.gap
    if one.words in (other.words, old.words):
        return _Line(other.words, gap), None
    if other.words == old.words:
        return _Line(one.words, gap), None
    return _Line(other.words, gap), Clash(old.words, one.words, other.words)


def _words(lines: Sequence[_Line]) -> list[str]:
    return [line.words for line in lines]


def _shared(old: Sequence[_Line], one: Sequence[_Line], other: Sequence[_Line]) -> list[tuple[int, int, int]]:
    """The lines that stand in all three, reworded or not, as their numbers in each; then the ends of all."""
    in_one, in_other = (_matches(_words(old), _words(new)) for new in (one, other))
    both = sorted(in_one.keys() & in_other.keys())
    return [*((line, in_one[line], in_other[line]) for line in both), (len(old), len(one), len(other))]


def _matches(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    # No line is junk, however often it stands there.
    found: dict[int, int] = {}
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for what, begin, end, new_begin, new_end in steps:
        if what == "equal" or end - begin == new_end - new_begin:
            found.update(zip(range(begin, end), range(new_begin, new_end), strict=True))
            continue
        for line in range(begin, end):
            # In their order, so that what stands between two lines stays between them.
            like = (n for n in range(new_begin, new_end) if _likeness(old[line], new[n]) >= SAME_PASSAGE)
            if (place := next(like, None)) is not None:
                found[line] = place
                new_begin = place + 1
    return found


def _merged(
    old: Sequence[_Line], one: Sequence[_Line], other: Sequence[_Line]
) -> tuple[Sequence[_Line], Clash | None]:
    if _words(one) in (_words(other), _words(old)):
        return other, None
    if _words(other) == _words(old):
        return one, None
    return other, Clash(*(_text(lines).strip() for lines in (old, one, other)))


def _likeness(one: str, other: str) -> float:
    """The share of words that two paragraphs have in common and in order, from 0 to 1."""
    return SequenceMatcher(None, one.split(), other.split(), autojunk=False).ratio()
