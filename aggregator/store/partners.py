"""Partners, their keys, what they took, and how much they ask."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, update
from sqlmodel import Session

from aggregator.model import Reuse
from aggregator.outgoing import Delivery, Partner, PartnerKey, Usage
from aggregator.store.dialects import chunks, upsert
from aggregator.store.tables_out import (
    DELIVERY,
    PARTNER,
    PARTNER_KEY,
    USAGE,
    DeliveryRow,
    PartnerKeyRow,
    PartnerRow,
    UsageRow,
)

_LISTS = ("channels", "languages", "topics")


def add(session: Session, name: str, *, now: datetime, **values: Any) -> Partner:
    """A new partner. Its name is free (see `named`)."""
    row = _plain(values) | {"name": name, "created_at": now}
    statement = insert(PARTNER).values(row).returning(PARTNER.c.id)
    return _partner(session.get_one(PartnerRow, session.execute(statement).scalar_one()))


def change(session: Session, partner_id: int, **values: Any) -> None:
    """Put other values in the place of these."""
    session.execute(update(PARTNER).where(PARTNER.c.id == partner_id).values(_plain(values)))


def everyone(session: Session) -> list[Partner]:
    """Every partner, by name; those revoked among them."""
    return [_partner(row) for row in session.execute(select(PartnerRow).order_by(PARTNER.c.name)).scalars()]


def named(session: Session, name: str) -> Partner | None:
    """The partner of this name."""
    row = session.execute(select(PartnerRow).where(PARTNER.c.name == name)).scalars().first()
    return _partner(row) if row else None


def add_key(
    session: Session,
    partner_id: int,
    name: str,
    digest: str,
    *,
    hint: str,
    now: datetime,
    expires_at: datetime | None,
) -> None:
    """A new key of a partner, of which only a digest is kept."""
    values = {
        "partner_id": partner_id,
        "name": name,
        "digest": digest,
        "hint": hint,
        "created_at": now,
        "expires_at": expires_at,
    }
    session.execute(insert(PARTNER_KEY).values(values))


def keys_of(session: Session, partner_id: int) -> list[PartnerKey]:
    """The keys of a partner, oldest first; those revoked and expired among them."""
    query = select(PartnerKeyRow).where(PARTNER_KEY.c.partner_id == partner_id)
    return [_key(row) for row in session.execute(query.order_by(PARTNER_KEY.c.id)).scalars()]


def all_keys(session: Session) -> dict[int, list[PartnerKey]]:
    """The keys of every partner, oldest first; those revoked and expired among them."""
    found: dict[int, list[PartnerKey]] = {}
    for row in session.execute(select(PartnerKeyRow).order_by(PARTNER_KEY.c.id)).scalars():
        found.setdefault(row.partner_id, []).append(_key(row))
    return found


def revoke_key(session: Session, key_id: int, *, now: datetime) -> None:
    """Let a key open nothing any more."""
    session.execute(update(PARTNER_KEY).where(PARTNER_KEY.c.id == key_id).values(revoked_at=now))


def holding(session: Session, digest: str, *, now: datetime) -> tuple[Partner, PartnerKey] | None:
    """The partner whose key has this digest, with the key, unless either was revoked or the key expired."""
    query = (
        select(PartnerRow, PartnerKeyRow)
        .join(PartnerKeyRow, PARTNER_KEY.c.partner_id == PARTNER.c.id)
        .where(
            PARTNER_KEY.c.digest == digest,
            PARTNER.c.revoked_at.is_(None),
            PARTNER_KEY.c.revoked_at.is_(None),
            or_(PARTNER_KEY.c.expires_at.is_(None), PARTNER_KEY.c.expires_at > now),
        )
    )
    found = session.execute(query).first()
    return (_partner(found[0]), _key(found[1])) if found else None


def note_use(session: Session, key_id: int, *, now: datetime) -> None:
    """Note that a key was used."""
    session.execute(update(PARTNER_KEY).where(PARTNER_KEY.c.id == key_id).values(last_used_at=now))


def take(
    session: Session, partner_id: int, taken: Sequence[tuple[str, int]], *, via: str, now: datetime
) -> None:
    """Note that a partner has these entries, (id, revision), from now on.

    Whoever was given a newer state before keeps it: an older document may arrive late.
    """
    for some in chunks(list(dict(taken).items()), columns=6):
        rows = [
            {"partner_id": partner_id, "entry_id": id, "revision": n, "via": via, "first_at": now, "at": now}
            for id, n in some
        ]
        statement = upsert(session, DELIVERY).values(rows)
        new = statement.excluded
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["partner_id", "entry_id"],
                set_={"revision": new.revision, "via": new.via, "at": new.at},
                where=DELIVERY.c.revision < new.revision,
            )
        )


def taken_by(session: Session, partner_id: int, ids: Sequence[str]) -> dict[str, int]:
    """Which of these entries a partner has, and the revision of each."""
    found: dict[str, int] = {}
    for some in chunks(ids, columns=1):
        query = select(DELIVERY.c.entry_id, DELIVERY.c.revision).where(
            DELIVERY.c.partner_id == partner_id, DELIVERY.c.entry_id.in_(some)
        )
        found.update((row.entry_id, row.revision) for row in session.execute(query))
    return found


def takers(session: Session, entry_id: str) -> list[Delivery]:
    """Who has an entry, and in which state, by name."""
    query = (
        select(PARTNER.c.name, DeliveryRow)
        .join(DeliveryRow, DELIVERY.c.partner_id == PARTNER.c.id)
        .where(DELIVERY.c.entry_id == entry_id)
        .order_by(PARTNER.c.name)
    )
    return [
        Delivery(name, row.entry_id, row.revision, row.via, row.first_at, row.at)
        for name, row in session.execute(query)
    ]


def count_use(
    session: Session,
    partner_id: int,
    *,
    via: str,
    now: datetime,
    entries: int = 0,
    body_bytes: int = 0,
    is_unchanged: bool = False,
) -> None:
    """Count one request of a partner, under its day (UTC)."""
    values = {
        "partner_id": partner_id,
        "day": now.date(),
        "via": via,
        "requests": 1,
        "unchanged": int(is_unchanged),
        "entries": entries,
        "body_bytes": body_bytes,
    }
    statement = upsert(session, USAGE).values(values)
    counted = ("requests", "unchanged", "entries", "body_bytes")
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["partner_id", "day", "via"],
            set_={name: USAGE.c[name] + statement.excluded[name] for name in counted},
        )
    )


def last_taken(session: Session) -> dict[int, datetime]:
    """When each partner was last given an entry that it did not have."""
    # One look at the end of each one's index; a grouping would walk through all that was ever taken.
    last = select(func.max(DELIVERY.c.at)).where(DELIVERY.c.partner_id == PARTNER.c.id).scalar_subquery()
    rows = session.execute(select(PARTNER.c.id, last))
    return {partner: at for partner, at in rows if at is not None}


def newest_taken(session: Session, partner: Partner, *, limit: int) -> list[Delivery]:
    """What a partner was given last, newest first."""
    query = select(DeliveryRow).where(DELIVERY.c.partner_id == partner.id)
    rows = session.execute(query.order_by(DELIVERY.c.at.desc(), DELIVERY.c.entry_id).limit(limit)).scalars()
    return [Delivery(partner.name, row.entry_id, row.revision, row.via, row.first_at, row.at) for row in rows]


def usage(session: Session, partner_id: int | None = None, since: date | None = None) -> list[Usage]:
    """What partners asked for, by partner and day, newest day first: of one, or of all."""
    query = select(PARTNER.c.name, UsageRow).join(UsageRow, USAGE.c.partner_id == PARTNER.c.id)
    if partner_id is not None:
        query = query.where(PARTNER.c.id == partner_id)
    if since is not None:
        query = query.where(USAGE.c.day >= since)
    order = (PARTNER.c.name, USAGE.c.day.desc(), USAGE.c.via)
    return [
        Usage(name, row.day, row.via, row.requests, row.unchanged, row.entries, row.body_bytes)
        for name, row in session.execute(query.order_by(*order))
    ]


def count(session: Session) -> int:
    """How many partners there are that were not revoked."""
    query = select(func.count()).select_from(PARTNER).where(PARTNER.c.revoked_at.is_(None))
    return int(session.execute(query).scalar_one())


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values as their columns take them."""
    plain = {name: list(value) if name in _LISTS else value for name, value in values.items()}
    return plain | ({"reuse": values["reuse"].value} if "reuse" in values else {})


def _partner(row: PartnerRow) -> Partner:
    values = {name: getattr(row, name) for name in Partner.__slots__}
    lists = {name: tuple(values[name]) for name in _LISTS}
    return Partner(**(values | lists | {"reuse": Reuse(row.reuse)}))


def _key(row: PartnerKeyRow) -> PartnerKey:
    return PartnerKey(**{name: getattr(row, name) for name in PartnerKey.__slots__})
