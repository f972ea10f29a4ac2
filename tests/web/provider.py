"""A small provider of OpenID Connect on loopback: real keys, real HTTP, and lies where a test wants them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "wirebrief desk", "s:cret/of the desk"


@dataclass(slots=True)
class Granted:
    """What a code may be exchanged for."""

    redirect_uri: str
    challenge: str
    nonce: str
    subject: str


@dataclass(slots=True)
class TheirSide:
    """The provider, and what it says."""

    #: The time by its clock, in seconds.
    clock: Callable[[], float]
    issuer: str = ""
    #: Who is signed in there, and what it says of them.
    subject: str = "248289761001"
    claims: dict[str, Any] = field(default_factory=lambda: {"email": "cleo-chief", "email_verified": True})
    #: What only its userinfo says.
    more: dict[str, Any] = field(default_factory=dict)
    #: What a test has it say of itself, and in its ID token.
    about: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    #: Paths that answer something else: a status and a body.
    instead: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    #: Rewrites an ID token before it is sent.
    forge: Callable[[str], str] | None = None
    key: RSAKey = field(default_factory=lambda: new_key("one"))
    codes: dict[str, Granted] = field(default_factory=dict)
    #: What was asked of it: method and path.
    asked: list[str] = field(default_factory=list)
    #: What was sent to its token endpoint.
    sent: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def rotate(self) -> None:
        """It has a new key, and shows the old one no more."""
        self.key = new_key("two")

    def lets_in(self, address: str) -> str:
        """Somebody signs in at its page; where it sends them, with a code."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        uri, challenge = asked["redirect_uri"], asked["code_challenge"]
        self.codes[code] = Granted(uri, challenge, asked["nonce"], self.subject)
        return f"{uri}?{urlencode({'code': code, 'state': asked['state']})}"

    def answer(self, method: str, path: str, authorization: str, body: str) -> tuple[int, Any]:
        """Status and JSON of what is asked."""
        self.asked.append(f"{method} {path}")
        if path == "/.well-known/openid-configuration":
            return 200, self._configuration()
        if path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False), {"kty": "LATTICE", "kid": "later"}]}
        if path == "/userinfo":
            return 200, {"sub": self.subject, **self.more} if authorization == "Bearer access" else {}
        if path == "/token" and method == "POST":
            return self._exchange(authorization, {name: one[0] for name, one in parse_qs(body).items()})
        return 404, {}

    def _configuration(self) -> dict[str, Any]:
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
        }
        return said | self.about

    def _exchange(self, authorization: str, form: dict[str, str]) -> tuple[int, Any]:
        self.sent.append((authorization, form))
        if not self._is_client(authorization, form):
            return 401, {"error": "invalid_client"}
        granted = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        shown = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if granted is None or granted.challenge != shown or granted.redirect_uri != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": self._id_token(granted)}

    def _is_client(self, authorization: str, form: dict[str, str]) -> bool:
        if self.about.get("token_endpoint_auth_methods_supported") == ["client_secret_post"]:
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        return (unquote(name), unquote(secret)) == (CLIENT, SECRET) and "client_secret" not in form

    def _id_token(self, granted: Granted) -> str:
        now = int(self.clock())
        said = {
            "iss": self.issuer,
            "sub": granted.subject,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": granted.nonce,
            **self.claims,
            **self.token,
        }
        said = {name: value for name, value in said.items() if value is not None}
        header = {"alg": "RS256", "kid": self.key.kid, **self.header}
        written = jwt.encode(header, said, self.key, algorithms=["RS256"])
        return self.forge(written) if self.forge else written


def new_key(name: str) -> RSAKey:
    """A key pair of a provider."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


def unsigned(token: str) -> str:
    """A token that says itself that nobody signed it."""
    return f"{_written({'alg': 'none', 'typ': 'JWT'})}.{token.split('.')[1]}."


def signed_with_public_key(key: RSAKey) -> Callable[[str], str]:
    """Sign with HS256, the provider's public key as the secret: who verifies by what a token says takes it."""

    def forge(token: str) -> str:
        signed = f"{_written({'alg': 'HS256', 'kid': key.kid})}.{token.split('.')[1]}"
        mac = hmac.digest(key.as_pem(private=False), signed.encode(), "sha256")
        return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    return forge


def changed(**claims: object) -> Callable[[str], str]:
    """Say something else under the same signature."""

    def forge(token: str) -> str:
        header, payload, signature = token.split(".")
        said = json.loads(base64.urlsafe_b64decode(payload + "=="))
        return f"{header}.{_written(said | claims)}.{signature}"

    return forge


def _written(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@contextmanager
def provided(theirs: TheirSide) -> Iterator[TheirSide]:
    """The provider listens, as long as this lasts."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            path = urlsplit(self.path).path
            if path == "/authorize":
                # Whoever comes is signed in here already, as with most providers most of the time.
                self.send_response(302)
                self.send_header("location", theirs.lets_in(self.path))
                self.send_header("content-length", "0")
                self.end_headers()
                return
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            status, said = theirs.answer(self.command, path, self.headers.get("authorization", ""), body)
            sent = json.dumps(said).encode()
            if path in theirs.instead:
                status, sent = theirs.instead[path]
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = _do

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    theirs.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield theirs
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
