"""What is said when something cannot be answered: pages for people, JSON for the API."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from aggregator import logs
from aggregator.errors import AggregatorError, BadInput
from aggregator.web.context import service_of
from aggregator.web.locales import N_
from aggregator.web.pages import render

log = logging.getLogger(__name__)

#: Title and sentence of the page, by status.
_SAID: Mapping[int, tuple[str, str]] = {
    404: (
        N_("There is no such page"),
        N_("The address may have been mistyped, or what stood here was never published."),
    ),
    410: (
        N_("This channel has ended"),
        N_("Nothing new comes here. The front page lists what there is to follow."),
    ),
    405: (N_("This page is only read"), N_("It answers GET and HEAD, and nothing can be sent to it.")),
    500: (
        N_("Something went wrong on our side"),
        N_("The fault has been noted. Nothing that you did caused it, and nothing was lost."),
    ),
    503: (N_("We cannot read our own records at the moment"), N_("Please try again in a minute.")),
}
#: Titles of pages whose sentence comes in English from where the fault was found.
_TITLES: Mapping[int, str] = {401: N_("You are not signed in"), 403: N_("This is not allowed")}
_TITLE = N_("This could not be done")
_LATER = {"Retry-After": "60", "Cache-Control": "no-store"}


def handle(app: FastAPI) -> None:
    """Let this module answer whatever goes wrong in `app`."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(AggregatorError, _aggregator)
    app.add_exception_handler(ClientDisconnect, _left)
    app.add_exception_handler(Exception, _bug)


def say(request: Request, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """A problem in the form that fits: `{"error": sentence}` below /api, else a page."""
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": sentence}, status, headers)
    title, says = _SAID.get(status, (_TITLES.get(status, _TITLE), ""))
    about: dict[str, object] = {
        "title": title,
        "says": says,
        "detail": "" if says else sentence,
        "has_times": False,
        "request_id": logs.REQUEST.get(),
    }
    about["is_at_desk"] = request.url.path.startswith("/desk")
    body = render(service_of(request), "problem.html", status=status, **about)
    return HTMLResponse(body, status, headers)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for nothing else
    if error.headers and "Location" in error.headers:
        return Response(status_code=error.status_code, headers=error.headers)
    said = error.detail
    if said == HTTPStatus(error.status_code).phrase:
        said = f"{request.method} {request.url.path}: {said.lower()}."
    return say(request, error.status_code, said, error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for nothing else
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"] if part not in ("body", "query"))
    return say(request, 400, f"{name or 'The body'} cannot be used: {first['msg'].lower()}.")


async def _aggregator(request: Request, error: Exception) -> Response:
    if isinstance(error, BadInput):
        return say(request, 400, str(error))
    # The message names files and hosts, which concern whoever runs this and nobody else.
    log.error("request failed", extra={"path": request.url.path, "reason": str(error)})
    return say(request, 503, "The database does not answer. Try again in a minute.", _LATER)


async def _left(request: Request, error: Exception) -> Response:
    # Whoever sent a form went away before it was read: nobody hears this, and nothing is wrong here.
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _bug(request: Request, error: Exception) -> Response:
    # Starlette raises it again once this is sent, so the server logs it with its traceback.
    return say(request, 500, "Something went wrong on our side; the fault has been noted.")
