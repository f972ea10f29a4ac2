"""The whole OpenAPI description, asked for by schemathesis as nobody and with each kind of key.

More examples: WIREBRIEF_SCHEMATHESIS=500 python -m pytest tests/security/test_described.py
"""

# ruff: noqa: B023 - each example is run within its own turn

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from aggregator.flows.partners import Terms, add_partner
from aggregator.store.database import Database
from tests.conftest import Clock, strict
from tests.security.conftest import furnished
from tests.security.served import served
from tests.web import roles

#: Examples of each operation, for each who asks, well-formed and not.
EXAMPLES = int(os.environ.get("WIREBRIEF_SCHEMATHESIS", "4"))
#: What leads somewhere; every other example keeps what schemathesis thought of.
REAL = {"brief": "riyadh", "slug": "all"}

ACTORS = ("nobody", "viewer's key", "editor's key", "partner's key")
#: These judge by what the description calls valid, where a name may also be one that there is not.
LEFT_OUT = [checks.negative_data_rejection, checks.positive_data_acceptance]

settings_of_ours = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


@pytest.fixture(scope="module")
def service(
    prepared_file: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, dict[str, str]]]:
    """A served newsroom: its address, and the key of each who has one."""
    path = tmp_path_factory.mktemp("described") / "wirebrief.db"
    shutil.copy(str(prepared_file), path)
    with strict(Database(f"sqlite:///{path}")) as database:
        newsroom = asyncio.run(furnished(database, Clock()))
        keys = {"editor's key": "cms-s-key-of-these-tests", "viewer's key": "viewer-s-key-of-these-tests"}
        asyncio.run(newsroom.key(keys["viewer's key"], "viewer"))
        terms = Terms(("all",), per_minute=100_000)
        about = (database, newsroom.clock, "weekly", terms, newsroom.channels)
        keys["partner's key"] = asyncio.run(add_partner(*about, by="chief"))[1]
        with served(newsroom) as (host, port):
            yield f"http://{host}:{port}", keys


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value
)
@pytest.mark.parametrize("actor", ACTORS)
def test_the_description_holds_and_nobody_is_answered_beyond_their_role(
    service: tuple[str, dict[str, str]], actor: str, mode: GenerationMode
) -> None:
    url, keys = service
    head = {"Authorization": f"Bearer {keys[actor]}"} if actor in keys else {}
    allowed = {f"{row.method} {row.path}": actor in row.allowed for row in roles.rows()}
    asked: dict[int, int] = {}
    with requests.Session() as session:
        schema = schemathesis.openapi.from_dict(session.get(f"{url}/api/openapi.json", timeout=10).json())
        for found in schema.get_all_operations():
            operation = found.ok()
            strategy = operation.as_strategy(generation_mode=mode)

            @settings_of_ours
            @given(case=strategy, is_real=st.booleans())
            def holds(case: schemathesis.Case, is_real: bool) -> None:
                if is_real:
                    case.path_parameters = {name: REAL[name] for name in case.path_parameters or {}}
                answer = case.call(base_url=url, session=session, headers=head, timeout=10)
                asked[answer.status_code] = asked.get(answer.status_code, 0) + 1
                case.validate_response(answer, excluded_checks=[*LEFT_OUT, checks.ignored_auth])
                assert allowed[operation.label] or answer.status_code >= 400

            try:
                holds()
            except Exception as error:
                error.add_note(operation.label)
                raise
    assert max(asked) < 500


def test_every_operation_says_which_key_it_needs_and_how_it_refuses(
    service: tuple[str, dict[str, str]],
) -> None:
    found = requests.get(f"{service[0]}/api/openapi.json", timeout=10).json()
    operations = [each for path in found["paths"].values() for each in path.values()]
    assert len(operations) >= 12
    for each in operations:
        assert each["security"] == [{"key": []}]
        assert {"401", "503"} <= each["responses"].keys()
        assert "422" not in each["responses"]
