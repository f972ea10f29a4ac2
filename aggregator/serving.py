"""One uvicorn around the service, with or without the schedule beside it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import uvicorn

from aggregator import dispatch
from aggregator.app import App
from aggregator.errors import AggregatorError
from aggregator.store.database import StoreError
from aggregator.web.service import Front, make_service


def service_of(app: App, soon: Callable[[str], None] | None = None) -> Front:
    """The ASGI application of an `App`; `soon` makes a job run soon, wherever that is."""
    settings = app.settings
    return make_service(
        app.database,
        app.clock,
        settings.site,
        settings.serve,
        settings.channels,
        settings.topics,
        app.holder,
        settings.push,
        settings.keep,
        settings.fetch,
        soon,
    )


async def serve_app(app: App, listener: socket.socket, *, with_schedule: bool) -> None:
    """Serve until the process is told to end; then let what is under way end."""
    async with contextlib.AsyncExitStack() as stack:
        jobs = None
        if with_schedule:
            jobs = dispatch.inline(app, await stack.enter_async_context(app.clients()))
        front = service_of(app, jobs.soon if jobs else dispatch.Telling(app).soon)

        def hear(notice: str) -> None:
            front.hear(notice)
            if jobs is not None:
                dispatch.heed(jobs, notice)

        await stack.enter_async_context(dispatch.hearing(app.database, hear))
        if jobs is not None:
            jobs.start()
            stack.push_async_callback(jobs.stop)
        # What is held goes on being served while the store is away; so it is held from the start.
        with contextlib.suppress(StoreError):
            await front.documents.shelf.stamps()
        await make_server(front).serve(sockets=[listener])


@contextlib.asynccontextmanager
async def served(application: Any, listener: socket.socket) -> AsyncIterator[None]:
    """Serve an ASGI application beside what the caller does."""
    server = make_server(application, in_background=True)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    Raises:
        AggregatorError: something else listens there, or there is no such port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, or asyncio takes the connections for others than TCP and leaves them Nagle's
    # algorithm: an answer in two packets then waits for the client's delayed acknowledgement, 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OverflowError as error:
        listener.close()
        raise AggregatorError(
            f"There is no port {port}: choose one from 1 to 65535, or 0 for any."
        ) from error
    except OSError as error:
        listener.close()
        raise AggregatorError(
            f"Port {port} of {host} cannot be listened on ({error.strerror}): choose another, or end what is there."
        ) from error
    listener.listen(2048)
    return listener


class _Server(uvicorn.Server):
    """A server that ends the streams that are open first, so that nobody waits for them."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, letting requests under way end."""
        if isinstance(self.config.app, Front):
            self.config.app.close()
        await super().shutdown(sockets)


class _Background(_Server):
    """A server that leaves signals to whoever it runs beside."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def make_server(application: Any, *, in_background: bool = False) -> uvicorn.Server:
    """A uvicorn server with what all of ours share."""
    config = uvicorn.Config(
        application,
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        http="httptools",
        # A request that goes on for longer is cut off: a service that does not end is killed instead.
        timeout_graceful_shutdown=3,
    )
    return (_Background if in_background else _Server)(config)
