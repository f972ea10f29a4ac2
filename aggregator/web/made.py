"""Answers that take long to make, made beside the event loop: whoever asks for a feed does not wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

T = TypeVar("T")

# Python makes one at a time however many threads there are. More would only keep the event loop from its turn.
_MAKING = ThreadPoolExecutor(1, "make")


async def beside(make: Callable[[], T]) -> T:
    """What `make` gives, made on a thread of its own; lines of log name the request there, too."""
    return await asyncio.get_running_loop().run_in_executor(_MAKING, copy_context().run, make)


class MadePage(HTMLResponse):
    """A page that is made when it is sent."""

    def __init__(self, make: Callable[[], str], status: int, headers: Mapping[str, str]) -> None:
        super().__init__(None, status, headers)
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make it, and send it (ASGI)."""
        self.body = (await beside(self._make)).encode()
        self.headers["Content-Length"] = str(len(self.body))
        await super().__call__(scope, receive, send)
