"""The API of partners: what changed in their channels, without losing any of it."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from pydantic import BaseModel
from starlette.background import BackgroundTask
from starlette.requests import Request

from aggregator.flows import partners, people
from aggregator.flows.partners import Change, Changes, changes_for, note_taken
from aggregator.outgoing import Partner, Told, Usage
from aggregator.people import ApiKey
from aggregator.rules.channels import FORMATS, Channel
from aggregator.store.partners import usage as usage_of
from aggregator.web.api import Brief, program_of
from aggregator.web.context import Service, service_of
from aggregator.web.described import Key, refusals
from aggregator.web.keys import key_of
from aggregator.web.made import beside
from feeds.dates import rfc3339
from feeds.write import jsonfeed, ninjs

#: Changes in one answer at most.
MOST = 500

Here = Annotated[Service, Depends(service_of)]


class ChannelOut(BaseModel):
    """A channel that may be read with this key."""

    slug: str
    title: str
    description: str
    #: The address of each format.
    formats: dict[str, str]
    #: The address of what changed in it.
    changes: str


class PartnerOut(BaseModel):
    """What was agreed with whoever holds this key."""

    name: str
    title: str
    channels: list[ChannelOut]
    languages: list[str]
    topics: list[str]
    reuse: str
    per_minute: int
    webhook: str | None


class ChangeOut(BaseModel):
    """What is told of an entry."""

    #: Rises with every change; the cursor.
    change: int
    #: put: keep this state of it. withdraw: take it down and show the notice. remove: take it down.
    op: Literal["put", "withdraw", "remove"]
    id: str
    kind: Literal["brief", "story"]
    at: str
    #: Rises with each state that was told of this entry.
    revision: int
    why: str
    #: The entry as an item of JSON Feed 1.1, or as IPTC ninjs 3.1; null where it is removed.
    entry: dict[str, Any] | None


class ChangesOut(BaseModel):
    """What was told in a channel after a cursor, each entry once and as it is now."""

    channel: str
    changes: list[ChangeOut]
    #: Send it as `since` the next time.
    next: int
    #: Ask again at once: there is more.
    more: bool


class UsageOut(BaseModel):
    """What was asked for on one day (UTC), by feed, api or webhook."""

    day: str
    via: str
    requests: int
    unchanged: int
    entries: int
    bytes: int


class DeliveryOut(BaseModel):
    """A partner that has a brief."""

    partner: str
    revision: int
    #: Whether it has the state that subscribers have now.
    is_current: bool
    via: str
    first: str
    last: str


class ReachOut(BaseModel):
    """Where the partners stand with a brief."""

    id: str
    revision: int
    took: list[DeliveryOut]
    #: Those who may have it and have not fetched it yet.
    not_yet: list[str]


async def reader_of(request: Request) -> Partner | ApiKey:
    """The partner or the desk's account that a key belongs to; a partner's requests are counted.

    Raises:
        HTTPException: 401, there is no key or it is nobody's; 429, the partner asks too often.
    """
    service = service_of(request)
    key = key_of(request.headers.get("authorization", ""))
    if key is None:
        raise _unknown("Send your key as Authorization: Bearer KEY.")
    partner = await partners.holder(service.database, service.clock, key)
    if partner is not None:
        wait = service.meter.wait(partner)
        if wait is not None:
            said = f"{partner.title} may ask {partner.per_minute} times a minute."
            raise HTTPException(429, said, {"Retry-After": str(wait)})
        return partner
    program = await people.key_holder(service.database, service.clock, key)
    if program is None:
        raise _unknown("This key is nobody's, was revoked or has expired.", error=True)
    return program


async def partner_of(reader: Annotated[Partner | ApiKey, Depends(reader_of)]) -> Partner:
    """The partner that a key belongs to.

    Raises:
        HTTPException: 403, it is an account of the desk.
    """
    if not isinstance(reader, Partner):
        raise HTTPException(403, "This is for partners; your key is an account's of the desk.")
    return reader


Reader = Annotated[Partner | ApiKey, Depends(reader_of)]
ThePartner = Annotated[Partner, Depends(partner_of)]

router = APIRouter(
    prefix="/api", tags=["partners"], dependencies=[Depends(Key())], responses=refusals(401, 503)
)


@router.get("/partner", responses=refusals(403, 429))
async def me(partner: ThePartner, service: Here) -> PartnerOut:
    """What was agreed with you."""
    return PartnerOut(
        name=partner.name,
        title=partner.title,
        channels=[_channel(one, service) for one in _readable(service, partner)],
        languages=list(partner.languages),
        topics=list(partner.topics),
        reuse=partner.reuse.value,
        per_minute=partner.per_minute,
        webhook=partner.webhook_url,
    )


@router.get("/partner/usage", responses=refusals(403, 429))
async def my_usage(partner: ThePartner, service: Here) -> list[UsageOut]:
    """What you asked for, newest day first."""
    found = await service.database.read(partial(usage_of, partner_id=partner.id))
    return [usage_out(one) for one in found]


@router.get("/channels", responses=refusals(429))
async def channels(reader: Reader, service: Here) -> list[ChannelOut]:
    """The channels that this key may read."""
    return [_channel(one, service) for one in _readable(service, reader)]


@router.get("/channels/{slug}/changes", responses=refusals(400, 404, 410, 429))
async def changes(
    slug: str,
    reader: Reader,
    service: Here,
    response: Response,
    since: Annotated[
        int, Query(ge=0, le=2**63 - 1, description="`next` of your last answer; 0 at first.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    format: Annotated[Literal["json", "ninjs"], Query(description="The form of each entry.")] = "json",
) -> ChangesOut:
    """What was told in a channel after a cursor. Go on from `next`, and nothing is ever missed or comes twice."""
    channel = next((one for one in _readable(service, reader) if one.slug == slug), None)
    if channel is None and service.catalogue.has_ended(slug):
        raise HTTPException(410, f"The channel {slug!r} has ended.")
    if channel is None:
        raise HTTPException(404, f"There is no channel {slug!r} for this key.")
    partner = reader if isinstance(reader, Partner) else None
    read = partial(changes_for, channel=channel, site=service.site, since=since, limit=limit, partner=partner)
    found = await service.database.read(read)
    body = await beside(partial(_written, found, format, channel, service))
    task = BackgroundTask(_note, service, partner, found, len(body)) if partner else None
    headers = {"Cache-Control": "no-store"}
    if partner is not None:
        headers |= {
            "X-RateLimit-Limit": str(partner.per_minute),
            "X-RateLimit-Remaining": str(service.meter.left(partner)),
        }
    # Recorded once it is sent: what never left was taken by nobody.
    return Response(body, 200, headers, "application/json", task)  # type: ignore[return-value]


# Whoever asks is looked at first, or anybody could learn which briefs there are.
@router.get("/briefs/{brief}/reach", dependencies=[Depends(program_of)], responses=refusals(404))
async def reach(brief: Brief, service: Here) -> ReachOut:
    """Which partners have a brief and in which state, and which have not fetched it yet."""
    found = await service.database.read(partial(partners.reach_of, site=service.site, brief=brief))
    return ReachOut(
        id=found.entry_id,
        revision=found.revision,
        took=[
            DeliveryOut(
                partner=one.partner,
                revision=one.revision,
                is_current=one.revision >= found.revision,
                via=one.via,
                first=rfc3339(one.first_at),
                last=rfc3339(one.at),
            )
            for one in found.took
        ],
        not_yet=list(found.not_yet),
    )


def usage_out(one: Usage) -> UsageOut:
    """A day of a partner, as the API and the command line give it."""
    return UsageOut(
        day=one.day.isoformat(),
        via=one.via,
        requests=one.requests,
        unchanged=one.unchanged,
        entries=one.entries,
        bytes=one.body_bytes,
    )


async def _note(service: Service, partner: Partner, found: Changes, size: int) -> None:
    taken = [(one.id, one.revision) for one in found.changes if one.told is not Told.REMOVED]
    await note_taken(
        service.database,
        service.clock,
        partner,
        taken,
        via="api",
        body_bytes=size,
        is_unchanged=not found.changes,
    )


def _readable(service: Service, reader: Partner | ApiKey) -> list[Channel]:
    if isinstance(reader, ApiKey):
        return list(service.channels)
    return [channel for channel in service.channels if channel.slug in reader.channels]


def _channel(channel: Channel, service: Service) -> ChannelOut:
    return ChannelOut(
        slug=channel.slug,
        title=channel.title,
        description=channel.description,
        formats={format: service.site.page(channel.path_as(format)) for format in FORMATS},
        changes=service.site.page(f"api/channels/{channel.slug}/changes"),
    )


def _written(found: Changes, format: str, channel: Channel, service: Service) -> bytes:
    """What is answered, as JSON: a hundred entries take as long as a page of the desk."""
    changes = [_change(one, format, channel, service) for one in found.changes]
    said = ChangesOut(channel=channel.slug, changes=changes, next=found.next, more=found.is_more)
    return said.model_dump_json().encode()


def _change(one: Change, format: str, channel: Channel, service: Service) -> ChangeOut:
    entry = None
    if one.entry is not None:
        language = channel.language or service.site.language
        if format == "ninjs":
            entry = json.loads(ninjs.render_entry(one.entry, language=language).body)
        else:
            entry = json.loads(jsonfeed.entry_fragment(one.entry, language=language))
    return ChangeOut(
        change=one.change,
        op=one.told.value,
        id=one.id,
        kind="brief" if one.kind == "brief" else "story",
        at=rfc3339(one.at),
        revision=one.revision,
        why=one.why,
        entry=entry,
    )


def _unknown(sentence: str, *, error: bool = False) -> HTTPException:
    challenge = 'Bearer realm="wirebrief"' + (', error="invalid_token"' if error else "")
    return HTTPException(401, sentence, {"WWW-Authenticate": challenge})
