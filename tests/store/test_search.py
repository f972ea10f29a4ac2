from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import Session

from aggregator.language.query import And, Not, Or, Query, Term, matches, parse_query
from aggregator.language.text import words
from aggregator.store import dialects
from aggregator.store.database import Database
from aggregator.store.dialects import INDEXED_WORDS, LONGEST_WORD, MOST_BYTES, index_stories, matching

Parts = tuple[str, str, str]

#: Words in the scripts of the wire, some alike but for their accents or their beginnings.
WORDS = [
    "talk",
    "talks",
    "Élysée",
    "elysee",
    "п’ять",
    "Київ",
    "київ",
    "1e5",
    "F-16",
    "السلام",
    "和平",
    "l'or",
]

texts = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)
documents = st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=5)
some_words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(
    lambda some: tuple(words(" ".join(some)))
)
terms = st.builds(Term, some_words, st.booleans())


def _joined(parts: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    some = st.lists(parts, min_size=1, max_size=3)
    without = st.lists(parts.map(Not), max_size=2)
    both = st.builds(lambda wanted, unwanted: And((*wanted, *unwanted)), some, without)
    return both | st.builds(lambda these: Or(tuple(these)), some)


queries: st.SearchStrategy[Query] = st.recursive(terms, _joined, max_leaves=6)

#: One database serves all examples of a test; each example empties the index first.
on_one_database = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def search(session: Session, query: Query) -> set[int]:
    subquery, values = matching(session, query)
    return set(session.execute(text(subquery), values).scalars())


def found(database: Database, parts: Sequence[Parts], query: Query) -> set[int]:
    """What the index finds among these, numbered from 0."""

    def work(session: Session) -> set[int]:
        session.execute(text("DELETE FROM story_search"))
        index_stories(session, [(n, *some) for n, some in enumerate(parts)])
        return search(session, query)

    return database.write_now(work)


def holds(query: Query, parts: Parts) -> bool:
    """What the query means: a term stands within one part, the rest is logic."""
    match query:
        case Term():
            return any(matches(query, words(part)) for part in parts)
        case And(some):
            return all(holds(part, parts) for part in some)
        case Or(some):
            return any(holds(part, parts) for part in some)
        case Not(part):
            return not holds(part, parts)


@on_one_database
@given(documents, queries)
def test_both_databases_find_what_the_query_means(
    database: Database, parts: list[Parts], query: Query
) -> None:
    assert found(database, parts, query) == {n for n, some in enumerate(parts) if holds(query, some)}


@on_one_database
@given(st.tuples(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40)))
def test_any_text_at_all_can_be_indexed(database: Database, parts: Parts) -> None:
    assert found(database, [parts, ("talks", "", "")], Term(("talks",))) >= {1}


def test_indexing_nothing_does_nothing(database: Database) -> None:
    assert database.write_now(lambda s: index_stories(s, [])) is None


def test_a_line_of_base64_is_indexed_and_found_by_its_beginning(database: Database) -> None:
    noise = "QUJD" * 1000
    parts = [("talks", "", f"open {noise} closed"), ("Київ", "", "ї" * 3000)]
    assert found(database, parts, parse_query("closed")) == {0}
    assert found(database, parts, parse_query(noise[:1500])) == {0}
    assert found(database, parts, parse_query("ї" * 1900)) == {1}
    assert found(database, parts, parse_query(noise[:50])) == set()
    assert found(database, parts, parse_query(noise[:50] + "*")) == {0}


def test_a_book_in_a_feed_does_not_fill_the_index(database: Database) -> None:
    book = " ".join(f"w{n}" for n in range(INDEXED_WORDS + 1))
    assert found(database, [(book, book, book)], Term((f"w{INDEXED_WORDS - 1}",))) == {0}
    assert found(database, [(book, book, book)], Term((f"w{INDEXED_WORDS}",))) == set()


def test_the_longest_words_of_any_script_fit_into_the_index(database: Database) -> None:
    letter = "𐐨"
    long = " ".join(f"{n}{letter * LONGEST_WORD}" for n in range(INDEXED_WORDS))
    fitting = MOST_BYTES // (4 * LONGEST_WORD)
    assert found(database, [(long, long, long)], Term((words(long)[fitting - 1],))) == {0}
    assert found(database, [(long, long, long)], Term((words(long)[fitting + 20],))) == set()


def test_a_word_that_stands_a_thousand_times_is_found(database: Database) -> None:
    parts = [("", "", "talks " * 1000 + "end")]
    assert found(database, parts, parse_query("talks")) == found(database, parts, parse_query("end")) == {0}


@pytest.mark.parametrize(
    "query",
    [
        "talks " + "-war " * 390,
        "talks " + " ".join(f"-w{n}" for n in range(300)),
        "talks OR " + " OR ".join(f"w{n}" for n in range(240)),
        "talks " * 330,
        "(" * 20 + "talks" + ")" * 20,
        "(talks OR (a b " * 10 + "talks" + "))" * 10,
        "(talks -(a b OR (" * 6 + "war" + ")))" * 6,
        '"' + "talks " * 300 + '"',
    ],
    ids=lambda query: query[:20],
)
def test_the_longest_and_deepest_queries_are_answered(database: Database, query: str) -> None:
    parsed = parse_query(query)
    parts = [("talks", "", ""), ("war", "", "")]
    assert found(database, parts, parsed) == {n for n, some in enumerate(parts) if holds(parsed, some)}


def test_a_query_that_only_leaves_out_is_never_sent() -> None:
    with pytest.raises(ValueError, match="always looks for something"):
        dialects.fts5(Not(Term(("war",))))


def test_signs_of_the_search_languages_of_the_databases_are_only_text(database: Database) -> None:
    parts = [("O'Neil & sons: 50% off!", "", ""), ("title talks", "", "")]
    for query in ("o'neil", "sons & off", "50%", "off!", "title:talks", 'NEAR "talks"', "talks^2"):
        parsed = parse_query(query)
        expected = {n for n, some in enumerate(parts) if holds(parsed, some)}
        assert found(database, parts, parsed) == expected, query


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("7", 7),
        ("2147483647", 2**31 - 1),
        ("2147483648", None),
        ("²", None),
        ("٣", None),
        ("", None),
        ("-1", None),
    ],
)
def test_only_a_number_that_a_column_holds_is_an_id(written: str, number: int | None) -> None:
    assert dialects.row_id(written) == number
