"""Several processes on one PostgreSQL: they share the work, die at any moment, and nothing is lost.

WIREBRIEF_CHAOS=600 kills for ten minutes instead of a quarter of one.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from lxml import etree

from aggregator.demo.wire import demo_briefs
from feeds.urls import canonical
from tests.acceptance.conftest import LOOPBACK, settings_for
from tests.acceptance.desk import Desk, free_port, wait_until
from tests.acceptance.many import OwnServer, Service, own_server, running
from tests.acceptance.wires import Key, NewsWire, Simulator, replayed

ATOM = "{http://www.w3.org/2005/Atom}"

CHAOS = float(os.environ.get("WIREBRIEF_CHAOS", "15"))

#: Feeds are asked every few seconds, so that there is a load.
BUSY = LOOPBACK | {
    "WIREBRIEF_FETCH__CADENCE__NEWS__FLOOR": "2s",
    "WIREBRIEF_FETCH__CADENCE__NEWS__CEILING": "5s",
    "WIREBRIEF_WORK__STALLED": "4s",
}

CHANNELS = """
[topics.politics]
title = "Politics"
any = ["president*", "minister*", "government", "präsident*", "président*", "presidente"]

[channels.wire]
title = "The wire"
carries = ["stories"]
topics = ["politics"]
entries = 2000

[channels.briefs]
title = "All briefs"
carries = ["briefs"]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with own_server(tmp_path_factory.getbasetemp()) as opened:
        yield opened


def desk_on(folder: Path, url: str, settings: str, environment: dict[str, str]) -> Desk:
    """A desk whose database is on a server."""
    folder.mkdir(exist_ok=True)
    (folder / "config.toml").write_text(settings, encoding="utf-8")
    return Desk(folder, environment | {"WIREBRIEF_DATABASE": url})


def serve(desk: Desk) -> Service:
    return Service(desk, ("serve",), {"WIREBRIEF_SERVE__PORT": str(free_port())})


def address(web: Service) -> str:
    return f"http://127.0.0.1:{web.environment['WIREBRIEF_SERVE__PORT']}"


def get(url: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(url, trust_env=False, timeout=10, headers=headers or {})


def is_served(url: str, words: str) -> bool:
    try:
        return words in get(url).text
    except httpx.TransportError:
        return False


def _is_up(web: Service) -> bool:
    return is_served(f"{address(web)}/alive", "")


def test_two_workers_and_two_web_processes_are_one_newsroom(
    server: OwnServer, wire: NewsWire, tmp_path: Path
) -> None:
    # Each worker has one place for sweeps, and both are held by a feed that does not answer: nobody waits for it.
    feeds = [*wire.feeds, f"{wire.url}/slow/one", f"{wire.url}/slow/two"]
    desk = desk_on(tmp_path / "desk", server.make("newsroom"), settings_for(feeds), LOOPBACK)
    desk.run("init", "--name", "ada")
    webs = [serve(desk), serve(desk)]
    schedulers = [Service(desk, ("schedule",)), Service(desk, ("schedule",))]
    with running([*webs, *schedulers, *(Service(desk, ("worker", "--jobs", "1")) for _ in range(2))]):
        # What the sources say is fetched, read, matched with the topic and published, and both serve it.
        for web in webs:
            wait_until(lambda web=web: is_served(f"{address(web)}/channels/ukraine-talks.atom", "<entry"))  # type: ignore[misc]
        assert sum(service.says("At work") is not None for service in schedulers) == 1
        # A brief that is published is at both within moments, and its suggestions were found meanwhile.
        _, text = demo_briefs()[0]
        (desk.folder / "brief.txt").write_text(text, encoding="utf-8")
        slug = desk.run("briefs", "import", "brief.txt", "--json").row["slug"]
        desk.run("briefs", "publish", slug)
        for web in webs:
            wait_until(lambda web=web: is_served(f"{address(web)}/channels/briefs.atom", "<entry"), within=15)  # type: ignore[misc]
        with psycopg.connect(desk.environment["WIREBRIEF_DATABASE"]) as connection:
            wait_until(lambda: connection.execute("SELECT count(*) FROM suggestion").fetchone() > (0,))  # type: ignore[operator]
        assert [service.stop() for service in (*webs, *schedulers)] == [-15] * 4
    assert [line for web in webs for line in web.complained if "Traceback" in line] == []


def test_processes_that_die_at_any_moment_lose_nothing_and_publish_the_same(
    server: OwnServer, tmp_path: Path
) -> None:
    rng = random.Random(8)
    with replayed("--hosts", "20") as wire:
        wire.set_clock(f"to={wire.start() + timedelta(hours=12):%Y-%m-%dT%H:%M:%SZ}")
        never_shown = _named(wire.truth()) - _named(wire.shows())
        desk = desk_on(tmp_path / "desk", server.make("chaos"), CHANNELS, BUSY)
        desk.run("init", "--name", "ada")
        desk.run("sources", "import", f"{wire.url}/opml")
        calm = _undisturbed(tmp_path, wire)
        workers = [Service(desk, ("worker",)), Service(desk, ("worker",))]
        schedulers = [Service(desk, ("schedule",)), Service(desk, ("schedule",))]
        webs = [serve(desk), serve(desk)]
        reader = _Reader(webs)
        with running([calm]), running([*workers, *schedulers, *webs]), reader:
            # A machine may be so slow that none is up when the first is killed.
            wait_until(lambda: any(one.says("At work") for one in schedulers) and all(map(_is_up, webs)))
            takeovers = _kill_at_random(server, wire, rng, workers, schedulers, webs)
            _wait_until_quiet(desk, partial(_rows, desk))
            stored, found = _stored(_rows(desk, STORED)), _entries(webs[0])
            _wait_until_quiet(calm.desk, calm.desk.rows)
            undisturbed, expected = _stored(calm.desk.rows(STORED)), _entries(calm)
        assert calm.ended == []
        assert max(takeovers, default=0.0) < 30
        assert reader.failures == []
        assert [name for name, n in stored.items() if n > 1] == []
        assert sorted(_named(wire.truth()) - never_shown - stored.keys()) == []
        assert stored == undisturbed
        assert sorted(found) == sorted(expected)
        assert {id: entry for id, entry in found.items() if entry != expected[id]} == {}
        _report(takeovers, reader, [*workers, *schedulers, *webs], len(found))


def _undisturbed(folder: Path, wire: Simulator) -> Service:
    """One process on SQLite that follows the same wire, and that nothing happens to."""
    port = {"WIREBRIEF_SERVE__PORT": str(free_port())}
    (folder / "calm").mkdir()
    (folder / "calm" / "config.toml").write_text(CHANNELS, encoding="utf-8")
    desk = Desk(folder / "calm", BUSY)
    desk.run("init", "--name", "ada")
    desk.run("sources", "import", f"{wire.url}/opml")
    return Service(desk, ("run",), port)


def _report(takeovers: list[float], reader: _Reader, services: list[Service], entries: int) -> None:
    """What happened, for who runs this alone (`pytest -s`)."""
    killed = Counter(service.words[0] for service in services for _ in range(service.killed))
    ended = Counter(code for service in services for code in service.ended)
    waits = ", ".join(f"{seconds:.1f}" for seconds in sorted(takeovers))
    sys.stdout.write(
        f"\nkilled {dict(killed)}; ended by themselves, by code: {dict(ended)}; "
        f"answers {dict(reader.answers)}; {entries} entries alike; seconds without a schedule: {waits or 'none'}\n"
    )


def _named(stories: Iterable[Key]) -> set[Key]:
    """Stories by feed and link, as they are stored."""
    return {(feed, canonical(link)) for feed, link in stories}


class _Reader:
    """A subscriber who asks both web processes all the time, and notes what it may not meet."""

    def __init__(self, webs: list[Service]) -> None:
        self.failures: list[str] = []
        self.answers: Counter[int] = Counter()
        self._webs = webs
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> _Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _read(self) -> None:
        etag, has_begun = "", set[float]()
        while not self._is_over.wait(0.1):
            for web in self._webs:
                try:
                    answer = get(f"{address(web)}/channels/wire.atom", {"If-None-Match": etag})
                except httpx.TransportError:
                    # It was killed, or is not up again yet.
                    continue
                self.answers[answer.status_code] += 1
                if answer.status_code == 200:
                    etag = answer.headers["etag"]
                    has_begun.add(web.began)
                elif answer.status_code != 304 and web.began in has_begun:
                    self.failures.append(f"{answer.status_code}: {answer.text[:200]}")


def _kill_at_random(
    server: OwnServer,
    wire: Simulator,
    rng: random.Random,
    workers: list[Service],
    schedulers: list[Service],
    webs: list[Service],
) -> list[float]:
    """Kill one after the other, restart the server twice; how long the schedule had nobody, each time."""
    leaderless: list[float] = []
    end = time.monotonic() + CHAOS
    restarts = [end - CHAOS * 2 / 3, end - CHAOS / 3]
    modes = ["fast", "immediate"]
    while time.monotonic() < end:
        time.sleep(rng.uniform(1, 4))
        wire.set_clock(f"advance={rng.uniform(20, 120):.0f}")
        if restarts and time.monotonic() > restarts[0]:
            restarts.pop(0)
            server.restart(modes.pop(0))
            continue
        victim = rng.choice([*workers, *schedulers, *webs])
        victim.kill()
        at = time.monotonic()
        time.sleep(rng.uniform(0.2, 1.5))
        victim.start()
        if victim in schedulers and _led(victim, schedulers, at):
            wait_until(lambda at=at: any(one.says("At work", since=at) for one in schedulers))  # type: ignore[misc]
            again = min(said for one in schedulers if (said := one.says("At work", since=at)))
            leaderless.append(again - at)
    return leaderless


def _led(victim: Service, schedulers: list[Service], at: float) -> bool:
    """Whether it was the one that scheduled, by what all of them said before."""
    said = [(when, one) for one in schedulers for when, line in one.said if "At work" in line and when < at]
    return bool(said) and max(said, key=lambda pair: pair[0])[1] is victim


def _rows(desk: Desk, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(desk.environment["WIREBRIEF_DATABASE"]) as connection:
        return connection.execute(query.encode()).fetchall()


#: What stands in the way of a desk's having done all that there was to do.
UNDONE = {
    "a source was not asked since": "SELECT count(*) FROM source WHERE last_fetch < '{since}'",
    "a story is not searchable": """SELECT count(*) FROM version, progress
        WHERE progress.name = 'search' AND version.id > progress.upto""",
    "a story is in no cluster": """SELECT count(*) FROM version, progress
        WHERE progress.name = 'clusters' AND version.id > progress.upto""",
    "a story's anchors are not read": """SELECT count(*) FROM version, progress
        WHERE progress.name = 'anchors' AND version.id > progress.upto""",
    "a topic has not decided": """SELECT count(*) FROM topic
        WHERE upto < (SELECT max(id) FROM version)""",
}
STUCK = """SELECT count(*) FROM wirebrief_queue.procrastinate_jobs job
    LEFT JOIN wirebrief_queue.procrastinate_workers worker ON worker.id = job.worker_id
    WHERE job.status = 'doing'
    AND (worker.id IS NULL OR worker.last_heartbeat < now() - interval '8 seconds')"""

STORED = "SELECT source.url, story.url FROM story JOIN source ON source.id = story.source_id"

Rows = Callable[[str], list[tuple[Any, ...]]]


def _wait_until_quiet(desk: Desk, rows: Rows) -> None:
    """Wait until all that the wire shows now was asked for, and all that follows was done."""
    # In UTC, as SQLite has it, and PostgreSQL where it is said.
    since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
    is_many = "WIREBRIEF_DATABASE" in desk.environment
    queries = UNDONE | ({"a job is stuck": STUCK} if is_many else {})
    undone: dict[str, int] = {}

    def is_quiet() -> bool:
        undone.clear()
        for what, query in queries.items():
            ((count,),) = rows(query.format(since=f"{since}+00" if is_many else since))
            if count:
                undone[what] = count
        return not undone

    try:
        wait_until(is_quiet, within=240)
        wait_until(lambda: _is_rendered(desk), within=60)
    except AssertionError:
        pytest.fail(f"Left undone: {undone}")


def _is_rendered(desk: Desk) -> bool:
    """Whether the channels have what came: rendering them again changes nothing."""
    return not any(row["new"] for row in desk.run("publish", "--json").rows)


def _stored(rows: list[tuple[Any, ...]]) -> Counter[Key]:
    """How often each story is stored, by feed and link."""
    return Counter((feed, canonical(link)) for feed, link in rows)


def _entries(web: Service) -> dict[str, bytes]:
    """The entries of the channel as they are served, by their ids, each without its own `updated`.

    No two entries of a channel are updated in one second, so of two that came together each may have either
    second; and so may the places of two neighbours.
    """
    path = f"{address(web)}/channels/wire.atom"
    wait_until(lambda: is_served(path, "<entry"))
    found = {}
    for entry in etree.fromstring(get(path).content).iterfind(f"{ATOM}entry"):
        entry.remove(entry.find(f"{ATOM}updated"))
        found[entry.findtext(f"{ATOM}id")] = etree.tostring(entry, method="c14n")
    return found
