"""Partners: who they are, what they may read, what they took, and what they are told of it."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows.editorial import require_brief
from aggregator.model import Clock, Reuse
from aggregator.outgoing import Carried, Delivery, Partner, PartnerKey, Told
from aggregator.people import Deed
from aggregator.rules.carrying import tombstone_of
from aggregator.rules.channels import Channel, Site, head_of
from aggregator.rules.entries import brief_id
from aggregator.rules.partners import given_to
from aggregator.rules.webhooks import new_secret
from aggregator.store import audit, briefs, carried, partners, subscribers
from aggregator.store.database import Database
from feeds.model import Document, Entry
from feeds.urls import absolute
from feeds.write import WRITERS, Format

#: Characters of a key that are shown again, so that its holder recognises it.
HINT = 8
#: A key's last use is noted at most so often: a partner that polls must not keep the writer busy.
NOTED_EVERY = timedelta(minutes=1)

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Terms:
    """What is agreed with a partner."""

    channels: tuple[str, ...]
    title: str = ""
    languages: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    reuse: Reuse = Reuse.FULL
    #: Requests a minute.
    per_minute: int = 60


@dataclass(frozen=True, slots=True)
class Change:
    """What a partner is told of an entry."""

    change: int
    told: Told
    id: str
    kind: str
    at: datetime
    revision: int
    #: Why it left the channel or was withdrawn, or how it came in.
    why: str
    #: None where it was removed.
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What was told in a channel after a cursor."""

    changes: tuple[Change, ...]
    #: The cursor to go on from.
    next: int
    #: Whether there is more already.
    is_more: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the partners stand with a brief."""

    entry_id: str
    #: The state that subscribers have now.
    revision: int
    #: Who has it, in which state.
    took: tuple[Delivery, ...]
    #: Those whose channels carry it and who have not fetched it in any state yet.
    not_yet: tuple[str, ...]


def key_digest(key: str) -> str:
    """What is kept of a key. Keys are 256 random bits, so a plain hash cannot be reversed."""
    return hashlib.sha256(key.encode()).hexdigest()


async def add_partner(
    database: Database, clock: Clock, name: str, terms: Terms, channels: Sequence[Channel], *, by: str
) -> tuple[Partner, str]:
    """A new partner and its first key, which nobody can show again.

    Raises:
        BadInput: the name is taken or none, or a channel does not exist.
    """
    if not _NAME.fullmatch(name):
        raise BadInput(f"{name!r} is no name for a partner: write small letters, digits and hyphens.")
    _refuse_unknown(terms.channels, channels)
    if terms.per_minute < 1:
        raise BadInput("A partner needs one request a minute at least.")

    def add(session: Session) -> tuple[Partner, str]:
        if partners.named(session, name):
            raise BadInput(f"There is a partner {name} already: `wirebrief partners list` shows all.")
        added = partners.add(
            session,
            name,
            now=clock(),
            title=terms.title or name,
            channels=terms.channels,
            languages=terms.languages,
            topics=terms.topics,
            reuse=terms.reuse,
            per_minute=terms.per_minute,
        )
        audit.add(session, Deed(by, "partner.add", name, became=_agreed(added)), clock())
        return added, _new_key(session, added, "first", clock(), None, by=by)

    return await database.write(add)


async def add_key(
    database: Database, clock: Clock, partner: str, *, by: str, name: str, lifetime: timedelta | None = None
) -> str:
    """Another key of a partner, so that one can be replaced without a gap.

    Raises:
        BadInput: there is no such partner, or it has a key of that name that still opens.
    """

    def add(session: Session) -> str:
        known = require_partner(session, partner)
        if any(key.name == name and key.revoked_at is None for key in partners.keys_of(session, known.id)):
            raise BadInput(
                f"{partner} has a key {name!r} already: name this one otherwise, or revoke that one."
            )
        expires_at = clock() + lifetime if lifetime else None
        return _new_key(session, known, name, clock(), expires_at, by=by)

    return await database.write(add)


async def revoke(
    database: Database, clock: Clock, partner: str, key: str | None = None, *, by: str
) -> Partner:
    """Let a partner, or one of its keys, read nothing any more. What it took stays on record.

    Raises:
        BadInput: there is no such partner or key.
    """

    def act(session: Session) -> Partner:
        known = require_partner(session, partner)
        if key is None:
            partners.change(session, known.id, revoked_at=clock())
            audit.add(session, Deed(by, "partner.revoke", known.name, was=_agreed(known)), clock())
            return known
        found = [
            one
            for one in partners.keys_of(session, known.id)
            if key in (one.name, one.hint) and one.revoked_at is None
        ]
        if not found:
            raise BadInput(f"{partner} has no key {key!r}: `wirebrief partners list` shows them.")
        for one in found:
            partners.revoke_key(session, one.id, now=clock())
            was = {"key": one.name, "hint": one.hint}
            audit.add(session, Deed(by, "partner.key.revoke", known.name, was=was), clock())
        return known

    return await database.write(act)


async def set_webhook(
    database: Database, clock: Clock, partner: str, url: str | None, *, by: str
) -> str | None:
    """Tell a partner of what is published at an address, or no more; the secret it is signed with.

    Raises:
        BadInput: there is no such partner, or the address is none.
    """
    if url is not None and (absolute(url) != url or not url.startswith(("https://", "http://"))):
        raise BadInput(f"{url!r} is no address of the web: write one with https://.")
    secret = new_secret(secrets.token_bytes(_SECRET_BYTES)) if url else None

    def act(session: Session) -> str | None:
        known = require_partner(session, partner)
        partners.change(session, known.id, webhook_url=url, webhook_secret=secret)
        was, became = {"url": known.webhook_url}, {"url": url}
        audit.add(session, Deed(by, "partner.webhook", known.name, was, became), clock())
        return secret

    return await database.write(act)


async def retry_webhooks(database: Database, clock: Clock, partner: str, *, by: str) -> tuple[Partner, int]:
    """Send the webhooks of a partner again that were given up; how many.

    Raises:
        BadInput: there is no such partner.
    """

    def again(session: Session) -> tuple[Partner, int]:
        known = require_partner(session, partner)
        again = subscribers.try_failed_again(session, known.id, now=clock())
        audit.add(session, Deed(by, "partner.retry", known.name, became={"webhooks": again}), clock())
        return known, again

    return await database.write(again)


async def holder(database: Database, clock: Clock, key: str) -> Partner | None:
    """The partner whose key this is; None where it opens nothing."""
    found = await database.read(lambda s: partners.holding(s, key_digest(key), now=clock()))
    if found is None:
        return None
    partner, held = found
    await _note_use(database, held, clock())
    return partner


def require_partner(session: Session, name: str) -> Partner:
    """The partner of this name.

    Raises:
        BadInput: there is none.
    """
    found = partners.named(session, name)
    if found is None:
        raise BadInput(f"There is no partner {name!r}: `wirebrief partners list` names them all.")
    return found


def changes_for(
    session: Session, channel: Channel, site: Site, since: int, limit: int, partner: Partner | None = None
) -> Changes:
    """What was told in a channel after change `since`, as a partner may have it, or the desk.

    Each entry stands there once, as it is now. Whoever goes on from `next` until `is_more` is
    false has exactly the state of the channel, however often it is interrupted.

    Raises:
        BadInput: `since` was never given out.
    """
    newest = carried.newest_change(session)
    if since > newest:
        raise BadInput(
            f"since = {since} was never given out here; the newest change is {newest}. "
            "Start again with since=0: every entry comes once."
        )
    rows = carried.changes_after(session, channel.slug, since, limit=limit + 1)
    page, is_more = rows[:limit], len(rows) > limit
    had = partners.taken_by(session, partner.id, [row.entry_id for row in page]) if partner else {}
    told = [_change(row, site, partner, had=row.entry_id in had) for row in page]
    # A change of another channel may be higher; going on from there spares nothing and costs nothing.
    reached = page[-1].change if page else since
    return Changes(tuple(one for one in told if one), reached, is_more)


def narrowed_document(
    session: Session, channel: Channel, site: Site, format: Format, hubs: Sequence[str], partner: Partner
) -> tuple[Document, tuple[tuple[str, int], ...]]:
    """The document of a channel as a partner may have it, and what stands in it: (id, revision)."""
    rows = sorted(
        carried.present(session, channel.slug).values(),
        key=lambda row: (row.entry.updated, row.entry_id),
        reverse=True,
    )
    entries = [entry for row in rows if (entry := given_to(partner, row.entry, site))]
    stones = tuple(tombstone_of(row, site.author) for row in carried.withdrawn(session, channel.slug))
    updated = entries[0].updated if entries else None
    head = head_of(channel, site, updated=updated, format=format, hubs=tuple(hubs), tombstones=stones)
    writer = WRITERS[format]
    document = writer.assemble(head, [writer.entry_fragment(e, language=head.language) for e in entries])
    return document, tuple((entry.id or "", entry.revision) for entry in entries)


async def note_taken(
    database: Database,
    clock: Clock,
    partner: Partner,
    taken: Sequence[tuple[str, int]],
    *,
    via: str,
    body_bytes: int = 0,
    is_unchanged: bool = False,
) -> None:
    """Record that a partner was given these entries, (id, revision), and count the request."""

    def note(session: Session) -> None:
        partners.take(session, partner.id, taken, via=via, now=clock())
        partners.count_use(
            session,
            partner.id,
            via=via,
            now=clock(),
            entries=len(taken),
            body_bytes=body_bytes,
            is_unchanged=is_unchanged,
        )

    await database.write(note)


def reach_of(session: Session, site: Site, brief: str) -> Reach:
    """Who of the partners has a brief and in which state, and who has not fetched it yet.

    Raises:
        BadInput: there is no such brief, or it was never published.
    """
    known = require_brief(session, brief)
    acts = briefs.publications(session, [known.id])
    if not acts:
        raise BadInput(f"{known.slug} was never published, so nobody has it.")
    id = brief_id(site, known.slug)
    took = partners.takers(session, id)
    rows = [row for row in carried.channels_of(session, "brief", known.id) if row.told is not Told.REMOVED]
    expected = [
        partner.name
        for partner in partners.everyone(session)
        if partner.revoked_at is None and any(may_have(partner, row, site) for row in rows)
    ]
    have = {delivery.partner for delivery in took}
    return Reach(id, len(acts), tuple(took), tuple(name for name in expected if name not in have))


def may_have(partner: Partner, row: Carried, site: Site) -> bool:
    """Whether a partner may have an entry as a channel carries it."""
    return row.channel in partner.channels and given_to(partner, row.entry, site) is not None


def _agreed(partner: Partner) -> dict[str, Any]:
    """What was agreed with a partner, as the audit tells it."""
    names = ("title", "channels", "languages", "topics", "reuse", "per_minute")
    return {name: getattr(partner, name) for name in names}


async def _note_use(database: Database, key: PartnerKey, now: datetime) -> None:
    if key.last_used_at is None or now - key.last_used_at >= NOTED_EVERY:
        await database.write(partial(partners.note_use, key_id=key.id, now=now))


def _new_key(
    session: Session, partner: Partner, name: str, now: datetime, expires_at: datetime | None, *, by: str
) -> str:
    key = secrets.token_urlsafe(_SECRET_BYTES)
    partners.add_key(
        session, partner.id, name, key_digest(key), hint=key[:HINT], now=now, expires_at=expires_at
    )
    became = {"key": name, "hint": key[:HINT], "expires": expires_at}
    audit.add(session, Deed(by, "partner.key.add", partner.name, became=became), now)
    return key


def _change(row: Carried, site: Site, partner: Partner | None, *, had: bool) -> Change | None:
    """What a partner is told of a row; None where that is none of its business."""
    entry = row.entry if partner is None else given_to(partner, row.entry, site)
    told, why = row.told, row.why
    if entry is None:
        # It may have had it in another state, and must not keep what it may not have any more.
        if not had:
            return None
        told, why = Told.REMOVED, "It is not among what was agreed any more."
    if told is Told.REMOVED:
        entry = None
    elif told is Told.WITHDRAWN:
        why = row.entry.note or ""
    return Change(
        change=row.change,
        told=told,
        id=row.entry_id,
        kind=row.kind,
        at=row.changed_at,
        revision=row.entry.revision,
        why=why,
        entry=entry,
    )


def _refuse_unknown(named: Sequence[str], channels: Sequence[Channel]) -> None:
    known = [channel.slug for channel in channels]
    for name in named:
        if name not in known:
            listed = ", ".join(known) or "none is defined yet"
            raise BadInput(f"There is no channel {name!r}. There is: {listed}.")
