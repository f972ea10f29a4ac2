"""One story of a channel of 1,000 changes: what it costs to write the channel anew, in every format.

    python benchmarks/rendering.py

First the writing alone. feedgen 1.0.0 writes Atom only, and writes all of it again; it counts as 1.
Ours writes Atom, RSS, JSON Feed and ninjs: one entry is rendered, the others are joined as they were kept.

Then the whole road, from a database of 5,000 stories to documents that are ready to be served. The peer
is what a developer writes first: the newest 1,000 stories read through SQLModel, feedgen, gzip. Ours also
tells what changed, keeps archive pages, and packs four formats in three codings. Last a look at a channel
in which nothing changed, which the peer cannot know before it has done everything.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import archive
from feedgen.feed import FeedGenerator
from measuring import ROUNDS, Comparison, Measure, cpu_rounds, finish
from sqlmodel import Session, select

from aggregator.flows.publish import publish_channels
from aggregator.model import StoryDraft
from aggregator.rules.channels import Channel, Site
from aggregator.store import fetches
from aggregator.store.database import Database
from aggregator.store.tables import SOURCE, STORY, VERSION, SourceRow, StoryRow, VersionRow
from feeds.model import Category, Entry, Feed, Link, Origin, Person, Text
from feeds.write import WRITERS, Format

ENTRIES = 1_000
STORIES, OUTLETS = 5_000, 100
CHANNEL = Channel("all", "All stories", entries=ENTRIES, body_bytes=50_000_000)
NOW = datetime(2025, 2, 19, 12, 0, tzinfo=UTC)
#: As long as the stories of real feeds: 1.7 kB each.
_WORDS = "harbour talks minister grain corridor vote pilots tariff river storm council strike Riyadh"


def feed() -> Feed:
    """A channel of 1,000 stories of fifty outlets."""
    rng = random.Random(3)  # noqa: S311 - a benchmark, not a secret
    return Feed(
        id="tag:desk.example,2025:channel",
        title="All stories",
        language="en",
        updated=NOW,
        authors=(Person("The desk"),),
        links=(Link("https://desk.example/channels/all.atom", "self"), Link("https://desk.example/")),
        entries=tuple(_entry(number, rng) for number in range(ENTRIES)),
    )


def _entry(number: int, rng: random.Random) -> Entry:
    outlet = f"https://outlet{number % 50}.example"
    at = NOW - timedelta(minutes=number)
    return Entry(
        id=f"tag:outlet.example,2025:{number}",
        title=" ".join(rng.choices(_WORDS.split(), k=9)),
        links=(Link(f"{outlet}/news/{number}", type="text/html"),),
        summary=Text(" ".join(rng.choices(_WORDS.split(), k=40))),
        content=Text(
            "".join(f"<p>{' '.join(rng.choices(_WORDS.split(), k=60))} &amp; more</p>" for _ in range(3)),
            "html",
        ),
        published=at,
        updated=at,
        authors=(Person("A. Reporter", "desk@outlet.example"),),
        categories=(Category("talks"), Category("harbours")),
        language="en",
        origin=Origin(id=f"{outlet}/feed", title=f"Outlet {number % 50}", links=(Link(outlet),), updated=at),
    )


def _paragraph(rng: random.Random) -> str:
    return f"<p>{' '.join(rng.choices(_WORDS.split(), k=60))} &amp; more</p>"


def by_feedgen(feed: Feed) -> bytes:
    """The whole channel as Atom, as a developer writes it with feedgen."""
    written = FeedGenerator()
    written.id(feed.id)
    written.title(feed.title)
    written.updated(feed.updated)
    written.language("en")
    written.author(name=feed.authors[0].name)
    written.link([{"href": link.href, "rel": link.rel} for link in feed.links])
    for entry in feed.entries:
        one = written.add_entry(order="append")
        one.id(entry.id)
        one.title(entry.title)
        one.link(href=entry.url)
        one.published(entry.published)
        one.updated(entry.updated)
        one.author(name=entry.authors[0].name, email=entry.authors[0].email)
        one.category([{"term": category.term} for category in entry.categories])
        if entry.summary and entry.content and entry.origin:
            one.summary(entry.summary.value)
            one.content(entry.content.value, type="html")
            one.source(url=entry.origin.links[0].href, title=entry.origin.title)
    document: bytes = written.atom_str()
    return document


@dataclass(frozen=True)
class Kept:
    """Entries as they were rendered, and what they are kept under."""

    fragments: Mapping[Format, Sequence[bytes]]
    names: Sequence[str]

    @classmethod
    def of(cls, feed: Feed) -> Kept:
        """Every entry of a feed in every format."""
        fragments = {
            format: [writer.entry_fragment(entry, language=feed.language) for entry in feed.entries]
            for format, writer in WRITERS.items()
        }
        return cls(fragments, [_name(repr(entry).encode()) for entry in feed.entries])


def _name(written: bytes) -> str:
    return hashlib.sha256(written).hexdigest()


def by_ours(head: Feed, changed: Entry, kept: Kept, formats: Sequence[Format]) -> int:
    """The changed entry rendered and joined with those that were kept; bytes written."""
    written = 0
    name = _name("\n".join((_name(repr(changed).encode()), *kept.names[1:])).encode())
    for format in formats:
        new = WRITERS[format].entry_fragment(changed, language=head.language)
        fragments = [new, *kept.fragments[format][1:]]
        written += len(WRITERS[format].assemble(head, fragments, name=name).body)
    return written


def writing() -> Comparison:
    """Write a channel anew of which one entry changed."""
    whole = feed()
    head, kept = replace(whole, entries=()), Kept.of(whole)
    corrections = iter(range(1_000))

    def changed() -> Entry:
        """Another correction each time, so that nothing of it was ever rendered."""
        return replace(whole.entries[0], title=f"Correction {next(corrections)}: grain corridor", updated=NOW)

    theirs = cpu_rounds(lambda: by_feedgen(whole))
    alone = cpu_rounds(lambda: by_ours(head, changed(), kept, ["atom"]))
    ours = cpu_rounds(lambda: by_ours(head, changed(), kept, list(WRITERS)))
    size = by_ours(head, changed(), kept, list(WRITERS))
    print(
        f"{ENTRIES:,} entries; {len(by_feedgen(whole)):,} bytes by feedgen, {size:,} by ours in four formats"
    )
    return Comparison(
        "CPU to write a channel anew (feedgen 1.0.0, Atom = 1)",
        (
            Measure("feedgen, Atom", theirs),
            Measure("wirebrief, Atom", alone),
            Measure("wirebrief, all four formats", ours),
        ),
        reach=50,
    )


@dataclass
class Wire:
    """A desk with an archive, at which one story after the other comes in."""

    database: Database
    rng: random.Random = field(default_factory=lambda: random.Random(5))  # noqa: S311 - a benchmark
    now: datetime = archive.NOW
    came: int = 0

    def hears(self) -> None:
        """One more story, newer than all others."""
        self.now += timedelta(seconds=5)
        self.came += 1
        made = archive.Made(0, 1, self.now, self._draft(), 0)
        self.database.write_now(lambda s: fetches.record(s, list(archive._reports([made]))))

    def _draft(self) -> StoryDraft:
        draft = archive._draft("en", archive.vocabulary_of("en", self.rng), self.rng)
        return archive._identified(draft, 10**6 + self.came, 0, self.now)

    def publish(self) -> None:
        """Everything that we do for a channel."""
        clock = lambda: self.now  # noqa: E731 - a clock is a function
        asyncio.run(publish_channels(self.database, clock, Site(), [CHANNEL], []))


def plainly(database: Database) -> bytes:
    """The newest stories as Atom, packed, as a developer first writes it."""
    with Session(database.engine) as session:
        query = (
            select(StoryRow, VersionRow, SourceRow)
            .where(VERSION.c.story_id == STORY.c.id, VERSION.c.number == STORY.c.versions)
            .where(SOURCE.c.id == STORY.c.source_id)
            .order_by(STORY.c.sorted_at.desc())
            .limit(ENTRIES)
        )
        written = FeedGenerator()
        written.id("tag:desk.example,2025:channel")
        written.title("All stories")
        written.updated(NOW)
        for story, version, source in session.exec(query):
            one = written.add_entry(order="append")
            one.id(story.entry_id)
            one.title(version.title)
            one.link(href=story.url)
            one.published(story.published or story.first_seen)
            one.updated(version.seen_at)
            one.summary(version.summary)
            one.author(name=source.title)
            one.source(url=source.url, title=source.title)
        document: bytes = written.atom_str()
    return gzip.compress(document)


def publishing(folder: Path) -> list[Comparison]:
    """Publish a channel after one story came, and after none."""
    with Database(f"sqlite:///{folder / 'archive.db'}") as database:
        archive.fill(database, STORIES, OUTLETS, say=lambda _: None)
        wire = Wire(database)
        wire.publish()
        plain = _rounds(lambda: plainly(database), before=wire.hears)
        ours = _rounds(wire.publish, before=wire.hears)
        # The first look after a change finds that nothing is left to do; it is one of those not counted.
        wire.publish()
        idle = _rounds(wire.publish)
    plainly_done = Measure("SQLModel, feedgen, gzip: Atom", plain)
    changed = Measure("wirebrief, four formats, three codings", ours)
    return [
        Comparison(
            "CPU to publish a channel of 1,000 after one story (plainly written = 1)", (plainly_done, changed)
        ),
        Comparison(
            "CPU to look at a channel of 1,000 without change",
            (plainly_done, Measure("wirebrief, nothing changed", idle)),
        ),
    ]


def _rounds(work: Callable[[], object], before: Callable[[], None] = lambda: None) -> tuple[float, ...]:
    """CPU seconds of each round after one that is not counted; `before` each is not counted either."""
    spent = []
    for _ in range(ROUNDS + 1):
        before()
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return tuple(spent[1:])


def main() -> None:
    """Measure all, and say how far apart they are."""
    with tempfile.TemporaryDirectory() as folder:
        compared = [writing(), *publishing(Path(folder))]
    finish("rendering", "One story of a channel of 1,000 changes", compared)


if __name__ == "__main__":
    main()
