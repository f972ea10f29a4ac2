"""A served demo, and a Chromium in front of it."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.acceptance.desk import Desk

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BRIEF = "riyad-2025-02-18-fr"


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that is being served."""

    url: str
    password: str

    @property
    def brief(self) -> str:
        """The desk's page of the French brief."""
        return f"{self.url}/desk/briefs/{BRIEF}"

    def sign_in(self, page: Page) -> None:
        """Sign in as the demo's editor, with the keyboard."""
        page.goto(f"{self.url}/desk/sign-in")
        page.focus("#name")
        page.keyboard.type("demo")
        page.keyboard.press("Tab")
        page.keyboard.type(self.password)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "sign-in" not in url)


@contextlib.contextmanager
def served_demo(folder: Path) -> Iterator[Demo]:
    """A demo that is served as long as this lasts."""
    with Desk(folder, {"TMPDIR": str(folder)}).started("demo", "--port", "0") as process:
        said = process.says("The desk:")
        found = re.search(r"The desk: (\S+)/desk/sign-in .*password: (\S+)", said)
        assert found is not None, said
        yield Demo(found[1], found[2])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo of a file, for tests that publish nothing: starting one takes longer than most of them."""
    with served_demo(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@pytest.fixture
def own_demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo of one's own, so that what one test publishes is no other's."""
    with served_demo(tmp_path) as demo:
        yield demo


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The Chromium of this machine; where there is none the tests are skipped and say so.

    It ends with its file: as long as it is there, playwright's loop runs, and no other can.
    """
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        # In a container there is no user namespace for Chromium's own sandbox.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def violations(page: Page, *rules: str) -> list[tuple[str, str, str]]:
    """What axe-core finds on a page, by all of its rules or by these: its address, the rule, and the place."""
    options = {"runOnly": list(rules)} if rules else None
    return [
        (page.url, each["id"], node["html"])
        for each in Axe().run(page, options=options).response["violations"]
        for node in each["nodes"]
    ]
