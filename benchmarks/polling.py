"""Whole polls of thousands of feeds, all new and all unchanged, against Python's `reader`.

    python benchmarks/polling.py ../shared/wire/2026-01-a.jsonl.gz         # the simulator beside the archive
    python benchmarks/polling.py ARCHIVE --simulator wiresim.py --copies 20 --rounds 5 --new-rounds 1

Both follow the feeds that the simulator names, on 200 hosts and then all on one, each in a database
of its own. A poll is a process from its start to its end, measured by its CPU seconds, user and
system (`getrusage`), and by the most memory that it had; the rounds of all take turns. `reader` is
asked with 1, 10 and 20 workers and counts with the number that is best for it. For new feeds its
search index is filled, too (`update_search`), as `wirebrief poll` fills its own.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from measuring import Comparison, Measure, compiled, finish, free_port

READER = str(Path(__file__).with_name("polling_reader.py"))
WORKERS = (1, 10, 20)
#: How many times less the processor is to be busy than with `reader`.
REACH_UNCHANGED, REACH_NEW, REACH_NEW_NO_INDEX = 5.0, 5.0, 9.0


@dataclass(slots=True)
class Taken:
    """What the polls of one kind took."""

    seconds: list[float] = field(default_factory=list)
    megabytes: float = 0.0

    def run(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        """Run a process to its end and add what it took.

        Raises:
            RuntimeError: it failed.
        """
        child = subprocess.Popen(words, env={**compiled(), **environment}, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise RuntimeError(f"{' '.join(words)} ended with {child.returncode}")
        self.seconds.append(used.ru_utime + used.ru_stime)
        self.megabytes = max(self.megabytes, used.ru_maxrss / 1024)

    def measure(self, name: str) -> Measure:
        """The same under a name."""
        return Measure(name, tuple(self.seconds), self.megabytes)


def main() -> None:
    """Measure both, and say how they compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("archive", type=Path)
    parser.add_argument("--simulator", type=Path)
    parser.add_argument("--copies", type=int, default=20, help="feeds for each of the archive's")
    parser.add_argument("--rounds", type=int, default=5, help="unchanged rounds")
    parser.add_argument(
        "--new-rounds", type=int, default=1, help="rounds of feeds that are all new, 0 for none"
    )
    parser.add_argument("--hosts", type=int, nargs="*", default=[200, 1])
    parser.add_argument("--start", action="store_true", help="the feeds as they began: nearly empty")
    asked = parser.parse_args()
    found: list[Comparison] = []
    for hosts in asked.hosts:
        with tempfile.TemporaryDirectory() as folder, simulated(asked, hosts) as url:
            found += compared(Path(folder), url, hosts, asked)
    finish("polling", "Polling, CPU seconds of whole polls", found)


@contextmanager
def simulated(asked: argparse.Namespace, hosts: int) -> Iterator[str]:
    """The simulator on a port of its own."""
    script = asked.simulator or asked.archive.resolve().parents[1] / "tools" / "wiresim.py"
    port = free_port()
    words = [sys.executable, str(script), str(asked.archive), "--port", str(port)]
    words += ["--copies", str(asked.copies), *(["--hosts", str(hosts)] if hosts > 1 else [])]
    words += ["--start"] if asked.start else []
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as simulator:
        try:
            assert simulator.stderr is not None  # noqa: S101 - it was asked for
            print(f"{hosts} hosts: {simulator.stderr.readline().strip()}", flush=True)
            yield f"http://127.0.0.1:{port}"
        finally:
            simulator.kill()


def compared(folder: Path, url: str, hosts: int, asked: argparse.Namespace) -> list[Comparison]:
    """The comparisons of feeds on so many hosts."""
    opml, urls = folder / "feeds.opml", folder / "urls.txt"
    for path in (opml, urls):
        where = {opml: "/opml", urls: "/urls"}[path]
        with urllib.request.urlopen(url + where) as answer:  # noqa: S310 - the simulator's own address
            path.write_bytes(answer.read())
    count = len(urls.read_text().split())
    ours = Ours(folder / "wirebrief.db", is_one_host=hosts == 1)
    ours.follow(opml)
    peers = {number: Peer(folder / f"reader-{number}.db", number) for number in WORKERS}
    peers[WORKERS[0]].follow(urls)
    for peer in peers.values():
        if peer.path != peers[WORKERS[0]].path:
            shutil.copy(peers[WORKERS[0]].path, peer.path)
    new = polled_new(ours, list(peers.values()), asked.new_rounds)
    for number in range(asked.rounds):
        print(f"  unchanged round {number + 1} of {asked.rounds}", flush=True)
        for peer in peers.values():
            peer.poll()
        ours.poll()
    where = f"{count} feeds on {hosts} hosts" if hosts > 1 else f"{count} feeds on one host"
    measures = sorted((peer.unchanged for peer in peers.values()), key=lambda one: one.median)
    unchanged = Comparison(
        f"{where}, unchanged", (*measures, ours.taken.measure("wirebrief")), REACH_UNCHANGED
    )
    return [*(Comparison(f"{where}, {what}", measures, reach) for what, measures, reach in new), unchanged]


class Ours:
    """`wirebrief` in a database of its own."""

    def __init__(self, path: Path, *, is_one_host: bool) -> None:
        self.path = path
        self.taken = Taken()
        self.environment = {
            "WIREBRIEF_DATABASE": f"sqlite:///{path}",
            "WIREBRIEF_FETCH__PRIVATE_NETWORKS": "true",
        }
        if is_one_host:
            self.environment["WIREBRIEF_FETCH__PER_HOST"] = "64"

    def command(self, *words: str) -> list[str]:
        """The command line, without the settings of the folder that it is started from."""
        program = shutil.which("wirebrief", path=str(Path(sys.executable).parent)) or "wirebrief"
        return [program, "--config", os.devnull, *words]

    def follow(self, opml: Path) -> None:
        """Follow the feeds of a list."""
        Taken().run(self.command("sources", "import", str(opml)), self.environment)

    def poll(self) -> None:
        """One round."""
        self.taken.run(self.command("poll", "--store-only", "--json"), self.environment)


class Peer:
    """`reader` in a database of its own, with so many workers."""

    def __init__(self, path: Path, workers: int) -> None:
        self.path = path
        self.workers = workers
        self.taken = Taken()

    @property
    def unchanged(self) -> Measure:
        """What its rounds took."""
        return self.taken.measure(f"reader, {self.workers} workers")

    def follow(self, urls: Path) -> None:
        """Follow these feeds."""
        Taken().run([sys.executable, READER, str(self.path), "follow", str(urls)], {})

    def poll(self, step: str = "poll") -> None:
        """One round."""
        self.taken.run([sys.executable, READER, str(self.path), step, str(self.workers)], {})


def polled_new(
    ours: Ours, peers: Sequence[Peer], rounds: int
) -> list[tuple[str, tuple[Measure, ...], float]]:
    """All feeds new, with and without the index of the peers; each round begins with what follows only."""
    if not rounds:
        for one in (ours, *peers):
            one.poll()
            one.taken = Taken()
        return []
    found = {}
    for step in ("poll", "poll-and-index"):
        for peer in peers:
            found[step, peer.workers] = _from_scratch(peer, peer.path, rounds, step)
    taken = _from_scratch(ours, ours.path, rounds)
    measure = taken.measure("wirebrief, index included")

    def of(step: str) -> tuple[Measure, ...]:
        each = [found[step, peer.workers].measure(f"reader, {peer.workers} workers") for peer in peers]
        return (*sorted(each, key=lambda one: one.median), measure)

    return [
        ("all new", of("poll-and-index"), REACH_NEW),
        ("all new, reader without its index", of("poll"), REACH_NEW_NO_INDEX),
    ]


def _from_scratch(one: Ours | Peer, path: Path, rounds: int, *step: str) -> Taken:
    empty = path.with_suffix(".empty")
    if not empty.exists():
        shutil.copy(path, empty)
    for number in range(rounds):
        print(f"  all new: {path.stem} {' '.join(step)}, round {number + 1} of {rounds}", flush=True)
        for beside in path.parent.glob(f"{path.name}*"):
            beside.unlink()
        shutil.copy(empty, path)
        one.poll(*step)
    taken, one.taken = one.taken, Taken()
    return taken


if __name__ == "__main__":
    main()
