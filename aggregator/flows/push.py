"""Documents are pushed to whoever subscribed (WebSub), and the hubs of others are told of them.

What is left to do stands in the tables: a subscriber whose ETag is not the one served, a wish that
nobody confirmed, a hub that was told of another ETag. So a process that dies loses nothing, and a
subscriber that was away is given what is served when it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode

import httpx
from sqlmodel import Session

from aggregator import measures
from aggregator.errors import BadInput
from aggregator.model import Clock
from aggregator.outgoing import StoredDocument, Subscriber, SubscriptionAsked
from aggregator.rules.channels import FORMATS, Channel, Site
from aggregator.store import documents, subscribers
from aggregator.store.database import Database
from aggregator.store.subscribers import Ping
from aggregator.written import Duration, Words
from feeds.errors import FetchError, WebSubError
from feeds.http import Limits, Sent, make_client, send
from feeds.urls import host_of
from feeds.websub import (
    PublishRequest,
    SubscriptionRequest,
    denial_url,
    publish_form,
    read_request,
    sign,
    verification_url,
)

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Rows of each kind that one run works on.
BATCH = 200
#: Requests under way at once.
AT_ONCE = 20
#: A callback that does not answer the question whether it wants to subscribe is asked so often.
QUESTIONS = 3
#: Wishes that may wait at once, for one host and for all: a stranger must not make us ask others.
MOST_FOR_HOST, MOST_WISHES = 20, 2_000
#: The wait after a failure, doubled with each up to the second one.
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PushSettings:
    """How what is published reaches others without their asking."""

    #: Whether channels may be subscribed to here (WebSub).
    hub: bool = True
    #: Hubs of others that are told of each change and named in the documents.
    hubs: Words = ()
    #: Whether we subscribe to the hubs that feeds name. They must be able to reach `site.url`.
    subscribe: bool = False
    #: How long a subscription lasts where its subscriber does not say; and at most.
    lease: Duration = timedelta(days=10)
    longest_lease: Duration = timedelta(days=30)
    #: The whole of one delivery.
    timeout: Duration = timedelta(seconds=15)
    #: A subscriber that took nothing for so long is dropped.
    patience: Duration = timedelta(days=3)
    #: The largest feed that a hub may send us, in bytes.
    body_bytes: int = 10 * 1024 * 1024
    #: Deliver to private addresses and this machine too.
    private_networks: bool = False

    def advertised(self, site: Site) -> tuple[str, ...]:
        """The addresses of the hubs that documents name."""
        return ((site.page("hub"),) if self.hub else ()) + self.hubs

    @property
    def limits(self) -> Limits:
        """What the library needs to know of this."""
        return Limits(total=self.timeout, body_bytes=16 * 1024)


@dataclass(frozen=True, slots=True)
class Pusher:
    """What every delivery needs."""

    database: Database
    client: httpx.AsyncClient
    clock: Clock
    site: Site
    settings: PushSettings


@contextlib.asynccontextmanager
async def client_for(settings: PushSettings, *, user_agent: str) -> AsyncIterator[httpx.AsyncClient]:
    """The HTTP client that everything is pushed with."""
    async with make_client(user_agent=user_agent, private_networks=settings.private_networks) as client:
        yield client


async def take_request(
    database: Database,
    clock: Clock,
    site: Site,
    channels: Sequence[Channel],
    settings: PushSettings,
    form: dict[str, str],
) -> None:
    """Take what was posted to our hub: a wish to subscribe or to unsubscribe, or a publisher's word.

    Raises:
        BadInput: it cannot be taken, with what to do instead.
        HubBusy: too many wishes wait already.
    """
    try:
        asked = read_request(form)
    except WebSubError as error:
        raise BadInput(str(error)) from error
    if isinstance(asked, PublishRequest):
        # We know when our channels change; nobody has to tell us.
        return
    channel, format = channel_at(asked.topic, site, channels)
    lease = min(asked.lease or settings.lease, settings.longest_lease)

    def keep(session: Session) -> None:
        host = host_of(asked.callback)
        if (
            subscribers.waiting_for(session, host) >= MOST_FOR_HOST
            or subscribers.waiting_for(session) >= MOST_WISHES
        ):
            raise HubBusy("Too many subscriptions wait to be confirmed: try again in some minutes.")
        subscribers.ask(
            session,
            asked.mode,
            channel,
            format,
            asked.callback,
            secret=asked.secret,
            lease=lease,
            now=clock(),
        )

    await database.write(keep)


class HubBusy(BadInput):
    """Too many wishes to subscribe wait already."""


def channel_at(topic_url: str, site: Site, channels: Sequence[Channel]) -> tuple[str, str]:
    """The channel and the format that an address of ours is the document of.

    Raises:
        BadInput: it is none, or one that is not public.
    """
    for channel in channels:
        for format in FORMATS:
            if topic_url == site.page(channel.path_as(format)) and channel.is_public:
                return channel.slug, format
    raise BadInput(
        f"{topic_url!r} is no channel of this hub: subscribe to the self link of one of {site.page('')}"
    )


async def push(pusher: Pusher, channels: Sequence[Channel]) -> None:
    """Do all that is due: ask callbacks, deliver documents, tell other hubs."""
    # What fails is put off, so each of these comes to an end.
    while await confirm_subscriptions(pusher) == BATCH:
        pass
    while await deliver_documents(pusher) == BATCH:
        pass
    await ping_hubs(pusher, channels)


async def confirm_subscriptions(pusher: Pusher) -> int:
    """Ask the callbacks of new wishes whether they were meant (WebSub section 5.3); how many were asked."""
    wishes = await pusher.database.read(lambda s: subscribers.asked(s, pusher.clock(), limit=BATCH))
    await each(wishes, partial(_confirm, pusher))
    return len(wishes)


async def deliver_documents(pusher: Pusher) -> int:
    """Give subscribers the documents that they do not have yet; to how many it was tried."""
    waiting = await pusher.database.read(lambda s: subscribers.to_deliver(s, pusher.clock(), limit=BATCH))
    keys = {(one.channel, one.format) for one in waiting}
    held = await pusher.database.read(lambda s: {key: documents.get(s, *key) for key in keys})

    async def deliver(subscriber: Subscriber) -> None:
        document = held[subscriber.channel, subscriber.format]
        if document is not None:
            await _deliver(pusher, subscriber, document)

    await each(waiting, deliver)
    return len(waiting)


async def ping_hubs(pusher: Pusher, channels: Sequence[Channel]) -> int:
    """Tell the hubs of others which documents changed (WebSub section 6); how many words were sent."""
    public = [channel.slug for channel in channels if channel.is_public]
    hubs = pusher.settings.hubs
    if not hubs:
        return 0
    due = await pusher.database.read(lambda s: subscribers.to_ping(s, hubs, public, pusher.clock()))
    await each(due, partial(_ping, pusher))
    return len(due)


def wait_after(tries: int, asked: timedelta | None = None) -> timedelta:
    """How long to wait after so many failures, this one included; a Retry-After may ask for more."""
    wait: timedelta = min(FIRST_WAIT * 2.0 ** min(tries - 1, 20), LONGEST_WAIT)
    return max(wait, min(asked or timedelta(), LONGEST_WAIT))


async def each(rows: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Do the same for each, a few at a time; one that breaks does not stop the others."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(row: T) -> None:
        async with room:
            await work(row)

    async with asyncio.TaskGroup() as group:
        for row in rows:
            group.create_task(one(row))


async def _confirm(pusher: Pusher, wish: SubscriptionAsked) -> None:
    request = _as_request(pusher, wish)
    challenge = secrets.token_urlsafe(32)
    lease = wish.lease if wish.mode == "subscribe" else None
    try:
        answer = await send(
            pusher.client,
            "GET",
            verification_url(request, challenge, lease),
            limits=pusher.settings.limits,
        )
    except FetchError as error:
        await _ask_again(pusher, wish, str(error))
        return
    now = pusher.clock()
    if answer.status >= 500:
        await _ask_again(pusher, wish, f"it answered {answer.status}")
    elif not answer.is_success or answer.body != challenge.encode():
        # Section 5.3.1: "the hub MUST consider the verification to have failed".
        await pusher.database.write(lambda s: subscribers.forget_wish(s, wish))
        log.info("subscription not confirmed", extra={"callback_host": host_of(wish.callback)})
    elif wish.mode == "subscribe":
        await pusher.database.write(lambda s: subscribers.subscribe(s, wish, now=now))
    else:
        await pusher.database.write(lambda s: subscribers.unsubscribe(s, wish))


async def _ask_again(pusher: Pusher, wish: SubscriptionAsked, why: str) -> None:
    log.info("callback not reached", extra={"callback_host": host_of(wish.callback), "reason": why})
    if wish.tries + 1 >= QUESTIONS:
        await pusher.database.write(lambda s: subscribers.forget_wish(s, wish))
        # Section 5.2: a denial, in case it listens again. What it answers changes nothing.
        with contextlib.suppress(FetchError):
            url = denial_url(_as_request(pusher, wish), "Your callback did not answer.")
            await send(pusher.client, "GET", url, limits=pusher.settings.limits)
        return
    at = pusher.clock() + wait_after(wish.tries + 1)
    await pusher.database.write(lambda s: subscribers.ask_later(s, wish, at))


def _as_request(pusher: Pusher, wish: SubscriptionAsked) -> SubscriptionRequest:
    topic = pusher.site.page(f"channels/{wish.channel}.{wish.format}")
    return SubscriptionRequest(wish.mode, topic, wish.callback, wish.lease, wish.secret)


async def _deliver(pusher: Pusher, subscriber: Subscriber, document: StoredDocument) -> None:
    body = document.codings.body
    topic = pusher.site.page(f"channels/{subscriber.channel}.{subscriber.format}")
    hubs = ", ".join(f'<{hub}>; rel="hub"' for hub in pusher.settings.advertised(pusher.site))
    headers = {
        "Content-Type": document.media_type,
        "Link": ", ".join(filter(None, (f'<{topic}>; rel="self"', hubs))),
    }
    if subscriber.secret:
        headers["X-Hub-Signature"] = sign(body, subscriber.secret)
    answer: Sent | None = None
    try:
        answer = await send(
            pusher.client,
            "POST",
            subscriber.callback,
            body=body,
            headers=headers,
            limits=pusher.settings.limits,
        )
        why = f"it answered {answer.status}"
    except FetchError as error:
        why = str(error)
    is_taken = answer is not None and answer.is_success
    measures.DELIVERIES.add("push", "taken" if is_taken else "failed")
    await pusher.database.write(
        partial(
            _record_delivery, pusher=pusher, subscriber=subscriber, etag=document.etag, answer=answer, why=why
        )
    )


def _record_delivery(
    session: Session, pusher: Pusher, subscriber: Subscriber, etag: str, answer: Sent | None, why: str
) -> None:
    now = pusher.clock()
    is_taken = answer is not None and answer.is_success
    subscribers.note_try(session, subscriber, is_taken=is_taken, why=why, now=now)
    if is_taken:
        subscribers.delivered(session, subscriber.id, etag, why=why, now=now)
        return
    since = subscriber.failing_since or now
    if (answer is not None and answer.status == 410) or now - since > pusher.settings.patience:
        subscribers.drop(session, subscriber.id)
        log.info("subscriber dropped", extra={"callback_host": host_of(subscriber.callback), "reason": why})
        return
    at = now + wait_after(subscriber.tries + 1, answer.retry_after if answer else None)
    subscribers.deliver_later(session, subscriber, why=why, now=now, at=at)


async def _ping(pusher: Pusher, ping: Ping) -> None:
    hub, channel, format, _, tries = ping
    topic = pusher.site.page(f"channels/{channel}.{format}")
    body = urlencode(publish_form(topic)).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        answer = await send(
            pusher.client, "POST", hub, body=body, headers=headers, limits=pusher.settings.limits
        )
        is_told, why = answer.is_success, f"it answered {answer.status}"
    except FetchError as error:
        is_told, why = False, str(error)
    measures.DELIVERIES.add("ping", "taken" if is_told else "failed")
    at = pusher.clock() + (timedelta() if is_told else wait_after(tries + 1))
    await pusher.database.write(lambda s: subscribers.pinged(s, ping, is_told=is_told, why=why, at=at))
