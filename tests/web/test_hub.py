"""Our hub takes wishes to subscribe, and says clearly what it does not take."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from aggregator.store import subscribers
from tests.web.newsroom import Newsroom

FORM = {
    "hub.mode": "subscribe",
    "hub.topic": "https://harbour.example/channels/all.atom",
    "hub.callback": "https://reader.example/news",
}


async def test_a_wish_to_subscribe_is_taken_and_waits_to_be_confirmed(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.render()
    response = await reader.post("/hub", data=FORM | {"hub.secret": "s", "hub.lease_seconds": "86400"})
    assert (response.status_code, response.text) == (
        202,
        "Taken. Your callback will be asked to confirm it.\n",
    )
    (wish,) = newsroom.database.read_now(lambda s: subscribers.asked(s, newsroom.clock(), limit=9))
    assert (wish.channel, wish.format, wish.callback) == ("all", "atom", "https://reader.example/news")
    assert (wish.secret, wish.lease.days) == ("s", 1)
    # The same wish again is the same wish.
    await reader.post("/hub", data=FORM)
    assert newsroom.database.read_now(subscribers.waiting_for) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hub.mode": "dance"}, "hub.mode must be"),
        ({"hub.topic": "https://elsewhere.example/feed"}, "'https://elsewhere.example/feed' is no channel"),
        ({"hub.callback": "javascript:alert(1)"}, "hub.callback must be an http or https address"),
        ({"hub.callback": ""}, "hub.callback is missing"),
        ({"hub.callback": "https://user:word@reader.example/"}, "hub.callback has a login"),
        ({"hub.lease_seconds": "-1"}, "hub.lease_seconds must be a positive whole number"),
        ({"hub.secret": "x" * 200}, "hub.secret has 200 bytes"),
        ({"hub.secret": "x" * 20_000}, "This is longer than 16,384 bytes"),
    ],
)
async def test_a_wish_that_cannot_be_taken_is_refused_with_a_sentence(
    newsroom: Newsroom, reader: httpx.AsyncClient, change: dict[str, str], said: str
) -> None:
    response = await reader.post("/hub", data=FORM | change)
    assert response.status_code == 400
    assert response.text.startswith(said)
    assert newsroom.database.read_now(subscribers.waiting_for) == 0


async def test_what_is_no_form_is_refused(reader: httpx.AsyncClient) -> None:
    assert (await reader.post("/hub", json=FORM)).status_code == 400
    broken = {"content-type": "application/x-www-form-urlencoded"}
    assert (await reader.post("/hub", content=b"\xff\xfe", headers=broken)).status_code == 400


async def test_a_word_of_a_publisher_is_taken_and_changes_nothing(reader: httpx.AsyncClient) -> None:
    form = {"hub.mode": "publish", "hub.url": FORM["hub.topic"]}
    assert (await reader.post("/hub", data=form)).status_code == 202


async def test_a_desk_without_a_hub_says_so_and_names_none(newsroom: Newsroom) -> None:
    newsroom.push = replace(newsroom.push, hub=False)
    await newsroom.render()
    async with newsroom.client() as reader:
        assert (await reader.post("/hub", data=FORM)).status_code == 404
        document = await reader.get("/channels/all.atom")
    assert 'rel="hub"' not in document.headers["link"] + document.text


async def test_too_many_wishes_at_once_are_put_off(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    for number in range(20):
        await reader.post("/hub", data=FORM | {"hub.callback": f"https://reader.example/{number}"})
    response = await reader.post("/hub", data=FORM | {"hub.callback": "https://reader.example/more"})
    assert (response.status_code, response.headers["retry-after"]) == (503, "300")


async def test_a_hub_is_only_posted_to(reader: httpx.AsyncClient) -> None:
    assert (await reader.get("/hub")).status_code == 405
