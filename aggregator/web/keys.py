"""The key in a request, and how often its holder asks."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from aggregator.model import Clock
from aggregator.outgoing import Partner

_MINUTE = timedelta(minutes=1)


def key_of(authorization: str) -> str | None:
    """The key in an Authorization header: a Bearer token (RFC 6750), or the password of Basic (RFC 7617).

    None where there is none. Feed readers ask for a name and a password; any name will do.
    """
    scheme, _, value = authorization.strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip() or None
        case "basic":
            try:
                text = base64.b64decode(value.strip(), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return None
            return text.partition(":")[2] or None
        case _:
            return None


@dataclass(slots=True)
class Meter:
    """How much of a partner's minute is left, in this process: a bucket that fills up evenly."""

    clock: Clock
    _buckets: dict[int, tuple[float, datetime]] = field(default_factory=dict)

    def wait(self, partner: Partner) -> int | None:
        """Take one request from what is left; the seconds to wait where nothing is, else None."""
        now = self.clock()
        left, at = self._buckets.get(partner.id, (float(partner.per_minute), now))
        # A clock that was set back fills nothing, and takes nothing away.
        gained = max(now - at, timedelta()) / _MINUTE * partner.per_minute
        left = min(left + gained, float(partner.per_minute))
        if left < 1:
            self._buckets[partner.id] = (left, now)
            return ceil((1 - left) / partner.per_minute * 60)
        self._buckets[partner.id] = (left - 1, now)
        return None

    def left(self, partner: Partner) -> int:
        """How many requests are left in this minute."""
        left, _ = self._buckets.get(partner.id, (float(partner.per_minute), self.clock()))
        return int(left)
