"""Briefs that are right, each spoilt in one place: is the slip caught, and is nothing else called one?

The ten briefs were written for this test from what the demo wire tells. A mutation changes one
thing of one paragraph by rule (the next year, another office, a city where nobody was).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from aggregator.demo import wire
from aggregator.language.reading import Anchor, anchors
from aggregator.model import StoryDraft
from aggregator.rules.briefs import read_brief
from aggregator.rules.checks import CONFLICTS, Check, check
from aggregator.rules.stories import read_stories
from feeds.read import parse

BRIEFS = sorted((Path(__file__).parent / "briefs").glob("*.txt"))

#: What a slip of each kind may be shown as.
FITTING = {
    "year": {"year", "date"},
    "number": {"number", "date"},
    "role": {"role"},
    "name": {"name"},
    "weekday": {"weekday", "date"},
    "place": {"place"},
}

WEEKDAYS = {
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "pl": "poniedziałek wtorek środę czwartek piątek sobotę niedzielę",
    "uk": "понеділок вівторок середу четвер п'ятницю суботу неділю",
    "ru": "понедельник вторник среду четверг пятницу субботу воскресенье",
}
#: Offices as the briefs write them, and another that the same person never held.
OFFICES = {
    "fr": [
        ("porte-parole du Kremlin", "porte-parole du ministère russe de la Défense"),
        ("secrétaire d'État américain", "secrétaire américain à la Défense"),
        ("secrétaire américain à la Défense", "secrétaire d'État américain"),
        ("président ukrainien", "ministre ukrainien des Affaires étrangères"),
        ("président américain", "secrétaire d'État américain"),
    ],
    "en": [
        ("Kremlin spokesman", "Foreign Ministry spokesman"),
        ("British Prime Minister", "British Foreign Secretary"),
        ("Vice President", "Defense Secretary"),
        ("Defense Secretary", "Secretary of State"),
        ("French President", "French Foreign Minister"),
        ("special envoy", "ambassador"),
        ("President", "Foreign Minister"),
    ],
    "de": [
        ("US-Außenminister", "US-Verteidigungsminister"),
        ("US-Verteidigungsminister", "US-Außenminister"),
        ("Kremlsprecher", "Außenamtssprecher des russischen Außenministeriums"),
        ("Bundeskanzler", "Außenminister"),
    ],
    "es": [
        ("secretario de Estado estadounidense", "secretario de Defensa estadounidense"),
        ("portavoz del Kremlin", "portavoz del Ministerio de Defensa"),
        ("presidente ucraniano", "ministro de Exteriores ucraniano"),
        ("secretario de Defensa de Estados Unidos", "secretario de Estado de Estados Unidos"),
    ],
    "it": [
        ("segretario alla Difesa americano", "segretario di Stato americano"),
        ("portavoce del Cremlino", "portavoce del ministero degli Esteri"),
        ("segretario di Stato americano", "segretario alla Difesa americano"),
        ("premier britannico", "ministro degli Esteri britannico"),
    ],
    "pl": [
        ("Sekretarz stanu USA", "Minister obrony USA"),
        ("Rzecznik Kremla", "Rzecznik Ministerstwa Obrony"),
        ("Minister obrony USA", "Sekretarz stanu USA"),
        ("Specjalny wysłannik USA", "Ambasador USA"),
    ],
    "uk": [
        ("Держсекретар США", "Міністр оборони США"),
        ("Президент Володимир", "Міністр оборони Володимир"),
        ("Міністр оборони США", "Держсекретар США"),
        ("Речник Кремля", "Речник МЗС Росії"),
    ],
    "ru": [
        ("Министр иностранных дел России", "Министр обороны России"),
        ("Пресс-секретарь президента России", "Пресс-секретарь МИД России"),
        ("Министр обороны США", "Госсекретарь США"),
    ],
}
#: Where the briefs say that something was, and a city where nobody was that week.
PLACES = {
    "fr": [("à Riyad", "à Genève"), ("à Bruxelles", "à Genève"), ("à Ankara", "à Genève")],
    "en": [
        ("in Paris", "in Geneva"),
        ("in Brussels", "in Geneva"),
        ("in Riyadh", "in Geneva"),
        ("in Munich", "in Geneva"),
    ],
    "de": [("in Riad", "in Genf"), ("in Brüssel", "in Genf"), ("in Paris", "in Genf")],
    "es": [("en Riad", "en Ginebra"), ("en Bruselas", "en Ginebra"), ("en Ankara", "en Ginebra")],
    "it": [("a Bruxelles", "a Ginevra"), ("a Riad", "a Ginevra"), ("a Parigi", "a Ginevra")],
    "pl": [("w Rijadzie", "w Genewie"), ("w Brukseli", "w Genewie"), ("w Kijowie", "w Genewie")],
    "uk": [("в Ер-Ріяді", "в Женеві"), ("в Брюсселі", "в Женеві"), ("в Анкарі", "в Женеві")],
    "ru": [("в Эр-Рияде", "в Женеве"), ("в Брюсселе", "в Женеве")],
}
#: Numbers in words, as the briefs write them.
NUMBERS = {
    "fr": [
        ("quatre heures et demie", "six heures et demie"),
        ("une heure et demie", "trois heures et demie"),
        ("10 mars", "14 mars"),
    ],
    "en": [("eight European countries", "eleven European countries")],
    "de": [("viereinhalb Stunden", "sechseinhalb Stunden")],
    "es": [("cuatro horas y media", "seis horas y media"), ("10 de marzo", "14 de marzo")],
    "it": [],
    "pl": [("cztery i pół godziny", "sześć i pół godziny")],
    "uk": [("10 березня", "14 березня")],
    "ru": [("четыре с половиной часа", "шесть с половиной часа")],
}
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


@dataclass(frozen=True)
class Story:
    """A story of the demo wire, as a check reads it."""

    url: str
    text: str
    language: str
    source: str
    published: date | None
    anchors: tuple[Anchor, ...]


@dataclass(frozen=True)
class Paragraph:
    id: str
    text: str
    anchors: tuple[Anchor, ...]


@dataclass(frozen=True)
class Brief:
    language: str
    dated: date | None
    passages: tuple[Paragraph, ...]


@dataclass(frozen=True)
class Mutation:
    """One brief with one slip in it."""

    brief: str
    kind: str
    passage: str
    before: str
    after: str
    text: str


@cache
def demo_stories() -> tuple[Story, ...]:
    pages = wire.wire_pages("http://wire.example")
    return tuple(
        as_story(draft, outlet.name)
        for outlet in wire.demo_feeds()
        for draft in read_stories(
            parse(pages[f"/{outlet.slug}/feed"].body, content_type=outlet.content_type),
            source_url="http://wire.example",
            language=outlet.language,
        )
    )


def as_story(draft: StoryDraft, outlet: str) -> Story:
    moment = draft.entry.published or draft.entry.updated
    assert moment is not None
    text, language = f"{draft.entry.title}\n{draft.summary}", draft.language or "und"
    read = tuple(anchors(text, language, dateline=moment.date()))
    return Story(draft.url or "", text, language, outlet, moment.date(), read)


def as_brief(text: str) -> Brief:
    found = read_brief(text)
    return Brief(
        found.language,
        found.date,
        tuple(
            Paragraph(p.id, p.text, tuple(anchors(p.text, found.language, dateline=found.date)))
            for p in found.passages
        ),
    )


def conflicts(text: str) -> list[Check]:
    return [each for each in check(as_brief(text), demo_stories()) if each.kind in CONFLICTS]


def mutations() -> Iterator[Mutation]:
    for file in BRIEFS:
        text = file.read_text(encoding="utf-8")
        found = read_brief(text)
        for passage in found.passages[1:]:
            for kind, change in CHANGES.items():
                if (pair := change(passage.text, found.language)) is not None:
                    spoilt = passage.text.replace(pair[0], pair[1], 1)
                    assert passage.text in text
                    yield Mutation(file.stem, kind, passage.id, *pair, text.replace(passage.text, spoilt))


def another_year(text: str, language: str) -> tuple[str, str] | None:
    found = _YEAR.search(text)
    return None if found is None else (found[0], f"{int(found[0]) - 1}")


def another_weekday(text: str, language: str) -> tuple[str, str] | None:
    names = WEEKDAYS[language].split()
    at = {match.start(): day for day in names for match in re.finditer(rf"\b{day}\b", text)}
    if not at:
        return None
    day = at[min(at)]
    return day, names[(names.index(day) + 2) % 7]


def misspelt(text: str, language: str) -> tuple[str, str] | None:
    """The first family name of six letters and more behind a given name, with a consonant changed."""
    for anchor in anchors(text, language):
        if anchor.kind == "given" and anchor.head is not None:
            family = re.compile(r"[^\W\d_]+").match(text, anchor.head)
            if family is not None and len(family[0]) >= 5:
                name = family[0]
                other = {
                    "l": "m",
                    "b": "d",
                    "s": "t",
                    "k": "p",
                    "в": "м",
                    "б": "д",
                    "с": "т",
                    "л": "н",
                    "ь": "р",
                }
                middle = next((n for n in range(2, len(name) - 1) if name[n] in other), None)
                if middle is not None:
                    return name, name[:middle] + other[name[middle]] + name[middle + 1 :]
    return None


def _first(pairs: list[tuple[str, str]], text: str) -> tuple[str, str] | None:
    return next((pair for pair in pairs if pair[0] in text), None)


CHANGES: dict[str, Callable[[str, str], tuple[str, str] | None]] = {
    "year": another_year,
    "number": lambda text, language: _first(NUMBERS[language], text),
    "role": lambda text, language: _first(OFFICES[language], text),
    "name": misspelt,
    "weekday": another_weekday,
    "place": lambda text, language: _first(PLACES[language], text),
}


def is_caught(mutation: Mutation, found: list[Check]) -> bool:
    return any(each.passage == mutation.passage and each.kind in FITTING[mutation.kind] for each in found)


@pytest.mark.parametrize("file", BRIEFS, ids=lambda file: file.stem)
def test_a_brief_that_is_right_raises_no_conflict(file: Path) -> None:
    assert conflicts(file.read_text(encoding="utf-8")) == []


def test_slips_are_caught_and_nothing_else_is_called_one() -> None:
    texts = {each.url: each.text for each in demo_stories()}
    caught: Counter[str] = Counter()
    told: Counter[str] = Counter()
    fitting = shown = 0
    for mutation in mutations():
        found = conflicts(mutation.text)
        told[mutation.kind] += 1
        caught[mutation.kind] += is_caught(mutation, found)
        assert all(words in texts[url] for each in found for url, words in each.spans)
        assert all(each.brief in mutation.text for each in found)
        shown += len(found)
        fitting += sum(is_caught(mutation, [each]) for each in found)
    recall, precision = caught.total() / told.total(), fitting / shown
    by_kind = {kind: f"{caught[kind]} of {told[kind]}" for kind in CHANGES}
    assert told.total() >= 100
    assert precision >= 0.9, f"precision {precision:.2f}; caught {by_kind}"
    assert recall >= 0.7, f"recall {recall:.2f}; caught {by_kind}"
