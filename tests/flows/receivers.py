"""Somebody who is pushed to: a subscriber, a hub, a partner's webhook, over real HTTP on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from aggregator.serving import listen, served


@dataclass(frozen=True, slots=True)
class Heard:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode()))


@dataclass
class Receiver:
    """Answers what it is told to, and remembers what it heard."""

    base: str = ""
    heard: list[Heard] = field(default_factory=list)
    #: What a POST is answered, by path; 204 where nothing is said.
    status: dict[str, int] = field(default_factory=dict)
    #: Headers of those answers, by path.
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Whether a hub's question is answered with its challenge.
    agrees: bool = True
    #: Status of the answer to a hub's question.
    question_status: int = 200

    def at(self, path: str) -> str:
        """The address of a path."""
        return self.base + path

    def got(self, path: str, method: str = "POST") -> list[Heard]:
        """What was sent to a path."""
        return [one for one in self.heard if (one.method, one.path) == (method, path)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        one = Heard(scope["method"], scope["path"], query, headers, body)
        self.heard.append(one)
        status, answer = self.status.get(one.path, 204), b""
        if one.method == "GET":
            status = self.question_status
            answer = query.get("hub.challenge", "").encode() if self.agrees else b"who are you?"
        more = [(n.encode(), v.encode()) for n, v in self.headers.get(one.path, {}).items()]
        await send({"type": "http.response.start", "status": status, "headers": more})
        await send({"type": "http.response.body", "body": answer if status != 204 else b""})


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver for one test, on a port of its own."""
    receiver = Receiver()
    listener = listen("127.0.0.1", 0)
    receiver.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with served(receiver, listener):
        yield receiver
