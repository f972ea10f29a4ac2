"""What SQLite and PostgreSQL say differently: upserts, full-text search, locks.

Both index the same tokens: text is folded and cut into words by us (`aggregator.language.text`)
before it is stored, so `Élysée`, `elysee` and `ÉLYSÉE` are one word on either.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import Integer, String, Subquery, Table, column, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from aggregator.language.query import And, Not, Or, Query, Term
from aggregator.language.text import words

#: Words of a body that are indexed; a book in a feed does not fill the index.
INDEXED_WORDS = 5_000

#: Letters of a word that are indexed and compared. A line of base64 is one word, and PostgreSQL
#: takes none beyond 2,046 bytes.
LONGEST_WORD = 100

#: Bytes of a part (title, summary, body) that are indexed: PostgreSQL keeps a megabyte a document.
MOST_BYTES = 250_000

#: PostgreSQL keeps so many places of a word in one document.
MOST_POSITIONS = 255

#: SQLite takes so many values in one statement (SQLITE_MAX_VARIABLE_NUMBER is 32,766 since 3.32).
MOST_VALUES = 30_000

#: PostgreSQL's `integer`.
LARGEST_ID = 2**31 - 1

#: Keys of the advisory locks on PostgreSQL, one for each thing done by one writer at a time.
LOCKS = {
    "versions": 71_001,
    "claims": 71_002,
    "publish": 71_003,
    "schema": 71_004,
    "changes": 71_005,
    "documents": 71_006,
    "definitions": 71_007,
    "alarms": 71_008,
    "search": 71_009,
    "queue": 71_010,
    "topics": 71_013,
    "anchors": 71_014,
    "people": 71_015,
    # Held by a line for as long as a process does what there is to do once.
    "schedule": 71_011,
    "reading": 71_012,
}

#: FTS5's own tokenizer for ASCII, the cheapest: it parts words at signs of ASCII that are no letters or
#: digits and takes all else for letters. Nobody asks for the sizes of columns, since nothing is ranked.
_SQLITE_INDEX = """
CREATE VIRTUAL TABLE IF NOT EXISTS story_search
USING fts5(title, summary, body, tokenize = "ascii", columnsize = 0);
INSERT INTO story_search(story_search, rank) VALUES ('hashsize', 16000000)
"""
_POSTGRESQL_INDEX = """
CREATE TABLE IF NOT EXISTS story_search (story_id bigint PRIMARY KEY, document tsvector NOT NULL);
CREATE INDEX IF NOT EXISTS ix_story_search_document ON story_search USING gin (document)
"""


def is_sqlite(session: Session) -> bool:
    """Whether this session talks to SQLite; else it is PostgreSQL."""
    return session.get_bind().dialect.name == "sqlite"


def upsert(session: Session, table: Table) -> Any:
    """An insert that both databases can turn into `on conflict …`."""
    return (sqlite if is_sqlite(session) else postgresql).insert(table)


def chunks(rows: Sequence[Any], *, columns: int) -> list[Sequence[Any]]:
    """Rows in portions that fit into one statement."""
    size = max(1, MOST_VALUES // max(1, columns))
    return [rows[i : i + size] for i in range(0, len(rows), size)]


def insert_rows(
    session: Session, table: Table, rows: Sequence[Mapping[str, Any]], *, skip: bool = False
) -> None:
    """Insert these rows, which all have the same columns; `skip` leaves out those that are there.

    On SQLite it takes a third of the time of SQLAlchemy's own way, which binds value by value.
    """
    if not rows:
        return
    if not is_sqlite(session):
        statement = postgresql.insert(table)
        session.execute(statement.on_conflict_do_nothing() if skip else statement, list(rows))
        return
    dialect = session.get_bind().dialect
    names = tuple(rows[0])
    columns = []
    for name in names:
        write = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        values = [row[name] for row in rows]
        columns.append(values if write is None else _written(values, write))
    into, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    otherwise = " ON CONFLICT DO NOTHING" if skip else ""
    sql = f"INSERT INTO {table.name} ({into}) VALUES ({marks}){otherwise}"  # noqa: S608 - our own names
    session.connection().exec_driver_sql(sql, list(zip(*columns, strict=True)))


def _written(values: list[Any], write: Callable[[Any], Any]) -> list[Any]:
    """Values as the database takes them; of those that return, such as moments, each is written once."""
    if not values or not isinstance(next(filter(None, values), None), datetime):
        return list(map(write, values))
    known = {value: write(value) for value in set(values)}
    return [known[value] for value in values]


def named_pairs(session: Session, pairs: Collection[tuple[int, str]]) -> Subquery:
    """Pairs of a number and a text as a table with the columns `one` and `other`, in one value or two.

    SQLAlchemy writes a mark for each value into its statement; beyond some hundred that costs more than
    the database takes to find the rows.
    """
    if is_sqlite(session):
        sql = "SELECT value ->> 0 AS one, value ->> 1 AS other FROM json_each(:pairs)"
        rows = text(sql).bindparams(pairs=json.dumps(sorted(pairs)))
    else:
        sql = "SELECT * FROM unnest(CAST(:ones AS integer[]), CAST(:others AS text[])) AS pair(one, other)"
        ones, others = zip(*sorted(pairs), strict=True) if pairs else ((), ())
        rows = text(sql).bindparams(ones=list(ones), others=list(others))
    return rows.columns(column("one", Integer), column("other", String)).subquery("pairs")


def row_id(text: str) -> int | None:
    """The id of a row that a text writes; None where it is none, or beyond what a column holds."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_ID))
    return int(text) if is_number and int(text) <= LARGEST_ID else None


def exclusive(session: Session, name: str) -> None:
    """Until this transaction ends nobody else does `name`.

    SQLite's writer is alone anyway (BEGIN IMMEDIATE). On PostgreSQL it keeps version ids in the
    order of their commits, so that a cursor over them skips nothing.
    """
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCKS[name]})


def search_tables(dialect: str) -> list[str]:
    """The statements that create the search index, for the migrations."""
    sql = _SQLITE_INDEX if dialect == "sqlite" else _POSTGRESQL_INDEX
    return [statement.strip() for statement in sql.split(";\n")]


def index_stories(session: Session, rows: Sequence[tuple[int, str, str, str]]) -> None:
    """Put (story id, title, summary, body) into the search index, replacing what was there."""
    if not rows:
        return
    if is_sqlite(session):
        _index_fts5(session, rows)
    else:
        _index_tsvector(session, rows)


def unindex_stories(session: Session, story_ids: Sequence[int]) -> None:
    """Take stories out of the search index."""
    column = "rowid" if is_sqlite(session) else "story_id"
    values = [{"id": story} for story in story_ids]
    if values:
        session.execute(text(f"DELETE FROM story_search WHERE {column} = :id"), values)  # noqa: S608


def _index_fts5(session: Session, rows: Sequence[tuple[int, str, str, str]]) -> None:
    # By their ids: FTS5 writes what it gathered to the disk whenever one is lower than the one before.
    values = [(story, *map(_tokens, parts)) for story, *parts in sorted(rows)]
    run = session.connection().exec_driver_sql
    run("DELETE FROM story_search WHERE rowid = ?", [(story,) for story, *_ in values])
    run("INSERT INTO story_search(rowid, title, summary, body) VALUES (?, ?, ?, ?)", values)


def _index_tsvector(session: Session, rows: Sequence[tuple[int, str, str, str]]) -> None:
    # The vector is written out by us, not by to_tsvector, whose parser would cut 1e5 or 10k anew.
    values = [{"id": story, "document": _tsvector(zip(parts, "ABD", strict=True))} for story, *parts in rows]
    session.execute(
        text(
            "INSERT INTO story_search(story_id, document) VALUES (:id, CAST(:document AS tsvector))"
            " ON CONFLICT (story_id) DO UPDATE SET document = excluded.document"
        ),
        values,
    )


def _tsvector(parts: Iterable[tuple[str, str]]) -> str:
    """Words with their positions and weights, as PostgreSQL writes a tsvector."""
    places: dict[str, list[str]] = {}
    position = 0
    for part, weight in parts:
        for word in _indexed(part):
            position += 1
            places.setdefault(word, []).append(f"{position}{weight}")
        position += 1  # A phrase does not reach from the title into the summary.
    return " ".join(f"'{word}':{','.join(where[:MOST_POSITIONS])}" for word, where in places.items())


def matching(
    session: Session, query: Query, *, between: tuple[int, int] | None = None
) -> tuple[str, dict[str, str | int]]:
    """A subquery of the ids of the stories that a query finds, with its parameters.

    `between` leaves out all ids but those from the first to the second.
    """
    values: dict[str, str | int] = {}
    if between is not None:
        values = {"lowest": between[0], "highest": between[1]}
    if is_sqlite(session):
        within = " AND rowid BETWEEN :lowest AND :highest" if between else ""
        sql = f"SELECT rowid FROM story_search WHERE story_search MATCH :query{within}"  # noqa: S608
        return sql, {"query": fts5(query), **values}
    within = " AND story_id BETWEEN :lowest AND :highest" if between else ""
    sql = f"SELECT story_id FROM story_search WHERE document @@ CAST(:query AS tsquery){within}"  # noqa: S608
    return sql, {"query": tsquery(query), **values}


def fts5(query: Query) -> str:
    """The query in the words of SQLite's FTS5."""
    match query:
        case Term(words=parts, is_prefix=is_prefix):
            return f'"{" ".join(_cut(parts))}"{"*" if is_prefix else ""}'
        case Or(parts=parts):
            return "(" + " OR ".join(fts5(part) for part in parts) + ")"
        case And(parts=parts):
            wanted = " AND ".join(fts5(part) for part in parts if not isinstance(part, Not))
            # One NOT for all: FTS5 nests each of many in the one before and refuses depth 256.
            unwanted = " OR ".join(fts5(part.part) for part in parts if isinstance(part, Not))
            return f"(({wanted}) NOT ({unwanted}))" if unwanted else f"({wanted})"
        case Not():
            raise ValueError("a query always looks for something")


def tsquery(query: Query) -> str:
    """The query in the words of PostgreSQL's tsquery."""
    match query:
        case Term(words=parts, is_prefix=is_prefix):
            lexemes = [f"'{part}'" for part in _cut(parts)]
            lexemes[-1] += ":*" if is_prefix else ""
            return "(" + " <-> ".join(lexemes) + ")"
        case Or(parts=parts):
            return "(" + " | ".join(tsquery(part) for part in parts) + ")"
        case And(parts=parts):
            return "(" + " & ".join(tsquery(part) for part in parts) + ")"
        case Not(part=part):
            return f"!{tsquery(part)}"


def _tokens(text: str) -> str:
    """A text as FTS5 cuts it into the words that are indexed."""
    if len(text) < 2 * INDEXED_WORDS:
        if text.isascii() and _longest(text.split()) <= LONGEST_WORD:
            # Its tokenizer finds the very same words in it.
            return text
        # No word reaches over white space.
        joined = " ".join(map(_STRETCHES.__getitem__, text.split()))
        if len(joined) < 2 * INDEXED_WORDS:
            return joined
    return " ".join(_indexed(text))


class _Stretches(dict[str, str]):
    """The words of stretches without white space as they are indexed; forgotten when they are many."""

    def __missing__(self, stretch: str) -> str:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        found = self[stretch] = " ".join(_cut(words(stretch)))
        return found


#: Stretches that are kept at hand: some ten megabytes.
_MOST_KNOWN = 50_000

_STRETCHES = _Stretches()


def _indexed(text: str) -> list[str]:
    """The words of a text that go into the index, within what PostgreSQL keeps."""
    found = words(text)
    if len(found) > INDEXED_WORDS or _longest(found) > LONGEST_WORD:
        found = _cut(found[:INDEXED_WORDS])
    # No letter takes more than four bytes.
    if 4 * LONGEST_WORD * len(found) <= MOST_BYTES:
        return found
    ends = accumulate(len(word.encode()) for word in found)
    return [word for word, end in zip(found, ends, strict=True) if end <= MOST_BYTES]


def _longest(found: Iterable[str]) -> int:
    return max(map(len, found), default=0)


def _cut(found: Iterable[str]) -> list[str]:
    return [word[:LONGEST_WORD] for word in found]
