"""What is new while a page stays open: server-sent events (HTML standard, section 9.2).

All streams share one look at the documents a second. A stream keeps no queue: it knows the state
that it told last and tells what differs now, so that a slow listener costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlencode

from starlette.types import Receive, Scope, Send

from aggregator.rules.channels import Channel
from aggregator.web.answers import asked_headers, encode
from aggregator.web.context import Service
from aggregator.web.shelf import Shelf

PATH = "/events"
#: Streams that are open at once; whoever comes later has the page as it is.
MOST_STREAMS = 1_000
#: States that are remembered, so that a listener who comes back hears how much it missed.
MOST_STATES = 64

_STREAM = encode(
    [
        ("Content-Type", "text/event-stream; charset=utf-8"),
        ("Cache-Control", "no-store"),
        # nginx would keep events back until its buffer is full.
        ("X-Accel-Buffering", "no"),
    ]
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often streams do what."""

    #: Between two looks at the documents.
    look: timedelta = timedelta(seconds=1)
    #: After such a silence a comment keeps the connection from being taken for dead.
    heartbeat: timedelta = timedelta(seconds=15)
    #: How long a browser waits before it connects anew.
    retry: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class State:
    """A channel's document, as far as streams tell of it."""

    etag: str
    #: The ids of the entries in it.
    ids: frozenset[str]


#: The channels' documents, by slug.
States = Mapping[str, State]


def digest(etags: Mapping[str, str]) -> str:
    """The state of some channels in one word, from their ETags by slug: the id of an event."""
    return hashlib.sha256(repr(sorted(etags.items())).encode()).hexdigest()[:16]


def address(
    stamps: Mapping[tuple[str, str], str], channels: Iterable[Channel], *, one: str | None = None
) -> str:
    """Where a page that was made under these stamps hears what is new, in one channel or in all."""
    slugs = [one] if one else [channel.slug for channel in channels]
    asked = {"channel": one} if one else {}
    return f"{PATH}?{urlencode({**asked, 'since': digest(_etags(stamps, slugs))})}"


def told(before: States | None, now: States) -> bytes:
    """The events that lead from one state to another; None is a state that nobody remembers."""
    changed = [slug for slug, state in now.items() if before is None or before.get(slug) != state]
    events = [_event(slug, now[slug], None if before is None else before.get(slug)) for slug in changed]
    # Only the last one moves the id on: a connection that breaks in between is told all of it again.
    return ("\n".join(events) + f"id: {_digest_of(now)}\n\n").encode()


class Live:
    """The endpoint of `/events` (ASGI)."""

    def __init__(self, shelf: Shelf, service: Service) -> None:
        self.pace = Pace()
        #: How many streams are open.
        self.open = 0
        self._shelf = shelf
        self._service = service
        self._past: deque[States] = deque([{}], maxlen=MOST_STATES)
        self._looking = asyncio.Lock()
        self._stirred = asyncio.Event()
        #: Set, and replaced, with every change.
        self._changed = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        self._is_closed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a stream lasts until its client goes."""
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        wanted = asked.get("channel")
        is_any = any(wanted is None or slug in wanted for slug in self._slugs)
        if scope["method"] not in ("GET", "HEAD"):
            return await _say(send, 405, "Events are only read.", ("Allow", "GET, HEAD"))
        if wanted and not is_any:
            return await _say(send, 404, "There is no such channel.")
        if self._is_closed or self.open >= MOST_STREAMS:
            return await _say(send, 503, "Too many listen already.", ("Retry-After", "60"))
        await send({"type": "http.response.start", "status": 200, "headers": list(_STREAM)})
        if scope["method"] == "GET":
            # What a browser heard last counts for more than what its page was made under.
            since = asked_headers(scope["headers"]).get("last-event-id") or asked.get("since", [""])[-1]
            await self._serve(receive, send, wanted, since)
        await send({"type": "http.response.body", "body": b""})
        return None

    def stir(self) -> None:
        """Look now: something changed."""
        self._stirred.set()

    def close(self) -> None:
        """End every stream, since the server ends."""
        self._is_closed = True
        self._changed.set()

    async def _serve(self, receive: Receive, send: Send, wanted: Sequence[str] | None, since: str) -> None:
        self.open += 1
        gone = asyncio.create_task(_gone(receive))
        # Cancelled where the server waits no longer: the stream ends as if its client had gone.
        with contextlib.suppress(asyncio.CancelledError):
            try:
                await self._look()
                await self._stream(gone, send, wanted, since)
            finally:
                gone.cancel()
                self.open -= 1
                if self.open == 0 and self._watch is not None:
                    self._watch.cancel()

    async def _stream(
        self, gone: asyncio.Task[None], send: Send, wanted: Sequence[str] | None, since: str
    ) -> None:
        await _write(send, f"retry: {self.pace.retry // timedelta(milliseconds=1)}\n".encode())
        known = await self._known(wanted, since) if since else self._now(wanted)
        # Where nothing changed this is an id alone, which a browser keeps and tells nobody.
        now = self._now(wanted)
        await _write(send, told(known, now))
        known = now
        while not gone.done() and not self._is_closed:
            # Taken before the look, so that a change during a slow write is not slept through.
            changed = self._changed
            if (now := self._now(wanted)) != known:
                await _write(send, told(known, now))
                known = now
            elif await self._is_quiet(changed, gone):
                await _write(send, b": nothing new\n\n")

    async def _is_quiet(self, changed: asyncio.Event, gone: asyncio.Task[None]) -> bool:
        """Wait for a change, or for the client to go; whether it is time for a heartbeat instead."""
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._keep_looking())
        waiting = asyncio.create_task(changed.wait())
        try:
            done, _ = await asyncio.wait(
                {waiting, gone, self._watch},
                timeout=self.pace.heartbeat.total_seconds(),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            waiting.cancel()
        return not done

    @property
    def _slugs(self) -> list[str]:
        return [channel.slug for channel in self._service.public]

    def _now(self, wanted: Sequence[str] | None) -> States:
        return _some(self._past[-1], self._slugs if wanted is None else wanted)

    async def _known(self, wanted: Sequence[str] | None, since: str) -> States | None:
        """The state that a listener knows; None where nobody remembers it."""
        found = self._remembered(wanted, since)
        if found is None:
            # A page may be made just before we look: then its state is the next one that we see.
            await asyncio.sleep(1.25 * self.pace.look.total_seconds())
            await self._look()
            found = self._remembered(wanted, since)
        return found

    def _remembered(self, wanted: Sequence[str] | None, since: str) -> States | None:
        slugs = self._slugs if wanted is None else wanted
        past = (_some(states, slugs) for states in reversed(self._past))
        return next((states for states in past if _digest_of(states) == since), None)

    async def _keep_looking(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), self.pace.look.total_seconds())
            self._stirred.clear()
            await self._look()

    async def _look(self) -> None:
        """Take note of what the shelf holds now, and wake every stream where it is something else."""
        async with self._looking:
            # As long as only streams are open, nobody else looks at what editors define.
            await self._service.keeper.follow()
            before = self._past[-1]
            etags = _etags(await self._shelf.stamps(), self._slugs)
            if etags == {slug: state.etag for slug, state in before.items()}:
                return
            states = {slug: await self._state(slug, etag, before.get(slug)) for slug, etag in etags.items()}
            self._past.append({slug: state for slug, state in states.items() if state is not None})
        self._changed.set()
        self._changed = asyncio.Event()

    async def _state(self, slug: str, etag: str, before: State | None) -> State | None:
        if before is not None and before.etag == etag:
            return before
        held = await self._shelf.get(slug, "atom")
        return State(held.etag, frozenset(id_ for id_, _ in held.holds)) if held else None


def _etags(stamps: Mapping[tuple[str, str], str], slugs: Iterable[str]) -> dict[str, str]:
    return {slug: stamps[slug, "atom"] for slug in slugs if (slug, "atom") in stamps}


def _some(states: States, slugs: Iterable[str]) -> States:
    return {slug: states[slug] for slug in slugs if slug in states}


def _digest_of(states: States) -> str:
    return digest({slug: state.etag for slug, state in states.items()})


def _event(slug: str, state: State, before: State | None) -> str:
    # Which ones are new, so that an entry of two channels counts once; null where it is not known.
    new = sorted(state.ids - before.ids) if before else None
    data = {"channel": slug, "etag": state.etag, "entries": len(state.ids), "new": new}
    return f"event: channel\ndata: {json.dumps(data)}\n"


async def _gone(receive: Receive) -> None:
    """Return once the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, text: bytes) -> None:
    await send({"type": "http.response.body", "body": text, "more_body": True})


async def _say(send: Send, status: int, sentence: str, *headers: tuple[str, str]) -> None:
    about = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": list(encode(about))})
    await send({"type": "http.response.body", "body": f"{sentence}\n".encode()})
