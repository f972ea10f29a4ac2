"""The identities by which a provider of OpenID Connect knows accounts, and all the ways into one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlmodel import Session

from aggregator.people import Identity, Ways
from aggregator.store.tables_people import ACCOUNT, IDENTITY, PASSKEY


def holder(session: Session, issuer: str, subject: str) -> int | None:
    """The number of the account that a provider's subject is connected with."""
    theirs = (IDENTITY.c.issuer == issuer, IDENTITY.c.subject == subject)
    number: int | None = session.execute(select(IDENTITY.c.account_id).where(*theirs)).scalar()
    return number


def of_account(session: Session, account_id: int, issuer: str) -> Identity | None:
    """As whom a provider knows an account."""
    own = (IDENTITY.c.account_id == account_id, IDENTITY.c.issuer == issuer)
    columns = (IDENTITY.c.issuer, IDENTITY.c.subject, IDENTITY.c.linked_at)
    row = session.execute(select(*columns).where(*own)).first()
    return Identity(*row) if row else None


def connect(session: Session, account_id: int, issuer: str, subject: str, now: datetime) -> None:
    """Whoever a provider calls this is the holder of an account from now on."""
    values = {"issuer": issuer, "subject": subject, "account_id": account_id, "linked_at": now}
    session.execute(insert(IDENTITY).values(values))


def disconnect(session: Session, account_id: int, issuer: str) -> None:
    """A provider opens an account no more."""
    own = (IDENTITY.c.account_id == account_id, IDENTITY.c.issuer == issuer)
    session.execute(delete(IDENTITY).where(*own))


def ways(session: Session, account_id: int, issuer: str) -> Ways:
    """All that opens an account now; `issuer` is the provider that is asked, "" where none is."""
    passkeys = select(func.count()).select_from(PASSKEY).where(PASSKEY.c.account_id == account_id)
    mine = select(ACCOUNT.c.password_hash).where(ACCOUNT.c.id == account_id)
    return Ways(
        has_password=session.execute(mine).scalar() is not None,
        passkeys=session.execute(passkeys).scalar_one(),
        is_connected=of_account(session, account_id, issuer) is not None,
    )
