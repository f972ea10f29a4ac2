from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.language.text import fold
from aggregator.rules import cosmetics
from aggregator.rules.cosmetics import is_cosmetic, settled

MOVING = {
    "en": [
        "12 comments", "Comments: 1,204", "1.2K views", "Read 1,204 times", "3 min read", "Reading time: 5 minutes",
        "Updated 10:32", "Last updated on Tuesday 18 February 2025, 10.32 am CET", "Updated 5 minutes ago",
        "an hour ago", "Just now", "3h",
    ],
    "fr": [
        "12 commentaires", "Lu 12 fois", "Mis à jour le 18 février 2025 à 10h32", "il y a 3 minutes",
        "Temps de lecture : 3 min", "5 minutes de lecture",
    ],
    "de": ["12 Kommentare", "Stand: 18.02.2025, 10:32 Uhr", "vor 5 Minuten", "Lesezeit: 3 Minuten"],
    "es": ["12 comentarios", "Actualizado a las 10:32", "hace 2 horas", "Tiempo de lectura: 3 min"],
    "it": ["12 commenti", "Aggiornato alle 10:32", "2 ore fa", "Tempo di lettura: 3 minuti"],
    "pl": ["12 wyświetleń", "Aktualizacja: 18.02.2025 10:32", "5 minut temu", "Czas czytania: 3 min"],
    "uk": ["123 перегляди", "Оновлено 18 лютого 2025, 10:32", "5 хвилин тому", "Час читання: 3 хв"],
    "ru": ["12 комментариев", "Обновлено: 10:32", "5 минут назад", "Время чтения: 3 мин"],
}  # fmt: skip

NEWS = [
    "12 dead", "14 morts", "14 Tote", "14 погибших", "The petition got 12 comments", "48 votes", "12 points",
    "Poland 2, Ukraine 1", "2:1", "18 February 2025", "Updated toll: 14 dead", "Update on talks",
    "Published 12 reports", "In 3 hours 12 died", "Stand by 14", "Now", "Talks end",
]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "said"), [(code, each) for code, some in MOVING.items() for each in some]
)
def test_what_moves_by_itself_is_known_in_eight_languages(language: str, said: str) -> None:
    assert is_cosmetic(said)
    assert settled(f"Talks open in Riyadh. {said}") == "Talks open in Riyadh."
    assert settled(f"{said}\nTalks open in Riyadh.") == "Talks open in Riyadh."


@pytest.mark.parametrize("said", NEWS)
def test_numbers_of_the_news_always_count(said: str) -> None:
    assert not is_cosmetic(said)
    assert settled(f"Talks open in Riyadh. {said}") == f"Talks open in Riyadh. {said}"


def test_a_clock_in_brackets_moves_and_a_count_in_brackets_is_news() -> None:
    assert settled("Talks open (updated 10:32) in Riyadh") == "Talks open in Riyadh"
    assert settled("The fund sold its stake (1,200 shares)") == "The fund sold its stake (1,200 shares)"


def test_a_text_that_says_nothing_else_stays() -> None:
    assert settled("12 comments") == "12 comments"


def test_a_long_text_takes_no_time() -> None:
    body = "The delegations met on 18 February (in Riyadh), and 12 of them agreed to meet in 3 days. " * 1_000
    begun = time.process_time()
    settled(body)
    assert time.process_time() - begun < 0.5


@given(st.text(max_size=200))
def test_settling_twice_changes_nothing_more_than_once(text: str) -> None:
    assert " ".join(settled(text).split()) == settled(text)


_KNOWN = [part for some in MOVING.values() for said in some for part in said.replace(":", " ").split()]


@given(
    st.lists(st.sampled_from([*_KNOWN, "a", "an", "une", "il", "y", "12", "10:32"]), max_size=5).map(" ".join)
)
def test_no_beginning_hides_what_moves_by_itself(said: str) -> None:
    folded = cosmetics._APART.sub(" ", fold(said)).strip()
    if folded and (cosmetics._counter().fullmatch(folded) or cosmetics._is_moment(folded)):
        assert not cosmetics._begins_otherwise(said[:3].lower())
