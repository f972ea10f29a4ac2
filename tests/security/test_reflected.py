"""What an address or a form says comes back as text, on pages and in what is said to a mistake."""

# ruff: noqa: E501 - tables of addresses

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest

from tests.security import shown
from tests.security.attacks import LINKS, MARKUP, TEMPLATES
from tests.security.conftest import Desk

#: Pages that show again what they were asked for.
SHOWING = (
    "/desk/sign-in?next={x}", "/desk/join?token={x}", "/desk/wire?q={x}&state={x}&topic={x}&language={x}&source={x}&span={x}&before={x}",
    "/desk/wire/1?q={x}&language={x}&versions=1", "/desk/sources?q={x}&show={x}&sort={x}&page={x}&told={x}&n={x}",
    "/desk/audit?by={x}&act={x}&subject={x}&before={x}", "/desk/new-topic?like={x}", "/desk/topics/talks?made={x}&saved={x}&state={x}",
    "/desk/people?done={x}", "/channels/all/embed?theme={x}", "/channels/all/embed?kind={x}", "/channels/all/embed?entries={x}",
    "/{x}", "/channels/{x}", "/channels/{x}/embed", "/briefs/{x}", "/topics/{x}", "/desk/{x}", "/desk/briefs/{x}",
    "/desk/topics/{x}", "/desk/partners/{x}", "/desk/channels/{x}", "/desk/views/{x}.atom", "/static/{x}", "/websub/{x}?hub.challenge={x}",
    "/api/{x}", "/api/briefs/{x}",
)  # fmt: skip
#: Forms that show again what was typed where they are refused.
TYPED = (
    "/desk/new-topic", "/desk/new-topic/try", "/desk/topics/talks/channel", "/desk/partners", "/desk/people", "/desk/people/keys",
    "/desk/sources", "/desk/sources/look", "/desk/sources/1", "/desk/views", "/desk/briefs/riyadh/text", "/desk/you/password",
    "/desk/wire/1/mark?from=x", "/desk/partners/daily/webhook", "/desk/briefs/riyadh/embargo", "/desk/briefs/riyadh/withdraw",
)  # fmt: skip
FIELDS = (
    "name", "title", "slug", "description", "any", "all", "none", "languages", "sources", "entries", "reuse", "per_minute", "role",
    "key", "expires", "address", "url0", "title0", "take0", "kind", "language", "rights", "query", "old", "password", "again", "act",
    "why", "until", "url", "channel:all", "from",
)  # fmt: skip

_ALL = [attack.text.replace("NUMBER", "1") for attack in (*MARKUP, *LINKS, *TEMPLATES)]
#: Every one of them, some in one value: what comes back is the whole of it.
REFLECTED = [" ".join(_ALL[begin : begin + 24]) for begin in range(0, len(_ALL), 24)]


@pytest.mark.parametrize("said", REFLECTED, ids=range(len(REFLECTED)))
async def test_what_an_address_says_comes_back_as_text(desk: Desk, said: str) -> None:
    for path in SHOWING:
        harmless(await desk.client.get(path.replace("{x}", quote(said, safe=""))), path)


@pytest.mark.parametrize("said", REFLECTED, ids=range(len(REFLECTED)))
async def test_what_was_typed_and_refused_comes_back_as_text(desk: Desk, said: str) -> None:
    for path in TYPED:
        harmless(await desk.send(path, **dict.fromkeys(FIELDS, said)), path)
        harmless(await desk.send(path, **dict.fromkeys(FIELDS, said) | {"form_token": said}), path)
    harmless(
        await desk.client.post("/desk/sign-in", data={"name": said, "password": said, "next": said}),
        "sign-in",
    )
    harmless(
        await desk.client.post("/desk/join", data={"token": said, "password": said, "again": "x"}), "join"
    )
    harmless(await desk.client.post("/hub", data={"hub.mode": said, "hub.topic": said}), "hub")


def harmless(answer: httpx.Response, place: str) -> None:
    """Hold an answer to what a browser would make of it."""
    assert answer.status_code < 500, place
    assert answer.headers["x-content-type-options"] == "nosniff", place
    kind = answer.headers.get("content-type", "")
    if kind.startswith("text/html"):
        assert shown.faults(answer.text) == [], place
        assert "'unsafe" not in answer.headers["content-security-policy"]
        assert "1337" not in answer.text
    else:
        assert kind.partition(";")[0] in ("", "text/plain", "application/json", "application/atom+xml"), (
            place,
            kind,
        )
