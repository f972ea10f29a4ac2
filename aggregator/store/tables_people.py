"""The tables of people: accounts, how they sign in, the keys of programs, and the audit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlmodel import Field, SQLModel

from aggregator.store.tables import moment, table_of


class AccountRow(SQLModel, table=True):
    """Somebody who may decide things at the desk."""

    __tablename__ = "account"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    role: str
    #: By argon2id; none until its holder chose a password.
    password_hash: str | None = None
    created_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)
    language: str = ""
    zone: str = ""


class InvitationRow(SQLModel, table=True):
    """A link with which an account's password may be chosen, once."""

    __tablename__ = "invitation"

    #: SHA-256 of the link's token, which its holder alone has.
    token_digest: str = Field(primary_key=True)
    account_id: int = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    made_by: str
    made_at: datetime = moment()
    expires_at: datetime = moment()


class SessionRow(SQLModel, table=True):
    """An editor who is signed in with a browser, as long as this lasts."""

    __tablename__ = "session"

    id: int | None = Field(default=None, primary_key=True)
    #: SHA-256 of the cookie's token, which the browser alone has.
    token_digest: str = Field(unique=True)
    account_id: int = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    #: Stands in every form of the desk; another site cannot know it.
    form_token: str
    created_at: datetime = moment()
    seen_at: datetime = moment()
    expires_at: datetime = moment(index=True)
    #: "password", "passkey", "link" or "oidc".
    way: str
    #: What the browser calls itself, and where it asked from.
    agent: str
    address: str


class PasskeyRow(SQLModel, table=True):
    """A key pair of somebody's device (WebAuthn): its public half."""

    __tablename__ = "passkey"

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    #: As the device names it, in base64url.
    credential_id: str = Field(unique=True)
    public_key: bytes = Field(sa_type=LargeBinary)
    #: How often it signed, where the device counts: a copy of it would fall behind.
    sign_count: int = Field(sa_type=BigInteger)
    #: How browsers reach it, as they said: "internal,hybrid".
    transports: str
    #: As its holder calls it.
    name: str
    created_at: datetime = moment()
    last_used_at: datetime | None = moment(nullable=True)


class IdentityRow(SQLModel, table=True):
    """An account as a provider of OpenID Connect knows it."""

    __tablename__ = "identity"

    issuer: str = Field(primary_key=True)
    #: The provider's own name of the person, which it gives to nobody else ever.
    subject: str = Field(primary_key=True)
    account_id: int = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    linked_at: datetime = moment()


class ChallengeRow(SQLModel, table=True):
    """What a browser was asked while it signs in: one answer, within minutes, counts."""

    __tablename__ = "challenge"

    #: SHA-256 of what the browser brings back.
    token_digest: str = Field(primary_key=True)
    #: "passkey.add", "passkey.enter" or "oidc".
    purpose: str
    #: Whose, where somebody is known already.
    account_id: int | None = Field(default=None, foreign_key="account.id", ondelete="CASCADE", index=True)
    #: What is to be compared, as JSON.
    value: str
    expires_at: datetime = moment(index=True)


class ApiKeyRow(SQLModel, table=True):
    """A program that may use the API."""

    __tablename__ = "api_key"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    role: str
    #: SHA-256 of the key; the key itself is shown once and kept by nobody but its holder.
    key_digest: str = Field(unique=True)
    hint: str
    made_by: str
    created_at: datetime = moment()
    expires_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)
    last_used_at: datetime | None = moment(nullable=True)


class AuditRow(SQLModel, table=True):
    """What was decided. Rows are only added: the database itself refuses to change one or take one out."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_subject", "subject", "id"), Index("ix_audit_by", "by", "id"))

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = moment(index=True)
    by: str
    act: str
    subject: str
    #: What it was and what it became, each a JSON object.
    was: str
    became: str
    why: str


ACCOUNT = table_of(AccountRow)
INVITATION = table_of(InvitationRow)
SESSION = table_of(SessionRow)
PASSKEY = table_of(PasskeyRow)
IDENTITY = table_of(IdentityRow)
CHALLENGE = table_of(ChallengeRow)
API_KEY = table_of(ApiKeyRow)
AUDIT = table_of(AuditRow)
