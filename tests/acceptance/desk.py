"""A desk for the tests: a folder with settings, and the real command run in it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: As installed beside the interpreter that runs the tests.
COMMAND = Path(sys.executable).with_name("wirebrief")

#: Seconds after which a command that should have ended is a failure. A busy machine is slow.
PATIENCE = 60.0

SETTINGS = """
[topics.ukraine-talks]
title = "Ukraine talks"
any = [
  "riyadh", "riyad", "riad", "ер-рияд*", "эр-рияд*", "الرياض", "zelensky*", "zelenskyy*", "selenskyj",
  "зеленськ*", "зеленск*", "kellogg*", "tchernobyl*", "чорнобил*",
]

[channels.ukraine-talks]
title = "Ukraine talks: briefs and wire"
topics = ["ukraine-talks"]

[channels.briefs]
title = "All briefs"
carries = ["briefs"]
"""

# Ctrl-C is ignored in what a shell runs in the background, and a child inherits that; and a limit
# on the length of files stands in for a full disk. Then the command takes this process's place.
PREPARE = """
import os, resource, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
if sys.argv[1] != "0":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[Any]:
        """Standard output as JSON, one value a line: nothing else may stand there."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def row(self) -> Any:
        """The one value on standard output."""
        (value,) = self.rows
        return value


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder in which commands are run."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The database."""
        return self.folder / "wirebrief.db"

    def run(
        self,
        *words: object,
        code: int = 0,
        most_bytes: int = 0,
        environment: dict[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> Done:
        """Run a command to its end; no file may grow beyond `most_bytes` then, if given."""
        with self._start(words, most_bytes, environment or {}) as process:
            out, err = process.communicate(timeout=patience)
        done = Done(process.returncode, out, err)
        assert done.code == code, (words, done)
        return done

    @contextlib.contextmanager
    def started(self, *words: object, environment: dict[str, str] | None = None) -> Iterator[Process]:
        """Run a command beside the test; it is ended at the latest when the test is."""
        with self._start(words, 0, environment or {}) as process:
            yield Process(process)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What stands in the database now, read from outside; nothing where there is none yet."""
        with contextlib.closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as connection:
            return list(connection.execute(query))

    def count(self, table: str) -> int:
        """Rows of a table."""
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 - tests name the tables

    @contextlib.contextmanager
    def _start(
        self, words: Sequence[object], most_bytes: int, environment: dict[str, str]
    ) -> Iterator[subprocess.Popen[str]]:
        with self.popen(*words, most_bytes=most_bytes, environment=environment) as process:
            try:
                yield process
            finally:
                process.kill()

    def popen(
        self, *words: object, most_bytes: int = 0, environment: dict[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Begin a command, which whoever asks for it ends."""
        # The product is the command; the words and the settings are the test's.
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", PREPARE, str(most_bytes), COMMAND, *map(str, words)],
            cwd=self.folder,
            env=_outside() | {"COLUMNS": "200"} | self.environment | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )


@dataclass(slots=True)
class Process:
    """A command that runs beside the test."""

    process: subprocess.Popen[str]
    #: Everything that it has said on standard output until now.
    heard: bytes = b""

    def says(self, words: str, *, within: float = PATIENCE) -> str:
        """Wait until a line of standard output holds these words; that line."""
        assert self.process.stdout is not None
        until_then = time.monotonic() + within
        descriptor = self.process.stdout.fileno()
        while not (lines := [line for line in self._lines() if words in line]):
            left = until_then - time.monotonic()
            assert left > 0, f"{words!r} was never said, but: {self._lines()}"
            readable, _, _ = select.select([descriptor], [], [], left)
            heard = os.read(descriptor, 65536) if readable else b""
            assert heard or not readable, f"It ended: {self._lines()}, {self.process.communicate()}"
            self.heard += heard
        return lines[0]

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> Done:
        """Send a signal, and wait until the command has ended."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        return Done(self.process.returncode, self.heard.decode() + out, err)

    def _lines(self) -> list[str]:
        whole, _, _ = self.heard.rpartition(b"\n")
        return whole.decode().split("\n")


def wait_until(condition: Callable[[], object], *, within: float = PATIENCE) -> None:
    """Look again and again until `condition` holds."""
    until_then = time.monotonic() + within
    while not condition():
        assert time.monotonic() < until_then, "what was waited for never came"
        time.sleep(0.02)


def free_port() -> int:
    """A port of loopback on which nobody listens."""
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _outside() -> dict[str, str]:
    """The environment, without settings and proxies of whoever runs the tests."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("WIREBRIEF_") and not name.lower().endswith("_proxy")
    }
