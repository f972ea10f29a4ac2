"""What is new at the desk while a page stays open: server-sent events (HTML standard, section 9.2)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar, cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from aggregator.errors import BadInput
from aggregator.flows import desk
from aggregator.flows.desk_wire import arrived, stock
from aggregator.flows.editorial import require_brief
from aggregator.rules.wire_views import View, read_view
from aggregator.web.context import Service
from aggregator.web.desk.frame import Here, Who

router = APIRouter(prefix="/desk", include_in_schema=False)

T = TypeVar("T")

#: Between two looks at the store, where nothing is told of; and at least, whatever is told.
LOOK, REST = timedelta(seconds=2), timedelta(milliseconds=300)
#: So long a look is good for other streams, as long as nothing is told of.
SHARED = timedelta(seconds=1)
#: After such a silence a comment keeps the connection from being taken for dead.
HEARTBEAT = timedelta(seconds=15)
#: A stream ends by itself after so long. A browser then asks anew, and is asked who it is.
LASTS = timedelta(minutes=5)
#: How long a browser waits before it asks anew.
RETRY = timedelta(seconds=3)
#: Streams that are open at once; whoever comes later has the page as it is.
MOST_STREAMS = 200

_HEADERS = {
    "Cache-Control": "no-store",
    # nginx would keep events back until its buffer is full.
    "X-Accel-Buffering": "no",
}

#: What a page would show now: a word that is another one when that changed, and what to tell of it.
Look = Callable[[], Awaitable[tuple[str, dict[str, object]]]]


@dataclass(slots=True)
class Streams:
    """The streams of this process."""

    open: int = 0
    _is_closed: bool = False
    #: Set, and replaced, whenever there is a reason to look.
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)
    #: How often there was one.
    _stirs: int = 0
    #: What was looked at last, by what it is: after which reason and when, and what is seen.
    _looks: dict[str, tuple[int, float, asyncio.Task[Any]]] = field(default_factory=dict)

    def close(self) -> None:
        """End every stream, since the server ends."""
        self._is_closed = True
        self.stir()

    def stir(self) -> None:
        """Let every stream look: something changed."""
        self._stirs += 1
        self._stirred.set()
        self._stirred = asyncio.Event()

    async def look(self, what: str, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What is seen of something: one look for all the streams that have the same reason for it."""
        now = asyncio.get_running_loop().time()
        known = self._looks.get(what)
        if known is None or known[0] != self._stirs or now - known[1] >= SHARED.total_seconds():
            recent = {key: one for key, one in self._looks.items() if now - one[1] < SHARED.total_seconds()}
            known = (self._stirs, now, asyncio.create_task(read()))
            self._looks = {**recent, what: known}
        # Shielded: a stream that ends must not take the look from the others.
        return cast(T, await asyncio.shield(known[2]))

    async def follow(self, look: Look, since: str) -> AsyncIterator[str]:
        """Tell what differs from the state `since`, and go on telling."""
        self.open += 1
        try:
            yield f"retry: {RETRY // timedelta(milliseconds=1)}\n\n"
            now = asyncio.get_running_loop().time
            known, said_at, end = since, now(), now() + LASTS.total_seconds()
            while now() < end and not self._is_closed:
                # Taken before the look, so that a change during it is not slept through.
                stirred, next_look = self._stirred, now() + REST.total_seconds()
                state, said = await look()
                if state != known:
                    yield f"event: news\ndata: {json.dumps(said)}\nid: {state}\n\n"
                    known, said_at = state, now()
                elif now() - said_at >= HEARTBEAT.total_seconds():
                    yield ": nothing new\n\n"
                    said_at = now()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stirred.wait(), LOOK.total_seconds())
                if not self._is_closed:
                    await asyncio.sleep(max(0.0, next_look - now()))
        finally:
            self.open -= 1


@router.get("/events")
async def events(
    request: Request, service: Here, _: Who, brief: str = "", wire: str = "", since: str = ""
) -> Response:
    """What changes of a brief, or what comes to a view of the wire, while its page stays open."""
    streams = _streams(request)
    if streams.open >= MOST_STREAMS:
        return Response("Too many listen already.\n", 503, {"Retry-After": "60"}, "text/plain")
    if brief:
        look = await _of_brief(service, streams, brief)
    elif wire and since.isascii() and since.isdecimal() and len(since) < 20:
        look = _of_wire(service, streams, read_view(request.query_params), int(since))
        since = "0"
    else:
        raise BadInput("Say what to listen to: brief=NAME, or wire=1 with since=VERSION.")
    # What a browser heard last counts for more than what its page was made under.
    heard = request.headers.get("last-event-id") or since
    return StreamingResponse(streams.follow(look, heard), headers=_HEADERS, media_type="text/event-stream")


async def _of_brief(service: Service, streams: Streams, name: str) -> Look:
    known = await service.database.read(lambda session: require_brief(session, name))

    async def read() -> str:
        return await service.database.read(lambda session: desk.pulse(session, known.id))

    async def look() -> tuple[str, dict[str, object]]:
        state = await streams.look(f"brief {known.id}", read)
        return state, {"state": state}

    return look


def _of_wire(service: Service, streams: Streams, view: View, since: int) -> Look:
    seen, count = (since, 0, 0), 0

    async def read() -> tuple[int, int, int]:
        return await service.database.read(stock)

    async def look() -> tuple[str, dict[str, object]]:
        nonlocal seen, count
        reached = await streams.look("wire", read)
        if reached != seen:
            seen = reached
            count = await service.database.read(lambda session: arrived(session, view, since))
        return str(count), {"new": count}

    return look


def _streams(request: Request) -> Streams:
    found = request.app.state.streams
    assert isinstance(found, Streams)  # noqa: S101 - put there by `make_service`
    return found
