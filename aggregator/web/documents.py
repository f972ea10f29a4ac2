"""Channels as documents: an ASGI endpoint in front of the router, which only looks up bytes.

The bytes come from the store, where publishing put them. They are kept in memory, and at most
once a second the store is asked which of them changed.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from starlette.types import Receive, Scope, Send

from aggregator.flows.views import Changed, changed_documents
from aggregator.model import Clock, StoredDocument
from aggregator.rules.channels import Channel, Site
from aggregator.store.database import Database, StoreError
from aggregator.web.answers import (
    ALLOWED,
    GZIP,
    IDENTITY,
    Answer,
    Headers,
    Resource,
    asked_headers,
    encode,
    make_resource,
    respond,
)
from aggregator.web.settings import ServeSettings

log = logging.getLogger(__name__)

#: What may stand after the dot, and the format that the store keeps it under.
FORMATS: Mapping[str, str] = {"atom": "atom"}

#: How long the copies in memory are taken for fresh.
FRESH = timedelta(seconds=1)
#: Seconds after which a channel that is not there yet is worth asking for again.
SOON = 5

_PATH = re.compile(r"/channels/([^/]+)\.([a-z0-9]+)")
_OPEN_TO_ALL = (
    # Feeds are public, so a page of any origin may read them (Fetch standard, section 3.2).
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag, Last-Modified, Link"),
    # Safari then shows the document instead of looking for a program to open it with.
    ("X-Content-Type-Options", "nosniff"),
)
_PREFLIGHT = (
    ("Allow", ", ".join(ALLOWED)),
    ("Access-Control-Allow-Methods", ", ".join(ALLOWED)),
    ("Access-Control-Allow-Headers", "If-None-Match, If-Modified-Since, If-Match, If-Range, Range"),
    ("Access-Control-Max-Age", "86400"),
)

Key = tuple[str, str]


class Shelf:
    """Documents in memory, as fresh as a second ago."""

    def __init__(self, database: Database, clock: Clock, make: Callable[[StoredDocument], Resource]) -> None:
        self._database = database
        self._clock = clock
        self._make = make
        self._held: dict[Key, tuple[str, Resource]] = {}
        self._checked: datetime | None = None
        self._checking: asyncio.Task[None] | None = None
        self._failure: StoreError | None = None

    async def get(self, channel: str, format: str) -> Resource | None:
        """The document, or None where it was never rendered.

        While the store does not answer, what is held goes on being served.

        Raises:
            StoreError: the store does not answer, and this document is not held.
        """
        if self._is_due():
            await self._check()
        held = self._held.get((channel, format))
        if held is None and self._failure is not None:
            raise self._failure
        return held[1] if held else None

    def _is_due(self) -> bool:
        # A clock that was set back must not stop the checks, so the distance counts.
        return self._checked is None or abs(self._clock() - self._checked) >= FRESH

    async def _check(self) -> None:
        """Ask the store once, however many requests are waiting for the answer."""
        if self._checking is None:
            self._checking = asyncio.create_task(self._refresh())
            self._checking.add_done_callback(self._forget_check)
        # Shielded: a client that goes away must not take the check from the others.
        await asyncio.shield(self._checking)

    def _forget_check(self, _done: asyncio.Task[None]) -> None:
        self._checking = None

    async def _refresh(self) -> None:
        known = {key: etag for key, (etag, _) in self._held.items()}
        try:
            changed = await self._database.read(partial(changed_documents, known=known))
        except StoreError as error:
            log.warning("documents could not be checked", extra={"reason": str(error)})
            self._failure = error
        else:
            self._failure = None
            self._take(changed)
        self._checked = self._clock()

    def _take(self, changed: Changed) -> None:
        for key in changed.gone:
            del self._held[key]
        for document in changed.new:
            self._held[document.channel, document.format] = (document.etag, self._make(document))


class Documents:
    """The endpoint of `/channels/<slug>.<format>`."""

    def __init__(
        self, database: Database, clock: Clock, site: Site, serve: ServeSettings, channels: Sequence[Channel]
    ) -> None:
        self._channels = {channel.slug: channel for channel in channels}
        self._shelf = Shelf(database, clock, partial(document_resource, site=site, serve=serve, clock=clock))

    def owns(self, path: str) -> bool:
        """Whether this path is a document's, and not a page's."""
        found = _PATH.fullmatch(path)
        return found is not None and path.removeprefix("/channels/") not in self._channels

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        answer = await self._answer(scope["method"], scope["path"], asked_headers(scope["headers"]))
        await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, method: str, path: str, asked: Mapping[str, str]) -> Answer:
        found = _PATH.fullmatch(path)
        slug, ending = found.groups() if found else ("", "")
        if slug not in self._channels or ending not in FORMATS:
            return self._missing(method, slug, ending)
        if method == "OPTIONS":
            return Answer(204, encode((*_PREFLIGHT, *_OPEN_TO_ALL)), b"")
        if method not in ALLOWED:
            return _said(
                405, f"A channel is only read: {' and '.join(ALLOWED[:2])} are answered.", _PREFLIGHT
            )
        try:
            resource = await self._shelf.get(slug, FORMATS[ending])
        except StoreError:
            return self._later(method, f"The channel “{slug}” cannot be read at the moment.")
        if resource is None:
            return self._later(method, f"The channel “{slug}” has not been rendered yet.")
        return respond(method, asked, resource)

    def _missing(self, method: str, slug: str, ending: str) -> Answer:
        known = [f"/channels/{name}.{form}" for name in self._channels for form in FORMATS]
        what = f"no channel “{slug}”" if slug not in self._channels else f"no {ending} of this channel"
        listed = "\n".join(["Here is:", *known]) if known else "No channel is published here."
        return _without_body(method, _said(404, f"There is {what}.\n{listed}"))

    def _later(self, method: str, sentence: str) -> Answer:
        # Never an error page with status 200, which readers would take for an empty feed.
        later = (("Retry-After", str(SOON)), ("Cache-Control", "no-store"))
        return _without_body(method, _said(503, f"{sentence} Ask again in a few seconds.", later))


def document_resource(
    document: StoredDocument, *, site: Site, serve: ServeSettings, clock: Clock
) -> Resource:
    """A stored document with the headers that subscribers get."""
    seconds = int(serve.max_age.total_seconds())
    own = site.page(f"channels/{document.channel}.{document.format}")
    return make_resource(
        {GZIP: (document.gzip, document.etag_gzip), IDENTITY: (document.body, document.etag)},
        document.media_type,
        headers=[
            ("Cache-Control", f"public, max-age={seconds}, stale-while-revalidate={seconds}"),
            ("Link", f'<{own}>; rel="self"'),
            *_OPEN_TO_ALL,
        ],
        # Never later than Date (RFC 9110 section 8.8.2.1), even after the clock was set back.
        last_modified=min(document.last_modified, clock()),
    )


def _said(status: int, sentence: str, headers: Sequence[tuple[str, str]] = ()) -> Answer:
    body = f"{sentence}\n".encode()
    about: Headers = encode(
        [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            *_OPEN_TO_ALL,
            *headers,
        ]
    )
    return Answer(status, about, body)


def _without_body(method: str, answer: Answer) -> Answer:
    return Answer(answer.status, answer.headers, b"") if method == "HEAD" else answer
