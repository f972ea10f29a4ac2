"""A round under attack: the memory it takes, how long a fetch is waited for, whether the event loop stands still.

    python benchmarks/ingest.py ../shared/wire/2026-01-a.jsonl.gz                   # the simulator beside the archive
    python benchmarks/ingest.py ARCHIVE --simulator wiresim.py --faults 0.6 --seed 7

Six feeds in ten are broken or hostile. A round, six hours later three more (by then the feeds that
heal have answered), each with all that follows it: topics, search, clusters, suggestions, channels.
The rounds run in this process, with the settings as shipped but for loopback and the requests at
one host. The script fails beyond 300 MB, a second over the deadline of a fetch, or 200 ms for
which the event loop was held by one of its own callbacks.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import runpy
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from asyncio import events
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from measuring import free_port
from sqlmodel import Session, text

from aggregator.app import App, opened
from aggregator.flows.sources import import_opml
from aggregator.settings import load

MOST_MEGABYTES, MOST_STALL, MOST_OVERTIME = 300, 0.200, 1.0
SETTINGS = {"WIREBRIEF_FETCH__PRIVATE_NETWORKS": "true", "WIREBRIEF_FETCH__PER_HOST": "64"}
ROUNDS = 4
#: How often the loop is asked whether it still turns, in seconds.
BEAT = 0.02


@dataclass(slots=True)
class Watch:
    """How the event loop fared."""

    #: The longest that the loop was late for a beat, whoever kept the machine busy.
    late: float = 0.0
    #: The longest that one callback worked, by the processor's time: this is the loop's own doing.
    worked: float = 0.0
    #: What that callback was.
    what: str = ""
    #: Where the threads stood when it was late.
    stood: dict[str, float] = field(default_factory=dict)
    _beaten: float = field(default_factory=time.monotonic)

    async def beat(self) -> None:
        """Beat as long as the loop turns."""
        while True:
            self._beaten = time.monotonic()
            await asyncio.sleep(BEAT)
            self.late = max(self.late, time.monotonic() - self._beaten - BEAT)

    def look(self, done: threading.Event) -> None:
        """From beside the loop: where does each thread stand when no beat comes?"""
        while not done.wait(BEAT):
            late = time.monotonic() - self._beaten - BEAT
            if late > MOST_STALL / 2:
                for frame in sys._current_frames().values():
                    self._note(traceback.extract_stack(frame), late)

    def _note(self, stack: traceback.StackSummary, late: float) -> None:
        ours = [
            place
            for place in stack
            if "/site-packages/" not in place.filename and "/lib/" not in place.filename
        ]
        for place in ours[-1:] + stack[-1:]:
            where = f"{place.name} of {Path(place.filename).name}:{place.lineno}"
            self.stood[where] = max(self.stood.get(where, 0.0), late)

    @contextmanager
    def timed_callbacks(self) -> Iterator[None]:
        """Time every callback of the loop, by the processor."""
        run = events.Handle._run

        def timed(handle: events.Handle) -> None:
            began = time.thread_time()
            run(handle)
            took = time.thread_time() - began
            if took > self.worked:
                self.worked, self.what = took, repr(handle)[:160]

        events.Handle._run = timed  # type: ignore[method-assign]
        try:
            yield
        finally:
            events.Handle._run = run  # type: ignore[method-assign]


def main() -> None:
    """Run the rounds, and say what they took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("archive", type=Path)
    parser.add_argument("--simulator", type=Path)
    parser.add_argument("--faults", default="0.6")
    parser.add_argument("--seed", default="1")
    asked = parser.parse_args()
    script = asked.simulator or asked.archive.resolve().parents[1] / "tools" / "wiresim.py"
    port = free_port()
    words = [sys.executable, str(script), str(asked.archive), "--port", str(port)]
    with (
        subprocess.Popen(
            [*words, "--faults", asked.faults, "--seed", asked.seed], stderr=subprocess.PIPE, text=True
        ) as simulator,
        tempfile.TemporaryDirectory() as folder,
    ):
        try:
            assert simulator.stderr is not None  # noqa: S101 - it was asked for
            print(simulator.stderr.readline().strip())
            failed = asyncio.run(rounds(f"http://127.0.0.1:{port}", folder, asked, script))
        finally:
            simulator.kill()
    raise SystemExit(failed)


async def rounds(url: str, folder: str, asked: argparse.Namespace, script: Path) -> bool:
    """Poll the simulator's feeds round by round; whether a limit was passed."""
    settings = load(None, SETTINGS | {"WIREBRIEF_DATABASE": f"sqlite:///{folder}/ingest.db"})
    watch, done = Watch(), threading.Event()
    kinds = sorted(runpy.run_path(str(script))["FAULTS"])
    async with opened(settings) as app, httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as wire:
        end = datetime.fromisoformat((await wire.get("/clock")).json()["end"])
        await wire.post("/clock", params={"to": (end - timedelta(hours=6)).isoformat()})
        await import_opml(app.database, app.clock, (await wire.get("/opml")).content, by="bench")
        feeds = (line.rpartition("/")[2] for line in (await wire.get("/urls")).text.split())
        bomb = next((key for key in feeds if _is_bomb(key, kinds, asked)), None)
        if bomb:
            # The simulator packs three gigabytes once, and answers nobody else meanwhile.
            await wire.head(f"/f/{bomb}", timeout=120)
        beside = threading.Thread(target=watch.look, args=(done,))
        beating = asyncio.create_task(watch.beat())
        beside.start()
        with watch.timed_callbacks():
            for number in range(ROUNDS):
                found = await app.poll(even_waiting=True)
                print(
                    f"round {number + 1}: {found.sources} sources in {found.seconds:.1f} s, {found.new} new, "
                    f"{found.changed} changed, {_peak():.0f} MB at most, failed: {dict(found.failed)}"
                )
                await wire.post("/clock", params={"to": end.isoformat()})
        done.set()
        beside.join()
        beating.cancel()
        longest = await app.database.read(_longest_fetch)
    return _told(watch, longest, app)


def _is_bomb(key: str, kinds: list[str], asked: argparse.Namespace) -> bool:
    """Whether the simulator, which draws a feed's fault by its key, makes this one a bomb."""
    draw = random.Random(f"{asked.seed}:{key}")  # noqa: S311 - its own draw, repeated
    return draw.random() < float(asked.faults) and draw.choice(kinds) == "bomb"


def _longest_fetch(session: Session) -> float:
    return float(session.connection().execute(text("SELECT max(seconds) FROM fetch")).scalar_one())


def _peak() -> float:
    """The most memory that this process has had until now, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _told(watch: Watch, longest: float, app: App) -> bool:
    megabytes = _peak()
    deadline = app.settings.fetch.timeout.total_seconds()
    print(f"memory at most {megabytes:.0f} MB (limit {MOST_MEGABYTES})")
    print(f"longest fetch {longest:.1f} s (deadline {deadline:.0f} s)")
    print(f"event loop: late by {watch.late * 1000:.0f} ms at most, on a machine that others use too")
    print(f"event loop: one callback worked {watch.worked * 1000:.0f} ms at most: {watch.what}")
    worst: Any = sorted(watch.stood.items(), key=lambda item: -item[1])[:14]
    for where, late in worst:
        print(f"    late by {late * 1000:.0f} ms at {where}")
    return megabytes > MOST_MEGABYTES or longest > deadline + MOST_OVERTIME or watch.worked > MOST_STALL


if __name__ == "__main__":
    main()
