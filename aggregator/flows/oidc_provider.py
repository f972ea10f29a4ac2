"""What a provider of OpenID Connect is asked over HTTP, and whether its answers can be relied on.

Discovery 1.0, Core 1.0 with the authorization code, PKCE (RFC 7636) and RFC 9207. It is named in the settings,
so it may stand in the newsroom's own network.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx

from aggregator.flows.refusals import Reason, Refused
from aggregator.model import Clock

if TYPE_CHECKING:
    from joserfc.jwk import KeySet
    from joserfc.jwt import Token

log = logging.getLogger(__name__)

#: One of its answers, at the longest: somebody waits for it.
TIMEOUT = timedelta(seconds=10)
#: How long what it says of itself is kept, and its keys.
KEPT = timedelta(hours=1)
#: How far its clock may be from ours.
LEEWAY = timedelta(minutes=1)

#: Signatures that only it can make. With "none" or a shared secret (HS256) others could.
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)

#: Bytes of one of its answers.
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """A provider of OpenID Connect that knows the people of the newsroom."""

    #: Its address, exactly as it calls itself; "" asks none.
    issuer: str = ""
    client_id: str = ""
    #: What it gave us to prove that we are we; "" for a client without one, which PKCE alone guards.
    client_secret: str = field(default="", repr=False)
    #: What the desk calls it.
    label: str = "Single sign-on"
    #: Which of its claims is the name of an account here. "email" counts only once it is verified.
    claim: str = "email"
    #: The role of an account that is made for whoever has none; "" makes none.
    create: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """What one sign-in is known by, from its beginning to its end."""

    #: Comes back in the address.
    state: str
    #: Comes back within the ID token.
    nonce: str
    #: Shows who fetches the tokens that it was they who asked (PKCE).
    verifier: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom the provider vouches for."""

    #: Its own name for them, which it gives to nobody else ever.
    subject: str
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Metadata:
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    #: Whether it takes our secret within the form alone.
    is_posted: bool
    #: Whether it names itself when it sends people back (RFC 9207).
    names_itself: bool


@dataclass(slots=True)
class Provider:
    """A provider, and what it lately said of itself."""

    settings: OidcSettings
    clock: Clock
    #: Where it sends people back to.
    redirect_uri: str
    _metadata: tuple[datetime, _Metadata] | None = None
    _keys: tuple[datetime, KeySet] | None = None

    async def address(self, asking: Asking) -> str:
        """Where somebody is sent to sign in.

        Raises:
            Refused: the provider is away, or cannot be relied on.
        """
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        metadata = await self._about()
        scope = "openid profile email" if self.settings.claim == "email" else "openid profile"
        address = prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=self.settings.client_id,
            response_type="code",
            redirect_uri=self.redirect_uri,
            scope=scope,
            state=asking.state,
            nonce=asking.nonce,
            code_challenge=create_s256_code_challenge(asking.verifier),
            code_challenge_method="S256",
        )
        return str(address)

    async def person(self, asking: Asking, answer: Mapping[str, str]) -> Person:
        """Whom it sent back with this answer in their address.

        Raises:
            Refused: it let nobody through, is away, or what it says cannot be relied on.
        """
        metadata = await self._about()
        issuer = answer.get("iss")
        if (metadata.names_itself or issuer is not None) and issuer != self.settings.issuer:
            raise self._unfit("another issuer sent them back")
        if "error" in answer:
            log.info("the provider let nobody through", extra={"error": answer["error"][:100]})
            raise Refused(Reason.PROVIDER_REFUSED)
        tokens = await self._tokens(metadata, asking, answer.get("code", ""))
        claims = await self._claims(metadata, tokens, asking.nonce)
        subject = claims["sub"]
        if self.settings.claim not in claims and metadata.userinfo_endpoint:
            # Some tell more than the subject only where it is asked for.
            claims = {**await self._userinfo(metadata, tokens, subject), **claims}
        return Person(subject, claims)

    async def _about(self) -> _Metadata:
        """What it says of itself, at most an hour old."""
        if self._metadata is None or self.clock() - self._metadata[0] >= KEPT:
            address = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
            said = await self._json("GET", address)
            # Else one provider could speak for another (Discovery 1.0 section 4.3).
            if said.get("issuer") != self.settings.issuer:
                raise self._unfit("it calls itself by another issuer than oidc.issuer")
            self._metadata = (self.clock(), self._read(said))
        return self._metadata[1]

    def _read(self, said: Mapping[str, Any]) -> _Metadata:
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(said.get(name), str) or not is_guarded(said[name]):
                raise self._unfit(f"its {name} is no https address")
        userinfo = said.get("userinfo_endpoint")
        methods = said.get("token_endpoint_auth_methods_supported")
        is_posted = isinstance(methods, list) and "client_secret_basic" not in methods
        return _Metadata(
            authorization_endpoint=said["authorization_endpoint"],
            token_endpoint=said["token_endpoint"],
            jwks_uri=said["jwks_uri"],
            userinfo_endpoint=userinfo if isinstance(userinfo, str) and is_guarded(userinfo) else "",
            is_posted=is_posted,
            names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        )

    async def _tokens(self, metadata: _Metadata, asking: Asking, code: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": asking.verifier,
        }
        id_, secret = self.settings.client_id, self.settings.client_secret
        # Encoded as in a form before they are joined (RFC 6749 section 2.3.1).
        auth = httpx.BasicAuth(quote(id_, safe=""), quote(secret, safe="")) if secret else None
        if metadata.is_posted or auth is None:
            form |= {"client_id": id_} | ({"client_secret": secret} if secret else {})
            auth = None
        return await self._json("POST", metadata.token_endpoint, data=form, auth=auth)

    async def _claims(self, metadata: _Metadata, tokens: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """What the ID token says, once it is certain that it is for us, for now, and for this sign-in."""
        from joserfc.errors import JoseError

        token = tokens.get("id_token")
        if not isinstance(token, str) or not token.isascii():
            raise self._unfit("it sent no ID token")
        try:
            return self._checked(await self._verified(metadata, token), tokens, nonce)
        # A key or a token that is none raises whatever cryptography and Python find.
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._unfit(f"its ID token does not hold: {error}") from error

    async def _verified(self, metadata: _Metadata, token: str) -> Token:
        """An ID token that the provider signed, with a key of today's if need be."""
        from joserfc import jwt
        from joserfc.errors import BadSignatureError, InvalidKeyIdError
        from joserfc.jwk import KeySet

        if self._keys is not None and self.clock() - self._keys[0] < KEPT:
            # It may have new keys since: then these find none of that name, or another one.
            with suppress(BadSignatureError, InvalidKeyIdError):
                return jwt.decode(token, self._keys[1], algorithms=ALGORITHMS)
        keys = KeySet.import_key_set(_signing(await self._json("GET", metadata.jwks_uri)))
        self._keys = (self.clock(), keys)
        return jwt.decode(token, keys, algorithms=ALGORITHMS)

    def _checked(self, read: Token, tokens: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of a token that is for us, for now, and for this sign-in."""
        from authlib.oidc.core import CodeIDToken

        known = self.settings
        options = {
            "iss": {"essential": True, "value": known.issuer},
            "aud": {"essential": True, "value": known.client_id},
            "sub": {"essential": True},
            "nonce": {"essential": True},
        }
        about = {"nonce": nonce, "client_id": known.client_id, "access_token": tokens.get("access_token")}
        claims = CodeIDToken(read.claims, read.header, options, about)
        claims.validate(now=int(self.clock().timestamp()), leeway=int(LEEWAY.total_seconds()))
        return dict(claims)

    async def _userinfo(
        self, metadata: _Metadata, tokens: Mapping[str, Any], subject: str
    ) -> Mapping[str, Any]:
        bearer = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
        said = await self._json("GET", metadata.userinfo_endpoint, headers=bearer)
        # Else it could be another person's (Core 1.0 section 5.3.2).
        if said.get("sub") != subject:
            raise self._unfit("it tells of another subject than its ID token")
        return said

    async def _json(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        """An answer of the provider, which is an object."""
        try:
            async with asyncio.timeout(TIMEOUT.total_seconds()):
                status, body = await _ask(method, address, **more)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            log.warning("the provider of sign-ins is away", extra={"url": address, "reason": str(error)})
            raise Refused(Reason.PROVIDER_AWAY) from error
        if status >= 500 or status == 429:
            log.warning(
                "the provider of sign-ins is away", extra={"url": address, "reason": f"it answers {status}"}
            )
            raise Refused(Reason.PROVIDER_AWAY)
        try:
            said = httpx.Response(status, content=body).json()
        except ValueError:
            said = None
        if status != 200 or not isinstance(said, dict):
            told = said.get("error", "") if isinstance(said, dict) else ""
            raise self._unfit(f"{urlsplit(address).path} answers {status} {told}".strip())
        return said

    def _unfit(self, reason: str) -> Refused:
        """What an operator has to look at; nothing secret stands in a reason."""
        facts = {"issuer": self.settings.issuer, "reason": reason[:200]}
        log.warning("the provider of sign-ins cannot be relied on", extra=facts)
        return Refused(Reason.PROVIDER_UNFIT)


def is_guarded(address: str) -> bool:
    """Whether nobody between us and an address can read along: TLS, or this very machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    is_here = host in ("localhost", "127.0.0.1", "::1")
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_here))


async def _ask(method: str, address: str, **more: Any) -> tuple[int, bytes]:
    """Status and body; redirects are not followed, and a proxy of the environment is not asked."""
    async with (
        httpx.AsyncClient(verify=_tls(), trust_env=False, timeout=TIMEOUT.total_seconds()) as client,
        client.stream(method, address, **more) as response,
    ):
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > _MOST_BYTES:
                raise httpx.DecodingError("the answer is too long")
        return response.status_code, body


@cache
def _tls() -> ssl.SSLContext:
    """The usual certificates and those of this machine: a newsroom may have signed its provider's itself."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def _signing(said: Mapping[str, Any]) -> Any:
    """The keys that verify: one for encrypting, or a shared one, says nothing of who signed."""
    keys = said.get("keys")
    fit = [
        key
        for key in (keys if isinstance(keys, list) else ())
        if isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"
    ]
    return {"keys": fit}
