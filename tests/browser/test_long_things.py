"""What is long, foreign or missing looks as it was meant to. PICTURES=DIR keeps a picture of each."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from aggregator.app import App, opened, read_settings
from aggregator.flows import alarms, cluster, recording, upkeep
from aggregator.paced import Asked, Paced
from aggregator.store import moves
from feeds.model import Tombstone
from tests.acceptance.desk import SETTINGS, Desk, free_port
from tests.browser.conftest import violations
from tests.store.newsroom import failed, follow, heard, record, says

PASSWORD = "seven grey herons"
LONG = " ".join(
    [
        "A headline that goes on",
        *("and on, past every place where it could have ended," for _ in range(8)),
        "ends.",
    ]
)[:400]
ENDLESS = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnungsentwurf" * 3
ARABIC = "الرياض تستضيف محادثات أميركية روسية بشأن الحرب في أوكرانيا"
COMMON = "Negotiators sign the harbour treaty in Riyadh after a night of talks"
OUTLETS = 60
WIDTHS = (1280, 390, 320)


async def _fill(app: App) -> str:
    """Everything that is hard to show, in one newsroom; the password of its editor."""
    now = datetime.now(UTC)
    database = app.database
    (first, never) = follow(database, "https://wire.example/feed", "https://silent.example/feed")
    text = (
        "The treaty on the harbour was signed in Riyadh on Tuesday by the American and Russian delegations."
    )
    record(
        database,
        heard(
            first,
            says("long", LONG, published=now - timedelta(minutes=5), summary=f"{LONG} {LONG}"),
            says("endless", ENDLESS, published=now - timedelta(minutes=6), language="de"),
            says(
                "arabic",
                ARABIC,
                published=now - timedelta(minutes=7),
                language="ar",
                summary=f"{ARABIC}. " * 5,
            ),
            says("treaty", COMMON, published=now - timedelta(minutes=90), summary=text),
            at=now,
        ),
        failed(never, at=now, kind="timeout", next_due=now + timedelta(hours=1)),
    )
    _trouble(app, now)
    for number in range(OUTLETS):
        (source,) = follow(
            database, f"https://outlet-{number}.example/feed", title=f"The Outlet of Place {number}"
        )
        at = now - timedelta(minutes=number)
        record(database, heard(source, says(f"t{number}", COMMON, published=at, summary=text), at=now))
    await upkeep.index_search(database)
    await cluster.cluster_new(database, app.clock)
    await alarms.watch_sources(database, app.clock, app.settings.alarms)
    await app.add_account("ada", "chief", PASSWORD)
    return PASSWORD


def _trouble(app: App, now: datetime) -> None:
    """A source that moved away and fails since yesterday, with gaps and a story that it took back."""
    database, yesterday = app.database, now - timedelta(days=1)
    (source,) = follow(database, "https://moved.example/feed", title="The Moved Messenger", now=yesterday)
    kept = says("kept", "A story that stands", published=yesterday)
    gone = says("gone", "A story that was not so", published=yesterday)
    stone = Tombstone("urn:gone", now, None, "It was not so.")
    reports = [
        heard(
            source, kept, gone, at=yesterday, asked=Asked(is_gap=True), paced=Paced(gaps=1, gap_at=yesterday)
        ),
        heard(source, kept, at=yesterday, tombstones=(stone,)),
        failed(source, at=now - timedelta(hours=8), kind="not_found", next_due=now),
        failed(source, at=now, kind="not_found", next_due=now + timedelta(hours=1)),
    ]
    for report in reports:
        database.write_now(lambda session, report=report: recording.record(session, [report]))
    database.write_now(
        lambda session: moves.propose(
            session,
            source,
            url="https://moved.example/rss.xml",
            title="The Moved Messenger",
            headlines=["A story that stands"],
            why="the page of the old address names it",
            now=now,
        )
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Page]:
    """An editor in front of it."""
    folder, port = tmp_path_factory.mktemp("long"), free_port()
    (folder / "config.toml").write_text(
        f'[site]\nurl = "http://127.0.0.1:{port}"\n[serve]\nport = {port}\n{SETTINGS}'
    )
    desk = Desk(folder)

    async def fill() -> str:
        settings = read_settings(folder / "config.toml", database=f"sqlite:///{desk.file}")
        async with opened(settings) as app:
            return await _fill(app)

    # On a thread: the browser has the loop of this one.
    with ThreadPoolExecutor(1) as thread:
        password = thread.submit(lambda: asyncio.run(fill())).result()
    with contextlib.ExitStack() as stack:
        stack.enter_context(desk.started("serve")).says("desk")
        page = chromium.new_page(bypass_csp=True, base_url=f"http://127.0.0.1:{port}")
        page.goto("/desk/sign-in")
        page.fill("#name", "ada")
        page.fill("#password", password)
        page.press("#password", "Enter")
        page.wait_for_url("**/desk/today")
        yield page
        page.close()


def holds(page: Page, path: str, name: str) -> None:
    """The page keeps everybody in and everything on its screen, at any width."""
    page.goto(path)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
    page.set_viewport_size({"width": 1280, "height": 900})
    assert violations(page) == []
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder, f"{name}.png"))


def test_a_headline_of_400_letters_arabic_and_sixty_outlets_keep_their_places(page: Page) -> None:
    holds(page, "/desk/wire", "long-wire")
    treaty = page.locator("[data-row]", has_text="harbour treaty").first
    expect(treaty).to_contain_text("and 52 more")
    arabic = page.locator("[data-row]", has_text="الرياض").first
    assert arabic.locator("[dir=rtl]").count() >= 1
    treaty.locator("[data-open]").click()
    holds(page, page.url, "long-event")
    expect(page.locator("main")).to_contain_text("The Outlet of Place 59")


def test_a_source_that_never_answered_says_why_and_what_comes_next(page: Page) -> None:
    holds(page, "/desk/sources?show=never", "long-never")
    page.get_by_role("link", name="silent.example").first.click()
    holds(page, page.url, "long-source")
    expect(page.locator("main")).to_contain_text("Timeout", ignore_case=True)


def test_a_source_in_trouble_says_what_is_wrong_and_where_it_may_have_gone(page: Page) -> None:
    holds(page, "/desk/today", "trouble-today")
    expect(page.locator("main")).to_contain_text("The Moved Messenger")
    holds(page, "/desk/sources", "trouble-sources")
    page.get_by_role("link", name="The Moved Messenger").first.click()
    holds(page, page.url, "trouble-source")
    expect(page.locator("main")).to_contain_text("https://moved.example/rss.xml")
    holds(page, "/desk/wire?q=stands+OR+%22not+so%22", "trouble-wire")
    expect(page.locator("main")).to_contain_text("taken back by its source")


def test_a_newsroom_without_a_brief_a_channel_or_a_partner_says_what_to_do(page: Page) -> None:
    for name in ("briefs", "partners", "today"):
        holds(page, f"/desk/{name}", f"empty-{name}")
    holds(page, "/desk/wire?q=nothing-at-all", "empty-search")
    holds(page, "/desk/briefs/nothing", "error")
