"""WebSub: feeds that are pushed instead of polled (W3C Recommendation of 23 January 2018).

A subscriber finds the hub with `discover`, posts a `subscription_form`, and answers what
`read_verification` reads from the hub's question. A hub reads what is posted with
`read_request`, asks back at `verification_url` and delivers with the header that `sign` makes.
A publisher posts a `publish_form`. All of it is text and bytes: no request is made here.
"""

from __future__ import annotations

from feeds.websub.discovery import Hubs, discover, read_link_header
from feeds.websub.messages import (
    Denial,
    PublishRequest,
    SubscriptionRequest,
    Verification,
    denial_url,
    publish_form,
    read_request,
    read_verification,
    subscription_form,
    verification_url,
)
from feeds.websub.signatures import is_genuine, sign

__all__ = [
    "Denial",
    "Hubs",
    "PublishRequest",
    "SubscriptionRequest",
    "Verification",
    "denial_url",
    "discover",
    "is_genuine",
    "publish_form",
    "read_link_header",
    "read_request",
    "read_verification",
    "sign",
    "subscription_form",
    "verification_url",
]
