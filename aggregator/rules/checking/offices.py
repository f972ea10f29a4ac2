"""Offices: what somebody is, and whose spokesman, as the sources have it.

Where an office may belong to another ("the president's adviser"), it can support the brief and
never speaks against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from aggregator.language.lexicon import read_attributes
from aggregator.language.places import places
from aggregator.language.reading import lexicons
from aggregator.language.terms import is_common
from aggregator.language.text import spans
from aggregator.rules.checking.evidence import Claim, Mention, Telling, Wire, split
from aggregator.rules.checking.houses import house_before, houses_in
from aggregator.rules.checking.values import Check, Stretch
from aggregator.rules.checking.votes import Votes, doubted

#: Characters before and after a name in which its office is looked for.
BEFORE, AFTER = 110, 80
#: Words between an office and its name.
MOST_WORDS = 7
#: Characters before an office in which its house may stand: "Foreign Ministry spokesman".
HOUSE = 30

#: Words that make another office of it: a former president is none.
CHANGING = frozenset({"former", "acting", "designate", "deputy", "candidate", "deputy_minister", "deputy_pm"})
#: Families of office that one person may hold together, or that papers take for one another.
TOGETHER = (
    frozenset({"president", "pm", "chancellor"}),
    frozenset({"envoy", "nsa"}),
    frozenset({"finance", "economy"}),
)
#: The family of those who speak for a house.
SPOKES = "spokes"
#: Languages that put the office first and its owner behind: "porte-parole du président".
_HEAD_FIRST = frozenset({"fr", "es", "it", "pl", "ru", "uk", "pt"})
_CASED = frozenset({"pl", "ru", "uk"})
_OBLIQUE = re.compile(r"(?:а|я|у|ю|ом|ем|ым|им|ого|его|ому|a|u|em|ego|emu|im|ym)$")
_SIGN = re.compile(r"[;:.!?()«»“”„\n]|\s[–—-]\s")


@dataclass(frozen=True, slots=True)
class Office:
    """An office at a name."""

    family: str
    span: Stretch


@dataclass(frozen=True, slots=True)
class Held:
    """What a text says somebody is."""

    #: The office that is surely meant; None where it may be another's.
    sure: Office | None
    #: Every family that it may mean.
    possible: frozenset[str]
    #: From the first office to the name or the other way round.
    span: Stretch
    #: Whose spokesman: keys of `houses`.
    houses: frozenset[str]


def check_offices(claims: Sequence[Claim], wire: Wire) -> Iterator[Check]:
    """Offices that at least two agencies give otherwise, and nobody as the brief does."""
    for claim in claims:
        for mention in claim.mentions:
            own = held(claim.passage.text, mention, (claim.start, claim.end), claim.language)
            if own is not None and own.sure is not None and len(mention.name) > 3:
                yield from _check(claim, mention, own, own.sure, wire)


def _check(claim: Claim, mention: Mention, own: Held, office: Office, wire: Wire) -> Iterator[Check]:
    votes: Votes[str] = Votes()
    possible: set[str] = set()
    for telling, other in wire.of_person(mention, claim.language):
        told = _held_in(telling, other)
        if told is None:
            continue
        if own.houses and told.sure is not None and told.sure.family == SPOKES:
            possible |= told.houses
            if len(told.houses) == 1:
                votes.add(next(iter(told.houses)), telling, told.span)
            continue
        possible |= told.possible
        if told.sure is not None:
            votes.add(told.sure.family, telling, told.span)
    verdict = votes.verdict()
    mine = own.houses if own.houses and office.family == SPOKES else frozenset({office.family})
    if verdict is None or possible & _with_kin(mine) or verdict.value in _with_kin(mine):
        return
    says = verdict.words(claim.language)
    words = claim.passage.text[own.span[0] : own.span[1]]
    message = f"“{words}”: {verdict.told_by} have “{says}”, and none the office of the brief."
    yield doubted("role", claim.passage, own.span, says, verdict, message)


def _with_kin(families: frozenset[str]) -> frozenset[str]:
    return families.union(*(kin for kin in TOGETHER if kin & families))


def _held_in(telling: Telling, mention: Mention) -> Held | None:
    return held(telling.text, mention, telling.sentence(mention.start), telling.language)


@lru_cache(maxsize=1 << 13)
def held(text: str, mention: Mention, sentence: Stretch, language: str) -> Held | None:
    """What a sentence says that somebody is; None where it does not say."""
    return _before(text, mention, sentence, language) or _after(text, mention, sentence, language)


def _before(text: str, mention: Mention, sentence: Stretch, language: str) -> Held | None:
    """The Kremlin's spokesman Dmitry Peskov · Le secrétaire à la Défense, Pete Hegseth."""
    floor = max(sentence[0], mention.first - BEFORE)
    chain: list[tuple[str, Stretch]] = []
    edge = mention.first
    for key, span in reversed(_offices(text, (floor, mention.first), language)):
        if not _leads(text, (span[1], edge), language):
            break
        chain.insert(0, (key, span))
        edge = span[0]
    if not chain:
        return None
    has_comma = "," in text[chain[-1][1][1] : mention.first]
    first = chain[0][1][0]
    around = (max(floor, first - HOUSE), mention.end)
    whole = (house_before(text, around[0], first), mention.end)
    return _as_held(text, chain, whole, around, _nearest(chain, mention, language, has_comma))


def _nearest(
    chain: Sequence[tuple[str, Stretch]], mention: Mention, language: str, has_comma: bool
) -> int | None:
    """Which of several offices in a row is the name's; None where that is open."""
    if len(chain) == 1 or language not in _HEAD_FIRST:
        return -1
    if has_comma:
        return 0
    if language in _CASED:
        return None if _OBLIQUE.search(mention.name) else 0
    return -1


def _after(text: str, mention: Mention, sentence: Stretch, language: str) -> Held | None:
    """Pete Hegseth, the US defence secretary, said."""
    if not text[mention.end :].startswith(","):
        return None
    ceiling = min(sentence[1], mention.end + AFTER)
    offices = _offices(text, (mention.end, ceiling), language)
    if not offices:
        return None
    key, span = offices[0]
    if not _leads(text, (mention.end + 1, span[0]), language) or _names_another(
        text[span[1] : ceiling], language
    ):
        return None
    end = text.find(",", span[1], ceiling)
    whole = (mention.first, end if end > 0 else span[1])
    return _as_held(text, [(key, span)], whole, whole, 0)


def _names_another(following: str, language: str) -> bool:
    """An office that a name stands behind is that name's; a country may stand behind any."""
    found = re.match(r"\s+([^\W\d_a-zà-öø-ÿа-яёіїєґ][^\W\d_]+)", following)
    return found is not None and not _known(found[1], language)


def _as_held(
    text: str, chain: Sequence[tuple[str, Stretch]], whole: Stretch, around: Stretch, sure: int | None
) -> Held | None:
    kinds = [families().get(key) for key, _ in chain]
    if any(key in CHANGING for key, _ in chain):
        possible = frozenset(filter(None, kinds))
        return Held(None, possible, whole, frozenset())
    if not any(kinds):
        return None
    chosen = None if sure is None else kinds[sure]
    houses = frozenset(houses_in(text[around[0] : around[1]])) if SPOKES in kinds else frozenset()
    office = Office(chosen, chain[sure][1]) if chosen and sure is not None else None
    possible = frozenset({chosen} if chosen else filter(None, kinds))
    return Held(office, possible, whole, houses)


@cache
def families() -> dict[str, str]:
    """The family of each office that shuts others out."""
    return read_attributes("offices", "family")


@lru_cache(maxsize=1 << 13)
def _offices(text: str, stretch: Stretch, language: str) -> list[tuple[str, Stretch]]:
    """The offices in a stretch of text, in order, without those that stand within longer ones."""
    begin, end = stretch
    words = spans(text[begin:end])
    found = sorted(lexicons()["role"].find(words, language), key=lambda f: (f.first, -f.last))
    kept: list[tuple[str, Stretch]] = []
    last = -1
    for office in found:
        if office.first > last:
            kept.append((office.key, (begin + words[office.first].start, begin + words[office.last].end)))
            last = office.last
    return kept


def _leads(text: str, gap: Stretch, language: str) -> bool:
    """Whether an office leads on to what follows: its country, its house, a comma, nothing else."""
    between = text[gap[0] : gap[1]]
    if _SIGN.search(between.replace("U.S.", "US")) or between.count(",") > 1:
        return False
    words = spans(between)
    if len(words) > MOST_WORDS:
        return False
    known = _known(between, language)
    return all(
        number in known or (is_common(word.folded, language) and word.folded not in _AND)
        for number, word in enumerate(words)
    )


#: What ties two people together, of whom the office is one's only.
_AND = split(
    """
    and but with et mais avec und aber mit y pero con e ma i oraz ale z и но с і й та але з
    """
)


@lru_cache(maxsize=1 << 13)
def _known(between: str, language: str) -> frozenset[int]:
    """The words that are places, houses or part of an office's name, by number."""
    words = spans(between)
    found = [
        *places(words, language),
        *lexicons()["org"].find(words, language),
        *lexicons()["role"].find(words, language),
        *(f for f in lexicons()["concept"].find(words, language) if f.key in _OF_OFFICES),
    ]
    return frozenset(number for f in found for number in range(f.first, f.last + 1))


#: Concepts that an office's name may go on with: spokesman of the foreign ministry.
_OF_OFFICES = split(
    """
    minister ministry foreign_ministry defence_ministry president presidency government nato_org eu_org
    european_commission eu_council defence foreign_policy security state policy diplomat
    """
)
