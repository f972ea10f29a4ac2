"""Passwords: what one must be, and how it is kept (argon2id, RFC 9106)."""

from __future__ import annotations

import asyncio
import unicodedata
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from aggregator.errors import BadInput

#: Characters of a password. Length is what counts (NIST SP 800-63B); the most bounds what a stranger can have hashed.
SHORTEST, LONGEST = 12, 200
#: Fewer different characters than that are a pattern, however long.
FEWEST_DIFFERENT = 6
#: Hashes made at once, each 64 MiB and a core for a twentieth of a second: guessing must not stop the newsroom.
AT_ONCE = 2


@dataclass(slots=True)
class Passwords:
    """Makes and compares what is kept of passwords, a few at a time and beside the event loop."""

    #: The library's own figures are those of RFC 9106, second recommendation.
    hasher: PasswordHasher = field(default_factory=PasswordHasher)
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _nobody_s: str = ""

    async def hash(self, password: str) -> str:
        """What is kept of a password."""
        async with self._turn:
            return await asyncio.to_thread(self.hasher.hash, _plain(password))

    async def is_right(self, kept: str | None, password: str) -> bool:
        """Whether this is the password. Where none is kept it takes as long to say no."""
        async with self._turn:
            return await asyncio.to_thread(self._verify, kept, _plain(password))

    def is_outdated(self, kept: str) -> bool:
        """Whether it would be kept otherwise today."""
        return self.hasher.check_needs_rehash(kept)

    def _verify(self, kept: str | None, password: str) -> bool:
        if kept is None:
            self._nobody_s = self._nobody_s or self.hasher.hash("of nobody")
        try:
            self.hasher.verify(kept or self._nobody_s, password)
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None


def require_good(password: str, name: str) -> None:
    """Let nothing pass that is no password to rely on.

    Raises:
        BadInput: with what to choose instead.
    """
    plain = _plain(password)
    if len(plain) < SHORTEST:
        raise BadInput(f"Choose a password of {SHORTEST} characters or more: some words in a row do well.")
    if len(plain) > LONGEST:
        raise BadInput(f"Choose a password of {LONGEST} characters at most.")
    told = plain.casefold().replace(name.casefold(), "")
    if len(set(told)) < FEWEST_DIFFERENT:
        raise BadInput("Choose a password that is not your name, nor a few characters again and again.")


def _plain(password: str) -> str:
    """The same letters in the same form, whatever keyboard they came from (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
