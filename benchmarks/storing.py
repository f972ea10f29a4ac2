"""20,000 stories of 1,000 feeds are stored, searchable when done: new, known already, and changed.

    python benchmarks/storing.py
    python benchmarks/storing.py --database postgresql://desk@localhost/bench   # into an empty database, ours alone

The peer counts as 1: SQLModel as it is mostly written, one object at a time, looked for and then
added, SQLite's FTS5 filled by triggers, one commit a feed. Ours takes the road of `poll`: reports
of fetches recorded many at once, whole entries and all, then the search index. What both take is
read already, as stories with their languages and digests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import pickle
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from archive import HEADLINES, vocabulary_of, zipf
from measuring import ROUNDS, Comparison, Measure, finish, peak_megabytes
from sqlalchemy import Engine, event
from sqlmodel import Field, Session, SQLModel, UniqueConstraint, create_engine, select

from aggregator.flows import recording, upkeep
from aggregator.model import FetchReport, Outcome, SourceDraft, StoryDraft
from aggregator.rules.stories import read_stories
from aggregator.store import schema, sources
from aggregator.store.database import Database
from feeds.model import Category, Entry, Feed, Link, Person, Text

FEEDS, ENTRIES = 1_000, 20
#: Feeds that `poll` gathers for one transaction on a busy morning.
TOGETHER = 100
NOW = datetime(2025, 2, 19, 12, 0, tzinfo=UTC)
SUMMARY, BODY = 400, 1_500
#: Every tenth story of the changed round has another sentence.
CHANGED = 0.1

STATES = ("new", "known already", "a tenth changed")
PEER, OURS = "SQLModel one by one, FTS5 in triggers", "wirebrief: recorded, then indexed"
REACH = 5

Drafts = tuple[StoryDraft, ...]


# What is stored.


def feeds() -> list[Feed]:
    """1,000 feeds in ten languages, the same every time."""
    rng = random.Random(5)  # noqa: S311 - a benchmark, not a secret
    vocabulary = {language: vocabulary_of(language, rng) for language in HEADLINES}
    shares = [share for share, _ in HEADLINES.values()]
    found = []
    for number in range(FEEDS):
        (language,) = rng.choices(list(HEADLINES), shares)
        entries = (_entry(number, each, language, vocabulary[language], rng) for each in range(ENTRIES))
        found.append(Feed(title=f"Outlet {number}", language=language, entries=tuple(entries)))
    return found


def _entry(feed: int, number: int, language: str, vocabulary: Sequence[str], rng: random.Random) -> Entry:
    _, parts = HEADLINES[language]
    title = " ".join(rng.choice(part.split("|")) for part in parts)
    body = "".join(f"<p>{_sentences(vocabulary, BODY // 3, rng)}</p>" for _ in range(3))
    at = NOW - timedelta(minutes=rng.randrange(60 * 24))
    return Entry(
        id=f"https://outlet{feed}.example/?p={number}",
        title=f"{title} {rng.choice(vocabulary)} {rng.choice(vocabulary)}",
        links=(
            Link(f"https://outlet{feed}.example/news/{number}-{rng.choice(vocabulary)}", type="text/html"),
        ),
        summary=Text(f"<p>{_sentences(vocabulary, SUMMARY, rng)}</p>", "html"),
        content=Text(body, "html"),
        published=at,
        updated=at,
        authors=(Person("A. Reporter"),),
        categories=(Category("news"), Category(rng.choice(vocabulary))),
        language=language,
    )


def _sentences(vocabulary: Sequence[str], characters: int, rng: random.Random) -> str:
    found: list[str] = []
    while sum(map(len, found)) + len(found) < characters:
        words = zipf(vocabulary, rng, rng.randrange(6, 18))
        found.append(" ".join(words).capitalize() + ".")
    return " ".join(found)[:characters]


def edited(feeds: Sequence[Feed]) -> list[Feed]:
    """The same with one more sentence in every tenth entry."""
    rng = random.Random(6)  # noqa: S311 - a benchmark, not a secret
    return [replace(feed, entries=tuple(_edited(entry, rng) for entry in feed.entries)) for feed in feeds]


def _edited(entry: Entry, rng: random.Random) -> Entry:
    if rng.random() >= CHANGED or entry.content is None:
        return entry
    value = f"{entry.content.value}<p>{entry.title} was corrected at noon by the desk.</p>"
    return replace(entry, content=replace(entry.content, value=value))


def drafts(feeds: Sequence[Feed]) -> list[Drafts]:
    """The stories of each feed."""
    return [
        read_stories(feed, source_url=f"https://outlet{number}.example/feed", language=feed.language)
        for number, feed in enumerate(feeds)
    ]


# The peer.


class PlainStory(SQLModel, table=True):
    """A story as a plain program keeps it."""

    __tablename__ = "plain_story"
    __table_args__ = (UniqueConstraint("source", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    source: int = Field(index=True)
    key: str
    url: str | None
    title: str
    summary: str
    body: str
    language: str | None
    published: datetime | None = Field(default=None, index=True)
    first_seen: datetime


#: As SQLite's own documentation writes them for a table with an index beside it.
_TRIGGERS = (
    "CREATE VIRTUAL TABLE plain_search USING fts5(title, summary, body, content=plain_story, content_rowid=id)",
    """CREATE TRIGGER plain_new AFTER INSERT ON plain_story BEGIN
    INSERT INTO plain_search(rowid, title, summary, body) VALUES (new.id, new.title, new.summary, new.body); END""",
    """CREATE TRIGGER plain_changed AFTER UPDATE ON plain_story BEGIN
    INSERT INTO plain_search(plain_search, rowid, title, summary, body)
    VALUES ('delete', old.id, old.title, old.summary, old.body);
    INSERT INTO plain_search(rowid, title, summary, body) VALUES (new.id, new.title, new.summary, new.body); END""",
)


def plain_engine(folder: str) -> Engine:
    """A database of the peer, written ahead and not synchronous at every commit."""
    engine = create_engine(f"sqlite:///{folder}/plain.db")

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables["plain_story"]])
    with engine.begin() as connection:
        for statement in _TRIGGERS:
            connection.exec_driver_sql(statement)
    return engine


def store_plainly(engine: Engine, found: Sequence[Drafts]) -> None:
    """One object at a time, one commit a feed."""
    for source, some in enumerate(found):
        with Session(engine) as session:
            for draft in some:
                _store_plainly(session, source, draft)
            session.commit()


def _store_plainly(session: Session, source: int, draft: StoryDraft) -> None:
    same = select(PlainStory).where(PlainStory.source == source, PlainStory.key == draft.key)
    story = session.exec(same).first()
    if story is None:
        story = PlainStory(
            source=source,
            key=draft.key,
            url=draft.url,
            title="",
            summary="",
            body="",
            language=None,
            first_seen=NOW,
        )
    story.title, story.summary, story.body = draft.entry.title, draft.summary, draft.body
    story.language, story.published = draft.language, draft.entry.published
    session.add(story)


# Ours.


def reports(found: Sequence[Drafts], ids: Sequence[int]) -> Iterator[list[FetchReport]]:
    """What fetching these would hand to the writer, as much as it takes at once."""
    made = [
        FetchReport(
            source, NOW, Outcome.FETCHED, NOW + timedelta(hours=1), "", entries=len(some), drafts=some
        )
        for source, some in zip(ids, found, strict=True)
    ]
    for start in range(0, len(made), TOGETHER):
        yield made[start : start + TOGETHER]


def store_ours(database: Database, ids: Sequence[int], found: Sequence[Drafts]) -> None:
    """The road of `poll` from what was read to stories that a search finds."""
    for some in reports(found, ids):
        database.write_now(lambda session, some=some: recording.record(session, some))
        asyncio.run(upkeep.index_search(database))


def follow(database: Database) -> list[int]:
    """The sources of these feeds, in their order."""
    made = [SourceDraft(f"https://outlet{n}.example/feed", title=f"Outlet {n}") for n in range(FEEDS)]
    return list(database.write_now(lambda s: sources.add(s, made, now=NOW)))


# The rounds.


def one_round(way: str, load: Callable[[str], Sequence[Drafts]], url: str) -> dict[str, float]:
    """CPU seconds of one round of one way, by state, in a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        if way == PEER:
            engine = plain_engine(folder)
            took = {state: _cpu(partial(store_plainly, engine), load(state)) for state in STATES}
            engine.dispose()
            return took
        with Database(url or f"sqlite:///{folder}/ours.db") as database:
            schema.prepare(database)
            ids = follow(database)
            return {state: _cpu(partial(store_ours, database, ids), load(state)) for state in STATES}


def _cpu(store: Callable[[Sequence[Drafts]], object], found: Sequence[Drafts]) -> float:
    began = time.process_time()
    store(found)
    return time.process_time() - began


def child(way: str, kept: Path, url: str) -> None:
    """One round in this process; says what it took, and its memory."""
    took = one_round(way, lambda state: pickle.loads((kept / state).read_bytes()), url)  # noqa: S301 - our parent's
    print(json.dumps({"took": took, "megabytes": peak_megabytes()}))


def keep_drafts(folder: Path) -> None:
    """Write the stories of each state down, for each child to read."""
    first = feeds()
    states = dict.fromkeys(STATES, drafts(first)) | {STATES[-1]: drafts(edited(first))}
    for state, found in states.items():
        (folder / state).write_bytes(pickle.dumps(found))


def measured(kept: Path) -> list[Comparison]:
    """Every way in every round, each in a process of its own, one after the other."""
    seconds: dict[tuple[str, str], list[float]] = {
        (way, state): [] for way in (PEER, OURS) for state in STATES
    }
    megabytes = {PEER: 0.0, OURS: 0.0}
    for _ in range(ROUNDS):
        for way in (PEER, OURS):
            words = [sys.executable, __file__, "--way", way, "--kept", str(kept)]
            said = json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True).stdout)
            megabytes[way] = max(megabytes[way], said["megabytes"])
            for state, took in said["took"].items():
                seconds[way, state].append(took)
    return [
        Comparison(
            f"{FEEDS * ENTRIES:,} stories, {state}",
            tuple(Measure(way, tuple(seconds[way, state]), megabytes[way]) for way in (PEER, OURS)),
            reach=REACH if state == "new" else None,
        )
        for state in STATES
    ]


def main() -> None:
    """Measure both, and tell; with a database, ours alone on it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", default="")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--kept", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.way:
        child(asked.way, asked.kept, "")
        return
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder)
        keep_drafts(kept)
        if not asked.database:
            finish("storing", "Storing 20,000 stories, search index included", measured(kept))
            return
        began = time.perf_counter()
        took = one_round(OURS, lambda state: pickle.loads((kept / state).read_bytes()), asked.database)  # noqa: S301
        for state, seconds in took.items():
            print(f"{state:<20}{FEEDS * ENTRIES / seconds:10,.0f} stories a second of our own CPU")
        print(f"{time.perf_counter() - began:.0f} s in all, the server's work included")


if __name__ == "__main__":
    main()
