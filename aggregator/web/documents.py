"""Channels as documents: an ASGI endpoint in front of the router, which only looks up bytes.

The bytes come from the store, where publishing put them. They are kept in memory, and at most
four times a second the store is asked which of them changed.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from starlette.types import Message, Receive, Scope, Send

from aggregator.flows import views
from aggregator.flows.partners import holder, narrowed_document, note_taken
from aggregator.outgoing import ArchivePage, Partner, StoredDocument
from aggregator.rules.channels import FORMATS, Channel, archive_path
from aggregator.rules.codings import packed
from aggregator.rules.partners import takes_all
from aggregator.store.database import StoreError
from aggregator.web.answers import (
    ALLOWED,
    Answer,
    Headers,
    Resource,
    asked_headers,
    coded,
    encode,
    make_resource,
    respond,
)
from aggregator.web.context import Service
from aggregator.web.keys import key_of
from aggregator.web.shelf import Held, Shelf
from feeds.write import WRITERS, Format

log = logging.getLogger(__name__)

#: What may stand after the dot of an address, and the format that it asks for.
FORMAT_AT: Mapping[str, Format] = {format: format for format in WRITERS}

#: Seconds after which a channel that is not there yet is worth asking for again.
SOON = 5

_PATH = re.compile(r"/channels/(?P<slug>[^/]+)\.(?P<format>[a-z0-9]+)")
_ARCHIVE = re.compile(r"/channels/(?P<slug>[^/]+)/archive/(?P<name>[0-9]+-[0-9a-f]+)\.(?P<format>atom)")
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

_CHALLENGE = (
    # Feed readers know Basic, programs Bearer (RFC 7617 and RFC 6750).
    ("WWW-Authenticate", 'Basic realm="wirebrief", charset="UTF-8", Bearer realm="wirebrief"'),
    ("Cache-Control", "no-store"),
)

#: What is to be done once an answer is sent.
Then = Callable[[], Awaitable[None]] | None

#: What decides how a document is answered to anybody. Subscribers of one program ask alike, again and again.
_DECIDING = frozenset({b"accept-encoding", b"if-none-match", b"if-modified-since"})
#: What decides it besides, and is asked so rarely, or by partners, that each is answered by itself.
_RARE = frozenset({b"authorization", b"range", b"if-range", b"if-match", b"if-unmodified-since"})
#: Requests whose answers are remembered, at most, and the longest of them in bytes.
_REMEMBERED, _LONGEST = 10_000, 500

#: What a request asks, as far as it decides its answer.
_Asked = tuple[str, tuple[tuple[bytes, bytes], ...]]


class Documents:
    """The endpoint of `/channels/<slug>.<format>` and of `/channels/<slug>/archive/<name>.atom`."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._catalogue = service.catalogue
        self._gate = Gate(service)
        self.shelf = Shelf(service.database, service.clock, self._hold)
        #: Answers to what was asked since anything last changed: most polls are like the one before.
        self._remembered: dict[_Asked, tuple[Message, Message]] = {}
        self._remembered_of = (self.shelf.revision, self._catalogue)

    async def follow(self) -> None:
        """Take over what editors defined meanwhile."""
        await self._service.keeper.follow()
        before, now = self._catalogue, self._service.catalogue
        if now is not before:
            self._catalogue = now
            # Whether anybody may read a channel stands in the headers of its documents.
            known = before.by_slug.keys() & now.by_slug.keys()
            changed = {one for one in known if before.by_slug[one].is_public != now.by_slug[one].is_public}
            self.shelf.forget(changed)

    def owns(self, path: str) -> bool:
        """Whether this path is a document's, and not a page's."""
        if _ARCHIVE.fullmatch(path):
            return True
        found = _PATH.fullmatch(path)
        return found is not None and path.removeprefix("/channels/") not in self._catalogue.by_slug

    def remembered(self, scope: Scope) -> tuple[Message, Message] | None:
        """What was answered to the same request since anything last changed; None where it is to be worked out."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        if self.shelf.is_due or self._service.keeper.is_due:
            return None
        if self._remembered_of != (self.shelf.revision, self._service.catalogue):
            return None
        asked = _asked(scope)
        return None if asked is None else self._remembered.get(asked)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        answer, then = await self._answer(scope["method"], scope["path"], asked_headers(scope["headers"]))
        start = {"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)}
        body = {"type": "http.response.body", "body": answer.body}
        self._remember(scope, answer, (start, body))
        await send(start)
        await send(body)
        # Recorded once it is sent: what never left was taken by nobody.
        if then is not None:
            await then()

    def _remember(self, scope: Scope, answer: Answer, messages: tuple[Message, Message]) -> None:
        # Archive pages are not on the shelf, so nothing here would tell that one was replaced.
        if scope["method"] != "GET" or answer.status not in (200, 304) or not _PATH.fullmatch(scope["path"]):
            return
        state = (self.shelf.revision, self._service.catalogue)
        if self._remembered_of != state or len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
            self._remembered_of = state
        if (asked := _asked(scope)) is not None:
            self._remembered[asked] = messages

    async def _answer(self, method: str, path: str, asked: Mapping[str, str]) -> tuple[Answer, Then]:
        found = _ARCHIVE.fullmatch(path) or _PATH.fullmatch(path)
        slug = found["slug"] if found else ""
        if slug in self._catalogue.moved:
            return self._elsewhere(path, slug), None
        channel = self._catalogue.by_slug.get(slug)
        format = FORMAT_AT.get(found["format"]) if found else None
        if channel is None or format is None:
            return self._missing(method, slug, found["format"] if found else ""), None
        if method == "OPTIONS":
            return Answer(204, encode((*_PREFLIGHT, *_OPEN_TO_ALL)), b""), None
        if method not in ALLOWED:
            said = f"A channel is only read: {' and '.join(ALLOWED[:2])} are answered."
            return _said(405, said, _PREFLIGHT), None
        try:
            return await self._read(method, asked, channel, format, path)
        except StoreError:
            return self._later(method, f"The channel “{slug}” cannot be read at the moment."), None

    async def _read(
        self, method: str, asked: Mapping[str, str], channel: Channel, format: Format, path: str
    ) -> tuple[Answer, Then]:
        passed = await self._gate.admit(channel, asked)
        if isinstance(passed, Answer):
            return _without_body(method, passed), None
        page = _ARCHIVE.fullmatch(path)
        if page is not None:
            return await self._archived(method, asked, channel, page["name"], passed), None
        held = await self.shelf.get(channel.slug, format)
        if held is None:
            return self._later(method, f"The channel “{channel.slug}” has not been rendered yet."), None
        if passed is None:
            return respond(method, asked, held.resource), None
        held = await self._gate.held_for(passed, channel, format, held)
        answer = respond(method, asked, held.resource)
        return answer, self._gate.recorded(passed, held, answer) if method == "GET" else None

    async def _archived(
        self, method: str, asked: Mapping[str, str], channel: Channel, name: str, partner: Partner | None
    ) -> Answer:
        """A page of the past: it never changes, so nobody has to ask for it twice."""
        found = await self._service.database.read(
            lambda session: views.archive_page(session, channel.slug, name)
        )
        if partner is not None and not takes_all(partner):
            # What was agreed with this partner is less than what stands there.
            return _without_body(method, _said(403, "Archive pages are whole: read /api/channels instead."))
        if found is None:
            return _without_body(method, _said(404, "There is no such page of this channel's archive."))
        page, is_replaced = found
        if is_replaced:
            here = self._service.site.page(channel.path)
            said = f"This page was replaced. The chain of pages begins at {here}"
            return _without_body(method, _said(410, said))
        return respond(method, asked, self._page_resource(page, channel))

    def _page_resource(self, page: ArchivePage, channel: Channel) -> Resource:
        access = "public" if channel.is_public else "private"
        own = self._service.site.page(archive_path(page.channel, page.name))
        return make_resource(
            coded(page.codings, page.etag),
            page.media_type,
            headers=[
                ("Cache-Control", f"{access}, max-age=31536000, immutable"),
                ("Link", f'<{own}>; rel="self"'),
                *_OPEN_TO_ALL,
            ],
            last_modified=min(page.made_at.replace(microsecond=0), self._service.clock()),
        )

    def _hold(self, document: StoredDocument) -> Held:
        channel = self._catalogue.by_slug.get(document.channel)
        resource = document_resource(document, self._service, is_public=channel is None or channel.is_public)
        return Held(document.etag, resource, document.holds, document.last_modified)

    def _elsewhere(self, path: str, slug: str) -> Answer:
        """A channel that has another name now (RFC 9110 section 15.4.2): its ids are the same there."""
        there = path.replace(f"/channels/{slug}", f"/channels/{self._catalogue.moved[slug]}", 1)
        url = self._service.site.page(there.removeprefix("/"))
        return _said(301, f"This channel is at {url}", (("Location", url),))

    def _missing(self, method: str, slug: str, ending: str) -> Answer:
        if not self._service.keeper.is_known:
            return self._later(method, f"Whether there is a channel “{slug}” cannot be read at the moment.")
        known = [f"/{channel.path_as(form)}" for channel in self._service.public for form in FORMATS]
        listed = "\n".join(["Here is:", *known]) if known else "No channel is published here."
        if self._catalogue.has_ended(slug):
            # Readers drop a subscription on 410 (RFC 9110 section 15.5.11), and go on asking after 404.
            return _without_body(method, _said(410, f"The channel “{slug}” has ended.\n{listed}"))
        is_channel = slug in self._catalogue.by_slug
        what = f"no {ending} of this channel" if is_channel else f"no channel “{slug}”"
        return _without_body(method, _said(404, f"There is {what}.\n{listed}"))

    def _later(self, method: str, sentence: str) -> Answer:
        # Never an error page with status 200, which readers would take for an empty feed.
        later = (("Retry-After", str(SOON)), ("Cache-Control", "no-store"))
        return _without_body(method, _said(503, f"{sentence} Ask again in a few seconds.", later))


class Gate:
    """Who may read a channel, how often, and how much of it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        #: Documents made for what was agreed with a partner, by the ETag of the whole one.
        self._narrowed: dict[tuple[str, ...], Held] = {}

    async def admit(self, channel: Channel, asked: Mapping[str, str]) -> Partner | Answer | None:
        """The partner who asks; None for anybody at a public channel; an answer for whoever may not."""
        key = key_of(asked.get("authorization", ""))
        if key is None:
            return (
                None
                if channel.is_public
                else _said(401, "This channel is for partners: send your key.", _CHALLENGE)
            )
        partner = await holder(self._service.database, self._service.clock, key)
        if partner is None:
            return _said(401, "This key is nobody's, was revoked or has expired.", _CHALLENGE)
        if channel.slug not in partner.channels and not channel.is_public:
            return _said(403, f"The channel “{channel.slug}” is not among those agreed with {partner.title}.")
        wait = self._service.meter.wait(partner)
        if wait is not None:
            return _said(
                429,
                f"{partner.title} may ask {partner.per_minute} times a minute.",
                (("Retry-After", str(wait)), ("Cache-Control", "no-store")),
            )
        return partner

    async def held_for(self, partner: Partner, channel: Channel, format: Format, held: Held) -> Held:
        """The document as this partner may have it; made once for each state of the whole one."""
        if takes_all(partner):
            return held
        terms = (channel.slug, format, *partner.languages, "|", *partner.topics, "|", partner.reuse.value)
        known = self._narrowed.get(terms)
        if known is not None and known.etag == held.etag:
            return known
        service = self._service
        made = partial(
            narrowed_document,
            channel=channel,
            site=service.site,
            format=format,
            hubs=service.hubs,
            partner=partner,
        )
        document, holds = await service.database.read(made)
        codings = await asyncio.to_thread(packed, document.body)
        resource = make_resource(
            coded(codings, document.etag),
            document.media_type,
            headers=_headers(service, f"channels/{channel.slug}.{format}", is_public=False),
            last_modified=min(held.last_modified, service.clock()),
            vary="Accept-Encoding, Authorization",
        )
        self._narrowed[terms] = Held(held.etag, resource, holds, held.last_modified)
        return self._narrowed[terms]

    def recorded(self, partner: Partner, held: Held, answer: Answer) -> Then:
        """What is to be noted of an answer once it is sent."""
        taken = held.holds if answer.status == 200 else ()
        return partial(
            note_taken,
            self._service.database,
            self._service.clock,
            partner,
            taken,
            via="feed",
            body_bytes=len(answer.body),
            is_unchanged=answer.status == 304,
        )


def document_resource(document: StoredDocument, service: Service, *, is_public: bool = True) -> Resource:
    """A stored document with the headers that subscribers get."""
    path = f"channels/{document.channel}.{document.format}"
    return make_resource(
        coded(document.codings, document.etag),
        document.media_type,
        headers=_headers(service, path, is_public=is_public),
        # Never later than Date (RFC 9110 section 8.8.2.1), even after the clock was set back.
        last_modified=min(document.last_modified, service.clock()),
        vary="Accept-Encoding" if is_public else "Accept-Encoding, Authorization",
    )


def _headers(service: Service, path: str, *, is_public: bool) -> list[tuple[str, str]]:
    seconds = int(service.serve.max_age.total_seconds())
    links = [f'<{service.site.page(path)}>; rel="self"', *(f'<{hub}>; rel="hub"' for hub in service.hubs)]
    access = "public" if is_public else "private"
    return [
        ("Cache-Control", f"{access}, max-age={seconds}, stale-while-revalidate={seconds}"),
        ("Link", ", ".join(links)),
        *_OPEN_TO_ALL,
    ]


def _asked(scope: Scope) -> _Asked | None:
    """What decides the answer to a request; None where something does that is not remembered."""
    deciding = []
    for name, value in scope["headers"]:
        if name in _DECIDING and len(value) <= _LONGEST:
            deciding.append((name, value))
        elif name in _DECIDING or name in _RARE:
            return None
    return scope["path"], tuple(deciding)


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
