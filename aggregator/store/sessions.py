"""Who is signed in at the desk, by the digest of a token that only their browser has."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlmodel import Session

from aggregator.model import Account, SignedIn
from aggregator.store.tables import ACCOUNT
from aggregator.store.tables_desk import SESSION


def add(
    session: Session,
    token_digest: str,
    account_id: int,
    form_token: str,
    *,
    now: datetime,
    expires_at: datetime,
) -> None:
    """An account is signed in from now on."""
    values = {
        "token_digest": token_digest,
        "account_id": account_id,
        "form_token": form_token,
        "created_at": now,
        "expires_at": expires_at,
    }
    session.execute(insert(SESSION).values(values))


def holder(session: Session, token_digest: str, now: datetime) -> SignedIn | None:
    """Who signed in with this token; None once that expired, or once the account was revoked."""
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
        )
        .join(ACCOUNT, ACCOUNT.c.id == SESSION.c.account_id)
        .where(
            SESSION.c.token_digest == token_digest,
            SESSION.c.expires_at > now,
            ACCOUNT.c.revoked_at.is_(None),
        )
    )
    row = session.execute(query).first()
    if row is None:
        return None
    *account, form_token, expires_at = row
    return SignedIn(Account(*account), form_token, expires_at)


def end(session: Session, token_digest: str) -> None:
    """Nobody is signed in with this token any more."""
    session.execute(delete(SESSION).where(SESSION.c.token_digest == token_digest))


def drop_expired(session: Session, now: datetime) -> None:
    """Forget the sessions that have run out."""
    session.execute(delete(SESSION).where(SESSION.c.expires_at <= now))
