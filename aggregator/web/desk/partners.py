"""The partners at the desk: what each may take and took, its keys, and what it is told.

Everybody at the desk may look; a chief or an admin decides. A key and a secret are shown once, in
the answer to the form that made them, and stand nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from starlette.responses import RedirectResponse, Response

from aggregator.errors import BadInput
from aggregator.flows import partner_view, partners
from aggregator.flows.partners import Terms
from aggregator.model import Reuse
from aggregator.outgoing import PartnerKey
from aggregator.people import ApiKey, SignedIn
from aggregator.rules.entries import brief_id
from aggregator.web.context import Service
from aggregator.web.desk import plots
from aggregator.web.desk.frame import Chief, Here, Sent, Who, is_chief, reading_of, render_desk
from aggregator.web.desk.shown import ACTS
from aggregator.web.locales import N_, Reading
from aggregator.written import read_duration

router = APIRouter(prefix="/desk/partners", include_in_schema=False)

#: How much of a story a partner is given, as a person says it.
REUSES = {
    "full": N_("all of it"),
    "summary": N_("title and summary"),
    "headline": N_("the title only"),
    "none": N_("nothing: briefs only"),
}
#: How it came by an entry, and where a webhook stands.
WAYS = {"feed": N_("feed"), "api": N_("API"), "webhook": N_("webhook")}
STATES = {"waiting": N_("waits"), "done": N_("taken"), "failed": N_("given up")}

#: How long a key may open, by what the form says; "" is for ever.
LIFETIMES = {"": N_("for ever"), "30d": N_("30 days"), "90d": N_("90 days"), "365d": N_("one year")}

_LANGUAGE = re.compile(r"[a-z]{2,3}")
#: What the form shows before anything was typed.
_EMPTY: Mapping[str, str] = {"reuse": "full", "per_minute": "60"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown once, after a form."""

    key: str = ""
    secret: str = ""
    #: A sentence: what was done.
    done: str = ""


@router.get("")
async def all_partners(service: Here, who: Who) -> Response:
    """Every partner, and where a new one is added."""
    return await _list(service, who)


@router.post("")
async def add(service: Here, who: Chief, sent: Sent) -> Response:
    """Let a site read channels with a key of its own, which is shown once."""
    try:
        terms = _terms(service, sent, reading_of(who))
        name = sent.get("name", "").strip()
        added, key = await partners.add_partner(
            service.database, service.clock, name, terms, service.channels, by=who.account.name
        )
    except BadInput as error:
        return await _list(service, who, status=400, typed=sent, problem=str(error))
    return await _page(service, who, added.name, once=Shown(key=key))


@router.get("/{name}")
async def one_partner(name: str, service: Here, who: Who, done: str = "") -> Response:
    """A partner: what it may take, what it took, what it was told."""
    return await _page(service, who, name, once=Shown(done=_DONE.get(done, "")))


@router.post("/{name}/keys")
async def add_key(name: str, service: Here, who: Chief, sent: Sent) -> Response:
    """Another key, shown once, so that one can be replaced without a gap."""
    called, expires = sent.get("key", "").strip(), sent.get("expires", "")
    try:
        if not called:
            raise BadInput(N_("Give the key a name, by which its holder tells it from the others."))
        if expires not in LIFETIMES:
            raise BadInput(N_("Choose one of the times of the form."))
        lifetime = read_duration(expires) if expires else None
        about = (service.database, service.clock, name)
        key = await partners.add_key(*about, name=called, lifetime=lifetime, by=who.account.name)
    except BadInput as error:
        return await _page(service, who, name, status=400, problem=str(error), typed=sent)
    return await _page(service, who, name, once=Shown(key=key))


@router.post("/{name}/keys/revoke")
async def revoke_key(name: str, service: Here, who: Chief, sent: Sent) -> Response:
    """Let one key open nothing any more."""
    try:
        await partners.revoke(service.database, service.clock, name, sent.get("key", ""), by=who.account.name)
    except BadInput as error:
        return await _page(service, who, name, status=400, problem=str(error))
    return _to(service, name, "key")


@router.post("/{name}/revoke")
async def revoke(name: str, service: Here, who: Chief, sent: Sent) -> Response:
    """Let a partner read nothing any more; what it took stays on record."""
    if sent.get("sure") != "yes":
        said = N_("Tick the box to say that you mean it: the partner reads nothing from then on.")
        return await _page(service, who, name, status=400, problem=said)
    try:
        await partners.revoke(service.database, service.clock, name, by=who.account.name)
    except BadInput as error:
        raise HTTPException(HTTPStatus.NOT_FOUND) from error
    return _to(service, name, "partner")


@router.post("/{name}/webhook")
async def set_webhook(name: str, service: Here, who: Chief, sent: Sent) -> Response:
    """Tell a partner at an address of what is published, or no more; the secret is shown once."""
    url = sent.get("url", "").strip() or None
    if sent.get("act") == "none":
        url = None
    elif url is None:
        said = N_("Write the address at which it is told.")
        return await _page(service, who, name, status=400, problem=said)
    try:
        secret = await partners.set_webhook(service.database, service.clock, name, url, by=who.account.name)
    except BadInput as error:
        return await _page(service, who, name, status=400, problem=str(error), typed=sent)
    if secret is None:
        return _to(service, name, "webhook")
    return await _page(service, who, name, once=Shown(secret=secret))


@router.post("/{name}/retry")
async def retry(name: str, service: Here, who: Chief, sent: Sent) -> Response:
    """Send the webhooks again that were given up."""
    try:
        await partners.retry_webhooks(service.database, service.clock, name, by=who.account.name)
    except BadInput as error:
        raise HTTPException(HTTPStatus.NOT_FOUND) from error
    return _to(service, name, "retry")


#: What was done, by what the address of the next page says.
_DONE = {
    "key": N_("The key opens nothing any more."),
    "partner": N_("The partner reads nothing any more, and is sent nothing."),
    "webhook": N_("The partner is told of nothing any more."),
    "retry": N_("What was given up is sent again within seconds; of a brief only its last state."),
}


def validity(key: PartnerKey | ApiKey, service: Service) -> str:
    """Whether a key opens, in a word."""
    if key.revoked_at is not None:
        return N_("revoked")
    if key.expires_at is not None and key.expires_at <= service.clock():
        return N_("expired")
    return N_("opens")


def _terms(service: Service, sent: Mapping[str, str], reading: Reading) -> Terms:
    """What the form agrees with a partner.

    Raises:
        BadInput: it cannot be agreed, with what to write instead.
    """
    channels = tuple(one.slug for one in service.channels if f"channel:{one.slug}" in sent)
    if not channels:
        raise BadInput(N_("Choose one channel at least that the partner may read."))
    written = re.split(r"[\s,]+", sent.get("languages", "").lower())
    languages = tuple(dict.fromkeys(code for code in written if code))
    for code in languages:
        if not _LANGUAGE.fullmatch(code):
            said = N_("“%(code)s” is no code of a language: write fr, uk, en, with commas between them.")
            raise BadInput(reading.say(said, code=code))
    reuse, rate = sent.get("reuse", ""), sent.get("per_minute", "").strip()
    if reuse not in REUSES:
        raise BadInput(N_("Choose how much of each story the partner is given."))
    if not (rate.isascii() and rate.isdecimal() and len(rate) < 7 and 1 <= int(rate) <= 100_000):
        raise BadInput(N_("Say how often the partner may ask in a minute: a number from 1 to 100000."))
    return Terms(
        channels=channels,
        title=sent.get("title", "").strip(),
        languages=languages,
        topics=tuple(slug for slug in service.topics if f"topic:{slug}" in sent),
        reuse=Reuse(reuse),
        per_minute=int(rate),
    )


async def _list(
    service: Service,
    who: SignedIn,
    *,
    status: int = 200,
    typed: Mapping[str, str] = _EMPTY,
    problem: str = "",
) -> Response:
    rows = await service.database.read(partner_view.all_partners)
    said = reading_of(who).say(problem) if problem else ""
    about = {"rows": rows, "typed": typed, "problem": said, **_about(service, who)}
    return render_desk(service, who, "partners.html", status, here="partners", **about)


async def _page(
    service: Service,
    who: SignedIn,
    name: str,
    *,
    status: int = 200,
    problem: str = "",
    typed: Mapping[str, str] = _EMPTY,
    once: Shown | None = None,
) -> Response:
    look = partial(partner_view.one_partner, name=name, now=service.clock())
    try:
        seen = await service.database.read(look)
    except BadInput as error:
        raise HTTPException(HTTPStatus.NOT_FOUND) from error
    reading, briefs = reading_of(who), brief_id(service.site, "")
    days = [(reading.day(one.day), one) for one in seen.use]
    return render_desk(
        service,
        who,
        "partner.html",
        status,
        here="partners",
        seen=seen,
        problem=reading.say(problem) if problem else "",
        typed=typed,
        once=once or Shown(),
        requests=plots.columns((day, one.requests) for day, one in days),
        entries=plots.columns((day, one.entries) for day, one in days),
        slug_of=lambda id: id.removeprefix(briefs) if id.startswith(briefs) else None,
        **_about(service, who),
    )


def _about(service: Service, who: SignedIn) -> dict[str, object]:
    """What both pages need for their words and their forms."""
    return {
        "may_decide": is_chief(who),
        "channels": {channel.slug: channel for channel in service.channels},
        "topics": {slug: compiled.topic.title for slug, compiled in service.topics.items()},
        "reuses": REUSES,
        "ways": WAYS,
        "states": STATES,
        "acts": ACTS,
        "lifetimes": LIFETIMES,
        "validity": partial(validity, service=service),
    }


def _to(service: Service, name: str, done: str) -> Response:
    where = f"{service.base}/desk/partners/{name}?done={done}"
    return RedirectResponse(where, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
