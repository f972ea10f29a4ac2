"""The demo, as somebody meets it who has just come."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from lxml import etree

from tests.acceptance.desk import Desk, Done

ATOM = "{http://www.w3.org/2005/Atom}"
CHANNELS = ("ukraine-talks", "briefs")


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that is being served."""

    #: Where its pages are.
    pages: str
    #: Where its wire is.
    wire: str
    #: What it wrote.
    out: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("served")
    with Desk(folder, {"TMPDIR": str(folder)}).started("demo", "--port", "0", "--out", "out") as process:
        pages, wire = re.findall(r"http://[^\s)]+", process.says("Look at it"))
        yield Demo(pages, wire, folder / "out")
        assert process.interrupt().code == 130


@dataclass(frozen=True, slots=True)
class Once:
    """A demo that went through once."""

    done: Done
    folder: Path


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    folder = tmp_path_factory.mktemp("once")
    temporary = tmp_path_factory.mktemp("temporary")
    desk = Desk(folder, {"TMPDIR": str(temporary)})
    done = desk.run("demo", "--once", "--out", "out", "--port", "0")
    assert list(temporary.iterdir()) == []
    return Once(done, folder)


def entries(file: Path) -> list[etree._Element]:
    return etree.fromstring(file.read_bytes()).findall(f"{ATOM}entry")


def test_the_demo_writes_every_channel_and_nothing_else(once: Once) -> None:
    assert sorted(path.name for path in once.folder.iterdir()) == ["out"]
    written = {path.name for path in (once.folder / "out").iterdir() if path.is_file()}
    endings = [
        f"{form}{twin}" for form in ("atom", "rss", "json", "ninjs") for twin in ("", ".gz", ".br", ".zst")
    ]
    assert written == {f"{channel}.{ending}" for channel in CHANNELS for ending in endings}
    assert once.done.err == ""


def test_the_demo_tells_what_it_does_step_by_step(once: Once) -> None:
    steps = re.findall(r"^(\d)\.", once.done.out, re.MULTILINE)
    assert sorted(set(steps)) == list("1234567")
    assert "12 of 12 feeds unchanged, 0 new stories" in once.done.out


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_of_the_demo_follows_the_grammar(
    once: Once, atom_grammar: etree.RelaxNG, channel: str
) -> None:
    atom_grammar.assertValid(etree.parse(once.folder / "out" / f"{channel}.atom"))


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_briefs_of_the_demo_link_their_sources_in_five_languages(once: Once, channel: str) -> None:
    found = [
        link.get("hreflang").partition("-")[0]
        for entry in entries(once.folder / "out" / f"{channel}.atom")
        for link in entry.findall(f"{ATOM}link[@rel='via']")
    ]
    assert len(found) > 12
    assert len(set(found)) >= 5


def test_every_entry_opens_at_a_page_that_answers(served: Demo) -> None:
    with httpx.Client(trust_env=False) as client:
        pages = {
            link.get("href"): entry.findtext(f"{ATOM}title")
            for channel in CHANNELS
            for entry in entries(served.out / f"{channel}.atom")
            for link in entry.findall(f"{ATOM}link[@rel='alternate']")
        }
        assert len(pages) > 40
        wrong = [page for page, title in pages.items() if not _shows(client.get(page), title)]
    assert wrong == []


def _shows(answer: httpx.Response, title: str) -> bool:
    page = etree.fromstring(answer.content, etree.HTMLParser(encoding="utf-8"))
    return answer.status_code == 200 and " ".join(title.split()) in " ".join("".join(page.itertext()).split())


def test_the_front_page_leads_to_every_channel_and_brief(served: Demo) -> None:
    answer = httpx.get(served.pages, trust_env=False)
    page = etree.fromstring(answer.content, etree.HTMLParser(encoding="utf-8"))
    links = set(page.xpath("//@href"))
    assert answer.status_code == 200
    assert {f"{served.pages}/channels/{channel}.atom" for channel in CHANNELS} <= links
    assert sum(link.startswith("/briefs/") for link in links) == 3


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_is_served_as_it_was_written_and_then_answers_304(served: Demo, channel: str) -> None:
    url = f"{served.pages}/channels/{channel}.atom"
    first = httpx.get(url, trust_env=False)
    assert first.content == (served.out / f"{channel}.atom").read_bytes()
    assert first.headers["content-type"].startswith("application/atom+xml")
    known = {"If-None-Match": first.headers["etag"]}
    dated = {"If-Modified-Since": first.headers["last-modified"]}
    assert [httpx.get(url, headers=asked, trust_env=False).status_code for asked in (known, dated)] == [
        304,
        304,
    ]


def test_the_wire_of_the_demo_shows_itself(served: Demo) -> None:
    answer = httpx.get(served.wire, trust_env=False)
    assert answer.status_code == 200
    assert "do not exist" in answer.text


def test_two_demos_have_the_same_entries(served: Demo, once: Once) -> None:
    for channel in CHANNELS:
        told = [told_by(folder / f"{channel}.atom") for folder in (served.out, once.folder / "out")]
        assert told[0] == told[1]


def told_by(file: Path) -> list[tuple[object, ...]]:
    """What of a channel does not depend on the hour and on the ports, in its order."""
    text = re.sub(r"http://127\.0\.0\.1:\d+", "http://here", file.read_text("utf-8"))
    found = etree.fromstring(text.encode()).findall(f"{ATOM}entry")
    return [
        (
            entry.findtext(f"{ATOM}id"),
            entry.findtext(f"{ATOM}title"),
            entry.findtext(f"{ATOM}content"),
            entry.findtext(f"{ATOM}summary"),
            [tuple(sorted(link.attrib.items())) for link in entry.findall(f"{ATOM}link")],
        )
        for entry in found
    ]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_demo_that_is_ended_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with Desk(tmp_path, {"TMPDIR": str(tmp_path)}).started("demo", "--port", "0") as process:
        process.says("1. A small wire")
        # By SIGTERM in the middle of its work, by Ctrl-C when it is being served.
        if number is signal.SIGINT:
            process.says("Look at it")
        done = process.interrupt(number)
    assert done.code == code
    assert done.err.splitlines()[-1] == "Stopped. Nothing of the demo stays on this machine."
    assert "Traceback" not in done.err
    assert list(tmp_path.iterdir()) == []
