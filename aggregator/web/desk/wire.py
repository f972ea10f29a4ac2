"""The wire: one row an event, newest first, with its filters in the address; and each event by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from aggregator.errors import BadInput
from aggregator.flows import desk_event, desk_wire
from aggregator.flows.desk_wire import MarkedMeanwhile, WirePage
from aggregator.language.query import QueryError, parse_query
from aggregator.people import SignedIn
from aggregator.rules.wire_views import View, read_cursor, read_view
from aggregator.web.context import Service
from aggregator.web.desk import wire_shown
from aggregator.web.desk.frame import Decider, Here, Sent, Who, led_to, render_desk
from aggregator.web.shown import direction

router = APIRouter(prefix="/desk/wire", include_in_schema=False)

#: Events on one page.
ROWS = 40
#: Characters of the name of a source in the list of them.
SOURCE_NAME = 60

#: The number of a story, as far as a column holds one.
Story = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("")
async def wire(request: Request, service: Here, who: Who) -> Response:
    """The newest events that meet what the address asks for, so that a view is a bookmark."""
    said = request.query_params
    return await wire_page(service, who, read_view(said), before=said.get("before", ""))


@router.get("/{story}")
async def event(
    request: Request, story: Story, service: Here, who: Who, behind: int = 0, versions: int = 0
) -> Response:
    """The event of a story: every story of it, why it is there, and what its versions changed."""
    view = read_view(request.query_params)
    return await _event_page(service, who, story, view, behind=max(behind, 0), versions=versions)


@router.post("/{story}/mark")
async def mark(request: Request, story: Story, service: Here, who: Decider, sent: Sent) -> Response:
    """Take an event, spike it with a reason, or give it back."""
    view, act, why = read_view(request.query_params), sent.get("act", ""), sent.get("why", "")
    is_row = sent.get("from") == "wire"
    try:
        root = await desk_wire.mark(
            service.database,
            service.clock,
            story,
            act,
            decided=_number(sent, "decided"),
            why=why,
            by=who.account.name,
        )
    except BadInput as error:
        status = 409 if isinstance(error, MarkedMeanwhile) else 400
        kept = {"refused": story, "why": why}
        if not is_row:
            return await _event_page(service, who, story, view, status=status, problem=str(error), typed=kept)
        before = sent.get("before", "")
        return await wire_page(
            service, who, view, before=before, status=status, problem=str(error), typed=kept
        )
    if not is_row:
        return led_to(service, _address(view, f"/{root}"))
    cursor = read_cursor(sent.get("before", ""))
    back = _address(view, "", before=str(cursor) if cursor else "")
    return led_to(service, f"{back}#e{root}")


@router.post("/{story}/undo-merge")
async def undo_merge(request: Request, story: Story, service: Here, who: Decider, sent: Sent) -> Response:
    """Take back a merge: its two events stand apart again."""
    number = _number(sent, "merge")
    root = await desk_event.undo_merge(service.database, service.clock, story, number, by=who.account.name)
    return led_to(service, _address(read_view(request.query_params), f"/{root}"))


async def wire_page(
    service: Service,
    who: SignedIn,
    view: View,
    *,
    before: str = "",
    status: int = 200,
    problem: str = "",
    typed: Mapping[str, object] | None = None,
) -> Response:
    """The wire in a view; with what was typed and why it was refused, where that is so."""
    cursor = read_cursor(before)
    page, query = WirePage((), None, 0), None
    try:
        query = parse_query(view.q) if view.q else None
        now = service.clock()
        page = await service.database.read(
            lambda session: desk_wire.wire(session, view, now=now, limit=ROWS, cursor=cursor)
        )
    except QueryError as error:
        # Not over what was said already, such as why the view could not be saved.
        status, problem = (status if problem else 400), problem or str(error)
    facets = await service.database.read(desk_wire.facets)
    topics = {slug: compiled.topic.title for slug, compiled in service.topics.items()}
    return render_desk(
        service,
        who,
        "wire.html",
        status,
        here="wire",
        rows=[wire_shown.row(each, query, topics) for each in page.events],
        view=view,
        asked=wire_shown.chosen(view),
        behind=wire_shown.carried(view),
        before=str(cursor) if cursor else "",
        older=page.older,
        newest=page.newest,
        is_readable=query is not None or not view.q,
        topics=topics,
        languages=wire_shown.languages(facets.languages, page.events, view.language),
        sources=[(str(number), name[:SOURCE_NAME]) for number, name in facets.sources],
        saved=facets.saved,
        spans=wire_shown.SPANS,
        states=wire_shown.STATES,
        problem=problem,
        kept={"refused": 0, "why": "", "name": "", **(typed or {})},
    )


async def _event_page(
    service: Service,
    who: SignedIn,
    story: int,
    view: View,
    *,
    behind: int = 0,
    versions: int = 0,
    status: int = 200,
    problem: str = "",
    typed: Mapping[str, object] | None = None,
) -> Response:
    seen = await service.database.read(
        lambda session: desk_event.event_seen(session, story, behind=behind, compare=versions)
    )
    try:
        query = parse_query(view.q) if view.q else None
    except QueryError:
        query = None
    topics = {slug: compiled.topic.title for slug, compiled in service.topics.items()}
    return render_desk(
        service,
        who,
        "event.html",
        status,
        here="wire",
        seen=seen,
        title=wire_shown.title_of(seen),
        direction=direction(seen.newest.language),
        texts=[wire_shown.text(each, query) for each in seen.texts],
        topics=[topics[slug] for slug in seen.newest.topics if slug in topics],
        line_title=wire_shown.line_title,
        direction_of=direction,
        behind=wire_shown.carried(view),
        next_behind=behind + len(seen.texts) if behind + len(seen.texts) < seen.all_texts else 0,
        problem=problem,
        kept={"refused": 0, "why": "", **(typed or {})},
    )


def _number(sent: dict[str, str], name: str) -> int:
    """A number in a form; 0, which nothing has, where there is none."""
    said = sent.get(name, "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= 9 else 0


def _address(view: View, path: str, *, before: str = "") -> str:
    said = [part for part in (view.query, f"before={before}" if before else "") if part]
    return f"/desk/wire{path}" + (f"?{'&'.join(said)}" if said else "")
