"""A text as one line of folded words, for patterns that speak of words and not of signs.

One space stands between words; a dash between two numbers stays, and ` | ` stands where a sentence
or a bracket ends, so that no pattern reads across it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.language.text import Word

#: Languages that write ordinals with a full stop: 18. Februar.
ORDINAL_STOP = frozenset({"de", "pl", "cs", "tr"})

_DASH = re.compile(r"\s?[-\u2010-\u2014]\s?")
#: What may stand between two words of one expression. Abbreviations end in a full stop.
_SOFT = re.compile(r"[\s\u200e\u200f]*[-\u2010-\u2014.,'’°/()\s]{0,2}[\s\u200e\u200f(]*")


@dataclass(frozen=True, slots=True)
class Line:
    """The words of a text with the way back from the line to them."""

    text: str
    #: The text that it was made of.
    source: str
    #: Words by where they begin and end in the line.
    starting: dict[int, int]
    ending: dict[int, int]
    words: Sequence[Word]

    def first(self, match: re.Match[str], group: str | int = 0) -> Word:
        """The word that a match, or a group of it, begins with."""
        start = match.start(group)
        while start not in self.starting and start > 0:
            start -= 1
        return self.words[self.starting[start]]

    def last(self, match: re.Match[str], group: str | int = 0) -> Word:
        """The word that a match, or a group of it, ends with."""
        end = match.end(group)
        # A group may end within its word: the day of "4th".
        while end not in self.ending and end < len(self.text):
            end += 1
        return self.words[self.ending[end]]

    def is_close(self, match: re.Match[str], group: str) -> bool:
        """True where a group was matched with no comma before it."""
        if match[group] is None:
            return False
        word = self.first(match, group)
        return "," not in self.source[max(0, word.start - 2) : word.start]

    def opens(self, match: re.Match[str], group: str | int = 0) -> bool:
        """True where a match, or a group of it, begins a sentence or what a mark set apart."""
        start = match.start(group)
        return start == 0 or self.text.endswith("| ", 0, start)


def as_line(text: str, words: Sequence[Word], language: str | None) -> Line:
    """The line of a text; `words` are its `text.spans`."""
    pieces: list[str] = []
    starting: dict[int, int] = {}
    ending: dict[int, int] = {}
    at = 0
    for number, word in enumerate(words):
        if number:
            joint = _joint(text, words[number - 1], word, language)
            pieces.append(joint)
            at += len(joint)
        starting[at] = number
        pieces.append(word.folded)
        at += len(word.folded)
        ending[at] = number
    return Line("".join(pieces), text, starting, ending, words)


def _joint(text: str, before: Word, word: Word, language: str | None) -> str:
    gap = text[before.end : word.start]
    if gap == " ":
        return " "
    in_digits = before.folded[-1].isdecimal()
    if in_digits and word.folded[0].isdecimal() and _DASH.fullmatch(gap):
        return " - "
    if in_digits and gap.startswith(".") and language not in ORDINAL_STOP:
        return " | "
    return " " if _SOFT.fullmatch(gap) else " | "


def is_near(text: str, end: int, word: Word) -> bool:
    """True where a word follows with nothing but a space or a hyphen between."""
    return text[end : word.start].strip(" \u00a0\u202f\u2009-\u2010\u2011'’\n") == ""
