"""Ways in beside a password, in a real Chromium, from the first link on.

Passkeys with the device that Chromium brings for tests, and a provider of OpenID Connect on loopback.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.desk import Desk, free_port, wait_until
from tests.browser.conftest import violations
from tests.web.provider import CLIENT, SECRET, TheirSide, provided

PASSWORD = "seven quiet harbour cranes"


@pytest.fixture
def theirs() -> Iterator[TheirSide]:
    """The newsroom's provider, at which Cleo is signed in."""
    with provided(TheirSide(time.time, claims={})) as theirs:
        yield theirs


@pytest.fixture
def link(tmp_path: Path, theirs: TheirSide) -> Iterator[str]:
    """The first link of a desk that is served at http://localhost, where browsers let a site have passkeys."""
    port = free_port()
    about = {"WIREBRIEF_SITE__URL": f"http://localhost:{port}", "WIREBRIEF_SERVE__PORT": str(port)}
    told = {"ISSUER": theirs.issuer, "CLIENT_ID": CLIENT, "CLIENT_SECRET": SECRET, "LABEL": "Harbour ID"}
    desk = Desk(tmp_path, about | {f"WIREBRIEF_OIDC__{name}": value for name, value in told.items()})
    found = re.search(r"http://localhost\S+/desk/join\S+", desk.run("init", "--name", "cleo").out)
    assert found is not None
    with desk.started("serve") as process:
        process.says("The editors' desk")
        yield found[0]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A browser with a telephone's own passkeys, whose owner always agrees."""
    context = chromium.new_context()
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    about = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": about})
    yield page
    context.close()


def test_whoever_adds_a_passkey_or_connects_their_account_signs_in_by_it(
    link: str, theirs: TheirSide, page: Page
) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    wait_until(lambda: _answers(page, link))
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "join" not in url)
    here = link.partition("/desk")[0]

    page.goto(f"{here}/desk/you")
    page.fill("#passkey-name", "my telephone")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/you?done=passkey")
    expect(page.get_by_role("status").first).to_contain_text("The passkey was added")
    assert violations(page) == []
    # The device says that it has one for this person already.
    page.fill("#passkey-name", "my telephone again")
    page.keyboard.press("Enter")
    expect(page.locator("form[data-passkey] [role=alert]")).to_have_text(
        "This device holds a passkey of yours already."
    )

    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/desk/sign-in")
    assert violations(page) == []
    page.goto(f"{here}/desk/you")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/desk/you")
    expect(page.locator(".sessions").first).to_contain_text("by passkey")

    page.get_by_role("button", name="Remove the passkey my telephone").click()
    page.wait_for_url("**/desk/you?done=passkey-gone")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/desk/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("form[data-passkey] [role=alert]")).to_contain_text(
        "This passkey opens nothing here."
    )

    page.get_by_role("link", name="Sign in with Harbour ID").click()
    expect(page.locator("#problem")).to_contain_text("Harbour ID does not say which account is yours")
    # On that very page, whose address is the provider's way back.
    page.fill("#name", "cleo")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)
    page.goto(f"{here}/desk/you")
    page.get_by_role("link", name="Connect your account").click()
    page.wait_for_url("**/desk/you?done=connected")
    assert violations(page) == []
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/desk/sign-in")
    page.get_by_role("link", name="Sign in with Harbour ID").click()
    page.wait_for_url(lambda url: url.startswith(here) and "sign-in" not in url)
    assert [line for line in said if "403" not in line] == [], "no script was kept from running"


def test_without_a_script_nothing_is_offered_that_needs_one(link: str, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    wait_until(lambda: _answers(page, link))
    page.goto(link.partition("/desk")[0] + "/desk/sign-in")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    context.close()


def _answers(page: Page, address: str) -> bool:
    answer = page.goto(address)
    return answer is not None and answer.ok
