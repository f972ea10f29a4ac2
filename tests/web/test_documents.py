"""Channels as subscribers get them: bytes, headers, conditions, and what happens when there are none."""

from __future__ import annotations

import asyncio
import gzip
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import event
from starlette.types import Message

from aggregator.flows import editorial
from aggregator.store import documents
from aggregator.web.service import Front
from feeds.http.times import read_http_date
from feeds.read import parse
from tests.web.newsroom import BRIEF, Newsroom, lost, raw

URL = "/channels/all.atom"


async def test_a_subscriber_gets_the_stored_bytes_with_every_header(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.brief()
    await newsroom.publish()
    stored = await newsroom.database.read(lambda s: documents.get(s, "all", "atom"))
    assert stored is not None
    response = await reader.get(URL)
    assert response.status_code == 200
    assert response.content == stored.codings.body
    assert dict(response.headers) == {
        "content-type": "application/atom+xml; charset=utf-8",
        "content-length": str(len(stored.codings.body)),
        "etag": stored.etag,
        "last-modified": "Tue, 18 Feb 2025 09:00:02 GMT",
        "cache-control": "public, max-age=60, stale-while-revalidate=60",
        "vary": "Accept-Encoding",
        "accept-ranges": "bytes",
        "link": '<https://harbour.example/channels/all.atom>; rel="self", <https://harbour.example/hub>; rel="hub"',
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "ETag, Last-Modified, Link",
        "x-content-type-options": "nosniff",
    }
    assert parse(response.content).entries[0].title == "Talks open in Riyadh without Kyiv"


async def test_the_compressed_channel_is_the_same_channel(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.render()
    plain = await reader.get(URL)
    packed, body = await raw(reader, URL, accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == plain.content
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["content-length"] == str(len(body))


async def test_who_has_the_bytes_gets_a_304_with_what_caches_need(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.render()
    first = await reader.get(URL)
    again = await reader.get(URL, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "vary", "last-modified", "access-control-allow-origin", "link"):
        assert again.headers[name] == first.headers[name]
    assert "content-length" not in again.headers


async def test_head_has_the_headers_of_get(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await newsroom.render()
    got, headed = await reader.get(URL), await reader.head(URL)
    assert headed.headers == got.headers
    assert headed.content == b""


async def test_a_correction_arrives_with_new_validators(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.brief()
    await newsroom.publish()
    first = await reader.get(URL)
    corrected = BRIEF.replace("on Tuesday", "on Tuesday, 18 February,")
    await editorial.correct_brief(
        newsroom.database, newsroom.clock, "riyadh", corrected, by="ada", why="The day was missing."
    )
    await newsroom.render()
    second = await reader.get(URL, headers={"if-none-match": first.headers["etag"]})
    assert second.status_code == 200
    assert "18 February," in second.text
    moments = [read_http_date(answer.headers["last-modified"]) for answer in (first, second)]
    assert moments[0] is not None
    assert moments[1] is not None
    assert moments[1] > moments[0]


async def test_copies_in_memory_are_a_quarter_of_a_second_old_at_most(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.render()
    before = (await reader.get(URL)).headers["etag"]
    await newsroom.brief()
    await editorial.publish_brief(newsroom.database, newsroom.clock, "riyadh", by="ada")
    # Rendered with the clock where the service last looked, so that no second has passed for it.
    looked = newsroom.clock.now
    await newsroom.render()
    newsroom.clock.now = looked + timedelta(milliseconds=240)
    assert (await reader.get(URL)).headers["etag"] == before
    newsroom.clock.move(timedelta(milliseconds=10))
    assert (await reader.get(URL)).headers["etag"] != before


async def test_who_asks_what_was_asked_before_gets_the_same_answer(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.render()
    tag = (await reader.get(URL)).headers["etag"]
    for headers in ({}, {"if-none-match": tag}, {"accept-encoding": "br"}, {"if-none-match": '"another"'}):
        first, second = [await reader.get(URL, headers=headers) for _ in range(2)]
        assert (second.status_code, second.headers, second.content) == (
            first.status_code,
            first.headers,
            first.content,
        )
    assert (await reader.get(URL, headers={"range": "bytes=0-9"})).status_code == 206
    assert (await reader.get(URL, headers={"if-match": '"another"'})).status_code == 412


async def test_what_is_remembered_of_subscribers_stays_small(
    newsroom: Newsroom, reader: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aggregator.web.documents._REMEMBERED", 3)
    await newsroom.render()
    service = newsroom.service()
    assert isinstance(service, Front)
    transport = httpx.ASGITransport(service)
    async with httpx.AsyncClient(transport=transport, base_url="https://harbour.example") as many:
        for number in range(10):
            assert (await many.get(URL, headers={"if-none-match": f'"{number}"'})).status_code == 200
            assert len(service.documents._remembered) <= 3
        service.documents._remembered.clear()
        assert (await many.get(URL, headers={"if-none-match": f'"{"x" * 600}"'})).status_code == 200
    assert not service.documents._remembered


async def test_an_answer_to_a_partner_is_nobody_else_s(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await newsroom.render()
    assert (await reader.get(URL)).status_code == 200
    nobody = await reader.get(URL, headers={"authorization": "Bearer nobody"})
    assert nobody.status_code == 401
    assert (await reader.get(URL)).status_code == 200


async def test_a_hundred_subscribers_at_once_cost_one_look_at_the_store(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.render()
    looks: list[str] = []

    def count(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        looks.append(statement)

    event.listen(newsroom.database._reading, "before_cursor_execute", count)
    answers = await asyncio.gather(*(reader.get(URL) for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    # One for what is there, one for each of two channels in four formats.
    assert len([statement for statement in looks if "document" in statement]) == 9


async def test_a_subscriber_who_hangs_up_does_not_take_the_answer_from_the_others(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.render()
    impatient = asyncio.create_task(reader.get(URL))
    patient = asyncio.create_task(reader.get(URL))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).status_code == 200


async def test_last_modified_is_never_later_than_now(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await newsroom.render()
    newsroom.clock.move(timedelta(hours=-1))
    response = await reader.get(URL)
    assert response.headers["last-modified"] == "Tue, 18 Feb 2025 08:00:02 GMT"


async def test_a_channel_is_only_read(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await newsroom.render()
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        response = await reader.request(method, URL, content=b"x")
        assert response.status_code == 405
        assert response.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_a_page_of_another_origin_may_ask(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    response = await reader.options(URL, headers={"origin": "https://partner.example"})
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["access-control-allow-origin"] == "*"
    assert "If-None-Match" in response.headers["access-control-allow-headers"]
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_a_part_of_a_channel_can_be_had(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await newsroom.render()
    whole = await reader.get(URL)
    part = await reader.get(URL, headers={"range": "bytes=0-99", "if-range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, whole.content[:100])
    beyond = await reader.get(URL, headers={"range": f"bytes={len(whole.content)}-"})
    assert beyond.status_code == 416


async def test_what_is_not_there_is_answered_with_what_is(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    for path in ("/channels/nope.atom", "/channels/all.rdf", "/channels/%3Cb%3E.atom"):
        response = await reader.get(path)
        assert response.status_code == 404
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.text.splitlines()[-2:] == ["/channels/briefs.json", "/channels/briefs.ninjs"]
        assert (await reader.head(path)).content == b""


async def test_a_channel_that_was_not_rendered_yet_is_worth_asking_for_again(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    response = await reader.get(URL)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert response.headers["cache-control"] == "no-store"
    await newsroom.render()
    assert (await reader.get(URL)).status_code == 200


async def test_subscribers_are_served_on_while_the_database_fails(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.render()
    before = await reader.get(URL)
    with lost(newsroom.database, "document"):
        newsroom.clock.move(timedelta(seconds=5))
        assert (await reader.get(URL)).content == before.content
        async with newsroom.client() as elsewhere:
            response = await elsewhere.get(URL)
    assert response.status_code == 503
    assert "wirebrief.db" not in response.text
    newsroom.clock.move(timedelta(seconds=5))
    assert (await reader.get(URL)).status_code == 200


async def test_a_channel_that_is_no_longer_declared_is_gone(newsroom: Newsroom) -> None:
    await newsroom.render()
    newsroom.channels = newsroom.channels[:1]
    async with newsroom.client() as reader:
        assert (await reader.get("/channels/briefs.atom")).status_code == 404
        assert (await reader.get(URL)).status_code == 200
        await newsroom.database.write(lambda s: documents.drop_channels(s, []))
        newsroom.clock.move(timedelta(seconds=1))
        assert (await reader.get(URL)).status_code == 503


async def test_a_channel_sets_no_cookie_and_is_answered_in_two_messages(newsroom: Newsroom) -> None:
    await newsroom.render()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("a document needs nothing of the request's body")

    scope = {"type": "http", "method": "GET", "path": URL, "headers": []}
    await newsroom.service()(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert not [name for name, _ in sent[0]["headers"] if name == b"set-cookie"]
