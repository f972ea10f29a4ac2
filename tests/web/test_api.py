"""The API: who may ask, what is answered, and what is said to a mistake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import product
from typing import Any

import httpx
import pytest

from aggregator.flows.link import link_stored
from aggregator.flows.upkeep import index_search
from aggregator.flows.views import story_json
from aggregator.store import briefs
from tests.conftest import NOW
from tests.store.newsroom import keep_stories, says, stored
from tests.web.newsroom import Newsroom, lost

CALLS = [
    ("GET", "/api/stories"),
    ("GET", "/api/briefs"),
    ("GET", "/api/briefs/riyadh"),
    ("GET", "/api/briefs/riyadh/link"),
    ("POST", "/api/briefs/riyadh/picks"),
    ("DELETE", "/api/briefs/riyadh/picks"),
    ("POST", "/api/briefs/riyadh/publish"),
    ("GET", "/api/briefs/riyadh/reach"),
]
#: What partners call with keys of their own; see test_partners.py.
FOR_PARTNERS = [
    ("GET", "/api/partner"),
    ("GET", "/api/partner/usage"),
    ("GET", "/api/channels"),
    ("GET", "/api/channels/{slug}/changes"),
]


@pytest.fixture
async def ada(newsroom: Newsroom) -> AsyncIterator[httpx.AsyncClient]:
    """Ada's program, with her key; there is a brief and there are two stories."""
    told = says("riyadh", "Lavrov and Rubio meet in Riyadh", summary="Four hours of talks.", updated=NOW)
    keep_stories(newsroom.database, told)
    keep_stories(
        newsroom.database,
        says("paris", "Réunion à Paris", language="fr", published=NOW - timedelta(days=2)),
    )
    await newsroom.brief()
    await newsroom.render()
    await index_search(newsroom.database)
    await newsroom.key()
    async with newsroom.client() as client:
        client.headers["authorization"] = "Bearer ada-s-key"
        yield client


async def titles(client: httpx.AsyncClient, **asked: str) -> list[str]:
    response = await client.get("/api/stories", params=asked)
    assert response.status_code == 200, response.text
    return [story["title"] for story in response.json()["stories"]]


async def test_nothing_is_told_or_done_without_a_key(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await newsroom.brief()
    keys = (None, "Bearer", "Bearer ", "Basic ada-s-key", "ada-s-key")
    for (method, path), key in product(CALLS, keys):
        headers = {"authorization": key} if key else {}
        response = await reader.request(method, path, headers=headers)
        assert response.status_code == 401
        assert response.json() == {"error": "Send your key as Authorization: Bearer KEY."}
        assert response.headers["www-authenticate"] == 'Bearer realm="wirebrief"'


async def test_a_key_that_is_nobodys_opens_nothing(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await newsroom.brief()
    for method, path in CALLS:
        response = await reader.request(method, path, headers={"authorization": "Bearer wrong"})
        assert response.status_code == 401
        assert 'error="invalid_token"' in response.headers["www-authenticate"]


async def test_a_story_is_told_as_the_command_tells_it(newsroom: Newsroom, ada: httpx.AsyncClient) -> None:
    first = (await ada.get("/api/stories")).json()["stories"][0]
    assert first == {
        "id": 1,
        "url": "https://wire.example/riyadh",
        "title": "Lavrov and Rubio meet in Riyadh",
        "summary": "Four hours of talks.",
        "language": "en",
        "published": "2025-02-18T09:00:00Z",
        "updated": "2025-02-18T09:00:00Z",
        "first_seen": "2025-02-18T09:00:00Z",
        "source": {"name": "wire.example", "url": "https://wire.example/feed"},
        "versions": 1,
        "topics": ["talks"],
        "cluster": None,
    }
    assert first == story_json(stored(newsroom.database)[0])


FOUND: list[tuple[Any, Any]] = [
    ({}, ["Lavrov and Rubio meet in Riyadh", "Réunion à Paris"]),
    ({"q": "lavrov OR reunion"}, ["Lavrov and Rubio meet in Riyadh", "Réunion à Paris"]),
    ({"q": "paris"}, ["Réunion à Paris"]),
    ({"q": " "}, ["Lavrov and Rubio meet in Riyadh", "Réunion à Paris"]),
    ({"topic": "talks"}, ["Lavrov and Rubio meet in Riyadh"]),
    ({"language": "fr"}, ["Réunion à Paris"]),
    ({"since": "2025-02-17"}, ["Lavrov and Rubio meet in Riyadh"]),
    ({"since": "2025-02-18T10:00:00+01:00"}, ["Lavrov and Rubio meet in Riyadh"]),
    ({"since": "2025-02-18T09:00:01Z"}, []),
    ({"limit": "1"}, ["Lavrov and Rubio meet in Riyadh"]),
]


async def test_stories_are_found_by_every_condition(ada: httpx.AsyncClient) -> None:
    for asked, expected in FOUND:
        assert await titles(ada, **asked) == expected


UNREADABLE: list[tuple[Any, Any]] = [
    ({"q": '"open'}, "A quotation mark is opened and never closed"),
    ({"topic": "nope"}, "There is no topic 'nope': there is talks."),
    ({"since": "yesterday"}, "since = 'yesterday' is no time"),
    ({"limit": "0"}, "limit cannot be used"),
    ({"limit": "many"}, "limit cannot be used"),
]


async def test_a_question_that_cannot_be_read_is_answered_with_a_sentence(ada: httpx.AsyncClient) -> None:
    for asked, said in UNREADABLE:
        response = await ada.get("/api/stories", params=asked)
        assert response.status_code == 400
        assert list(response.json()) == ["error"]
        assert said in response.json()["error"]


async def test_briefs_are_listed_and_shown_with_their_picks(
    newsroom: Newsroom, ada: httpx.AsyncClient
) -> None:
    await newsroom.pick(1, "p1")
    listed = (await ada.get("/api/briefs")).json()["briefs"]
    assert listed == [
        {
            "id": 1,
            "slug": "riyadh",
            "title": "Talks open in Riyadh without Kyiv",
            "date": "2025-02-18",
            "language": "en",
            "state": "draft",
            "revisions": 1,
            "created": "2025-02-18T09:00:00Z",
            "saved": "2025-02-18T09:00:00Z",
            "picks": 1,
        }
    ]
    shown = (await ada.get("/api/briefs/riyadh")).json()
    passages = shown.pop("passages")
    assert shown == listed[0]
    assert [passage["id"] for passage in passages] == ["p0", "p1", "p2"]
    assert passages[2]["label"] == "Background"
    assert [passage["picks"] for passage in passages] == [
        [],
        [
            {
                "story": 1,
                "role": "source",
                "url": "https://wire.example/riyadh",
                "title": "Lavrov and Rubio meet in Riyadh",
                "language": "en",
                "source": "wire.example",
                "picked_by": "ada",
                "picked_at": "2025-02-18T09:00:02Z",
            }
        ],
        [],
    ]
    assert (await ada.get("/api/briefs/1")).json()["slug"] == "riyadh"


async def test_suggestions_are_those_of_the_command(newsroom: Newsroom, ada: httpx.AsyncClient) -> None:
    response = await ada.get("/api/briefs/riyadh/link")
    assert response.json() == await link_stored(newsroom.database, "riyadh")
    assert [passage["id"] for passage in response.json()["passages"]] == ["p0", "p1", "p2"]


async def test_a_pick_is_taken_in_the_name_of_the_key(newsroom: Newsroom, ada: httpx.AsyncClient) -> None:
    asked: dict[str, Any] = {"passage": "p1", "story": "https://wire.example/paris", "role": "quote"}
    response = await ada.post("/api/briefs/riyadh/picks", json=asked)
    assert response.status_code == 200
    assert response.json()["changed"] is True
    assert response.json()["brief"]["picks"] == 1
    assert response.json()["story"]["title"] == "Réunion à Paris"
    known = newsroom.database.read_now(lambda s: briefs.named(s, "riyadh"))
    assert known is not None
    (link,) = known.links
    assert (link.passage, link.role.value, link.picked_by) == ("p1", "quote", "cms-editor")
    again = await ada.post("/api/briefs/riyadh/picks", json=asked)
    assert again.json()["changed"] is False


async def test_a_pick_is_taken_back_by_body_or_by_query(newsroom: Newsroom, ada: httpx.AsyncClient) -> None:
    path = "/api/briefs/riyadh/picks"
    for passage in ("p1", "p2"):
        await ada.post(path, json={"passage": passage, "story": 1})
    by_body = await ada.request("DELETE", path, json={"passage": "p1", "story": 1})
    assert (by_body.json()["changed"], by_body.json()["brief"]["picks"]) == (True, 1)
    by_query = await ada.delete(path, params={"passage": "p2", "story": "1"})
    assert (by_query.json()["changed"], by_query.json()["brief"]["picks"]) == (True, 0)
    again = await ada.delete(path, params={"passage": "p2", "story": "1"})
    assert (again.status_code, again.json()["changed"]) == (200, False)
    unnamed = await ada.delete(path, params={"passage": "p2"})
    assert unnamed.status_code == 400


IMPOSSIBLE: list[tuple[Any, Any]] = [
    ({"passage": "p9", "story": 1}, "has no passage 'p9'"),
    ({"passage": "p1", "story": 99}, "There is no story '99'"),
    ({"passage": "p1"}, "story"),
    ({"passage": "p1", "story": 1, "role": "hero"}, "role cannot be used"),
    ({"passage": "p1", "story": 1, "rôle": "quote"}, "rôle cannot be used"),
    ([], "The body cannot be used"),
]


async def test_a_pick_that_cannot_be_taken_says_why(ada: httpx.AsyncClient) -> None:
    for asked, said in IMPOSSIBLE:
        response = await ada.post("/api/briefs/riyadh/picks", json=asked)
        assert response.status_code == 400
        assert said in response.json()["error"]


async def test_a_body_that_is_no_json_says_so(ada: httpx.AsyncClient) -> None:
    response = await ada.post(
        "/api/briefs/riyadh/picks", content=b"{", headers={"content-type": "application/json"}
    )
    assert response.status_code == 400
    assert "json" in response.json()["error"].lower()


async def test_a_brief_is_published_once_and_then_read_by_everybody(
    newsroom: Newsroom, ada: httpx.AsyncClient
) -> None:
    first = await ada.post("/api/briefs/riyadh/publish")
    assert (first.json()["act"], first.json()["brief"]["state"]) == ("published", "published")
    assert (await ada.post("/api/briefs/riyadh/publish")).json()["act"] is None
    async with newsroom.client() as reader:
        assert (await reader.get("/briefs/riyadh")).status_code == 200


async def test_a_withdrawn_brief_is_not_published_again(newsroom: Newsroom, ada: httpx.AsyncClient) -> None:
    await newsroom.publish()
    await newsroom.withdraw()
    response = await ada.post("/api/briefs/riyadh/publish")
    assert response.status_code == 400
    assert "was withdrawn" in response.json()["error"]


async def test_a_brief_that_does_not_exist_is_not_found(ada: httpx.AsyncClient) -> None:
    for method, path in CALLS[2:]:
        asked = {"passage": "p1", "story": 1} if path.endswith("picks") else None
        response = await ada.request(method, path.replace("riyadh", "nope"), json=asked)
        assert response.status_code == 404
        assert "There is no brief 'nope'" in response.json()["error"]


async def test_what_the_api_does_not_have_is_json_too(ada: httpx.AsyncClient) -> None:
    missing = await ada.get("/api/nope")
    assert (missing.status_code, missing.json()) == (404, {"error": "GET /api/nope: not found."})
    wrong = await ada.put("/api/briefs")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")
    assert wrong.json() == {"error": "PUT /api/briefs: method not allowed."}


async def test_a_failing_database_tells_no_stranger_where_it_is(
    newsroom: Newsroom, ada: httpx.AsyncClient
) -> None:
    with lost(newsroom.database, "brief"):
        response = await ada.get("/api/briefs")
    assert response.status_code == 503
    assert response.json() == {"error": "The database does not answer. Try again in a minute."}


async def test_the_api_describes_itself(ada: httpx.AsyncClient) -> None:
    described = (await ada.get("/api/openapi.json")).json()
    assert {(method.upper(), path) for path, item in described["paths"].items() for method in item} == {
        *((method, path.replace("riyadh", "{brief}")) for method, path in CALLS),
        *FOR_PARTNERS,
    }
