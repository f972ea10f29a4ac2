"""What hub, publisher and subscriber say to one another (WebSub sections 5 and 6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from urllib.parse import urlencode, urlsplit

from feeds.errors import WebSubError
from feeds.urls import absolute

Mode = Literal["subscribe", "unsubscribe"]

#: Characters of the longest address that is taken.
MOST_URL_CHARACTERS = 2_000
#: Section 5.1: a secret "MUST be less than 200 bytes in length".
MOST_SECRET_BYTES = 199
#: Who asks for longer is understood so; section 5.3.1 forbids a lease without end.
LONGEST_LEASE = timedelta(days=3650)

_WEB_ADDRESS = re.compile(r"https?://[\x21-\x7e]+", re.IGNORECASE)
_POSITIVE = re.compile(r"0*[1-9][0-9]*", re.ASCII)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """What a subscriber asks of a hub (section 5.1)."""

    mode: Mode
    #: The feed, as its self link writes it.
    topic: str
    #: Where to deliver, exactly as the subscriber wrote it.
    callback: str
    #: How long it should last, whole seconds; None leaves that to the hub.
    lease: timedelta | None = None
    #: What to sign deliveries with, 1 to 199 bytes; None for no signature. Not in the repr, so not in logs.
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """What a publisher tells a hub: these feeds have changed (section 6, in the usual form)."""

    #: Absolute URLs, each once.
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """A hub's question to a subscriber: was that you (section 5.3)?

    Who wants it answers 200 with the challenge as the whole body, as text/plain; else 404.
    """

    mode: Mode
    topic: str
    #: Never empty.
    challenge: str
    #: How long it will last; None where the hub says nothing, and always for unsubscribe.
    lease: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Denial:
    """A hub's refusal of a subscription, at first or later (section 5.2)."""

    topic: str
    #: For a person; "" where the hub gives none.
    reason: str = ""


def read_request(form: Mapping[str, str]) -> SubscriptionRequest | PublishRequest:
    """What was posted to a hub.

    Raises:
        WebSubError: it cannot be taken; the message tells its sender what to send instead.
    """
    mode = form.get("hub.mode", "")
    match mode:
        case "subscribe" | "unsubscribe":
            return SubscriptionRequest(
                mode,
                topic=_address(form, "hub.topic"),
                callback=_callback(form),
                # Section 5.1: ignored in a request to unsubscribe.
                lease=_lease(form) if mode == "subscribe" else None,
                secret=_secret(form),
            )
        case "publish":
            names = [name for name in ("hub.url", "hub.topic") if form.get(name)] or ["hub.url"]
            return PublishRequest(tuple(dict.fromkeys(_address(form, name) for name in names)))
    raise WebSubError(f'hub.mode must be "subscribe", "unsubscribe" or "publish", not {_shown(mode)}.')


def verification_url(request: SubscriptionRequest, challenge: str, lease: timedelta | None) -> str:
    """Where the hub asks whether the subscriber meant it (section 5.3).

    Raises:
        ValueError: a subscription is verified without a lease, or the lease is not positive.
    """
    if request.mode == "subscribe" and lease is None:
        raise ValueError("Section 5.3: a hub must say how long a subscription will last.")
    asked = {"hub.mode": request.mode, "hub.topic": request.topic, "hub.challenge": challenge}
    return _with_query(request.callback, asked | _lease_field(lease))


def denial_url(request: SubscriptionRequest, reason: str) -> str:
    """Where the hub tells the subscriber that it gets nothing (section 5.2)."""
    told = {"hub.mode": "denied", "hub.topic": request.topic}
    return _with_query(request.callback, told | ({"hub.reason": reason} if reason else {}))


def subscription_form(
    topic: str,
    callback: str,
    *,
    mode: Mode = "subscribe",
    lease: timedelta | None = None,
    secret: str | None = None,
) -> dict[str, str]:
    """What a subscriber posts to a hub (section 5.1); a `secret` only to a hub behind https.

    Raises:
        WebSubError: no hub that keeps to the Recommendation would take it.
        ValueError: the lease is not positive.
    """
    asked = {"hub.mode": mode, "hub.topic": topic, "hub.callback": callback}
    form = asked | _lease_field(lease) | ({"hub.secret": secret} if secret else {})
    read_request(form)
    return form


def publish_form(topic_url: str) -> dict[str, str]:
    """What a publisher posts to a hub once the changed feed is being served (section 6)."""
    # The Recommendation leaves the form open. Older hubs read hub.url, newer ones hub.topic.
    return {"hub.mode": "publish", "hub.url": topic_url, "hub.topic": topic_url}


def read_verification(query: Mapping[str, str]) -> Verification | Denial:
    """What a hub asks or tells at a subscriber's callback.

    Raises:
        WebSubError: it is neither a question nor a denial. Answer 404.
    """
    mode = query.get("hub.mode", "")
    topic = query.get("hub.topic", "")
    if not topic:
        raise WebSubError("hub.topic is missing: send the address of the feed that was subscribed to.")
    match mode:
        case "denied":
            return Denial(topic, query.get("hub.reason", ""))
        case "subscribe" | "unsubscribe":
            challenge = query.get("hub.challenge", "")
            if not challenge:
                raise WebSubError("hub.challenge is missing: send a random string to be echoed.")
            # Section 5.3: subscribers ignore the lease of what ends.
            return Verification(mode, topic, challenge, _lease(query) if mode == "subscribe" else None)
    raise WebSubError(f'hub.mode must be "subscribe", "unsubscribe" or "denied", not {_shown(mode)}.')


def _callback(form: Mapping[str, str]) -> str:
    callback = _address(form, "hub.callback")
    if "#" in callback:
        raise WebSubError(
            "hub.callback has a fragment, which is never sent: leave out the # and what follows."
        )
    if "@" in urlsplit(callback).netloc:
        raise WebSubError(
            "hub.callback has a login: leave it out, and put a random word into the path instead."
        )
    return callback


def _address(form: Mapping[str, str], name: str) -> str:
    url = form.get(name, "")
    if not url:
        raise WebSubError(f"{name} is missing: send an http or https address.")
    if len(url) > MOST_URL_CHARACTERS:
        raise WebSubError(f"{name} has {len(url)} characters: send at most {MOST_URL_CHARACTERS}.")
    # It goes out as it came in, so spaces and letters beyond ASCII must be encoded already.
    if not _WEB_ADDRESS.fullmatch(url) or absolute(url) is None:
        raise WebSubError(f"{name} must be an http or https address in ASCII, not {_shown(url)}.")
    return url


def _lease(form: Mapping[str, str]) -> timedelta | None:
    written = form.get("hub.lease_seconds", "")
    if not written:
        return None
    if not _POSITIVE.fullmatch(written):
        raise WebSubError(f"hub.lease_seconds must be a positive whole number, not {_shown(written)}.")
    # Nine digits are some thirty years; longer numbers need not even be read.
    digits = written.lstrip("0")
    return min(timedelta(seconds=int(digits)), LONGEST_LEASE) if len(digits) < 10 else LONGEST_LEASE


def _secret(form: Mapping[str, str]) -> str | None:
    secret = form.get("hub.secret", "")
    size = len(secret.encode("utf-8", "replace"))
    if size > MOST_SECRET_BYTES:
        raise WebSubError(f"hub.secret has {size} bytes: send at most {MOST_SECRET_BYTES}.")
    return secret or None


def _lease_field(lease: timedelta | None) -> dict[str, str]:
    if lease is None:
        return {}
    if lease < _SECOND:
        raise ValueError(f"A lease lasts a second at least, not {lease}.")
    return {"hub.lease_seconds": str(lease // _SECOND)}


def _with_query(callback: str, added: Mapping[str, str]) -> str:
    """Section 5.1.1: the callback's own query stays, and ours is appended with an ampersand."""
    joint = "&" if "?" in callback else "?"
    return f"{callback}{joint}{urlencode(added)}"


def _shown(text: str) -> str:
    """What somebody sent, short enough to be sent back."""
    return repr(text if len(text) <= 80 else text[:79] + "…")
