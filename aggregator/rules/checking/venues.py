"""Places: where somebody said it, or where it happened.

A place counts where it stands behind "in" or "at" (in eight languages) and before what was said:
of "said in Brussels that no soldiers would fight in Ukraine" only Brussels is where.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from aggregator.language.places import CITY
from aggregator.language.reading import Anchor
from aggregator.rules.checking.evidence import SAYING_LITTLE, Claim, Mention, Telling, Wire, lands
from aggregator.rules.checking.values import Brief, Check, Stretch
from aggregator.rules.checking.votes import Votes, doubted

#: Rare words of the passage that a story must hold before its place is compared.
SHARED = 2
#: Days between the day that a brief names and a story's own.
DAYS = 2
#: Characters of "meeting of Ukrainian officials" between the meeting and the adjective.
OF_WHOM = 45
#: How much more agencies must agree on one place than on all others together.
SHARE = 0.6
#: What a sentence without names must hold of the brief's.
SAME_NEWS = 0.5
#: Shorter names are soon alike by chance.
SHORTEST = 4

_LOCATIVE = {
    "en": "in|at",
    "fr": "à|au|aux|en|dans",
    "de": "in|im|bei|beim|auf",
    "es": "en",
    "it": "a|ad|in|nel|nella|al|alla",
    "pl": "w|we|na",
    "ru": "в|во|на",
    "uk": "в|у|на",
}
_ARTICLES = r"(?:(?:the|le|la|les|los|el|las|il|lo|der|dem|den)\s+|[ld]['’]|nell['’]|all['’])?"
_BEHIND = {
    language: re.compile(rf"(?<!\w)(?:{words})\s+{_ARTICLES}$|(?<!\w)(?:all|nell)['’]$", re.IGNORECASE)
    for language, words in _LOCATIVE.items()
}
#: At what occasion: "lors d'une", "bei einem", "на встрече".
_DURING = re.compile(
    r"(?<!\w)(?:lors|durant|pendant|à|au|devant|at|during|in|to|bei|beim|während|auf|vor|durante|en|ante|nel corso"
    r"|a|ad|al|davanti|podczas|w trakcie|na|на|во время|под час|під час|в ходе|у ході|перед)\s+(?:de\s+|d['’]|di\s+)?"
    r"(?:une?\s+|la\s+|l['’]|le\s+|an?\s+|the\s+|eine[mrn]?\s+|der\s+|dem\s+|un[ao]?\s+|una\s+|el\s+)?(?:\w+\s+)?$",
    re.IGNORECASE,
)
_OCCASIONS = frozenset({"meet", "conference", "summit", "press_conference", "session", "assembly"})
_THAT = re.compile(r"(?<!\w)(?:que|qu['’]|that|dass|daß|che|że|iż|что|що)(?!\w)|:\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Venue:
    """Where the brief puts it."""

    lands: frozenset[str]
    span: Stretch
    #: "at a meeting of Ukrainian officials": it says who met, not where.
    is_of_whom: bool


def check_venues(brief: Brief, claims: Sequence[Claim], wire: Wire) -> Iterator[Check]:
    """Places of an occasion that at least two agencies give otherwise, and nobody as the brief does."""
    for claim in claims:
        for venue in _venues(claim):
            yield from _check(claim, venue, brief.dated, wire)


@dataclass(frozen=True, slots=True)
class Site:
    """A place that a text names once: a capital is a city and a country."""

    keys: frozenset[str]
    start: int
    end: int

    @property
    def lands(self) -> frozenset[str]:
        """All of them, with their countries."""
        return frozenset(land for key in self.keys for land in lands(key))

    @property
    def chief(self) -> str:
        """What it is counted as: the country of a city, else itself."""
        cities = sorted(lands(key)[-1] for key in self.keys if key.startswith(CITY))
        return cities[0] if cities else min(self.keys)


def _sites(anchors: Iterable[Anchor]) -> list[Site]:
    keys: defaultdict[Stretch, set[str]] = defaultdict(set)
    for anchor in anchors:
        keys[anchor.start, anchor.end].add(anchor.key)
    return [Site(frozenset(found), *span) for span, found in sorted(keys.items())]


def _venues(claim: Claim) -> Iterator[Venue]:
    text = claim.passage.text
    limit = _said_from(text, (claim.start, claim.end))
    sites = _sites(claim.anchors("place"))
    taken = [s for s in sites if s.start < limit and _is_where(text, s.start, claim.language)]
    yield from (Venue(site.lands, (site.start, site.end), is_of_whom=False) for site in taken)
    for occasion in claim.anchors("concept"):
        if occasion.key in _OCCASIONS and _DURING.search(text[claim.start : occasion.start]):
            behind = (s for s in sites if occasion.end <= s.start < occasion.end + OF_WHOM and s not in taken)
            yield from (Venue(s.lands, (occasion.start, s.end), is_of_whom=True) for s in islice(behind, 1))


def _is_where(text: str, at: int, language: str) -> bool:
    pattern = _BEHIND.get(language)
    return pattern is not None and pattern.search(text[max(0, at - 16) : at]) is not None


def _said_from(text: str, sentence: Stretch) -> int:
    """Where reported speech begins in a sentence; its end where none does."""
    that = _THAT.search(text, *sentence)
    return that.start() if that else sentence[1]


def _check(claim: Claim, venue: Venue, dated: date | None, wire: Wire) -> Iterator[Check]:
    votes: Votes[str] = Votes()
    agencies: set[str] = set()
    for telling, sentences in _occasions(claim, dated, wire):
        if not venue.is_of_whom and venue.lands & telling.countries:
            return
        for site in _places(telling, sentences, with_houses=venue.is_of_whom):
            if venue.lands & site.lands:
                return
            agencies.add(telling.agency)
            votes.add(site.chief, telling, (site.start, site.end))
    verdict = votes.verdict(is_tie_open=False)
    if verdict is None or len(verdict.voices) < SHARE * len(agencies):
        return
    words = claim.passage.text[venue.span[0] : venue.span[1]]
    says = verdict.words(claim.language)
    message = (
        f"“{words}”: {verdict.told_by} have it in another place, “{says}”, and none where the brief does."
    )
    yield doubted("place", claim.passage, venue.span, says, verdict, message)


def _places(telling: Telling, sentences: Sequence[Stretch], *, with_houses: bool) -> Iterator[Site]:
    """Where it was, by the sentences that tell of it; "at NATO" is a place where a meeting is asked for."""
    kinds = ("place", "org") if with_houses else ("place",)
    for sentence in sentences:
        limit = _said_from(telling.text, sentence)
        for site in _sites(telling.within((sentence[0], limit), *kinds)):
            if _is_where(telling.text, site.start, telling.language):
                yield site


def _occasions(claim: Claim, dated: date | None, wire: Wire) -> list[tuple[Telling, list[Stretch]]]:
    """Stories of the same occasion, with the sentences that tell of it."""
    speaker = _speaker(claim, wire)
    if speaker is None:
        found: dict[int, tuple[Telling, list[Stretch]]] = {}
        for aligned in wire.aligned(claim):
            if aligned.cover >= SAME_NEWS and aligned.entities and aligned.subjects:
                found.setdefault(aligned.telling.number, (aligned.telling, []))[1].append(aligned.stretch)
        return [each for _, each in sorted(found.items())]
    rare = _rare(claim, wire)
    days = [a.key.partition(":")[2] for a in claim.anchors("date") if a.key.startswith("day:")]
    return [
        (telling, [telling.sentence(mention.start) for mention in mentions])
        for telling, mentions in _by_story(wire.of_person(speaker, claim.language))
        if len(rare & {a.key for a in telling.anchors if a.kind == "concept"})
        >= min(SHARED, max(1, len(rare)))
        and _is_of_day(telling, days or ([str(dated)] if dated else []), bool(days))
    ]


def _by_story(found: Sequence[tuple[Telling, Mention]]) -> list[tuple[Telling, list[Mention]]]:
    stories: dict[int, tuple[Telling, list[Mention]]] = {}
    for telling, mention in found:
        stories.setdefault(telling.number, (telling, []))[1].append(mention)
    return list(stories.values())


def _speaker(claim: Claim, wire: Wire) -> Mention | None:
    """Who acts in a sentence, or in its passage where it says "he"."""
    named = [m for m in claim.mentions if _is_person(m, claim.language, wire)]
    if named:
        return next((m for m in named if m.given), named[0])
    whole = Claim(claim.passage, 0, claim.start, claim.language)
    return next(
        (m for m in reversed(whole.mentions) if m.given and _is_person(m, claim.language, wire)), None
    )


def _is_person(mention: Mention, language: str, wire: Wire) -> bool:
    """Whether a name is somebody's: it has a given name, here or in a story."""
    if len(mention.name) < SHORTEST:
        return False
    return bool(mention.given) or any(told.given for _, told in wire.named(mention.name, language))


def _rare(claim: Claim, wire: Wire) -> set[str]:
    """Words of the passage that tell the occasion from others of the same people."""
    return {
        a.key
        for a in claim.passage.anchors
        if a.kind == "concept"
        and a.key not in SAYING_LITTLE
        and wire.where("concept", a.key)
        and wire.is_rare("concept", a.key)
    }


def _is_of_day(telling: Telling, days: Sequence[str], is_named: bool) -> bool:
    """Whether a story tells of one of the days, or came out about then."""
    if not days:
        return True
    if is_named and any(a.key.partition(":")[2] in days for a in telling.anchors if a.kind == "date"):
        return True
    if telling.published is None:
        return not is_named
    return any(
        abs((telling.published - date.fromisoformat(day)).days) <= (DAYS if is_named else 8) for day in days
    )
