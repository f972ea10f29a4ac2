"""Whom a request goes to, and for what."""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx

_DEFAULT_PORTS = {"http": 80, "https": 443}
_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_SEGMENT = r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*"
# Addresses that can be read in one way only: most feeds stand at such a one, and to read it by the
# rules for all others costs as much as to ask it. What is not surely plain is none of them.
_PLAIN = re.compile(
    rf"(https?)://((?:{_BYTE}\.){{3}}{_BYTE}|(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)*[a-z][a-z0-9]*)(?::([1-9]\d{{0,4}}))?"
    rf"(/(?:{_SEGMENT}(?:/{_SEGMENT})*/?)?(?:\?[A-Za-z0-9._~=&-]+)?)",
    re.ASCII,
)
_MOST_PLAIN = 2_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Whom a connection leads to."""

    #: "http" or "https".
    scheme: str
    #: In ASCII, an IPv6 address without its brackets.
    host: str
    port: int

    @classmethod
    def of(cls, url: httpx.URL) -> Origin:
        """The origin of an address."""
        return cls(url.scheme, url.raw_host.decode("ascii"), url.port or _DEFAULT_PORTS[url.scheme])


@dataclass(frozen=True, slots=True)
class Address:
    """An http or https address without credentials and fragment."""

    text: str
    origin: Origin
    #: The host as people write it.
    host: str
    #: The Host header: the port is named unless it is the usual one.
    named: bytes
    #: Path and query.
    target: bytes

    def __str__(self) -> str:
        return self.text

    @classmethod
    def of(cls, url: httpx.URL) -> Address:
        """An address as httpx reads it."""
        return cls(str(url), Origin.of(url), url.host, url.netloc, url.raw_path)

    @classmethod
    def plain(cls, text: str) -> Address | None:
        """An address that can be read in one way only; None where httpx must read it."""
        found = _PLAIN.fullmatch(text) if len(text) <= _MOST_PLAIN else None
        if found is None:
            return None
        scheme, host, port, target = found.groups()
        number = int(port) if port else _DEFAULT_PORTS[scheme]
        if number > 65535 or (port and number == _DEFAULT_PORTS[scheme]):
            return None
        named = f"{host}:{port}" if port else host
        return cls(text, Origin(scheme, host, number), host, named.encode("ascii"), target.encode("ascii"))
