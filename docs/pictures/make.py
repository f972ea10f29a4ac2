"""Make the pictures of the documentation anew: `python docs/pictures/make.py` (needs Chromium).

A demo gives a wire on loopback, and a newsroom of its own is set up in front of it as a newcomer
would: the real command, the real pages, pressed and typed by playwright.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
COMMAND = str(Path(sys.executable).with_name("wirebrief"))
WIDE = {"width": 1280, "height": 860}
BRIEF = files("aggregator.demo") / "data" / "briefs" / "riyad-2025-02-18.fr.txt"

SETTINGS = """
[site]
title = "The Harbour Desk"
url = "http://127.0.0.1:{port}"
language = "en"
[serve]
port = {port}
[fetch]
private_networks = true
[topics.ukraine-talks]
title = "Ukraine talks"
any = ["riyadh", "riyad", "riad", "эр-рияд*", "ер-рияд*", "zelensk*", "зеленськ*", "lavrov", "лавров*"]
[channels.briefs]
title = "The briefs"
carries = ["briefs"]
"""


def free_port() -> int:
    """Two ports in a row on which nobody listens; the first of them."""
    while True:
        with contextlib.closing(socket.socket()) as one, contextlib.closing(socket.socket()) as other:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            with contextlib.suppress(OSError):
                other.bind(("127.0.0.1", port + 1))
                return port


@contextlib.contextmanager
def started(folder: Path, *words: str, until: str) -> Iterator[str]:
    """A command as long as this lasts; what it has said until a line holds certain words."""
    process = subprocess.Popen([COMMAND, *words], cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        said = ""
        assert process.stdout is not None  # noqa: S101 - it is piped
        for line in process.stdout:
            said += line
            if until in line:
                break
        yield said
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def shot(page: Page, name: str) -> None:
    """Keep what is seen of a page, in few colours so that the picture stays small."""
    page.wait_for_timeout(300)
    file = HERE / f"{name}.png"
    page.screenshot(path=file)
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--ext", ".png", "--quality", "70-95", file], check=False)  # noqa: S607


def sign_in(page: Page, url: str, name: str, password: str) -> None:
    """Sign in at a desk."""
    page.goto(f"{url}/desk/sign-in")
    page.fill("#name", name)
    page.fill("#password", password)
    page.press("#password", "Enter")
    page.wait_for_url(lambda address: "sign-in" not in address)


def newcomer(page: Page, url: str, wire: str, link: str) -> None:
    """The ten minutes of docs/guide.md."""
    page.goto(link)
    shot(page, "ten-1-sign-in")
    password = secrets.token_urlsafe(16)
    page.fill("#password", password)
    page.fill("#again", password)
    page.press("#again", "Enter")
    page.wait_for_url(lambda address: "join" not in address)
    outlets = [
        "matin-des-deux-rives",
        "harbour-ledger",
        "visnyk-semy-mostiv",
        "gaceta-del-muelle",
        "amp-world-desk",
    ]
    for outlet in outlets:
        page.goto(f"{url}/desk/sources/add")
        page.fill("#address", f"{wire}/{outlet}/")
        page.press("#address", "Enter")
        page.wait_for_load_state()
        if outlet == outlets[0]:
            shot(page, "ten-2-source")
        page.get_by_role("button", name="Follow what is ticked").click()
        page.wait_for_load_state()
    for _ in range(60):
        page.goto(f"{url}/desk/wire")
        if page.locator("[data-row]").count() > 10:
            break
        time.sleep(1)
    shot(page, "ten-3-wire")
    page.goto(f"{url}/desk/briefs")
    page.fill("#text", BRIEF.read_text(encoding="utf-8"))
    shot(page, "ten-4-brief")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/desk/briefs/*")
    address = page.url.partition("?")[0]
    for _ in range(60):
        page.goto(f"{address}?passage=p3#p3")
        if page.locator("article.card").count() > 3:
            break
        time.sleep(1)
    shot(page, "ten-5-suggestions")
    for _ in range(3):
        page.locator("article.card:not(.taken) button.main").first.click()
        page.wait_for_timeout(800)
    page.goto(f"{address}/preview")
    shot(page, "ten-6-preview")
    page.goto(address)
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_text("Readers have all of this.").wait_for()
    time.sleep(4)
    page.goto(f"{url}/channels/briefs")
    shot(page, "ten-7-published")


def demo(page: Page, url: str) -> None:
    """The pages of the desk, on the demo."""
    brief = f"{url}/desk/briefs/riyad-2025-02-18-fr"
    page.goto(f"{url}/desk/wire")
    shot(page, "wire")
    page.goto(f"{brief}?passage=p3#p3")
    page.locator("[data-pair]").nth(1).hover()
    shot(page, "brief")
    for name in ("today", "sources"):
        page.goto(f"{url}/desk/{name}")
        shot(page, name)
    page.goto(f"{url}/desk/topics/ukraine-talks")
    shot(page, "topic")
    page.goto(f"{url}/desk/channels/briefs")
    shot(page, "channel")
    page.goto(f"{url}/desk/wire")
    page.keyboard.press("?")
    shot(page, "keys")


def main() -> None:
    """Make every picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["TMPDIR"] = str(folder)
        port = free_port()
        said = stack.enter_context(started(folder, "demo", "--port", str(port), until="The desk:"))
        found = re.search(r"The desk: (\S+)/desk/sign-in .*password: (\S+)", said)
        assert found is not None  # noqa: S101 - it was waited for
        url, password = found[1], found[2]
        room = folder / "newsroom"
        room.mkdir()
        own = free_port()
        (room / "config.toml").write_text(SETTINGS.format(port=own), encoding="utf-8")
        made = subprocess.run(
            [COMMAND, "init", "--name", "ada"], cwd=room, capture_output=True, text=True, check=True
        )
        link = made.stdout.strip().splitlines()[-1].strip()
        stack.enter_context(started(room, "run", until="desk"))
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=WIDE, locale="en-GB")  # type: ignore[arg-type]
        newcomer(page, f"http://127.0.0.1:{own}", f"http://127.0.0.1:{port + 1}", link)
        page = browser.new_page(viewport=WIDE, locale="en-GB")  # type: ignore[arg-type]
        sign_in(page, url, "demo", password)
        demo(page, url)
        page = browser.new_page(viewport=WIDE, locale="fr-FR", color_scheme="dark")  # type: ignore[arg-type]
        sign_in(page, url, "demo", password)
        page.goto(f"{url}/desk/briefs/riyad-2025-02-18-fr?passage=p2#p2")
        shot(page, "brief-fr-dark")
        browser.close()


if __name__ == "__main__":
    main()
