"""What browsers were asked while they sign in: each may be answered once, and soon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, insert, select
from sqlmodel import Session

from aggregator.store.tables_people import CHALLENGE


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser was asked."""

    #: Whose answer is awaited, where somebody is known already.
    account_id: int | None
    #: What is to be compared, as JSON.
    value: str


def add(
    session: Session,
    token_digest: str,
    purpose: str,
    value: str,
    *,
    now: datetime,
    expires_at: datetime,
    account_id: int | None = None,
) -> None:
    """Ask a browser that holds this token. What nobody answered in time is forgotten."""
    session.execute(delete(CHALLENGE).where(CHALLENGE.c.expires_at <= now))
    values = {"token_digest": token_digest, "purpose": purpose, "account_id": account_id, "value": value}
    session.execute(insert(CHALLENGE).values(values | {"expires_at": expires_at}))


def is_open(session: Session, token_digest: str, purpose: str, now: datetime) -> bool:
    """Whether an answer is awaited, looked up without taking it: strangers keep no writer busy."""
    query = select(CHALLENGE.c.token_digest).where(*_one(token_digest, purpose), CHALLENGE.c.expires_at > now)
    return session.execute(query).first() is not None


def take(session: Session, token_digest: str, purpose: str, now: datetime) -> Asked | None:
    """What was asked, which nobody can answer again; None where nothing was, or it is too late."""
    taken = delete(CHALLENGE).where(*_one(token_digest, purpose))
    columns = (CHALLENGE.c.account_id, CHALLENGE.c.value, CHALLENGE.c.expires_at)
    row = session.execute(taken.returning(*columns)).first()
    return Asked(row.account_id, row.value) if row is not None and row.expires_at > now else None


def _one(token_digest: str, purpose: str) -> tuple[ColumnElement[bool], ...]:
    return (CHALLENGE.c.token_digest == token_digest, CHALLENGE.c.purpose == purpose)
