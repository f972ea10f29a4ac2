"""The one HTTP client that a process follows feeds with."""

from __future__ import annotations

import ssl
from datetime import timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpcore
import httpx

from feeds.http.guard import Guard, Resolve
from feeds.http.pool import Pool


def make_client(
    *,
    user_agent: str,
    private_networks: bool = False,
    connections: int = 100,
    rest: timedelta = timedelta(seconds=30),
    tls: ssl.SSLContext | None = None,
    resolve: Resolve | None = None,
    backend: httpcore.AsyncNetworkBackend | None = None,
) -> httpx.AsyncClient:
    """A client for `fetch`, to be entered with `async with`.

    It knows no proxy of the environment, keeps no cookie, follows no redirect by itself and
    speaks HTTP/1.1 over at most `connections` connections, each kept for `rest` after its last
    use. Addresses that are not public are refused unless `private_networks` is true.
    `tls` replaces the usual certificates, `resolve` the system's look-up of names, `backend` what
    opens the connections that are allowed.
    """
    guard = Guard(private_networks=private_networks, resolve=resolve, backend=backend)
    pool = Pool(
        guard=guard,
        tls=tls or httpx.create_ssl_context(trust_env=False),
        connections=connections,
        rest_seconds=rest.total_seconds(),
    )
    return httpx.AsyncClient(
        transport=pool,
        headers={"User-Agent": user_agent},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=False,
        trust_env=False,
    )
