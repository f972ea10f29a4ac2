"""Webhooks to partners, signed by the Standard Webhooks scheme (standardwebhooks.com, symmetric, v1)."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from aggregator.errors import BadInput

#: What a secret begins with, so that people and scanners recognise it.
PREFIX = "whsec_"
#: The scheme asks for 24 to 64 bytes.
FEWEST_BYTES, MOST_BYTES = 24, 64
#: How far the clocks of both ends may differ, and how long a request may be repeated.
TOLERANCE = timedelta(minutes=5)

# The parts of what is signed are joined with dots, so the id must not hold one.
_ID = re.compile(r"[!-\-/-~]+")
# Twelve digits last for thirty thousand years.
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def new_secret(random: bytes) -> str:
    """The secret that both ends keep: `whsec_` and these random bytes in base64.

    Raises:
        ValueError: there are fewer than 24 bytes, or more than 64.
    """
    if not FEWEST_BYTES <= len(random) <= MOST_BYTES:
        raise ValueError(f"A secret has {FEWEST_BYTES} to {MOST_BYTES} bytes, not {len(random)}.")
    return PREFIX + base64.b64encode(random).decode()


def is_secret(written: str) -> bool:
    """Whether this is a secret that webhooks can be signed with."""
    try:
        return bool(_key(written))
    except BadInput:
        return False


def signed_headers(secret: str, *, id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers that a webhook goes out with.

    `id` names the message and stays the same when it is sent again; `at` is the moment of this
    attempt, so that a late repetition is not taken for a replay.

    Raises:
        BadInput: `secret` is none.
        ValueError: `id` is empty, has a dot or is not printable ASCII; `at` has no time zone.
    """
    if not _ID.fullmatch(id):
        raise ValueError(f"{id!r} cannot be the id of a webhook: it may hold no dot, no space.")
    timestamp = str(int(_aware(at).timestamp()))
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": _signature(_key(secret), id, timestamp, body),
    }


def is_genuine(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> bool:
    """Whether a webhook was signed with this secret, for these bytes, about `now`.

    One of several signatures is enough, as while a secret is being replaced. False for whatever
    is missing or malformed in `headers`, whose names count in any case. Signatures are compared
    in constant time.

    Raises:
        BadInput: `secret` is none.
        ValueError: `now` has no time zone.
    """
    key = _key(secret)
    said = {name.lower(): value for name, value in headers.items()}
    id, timestamp = said.get("webhook-id", ""), said.get("webhook-timestamp", "")
    if not _ID.fullmatch(id) or not _TIMESTAMP.fullmatch(timestamp):
        return False
    if abs(_aware(now).timestamp() - int(timestamp)) > tolerance.total_seconds():
        return False
    expected = _signature(key, id, timestamp, body).encode()
    given = said.get("webhook-signature", "").encode("utf-8", "replace").split()
    return any(hmac.compare_digest(expected, signature) for signature in given)


def _signature(key: bytes, id: str, timestamp: str, body: bytes) -> str:
    digest = hmac.digest(key, f"{id}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    """The random bytes in a secret; the message never repeats it."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(f"A webhook's secret is {PREFIX} and base64. Copy it once more, whole.") from error
    if not secret.startswith(PREFIX) or not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        raise BadInput(f"A webhook's secret is {PREFIX} and {FEWEST_BYTES} to {MOST_BYTES} bytes in base64.")
    return key


def _aware(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone.")
    return moment
