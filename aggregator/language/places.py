"""Countries and places named in a text: by the project's tables, and by CLDR in any language.

`data/places.tsv` holds the countries with their adjectives, inhabitants, capitals and metonyms,
`data/cities.tsv` what lies below or across them, `data/places_more.tsv` what the news of further
languages says beside CLDR's names. A capital gives its country and its city.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache

from babel import Locale, UnknownLocaleError

from aggregator.language.lexicon import Found, Lexicon, read_attributes, read_table
from aggregator.language.text import Word
from aggregator.language.text import words as split

CITY = "city:"

#: CLDR's codes that stand for no territory: the euro area, the United Nations, outlying Oceania,
#: two for trying out, and unknown.
NO_TERRITORY = frozenset({"EZ", "UN", "QO", "XA", "XB", "ZZ"})

#: German compounds that hold another place's name: their beginnings, by what they would give.
BY_CHANCE: Mapping[str, tuple[str, ...]] = {
    "US": ("latein", "sudamerik", "nordamerik", "mittelamerik", "zentralamerik", "iberoamerik"),
    "IE": ("empir", "satir", "steir", "sibir", "vampir"),
    "RU": ("weissruss", "belaruss"),
    "SD": ("sudsudan",),
    "GN": ("aquatorialguinea", "aquatorialguinei"),
    "city:africa": ("sudafrik",),
    "city:saxony": ("niedersachs", "angelsachs"),
}

#: Arabic writes and, in, for, as and thus as one letter before a name: وأوكرانيا.
ARABIC_PREFIXES = "وبلكف"
ARABIC_REST = 4

Names = Mapping[str, Sequence[tuple[str, tuple[str, ...]]]]


def places(words: Sequence[Word], language: str) -> list[Found]:
    """The places that a text names, in order; a longer name hides those inside it.

    `language` is ISO 639-1. Keys are ISO 3166 codes (and EU, XK) and, for the rows of
    `cities.tsv`, `city:` and their id. A language that neither the tables nor CLDR know gives
    nothing.
    """
    found = {*_lexicon().find(words, language), *_named(words, language)}
    if language == "de":
        found = {one for one in found if not _is_chance(one, words)}
    return sorted(_outermost(found), key=lambda one: (one.first, one.last, one.key))


def country_of(key: str) -> str | None:
    """The country of a key of `places`; None for what lies in no country, or in several."""
    return _countries().get(key) if key.startswith(CITY) else key


@cache
def _lexicon() -> Lexicon:
    cities = ((CITY + key, cells) for key, cells in read_table("cities"))
    return Lexicon([*read_table("places"), *cities, *read_table("places_more")])


@cache
def _countries() -> dict[str, str]:
    return {CITY + key: country for key, country in read_attributes("cities", "country").items()}


@cache
def _territories(language: str) -> Names:
    """CLDR's names of the territories, by their first word."""
    names: defaultdict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    for code, name in _cldr(language).items():
        folded = tuple(split(name))
        if len(code) == len("US") and code.isalpha() and code not in NO_TERRITORY and folded:
            names[folded[0]].append((code, folded))
    return dict(names)


def _cldr(language: str) -> Mapping[str, str]:
    try:
        territories: Mapping[str, str] = Locale.parse(language).territories
    except (UnknownLocaleError, ValueError):
        return {}
    return territories


def _named(words: Sequence[Word], language: str) -> Iterator[Found]:
    """CLDR's names where they stand word by word; a small letter begins no country's name."""
    names = _territories(language)
    folded = tuple(word.folded for word in words) if names else ()
    for place, first in enumerate(folded):
        for start in _beginnings(first, language):
            for code, name in names.get(start, ()):
                end = place + len(name)
                if folded[place + 1 : end] == name[1:] and not words[place].text[0].islower():
                    yield Found(code, place, end - 1)


def _beginnings(folded: str, language: str) -> tuple[str, ...]:
    if language == "ar" and len(folded) > ARABIC_REST and folded[0] in ARABIC_PREFIXES:
        return folded, folded[1:]
    return (folded,)


def _is_chance(found: Found, words: Sequence[Word]) -> bool:
    return words[found.first].folded.startswith(BY_CHANCE.get(found.key, ()))


def _outermost(found: Collection[Found]) -> Iterator[Found]:
    """Those that stand in no longer one: South Korea hides Korea."""
    long = {(one.first, one.last) for one in found if one.last > one.first}
    for one in found:
        if not any(_is_inside(one, first, last) for first, last in long):
            yield one


def _is_inside(found: Found, first: int, last: int) -> bool:
    return first <= found.first and found.last <= last and (found.first, found.last) != (first, last)
