"""How a name sounds: letters of many languages and scripts, read into one small set of sounds.

The sounds are single signs: `a e i o u`, `b p d t g k v f m n l r`, `s z c` (ts), `S` (sh),
`Z` (zh), `C` (tch), `D` (dj), `h` and `X` (kh). They are no phonology: they keep apart what
newsrooms keep apart when they respell a name, and little else.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from aggregator.language.text import APOSTROPHES, fold

#: Ways to read one name that are followed; letters with several sounds multiply them.
MOST_READINGS = 24
#: A token longer than this is no name, and its end is not read.
LONGEST = 40

_VOWELS = "aeiouyáàâäãåăąéèêëęěíìîïıóòôöőøõúùûüűůýœæаеёєиіїоуыэюяўαεηιουωάέήίόύώاوي"
_SCRIPTS = (
    ("cyrillic", "\u0400", "\u052f"),
    ("greek", "\u0370", "\u03ff"),
    ("hebrew", "\u0590", "\u05ff"),
    ("arabic", "\u0600", "\u06ff"),
    ("hanzi", "\u3400", "\u9fff"),
)
#: Scripts that leave vowels out or add them, so that vowels prove little.
LOOSE_SCRIPTS = frozenset({"arabic", "hebrew", "hanzi"})

#: Signs of a foreign name's own spelling, which its readers know in any Latin newspaper.
_LOOKS_FRENCH = re.compile(r"eau|oi|ou|ai|ault|aud|ill|gn|[éèêç]|[aeou]t$|[aoeu]x$|ine$|[^i]er$|ch|qu|e$")
_LOOKS_SPANISH = re.compile(r"ez$|ñ|[áéíóú]|j[aeou]|ll|^hu")
_LOOKS_GERMAN = re.compile(r"sch|tz$|z$|ei|eu|[äöü]|^ju|ie|ae|oe|ue")
_LOOKS = {"fr": _LOOKS_FRENCH, "es": _LOOKS_SPANISH, "de": _LOOKS_GERMAN}
_FRENCH_ELISION = re.compile(r"^(?:[ldjnsmtc]|qu|all|dall|dell|nell|sull)'(?=\w{3})")
#: English and Turkish set their endings off with an apostrophe, and so does Polish after a mute vowel.
_SET_OFF = re.compile(r"(?<=\w{2})'\w{0,5}$")
_ARABIC_ARTICLE = re.compile(r"^(?:[وفبك]?ال|لل)(?=\w{3})|^و(?=\w{5})")
_LATIN_ARTICLE = re.compile(r"^(?:al|el|ar|as|аль|ал|эль|ель|ас|аш)[-\s'](?=\w{3})")


@dataclass(frozen=True, slots=True)
class Rule:
    """Letters, what must follow them, and how they may sound."""

    letters: str
    follows: re.Pattern[str] | None
    sounds: tuple[str, ...]

    def fits(self, word: str, at: int) -> bool:
        """True where the word goes on with these letters, and then as they ask."""
        if not word.startswith(self.letters, at):
            return False
        return self.follows is None or self.follows.match(word, at + len(self.letters)) is not None


class Spelling:
    """The rules of one language."""

    def __init__(self, rules: list[Rule]) -> None:
        """The rules, of which a later one replaces an earlier one for the same letters."""
        chosen = {(rule.letters, rule.follows): rule for rule in rules}
        self._rules: dict[str, list[Rule]] = {}
        for rule in sorted(chosen.values(), key=lambda rule: (-len(rule.letters), rule.follows is None)):
            self._rules.setdefault(rule.letters[0], []).append(rule)

    def sounds(self, word: str) -> list[str]:
        """The readings of a lower-case word, the likeliest first, at most `MOST_READINGS`."""
        marked = f"<{self._known(word)}>"
        readings, at = [""], 0
        while at < len(marked):
            at, sounds = self._step(marked, at)
            if len(sounds) == 1:
                readings = [reading + sounds[0] for reading in readings]
            else:
                readings = [reading + sound for sound in sounds for reading in readings][:MOST_READINGS]
        return readings

    def _known(self, word: str) -> str:
        """The word with every letter that has no rule folded."""
        if word.isascii():
            return word
        return "".join(letter if letter in self._rules else fold(letter) for letter in word)

    def _step(self, word: str, at: int) -> tuple[int, tuple[str, ...]]:
        for rule in self._rules.get(word[at], ()):
            if rule.fits(word, at):
                return at + len(rule.letters), rule.sounds
        letter = word[at]
        return at + 1, (letter if "a" <= letter <= "z" else "",)


def rows(name: str) -> list[list[str]]:
    """The rows of one of the project's tables, without its remarks."""
    text = (files("aggregator.language") / "data" / f"{name}.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@cache
def _follows(pattern: str) -> re.Pattern[str]:
    spelled = pattern.replace("V", f"[{_VOWELS}]").replace("C", f"[^{_VOWELS}>]")
    return re.compile(spelled)


def _rule(item: str) -> Rule:
    what, _, sounds = item.partition("=")
    letters, _, follows = what.partition("/")
    heard = tuple("" if sound == "-" else sound for sound in sounds.split("|"))
    return Rule(letters, _follows(follows) if follows else None, heard)


@cache
def _rules() -> dict[str, list[Rule]]:
    tables: dict[str, list[Rule]] = {}
    for language, items in rows("orthography"):
        tables.setdefault(language, []).extend(map(_rule, items.split()))
    tables["hanzi"] = [Rule(sign, None, tuple(sounds.split("|"))) for sign, sounds in rows("hanzi")]
    return tables


@cache
def spelling(language: str, script: str) -> Spelling:
    """The rules of a language in a script: the script's own, and the language's over them."""
    tables = _rules()
    own = tables.get(language, []) if language != script else []
    return Spelling([*tables.get(script, []), *own])


@cache
def _endings() -> dict[str, tuple[int, tuple[str, ...]]]:
    return {language: (int(least), tuple(endings.split())) for language, least, endings in rows("endings")}


def script_of(name: str) -> str:
    """The script of a name's first letter that is of none but Latin, else `latin`."""
    if name.isascii():
        return "latin"
    for letter in name:
        for script, first, last in _SCRIPTS:
            if first <= letter <= last:
                return script
    return "latin"


def stems(word: str, language: str | None) -> list[str]:
    """The word, and what is left of it without a case ending of its language."""
    found = [word]
    for language_of_endings in (language,) if language else ("ru", "uk"):
        least, endings = _endings().get(language_of_endings, (0, ()))
        found.extend(word[: -len(ending)] for ending in endings if _comes_off(word, ending, least))
    return list(dict.fromkeys(found))


def _comes_off(word: str, ending: str, least: int) -> bool:
    return word.endswith(ending) and len(word) - len(ending) >= least


def readings(name: str, language: str | None) -> tuple[str, ...]:
    """How one name may sound, the likeliest first; nothing for a name without letters.

    Case endings, possessives, elisions and Arabic articles are taken off as well as left on.
    A name in Latin letters is read as its language reads it and always as English does, and
    as French, Spanish or German do where it looks like theirs.
    """
    word = _plain(name)
    script = script_of(word)
    if script != "latin" and language == "en":
        language = None
    heard: dict[str, None] = {}
    for stem in _forms(word, language, script):
        for reader in _readers(stem, language, script):
            heard.update(dict.fromkeys(spelling(reader, script).sounds(stem)))
    heard.pop("", None)
    return tuple(heard)


def _plain(name: str) -> str:
    composed = unicodedata.normalize("NFC", name[:LONGEST]).lower()
    return composed.translate(dict.fromkeys(map(ord, APOSTROPHES), "'")).strip("'.- ")


def _forms(word: str, language: str | None, script: str) -> list[str]:
    """The word without what stands before and behind a name."""
    if script == "arabic":
        bare = fold(word)
        return list(dict.fromkeys((_ARABIC_ARTICLE.sub("", bare), bare)))
    word = _LATIN_ARTICLE.sub("", word)
    if script == "latin" and "'" in word:
        word = _without_apostrophe(word)
    return stems(word, language)


def _without_apostrophe(word: str) -> str:
    return _SET_OFF.sub("", _FRENCH_ELISION.sub("", word)).replace("'", "")


def _readers(word: str, language: str | None, script: str) -> list[str]:
    if script != "latin":
        return [language or "ru"] if script == "cyrillic" else [script]
    if language is None:
        return ["en", "fr", "de", "pl", "es"]
    readers = [language] if language in _rules() else []
    foreign = [reader for reader, sign in _LOOKS.items() if sign.search(word)]
    return list(dict.fromkeys((*readers, "en", *foreign)))
