"""The service on a real port of this machine, by the server that the product runs on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aggregator.serving import listen, make_server
from tests.web.newsroom import Newsroom


@contextmanager
def served(newsroom: Newsroom) -> Iterator[tuple[str, int]]:
    """Serve a newsroom beside the test, as long as this lasts; gives its host and port."""
    listener = listen("127.0.0.1", 0)
    host, port = listener.getsockname()
    server = make_server(newsroom.service(), in_background=True)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    try:
        yield host, port
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
