from __future__ import annotations

from datetime import date

import pytest

from aggregator.rules.checking.evidence import sentences
from aggregator.rules.checks import check
from tests.rules.checks_wire import brief, checks, shown, story

NOON = date(2025, 2, 12)
BRUSSELS = (
    story("Pete Hegseth said in Brussels on 12 February that a return to the old borders was unrealistic.",
          outlet="one", published=NOON),
    story("Pete Hegseth a déclaré le 12 février à Bruxelles qu'un retour aux frontières était irréaliste.", "fr",
          outlet="two", published=NOON),
)  # fmt: skip


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Pete Hegseth said in Geneva on 12 February that a return to the borders was unrealistic."),
        ("fr", "Pete Hegseth a dit le 12 février à Genève qu'un retour aux frontières était irréaliste."),
        ("de", "Pete Hegseth nannte am 12. Februar in Genf eine Rückkehr zu den Grenzen unrealistisch."),
        (
            "es",
            "Pete Hegseth dijo el 12 de febrero en Ginebra que un regreso a las fronteras no era realista.",
        ),
        ("it", "Pete Hegseth ha detto il 12 febbraio a Ginevra che il ritorno ai confini è irrealistico."),
        ("pl", "Pete Hegseth mówił 12 lutego w Genewie, że powrót do granic jest nierealistyczny."),
        ("uk", "Піт Гегсет заявив 12 лютого в Женеві, що повернення до кордонів є нереалістичним."),
        ("ru", "Пит Хегсет заявил 12 февраля в Женеве, что возвращение к границам нереалистично."),
    ],
)
def test_a_place_that_two_agencies_give_otherwise_is_shown(language: str, text: str) -> None:
    (found,) = checks(text, *BRUSSELS, language=language)
    assert found.kind == "place"
    assert found.sources_say in ("Brussels", "Bruxelles")
    assert found.brief == text[found.start : found.end]


def test_a_place_that_a_source_names_is_not_doubted() -> None:
    text = "Pete Hegseth said in {} on 12 February that a return to the borders was unrealistic."
    assert shown(text.format("Brussels"), *BRUSSELS) == []
    assert shown(text.format("Belgium"), *BRUSSELS) == []
    other = story(
        "In Geneva Pete Hegseth said on 12 February that the borders were unrealistic.", outlet="three"
    )
    assert shown(text.format("Geneva"), *BRUSSELS, other) == []


def test_a_meeting_of_one_country_is_held_against_where_it_met() -> None:
    text = brief(
        "Pete Hegseth called a return to the borders unrealistic on 12 February at a meeting of Ukrainian officials."
    )
    (check_,) = check(text, BRUSSELS)
    assert (check_.kind, check_.brief, check_.sources_say) == (
        "place",
        "meeting of Ukrainian",
        "Brussels",
    )


def test_a_place_behind_what_was_said_is_not_where() -> None:
    text = "Pete Hegseth said on 12 February that a return to the borders in Georgia was unrealistic."
    assert shown(text, *BRUSSELS) == []


def test_places_scattered_over_the_sources_decide_nothing() -> None:
    told = [
        story(
            f"Pete Hegseth said in {where} on 12 February that a return to the borders was unrealistic.",
            outlet=where,
        )
        for where in ("Brussels", "Berlin", "Warsaw", "Rome", "Madrid")
    ]
    text = "Pete Hegseth said in Geneva on 12 February that a return to the borders was unrealistic."
    assert shown(text, *told) == []


def test_another_day_is_another_occasion() -> None:
    later = "Pete Hegseth said in Geneva on 17 February that a return to the borders was unrealistic."
    old = [story(each.text, each.language, outlet=each.url, published=date(2025, 2, 3)) for each in BRUSSELS]
    assert "place" not in [c.kind for c in checks(later, *old)]
    unknown = [
        story(
            "Pete Hegseth called in Brussels a return to the borders unrealistic.",
            outlet=name,
            published=None,
        )
        for name in ("one", "two")
    ]
    assert shown(later, *unknown) == []
    undated = "Pete Hegseth said in Geneva that a return to the borders was unrealistic."
    assert [c.kind for c in checks(undated, *unknown)] == ["place"]
    no_day = brief(undated, dated=None)
    assert [c.kind for c in check(no_day, BRUSSELS)] == ["place"]


def test_an_event_without_a_person_is_known_by_its_sentence() -> None:
    told = [
        story("American and Russian delegations opened talks in Riyadh.", outlet="one"),
        story("Les délégations américaine et russe ont ouvert des pourparlers à Riyad.", "fr", outlet="two"),
    ]
    (found,) = checks("American and Russian delegations opened talks in Geneva.", *told)
    assert (found.kind, found.sources_say) == ("place", "Riyadh")
    assert shown("Some people are in Geneva.", *told) == []


def test_he_is_who_was_named_before() -> None:
    text = brief(
        "Pete Hegseth rejected the old borders as unrealistic. "
        "He said so in Geneva on 12 February, and a return is out."
    )
    assert [c.kind for c in check(text, BRUSSELS)] == ["place"]


def test_a_language_without_prepositions_of_ours_is_left_alone() -> None:
    assert shown("Pete Hegseth sprak op 12 februari in Genève.", *BRUSSELS, language="nl") == []


def test_sentences_end_at_stops_and_lines_and_not_at_abbreviations() -> None:
    text = "Talks open\nU.S. officials met on Feb. 18. They left in 2022. Nobody came (yet). “Yes.” Am 18. Februar"
    assert [text[a:b].strip() for a, b in sentences(text)] == [
        "Talks open",
        "U.S. officials met on Feb. 18. They left in 2022.",
        "Nobody came (yet).",
        "“Yes.”",
        "Am 18. Februar",
    ]


def test_a_meeting_of_the_country_where_it_met_is_no_conflict() -> None:
    text = "Pete Hegseth called a return to the borders unrealistic on 12 February at a meeting of Belgian officials."
    assert shown(text, *BRUSSELS) == []


def test_a_name_of_three_letters_is_too_short_to_go_by() -> None:
    text = "Then Xi said in Geneva on 12 February that a return to the borders was unrealistic."
    assert [c for c in checks(text, *BRUSSELS) if c.kind == "place"] == []
