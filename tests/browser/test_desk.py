from __future__ import annotations

import urllib.request

import pytest
from playwright.sync_api import Browser, Page, expect

from feeds.model import Entry, Feed
from feeds.read import parse
from tests.acceptance.desk import wait_until
from tests.browser.conftest import BRIEF, Demo, violations

#: Five stories in three languages and more, by what is picked for which passage.
PICKS = {"p1": 2, "p2": 2, "p8": 1}


def subscribed(demo: Demo) -> Feed:
    """What a subscriber's poll of the briefs holds now."""
    with urllib.request.urlopen(f"{demo.url}/channels/briefs.atom", timeout=10) as answer:  # noqa: S310 - loopback
        return parse(answer.read())


def entry(demo: Demo) -> Entry:
    (found,) = (one for one in subscribed(demo).entries if (one.url or "").endswith(BRIEF))
    return found


def act(page: Page, button: str, then: str) -> None:
    """Press a button by the keyboard, and wait until the page says what follows."""
    page.get_by_role("button", name=button, exact=True).first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text(then)


@pytest.mark.parametrize("with_scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_an_editor_corrects_ties_publishes_and_withdraws_a_brief_by_the_keyboard(
    own_demo: Demo, chromium: Browser, with_scripts: bool
) -> None:
    demo = own_demo
    page = chromium.new_page(java_script_enabled=with_scripts)
    demo.sign_in(page)
    page.goto(f"{demo.brief}?passage=p3")
    before = entry(demo)
    act(page, "Write “février 2022”", "en février 2022.")
    assert "février 2022" in page.inner_text("#p3")
    languages = set()
    for passage, count in PICKS.items():
        page.goto(f"{demo.brief}?passage={passage}")
        for _ in range(count):
            card = page.locator("article.card:not(.taken)").first
            languages.add(card.locator(".lang").inner_text())
            id = card.get_attribute("id")
            card.get_by_role("button", name="Pick", exact=True).focus()
            page.keyboard.press("Enter")
            expect(page.locator(f"#{id}.taken")).to_be_visible()
    assert len(languages) >= 3
    page.goto(f"{demo.brief}/preview")
    assert "février 2022" in page.inner_text("article")
    page.goto(demo.brief)
    act(page, "Publish the changes", "Readers have all of this.")
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
    act(page, "Correct", "corrected by demo: La date de la réunion.")
    wait_until(lambda: "La date de la réunion." in str(entry(demo)))
    page.get_by_text("Withdraw", exact=True).first.focus()
    page.keyboard.press("Enter")
    page.fill("#reason", "Le texte reposait sur une erreur.")
    page.locator("#reason + button").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    wait_until(lambda: any(stone.ref == before.id for stone in subscribed(demo).tombstones))
    page.close()


def test_single_letters_walk_pick_and_undo(demo: Demo, chromium: Browser) -> None:
    page = chromium.new_page()
    demo.sign_in(page)
    page.goto(f"{demo.brief}?passage=p8")
    cards = page.locator("article.card")
    first, second = (cards.nth(n).get_attribute("id") for n in (0, 1))
    page.keyboard.press("j")
    expect(page.locator(f"#{first}")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    expect(page.locator(f"#{second}")).to_be_focused()
    is_taken = "taken" in (page.locator(f"#{second}").get_attribute("class") or "")
    page.keyboard.press("u" if is_taken else "p")
    expect(page.locator(f"#{second}.taken")).to_have_count(0 if is_taken else 1)
    # The page around it is another one now, and the keys go on from where they were.
    expect(page.locator(f"#{second}")).to_be_focused()
    page.keyboard.press("p" if is_taken else "u")
    expect(page.locator(f"#{second}.taken")).to_have_count(1 if is_taken else 0)
    page.keyboard.press("]")
    page.wait_for_url("**passage=p9#p9")
    page.keyboard.press("[")
    page.wait_for_url("**passage=p8#p8")
    page.keyboard.press("e")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("?")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.close()


def test_single_letters_can_be_switched_off(demo: Demo, chromium: Browser) -> None:
    page = chromium.new_page()
    demo.sign_in(page)
    page.goto(f"{demo.brief}?passage=p3")
    page.keyboard.press("?")
    page.check("#keys [data-off]")
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("]")
    page.keyboard.press("j")
    expect(page.locator("[data-row].on")).to_have_count(0)
    assert page.url.endswith("passage=p3")
    page.close()


def test_a_reason_lights_up_both_places_that_it_speaks_of(demo: Demo, chromium: Browser) -> None:
    page = chromium.new_page()
    demo.sign_in(page)
    page.goto(f"{demo.brief}?passage=p3")
    card = page.locator("article.card").first
    marked = {mark.inner_text() for mark in card.locator("mark").all()}
    chip = next(
        each
        for each in card.locator("[data-pair]").all()
        if each.locator("bdi").nth(1).inner_text() in marked
    )
    chip.focus()
    expect(page.locator(".passage.active mark.lit").first).to_be_visible()
    expect(card.locator("mark.lit").first).to_be_visible()
    chip.blur()
    expect(page.locator("mark.lit")).to_have_count(0)
    page.close()


#: Every page that an editor sees, and some states of it.
DESK = [
    "today", "wire", "wire?q=riyad", "wire?q=nothing-at-all", "wire?q=%22open", "wire?state=spiked", "wire/1",
    "briefs", "briefs?state=withdrawn", f"briefs/{BRIEF}?passage=p3", f"briefs/{BRIEF}/preview",
    f"briefs/{BRIEF}/revisions", "sources", "sources?show=silent", "sources/1", "sources/add", "topics",
    "topics/ukraine-talks", "new-topic", "channels", "channels/briefs", "channels/briefs?what=1", "partners", "you",
]  # fmt: skip
PUBLIC = ["", "channels/briefs", "topics/ukraine-talks", f"briefs/{BRIEF}", "nowhere"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_anybody_out(demo: Demo, chromium: Browser, scheme: str) -> None:
    # The policy of the pages would keep the checker's own script out.
    page = chromium.new_page(color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    page.goto(f"{demo.url}/desk/sign-in")
    found = violations(page)
    # In the dark only the colours are others.
    rules = ["color-contrast"] if scheme == "dark" else []
    demo.sign_in(page)
    for path in [*PUBLIC, *(f"desk/{path}" for path in DESK)]:
        page.goto(f"{demo.url}/{path}")
        found += violations(page, *rules)
    assert found == []
    page.close()


def test_nothing_of_a_page_lies_outside_of_its_screen(demo: Demo, chromium: Browser) -> None:
    page = chromium.new_page()
    demo.sign_in(page)
    wide = []
    for path in [*PUBLIC, *(f"desk/{path}" for path in DESK)]:
        page.goto(f"{demo.url}/{path}")
        # 720 is a desk of 1440 at 200 %, 320 one of 1280 at 400 % (WCAG 1.4.10).
        for width in (1440, 720, 390, 320):
            page.set_viewport_size({"width": width, "height": 800})
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wide.append((path, width))
    assert wide == []
    page.close()


def test_the_desk_is_french_where_the_browser_is(demo: Demo, chromium: Browser) -> None:
    page = chromium.new_page(locale="fr-FR")
    page.goto(f"{demo.url}/desk/sign-in")
    demo.sign_in(page)
    page.goto(demo.brief)
    assert page.inner_text("nav[aria-label=Rédaction]").split()[:2] == ["Aujourd’hui", "Fil"]
    expect(page.locator("footer")).to_contain_text("Les heures sont celles de")
    page.close()
