"""Why somebody was not let in, or could not change how they are: one reason for each thing to do about it."""

from __future__ import annotations

from enum import StrEnum

from aggregator.errors import AggregatorError


class Reason(StrEnum):
    """Why; the desk has a sentence for each (`aggregator.web.desk.refusals`)."""

    #: Not begun in this browser, or too long ago, or answered already.
    STALE = "stale"
    #: It would lock its holder out.
    LAST_WAY = "last-way"
    ACCOUNT_CLOSED = "account-closed"

    PASSKEY_UNFIT = "passkey-unfit"
    PASSKEY_UNKNOWN = "passkey-unknown"
    #: Its device counts less than before, as a copy of it would.
    PASSKEY_COPIED = "passkey-copied"
    PASSKEY_TAKEN = "passkey-taken"
    PASSKEY_UNNAMED = "passkey-unnamed"
    PASSKEYS_TOO_MANY = "passkeys-too-many"

    PROVIDER_AWAY = "provider-away"
    #: What it says contradicts its settings, ours or the protocol.
    PROVIDER_UNFIT = "provider-unfit"
    PROVIDER_REFUSED = "provider-refused"
    CLAIM_MISSING = "claim-missing"
    CLAIM_UNVERIFIED = "claim-unverified"
    NO_ACCOUNT = "no-account"
    #: The account, or the identity, is connected otherwise already.
    OTHERWISE_CONNECTED = "otherwise-connected"


class Refused(AggregatorError):
    """Nobody was let in and nothing was changed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        #: What the desk says is chosen by it.
        self.reason = reason
