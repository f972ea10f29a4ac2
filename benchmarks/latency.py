"""How long a story takes from the wire to a served channel, and how much of that is our own work.

    python benchmarks/latency.py                                     # ten minutes, 176 made feeds
    python benchmarks/latency.py --archive ../shared/wire/2026-01-a.jsonl.gz --minutes 10

`wirebrief run` follows the feeds, each asked once a minute; stories appear meanwhile. The channel
is asked five times a second as a subscriber asks, with its ETag. A feed that is asked once a minute is
half a minute late by itself; what we add is counted from the moment at which the answer was there.
"""

from __future__ import annotations

import argparse
import gzip
import json
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from measuring import compiled, free_port

#: Seconds: the half and nearly all of the stories, and nearly all of our own work.
P50, P95, OWN = 35.0, 70.0, 1.0
#: An archive of five days goes by so much faster than it was: some two stories a second.
SPEED = 60
ASKED_EVERY = 0.2
_WIREBRIEF = str(Path(sys.executable).with_name("wirebrief"))
_OPEN = build_opener(ProxyHandler({})).open
_SETTINGS = """
database = "sqlite:///wirebrief.db"
[fetch]
private_networks = true
per_host = 16
[fetch.cadence.news]
floor = "1m"
ceiling = "1m"
patience = "24h"
[channels.all]
title = "All stories"
entries = 200
"""

#: By link, the second at which it appeared.
Appeared = Callable[[], dict[str, float]]


def main() -> None:
    """Run for some minutes, and say how late the stories were."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        wire = _archived(asked.archive) if asked.archive else _made()
        url, appeared = stack.enter_context(wire)
        channel = stack.enter_context(_running(folder, url))
        # The first round finds all that stood there before.
        _watch(channel, seconds=90)
        began = time.time()
        seen = _watch(channel, seconds=asked.minutes * 60)
        # What appeared in the last minute and a half may be under way still.
        upto = time.time() - 90
        told = {link: at for link, at in appeared().items() if began <= at < upto}
        own = _own_work(folder / "wirebrief.db", seen, set(told))
    waits = sorted(seen[link] - at for link, at in told.items() if link in seen)
    if len(waits) < 100:
        raise SystemExit(f"only {len(waits)} of {len(told)} stories came: nothing can be said")
    p50, p95, ours = statistics.median(waits), _p95(waits), _p95(own)
    print(f"{len(waits)} of {len(told)} stories that appeared came, the last after {waits[-1]:.1f} s")
    print(
        f"from the wire to the channel: p50 {p50:.1f} s (wanted < {P50:.0f}), p95 {p95:.1f} s (wanted < {P95:.0f})"
    )
    print(
        f"our own work: p50 {statistics.median(own):.2f} s, p95 {ours:.2f} s (wanted < {OWN:.0f}), most {own[-1]:.2f} s"
    )
    if len(waits) < len(told) or p50 >= P50 or p95 >= P95 or ours >= OWN:
        raise SystemExit("not reached")


def _p95(waits: list[float]) -> float:
    return waits[int(len(waits) * 0.95)]


def _watch(url: str, seconds: float) -> dict[str, float]:
    """Ask as a subscriber does; the second at which each link was first seen."""
    seen: dict[str, float] = {}
    etag, until = "", time.time() + seconds
    while time.time() < until:
        request = Request(url, headers={"If-None-Match": etag} if etag else {})  # noqa: S310 - ours, on loopback
        try:
            with _OPEN(request, timeout=20) as answer:
                body, etag = json.load(answer), answer.headers["ETag"]
            now = time.time()
            for item in body["items"]:
                seen.setdefault(item["url"], now)
        except HTTPError as error:
            if error.code not in (304, 503):
                raise
        time.sleep(ASKED_EVERY)
    return seen


def _own_work(database: Path, seen: dict[str, float], links: set[str]) -> list[float]:
    """Of each story the seconds from the answer that held it to the subscriber who saw it."""
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT url, first_seen FROM story WHERE url IS NOT NULL").fetchall()
    came = {url: datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() for url, at in rows}
    return sorted(seen[link] - came[link] for link in links if link in seen and link in came)


@contextmanager
def _running(folder: Path, wire: str) -> Iterator[str]:
    """`wirebrief run` on these feeds; gives the address of its channel as JSON Feed."""
    (folder / "config.toml").write_text(_SETTINGS)
    port = free_port()
    with _OPEN(f"{wire}/opml") as answer:
        (folder / "feeds.opml").write_bytes(answer.read())
    subprocess.run(
        [_WIREBRIEF, "sources", "import", "feeds.opml"], cwd=folder, check=True, capture_output=True
    )
    environment = {**compiled(), "WIREBRIEF_SERVE__PORT": str(port)}
    with _started([_WIREBRIEF, "run"], cwd=folder, environment=environment):
        channel = f"http://127.0.0.1:{port}/channels/all.json"
        _wait_for(channel)
        yield channel


@contextmanager
def _made() -> Iterator[tuple[str, Appeared]]:
    port = free_port()
    script = str(Path(__file__).with_name("wire.py"))
    with _started([sys.executable, script, "--port", str(port), "--every", "0.5"]):
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/opml")

        def appeared() -> dict[str, float]:
            with _OPEN(f"{url}/appeared") as answer:
                return dict(json.loads(line) for line in answer)

        yield url, appeared


@contextmanager
def _archived(archive: Path) -> Iterator[tuple[str, Appeared]]:
    port = free_port()
    script = archive.resolve().parents[1] / "tools" / "wiresim.py"
    words = [sys.executable, str(script), str(archive), "--port", str(port), "--speed", str(SPEED)]
    with _started(words):
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/clock")
        with _OPEN(f"{url}/clock") as answer:
            start = datetime.fromisoformat(json.load(answer)["start"]) + timedelta(days=1)
        there, began = f"{url}/clock?to={start:%Y-%m-%dT%H:%M:%S}Z", time.time()
        with _OPEN(Request(there, method="POST")):  # noqa: S310 - ours, on loopback
            pass
        yield url, lambda: dict(_appearances(archive, start, began))


def _appearances(archive: Path, start: datetime, began: float) -> Iterator[tuple[str, float]]:
    with gzip.open(archive, "rt", encoding="utf-8") as lines:
        for line in lines:
            story = json.loads(line)
            after = datetime.fromisoformat(story["seen"]) - start
            if after > timedelta():
                yield story["link"], began + after.total_seconds() / SPEED


@contextmanager
def _started(
    words: list[str], cwd: Path | None = None, environment: dict[str, str] | None = None
) -> Iterator[None]:
    with subprocess.Popen(
        words, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(url: str) -> None:
    for _ in range(300):
        try:
            with _OPEN(url, timeout=5):
                return
        except HTTPError:
            # It answers, though not yet with what it will.
            return
        except (URLError, ConnectionError):
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


if __name__ == "__main__":
    main()
