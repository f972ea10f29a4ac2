from __future__ import annotations

import pytest

from aggregator.rules.checking.spelling import slips_between
from aggregator.rules.checks import check
from tests.rules.checks_wire import brief, checks, shown, story

KREMLIN = (
    story("Kremlin spokesman Dmitry Peskov told reporters so on Monday.", outlet="one"),
    story("Le porte-parole du Kremlin, Dmitri Peskov, l'a dit lundi.", "fr", outlet="two"),
)
RUBIO = (
    story("U.S. Secretary of State Marco Rubio led the delegation.", outlet="one"),
    story("US-Außenminister Marco Rubio leitete die Delegation.", "de", outlet="two"),
)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Foreign Ministry spokesman Dmitry Peskov said so."),
        ("fr", "Le porte-parole du ministère russe des Affaires étrangères, Dmitri Peskov, l'a dit."),
        ("es", "El portavoz del Ministerio de Defensa, Dmitri Peskov, lo dijo."),
        ("it", "Il portavoce del ministero degli Esteri Dmitrij Peskov lo ha detto."),
        ("pl", "Rzecznik MSZ Dmitrij Pieskow to powiedział."),
        ("uk", "Речник МЗС Росії Дмитро Пєсков це сказав."),
        ("ru", "Пресс-секретарь МИД России Дмитрий Песков это сказал."),
    ],
)
def test_a_spokesman_of_another_house_is_shown(language: str, text: str) -> None:
    (found,) = checks(text, *KREMLIN, language=language)
    assert found.kind == "role"
    assert "remlin" in found.sources_say
    assert found.brief == text[found.start : found.end]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Kremlin spokesman Dmitry Peskov said so."),
        ("ru", "Пресс-секретарь президента России Дмитрий Песков это сказал."),
        ("fr", "Le porte-parole du président, Dmitri Peskov, l'a dit."),
        ("en", "Spokesman Dmitry Peskov said so."),
        ("en", "Peskov said so."),
    ],
)
def test_the_same_house_by_another_name_is_no_conflict(language: str, text: str) -> None:
    assert shown(text, *KREMLIN, language=language) == []


def test_a_minister_of_another_ministry_is_shown() -> None:
    (found,) = checks("Defense Secretary Marco Rubio led the delegation.", *RUBIO)
    assert (found.kind, found.sources_say) == ("role", "Secretary of State Marco Rubio")


def test_secretary_of_state_and_foreign_minister_are_one_office() -> None:
    assert shown("Le chef de la diplomatie américaine, Marco Rubio, l'a dit.", *RUBIO, language="fr") == []


def test_an_office_behind_the_name_counts_where_no_other_name_follows() -> None:
    (found,) = checks("Marco Rubio, the US defence secretary, led the delegation.", *RUBIO)
    assert found.kind == "role"
    assert shown("Marco Rubio, defence secretary Pete Hegseth and others came.", *RUBIO) == []
    assert shown("Marco Rubio, tired of all this, left.", *RUBIO) == []
    assert shown("Marco Rubio, who was never asked to be the defence secretary, left.", *RUBIO) == []


def test_the_office_of_another_person_of_that_name_says_nothing() -> None:
    told = [story(f"Governor Tim Walz spoke {where}.", outlet=where) for where in ("here", "there")]
    assert shown("National security adviser Mike Walz spoke.", *told) == []


def test_an_office_that_may_be_anothers_supports_and_does_not_accuse() -> None:
    told = [
        story("Rzecznik prezydenta Władimira Putina to powiedział.", "pl", outlet="one"),
        story("Rzecznik prezydenta Władimira Putina mówił.", "pl", outlet="two"),
    ]
    assert shown("President Vladimir Putin said so.", *told) == []
    assert shown("Prime Minister Vladimir Putin said so.", *told) == []


def test_a_former_president_is_none_and_a_former_minister_may_be_anything() -> None:
    told = [
        story(f"Former President Donald Trump came {where}.", outlet=where) for where in ("early", "late")
    ]
    assert shown("Defense Secretary Donald Trump came.", *told) == []
    assert shown("Former Defense Secretary Marco Rubio came.", *RUBIO) == []


def test_heads_of_state_and_government_are_taken_for_one_another() -> None:
    told = [
        story("El presidente del Gobierno, Pedro Sánchez, habló.", "es", outlet="one"),
        story("Spanish Prime Minister Pedro Sánchez spoke.", outlet="two"),
    ]
    assert shown("Spain's President Pedro Sánchez spoke.", *told) == []
    assert [c.kind for c in checks("Spanish Defence Minister Pedro Sánchez spoke.", *told)] == ["role"]


def test_a_rank_that_excludes_nothing_is_no_conflict() -> None:
    assert shown("Professor Marco Rubio led the delegation.", *RUBIO) == []
    told = [story(f"Professor Marco Rubio spoke {where}.", outlet=where) for where in ("here", "there")]
    assert shown("Defense Secretary Marco Rubio spoke.", *told) == []


def test_an_office_across_a_clause_is_not_the_names() -> None:
    assert shown("He met the defense secretary (and later Marco Rubio).", *RUBIO) == []
    assert shown("The defense secretary and Marco Rubio led the delegation.", *RUBIO) == []
    assert (
        shown(
            "The defense secretary of a country that was at that time in the war with Marco Rubio left.",
            *RUBIO,
        )
        == []
    )


def test_two_spellings_of_one_person_in_a_brief_are_a_note() -> None:
    (found,) = checks("Volodymyr Zelensky spoke. Later Volodymyr Zelenskyy left.")
    assert (found.kind, found.brief, found.sources_say) == ("spelling", "Zelenskyy", "Zelensky")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("pl", "Wołodymyr Zełenski mówił. Spotkanie z Wołodymyrem Zełenskim trwało."),
        ("uk", "Володимир Зеленський сказав. Візит Володимира Зеленського скасовано."),
        ("en", "Volodymyr Zelensky spoke. Volodymyr Zelensky's plan failed."),
        ("en", "Keith Kellogg spoke. Pete Hegseth left."),
        ("en", "Volodymyr Zelensky spoke. Olena Zelenska left."),
    ],
)
def test_cases_and_other_people_are_no_spellings(language: str, text: str) -> None:
    assert shown(text, language=language) == []


def test_a_name_that_no_story_writes_is_held_against_one_like_it() -> None:
    told = [
        story("Nobody expected that Keith Kellogg would come.", outlet="one"),
        story("The general called Keith Kellogg is expected soon.", outlet="two"),
    ]
    (found,) = checks("The retired general Keith Kollegg is expected there soon.", *told)
    assert (found.kind, found.brief, found.sources_say) == ("name", "Kollegg", "Kellogg")
    assert shown("The retired general Keith Kellogg is expected there soon.", *told) == []


def test_a_name_of_other_languages_is_met_by_its_sound() -> None:
    told = [
        story("Глава Пентагона Пит Хегсет выступил.", "ru", outlet="one"),
        story("Міністр оборони Піт Гегсет виступив.", "uk", outlet="two"),
    ]
    assert [
        c.kind for c in checks("Il capo del Pentagono Pete Hegteth ha parlato.", *told, language="it")
    ] == ["name"]
    assert shown("Pete Hegseth ha parlato.", *told, language="it") == []


def test_nearly_the_same_sound_is_enough_without_an_office() -> None:
    told = [
        story("Gestern sprach Boris Pistorius in Berlin.", "de", outlet="one"),
        story("Hier, Boris Pistorius a parlé à Berlin.", "fr", outlet="two"),
    ]
    assert [c.kind for c in checks("Yesterday it was Boris Pittorius who spoke.", *told)] == ["name"]


def test_alike_is_enough_in_the_same_office_only() -> None:
    told = RUBIO
    office = checks("Il segretario di Stato Marco Rudio ha parlato.", *told, language="it")
    assert [c.kind for c in office] == ["name"]
    assert shown("Marco Rudio ha parlato.", *told, language="it") == []


def test_a_stranger_and_a_namesake_are_no_slips() -> None:
    told = [story(f"Marco Rubio spoke {where}.", outlet=where) for where in ("here", "there")]
    assert shown("Marco Antonelli spoke.", *told) == []
    assert shown("Karl Rubow spoke.", *told) == []


def test_a_name_that_one_agency_alone_writes_otherwise_is_left() -> None:
    assert shown("Keith Kollegg came.", story("Keith Kellogg came.", outlet="one")) == []


def test_a_case_of_a_known_name_is_no_new_name() -> None:
    told = [story(f"Do Kijowa {word} Keith Kellogg.", "pl", outlet=word) for word in ("przyjechał", "wrócił")]
    assert shown("Spotkanie z generałem Keith Kelloggiem trwało.", *told, language="pl") == []


def test_a_spokesman_whose_house_no_source_names_is_left() -> None:
    told = [story(f"Spokesman Dmitry Peskov said so {when}.", outlet=when) for when in ("today", "again")]
    assert shown("Foreign Ministry spokesman Dmitry Peskov said so.", *told) == []


def test_without_a_comma_the_nearest_of_two_offices_is_the_names() -> None:
    told = [
        story("Le porte-parole du président Vladimir Poutine l'a dit.", "fr", outlet="one"),
        story("El portavoz del presidente Vladímir Putin lo dijo.", "es", outlet="two"),
    ]
    assert shown("President Vladimir Putin said so.", *told) == []
    assert [c.kind for c in checks("Defence Minister Vladimir Putin said so.", *told)] == ["role"]


def test_family_names_alone_are_no_two_spellings() -> None:
    assert shown("Yesterday Zelensky spoke. Later Zelenskyy left.") == []


def test_initials_are_a_given_name() -> None:
    told = [story(f"Vice President JD Vance spoke {where}.", outlet=where) for where in ("here", "there")]
    assert [c.kind for c in checks("Defense Secretary JD Vance spoke.", *told)] == ["role"]


def test_slips_are_counted_in_letters() -> None:
    assert slips_between("kellogg", "kellogg") == 0
    assert slips_between("kellogg", "kelolgg") == 1
    assert slips_between("kellogg", "kelogg") == 1
    assert slips_between("tusk", "trump") == 3


QUOTED = (
    story(
        "“Chasing this goal will only prolong the war and cause more suffering,” Pete Hegseth said.",
        outlet="one",
    ),
    story(
        "Pete Hegseth said: “Chasing this goal will only prolong the war and cause more suffering.”",
        outlet="two",
    ),
)


def test_words_that_two_agencies_quote_otherwise_are_shown() -> None:
    found = shown(
        "“Chasing that goal will only prolong the war and cause much suffering,” Pete Hegseth said.", *QUOTED
    )
    assert [kind for kind, _, _ in found] == ["quote"]
    assert found[0][2].startswith("Chasing this goal will only prolong the war")


@pytest.mark.parametrize(
    "text",
    [
        "“Chasing this goal will only prolong the war and cause more suffering,” Pete Hegseth said.",
        "“will only prolong the war and cause more suffering,” Pete Hegseth said.",
        "“No American troops will be sent to Ukraine at all,” Pete Hegseth said.",
        "“Chasing that goal will only prolong the war and cause much suffering,” Keith Kellogg said.",
        "“Chasing that goal,” Pete Hegseth said.",
        "“Chasing that goal will only prolong the war and cause much suffering.”",
    ],
)
def test_the_same_words_part_of_them_and_other_words_are_no_conflict(text: str) -> None:
    assert shown(text, *QUOTED) == []


def test_a_quotation_finds_its_speaker_in_the_passage_before() -> None:
    text = brief(
        "Pete Hegseth spoke in Brussels.",
        "“Chasing that goal will only prolong the war and cause much suffering,” he said.",
    )
    assert [(c.kind, c.passage) for c in check(text, QUOTED)] == [("quote", "p2")]


def test_translated_words_are_not_held_against_the_original() -> None:
    text = "« Poursuivre ce but ne fera que prolonger la guerre », a dit Pete Hegseth."
    assert shown(text, *QUOTED, language="fr") == []
