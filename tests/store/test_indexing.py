"""The search index is filled after the stories are kept: whatever happens in between, nothing is missed."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlmodel import Session

from aggregator.language.query import parse_query
from aggregator.store import dialects, retention, schema, stories
from aggregator.store.database import Database, StoreError
from aggregator.store.dialects import insert_rows, named_pairs
from aggregator.store.tables_ingest import STORY_KEY
from tests.conftest import NOW
from tests.store.newsroom import follow, heard, keep_stories, record, says

DAY = timedelta(days=1)


def index(database: Database, *, limit: int = 100) -> int:
    return database.write_now(lambda s: stories.index_new(s, limit=limit))


def search(database: Database, words: str) -> list[str]:
    asked = parse_query(words)
    return sorted(story.title for story in database.read_now(lambda s: stories.find(s, asked)))


def ids_of(session: Session, words: str) -> list[int]:
    """The stories that the index itself names, whether they are there or not."""
    sql, values = dialects.matching(session, parse_query(words))
    return sorted(session.execute(text(sql), values).scalars())


def test_what_a_killed_program_left_unindexed_the_next_one_indexes(
    database: Database, database_url: str
) -> None:
    keep_stories(database, says("a", "Talks in Doha"), says("b", "Talks in Geneva"))
    with Database(database_url) as next_one:
        assert not next_one.read_now(stories.is_searchable)
        assert index(next_one) == 2
        assert next_one.read_now(stories.is_searchable)
    assert search(database, "talks") == ["Talks in Doha", "Talks in Geneva"]


def test_a_batch_that_fails_halfway_is_indexed_as_a_whole_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_stories(database, says("a", "Talks in Doha"), says("b", "Talks in Geneva"))

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stories.progress, "put", dies)
        with pytest.raises(KeyboardInterrupt):
            index(database)
    assert search(database, "talks") == []
    assert index(database) == 2
    assert search(database, "talks") == ["Talks in Doha", "Talks in Geneva"]


def test_a_story_that_changed_before_it_was_indexed_is_found_in_its_last_words_only(
    database: Database,
) -> None:
    keep_stories(database, says("a", "Talks in Doha"))
    record(database, heard(1, says("a", "Talks in Geneva")))
    assert index(database) == 1
    assert (search(database, "doha"), search(database, "geneva")) == ([], ["Talks in Geneva"])


def test_a_story_that_changed_after_it_was_indexed_is_indexed_anew(database: Database) -> None:
    keep_stories(database, says("a", "Talks in Doha"), says("b", "War"))
    index(database)
    record(database, heard(1, says("a", "Talks in Geneva")))
    assert index(database) == 1
    assert (search(database, "doha"), search(database, "geneva")) == ([], ["Talks in Geneva"])
    assert search(database, "war") == ["War"]


def test_a_story_that_was_purged_before_it_was_indexed_is_not_searched_for(database: Database) -> None:
    ids = keep_stories(database, says("a", "Talks in Doha", published=NOW - DAY), says("b", "Talks"))
    index(database, limit=1)
    database.write_now(lambda s: retention.purge(s, [ids["a"]], now=NOW))
    index(database)
    assert database.read_now(stories.is_searchable)
    assert search(database, "talks") == ["Talks"]
    count = text("SELECT count(*) FROM story_search")
    assert database.read_now(lambda s: s.execute(count).scalar_one()) == 1


def test_stories_are_indexed_whatever_the_order_of_their_ids(database: Database) -> None:
    # The oldest news comes first in the order of versions.
    keep_stories(database, *(says(f"{n}", f"Talks {n}", published=NOW - n * DAY) for n in range(5)))
    assert [index(database, limit=2) for _ in range(3)] == [2, 2, 1]
    assert search(database, "talks") == [f"Talks {n}" for n in range(5)]


def test_an_index_of_an_older_database_is_taken_over(tmp_path: Path) -> None:
    def as_before(session: Session) -> None:
        config = Config()
        config.set_main_option("script_location", schema._folder())
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "0005")
        session.execute(text("DROP TABLE story_search"))
        made = 'USING fts5(title, summary, body, tokenize = "unicode61 remove_diacritics 0")'
        session.execute(text(f"CREATE VIRTUAL TABLE story_search {made}"))
        put = (
            "INSERT INTO story_search(rowid, title, summary, body) VALUES (:id, :title, '', 'elysee palace')"
        )
        session.execute(text(put), [{"id": 7, "title": "talks"}, {"id": 3, "title": "war"}])

    with Database(f"sqlite:///{tmp_path / 'wirebrief.db'}") as database:
        database.write_now(as_before)
        schema.prepare(database)
        for words, ids in (('"elysee palace"', [3, 7]), ("talks", [7])):
            assert database.read_now(partial(ids_of, words=words)) == ids
        assert database.read_now(schema.drift) == []


def test_rows_that_are_there_are_skipped_or_refused(database: Database) -> None:
    (source,) = follow(database, "https://wire.example/feed")
    row = {"source_id": source, "key": "a", "story_id": None, "purged_at": NOW}
    put = database.write_now
    put(lambda s: insert_rows(s, STORY_KEY, []))
    put(lambda s: insert_rows(s, STORY_KEY, [row, row | {"key": "b", "purged_at": None}]))
    put(lambda s: insert_rows(s, STORY_KEY, [row | {"purged_at": NOW - DAY}], skip=True))
    with pytest.raises(StoreError):
        put(lambda s: insert_rows(s, STORY_KEY, [row]))
    kept = database.read_now(lambda s: s.execute(STORY_KEY.select().order_by(STORY_KEY.c.key)).all())
    assert [tuple(one) for one in kept] == [(source, "a", None, NOW), (source, "b", None, None)]


@pytest.mark.parametrize("pairs", [set(), {(1, "a")}, {(7, 'п\'ять "ї"'), (2**31 - 1, "")}])
def test_pairs_are_handed_over_as_a_table(database: Database, pairs: set[tuple[int, str]]) -> None:
    found = database.read_now(lambda s: s.execute(named_pairs(s, pairs).select()).all())
    assert {tuple(pair) for pair in found} == pairs


def test_stretches_that_were_met_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialects, "_MOST_KNOWN", 3)
    known = dialects._Stretches()
    assert [known[word] for word in ("Élysée,", "п'ять", "l'été", "Élysée,")] == [
        "elysee",
        "пять",
        "l ete",
        "elysee",
    ]
    assert len(known) <= 3


def test_a_story_that_is_there_under_no_name_is_not_stored_again(database: Database) -> None:
    keep_stories(database, says("a", "Talks in Doha"))
    database.write_now(lambda s: s.execute(STORY_KEY.delete()))
    record(database, heard(1, says("a", "Talks in Doha"), says("b", "Talks in Geneva")))
    assert index(database) == 2
    assert search(database, "talks") == ["Talks in Doha", "Talks in Geneva"]
