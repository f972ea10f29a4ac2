"""Numbers: the same thing counted, by the same people or in the same place, otherwise in the sources."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from aggregator.language.reading import Anchor
from aggregator.language.terms import stem
from aggregator.language.text import words
from aggregator.rules.checking.evidence import SAYING_LITTLE, Aligned, Claim, Wire, words_between
from aggregator.rules.checking.values import Check, Stretch
from aggregator.rules.checking.votes import Votes, doubted

#: Words between a number and what it counts.
HEAD_WORDS = 2
#: Words between a percentage and whose it is.
SUBJECT_WORDS = 5
#: What a sentence must hold of the brief's before its durations, prices and distances are compared.
SAME_CLAIM = 0.4
#: The same, where the counted word itself is the same.
SAME_COUNT = 0.2
#: Shares are the same within this many points, other amounts within this part.
POINTS = 0.6
PART = 0.02


def check_numbers(claims: Sequence[Claim], wire: Wire) -> Iterator[Check]:
    """Numbers that at least two agencies give otherwise, and nobody as the brief does."""
    for claim in claims:
        numbers = claim.anchors("number")
        aligned = wire.aligned(claim) if numbers else []
        for number in numbers:
            yield from _check(claim, number, aligned)


def _check(claim: Claim, number: Anchor, aligned: Sequence[Aligned]) -> Iterator[Check]:
    value, unit = amount(number.key)
    votes: Votes[float] = Votes()
    for one in sorted(aligned, key=lambda a: (-a.cover, a.telling.number)):
        for told in one.telling.within(one.stretch, "number"):
            other, other_unit = amount(told.key)
            if other_unit != unit or not _counts_the_same(claim, number, one, told):
                continue
            if is_rounded(value, other, unit):
                return
            if _is_same_claim(one, unit):
                votes.add(other, one.telling, (told.start, told.end))
    verdict = votes.verdict()
    if verdict is None:
        return
    words_ = claim.passage.text[number.start : number.end]
    says = verdict.words(claim.language)
    message = f"“{words_}”: {verdict.told_by} say “{says}”, and none the number of the brief."
    yield doubted("number", claim.passage, (number.start, number.end), says, verdict, message)


def _is_same_claim(aligned: Aligned, unit: str) -> bool:
    if unit in ("", "%"):
        return aligned.cover >= SAME_COUNT and aligned.entities >= 1
    return aligned.cover >= SAME_CLAIM and aligned.entities >= 1 and aligned.subjects >= 1


def amount(key: str) -> tuple[float, str]:
    """Value and unit of a number's key: 20.8% is 20.8 and "%"."""
    size = len(key)
    while size > 1 and not key[:size].replace(".", "", 1).replace("e+", "").isdigit():
        size -= 1
    return float(key[:size]), key[size:]


def is_rounded(one: float, other: float, unit: str) -> bool:
    """Whether two numbers can be the same one, told more or less exactly."""
    if abs(one - other) <= (POINTS if unit == "%" else PART * max(abs(one), abs(other))):
        return True
    if unit == "%":
        return False
    digits = min(_digits(one), _digits(other))
    return bool(
        {_cut(one, digits, way) for way in (0, 1)} & {_cut(other, digits, way) for way in (0, 1)}
    ) and (_digits(one) != _digits(other))


def _digits(value: float) -> int:
    """How many digits of a number say something: 1 of 300, 3 of 176."""
    return max(1, len(f"{value:.10g}".replace(".", "").strip("0")))


def _cut(value: float, digits: int, way: int) -> float:
    """The number to so many digits, down or to the nearest."""
    if value == 0:
        return 0.0
    unit: float = 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1)
    return round((math.floor(value / unit + 1e-9) if way == 0 else round(value / unit)) * unit, 6)


def _counts_the_same(claim: Claim, number: Anchor, aligned: Aligned, told: Anchor) -> bool:
    _, unit = amount(number.key)
    telling = aligned.telling
    if unit == "%":
        near = _near(claim.passage.text, claim.passage.anchors, number, SUBJECT_WORDS)
        return bool(near & _near(telling.text, telling.anchors, told, SUBJECT_WORDS))
    if unit:
        return True
    own = claim.passage.text, number
    if _heads(*own, claim.passage.anchors) & _heads(telling.text, told, telling.anchors):
        return True
    is_same_language = claim.language == telling.language
    return is_same_language and _word_after(*own, claim.language) == _word_after(
        telling.text, told, telling.language
    )


def _heads(text: str, number: Anchor, anchors: Sequence[Anchor]) -> set[str]:
    """What is counted: concepts right behind a number."""
    return {
        a.key
        for a in anchors
        if a.kind in ("concept", "role")
        and a.start >= number.end
        and words_between(text, _span(number), _span(a)) <= HEAD_WORDS
        and "." not in text[number.end : a.start]
    }


def _near(text: str, anchors: Sequence[Anchor], number: Anchor, reach: int) -> set[str]:
    """Who or what a share is of: organisations and telling words within reach."""
    return {
        a.key
        for a in anchors
        if a.kind in ("org", "name")
        and a.key not in SAYING_LITTLE
        and words_between(text, _span(number), _span(a)) <= reach
    }


def _word_after(text: str, number: Anchor, language: str) -> str:
    following = words(text[number.end : number.end + 40])
    return (
        stem(following[0], language)
        if following and not following[0].isdigit()
        else f"nothing at {number.end}"
    )


def _span(anchor: Anchor) -> Stretch:
    return anchor.start, anchor.end
