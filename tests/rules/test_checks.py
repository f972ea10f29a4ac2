from __future__ import annotations

import pytest

from aggregator.rules.checking.agencies import voice_of
from aggregator.rules.checking.numbers import amount, is_rounded
from aggregator.rules.checks import check
from tests.rules.checks_wire import brief, checks, shown, story

INVASION = (
    story(
        "The war has gone on since Russia launched its invasion of Ukraine in February 2022.", outlet="one"
    ),
    story(
        "C'est la première rencontre depuis l'invasion de l'Ukraine par la Russie, en février 2022.",
        "fr",
        outlet="b",
    ),
)


def test_a_year_that_two_agencies_give_otherwise_is_shown_with_their_words() -> None:
    (found,) = checks(
        "They had not met since Russia began its invasion of Ukraine in February 2021.", *INVASION
    )
    assert (found.kind, found.passage, found.brief, found.sources_say) == (
        "year",
        "p1",
        "February 2021",
        "2022",
    )
    assert found.stories == ("one", "b")
    assert dict(found.spans)["one"] == "February 2022"
    assert "2 agencies in 2 languages" in found.message


def test_a_year_that_any_source_gives_is_not_doubted() -> None:
    own = story("Others date the invasion of Ukraine to 2021.", outlet="three")
    assert shown("They had not met since the invasion of Ukraine in February 2021.", *INVASION, own) == []


def test_one_agency_is_no_vote_however_many_print_it() -> None:
    copies = [story(f"KYIV (Reuters) - {INVASION[0].text}", outlet=f"paper {number}") for number in range(3)]
    assert shown("They had not met since the invasion of Ukraine in February 2021.", *copies) == []


def test_an_event_in_another_place_is_another_event() -> None:
    crimea = [
        story(f"The invasion of Georgia in August 2008 was {word}.", outlet=word)
        for word in ("short", "first")
    ]
    assert shown("They had not met since the invasion of Ukraine in February 2021.", *crimea) == []


def test_a_person_of_the_brief_tells_an_event_too() -> None:
    told = [
        story("Angela Merkel won the election of 2005.", outlet="one"),
        story("Angela Merkel, die 2005 die Wahl gewann, schweigt.", "de", outlet="two"),
    ]
    assert ("year", "2004", "2005") in shown("Angela Merkel won the election of 2004.", *told)
    stranger = [story("Somebody won the election of 2005.", outlet=name) for name in ("one", "two")]
    assert shown("Angela Merkel won the election of 2004.", *stranger) == []


def test_the_month_of_a_past_event_is_a_date() -> None:
    found = shown("They had not met since the invasion of Ukraine in March 2022.", *INVASION)
    assert ("date", "March 2022", "February 2022") in found


def test_a_day_of_a_past_event_is_held_against_days() -> None:
    told = [
        story("Russia began the invasion of Ukraine on 24 February 2022.", outlet="one"),
        story("Am 24. Februar 2022 begann die russische Invasion der Ukraine.", "de", outlet="two"),
    ]
    assert ("date", "26 February 2022", "24 February 2022") in shown(
        "Russia began the invasion of Ukraine on 26 February 2022.", *told
    )


def test_what_happened_these_days_is_no_background() -> None:
    news = [
        story("The invasion of Ukraine goes on, the army said in February 2025.", outlet=name)
        for name in ("a", "b")
    ]
    assert shown("They had not met since the invasion of Ukraine in February 2021.", *news) == []


def test_a_day_in_the_news_is_known_by_a_whole_sentence() -> None:
    told = [
        story("Pete Hegseth rejected membership and ruled out troops for Ukraine on 12 February.", outlet="one"),
        story("Am 12. Februar lehnte Pete Hegseth eine Mitgliedschaft ab und schloss Truppen für die Ukraine aus.",
              "de", outlet="two"),
    ]  # fmt: skip
    text = "Pete Hegseth rejected membership and ruled out troops for Ukraine on {} February."
    assert ("date", "14 February", "12 February") in shown(text.format(14), *told)
    assert shown(text.format(12), *told) == []


def test_a_week_is_not_held_against_days() -> None:
    told = [
        story("Pete Hegseth ruled out troops for Ukraine on 12 February.", outlet=name) for name in ("a", "b")
    ]
    assert shown("Pete Hegseth ruled out troops for Ukraine this week.", *told) == []


def test_a_sentence_without_a_day_says_nothing_about_days() -> None:
    told = [story("Pete Hegseth ruled out troops for Ukraine.", outlet=name) for name in ("a", "b")]
    assert shown("Pete Hegseth ruled out troops for Ukraine on 14 February.", *told) == []


def test_a_brief_without_a_day_keeps_to_the_calendar() -> None:
    undated = brief("They met on Monday, 18 February 2025.", dated=None)
    assert [(c.kind, c.sources_say) for c in check(undated, ())] == [("weekday", "Tuesday")]


@pytest.mark.parametrize(
    ("language", "text", "weekday"),
    [
        ("en", "They met on Monday, 18 February 2025.", "Tuesday"),
        ("fr", "Ils se sont vus lundi 18 février 2025.", "mardi"),
        ("de", "Sie trafen sich am Montag, dem 18. Februar 2025.", "Dienstag"),
        ("es", "Se reunieron el lunes 18 de febrero de 2025.", "martes"),
        ("it", "Si sono visti lunedì 18 febbraio 2025.", "martedì"),
        ("pl", "Spotkali się w poniedziałek 18 lutego 2025 roku.", "wtorek"),
        ("uk", "Вони зустрілися в понеділок, 18 лютого 2025 року.", "вівторок"),
        ("ru", "Они встретились в понедельник, 18 февраля 2025 года.", "вторник"),
    ],
)
def test_a_weekday_that_is_not_its_dates_needs_no_source(language: str, text: str, weekday: str) -> None:
    (found,) = checks(text, language=language)
    assert (found.kind, found.sources_say, found.stories) == ("weekday", weekday, ())
    assert found.brief == text[found.start : found.end]


def test_a_weekday_behind_its_date_counts_too() -> None:
    assert shown("They met on 18 February 2025, a Monday.") == [
        ("weekday", "18 February 2025, a Monday", "Tuesday")
    ]
    assert shown("They met on 18 February 2025, a Tuesday.") == []
    assert shown("They met on 17 February 2025 and, after a long break, on 18 February 2025.") == []


def test_a_sentence_that_tells_of_something_else_dates_nothing() -> None:
    told = [story("Pete Hegseth came to Ukraine on 12 February.", outlet=name) for name in ("a", "b")]
    text = "Pete Hegseth saw troops in Ukraine on 14 February."
    assert shown(text, *told) == []


def test_a_weekday_that_fits_is_left_alone() -> None:
    assert shown("Sie trafen sich am Dienstag, dem 18. Februar 2025.", language="de") == []


DRONES = (
    story("Russia attacked Ukraine with 176 drones overnight.", outlet="one"),
    story("Росія атакувала Україну: 176 дронів за ніч.", "uk", outlet="two"),
)


def test_a_number_that_two_agencies_give_otherwise_is_shown() -> None:
    assert ("number", "276", "176") in [
        (kind, words[:3], says[:3])
        for kind, words, says in shown("Russia attacked Ukraine with 276 drones.", *DRONES)
    ]


def test_a_number_is_not_doubted_where_a_source_gives_it_or_rounds_it() -> None:
    assert shown("Russia attacked Ukraine with 176 drones.", *DRONES) == []
    assert shown("Russia attacked Ukraine with 180 drones.", *DRONES) == []


def test_numbers_of_other_things_are_not_compared() -> None:
    assert shown("Russia attacked Ukraine with 12 missiles.", *DRONES) == []


def test_the_counted_word_itself_will_do_within_one_language() -> None:
    told = [
        story("All 80 zorblats of Ukraine were saved.", outlet="one"),
        story("The 80 zorblats are back in Ukraine.", outlet="two"),
    ]
    assert [kind for kind, _, _ in shown("All 90 zorblats of Ukraine were saved.", *told)] == ["number"]
    assert shown("All 90.", *told) == []


def test_a_share_is_held_against_shares_of_the_same_party() -> None:
    told = [
        story("Die AfD kam in Deutschland auf 20,8 Prozent, die SPD auf 16,4 Prozent.", "de", outlet="one"),
        story("The AfD won 20.8 percent in Germany.", outlet="two"),
    ]
    assert [c.kind for c in checks("The AfD won 24.8 percent in Germany.", *told)] == ["number"]
    assert shown("The AfD won 21 percent in Germany.", *told) == []


def test_a_duration_is_held_against_durations_of_the_same_talks() -> None:
    told = [
        story("Sergei Lavrov and Marco Rubio held talks for four hours in Riyadh.", outlet="one"),
        story("Sergueï Lavrov et Marco Rubio ont négocié quatre heures à Riyad.", "fr", outlet="two"),
    ]
    found = shown("Sergei Lavrov and Marco Rubio held talks for seven hours in Riyadh.", *told)
    assert [kind for kind, _, _ in found] == ["number"]
    far = shown("Their own doctors slept for seven hours near Riyadh.", *told)
    assert far == []


def test_amounts_come_apart_and_round() -> None:
    assert amount("20.8%") == (20.8, "%")
    assert amount("1e+09USD") == (1e9, "USD")
    assert amount("176") == (176.0, "")
    assert is_rounded(28.5, 28.6, "%")
    assert not is_rounded(20.8, 24.8, "%")
    assert is_rounded(4, 4.5, "h")
    assert is_rounded(300, 314, "")
    assert not is_rounded(176, 103, "")
    assert not is_rounded(7, 8, "")
    assert not is_rounded(0, 8, "")


@pytest.mark.parametrize(
    ("text", "voice"),
    [
        ("RIYADH (AP) - They met.", "agency:ap"),
        ("RIYAD (Agence Méridienne) – Ils se sont vus.", "agency:agence meridienne"),
        ("They met.", "the harbour ledger"),
    ],
)
def test_a_story_speaks_with_the_voice_of_its_agency(text: str, voice: str) -> None:
    assert voice_of(f"Title\n{text}", "The Harbour Ledger") == voice


def test_only_the_first_stories_are_read_and_the_same_input_gives_the_same_checks() -> None:
    text = brief("They had not met since Russia began its invasion of Ukraine in February 2021.")
    assert check(text, INVASION) == check(text, INVASION) != []
    assert check(text, INVASION, most=1) == []
    assert check(text, ()) == []


def test_as_many_agencies_for_two_years_decide_nothing() -> None:
    others = [
        story(f"The invasion of Ukraine began in 2014, {name} said.", outlet=name)
        for name in ("three", "four")
    ]
    assert shown("They had not met since the invasion of Ukraine in February 2021.", *INVASION, *others) == []


def test_an_undated_story_can_tell_of_the_past() -> None:
    told = [story(each.text, each.language, outlet=each.url, published=None) for each in INVASION]
    assert shown("They had not met since the invasion of Ukraine in 1999.", *told)[0][0] == "year"
