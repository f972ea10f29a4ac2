"""What befalls a machine while the service runs: it says so, loses nothing, and goes on by itself.

Limits of the running process stand in for a machine that has come to its end. What needs a file system of
its own is skipped where nobody may mount one.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.conftest import LOOPBACK, settings_for
from tests.acceptance.desk import COMMAND, Desk, Process, free_port, wait_until
from tests.acceptance.test_killed import half_written
from tests.acceptance.wires import NewsWire, news_wire

#: Sources are asked every two seconds, so that what goes on again is seen soon.
EAGER = LOOPBACK | {
    "WIREBRIEF_FETCH__CADENCE__NEWS__FLOOR": "2s",
    "WIREBRIEF_FETCH__CADENCE__NEWS__CEILING": "2s",
    # A name of no account: nothing here signs in.
    "LOGNAME": "ada",
}


class Service:
    """`wirebrief run` on a desk, while a test makes its life hard."""

    def __init__(self, desk: Desk, running: Process, port: int, wire: NewsWire) -> None:
        self.desk = desk
        self.running = running
        self.wire = wire
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10)

    @property
    def pid(self) -> int:
        return self.running.process.pid

    def status(self, path: str) -> int:
        """What a page answers, over a connection that stays open."""
        return self.client.get(path).status_code

    def asks_again(self) -> None:
        """Wait until every source was asked once more, and answered, and that is recorded."""
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 1))
        query = f"SELECT count(*) FROM source WHERE last_success IS NULL OR last_success < '{since}'"  # noqa: S608
        wait_until(lambda: self.desk.rows(query) == [(0,)])

    def limit(self, what: int, most: int) -> None:
        """Give the process a limit, which it can be freed of again."""
        _, hard = resource.prlimit(self.pid, what)
        resource.prlimit(self.pid, what, (most if most >= 0 else hard, hard))

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def wire() -> Iterator[NewsWire]:
    """A wire of the test's own."""
    with news_wire() as opened:
        yield opened


@contextlib.contextmanager
def service(
    desk: Desk, wire: NewsWire, *before: str, environment: dict[str, str] | None = None
) -> Iterator[Service]:
    """A service that has polled its six feeds once."""
    port = free_port()
    own = EAGER | {"WIREBRIEF_SERVE__PORT": str(port)} | (environment or {})
    follow(desk, wire.feeds[:6])
    with desk.started(*before, "run", environment=own) as running:
        made = Service(desk, running, port, wire)
        with made.client:
            running.says("The editors' desk")
            wait_until(
                lambda: desk.rows("SELECT count(*) FROM source WHERE last_success IS NOT NULL") == [(6,)]
            )
            wait_until(lambda: made.status("/channels/ukraine-talks.atom") == 200)
            yield made


def follow(desk: Desk, feeds: list[str]) -> None:
    (desk.folder / "config.toml").write_text(settings_for(feeds), encoding="utf-8")


def ended(running: Process, number: signal.Signals = signal.SIGTERM, *, within: float = 10) -> str:
    """End a process, which may take so long; what it said on standard error."""
    began = time.monotonic()
    done = running.interrupt(number)
    assert time.monotonic() - began < within
    assert done.code == {signal.SIGTERM: -signal.SIGTERM, signal.SIGINT: 130}[number], done.err
    assert "Traceback" not in done.err, done.err
    assert "Stopped. What was done until now is kept." in done.err
    return done.err


def claimed(desk: Desk) -> int:
    return int(desk.rows("SELECT count(*) FROM source WHERE claimed_until IS NOT NULL")[0][0])


# The disk


def test_a_disk_that_fills_up_is_told_once_and_work_goes_on_when_there_is_room(
    desk: Desk, wire: NewsWire
) -> None:
    with service(desk, wire) as running:
        stories = desk.count("story")
        running.limit(resource.RLIMIT_FSIZE, 65_536)
        asked = len(wire.answers)
        time.sleep(3)
        # Readers notice nothing.
        assert [running.status(path) for path in ("/", "/channels/ukraine-talks.atom", "/ready")] == [200] * 3
        assert len(wire.answers) - asked <= 12, "it goes on asking though nothing can be kept"
        running.limit(resource.RLIMIT_FSIZE, -1)
        running.asks_again()
        said = ended(running.running)
    assert "is full or failing" in said
    assert "Make room" in said
    assert "job works again" in said
    assert said.count("job failed") <= 6
    assert desk.count("story") >= stories
    assert claimed(desk) == 0
    assert half_written(desk) == {}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=12m", "wirebrief-test", str(folder)]
    # A program of the machine, and a folder of the test's own.
    if mount is None or subprocess.run([mount, *options], check=False, capture_output=True).returncode:  # noqa: S603
        pytest.skip("Nobody may mount a file system here.")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603, S607 - the same


def test_a_full_and_then_a_read_only_disk_stop_a_command_with_advice_and_lose_nothing(
    small_disk: Path, prepared_file: Path, wire: NewsWire
) -> None:
    shutil.copyfile(prepared_file, small_disk / "wirebrief.db")
    desk = Desk(small_disk, LOOPBACK)
    follow(desk, wire.feeds)
    first = desk.run("poll", "1", "--json").row["new"]

    filler = small_disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - 40_960))
    said = desk.run("poll", code=1).err
    assert "is full or failing" in said
    assert "all that was stored before is safe. Make room" in said
    filler.unlink()
    assert desk.count("story") == first
    assert desk.run("poll", "--json").row["failed"] == {}
    stories = desk.count("story")
    assert stories > first

    # What an operating system does with a disk that it does not trust any more.
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)  # noqa: S603, S607 - as above
    for words in (["poll"], ["run"]):
        refused = desk.run(*words, code=1)
        assert refused.err.startswith("wirebrief: sqlite:///wirebrief.db cannot be opened for writing"), (
            refused
        )
        assert refused.err.count("\n") == 1
    assert len(desk.run("stories", "--limit", "0", "--json").rows) == stories
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)  # noqa: S603, S607 - as above
    assert desk.run("poll", "--json").row["failed"] == {}
    assert desk.count("story") == stories
    assert half_written(desk) == {}


# Another program


def test_a_database_that_another_program_locks_is_read_on_and_written_later(
    desk: Desk, wire: NewsWire
) -> None:
    patient = ("--database", "sqlite:///wirebrief.db?timeout=1")
    with service(desk, wire, *patient) as running:
        with contextlib.closing(sqlite3.connect(desk.file, isolation_level=None)) as other:
            # Writers of our own hold it for milliseconds.
            other.execute("PRAGMA busy_timeout = 5000")
            other.execute("BEGIN EXCLUSIVE")
            time.sleep(4)
            assert [running.status(path) for path in ("/", "/ready", "/channels/ukraine-talks.atom")] == [
                200
            ] * 3
            other.execute("ROLLBACK")
        running.asks_again()
        said = ended(running.running)
    assert "was locked by another program for 1 seconds. End that program" in said
    assert claimed(desk) == 0
    assert half_written(desk) == {}


# Handles


def test_out_of_handles_no_source_is_charged_nothing_spins_and_it_recovers(
    desk: Desk, wire: NewsWire
) -> None:
    # Another host, so that a connection must be opened; nobody asked it before.
    others = [url.replace("127.0.0.1", "localhost") for url in wire.feeds[6:9]]
    with service(desk, wire) as running, contextlib.ExitStack() as crowd:
        address = (running.client.base_url.host, running.client.base_url.port)
        assert running.status("/ready") == 200
        open_now = {int(name) for name in os.listdir(f"/proc/{running.pid}/fd")}
        running.limit(resource.RLIMIT_NOFILE, max(open_now) + 14)
        # Those who come and say nothing take what is left; who comes then is turned away.
        for _ in range(max(open_now) + 30 - len(open_now)):
            with contextlib.suppress(OSError):
                crowd.enter_context(contextlib.closing(socket.create_connection(address, timeout=5)))
        for url in others:
            desk.run("sources", "add", url, "--no-check")
        time.sleep(4)
        used = running.cpu_seconds()
        for _ in range(10):
            with contextlib.suppress(httpx.TransportError):
                httpx.get(running.client.base_url, trust_env=False, timeout=5)
            time.sleep(0.1)
        assert running.cpu_seconds() - used < 2, "it runs in circles"
        assert desk.rows("SELECT url, why FROM source WHERE failures > 0") == []
        crowd.close()
        wait_until(lambda: is_answered(f"{running.client.base_url}/ready"))
        with contextlib.closing(sqlite3.connect(desk.file, timeout=10)) as connection, connection:
            # What could not be asked waits a minute, which nobody waits for here.
            connection.execute("UPDATE source SET next_due = added_at")
        running.asks_again()
        running.limit(resource.RLIMIT_NOFILE, 16)
        ended(running.running)
    assert half_written(desk) == {}


def is_answered(url: str) -> bool:
    """Whether a connection of its own is answered."""
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url, trust_env=False, timeout=5).status_code == 200
    return False


# Signals


def test_sigterm_in_the_middle_of_everything_ends_it_at_once_and_whole(desk: Desk, wire: NewsWire) -> None:
    with service(desk, wire) as running:
        slow = [f"{wire.url}/slow/{n}" for n in range(3)]
        for url in [*slow, *wire.feeds[6:]]:
            desk.run("sources", "add", url, "--no-check")
        wait_until(lambda: len(wire.waiting) == 3)
        with running.client.stream("GET", "/events") as events:
            assert events.status_code == 200
            ended(running.running)
    assert claimed(desk) == 0
    assert half_written(desk) == {}
    wire.release.set()
    again = desk.run("poll", "--json").row
    assert again["failed"] == {}
    assert {url for (url,) in desk.rows("SELECT url FROM story")} >= {
        f"{wire.url}/late/{n}" for n in range(3)
    }


@pytest.mark.parametrize("words", [["run"], ["poll"]], ids=str)
def test_ctrl_c_twice_ends_it_without_a_traceback_and_whole(
    desk: Desk, wire: NewsWire, words: list[str]
) -> None:
    follow(desk, [*wire.feeds, f"{wire.url}/slow/one"])
    own = EAGER | {"WIREBRIEF_SERVE__PORT": str(free_port()), "WIREBRIEF_FETCH__LEASE": "1s"}
    with desk.started(*words, environment=own) as running:
        wait_until(lambda: wire.waiting and desk.count("story"))
        running.process.send_signal(signal.SIGINT)
        time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):
            running.process.send_signal(signal.SIGINT)
        out, err = running.process.communicate(timeout=15)
    assert running.process.returncode in (130, -signal.SIGINT), (out, err)
    assert "Traceback" not in err
    assert half_written(desk) == {}
    wire.release.set()
    time.sleep(1)
    assert desk.run("poll", "--json").row["failed"] == {}


# Pipes


def test_who_reads_one_line_is_told_nothing_of_a_broken_pipe_and_a_full_output_is_named(
    desk: Desk, wire: NewsWire
) -> None:
    follow(desk, wire.feeds)
    desk.run("poll", "--store-only")
    for words in ("stories --limit 0", "stories --limit 0 --json", "sources export"):
        said = piped(desk, f"{COMMAND} {words} | head -n 1")
        assert (said.returncode, said.stderr) == (0, ""), words
        assert len(said.stdout.splitlines()) == 1
    if Path("/dev/full").exists():
        said = piped(desk, f"{COMMAND} stories --limit 0 --json > /dev/full")
        assert said.returncode == 1
        assert said.stderr == "wirebrief: The output could not be written: No space left on device.\n"


def piped(desk: Desk, words: str) -> subprocess.CompletedProcess[str]:
    # The command, its words and the shell's are the test's.
    return subprocess.run(  # noqa: S603
        ["/bin/bash", "-o", "pipefail", "-c", words],
        cwd=desk.folder,
        env=os.environ | desk.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# The clock


def test_a_clock_that_is_set_back_a_day_keeps_nobody_waiting(
    desk: Desk, wire: NewsWire, tmp_path: Path
) -> None:
    found = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
    if found is None or not sys.platform.startswith("linux"):
        pytest.skip("libfaketime is not on this machine (Debian's package faketime).")
    told = tmp_path / "clock"
    told.write_text("+0d")
    faked = {
        "LD_PRELOAD": str(found),
        "FAKETIME_TIMESTAMP_FILE": str(told),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    with service(desk, wire, environment=faked) as running:
        wait_until(lambda: desk.rows("SELECT upto FROM progress WHERE name = 'clock'"))
        told.write_text("-1d")
        asked = len(wire.answers)
        # Every source twice, and not in a day.
        wait_until(lambda: len(wire.answers) >= asked + 12)
        assert running.status("/channels/ukraine-talks.atom") == 200
        said = ended(running.running)
    assert "the clock was set back" in said
    assert half_written(desk) == {}
