"""Words of one language, for matching within it: stemmed, and without those that say nothing."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files
from sys import intern
from typing import Any

from aggregator.language.text import fold

#: Snowball's name of each language that it knows here.
_SNOWBALL = {
    "en": "english", "fr": "french", "de": "german", "es": "spanish", "it": "italian", "ru": "russian",
    "pl": "polish", "pt": "portuguese", "nl": "dutch", "tr": "turkish", "ar": "arabic", "uk": "ukrainian",
    "cs": "czech",
}  # fmt: skip

#: Where there is no stemmer, words that begin so are taken for one.
BEGINNING = 6


@lru_cache(maxsize=20_000)
def stem(word: str, language: str) -> str:
    """What the forms of a folded word have in common."""
    stemmer = _stemmer(language)
    # Many forms have one stem, which is kept once, and is often the word itself.
    return intern(str(stemmer.stemWord(word)) if stemmer is not None else word[:BEGINNING])


def is_common(folded: str, language: str) -> bool:
    """Whether a word says nothing by itself: articles, prepositions, pronouns, helping verbs."""
    known = _common()
    return folded in known.get(language, known["*"])


@cache
def _stemmer(language: str) -> Any:
    import snowballstemmer

    name = _SNOWBALL.get(language)
    return snowballstemmer.stemmer(name) if name in snowballstemmer.algorithms() else None


@cache
def _common() -> dict[str, frozenset[str]]:
    """The words of data/common.tsv by language; under * those of all."""
    text = (files("aggregator.language") / "data" / "common.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    found = {language: frozenset(fold(word) for word in cells.split()) for language, cells in rows}
    return {**found, "*": frozenset().union(*found.values())}
