"""Every route is handed values that no form of ours sends: whatever it says, it does not break.

More examples: WIREBRIEF_SCHEMATHESIS=100 python -m pytest tests/security/test_odd_values.py
"""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from aggregator.store.database import Database
from aggregator.web.service import ROUTERS
from tests.conftest import Clock, strict
from tests.security import odd
from tests.security.conftest import Desk, furnished, signed_in

EXAMPLES = int(os.environ.get("WIREBRIEF_SCHEMATHESIS", "3"))
#: What stands in addresses, so that they lead somewhere.
WORDS = {
    "slug": "riyadh", "brief": "riyadh", "name": "daily", "source_id:int": "1", "story": "1", "channel": "all",
    "key": "1-guess", "number": "1", "token": "guess",
}  # fmt: skip
#: A stream goes on, and the others end what the next request stands on.
LEFT_OUT = {"/desk/events", "/desk/sign-out", "/desk/people/sign-out", "/desk/you/sessions"}
ROUTES = [
    route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute) and route.path not in LEFT_OUT
]  # fmt: skip


@pytest.fixture(scope="module")
def desk(
    prepared_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Desk, asyncio.Runner]]:
    """An admin at the desk, and what runs their requests."""
    path = tmp_path_factory.mktemp("odd") / "wirebrief.db"
    shutil.copy(prepared_file, path)
    with asyncio.Runner() as runner, strict(Database(f"sqlite:///{path}")) as database:
        newsroom = runner.run(furnished(database, Clock()))
        client = newsroom.client()
        yield runner.run(signed_in(newsroom, client)), runner
        runner.run(client.aclose())


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{min(route.methods)} {route.path}")
def test_no_value_breaks_a_route(desk: tuple[Desk, asyncio.Runner], route: APIRoute) -> None:
    at_desk, runner = desk
    parts = {name: st.just(WORDS[name]) | odd.odd for name in re.findall(r"{([\w:]+)}", route.path)}
    fields = st.dictionaries(st.sampled_from(sorted(_names(route))), odd.odd, max_size=3)
    method = min((route.methods or set()) - {"HEAD"})

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(st.fixed_dictionaries(parts), fields)
    def holds(parts: dict[str, str], fields: dict[str, str]) -> None:
        path = re.sub(r"{([\w:]+)}", lambda found: _quoted(parts[found[1]]), route.path)
        said = "&".join(f"{name}={_quoted(value)}" for name, value in fields.items())
        try:
            answer = runner.run(_asked(at_desk, method, path, said))
        except httpx.InvalidURL:
            return
        assert answer.status_code < 500, answer.text

    holds()


async def _asked(desk: Desk, method: str, path: str, said: str) -> httpx.Response:
    if method == "GET":
        return await desk.client.get(f"{path}?{said}")
    head = {"content-type": "application/x-www-form-urlencoded"}
    return await desk.client.request(method, path, content=f"form_token={desk.token}&{said}", headers=head)


def _names(route: APIRoute) -> set[str]:
    """The names that a route reads: in its address, and in forms, by the words of its module."""
    source = inspect.getsource(inspect.getmodule(route.endpoint))  # type: ignore[arg-type]
    words = set(re.findall(r'"([A-Za-z_][\w.-]*)"', source)) & set(odd.fields())
    return {*words, *_queries(route.dependant), "q"}


def _queries(dependant: Dependant) -> Iterator[str]:
    yield from (each.alias for each in dependant.query_params)
    for needed in dependant.dependencies:
        yield from _queries(needed)


def _quoted(value: str) -> str:
    return quote(value.encode("utf-8", "surrogatepass"), safe="")
