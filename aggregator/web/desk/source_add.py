"""New sources: an address is looked at, a list is looked through, and only then something is followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from aggregator.errors import BadInput
from aggregator.flows import looking
from aggregator.flows.looking import FeedSeen, Listed, Look
from aggregator.flows.source_desk import kind_of, language_of, reuse_of, rights_of, title_of
from aggregator.flows.sources import add_sources, list_of, require_web_url
from aggregator.model import Reuse, Source, SourceDraft, SourceKind
from aggregator.people import SignedIn
from aggregator.web.context import Service
from aggregator.web.desk import source_words
from aggregator.web.desk.frame import Decider, Here, Sent, reading_of, render_desk
from aggregator.web.desk.upload import Bounds, uploaded
from aggregator.web.shown import direction
from feeds.errors import FailureKind, FetchError, ParseError
from feeds.urls import host_of

router = APIRouter(prefix="/desk/sources", include_in_schema=False)

#: The form that takes a file: the list, and some room for the fields beside it.
_FILE = Bounds(body_bytes=looking.MOST_LIST_BYTES + 64 * 1024)
#: The form that sends the list back with a box for each of its feeds.
_CHOICE = Bounds(
    body_bytes=8 * 1024 * 1024, fields=looking.MOST_LISTED + 20, field_bytes=2 * looking.MOST_LIST_BYTES
)

#: How a new source is treated unless somebody says otherwise.
_USUAL = {"kind": "news", "reuse": "summary", "rights": ""}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something could not be done, in the place where it was asked for."""

    #: "address", "choice", "list" or "chosen": the form that it belongs to.
    place: str
    says: str
    #: What the server or the document was found to be, where that is known.
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A feed that may be followed, as its form shows it."""

    seen: FeedSeen
    title: str
    language: str
    is_taken: bool
    #: The source that it is already.
    known: Source | None


@dataclass(frozen=True, slots=True)
class Page:
    """What the page shows besides its empty forms."""

    address: str = ""
    list_address: str = ""
    look: Look | None = None
    choices: tuple[Choice, ...] = ()
    listed: tuple[Listed, ...] = ()
    #: The new ones of them, as OPML, so that nothing is kept here between two forms.
    body: str = ""
    given: dict[str, str] = field(default_factory=lambda: dict(_USUAL))
    problem: Problem | None = None


@router.get("/add")
async def form(service: Here, who: Decider) -> Response:
    """Where an address or a list is given."""
    return _page(service, who, Page())


@router.post("/look")
async def look(service: Here, who: Decider, sent: Sent) -> Response:
    """What stands at an address. Nothing is followed yet."""
    address = sent.get("address", "").strip()
    try:
        require_web_url(address)
    except BadInput:
        return _page(service, who, Page(address, problem=Problem("address", source_words.NO_ADDRESS)))
    followed = await service.database.read(looking.followed_addresses)
    try:
        found = await service.looker.look(address, followed=followed)
    except BadInput:
        return _page(service, who, Page(address, problem=Problem("address", source_words.BUSY)))
    except FetchError as error:
        says = source_words.ADVICE.get(error.kind, source_words.TRY_LATER)
        return _page(service, who, Page(address, problem=Problem("address", says, str(error))))
    if not found.feeds:
        says = source_words.NO_FEED
        return _page(service, who, Page(address, problem=Problem("address", says)))
    known = await _known(service, [feed.url for feed in found.feeds])
    return _page(service, who, Page(address, look=found, choices=_choices(found.feeds, known)))


@router.post("")
async def follow(service: Here, who: Decider, sent: Sent) -> Response:
    """Follow the feeds that were chosen."""
    try:
        drafts = [_draft(sent, place) for place in range(looking.MOST_FEEDS) if f"take{place}" in sent]
        if not drafts:
            raise BadInput(source_words.CHOOSE)
    except BadInput as error:
        page = Page(sent.get("address", ""), problem=Problem("choice", str(error)))
        return _page(service, who, await _again(service, sent, page))
    return await _follow(service, who, drafts)


@router.post("/list")
async def look_through(request: Request, service: Here, who: Decider) -> Response:
    """Which feeds a list names, and which of them are new. Nothing is followed yet."""
    address = ""
    try:
        sent = await uploaded(request, service, who, _FILE)
        address = sent.fields.get("address", "").strip()
        if not sent.body and not address:
            raise BadInput(source_words.NO_LIST)
        body = sent.body or await service.looker.document(address)
        drafts = looking.read_list(body)
    except (BadInput, ParseError) as error:
        return _page(service, who, Page(list_address=address, problem=Problem("list", str(error))))
    except FetchError as error:
        says = source_words.ADVICE.get(error.kind, source_words.TRY_LATER)
        return _page(service, who, Page(list_address=address, problem=Problem("list", says, str(error))))
    return await _list_page(service, who, Page(list_address=address), drafts)


@router.post("/import")
async def follow_list(request: Request, service: Here, who: Decider) -> Response:
    """Follow the feeds of a list that were left ticked."""
    sent = (await uploaded(request, service, who, _CHOICE)).fields
    try:
        drafts = looking.read_list(sent.get("opml", "").encode())
    except ParseError as error:
        raise BadInput(source_words.NO_LIST) from error
    try:
        kind, rights, reuse = _terms(sent)
        chosen = [
            SourceDraft(draft.url, draft.title, draft.site_url, draft.language, kind, rights, reuse)
            for place, draft in enumerate(drafts)
            if f"take{place}" in sent
        ]
        if not chosen:
            raise BadInput(source_words.CHOOSE)
    except BadInput as error:
        page = Page(given=_given(sent), problem=Problem("chosen", str(error)))
        return await _list_page(service, who, page, drafts)
    return await _follow(service, who, chosen)


async def _list_page(service: Service, who: SignedIn, page: Page, drafts: Sequence[SourceDraft]) -> Response:
    found = await service.database.read(lambda session: looking.listed(session, drafts))
    new = [one.draft for one in found if one.known is None]
    body = list_of(new, title=service.site.title).decode()
    return _page(
        service,
        who,
        Page(
            list_address=page.list_address,
            listed=tuple(found),
            body=body,
            given=page.given,
            problem=page.problem,
        ),
    )


async def _follow(service: Service, who: SignedIn, drafts: Sequence[SourceDraft]) -> Response:
    new = await add_sources(service.database, service.clock, drafts, by=who.account.name)
    service.soon("poll")
    path = f"/desk/sources?told=many&n={new}"
    if len(drafts) == 1:
        known = await _known(service, [drafts[0].url])
        told = "followed" if new else "known"
        path = f"/desk/sources/{known[drafts[0].url].id}?told={told}"
    return RedirectResponse(service.base + path, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})


async def _again(service: Service, sent: dict[str, str], page: Page) -> Page:
    """The choice as it was sent, without what the feeds showed: they are not asked a second time."""
    urls = [sent.get(f"url{place}", "") for place in range(looking.MOST_FEEDS)]
    known = await _known(service, [url for url in urls if url])
    choices = tuple(
        Choice(
            FeedSeen(url, sent.get(f"title{place}", "")),
            sent.get(f"title{place}", ""),
            sent.get(f"language{place}", ""),
            f"take{place}" in sent,
            known.get(url),
        )
        for place, url in enumerate(urls)
        if url
    )
    return Page(page.address, choices=choices, given=_given(sent), problem=page.problem)


def _choices(feeds: Sequence[FeedSeen], known: dict[str, Source]) -> tuple[Choice, ...]:
    """The feeds of a page; the first that is new and can be read is chosen, since a page puts its own first."""
    first = next((feed for feed in feeds if feed.failure is None and feed.url not in known), None)
    return tuple(
        Choice(feed, feed.title[:200], feed.language or "", feed is first, known.get(feed.url))
        for feed in feeds
    )


def _draft(sent: dict[str, str], place: int) -> SourceDraft:
    kind, rights, reuse = _terms(sent)
    return SourceDraft(
        url=require_web_url(sent.get(f"url{place}", "")),
        title=title_of(sent.get(f"title{place}", "")),
        language=language_of(sent.get(f"language{place}", "")),
        kind=kind,
        rights=rights,
        reuse=reuse,
    )


def _terms(sent: dict[str, str]) -> tuple[SourceKind, str | None, Reuse]:
    return kind_of(sent.get("kind", "")), rights_of(sent.get("rights", "")), reuse_of(sent.get("reuse", ""))


def _given(sent: dict[str, str]) -> dict[str, str]:
    return {name: sent.get(name, usual) for name, usual in _USUAL.items()}


async def _known(service: Service, urls: Sequence[str]) -> dict[str, Source]:
    return await service.database.read(lambda session: looking.known_at(session, urls))


def _page(service: Service, who: SignedIn, page: Page) -> Response:
    problem = page.problem
    return render_desk(
        service,
        who,
        "source-add.html",
        400 if page.problem else 200,
        here="sources",
        page=page,
        problem=problem,
        says=reading_of(who).say(problem.says) if problem else "",
        words=source_words,
        failures={kind.value: says for kind, says in source_words.FAILURES.items()},
        not_a_feed=FailureKind.NOT_A_FEED,
        host_of=host_of,
        direction=direction,
    )
