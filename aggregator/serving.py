"""One uvicorn around the service, with or without the schedule beside it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import uvicorn

from aggregator.app import App
from aggregator.errors import AggregatorError
from aggregator.web.service import Front, make_service


def service_of(app: App, soon: Callable[[str], None] | None = None) -> Any:
    """The ASGI application of an `App`; `soon` makes a job of this process run soon."""
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
        soon = None
        if with_schedule:
            jobs = app.schedule(await stack.enter_async_context(app.clients()))
            jobs.start()
            stack.push_async_callback(jobs.stop)
            soon = jobs.soon
        await make_server(service_of(app, soon)).serve(sockets=[listener])


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
