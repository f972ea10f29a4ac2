from __future__ import annotations

import urllib.request

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from feeds.model import Entry, Feed
from feeds.read import parse
from tests.acceptance.desk import wait_until
from tests.browser.conftest import BRIEF, Demo

#: Five stories in three languages and more, by what is picked for which passage.
PICKS = {"p1": 2, "p2": 2, "p8": 1}


def subscribed(demo: Demo) -> Feed:
    """What a subscriber's poll of the briefs holds now."""
    with urllib.request.urlopen(f"{demo.url}/channels/briefs.atom", timeout=10) as answer:  # noqa: S310 - loopback
        return parse(answer.read())


def entry(demo: Demo) -> Entry:
    (found,) = (one for one in subscribed(demo).entries if (one.url or "").endswith(BRIEF))
    return found


def act(page: Page, button: str) -> None:
    """Press a button by the keyboard."""
    page.get_by_role("button", name=button, exact=True).first.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.mark.parametrize("with_scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_an_editor_corrects_ties_publishes_and_withdraws_a_brief_by_the_keyboard(
    demo: Demo, chromium: Browser, with_scripts: bool
) -> None:
    page = chromium.new_page(java_script_enabled=with_scripts)
    demo.sign_in(page)
    page.goto(f"{demo.brief}?passage=p3")
    before = entry(demo)
    act(page, "Write “février 2022”")
    assert "février 2022" in page.inner_text("#p3")
    languages = set()
    for passage, count in PICKS.items():
        page.goto(f"{demo.brief}?passage={passage}")
        for _ in range(count):
            card = page.locator("article.card:not(.taken)").first
            languages.add(card.locator(".lang").inner_text())
            card.get_by_role("button", name="Pick", exact=True).focus()
            with page.expect_navigation():
                page.keyboard.press("Enter")
    assert len(languages) >= 3
    page.goto(f"{demo.brief}/preview")
    assert "février 2022" in page.inner_text("article")
    page.goto(demo.brief)
    act(page, "Publish the changes")
    wait_until(lambda: "février 2022" in str(entry(demo).content))
    vias = {link.href for link in entry(demo).links if link.rel == "via"}
    assert len(vias - {link.href for link in before.links}) >= 3
    page.locator("#write summary").focus()
    page.keyboard.press("Enter")
    text = page.locator("#text")
    text.fill(text.input_value().replace("12 février", "13 février"))
    page.locator("#write button").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.fill("#note", "La date de la réunion.")
    act(page, "Correct")
    wait_until(lambda: "La date de la réunion." in str(entry(demo)))
    page.get_by_text("Withdraw", exact=True).first.focus()
    page.keyboard.press("Enter")
    page.fill("#reason", "Le texte reposait sur une erreur.")
    page.locator("#reason + button").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    wait_until(lambda: any(stone.ref == before.id for stone in subscribed(demo).tombstones))
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_anybody_out(demo: Demo, chromium: Browser, scheme: str) -> None:
    # The policy of the pages would keep the checker's own script out.
    page = chromium.new_page(color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    page.goto(f"{demo.url}/desk/sign-in")
    found = _violations(page)
    demo.sign_in(page)
    paths = [
        "/", "/channels/briefs", "/topics/ukraine-talks", f"/briefs/{BRIEF}",
        "/desk/wire", "/desk/wire?q=nothing-at-all", "/desk/wire?q=%22open", "/desk/briefs",
        f"/desk/briefs/{BRIEF}?passage=p3", f"/desk/briefs/{BRIEF}/preview", f"/desk/briefs/{BRIEF}/revisions",
    ]  # fmt: skip
    for path in paths:
        page.goto(demo.url + path)
        found += _violations(page)
    assert found == []
    page.close()


@pytest.mark.parametrize("width", [320, 390, 720, 1440])
def test_nothing_of_a_page_lies_outside_of_its_screen(demo: Demo, chromium: Browser, width: int) -> None:
    # 720 is a desk of 1440 at 200 %, 320 one of 1280 at 400 % (WCAG 1.4.10).
    page = chromium.new_page(viewport={"width": width, "height": 800})
    demo.sign_in(page)
    for path in ("wire", "briefs", f"briefs/{BRIEF}?passage=p3", f"briefs/{BRIEF}/preview"):
        page.goto(f"{demo.url}/desk/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.close()


def _violations(page: Page) -> list[tuple[str, str, str]]:
    return [
        (page.url, each["id"], node["html"])
        for each in Axe().run(page).response["violations"]
        for node in each["nodes"]
    ]
