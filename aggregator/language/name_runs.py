"""Where names stand in a text: runs of capitals, and what stands for them in other scripts.

Latin and Cyrillic names are runs of capitalised words whose last is the family name, the
head. Arabic and Chinese have no capitals: an Arabic token may be a name, and a run of the
signs that Chinese papers transliterate with nearly always is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from aggregator.language.names import is_given
from aggregator.language.orthography import rows, script_of
from aggregator.language.speech import ARTICLES, PARTICLES, is_title, verbs
from aggregator.language.text import APOSTROPHES, Word

#: Letters of an acronym, fewest and most.
ACRONYM = range(2, 7)
#: From this share of capitalised words on, a line is a headline in title case.
_TITLE_CASE = 0.75
_FEWEST_IN_TITLE = 4
#: Words from this length on show how a line is written: small ones keep their small letter.
_LONG_WORD = 4
_HYPHENS = ("-", "\u2010", "\u2011")
_WITHIN = (" ", "\u00a0", "\u202f", *_HYPHENS)
#: Shorter Arabic tokens are particles, shorter Chinese runs chance.
_SHORTEST_ARABIC = 3
_SHORTEST_CHINESE = 2


def _split(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PARTICLES = PARTICLES | _split("ten ter vom zum zur bint abu фон ван де дер ди да аль ель эль бин ибн бен")
#: Particles of Romance languages also part two names: le ministre Barrot de France.
_PARTING = frozenset({"de", "du", "des", "da", "do", "dos", "di", "del", "la", "y", "e", "le", "и"})
_ABBREVIATED = _split("mr mrs ms dr st sen rep gov gen col lt sgt prof rev hon jr sr mgr capt adm maj")
_NUMERAL = re.compile(r"[IVX]+\Z")
_SENTENCE_END = re.compile(r"[.!?…:;\n•|]")
_GERMAN_DETERMINER = ARTICLES | _split(
    """der die das dem den des ein eine einen einem einer eines im am zum zur vom beim ins ans kein keine keinen keinem
    keiner mein meine sein seine seinen seinem seiner ihr ihre ihren ihrem ihrer unser unsere dieser diese diesen diesem
    dieses jeder jede jedes jeden alle viele einige mehrere zwei drei vier fünf sechs sieben acht neun zehn beide
    """
)
_GERMAN_ADJECTIVE = re.compile(r"[a-zäöüß]+(?:isch|lich|ig|bar|los|sam|haft|end|iv|ell)(?:e|en|er|es|em)\Z")
_GERMAN_NOUN = re.compile(r".+(?:ung|heit|keit|schaft|tion|tät|ismus|nis|ungen|heiten|keiten|tionen|enz)\Z")


@dataclass(frozen=True, slots=True)
class NameToken:
    """A part of a name: words of a text, by their numbers."""

    #: The first and the last word, both within; particles stand inside.
    first_word: int
    last_word: int
    #: What `names.codes` is to read: the name without its particles.
    name: str
    #: True for a family name or a name that stands alone; False for the given names before it.
    is_head: bool
    #: True for two to six capital letters: NATO, ВСУ.
    is_acronym: bool
    #: The word that the whole run begins with, the same for all of its parts.
    run: int


@dataclass(slots=True)
class _Unit:
    """One word of a name, with the particles before it."""

    first: int
    last: int
    name: str
    #: True where a hyphen ties it to the unit before.
    is_tied: bool = False
    #: True where a new name begins with it.
    opens: bool = False


@dataclass(frozen=True, slots=True)
class _Wire:
    """What the rules look at."""

    text: str
    words: Sequence[Word]
    language: str | None
    is_common: Callable[[str], bool]

    def gap(self, at: int) -> str:
        """What stands between the word before and this one."""
        return self.text[self.words[at - 1].end if at else 0 : self.words[at].start]

    def is_vocabulary(self, at: int) -> bool:
        """True for a word that is no name by itself: vocabulary, an office, a form of address."""
        word = self.words[at]
        if self.is_common(word.folded) or is_title(word.text):
            return True
        german = self.language == "de"
        return german and (word.folded in _GERMAN_DETERMINER or _GERMAN_NOUN.match(word.text) is not None)


def name_tokens(
    text: str, words: Sequence[Word], language: str | None, *, is_common: Callable[[str], bool]
) -> list[NameToken]:
    """The names of a text in Latin or Cyrillic letters, in order; `words` are its `text.spans`.

    `is_common` is true for a folded word that is vocabulary. Such a word counts only behind a
    given name (Theresa May). In German, where every noun has a capital, a single word must also
    stand like a name: without article, or before a verb of saying, or behind an office.
    """
    wire = _Wire(text, words, language, is_common)
    manners = _manners(wire)
    return [token for run in _runs(wire) for token in _tokens(wire, run, manners[run[0]])]


def _manners(wire: _Wire) -> list[str]:
    """How the line of each word is written: `upper`, `title` (English headlines) or plain."""
    manners: list[str] = []
    in_english = wire.language in ("en", None)
    for line in _lines(wire.text, wire.words):
        long = [word.text for word in line if len(word.text) >= _LONG_WORD and word.text[0].isalpha()]
        capitals = sum(word[0].isupper() for word in long)
        manner = ""
        if long and all(word.isupper() for word in long):
            manner = "upper"
        elif in_english and len(long) >= _FEWEST_IN_TITLE and capitals >= _TITLE_CASE * len(long):
            manner = "title"
        manners.extend([manner] * len(line))
    return manners


def _lines(text: str, words: Sequence[Word]) -> Iterator[list[Word]]:
    line: list[Word] = []
    for word in words:
        if line and "\n" in text[line[-1].end : word.start]:
            yield line
            line = []
        line.append(word)
    if line:
        yield line


def _runs(wire: _Wire) -> Iterator[list[int]]:
    """Numbers of capitalised words that stand together, with the particles among them."""
    run: list[int] = []
    for at, word in enumerate(wire.words):
        if run and not _goes_on(wire, at):
            yield _trimmed(wire, run)
            run = []
        if word.text[0].isupper() or (run and _joins(wire, at)):
            run.append(at)
        elif run:
            yield _trimmed(wire, run)
            run = []
    if run:
        yield _trimmed(wire, run)


def _goes_on(wire: _Wire, at: int) -> bool:
    """True where only a space or a hyphen, or the dot of an abbreviation, parts two words."""
    gap, before = wire.gap(at), wire.words[at - 1]
    if gap in _WITHIN:
        return True
    if gap.strip() == "." and "\n" not in gap:
        return len(before.text) == 1 or before.folded in _ABBREVIATED
    return gap in APOSTROPHES and before.text == "O"


def _joins(wire: _Wire, at: int) -> bool:
    """True for a small word inside a name: van, аль, and the second half of Jong-un."""
    word = wire.words[at]
    return word.folded in _PARTICLES or (wire.gap(at) in _HYPHENS and word.text.isalpha())


def _trimmed(wire: _Wire, run: list[int]) -> list[int]:
    """The run without the small words at its end that no capital follows."""
    kept = list(run)
    while len(kept) > 1 and not wire.words[kept[-1]].text[0].isupper() and wire.gap(kept[-1]) not in _HYPHENS:
        kept.pop()
    return kept


def _tokens(wire: _Wire, run: list[int], manner: str) -> list[NameToken]:
    acronyms = [at for at in run if manner != "upper" and _is_acronym(wire.words[at].text)]
    units = _kept(wire, _units(wire, run, frozenset(acronyms)))
    if len(units) == 1 and not _stands_alone(wire, units[0], run):
        units = []
    found = [
        _token(unit, _is_head(units, at, manner, wire.language), run[0]) for at, unit in enumerate(units)
    ]
    found += [NameToken(at, at, wire.words[at].text, True, True, run[0]) for at in acronyms]
    return sorted(found, key=lambda token: token.first_word)


def _token(unit: _Unit, is_head: bool, run: int) -> NameToken:
    return NameToken(unit.first, unit.last, unit.name, is_head, False, run)


def _is_acronym(word: str) -> bool:
    return word.isalpha() and word.isupper() and len(word) in ACRONYM and not _NUMERAL.match(word)


def _units(wire: _Wire, run: list[int], acronyms: frozenset[int]) -> list[_Unit]:
    """The run's words with their particles; initials, numerals and acronyms are left out."""
    units: list[_Unit] = []
    first, opens = None, True
    for at in run:
        word, gap = wire.words[at], wire.gap(at)
        if at in acronyms:
            first, opens = None, True
        elif word.folded in _PARTICLES and gap not in _HYPHENS and at != run[-1]:
            first = at if first is None else first
            opens = opens or _parts(wire, units, word)
        elif units and _grows(wire, at, units[-1]):
            units[-1].last = at
            units[-1].name += gap + word.text
        elif not _is_left_out(wire, at, units):
            tied = bool(units) and gap in _HYPHENS
            units.append(_Unit(at if first is None else first, at, word.text, tied, opens))
            first, opens = None, False
    return units


def _parts(wire: _Wire, units: list[_Unit], particle: Word) -> bool:
    """True for a small word that parts two names: Macron de France, yet not Dominique de Villepin."""
    small = particle.text[0].islower() and particle.folded in _PARTING
    return small and bool(units) and not is_given(units[-1].name, wire.language)


def _grows(wire: _Wire, at: int, before: _Unit) -> bool:
    """True for what belongs to the word before: the second half of Jong-un, the Brien of O'Brien."""
    if wire.gap(at) in APOSTROPHES:
        return before.name == "O"
    return wire.gap(at) in _HYPHENS and wire.words[at].text[0].islower()


def _is_left_out(wire: _Wire, at: int, units: list[_Unit]) -> bool:
    word = wire.words[at].text
    is_irish = word == "O" and at + 1 < len(wire.words) and wire.gap(at + 1) in APOSTROPHES
    return (len(word) == 1 and not is_irish) or (bool(units) and _NUMERAL.match(word) is not None)


def _kept(wire: _Wire, units: list[_Unit]) -> list[_Unit]:
    """The units that may be names; what follows a dropped one begins a name of its own."""
    kept: list[_Unit] = []
    opens = False
    for unit in units:
        behind_given = bool(kept) and not opens and not unit.opens and is_given(kept[-1].name, wire.language)
        if behind_given or not wire.is_vocabulary(unit.last):
            unit.opens = unit.opens or opens
            kept.append(unit)
            opens = False
        else:
            opens = True
    return kept


def _is_head(units: list[_Unit], at: int, manner: str, language: str | None) -> bool:
    """True for the last word of a name, and for the words that a hyphen ties to it."""
    if at + 1 == len(units) or units[at + 1].opens:
        return True
    if units[at + 1].is_tied and _is_head(units, at + 1, manner, language):
        return not is_given(units[at].name, language)
    return manner == "title" and not is_given(units[at].name, language)


def _stands_alone(wire: _Wire, unit: _Unit, run: list[int]) -> bool:
    """True where a single word may be a name."""
    at = unit.last
    before = wire.words[run[0] - 1].text if run[0] and not _SENTENCE_END.search(wire.gap(run[0])) else ""
    has_office = at > run[0] or is_title(before)
    if wire.language != "de" or has_office or len(run) > 1:
        return True
    return _is_german_name(wire, at, before)


def _is_german_name(wire: _Wire, at: int, before: str) -> bool:
    """True where no article, number or adjective makes a noun of it, or a verb of saying follows."""
    after = wire.words[at + 1].text if at + 1 < len(wire.words) else ""
    if after and verbs("de").fullmatch(after):
        return True
    if before.lower() in _GERMAN_DETERMINER or before.isdigit() or _GERMAN_ADJECTIVE.match(before):
        return False
    return _GERMAN_NOUN.match(wire.words[at].text) is None


def arabic_tokens(words: Sequence[Word]) -> list[NameToken]:
    """Every Arabic word of three letters or more: any of them may be a name."""
    return [
        NameToken(at, at, word.text, True, False, at)
        for at, word in enumerate(words)
        if len(word.folded) >= _SHORTEST_ARABIC and script_of(word.text) == "arabic"
    ]


def chinese_names(text: str, words: Sequence[Word]) -> list[NameToken]:
    """The longest runs of two or more signs that transliterate; a middle dot parts names in two."""
    signs = _transliterating()
    found: list[NameToken] = []
    first = 0
    for at in range(len(words) + 1):
        inside = at < len(words) and words[at].text in signs
        touches = at > first and inside and words[at - 1].end == words[at].start
        if inside and touches:
            continue
        if at - first >= _SHORTEST_CHINESE:
            name = text[words[first].start : words[at - 1].end]
            found.append(NameToken(first, at - 1, name, True, False, first))
        first = at if inside else at + 1
    return found


@cache
def _transliterating() -> frozenset[str]:
    return frozenset(sign for sign, _ in rows("hanzi"))
