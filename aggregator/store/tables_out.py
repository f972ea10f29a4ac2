"""The tables of what goes out: documents, what channels carry, subscribers, partners.

Everything here but the partners, their keys and the log of what they took can be made anew from
the tables of `store.tables`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from aggregator.store.tables import ValueJson, moment, table_of
from feeds.model import Entry


class DocumentRow(SQLModel, table=True):
    """A channel's bytes, ready to be served."""

    __tablename__ = "document"

    channel: str = Field(primary_key=True)
    format: str = Field(primary_key=True)
    state: str
    media_type: str
    etag: str
    last_modified: datetime = moment()
    #: [[entry id, revision], …] of what stands in it.
    holds: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    #: Last, so that SQLite reads the rest of a row without walking through them.
    body: bytes
    gzip: bytes
    br: bytes
    zstd: bytes


class FragmentRow(SQLModel, table=True):
    """A rendered entry, so that building a document costs what changed."""

    __tablename__ = "fragment"

    #: Digest of the entry, the format and the program that rendered it.
    digest: str = Field(primary_key=True)
    body: bytes
    used_at: datetime = moment(index=True)


class CarriedRow(SQLModel, table=True):
    """An entry as subscribers of a channel were last told of it."""

    __tablename__ = "carried"
    __table_args__ = (
        # What stands in a document; and what an archive page may be made of.
        Index("ix_carried_present", "channel", "is_present"),
        # Where a story stands, and since when, without reading the entries.
        Index("ix_carried_ref", "kind", "ref", "served_at"),
        Index("ix_carried_updated", "channel", "updated"),
        Index("ix_carried_change", "channel", "change"),
        # What no document has carried yet; and what one has, since when.
        Index("ix_carried_served_at", "served_at", "channel", "is_present"),
    )

    channel: str = Field(primary_key=True)
    entry_id: str = Field(primary_key=True)
    kind: str
    ref: int
    digest: str
    dated: datetime = moment()
    #: As it was told, set apart from the others of its second.
    updated: datetime = moment()
    #: One counter over all channels. It is handed out under a lock and in the order of commits,
    #: so that whoever has read up to a number has missed nothing below it.
    change: int = Field(sa_type=BigInteger, unique=True)
    changed_at: datetime = moment()
    told: str
    is_present: bool
    why: str
    archived: int | None = None
    #: When a document first stood ready with it, in whatever state.
    served_at: datetime | None = moment(nullable=True)
    entry: Entry = Field(sa_column=Column(ValueJson(Entry), nullable=False))


class ArchiveRow(SQLModel, table=True):
    """A document of a channel's past. Replaced, its row stays without bytes, to answer 410."""

    __tablename__ = "archive"

    channel: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    number: int
    is_replaced: bool = False
    media_type: str
    etag: str
    made_at: datetime = moment()
    ids: list[str] = Field(sa_column=Column(JSON, nullable=False))
    body: bytes
    gzip: bytes
    br: bytes
    zstd: bytes


class SubscriberRow(SQLModel, table=True):
    """Somebody whom a document is pushed to."""

    __tablename__ = "subscriber"
    __table_args__ = (UniqueConstraint("channel", "format", "callback"),)

    id: int | None = Field(default=None, primary_key=True)
    channel: str
    format: str
    callback: str
    #: In the clear: what is sent is signed with it (WebSub section 7).
    secret: str | None = None
    lease_until: datetime = moment(index=True)
    #: The document that it has.
    etag: str | None = None
    delivered_at: datetime | None = moment(nullable=True)
    tries: int = 0
    #: Since when every delivery has failed.
    failing_since: datetime | None = moment(nullable=True)
    next_try: datetime = moment()
    why: str = ""


class PushTryRow(SQLModel, table=True):
    """One try to give a subscriber a document."""

    __tablename__ = "push_try"
    __table_args__ = (Index("ix_push_try_channel", "channel", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    channel: str
    format: str
    callback: str
    at: datetime = moment(index=True)
    is_taken: bool
    why: str


class SubscriptionAskedRow(SQLModel, table=True):
    """A wish to subscribe or to unsubscribe that its callback has not confirmed yet."""

    __tablename__ = "subscription_asked"
    __table_args__ = (UniqueConstraint("channel", "format", "callback"),)

    id: int | None = Field(default=None, primary_key=True)
    mode: str
    channel: str
    format: str
    callback: str
    #: Of the callback: few wishes at a time may wait for one host.
    host: str = Field(index=True)
    secret: str | None = None
    lease_seconds: int
    etag: str | None = None
    asked_at: datetime = moment()
    tries: int = 0
    next_try: datetime = moment(index=True)


class PushSourceRow(SQLModel, table=True):
    """A source whose feed names a hub, and how far we are subscribed there."""

    __tablename__ = "push_source"

    source_id: int = Field(primary_key=True, foreign_key="source.id", ondelete="CASCADE")
    topic_url: str
    hub: str
    #: The last part of our callback's address, which only the hub knows.
    token: str = Field(unique=True)
    #: What the hub signs with.
    secret: str
    #: Whether the hub asked us back and was told yes.
    is_confirmed: bool = False
    lease_until: datetime | None = moment(nullable=True)
    #: When to ask the hub again.
    next_try: datetime = moment(index=True)
    tries: int = 0
    pushed_at: datetime | None = moment(nullable=True)
    #: It has sent something genuine, and missed nothing since.
    is_trusted: bool = False
    #: When we last found something by asking that it had not sent.
    missed_at: datetime | None = moment(nullable=True)
    why: str = ""


class PingRow(SQLModel, table=True):
    """What a hub of somebody else was last told of a document."""

    __tablename__ = "ping"

    hub: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    format: str = Field(primary_key=True)
    etag: str | None = None
    tries: int = 0
    next_try: datetime = moment()
    why: str = ""


class PartnerRow(SQLModel, table=True):
    """A site that consumes channels under an agreement."""

    __tablename__ = "partner"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    title: str
    channels: list[str] = Field(sa_column=Column(JSON, nullable=False))
    languages: list[str] = Field(sa_column=Column(JSON, nullable=False))
    topics: list[str] = Field(sa_column=Column(JSON, nullable=False))
    reuse: str
    per_minute: int
    webhook_url: str | None = None
    webhook_secret: str | None = None
    created_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)


class PartnerKeyRow(SQLModel, table=True):
    """A key of a partner: SHA-256 of it, and how it begins."""

    __tablename__ = "partner_key"

    id: int | None = Field(default=None, primary_key=True)
    partner_id: int = Field(foreign_key="partner.id", ondelete="CASCADE", index=True)
    name: str
    digest: str = Field(unique=True)
    hint: str
    created_at: datetime = moment()
    expires_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)
    last_used_at: datetime | None = moment(nullable=True)


class DeliveryRow(SQLModel, table=True):
    """A partner has an entry, in this state."""

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_partner_at", "partner_id", "at"),)

    partner_id: int = Field(primary_key=True, foreign_key="partner.id", ondelete="CASCADE")
    entry_id: str = Field(primary_key=True, index=True)
    revision: int
    via: str
    first_at: datetime = moment()
    at: datetime = moment()


class UsageRow(SQLModel, table=True):
    """What a partner asked for on one day."""

    __tablename__ = "usage"

    partner_id: int = Field(primary_key=True, foreign_key="partner.id", ondelete="CASCADE")
    day: date = Field(primary_key=True)
    via: str = Field(primary_key=True)
    requests: int = 0
    unchanged: int = 0
    entries: int = 0
    body_bytes: int = Field(default=0, sa_type=BigInteger)


class WebhookRow(SQLModel, table=True):
    """A partner is to be told of an act of publishing, or was."""

    __tablename__ = "webhook"

    partner_id: int = Field(primary_key=True, foreign_key="partner.id", ondelete="CASCADE")
    publication_id: int = Field(primary_key=True, foreign_key="publication.id", ondelete="CASCADE")
    #: waiting, done or failed.
    state: str = Field(index=True)
    tries: int = 0
    next_try: datetime = moment()
    done_at: datetime | None = moment(nullable=True)
    why: str = ""


DOCUMENT = table_of(DocumentRow)
FRAGMENT = table_of(FragmentRow)
CARRIED = table_of(CarriedRow)
ARCHIVE = table_of(ArchiveRow)
SUBSCRIBER = table_of(SubscriberRow)
PUSH_TRY = table_of(PushTryRow)
SUBSCRIPTION_ASKED = table_of(SubscriptionAskedRow)
PUSH_SOURCE = table_of(PushSourceRow)
PING = table_of(PingRow)
PARTNER = table_of(PartnerRow)
PARTNER_KEY = table_of(PartnerKeyRow)
DELIVERY = table_of(DeliveryRow)
USAGE = table_of(UsageRow)
WEBHOOK = table_of(WebhookRow)
