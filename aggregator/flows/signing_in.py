"""Signing in at the desk with a browser, and out again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlmodel import Session

from aggregator.flows.partners import key_digest
from aggregator.flows.passwords import Passwords
from aggregator.model import Clock
from aggregator.people import Account, DeskSession, SignedIn
from aggregator.store import accounts, sessions
from aggregator.store.database import Database, StoreError

#: How long somebody stays signed in, and how long a browser that is not used does.
LASTS = timedelta(days=14)
IDLE = timedelta(days=4)
#: How exactly it is noted when a session was used.
NOTED_EVERY = timedelta(minutes=10)

#: Characters of what a browser says of itself that are kept.
MOST_AGENT = 200

_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Browser:
    """What asks to be signed in, as its owner knows it again."""

    agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class MustChoose:
    """The right secret of somebody who has no password yet: this link's token lets them choose one."""

    token: str


async def sign_in(
    database: Database,
    clock: Clock,
    passwords: Passwords,
    name: str,
    password: str,
    browser: Browser | None = None,
) -> str | MustChoose | None:
    """The token of a new session; None where the name and the password do not belong together."""
    # PostgreSQL takes no text with a NUL in it.
    found = await database.read(partial(accounts.secret_of, name=name)) if "\0" not in name else None
    # Whoever guesses must not keep the writer busy, so it is asked only for a password that is right.
    if not await passwords.is_right(found.password_hash if found else None, password):
        return await _link_of(database, clock, name, password)
    assert found is not None and found.password_hash is not None  # noqa: S101, PT018 - else it is not right
    token = await begin_session(database, clock, found.account, way="password", browser=browser)
    if passwords.is_outdated(found.password_hash):
        kept = await passwords.hash(password)
        await database.write(lambda session: accounts.set_password(session, found.account.id, kept))
    return token


async def _link_of(database: Database, clock: Clock, name: str, token: str) -> MustChoose | None:
    """A key from before there were passwords, or the end of a link, typed in as the password."""
    open_ = await database.read(lambda session: accounts.invited(session, key_digest(token), clock()))
    return MustChoose(token) if open_ is not None and open_.account.name == name else None


async def begin_session(
    database: Database, clock: Clock, account: Account, *, way: str, browser: Browser | None = None
) -> str:
    """Sign somebody in who has proved who they are; the token that their browser keeps."""
    token, known = secrets.token_urlsafe(_TOKEN_BYTES), browser or Browser()

    def begin(session: Session) -> None:
        now = clock()
        sessions.drop_expired(session, now=now, used_since=now - IDLE)
        values = {
            "account_id": account.id,
            "form_token": secrets.token_urlsafe(_TOKEN_BYTES),
            "created_at": now,
            "seen_at": now,
            "expires_at": now + LASTS,
            "way": way,
            "agent": known.agent[:MOST_AGENT],
            "address": known.address,
        }
        sessions.add(session, key_digest(token), values)

    await database.write(begin)
    return token


async def signed_in(database: Database, clock: Clock, token: str) -> SignedIn | None:
    """Who signed in with this token; None where that has ended."""
    now = clock()
    who = await database.read(
        lambda session: sessions.holder(session, key_digest(token), now=now, used_since=now - IDLE)
    )
    if who is not None and who.seen_at is not None and now - who.seen_at >= NOTED_EVERY:
        await _note_use(database, who, clock)
    return who


async def sign_out(database: Database, token: str) -> None:
    """End a session, wherever else its token was copied to."""
    await database.write(lambda session: sessions.end(session, key_digest(token)))


async def sessions_of(database: Database, clock: Clock, account: Account) -> list[DeskSession]:
    """The browsers in which somebody is signed in, the one used last first."""
    open_ = await database.read(lambda session: sessions.of_account(session, account.id, clock()))
    return [one for one in open_ if one.seen_at > clock() - IDLE]


async def end_session(database: Database, account: Account, number: int) -> bool:
    """Sign somebody out in one of their browsers; whether it was still signed in."""
    return await database.write(lambda session: sessions.end_one(session, account.id, number))


async def end_other_sessions(database: Database, who: SignedIn) -> int:
    """Sign somebody out everywhere but here; in how many browsers that was."""
    return await database.write(lambda session: sessions.end_others(session, who.account.id, who.session))


async def read_in(database: Database, account: Account, *, language: str, zone: str) -> None:
    """Keep in which language and by which clock somebody reads."""
    await database.write(lambda session: accounts.read_in(session, account.id, language=language, zone=zone))


async def _note_use(database: Database, who: SignedIn, clock: Clock) -> None:
    """Note that a session is used. A database that takes nothing now must not keep anybody out."""
    try:
        await database.write(lambda session: sessions.seen(session, who.session, clock()))
    except StoreError:
        return
