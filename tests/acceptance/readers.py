"""Programs and libraries that people read feeds with, made to say what they would show."""

from __future__ import annotations

import calendar
import contextlib
import json
import shutil
import sqlite3
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import fastfeedparser
import feedparser
import httpx
import reader

from feeds.dates import parse_date

#: Seconds that a program is given for one poll.
PATIENCE = 30.0
ATOM_AND_RSS = ("atom", "rss")
ALL_FORMATS = ("atom", "rss", "json")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a reader shows of an entry."""

    id: str
    title: str
    link: str
    #: The day that stands beside the title.
    published: datetime
    #: None where the reader tells only one day.
    updated: datetime | None = None
    text: str = field(default="", compare=False)


class Reader(Protocol):
    """A program that is subscribed to one channel."""

    def poll(self) -> list[Shown]:
        """Ask the channel, and give what is shown afterwards."""
        ...


class Missing(Exception):
    """A program is not on this machine; the message names it."""


class Newsboat:
    """newsboat, which keeps its entries in SQLite."""

    def __init__(self, url: str, folder: Path) -> None:
        (folder / "urls").write_text(f"{url}\n")
        (folder / "config").write_text("")
        self._cache = folder / "cache.db"
        files = ["-u", folder / "urls", "-c", self._cache, "-C", folder / "config"]
        self._command = [found("newsboat"), *map(str, files), "-x", "reload"]
        self._folder = folder

    def poll(self) -> list[Shown]:
        run(self._command, self._folder)
        with contextlib.closing(sqlite3.connect(self._cache)) as cache:
            rows = cache.execute("SELECT guid, title, url, pubDate, content FROM rss_item").fetchall()
        return [Shown(guid, title, url, at(date), text=text) for guid, title, url, date, text in rows]


class Sfeed:
    """sfeed with curl, which keeps its entries in a file of lines."""

    # Left to itself, sfeed keeps the text that it has as long as title and link stay, and lists the
    # entry twice when they change. Who wants one line an id, the newest, says so (sfeedrc(5), merge).
    _SETTINGS = """
    sfeedpath="$HOME"
    fetch() {
        curl --silent --fail --noproxy '*' --etag-save etag.new --etag-compare etag "$2" || return 1
        if [ -s etag.new ]; then cp etag.new etag; fi
    }
    merge() { sort -t "$(printf '\\t')" -u -k6,6 "$3" "$2"; }
    feeds() { feed channel "%s"; }
    """

    def __init__(self, url: str, folder: Path) -> None:
        for program in ("sfeed", "curl"):
            found(program)
        (folder / "sfeedrc").write_text(self._SETTINGS % url)
        self._command = [found("sfeed_update"), str(folder / "sfeedrc")]
        self._folder = folder

    def poll(self) -> list[Shown]:
        run(self._command, self._folder)
        lines = (self._folder / "channel").read_text("utf-8").splitlines()
        return [self._shown(line.split("\t")) for line in lines]

    def _shown(self, columns: list[str]) -> Shown:
        date, title, link, text, _, id = columns[:6]
        return Shown(id, title, link, at(date), text=text)


class PythonReader:
    """The `reader` library, which keeps its entries in SQLite."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._file = str(folder / "reader.db")
        with contextlib.closing(reader.make_reader(self._file)) as opened:
            opened.add_feed(url)

    def poll(self) -> list[Shown]:
        with contextlib.closing(reader.make_reader(self._file)) as opened:
            opened.update_feed(self._url)
            return [self._shown(entry) for entry in opened.get_entries()]

    def _shown(self, entry: reader.Entry) -> Shown:
        date = entry.published or entry.updated
        assert date is not None
        content = entry.get_content()
        text = (content.value if content else entry.summary) or ""
        return Shown(entry.id, entry.title or "", entry.link or "", date, entry.updated, text)


class Feedparser:
    """feedparser, which is told the validators that it gave last time."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._last = feedparser.FeedParserDict(entries=[])

    def poll(self) -> list[Shown]:
        heard = feedparser.parse(
            self._url,
            etag=self._last.get("etag"),
            modified=self._last.get("modified"),
            handlers=[urllib.request.ProxyHandler({})],
        )
        if heard.status != 304:
            assert not heard.bozo, heard.bozo_exception
            self._last = heard
        return [self._shown(entry) for entry in self._last.entries]

    def _shown(self, entry: feedparser.FeedParserDict) -> Shown:
        dates = {
            name: at(calendar.timegm(entry[f"{name}_parsed"]))
            for name in ("updated", "published")
            # To ask for a missing date is answered with the other one, and with a warning.
            if f"{name}_parsed" in entry.keys()  # noqa: SIM118
        }
        text = entry.content[0].value if "content" in entry else entry.summary
        published = dates.get("published") or dates["updated"]
        return Shown(entry.id, entry.title, entry.link, published, dates.get("updated"), text)


class Library:
    """A parser without a fetcher of its own, given to a client that asks conditionally."""

    def __init__(self, url: str, folder: Path, read: Callable[[Path], Iterable[Shown]]) -> None:
        self._url = url
        self._file = folder / "document"
        self._read = read
        self._etag = ""

    def poll(self) -> list[Shown]:
        answer = httpx.get(self._url, headers={"If-None-Match": self._etag}, trust_env=False)
        if answer.status_code != 304:
            self._etag = answer.raise_for_status().headers["etag"]
            self._file.write_bytes(answer.content)
        return list(self._read(self._file))


def read_fastfeedparser(file: Path) -> Iterator[Shown]:
    """What fastfeedparser finds in a document."""
    for entry in fastfeedparser.parse(file.read_bytes())["entries"]:
        content = entry.get("content")
        yield shown_of(
            {
                "id": entry["id"],
                "title": entry["title"],
                "link": entry["link"],
                "published": entry.get("published"),
                "updated": entry.get("updated"),
                "text": content[0]["value"] if content else entry.get("description"),
            }
        )


def read_with_node(file: Path, *, package: str, packages: Path) -> list[Shown]:
    """What an npm package finds in a document."""
    command = [found("node"), str(packages / "readers.mjs"), package, str(file)]
    return [shown_of(json.loads(line)) for line in run(command, packages).splitlines()]


def shown_of(row: dict[str, Any]) -> Shown:
    """A library's own words for an entry."""
    published, updated = (parse_date(row[name]) for name in ("published", "updated"))
    date = published or updated
    assert date is not None, row
    return Shown(row["id"], row["title"], row["link"], date, updated, row["text"] or "")


def install_packages(folder: Path, *packages: str) -> Path:
    """A folder in which `node` finds these npm packages.

    Raises:
        Missing: there is no node, no npm or no registry, or they do not work together.
    """
    node, npm = found("node"), found("npm")
    shutil.copy(Path(__file__).with_name("readers.mjs"), folder)
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0", "--prefix", str(folder)]
    names = [package.partition("@")[0] for package in packages]
    imports = "".join(f"await import({json.dumps(name)});" for name in names)
    try:
        subprocess.run([npm, "install", *options, *packages], check=True, timeout=20, **QUIET)  # noqa: S603
        check = [node, "--input-type=module", "--eval", imports]
        subprocess.run(check, check=True, timeout=15, cwd=folder, **QUIET)  # noqa: S603
    except (subprocess.SubprocessError, OSError) as error:
        raise Missing(f"npm could not install {' and '.join(packages)}") from error
    return folder


#: How a program of others is run: it asks nothing, and what it says is kept from the terminal.
QUIET: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True}


def found(program: str) -> str:
    """Where a program is.

    Raises:
        Missing: it is not installed.
    """
    path = shutil.which(program)
    if path is None:
        raise Missing(f"{program} is not installed")
    return path


def run(command: list[str], folder: Path) -> str:
    """Run a program with `folder` as its home; what it prints."""
    path = str(Path(command[0]).parent)
    surroundings = {
        "HOME": str(folder),
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
        "PATH": f"{path}:/usr/bin:/bin",
    }
    # What is run was found on this machine by its name.
    done = subprocess.run(  # noqa: S603
        command, timeout=PATIENCE, cwd=folder, env=surroundings, encoding="utf-8", check=False, **QUIET
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return str(done.stdout)


def at(seconds: float | str) -> datetime:
    """A Unix time as a date."""
    return datetime.fromtimestamp(int(seconds), UTC)


@dataclass(eq=False)
class Passage:
    """Stands between readers and a desk, hands everything on, and remembers the answers."""

    server: ThreadingHTTPServer
    #: Port of the desk.
    port: int
    #: (path, status) of every answer, in order.
    answers: list[tuple[str, int]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.server.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    #: Set in the class made for one server.
    passage: Passage

    def do_GET(self) -> None:
        with contextlib.closing(HTTPConnection("127.0.0.1", self.passage.port, timeout=PATIENCE)) as desk:
            desk.request("GET", self.path, headers={**self.headers, "Connection": "close"})
            answer = desk.getresponse()
            body = answer.read()
        self.passage.answers.append((self.path, answer.status))
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() != "connection":
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests read `answers`."""


@contextlib.contextmanager
def passage_to(port: int) -> Iterator[Passage]:
    """A passage to the desk at this port, until the end of the block."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    passage = handler.passage = Passage(server, port)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield passage
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


#: Makes a reader from the address of a channel and a folder of its own; the last argument gives
#: the folder of the npm packages. Raises `Missing`.
Make = Callable[[str, Path, Callable[[], Path]], Reader]


@dataclass(frozen=True, slots=True)
class Kind:
    """A reader that people use."""

    #: As people know it.
    name: str
    make: Make
    #: What it can read.
    formats: tuple[str, ...] = ALL_FORMATS
    #: Which poll of an unchanged channel, counted from one, is the first to be answered 304.
    first_304: int = 2
    #: Whether it tells when an entry was updated, and not only when it was published.
    tells_updated: bool = True

    def __str__(self) -> str:
        return self.name


def _with_node(package: str) -> Make:
    return lambda url, folder, packages: Library(
        url, folder, partial(read_with_node, package=package, packages=packages())
    )


KINDS = (
    # newsboat stores the ETag of a feed only once it has seen the feed before.
    Kind("newsboat", lambda url, folder, _: Newsboat(url, folder), ATOM_AND_RSS, 3, tells_updated=False),
    Kind("sfeed", lambda url, folder, _: Sfeed(url, folder), ATOM_AND_RSS, tells_updated=False),
    Kind("reader", lambda url, folder, _: PythonReader(url, folder)),
    Kind("feedparser", lambda url, folder, _: Feedparser(url, folder), ATOM_AND_RSS),
    Kind("fastfeedparser", lambda url, folder, _: Library(url, folder, read_fastfeedparser)),
    Kind("feedsmith", _with_node("feedsmith")),
    Kind("rss-parser", _with_node("rss-parser"), ATOM_AND_RSS, tells_updated=False),
)
