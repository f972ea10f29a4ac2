"""How often sources give stories."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event

from aggregator.model import Reuse, SourceKind
from aggregator.store import rhythms, sources
from aggregator.store.database import Database
from tests.conftest import NOW
from tests.store.newsroom import failed, follow, heard, record, says, unchanged

HOUR = timedelta(hours=1)


def gives(database: Database, source: int, *ages: int) -> None:
    """The source gives a story that is so many hours old, for each."""
    record(database, heard(source, *(says(f"{n}", published=NOW - n * HOUR) for n in ages)))


def test_a_span_reaches_from_the_newest_story_back_over_so_many(database: Database) -> None:
    many, few, none = follow(database, *(f"https://{n}.example/feed" for n in "abc"))
    gives(database, many, *range(1, 30))
    gives(database, few, 5, 7)
    found = database.read_now(lambda s: rhythms.spans(s, stories=20))
    assert found == {many: (NOW - HOUR, NOW - 20 * HOUR), few: (NOW - 5 * HOUR, NOW - 7 * HOUR)}
    assert database.read_now(lambda s: rhythms.spans(s, stories=20, only=few)) == {few: found[few]}
    assert database.read_now(lambda s: rhythms.spans(s, stories=20, only=none)) == {}


def test_stories_are_counted_between_bounds_and_each_once(database: Database) -> None:
    one, other, none = follow(database, *(f"https://{n}.example/feed" for n in "abc"))
    gives(database, one, 0, 1, 2, 2, 3, 9)
    gives(database, other, 4)
    bounds = [NOW - 4 * HOUR, NOW - 2 * HOUR, NOW]
    found = database.read_now(lambda s: rhythms.counts(s, [one, other, none], bounds))
    # On a bound it counts where the next part begins; at the end it counts no more.
    assert found == {one: (1, 2), other: (1, 0), none: (0, 0)}
    assert database.read_now(lambda s: rhythms.counts(s, [], bounds)) == {}


def test_counting_takes_one_statement_however_many_sources(database: Database) -> None:
    ids = follow(database, *(f"https://w{n}.example/feed" for n in range(50)))
    statements: list[str] = []

    def note(_c: object, _u: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    for engine in {database.engine, database._reading}:
        event.listen(engine, "before_cursor_execute", note)
    database.read_now(lambda s: rhythms.counts(s, ids, [NOW - HOUR, NOW]))
    database.read_now(lambda s: rhythms.spans(s, stories=20))
    assert len({statement for statement in statements if "SELECT" in statement}) == 2


def test_a_rhythm_is_read_from_the_index_alone(sqlite_database: Database) -> None:
    (source,) = follow(sqlite_database, "https://a.example/feed")
    gives(sqlite_database, source, 1, 2)
    plans: list[str] = []

    def explain(connection: object, _u: object, statement: str, values: object, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            raw = connection.connection.driver_connection  # type: ignore[attr-defined]
            plans.extend(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", values))

    event.listen(sqlite_database._reading, "before_cursor_execute", explain)
    sqlite_database.read_now(lambda s: rhythms.counts(s, [source], [NOW - HOUR, NOW]))
    sqlite_database.read_now(lambda s: rhythms.spans(s, stories=20))
    of_stories = [plan for plan in plans if " story " in plan]
    assert len(of_stories) >= 4
    assert [plan for plan in of_stories if "COVERING INDEX ix_story_source_sorted_at" not in plan] == []


def test_what_an_editor_says_of_a_source_is_kept(database: Database) -> None:
    (source,) = follow(database, "https://a.example/feed")
    told = {"title": "A", "kind": SourceKind.WIRE, "language": "fr", "rights": "© A"}
    database.write_now(lambda s: sources.describe(s, source, **told))  # type: ignore[arg-type]
    database.write_now(lambda s: sources.allow(s, source, Reuse.NONE))
    found = database.read_now(lambda s: sources.by_id(s, source))
    assert found is not None
    assert (found.title, found.kind, found.language, found.rights) == ("A", SourceKind.WIRE, "fr", "© A")
    assert found.reuse is Reuse.NONE


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_log_is_read_page_by_page_and_nothing_twice(database: Database, limit: int) -> None:
    (source,) = follow(database, "https://a.example/feed")
    # Two of them in the same moment.
    for hours in (5, 4, 4, 3, 2):
        record(database, unchanged(source, at=NOW - hours * HOUR))
    record(database, failed(source, at=NOW, next_due=NOW))
    seen: list[int | None] = []
    before = None
    while page := database.read_now(lambda s, b=before: sources.fetches(s, source, limit=limit, before=b)):  # type: ignore[misc]
        seen += [fetch.id for fetch in page]
        before = page[-1].id
    assert seen == sorted(seen, key=lambda id: -(id or 0))
    assert len(seen) == 6
