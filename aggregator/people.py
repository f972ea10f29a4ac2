"""Who is at the desk, as values: people and programs, what they may do, and the record of what they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: What somebody may be, by rising rights: look · decide on briefs · decide for the newsroom · let people in.
ROLES = ("viewer", "editor", "chief", "admin")


def has_rights_of(role: str, least: str) -> bool:
    """Whether a role may do what another one may."""
    return ROLES.index(role) >= ROLES.index(least)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may decide things at the desk."""

    id: int
    name: str
    role: str
    created_at: datetime
    #: The language of their interface; "" for whatever their browser asks for.
    language: str = ""
    #: The IANA name of their time zone; "" where nobody knows it, which is read as UTC.
    zone: str = ""
    #: When it was closed; None while it stands.
    revoked_at: datetime | None = None

    def may(self, least: str) -> bool:
        """Whether it has the rights of a role."""
        return has_rights_of(self.role, least)


@dataclass(frozen=True, slots=True)
class Secret:
    """What opens an account, which leaves the store for nothing but a comparison."""

    account: Account
    #: By argon2id (RFC 9106), in its own notation; None until its holder chose a password.
    password_hash: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An editor who signed in at the desk with a browser."""

    account: Account
    #: Stands in every form of the desk; another site cannot know it.
    form_token: str
    #: When to sign in again.
    expires_at: datetime
    #: The number of the session.
    session: int = 0
    #: When this session was used last, as far as that was noted.
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeskSession:
    """A browser in which somebody is signed in, as they are shown it."""

    id: int
    account_id: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    #: "password", "passkey", "link" or "oidc".
    way: str
    #: What the browser calls itself, and where it asked from.
    agent: str
    address: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that lets somebody choose a password once: a new account, or one whose password is lost."""

    account: Account
    made_by: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Passkey:
    """A key pair of somebody's device, as its holder sees it."""

    id: int
    #: As its holder calls it.
    name: str
    #: As the device names it, in base64url.
    credential_id: str
    #: How browsers reach it, as they said: "internal,hybrid".
    transports: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody as a provider of OpenID Connect knows them."""

    issuer: str
    subject: str
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class Ways:
    """All that opens an account."""

    has_password: bool
    passkeys: int
    #: Whether the newsroom's provider opens it.
    is_connected: bool

    @property
    def count(self) -> int:
        """How many there are: who has one alone must not lose it."""
        return self.has_password + self.passkeys + self.is_connected


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A program that may use the API. It is nobody's: who made it may leave."""

    id: int
    name: str
    role: str
    #: Its first characters, by which it is known again.
    hint: str
    made_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def may(self, least: str) -> bool:
        """Whether it has the rights of a role."""
        return has_rights_of(self.role, least)


@dataclass(frozen=True, slots=True)
class Person:
    """An account with what an admin looks at before deciding about it."""

    account: Account
    has_password: bool
    passkeys: int
    sessions: int
    seen_at: datetime | None
    #: Until when a link is open that lets them choose a password; None where there is none.
    invited_until: datetime | None


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was decided: who did what to what, and from what to what it changed."""

    by: str
    #: A verb and its object: "brief.publish", "partner.key.revoke".
    act: str
    #: What was decided on, as its pages name it: the slug of a brief, the name of a partner.
    subject: str
    was: Mapping[str, Any] = field(default_factory=dict)
    became: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A deed as it stands in the audit: never changed, never taken out."""

    id: int
    at: datetime
    deed: Deed
