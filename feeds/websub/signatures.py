"""The header by which a subscriber knows that its hub sent a delivery (WebSub section 7.1)."""

from __future__ import annotations

import hmac
from typing import Literal

Algorithm = Literal["sha256", "sha384", "sha512"]

# Section 7.1.1 knows sha1 as well. Nothing new should rest on it, so nobody is offered it here.
_ALGORITHMS = frozenset({"sha256", "sha384", "sha512"})


def sign(body: bytes, secret: str, *, algorithm: Algorithm = "sha256") -> str:
    """The value of X-Hub-Signature for these very bytes: `sha256=` and an HMAC in hexadecimal.

    Raises:
        ValueError: `secret` is empty, so that anybody could sign; or the algorithm is another.
    """
    if not secret:
        raise ValueError("An empty secret signs nothing.")
    if algorithm not in _ALGORITHMS:
        raise ValueError(f"{algorithm} is not among {sorted(_ALGORITHMS)}.")
    return f"{algorithm}={hmac.new(secret.encode(), body, algorithm).hexdigest()}"


def is_genuine(header: str | None, body: bytes, secret: str) -> bool:
    """Whether an X-Hub-Signature was made from these bytes with this secret (section 7.1.2).

    False for no header, a malformed one, sha1 and an empty secret. Compared in constant time.
    A subscriber answers 2xx all the same, and ignores what is not genuine.
    """
    # Some hubs write hexadecimal in upper case.
    given = (header or "").strip().lower()
    match given.partition("=")[0]:
        case "sha256" | "sha384" | "sha512" as algorithm if secret:
            expected = sign(body, secret, algorithm=algorithm)
            return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
    return False
