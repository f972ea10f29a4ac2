"""What the description of the API (OpenAPI) says beside its routes: keys, and what a refusal looks like."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.models import HTTPBase, HTTPBearer
from fastapi.security.base import SecurityBase
from pydantic import BaseModel

from aggregator.web.bounds import MOST_BODY_BYTES

_SAYS = {
    400: "Something in the request cannot be used; the sentence says what.",
    401: "There is no key, or it opens nothing.",
    403: "The key does not suffice for this.",
    404: "There is none of this name, or not for this key.",
    410: "The channel has ended.",
    413: f"The body is longer than {MOST_BODY_BYTES:,} bytes.",
    429: "The key was used too often: come again after Retry-After seconds.",
    503: "The database does not answer: come again after Retry-After seconds.",
}


class Refused(BaseModel):
    """Why something was not done."""

    #: A sentence for people.
    error: str


class Key(SecurityBase):
    """Says in the description that a key is needed. Looking at it is the work of whoever needs its holder."""

    def __init__(self) -> None:
        self.model: HTTPBase = HTTPBearer(description="A key of the API, or a partner's.")
        self.scheme_name = "key"

    async def __call__(self) -> None:
        """Nothing is looked at here."""


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How the description names these statuses: each comes with a sentence."""
    return {status: {"model": Refused, "description": _SAYS[status]} for status in statuses}


def describe(app: FastAPI) -> None:
    """Let the description of an application say what it answers, not what FastAPI would by itself."""
    app.openapi = partial(_described, app, app.openapi)  # type: ignore[method-assign]


def _described(app: FastAPI, usual: Any) -> dict[str, Any]:
    if app.openapi_schema is None:
        found: dict[str, Any] = usual()
        # What does not fit is answered with 400 and a sentence: see `aggregator.web.problems`.
        for operation in (each for path in found["paths"].values() for each in path.values()):
            operation["responses"].pop("422", None)
        for name in ("HTTPValidationError", "ValidationError"):
            found["components"]["schemas"].pop(name, None)
    return app.openapi_schema or found
