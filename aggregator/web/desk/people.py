"""Who is let in: people with their roles and links, programs with their keys. For admins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import Response

from aggregator.errors import BadInput
from aggregator.flows import people
from aggregator.people import ROLES, SignedIn
from aggregator.store import accounts, api_keys
from aggregator.web.context import Service
from aggregator.web.desk.frame import Admin, Here, Sent, led_to, reading_of, render_desk
from aggregator.web.desk.partners import LIFETIMES, validity
from aggregator.web.locales import N_
from aggregator.written import read_duration

router = APIRouter(prefix="/desk/people", include_in_schema=False)

#: What each role may do, as a person reads it.
MAY = {
    "viewer": N_("reads everything, decides nothing"),
    "editor": N_("writes and publishes briefs, decides on sources, topics and channels"),
    "chief": N_("decides on partners, too, and reads who decided what"),
    "admin": N_("lets people and programs in, too"),
}

_DONE = {
    "role": N_("The role was changed."),
    "revoked": N_("The account is closed: signed out everywhere, and nothing opens it."),
    "ended": N_("Signed out everywhere."),
    "key": N_("The key opens nothing any more."),
}


@dataclass(frozen=True, slots=True)
class Once:
    """What is shown once, after a form."""

    name: str = ""
    link: str = ""
    key: str = ""


@router.get("")
async def everyone(service: Here, who: Admin, done: str = "") -> Response:
    """Every account and every key, and where new ones are made."""
    return await _page(service, who, done=_DONE.get(done, ""))


@router.post("")
async def invite(service: Here, who: Admin, sent: Sent) -> Response:
    """Make an account; the link with which its holder comes in is shown once."""
    name, role = sent.get("name", "").strip(), sent.get("role", "")
    try:
        token = await people.add_account(service.database, service.clock, name, role, by=who.account.name)
    except BadInput as error:
        return await _page(service, who, problem=str(error), typed=sent)
    return await _page(service, who, once=Once(name, link=_link(service, token)))


@router.post("/link")
async def new_link(service: Here, who: Admin, sent: Sent) -> Response:
    """Another link for somebody whose password is lost."""
    name = sent.get("name", "")
    try:
        token = await people.new_link(service.database, service.clock, name, by=who.account.name)
    except BadInput as error:
        return await _page(service, who, problem=str(error))
    return await _page(service, who, once=Once(name, link=_link(service, token)))


@router.post("/role")
async def set_role(service: Here, who: Admin, sent: Sent) -> Response:
    """Change what somebody may do."""
    about = (service.database, service.clock, sent.get("name", ""), sent.get("role", ""))
    try:
        await people.set_role(*about, by=who.account.name)
    except BadInput as error:
        return await _page(service, who, problem=str(error))
    return led_to(service, "/desk/people?done=role")


@router.post("/sign-out")
async def sign_out(service: Here, who: Admin, sent: Sent) -> Response:
    """Sign somebody out everywhere."""
    try:
        await people.end_sessions(service.database, service.clock, sent.get("name", ""), by=who.account.name)
    except BadInput as error:
        return await _page(service, who, problem=str(error))
    return led_to(service, "/desk/people?done=ended")


@router.post("/revoke")
async def revoke(service: Here, who: Admin, sent: Sent) -> Response:
    """Close an account."""
    try:
        if sent.get("sure") != "yes":
            raise BadInput(N_("Tick the box to say that you mean it: the account is closed for good."))
        await people.revoke_account(
            service.database, service.clock, sent.get("name", ""), by=who.account.name
        )
    except BadInput as error:
        return await _page(service, who, problem=str(error))
    return led_to(service, "/desk/people?done=revoked")


@router.post("/keys")
async def add_key(service: Here, who: Admin, sent: Sent) -> Response:
    """Make a key for a program, shown once."""
    name, expires = sent.get("key", "").strip(), sent.get("expires", "")
    try:
        if expires not in LIFETIMES:
            raise BadInput(N_("Choose one of the times of the form."))
        lifetime = read_duration(expires) if expires else None
        about = (service.database, service.clock, name, sent.get("role", ""))
        key = await people.add_key(*about, by=who.account.name, lifetime=lifetime)
    except BadInput as error:
        return await _page(service, who, problem=str(error), typed=sent)
    return await _page(service, who, once=Once(name, key=key))


@router.post("/keys/revoke")
async def revoke_key(service: Here, who: Admin, sent: Sent) -> Response:
    """Let a key open nothing any more."""
    try:
        await people.revoke_key(service.database, service.clock, sent.get("key", ""), by=who.account.name)
    except BadInput as error:
        return await _page(service, who, problem=str(error))
    return led_to(service, "/desk/people?done=key")


def _link(service: Service, token: str) -> str:
    return f"{service.site.page('desk/join')}?token={token}"


async def _page(
    service: Service,
    who: SignedIn,
    *,
    done: str = "",
    problem: str = "",
    typed: dict[str, str] | None = None,
    once: Once | None = None,
) -> Response:
    return render_desk(
        service,
        who,
        "people.html",
        HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK,
        here="people",
        rows=await service.database.read(partial(accounts.everyone, now=service.clock())),
        programs=await service.database.read(api_keys.everyone),
        roles=ROLES,
        may=MAY,
        lifetimes=LIFETIMES,
        validity=partial(validity, service=service),
        typed=typed or {},
        once=once or Once(),
        done=done,
        problem=reading_of(who).say(problem) if problem else "",
    )
