"""What strangers and colleagues had stored is shown as text, and is never more than that."""

# ruff: noqa: E501 - tables of addresses

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest
from lxml import etree

from aggregator.store import saved_views, stories
from aggregator.store.database import Database
from tests.conftest import Clock
from tests.security import hostile, shown
from tests.security.attacks import Attack, Kind
from tests.security.conftest import signed_in
from tests.security.hostile import NAME, STORED, text_of
from tests.web.desk_users import PASSWORD, account
from tests.web.newsroom import Newsroom

PUBLIC = (
    "/", "/channels/all", "/channels/briefs", "/channels/all/embed?entries=50", "/channels/all/embed?entries=50&theme=dark",
    "/briefs/riyadh", "/briefs/plain", "/topics/talks",
)  # fmt: skip
DESK = (
    "/desk/today", "/desk/wire", "/desk/wire?q=riyadh", "/desk/wire?topic=talks&span=week", "/desk/sources",
    "/desk/sources?show=all&sort=name", "/desk/sources/1", "/desk/sources/2", "/desk/sources/3", "/desk/sources/add",
    "/desk/briefs", "/desk/briefs/riyadh", "/desk/briefs/riyadh/preview", "/desk/briefs/riyadh/revisions",
    "/desk/briefs/plain", "/desk/topics", "/desk/topics/talks", "/desk/new-topic?like=talks", "/desk/channels",
    "/desk/channels/all", "/desk/channels/briefs", "/desk/partners", "/desk/partners/daily", "/desk/people", "/desk/you",
    "/desk/audit",
)  # fmt: skip
DOCUMENTS = ("/channels/all.atom", "/channels/all.rss", "/channels/all.json", "/channels/all.ninjs",
             "/channels/briefs.atom", "/channels/briefs.json", "/sources.opml", "/desk/sources.opml")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answers:
    """Every page and document of a newsroom in which everything is hostile."""

    pages: dict[str, httpx.Response]
    documents: dict[str, httpx.Response]
    #: The pages as one text.
    text: str


@pytest.fixture(scope="module")
def answers(prepared_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """Asked for once: no test changes anything."""
    path = tmp_path_factory.mktemp("hostile") / "wirebrief.db"
    shutil.copy(prepared_file, path)
    with Database(f"sqlite:///{path}") as database:
        yield asyncio.run(_asked(database))


async def _asked(database: Database) -> Answers:
    clock = Clock()
    await hostile.fill(database, clock)
    newsroom = Newsroom(database, clock, channels=(hostile.CHANNEL, hostile.BRIEFS), topics=(hostile.TOPIC,))
    await newsroom.render()
    await account(newsroom, "admin", "admin", PASSWORD)
    async with newsroom.client() as client:
        client.headers["user-agent"] = NAME
        desk = await signed_in(newsroom, client)
        # Colleagues' names, by the forms that take them.
        await desk.send("/desk/people/keys", key=NAME, role="viewer", expires="")
        await desk.send("/desk/people", name=NAME, role="viewer")
        await desk.send("/desk/sources/1", title=NAME, kind="news", language="", rights=NAME, reuse="full")
        found = database.read_now(partial(stories.find, limit=10_000))
        events = [f"/desk/wire/{story.id}" for story in found[:: len(found) // 40]]
        pages = {path: await client.get(path) for path in (*PUBLIC, *DESK, *events)}
        older, at = [], "/desk/wire"
        while found_older := re.search(r'href="(/desk/wire\?before=[^"]+)"', (pages | dict(older))[at].text):
            at = found_older[1]
            older.append((at, await client.get(at)))
        pages |= dict(older)
        (view,) = database.read_now(saved_views.all_views)
        documents = {path: await client.get(path) for path in (*DOCUMENTS, f"/desk/views/{view.key}.atom")}
    return Answers(pages, documents, " ".join(shown.text_in(page.text) for page in pages.values()))


@pytest.mark.parametrize("path", [*PUBLIC, *DESK])
def test_a_page_is_made_of_nothing_but_ours(answers: Answers, path: str) -> None:
    answer = answers.pages[path]
    assert answer.status_code == 200
    assert shown.faults(answer.text) == []
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_event_and_every_older_page_of_the_wire_is_made_of_nothing_but_ours(answers: Answers) -> None:
    more = {path: page for path, page in answers.pages.items() if path not in (*PUBLIC, *DESK)}
    assert len(more) > 50
    assert {path: found for path, page in more.items() if (found := shown.faults(page.text))} == {}


@pytest.mark.parametrize("attack", STORED.items(), ids=lambda each: str(each[1]))
def test_it_is_shown_word_for_word_and_taken_for_nothing_else(
    answers: Answers, attack: tuple[int, Attack]
) -> None:
    # As the title of a story of JSON Feed or Atom, or as a passage: so the test would notice if it was lost.
    number, _ = attack
    plain = "".join(each if each.isprintable() else " " for each in text_of(number))
    words = [word for word in plain.split() if len(word) > 3] or [plain.strip()]
    assert all(word in answers.text for word in words), text_of(number)
    assert "1337" not in answers.text


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_passes_nothing_on_that_could_run(answers: Answers, path: str) -> None:
    answer = answers.documents[path]
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "html" not in answer.headers["content-type"]
    found = list(_passed_on(answer))
    assert len(found) >= (100 if "/all." in path else 2 if "/briefs." in path else 0)
    assert [each for text in found for each in shown.faults_within(text)] == []
    assert [each for each in _addresses(answer) if shown.bad_address(each)] == []


def test_the_feed_of_a_saved_view_passes_nothing_on_that_could_run(answers: Answers) -> None:
    (path,) = answers.documents.keys() - {*DOCUMENTS}
    answer = answers.documents[path]
    assert [each for text in _passed_on(answer) for each in shown.faults_within(text)] == []
    assert [each for each in _addresses(answer) if shown.bad_address(each)] == []


def _passed_on(answer: httpx.Response) -> Iterator[str]:
    """All HTML in a document."""
    if "json" in answer.headers["content-type"]:
        yield from (value for name, value in _values(answer.json()) if name == "content_html")
        if answer.url.path.endswith(".ninjs"):
            told = re.findall(r'"contentType":"text/html","value":("(?:[^"\\]|\\.)*")', answer.text)
            yield from map(json.loads, told)
        return
    for element in etree.fromstring(answer.content).iter():
        is_html = element.get("type") == "html" or str(element.tag).endswith(("description", "encoded"))
        if is_html and element.text:
            yield element.text


def _addresses(answer: httpx.Response) -> Iterator[str]:
    if "json" in answer.headers["content-type"]:
        named = (
            "url",
            "external_url",
            "image",
            "banner_image",
            "icon",
            "avatar",
            "href",
            "home_page_url",
            "uri",
        )
        yield from (
            value
            for name, value in _values(answer.json())
            if name in named and not value.startswith(("tag:", "urn:"))
        )
        return
    for element in etree.fromstring(answer.content).iter():
        for name in ("href", "url", "src", "xmlUrl", "htmlUrl", "uri"):
            if element.get(name):
                yield str(element.get(name))
        if (
            etree.QName(element).localname in ("link", "uri", "url", "icon", "logo", "comments")
            and element.text
        ):
            yield element.text


def _values(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, each in value.items():
                yield from _values(each, str(key))
        case list():
            for each in value:
                yield from _values(each, name)
        case str():
            yield name, value


def test_linked_data_says_what_was_written_and_nothing_ends_it_early(answers: Answers) -> None:
    page = answers.pages["/briefs/riyadh"].text
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert len(found) == 1
    data = json.loads(found[0])
    assert data["headline"].startswith(NAME[:20])
    assert "<" not in found[0]
    addresses = [value for name, value in _values(data) if name in ("url", "license", "@id")]
    assert [each for each in addresses if shown.bad_address(each)] == []


#: What lxml reads otherwise than browsers do, or what our own pages are made of, too; Chromium judges these.
_ONLY_BROWSERS = (
    "markup: body",
    "markup: doctype",
    "markup: clobbering",
    "markup: mutation by noscript",
    "markup: our own hooks",
)


#: What is markup by itself, for a parser to judge.
_JUDGED = {
    number: attack
    for number, attack in STORED.items()
    if attack.kind is Kind.MARKUP
    and attack.name not in _ONLY_BROWSERS
    and re.match(r"<[A-Za-z/]", attack.text)
}


@pytest.mark.parametrize("attack", _JUDGED.items(), ids=lambda each: str(each[1]))
def test_the_judge_would_see_it_in_a_page_that_escapes_nothing(attack: tuple[int, Attack]) -> None:
    page = f"<!DOCTYPE html><html><body><p>{text_of(attack[0])}</p><p>x</p></body></html>"
    assert shown.faults(page) != []


async def test_all_of_it_is_kept_on_either_database_and_nothing_is_lost_with_it(
    database: Database, clock: Clock
) -> None:
    # PostgreSQL takes no NUL, and one such entry must not cost the others of its feed.
    await hostile.fill(database, clock)
    assert len(database.read_now(partial(stories.find, limit=10_000))) == 3 * len(STORED)
