"""One uvicorn around the service, with or without the schedule beside it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import uvicorn

from aggregator import dispatch, measures
from aggregator.app import App
from aggregator.errors import AggregatorError
from aggregator.store.database import StoreError
from aggregator.web.metrics import PATH, Metrics, standing_alone
from aggregator.web.service import Front, make_service

#: Handles of the listening socket, each of which takes one new connection in a turn of the event loop.
DOORS = 16


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
        settings.push,
        settings.keep,
        settings.fetch,
        soon,
        settings.metrics,
        sign_in=settings.oidc,
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
        measures.SCHEDULES.set(int(with_schedule))
        await stack.enter_async_context(loop_watched())
        await make_server(front).serve(sockets=doors(listener))


@contextlib.asynccontextmanager
async def loop_watched() -> AsyncIterator[None]:
    """Measure how late the event loop turns, until the end of the block."""
    watching = asyncio.create_task(measures.watch_loop())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


@contextlib.asynccontextmanager
async def metrics_served(app: App) -> AsyncIterator[str]:
    """Answer `/metrics`, and nothing else, where `metrics.port` says so; gives its address, "" for none.

    Raises:
        AggregatorError: something else listens there.
    """
    settings = app.settings.metrics
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(loop_watched())
        if not settings.port:
            yield ""
            return
        listener = listen(settings.host, settings.port)
        alone = standing_alone(Metrics(app.database, app.clock, settings))
        await stack.enter_async_context(served(alone, listener))
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield f"http://{host}:{settings.port}{PATH}"


@contextlib.asynccontextmanager
async def served(application: Any, listener: socket.socket) -> AsyncIterator[None]:
    """Serve an ASGI application beside what the caller does."""
    server = make_server(application, in_background=True)
    task = asyncio.create_task(server.serve(sockets=doors(listener)))
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


def doors(listener: socket.socket) -> list[socket.socket]:
    """A listening socket under several handles.

    uvloop takes one new connection of a handle in each turn of its loop, and those of feed readers mostly
    are new: where a turn makes a page of the desk, they would wait in line for one turn each.
    """
    return [listener, *(listener.dup() for _ in range(DOORS - 1))]


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
        # Requests are logged where their routes are known: see `aggregator.web.requests`.
        access_log=False,
        # Its own lines are written as all others are: see `aggregator.logs`.
        log_config=None,
        log_level="warning",
        server_header=False,
        http="httptools",
        # A request that goes on for longer is cut off: a service that does not end is killed instead.
        timeout_graceful_shutdown=3,
    )
    return (_Background if in_background else _Server)(config)
