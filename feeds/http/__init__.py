"""Fetching feeds: `fetch` with a client of `make_client` gives `Fetched` or `NotModified`.

What can go wrong is a `feeds.errors.FetchError`, of a kind and with a sentence. `is_unmodified`
is the publisher's side of the same conversation.
"""

from __future__ import annotations

from feeds.http.answers import Fetched, Hop, Limits, NotModified
from feeds.http.client import Client, make_client
from feeds.http.fetch import fetch
from feeds.http.freshness import Freshness
from feeds.http.guard import is_public
from feeds.http.send import Sent, send
from feeds.http.validators import Validators, is_unmodified

__all__ = [
    "Client",
    "Fetched",
    "Freshness",
    "Hop",
    "Limits",
    "NotModified",
    "Sent",
    "Validators",
    "fetch",
    "is_public",
    "is_unmodified",
    "make_client",
    "send",
]
