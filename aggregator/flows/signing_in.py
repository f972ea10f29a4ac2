"""Signing in at the desk with a browser, and out again."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlmodel import Session

from aggregator.flows.partners import key_digest
from aggregator.model import Account, Clock, SignedIn
from aggregator.store import accounts, sessions
from aggregator.store.database import Database

#: How long somebody stays signed in.
LASTS = timedelta(days=14)

_TOKEN_BYTES = 32


async def sign_in(database: Database, clock: Clock, name: str, key: str) -> str | None:
    """The token of a new session; None where the name and the account's key do not belong together."""
    found = await database.read(lambda session: accounts.holding(session, key_digest(key)))
    # Whoever guesses must not keep the writer busy, so it is asked only for a key that is right.
    if found is None or found.name != name:
        return None
    token, now = secrets.token_urlsafe(_TOKEN_BYTES), clock()

    def begin(session: Session) -> None:
        sessions.drop_expired(session, now)
        sessions.add(
            session,
            key_digest(token),
            found.id,
            secrets.token_urlsafe(_TOKEN_BYTES),
            now=now,
            expires_at=now + LASTS,
        )

    await database.write(begin)
    return token


async def signed_in(database: Database, clock: Clock, token: str) -> SignedIn | None:
    """Who signed in with this token; None where that has ended."""
    return await database.read(lambda session: sessions.holder(session, key_digest(token), clock()))


async def sign_out(database: Database, token: str) -> None:
    """End a session, wherever else its token was copied to."""
    await database.write(lambda session: sessions.end(session, key_digest(token)))


async def read_in(database: Database, account: Account, *, language: str, zone: str) -> None:
    """Keep in which language and by which clock somebody reads."""
    await database.write(lambda session: accounts.read_in(session, account.id, language=language, zone=zone))
