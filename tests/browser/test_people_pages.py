"""The pages of admins and chiefs: no narrower screen breaks them, and axe finds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import served_demo, violations


def test_who_is_let_in_and_who_decided_what_can_be_read_by_everybody(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("people")
    with served_demo(folder) as demo:
        for width in (1280, 390, 320):
            page = chromium.new_page(viewport={"width": width, "height": 800})
            demo.sign_in(page)
            for place in ("people", "audit", "you"):
                page.goto(f"{demo.url}/desk/{place}")
                page.evaluate("document.querySelectorAll('main details').forEach(each => each.open = true)")
                assert violations(page) == []
                assert page.evaluate("document.documentElement.scrollWidth") <= width, place
            page.close()
