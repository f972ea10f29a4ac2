"""What is taken of a request at all: so much of a body, and only text that a database keeps."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from fastapi import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The longest body that a call of the API takes, in bytes: a pick has two numbers and a word.
MOST_BODY_BYTES = 65_536

_NO_TEXT = "There is a character in it that is no text: write it without."


def is_text(written: str) -> bool:
    """Whether a database keeps it: PostgreSQL takes no NUL, and half a character is none in UTF-8."""
    return "\x00" not in written and not any("\ud800" <= sign <= "\udfff" for sign in written)


def require_text(written: Iterable[str]) -> None:
    """Let nothing pass that is no text.

    Raises:
        HTTPException: 400, one of them is none.
    """
    if not all(map(is_text, written)):
        raise HTTPException(HTTPStatus.BAD_REQUEST, _NO_TEXT)


async def require_readable(request: Request) -> None:
    """Let no address pass that is no text.

    Raises:
        HTTPException: 400, it is none.
    """
    asked = request.query_params
    require_text((request.url.path, *asked.keys(), *asked.values()))


def bounded(app: ASGIApp) -> ASGIApp:
    """The application, which is handed no more of a body below /api than any call needs.

    FastAPI holds a whole body before it asks who sent it: without this anybody could fill the memory.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        size = 0

        async def heard() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MOST_BODY_BYTES:
                said = f"A body of more than {MOST_BODY_BYTES:,} bytes is not taken."
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said)
            return message

        is_call = scope["type"] == "http" and scope["path"].startswith("/api/")
        await app(scope, heard if is_call else receive, send)

    return answer
