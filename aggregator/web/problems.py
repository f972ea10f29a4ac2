"""What is said when something cannot be answered: pages for people, JSON for the API."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from aggregator.errors import AggregatorError, BadInput
from aggregator.web.context import service_of
from aggregator.web.pages import render

log = logging.getLogger(__name__)

#: Title and sentence of the page, by status.
_SAID: Mapping[int, tuple[str, str]] = {
    404: (
        "There is no such page",
        "The address may have been mistyped, or what stood here was never published.",
    ),
    405: ("This page is only read", "It answers GET and HEAD, and nothing can be sent to it."),
    500: (
        "Something went wrong on our side",
        "The fault has been noted. Nothing that you did caused it, and nothing was lost.",
    ),
    503: ("We cannot read our own records at the moment", "Please try again in a minute."),
}
_LATER = {"Retry-After": "60", "Cache-Control": "no-store"}


def handle(app: FastAPI) -> None:
    """Let this module answer whatever goes wrong in `app`."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(AggregatorError, _aggregator)
    app.add_exception_handler(Exception, _bug)


def say(request: Request, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """A problem in the form that fits: `{"error": sentence}` below /api, else a page."""
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": sentence}, status, headers)
    title, says = _SAID.get(status, (HTTPStatus(status).phrase, sentence))
    body = render(service_of(request), "problem.html", status=status, title=title, says=says)
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


async def _bug(request: Request, error: Exception) -> Response:
    # Starlette raises it again once this is sent, so the server logs it with its traceback.
    return say(request, 500, "Something went wrong on our side; the fault has been noted.")
