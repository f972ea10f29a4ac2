"""Every request can be found again: by its id, in the answer and in the log, where no secret stands."""

from __future__ import annotations

import json
import logging

import httpx
import pytest

from aggregator import logs
from aggregator.store.database import Database
from aggregator.web.requests import NOWHERE, shown_path
from tests.web.newsroom import Newsroom, lost


async def test_every_answer_says_the_id_of_its_request(reader: httpx.AsyncClient) -> None:
    ids = [(await reader.get(path)).headers["x-request-id"] for path in ("/", "/nowhere", "/alive")]
    assert len(set(ids)) == 3
    assert all(len(id) == 16 for id in ids)


async def test_the_id_of_a_proxy_is_taken_if_it_can_be_nothing_else(reader: httpx.AsyncClient) -> None:
    fine = "0af7651916cd43dd-8448_eb211c80319c"
    assert (await reader.get("/", headers={"X-Request-ID": fine})).headers["x-request-id"] == fine
    for bad in ("short", "x" * 65, "a b c d e f", "id<script>alert", "é" * 8, 'quote"quote', "12345678\t9"):
        answer = await reader.get("/", headers={"X-Request-ID": bad.encode()})
        assert len(answer.headers["x-request-id"]) == 16


async def test_documents_carry_no_id_since_caches_keep_them(newsroom: Newsroom) -> None:
    await newsroom.render()
    async with newsroom.client() as reader:
        for _ in range(2):
            assert "x-request-id" not in (await reader.get("/channels/all.atom")).headers
        assert "x-request-id" in (await reader.get("/channels/none.atom")).headers


async def test_a_page_that_says_that_something_is_wrong_names_its_request(
    newsroom: Newsroom, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with newsroom.client() as reader:
        await reader.get("/")
        with lost(database, "brief"):
            answer = await reader.get("/briefs/riyadh")
    id = answer.headers["x-request-id"]
    assert answer.status_code == 503
    assert f"<code>{id}</code>" in answer.text
    said = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert said == ["request failed", "request answered"]


async def test_a_line_of_log_says_the_route_and_the_path_but_no_query(
    reader: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "aggregator.web.requests")
    await reader.get("/topics/talks?token=hush-hush", headers={"X-Request-ID": "from-the-proxy"})
    (record,) = [each for each in caplog.records if each.message == "request answered"]
    told = json.loads(logs.JsonFormatter().format(record))
    assert (told["route"], told["path"], told["status"]) == ("/topics/{slug}", "/topics/talks", 200)
    assert "hush" not in json.dumps(told)


@pytest.mark.parametrize(
    ("path", "route", "shown"),
    [
        ("/briefs/riyadh", "/briefs/{slug}", "/briefs/riyadh"),
        ("/websub/Zm9vYmFyMTIz", "/websub/{token}", "/websub/{token}"),
        ("/desk/views/feeds/abc.atom", "/desk/views/feeds/{key}.atom", "/desk/views/feeds/{key}.atom"),
        ("/wp-login.php", NOWHERE, "/wp-login.php"),
        ("/desk/jion/k3Jx-90aVbQ_w8sTzLm4RrYy", NOWHERE, "***"),
        ("/a/" + "b" * 500, "/a/{b}", "/a/" + "b" * 197),
    ],
)
def test_a_path_is_shown_only_where_it_opens_nothing(path: str, route: str, shown: str) -> None:
    assert shown_path(path, route) == shown
