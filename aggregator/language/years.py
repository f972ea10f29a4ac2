"""Which numbers of four digits are years, and which count something."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aggregator.language.intervals import LAST_YEAR
from aggregator.language.text import Word
from aggregator.language.units import SIGNS, SPANS, unit_of, vocabulary

#: Years before this one that stand alone are mostly amounts.
_FIRST_BARE_YEAR = 1900
YEAR_DIGITS = 4

_BARE_YEAR = re.compile(r"\d{4}[гр]?")
_BEFORE_ROUND = vocabulary(
    "in im seit since year until by en depuis desde nel dal w od do roku в у с з до na an annee anno ano jahr"
)
_BEHIND_ROUND = vocabulary("year roku rok года году год року рік")


def is_year(text: str, words: Sequence[Word], at: int) -> bool:
    """Whether a word is a year: four digits, and nothing about them that makes them an amount.

    2000 soldiers are an amount, so a round number needs a word that says what it is.
    """
    word = words[at]
    if not _BARE_YEAR.fullmatch(word.folded) or not _is_of_news(int(word.folded[:YEAR_DIGITS])):
        return False
    if (
        text[max(0, word.start - 3) : word.start].rstrip()[-1:] in {*SIGNS, "+"}
        or text[word.end : word.end + 3].lstrip()[:1] in SIGNS
    ):
        return False
    # 1990-х and 1.2025 are a decade and a part of a number.
    if (
        text[word.start - 1 : word.start] in {".", ","}
        and text[max(0, word.start - 2) : word.start - 1].isdecimal()
    ):
        return False
    behind = (
        words[at + 1].folded if at + 1 < len(words) and text[word.end : words[at + 1].start] == " " else ""
    )
    before = words[at - 1].folded if at else ""
    if word.folded[2:4] == "00" and behind and behind not in _BEHIND_ROUND:
        return before in _BEFORE_ROUND
    return unit_of(behind) in {"", *SPANS} or before in _BEFORE_ROUND


def _is_of_news(year: int) -> bool:
    return _FIRST_BARE_YEAR <= year <= LAST_YEAR
