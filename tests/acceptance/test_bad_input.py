"""What goes wrong at a real desk: each time a sentence, an exit code, and nothing lost."""

from __future__ import annotations

import contextlib
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.acceptance.conftest import settings_for
from tests.acceptance.desk import Desk, wait_until
from tests.acceptance.wires import NewsWire, news_wire

GOOD_BRIEF = "Une rencontre à Riyad\n\n18/02/2025\n\nLes ministres se sont vus mardi.\n"


def refused(desk: Desk, *words: object, code: int = 1, **rest: Any) -> str:
    """The one sentence on standard error with which a command refused."""
    done = desk.run(*words, code=code, **rest)
    assert done.out == ""
    assert "Traceback" not in done.err
    if code == 1:
        assert done.err.startswith("wirebrief: ")
    return done.err


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("[fetch]\nper_hosts = 3", "there is no setting fetch.per_hosts; did you mean fetch.per_host?"),
        ("[fetch]\nper_host = 'many'", "fetch.per_host = 'many' cannot be used"),
        ("[fetch]\ntimeout = 'soon'", "fetch.timeout = 'soon' cannot be used: write a length of time"),
        ("datebase = 'x'", "there is no setting datebase; did you mean database?"),
        (
            "[channels.x]\ntitle = 'X'\ntopics = ['y']",
            "channels.x.topics names 'y', but there is no [topics.y]",
        ),
        ("[[sources]]\nurl = 'nowhere'", "sources[0].url = 'nowhere' "),
        ("[fetch", "config.toml is not valid TOML"),
    ],
)
def test_a_mistake_in_the_settings_is_named_by_its_key(desk: Desk, toml: str, sentence: str) -> None:
    # The settings alone: what the environment says would go before the file.
    desk = Desk(desk.folder)
    (desk.folder / "config.toml").write_text(toml, encoding="utf-8")
    before = desk.file.read_bytes()
    assert sentence in refused(desk, "stories")
    assert desk.file.read_bytes() == before


def test_a_mistake_in_the_environment_is_named_by_its_key(desk: Desk) -> None:
    said = refused(desk, "stories", environment={"WIREBRIEF_FETCH__PER_HOSTS": "3"})
    assert "there is no setting fetch.per_hosts; did you mean fetch.per_host?" in said


def test_settings_that_are_named_and_not_there(desk: Desk) -> None:
    assert "There is no other.toml" in refused(desk, "--config", "other.toml", "stories")


def test_a_file_that_is_no_database_is_left_as_it_is(desk: Desk) -> None:
    desk.file.write_bytes(b"These are the minutes of our last meeting.\n" * 200)
    before = desk.file.read_bytes()
    assert "is no readable database" in refused(desk, "poll")
    assert desk.file.read_bytes() == before


def test_a_database_of_a_newer_version_is_left_as_it_is(desk: Desk) -> None:
    with contextlib.closing(sqlite3.connect(desk.file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    said = refused(desk, "stories")
    assert "was written by a newer wirebrief (schema 9999)" in said
    assert "nothing was changed" in said
    assert desk.rows("SELECT version_num FROM alembic_version") == [("9999",)]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:///no/such/folder.db", "The folder no/such for the database does not exist"),
        ("mysql://here/news", "is no database that wirebrief can use"),
    ],
)
def test_a_database_that_cannot_be(desk: Desk, url: str, sentence: str) -> None:
    assert sentence in refused(desk, "--database", url, "stories")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "This brief is empty"),
        (b"\n\n- [18/02/2025](#)\n\nNo title here.\n", "This brief has no title"),
        ("Un été\n\nÀ Riyad.\n".encode("latin-1"), "is no text in UTF-8"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_one_brief_that_is_none_among_several_saves_nothing(
    desk: Desk, content: bytes | None, sentence: str
) -> None:
    (desk.folder / "good.txt").write_text(GOOD_BRIEF, encoding="utf-8")
    if content is not None:
        (desk.folder / "wrong.txt").write_bytes(content)
    said = refused(desk, "briefs", "import", "good.txt", "wrong.txt")
    assert sentence in said
    assert "wrong.txt" in said
    assert desk.count("brief") == 0


def test_a_correction_that_is_no_brief_leaves_the_published_text(
    morning: Desk, copy_of: Callable[[Desk], Desk]
) -> None:
    desk = copy_of(morning)
    (desk.folder / "empty.txt").write_text("")
    said = refused(desk, "briefs", "correct", "1", "empty.txt", "--why", "A slip")
    assert "empty.txt: This brief is empty" in said
    assert (desk.count("revision"), desk.count("publication")) == (1, 1)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("Just some words.", "it cannot be read as XML"),
        ("<html><body>A page</body></html>", "it is a document of type “html”, not “opml”"),
        ("<opml version='2.0'><head/><body><outline text='A folder'/></body></opml>", "names no feed"),
    ],
)
def test_an_opml_that_is_none(desk: Desk, document: str, sentence: str) -> None:
    (desk.folder / "list.opml").write_text(document, encoding="utf-8")
    said = refused(desk, "sources", "import", "list.opml")
    assert sentence in said
    assert "list.opml" in said
    assert desk.count("source") == 0


@pytest.mark.parametrize(
    ("path", "sentences"),
    [
        ("/no-feed", ["is no feed, and names none"]),
        ("/two-feeds", ["is a page that names several feeds", "/amp-world-desk/feed  Sport"]),
        ("/nothing-here", ["has no feed at this address (404)"]),
    ],
)
def test_an_address_that_is_no_feed_is_not_followed(
    desk: Desk, wire: NewsWire, path: str, sentences: list[str]
) -> None:
    said = refused(desk, "sources", "add", f"{wire.url}{path}")
    assert [sentence for sentence in sentences if sentence not in said] == []
    assert desk.count("source") == 0


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["stories", "--topic", "sport"], 1, "There is no topic 'sport'. There is: ukraine-talks."),
        (["stories", '"never closed'], 2, "A quotation mark is opened and never closed"),
        (["stories", "--since", "lately"], 2, "--since 'lately' is no time"),
        (["briefs", "show", "nothing"], 1, "There is no brief 'nothing'"),
        (["pick", "1", "p99", "1"], 1, "has no passage 'p99': it has p0 (its title) to p11"),
        (["pick", "1", "p1", "123456"], 1, "There is no story '123456'"),
        (["pick", "1", "p1", "1", "--role", "boss"], 2, "There is no role 'boss'"),
        (["briefs", "withdraw", "1", "--why", " "], 1, "Say why the brief is withdrawn"),
        (["poll", "The Unknown"], 1, "No source is called 'The Unknown'"),
        (["brief"], 2, "No such command 'brief'"),
    ],
)
def test_names_that_mean_nothing(morning: Desk, words: list[str], code: int, sentence: str) -> None:
    assert sentence in " ".join(refused(morning, *words, code=code).split())


def test_a_port_that_is_taken_is_said_before_anything_else(desk: Desk) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as busy:
        port = str(busy.getsockname()[1])
        said = refused(desk, "serve", environment={"WIREBRIEF_SERVE__PORT": port})
        assert f"Port {port} of 127.0.0.1 cannot be listened on (Address already in use)" in said
        assert f"Port {port}" in refused(desk, "demo", "--port", port)


@pytest.fixture
def slow_wire() -> Iterator[NewsWire]:
    """A wire of the test's own, since it lets a test decide when the slow feeds answer."""
    with news_wire() as wire:
        yield wire


def follow(desk: Desk, feeds: list[str]) -> None:
    (desk.folder / "config.toml").write_text(settings_for(feeds), encoding="utf-8")


def slow(wire: NewsWire) -> list[str]:
    return [f"{wire.url}/slow/{name}" for name in ("first", "second")]


def answered(desk: Desk) -> int:
    """Sources whose answer is recorded."""
    return int(desk.rows("SELECT count(*) FROM source WHERE last_fetch IS NOT NULL")[0][0])


def integrity(desk: Desk) -> object:
    findings = {finding["name"]: finding for finding in desk.run("doctor", "--json", code=1).rows}
    return findings["integrity"]["well"] and findings["search"]["well"]


def test_a_full_disk_loses_nothing_and_the_same_command_completes_later(desk: Desk, wire: NewsWire) -> None:
    follow(desk, wire.feeds)
    first = desk.run("poll", "1", "--json").row["new"]
    assert first > 3
    # As much as the claims of a poll take, and not its stories.
    said = refused(desk, "poll", "--json", most_bytes=64 * 1024)
    assert "is full or failing" in said
    assert "all that was stored before is safe" in said
    assert "Make room and run the command again" in said
    assert desk.count("story") == first

    again = desk.run("poll", "--json").row
    assert (again["sources"], again["unchanged"], again["failed"]) == (12, 1, {})
    stories = desk.run("stories", "--limit", "0", "--json").rows
    assert len(stories) == first + again["new"] == len({story["url"] for story in stories})
    assert integrity(desk)


def test_ctrl_c_in_the_middle_of_a_poll_keeps_what_came_and_the_next_asks_the_rest(
    desk: Desk, slow_wire: NewsWire
) -> None:
    follow(desk, [*slow_wire.feeds, *slow(slow_wire)])
    with desk.started("poll") as process:
        wait_until(lambda: len(slow_wire.waiting) == 2 and answered(desk) == 12)
        done = process.interrupt()
    assert (done.code, done.out) == (130, "")
    assert done.err == "Stopped. What was done until now is kept.\n"
    kept = desk.count("story")
    assert kept > 80

    slow_wire.release.set()
    again = desk.run("poll", "--json").row
    assert again | {"seconds": 0} == {
        "sources": 14, "unchanged": 12, "new": 2, "changed": 0, "failed": {}, "seconds": 0
    }  # fmt: skip
    assert desk.count("story") == kept + 2


def test_a_poll_that_is_killed_loses_nothing(desk: Desk, slow_wire: NewsWire) -> None:
    follow(desk, [*slow_wire.feeds, *slow(slow_wire)])
    lease = {"WIREBRIEF_FETCH__LEASE": "4s"}
    with desk.started("poll", environment=lease) as process:
        wait_until(lambda: len(slow_wire.waiting) == 2 and answered(desk) > 0)
        done = process.interrupt(signal.SIGKILL)
    assert done.code == -signal.SIGKILL
    kept = desk.count("story")

    slow_wire.release.set()
    wait_until(lambda: not claimed(desk))
    again = desk.run("poll", "--json").row
    assert (again["sources"], again["failed"]) == (14, {})
    assert desk.count("story") == kept + again["new"]
    urls = {url for (url,) in desk.rows("SELECT url FROM story")}
    assert urls >= {f"{slow_wire.url}/late/first", f"{slow_wire.url}/late/second"}
    assert len(urls) == desk.count("story") > 80
    assert integrity(desk)


def claimed(desk: Desk) -> bool:
    """Whether a source is still claimed by the poll that was killed."""
    (until,) = desk.rows("SELECT max(claimed_until) FROM source")[0]
    return until is not None and until > datetime.now(UTC).replace(tzinfo=None).isoformat(" ")


def test_a_poll_that_may_ask_nobody_says_why(desk: Desk, wire: NewsWire) -> None:
    follow(desk, [])
    assert "add a feed with `wirebrief sources add URL`" in desk.run("poll").err
    desk.run("sources", "add", wire.feeds[0], "--no-check")
    desk.run("poll")
    with contextlib.closing(sqlite3.connect(desk.file)) as connection, connection:
        connection.execute("UPDATE source SET claimed_until = '2999-01-01 00:00:00.000000'")
    said = desk.run("poll")
    assert said.out.startswith("0 sources asked")
    assert "its sources are free again 10 min after it began" in said.err
