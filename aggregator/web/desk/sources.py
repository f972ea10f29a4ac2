"""What is followed: the list with the health of each source, one source's page, and what is decided there."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.responses import RedirectResponse, Response

from aggregator.errors import BadInput
from aggregator.flows import moves
from aggregator.flows import source_desk as flow
from aggregator.flows.retention import keep_source
from aggregator.flows.source_desk import Asked, Followed
from aggregator.flows.sources import export_opml, remove_source
from aggregator.model import Outcome
from aggregator.people import SignedIn
from aggregator.web.context import Service
from aggregator.web.desk import plots, source_words
from aggregator.web.desk.frame import Decider, Here, Sent, Who, reading_of, render_desk
from aggregator.web.desk.sparks import spark
from aggregator.web.shown import direction, story_title
from feeds.shareable import is_shareable
from feeds.urls import host_of

router = APIRouter(prefix="/desk", include_in_schema=False)

#: The largest number that a row has; beyond it there is no source.
LARGEST = 2**31 - 1
_MOST_DIGITS = len(str(LARGEST))


class _Number(IntegerConvertor):
    """A number in an address. Starlette's own takes digits without end, and Python refuses to read those."""

    regex = f"[0-9]{{1,{_MOST_DIGITS}}}"


register_url_convertor("int", _Number())

#: What a link of the list leaves out, since it is so anyway.
_USUAL = {"show": "all", "sort": "trouble", "q": "", "page": "1"}


@router.get("/sources")
async def all_sources(
    service: Here,
    who: Who,
    show: str = "all",
    q: str = "",
    sort: str = "trouble",
    page: str = "1",
    told: str = "",
    n: str = "",
) -> Response:
    """The sources with how each is doing; what is asked for stands in the address, so a view is a bookmark."""
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 1
    asked = Asked(
        show if show in flow.FILTERS else "all", q[:200], sort if sort in flow.ORDERS else "trouble", number
    )
    now = service.clock()
    found = await service.database.read(lambda session: flow.list_sources(session, asked, now))
    return render_desk(
        service,
        who,
        "sources.html",
        here="sources",
        found=found,
        asked=asked,
        words=source_words,
        sparks={id: spark(counts) for id, counts in found.beats.items()},
        link=partial(_link, service, asked),
        may=_may(who),
        told=source_words.TOLD.get(told, ""),
        followed=int(n) if told == "many" and n.isascii() and n.isdecimal() and len(n) < 6 else None,
    )


@router.get("/sources.opml")
async def opml(service: Here, who: Who) -> Response:
    """Everything that is followed, for another feed reader. Who decides nothing gets no address with a key in it."""
    body = await export_opml(
        service.database,
        title=f"{service.site.title}: sources",
        created=service.clock(),
        only_open=not _may(who),
    )
    headers = {"Content-Disposition": 'attachment; filename="sources.opml"', "Cache-Control": "no-store"}
    return Response(body, media_type="text/x-opml; charset=utf-8", headers=headers)


@router.get("/sources/{source_id:int}")
async def one_source(source_id: int, service: Here, who: Who, before: str = "", told: str = "") -> Response:
    """A source with its log, its newest stories and what can be decided about it."""
    return await _page(service, who, source_id, before=before, told=told)


@router.post("/sources/{source_id:int}")
async def describe(source_id: int, service: Here, who: Decider, sent: Sent) -> Response:
    """Say what it is called, how eagerly it is asked and how much of it is passed on."""
    given = {name: sent.get(name, "") for name in ("title", "kind", "language", "rights", "reuse")}
    await _require(service, source_id)
    try:
        await flow.describe_source(service.database, service.clock, source_id, **given, by=who.account.name)
    except BadInput as error:
        return await _page(service, who, source_id, status=400, given=given, problem=str(error))
    service.soon("poll")
    service.soon("digest")
    return _to(service, source_id, "saved")


@router.post("/sources/{source_id:int}/pause")
async def pause(source_id: int, service: Here, who: Decider, sent: Sent) -> Response:
    """Pause it, or go on with it."""
    act = sent.get("act")
    if act not in ("pause", "resume"):
        raise BadInput("Say whether it is paused or goes on: one of its buttons does.")
    await _require(service, source_id)
    paused, by = act == "pause", who.account.name
    await flow.pause_source(service.database, service.clock, source_id, paused=paused, by=by)
    service.soon("poll")
    return _to(service, source_id, "paused" if act == "pause" else "resumed")


@router.post("/sources/{source_id:int}/ask")
async def ask(source_id: int, service: Here, who: Decider, _: Sent) -> Response:
    """Ask it now, whatever it said about waiting."""
    await _require(service, source_id)
    await flow.ask_source(service.database, service.clock, source_id, by=who.account.name)
    service.soon("poll")
    return _to(service, source_id, "asked")


@router.post("/sources/{source_id:int}/keep")
async def keep(source_id: int, service: Here, who: Decider, sent: Sent) -> Response:
    """Say how long its stories are kept."""
    days = sent.get("days", "")
    await _require(service, source_id)
    try:
        await keep_source(service.database, service.clock, source_id, days, by=who.account.name)
    except BadInput as error:
        return await _page(service, who, source_id, status=400, given={"days": days}, problem=str(error))
    return _to(service, source_id, "keep")


@router.post("/sources/{source_id:int}/move")
async def move(source_id: int, service: Here, who: Decider, sent: Sent) -> Response:
    """Follow it where it was found, or say that it is not there."""
    act, by = sent.get("act"), who.account.name
    if act not in ("follow", "refuse"):
        raise BadInput("Say whether to follow it there or not: one of the two buttons does.")
    await _require(service, source_id)
    if act == "refuse":
        await moves.refuse_proposal(service.database, service.clock, source_id, by=by)
        return _to(service, source_id, "refused")
    try:
        await moves.follow_proposal(service.database, service.clock, source_id, by=by)
    except BadInput as error:
        return await _page(service, who, source_id, status=400, problem=str(error))
    service.soon("poll")
    return _to(service, source_id, "moved")


@router.post("/sources/{source_id:int}/identity")
async def identify(source_id: int, service: Here, who: Decider, sent: Sent) -> Response:
    """Say by what its entries are known."""
    await _require(service, source_id)
    about = (service.database, service.clock, source_id)
    await flow.identify_source(*about, sent.get("act", ""), by=who.account.name)
    return _to(service, source_id, "identified")


@router.post("/sources/{source_id:int}/stop")
async def stop(source_id: int, service: Here, who: Decider, _: Sent) -> Response:
    """Stop following it; where it gave stories it is only paused."""
    await _require(service, source_id)
    if await remove_source(service.database, service.clock, source_id, by=who.account.name):
        return _led_to(service, "/desk/sources?told=stopped")
    return _to(service, source_id, "kept")


async def _page(
    service: Service,
    who: SignedIn,
    source_id: int,
    *,
    before: str = "",
    told: str = "",
    status: int = 200,
    given: dict[str, str] | None = None,
    problem: str = "",
) -> Response:
    now = service.clock()
    is_number = before.isascii() and before.isdecimal() and len(before) <= _MOST_DIGITS
    begin = int(before) if is_number and int(before) <= LARGEST else None
    seen = await service.database.read(
        lambda session: flow.see_source(session, _known_id(source_id), now, before=begin)
    )
    if seen is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    where = await service.database.read(lambda session: moves.whereabouts(session, source_id, now))
    source = seen.followed.source
    reading = reading_of(who)
    return render_desk(
        service,
        who,
        "source.html",
        status,
        here="sources",
        seen=seen,
        one=seen.followed,
        source=source,
        words=source_words,
        plot=plots.columns((reading.stamp(at), count) for at, count in seen.beats),
        given=_given(seen.followed) | (given or {}),
        kept_days=service.keep.stories.days,
        where=where,
        hops_of=moves.hops_of,
        is_shareable=is_shareable,
        host_of=host_of,
        is_first=begin is None,
        may=_may(who),
        may_know=_may(who) or is_shareable(source.url),
        told=source_words.TOLD.get(told, ""),
        problem=problem,
        failed=Outcome.FAILED.value,
        title_of=story_title,
        direction=direction,
    )


def _given(one: Followed) -> dict[str, str]:
    source = one.source
    return {
        "title": source.title,
        "kind": source.kind.value,
        "language": source.language or "",
        "rights": source.rights or "",
        "reuse": source.reuse.value,
        "days": "" if source.keep_days is None else str(source.keep_days),
    }


async def _require(service: Service, source_id: int) -> None:
    found = await service.database.read(lambda session: flow.is_followed(session, _known_id(source_id)))
    if not found:
        raise HTTPException(HTTPStatus.NOT_FOUND)


def _known_id(source_id: int) -> int:
    """The id where it can be one; 0, which nobody has, where it cannot."""
    return source_id if source_id <= LARGEST else 0


def _may(who: SignedIn) -> bool:
    return who.account.role != "viewer"


def _link(service: Service, asked: Asked, **other: str | int) -> str:
    """The address of the list with something else asked for; a new question begins at its first page."""
    values = {
        "show": asked.show,
        "q": asked.search,
        "sort": asked.sort,
        **{k: str(v) for k, v in other.items()},
    }
    said = {name: value for name, value in values.items() if value != _USUAL[name]}
    return f"{service.base}/desk/sources" + (f"?{urlencode(said)}" if said else "")


def _to(service: Service, source_id: int, told: str) -> Response:
    return _led_to(service, f"/desk/sources/{source_id}?told={told}")


def _led_to(service: Service, path: str) -> Response:
    return RedirectResponse(service.base + path, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
