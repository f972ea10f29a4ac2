"""What is noted of every request: its id, how long it waited for its answer, a line of log.

Labels are the templates of routes, never paths: what strangers ask for must not become memory.
"""

from __future__ import annotations

import logging
import re
import secrets
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregator import logs, measures
from feeds.shareable import is_shareable

log = logging.getLogger(__name__)

#: Routes that are answered in front of the router.
DOCUMENT, ARCHIVE, EVENTS = "/channels/{slug}.{format}", "/channels/{slug}/archive/{name}.atom", "/events"
#: What no route takes.
NOWHERE = "unknown"

#: A request's key in its scope where the router does not say its route.
_ROUTE = "wirebrief.route"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CLASSES = {number: f"{number}xx" for number in range(1, 6)}

#: Ids of requests that are taken from whoever asks, such as a proxy: nothing that could be more than an id.
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
#: Parts of addresses that open something to whoever knows them.
_SECRET_PART = re.compile(r"\{(?:token|key|secret|code|link|invitation)\b")
_RANDOM_PART = re.compile(r"(?=[^/]*[0-9])(?=[^/]*[A-Za-z])[A-Za-z0-9_-]{20,}")
_LONGEST_PATH = 200

_POLLS = {number: (DOCUMENT, "GET", name) for number, name in _CLASSES.items()}
_POLL_SECONDS = measures.REQUEST_SECONDS.spread(DOCUMENT)
for _class in (2, 3):
    measures.REQUESTS.begin(*_POLLS[_class])
_COUNTED = measures.REQUESTS.values


def note_poll(status: int, began: float) -> None:
    """Count a document that was answered from memory.

    Without a lock, since thousands come a second: all of them in the thread of the event loop.
    """
    _COUNTED[_POLLS[status // 100]] += 1
    _POLL_SECONDS.note(perf_counter() - began)


class Watched:
    """An ASGI application of whose requests something is noted."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, id = perf_counter(), id_of(scope)
        # Not put back at the end: a request has a task of its own, and the server logs what breaks it later.
        logs.REQUEST.set(id)
        header = (b"x-request-id", id.encode())

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                _note(scope, message["status"], perf_counter() - began)
                if not _is_shared(scope, message["status"]):
                    message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        await self._app(scope, receive, note)


def id_of(scope: Scope) -> str:
    """The id of a request: the one that it came with, if that can be nothing else, or a new one."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    said = given.decode("latin-1")
    return said if _ID.fullmatch(said) else secrets.token_hex(8)


def set_route(scope: Scope, template: str) -> None:
    """Say which route a request takes, in front of the router."""
    scope[_ROUTE] = template


def route_of(scope: Scope) -> str:
    """The template of the route that a request took."""
    said: Any = scope.get(_ROUTE) or getattr(scope.get("route"), "path", None)
    return str(said) if said else NOWHERE


def shown_path(path: str, route: str) -> str:
    """A path as it may stand in a log: without what opens something, and no longer than anybody reads."""
    if _SECRET_PART.search(route):
        return route
    is_guess = route == NOWHERE and (
        not is_shareable(f"http://host{path}") or any(map(_RANDOM_PART.fullmatch, path.split("/")))
    )
    return logs.MASK if is_guess else path[:_LONGEST_PATH]


def _is_shared(scope: Scope, status: int) -> bool:
    """Whether an answer is the same for all who ask, and lies in caches: there an id would be somebody else's."""
    return status < 400 and scope.get(_ROUTE) in (DOCUMENT, ARCHIVE)


def _note(scope: Scope, status: int, seconds: float) -> None:
    route, method = route_of(scope), scope["method"]
    known = method if method in _METHODS else "other"
    measures.REQUESTS.add(route, known, _CLASSES.get(status // 100, "other"))
    measures.REQUEST_SECONDS.observe(seconds, route)
    level = logging.WARNING if status >= 500 else logging.INFO
    if log.isEnabledFor(level):
        facts = {"method": known, "path": shown_path(scope["path"], route), "route": route, "status": status}
        log.log(level, "request answered", extra=facts | {"seconds": round(seconds, 4)})
