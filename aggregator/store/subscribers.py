"""Who is pushed to: WebSub subscribers, the hubs of others, the webhooks of partners.

What is left to do stands in the rows: a subscriber that has another document than the one served,
a wish that nobody confirmed, a webhook that waits. Losing a job loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, case, delete, func, insert, or_, select, tuple_, update
from sqlmodel import Session

from aggregator.outgoing import PushTry, Subscriber, SubscriptionAsked, WebhookDue, WebhookLogged
from aggregator.store import briefs, partners
from aggregator.store.dialects import upsert
from aggregator.store.tables import PUBLICATION
from aggregator.store.tables_out import (
    DOCUMENT,
    PING,
    PUSH_TRY,
    SUBSCRIBER,
    SUBSCRIPTION_ASKED,
    WEBHOOK,
    PushTryRow,
    SubscriberRow,
    SubscriptionAskedRow,
    WebhookRow,
)
from feeds.urls import host_of

#: Hub, channel, format, ETag of the document, and how often it was tried in vain.
Ping = tuple[str, str, str, str, int]


# Wishes to subscribe


def ask(
    session: Session,
    mode: str,
    channel: str,
    format: str,
    callback: str,
    *,
    secret: str | None,
    lease: timedelta,
    now: datetime,
) -> None:
    """Keep a wish until its callback confirms it; of two for one callback the newer holds."""
    served = select(DOCUMENT.c.etag).where(DOCUMENT.c.channel == channel, DOCUMENT.c.format == format)
    values = {
        "mode": mode,
        "channel": channel,
        "format": format,
        "callback": callback,
        "host": host_of(callback),
        "secret": secret,
        "lease_seconds": int(lease.total_seconds()),
        # Whatever changes between the wish and its confirmation is delivered too.
        "etag": session.execute(served).scalar_one_or_none(),
        "asked_at": now,
        "tries": 0,
        "next_try": now,
    }
    statement = upsert(session, SUBSCRIPTION_ASKED).values(values)
    session.execute(
        statement.on_conflict_do_update(index_elements=["channel", "format", "callback"], set_=values)
    )


def waiting_for(session: Session, host: str | None = None) -> int:
    """How many wishes wait for a host to confirm them, or for any."""
    query = select(func.count()).select_from(SUBSCRIPTION_ASKED)
    if host is not None:
        query = query.where(SUBSCRIPTION_ASKED.c.host == host)
    return int(session.execute(query).scalar_one())


def asked(session: Session, now: datetime, *, limit: int) -> list[SubscriptionAsked]:
    """The wishes whose callbacks are to be asked now."""
    query = select(SubscriptionAskedRow).where(SUBSCRIPTION_ASKED.c.next_try <= now)
    rows = session.execute(query.order_by(SUBSCRIPTION_ASKED.c.next_try).limit(limit)).scalars()
    return [
        SubscriptionAsked(
            id=row.id or 0,
            mode="subscribe" if row.mode == "subscribe" else "unsubscribe",
            channel=row.channel,
            format=row.format,
            callback=row.callback,
            secret=row.secret,
            lease=timedelta(seconds=row.lease_seconds),
            etag=row.etag,
            tries=row.tries,
        )
        for row in rows
    ]


def ask_later(session: Session, wish: SubscriptionAsked, at: datetime) -> None:
    """A callback did not answer: it is asked again."""
    row = SUBSCRIPTION_ASKED.c.id == wish.id
    session.execute(update(SUBSCRIPTION_ASKED).where(row).values(tries=wish.tries + 1, next_try=at))


def forget_wish(session: Session, wish: SubscriptionAsked) -> None:
    """A wish is settled, one way or the other."""
    session.execute(delete(SUBSCRIPTION_ASKED).where(SUBSCRIPTION_ASKED.c.id == wish.id))


def subscribe(session: Session, wish: SubscriptionAsked, *, now: datetime) -> None:
    """A callback confirmed that it wants to subscribe, or to go on doing so."""
    new = {
        "channel": wish.channel,
        "format": wish.format,
        "callback": wish.callback,
        "secret": wish.secret,
        "lease_until": now + wish.lease,
        "tries": 0,
        "failing_since": None,
        "next_try": now,
        "why": "subscribed",
    }
    statement = upsert(session, SUBSCRIBER).values(new | {"etag": wish.etag})
    # Who renews keeps what it has been given.
    session.execute(
        statement.on_conflict_do_update(index_elements=["channel", "format", "callback"], set_=new)
    )
    forget_wish(session, wish)


def unsubscribe(session: Session, wish: SubscriptionAsked) -> None:
    """A callback confirmed that it wants no more."""
    session.execute(
        delete(SUBSCRIBER).where(
            SUBSCRIBER.c.channel == wish.channel,
            SUBSCRIBER.c.format == wish.format,
            SUBSCRIBER.c.callback == wish.callback,
        )
    )
    forget_wish(session, wish)


# Subscribers


def everyone(session: Session) -> list[Subscriber]:
    """Every subscriber, by channel and callback."""
    order = (SUBSCRIBER.c.channel, SUBSCRIBER.c.format, SUBSCRIBER.c.callback)
    return [_subscriber(row) for row in session.execute(select(SubscriberRow).order_by(*order)).scalars()]


def of_channel(session: Session, channel: str, *, limit: int) -> list[Subscriber]:
    """The subscribers of a channel, those that have failed for longest first."""
    is_well = SUBSCRIBER.c.failing_since.is_(None)
    order = (is_well, SUBSCRIBER.c.failing_since, SUBSCRIBER.c.format, SUBSCRIBER.c.callback)
    query = select(SubscriberRow).where(SUBSCRIBER.c.channel == channel).order_by(*order)
    return [_subscriber(row) for row in session.execute(query.limit(limit)).scalars()]


def counted(session: Session, now: datetime) -> dict[str, tuple[int, int]]:
    """How many subscribe to each channel by push, and how many of them have the newest document."""
    served = and_(DOCUMENT.c.channel == SUBSCRIBER.c.channel, DOCUMENT.c.format == SUBSCRIBER.c.format)
    has_newest = func.sum(case((SUBSCRIBER.c.etag == DOCUMENT.c.etag, 1), else_=0))
    query = (
        select(SUBSCRIBER.c.channel, func.count(), has_newest)
        .select_from(SUBSCRIBER.outerjoin(DOCUMENT, served))
        .where(SUBSCRIBER.c.lease_until > now)
        .group_by(SUBSCRIBER.c.channel)
    )
    return {channel: (count, int(newest)) for channel, count, newest in session.execute(query)}


def to_deliver(session: Session, now: datetime, *, limit: int) -> list[Subscriber]:
    """The subscribers that have another document than the one that is served, and are to be tried now."""
    served = and_(DOCUMENT.c.channel == SUBSCRIBER.c.channel, DOCUMENT.c.format == SUBSCRIBER.c.format)
    query = (
        select(SubscriberRow)
        .join(DOCUMENT, served)
        .where(
            or_(SUBSCRIBER.c.etag.is_(None), SUBSCRIBER.c.etag != DOCUMENT.c.etag),
            SUBSCRIBER.c.next_try <= now,
            SUBSCRIBER.c.lease_until > now,
        )
    )
    rows = session.execute(query.order_by(SUBSCRIBER.c.next_try, SUBSCRIBER.c.id).limit(limit)).scalars()
    return [_subscriber(row) for row in rows]


def delivered(session: Session, subscriber_id: int, etag: str, *, why: str, now: datetime) -> None:
    """A subscriber has taken a document."""
    values = {
        "etag": etag,
        "delivered_at": now,
        "tries": 0,
        "failing_since": None,
        "next_try": now,
        "why": why,
    }
    session.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == subscriber_id).values(values))


def deliver_later(session: Session, subscriber: Subscriber, *, why: str, now: datetime, at: datetime) -> None:
    """A subscriber did not take a document: it is tried again."""
    values = {
        "tries": subscriber.tries + 1,
        "failing_since": subscriber.failing_since or now,
        "next_try": at,
        "why": why,
    }
    session.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == subscriber.id).values(values))


def drop(session: Session, subscriber_id: int) -> None:
    """A subscriber is gone."""
    session.execute(delete(SUBSCRIBER).where(SUBSCRIBER.c.id == subscriber_id))


def drop_expired(session: Session, now: datetime) -> int:
    """Forget the subscribers whose lease is over; how many."""
    return int(session.execute(delete(SUBSCRIBER).where(SUBSCRIBER.c.lease_until <= now)).rowcount)  # type: ignore[attr-defined]


# What became of deliveries


def note_try(session: Session, subscriber: Subscriber, *, is_taken: bool, why: str, now: datetime) -> None:
    """Put a try to give a subscriber a document into the log."""
    values = {name: getattr(subscriber, name) for name in ("channel", "format", "callback")}
    session.execute(insert(PUSH_TRY).values(values | {"at": now, "is_taken": is_taken, "why": why}))


def tries(session: Session, channel: str, *, limit: int) -> list[PushTry]:
    """The last tries to give the subscribers of a channel its documents, newest first."""
    query = select(PushTryRow).where(PUSH_TRY.c.channel == channel).order_by(PUSH_TRY.c.id.desc())
    rows = session.execute(query.limit(limit)).scalars()
    return [PushTry(**{name: getattr(row, name) for name in PushTry.__slots__}) for row in rows]


def prune_tries(session: Session, before: datetime) -> int:
    """Forget tries older than this; how many."""
    return int(session.execute(delete(PUSH_TRY).where(PUSH_TRY.c.at < before)).rowcount)  # type: ignore[attr-defined]


# The hubs of others


def to_ping(session: Session, hubs: Sequence[str], channels: Sequence[str], now: datetime) -> list[Ping]:
    """What these hubs are to be told now: (hub, channel, format, ETag, tries) of documents that changed."""
    found = []
    for hub in hubs:
        told = and_(
            PING.c.hub == hub, PING.c.channel == DOCUMENT.c.channel, PING.c.format == DOCUMENT.c.format
        )
        query = (
            select(DOCUMENT.c.channel, DOCUMENT.c.format, DOCUMENT.c.etag, func.coalesce(PING.c.tries, 0))
            .select_from(DOCUMENT.outerjoin(PING, told))
            .where(
                DOCUMENT.c.channel.in_(channels),
                or_(PING.c.etag.is_(None), PING.c.etag != DOCUMENT.c.etag),
                or_(PING.c.next_try.is_(None), PING.c.next_try <= now),
            )
        )
        found += [
            (hub, *row) for row in session.execute(query.order_by(DOCUMENT.c.channel, DOCUMENT.c.format))
        ]
    return found


def pinged(session: Session, ping: Ping, *, is_told: bool, why: str, at: datetime) -> None:
    """A hub was told of a document, or could not be and is tried again at a time."""
    hub, channel, format, etag, tries = ping
    values = {"tries": 0 if is_told else tries + 1, "next_try": at, "why": why}
    values |= {"etag": etag} if is_told else {}
    statement = upsert(session, PING).values({"hub": hub, "channel": channel, "format": format, **values})
    session.execute(statement.on_conflict_do_update(index_elements=["hub", "channel", "format"], set_=values))


# The webhooks of partners


def queue_webhook(session: Session, partner_id: int, publication_id: int, *, now: datetime) -> None:
    """A partner is to be told of an act of publishing; once, however often this is asked."""
    values = {
        "partner_id": partner_id,
        "publication_id": publication_id,
        "state": "waiting",
        "next_try": now,
        "tries": 0,
        "why": "",
    }
    session.execute(upsert(session, WEBHOOK).values(values).on_conflict_do_nothing())


def has_webhook(session: Session, partner_id: int, brief_id: int) -> bool:
    """Whether a partner was told, or is to be told, of an earlier act of a brief."""
    query = (
        select(WEBHOOK.c.publication_id)
        .join(PUBLICATION, PUBLICATION.c.id == WEBHOOK.c.publication_id)
        .where(WEBHOOK.c.partner_id == partner_id, PUBLICATION.c.brief_id == brief_id)
    )
    return session.execute(query.limit(1)).first() is not None


def webhooks_due(session: Session, now: datetime, *, limit: int) -> list[WebhookDue]:
    """The webhooks to be sent now; of each partner only the oldest, so that none overtakes another."""
    first = (
        select(WEBHOOK.c.partner_id, func.min(WEBHOOK.c.publication_id))
        .where(WEBHOOK.c.state == "waiting")
        .group_by(WEBHOOK.c.partner_id)
    )
    oldest = tuple_(WEBHOOK.c.partner_id, WEBHOOK.c.publication_id).in_(first)
    query = select(WebhookRow).where(WEBHOOK.c.state == "waiting", WEBHOOK.c.next_try <= now, oldest)
    rows = session.execute(query.order_by(WEBHOOK.c.publication_id).limit(limit)).scalars().all()
    known = {partner.id: partner for partner in partners.everyone(session)}
    acts = {act.id: act for act in briefs.acts(session, [row.publication_id for row in rows])}
    return [WebhookDue(known[row.partner_id], acts[row.publication_id], row.tries) for row in rows]


def webhook_done(session: Session, due: WebhookDue, *, why: str, now: datetime) -> None:
    """A partner has taken a webhook."""
    _settle(session, due, {"state": "done", "done_at": now, "why": why})


def webhook_later(session: Session, due: WebhookDue, *, why: str, at: datetime | None) -> None:
    """A partner did not take a webhook: it is sent again at a time, or given up where there is none."""
    values = {"tries": due.tries + 1, "why": why, "state": "waiting" if at else "failed"}
    _settle(session, due, values | ({"next_try": at} if at else {}))


def webhook_log(session: Session, partner_id: int, *, limit: int) -> list[WebhookLogged]:
    """What became of a partner's webhooks, newest first."""
    columns = [WEBHOOK.c[name] for name in WebhookLogged.__slots__]
    query = select(*columns).where(WEBHOOK.c.partner_id == partner_id)
    rows = session.execute(query.order_by(WEBHOOK.c.publication_id.desc()).limit(limit))
    return [WebhookLogged(*row) for row in rows]


def webhook_states(session: Session) -> dict[tuple[int, str], int]:
    """How many webhooks there are of each partner in each state."""
    query = select(WEBHOOK.c.partner_id, WEBHOOK.c.state, func.count())
    grouped = session.execute(query.group_by(WEBHOOK.c.partner_id, WEBHOOK.c.state))
    return {(partner, state): count for partner, state, count in grouped}


def try_failed_again(session: Session, partner_id: int, *, now: datetime) -> int:
    """Send the webhooks of a partner again that were given up; how many.

    Of a brief only the last: a partner that was told of a correction since must not be sent the
    text from before it.
    """
    mine = select(WEBHOOK.c.publication_id).where(WEBHOOK.c.partner_id == partner_id)
    newest = (
        select(func.max(PUBLICATION.c.id)).where(PUBLICATION.c.id.in_(mine)).group_by(PUBLICATION.c.brief_id)
    )
    failed = (
        WEBHOOK.c.partner_id == partner_id,
        WEBHOOK.c.state == "failed",
        WEBHOOK.c.publication_id.in_(newest),
    )
    values = {"state": "waiting", "tries": 0, "next_try": now}
    return int(session.execute(update(WEBHOOK).where(*failed).values(values)).rowcount)  # type: ignore[attr-defined]


def _settle(session: Session, due: WebhookDue, values: dict[str, object]) -> None:
    row = (WEBHOOK.c.partner_id == due.partner.id, WEBHOOK.c.publication_id == due.publication.id)
    session.execute(update(WEBHOOK).where(*row).values(values))


def _subscriber(row: SubscriberRow) -> Subscriber:
    return Subscriber(**{name: getattr(row, name) for name in Subscriber.__slots__})
