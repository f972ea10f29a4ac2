"""Programs that people read feeds with, subscribed to a desk that is really served."""

from __future__ import annotations

import calendar
import contextlib
import shutil
import sqlite3
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import httpx
import pytest
import reader as reader_package
from lxml import etree

from tests.acceptance.desk import Desk

ATOM = "{http://www.w3.org/2005/Atom}"


@dataclass(frozen=True, slots=True)
class Told:
    """What a subscriber should show of an entry."""

    id: str
    title: str
    link: str
    updated: datetime
    published: datetime | None


@pytest.fixture(scope="module")
def channel(morning: Desk) -> Iterator[str]:
    """The address of a channel with a brief and the stories of twelve feeds, while it is served."""
    site = tomllib.loads((morning.folder / "config.toml").read_text("utf-8"))["site"]["url"]
    port = {"WIREBRIEF_SERVE__PORT": site.rpartition(":")[2]}
    with morning.started("serve", environment=port) as process:
        address = process.says("channels/ukraine-talks.atom").rpartition(" ")[2]
        assert address == f"{site}/channels/ukraine-talks.atom"
        yield address
        done = process.interrupt()
        assert (done.code, done.err) == (130, "Stopped. What was done until now is kept.\n")


@pytest.fixture(scope="module")
def told(channel: str) -> dict[str, Told]:
    """The entries of the channel by id, as they stand in the XML."""
    body = httpx.get(channel, trust_env=False).content
    return {entry.id: entry for entry in map(told_by, etree.fromstring(body).findall(f"{ATOM}entry"))}


def told_by(entry: etree._Element) -> Told:
    published = entry.findtext(f"{ATOM}published")
    return Told(
        id=entry.findtext(f"{ATOM}id"),
        title=entry.findtext(f"{ATOM}title"),
        link=entry.find(f"{ATOM}link[@rel='alternate']").get("href"),
        updated=datetime.fromisoformat(entry.findtext(f"{ATOM}updated")),
        published=datetime.fromisoformat(published) if published else None,
    )


def test_there_is_something_to_subscribe_to(told: dict[str, Told]) -> None:
    assert len(told) > 20
    assert sum("/briefs/" in entry.link for entry in told.values()) == 1


def test_feedparser_reads_the_same_ids_titles_links_and_dates(channel: str, told: dict[str, Told]) -> None:
    body = httpx.get(channel, trust_env=False)
    heard = feedparser.parse(body.content, response_headers={**body.headers, "content-location": channel})
    assert not heard.bozo
    assert {entry.id: told_by_feedparser(entry) for entry in heard.entries} == told


def told_by_feedparser(entry: feedparser.FeedParserDict) -> Told:
    dates = {
        name: datetime.fromtimestamp(calendar.timegm(entry[f"{name}_parsed"]), UTC)
        for name in ("updated", "published")
        if f"{name}_parsed" in entry
    }
    return Told(entry.id, entry.title, entry.link, dates["updated"], dates.get("published"))


def test_reader_subscribes_and_the_next_update_changes_nothing(channel: str, told: dict[str, Told]) -> None:
    with contextlib.closing(reader_package.make_reader(":memory:")) as reader:
        reader.add_feed(channel)
        first = reader.update_feed(channel)
        assert first is not None
        assert (first.new, first.modified) == (len(told), 0)
        assert {entry.id: told_by_reader(entry) for entry in reader.get_entries()} == told
        # reader says None where the server answered 304 to what it asked conditionally.
        assert reader.update_feed(channel) is None


def told_by_reader(entry: reader_package.Entry) -> Told:
    assert entry.updated is not None
    return Told(entry.id, entry.title or "", entry.link or "", entry.updated, entry.published)


def test_a_subscriber_that_has_the_channel_is_answered_304(channel: str) -> None:
    with httpx.Client(trust_env=False) as client:
        for encoding in ("gzip", "identity"):
            asked = {"Accept-Encoding": encoding}
            first = client.get(channel, headers=asked)
            assert first.headers.get("content-encoding", "identity") == encoding
            again = client.get(channel, headers={**asked, "If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]
            other = client.get(channel, headers={**asked, "If-None-Match": '"another"'})
            assert other.content == first.content


def test_newsboat_opens_the_right_page_of_every_entry(
    channel: str, told: dict[str, Told], tmp_path: Path
) -> None:
    newsboat = shutil.which("newsboat")
    if newsboat is None:
        pytest.skip("newsboat is not installed")
    (tmp_path / "urls").write_text(f"{channel}\n")
    (tmp_path / "config").write_text("")
    files = ["-u", tmp_path / "urls", "-c", tmp_path / "cache.db", "-C", tmp_path / "config"]
    # What is run was found on this machine by its name.
    subprocess.run(  # noqa: S603
        [newsboat, *files, "-x", "reload"],
        check=True,
        timeout=30,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={"HOME": str(tmp_path), "TERM": "xterm", "LC_ALL": "C.UTF-8"},
    )
    with contextlib.closing(sqlite3.connect(tmp_path / "cache.db")) as cache:
        rows = cache.execute("SELECT guid, title, url, pubDate FROM rss_item").fetchall()
    shown = {guid: (title, url, datetime.fromtimestamp(date, UTC)) for guid, title, url, date in rows}
    # newsboat shows the day of publication where there is one.
    assert shown == {
        entry.id: (entry.title, entry.link, entry.published or entry.updated) for entry in told.values()
    }
