"""What is asked for is a value everywhere: never SQL, never an operator, and never a reason to stall."""

# ruff: noqa: E501 - tables of addresses

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from time import perf_counter
from urllib.parse import quote

import pytest
import pytest_asyncio
from sqlalchemy import text

from aggregator.flows.upkeep import index_search
from aggregator.store.database import Database
from tests.conftest import Clock, strict
from tests.security.attacks import NUMBERS, SEARCH, SQL, UNICODE, Attack
from tests.security.conftest import Desk, furnished, signed_in

KEY = {"authorization": "Bearer cms-s-key-of-these-tests"}
#: Where something can be asked for; several values in one address where no one is refused before the next is read.
ASKED = (
    "/desk/wire?q={x}", "/desk/wire?state={x}&topic={x}&language={x}&source={x}&span={x}&before={x}", "/desk/wire/1?q={x}",
    "/desk/wire/{x}", "/desk/sources?q={x}", "/desk/sources?show={x}&sort={x}&page={x}&told={x}&n={x}",
    "/desk/sources/1?before={x}&told={x}", "/desk/sources/{x}", "/desk/audit?by={x}&act={x}&subject={x}&before={x}",
    "/desk/briefs/{x}", "/desk/topics/{x}", "/desk/topics/talks?state={x}", "/desk/partners/{x}", "/desk/channels/{x}",
    "/desk/views/{x}.atom", "/desk/join?token={x}", "/briefs/{x}", "/channels/{x}.atom", "/channels/all/archive/{x}.atom",
    "/channels/all/embed?entries={x}", "/api/stories?q={x}", "/api/stories?topic={x}", "/api/stories?language={x}",
    "/api/stories?since={x}", "/api/stories?limit={x}", "/api/briefs/{x}", "/api/briefs/{x}/reach",
    "/api/channels/{x}/changes", "/api/channels/all/changes?since={x}", "/websub/{x}",
)  # fmt: skip
SENT = (
    ("/desk/wire/1/mark", ("act", "decided", "why", "before")),
    ("/desk/wire/1/undo-merge", ("merge",)),
    ("/desk/views", ("name", "query")),
    ("/desk/views/{x}/remove", ("query",)),
    ("/desk/sources/1", ("kind", "language", "reuse", "rights", "title")),
    ("/desk/sources/1/keep", ("days",)),
    ("/desk/sources/1/pause", ("act",)),
    ("/desk/sources/1/identity", ("act",)),
    ("/desk/briefs/riyadh/picks", ("passage", "story", "act")),
    ("/desk/briefs/riyadh/checks", ("passage", "kind", "act", "why", "sources_say")),
    ("/desk/briefs/riyadh/embargo", ("until", "act")),
    ("/desk/partners/daily/keys", ("key", "expires")),
    ("/desk/partners/daily/keys/revoke", ("key",)),
    ("/desk/partners/{x}/revoke", ("sure",)),
    ("/desk/people/role", ("name", "role")),
    ("/desk/people/revoke", ("name", "sure")),
    ("/desk/people/keys/revoke", ("key",)),
    ("/desk/topics/talks", ("began", "any", "languages", "sources", "title")),
    ("/desk/topics/talks/channel", ("slug", "entries", "languages", "title")),
    ("/desk/you", ("language", "zone")),
    ("/desk/you/passkeys", ("passkey",)),
)

#: Seconds that a question may take on a busy machine; what sleeps or backtracks takes longer.
PATIENCE = 4.0
#: What no question changes.
KEPT = ("account", "source", "story", "brief", "publication", "partner", "definition")


#: One newsroom of this file for each database: an attack that changed it would fail all that follow.
pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH = pytest.mark.parametrize("desk", ["sqlite", "postgresql"], indirect=True)
SQLITE = pytest.mark.parametrize("desk", ["sqlite"], indirect=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """An admin at the desk."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("queries") / "wirebrief.db"
        shutil.copy(request.getfixturevalue("prepared_file"), path)
        url = f"sqlite:///{path}"
    else:
        url = request.getfixturevalue("postgresql_server").swept()
    with strict(Database(url)) as database:
        newsroom = await furnished(database, Clock())
        await index_search(database)
        async with newsroom.client() as client:
            yield await signed_in(newsroom, client)


@BOTH
@pytest.mark.parametrize("attack", SQL, ids=str)
async def test_no_value_is_taken_for_sql(desk: Desk, attack: Attack) -> None:
    before = tables(desk)
    await tried(desk, attack.text, is_asked_only=desk.newsroom.database.is_sqlite)
    assert tables(desk) == before
    for asked in ("language", "topic"):
        found = await desk.client.get("/api/stories", params={asked: attack.text}, headers=KEY)
        assert found.status_code == 400 or found.json() == {"stories": []}


@BOTH
@pytest.mark.parametrize("attack", SEARCH, ids=str)
async def test_no_search_breaks_or_stalls(desk: Desk, attack: Attack) -> None:
    # An address is as long as a server takes one; a topic's form takes more.
    said = quote(attack.text)
    for path in ("/desk/wire?q=", "/desk/sources?q=", "/api/stories?q="):
        await asked(desk, path + said)
    for path in ("/desk/new-topic/try", "/desk/topics/talks/try"):
        began = perf_counter()
        answer = await desk.send(path, any=attack.text, none=attack.text, title="x", slug="x", began="0")
        assert answer.status_code in (200, 400)
        assert perf_counter() - began < PATIENCE
    answer = await desk.send("/desk/views", name="x", query=f"q={said}")
    assert answer.status_code in (303, 400)


@SQLITE
@pytest.mark.parametrize("attack", NUMBERS, ids=str)
async def test_no_number_is_too_large_or_none(desk: Desk, attack: Attack) -> None:
    before = tables(desk)
    await tried(desk, attack.text)
    answer = await desk.send(
        "/desk/partners", **{"name": "new", "channel:all": "on", "reuse": "full", "per_minute": attack.text}
    )
    assert answer.status_code in (200, 400)
    assert {**tables(desk), "partner": 0} == {**before, "partner": 0}


@SQLITE
@pytest.mark.parametrize("attack", UNICODE, ids=str)
async def test_no_spelling_of_text_breaks_a_page(desk: Desk, attack: Attack) -> None:
    for path in ASKED:
        await asked(desk, path.replace("{x}", attack.text))
    head = {"content-type": "application/x-www-form-urlencoded"}
    for path, fields in SENT:
        body = "&".join(f"{name}={attack.text}" for name in ("form_token", *fields))
        body = body.replace(attack.text, desk.token, 1)
        answer = await desk.client.post(path.replace("{x}", "x"), content=body.encode(), headers=head)
        assert answer.status_code < 500, (path, answer.text)


async def tried(desk: Desk, said: str, *, is_asked_only: bool = False) -> None:
    """Ask for it wherever something can be asked for, and send it in every form."""
    for path in ASKED:
        await asked(desk, path.replace("{x}", quote(said, safe="")))
    # A form leads to the same statements on both; the stricter of the two has to take it.
    for path, fields in () if is_asked_only else SENT:
        began = perf_counter()
        answer = await desk.send(path.replace("{x}", "x"), **dict.fromkeys(fields, said))
        assert answer.status_code < 500, (path, answer.text)
        assert perf_counter() - began < PATIENCE, path


async def asked(desk: Desk, path: str) -> None:
    began = perf_counter()
    answer = await desk.client.get(path, headers=KEY)
    assert answer.status_code < 500, (path, answer.text)
    assert perf_counter() - began < PATIENCE, path


def tables(desk: Desk) -> dict[str, int]:
    """How many rows there are of what no question changes."""
    counted = {name: f"SELECT count(*) FROM {name}" for name in KEPT}  # noqa: S608 - names of ours
    return desk.newsroom.database.read_now(
        lambda session: {name: session.execute(text(sql)).scalar_one() for name, sql in counted.items()}
    )
