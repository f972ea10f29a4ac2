"""One brief against archives of growing size: candidates from the index, scores, and the whole.

    python benchmarks/linking.py                 # 10,000 and 50,000 stories
    python benchmarks/linking.py 10000 50000 200000

The archive is made of the demo's stories over and over, each copy with words exchanged by seed, so
that names, places and concepts are as common as in a real one. Prints medians of five runs; BM25
over the same stories in memory stands beside it as what one would write first.
"""

from __future__ import annotations

import asyncio
import math
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from aggregator.demo.wire import demo_briefs, demo_feeds
from aggregator.flows.link import find_evidence, index_anchors, query_of
from aggregator.language.reading import anchors
from aggregator.language.text import words
from aggregator.model import FetchReport, Outcome, SourceDraft, StoryDraft
from aggregator.rules.briefs import read_brief
from aggregator.rules.link_index import Linker
from aggregator.rules.links import link
from aggregator.rules.stories import read_stories
from aggregator.store import fetches, schema, sources
from aggregator.store.database import Database
from feeds.read import parse

NOW = datetime(2025, 2, 19, 12, 0, tzinfo=UTC)
ROUNDS = 5


def sample() -> list[StoryDraft]:
    """The demo's stories."""
    found: list[StoryDraft] = []
    for outlet in demo_feeds():
        body = outlet.document.replace(b"{{wire}}", b"https://wire.example")
        feed = parse(body, content_type=outlet.content_type, base_url="https://wire.example/")
        found += read_stories(feed, source_url="https://wire.example/", language=outlet.language)
    return found


def varied(draft: StoryDraft, number: int, vocabulary: list[str], rng: random.Random) -> StoryDraft:
    """A story with a share of its words exchanged, under an identity of its own."""
    from dataclasses import replace

    def mix(text: str, share: float) -> str:
        return " ".join(rng.choice(vocabulary) if rng.random() < share else word for word in text.split())

    share = rng.choice((0.3, 0.6, 0.9))
    when = NOW - timedelta(minutes=rng.randrange(14 * 24 * 60))
    entry = replace(
        draft.entry, id=f"urn:bench:{number}", title=mix(draft.entry.title, share), published=when
    )
    return replace(
        draft,
        key=f"k{number}",
        entry_id=f"urn:bench:{number}",
        url=f"https://wire.example/{number}",
        summary=mix(draft.summary, share),
        body="",
        digest=str(number),
        entry=entry,
    )


def fill(database: Database, count: int, drafts: list[StoryDraft]) -> None:
    """Store `count` stories, as polls would."""
    rng = random.Random(7)  # noqa: S311 - a benchmark, not a secret
    by_language: dict[str, list[str]] = {}
    for draft in drafts:
        by_language.setdefault(draft.language or "", []).extend(
            f"{draft.entry.title} {draft.summary}".split()
        )
    (source,) = database.write_now(lambda s: sources.add(s, [SourceDraft("https://wire.example/f")], now=NOW))
    for start in range(0, count, 2000):
        some = tuple(
            varied(draft := rng.choice(drafts), n, by_language[draft.language or ""], rng)
            for n in range(start, min(start + 2000, count))
        )
        report = FetchReport(source, NOW, Outcome.FETCHED, NOW, "", drafts=some)
        database.write_now(partial(fetches.record, reports=[report]))


def bm25(query: list[str], documents: list[list[str]]) -> float:
    """Seconds that BM25 over all documents takes for all passages, its index made before."""
    counts = [Counter(document) for document in documents]
    holding = Counter(word for count in counts for word in count)
    mean = statistics.mean(map(len, documents))
    began = time.perf_counter()
    for text in query:
        asked = set(words(text))
        scores = [
            sum(
                math.log(1 + (len(documents) - holding[w] + 0.5) / (holding[w] + 0.5))
                * count[w]
                * 2.2
                / (count[w] + 1.2 * (0.25 + 0.75 * len(document) / mean))
                for w in asked
                if count[w]
            )
            for count, document in zip(counts, documents, strict=True)
        ]
        sorted(scores, reverse=True)
    return time.perf_counter() - began


async def measure(count: int, drafts: list[StoryDraft]) -> None:
    """Print the figures of one size."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Database(f"sqlite:///{Path(folder, 'bench.db')}") as database,
    ):
        schema.prepare(database)
        fill(database, count, drafts)
        began = time.perf_counter()
        await index_anchors(database)
        indexing = (time.perf_counter() - began) / count
        query = query_of(read_brief(demo_briefs()[0][1]))
        finding, scoring = [], []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            found, frequencies = database.read_now(partial(find_evidence, query=query))
            between = time.perf_counter()
            link(query, Linker([each.candidate for each in found], query, frequencies=frequencies))
            finding.append(between - began)
            scoring.append(time.perf_counter() - between)
    whole = statistics.median(a + b for a, b in zip(finding, scoring, strict=True))
    texts = [words(f"{draft.entry.title} {draft.summary}") for draft in drafts]
    peer = bm25([p.text for p in query.passages], (texts * (count // len(texts) + 1))[:count])
    print(
        f"{count:>8,} stories  find {statistics.median(finding) * 1e3:6.0f} ms  "
        f"score {statistics.median(scoring) * 1e3:6.0f} ms  whole {whole * 1e3:6.0f} ms  "
        f"BM25 in memory {peer * 1e3:7.0f} ms  ({peer / whole:4.1f} times as long)  "
        f"read into the index {indexing * 1e3:.2f} ms a story"
    )


def main() -> None:
    """Measure every size asked for."""
    sizes = [int(word) for word in sys.argv[1:]] or [10_000, 50_000]
    drafts = sample()
    for draft in drafts:
        # The tables are read at the first story of each language.
        anchors(f"{draft.entry.title}\n{draft.summary}", draft.language or "", dateline=NOW.date())
    began = time.process_time()
    for draft in drafts * 5:
        anchors(f"{draft.entry.title}\n{draft.summary}", draft.language or "", dateline=NOW.date())
    spent = (time.process_time() - began) / (5 * len(drafts))
    print(f"anchors of a story: {spent * 1e3:.2f} ms (mean of {5 * len(drafts)})")
    for size in sizes:
        asyncio.run(measure(size, drafts))


if __name__ == "__main__":
    main()
