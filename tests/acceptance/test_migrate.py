"""A desk moves from SQLite to PostgreSQL: its readers notice nothing, and no moment is a bad one to stop."""

from __future__ import annotations

import contextlib
import random
import re
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.desk import Desk, wait_until
from tests.conftest import Server

FETCHES = 100_000
FAREWELL = "Stopped. What was copied is kept: the same command goes on from there."


@pytest.fixture
def target(postgresql_server: Server) -> str:
    """The URL of a PostgreSQL database without tables."""
    return postgresql_server.bare()


@pytest.fixture
def large(desk: Desk) -> Desk:
    """A desk with a long log of fetches."""
    desk.run("sources", "add", "https://wire.example/feed", "--no-check")
    with contextlib.closing(sqlite3.connect(desk.file)) as connection:
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO fetch"
            " (source_id, at, outcome, body_bytes, seconds, new, changed, known, skipped, is_gap, why)"
            " SELECT 1, '2025-02-18 09:00:00.000000', 'fetched', i, i / 7.0, 0, 0, i, 0, 0, 'Nr. ' || i FROM n",
            (FETCHES,),
        )
        connection.commit()
    return desk


def moved(desk: Desk, target: str, *words: object) -> tuple[object, ...]:
    return ("migrate", "--from", f"sqlite:///{desk.file}", "--to", target, *words)


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """What stands in a folder: the bytes of each file, and its time."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.read_bytes(), int(path.stat().st_mtime)) for path in found}


def test_a_desk_that_moved_publishes_the_same_bytes_and_knows_the_same(
    morning: Desk, copy_of: Callable[[Desk], Desk], target: str, tmp_path: Path
) -> None:
    desk = copy_of(morning)
    slug = (desk.folder / "slug").read_text()
    desk.run("partners", "add", "gazette", "--channel", "briefs")
    asked = [("link", slug, "--json"), ("stories", "zelensk*", "--limit", "0", "--json")]
    desk.run("publish", "--out", tmp_path / "before")
    before = [desk.run(*words).rows for words in asked]
    assert all(before)
    told = desk.run(*moved(desk, target, "--json")).rows
    assert {row["equal"] for row in told} == {True}
    assert {"document", "publication", "suggestion", "partner_key"} <= {
        r["table"] for r in told[:-1] if r["rows"]
    }
    assert told[-1]["tables"] == len(told) - 1
    assert told[-1]["rows"] == sum(row["rows"] for row in told[:-1])

    there = ("--database", target)
    published = desk.run(*there, "publish", "--out", tmp_path / "after", "--json").rows
    assert {(row["new"], row["rendered"]) for row in published} == {(False, 0)}
    assert files(tmp_path / "after") == files(tmp_path / "before")
    assert [desk.run(*there, *words).rows for words in asked] == before


def test_what_was_compared_is_told_table_by_table_and_channel_by_channel(
    morning: Desk, copy_of: Callable[[Desk], Desk], tmp_path: Path
) -> None:
    desk = copy_of(morning)
    other = f"sqlite:///{tmp_path / 'other.db'}"
    done = desk.run(*moved(desk, other))
    assert re.search(r"^ briefs +atom json ninjs rss +[\d,]+ +yes", done.out, re.MULTILINE)
    assert re.search(r"^ story +\d+ +[0-9a-f]{12} +yes", done.out, re.MULTILINE)
    assert "NO" not in done.out
    assert "start wirebrief" in done.out
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("UPDATE document SET body = x'00' WHERE channel = 'briefs' AND format = 'atom'")
        connection.commit()
    differing = desk.run(*moved(desk, other, "--verify-only"), code=1)
    assert "document differs, first at the key briefs, atom" in differing.err
    assert "NO" in differing.out


def reached(target: str) -> int | None:
    """How many rows the unfinished copy has; None where there is none."""
    with psycopg.connect(target) as connection:
        if connection.execute("SELECT to_regclass('wirebrief_migration')").fetchone() == (None,):
            return None
        found = connection.execute("SELECT sum(rows) FROM wirebrief_migration").fetchone()
        return int(found[0] or 0) if found else 0


def test_killed_at_any_moment_it_goes_on_and_ends_well(large: Desk, target: str) -> None:
    rng = random.Random(8)
    for _ in range(3):
        before = reached(target) or 0
        with large.started(*moved(large, target)) as running:
            wait_until(lambda before=before: (reached(target) or 0) > before or before > FETCHES)
            time.sleep(rng.uniform(0, 0.5))
            running.process.send_signal(signal.SIGKILL)
            running.process.communicate()
    assert reached(target)
    assert "being filled by `wirebrief migrate`" in large.run("--database", target, "poll", code=1).err
    last = large.run(*moved(large, target, "--json")).rows[-1]
    # The source of the fetches, and the record of who follows it.
    assert (last["equal"], last["rows"]) == (True, FETCHES + 2)
    assert reached(target) is None


def test_stopped_by_a_signal_it_says_that_it_goes_on(large: Desk, target: str) -> None:
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)):
        before = reached(target) or 0
        with large.started(*moved(large, target)) as running:
            wait_until(lambda before=before: (reached(target) or 0) > before)
            done = running.interrupt(number)
        assert (FAREWELL in done.err, done.code) == (True, code)
    assert "Going on where it was: " in done.err
    assert large.run(*moved(large, target, "--json")).rows[-1]["equal"]


def test_what_cannot_be_moved_is_said_in_a_sentence(desk: Desk) -> None:
    none = desk.run("migrate", "--from", "sqlite:///none.db", "--to", "sqlite:///b.db", code=1)
    assert "There is no database none.db: name one that is there." in none.err
    assert not (desk.folder / "none.db").exists()
    bare = desk.run(*moved(desk, "sqlite:///c.db", "--verify-only"), code=1)
    assert "There is no database c.db" in bare.err
