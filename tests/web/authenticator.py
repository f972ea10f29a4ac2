"""A device that holds passkeys, made of the real keys and bytes of WebAuthn (level 3, section 6)."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

#: Its owner is there, and has shown who they are.
PRESENT, VERIFIED = 0x01, 0x04
#: What follows holds a key pair.
_WITH_KEY = 0x40


@dataclass(slots=True)
class Held:
    """A passkey on the device."""

    id: bytes
    host: str
    handle: bytes
    key: ec.EllipticCurvePrivateKey
    count: int = 0


@dataclass(slots=True)
class Device:
    """A device, and the browser before it; what a test sets is what a liar would send."""

    #: The page that asks, as the browser sees it.
    origin: str
    #: Whether it counts; passkeys that are kept in several places do not.
    counts: bool = True
    flags: int = PRESENT | VERIFIED
    #: What it takes for the host of the page, where it lies.
    host: str | None = None
    held: list[Held] = field(default_factory=list)

    def create(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.create` gives, as our script writes it."""
        key = ec.generate_private_key(ec.SECP256R1())
        handle = base64url_to_bytes(options["user"]["id"])
        one = Held(secrets.token_bytes(32), options["rp"]["id"], handle, key)
        # As real ones do: of one host and one person there is one.
        self.held = [each for each in self.held if (each.host, each.handle) != (one.host, one.handle)] + [one]
        numbers = key.public_key().public_numbers()
        # COSE: a point of P-256, for ES256 (RFC 9053).
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(one.id).to_bytes(2, "big") + one.id + cbor2.dumps(cose)
        data = self._data(one, _WITH_KEY) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        return _credential(
            one,
            clientDataJSON=client,
            attestationObject=attestation,
            transports=["internal", "hybrid", "sea"],
        )

    def get(self, options: Mapping[str, Any], which: int = -1) -> dict[str, Any]:
        """What `navigator.credentials.get` gives for one of its passkeys, as our script writes it."""
        one = self.held[which]
        one.count += self.counts
        client, data = self._client("webauthn.get", options["challenge"]), self._data(one, 0)
        signature = one.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return _credential(
            one, clientDataJSON=client, authenticatorData=data, signature=signature, userHandle=one.handle
        )

    def _data(self, one: Held, more: int) -> bytes:
        host = hashlib.sha256((self.host or one.host).encode()).digest()
        return host + bytes([self.flags | more]) + one.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()


def _credential(one: Held, **response: Any) -> dict[str, Any]:
    written = {
        name: bytes_to_base64url(value) if isinstance(value, bytes) else value
        for name, value in response.items()
    }
    name = bytes_to_base64url(one.id)
    return {"id": name, "rawId": name, "type": "public-key", "response": written}
