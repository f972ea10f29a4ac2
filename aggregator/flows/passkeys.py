"""Passkeys (WebAuthn): adding them to an account, and signing in with them.

A device keeps the private half of a key pair for one host, and signs what we ask it once its owner has shown
who they are. A site that looks like ours gets no signature, since the browser names the site to the device.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlmodel import Session

from aggregator.flows.partners import key_digest
from aggregator.flows.refusals import Reason, Refused
from aggregator.flows.signing_in import Browser, begin_session
from aggregator.model import Clock
from aggregator.people import Account, Deed, Passkey
from aggregator.rules.channels import Site
from aggregator.store import accounts, audit, challenges, logins, passkeys
from aggregator.store.database import Database
from aggregator.store.dialects import exclusive
from feeds.urls import absolute

if TYPE_CHECKING:
    from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
    from webauthn.registration.verify_registration_response import VerifiedRegistration

log = logging.getLogger(__name__)

#: How long a device may take to answer.
LASTS = timedelta(minutes=5)
#: Passkeys of one account: a phone, two computers, a few keys of metal.
MOST = 20
LONGEST_NAME = 60

_ADD, _ENTER = "passkey.add", "passkey.enter"
_TOKEN_BYTES = 32
_CHALLENGE_BYTES = 32
#: Longer ones are none (WebAuthn level 3, section 4, "Credential ID").
_MOST_ID_BYTES = 1_023
_TRANSPORTS = frozenset({"usb", "nfc", "ble", "smart-card", "hybrid", "internal"})
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """Where passkeys are good for: devices keep them by host, and browsers say from which origin they asked."""

    #: The relying party's id: a host.
    host: str
    origin: str
    title: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a browser is asked."""

    #: Its cookie.
    token: str
    #: What `navigator.credentials` takes, as JSON.
    options: str


def place_of(site: Site) -> Place | None:
    """Where a site's passkeys are good for; None where browsers let it have none.

    They want TLS, or a host that is the reader's own machine, and a name rather than a number for a host.
    """
    parts = urlsplit(absolute(site.url) or "")
    host = (parts.hostname or "").rstrip(".")
    is_own = host == "localhost" or host.endswith(".localhost")
    if not host or _is_number(host) or not (parts.scheme == "https" or is_own):
        return None
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
    return Place(host, f"{parts.scheme}://{parts.hostname}{port}", site.title)


def handle_of(account: Account) -> bytes:
    """What devices know an account by: the same for each passkey of it, and telling nobody anything.

    A device keeps one passkey for a host and a handle. With the moment at which the account was made in it, two
    desks of one host, whose accounts are both numbered from 1, do not write over each other's.
    """
    made = account.created_at.astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(f"wirebrief account {account.id} of {made}".encode()).digest()


async def passkeys_of(database: Database, account: Account) -> list[Passkey]:
    """Somebody's passkeys, the oldest first."""
    return await database.read(lambda session: passkeys.of_account(session, account.id))


async def ask_to_add(database: Database, clock: Clock, place: Place, account: Account) -> Question:
    """What a browser is asked to make a passkey for somebody who is signed in."""
    known = await passkeys_of(database, account)
    if len(known) >= MOST:
        raise Refused(Reason.PASSKEYS_TOO_MANY)
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    options = await asyncio.to_thread(_creation, place, account, known, challenge)
    return await _ask(database, clock, _ADD, challenge, options, account)


async def add(
    database: Database,
    clock: Clock,
    place: Place,
    account: Account,
    token: str,
    name: str,
    credential: Mapping[str, Any],
) -> None:
    """Keep the passkey that a browser made.

    Raises:
        Refused: it was not asked for, its answer does not fit, it is there already, or it has no name.
    """
    named = " ".join(name.split())
    if not named or len(named) > LONGEST_NAME or any(unicodedata.category(each)[0] == "C" for each in named):
        raise Refused(Reason.PASSKEY_UNNAMED)
    challenge = await _answered(database, clock, _ADD, token, account)
    made = await asyncio.to_thread(_registered, place, challenge, credential)
    transports = _transports(credential)

    def keep(session: Session) -> None:
        exclusive(session, "people")
        held = accounts.numbered(session, account.id)
        if held is None or held.revoked_at is not None:
            raise Refused(Reason.ACCOUNT_CLOSED)
        if passkeys.known(session, written(made.credential_id)) is not None:
            raise Refused(Reason.PASSKEY_TAKEN)
        passkeys.add(
            session,
            account.id,
            written(made.credential_id),
            made.credential_public_key,
            sign_count=made.sign_count,
            transports=",".join(transports),
            name=named,
            now=clock(),
        )
        deed = Deed(account.name, "account.passkey.add", account.name, became={"passkey": named})
        audit.add(session, deed, clock())

    await database.write(keep)


async def remove(
    database: Database, clock: Clock, account: Account, number: int, *, issuer: str = ""
) -> None:
    """Let a passkey of somebody's open nothing any more. It is no fault where it is gone already.

    Raises:
        Refused: nothing else opens their account; `issuer` is the provider that is asked, if any.
    """

    def forget(session: Session) -> None:
        exclusive(session, "people")
        held = {one.id: one for one in passkeys.of_account(session, account.id)}
        if number not in held:
            return
        if logins.ways(session, account.id, issuer).count == 1:
            raise Refused(Reason.LAST_WAY)
        passkeys.remove(session, number)
        was = {"passkey": held[number].name}
        audit.add(session, Deed(account.name, "account.passkey.remove", account.name, was=was), clock())

    await database.write(forget)


async def ask_to_enter(database: Database, clock: Clock, place: Place) -> Question:
    """What a browser is asked to sign somebody in. It names nobody: the device knows whose its passkeys are."""
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    options = await asyncio.to_thread(_request, place, challenge)
    return await _ask(database, clock, _ENTER, challenge, options, None)


async def enter(
    database: Database,
    clock: Clock,
    place: Place,
    token: str,
    credential: Mapping[str, Any],
    browser: Browser | None = None,
) -> str:
    """Sign in whoever's passkey answered; the token of the new session.

    Raises:
        Refused: nothing was asked, the answer does not fit, or its passkey opens nothing.
    """
    challenge = await _answered(database, clock, _ENTER, token, None)
    id_ = credential.get("id")
    named = id_ if isinstance(id_, str) and id_.isascii() and "\0" not in id_ else ""
    known = await database.read(lambda session: passkeys.known(session, named))
    held = (
        await database.read(lambda session: accounts.numbered(session, known.account_id)) if known else None
    )
    if known is None or held is None or held.revoked_at is not None:
        raise Refused(Reason.PASSKEY_UNKNOWN)
    found = await asyncio.to_thread(_signed, place, challenge, credential, known.public_key)
    if not _is_of(credential, held):
        raise Refused(Reason.PASSKEY_UNFIT)

    def note(session: Session) -> bool:
        if passkeys.known(session, named) is None:
            raise Refused(Reason.PASSKEY_UNKNOWN)
        if passkeys.used(session, known.id, found.new_sign_count, clock()):
            return True
        why = "The passkey counts no further than before: there may be a copy of it."
        was = {"passkey": known.name, "count": known.sign_count}
        became = {"passkey": known.name, "count": found.new_sign_count}
        deed = Deed(held.name, "account.passkey.refuse", held.name, was=was, became=became, why=why)
        audit.add(session, deed, clock())
        return False

    if not await database.write(note):
        log.warning("a passkey was refused", extra={"account": held.name, "passkey": known.name})
        raise Refused(Reason.PASSKEY_COPIED)
    return await begin_session(database, clock, held, way="passkey", browser=browser)


async def _ask(
    database: Database, clock: Clock, purpose: str, challenge: bytes, options: str, account: Account | None
) -> Question:
    token = secrets.token_urlsafe(_TOKEN_BYTES)

    def keep(session: Session) -> None:
        now = clock()
        challenges.add(
            session,
            key_digest(token),
            purpose,
            json.dumps(challenge.hex()),
            now=now,
            expires_at=now + LASTS,
            account_id=account.id if account else None,
        )

    await database.write(keep)
    return Question(token, options)


async def _answered(
    database: Database, clock: Clock, purpose: str, token: str, account: Account | None
) -> bytes:
    """The challenge that this browser was asked to sign, which nobody can answer again."""
    digest = key_digest(token)
    if await database.read(lambda session: challenges.is_open(session, digest, purpose, clock())):
        asked = await database.write(lambda session: challenges.take(session, digest, purpose, clock()))
        if asked is not None and asked.account_id == (account.id if account else None):
            return bytes.fromhex(json.loads(asked.value))
    raise Refused(Reason.STALE)


def written(credential_id: bytes) -> str:
    """The id of a passkey in base64url, as browsers write it."""
    from webauthn.helpers import bytes_to_base64url

    return bytes_to_base64url(credential_id)


def _creation(place: Place, account: Account, known: list[Passkey], challenge: bytes) -> str:
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=place.host,
        rp_name=place.title,
        user_id=handle_of(account),
        user_name=account.name,
        challenge=challenge,
        timeout=int(LASTS / timedelta(milliseconds=1)),
        authenticator_selection=AuthenticatorSelectionCriteria(
            # Nobody writes a name before they use one, so the device must know by itself what it holds for us.
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential_id)) for one in known
        ],
    )
    return options_to_json(options)


def _request(place: Place, challenge: bytes) -> str:
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=place.host,
        challenge=challenge,
        timeout=int(LASTS / timedelta(milliseconds=1)),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def _registered(place: Place, challenge: bytes, credential: Mapping[str, Any]) -> VerifiedRegistration:
    from webauthn import verify_registration_response

    try:
        made = verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    # A stranger wrote it, and the library reads CBOR, keys and certificates in it: whatever it raises says
    # that this is no answer.
    except Exception as error:
        raise _unfit(error) from error
    if len(made.credential_id) > _MOST_ID_BYTES:
        raise Refused(Reason.PASSKEY_UNFIT)
    return made


def _signed(
    place: Place, challenge: bytes, credential: Mapping[str, Any], public_key: bytes
) -> VerifiedAuthentication:
    from webauthn import verify_authentication_response

    try:
        found = verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=public_key,
            # What it counts is compared where it is kept, so that the refusal stands in the audit.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    # The same as above.
    except Exception as error:
        raise _unfit(error) from error
    return found


def _unfit(error: Exception) -> Refused:
    log.info("an answer of a passkey does not fit", extra={"reason": str(error)[:200]})
    return Refused(Reason.PASSKEY_UNFIT)


def _is_of(credential: Mapping[str, Any], account: Account) -> bool:
    """Whether the device means this account, where it says so (WebAuthn level 3, section 7.2, step 6)."""
    from webauthn.helpers import base64url_to_bytes

    handle = credential["response"].get("userHandle")
    return not handle or secrets.compare_digest(base64url_to_bytes(handle), handle_of(account))


def _transports(credential: Mapping[str, Any]) -> list[str]:
    said = credential["response"].get("transports")
    return (
        sorted({one for one in said if isinstance(one, str)} & _TRANSPORTS) if isinstance(said, list) else []
    )


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
