"""The editors' desk over 100,000 stories of 300 sources: how long its pages take, and how large they are.

    python benchmarks/desk.py                          # a database of its own, made and thrown away
    python benchmarks/desk.py --database desk100k.db   # made where it is missing, and used again

Runs the ASGI service in this process, signed in as an editor, and prints what an answer took on
the server, without the network, and how much of that this process worked (p50): where others keep
the machine busy it waits for them. Every address is asked for some times before it counts.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import httpx
from archive import NOW, TOPICS, fill
from sqlmodel import Session
from starlette.types import ASGIApp

from aggregator.demo.wire import demo_briefs
from aggregator.flows import desk_wire, editorial
from aggregator.flows.partners import key_digest
from aggregator.model import Role
from aggregator.rules.channels import Site
from aggregator.rules.topics import Topic
from aggregator.rules.wire_views import View
from aggregator.store import accounts, briefs, event_marks, schema, stories, suggestions, wire_rows
from aggregator.store.database import Database
from aggregator.store.suggestions import Proposal
from aggregator.web.service import make_service
from aggregator.web.settings import ServeSettings

COUNT, OUTLETS = 100_000, 300
KEY = "a-key-for-the-benchmark"
#: What a page may take on the server, and how much it may send.
MOST_SECONDS, MOST_BYTES = 0.150, 150_000

ASKED = {
    "wire": "/desk/wire",
    "wire, topic (28 of 100)": "/desk/wire?topic=ukraine",
    "wire, topic (1 of 250)": "/desk/wire?topic=floods",
    "wire, language (1 of 10)": "/desk/wire?language=fr",
    "wire, language (1 of 100)": "/desk/wire?language=is",
    "wire, one source": "/desk/wire?source=7",
    "wire, last week": "/desk/wire?span=7d",
    "wire, to look at": "/desk/wire?state=open",
    "wire, taken": "/desk/wire?state=taken",
    "wire, spiked": "/desk/wire?state=spiked",
    "wire, used": "/desk/wire?state=used",
    "wire, four filters": "/desk/wire?topic=economy&language=ru&span=30d&state=open",
    "search, a rare word": "/desk/wire?q=vopnahl%C3%A9",
    "search, a common word": "/desk/wire?q=ukraine",
    "search, two words": "/desk/wire?q=ukraine+grain",
    "search, a phrase": "/desk/wire?q=%22grain+exports%22",
    "search, either and not": "/desk/wire?q=%28riyadh+OR+geneva%29+-farmers",
    "search, the beginning of a word": "/desk/wire?q=parlia*",
    "search, Cyrillic": "/desk/wire?" + urlencode({"q": "перемир’я Женеві"}),
    "search, nothing": "/desk/wire?q=nowhereatall",
    "search and three filters": "/desk/wire?q=ukraine&topic=courts&language=en&state=open",
    "today": "/desk/today",
    "sources": "/desk/sources",
    "topics": "/desk/topics",
    "briefs": "/desk/briefs",
}


def prepare(database: Database) -> None:
    """Make the archive where it is missing, with a brief, picks and decisions."""
    schema.prepare(database)
    if database.read_now(stories.count) < COUNT:
        fill(database, COUNT, OUTLETS)
    if database.read_now(lambda session: accounts.named(session, "ada")) is None:
        database.write_now(lambda s: accounts.add(s, "ada", "editor", key_digest(KEY), now=NOW))
        asyncio.run(decide(database))


async def decide(database: Database) -> None:
    """A brief with suggestions and picks; some thousand events that were taken or spiked."""

    def clock() -> datetime:
        return NOW

    slug, text = demo_briefs()[0]
    await editorial.import_brief(database, clock, text, by="ada", slug=slug)
    found = await database.read(lambda s: briefs.named(s, slug))
    assert found is not None  # noqa: S101 - it was just imported
    events = await database.read(lambda s: list(_some(s, 4_000)))
    proposals = [
        Proposal(
            f"p{n % 8}", story, 0.9, (("place", "Saudi Arabia", "Riyadh"), ("concept", "talks", "talks"))
        )
        for n, story in enumerate(events[:240])
    ]
    await database.write(lambda s: suggestions.propose(s, found.id, proposals, now=NOW))
    for n, story in enumerate(events[:160]):
        await editorial.pick_story(database, clock, slug, f"p{n % 8}", str(story), Role.SOURCE, by="ada")

    def mark(session: Session) -> None:
        for n, story in enumerate(events):
            kind = (event_marks.SPIKED, event_marks.TAKEN, event_marks.GIVEN_BACK)[n % 3]
            event_marks.add(session, story, kind, why="Not for us", by="ada", now=NOW)

    await database.write(mark)


def _some(session: Session, count: int) -> Iterator[int]:
    seen: set[int] = set()
    for each in wire_rows.newest_first(session, wire_rows.Asked()):
        if each.root not in seen and each.root % 7 == 0:
            seen.add(each.root)
            yield each.root
        if len(seen) == count:
            return


def service(database: Database) -> ASGIApp:
    """The ASGI service, as `wirebrief serve` makes it."""

    async def nobody(key: str) -> None:
        """The API is not asked."""

    topics = [Topic(slug, slug.capitalize(), any=(slug,)) for slug in TOPICS]
    return make_service(database, lambda: NOW, Site(), ServeSettings(), (), topics, nobody)


async def measure(database: Database, rounds: int) -> bool:
    """Print what each page took and sent; whether all kept within what they may."""
    app = service(database)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        await client.post("/desk/sign-in", data={"name": "ada", "key": KEY})
        page = await database.read(lambda s: desk_wire.wire(s, View(span="7d"), now=NOW, limit=400))
        largest = max(page.events, key=lambda event: event.company.size)
        changed = next(event for event in page.events if event.line.versions > 1)
        first = await database.read(lambda s: desk_wire.wire(s, View(), now=NOW, limit=50))
        asked = {
            **ASKED,
            "wire, the second page": f"/desk/wire?before={first.older}",
            f"event, {len(largest.company.outlets)} outlets": f"/desk/wire/{largest.root}",
            "event, with versions": f"/desk/wire/{changed.root}",
            "brief, with suggestions": f"/desk/briefs/{demo_briefs()[0][0]}?passage=p1",
        }
        print(f"{'':36} {'p50':>8} {'p95':>8} {'max':>8} {'work':>8} {'bytes':>9}")
        kept = [await _one(client, name, path, rounds) for name, path in asked.items()]
        took = [await _arrived(database, page.newest) for _ in range(rounds)]
        print(f"{'what is new, asked by an open page':36} {_figures(took)}")
    return all(kept)


async def _one(client: httpx.AsyncClient, name: str, path: str, rounds: int) -> bool:
    took, busy, size = [], [], 0
    for turn in range(rounds + 3):
        began, worked = time.perf_counter(), time.process_time()
        answer = await client.get(path)
        if turn >= 3:
            took.append(time.perf_counter() - began)
            busy.append(time.process_time() - worked)
        if answer.status_code != 200:
            raise SystemExit(f"{path} answered {answer.status_code}: {answer.text[:500]}")
        size = len(answer.content)
    is_within = _p95(took) <= MOST_SECONDS and size <= MOST_BYTES
    worked = statistics.median(busy) * 1e3
    print(f"{name:36} {_figures(took)} {worked:5.0f} ms {size:>9,}{'' if is_within else '  too much'}")
    return is_within


async def _arrived(database: Database, newest: int) -> float:
    began = time.perf_counter()
    await database.read(partial(desk_wire.arrived, view=View(q="ukraine"), since=newest - 400))
    return time.perf_counter() - began


def _p95(took: list[float]) -> float:
    return statistics.quantiles(took, n=20, method="inclusive")[-1]


def _figures(took: list[float]) -> str:
    return " ".join(f"{figure * 1e3:5.0f} ms" for figure in (statistics.median(took), _p95(took), max(took)))


def main() -> None:
    """Measure, and end with 1 where a page takes or sends too much."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--database", type=Path, help="an SQLite file to make, or to use again")
    reader.add_argument("--rounds", type=int, default=20, help="how often each address is asked for")
    said = reader.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = said.database or Path(folder, "desk.db")
        with Database(f"sqlite:///{path}") as database:
            prepare(database)
            is_within = asyncio.run(measure(database, said.rounds))
    raise SystemExit(0 if is_within else 1)


if __name__ == "__main__":
    main()
