from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aggregator.language.text import fold
from aggregator.rules import links
from aggregator.rules.links import Candidate, Linker, Suggestion, rank

BRIEF = "Poutine et Trump se verront à Riyad le 25 février, selon Moscou."


def told(title: str, summary: str = "", *, language: str | None = "fr", url: str = "") -> Candidate:
    return Candidate(url or f"https://wire.example/{title}", title, summary, language, "AFP", "")


def suggested(*candidates: Candidate, text: str = BRIEF, language: str = "fr") -> list[str]:
    return [suggestion.candidate.title for suggestion in Linker(candidates).suggest(text, language)]


def test_a_story_of_the_same_event_is_suggested_and_another_is_not() -> None:
    near = told("Trump et Poutine à Riyad dans une semaine")
    far = told("La récolte de pommes sera bonne")
    assert suggested(far, near) == [near.title]


def test_one_word_in_common_is_no_reason() -> None:
    assert suggested(told("Trump joue au golf")) == []


def test_one_word_in_two_forms_is_still_one_word() -> None:
    text = "ukrainien : la guerre en Ukraine"
    assert suggested(told("Ukraine : le front ukrainien"), text=text) == []


def test_two_numbers_are_two_reasons() -> None:
    found = Linker([told("Le bilan passe de 100 à 1000", language="en")]).suggest(
        "Entre 100 et 1000 morts", "fr"
    )
    assert {(reason.kind, reason.brief) for reason in found[0].reasons} == {
        ("number", "100"),
        ("number", "1000"),
    }


def test_a_single_digit_and_a_short_word_say_nothing() -> None:
    assert suggested(told("Les 3 de Riyad"), text="les 3 de la") == []


def test_names_meet_across_alphabets() -> None:
    found = Linker([told("Путін і Трамп зустрінуться", language="uk")]).suggest("Putin und Tramp reden", "de")
    assert {(r.kind, r.brief, r.story) for r in found[0].reasons} == {
        ("name", "Putin", "Путін"),
        ("name", "Tramp", "Трамп"),
    }


def test_words_meet_within_one_language_only() -> None:
    english = told("important negotiations continue", language="en", url="https://wire.example/en")
    text = "important negotiations began"
    assert suggested(english, text=text, language="en") == [english.title]
    assert suggested(english, text=text, language="fr") == []


def test_more_in_common_comes_first_and_ties_go_by_address() -> None:
    close = told("Poutine et Trump à Riyad le 25 février")
    loose = told("Poutine et Trump parlent")
    assert suggested(loose, close) == [close.title, loose.title]
    twins = [told("Poutine, Trump", url=f"https://wire.example/{n}") for n in (2, 1, 3)]
    assert [s.candidate.url[-1] for s in Linker(twins).suggest(BRIEF, "fr")] == ["1", "2", "3"]


def test_what_half_the_wire_says_counts_for_nothing() -> None:
    wire = [told("Trump et Poutine", url=f"https://wire.example/{n}") for n in range(links.FEW + 1)]
    assert suggested(*wire) == []


def test_a_passage_gets_so_many_suggestions_and_no_more() -> None:
    wire = [told(f"Trump et Poutine {n + 100}", url=f"https://wire.example/{n:02}") for n in range(links.FEW)]
    other = [told(f"Sport {n + 500}") for n in range(100)]
    assert len(suggested(*wire, *other)) == links.MOST


def test_the_strongest_reason_is_named_first() -> None:
    (found,) = Linker([told("Trump: 25 pourparlers", language="fr")]).suggest(
        "Les pourparlers de 25 : Trump", "fr"
    )
    assert [reason.kind for reason in found.reasons] == ["name", "number", "term", "term"]


def test_a_brief_without_a_story_gets_none() -> None:
    assert Linker([]).suggest(BRIEF, "fr") == []


def test_stories_rank_by_all_passages_together() -> None:
    one, two = told("a", url="https://wire.example/1"), told("b", url="https://wire.example/2")
    passages = [[Suggestion(one, 1.0, ()), Suggestion(two, 0.8, ())], [Suggestion(two, 0.5, ())]]
    assert rank(passages) == [("https://wire.example/2", 1.3), ("https://wire.example/1", 1.0)]
    assert rank([]) == []


VOCABULARY = [
    "Poutine",
    "poutine",
    "Trump",
    "Київ",
    "Kyiv",
    "guerre",
    "guerres",
    "25",
    "1000",
    "100",
    "le",
    "Łódź",
    "l'Ukraine",
]
texts = st.lists(st.sampled_from(VOCABULARY), max_size=8).map(" ".join) | st.text(max_size=60)


@given(texts, st.lists(st.tuples(texts, texts), max_size=5))
def test_every_reason_is_verbatim_in_both_texts_and_two_words_differ(
    passage: str, wire: list[tuple[str, str]]
) -> None:
    candidates = [
        Candidate(f"https://wire.example/{n}", title, summary, "fr", "AFP", "")
        for n, (title, summary) in enumerate(wire)
    ]
    for found in Linker(candidates).suggest(passage, "fr"):
        for reason in found.reasons:
            assert reason.brief in passage
            assert reason.story in found.candidate.title or reason.story in found.candidate.summary
        assert len({fold(reason.brief) for reason in found.reasons}) > 1
        assert found.score > 0


@given(texts, st.lists(texts, max_size=5))
def test_the_same_texts_give_the_same_suggestions(passage: str, titles: list[str]) -> None:
    wire = [Candidate(f"https://wire.example/{n}", t, "", "fr", "AFP", "") for n, t in enumerate(titles)]
    assert Linker(wire).suggest(passage, "fr") == Linker(reversed(wire)).suggest(passage, "fr")
