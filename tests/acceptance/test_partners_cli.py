"""Channels, partners and push, as whoever runs the desk meets them: at the command line."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from aggregator.demo.wire import demo_briefs
from aggregator.rules.webhooks import is_genuine
from tests.acceptance.desk import Desk, free_port, wait_until

PRIVATE = '[channels.kiosk]\ntitle = "For the kiosk"\ncarries = ["briefs"]\nis_public = false\n'
NEW_KEY = re.compile(r"now and never again:\n\n  (\S+)\n")
#: Deliveries to this machine are let through, as a desk on its own network has it.
PUSHING = {"WIREBRIEF_PUSH__PRIVATE_NETWORKS": "true"}


@pytest.fixture
def shop(morning: Desk, copy_of: Callable[[Desk], Desk]) -> Desk:
    """A desk with a channel for partners, and with its brief published there too."""
    desk = copy_of(morning)
    settings = desk.folder / "config.toml"
    settings.write_text(settings.read_text().replace("[channels.briefs]", f"{PRIVATE}\n[channels.briefs]"))
    desk.run("publish")
    return Desk(desk.folder, desk.environment | PUSHING)


@pytest.fixture
def empty(desk: Desk) -> Desk:
    """A desk with nothing in it but a channel for partners."""
    settings = desk.folder / "config.toml"
    settings.write_text(settings.read_text() + PRIVATE)
    return desk


@pytest.fixture
def slug(morning: Desk) -> str:
    return (morning.folder / "slug").read_text()


@dataclass(eq=False)
class Post:
    """Something that was sent to a listener."""

    headers: dict[str, str]
    body: bytes


@dataclass(eq=False)
class Listener:
    """Somebody on this machine who is asked and sent to."""

    url: str
    heard: list[Post] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    #: Set in the class made for one listener.
    listener: Listener

    def do_GET(self) -> None:
        """A hub asks whether it was meant; yes."""
        (challenge,) = parse_qs(urlsplit(self.path).query)["hub.challenge"]
        self._answer(challenge.encode())

    def do_POST(self) -> None:
        """Take what is sent."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.listener.heard.append(Post(headers, body))
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    listening = Listener(f"http://127.0.0.1:{server.server_port}/callback")
    handler.listener = listening  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield listening
    server.shutdown()
    thread.join()
    server.server_close()


@contextlib.contextmanager
def served(desk: Desk) -> Iterator[str]:
    """The desk's service, for as long as this lasts; its address."""
    port = free_port()
    with desk.started("serve", environment={"WIREBRIEF_SERVE__PORT": str(port)}) as process:
        process.says("channels/kiosk.atom")
        yield f"http://127.0.0.1:{port}"


def key_of(said: str) -> str:
    """The key or the secret that was shown once."""
    found = NEW_KEY.search(said)
    assert found, said
    return found[1]


def test_channels_are_listed_with_who_may_read_them(shop: Desk) -> None:
    shop.run("partners", "add", "kiosk", "--channel", "kiosk")
    rows = {row["slug"]: row for row in shop.run("channels", "list", "--json").rows}
    assert list(rows) == ["ukraine-talks", "kiosk", "briefs"]
    assert (rows["kiosk"]["public"], rows["kiosk"]["partners"]) == (False, ["kiosk"])
    assert (rows["briefs"]["public"], rows["briefs"]["entries"]) == (True, 1)
    assert list(rows["briefs"]["addresses"]) == ["atom", "rss", "json", "ninjs"]
    assert rows["briefs"]["addresses"]["json"].endswith("/channels/briefs.json")
    assert "only kiosk" in shop.run("channels", "list").out


def test_a_preview_shows_a_new_condition_before_anybody_else_sees_it(shop: Desk, slug: str) -> None:
    assert "nothing changes" in shop.run("channels", "preview", "briefs").err
    settings = shop.folder / "config.toml"
    settings.write_text(
        settings.read_text().replace("[channels.briefs]", '[channels.briefs]\ndesks = ["Asia"]')
    )
    (step,) = shop.run("channels", "preview", "briefs", "--json").rows
    assert list(step) == ["what", "kind", "number", "id", "title", "updated", "why", "differences"]
    assert (step["what"], step["why"]) == ("goes", "It is of no desk, and not of Asia.")
    said = shop.run("channels", "why", "briefs", slug, "--json").row
    assert list(said) == ["kind", "number", "title", "in", "why", "rendered"]
    assert (said["in"], said["why"], said["rendered"]) == (False, step["why"], False)
    shop.run("publish")
    assert shop.run("channels", "why", "briefs", slug, "--json").row["rendered"] is True


def test_a_channel_that_is_not_there_is_refused_with_those_that_are(shop: Desk) -> None:
    said = shop.run("channels", "preview", "brief", code=1).err
    assert said == "wirebrief: There is no channel 'brief'. There is: ukraine-talks, kiosk, briefs.\n"
    assert "no story and no brief 'x'" in shop.run("channels", "why", "briefs", "x", code=1).err


def test_a_partner_reads_its_channel_with_its_key_and_the_desk_knows_what_it_has(
    shop: Desk, slug: str
) -> None:
    added = shop.run("partners", "add", "kiosk", "--channel", "kiosk", "--per-minute", "100")
    key = key_of(added.out)
    assert "Authorization: Bearer KEY" in added.err
    assert key not in added.err
    assert shop.run("briefs", "reach", slug).out == "kiosk may have it and has not fetched it yet\n"
    with served(shop) as site:
        feed, changes = f"{site}/channels/kiosk.atom", f"{site}/api/channels/kiosk/changes"
        assert httpx.get(feed).status_code == 401
        assert httpx.get(feed, auth=("kiosk", key)).status_code == 200
        told = httpx.get(changes, headers={"Authorization": f"Bearer {key}"}).json()
        assert [change["op"] for change in told["changes"]] == ["put"]
        wait_until(lambda: len(shop.run("partners", "usage", "kiosk", "--json").rows) == 2)
        shop.run("partners", "revoke", "kiosk")
        assert httpx.get(feed, auth=("kiosk", key)).status_code == 401
    reach = shop.run("briefs", "reach", slug, "--json").row
    assert list(reach) == ["id", "revision", "took", "not_yet"]
    (took,) = reach["took"]
    assert (took["partner"], took["revision"], took["current"], took["via"]) == ("kiosk", 1, True, "feed")
    usage = shop.run("partners", "usage", "--json").rows
    assert list(usage[0]) == ["partner", "day", "via", "requests", "unchanged", "entries", "bytes"]
    assert {(row["via"], row["requests"], row["entries"]) for row in usage} == {("api", 1, 1), ("feed", 1, 1)}
    (listed,) = shop.run("partners", "list", "--json").rows
    assert listed["revoked"] is not None
    assert listed["keys"][0]["last_used"] is not None
    assert key not in json.dumps(listed)
    assert key not in str(shop.rows("SELECT * FROM partner_key"))


def test_a_key_is_replaced_without_a_gap(shop: Desk) -> None:
    first = key_of(shop.run("partners", "add", "kiosk", "--channel", "kiosk").out)
    next_ = key_of(shop.run("partners", "key", "kiosk", "--name", "next", "--expires", "90d").out)
    assert "has a key 'next' already" in shop.run("partners", "key", "kiosk", "--name", "next", code=1).err
    shop.run("partners", "revoke", "kiosk", "--key", "first")
    with served(shop) as site:
        feed = f"{site}/channels/kiosk.atom"
        assert [httpx.get(feed, auth=("", key)).status_code for key in (first, next_)] == [401, 200]
    keys = {key["name"]: key for key in shop.run("partners", "list", "--json").row["keys"]}
    assert keys["first"]["revoked"] is not None
    lasts = datetime.fromisoformat(keys["next"]["expires"]) - datetime.fromisoformat(keys["next"]["created"])
    assert lasts == timedelta(days=90)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["add", "Kiosk 2", "--channel", "kiosk"], 1, "is no name for a partner"),
        (["add", "shop", "--channel", "none"], 1, "There is no channel 'none'."),
        (["add", "shop", "--channel", "kiosk", "--topic", "none"], 1, "There is no topic 'none'."),
        (["add", "shop", "--channel", "kiosk", "--reuse", "some"], 2, "write one of none, headline, summary"),
        (["add", "shop", "--channel", "kiosk", "--per-minute", "0"], 1, "one request a minute at least"),
        (["add", "shop"], 2, "--channel"),
        (["key", "nobody", "--name", "next"], 1, "There is no partner 'nobody'"),
        (["key", "nobody", "--name", "next", "--expires", "soon"], 2, "is no length of time"),
        (["key", "nobody", "--name", "next", "--expires", "0s"], 2, "is over before it begins"),
        (["webhook", "nobody"], 2, "Name an address, or write --none."),
        (["webhook", "nobody", "https://kiosk.example/", "--none"], 2, "Name an address, or write --none."),
        (["webhook", "nobody", "kiosk"], 1, "is no address of the web"),
        (["usage", "nobody"], 1, "There is no partner 'nobody'"),
        (["retry", "nobody"], 1, "There is no partner 'nobody'"),
    ],
)
def test_wrong_words_about_partners_are_refused(empty: Desk, words: list[str], code: int, said: str) -> None:
    assert said in " ".join(empty.run("partners", *words, code=code).err.split())


def test_a_partner_is_told_of_what_is_published_by_a_signed_webhook(shop: Desk, listener: Listener) -> None:
    shop.run("partners", "add", "kiosk", "--channel", "kiosk")
    secret = key_of(shop.run("partners", "webhook", "kiosk", listener.url).out)
    new = _import(shop, 1)
    shop.run("briefs", "publish", new)
    shop.run("publish")
    (post,) = listener.heard
    assert is_genuine(secret, post.headers, post.body, now=datetime.now(UTC))
    told = json.loads(post.body)
    assert (told["type"], told["data"]["id"].rpartition("/")[2]) == ("brief.published", new)
    (row,) = shop.run("partners", "log", "kiosk", "--json").rows
    assert row == {
        "id": post.headers["webhook-id"],
        "brief": new,
        "act": "published",
        "state": "done",
        "tries": 0,
        "why": "it answered 200",
    }
    assert shop.run("briefs", "reach", new, "--json").row["took"][0]["via"] == "webhook"
    assert shop.run("partners", "retry", "kiosk").out.startswith("0 webhooks are sent to kiosk again")
    shop.run("partners", "webhook", "kiosk", "--none")
    assert shop.run("partners", "list", "--json").row["webhook"] is None


def test_publish_pushes_to_whoever_subscribed(shop: Desk, slug: str, listener: Listener) -> None:
    assert shop.run("channels", "subscribers", "--json").rows == []
    with served(shop) as site:
        at_hub = _address(shop, "briefs", "json")
        form = {"hub.mode": "subscribe", "hub.topic": at_hub, "hub.callback": listener.url}
        assert httpx.post(f"{site}/hub", data={**form, "hub.secret": "rosebud"}).status_code == 202
        shop.run("publish")
        (one,) = shop.run("channels", "subscribers", "briefs", "--json").rows
        assert (one["callback"], one["current"], one["signed"]) == (listener.url, True, True)
        assert "rosebud" not in json.dumps(one)
        assert listener.heard == []
        corrected = demo_briefs()[0][1] + "\n\nA sentence was added.\n"
        (shop.folder / "corrected.txt").write_text(corrected, encoding="utf-8")
        shop.run("briefs", "correct", slug, "corrected.txt", "--why", "A sentence was missing.")
        assert shop.run("channels", "subscribers", "--json").row["current"] is False
        assert "Pushed: 1 of 1 subscribers have it." in shop.run("publish").out
        (post,) = listener.heard
        assert post.body == httpx.get(f"{site}/channels/briefs.json").content
    assert post.headers["x-hub-signature"].startswith("sha256=")
    assert shop.run("channels", "list", "--json").rows[2]["subscribers"] == 1
    assert shop.run("channels", "subscribers", "kiosk", "--json").rows == []


def test_a_brief_waits_until_its_time_and_then_goes_out_by_itself(shop: Desk) -> None:
    new = _import(shop, 1)
    at = datetime.now(UTC) + timedelta(hours=1)
    said = shop.run("briefs", "publish", new, "--at", at.isoformat(timespec="seconds")).out
    assert f"published by itself {at:%Y-%m-%d %H:%M} UTC" in said
    listed = {row["slug"]: row for row in shop.run("briefs", "list", "--json").rows}
    assert (listed[new]["state"], listed[new]["release"]) == ("draft", f"{at:%Y-%m-%dT%H:%M:%SZ}")
    assert f"draft, to be published {at:%Y-%m-%d %H:%M} UTC" in shop.run("briefs", "show", new).out
    assert "until it is published by itself" in shop.run("channels", "why", "briefs", new).out
    shop.run("publish")
    assert shop.run("briefs", "show", new, "--json").row["state"] == "draft"
    with contextlib.closing(sqlite3.connect(shop.file)) as connection, connection:
        # The hour passes.
        connection.execute("UPDATE brief SET release_at = datetime(release_at, '-2 hours') || '.000000'")
    assert "briefs: 2 entries, new" in shop.run("publish").out
    assert shop.run("briefs", "show", new, "--json").row["release"] is None


def test_a_planned_time_is_taken_back(empty: Desk) -> None:
    new = _import(empty, 1)
    empty.run("briefs", "publish", new, "--at", "2099-01-01T18:00+01:00")
    assert "no longer published by itself" in empty.run("briefs", "publish", new, "--cancel").out
    assert empty.run("briefs", "show", new, "--json").row["release"] is None
    assert "nothing to take back" in empty.run("briefs", "publish", new, "--cancel", code=1).err


@pytest.mark.parametrize(
    ("at", "code", "said"),
    [
        ("18:00", 2, "is no time with its zone"),
        ("2099-01-01T18:00", 2, "is no time with its zone"),
        ("2099-01-01", 2, "is no time with its zone"),
        ("tomorrow", 2, "is no time with its zone"),
        ("00:00Z", 1, "is over already"),
        ("2025-02-18T18:00+01:00", 1, "2025-02-18 17:00 UTC is over already"),
    ],
)
def test_a_time_without_a_zone_and_one_that_is_over_are_refused(
    empty: Desk, at: str, code: int, said: str
) -> None:
    assert said in " ".join(empty.run("briefs", "publish", "1", "--at", at, code=code).err.split())


def test_static_files_are_all_that_is_public_in_every_format_and_coding(shop: Desk, tmp_path: Path) -> None:
    out = tmp_path / "site"
    said = shop.run("publish", "--out", out).out
    names = {path.name for path in out.iterdir()}
    formats = [f"{channel}.{format}" for channel in ("briefs", "ukraine-talks") for format in FORMATS]
    assert names == {f"{name}{twin}" for name in formats for twin in ("", ".gz", ".br", ".zst")}
    assert f"{out}/briefs.atom .json .ninjs .rss: " in said
    assert said.count(str(out)) == 2
    assert "Left out, since only partners may read them: kiosk." in said


FORMATS = ("atom", "rss", "json", "ninjs")


def _import(desk: Desk, number: int) -> str:
    """Import one of the demo's briefs; its name."""
    (desk.folder / "next.txt").write_text(demo_briefs()[number][1], encoding="utf-8")
    return str(desk.run("briefs", "import", "next.txt", "--json").row["slug"])


def _address(desk: Desk, slug: str, format: str) -> str:
    rows = {row["slug"]: row for row in desk.run("channels", "list", "--json").rows}
    return str(rows[slug]["addresses"][format])
