"""Every route is asked for as everybody: nobody is answered beyond their role."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from aggregator.flows.partners import Terms, add_partner
from aggregator.people import ROLES
from aggregator.store.database import Database
from tests.conftest import Clock
from tests.store.newsroom import keep_stories, says
from tests.web import roles
from tests.web.desk_users import PASSWORD, account
from tests.web.newsroom import BRIEF, Newsroom

ROWS = roles.rows()
#: What stands in the addresses, so that they lead somewhere.
WORDS = {
    "slug": "riyadh", "brief": "riyadh", "name": "daily", "source_id:int": "1", "story": "1", "channel": "all",
    "key": "1-guess", "number": "1", "token": "guess",
}  # fmt: skip
#: Whoever asks for these would end what the next request stands on.
LAST = ("/desk/sign-out",)

REFUSED = (401, 403)

#: What a browser would do with the cookie of whoever is signed in.
DECIDING = [row for row in ROWS if row.method != "GET" and row.path.startswith("/desk/") and not row.note]
#: Forms for whoever is not signed in yet.
OPEN = {"/desk/sign-in", "/desk/sign-in/passkey", "/desk/sign-in/passkey/options"}


@pytest.fixture
async def newsroom(sqlite_database: Database, clock: Clock) -> Newsroom:
    """A newsroom with one of everything that addresses name. Rights do not depend on the database."""
    newsroom = Newsroom(sqlite_database, clock)
    keep_stories(sqlite_database, says("riyadh"))
    await newsroom.brief(BRIEF)
    await newsroom.render()
    for role in ROLES:
        await account(newsroom, role, role, PASSWORD)
    for role in ("viewer", "editor", "chief"):
        await newsroom.key(f"{role}-s-key-of-these-tests", role)
    return newsroom


@pytest.fixture
async def partner(newsroom: Newsroom) -> str:
    """The key of a partner that may take every channel."""
    terms = Terms(tuple(channel.slug for channel in newsroom.channels), per_minute=100_000)
    about = (newsroom.database, newsroom.clock, "daily", terms, newsroom.channels)
    return (await add_partner(*about, by="chief"))[1]


@pytest.fixture(params=roles.ACTORS)
async def actor(
    request: pytest.FixtureRequest, newsroom: Newsroom, partner: str
) -> AsyncIterator[tuple[str, httpx.AsyncClient]]:
    """Somebody who asks, by what they are."""
    name = str(request.param)
    async with newsroom.client() as client:
        if name in ROLES:
            answer = await client.post("/desk/sign-in", data={"name": name, "password": PASSWORD})
            assert answer.status_code == 303
        elif name == "partner's key":
            client.headers["authorization"] = f"Bearer {partner}"
        elif name.endswith("'s key"):
            role = name.removesuffix("'s key")
            client.headers["authorization"] = f"Bearer {role}-s-key-of-these-tests"
        yield name, client


async def test_nobody_is_answered_beyond_their_role(actor: tuple[str, httpx.AsyncClient]) -> None:
    name, client = actor
    token = ""
    if name in ROLES:
        found = re.search(r'name="form_token" value="([^"]+)"', (await client.get("/desk/you")).text)
        assert found is not None
        token = found[1]
    wrong = []
    for row in sorted(ROWS, key=lambda row: (row.path in LAST, row.path, row.method)):
        if row.note or row.path == "/desk/events":
            continue
        path = re.sub(r"{([\w:]+)}", lambda found: WORDS[found[1]], row.path)
        kind = "json" if row.path in roles.BY_SCRIPT else "data"
        sent = {kind: {"form_token": token}} if row.method != "GET" and token else {}
        answer = await client.request(row.method, path, **sent)  # type: ignore[arg-type]
        is_led_away = "/desk/sign-in?next=" in answer.headers.get("location", "")
        is_refused = (answer.status_code in REFUSED and path not in OPEN) or is_led_away
        if answer.status_code >= 500 or is_refused == (name in row.allowed):
            wrong.append((row.method, path, answer.status_code, answer.headers.get("location")))
    assert wrong == []


@pytest.mark.parametrize("row", DECIDING, ids=lambda row: row.path)
async def test_what_another_site_lets_a_browser_send_is_refused(newsroom: Newsroom, row: roles.Row) -> None:
    # A session alone does nothing: neither without the token of the form, nor from another origin.
    path = re.sub(r"{([\w:]+)}", lambda found: WORDS[found[1]], row.path)
    async with newsroom.client() as client:
        await client.post("/desk/sign-in", data={"name": "admin", "password": PASSWORD})
        page = (await client.get("/desk/you")).text
        found = re.search(r'name="form_token" value="([^"]+)"', page)
        assert found is not None
        theirs = {"Origin": "https://evil.example"}
        fields = {"form_token": found[1], "name": "admin", "password": PASSWORD}
        kind = "json" if path in roles.BY_SCRIPT else "data"
        across = await client.request(row.method, path, **{kind: fields}, headers=theirs)  # type: ignore[arg-type]
        bare = await client.request(row.method, path, **{kind: {"act": "publish"}})  # type: ignore[arg-type]
    assert across.status_code == 403
    if path not in OPEN:
        assert bare.status_code == 403


async def test_a_role_that_was_taken_away_is_gone_with_the_next_request(newsroom: Newsroom) -> None:
    from aggregator.flows import people

    about = (newsroom.database, newsroom.clock)
    await people.add_account(*about, "another", "admin", by="admin")
    async with newsroom.client() as client:
        await client.post("/desk/sign-in", data={"name": "admin", "password": PASSWORD})
        assert (await client.get("/desk/people")).status_code == 200
        await people.set_role(*about, "admin", "viewer", by="another")
        assert (await client.get("/desk/people")).status_code == 403
        await people.revoke_account(*about, "admin", by="another")
        assert (await client.get("/desk/wire")).status_code == 303
        newsroom.clock.move(timedelta(seconds=1))


def test_the_page_of_roles_is_that_of_the_code() -> None:
    page = Path(__file__).parents[2] / "docs" / "roles.md"
    assert page.read_text(encoding="utf-8") == roles.table(), "python -m tests.web.roles > docs/roles.md"


def test_every_post_of_the_desk_stands_behind_a_guard_or_says_why_not() -> None:
    open_to_all = {row.path for row in ROWS if row.method != "GET" and "nobody" in row.allowed}
    assert sorted(open_to_all - set(roles.TOKENS)) == [
        "/desk/sign-in",
        "/desk/sign-in/passkey",
        "/desk/sign-in/passkey/options",
        "/hub",
    ]
