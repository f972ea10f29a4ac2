"""The API of editors and partners: JSON under /api, with a key."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import AfterValidator, BaseModel, ConfigDict
from starlette.requests import Request

from aggregator.errors import BadInput
from aggregator.flows import editorial, link, people, views
from aggregator.model import Role
from aggregator.people import ApiKey
from aggregator.web.bounds import is_text
from aggregator.web.context import Service, service_of
from aggregator.web.described import Key, refusals

#: Stories in one answer at most.
MOST = 500


async def program_of(request: Request) -> ApiKey:
    """The program that holds the key of a request.

    Raises:
        HTTPException: 401, there is no key or it is nobody's (RFC 6750 section 3).
    """
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        challenge = {"WWW-Authenticate": 'Bearer realm="wirebrief"'}
        raise HTTPException(401, "Send your key as Authorization: Bearer KEY.", challenge)
    service = service_of(request)
    program = await people.key_holder(service.database, service.clock, key.strip())
    if program is None:
        challenge = {"WWW-Authenticate": 'Bearer realm="wirebrief", error="invalid_token"'}
        raise HTTPException(401, "This key is nobody's, was revoked or has expired.", challenge)
    return program


Here = Annotated[Service, Depends(service_of)]
Who = Annotated[ApiKey, Depends(program_of)]


async def decider_of(who: Who) -> ApiKey:
    """A program that may decide on briefs.

    Raises:
        HTTPException: 403, it may only look.
    """
    if not who.may("editor"):
        raise HTTPException(403, f"The key {who.name!r} may look, and decide nothing.")
    return who


Decider = Annotated[ApiKey, Depends(decider_of)]

router = APIRouter(
    prefix="/api", dependencies=[Depends(Key()), Depends(program_of)], responses=refusals(400, 401, 503)
)


async def known_brief(brief: str, service: Here) -> str:
    """The name of a brief that exists.

    Raises:
        HTTPException: 404, there is none.
    """
    missing = await service.database.read(partial(views.knows_brief, name=brief))
    if missing:
        raise HTTPException(404, missing)
    return brief


Brief = Annotated[str, Depends(known_brief)]


def _kept(written: str) -> str:
    if not is_text(written):
        raise ValueError("there is a character in it that is no text")
    return written


#: Text that a database keeps.
Kept = Annotated[str, AfterValidator(_kept)]


class Pick(BaseModel):
    """A story for a passage."""

    model_config = ConfigDict(extra="forbid")

    #: p0 is the title, then p1, p2 … in order.
    passage: Kept
    #: Its number, URL or entry id.
    story: int | Kept
    #: Left out when a pick is taken back: a story stands once in a passage.
    role: Role = Role.SOURCE


@router.get("/stories")
async def stories(
    service: Here,
    q: Annotated[str, Query(description="In the search language.")] = "",
    topic: Annotated[str | None, Query(description="The slug of a topic.")] = None,
    language: Annotated[str | None, Query(description="ISO 639-1.")] = None,
    since: Annotated[str | None, Query(description="A day or a time, ISO 8601; UTC unless it says.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> dict[str, Any]:
    """Stories, newest first, that meet every condition given."""
    if topic is not None and topic not in service.topics:
        raise BadInput(f"There is no topic {topic!r}: there is {', '.join(service.topics) or 'none yet'}.")
    read = partial(
        views.find_stories, asked=q, topic=topic, language=language, since=_moment(since), limit=limit
    )
    return {"stories": await service.database.read(read)}


@router.get("/briefs")
async def briefs(service: Here) -> dict[str, Any]:
    """Every brief, newest first."""
    return {"briefs": await service.database.read(views.list_briefs)}


@router.get("/briefs/{brief}", responses=refusals(404))
async def brief(brief: Brief, service: Here) -> dict[str, Any]:
    """A brief with its passages and their picks."""
    return await service.database.read(partial(views.show_brief, name=brief))


@router.get("/briefs/{brief}/link", responses=refusals(404))
async def suggestions(brief: Brief, service: Here) -> dict[str, Any]:
    """Suggestions, overall ranking and checks, as `wirebrief link BRIEF --json` prints them."""
    return await link.link_stored(service.database, brief)


@router.post("/briefs/{brief}/picks", responses=refusals(403, 404, 413))
async def pick(brief: Brief, asked: Pick, service: Here, who: Decider) -> dict[str, Any]:
    """Take a story for a passage."""
    return await _decide(service, brief, asked, who, undo=False)


@router.delete("/briefs/{brief}/picks", responses=refusals(403, 404, 413))
async def undo_pick(
    brief: Brief,
    service: Here,
    who: Decider,
    asked: Pick | None = None,
    passage: str | None = None,
    story: str | None = None,
) -> dict[str, Any]:
    """Take a pick back, named in the body or, since not every client sends one, in the query."""
    if asked is None:
        if passage is None or story is None:
            raise BadInput("Say which pick to take back: name its passage and its story.")
        asked = Pick(passage=passage, story=story)
    return await _decide(service, brief, asked, who, undo=True)


@router.post("/briefs/{brief}/publish", responses=refusals(403, 404))
async def publish(brief: Brief, service: Here, who: Decider) -> dict[str, Any]:
    """Publish a brief, or what changed of it since. Its channels follow within seconds."""
    found, act = await editorial.publish_brief(service.database, service.clock, brief, by=who.name)
    return {"brief": views.brief_json(found), "act": act.value if act else None}


async def _decide(service: Service, brief: str, asked: Pick, who: ApiKey, *, undo: bool) -> dict[str, Any]:
    found, story, changed = await editorial.pick_story(
        service.database,
        service.clock,
        brief,
        asked.passage,
        str(asked.story),
        asked.role,
        by=who.name,
        undo=undo,
    )
    return {"brief": views.brief_json(found), "story": views.story_json(story), "changed": changed}


def _moment(written: str | None) -> datetime | None:
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise BadInput(
            f"since = {written!r} is no time: write 2025-02-18 or 2025-02-18T09:00:00Z."
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
