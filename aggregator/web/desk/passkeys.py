"""Passkeys at the desk: what `passkeys.js` asks and sends, as JSON, and the form that removes one."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aggregator.flows import passkeys
from aggregator.flows.passkeys import Place, Question, place_of
from aggregator.flows.refusals import Reason, Refused
from aggregator.people import SignedIn
from aggregator.web.context import Service
from aggregator.web.desk import asked
from aggregator.web.desk.frame import (
    Here,
    Sent,
    Who,
    led_to,
    reading_of,
    require_editor,
    require_our_origin,
    require_token,
)
from aggregator.web.desk.refusals import SAYS, status_of
from aggregator.web.desk.signing_in import START, asks_of, browser_of, entered, reading_for, throttle_of
from aggregator.web.desk.you import show_you
from aggregator.web.locales import Reading

router = APIRouter(prefix="/desk", include_in_schema=False)

_WAY = "passkey"
#: A key with its certificates is some kilobytes.
_MOST_BYTES = 65_536
_NOT_KEPT = {"Cache-Control": "no-store"}


@router.post("/passkeys/options")
async def ask_to_add(request: Request, service: Here) -> Response:
    """What a browser needs to make a passkey for who is signed in."""

    async def work() -> Response:
        who, _ = await _signed_in(request, service)
        place = _require_place(service)
        question = await passkeys.ask_to_add(service.database, service.clock, place, who.account)
        return _asking(service, question)

    return await _in_words(request, work())


@router.post("/passkeys")
async def add(request: Request, service: Here) -> Response:
    """Keep the passkey that was made: `name` and `credential`."""

    async def work() -> Response:
        who, said = await _signed_in(request, service)
        token = asked.kept(request, service, _WAY)
        about = (service.database, service.clock, _require_place(service), who.account, token)
        await passkeys.add(*about, _text(said, "name"), _credential(said))
        return JSONResponse({"to": f"{service.base}/desk/you?done=passkey"}, headers=_NOT_KEPT)

    return await _in_words(request, work())


@router.post("/you/passkeys")
async def remove(service: Here, who: Who, sent: Sent) -> Response:
    """Let one of one's own passkeys open nothing any more."""
    number = sent.get("passkey", "")
    issuer = service.oidc.settings.issuer if service.oidc else ""
    try:
        if number.isascii() and number.isdecimal():
            about = (service.database, service.clock, who.account)
            await passkeys.remove(*about, int(number[:9]), issuer=issuer)
    except Refused as error:
        return await show_you(service, who, status=status_of(error.reason), problem=SAYS[error.reason])
    return led_to(service, "/desk/you?done=passkey-gone")


@router.post("/sign-in/passkey/options")
async def ask_to_enter(request: Request, service: Here) -> Response:
    """What a browser needs to let somebody in by one of its passkeys."""

    async def work() -> Response:
        require_our_origin(request, service)
        place, asks, address = _require_place(service), asks_of(request), browser_of(request).address
        if asks.wait(address) is not None:
            raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, reading_for(request).say(asked.TOO_OFTEN))
        asks.note(address)
        return _asking(service, await passkeys.ask_to_enter(service.database, service.clock, place))

    return await _in_words(request, work())


@router.post("/sign-in/passkey")
async def enter(request: Request, service: Here) -> Response:
    """Begin a session for whoever's passkey answered: `credential`, `next` and `zone`."""

    async def work() -> Response:
        require_our_origin(request, service)
        place, browser, addresses = (
            _require_place(service),
            browser_of(request),
            throttle_of(request).addresses,
        )
        if addresses.wait(browser.address) is not None:
            raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, reading_for(request).say(asked.TOO_OFTEN))
        addresses.note(browser.address)
        said = await _said(request)
        token = asked.kept(request, service, _WAY)
        about = (service.database, service.clock, place, token)
        session = await passkeys.enter(*about, _credential(said), browser)
        addresses.forgive(browser.address)
        return await _led(service, session, said)

    return await _in_words(request, work())


async def _led(service: Service, session: str, said: Mapping[str, Any]) -> Response:
    """The cookie of a session, and where a script is to lead whoever began it."""
    led = await entered(service, session, next=_text(said, "next") or START, zone=_text(said, "zone"))
    answer = JSONResponse({"to": led.headers["location"]}, headers=_NOT_KEPT)
    answer.raw_headers.extend(each for each in led.raw_headers if each[0] == b"set-cookie")
    asked.drop(answer, service, _WAY)
    return answer


def _asking(service: Service, question: Question) -> Response:
    answer = Response(question.options, media_type="application/json", headers=_NOT_KEPT)
    asked.keep(answer, service, _WAY, question.token, lasts=passkeys.LASTS)
    return answer


async def _signed_in(request: Request, service: Service) -> tuple[SignedIn, dict[str, Any]]:
    """Who is signed in, and what a script of one of our pages sent for them."""
    who = await require_editor(request, service)
    require_our_origin(request, service)
    said = await _said(request)
    require_token({"form_token": _text(said, "form_token")}, who)
    return who, said


async def _in_words(request: Request, work: Awaitable[Response]) -> Response:
    """An answer for a script: a fault is `{"error": sentence}`, in the language of whoever reads it."""
    try:
        return await work
    except HTTPException as error:
        return JSONResponse({"error": error.detail}, error.status_code, _NOT_KEPT)
    except Refused as error:
        reading = await _reading(request)
        said = reading.say(SAYS[error.reason], provider="")
        return JSONResponse({"error": said}, status_of(error.reason), _NOT_KEPT)


async def _reading(request: Request) -> Reading:
    try:
        return reading_of(await require_editor(request, request.app.state.service))
    except HTTPException:
        return reading_for(request)


async def _said(request: Request) -> dict[str, Any]:
    """The object that a script sent."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This is too long for a passkey.")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "Send an object of JSON.")
    return said


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name, "")
    return value if isinstance(value, str) else ""


def _credential(said: Mapping[str, Any]) -> Mapping[str, Any]:
    value = said.get("credential")
    return value if isinstance(value, dict) else {}


def _require_place(service: Service) -> Place:
    place = place_of(service.site)
    if place is None:
        raise Refused(Reason.PASSKEY_UNFIT)
    return place
