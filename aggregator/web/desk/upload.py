"""A form with one file, as much of it as we are willing to hold and not a byte more."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import HTTPException
from starlette.datastructures import UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request

from aggregator.errors import BadInput
from aggregator.people import SignedIn
from aggregator.web.bounds import require_text
from aggregator.web.context import Service
from aggregator.web.desk.frame import require_our_origin, require_token

#: What is too large is still taken off the line up to here, since a browser reads no answer before it has
#: sent everything.
MOST_IGNORED = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The fields of a form, and its file."""

    fields: dict[str, str]
    #: Empty where none was chosen.
    body: bytes
    #: Its name as the browser says it; "" where none was chosen.
    name: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a form may hold."""

    #: Of all of it, in bytes.
    body_bytes: int
    #: So many fields.
    fields: int = 20
    #: Of one field, in bytes.
    field_bytes: int = 4_096


async def uploaded(request: Request, service: Service, who: SignedIn, bounds: Bounds) -> Uploaded:
    """A form that one of our pages sent for who is signed in, with one file at most.

    Raises:
        BadInput: it is larger than `bounds.body_bytes`.
        HTTPException: 403, another site sent it or another session; 400, it cannot be read.
    """
    require_our_origin(request, service)
    try:
        form = await _parser(request, bounds).parse()
    except MultiPartException as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"This form cannot be read: {error.message}") from error
    try:
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        require_text((*fields.keys(), *fields.values()))
        require_token(fields, who)
        file = next((value for value in form.values() if isinstance(value, UploadFile)), None)
        return Uploaded(fields, await file.read(), file.filename or "") if file else Uploaded(fields, b"")
    finally:
        await form.close()


def _parser(request: Request, bounds: Bounds) -> MultiPartParser | FormParser:
    stream = _bounded(request, bounds.body_bytes)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return MultiPartParser(
            request.headers, stream, max_files=1, max_fields=bounds.fields, max_part_size=bounds.field_bytes
        )
    return FormParser(request.headers, stream, max_fields=bounds.fields, max_part_size=bounds.field_bytes)


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes; Starlette bounds fields alone, and would put a file of any size on the disk."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= most:
            yield chunk
        elif size > MOST_IGNORED:
            break
    if size > most:
        raise BadInput(f"This is larger than {most // 1024 // 1024} MiB: send less at once.")
