"""Signing in through the newsroom's provider of OpenID Connect, and connecting accounts with it.

The provider says who somebody is; which account that is, and whether there is one, is decided here.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows import people
from aggregator.flows.oidc_provider import Asking, OidcSettings, Person, Provider
from aggregator.flows.partners import key_digest
from aggregator.flows.refusals import Reason, Refused
from aggregator.flows.signing_in import Browser, begin_session
from aggregator.model import Clock
from aggregator.people import Account, Deed, Identity
from aggregator.store import accounts, audit, challenges, logins
from aggregator.store.database import Database
from aggregator.store.dialects import exclusive

#: How long somebody may take at the provider, where they may have to find a telephone.
LASTS = timedelta(minutes=10)

_PURPOSE = "oidc"
_TOKEN_BYTES = 32
#: A subject is no longer than that (Core 1.0 section 2).
_LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun."""

    #: The browser's cookie.
    token: str
    #: Where to send it.
    address: str


@dataclass(frozen=True, slots=True)
class Back:
    """Somebody who came back from the provider."""

    person: Person
    #: The page of the desk that they wanted.
    next: str
    #: The number of the account that they want to connect; None where they want to sign in.
    connecting: int | None


async def begin(
    database: Database, clock: Clock, provider: Provider, *, next: str, account: Account | None = None
) -> Begun:
    """Send somebody to the provider: to sign in, or to connect the account that they are signed in with.

    Raises:
        Refused: the provider is away, or cannot be relied on.
    """
    token, state, nonce, verifier = (secrets.token_urlsafe(_TOKEN_BYTES) for _ in range(4))
    asking = Asking(state, nonce, verifier)
    address = await provider.address(asking)
    kept = json.dumps({"asking": asdict(asking), "next": next})

    def keep(session: Session) -> None:
        now = clock()
        challenges.add(
            session,
            key_digest(token),
            _PURPOSE,
            kept,
            now=now,
            expires_at=now + LASTS,
            account_id=account.id if account else None,
        )

    await database.write(keep)
    return Begun(token, address)


async def come_back(
    database: Database, clock: Clock, provider: Provider, token: str, answer: Mapping[str, str]
) -> Back:
    """Who came back, with what the provider put into their address; it counts once, and in one browser.

    Raises:
        Refused: it was not begun in this browser, or the provider does not vouch for them.
    """
    digest = key_digest(token)
    is_open = await database.read(lambda session: challenges.is_open(session, digest, _PURPOSE, clock()))
    asked = (
        await database.write(lambda session: challenges.take(session, digest, _PURPOSE, clock()))
        if is_open
        else None
    )
    if asked is None:
        raise Refused(Reason.STALE)
    kept = json.loads(asked.value)
    asking = Asking(**kept["asking"])
    if not secrets.compare_digest(answer.get("state", "").encode(), asking.state.encode()):
        raise Refused(Reason.STALE)
    person = await provider.person(asking, answer)
    if not 0 < len(person.subject) <= _LONGEST_SUBJECT or not person.subject.isprintable():
        raise Refused(Reason.PROVIDER_UNFIT)
    return Back(person, kept["next"], asked.account_id)


async def enter(
    database: Database,
    clock: Clock,
    settings: OidcSettings,
    person: Person,
    browser: Browser | None = None,
) -> str:
    """Sign in whom the provider vouches for; the token of the session.

    The first time they are known by the claim that names their account, from then on by their subject alone:
    names and addresses may pass to somebody else, subjects never do.

    Raises:
        Refused: they have no account, or a closed one, or it is connected with somebody else.
    """
    issuer, subject = settings.issuer, person.subject
    held = await database.read(lambda session: _connected(session, issuer, subject))
    if held is None:
        held = await _first_time(database, clock, settings, person)
    _require_standing(held)
    return await begin_session(database, clock, held, way="oidc", browser=browser)


async def connect(
    database: Database, clock: Clock, settings: OidcSettings, person: Person, account: Account
) -> None:
    """Let the provider open an account for whom it vouches. Its holder asked for it, signed in.

    Raises:
        Refused: the account is connected with another identity, or the identity with another account.
    """
    await database.write(lambda session: _connect(session, clock, settings, person, account))


async def disconnect(database: Database, clock: Clock, settings: OidcSettings, account: Account) -> None:
    """Let the provider open an account no more. It is no fault where it does not already.

    Raises:
        Refused: nothing else opens the account.
    """
    issuer = settings.issuer

    def cut(session: Session) -> None:
        exclusive(session, "people")
        held = logins.of_account(session, account.id, issuer)
        if held is None:
            return
        if logins.ways(session, account.id, issuer).count == 1:
            raise Refused(Reason.LAST_WAY)
        logins.disconnect(session, account.id, issuer)
        was = {"issuer": issuer, "subject": held.subject}
        audit.add(session, Deed(account.name, "account.oidc.disconnect", account.name, was=was), clock())

    await database.write(cut)


async def identity_of(database: Database, settings: OidcSettings, account: Account) -> Identity | None:
    """As whom the provider knows somebody; None where they are not connected with it."""
    return await database.read(lambda session: logins.of_account(session, account.id, settings.issuer))


async def _first_time(database: Database, clock: Clock, settings: OidcSettings, person: Person) -> Account:
    name = _named(settings, person)
    found = await database.read(lambda session: _account_named(session, name))
    token = ""
    if found is None:
        if not settings.create:
            raise Refused(Reason.NO_ACCOUNT)
        try:
            token = await people.add_account(database, clock, name, settings.create, by=settings.issuer)
        except BadInput as error:
            raise Refused(Reason.NO_ACCOUNT) from error

    def keep(session: Session) -> Account:
        held = _account_named(session, name)
        if held is None:
            raise Refused(Reason.NO_ACCOUNT)
        _require_standing(held)
        # They need no link to choose a password with, and nobody was given it.
        accounts.use_invitation(session, key_digest(token))
        _connect(session, clock, settings, person, held)
        return held

    return await database.write(keep)


def _connect(
    session: Session, clock: Clock, settings: OidcSettings, person: Person, account: Account
) -> None:
    exclusive(session, "people")
    issuer, subject = settings.issuer, person.subject
    holder = logins.holder(session, issuer, subject)
    known = logins.of_account(session, account.id, issuer)
    if holder == account.id:
        return
    # An address of mail that passed on to somebody else must not open the account of whoever had it.
    if holder is not None or known is not None:
        raise Refused(Reason.OTHERWISE_CONNECTED)
    logins.connect(session, account.id, issuer, subject, clock())
    became = {"issuer": issuer, "subject": subject}
    audit.add(session, Deed(account.name, "account.oidc.connect", account.name, became=became), clock())


def _named(settings: OidcSettings, person: Person) -> str:
    """The name of an account that the provider gives somebody."""
    said = person.claims.get(settings.claim)
    if not isinstance(said, str) or not said.strip() or not said.isprintable():
        raise Refused(Reason.CLAIM_MISSING)
    # Some write their booleans as text.
    if settings.claim == "email" and person.claims.get("email_verified") not in (True, "true"):
        raise Refused(Reason.CLAIM_UNVERIFIED)
    return said.strip()


def _account_named(session: Session, name: str) -> Account | None:
    """The account of this name; of an address of mail in plain letters the case says nothing."""
    found = accounts.named(session, name)
    if found is not None or not name.isascii():
        return found
    alike = [each for each in accounts.names(session) if each.isascii() and each.lower() == name.lower()]
    return accounts.named(session, alike[0]) if len(alike) == 1 else None


def _connected(session: Session, issuer: str, subject: str) -> Account | None:
    number = logins.holder(session, issuer, subject)
    return accounts.numbered(session, number) if number is not None else None


def _require_standing(account: Account) -> None:
    if account.revoked_at is not None:
        raise Refused(Reason.ACCOUNT_CLOSED)
