"""What comes over the line: headers, hosts, keys, addresses, bodies. None does more than it may."""

from __future__ import annotations

import contextlib
import logging
import re
import socket
from urllib.parse import quote, urlsplit

import httpx
import pytest

from aggregator import logs
from tests.feeds.http_server import answer as scripted
from tests.feeds.http_server import listening
from tests.security.attacks import (
    ADDRESSES,
    HEADERS,
    HOSTS,
    HTTP,
    JSON,
    KEYS,
    LOGS,
    PATHS,
    REDIRECTS,
    Attack,
)  # fmt: skip
from tests.security.conftest import Desk
from tests.security.served import served
from tests.security.test_queries import tables
from tests.web.desk_users import PASSWORD
from tests.web.newsroom import Newsroom

KEY = {"authorization": "Bearer cms-s-key-of-these-tests"}
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f]")


@pytest.mark.parametrize("attack", HEADERS, ids=str)
async def test_no_value_ends_a_line_of_a_header(desk: Desk, attack: Attack) -> None:
    said = quote(attack.text, safe="")
    answers = [
        await desk.client.get(path + said)
        for path in (
            "/desk/sign-in?next=",
            "/desk/wire?q=",
            "/briefs/",
            "/channels/",
            "/channels/all/embed?kind=",
            "/static/",
        )
    ]
    answers.append(
        await desk.client.get("/", headers={"if-none-match": attack.text.encode("utf-8", "replace")})
    )
    answers.append(
        await desk.client.get("/", headers={"x-request-id": attack.text.encode("utf-8", "replace")})
    )
    answers.append(await desk.send("/desk/views", name=attack.text, query=f"q={said}"))
    answers.append(
        await desk.send("/desk/wire/1/mark?from=wire", act="take", before=attack.text, **{"from": "wire"})
    )
    in_by = {"name": "other", "password": PASSWORD, "next": f"/desk{attack.text}"}
    answers.append(await desk.client.post("/desk/sign-in", data=in_by))
    for answer in answers:
        assert answer.status_code < 500
        assert "x-evil" not in answer.headers
        assert "evil" not in answer.headers.get("set-cookie", "")
        assert not any(_CONTROL.search(name + value) for name, value in answer.headers.raw)


@pytest.mark.parametrize("attack", REDIRECTS, ids=str)
async def test_signing_in_leads_nowhere_else(desk: Desk, attack: Attack) -> None:
    in_by = {"name": "other", "password": PASSWORD, "next": attack.text}
    answer = await desk.client.post("/desk/sign-in", data=in_by)
    assert answer.status_code in (303, 400)
    led = httpx.URL("https://harbour.example/desk/sign-in").join(answer.headers.get("location", "/desk"))
    assert (led.scheme, led.host, led.path[:5]) == ("https", "harbour.example", "/desk")
    assert "//" not in answer.headers.get("location", "").partition("?")[0]


@pytest.mark.parametrize("attack", LOGS, ids=str)
async def test_no_line_of_the_log_is_a_strangers(
    desk: Desk, attack: Attack, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await desk.client.get(f"/briefs/{quote(attack.text, safe='')}")
        await desk.client.get(
            f"/nowhere/{quote(attack.text, safe='')}", headers={"x-request-id": attack.text.encode()}
        )
        logging.getLogger("aggregator").warning(attack.text, extra={"url": attack.text})
    assert len(caplog.records) >= 3
    for record in caplog.records:
        for line in (logs.TextFormatter().format(record), logs.JsonFormatter().format(record)):
            assert line.isprintable()


@pytest.mark.parametrize("attack", PATHS, ids=str)
async def test_no_path_leaves_its_folder(desk: Desk, attack: Attack) -> None:
    for place in (
        "/static/",
        "/channels/",
        "/channels/all/archive/",
        "/briefs/",
        "/desk/briefs/",
        "/topics/",
        "/",
    ):
        for said in (attack.text, quote(attack.text, safe="")):
            try:
                answer = await desk.client.get(place + said)
            except httpx.InvalidURL:
                continue
            assert answer.status_code in (303, 307, 400, 404, 405), (place, said)
            assert "root:" not in answer.text
            assert "location" not in answer.headers or urlsplit(answer.headers["location"]).netloc in (
                "",
                "harbour.example",
            )


@pytest.mark.parametrize("attack", ADDRESSES, ids=str)
async def test_nobody_has_us_ask_our_own_network(desk: Desk, attack: Attack) -> None:
    async with listening() as inside:
        inside.says("/", scripted(200, b"inside"))
        address = attack.text.replace("PORT", str(urlsplit(inside.base).port))
        look = await desk.send("/desk/sources/look", address=address)
        assert 'class="conflict"' in look.text or 'role="alert"' in look.text
        files = {"file": ("", b"")}
        listed = await desk.client.post(
            "/desk/sources/list", data={"form_token": desk.token, "address": address}, files=files
        )
        hub = await desk.client.post(
            "/hub",
            data={
                "hub.mode": "subscribe",
                "hub.topic": "https://harbour.example/channels/all.atom",
                "hub.callback": address,
            },
        )
        hook = await desk.send("/desk/partners/daily/webhook", url=address)
        assert {each.status_code // 100 for each in (look, listed, hub, hook)} <= {2, 3, 4}
        if not address.startswith("http://"):
            assert (hub.status_code, hook.status_code) == (400, 400)
        assert inside.heard == []


@pytest.mark.parametrize("attack", JSON, ids=str)
async def test_no_json_breaks_or_stalls_the_api(desk: Desk, attack: Attack) -> None:
    before = tables(desk)
    for method in ("POST", "DELETE"):
        for path in ("/api/briefs/riyadh/picks", "/desk/sign-in/passkey", "/desk/passkeys"):
            head = {**KEY, "content-type": "application/json"}
            answer = await desk.client.request(method, path, content=attack.text.encode(), headers=head)
            assert 400 <= answer.status_code < 500, path
    assert tables(desk) == before


async def test_a_body_without_end_is_not_held_before_anybody_knows_who_sent_it(
    stranger: httpx.AsyncClient,
) -> None:
    answer = await stranger.post("/api/briefs/riyadh/picks", content=b" " * 5_000_000)
    assert (answer.status_code, answer.json()["error"]) == (
        413,
        "A body of more than 65,536 bytes is not taken.",
    )


@pytest.mark.parametrize("attack", KEYS, ids=str)
async def test_a_guess_opens_nothing_and_says_nothing(stranger: httpx.AsyncClient, attack: Attack) -> None:
    head = {"authorization": attack.text.encode()} if attack.text else {}
    said = set()
    for path in (
        "/api/briefs/riyadh",
        "/api/briefs/none",
        "/api/briefs/riyadh/reach",
        "/api/briefs/none/reach",
        "/api/channels",
    ):
        answer = await stranger.get(path, headers=head)
        assert answer.status_code == 401
        said.add(answer.text)
    # A brief that there is is refused as one that there is not.
    assert len(said) == 1
    key = quote(attack.text.removeprefix("Bearer ") or "x", safe="")
    for query in ("key", "access_token", "api_key", "token"):
        assert (await stranger.get(f"/api/channels?{query}=cms-s-key-of-these-tests")).status_code == 401
    assert (await stranger.get(f"/desk/views/{key[:200]}.atom")).status_code in (400, 404)
    assert (await stranger.get(f"/desk/join?token={key[:200]}")).status_code in (400, 404)
    assert (await stranger.get(f"/websub/{key[:200]}")).status_code in (400, 404)


@pytest.mark.parametrize("attack", HOSTS, ids=str)
async def test_the_host_is_named_by_the_settings_alone(newsroom: Newsroom, attack: Attack) -> None:
    name, _, value = attack.text.partition(": ")
    async with newsroom.client() as client:
        for path in (
            "/",
            "/channels/all",
            "/channels/all.atom",
            "/briefs/riyadh",
            "/desk/wire",
            "/desk/people",
            "/api/openapi.json",
        ):
            answer = await client.get(path, headers={name: value})
            assert answer.status_code in (200, 303), path
            assert "evil.example" not in answer.text + str(answer.headers)
        again = await client.get("/")
        assert "evil.example" not in again.text


@pytest.mark.parametrize("attack", HTTP, ids=str)
async def test_no_request_is_two_and_none_breaks_the_server(newsroom: Newsroom, attack: Attack) -> None:
    with served(newsroom) as (host, port):
        said = _sent(host, port, attack.text.encode("latin-1"))
        assert said.count(b"HTTP/1.1 ") <= (2 if b"100 Continue" in said else 1), said[:400]
        assert not re.match(rb"HTTP/1.1 5(?!01)", said), said[:400]
        for secret in (b"X-Secret", b"X-Evil", b"smuggled", b"//evil.example"):
            assert secret.lower() not in said.lower().partition(b"\r\n\r\n")[0]
        # Whoever comes next is answered.
        well = b"GET /alive HTTP/1.1\r\nHost: harbour.example\r\nConnection: close\r\n\r\n"
        assert _sent(host, port, well, patience=10).startswith(b"HTTP/1.1 200")


def _sent(host: str, port: int, request: bytes, *, patience: float = 0.15) -> bytes:
    """What a server answers to these bytes, until it has nothing more to say."""
    heard = b""
    with socket.create_connection((host, port), timeout=5) as connection:
        connection.settimeout(patience)
        # It closes on us, or waits for what was promised and never sent.
        with contextlib.suppress(OSError):
            connection.sendall(request)
            while part := connection.recv(65_536):
                heard += part
    return heard
