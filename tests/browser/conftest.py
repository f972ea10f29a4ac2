"""A served demo, and a Chromium in front of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.acceptance.desk import Desk

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BRIEF = "riyad-2025-02-18-fr"


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that is being served."""

    url: str
    key: str

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
        page.keyboard.type(self.key)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "sign-in" not in url)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo of one's own, so that what one test publishes is no other's."""
    with Desk(tmp_path, {"TMPDIR": str(tmp_path)}).started("demo", "--port", "0") as process:
        said = process.says("The desk:")
        found = re.search(r"The desk: (\S+)/desk/sign-in .*key: (\S+)", said)
        assert found is not None, said
        yield Demo(found[1], found[2])


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
