"""The few files that pages need, read once and served from memory."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from aggregator.web.answers import Resource, asked_headers, compressed, digest_tag, make_resource, respond

router = APIRouter(include_in_schema=False)

_MEDIA_TYPES: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "ico": "image/vnd.microsoft.icon",
    "png": "image/png",
    "svg": "image/svg+xml",
}


@router.api_route("/static/{name}", methods=["GET", "HEAD"])
async def static_file(name: str, request: Request) -> Response:
    """A file of ours."""
    return _answer(name, request)


@router.api_route("/favicon.ico", methods=["GET", "HEAD"])
async def favicon(request: Request) -> Response:
    """The icon where readers look for it without being told (FreshRSS asks each time)."""
    return _answer("favicon.ico", request)


@cache
def version(name: str) -> str:
    """A digest of a file: in its address, it makes browsers ask anew after an update."""
    return digest_tag(_files()[name]).strip('"')[:8]


def text(name: str) -> str:
    """A file of ours that is put into a page."""
    return _files()[name].decode()


def _answer(name: str, request: Request) -> Response:
    resource = _resources().get(name)
    if resource is None:
        raise HTTPException(404)
    return as_response(request, resource)


def as_response(request: Request, resource: Resource) -> Response:
    """The answer to a request for bytes that stand ready, as a route gives it."""
    answer = respond(request.method, asked_headers(request.headers.raw), resource)
    response = Response(answer.body, answer.status)
    # Starlette would give a HEAD the length of the body that it does not have.
    response.raw_headers = list(answer.headers)
    return response


@cache
def _files() -> dict[str, bytes]:
    folder = files("aggregator.web") / "static"
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@cache
def _resources() -> dict[str, Resource]:
    kept = [("Cache-Control", "public, max-age=86400")]
    return {
        name: make_resource(compressed(body), _MEDIA_TYPES[name.rpartition(".")[2]], headers=kept)
        for name, body in _files().items()
    }
