"""Who may decide things at the desk."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlmodel import Session

from aggregator.model import Account
from aggregator.store.tables import ACCOUNT, AccountRow


def add(session: Session, name: str, role: str, key_digest: str, *, now: datetime) -> None:
    """A new account. Its name is free (see `named`)."""
    values = {"name": name, "role": role, "key_digest": key_digest, "created_at": now}
    session.execute(insert(ACCOUNT).values(values))


def named(session: Session, name: str) -> Account | None:
    """The account of this name."""
    row = session.execute(select(AccountRow).where(ACCOUNT.c.name == name)).scalars().first()
    return _account(row) if row else None


def holding(session: Session, key_digest: str) -> Account | None:
    """The account whose key has this digest, unless it was revoked."""
    query = select(AccountRow).where(ACCOUNT.c.key_digest == key_digest, ACCOUNT.c.revoked_at.is_(None))
    row = session.execute(query).scalars().first()
    return _account(row) if row else None


def count(session: Session) -> int:
    """How many accounts there are."""
    return len(session.execute(select(ACCOUNT.c.id)).all())


def read_in(session: Session, account_id: int, *, language: str, zone: str) -> None:
    """Keep in which language and by which clock somebody reads."""
    own = update(ACCOUNT).where(ACCOUNT.c.id == account_id)
    session.execute(own.values(language=language, zone=zone))


def _account(row: AccountRow) -> Account:
    return Account(
        id=row.id or 0,
        name=row.name,
        role=row.role,
        created_at=row.created_at,
        language=row.language,
        zone=row.zone,
    )
