"""Places named in a text, read from the project's tables and from CLDR."""

from __future__ import annotations

import time

import pytest

from aggregator.language.lexicon import Lexicon, read_attributes, read_table
from aggregator.language.places import country_of, places
from aggregator.language.text import spans

LANGUAGES = ("en", "fr", "de", "es", "it", "pl", "ru", "uk")


def named(text: str, language: str) -> list[tuple[str, str]]:
    """The keys and the verbatim spans of the places of a text."""
    words = spans(text)
    return [(one.key, text[words[one.first].start : words[one.last].end]) for one in places(words, language)]


def keys(text: str, language: str) -> set[str]:
    return {key for key, _ in named(text, language)}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The Kremlin and the White House met in Riyadh without Ukrainians."),
        ("fr", "Le Kremlin et la Maison-Blanche se voient à Riyad sans l'Ukraine."),
        ("de", "Kreml und Weißes Haus treffen sich in Riad, die Ostukraine fehlt."),
        ("es", "El Kremlin y la Casa Blanca se reúnen en Riad sin los ucranianos."),
        ("it", "Cremlino e Casa Bianca si vedono a Riad senza gli ucraini."),
        ("pl", "Kreml i Biały Dom spotkają się w Rijadzie bez Ukrainy."),
        ("ru", "Кремль и Белый дом встретятся в Эр-Рияде без украинцев."),
        ("uk", "Кремль і Білий дім зустрінуться в Ер-Ріяді без українців."),
    ],
)
def test_one_meeting_has_the_same_places_in_every_language(language: str, text: str) -> None:
    assert keys(text, language) == {"RU", "US", "SA", "city:riyadh", "UA"}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ar", "الولايات المتحدة وأوكرانيا"),
        ("zh", "美国与乌克兰举行会谈"),
        ("tr", "ABD ve Ukrayna'nın heyetleri"),
        ("pt", "os Estados Unidos e a Ucrânia"),
        ("nl", "de Verenigde Staten en Oekraïne"),
        ("ja", "米国とウクライナの高官"),
        ("sv", "Förenta staterna eller USA och Ukraina"),
        ("el", "Ηνωμένες Πολιτείες και Ουκρανία"),
    ],
)
def test_a_language_without_a_table_has_the_names_of_cldr(language: str, text: str) -> None:
    assert {"US", "UA"} <= keys(text, language)


def test_a_span_is_what_stands_in_the_text() -> None:
    assert named("Rozmowy w Stanach Zjednoczonych", "pl") == [("US", "Stanach Zjednoczonych")]


def test_a_longer_name_hides_the_one_inside_it() -> None:
    assert keys("South Sudan and Papua New Guinea", "en") == {"SS", "PG"}
    assert keys("印度尼西亚", "zh") == {"ID"}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "He told us to polish the china and carve the turkey for a male guest."),
        ("de", "In den Metropolen nehmen Kinder gegen Proteste keine Tabletten, empirisch."),
        ("es", "Los fines de semana sale un paraguas espantoso, una becaria sana."),
        ("it", "La società pubblica articoli da Perugia."),
        ("pl", "Mądrych półki i danie, osłona, cebula."),
        ("ru", "Кроме того, опека банков и познание."),
        ("uk", "Досі відносно додому."),
        ("fr", "Elle remplit une berline, puis vienne la viennoiserie."),
    ],
)
def test_a_common_word_is_no_place(language: str, text: str) -> None:
    assert keys(text, language) == set()


def test_lower_case_us_is_a_pronoun_and_capitals_are_a_country() -> None:
    assert keys("he told us", "en") == set()
    assert keys("US troops", "en") == {"US"}
    assert keys("U.S. troops", "en") == {"US"}


def test_two_countries_with_nearly_one_name_stay_two() -> None:
    assert keys("Niger, Nigeria, Nigerian, Nigerien", "en") == {"NE", "NG"}
    assert keys("Le Niger et le Nigéria", "fr") == {"NE", "NG"}


def test_brussels_is_a_city_of_belgium_and_not_the_union() -> None:
    assert keys("Talks in Brussels", "en") == {"city:brussels"}
    assert country_of("city:brussels") == "BE"


def test_a_city_gives_its_country_and_a_country_itself() -> None:
    assert country_of("city:goma") == "CD"
    assert country_of("UA") == "UA"
    assert country_of("city:strait_of_hormuz") is None
    assert country_of("city:nowhere") is None


def test_south_america_is_not_the_united_states() -> None:
    assert keys("Südamerikanische Staaten", "de") == {"city:latin_america"}
    assert keys("Weißrussland", "de") == {"BY"}
    assert keys("südsudanesisch", "de") == {"SS"}


def test_a_language_that_nobody_knows_has_no_places() -> None:
    assert named("Ukraine", "xx-unknown-tag!") == []
    assert named("", "en") == []


def test_every_row_has_something_in_every_language() -> None:
    for table in ("places", "cities", "organisations", "offices"):
        for key, cells in read_table(table):
            assert all(cells.get(language) for language in LANGUAGES), (table, key)


def test_offices_exclude_one_another_by_family() -> None:
    families = read_attributes("offices", "family")
    assert families["foreign_minister"] == families["secretary_of_state"] == "foreign"
    assert "former" not in families


@pytest.mark.parametrize(
    ("language", "text", "key"),
    [
        ("en", "the WHO said", "who"),
        ("fr", "selon l'OMS et l'Otan", "nato"),
        ("de", "Die AfD und die Union", "afd"),
        ("it", "la Nato e l'Onu", "un"),
        ("pl", "poseł PiS-u", "pis"),
        ("ru", "глава РФПИ и АдГ", "rdif"),
        ("uk", "дрони СБУ", "sbu"),
        ("es", "la ultraderecha alemana", "afd"),
    ],
)
def test_an_organisation_is_known_by_its_acronym_or_description(language: str, text: str, key: str) -> None:
    assert key in {one.key for one in Lexicon(read_table("organisations")).find(spans(text), language)}


def test_who_asks_is_not_the_who() -> None:
    assert Lexicon(read_table("organisations")).find(spans("Who is asking? It is ice."), "en") == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Kremlin spokesman"),
        ("fr", "le porte-parole du Kremlin"),
        ("de", "Kreml-Sprecher"),
        ("es", "el portavoz del Kremlin"),
        ("it", "il portavoce del Cremlino"),
        ("pl", "rzecznik Kremla"),
        ("ru", "пресс-секретарь Кремля"),
        ("uk", "речник Кремля"),
    ],
)
def test_a_spokesman_is_one_in_every_language(language: str, text: str) -> None:
    found = {one.key for one in Lexicon(read_table("offices")).find(spans(text), language)}
    assert found == {"spokesperson"}


def test_places_of_a_lead_are_found_in_a_fraction_of_a_millisecond() -> None:
    lead = (
        "Senior Russian and American officials will meet in Saudi Arabia on Tuesday for talks that "
        "neither Kyiv nor its European allies were invited to, the Kremlin spokesman said, while "
        "fighting went on around Pokrovsk in the Donetsk region and in the Russian region of Kursk."
    )
    words = spans(lead)
    places(words, "en")
    begun = time.process_time()
    for _ in range(100):
        places(words, "en")
    # A tenth of this on the machine it was written on: the bound only tells loops from look-ups.
    assert (time.process_time() - begun) / 100 < 0.003
