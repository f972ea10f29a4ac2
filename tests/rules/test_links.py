"""Suggestions for passages: which stories, in what order, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.language.reading import anchors
from aggregator.rules.link_index import Linker
from aggregator.rules.link_values import Candidate, Frequencies, Linked, Passage, Query
from aggregator.rules.links import link, time_prior

DAY = date(2025, 2, 18)

TALKS = "Marco Rubio et Sergueï Lavrov ont négocié mardi à Riyad, en Arabie saoudite, sans l'Ukraine."
PESKOV = "Le porte-parole du Kremlin, Dmitri Peskov, a parlé du rétablissement des relations."


def story(
    url: str, title: str, language: str, summary: str = "", *, day: date | None = DAY, source: str = "wire"
) -> Candidate:
    read = tuple(anchors(f"{title}\n{summary}", language, dateline=day))
    return Candidate(url, title, summary, language, source, day, read)


def brief(*passages: str, language: str = "fr", day: date | None = DAY) -> Query:
    read = tuple(
        Passage(f"p{n}", text, tuple(anchors(text, language, dateline=day)))
        for n, text in enumerate(passages)
    )
    return Query(passages[0] if passages else "", language, day, read)


POLISH = story("pl", "Rubio i Ławrow rozmawiali we wtorek w Rijadzie bez udziału Ukrainy", "pl")
RUSSIAN = story(
    "ru", "Лавров и Рубио провели переговоры в Эр-Рияде", "ru", "Украину на встречу не пригласили."
)
GERMAN = story("de", "Kremlsprecher Peskow: Es geht um die Wiederherstellung der Beziehungen", "de")
SPORT = story("en", "Late goal sends Liverpool four points clear at the top", "en")
NOISE = [
    story(f"n{n}", f"Council of town {n} votes on the budget for the new bridge", "en", source=f"paper {n}")
    for n in range(40)
]


def linked(query: Query, stories: Sequence[Candidate]) -> Linked:
    return link(query, Linker(stories, query))


def urls(found: Linked, passage: str) -> list[str]:
    return [suggestion.story.url for suggestion in found.passages[passage]]


def test_a_french_passage_finds_the_polish_and_the_russian_story() -> None:
    found = linked(brief(TALKS), [SPORT, POLISH, RUSSIAN, GERMAN, *NOISE])
    assert set(urls(found, "p0")[:2]) == {"pl", "ru"}


def test_each_passage_finds_its_own_story() -> None:
    found = linked(brief(TALKS, PESKOV), [POLISH, GERMAN, SPORT, *NOISE])
    assert urls(found, "p0")[0] == "pl"
    assert urls(found, "p1")[0] == "de"


def test_unrelated_news_is_not_suggested() -> None:
    found = linked(brief(TALKS), [SPORT, *NOISE])
    assert urls(found, "p0") == []


def test_a_name_alone_suggests_nothing() -> None:
    alone = story("name", "Rubio", "en")
    assert urls(linked(brief(TALKS), [alone, *NOISE]), "p0") == []


def test_the_day_of_the_brief_draws_its_stories() -> None:
    old = story("old", POLISH.title, "pl", day=date(2024, 6, 1))
    found = linked(brief(TALKS), [old, POLISH, *NOISE])
    assert urls(found, "p0") == ["pl", "old"]


def test_an_undated_brief_or_story_is_ranked_by_words_alone() -> None:
    assert time_prior(POLISH, None, ()) == 1.0
    assert time_prior(story("x", "t", "en", day=None), DAY, ()) == 1.0


@pytest.mark.parametrize(
    ("away", "more_than"), [(0, 0.99), (-8, 0.99), (1, 0.99), (4, 0.6), (-12, 0.6), (60, 0.29), (-200, 0.29)]
)
def test_stories_of_other_days_count_less_but_never_nothing(away: int, more_than: float) -> None:
    other = story("x", "t", "en", day=date.fromordinal(DAY.toordinal() + away))
    assert time_prior(other, DAY, ()) > more_than


@pytest.mark.parametrize(
    ("passage", "day", "is_drawn"),
    [
        ("Ils se sont vus le 12 février.", date(2025, 2, 12), True),
        ("Ils se sont vus le 12 février.", date(2025, 2, 13), True),
        ("Ils se sont vus le 12 février.", date(2025, 2, 15), False),
        ("Ils se sont vus la semaine dernière.", date(2025, 2, 12), True),
        ("Ils se sont vus la semaine dernière.", date(2025, 2, 18), False),
        ("Ils se sont vus en 2014.", date(2025, 2, 12), False),
    ],
)
def test_a_day_or_week_that_the_passage_names_draws_its_stories(
    passage: str, day: date, is_drawn: bool
) -> None:
    named = [a for a in anchors(passage, "fr", dateline=DAY) if a.kind == "date"]
    assert named
    assert (time_prior(story("x", "t", "en", day=day), DAY, named) > 1.0) is is_drawn


def test_a_story_that_says_one_claim_fully_is_not_lost_in_a_passage_of_two() -> None:
    both = f"{TALKS} {PESKOV}"
    found = linked(brief(both), [POLISH, GERMAN, *NOISE])
    assert set(urls(found, "p0")) == {"pl", "de"}


def test_the_whole_brief_ranks_every_story_that_bears_on_it_once() -> None:
    found = linked(brief(TALKS, PESKOV), [SPORT, POLISH, RUSSIAN, GERMAN, *NOISE])
    ranked = [url for url, _ in found.ranking]
    assert set(ranked[:3]) == {"pl", "ru", "de"}
    assert len(ranked) == len(set(ranked))


def test_ties_go_to_the_earlier_story_and_then_to_the_address() -> None:
    twins = [story(url, POLISH.title, "pl") for url in ("b", "a")]
    earlier = story("c", POLISH.title, "pl", day=date(2025, 2, 17))
    found = linked(brief("Rubio et Lavrov ont négocié à Riyad.", day=None), [*twins, earlier, *NOISE])
    assert urls(found, "p0") == ["c", "a", "b"]


def test_an_archive_says_how_rare_an_anchor_is() -> None:
    common = Frequencies(1_000_000, {("place", "SA"): 900_000})
    query = brief("Rubio est en Arabie saoudite avec l'émissaire Witkoff.")
    riyadh = story("place", "Rubio in Saudi Arabia", "en")
    witkoff = story("name", "Rubio with Witkoff, US envoy", "en")
    found = link(query, Linker([riyadh, witkoff, *NOISE], query, frequencies=common))
    assert urls(found, "p0")[0] == "name"
    assert common.documents_in("fr") == 0


class Meaning:
    """An encoder that finds everything about football alike."""

    def encode(self, texts: list[str], /) -> list[list[float]]:
        return [[1.0, 0.0] if "goal" in text or "but" in text else [0.0, 1.0] for text in texts]


def test_an_encoder_adds_to_the_score_where_one_is_plugged_in() -> None:
    query = brief(TALKS)
    linker = Linker([POLISH, RUSSIAN, *NOISE], query)
    plain = link(query, linker).passages["p0"][0]
    encoded = link(query, linker, encoder=Meaning()).passages["p0"][0]
    assert encoded.score > plain.score
    assert link(query, Linker([], query), encoder=Meaning()).passages["p0"] == ()


def test_an_empty_brief_finds_nothing() -> None:
    found = linked(Query("", "fr", None, ()), [POLISH])
    assert found.passages == {}
    assert found.ranking == ()


WORDS = [
    "Rubio", "Lavrov", "Лавров", "Ławrow", "Riyad", "Riyadh", "Ukraine", "Україна", "talks", "pourparlers",
    "переговоры", "mardi", "Tuesday", "18 février 2025", "2022", "20 %", "OTAN", "NATO", "ministre", "minister",
    "sans", "without", "«", "»", "\u202e", "🙂", "الرياض", "普京", ".", "\n",
]  # fmt: skip
texts = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join) | st.text(max_size=80)
languages = st.sampled_from(["fr", "en", "ru", "pl", "uk", "de", "ar", "zh", "xx", ""])


@settings(max_examples=150, deadline=None)
@given(
    passages=st.lists(texts, max_size=4),
    stories=st.lists(st.tuples(texts, texts, languages), max_size=8),
    language=languages,
)
def test_every_reason_is_verbatim_in_both_texts_and_two_kinds_agree(
    passages: list[str], stories: list[tuple[str, str, str]], language: str
) -> None:
    known = [story(f"u{n}", title, spoken, summary) for n, (title, summary, spoken) in enumerate(stories)]
    query = brief(*passages, language=language)
    found = linked(query, known)
    for passage in query.passages:
        for suggestion in found.passages[passage.id]:
            assert len({reason.brief for reason in suggestion.reasons}) > 1 or len(suggestion.reasons) > 1
            assert len({reason.kind for reason in suggestion.reasons}) > 1
            for reason in suggestion.reasons:
                assert reason.brief in passage.text
                assert reason.story in suggestion.story.text
    assert linked(query, known) == found
