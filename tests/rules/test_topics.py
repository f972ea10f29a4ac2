"""Topics: what an editor follows, and why a story is in or out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import BadInput
from aggregator.language.query import matches
from aggregator.language.text import words
from aggregator.rules.topics import (
    Subject,
    Topic,
    TopicError,
    compile_topic,
    decide,
    fingerprint,
    looks_for,
    weigh,
)

TALKS = Topic(
    slug="ukraine-talks",
    title="Ukraine talks",
    all=(("ukrain*", "kyiv", "(moscow OR kremlin) witkoff"), ("talks", "négocia*", '"peace plan"')),
    none=("football", "talks -ukrain* film"),
)
STORY = Subject(
    title="Kyiv studies the plan",
    summary="Négociations à Riyad, selon l'Ukraine.",
    language="fr",
    source_url="https://www.wire.example/rss",
    source_name="Exemple Presse",
)


def verdict(topic: Topic, **said: str | None) -> tuple[bool, str]:
    found = decide(compile_topic(topic), replace(STORY, **said))  # type: ignore[arg-type]
    return found.is_in, found.why


def test_a_story_that_meets_every_group_is_in_and_says_by_which_words() -> None:
    is_in, why = verdict(TALKS)
    assert is_in
    assert why == (
        "all[0]: “Kyiv” in the title. all[1]: “Négociations” in the summary. "
        "none: nothing of football, talks -ukrain* film in title or summary."
    )


def test_a_reason_holds_the_story_s_own_words_and_their_place() -> None:
    reasons = decide(compile_topic(TALKS), STORY).reasons
    second = reasons[1]
    assert (second.part, second.is_met, second.expression) == ("all[1]", True, "négocia*")
    assert second.span is not None
    assert (second.place, STORY.summary[second.span.start : second.span.end]) == ("summary", second.found)


def test_a_story_that_misses_a_group_is_out_and_says_what_was_looked_for() -> None:
    assert verdict(TALKS, summary="Rien de plus.") == (
        False,
        'all[1]: nothing of talks, négocia*, "peace plan" in title or summary.',
    )


def test_what_a_topic_leaves_out_outweighs_what_it_takes() -> None:
    assert verdict(TALKS, title="Kyiv football talks") == (False, "none: “football” in the title.")


def test_a_long_list_of_terms_is_named_by_its_first() -> None:
    many = replace(TALKS, all=(), any=("one", "two", "three", "four", "five", "six"))
    assert verdict(many) == (False, "any: nothing of one, two, three, four and 2 more in title or summary.")


def test_one_term_of_any_is_enough() -> None:
    assert verdict(Topic("t", "T", any=("nothing", "plan")))[0]


def test_a_phrase_does_not_run_from_the_title_into_the_summary() -> None:
    topic = Topic("t", "T", any=('"peace plan"',))
    assert not verdict(topic, title="Talks on peace", summary="Plan for the week")[0]
    assert verdict(topic, summary="A peace plan")[0]


def test_words_of_one_expression_may_stand_apart() -> None:
    assert verdict(TALKS, title="Witkoff in Rome", summary="Talks with the Kremlin")[0]


def test_a_long_prefix_is_compared_in_full() -> None:
    topic = Topic("t", "T", any=("negotiations*",))
    assert not verdict(topic, summary="negotiators")[0]
    assert verdict(topic, summary="NEGOTIATIONSRUNDE")[0]


def test_a_topic_keeps_to_its_languages() -> None:
    topic = replace(TALKS, languages=frozenset({"fr", "de"}))
    assert verdict(topic)[0]
    assert verdict(topic, language="en") == (False, "languages: en is none of de, fr.")
    assert verdict(topic, language=None) == (
        False,
        "languages: the story's is not known, and only de, fr are taken.",
    )


@pytest.mark.parametrize(
    "known_as", ["exemple presse", "wire.example", "www.wire.example", "https://www.wire.example/rss"]
)
def test_a_topic_keeps_to_its_sources_by_name_host_or_address(known_as: str) -> None:
    assert verdict(replace(TALKS, sources=frozenset({known_as})))[0]


def test_a_story_from_elsewhere_is_out() -> None:
    topic = replace(TALKS, sources=frozenset({"other.example"}))
    assert verdict(topic) == (False, "sources: Exemple Presse is none of other.example.")
    assert not verdict(topic, source_url="http://[")[0]


@pytest.mark.parametrize(
    ("topic", "advice"),
    [
        (Topic("Ukraine Talks", "T", any=("a",)), "small letters, digits and hyphens"),
        (Topic("t", "T"), "looks for nothing"),
        (Topic("t", "T", none=("a",)), "looks for nothing"),
        (Topic("t", "T", all=(("a",), ())), r"all\[1\] is empty"),
        (Topic("t", "T", all=(("a", '"b'),)), r"Topic t, all\[0\], the term .*b'?: A quotation mark"),
        (Topic("t", "T", any=("a",), none=("-b",)), "none, the term '-b'"),
    ],
)
def test_a_topic_that_cannot_work_says_which_part_to_change(topic: Topic, advice: str) -> None:
    with pytest.raises(TopicError, match=advice):
        compile_topic(topic)
    assert issubclass(TopicError, BadInput)


def test_a_fingerprint_changes_with_what_decides_and_with_nothing_else() -> None:
    same = replace(TALKS, title="Talks", description="…")
    assert fingerprint(same) == fingerprint(TALKS)
    for other in (
        replace(TALKS, any=("a",)), replace(TALKS, all=TALKS.all[:1]), replace(TALKS, none=()),
        replace(TALKS, languages=frozenset({"fr"})), replace(TALKS, sources=frozenset({"a"})),
        replace(TALKS, slug="other"),
    ):  # fmt: skip
        assert fingerprint(other) != fingerprint(TALKS)


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    topic = Topic("t", "T", any=("a",), languages=frozenset({"fr", "de", "uk"}))
    assert fingerprint(topic)[:16] == "d00db30a89381574"


WORDS = st.lists(
    st.sampled_from(["kyiv", "Ukraine", "talks", "negotiators", "peace", "plan", "l’OTAN", "рада"]),
    max_size=8,
)


@given(
    WORDS, WORDS, st.sampled_from(["kyiv", "negotiat*", '"peace plan"', "peace plan -kyiv", "otan OR рад*"])
)
def test_a_reason_s_words_are_always_the_story_s_own(title: list[str], summary: list[str], term: str) -> None:
    subject = replace(STORY, title=" ".join(title), summary=", ".join(summary))
    for reason in decide(compile_topic(Topic("t", "T", any=(term,), none=("peace",))), subject).reasons:
        if reason.span is not None:
            text = subject.title if reason.place == "title" else subject.summary
            assert text[reason.span.start : reason.span.end] == reason.found


@given(
    WORDS,
    WORDS,
    st.lists(
        st.sampled_from(["kyiv", "negotiat*", '"peace plan"', "peace -kyiv", "otan OR рад*"]), max_size=2
    ),
    st.sampled_from([(), ("peace",), ("kyiv", "plan")]),
    st.sampled_from([frozenset(), frozenset(("fr",)), frozenset(("en",))]),
    st.sampled_from([frozenset(), frozenset(("www.wire.example",)), frozenset(("other.example",))]),
)
def test_weighing_many_stories_says_what_deciding_each_would(
    title: list[str],
    summary: list[str],
    terms: list[str],
    none: tuple[str, ...],
    languages: frozenset[str],
    sources: frozenset[str],
) -> None:
    topic = Topic(
        "t",
        "T",
        any=("plan", *terms),
        all=(("peace", *terms),),
        none=none,
        languages=languages,
        sources=sources,
    )
    compiled = compile_topic(topic)
    subject = replace(STORY, title=" ".join(title), summary=", ".join(summary))
    said, weighed = decide(compiled, subject), weigh(compiled, subject)
    missed = sum(not reason.is_met for reason in said.reasons)
    is_near = missed == 1 and any(reason.found for reason in said.reasons)
    assert (weighed.is_in, weighed.is_near) == (said.is_in, is_near)
    # Whoever reads only what holds a word of it passes over nothing that is in it or nearly so.
    holds = matches(looks_for(compiled), (*words(subject.title), "", *words(subject.summary)))
    assert holds or not (weighed.is_in or weighed.is_near)
