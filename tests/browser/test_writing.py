"""Two editors write in one brief, while connections drop and the server is started anew."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from aggregator.app import opened, read_settings
from aggregator.flows.editorial import import_brief
from tests.acceptance.desk import SETTINGS, Desk, Process, free_port, wait_until

PASSWORD = "seven grey herons"
BRIEF = """Talks open in Riyadh without Kyiv

2025-02-18

The delegations met on Tuesday.

Nobody from Ukraine was asked to come.

The allies looked on from Paris.
"""
SLUG = "2025-02-18-talks-open-in-riyadh-without-kyiv"


@dataclass(slots=True)
class Room:
    """A newsroom of two editors, and its server."""

    desk: Desk
    url: str
    password: str
    _server: contextlib.ExitStack
    process: Process | None = None

    def start(self) -> None:
        """Serve."""
        self.process = self._server.enter_context(self.desk.started("serve"))
        self.process.says(" at http")

    def stop(self) -> None:
        """End the server as its keeper would."""
        assert self.process is not None
        self.process.interrupt(signal.SIGINT)
        self._server.close()

    def sits_down(self, browser: Browser, name: str) -> Page:
        """An editor, in a browser of their own, with the brief open for writing."""
        page = browser.new_context().new_page()
        page.goto(f"{self.url}/desk/sign-in?next=/desk/briefs/{SLUG}")
        page.fill("#name", name)
        page.fill("#password", self.password)
        page.press("#password", "Enter")
        page.wait_for_url(f"**/desk/briefs/{SLUG}")
        page.locator("#write summary").click()
        return page

    def texts(self) -> list[str]:
        """Every revision that was saved, oldest first."""
        return [text for (text,) in self.desk.rows("SELECT text FROM revision ORDER BY number")]

    def text(self) -> str:
        """What the brief says now."""
        return self.texts()[-1]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A served newsroom with Ada and Bo, and one brief."""
    port = free_port()
    (tmp_path / "config.toml").write_text(
        f'[site]\nurl = "http://127.0.0.1:{port}"\n[serve]\nport = {port}\n{SETTINGS}'
    )
    desk = Desk(tmp_path)

    async def accounts() -> None:
        settings = read_settings(tmp_path / "config.toml", database=f"sqlite:///{desk.file}")
        async with opened(settings) as app:
            await import_brief(app.database, app.clock, BRIEF, by="ada")
            for name in ("ada", "bo"):
                await app.add_account(name, "editor", PASSWORD)

    # On a thread: the browser has the loop of this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(accounts())).result()
    with contextlib.ExitStack() as server:
        room = Room(desk, f"http://127.0.0.1:{port}", PASSWORD, server)
        room.start()
        yield room


def write(page: Page, old: str, new: str) -> None:
    """Put words in the place of others, as typing does it."""
    area = page.locator("#text")
    text = area.input_value()
    assert old in text
    area.fill(text.replace(old, new))


def says(page: Page, words: str) -> None:
    """Wait until the line below the text says so."""
    expect(page.locator("[data-saved]")).to_contain_text(words, timeout=20_000)


@contextlib.contextmanager
def without_connection(page: Page) -> Iterator[None]:
    """A browser whose connection is gone as long as this lasts."""
    page.context.set_offline(True)
    yield
    page.context.set_offline(False)


def test_two_editors_lose_nothing_to_each_other_to_the_network_or_to_a_restart(
    room: Room, chromium: Browser
) -> None:
    ada, bo = room.sits_down(chromium, "ada"), room.sits_down(chromium, "bo")
    write(ada, "on Tuesday", "on Tuesday morning")
    says(ada, "Saved as revision 2")
    # Bo began from the first revision.
    write(bo, "from Paris", "from Brussels")
    says(bo, "with what somebody else changed")
    assert "on Tuesday morning" in bo.locator("#text").input_value()
    expect(bo.locator("#p1")).to_contain_text("on Tuesday morning")

    with without_connection(bo):
        write(bo, "from Brussels", "from Brussels and Paris")
        says(bo, "there is no connection")
        write(ada, "Nobody from Ukraine", "Nobody at all from Ukraine")
        wait_until(lambda: "Nobody at all from Ukraine" in room.text())
    says(bo, "with what somebody else changed")

    room.stop()
    write(ada, "morning", "at noon")
    says(ada, "there is no connection")
    room.start()
    says(ada, "with what somebody else changed")
    for words in ("on Tuesday at noon", "Nobody at all from Ukraine", "from Brussels and Paris"):
        assert words in room.text()
        assert words in ada.locator("#text").input_value()


def test_a_place_that_both_changed_is_shown_and_nothing_is_overwritten(room: Room, chromium: Browser) -> None:
    ada, bo = room.sits_down(chromium, "ada"), room.sits_down(chromium, "bo")
    write(ada, "on Tuesday", "on Monday")
    says(ada, "Saved as revision 2")
    write(bo, "on Tuesday", "on Wednesday")
    says(bo, "Somebody else changed the same place")
    assert "on Monday" in room.text()
    assert any("on Wednesday" in text for text in room.texts())
    bo.get_by_role("button", name="Save", exact=True).click()
    expect(bo.get_by_role("alert")).to_contain_text("You and somebody else changed the same place")
    expect(bo.get_by_role("alert")).to_contain_text("on Wednesday")
    expect(bo.get_by_role("alert")).to_contain_text("on Monday")
    assert "on Monday" in room.text()
    bo.get_by_role("button", name="Put mine in these places").click()
    expect(bo.locator("#p1")).to_contain_text("on Wednesday")
    assert "on Wednesday" in room.text()


def test_a_text_that_could_not_be_saved_is_there_again_when_the_page_is(
    room: Room, chromium: Browser
) -> None:
    ada = room.sits_down(chromium, "ada")
    room.stop()
    write(ada, "on Tuesday", "on Tuesday evening")
    says(ada, "there is no connection")
    # The machine loses its power: the browser asks nobody whether it may close the page.
    ada.on("dialog", lambda dialog: dialog.accept())
    context = ada.context
    ada.close()
    room.start()
    page = context.new_page()
    page.goto(f"{room.url}/desk/briefs/{SLUG}")
    assert "on Tuesday evening" in page.locator("#text").input_value()
    says(page, "Saved as revision 2")
    assert "on Tuesday evening" in room.text()


def test_typing_goes_on_where_the_caret_is_while_the_page_around_it_changes(
    room: Room, chromium: Browser
) -> None:
    ada = room.sits_down(chromium, "ada")
    area = ada.locator("#text")
    at = area.input_value().index("met on")
    area.evaluate("(area, at) => { area.focus(); area.setSelectionRange(at, at) }", at)
    ada.keyboard.type("have ")
    says(ada, "Saved as revision 2")
    expect(ada.locator("#p1")).to_contain_text("have met")
    ada.keyboard.type("really ")
    says(ada, "Saved as revision 3")
    expect(ada.locator("#p1")).to_contain_text("The delegations have really met on Tuesday.")
