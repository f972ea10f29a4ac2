"""What goes out and to whom, as values: documents, what channels carry, partners, subscribers.

The words are those of docs/glossary.md. All times are aware, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from aggregator.model import Publication, Reuse
from feeds.model import Entry


class Told(StrEnum):
    """What subscribers of a channel were last told of an entry."""

    #: It is there, in this state.
    PUT = "put"
    #: It was withdrawn: a notice stands under its id.
    WITHDRAWN = "withdraw"
    #: It does not belong to the channel any more.
    REMOVED = "remove"


@dataclass(frozen=True, slots=True)
class Codings:
    """The same bytes in every content coding that is sent."""

    body: bytes
    gzip: bytes
    br: bytes
    zstd: bytes


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A channel's rendered bytes with what a request needs."""

    channel: str
    format: str
    #: Digest of everything that the bytes were made from.
    state: str
    media_type: str
    codings: Codings
    #: Of the plain body; each coding has one of its own.
    etag: str
    #: Whole seconds, strictly rising from revision to revision.
    last_modified: datetime
    #: The id and the revision of every entry in it, newest first.
    holds: tuple[tuple[str, int], ...]

    @property
    def entries(self) -> int:
        """How many entries stand in it."""
        return len(self.holds)


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """A document of a channel's past, never changed once it is out (RFC 5005 section 4)."""

    channel: str
    #: 1 is the oldest.
    number: int
    #: Its number and a digest of what stands in it: the last part of its address.
    name: str
    media_type: str
    codings: Codings
    etag: str
    made_at: datetime
    #: The ids of its entries, newest first.
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Carried:
    """An entry as subscribers of a channel were last told of it."""

    channel: str
    entry_id: str
    #: "brief" or "story".
    kind: str
    #: The id of the brief or the story.
    ref: int
    #: As it was told, `updated` included.
    entry: Entry
    #: Digest of the entry as it came, before it was set apart from others of its second.
    digest: str
    #: When it says that it was updated, before it was set apart.
    dated: datetime
    #: Rises with every change of any entry of any channel: the cursor of partners.
    change: int
    changed_at: datetime
    told: Told
    #: Whether it stands in the document now; if not, it stood there once, or had no room.
    is_present: bool
    #: Why it is here, or why not, in words an editor reads.
    why: str
    #: The archive page that it stands in, in this state.
    archived: int | None = None


@dataclass(frozen=True, slots=True)
class Partner:
    """A site that consumes channels under an agreement."""

    id: int
    #: Small letters, digits and hyphens.
    name: str
    title: str
    #: Slugs of the channels that it may read.
    channels: tuple[str, ...]
    #: Only entries in these languages (ISO 639-1); empty takes all.
    languages: tuple[str, ...]
    #: Only entries of one of these topics; empty takes all.
    topics: tuple[str, ...]
    #: How much of a story it is given, whatever its source allows.
    reuse: Reuse
    #: Requests a minute.
    per_minute: int
    webhook_url: str | None
    #: What its webhooks are signed with; None where it has none.
    webhook_secret: str | None
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class PartnerKey:
    """A key of a partner, without the key."""

    id: int
    partner_id: int
    #: As its holder tells it from the others.
    name: str
    #: How it begins, so that it can be recognised.
    hint: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A partner has an entry, in which state, and how it came by it."""

    partner: str
    entry_id: str
    #: How often the entry had been told when the partner took it.
    revision: int
    #: "feed", "api" or "webhook".
    via: str
    first_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Usage:
    """What a partner asked for on one day."""

    partner: str
    day: date
    #: "feed", "api" or "webhook".
    via: str
    requests: int
    #: Answered 304, or with no change.
    unchanged: int
    entries: int
    body_bytes: int


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Somebody whom a channel is pushed to, as long as the lease lasts (WebSub)."""

    id: int
    channel: str
    format: str
    callback: str
    #: Signs what is sent; None where none was given.
    secret: str | None
    lease_until: datetime
    #: The document that it was last given, or had when it asked.
    etag: str | None
    #: When it last took a document.
    delivered_at: datetime | None
    tries: int
    #: Since when every delivery has failed; None after one that arrived.
    failing_since: datetime | None
    next_try: datetime
    #: What happened last, in words.
    why: str


@dataclass(frozen=True, slots=True)
class PushTry:
    """One try to give a subscriber a document."""

    channel: str
    format: str
    callback: str
    at: datetime
    is_taken: bool
    #: What it answered, in words.
    why: str


@dataclass(frozen=True, slots=True)
class SubscriptionAsked:
    """A wish to subscribe or to unsubscribe that its callback has not confirmed yet (WebSub)."""

    id: int
    mode: Literal["subscribe", "unsubscribe"]
    channel: str
    format: str
    callback: str
    secret: str | None
    lease: timedelta
    #: The document that was served when it was asked.
    etag: str | None
    tries: int


@dataclass(frozen=True, slots=True)
class PushSource:
    """A source that a hub sends us, or is to send (WebSub)."""

    source_id: int
    #: What we subscribe to: the feed's own name for itself.
    topic_url: str
    hub: str
    #: The last part of our callback's address, which only the hub knows.
    token: str
    #: What the hub signs with.
    secret: str
    #: Whether the hub asked us back and was told yes.
    is_confirmed: bool
    lease_until: datetime | None
    next_try: datetime
    tries: int
    #: When it last sent something genuine.
    pushed_at: datetime | None
    #: It has sent something genuine, and missed nothing since.
    is_trusted: bool
    #: When we last found something by asking that it had not sent.
    missed_at: datetime | None
    #: What happened last, in words.
    why: str


@dataclass(frozen=True, slots=True)
class WebhookDue:
    """A partner is to be told of an act of publishing."""

    partner: Partner
    publication: Publication
    tries: int


@dataclass(frozen=True, slots=True)
class WebhookLogged:
    """What became of telling a partner of an act of publishing."""

    publication_id: int
    #: "waiting", "done" or "failed".
    state: str
    #: How often it was tried in vain.
    tries: int
    #: When a waiting one is tried again.
    next_try: datetime
    done_at: datetime | None
    #: What happened last, in words.
    why: str


@dataclass(frozen=True, slots=True)
class DocumentHead:
    """A channel's document without its bytes."""

    channel: str
    format: str
    etag: str
    last_modified: datetime
    #: How many entries stand in it.
    entries: int
    body_bytes: int
