"""The editors' pages of briefs: written, tied to their sources, published."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from aggregator.errors import BadInput
from aggregator.flows import desk, editorial
from aggregator.flows.suggest import suggest_for
from aggregator.model import Role, SignedIn
from aggregator.rules.briefs import BriefError
from aggregator.rules.entries import brief_entry
from aggregator.store import briefs
from aggregator.web.context import Service
from aggregator.web.desk import shown
from aggregator.web.desk.frame import Decider, Here, Sent, Who, render_desk
from aggregator.web.shown import brief_shown
from feeds.model import Feed
from feeds.write import render

router = APIRouter(prefix="/desk/briefs", include_in_schema=False)


@router.get("")
async def all_briefs(service: Here, who: Who) -> Response:
    """Every brief, newest first, and where a new one is begun."""
    return await _list(service, who)


@router.post("")
async def new_brief(service: Here, who: Decider, sent: Sent) -> Response:
    """Take a text as a new brief, or as a new revision of the one of that title and date."""
    text = sent.get("text", "")
    try:
        done = await editorial.import_brief(service.database, service.clock, text, by=who.account.name)
    except BriefError as error:
        return await _list(service, who, status=400, text=text, problem=str(error))
    await _read(service, done.slug)
    return _to(service, done.slug)


@router.get("/{slug}")
async def one_brief(slug: str, service: Here, who: Who, passage: str = "p1") -> Response:
    """A brief with its passages, and what is suggested for the one in hand."""
    return await _page(service, who, slug, passage)


@router.post("/{slug}/text")
async def write(slug: str, service: Here, who: Decider, sent: Sent) -> Response:
    """Save what was written; what somebody else wrote meanwhile stays in it."""
    text, base = sent.get("text", ""), sent.get("base", "")
    if not base.isascii() or not base.isdecimal() or len(base) > 9:
        raise BadInput("The form does not say which revision it began from: load the page anew.")
    name, by = slug, who.account.name
    try:
        saved = await editorial.save_brief(service.database, service.clock, name, text, base=int(base), by=by)
    except BriefError as error:
        kept = {"written": text, "began": int(base), "problem": str(error)}
        return await _page(service, who, slug, "p1", status=400, **kept)
    await _read(service, slug)
    if saved.clashes:
        return await _page(service, who, slug, "p1", status=409, clashes=saved.clashes, is_writing=True)
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
async def decide(slug: str, service: Here, who: Decider, sent: Sent) -> Response:
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
    await _read(service, slug)
    return _to(service, slug, sent.get("passage", ""))


@router.post("/{slug}/publish")
async def publish(slug: str, service: Here, who: Decider, sent: Sent) -> Response:
    """Publish a brief or what changed of it: now, by itself at a time, or as a correction with a note."""
    by = who.account.name
    match sent.get("act"):
        case "publish":
            await editorial.publish_brief(service.database, service.clock, slug, by=by)
        case "plan":
            at = shown.planned(sent.get("at", ""), service.clock())
            await editorial.publish_brief(service.database, service.clock, slug, by=by, at=at)
        case "correct":
            if not (why := sent.get("why", "").strip()):
                raise BadInput("Say what was wrong: readers see the note with the correction.")
            found = await service.database.read(lambda session: editorial.require_brief(session, slug))
            await editorial.correct_brief(
                service.database, service.clock, slug, found.revision.text, by=by, why=why
            )
        case _:
            raise BadInput("Say what becomes of the brief: one of its buttons does.")
    return _to(service, slug)


@router.post("/{slug}/cancel")
async def cancel(slug: str, service: Here, who: Decider, sent: Sent) -> Response:
    """Take back that a brief is published by itself."""
    await editorial.cancel_release(service.database, slug, by=who.account.name)
    return _to(service, slug)


@router.post("/{slug}/withdraw")
async def withdraw(slug: str, service: Here, who: Decider, sent: Sent) -> Response:
    """Take a published brief back, with the reason that readers will see."""
    why = sent.get("why", "")
    await editorial.withdraw_brief(service.database, service.clock, slug, by=who.account.name, why=why)
    return _to(service, slug)


@router.get("/{slug}/preview")
async def preview(slug: str, service: Here, who: Who) -> Response:
    """The page and the Atom entry as readers would get them if the brief were published now."""
    found = await service.database.read(
        lambda session: desk.as_readers_get_it(session, slug, service.topics, service.clock())
    )
    titles = {name: compiled.topic.title for name, compiled in service.topics.items()}
    entry = brief_entry(found, service.site, titles)
    feed = Feed(
        title=service.site.title, id=service.site.tag("preview"), updated=entry.updated, entries=(entry,)
    )
    atom = render(feed, "atom").body.decode()
    return render_desk(
        service,
        who,
        "preview.html",
        here="briefs",
        brief=brief_shown(found),
        topics={name: compiled.topic for name, compiled in service.topics.items()},
        atom=atom,
    )


@router.get("/{slug}/revisions")
async def revisions(slug: str, service: Here, who: Who, of: int | None = None) -> Response:
    """Every saved state of a brief, and one of them against the one before it."""
    found = await service.database.read(lambda session: editorial.require_brief(session, slug))
    past = await service.database.read(lambda session: briefs.revisions(session, found.id))
    chosen = next((each for each in past if each.number == of), past[0])
    before = next((each for each in past if each.number == chosen.number - 1), None)
    lines = shown.changed_lines(before.text if before else "", chosen.text)
    about = {"brief": found, "past": past, "chosen": chosen, "lines": lines}
    return render_desk(service, who, "revisions.html", here="briefs", **about)


async def _list(
    service: Service, who: SignedIn, *, status: int = 200, text: str = "", problem: str = ""
) -> Response:
    found = await service.database.read(briefs.all_briefs)
    about = {"found": found, "text": text, "problem": problem}
    return render_desk(service, who, "briefs.html", status, here="briefs", **about)


async def _page(
    service: Service, who: SignedIn, slug: str, passage: str, *, status: int = 200, **more: object
) -> Response:
    seen = await service.database.read(lambda session: desk.brief_seen(session, slug))
    ids = [each.passage.id for each in seen.passages]
    hand = passage if passage in ids else ids[0]
    proposed = await service.database.read(lambda session: desk.proposed(session, seen.brief, hand))
    about: dict[str, object] = {
        "seen": seen,
        "hand": hand,
        "passages": [
            shown.passage(each, proposed if each.passage.id == hand else ()) for each in seen.passages
        ],
        "proposed": [shown.card(each) for each in proposed],
        "roles": shown.ROLES,
        "written": seen.brief.revision.text,
        "began": seen.brief.revision.number,
        "clashes": (),
        "problem": "",
        "is_writing": False,
        **more,
    }
    return render_desk(service, who, "brief.html", status, here="briefs", **about)


async def _read(service: Service, slug: str) -> None:
    """Hold the newest text against the wire, so that the page that follows shows what was found."""
    found = await service.database.read(lambda session: editorial.require_brief(session, slug))
    await suggest_for(service.database, service.clock, found)


def _to(service: Service, slug: str, passage: str = "") -> Response:
    place = f"?passage={passage}#{passage}" if passage.isalnum() else ""
    where = f"{service.base}/desk/briefs/{slug}{place}"
    return RedirectResponse(where, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
