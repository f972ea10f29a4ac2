"""A newsroom whose every name and text comes from an attacker, open in a real Chromium: nothing of it runs."""

# ruff: noqa: E501 - settings and scripts stand as they are written

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from aggregator.flows.passwords import Passwords
from aggregator.store import accounts, stories
from aggregator.store.database import Database
from tests.acceptance.desk import Desk, free_port
from tests.conftest import NOW, Clock
from tests.security import hostile
from tests.security.hostile import NAME, STORED
from tests.security.test_stored import DESK, PUBLIC

PASSWORD = "the password of cleo"

#: Counts whatever runs and should not, and hears what the policy stops: then it had got past the escaping.
WATCH = """
window.wrong = [];
window.hit = (number) => window.wrong.push(`ran ${number}`);
document.addEventListener('securitypolicyviolation', (event) =>
  window.wrong.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
#: Attributes and elements that the document itself holds, as this browser understood them.
ACTIVE = """
[...document.querySelectorAll('*')].flatMap((each) => [
  ...[...each.attributes].filter((one) => /^on|^hx-|^style$|^srcdoc$/i.test(one.name)).map((one) => one.name),
  ...(/^(iframe|object|embed|base|math|video|audio|marquee|portal)$/i.test(each.tagName) ? [each.tagName] : []),
  ...(/^(javascript|data|vbscript):/i.test(each.href || each.src || '') ? [each.outerHTML] : []),
])
"""


@dataclass
class Heard:
    """What a browser told while it was open."""

    said: list[str] = field(default_factory=list)


def _toml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.fixture(scope="module")
def site(prepared_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[int]]]:
    """The hostile newsroom, served by a process of its own; its address, and the ids of some stories."""
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copy(prepared_file, folder / "wirebrief.db")
    settings = f"[topics.talks]\ntitle = {_toml(NAME)}\ndescription = {_toml(NAME)}\nany = ['riyadh']\n"
    settings += f"[channels.all]\ntitle = {_toml(NAME)}\ndescription = {_toml(NAME)}\ntopics = ['talks']\nentries = 1000\n"
    settings += f"[channels.briefs]\ntitle = {_toml(NAME)}\ncarries = ['briefs']\n"
    (folder / "config.toml").write_text(settings, encoding="utf-8")
    with Database(f"sqlite:///{folder / 'wirebrief.db'}") as database:
        found = asyncio.run(_filled(database))
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    desk = Desk(folder, {"WIREBRIEF_SERVE__PORT": str(port), "WIREBRIEF_SITE__URL": address})
    desk.run("publish")
    with desk.started("serve") as process:
        process.says("http://")
        yield address, found


async def _filled(database: Database) -> list[int]:
    await hostile.fill(database, Clock())
    kept = await Passwords().hash(PASSWORD)
    await database.write(lambda s: accounts.add(s, "cleo", "admin", now=NOW, password_hash=kept))
    found = await database.read(partial(stories.find, limit=10_000))
    return [story.id for story in found[:: len(found) // 12]]


def test_a_newsroom_in_which_everything_is_hostile_runs_no_script_of_theirs(
    site: tuple[str, list[int]], chromium: Browser
) -> None:
    url, events = site
    heard = Heard()
    context = chromium.new_context(user_agent=NAME)
    context.add_init_script(WATCH)
    page = context.new_page()
    page.on("dialog", lambda dialog: (heard.said.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
    page.on(
        "console", lambda line: heard.said.append(line.text) if line.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: heard.said.append(str(error)))
    page.on("request", lambda request: _note_foreign(heard, url, request.url))
    page.goto(f"{url}/desk/sign-in")
    page.fill("#name", "cleo")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda at: "sign-in" not in at)
    for path in (*PUBLIC, *DESK, *(f"/desk/wire/{story}" for story in events)):
        page.goto(url + path, wait_until="load")
        _touch(page)
        assert page.evaluate("window.wrong") == [], path
        assert page.evaluate(ACTIVE) == [], path
    assert heard.said == []
    # It was all there: the attack stood on the page as its text.
    page.goto(f"{url}/briefs/riyadh")
    assert f"hit({min(STORED)})" in page.inner_text("body")
    assert NAME[:20] in page.inner_text("h1")
    context.close()


def _note_foreign(heard: Heard, url: str, asked: str) -> None:
    if urlsplit(asked).netloc != urlsplit(url).netloc:
        heard.said.append(f"a request to {asked}")


def _touch(page: Page) -> None:
    """Do what lets a handler run: move over everything, take the focus, press keys."""
    page.evaluate(
        "document.querySelectorAll('body *').forEach((each) => {"
        "each.dispatchEvent(new MouseEvent('mouseover', {bubbles: true}));"
        "each.dispatchEvent(new Event('focus')); })"
    )
    page.keyboard.press("j")
    page.keyboard.press("Tab")
