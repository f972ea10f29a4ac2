"""WebSub, both ways: our hub, where channels are subscribed to, and where other hubs send to us."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from aggregator.errors import BadInput
from aggregator.flows.push import HubBusy, take_request
from aggregator.flows.pushed import answer_hub, take_push
from aggregator.web.context import Service, service_of

router = APIRouter(include_in_schema=False)

Here = Annotated[Service, Depends(service_of)]

#: An address, a callback, a secret: nobody needs more.
MOST_BODY_BYTES = 16_384

_FORM = "application/x-www-form-urlencoded"


@router.post("/hub")
async def hub(request: Request, service: Here) -> Response:
    """Take a wish to subscribe or to unsubscribe; the callback is asked whether it was meant."""
    if not service.push.hub:
        return _said(404, "There is no hub here.")
    try:
        form = await _form(request)
        await take_request(
            service.database, service.clock, service.site, service.channels, service.push, form
        )
    except HubBusy as error:
        return _said(503, str(error), retry_after=300)
    except BadInput as error:
        return _said(400, str(error))
    return _said(202, "Taken. Your callback will be asked to confirm it.")


@router.get("/websub/{token}")
async def question(token: str, request: Request, service: Here) -> Response:
    """A hub asks whether we meant to subscribe (WebSub section 5.3)."""
    said = await answer_hub(service.database, service.clock, token, dict(request.query_params))
    return _said(404, "We did not ask for this.") if said is None else PlainTextResponse(said)


@router.post("/websub/{token}")
async def sent(token: str, request: Request, service: Here) -> Response:
    """A hub sends a feed that we subscribed to (WebSub section 7)."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > service.push.body_bytes:
            return _said(413, f"More than {service.push.body_bytes:,} bytes are not taken.")
    is_known = await take_push(
        service.database,
        service.clock,
        token,
        body=bytes(body),
        content_type=request.headers.get("content-type"),
        signature=request.headers.get("x-hub-signature"),
    )
    # 410 lets the hub drop what nobody wants any more.
    return Response(status_code=202) if is_known else _said(410, "Nobody here subscribed to this.")


async def _form(request: Request) -> dict[str, str]:
    """What was posted; of a field that is given twice, the first counts.

    Raises:
        BadInput: it is no form, or longer than any needs to be.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise BadInput(f"Send a form ({_FORM}), as WebSub asks.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise BadInput(f"This is longer than {MOST_BODY_BYTES:,} bytes, which no subscription needs.")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50)
    except ValueError as error:
        raise BadInput("The form cannot be read: write it in UTF-8, with few fields.") from error
    return dict(reversed(pairs))


def _said(status: int, sentence: str, *, retry_after: int | None = None) -> Response:
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": str(retry_after)} if retry_after else {})
    return PlainTextResponse(f"{sentence}\n", status, headers)
