"""Names: two spellings of one person in a brief, and a name that the wire writes otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from aggregator.language.names import same_name, similarity
from aggregator.language.orthography import stems
from aggregator.language.text import fold
from aggregator.rules.checking.evidence import Claim, Mention, Telling, Wire, is_one_person
from aggregator.rules.checking.offices import held
from aggregator.rules.checking.values import Check, Stretch
from aggregator.rules.checking.votes import Votes, doubted

#: Shorter names are soon alike by chance.
SHORTEST = 5
#: Letters that a slip changes: one in a short name, two in a long one.
SLIPS = {5: 1, 6: 1, 7: 2}
MOST_SLIPS = 2
#: How alike two names of different languages must sound, and how alike in one office.
ALIKE = 0.82
ALIKE_IN_OFFICE = 0.74
#: Languages whose names have cases, and letters of their longest endings.
CASED = frozenset({"pl", "uk", "ru", "cs"})
LONGEST_ENDING = 3
_POSSESSIVE = re.compile(r"(?:['’]s|['’])$")


def check_spelling(claims: Sequence[Claim], wire: Wire) -> Iterator[Check]:
    """Two spellings of one name in the brief; names that only the brief writes so."""
    people = [
        (claim, mention) for claim in claims for mention in claim.mentions if len(mention.name) >= SHORTEST
    ]
    yield from _two_spellings(people)
    seen: set[str] = set()
    for claim, mention in people:
        if mention.given and fold(mention.name) not in seen:
            seen.add(fold(mention.name))
            yield from _unseen(claim, mention, wire)


def _two_spellings(people: Sequence[tuple[Claim, Mention]]) -> Iterator[Check]:
    first: dict[str, tuple[Claim, Mention]] = {}
    for claim, mention in people:
        form = _plain(mention.name, claim.language)
        if form in first:
            continue
        other = next(
            (known for _, known in first.values() if _is_respelt(mention, known, claim.language)),
            None,
        )
        first[form] = claim, mention
        if other is not None:
            message = (
                f"This brief writes both “{other.name}” and “{mention.name}”: one person, two spellings."
            )
            span = mention.start, mention.end
            yield Check("spelling", claim.passage.id, mention.name, *span, other.name, (), (), message)


def _is_respelt(mention: Mention, known: Mention, language: str) -> bool:
    """Whether two forms are one name in two spellings, and not in two cases."""
    if not is_one_person(mention, known) or not same_name(mention.name, language, known.name, language):
        return False
    if mention.name[0] != known.name[0] or not (mention.given or known.given):
        return False
    one, other = _plain(mention.name, language), _plain(known.name, language)
    if language in CASED:
        # Зеленський and Зеленського are one spelling in two cases.
        least = min(len(one), len(other)) - LONGEST_ENDING
        return one[:least] != other[:least]
    return _forms(mention.name, language).isdisjoint(_forms(known.name, language))


def _unseen(claim: Claim, mention: Mention, wire: Wire) -> Iterator[Check]:
    """A name that no story writes, beside one like it with the same given name."""
    language = claim.language
    if wire.is_written(mention.name):
        return
    is_heard = any(told.given for _, told in wire.of_person(mention, language))
    office = _office(claim.passage.text, mention, (claim.start, claim.end), language)
    votes: Votes[str] = Votes()
    for telling, told in wire.of_given(mention.given, language):
        if telling.language == language:
            if not _forms(told.name, language).isdisjoint(_forms(mention.name, language)):
                return
            is_near = _is_near(_plain(mention.name, language), _plain(told.name, language))
        else:
            is_near = False
        if not is_near and (is_heard or not _sounds_near(mention, language, office, telling, told)):
            continue
        # All spellings of one name are one vote.
        value = next(
            (v for v in votes.values() if same_name(v, None, told.name, telling.language)), told.name
        )
        votes.add(value, telling, (told.start, told.end))
    verdict = votes.verdict()
    if verdict is None:
        return
    says = verdict.words(language)
    message = f"“{mention.name}”: {verdict.told_by} write “{says}”, and none as the brief does."
    yield doubted("name", claim.passage, (mention.start, mention.end), says, verdict, message)


def _sounds_near(
    mention: Mention, language: str, office: str | None, telling: Telling, told: Mention
) -> bool:
    """Whether a name of another language may be meant: nearly the same, or alike in the same office."""
    alike = similarity(mention.name, language, told.name, telling.language)
    if alike >= ALIKE:
        return True
    if office is None or alike < ALIKE_IN_OFFICE:
        return False
    return _office(telling.text, told, telling.sentence(told.start), telling.language) == office


def _office(text: str, mention: Mention, sentence: Stretch, language: str) -> str | None:
    found = held(text, mention, sentence, language)
    return found.sure.family if found is not None and found.sure is not None else None


def _is_near(form: str, other: str) -> bool:
    if abs(len(form) - len(other)) > MOST_SLIPS:
        return False
    slips = SLIPS.get(min(len(form), len(other)), MOST_SLIPS)
    return slips_between(form, other) <= slips


def slips_between(one: str, other: str) -> int:
    """Letters left out, added, changed, or swapped with the next (Damerau 1964)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, x in enumerate(one, 1):
        earlier, before, row = before, row, [at]
        for place, y in enumerate(other, 1):
            cost = min(row[-1] + 1, before[place] + 1, before[place - 1] + (x != y))
            if at > 1 and place > 1 and x == other[place - 2] and one[at - 2] == y:
                cost = min(cost, earlier[place - 2] + 1)
            row.append(cost)
    return row[-1]


@lru_cache(maxsize=1 << 14)
def _forms(name: str, language: str) -> frozenset[str]:
    """A name with and without the endings of its cases."""
    form = _plain(name, language)
    return frozenset({form, *stems(form, language)})


def _plain(name: str, language: str) -> str:
    return _POSSESSIVE.sub("", fold(name))
