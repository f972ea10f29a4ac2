"""What belongs to whoever is signed in: how they read, their password, where they are signed in."""

from __future__ import annotations

import hashlib
from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import Response

from aggregator.errors import BadInput
from aggregator.flows import oidc, people
from aggregator.flows.passkeys import LONGEST_NAME, passkeys_of, place_of
from aggregator.flows.passwords import LONGEST, SHORTEST
from aggregator.flows.signing_in import end_other_sessions, end_session, read_in, sessions_of
from aggregator.people import SignedIn
from aggregator.web.context import Service
from aggregator.web.desk.frame import Here, Sent, Who, led_to, reading_of, render_desk
from aggregator.web.locales import LANGUAGES, N_, zone_named, zones

router = APIRouter(prefix="/desk/you", include_in_schema=False)

#: How somebody came in, as they read it.
WAYS = {
    "password": N_("by password"),
    "passkey": N_("by passkey"),
    "link": N_("by a link"),
    "oidc": N_("by the newsroom's sign-in"),
}

#: What was done, by what the address of the next page says.
_DONE = {
    "password": N_("The password was changed. Everywhere but here you are signed out."),
    "session": N_("That browser is signed out."),
    "others": N_("Everywhere but here you are signed out."),
    "passkey": N_("The passkey was added: from now on it signs you in."),
    "passkey-gone": N_(
        "That passkey opens nothing any more. Your device still lists it until you remove it there."
    ),
    "connected": N_("Your account is connected: the newsroom’s sign-in opens it from now on."),
    "disconnected": N_("The newsroom’s sign-in opens your account no more."),
}


@router.get("")
async def you(service: Here, who: Who, done: str = "") -> Response:
    """Everything that somebody decides about themselves."""
    return await show_you(service, who, done=_DONE.get(done, ""))


@router.post("")
async def set_you(service: Here, who: Who, sent: Sent) -> Response:
    """Keep how somebody reads."""
    language, zone = sent.get("language", ""), sent.get("zone", "")
    if language not in LANGUAGES or zone_named(zone) is None:
        raise BadInput("Choose one of the languages and one of the time zones of the page.")
    await read_in(service.database, who.account, language=language, zone=zone)
    return led_to(service, "/desk/you")


@router.post("/password")
async def set_password(service: Here, who: Who, sent: Sent) -> Response:
    """Change the password of who is signed in, who says the old one again."""
    old, new = sent.get("old", ""), sent.get("password", "")
    try:
        if max(len(old), len(new)) > LONGEST:
            raise BadInput(N_("No password is as long as that."))
        if new != sent.get("again", ""):
            raise BadInput(N_("The two passwords differ: write the same one twice."))
        about = (service.database, service.clock, service.passwords)
        await people.change_password(*about, who, old=old, new=new)
    except BadInput as error:
        return await show_you(service, who, status=HTTPStatus.BAD_REQUEST, problem=str(error))
    return led_to(service, "/desk/you?done=password")


@router.post("/sessions")
async def end_sessions(service: Here, who: Who, sent: Sent) -> Response:
    """Sign out in another browser, or in all others."""
    number = sent.get("session", "")
    if number == "others":
        await end_other_sessions(service.database, who)
        return led_to(service, "/desk/you?done=others")
    if number.isascii() and number.isdecimal():
        await end_session(service.database, who.account, int(number[:9]))
    return led_to(service, "/desk/you?done=session")


def link_token(who: SignedIn) -> str:
    """What the link carries that connects somebody's account: only their own page has it, and no form takes it."""
    return hashlib.sha256(f"oidc {who.form_token}".encode()).hexdigest()


async def show_you(
    service: Service, who: SignedIn, *, status: int = 200, done: str = "", problem: str = ""
) -> Response:
    """Their own page, with what was done or could not be."""
    provider = service.oidc
    settings = provider.settings if provider else None
    return render_desk(
        service,
        who,
        "you.html",
        status,
        here="you",
        languages=LANGUAGES,
        zones=zones(),
        ways=WAYS,
        sessions=await sessions_of(service.database, service.clock, who.account),
        shortest=SHORTEST,
        passkeys=await passkeys_of(service.database, who.account),
        has_passkeys=place_of(service.site) is not None,
        longest_name=LONGEST_NAME,
        provider=settings.label if settings else "",
        identity=await oidc.identity_of(service.database, settings, who.account) if settings else None,
        link_token=link_token(who),
        done=done,
        problem=reading_of(who).say(problem) if problem else "",
    )
