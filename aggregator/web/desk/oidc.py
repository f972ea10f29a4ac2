"""Signing in through the newsroom's provider of OpenID Connect, and connecting one's account with it.

It begins with a link and not with a form, since browsers hold what a form leads to against `form-action`.
"""

from __future__ import annotations

import secrets
from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from aggregator.flows import oidc
from aggregator.flows.oidc_provider import OidcSettings, Provider
from aggregator.flows.refusals import Reason, Refused
from aggregator.model import Clock
from aggregator.people import SignedIn
from aggregator.rules.channels import Site
from aggregator.web.context import Service
from aggregator.web.desk import asked
from aggregator.web.desk.frame import Here, Sent, Who, led_to, reading_of, require_editor
from aggregator.web.desk.refusals import SAYS, status_of
from aggregator.web.desk.signing_in import (
    START,
    asks_of,
    browser_of,
    entered,
    is_ours,
    reading_for,
    sign_in_page,
)
from aggregator.web.desk.you import link_token, show_you

router = APIRouter(prefix="/desk", include_in_schema=False)

#: Where the provider sends people back to, below the address of the site.
BACK = "/desk/sign-in/oidc/back"

_WAY = "oidc"
#: Characters of `next` that are carried.
_LONGEST_NEXT = 2_000
#: What the provider says in the address is short.
_LONGEST_ANSWER = 4_096
_OWN = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}


def provider_of(settings: OidcSettings | None, clock: Clock, site: Site) -> Provider | None:
    """The provider that the settings name; None where they name none."""
    if settings is None or not settings.issuer:
        return None
    return Provider(settings, clock, site.url.rstrip("/") + BACK)


@router.get("/sign-in/oidc")
async def begin(request: Request, service: Here, next: str = START) -> Response:
    """Send somebody to the provider, and with them nothing but what it needs to send them back."""
    provider = _require_provider(service)
    safe = next if is_ours(next) and len(next) <= _LONGEST_NEXT else START
    asks, address = asks_of(request), browser_of(request).address
    if asks.wait(address) is not None:
        says = reading_for(request).say(asked.TOO_OFTEN)
        return sign_in_page(service, request, HTTPStatus.TOO_MANY_REQUESTS, next=safe, problem=says)
    asks.note(address)
    try:
        begun = await oidc.begin(service.database, service.clock, provider, next=safe)
    except Refused as error:
        return _refused(service, request, error.reason, next=safe)
    return _sent(service, begun)


@router.get("/you/oidc")
async def connect(service: Here, who: Who, token: str = "") -> Response:
    """Send who is signed in to the provider, to connect their account with who they are there."""
    provider = _require_provider(service)
    # Else another site could connect somebody's account with an identity of its own.
    if not secrets.compare_digest(token.encode(), link_token(who).encode()):
        raise HTTPException(
            HTTPStatus.FORBIDDEN, "This link is not from your present session: load your page."
        )
    try:
        begun = await oidc.begin(
            service.database, service.clock, provider, next="/desk/you", account=who.account
        )
    except Refused as error:
        return await _not_connected(service, who, error.reason)
    return _sent(service, begun)


@router.post("/you/oidc")
async def disconnect(service: Here, who: Who, _: Sent) -> Response:
    """Let the provider open one's account no more."""
    provider = _require_provider(service)
    try:
        await oidc.disconnect(service.database, service.clock, provider.settings, who.account)
    except Refused as error:
        return await _not_connected(service, who, error.reason)
    return led_to(service, "/desk/you?done=disconnected")


@router.get("/sign-in/oidc/back")
async def come_back(request: Request, service: Here) -> Response:
    """Let in whom the provider sent back, if it vouches for them."""
    provider = _require_provider(service)
    token = asked.kept(request, service, _WAY)
    answer = {name: value[:_LONGEST_ANSWER] for name, value in request.query_params.items()}
    about = (service.database, service.clock)
    who = await _who(request, service)
    next = START
    try:
        back = await oidc.come_back(*about, provider, token, answer)
        next = back.next
        if back.connecting is not None:
            return await _connected(service, provider, who, back)
        session = await oidc.enter(*about, provider.settings, back.person, browser_of(request))
    except Refused as error:
        if who is not None:
            return _forgetting(service, await _not_connected(service, who, error.reason))
        return _forgetting(service, _refused(service, request, error.reason, next=next))
    return _forgetting(service, await entered(service, session, next=next, zone=""))


async def _connected(service: Service, provider: Provider, who: SignedIn | None, back: oidc.Back) -> Response:
    if who is None or who.account.id != back.connecting:
        raise Refused(Reason.STALE)
    await oidc.connect(service.database, service.clock, provider.settings, back.person, who.account)
    return _forgetting(service, led_to(service, "/desk/you?done=connected"))


async def _who(request: Request, service: Service) -> SignedIn | None:
    try:
        return await require_editor(request, service)
    except HTTPException:
        return None


def _sent(service: Service, begun: oidc.Begun) -> Response:
    answer = RedirectResponse(begun.address, HTTPStatus.SEE_OTHER, _OWN)
    asked.keep(answer, service, _WAY, begun.token, lasts=oidc.LASTS)
    return answer


def _forgetting(service: Service, answer: Response) -> Response:
    """An answer that leaves nothing of the sign-in in the browser, nor its address to other sites.

    With "no-referrer" browsers would send the form of the page as if it were from nowhere (Origin: null).
    """
    asked.drop(answer, service, _WAY)
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


def _refused(service: Service, request: Request, reason: Reason, *, next: str) -> Response:
    provider = _require_provider(service)
    says = reading_for(request).say(SAYS[reason], provider=provider.settings.label)
    return sign_in_page(service, request, status_of(reason), next=next, problem=says)


async def _not_connected(service: Service, who: SignedIn, reason: Reason) -> Response:
    provider = _require_provider(service)
    says = reading_of(who).say(SAYS[reason], provider=provider.settings.label)
    return await show_you(service, who, status=status_of(reason), problem=says)


def _require_provider(service: Service) -> Provider:
    if service.oidc is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return service.oidc
