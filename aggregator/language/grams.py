"""Groups of four letters of a text in Latin letters: cognates and names that no table knows."""

from __future__ import annotations

from functools import lru_cache

from aggregator.language.text import words

SIZE = 4

_LETTERS = str.maketrans(
    {
        "а": "a", "б": "b", "в": "v", "г": "g", "ґ": "g", "д": "d", "е": "e", "є": "e", "ж": "zh", "з": "z",
        "и": "i", "і": "i", "ї": "i", "й": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p",
        "р": "r", "с": "s", "т": "t", "у": "u", "ў": "u", "ф": "f", "х": "h", "ц": "c", "ч": "ch", "ш": "sh",
        "щ": "sch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "iu", "я": "ia",
    }
)  # fmt: skip


def grams(text: str) -> frozenset[str]:
    """Every group of four letters of the words of a text, a space at their ends included."""
    found: set[str] = set()
    for word in words(text):
        found |= _of_word(word)
    return frozenset(found)


@lru_cache(maxsize=20_000)
def _of_word(word: str) -> frozenset[str]:
    shown = f" {transliterated(word)} "
    return frozenset(shown[at : at + SIZE] for at in range(len(shown) - SIZE + 1))


def transliterated(word: str) -> str:
    """A folded word in Latin letters, as far as it is Cyrillic."""
    return word if word.isascii() else word.translate(_LETTERS)
