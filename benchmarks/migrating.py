"""Moving 200,000 stories from SQLite to PostgreSQL: how long each part takes, and that no kill does any harm.

    python benchmarks/migrating.py --to postgresql://…/EMPTY                  # on a quiet machine
    python benchmarks/migrating.py --to postgresql://…/EMPTY --kills 5        # killed so often on its way
    python benchmarks/migrating.py --to postgresql://…/EMPTY --source w.db    # made where it is missing

The source is an archive of 300 outlets with topics, events, channels and bodies that were kept. Without
`--kills` the copy runs in this process, part by part, and the rows of one table are written a second time
with plain inserts, to be compared.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from archive import NOW, TOPICS, fill
from measuring import peak_megabytes
from sqlalchemy import insert, text
from sqlmodel import Session

from aggregator.flows import migrating
from aggregator.flows.publish import publish_channels
from aggregator.rules.channels import Channel, Site
from aggregator.rules.topics import Topic
from aggregator.store import copying, moving, schema, stories
from aggregator.store.database import Database
from aggregator.store.tables import STORY
from aggregator.store.tables_ingest import EVIDENCE

COUNT, OUTLETS = 200_000, 300
BODIES, BODY_BYTES = 2_000, 40_000
#: Rows that are written both ways.
PLAIN = 20_000


def prepare(database: Database, count: int) -> None:
    """Make the archive where it is missing, with channels and bodies."""
    schema.prepare(database)
    if database.read_now(stories.count) < count:
        fill(database, count, OUTLETS)
    if database.read_now(lambda s: copying.count_rows(s, EVIDENCE)) == 0:
        rng = random.Random(4)  # noqa: S311 - a benchmark, not a secret
        for _ in range(BODIES // 100):
            database.write_now(lambda s: copying.put_rows(s, EVIDENCE, [_body(rng) for _ in range(100)]))
    asyncio.run(_publish(database))


def _body(rng: random.Random) -> copying.Row:
    body, at = rng.randbytes(BODY_BYTES), f"{NOW:%Y-%m-%d %H:%M:%S.%f}"
    values = {
        "hash": sha256(body).hexdigest(),
        "content_type": "text/xml",
        "base_url": "https://outlet.example/feed",
        "size": 5 * BODY_BYTES,
        "packed_size": BODY_BYTES,
        "first_seen": at,
        "last_seen": at,
        "body": body,
    }
    return tuple(values[column.name] for column in EVIDENCE.columns)


async def _publish(database: Database) -> None:
    def clock() -> datetime:
        return NOW

    topics = [Topic(slug, slug.capitalize(), any=(slug,)) for slug in TOPICS]
    channels = [Channel(slug, slug.capitalize(), topics=(slug,)) for slug in TOPICS]
    await publish_channels(database, clock, Site(), channels, topics)


@contextlib.contextmanager
def timed(what: str) -> Iterator[Callable[[int, int], None]]:
    """Print how long a part took, and how much of that this process worked."""
    began, worked = time.monotonic(), time.process_time()
    yield lambda _done, _of: None
    seconds, cpu = time.monotonic() - began, time.process_time() - worked
    print(f"{what:<28}{seconds:8.1f} s, of which this process worked {cpu:6.1f} s", flush=True)


async def undisturbed(source: str, target: str) -> bool:
    """Copy in this process; whether all was equal."""
    began = time.monotonic()
    with moving.reader_of(source) as ours, moving.writer_of(target) as theirs:
        found = await migrating.migrate(migrating.Move(ours, theirs, timed, print))
        rows = sum(table.rows for table in found.tables)
        print(f"{rows:,} rows, equal: {found.is_equal}; {time.monotonic() - began:.0f} s in all")
        print(f"{peak_megabytes():.0f} MB at most")
        both_ways(ours, theirs)
    return found.is_equal


def both_ways(ours: Database, theirs: Database) -> None:
    """Write the same stories with COPY and with inserts, into a transaction that is rolled back."""
    rows = ours.read_now(lambda s: copying.next_rows(s, STORY, None, None))[:PLAIN]
    names = STORY.c.keys()

    def moments(row: copying.Row) -> dict[str, object]:
        values = dict(zip(names, row, strict=True))
        for name in ("published", "first_seen", "sorted_at", "withdrawn_at"):
            if values[name]:
                values[name] = datetime.fromisoformat(f"{values[name]}+00:00")
        return values

    plain = [moments(row) for row in rows]
    ways: dict[str, Callable[[Session], object]] = {
        "COPY": lambda s: copying.put_rows(s, STORY, rows),
        "plain inserts": lambda s: s.execute(insert(STORY), plain),
    }
    for name, way in ways.items():
        for is_loose in (True, False):
            with Session(theirs.engine) as session:
                session.execute(text("TRUNCATE story CASCADE"))
                if is_loose:
                    moving._RECORD.create(session.connection())
                    moving.loosen(session)
                with timed(f"{len(rows):,} stories, {name}{', no indexes' if is_loose else ''}"):
                    way(session)
                session.rollback()


def disturbed(source: str, target: str, kills: int) -> bool:
    """Kill the command so often at random, then let it end; whether all was equal."""
    command = [str(Path(sys.executable).with_name("wirebrief")), "migrate", "--from", source, "--to", target]
    rng = random.Random(kills)  # noqa: S311 - a benchmark, not a secret
    began = time.monotonic()
    for number in range(kills):
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            time.sleep(rng.uniform(3, 40))
            process.kill()
            _, said = process.communicate()
        print(f"kill {number + 1}: {said.splitlines()[-1] if said else ''}", flush=True)
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    print(done.stderr.strip(), told[-1:], f"{time.monotonic() - began:.0f} s in all", sep="\n")
    return bool(told and told[-1]["equal"])


def main() -> None:
    """Make the source where it is missing, move it, and say what that took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--to", required=True, help="an empty database on a server")
    parser.add_argument("--source", type=Path, help="the SQLite file, made where it is missing")
    parser.add_argument("--stories", type=int, default=COUNT)
    parser.add_argument("--kills", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = f"sqlite:///{(asked.source or Path(folder, 'archive.db')).resolve()}"
        with Database(source) as database:
            prepare(database, asked.stories)
        if asked.kills:
            is_equal = disturbed(source, asked.to, asked.kills)
        else:
            is_equal = asyncio.run(undisturbed(source, asked.to))
    if not is_equal:
        raise SystemExit("not equal")


if __name__ == "__main__":
    main()
