"""Newsmakers' names across languages and alphabets: do two spellings name one person?

Two stages. `codes` gives the skeletons of a name, its consonants in broad classes: spellings
of one name share at least one, so an index finds them. `same_name` then compares the sounds
themselves, graded, since a skeleton alone finds a Payton for every Putin. Everything is by
rule; no list of persons stands behind it. Written after the way of the JRC's name matching
(transliterate, normalise, drop vowels, compare), with sounds instead of letters.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import product

from aggregator.language.orthography import LOOSE_SCRIPTS, readings, rows, script_of, stems
from aggregator.language.text import fold

#: Similarity from which two names are one, by the consonants in their skeleton: short names
#: are soon alike by chance.
THRESHOLDS = {0: 0.96, 1: 0.95, 2: 0.935, 3: 0.92}
THRESHOLD = 0.90
#: A script without vowels proves less still by two consonants.
LOOSE_SHORT = 0.95
#: Readings of each name that are compared when no skeleton is shared.
_FIRST = 3
#: Skeletons of fewer consonants are short.
_SHORT = 3

_VOWELS = "aeiou"
_CLASSES = str.maketrans("zcSZCDfXghw", "ssssssvhhhv")
#: A glide before a vowel is mostly a softened consonant; after one it is half a vowel.
_SOFTENED = re.compile(r"i(?=[aeou])")
_GLIDE = re.compile(r"(?<=[aeou])i")
_DOUBLE = re.compile(r"(.)\1+")
_LAST_VOWELS = re.compile(r"[aeiouj]+$")

#: What it costs to take one vowel for another; .6 where nothing stands here.
_VOWEL_COSTS = {"ei": 0.15, "ou": 0.2, "ao": 0.25, "ae": 0.25, "eo": 0.35, "au": 0.4}
#: Sounds that newsrooms take for one another when they respell.
_KIN = ("szcD", "SZCDcs", "vf", "gXh", "zZ", "bp", "dt", "kg", "lr", "mn")
_KIN_COST = 0.3
_NEAR_KIN = {"Xh": 0.1, "gh": 0.2, "cz": 0.2}
#: A glide lost, and taken for a vowel of its own.
_GLIDE_LOST = 0.25
#: Voiced for unvoiced, l for r: only scripts without the letter do that.
_FAR_KIN = ("bp", "dt", "kg", "lr", "mn")
_VOWEL_LOST = 0.5
_LAST_VOWEL = 0.15
#: Vowels of scripts that write few, or add some, count this much.
_LOOSE = 0.3


def codes(name: str, language: str | None) -> frozenset[str]:
    """The index keys of one name: its consonants in broad classes, `A` first where a vowel begins it.

    Several where letters may sound in several ways; none for a text without letters. The
    language is that of the text around the name, None where it is not known.
    """
    return frozenset(_by_code(name, language))


@lru_cache(maxsize=1 << 12)
def _by_code(name: str, language: str | None) -> dict[str, tuple[str, ...]]:
    """The sounds of a name as they are compared, by skeleton."""
    found: dict[str, dict[str, None]] = {}
    for reading in readings(name, language):
        found.setdefault(_skeleton(reading), {})[_fine(reading)] = None
    found.pop("", None)
    return {code: tuple(sounds) for code, sounds in found.items()}


def _skeleton(reading: str) -> str:
    # Only one sound written twice is one: Pezeshkian has two sibilants even where no vowel is written.
    body = _DOUBLE.sub(r"\1", reading.replace("SC", "S")).translate(_CLASSES)
    first = "A" if body[:1] in _VOWELS else ""
    return first + "".join(sound for sound in body if sound not in _VOWELS)


def _fine(reading: str) -> str:
    single = _SOFTENED.sub("", _DOUBLE.sub(r"\1", reading))
    return _DOUBLE.sub(r"\1", _GLIDE.sub("j", single))


def similarity(a: str, language_a: str | None, b: str, language_b: str | None) -> float:
    """How alike two names sound, from 0 (not at all) to 1 (the same); symmetric."""
    if a == b:
        return 1.0
    left, right = _by_code(a, language_a), _by_code(b, language_b)
    loose = _is_loose(a) or _is_loose(b)
    return max((_alike(p, q, loose) for p, q in _pairs(left, right)), default=0.0)


def _pairs(left: dict[str, tuple[str, ...]], right: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """The readings to compare: those that share a skeleton, or the likeliest where none does."""
    if shared := left.keys() & right.keys():
        return [pair for code in shared for pair in product(left[code], right[code])]
    return list(product(_likeliest(left), _likeliest(right)))


def _likeliest(by_code: dict[str, tuple[str, ...]]) -> list[str]:
    return [sounds[0] for sounds in list(by_code.values())[:_FIRST]]


def same_name(a: str, language_a: str | None, b: str, language_b: str | None) -> bool:
    """True where two spellings are of one name: a skeleton is shared, and the sounds are alike.

    It is one name, not yet one person: a given name, an office or a second name decides that.
    """
    if a == b:
        return True
    left, right = codes(a, language_a), codes(b, language_b)
    if left.isdisjoint(right):
        return False
    short = max(len(code.lstrip("A")) for code in left & right)
    least = THRESHOLDS.get(short, THRESHOLD)
    if short < _SHORT and (_is_loose(a) or _is_loose(b)):
        least = LOOSE_SHORT
    return similarity(a, language_a, b, language_b) >= least


def _is_loose(name: str) -> bool:
    return script_of(name) in LOOSE_SCRIPTS


def _alike(a: str, b: str, loose: bool) -> float:
    if a == b:
        return 1.0
    return _graded(a, b, loose) if a < b else _graded(b, a, loose)


@lru_cache(maxsize=1 << 16)
def _graded(a: str, b: str, loose: bool) -> float:
    """1 less the weighted edit distance by the longer one's length; last vowels count little."""
    head, tail = _LAST_VOWELS.sub("", a), _LAST_VOWELS.sub("", b)
    last = 0.0 if a[len(head) :] == b[len(tail) :] else _LAST_VOWEL * (_LOOSE if loose else 1)
    length = max(len(a), len(b))
    return max(0.0, 1 - (_distance(head, tail, loose) + last) / length)


def _distance(a: str, b: str, loose: bool) -> float:
    lost, costs = _costs(loose)
    before = [0.0]
    for sound in b:
        before.append(before[-1] + lost[sound])
    for x in a:
        row, gone, cost_of = [before[0] + lost[x]], lost[x], costs[x]
        for at, y in enumerate(b):
            here = before[at] + cost_of[y]
            if (skipped := before[at + 1] + gone) < here:
                here = skipped
            if (added := row[at] + lost[y]) < here:
                here = added
            row.append(here)
        before = row
    return before[-1]


@cache
def _costs(loose: bool) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """What losing a sound costs, and taking one for another."""
    sounds = "abcdefghijklmnopqrstuvwxyzSZCDX"
    vowels = _LOOSE if loose else 1.0
    lost = {sound: _VOWEL_LOST * vowels if sound in _VOWELS else 1.0 for sound in sounds}
    lost["j"] = _GLIDE_LOST * vowels
    return lost, {x: {y: _cost(x, y, vowels) for y in sounds} for x in sounds}


def _cost(x: str, y: str, vowels: float) -> float:
    if x == y:
        return 0.0
    if x in _VOWELS and y in _VOWELS:
        return _VOWEL_COSTS.get("".join(sorted(x + y)), 0.6) * vowels
    if "j" in (x, y) and (x in _VOWELS or y in _VOWELS):
        return _GLIDE_LOST * vowels
    if x in _VOWELS or y in _VOWELS:
        return 1.3
    kin = [group for group in _KIN if x in group and y in group]
    if not kin or all(group in _FAR_KIN for group in kin):
        return 1.0
    near = "".join(sorted(x + y))
    return _NEAR_KIN.get(near, _KIN_COST) * (0.5 if vowels < 1 else 1)


@cache
def _given() -> tuple[dict[str, int], dict[int, frozenset[str]]]:
    """Given names: the rows that each form stands in, and each row's counterparts next door."""
    found: dict[str, int] = {}
    counterparts: dict[int, frozenset[str]] = {}
    for number, (forms, *others) in enumerate(rows("given")):
        for form in forms.split():
            found.setdefault(fold(form), number)
        counterparts[number] = frozenset(fold(other) for cell in others for other in cell.split())
    return found, counterparts


def is_given(name: str, language: str | None = None) -> bool:
    """True for a common given name or its short form, in any case: Mike, Donaldem, Володимира."""
    table = _given()[0]
    return any(stem in table for stem in stems(fold(name), language))


def same_given(a: str, b: str) -> bool:
    """True where two given names may be one person's: Mike and Michael, V. and Vladimir.

    Volodymyr and Vladimir are two names in Latin letters. Where one of them is in Cyrillic
    they may be one person's, since Russian and Ukrainian papers translate given names.
    """
    left, right = fold(a).strip(". "), fold(b).strip(". ")
    if left == right:
        return True
    if min(len(left), len(right)) == 1:
        return _initial(left) & _initial(right) != set()
    table, counterparts = _given()
    if left not in table or right not in table:
        return same_name(a, None, b, None)
    here, there = table[left], table[right]
    if here == there:
        return True
    translated = any(table.get(name) == there for name in counterparts[here])
    translated = translated or any(table.get(name) == here for name in counterparts[there])
    return translated and "cyrillic" in (script_of(left), script_of(right))


def _initial(name: str) -> set[str]:
    return {code[:1] for code in codes(name, None)} | {name[:1]}
