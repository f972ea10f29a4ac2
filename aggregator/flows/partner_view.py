"""What the desk shows of partners: what each may take, what it took, and what it was told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from aggregator.flows.partners import require_partner
from aggregator.outgoing import Carried, Delivery, Partner, PartnerKey, WebhookLogged
from aggregator.store import carried, partners, subscribers, unfinished
from aggregator.store.unfinished import Acted

#: Rows of what it took, and of what it was told.
MOST_TAKEN, MOST_TOLD = 20, 20
#: How far back its use is shown, in days.
DAYS = 30


@dataclass(frozen=True, slots=True)
class PartnerRowSeen:
    """A partner in one row."""

    partner: Partner
    keys: tuple[PartnerKey, ...]
    #: When it was last given an entry that it did not have.
    taken_at: datetime | None
    #: Webhooks that wait to be taken, and that were given up.
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True)
class Taken:
    """An entry that a partner has."""

    delivery: Delivery
    #: As a channel of the partner carries it; None where none does any more.
    row: Carried | None

    @property
    def is_current(self) -> bool:
        """Whether it has the state that subscribers have now."""
        return self.row is not None and self.delivery.revision >= self.row.entry.revision


@dataclass(frozen=True, slots=True)
class ToldSeen:
    """What became of telling a partner of an act of publishing."""

    log: WebhookLogged
    acted: Acted


@dataclass(frozen=True, slots=True)
class UseOfDay:
    """What a partner asked for on a day (UTC), in every way together."""

    day: date
    requests: int
    entries: int


@dataclass(frozen=True, slots=True)
class PartnerSeen:
    """A partner with all that its page shows."""

    row: PartnerRowSeen
    taken: tuple[Taken, ...]
    told: tuple[ToldSeen, ...]
    #: The last days, oldest first, those without any use among them.
    use: tuple[UseOfDay, ...]


def all_partners(session: Session) -> list[PartnerRowSeen]:
    """Every partner: those that may read by name, then those that were revoked."""
    taken, states = partners.last_taken(session), subscribers.webhook_states(session)
    keys = partners.all_keys(session)
    known = sorted(partners.everyone(session), key=lambda one: (one.revoked_at is not None, one.name))
    return [
        PartnerRowSeen(
            one,
            tuple(keys.get(one.id, ())),
            taken.get(one.id),
            states.get((one.id, "waiting"), 0),
            states.get((one.id, "failed"), 0),
        )
        for one in known
    ]


def one_partner(session: Session, name: str, now: datetime) -> PartnerSeen:
    """A partner as its page shows it.

    Raises:
        BadInput: there is none.
    """
    partner = require_partner(session, name)
    row = next(row for row in all_partners(session) if row.partner.id == partner.id)
    log = subscribers.webhook_log(session, partner.id, limit=MOST_TOLD)
    acts = unfinished.acts_of(session, [one.publication_id for one in log])
    taken = partners.newest_taken(session, partner, limit=MOST_TAKEN)
    rows = _rows(session, partner, [one.entry_id for one in taken])
    return PartnerSeen(
        row,
        tuple(Taken(one, rows.get(one.entry_id)) for one in taken),
        tuple(ToldSeen(one, acts[one.publication_id]) for one in log),
        _use(session, partner, now.date()),
    )


def _rows(session: Session, partner: Partner, ids: Collection[str]) -> dict[str, Carried]:
    """What the partner's channels told of these entries; the newest state, where they differ."""
    found: dict[str, Carried] = {}
    for channel in partner.channels:
        for id, row in carried.of_ids(session, channel, ids).items():
            if id not in found or row.change > found[id].change:
                found[id] = row
    return found


def _use(session: Session, partner: Partner, today: date) -> tuple[UseOfDay, ...]:
    first = today - timedelta(days=DAYS - 1)
    used = partners.usage(session, partner.id, since=first)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return tuple(
        UseOfDay(
            day,
            sum(one.requests for one in used if one.day == day),
            sum(one.entries for one in used if one.day == day),
        )
        for day in days
    )
