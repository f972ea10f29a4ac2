"""Text as search and rules compare it: folded, and cut into words.

One reading serves the index of both databases, the search language (`query`) and the topics, so
what a topic finds a search finds too. A folded word holds letters and digits only; neither
database has anything left to fold or to cut.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import chain

#: Signs that stand for an apostrophe in the wild (Ukrainian keyboards type all of them).
APOSTROPHES = "'’‘ʼʹ′`´＇"

#: Letters that Unicode does not take apart, and how an editor without them would type.
_TYPED = {
    "ł": "l", "đ": "d", "ð": "d", "ø": "o", "æ": "ae", "œ": "oe", "þ": "th", "ħ": "h", "ŧ": "t", "ı": "i",
    "ŋ": "n", "ĳ": "ij", "ƒ": "f",
}  # fmt: skip

#: Letters that Unicode does take apart, though to their readers they are no accented form of
#: another: Russian и and й, Ukrainian і and ї, Belarusian у and ў tell words apart. ё is the
#: exception, since Russian papers print е for it.
_WHOLE = frozenset("йїў")

#: Arabic and Persian spellings of one letter, as Arabic search engines fold them. The alefs
#: with hamza or madda need no line: taken apart, they lose the sign like any accent.
_ARABIC = {"ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ـ": ""}

_SPECIAL = {**_TYPED, **_ARABIC, **{letter: letter for letter in _WHOLE}, **dict.fromkeys(APOSTROPHES, "'")}

#: Scripts written without spaces: each sign is a word, and a word of several signs a phrase.
#: Thai, Lao, Burmese, Khmer, kana, Han (with its extensions and compatibility forms).
_SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_CYRILLIC = "\u0400-\u052f"
#: A zero-width space parts words, though Unicode files it with the signs that join them.
_ZERO_WIDTH_SPACE = "\u200b"
_LAST_MARK = 0x1FFFF


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text, by offsets into it: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word where it stands."""

    #: Verbatim.
    text: str
    #: As it is indexed: letters and digits only, never empty.
    folded: str
    #: Offsets into the text that it was read from: `text[start:end] == word.text`.
    start: int
    end: int


class _Foldings(dict[int, str]):
    """What each character becomes, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_character(chr(code))
        return folded


def _fold_character(character: str) -> str:
    if character == _ZERO_WIDTH_SPACE:
        return " "
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return "".join(_strip(part) for part in _parts(character))


def _parts(character: str) -> str:
    """Its letters in lower case, taken apart unless they are whole ones."""
    lower = character.casefold()
    if lower in _WHOLE:
        return lower
    # Case folding can yield what has parts again, and parts that have a lower case: ᾳ, ㎒.
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", lower).casefold())


def _strip(part: str) -> str:
    if part in _SPECIAL:
        return _SPECIAL[part]
    return "" if _is_mark(part) else part


def _is_mark(character: str) -> bool:
    """Accents, vowel signs, and signs without width: nothing that an editor would type."""
    return unicodedata.category(character) in {"Mn", "Mc", "Me", "Cf"} and character != _ZERO_WIDTH_SPACE


_FOLDINGS = _Foldings()


def fold(text: str) -> str:
    """The text without case, accents and typographic variety, for comparing.

    Zelenskyy, ZELENSKYY and Żeleński-like accents meet; ß is ss, ł is l, ё is е, ى is ي; every
    digit is an ASCII one; typographic apostrophes are straight. й, ї and ў stay letters of
    their own. Folding twice changes nothing.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFC", text).translate(_FOLDINGS)
    # Korean letters were taken apart with the rest and come together again here.
    return unicodedata.normalize("NFC", folded)


@cache
def _word_pattern() -> re.Pattern[str]:
    """What a word looks like, built at first use: naming every mark takes some milliseconds."""
    marks = "".join(re.escape(sign) for sign in map(chr, range(0xA0, _LAST_MARK)) if _is_mark(sign))
    apostrophes = re.escape(APOSTROPHES)
    letter = rf"[^\W_{_SPACELESS}{apostrophes}]"
    tail = rf"(?:{letter}|[{marks}])*"
    # п'ять is one word and l'Ukraine two: an apostrophe joins Cyrillic letters only.
    joined = rf"(?:(?<=[{_CYRILLIC}])[{apostrophes}](?=[{_CYRILLIC}]){tail})*"
    return re.compile(rf"{letter}{tail}{joined}|(?=\w)[{_SPACELESS}][{marks}]*")


_ASCII_WORD = re.compile(r"[^\W_]+", re.ASCII)


def words(text: str) -> list[str]:
    """The folded words of a text, in order, as they are indexed.

    A word is a run of letters and digits in any script; a sign of a script without spaces is a
    word by itself. l'Ukraine gives l and ukraine, п'ять gives пять.
    """
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    # No word reaches over white space, and most of what stands between it was met before.
    return list(chain.from_iterable(map(_STRETCHES.__getitem__, text.split())))


def _words_of(stretch: str) -> list[str]:
    # One folding for all words: folding makes no line end, so they can be told apart again.
    found = fold("\n".join(_word_pattern().findall(stretch))).split("\n")
    return [word for word in map(_letters, found) if word]


class _Stretches(dict[str, tuple[str, ...]]):
    """The words of stretches without white space, read when first met; forgotten when they are many."""

    def __missing__(self, stretch: str) -> tuple[str, ...]:
        found = tuple(_ASCII_WORD.findall(stretch.lower()) if stretch.isascii() else _words_of(stretch))
        if len(stretch) <= _LONGEST_KNOWN:
            if len(self) >= _MOST_KNOWN:
                self.clear()
            self[stretch] = found
        return found


#: Stretches whose words are kept at hand, some ten megabytes; a sentence of Chinese is none that returns.
_MOST_KNOWN, _LONGEST_KNOWN = 50_000, 30

_STRETCHES = _Stretches()


def spans(text: str) -> list[Word]:
    """The words of a text with their places in it; `words` gives the same ones without."""
    if text.isascii():
        plain = _ASCII_WORD.finditer(text)
        return [Word(each[0], each[0].lower(), each.start(), each.end()) for each in plain]
    found = []
    for match in _word_pattern().finditer(text):
        if folded := _letters(fold(match[0])):
            found.append(Word(match[0], folded, match.start(), match.end()))
    return found


def _letters(folded: str) -> str:
    """Letters and digits only: folding can bring other signs in, as ½ becomes 1⁄2."""
    return folded if folded.isalnum() else "".join(filter(str.isalnum, folded))
