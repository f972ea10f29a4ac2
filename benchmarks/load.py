"""A newsroom under load: subscribers, editors and partners ask while the feeds of an archive come in.

    python benchmarks/load.py ../shared/wire/2026-01-a.jsonl.gz                 # the simulator beside the archive
    python benchmarks/load.py ARCHIVE --minutes 1 --subscribers 500

Everything is real and on loopback: the simulator, one `wirebrief run` with its SQLite, and whoever asks, in a
process beside it. Feeds are asked once a minute while the archive's clock runs. The load begins when all feeds
have been read for the first time; it ends by itself. The script fails on any error, where the 99th percentile
of the feeds is not under 250 ms, or where memory at the end is over a tenth more than after the first third.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvloop
from load_clients import Asker, Connection, Tally, editor, partner, subscriber
from measuring import compiled, free_port
from prometheus_client.parser import text_string_to_metric_families

from aggregator.app import App, opened
from aggregator.demo.wire import demo_briefs
from aggregator.flows.editorial import import_brief
from aggregator.flows.partners import Terms, add_partner
from aggregator.flows.signing_in import begin_session
from aggregator.flows.sources import import_opml
from aggregator.people import Account
from aggregator.settings import load
from aggregator.store import accounts
from aggregator.web.desk.frame import cookie_name

MOST_SECONDS, MOST_GROWTH = 0.250, 1.10
TICK = os.sysconf("SC_CLK_TCK")
PER_MINUTE = 60
#: Looks, a second apart, at which nothing was left to do.
CALM = 12

SETTINGS = """
[topics.talks]
title = "Talks"
any = ["talks", "minister*", "president*", "ukrain*", "negotiat*"]

[channels.wire]
title = "The wire"
entries = 100

[channels.talks]
title = "Talks"
topics = ["talks"]
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Who may ask, with what they show."""

    cookies: Sequence[str]
    keys: Sequence[str]
    briefs: Sequence[str]


@dataclass(frozen=True, slots=True)
class Minute:
    """How the server stood at one moment."""

    seconds: float
    resident: float
    proportional: float
    own: float
    cpu: float


def main() -> None:
    """Run the load, and say how it went."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("archive", type=Path)
    parser.add_argument("--simulator", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--subscribers", type=int, default=2_000)
    parser.add_argument("--editors", type=int, default=50)
    parser.add_argument("--partners", type=int, default=20)
    parser.add_argument("--hosts", type=int, default=40, help="addresses that the feeds are spread over")
    parser.add_argument("--speed", type=float, default=10, help="seconds of the archive for each real one")
    parser.add_argument("--think", type=float, default=6, help="seconds between two acts of an editor")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, simulated(asked) as wire:
        place = Path(folder)
        (place / "config.toml").write_text(SETTINGS, encoding="utf-8")
        port = free_port()
        environment = {
            "WIREBRIEF_DATABASE": f"sqlite:///{place}/load.db",
            "WIREBRIEF_SERVE__PORT": str(port),
            "WIREBRIEF_SITE__URL": f"http://127.0.0.1:{port}",
            "WIREBRIEF_FETCH__PRIVATE_NETWORKS": "true",
            "WIREBRIEF_FETCH__CADENCE__NEWS__FLOOR": "1m",
            "WIREBRIEF_FETCH__CADENCE__NEWS__CEILING": "1m",
        }
        prepared = asyncio.run(prepare(place, environment, wire, asked))
        with (
            served(place, environment) as server,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            failed = runner.run(loaded(server, port, prepared, asked))
    raise SystemExit("\n".join(["", *failed]) if failed else 0)


async def prepare(
    place: Path, environment: Mapping[str, str], wire: str, asked: argparse.Namespace
) -> Prepared:
    """The sources, the briefs, and whoever may ask."""
    settings = load(place / "config.toml", environment)
    async with opened(settings) as app, httpx.AsyncClient(trust_env=False, timeout=60) as client:
        await import_opml(app.database, app.clock, (await client.get(f"{wire}/opml")).content, by="bench")
        briefs = [
            (await import_brief(app.database, app.clock, text, by="load", slug=f"b{number}")).slug
            for number, (_, text) in enumerate(demo_briefs() * 4)
        ]
        terms = Terms(("wire", "talks"), per_minute=PER_MINUTE)
        channels = (await app.catalogue()).channels
        keys = [
            (await add_partner(app.database, app.clock, f"partner-{number}", terms, channels, by="bench"))[1]
            for number in range(asked.partners)
        ]
        cookies = [await begin(app, f"editor-{number}") for number in range(asked.editors)]
    return Prepared(cookies, keys, briefs)


async def begin(app: App, name: str) -> str:
    """An account that is signed in, as the cookie of its browser: passwords are slow on purpose."""
    now = app.clock()
    number = await app.database.write(lambda session: accounts.add(session, name, "editor", now=now))
    token = await begin_session(app.database, app.clock, Account(number, name, "editor", now), way="password")
    return f"{cookie_name(app.settings.site)}={token}"


async def loaded(server: int, port: int, prepared: Prepared, asked: argparse.Namespace) -> list[str]:
    """Let everybody ask for so long, and tell how it went; what was not reached."""
    first = await settled(port)
    print(
        f"{asked.subscribers} subscribers, {asked.editors} editors, {asked.partners} partners, "
        f"{first['wirebrief_sources']:.0f} feeds; load average {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores"
    )
    tally, chance = Tally(), random.Random(7)  # noqa: S311 - a load that can be repeated
    paths = [
        f"/channels/{slug}.{form}" for slug in ("wire", "talks") for form in ("atom", "atom", "rss", "json")
    ]
    everybody = [
        *(subscriber(asker(port, tally, chance), paths, (15.0, 60.0)) for _ in range(asked.subscribers)),
        *(partner(asker(port, tally, chance), paths, key, PER_MINUTE) for key in prepared.keys),
        *(
            editor(asker(port, tally, chance), cookie, list(prepared.briefs), asked.think)
            for cookie in prepared.cookies
        ),
    ]
    tasks = [asyncio.create_task(each) for each in everybody]
    beating = asyncio.create_task(beat(tally))
    minutes = await watched(server, asked.minutes * 60)
    last = await figures(port)
    for task in [*tasks, beating]:
        task.cancel()
    ended = await asyncio.gather(*tasks, beating, return_exceptions=True)
    broken = [each for each in ended if isinstance(each, Exception)]
    return told(tally, minutes, first, last) + [f"an asker broke: {each!r}" for each in broken[:3]]


def asker(port: int, tally: Tally, chance: random.Random) -> Asker:
    """Somebody with chances of their own."""
    return Asker(port, tally, random.Random(chance.random()))  # noqa: S311 - the same


async def beat(tally: Tally) -> None:
    """Note how late this program is itself."""
    while True:
        due = time.perf_counter() + 0.05
        await asyncio.sleep(0.05)
        tally.late.append(max(0.0, time.perf_counter() - due))


async def watched(server: int, seconds: float) -> list[Minute]:
    """How the server stands: now, each minute, and at the end."""
    began, found = time.monotonic(), []
    while True:
        passed = time.monotonic() - began
        found.append(stand(server, passed))
        if passed >= seconds:
            return found
        await asyncio.sleep(min(60.0, seconds - passed + 0.01))


def stand(server: int, passed: float) -> Minute:
    """Memory in megabytes and processor seconds, by /proc."""
    lines = Path(f"/proc/{server}/smaps_rollup").read_text().splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.endswith("kB")}
    stat = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    own = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return Minute(passed, sizes["Rss"], sizes["Pss"], own, (int(stat[11]) + int(stat[12])) / TICK)


async def figures(port: int) -> dict[str, float]:
    """What the server counts, by name and labels; the sum of each name, too."""
    answer = await Connection(port, is_kept=False).ask("GET", "/metrics", {})
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


async def settled(port: int, patience: float = 300) -> dict[str, float]:
    """What the server counts once it has read every feed and done all that follows, for some seconds on end."""
    end, calm = time.monotonic() + patience, 0
    while time.monotonic() < end:
        with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            found = await figures(port)
            is_read = found.get("wirebrief_fetches_total", 0) >= found.get("wirebrief_sources", 1) > 0
            is_calm = is_read and found["wirebrief_versions_behind"] == 0
            # What stands in the database is looked at every few seconds only.
            calm = calm + 1 if is_calm and "wirebrief_documents_rendered_total" in found else 0
            if calm == CALM:
                return found
        await asyncio.sleep(1)
    raise TimeoutError("the feeds were not read in time")


def told(
    tally: Tally, minutes: Sequence[Minute], first: Mapping[str, float], last: Mapping[str, float]
) -> list[str]:
    """Print the tables; what was not reached."""
    print(f"\n{'':20}{'requests':>9}{'p50 ms':>9}{'p95':>9}{'p99':>9}{'max':>9}   statuses")
    for kind in sorted(tally.seconds):
        spread = [1000 * share(tally.seconds[kind], of) for of in (0.5, 0.95, 0.99, 1.0)]
        statuses = " ".join(f"{status}: {count:,}" for status, count in sorted(tally.statuses[kind].items()))
        print(
            f"{kind:20}{len(tally.seconds[kind]):>9,}"
            + "".join(f"{each:>9.1f}" for each in spread)
            + f"   {statuses}"
        )
    late = [1000 * share(tally.late, of) for of in (0.5, 0.99, 1.0)]
    print(f"this program's own lateness: p50 {late[0]:.1f} ms, p99 {late[1]:.1f} ms, max {late[2]:.1f} ms")
    print(f"\n{'s':>6}{'RSS MB':>9}{'PSS':>9}{'USS':>9}{'CPU s':>9}{'cores':>7}")
    for before, now in zip([minutes[0], *minutes], minutes, strict=False):
        cores = (
            (now.cpu - before.cpu) / (now.seconds - before.seconds) if now.seconds > before.seconds else 0.0
        )
        print(
            f"{now.seconds:>6.0f}{now.resident:>9.0f}{now.proportional:>9.0f}{now.own:>9.0f}{now.cpu:>9.0f}{cores:>7.2f}"
        )
    for name, says in (
        ("wirebrief_event_loop_late_seconds", "event loop late"),
        ("wirebrief_wire_to_feed_seconds", "first seen to a document that stands ready"),
        ("wirebrief_database_wait_seconds", "waiting for the database's writer"),
        ("wirebrief_database_seconds", "a write"),
    ):
        labels = {"wire": "since=first_seen", "data": "work=write"}.get(name[10:14], "")
        count, *spread = [within(first, last, name, labels, of) for of in (None, 0.5, 0.95, 0.99)]
        shown = ", ".join(
            f"p{of} {1000 * value:,.0f} ms" for of, value in zip((50, 95, 99), spread, strict=True)
        )
        print(f"{says}: {shown} of {count:,.0f}")
    new = last["wirebrief_stories_total{change=new}"] - first["wirebrief_stories_total{change=new}"]
    fetches = last["wirebrief_fetches_total"] - first["wirebrief_fetches_total"]
    print(f"{fetches:,.0f} fetches, {new:,.0f} new stories; errors: {dict(tally.errors) or 'none'}")
    return missed(tally, minutes)


def missed(tally: Tally, minutes: Sequence[Minute]) -> list[str]:
    """What was wanted and is not so."""
    found = [f"error: {what}, {count} times" for what, count in tally.errors.items()]
    if (p99 := share(tally.seconds["feed"], 0.99)) >= MOST_SECONDS:
        found.append(f"feeds: p99 {1000 * p99:.0f} ms")
    early = max(each.own for each in minutes[: max(2, len(minutes) // 3 + 1)])
    if minutes[-1].own > early * MOST_GROWTH:
        found.append(f"memory grew from {early:.0f} to {minutes[-1].own:.0f} MB")
    return found


def share(values: Sequence[float], of: float) -> float:
    """The value that so many are not above."""
    listed = sorted(values)
    return listed[min(len(listed) - 1, int(of * len(listed)))] if listed else 0.0


def within(
    first: Mapping[str, float], last: Mapping[str, float], name: str, labels: str, of: float | None
) -> float:
    """A percentile of a histogram between two readings, as Prometheus reckons it; without `of`, how many."""
    edges = []
    for key, value in last.items():
        said = (
            key.removeprefix(f"{name}_bucket{{").removesuffix("}")
            if key.startswith(f"{name}_bucket{{")
            else ""
        )
        parts = dict(each.partition("=")[::2] for each in said.split(",")) if said else {}
        if parts and all(each in said for each in labels.split(",")):
            edges.append((float(parts["le"].replace("+Inf", "inf")), value - first.get(key, 0)))
    edges.sort()
    count = edges[-1][1] if edges else 0
    if of is None or not count:
        return count
    low, below = 0.0, 0.0
    for edge, upto in edges:
        if upto >= of * count:
            return low if edge == float("inf") else low + (edge - low) * (of * count - below) / (upto - below)
        low, below = edge, upto
    return low


@contextmanager
def simulated(asked: argparse.Namespace) -> Iterator[str]:
    """The archive as live feeds on loopback, its clock running from its start; where they are."""
    script = asked.simulator or asked.archive.resolve().parents[1] / "tools" / "wiresim.py"
    port = free_port()
    words = ["--port", str(port), "--hosts", str(asked.hosts), "--start", "--speed", str(asked.speed)]
    process = subprocess.Popen(
        [sys.executable, str(script), str(asked.archive), *words], stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            with suppress(httpx.TransportError):
                # A day on, every feed has something to show.
                httpx.post(f"{url}/clock", params={"advance": "86400"}, timeout=30, trust_env=False)
                break
            time.sleep(0.2)
        yield url
    finally:
        process.kill()
        process.wait()


@contextmanager
def served(place: Path, environment: Mapping[str, str]) -> Iterator[int]:
    """`wirebrief run` until the end of the block; the number of its process."""
    command = Path(sys.executable).with_name("wirebrief")
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            [command, "run"], cwd=place, env=compiled() | environment, stdout=log, stderr=log
        )
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        lines = (place / "log").read_text().splitlines()
        print(
            *[line for line in lines if " WARNING " in line or " ERROR " in line or line.startswith("  |")][
                :60
            ],
            sep="\n",
        )


if __name__ == "__main__":
    main()
