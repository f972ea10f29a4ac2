"""A channel's document as subscribers ask for it: requests a second, against nginx with the same bytes as files.

    python benchmarks/serving.py                # needs nginx and wrk: both are packages of most systems

Each server has one core, wrk another; they take turns in short rounds, so what else the machine
does weighs on both. nginx serves the files that `wirebrief publish --out` writes, from memory; it counts as 1.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from archive import fill
from measuring import ROUNDS, compiled, free_port, plot_shares
from sqlalchemy import update

from aggregator.store.database import Database
from aggregator.store.tables import SOURCE

STORIES, OUTLETS = 3_000, 60
SECONDS, CONNECTIONS = 2, 32
_WIREBRIEF = str(Path(sys.executable).with_name("wirebrief"))
#: What the issue of speed promised: shares of nginx.
REACH = {"304": 0.30, "200 gzip": 0.60}

_SETTINGS = """
database = "sqlite:///wirebrief.db"
[channels.all]
title = "All stories"
entries = 100
"""
_NGINX = """
worker_processes 1;
daemon off;
error_log stderr crit;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    types {{ application/atom+xml atom; }}
    open_file_cache max=100;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/out;
        gzip_static on;
    }}
}}
"""
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_BAD = re.compile(r"Non-2xx or 3xx responses: (\d+)")


def main() -> None:
    """Measure both servers in turns, and say which share of nginx ours reaches."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    missing = [name for name in ("nginx", "wrk") if shutil.which(name, path=_path()) is None]
    if missing:
        raise SystemExit(f"{' and '.join(missing)} must be installed: what is measured against needs it")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        database = Database(f"sqlite:///{folder}/wirebrief.db")
        fill(database, STORIES, OUTLETS, say=lambda _: None)
        # Whole texts: the document is as large as that of a usual feed.
        database.write_now(lambda session: session.execute(update(SOURCE).values(reuse="full")))
        (folder / "config.toml").write_text(_SETTINGS)
        _run(folder, "publish", "--out", "out/channels")
        ours = stack.enter_context(_ours(folder))
        theirs = stack.enter_context(_nginx(folder))
        shares = _compare({"nginx": theirs, "wirebrief": ours}, asked.rounds)
    print(f"wirebrief at most {_children_megabytes():.0f} MB, the loader's tools included")
    plot_shares("serving", "A channel's document, as a share of nginx on the same core", shares, REACH)
    missed = [what for what, least in REACH.items() if statistics.median(shares[what]) < least]
    if missed:
        raise SystemExit(f"not reached: {', '.join(missed)}")


def _compare(servers: dict[str, str], rounds: int) -> dict[str, list[float]]:
    shares: dict[str, list[float]] = {}
    for what, headers in _kinds(servers["wirebrief"], servers["nginx"]).items():
        rates: dict[str, list[float]] = {name: [] for name in servers}
        for _ in range(rounds):
            for name, url in servers.items():
                rates[name].append(_rate(url, headers[name]))
        shares[what] = [a / b for a, b in zip(rates["wirebrief"], rates["nginx"], strict=True)]
        told = ", ".join(f"{name} {statistics.median(found):,.0f}/s" for name, found in rates.items())
        print(
            f"{what:<10} {told}: share {statistics.median(shares[what]):.2f} "
            f"({min(shares[what]):.2f} to {max(shares[what]):.2f})",
            flush=True,
        )
    return shares


def _kinds(ours: str, theirs: str) -> dict[str, dict[str, dict[str, str]]]:
    """The requests to be measured, each with the headers for either server."""
    packed = {"Accept-Encoding": "gzip"}
    tags = {
        "wirebrief": {**packed, "If-None-Match": _tag(ours)},
        "nginx": {**packed, "If-None-Match": _tag(theirs)},
    }
    return {
        "304": tags,
        "200 gzip": {"wirebrief": packed, "nginx": packed},
        "200 plain": {"wirebrief": {}, "nginx": {}},
    }


def _tag(url: str) -> str:
    with urlopen(Request(url, headers={"Accept-Encoding": "gzip"})) as answer:  # noqa: S310 - ours, on loopback
        print(f"{url}: {len(answer.read()):,} bytes packed")
        return str(answer.headers["ETag"])


def _rate(url: str, headers: dict[str, str]) -> float:
    words = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    told = subprocess.run(
        [*_on_core(1), shutil.which("wrk") or "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *words, url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if bad := _BAD.search(told):
        raise SystemExit(f"{url} failed {bad[1]} times")
    found = _RATE.search(told)
    if found is None:
        raise SystemExit(f"wrk said nothing of {url}: {told}")
    return float(found[1])


@contextmanager
def _ours(folder: Path) -> Iterator[str]:
    port = free_port()
    environment = {**compiled(), "WIREBRIEF_SERVE__PORT": str(port)}
    with _started([*_on_core(0), _WIREBRIEF, "serve"], folder, port, environment):
        yield f"http://127.0.0.1:{port}/channels/all.atom"


@contextmanager
def _nginx(folder: Path) -> Iterator[str]:
    port = free_port()
    conf = folder / "nginx.conf"
    conf.write_text(_NGINX.format(folder=folder, port=port))
    # Its worker runs as nobody, who must get at the files.
    folder.chmod(0o755)
    nginx = shutil.which("nginx", path=_path()) or "nginx"
    with _started([*_on_core(0), nginx, "-c", str(conf), "-e", "stderr"], folder, port):
        yield f"http://127.0.0.1:{port}/channels/all.atom"


@contextmanager
def _started(
    words: list[str], folder: Path, port: int, environment: dict[str, str] | None = None
) -> Iterator[None]:
    with subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(port, process)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit(f"{process.args} ended at once with {process.returncode}")
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"{process.args} does not listen")


def _run(folder: Path, *words: str) -> None:
    done = subprocess.run([_WIREBRIEF, *words], cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"wirebrief {' '.join(words)} failed: {done.stderr}")


def _on_core(core: int) -> list[str]:
    return [shutil.which("taskset") or "taskset", "-c", str(core)]


def _path() -> str:
    """Where programs are looked for: nginx stands among those of the system."""
    return os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"


def _children_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    main()
