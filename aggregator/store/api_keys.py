"""The programs that may use the API, by the digests of their keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlmodel import Session

from aggregator.people import ApiKey
from aggregator.store.tables_people import API_KEY, ApiKeyRow


def add(
    session: Session,
    name: str,
    role: str,
    key_digest: str,
    *,
    hint: str,
    by: str,
    now: datetime,
    expires_at: datetime | None,
) -> None:
    """A new key. Its name is free (see `named`)."""
    values = {"name": name, "role": role, "key_digest": key_digest, "hint": hint, "made_by": by}
    session.execute(insert(API_KEY).values(values | {"created_at": now, "expires_at": expires_at}))


def named(session: Session, name: str) -> ApiKey | None:
    """The key of this name, whether it opens or not."""
    row = session.execute(select(ApiKeyRow).where(API_KEY.c.name == name)).scalars().first()
    return _key(row) if row else None


def holding(session: Session, key_digest: str, now: datetime) -> ApiKey | None:
    """The key that has this digest; None where it was revoked or ran out."""
    row = session.execute(select(ApiKeyRow).where(API_KEY.c.key_digest == key_digest)).scalars().first()
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        return None
    return _key(row)


def everyone(session: Session) -> Sequence[ApiKey]:
    """Every key by name, those that open first."""
    query = select(ApiKeyRow).order_by(API_KEY.c.revoked_at.is_not(None), API_KEY.c.name)
    return [_key(row) for row in session.execute(query).scalars()]


def used(session: Session, number: int, now: datetime) -> None:
    """A key is used now."""
    session.execute(update(API_KEY).where(API_KEY.c.id == number).values(last_used_at=now))


def revoke(session: Session, number: int, now: datetime) -> None:
    """Let a key open nothing any more."""
    session.execute(update(API_KEY).where(API_KEY.c.id == number).values(revoked_at=now))


def _key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        id=row.id or 0,
        name=row.name,
        role=row.role,
        hint=row.hint,
        made_by=row.made_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
