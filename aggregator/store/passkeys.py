"""The passkeys of accounts: the public halves of key pairs that devices hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session

from aggregator.people import Passkey
from aggregator.store.tables_people import PASSKEY


@dataclass(frozen=True, slots=True)
class Known:
    """A passkey with what its signatures are checked by."""

    id: int
    account_id: int
    name: str
    public_key: bytes
    sign_count: int


def add(
    session: Session,
    account_id: int,
    credential_id: str,
    public_key: bytes,
    *,
    sign_count: int,
    transports: str,
    name: str,
    now: datetime,
) -> None:
    """An account has one more. Nobody has this one yet (see `known`)."""
    values = {"account_id": account_id, "credential_id": credential_id, "public_key": public_key}
    values |= {"sign_count": sign_count, "transports": transports, "name": name, "created_at": now}
    session.execute(insert(PASSKEY).values(values))


def known(session: Session, credential_id: str) -> Known | None:
    """The passkey that a device names."""
    columns = (PASSKEY.c.id, PASSKEY.c.account_id, PASSKEY.c.name, PASSKEY.c.public_key, PASSKEY.c.sign_count)
    row = session.execute(select(*columns).where(PASSKEY.c.credential_id == credential_id)).first()
    return Known(*row) if row else None


def of_account(session: Session, account_id: int) -> list[Passkey]:
    """Those of an account, the oldest first."""
    columns = (
        PASSKEY.c.id,
        PASSKEY.c.name,
        PASSKEY.c.credential_id,
        PASSKEY.c.transports,
        PASSKEY.c.created_at,
        PASSKEY.c.last_used_at,
    )
    query = select(*columns).where(PASSKEY.c.account_id == account_id).order_by(PASSKEY.c.id)
    return [Passkey(*row) for row in session.execute(query)]


def used(session: Session, number: int, sign_count: int, now: datetime) -> bool:
    """Keep how often it signed; whether that is more than before, or the device does not count."""
    counts_on = (PASSKEY.c.sign_count < sign_count) | ((PASSKEY.c.sign_count == 0) & (sign_count == 0))
    noted = update(PASSKEY).where(PASSKEY.c.id == number, counts_on)
    values = {"sign_count": sign_count, "last_used_at": now}
    return session.execute(noted.values(values).returning(PASSKEY.c.id)).first() is not None


def remove(session: Session, number: int) -> None:
    """It opens nothing any more."""
    session.execute(delete(PASSKEY).where(PASSKEY.c.id == number))
