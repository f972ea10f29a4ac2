"""The editors' pages of briefs: written, tied to their sources, published."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aggregator.errors import BadInput
from aggregator.flows import desk, editorial
from aggregator.flows.writing import Saved
from aggregator.model import BriefState, Role
from aggregator.people import SignedIn
from aggregator.rules.briefs import BriefError
from aggregator.rules.checks import CONFLICTS
from aggregator.store import briefs
from aggregator.web.context import Service
from aggregator.web.desk import shown
from aggregator.web.desk.frame import Decider, Here, Sent, Who, led_to, render_desk
from aggregator.web.desk.reading import readings_of
from aggregator.web.shown import direction

router = APIRouter(prefix="/desk/briefs", include_in_schema=False)

#: Briefs on one page of the list.
ON_A_PAGE = 50


@router.get("")
async def all_briefs(service: Here, who: Who, state: str = "", before: int | None = None) -> Response:
    """The briefs, newest first, and where a new one is begun."""
    return await _list(service, who, state=state, before=before)


@router.post("")
async def new_brief(request: Request, service: Here, who: Decider, sent: Sent) -> Response:
    """Take a text as a new brief, or as a new revision of the one of that title and date."""
    text = sent.get("text", "")
    try:
        done = await editorial.import_brief(service.database, service.clock, text, by=who.account.name)
    except BriefError as error:
        return await _list(service, who, status=400, text=text, problem=str(error))
    await readings_of(request).read(done.slug)
    return _to(service, done.slug)


@router.get("/{slug}")
async def one_brief(slug: str, service: Here, who: Who, passage: str = "p1") -> Response:
    """A brief with its passages, and what is suggested for the one in hand."""
    return await _page(service, who, slug, passage)


@router.post("/{slug}/text")
async def write(request: Request, slug: str, service: Here, who: Decider, sent: Sent) -> Response:
    """Save what was written; what somebody else wrote meanwhile stays in it.

    A page that saves while somebody types asks for JSON, and is not kept waiting for the wire.
    """
    text, base = sent.get("text", ""), sent.get("base", "")
    if not base.isascii() or not base.isdecimal() or len(base) > 9:
        raise BadInput("The form does not say which revision it began from: load the page anew.")
    is_typing = request.headers.get("accept", "").startswith("application/json")
    name, by = slug, who.account.name
    try:
        saved = await editorial.save_brief(service.database, service.clock, name, text, base=int(base), by=by)
    except BriefError as error:
        if is_typing:
            return JSONResponse({"problem": str(error)}, 422, {"Cache-Control": "no-store"})
        kept = {"written": text, "began": int(base), "problem": str(error)}
        return await _page(service, who, slug, "p1", status=400, **kept)
    readings = readings_of(request)
    if is_typing:
        readings.begin(slug)
        return _saved_json(saved)
    await readings.read(slug)
    if saved.clashes:
        about = {"clashes": saved.clashes, "text_of_mine": saved.text_of_mine, "is_writing": True}
        return await _page(service, who, slug, "p1", status=409, mine=saved.mine, **about)
    return _to(service, slug, sent.get("passage", ""))


@router.post("/{slug}/picks")
async def pick(slug: str, service: Here, who: Decider, sent: Sent) -> Response:
    """Take a story for a passage, in a role; turn it down; or take either back."""
    passage, story, act = (sent.get(name, "") for name in ("passage", "story", "act"))
    about = (service.database, service.clock, slug, passage, story)
    by = who.account.name
    if act == "reject":
        await editorial.reject_story(*about, by=by)
    elif act == "undo":
        await editorial.pick_story(*about, by=by, undo=True)
    elif act in Role.__members__.values():
        await editorial.pick_story(*about, Role(act), by=by)
    else:
        raise BadInput("Say what becomes of the story: one of its buttons does.")
    return _to(service, slug, passage)


@router.post("/{slug}/checks")
async def decide(request: Request, slug: str, service: Here, who: Decider, sent: Sent) -> Response:
    """Accept a check, which corrects the text, or ignore it with a reason."""
    await desk.decide_check(
        service.database,
        service.clock,
        slug,
        (sent.get("kind", ""), sent.get("brief", ""), sent.get("sources_say", "")),
        accept=sent.get("act") == "accept",
        why=sent.get("why", ""),
        by=who.account.name,
    )
    await readings_of(request).read(slug)
    return _to(service, slug, sent.get("passage", ""))


async def _list(
    service: Service,
    who: SignedIn,
    *,
    status: int = 200,
    state: str = "",
    before: int | None = None,
    text: str = "",
    problem: str = "",
) -> Response:
    chosen = BriefState(state) if state in BriefState.__members__.values() else None
    found = await service.database.read(
        lambda session: briefs.listed(session, state=chosen, before=before, limit=ON_A_PAGE + 1)
    )
    about = {
        "found": found[:ON_A_PAGE],
        "older": found[ON_A_PAGE - 1].id if len(found) > ON_A_PAGE else None,
        "state": chosen,
        "states": shown.STATES,
        "text": text,
        "problem": problem,
    }
    return render_desk(service, who, "briefs.html", status, here="briefs", **about)


async def _page(
    service: Service, who: SignedIn, slug: str, passage: str, *, status: int = 200, **more: object
) -> Response:
    seen, hand, proposed, since = await service.database.read(lambda session: _look(session, slug, passage))
    about: dict[str, object] = {
        "seen": seen,
        "hand": hand,
        "passages": [
            shown.passage(each, proposed if each.passage.id == hand else ()) for each in seen.passages
        ],
        "proposed": [shown.card(each) for each in proposed],
        "roles": shown.ROLES,
        "kinds": shown.KINDS,
        "parts": shown.WIRE_PARTS,
        "direction": direction,
        "conflicts": CONFLICTS,
        "states": shown.STATES,
        "acts": shown.ACTS,
        "since": since,
        "written": seen.brief.revision.text,
        "began": seen.brief.revision.number,
        "clashes": (),
        "text_of_mine": "",
        "mine": seen.brief.revision.number,
        "problem": "",
        "is_writing": False,
        **more,
    }
    return render_desk(service, who, "brief.html", status, here="briefs", **about)


def _look(session: Any, slug: str, passage: str) -> tuple[desk.BriefSeen, str, list[desk.Proposed], str]:
    """Everything that the page of a brief shows, at one moment."""
    seen = desk.brief_seen(session, slug)
    ids = [each.passage.id for each in seen.passages]
    hand = passage if passage in ids else ids[0]
    return seen, hand, desk.proposed(session, seen, hand), desk.pulse(session, seen.brief.id)


def _to(service: Service, slug: str, passage: str = "") -> Response:
    place = f"?passage={passage}#{passage}" if passage.isalnum() else ""
    return led_to(service, f"/desk/briefs/{slug}{place}")


def _saved_json(saved: Saved) -> Response:
    """What became of a text that was saved while somebody goes on typing.

    `number` and `text` are what the brief is now; `mine` is the revision that holds just what was sent.
    """
    said = {
        "number": saved.number,
        "mine": saved.mine,
        "text": saved.text,
        "merged": saved.is_merged,
        "clashes": len(saved.clashes),
    }
    return JSONResponse(said, headers={"Cache-Control": "no-store"})
