"""Addresses that a request may be sent to."""

from __future__ import annotations

import httpx

from feeds.http import failures


def web_address(text: str, base: httpx.URL | None = None) -> tuple[httpx.URL, httpx.BasicAuth | None]:
    """An address without its credentials and fragment, and the credentials.

    Raises:
        FetchError: it is no http or https address.
    """
    try:
        url = httpx.URL(text.strip()) if base is None else base.join(text)
    except httpx.InvalidURL as error:
        raise failures.bad_url(text, "This cannot be read as the address of a feed.") from error
    if url.scheme not in ("http", "https"):
        raise failures.bad_url(
            text, f"The address begins with “{url.scheme}:” and not with “http:” or “https:”."
        )
    if not url.host:
        raise failures.bad_url(text, "The address names no server.")
    auth = httpx.BasicAuth(url.username, url.password) if url.userinfo else None
    return url.copy_with(userinfo=b"", fragment=None), auth
