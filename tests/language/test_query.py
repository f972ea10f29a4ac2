"""The search language: what an editor writes, and what it finds."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import BadInput
from aggregator.language.query import (
    DEEPEST,
    MOST_CHARACTERS,
    And,
    Not,
    Or,
    Query,
    QueryError,
    Term,
    find,
    matches,
    parse_query,
    positive_terms,
)
from aggregator.language.text import spans, words

A, B, C = Term(("a",)), Term(("b",)), Term(("c",))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("a", A),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a OR b", Or((A, B))),
        ("a b OR c", Or((And((A, B)), C))),
        ("a (b OR c)", And((A, Or((B, C))))),
        ("(a b) c", And((A, B, C))),
        ("a OR (b OR c)", Or((A, B, C))),
        ("a -b", And((A, Not(B)))),
        ("a NOT b", And((A, Not(B)))),
        ("-b a", And((Not(B), A))),
        ("a -(b OR c)", And((A, Not(Or((B, C)))))),
        ("(-a) b", And((Not(A), B))),
        ('"peace talks"', Term(("peace", "talks"))),
        ("«plan de paix»", Term(("plan", "de", "paix"))),
        ('"peace tal"*', Term(("peace", "tal"), is_prefix=True)),
        ('"peace tal*"', Term(("peace", "tal"), is_prefix=True)),
        ("negotiat*", Term(("negotiat",), is_prefix=True)),
        ("cease-fire", Term(("cease", "fire"))),
        ("l’Ukraine", Term(("l", "ukraine"))),
        ("ŻÓŁĆ", Term(("zolc",))),
        ("a & b", And((A, B))),
        ("a ()", A),
        ("a -&", A),
        ("ORDER", Term(("order",))),
        ("or", Term(("or",))),
        ("a - b", And((A, B))),
        ("a AND -b", And((A, Not(B)))),
    ],
)
def test_a_query_reads_as_its_writer_means_it(text: str, query: Query) -> None:
    assert parse_query(text) == query


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "write at least one"),
        ("…", "write at least one"),
        ('"a', 'write a second "'),
        ("(a", "write a )"),
        ("a)", "never opened"),
        ("-a", "beside it a word to find"),
        ("-a -b", "beside it a word to find"),
        ("a OR -b", "beside it a word to find"),
        ("a -(-b)", "beside it a word to find"),
        ("a OR", "one on each side"),
        ("OR a", "one on each side"),
        ("AND a", "one on each side"),
        ("a AND", "one on each side"),
        ("a AND AND b", "one on each side"),
        ("a AND &", "one on each side"),
        ("a NOT", "write one after it"),
        ("--a", "write one after it"),
        ("NOT NOT a", "write one after it"),
        ("*", "negotiat*"),
        ("a" * (MOST_CHARACTERS + 1), "shorten it"),
        ("(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1), "take some out"),
    ],
)
def test_a_query_that_cannot_be_read_says_what_to_write(text: str, advice: str) -> None:
    with pytest.raises(QueryError, match=re.escape(advice)):
        parse_query(text)


def test_a_query_that_cannot_be_read_is_bad_input_like_any_other() -> None:
    assert issubclass(QueryError, BadInput)


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("talks", "Peace talks begin", True),
        ("talk", "Peace talks begin", False),
        ("talk*", "Peace talks begin", True),
        ('"peace talks"', "Talks on peace", False),
        ('"peace tal*"', "Peace talks", True),
        ('"peace talks on"', "Peace talks", False),
        ("peace -football", "Peace in football", False),
        ("peace -football", "Peace at last", True),
        ("truce OR ceasefire", "A truce holds", True),
        ("kyiv (truce OR ceasefire)", "A truce holds", False),
        ("negociations", "Des négociations à Kyïv", True),
        ('"北京"', "在北京举行", True),
    ],
)
def test_a_query_takes_the_stories_it_asks_for(query: str, text: str, expected: bool) -> None:
    assert matches(parse_query(query), words(text)) is expected


def test_what_was_found_is_shown_in_the_story_s_own_words() -> None:
    text = "Négociations : les négociateurs et le plan de paix, sans football."
    found = find(parse_query('negocia* "plan de paix" -football'), spans(text))
    assert [text[span.start : span.end] for span in found] == ["Négociations", "négociateurs", "plan de paix"]


def test_a_word_within_a_found_phrase_is_not_shown_twice() -> None:
    text = "peace talks"
    found = find(parse_query('talks OR "peace talks"'), spans(text))
    assert [(span.start, span.end) for span in found] == [(0, 11)]


def test_what_a_query_leaves_out_is_no_term_to_show() -> None:
    assert positive_terms(parse_query("a -(b c)")) == [A]


PIECES = st.lists(
    st.one_of(
        st.sampled_from(["OR", "AND", "NOT", "-", "(", ")", '"', "*", " ", "kyiv", "мир", "«"]),
        st.text(max_size=4),
    ),
    max_size=30,
)


def _is_renderable(query: Query) -> bool:
    match query:
        case Term(parts):
            return bool(parts) and all(parts)
        case Or(parts):
            return len(parts) > 1 and all(not isinstance(p, Not) and _is_renderable(p) for p in parts)
        case And(parts):
            positive = [p for p in parts if not isinstance(p, Not)]
            inner = [p.part if isinstance(p, Not) else p for p in parts]
            return len(parts) > 1 and bool(positive) and all(map(_is_renderable, inner))
        case Not():
            return False


@given(PIECES)
def test_whatever_is_typed_is_a_query_that_both_databases_can_run_or_refused(
    pieces: list[str],
) -> None:
    text = " ".join(pieces) if len(pieces) % 2 else "".join(pieces)
    with suppress(QueryError):
        query = parse_query(text)
        assert _is_renderable(query)
        assert matches(query, []) is False


@given(PIECES, st.text(alphabet="kyivмр -\n", max_size=60))
def test_a_text_that_a_query_takes_shows_what_it_was_taken_for(pieces: list[str], text: str) -> None:
    try:
        query = parse_query(" ".join(pieces))
    except QueryError:
        return
    if matches(query, words(text)):
        assert find(query, spans(text))
