"""Programs that people read feeds with, subscribed to a desk that is really served.

A channel of 200 entries is polled, then a brief in it is corrected, then it is withdrawn. All of
that happens once; the tests look at what each reader showed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import httpx
import pytest
from lxml import etree

from aggregator.demo.wire import Page
from tests.acceptance.conftest import LOOPBACK, settings_for
from tests.acceptance.desk import Desk, free_port, wait_until
from tests.acceptance.readers import (
    KINDS,
    Kind,
    Missing,
    Passage,
    Reader,
    Shown,
    install_packages,
    passage_to,
)
from tests.acceptance.wires import NewsWire
from tests.conftest import NOW
from tests.flows.wire import entry, rss

ATOM = "{http://www.w3.org/2005/Atom}"
BRIEF = Path(__file__).parent / "briefs" / "paris.en.txt"

#: Endings under which the channel is subscribed to.
FORMATS = ("atom", "rss", "json")
#: Those that say when an entry was updated; RSS only knows the day of publication.
UPDATED_IN = ("atom", "json")
ENTRIES = 200

CHANNEL = f"""
[channels.all]
title = "Briefs & wire"
entries = {ENTRIES}
"""

#: What a wire writes about a day of talks; there is a day for every number.
TITLES = (
    "Talks enter day {}: “progress & patience”",
    "Négociations, {}e jour : l'accord s'éloigne",
    "Verhandlungen, Tag {}: Größe <zeigen>",
    "Переговори, день {}: «згоди ще немає»",
    "المحادثات: اليوم {}",
    "会谈进入第{}天",
    "Rozmowy, dzień {}: „źle\N{NO-BREAK SPACE}– ale nie najgorzej”",
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A reader, what it showed after each state of the channel, and how its polls were answered."""

    kind: Kind
    format: str
    reader: Reader | None
    #: Why there is no reader.
    missing: str = ""
    shown: list[list[Shown]] = field(default_factory=list)
    #: The statuses of all polls: three in the first state, one in each of the others.
    statuses: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class History:
    """What happened to the channel."""

    #: Where the Atom document is served while the tests of this file run.
    channel: str
    #: The entries of each state by id, as they stand in the Atom document.
    told: list[dict[str, Shown]]
    subscriptions: dict[tuple[Kind, str], Subscription]

    @property
    def brief(self) -> Shown:
        """The brief as it was first told."""
        (brief,) = (shown for shown in self.told[0].values() if "/briefs/" in shown.link)
        return brief


@pytest.fixture(scope="module")
def history(
    wire: NewsWire, tmp_path_factory: pytest.TempPathFactory, prepared_file: Path
) -> Iterator[History]:
    """A channel polled in three states by everything that can be had on this machine."""
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    desk, slug = make_desk(wire, site, tmp_path_factory.mktemp("hundreds"), prepared_file)
    with (
        desk.started("serve", environment={"WIREBRIEF_SERVE__PORT": str(port)}) as process,
        passage_to(port) as passage,
    ):
        channel = process.says("channels/all.atom").rpartition(" ")[2]
        assert channel == f"{site}/channels/all.atom"
        history = History(channel, [], {})
        for subscription in subscribe(passage, tmp_path_factory):
            history.subscriptions[subscription.kind, subscription.format] = subscription
        look(history, passage, polls=3)
        desk.run("briefs", "correct", slug, "corrected.txt", "--why", "They were nine.")
        look(history, passage)
        desk.run("briefs", "withdraw", slug, "--why", "It was another summit.")
        look(history, passage)
        yield history
        done = process.interrupt()
        assert (done.code, done.err) == (130, "Stopped. What was done until now is kept.\n")


def make_desk(wire: NewsWire, site: str, folder: Path, prepared_file: Path) -> tuple[Desk, str]:
    """A desk that knows more than 200 stories and a published brief, and the name of the brief."""
    stories = (
        entry(number, TITLES[number % len(TITLES)].format(number), published=NOW - timedelta(minutes=number))
        for number in range(1, ENTRIES + 1)
    )
    wire.pages["/hundreds/feed"] = Page(rss(*stories), "application/rss+xml", '"1"', "")
    shutil.copyfile(prepared_file, folder / "wirebrief.db")
    feeds = [*wire.feeds, f"{wire.url}/hundreds/feed"]
    settings = settings_for(feeds, title="The desk", url=site)
    (folder / "config.toml").write_text(settings + CHANNEL, encoding="utf-8")
    (folder / "corrected.txt").write_text(BRIEF.read_text("utf-8").replace("eight", "nine"), encoding="utf-8")
    desk = Desk(folder, LOOPBACK)
    desk.run("poll")
    slug = desk.run("briefs", "import", BRIEF, "--json").row["slug"]
    desk.run("briefs", "publish", slug)
    return desk, slug


def subscribe(passage: Passage, folders: pytest.TempPathFactory) -> Iterator[Subscription]:
    """Every reader with every format that it can read."""
    packages = installer(folders)
    for kind in KINDS:
        for format in readable(kind):
            url = f"{passage.url}/channels/all.{format}"
            try:
                reader = kind.make(url, folders.mktemp(f"{kind}-{format}"), packages)
            except Missing as missing:
                yield Subscription(kind, format, None, f"{kind} is not subscribed: {missing}.")
            else:
                yield Subscription(kind, format, reader)


def readable(kind: Kind) -> list[str]:
    """The formats that this reader subscribes to."""
    return [format for format in FORMATS if format in kind.formats]


def installer(folders: pytest.TempPathFactory) -> Callable[[], Path]:
    """Gives the folder of the npm packages; they are installed when the first asks, once."""

    @cache
    def outcome() -> Path | Missing:
        try:
            return install_packages(folders.mktemp("npm"), "feedsmith@3.0.1", "rss-parser@3.13.0")
        except Missing as missing:
            return missing

    def packages() -> Path:
        folder = outcome()
        if isinstance(folder, Missing):
            raise folder
        return folder

    return packages


def look(history: History, passage: Passage, *, polls: int = 1) -> None:
    """Wait until the channel has changed, and let everybody poll it."""
    wait_until(lambda: (told := read_channel(history.channel)) and told not in history.told)
    history.told.append(read_channel(history.channel))
    for subscription in history.subscriptions.values():
        if subscription.reader is None:
            continue
        heard = len(passage.answers)
        for _ in range(polls):
            shown = subscription.reader.poll()
        subscription.shown.append(shown)
        subscription.statuses.extend(status for _, status in passage.answers[heard:])


def read_channel(channel: str) -> dict[str, Shown]:
    """The entries of an Atom document by id, as they stand in the XML."""
    answer = httpx.get(channel, trust_env=False)
    assert answer.status_code == 200, answer.text
    return {
        entry.id: entry for entry in map(told_by, etree.fromstring(answer.content).iterfind(f"{ATOM}entry"))
    }


def told_by(entry: etree._Element) -> Shown:
    updated = entry.findtext(f"{ATOM}updated")
    return Shown(
        id=entry.findtext(f"{ATOM}id"),
        title=entry.findtext(f"{ATOM}title"),
        link=entry.find(f"{ATOM}link[@rel='alternate']").get("href"),
        published=datetime.fromisoformat(entry.findtext(f"{ATOM}published") or updated),
        updated=datetime.fromisoformat(updated),
    )


@pytest.fixture(
    params=[(kind, format) for kind in KINDS for format in readable(kind)],
    ids=lambda param: f"{param[0]}-{param[1]}",
)
def subscription(history: History, request: pytest.FixtureRequest) -> Subscription:
    """One reader with one format."""
    found = history.subscriptions[request.param]
    if found.reader is None:
        pytest.skip(found.missing)
    return found


def test_there_is_something_to_subscribe_to(history: History) -> None:
    assert [len(told) for told in history.told] == [ENTRIES] * 3
    hundreds = {shown.title for shown in history.told[0].values() if "wire.example" in shown.link}
    assert len(hundreds) > ENTRIES / 2
    assert history.brief.title in {shown.title for shown in history.told[1].values()}


def test_every_reader_shows_the_same_ids_titles_links_and_dates(
    subscription: Subscription, history: History
) -> None:
    shown = {shown.id: shown for shown in subscription.shown[0]}
    assert len(shown) == len(subscription.shown[0]) == ENTRIES
    told = history.told[0]
    if subscription.format not in UPDATED_IN or not subscription.kind.tells_updated:
        # Some read the `atom:updated` of an RSS item, some do not; what they tell must be right.
        told = {id: replace(one, updated=shown[id].updated and one.updated) for id, one in told.items()}
    assert shown == told


def test_an_unchanged_channel_is_answered_304(subscription: Subscription) -> None:
    first = subscription.kind.first_304
    assert subscription.statuses[:3] == [200] * (first - 1) + [304] * (4 - first)


def test_a_changed_channel_is_answered_in_full(subscription: Subscription) -> None:
    assert subscription.statuses[3:] == [200, 200]


def test_a_corrected_brief_is_shown_in_its_new_words(subscription: Subscription, history: History) -> None:
    before, after = (shown_of_brief(history, shown) for shown in subscription.shown[:2])
    assert "leaders of eight" in before.text
    assert "Corrected on" in after.text
    assert "They were nine." in after.text
    assert "leaders of nine" in after.text
    assert "leaders of eight" not in after.text


def test_a_withdrawn_brief_is_shown_as_withdrawn(subscription: Subscription, history: History) -> None:
    after = shown_of_brief(history, subscription.shown[2])
    assert after.title == f"Withdrawn: {history.brief.title}"
    assert "It was another summit." in after.text
    assert "leaders of" not in after.text


def shown_of_brief(history: History, shown: list[Shown]) -> Shown:
    """What a reader shows of the brief: one entry, whatever happened to it."""
    (brief,) = (one for one in shown if one.id == history.brief.id)
    return brief


def test_a_subscriber_that_has_the_channel_is_answered_304(history: History) -> None:
    with httpx.Client(trust_env=False) as client:
        for encoding in ("gzip", "identity"):
            asked = {"Accept-Encoding": encoding}
            first = client.get(history.channel, headers=asked)
            assert first.headers.get("content-encoding", "identity") == encoding
            again = client.get(history.channel, headers={**asked, "If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]
            other = client.get(history.channel, headers={**asked, "If-None-Match": '"another"'})
            assert other.content == first.content
