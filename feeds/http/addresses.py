"""Addresses that a request may be sent to."""

from __future__ import annotations

from base64 import b64encode

import httpx

from feeds.http import failures
from feeds.http.origins import Address


def web_address(text: str, base: Address | None = None) -> tuple[Address, str | None]:
    """An address without its credentials and fragment, and the credentials as an Authorization header.

    Raises:
        FetchError: it is no http or https address.
    """
    text = text.strip()
    if (plain := Address.plain(text)) is not None:
        return plain, None
    try:
        url = httpx.URL(text) if base is None else httpx.URL(base.text).join(text)
    except httpx.InvalidURL as error:
        if base is not None:
            raise failures.bad_location(base) from error
        raise failures.bad_url(text, "This cannot be read as the address of a feed.") from error
    if url.scheme not in ("http", "https"):
        raise failures.bad_url(
            text, f"The address begins with “{url.scheme}:” and not with “http:” or “https:”."
        )
    if not url.host:
        raise failures.bad_url(text, "The address names no server.")
    auth = f"Basic {_in_base64(url.username, url.password)}" if url.userinfo else None
    return Address.of(url.copy_with(userinfo=b"", fragment=None)), auth


def _in_base64(name: str, password: str) -> str:
    return b64encode(f"{name}:{password}".encode()).decode("ascii")
