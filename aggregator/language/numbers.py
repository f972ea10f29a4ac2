"""Amounts that a text names: value and unit, in digits or in words.

"2,5 Millionen Euro", "176 drones", "trois cents", "20,8 %", "дві третини" come to the same number
in any language. Years, days, ordinals and times of day are no amounts.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from aggregator.language.date_words import calendar
from aggregator.language.lines import ORDINAL_STOP
from aggregator.language.number_words import (
    JOINTS,
    scale,
    share_words,
    shares,
)
from aggregator.language.spelled_numbers import Bare, Wire, halves_at, number_vocabulary, spelled
from aggregator.language.terms import is_common
from aggregator.language.text import Word, fold, spans
from aggregator.language.units import MONEY, SIGNS, SPANS, unit_in, unit_of, vocabulary
from aggregator.language.years import is_year


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit."""

    value: float
    #: "%", "pp", "USD", "EUR", "GBP", "RUB", "UAH", "PLN", "km", "h", … or "" for a count.
    unit: str
    start: int
    end: int
    #: The word that is counted, folded; "" where none follows.
    head: str = ""

    @property
    def key(self) -> str:
        """The same for the same amount in any language."""
        return f"{self.value:.14g}{self.unit}"


_SPACES = " \u00a0\u202f\u2009"
_DIGITS = re.compile(
    rf"(?<![^\W\u2e80-\uffff])(?<![.,])(?<![^\W\d][-\u2010\u2011])"
    rf"(?P<digits>\d{{1,3}}(?:[{_SPACES}'’.,]\d{{3}})+(?:[.,]\d{{1,2}})?(?!\d)|\d+(?:[.,]\d+)?)(?P<glued>[^\W\d_]*)"
)
#: Half past nine, 18.02., 2025-02-18, scores, and numbers with a stroke are no amounts.
_NO_AMOUNT = re.compile(
    r"\d{1,2}[:h]\d{2}|\d{1,2}:\d{1,2}|\d{1,4}([./-])\d{1,2}\1\d{1,4}|\d{1,2}\.\d{1,2}\.|\d+/\d+|\d+[年月日号]"
)
_CYRILLIC_ORDINAL = re.compile(
    r"[-\u2010\u2011](?:о?го|о?му|о?м|и?й|ая|я|ою|ю|е|х|та|те|ту|а|і|ї|у|ий|ій|ти|ых|их)\b"
)
_ORDINAL_STOP = re.compile(rf"\.[{_SPACES}][^\W\d_]")
_NO_UNIT_TIMES = vocabulary("am pm uhr oclock klock")
_CLOCK = vocabulary("godz godzinie godzina godzine godziny uhr")
_GLUED = {"k": 1e3, "bn": 1e9, "mn": 1e6, "mln": 1e6, "tn": 1e12, "mrd": 1e9, "md": 1e9, "mld": 1e9}
_HAN = {"万": 1e4, "萬": 1e4, "亿": 1e8, "億": 1e8, "百": 1e2, "千": 1e3}
#: From ten to twenty: what may stand between the two ends of a range.
_TO = frozenset(
    {"-", "‐", "‑", "–", "—", "to", "à", "bis", "a", "al", "do", "до", "по", "tot", "até", "till"}
)
_AND = frozenset({"and", "et", "und", "y", "e", "i", "a", "и", "та", "і", "й", "en"})
_BETWEEN = vocabulary("between entre zwischen tra fra miedzy pomiedzy между між tussen")
#: Behind metres.
_LENGTHS = vocabulary(
    "tall high long deep wide away below above sprint race final title freestyle hurdles relay"
)
#: A head stands at most so many words behind.
_HEAD_WITHIN = 4
_OF = frozenset({"de", "d", "di", "of", "us"})


def read_numbers(text: str, language: str | None, *, words: Sequence[Word] | None = None) -> list[Amount]:
    """Every amount that a text names, in order, none within another.

    `words` are the text's `text.spans`, for callers that have them.
    """
    wire = Wire(text, spans(text) if words is None else words, language)
    read = [(bare, _measured(wire, bare)) for bare in sorted(_bare(wire), key=lambda bare: bare.start)]
    found = _ranges(wire, [(bare, amount) for bare, amount in read if _is_kept(bare, amount)])
    return _apart(sorted([*found, *_shares(wire)], key=lambda a: (a.start, -a.end)))


def _bare(wire: Wire) -> Iterator[Bare]:
    if not number_vocabulary(wire.language).isdisjoint(word.folded for word in wire.words):
        yield from spelled(wire)
    if any(map(str.isdecimal, wire.text)):
        yield from _in_digits(wire)


def _is_kept(bare: Bare, amount: Amount) -> bool:
    """A bare "one" is an article, unless it measures something."""
    return (
        bare.value != 1 or amount.value != 1 or amount.unit not in {"", *SPANS} or bare.end - bare.start == 1
    )


def _apart(ordered: Sequence[Amount]) -> list[Amount]:
    kept: list[Amount] = []
    for amount in ordered:
        if not kept or kept[-1].end <= amount.start:
            kept.append(amount)
    return kept


def _in_digits(wire: Wire) -> Iterator[Bare]:
    none = {at for match in _NO_AMOUNT.finditer(wire.text) for at in range(*match.span())}
    starts = [word.start for word in wire.words]
    for match in _DIGITS.finditer(wire.text):
        if match.start() in none:
            continue
        first = bisect_left(starts, match.start())
        bare = _from_digits(wire, match, bisect_left(starts, match.end("digits")))
        if bare is not None and not _is_ordinal(wire, match) and not _is_time(wire, first, bare.next):
            yield bare


def _from_digits(wire: Wire, match: re.Match[str], following: int) -> Bare | None:
    """Glued letters say a scale or a unit (40k, 12km), or that it is no amount (5G, 18th)."""
    value, (start, end) = number(match["digits"]), match.span("digits")
    glued = match["glued"]
    if not glued:
        return Bare(value, start, end, following)
    if glued[0] in _HAN:
        return Bare(value * _HAN[glued[0]], start, end + 1, following + 1)
    if ord(glued[0]) >= 0x2E80:
        return Bare(value, start, end, following)
    folded = fold(glued)
    if folded == "m":
        return Bare(value, start, match.end(), following, is_short_million=True)
    if factor := _GLUED.get(folded, 0.0):
        return Bare(value * factor, start, match.end(), following)
    unit = unit_of(folded) if len(folded) > 1 else ""
    return Bare(value, start, match.end(), following, unit=unit) if unit else None


def _is_ordinal(wire: Wire, match: re.Match[str]) -> bool:
    if _CYRILLIC_ORDINAL.match(wire.text, match.end()):
        return True
    stops = wire.language in ORDINAL_STOP and len(match["digits"]) <= 3
    return stops and _ORDINAL_STOP.match(wire.text, match.end()) is not None


def _is_time(wire: Wire, first: int, following: int) -> bool:
    """A year, a day beside its month, or a time of day."""
    if first >= len(wire.words):
        return False
    if is_year(wire.text, wire.words, first):
        return True
    before, after = wire.folded(first - 1), wire.folded(following)
    if after in _NO_UNIT_TIMES or before in _CLOCK:
        return True
    if after in JOINTS or after in _OF:
        after = wire.folded(following + 1)
    months = calendar(wire.language).months
    is_day = len(wire.folded(first)) <= 2
    return is_day and (after in months or (wire.language == "en" and before in months))


def number(digits: str) -> float:
    """1,500 · 1.500 · 1 500 · 2,5 · 20.8: three digits behind a mark are thousands."""
    bare = re.sub(rf"[{_SPACES}'’]", "", digits)
    if re.fullmatch(r"[1-9]\d{0,2}(?:[.,]\d{3})+", bare):
        return float(re.sub(r"[.,]", "", bare))
    whole, mark, rest = bare.replace(",", ".").rpartition(".")
    return float(f"{whole.replace('.', '')}.{rest}" if mark else rest)


def _measured(wire: Wire, bare: Bare) -> Amount:
    """With its scale, its unit, and the word that is counted."""
    value, end, at = bare.value, bare.end, bare.next
    if bare.unit:
        return Amount(value, bare.unit, bare.start, end, _head(wire, end, at))
    if halves := halves_at(wire, at) if wire.follows(end, at) else 0:
        value, end, at = value + 0.5, wire.words[at + halves - 1].end, at + halves
    while wire.follows(end, at) and (factor := scale(wire.folded(at), wire.language)):
        value, end, at = value * factor, wire.words[at].end, at + 1
        if (
            wire.text[end : end + 1] == "."
            and len(wire.words[at - 1].text) <= 4
            and wire.text[end + 1 : end + 2] in _SPACES
        ):
            end += 1
    return _with_sign(wire, replace(bare, value=value, end=end, next=at)) or _with_word(
        wire, value, bare.start, end, at
    )


def _with_sign(wire: Wire, bare: Bare) -> Amount | None:
    text, (start, end) = wire.text, (bare.start, bare.end)
    before = text[max(0, start - 2) : start].rstrip(_SPACES)[-1:]
    after = text[end : end + 2].lstrip(_SPACES)[:1]
    value = bare.value * (1e6 if bare.is_short_million and {before, after} & SIGNS.keys() else 1)
    # Only Turkish writes the per cent sign first.
    if (unit := SIGNS.get(before)) and (unit != "%" or wire.language == "tr"):
        return Amount(
            value, unit, text.rindex(before, 0, start), _trimmed(text, end), _head(wire, end, bare.next)
        )
    if unit := SIGNS.get(after):
        end = text.index(after, end) + 1
        return Amount(value, unit, start, end, _head(wire, end, bare.next))
    if not bare.is_short_million:
        return None
    head = _head(wire, end, bare.next)
    if wire.language == "en" and head and head not in _LENGTHS and wire.follows(end, bare.next):
        return Amount(bare.value * 1e6, "", start, end, head)
    return Amount(bare.value, "m", start, end, head)


def _trimmed(text: str, end: int) -> int:
    return end - 1 if text[end - 1] == "." else end


def _with_word(wire: Wire, value: float, start: int, end: int, at: int) -> Amount:
    following = wire.ahead(end, at, 4)
    skipped = 1 if following and following[0] in _OF else 0
    unit, length = unit_in(following[skipped:])
    if not length or (skipped and unit not in MONEY):
        return Amount(value, "", start, _trimmed(wire.text, end), _head(wire, end, at))
    at += skipped + length
    end = wire.words[at - 1].end
    if halves := halves_at(wire, at) if wire.follows(end, at) else 0:
        # Quatre heures et demie.
        value, at = value + 0.5, at + halves
        end = wire.words[at - 1].end
    return Amount(value, unit, start, end, _head(wire, end, at))


def _head(wire: Wire, end: int, at: int) -> str:
    """The first word behind that says something, within the clause."""
    for word in wire.words[at : at + _HEAD_WITHIN]:
        if wire.text[end : word.start].strip(_SPACES + "-'’\n\u2010\u2011"):
            return ""
        if not is_common(word.folded, wire.language or ""):
            return word.folded
        end = word.end
    return ""


def _ranges(wire: Wire, read: Sequence[tuple[Bare, Amount]]) -> list[Amount]:
    """20-30 %, between two and three million: the first end is measured like the second."""
    found = [amount for _, amount in read]
    for at in range(len(found) - 1):
        (bare, amount), (next_bare, following) = read[at], read[at + 1]
        if amount.unit or amount.value != bare.value or not _is_range(wire, amount, following):
            continue
        factor = following.value / next_bare.value if next_bare.value else 1.0
        factor = factor if factor >= 1e3 else 1.0
        found[at] = replace(amount, value=amount.value * factor, unit=following.unit, head=following.head)
    return found


def _is_range(wire: Wire, amount: Amount, following: Amount) -> bool:
    between = wire.text[amount.end : following.start].strip(_SPACES + "€$£").lower()
    before = wire.text[max(0, amount.start - 20) : amount.start].split()[-1:] if between in _AND else []
    return between in _TO or (bool(before) and fold(before[0]) in _BETWEEN)


def _shares(wire: Wire) -> Iterator[Amount]:
    """Two thirds, la moitié: as per cent."""
    if share_words().isdisjoint(word.folded for word in wire.words):
        return
    line = " ".join(word.folded for word in wire.words)
    for value, pattern in shares():
        for match in pattern.finditer(line):
            first = line[: match.start()].count(" ")
            last = first + match[0].count(" ")
            start, end = wire.words[first].start, wire.words[last].end
            yield Amount(value, "%", start, end, _head(wire, end, last + 1))
