"""A newsroom is backed up while it works, destroyed, and put back: what stood in the backup stands, and it goes on."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from aggregator.demo.wire import Page, demo_briefs
from aggregator.store import copying
from aggregator.store.database import Database
from tests.acceptance.conftest import LOOPBACK, settings_for
from tests.acceptance.desk import Desk, free_port, wait_until
from tests.acceptance.many import OwnServer, Service, own_server, running
from tests.acceptance.test_websub import Independent
from tests.acceptance.wires import NewsWire, news_wire

#: Feeds are asked every second or two, so that something comes at every moment.
BUSY = LOOPBACK | {
    "WIREBRIEF_FETCH__CADENCE__NEWS__FLOOR": "1s",
    "WIREBRIEF_FETCH__CADENCE__NEWS__CEILING": "2s",
    "WIREBRIEF_PUSH__PRIVATE_NETWORKS": "true",
    "WIREBRIEF_WORK__STALLED": "4s",
}

#: Where a story of the feed that grows stands.
STORY = "/growing/{}"

#: Every row of every table.
Rows = dict[str, list[copying.Row]]


class Growing:
    """A feed with another story three times a second; all of them stay on it."""

    def __init__(self, wire: NewsWire) -> None:
        self.url = f"{wire.url}/growing/feed"
        self.titles: list[str] = []
        self._wire = wire
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._grow)

    def __enter__(self) -> Growing:
        self._tell()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _grow(self) -> None:
        while not self._is_over.wait(0.3):
            self._tell()

    def _tell(self) -> None:
        self.titles.append(f"Ship {len(self.titles)} leaves Odesa")
        items = "".join(
            f"<item><title>{title}</title><link>{self._wire.url}{STORY.format(n)}</link><guid>ship-{n}</guid></item>"
            for n, title in reversed(list(enumerate(self.titles)))
        )
        body = f'<rss version="2.0"><channel><title>Harbour</title>{items}</channel></rss>'
        etag = f'"{len(self.titles)}"'
        self._wire.pages["/growing/feed"] = Page(body.encode(), "application/rss+xml", etag, "")


@dataclass
class Newsroom:
    """A desk, and the processes that work for it."""

    desk: Desk
    url: str
    services: list[Service]
    #: Where the database is; another one after it was destroyed.
    database: str
    server: OwnServer | None = None

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Its processes run until the end of the block, and are killed then."""
        with running(self.services):
            wait_until(lambda: self._answers("/ready"))
            yield

    def _answers(self, path: str) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}{path}", trust_env=False, timeout=5).status_code == 200
        return False

    def run(self, *words: object, code: int = 0) -> Any:
        """Run a command on its database."""
        return self.desk.run("--database", self.database, *words, code=code)

    def rows(self, *names: str) -> Rows:
        """What its database holds: all, or the tables of these names."""
        with Database(self._address) as database:
            return {
                table.name: database.read_now(lambda s, t=table: list(copying.rows_in_order(s, t, None)))  # type: ignore[misc]
                for table in copying.every_table()
                if not names or table.name in names
            }

    def count(self) -> int:
        """How many stories it has."""
        with Database(self._address) as database:
            return database.read_now(lambda s: copying.count_rows(s, _table("story")))

    @property
    def _address(self) -> str:
        return self.database if self.server else f"sqlite:///{self.desk.file}"

    def destroy(self) -> None:
        """Its database is gone, with all that stood beside it."""
        if self.server is None:
            for file in self.desk.folder.glob("wirebrief.db*"):
                file.unlink()
            return
        name = self.database.partition("?")[0].rpartition("/")[2]
        with psycopg.connect(self.server.url_of("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]
        self.server.make(name)


@pytest.fixture
def growing() -> Iterator[tuple[NewsWire, Growing]]:
    with news_wire() as wire, Growing(wire) as feed:
        yield wire, feed


@pytest.fixture(params=["sqlite", "postgresql"])
def newsroom(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    growing: tuple[NewsWire, Growing],
) -> Iterator[Newsroom]:
    wire, feed = growing
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    desk = Desk(tmp_path / "desk", BUSY)
    desk.folder.mkdir()
    site = {"title": "The desk", "url": url, "authority": "desk.example"}
    (desk.folder / "config.toml").write_text(settings_for([*wire.feeds, feed.url], **site), encoding="utf-8")
    listens = {"WIREBRIEF_SERVE__PORT": str(port)}
    if request.param == "sqlite":
        yield Newsroom(desk, url, [Service(desk, ("run",), listens)], "sqlite:///wirebrief.db")
        return
    with own_server(tmp_path_factory.getbasetemp()) as server:
        database = server.make("newsroom")
        path = f"{server.running.bin_path}{os.pathsep}{os.environ['PATH']}"
        desk = Desk(desk.folder, BUSY | {"WIREBRIEF_DATABASE": database, "PATH": path})
        services = [
            Service(desk, ("serve",), listens),
            Service(desk, ("schedule",)),
            Service(desk, ("worker",)),
        ]
        yield Newsroom(desk, url, services, database, server)


def test_what_is_backed_up_under_ingest_survives_the_end_of_its_database(
    newsroom: Newsroom, growing: tuple[NewsWire, Growing]
) -> None:
    wire, _ = growing
    subscriber = Independent(free_port())
    with subscriber.alive():
        slug = write_brief(newsroom, wire)
        with newsroom.at_work():
            newsroom.run("briefs", "publish", slug)
            wait_until(lambda: newsroom._answers("/channels/briefs.atom"))
            assert subscriber.subscribe(f"{newsroom.url}/hub", f"{newsroom.url}/channels/briefs.atom") == 202
            # It was asked back, and has the brief: from here on nothing of the channel changes.
            wait_until(lambda: subscriber.challenges and is_pushed(newsroom))
            told = httpx.get(f"{newsroom.url}/channels/briefs.atom", trust_env=False)
            done = newsroom.run("backup", "kept", "--json").row
            after = newsroom.count()
            wait_until(lambda: newsroom.count() > after + 3)
        lost = newsroom.rows()
        newsroom.destroy()
        assert newsroom.run("restore", "kept", "--json").row["digest"] == done["digest"]
        found = newsroom.rows()
        assert (len(found["story"]), len(found["version"])) == (done["stories"], done["versions"])
        assert done["stories"] < len(lost["story"])
        require_kept(found, lost)
        # It goes on: what came after the backup still stands on the wire, and comes in again.
        with newsroom.at_work():
            wait_until(lambda: newsroom.count() >= len(lost["story"]) + 3)
            again = httpx.get(
                f"{newsroom.url}/channels/briefs.atom",
                trust_env=False,
                headers={"If-None-Match": told.headers["etag"]},
            )
            assert again.status_code == 304
        last = newsroom.rows()
    names = [(row[1], row[2]) for row in last["story"]]
    assert len(names) == len(set(names))
    assert {(row[1], row[2]) for row in lost["story"]} <= set(names)
    require_kept(found, last)
    checked = {row["name"]: row["well"] for row in newsroom.run("doctor", "--json", code=1).rows}
    assert [name for name, is_well in checked.items() if not is_well] == ["accounts"]
    assert [line for one in newsroom.services for line in one.complained if "Traceback" in line] == []


def write_brief(newsroom: Newsroom, wire: NewsWire) -> str:
    """A brief with a pick, not published yet; its name."""
    newsroom.run("poll", "--store-only")
    _, text = demo_briefs()[0]
    (newsroom.desk.folder / "brief.txt").write_text(text, encoding="utf-8")
    slug: str = newsroom.run("briefs", "import", "brief.txt", "--json").row["slug"]
    newsroom.run("pick", slug, "p1", f"{wire.url}/dziennik-trzech-mostow/rozmowy-w-rijadzie")
    return slug


def is_pushed(newsroom: Newsroom) -> bool:
    """Whether the one subscriber has what is served."""
    rows = newsroom.rows("document", "subscriber")
    etags = {row[4] for row in rows["document"] if row[:2] == ("briefs", "atom")}
    at = [column.name for column in _table("subscriber").columns].index("etag")
    return [row[at] for row in rows["subscriber"]] == list(etags)


def require_kept(found: Rows, other: Rows) -> None:
    """What was put back says what the database said that is gone, and what it says when it went on."""
    for name in ("version", "brief", "revision", "publication", "story_link"):
        newest = max(row[0] for row in found[name])
        assert found[name] == [row for row in other[name] if row[0] <= newest], name
    assert found["story_link"]
    # What a story is; how many versions it has may have changed.
    mine, theirs = ({row[0]: row[1:8] for row in rows["story"]} for rows in (found, other))
    assert mine == {story: what for story, what in theirs.items() if story <= max(mine)}
    assert briefs_of(found)
    assert briefs_of(found) == briefs_of(other)
    assert subscribers_of(found) == subscribers_of(other) != []


def briefs_of(rows: Rows) -> list[Any]:
    """The documents of a channel that did not change, with their bytes."""
    return [row for row in rows["document"] if row[0] == "briefs"]


def subscribers_of(rows: Rows) -> list[Any]:
    """Who is pushed to, with what they sign by and what they have."""
    return [row[:7] for row in rows["subscriber"]]


def _table(name: str) -> Any:
    return next(table for table in copying.every_table() if table.name == name)
