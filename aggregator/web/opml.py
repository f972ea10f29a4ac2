"""The sources that we follow, as a list that any feed reader can import."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from aggregator.flows.opml_view import followed
from aggregator.web import static
from aggregator.web.answers import compressed, make_resource
from aggregator.web.context import Service, service_of
from feeds.opml import write_opml

router = APIRouter(include_in_schema=False)

Here = Annotated[Service, Depends(service_of)]


@router.api_route("/sources.opml", methods=["GET", "HEAD"])
async def sources_opml(request: Request, service: Here) -> Response:
    """OPML 2.0 of the sources that are asked now; those whose address holds a secret stay out."""
    if not service.serve.opml:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    asked = partial(followed, title=f"Sources of {service.site.title}")
    found = await service.database.read(asked)
    body = write_opml(found.subscriptions, title=found.title, created=found.created)
    resource = make_resource(
        compressed(body), "text/x-opml; charset=utf-8", headers=[("Cache-Control", "no-cache")]
    )
    return static.as_response(request, resource)
