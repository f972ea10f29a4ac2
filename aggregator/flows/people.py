"""Who is let in: accounts, the links with which their passwords are chosen, and the keys of programs.

Each decision is written into the audit by the transaction that makes it.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import replace
from datetime import timedelta

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows.partners import HINT, key_digest
from aggregator.flows.passwords import Passwords, require_good
from aggregator.flows.signing_in import Browser, begin_session
from aggregator.model import Clock
from aggregator.people import ROLES, Account, ApiKey, Deed, Invitation, SignedIn
from aggregator.store import accounts, api_keys, audit, sessions
from aggregator.store.database import Database
from aggregator.store.dialects import exclusive

#: How long a link lets somebody choose a password.
LINK_LASTS = timedelta(days=3)
#: How exactly it is noted when a key was used.
NOTED_EVERY = timedelta(minutes=10)

LONGEST_NAME = 60

_TOKEN_BYTES = 32
_KEY_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")


async def add_account(database: Database, clock: Clock, name: str, role: str, *, by: str) -> str:
    """A new account; the token of the link with which its holder chooses a password.

    Raises:
        BadInput: the name is taken or none, or there is no such role.
    """
    _require_role(role)
    _require_name(name)
    token = secrets.token_urlsafe(_TOKEN_BYTES)

    def make(session: Session) -> None:
        exclusive(session, "people")
        _require_free(session, name)
        account_id = accounts.add(session, name, role, now=clock())
        _invite(session, account_id, token, by=by, clock=clock)
        audit.add(session, Deed(by, "account.add", name, became={"role": role}), clock())

    await database.write(make)
    return token


async def add_first(
    database: Database, clock: Clock, passwords: Passwords, name: str, role: str, password: str
) -> None:
    """An account that has its password already: that of a demonstration, or of a test."""
    kept = await passwords.hash(password)

    def make(session: Session) -> None:
        accounts.add(session, name, role, now=clock(), password_hash=kept)
        audit.add(session, Deed(name, "account.add", name, became={"role": role}), clock())

    await database.write(make)


async def new_link(database: Database, clock: Clock, name: str, *, by: str) -> str:
    """The token of another link for an account: its password is lost, or the first link ran out.

    Raises:
        BadInput: there is no such account, or it was closed.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)

    def make(session: Session) -> None:
        known = _require_standing(session, name)
        _invite(session, known.id, token, by=by, clock=clock)
        audit.add(session, Deed(by, "account.link", name), clock())

    await database.write(make)
    return token


async def invitation(database: Database, clock: Clock, token: str) -> Invitation | None:
    """What a link opens; None where it was used, ran out or never was. To look uses nothing up."""
    return await database.read(lambda session: accounts.invited(session, key_digest(token), clock()))


async def join(
    database: Database,
    clock: Clock,
    passwords: Passwords,
    token: str,
    password: str,
    browser: Browser | None = None,
) -> str | None:
    """Choose a password by a link and sign in; the token of the session. None where the link opens nothing.

    Every session that the account had ends: whoever knew the old password is out.

    Raises:
        BadInput: the password is none to rely on; the link stays as it is.
    """
    found = await invitation(database, clock, token)
    if found is None:
        return None
    require_good(password, found.account.name)
    kept = await passwords.hash(password)

    def choose(session: Session) -> bool:
        if not accounts.use_invitation(session, key_digest(token)):
            return False
        accounts.set_password(session, found.account.id, kept)
        sessions.end_others(session, found.account.id)
        audit.add(session, Deed(found.account.name, "account.join", found.account.name), clock())
        return True

    if not await database.write(choose):
        return None
    return await begin_session(database, clock, found.account, way="link", browser=browser)


async def change_password(
    database: Database, clock: Clock, passwords: Passwords, who: SignedIn, *, old: str, new: str
) -> None:
    """Choose another password. Everywhere but here its holder is signed out.

    Raises:
        BadInput: the old one is wrong, or the new one is none to rely on.
    """
    name = who.account.name
    secret = await database.read(lambda session: accounts.secret_of(session, name))
    kept = secret.password_hash if secret else None
    if kept is not None and not await passwords.is_right(kept, old):
        raise BadInput("This is not your present password: nothing was changed.")
    require_good(new, name)
    hashed = await passwords.hash(new)

    def change(session: Session) -> None:
        accounts.set_password(session, who.account.id, hashed)
        sessions.end_others(session, who.account.id, who.session)
        audit.add(session, Deed(name, "account.password", name), clock())

    await database.write(change)


async def set_role(database: Database, clock: Clock, name: str, role: str, *, by: str) -> None:
    """Change what somebody may do, from their next request on.

    Raises:
        BadInput: there is no such account or role, or nobody would be left to let people in.
    """
    _require_role(role)

    def change(session: Session) -> None:
        exclusive(session, "people")
        known = _require_standing(session, name)
        if known.role == role:
            return
        if role != "admin":
            _require_other_admin(session, known)
        accounts.set_role(session, known.id, role)
        deed = Deed(by, "account.role", name, was={"role": known.role}, became={"role": role})
        audit.add(session, deed, clock())

    await database.write(change)


async def revoke_account(database: Database, clock: Clock, name: str, *, by: str) -> None:
    """Close an account: it is signed out everywhere and nothing opens it. Its decisions stay on record.

    Raises:
        BadInput: there is no such account, it is closed, or nobody would be left to let people in.
    """

    def close(session: Session) -> None:
        exclusive(session, "people")
        known = _require_standing(session, name)
        _require_other_admin(session, known)
        accounts.revoke(session, known.id, clock())
        audit.add(session, Deed(by, "account.revoke", name, was={"role": known.role}), clock())

    await database.write(close)


async def end_sessions(database: Database, clock: Clock, name: str, *, by: str) -> int:
    """Sign somebody out everywhere; in how many browsers they were signed in.

    Raises:
        BadInput: there is no such account.
    """

    def end(session: Session) -> int:
        known = _require_standing(session, name)
        ended = sessions.end_others(session, known.id)
        audit.add(session, Deed(by, "account.sign-out", name, was={"sessions": ended}), clock())
        return ended

    return await database.write(end)


async def add_key(
    database: Database,
    clock: Clock,
    name: str,
    role: str,
    *,
    by: str,
    lifetime: timedelta | None = None,
) -> str:
    """A key for a program, which nobody can show again.

    Raises:
        BadInput: the name is taken or none, or there is no such role.
    """
    _require_role(role)
    if role == "admin":
        raise BadInput("A key lets nobody in: give it the role viewer, editor or chief.")
    if not _KEY_NAME.fullmatch(name):
        raise BadInput(f"{name!r} is no name for a key: write small letters, digits and hyphens.")
    key = secrets.token_urlsafe(_TOKEN_BYTES)

    def make(session: Session) -> None:
        exclusive(session, "people")
        _require_free(session, name)
        now = clock()
        expires_at = now + lifetime if lifetime is not None else None
        api_keys.add(
            session, name, role, key_digest(key), hint=key[:HINT], by=by, now=now, expires_at=expires_at
        )
        became = {"role": role, "expires": expires_at}
        audit.add(session, Deed(by, "key.add", name, became=became), now)

    await database.write(make)
    return key


async def revoke_key(database: Database, clock: Clock, name: str, *, by: str) -> None:
    """Let a key open nothing any more.

    Raises:
        BadInput: there is none of this name, or it opens nothing already.
    """

    def end(session: Session) -> None:
        known = api_keys.named(session, name)
        if known is None or known.revoked_at is not None:
            raise BadInput(f"There is no key {name!r} that opens anything: `wirebrief keys list` names them.")
        api_keys.revoke(session, known.id, clock())
        audit.add(session, Deed(by, "key.revoke", name, was={"role": known.role}), clock())

    await database.write(end)


async def key_holder(database: Database, clock: Clock, key: str) -> ApiKey | None:
    """The program whose key this is; None where it opens nothing."""
    now = clock()
    found = await database.read(lambda session: api_keys.holding(session, key_digest(key), now))
    if found is None:
        return None
    if found.last_used_at is None or now - found.last_used_at >= NOTED_EVERY:
        await database.write(lambda session: api_keys.used(session, found.id, now))
        return replace(found, last_used_at=now)
    return found


def _invite(session: Session, account_id: int, token: str, *, by: str, clock: Clock) -> None:
    now = clock()
    accounts.invite(session, account_id, key_digest(token), by=by, now=now, expires_at=now + LINK_LASTS)


def _require_role(role: str) -> None:
    if role not in ROLES:
        raise BadInput(f"There is no role {role!r}: write one of {', '.join(ROLES)}.")


def _require_name(name: str) -> None:
    is_plain = name == name.strip() and all(
        unicodedata.category(each)[0] not in "CZ" or each == " " for each in name
    )
    if not name or len(name) > LONGEST_NAME or not is_plain:
        raise BadInput(
            f"{name!r} is no name for an account: write 1 to {LONGEST_NAME} letters, as they sign what they decide."
        )


def _require_free(session: Session, name: str) -> None:
    """Let no two sign alike, people and programs together."""
    taken = [*accounts.names(session), *(key.name for key in api_keys.everyone(session))]
    if any(_folded(name) == _folded(each) for each in taken):
        raise BadInput(
            f"The name {name!r} is taken, or was: what its holder decided stands under it. Choose another one."
        )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _require_standing(session: Session, name: str) -> Account:
    known = accounts.named(session, name)
    if known is None:
        raise BadInput(f"There is no account {name!r}: `wirebrief users list` names them all.")
    if known.revoked_at is not None:
        raise BadInput(f"The account {name!r} is closed since {known.revoked_at:%Y-%m-%d}.")
    return known


def _require_other_admin(session: Session, known: Account) -> None:
    if known.role == "admin" and not accounts.other_admins(session, known.id):
        raise BadInput(f"{known.name} is the only admin: make somebody else one first.")
