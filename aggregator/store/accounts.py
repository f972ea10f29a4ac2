"""Who may decide things at the desk, and what lets them choose a password."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlmodel import Session

from aggregator.people import Account, Invitation, Person, Secret
from aggregator.store.tables_people import ACCOUNT, INVITATION, PASSKEY, SESSION, AccountRow


def add(session: Session, name: str, role: str, *, now: datetime, password_hash: str | None = None) -> int:
    """A new account; its number. Its name is free (see `named`)."""
    values = {"name": name, "role": role, "created_at": now, "password_hash": password_hash}
    number: int = session.execute(insert(ACCOUNT).values(values).returning(ACCOUNT.c.id)).scalar_one()
    return number


def named(session: Session, name: str) -> Account | None:
    """The account of this name, whether it stands or was closed."""
    row = session.execute(select(AccountRow).where(ACCOUNT.c.name == name)).scalars().first()
    return _account(row) if row else None


def numbered(session: Session, account_id: int) -> Account | None:
    """The account of this number, whether it stands or was closed."""
    row = session.get(AccountRow, account_id)
    return _account(row) if row else None


def secret_of(session: Session, name: str) -> Secret | None:
    """What opens the account of this name; None where there is none, or it was closed."""
    standing = select(AccountRow).where(ACCOUNT.c.name == name, ACCOUNT.c.revoked_at.is_(None))
    row = session.execute(standing).scalars().first()
    return Secret(_account(row), row.password_hash) if row else None


def names(session: Session) -> Sequence[str]:
    """The names of all accounts, those that were closed too."""
    return session.execute(select(ACCOUNT.c.name).order_by(ACCOUNT.c.name)).scalars().all()


def count(session: Session) -> int:
    """How many accounts there are."""
    found: int = session.execute(select(func.count()).select_from(ACCOUNT)).scalar_one()
    return found


def other_admins(session: Session, account_id: int) -> int:
    """How many accounts but this one let people in, and stand."""
    those = (ACCOUNT.c.role == "admin", ACCOUNT.c.revoked_at.is_(None), ACCOUNT.c.id != account_id)
    found: int = session.execute(select(func.count()).select_from(ACCOUNT).where(*those)).scalar_one()
    return found


def everyone(session: Session, now: datetime) -> list[Person]:
    """Every account with what an admin looks at: those that stand first, by name."""
    keys = select(PASSKEY.c.account_id, func.count().label("n")).group_by(PASSKEY.c.account_id).subquery()
    open_ = (
        select(SESSION.c.account_id, func.count().label("n"), func.max(SESSION.c.seen_at).label("seen_at"))
        .where(SESSION.c.expires_at > now)
        .group_by(SESSION.c.account_id)
        .subquery()
    )
    invited = (
        select(INVITATION.c.account_id, func.max(INVITATION.c.expires_at).label("until"))
        .where(INVITATION.c.expires_at > now)
        .group_by(INVITATION.c.account_id)
        .subquery()
    )
    query = (
        select(AccountRow, keys.c.n, open_.c.n, open_.c.seen_at, invited.c.until)
        .join(keys, keys.c.account_id == ACCOUNT.c.id, isouter=True)
        .join(open_, open_.c.account_id == ACCOUNT.c.id, isouter=True)
        .join(invited, invited.c.account_id == ACCOUNT.c.id, isouter=True)
        .order_by(ACCOUNT.c.revoked_at.is_not(None), ACCOUNT.c.name)
    )
    return [
        Person(_account(row), row.password_hash is not None, passkeys or 0, sessions or 0, seen_at, until)
        for row, passkeys, sessions, seen_at, until in session.execute(query)
    ]


def read_in(session: Session, account_id: int, *, language: str, zone: str) -> None:
    """Keep in which language and by which clock somebody reads."""
    own = update(ACCOUNT).where(ACCOUNT.c.id == account_id)
    session.execute(own.values(language=language, zone=zone))


def set_password(session: Session, account_id: int, password_hash: str) -> None:
    """From now on this password opens the account; no link chooses another one."""
    session.execute(update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(password_hash=password_hash))
    session.execute(delete(INVITATION).where(INVITATION.c.account_id == account_id))


def set_role(session: Session, account_id: int, role: str) -> None:
    """Change what somebody may do."""
    session.execute(update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(role=role))


def revoke(session: Session, account_id: int, now: datetime) -> None:
    """Close an account: nothing opens it any more. What its holder decided stays theirs."""
    closed = update(ACCOUNT).where(ACCOUNT.c.id == account_id)
    session.execute(closed.values(revoked_at=now, password_hash=None))
    for table in (SESSION, INVITATION, PASSKEY):
        session.execute(delete(table).where(table.c.account_id == account_id))


def invite(
    session: Session, account_id: int, token_digest: str, *, by: str, now: datetime, expires_at: datetime
) -> None:
    """Let who has this token choose the account's password; tokens from before do nothing any more."""
    session.execute(delete(INVITATION).where(INVITATION.c.account_id == account_id))
    values = {"token_digest": token_digest, "account_id": account_id, "made_by": by, "made_at": now}
    session.execute(insert(INVITATION).values(values | {"expires_at": expires_at}))


def invited(session: Session, token_digest: str, now: datetime) -> Invitation | None:
    """What a link's token opens; None where it was used, ran out or never was."""
    query = (
        select(AccountRow, INVITATION.c.made_by, INVITATION.c.expires_at)
        .join(INVITATION, INVITATION.c.account_id == ACCOUNT.c.id)
        .where(
            INVITATION.c.token_digest == token_digest,
            INVITATION.c.expires_at > now,
            ACCOUNT.c.revoked_at.is_(None),
        )
    )
    row = session.execute(query).first()
    return Invitation(_account(row[0]), row[1], row[2]) if row else None


def use_invitation(session: Session, token_digest: str) -> bool:
    """Use a link up; whether it was there, which is true for one of several who try."""
    used = (
        delete(INVITATION).where(INVITATION.c.token_digest == token_digest).returning(INVITATION.c.account_id)
    )
    return session.execute(used).first() is not None


def _account(row: AccountRow) -> Account:
    return Account(
        id=row.id or 0,
        name=row.name,
        role=row.role,
        created_at=row.created_at,
        language=row.language,
        zone=row.zone,
        revoked_at=row.revoked_at,
    )
