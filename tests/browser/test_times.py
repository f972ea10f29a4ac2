"""Public pages in a browser: times by the reader's own clock."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Demo

#: So far from UTC that some entries of any day fall on another one.
ZONE = "Pacific/Auckland"


def entries(page: Page) -> list[tuple[str, str, str, str]]:
    """What the page lists: the day it stands under for machines and for people, its moment, its clock."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".entry")].map((entry) => {
            const day = entry.closest("section").querySelector(".date time");
            const time = entry.querySelector("time");
            return [day.dateTime, day.textContent, time.dateTime, time.textContent];
        })"""
    )


def test_a_list_stands_by_the_clock_and_under_the_days_of_whoever_reads(
    demo: Demo, chromium: Browser
) -> None:
    said: list[str] = []
    page = chromium.new_page(timezone_id=ZONE)
    page.on("console", lambda message: said.append(message.text))
    page.goto(demo.url)
    shown = entries(page)
    assert len(shown) == 20
    for day, words, moment, clock in shown:
        own = datetime.fromisoformat(moment).astimezone(ZoneInfo(ZONE))
        assert (day, clock) == (f"{own:%Y-%m-%d}", f"{own:%H:%M}")
        assert words.endswith(f"{own.day} {own:%b} {own:%Y}".replace("Sep ", "Sept "))
    days = [each.get_attribute("datetime") for each in page.query_selector_all(".date time")]
    assert days == sorted(set(days), reverse=True)
    assert page.inner_text("[data-zone]") == f"Times are those of {ZONE}."
    # Nothing was kept out by the policy of the page.
    assert said == []
    page.close()


@pytest.mark.parametrize("about", [{"java_script_enabled": False}, {"timezone_id": "UTC"}])
def test_without_a_clock_of_ones_own_times_are_utc(
    demo: Demo, chromium: Browser, about: dict[str, object]
) -> None:
    page = chromium.new_page(**about)
    page.goto(demo.url)
    assert page.inner_text("[data-zone]") == "Times are UTC."
    if about.get("java_script_enabled", True):
        assert all(moment[11:16] == clock for _, _, moment, clock in entries(page))
    page.close()
