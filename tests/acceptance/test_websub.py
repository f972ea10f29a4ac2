"""Push from end to end: two of our own processes, and one subscriber that shares no line with them.

The subscriber below speaks WebSub out of the standard library alone, so that a misreading of the
Recommendation on our side cannot agree with itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import threading
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.acceptance.conftest import LOOPBACK, settings_for
from tests.acceptance.desk import Desk, free_port, wait_until

SECRET = "only the two of us know this"
ATOM = "{http://www.w3.org/2005/Atom}"
PUSHING = LOOPBACK | {"WIREBRIEF_PUSH__PRIVATE_NETWORKS": "true"}

BRIEF = """Grain ships leave Odesa again

2025-02-18

Three ships with wheat left the port on Tuesday, the first since January, its authority said.
"""


@dataclass
class Independent:
    """A subscriber that was written for this test."""

    port: int
    #: Bodies whose signature was right.
    genuine: list[bytes] = field(default_factory=list)
    #: Bodies whose signature was not.
    forged: list[bytes] = field(default_factory=list)
    challenges: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def alive(self) -> Iterator[None]:
        """It listens, until the end of the block."""
        me = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                me.challenges += query["hub.challenge"]
                self.send_response(200)
                self.end_headers()
                self.wfile.write(query["hub.challenge"][0].encode())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                algorithm, _, said = self.headers["X-Hub-Signature"].partition("=")
                right = hmac.new(SECRET.encode(), body, getattr(hashlib, algorithm)).hexdigest()
                (me.genuine if hmac.compare_digest(right, said) else me.forged).append(body)
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def subscribe(self, hub: str, topic: str) -> int:
        """Post a wish to a hub; its status."""
        form = {
            "hub.mode": "subscribe",
            "hub.topic": topic,
            "hub.callback": f"http://127.0.0.1:{self.port}/here?mine=1",
            "hub.secret": SECRET,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        with post(hub, urllib.parse.urlencode(form).encode(), headers) as answer:
            return int(answer.status)

    def titles(self) -> list[str]:
        """The titles of the last feed that came."""
        feed = ElementTree.fromstring(self.genuine[-1])  # noqa: S314 - our own server sent it
        return [entry.findtext(f"{ATOM}title") or "" for entry in feed.iter(f"{ATOM}entry")]


def post(url: str, body: bytes, headers: dict[str, str]) -> urllib.response.addinfourl:  # type: ignore[name-defined]
    # The addresses are those of the processes that this test started.
    return urllib.request.urlopen(urllib.request.Request(url, body, headers))  # noqa: S310


def newsroom(folder: Path, name: str, feeds: list[str]) -> tuple[Desk, str]:
    """A desk that serves on a port of its own; its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    folder.mkdir()
    site = {"title": name, "url": url, "authority": f"{name}.example"}
    (folder / "config.toml").write_text(settings_for(feeds, **site), encoding="utf-8")
    environment = PUSHING | {"WIREBRIEF_SERVE__PORT": str(port), "WIREBRIEF_PUSH__SUBSCRIBE": "true"}
    return Desk(folder, environment), url


def write(desk: Desk, text: str, file: str) -> str:
    """Import a brief and publish it; its name."""
    (desk.folder / file).write_text(text, encoding="utf-8")
    slug = str(desk.run("briefs", "import", file, "--json").row["slug"])
    desk.run("briefs", "publish", slug)
    return slug


def test_what_one_process_publishes_reaches_another_and_a_stranger_without_their_asking(
    tmp_path: Path,
) -> None:
    publisher, here = newsroom(tmp_path / "publisher", "publisher", [])
    topic = f"{here}/channels/briefs.atom"
    stranger = Independent(free_port())
    with publisher.started("run", environment={}) as publishing:
        publishing.says("Ctrl-C ends it")
        wait_until(lambda: is_served(topic))
        with open_(topic) as document:
            link = document.headers["Link"]
        hub = link.split("<")[2].split(">")[0]
        assert link == f'<{topic}>; rel="self", <{hub}>; rel="hub"'
        follower, there = newsroom(tmp_path / "follower", "follower", [topic])
        with follower.started("run") as following, stranger.alive():
            following.says("Ctrl-C ends it")
            wait_until(lambda: follower.rows("SELECT 1 FROM push_source WHERE is_confirmed"))
            assert stranger.subscribe(hub, topic) == 202
            wait_until(lambda: stranger.challenges)
            write(publisher, BRIEF, "one.txt")
            wait_until(lambda: stranger.genuine)
            assert stranger.titles() == ["Grain ships leave Odesa again"]
            wait_until(lambda: follower.rows("SELECT 1 FROM fetch WHERE outcome = 'pushed'"))
            assert titles(follower) == ["Grain ships leave Odesa again"]
            refuses_what_is_forged(follower, there)
        # Both are dead now, and the world goes on.
        second = BRIEF.replace("Grain ships", "More grain ships").replace("Three", "Five")
        slug = write(publisher, second, "two.txt")
        wait_until(lambda: publisher.rows("SELECT 1 FROM subscriber WHERE tries > 0"))
        publisher.run("briefs", "withdraw", slug, "--why", "No ship left.")
        with follower.started("run") as following, stranger.alive():
            following.says("Ctrl-C ends it")
            wait_until(lambda: len(stranger.genuine) > 1)
            wait_until(lambda: stranger.titles()[0].startswith("Withdrawn: More grain ships"))
            assert stranger.titles()[1:] == ["Grain ships leave Odesa again"]
            wait_until(lambda: "Withdrawn: More grain ships leave Odesa again" in titles(follower))
        assert stranger.forged == []


def refuses_what_is_forged(desk: Desk, url: str) -> None:
    """Somebody who found out the callback's address sends a story of their own."""
    ((token,),) = desk.rows("SELECT token FROM push_source")
    with open_(f"{desk_feed(desk)}") as document:
        body = document.read().replace(b"Grain", b"Forged")
    for signature in ("sha256=" + "0" * 64, "sha1=" + "0" * 40):
        with post(
            f"{url}/websub/{token}",
            body,
            {"Content-Type": "application/atom+xml", "X-Hub-Signature": signature},
        ) as answer:
            assert answer.status == 202
    assert not any("Forged" in title for title in titles(desk))


def desk_feed(desk: Desk) -> str:
    ((url,),) = desk.rows("SELECT url FROM source")
    return str(url)


def titles(desk: Desk) -> list[str]:
    """What the stories of a desk are called, by their newest version."""
    rows = desk.rows(
        "SELECT title FROM version JOIN story ON story.id = story_id AND number = versions ORDER BY story.id DESC"
    )
    return [title for (title,) in rows]


def open_(url: str) -> urllib.response.addinfourl:  # type: ignore[name-defined]
    return urllib.request.urlopen(url)  # noqa: S310 - the processes that this test started


def is_served(url: str) -> bool:
    with contextlib.suppress(OSError), open_(url) as answer:
        return bool(answer.status == 200)
    return False
