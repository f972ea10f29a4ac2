"""Who is signed in at the desk, by the digest of a token that only their browser has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session

from aggregator.people import Account, DeskSession, SignedIn
from aggregator.store.tables_people import ACCOUNT, SESSION


def add(session: Session, token_digest: str, values: Mapping[str, Any]) -> None:
    """An account is signed in from now on. The values are the other columns."""
    session.execute(insert(SESSION).values({"token_digest": token_digest, **values}))


def holder(session: Session, token_digest: str, *, now: datetime, used_since: datetime) -> SignedIn | None:
    """Who signed in with this token.

    None once that expired, was not used since a time, or its account was closed.
    """
    query = (
        select(
            ACCOUNT.c.id,
            ACCOUNT.c.name,
            ACCOUNT.c.role,
            ACCOUNT.c.created_at,
            ACCOUNT.c.language,
            ACCOUNT.c.zone,
            SESSION.c.form_token,
            SESSION.c.expires_at,
            SESSION.c.id,
            SESSION.c.seen_at,
        )
        .join(ACCOUNT, ACCOUNT.c.id == SESSION.c.account_id)
        .where(
            SESSION.c.token_digest == token_digest,
            SESSION.c.expires_at > now,
            SESSION.c.seen_at > used_since,
            ACCOUNT.c.revoked_at.is_(None),
        )
    )
    row = session.execute(query).first()
    if row is None:
        return None
    *account, form_token, expires_at, number, seen_at = row
    return SignedIn(Account(*account), form_token, expires_at, number, seen_at)


def seen(session: Session, number: int, now: datetime) -> None:
    """A session is used now."""
    session.execute(update(SESSION).where(SESSION.c.id == number).values(seen_at=now))


def of_account(session: Session, account_id: int, now: datetime) -> list[DeskSession]:
    """The sessions of an account that are open, the one that was used last first."""
    query = (
        select(
            SESSION.c.id,
            SESSION.c.account_id,
            SESSION.c.created_at,
            SESSION.c.seen_at,
            SESSION.c.expires_at,
            SESSION.c.way,
            SESSION.c.agent,
            SESSION.c.address,
        )
        .where(SESSION.c.account_id == account_id, SESSION.c.expires_at > now)
        .order_by(SESSION.c.seen_at.desc(), SESSION.c.id.desc())
    )
    return [DeskSession(*row) for row in session.execute(query)]


def end(session: Session, token_digest: str) -> None:
    """Nobody is signed in with this token any more."""
    session.execute(delete(SESSION).where(SESSION.c.token_digest == token_digest))


def end_one(session: Session, account_id: int, number: int) -> bool:
    """End one session of an account; whether it was there."""
    own = (SESSION.c.account_id == account_id, SESSION.c.id == number)
    return session.execute(delete(SESSION).where(*own).returning(SESSION.c.id)).first() is not None


def end_others(session: Session, account_id: int, kept: int = 0) -> int:
    """End every session of an account but one; how many there were."""
    others = delete(SESSION).where(SESSION.c.account_id == account_id, SESSION.c.id != kept)
    return len(session.execute(others.returning(SESSION.c.id)).all())


def drop_expired(session: Session, *, now: datetime, used_since: datetime) -> None:
    """Forget the sessions that have run out."""
    session.execute(delete(SESSION).where((SESSION.c.expires_at <= now) | (SESSION.c.seen_at <= used_since)))
