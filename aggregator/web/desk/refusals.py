"""What the desk says where somebody was not let in, or could not change how they are."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from aggregator.flows.refusals import Reason
from aggregator.web.locales import N_

SAYS: Mapping[Reason, str] = {
    Reason.STALE: N_("This took too long, or was begun in another window: begin again."),
    Reason.LAST_WAY: N_(
        "Nothing else would open your account: choose a password first, or add another passkey."
    ),
    Reason.ACCOUNT_CLOSED: N_("This account is closed: ask an admin of the desk."),
    Reason.PASSKEY_UNFIT: N_("What the passkey answered does not fit what was asked: try again."),
    Reason.PASSKEY_UNKNOWN: N_(
        "This passkey opens nothing here. Sign in another way, then add one on the page under your name."
    ),
    Reason.PASSKEY_COPIED: N_(
        "This passkey counts no further than before, as a copy of it would, so it was not let in. Sign in "
        "another way, remove it, and tell an admin."
    ),
    Reason.PASSKEY_TAKEN: N_("This passkey is there already."),
    Reason.PASSKEY_UNNAMED: N_("Give the passkey a name of 60 characters at most."),
    Reason.PASSKEYS_TOO_MANY: N_("You have as many passkeys as there may be: remove one first."),
    Reason.PROVIDER_AWAY: N_("%(provider)s does not answer: try again in a minute, or sign in another way."),
    Reason.PROVIDER_UNFIT: N_(
        "What %(provider)s answered cannot be relied on, so nobody was let in. Tell an admin: the log says "
        "what it was."
    ),
    Reason.PROVIDER_REFUSED: N_("%(provider)s did not let you through."),
    Reason.CLAIM_MISSING: N_("%(provider)s does not say which account is yours: tell an admin."),
    Reason.CLAIM_UNVERIFIED: N_(
        "%(provider)s has not verified your address of mail, so no account can be found by it."
    ),
    Reason.NO_ACCOUNT: N_("%(provider)s knows you, but you have no account here: ask an admin for one."),
    Reason.OTHERWISE_CONNECTED: N_(
        "This account, or who you are for %(provider)s, is connected otherwise already: ask an admin."
    ),
}

#: All others are 403: whoever asks is not let in as they are.
_STATUSES = {
    Reason.LAST_WAY: HTTPStatus.CONFLICT,
    Reason.PASSKEY_TAKEN: HTTPStatus.CONFLICT,
    Reason.PASSKEYS_TOO_MANY: HTTPStatus.CONFLICT,
    Reason.PASSKEY_UNNAMED: HTTPStatus.BAD_REQUEST,
    Reason.PROVIDER_AWAY: HTTPStatus.SERVICE_UNAVAILABLE,
    Reason.PROVIDER_UNFIT: HTTPStatus.BAD_GATEWAY,
}


def status_of(reason: Reason) -> int:
    """The status of the answer that says so."""
    return _STATUSES.get(reason, HTTPStatus.FORBIDDEN)
