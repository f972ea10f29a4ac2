"""What changes for the subscribers of a channel: which entries stand in it, which are told anew.

`draw` compares what a channel may carry now with what its subscribers were last told. An entry
that did not change keeps its second, its change number and so its bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aggregator.outgoing import Carried, Told
from aggregator.rules.channels import Candidate, Channel, judge
from feeds.model import Entry, Person, Tombstone


@dataclass(frozen=True, slots=True)
class Plan:
    """A channel as it is to stand. A row whose `change` is 0 is to be told under a new number."""

    #: What stands in the document, newest first.
    present: tuple[Carried, ...]
    #: What does not: too old, no room, a twin, or no longer part of the channel.
    others: tuple[Carried, ...]

    @property
    def updated(self) -> datetime | None:
        """When its newest entry was updated; None where it is empty."""
        return self.present[0].entry.updated if self.present else None

    def changed(self, before: Mapping[str, Carried]) -> list[Carried]:
        """The rows that differ from those before, those to be told anew in the order in which they came."""
        rows = [row for row in (*self.present, *self.others) if before.get(row.entry_id) != row]
        return sorted(rows, key=lambda row: (row.dated, row.kind, row.ref))


@dataclass(frozen=True, slots=True)
class _Placed:
    """A candidate that the channel carries, with the second it stands on."""

    candidate: Candidate
    at: datetime
    why: str

    @property
    def id(self) -> str:
        return self.candidate.entry.id or ""


def draw(
    channel: Channel,
    candidates: Iterable[Candidate],
    *,
    before: Mapping[str, Carried],
    taken: Collection[datetime] = (),
    titles: Mapping[str, str],
    now: datetime,
) -> Plan:
    """The channel as it is to stand at `now`.

    `before` has the rows of these candidates and of all that is present, by entry id; `taken` the
    seconds on which other entries of the channel stand, those from `unplaced_since` on.
    """
    judged = [(c, judge(channel, c, titles, was_told=_was_told(before, c))) for c in candidates]
    placed = _apart([(c, found.why) for c, found in judged if found.is_in], before, taken)
    kept, twins = _once(placed)
    present, past = _window(channel, kept, now)
    rows: dict[str, Carried] = {}
    for one in present:
        rows[one.id] = _told(channel, one, before.get(one.id), now, is_present=True, why=one.why)
    for one, why in past:
        rows[one.id] = _told(channel, one, before.get(one.id), now, is_present=False, why=why)
    out = [(one.id, one.candidate.ref, "Its page stands under another entry.") for one in twins]
    out += [(c.entry.id or "", c.ref, found.why) for c, found in judged if not found.is_in]
    for id, ref, why in out:
        old = before.get(id)
        if id not in rows and old is not None and old.ref == ref and old.told is not Told.REMOVED:
            rows[id] = removed(old, why, now)
    return _planned(rows.values())


def fit(plan: Plan, sizes: Mapping[str, int], room: int) -> Plan:
    """The plan with only as many entries present as fit into `room` bytes; the newest always does."""
    used, fitting = 0, 0
    for row in plan.present:
        used += sizes[row.entry_id]
        if used > room and fitting:
            break
        fitting += 1
    why = f"The newer entries fill the {room:,} bytes of this channel's documents."
    past = [replace(row, is_present=False, why=why) for row in plan.present[fitting:]]
    return Plan(plan.present[:fitting], (*plan.others, *past))


def without(plan: Plan, refused: Mapping[str, str], before: Mapping[str, Carried], now: datetime) -> Plan:
    """The plan without entries that cannot be written, by id with the reason; those told before are removed."""
    rows = [row for row in (*plan.present, *plan.others) if row.entry_id not in refused]
    for id, why in refused.items():
        if id in before and before[id].told is not Told.REMOVED:
            rows.append(removed(before[id], f"It cannot be published: {why}", now))
    return _planned(rows)


def removed(old: Carried, why: str, now: datetime) -> Carried:
    """The row of an entry that leaves the channel for good."""
    return replace(old, told=Told.REMOVED, is_present=False, why=why, change=0, changed_at=now, archived=None)


def tombstone_of(row: Carried, author: str) -> Tombstone:
    """The tombstone of a withdrawn entry (RFC 6721)."""
    return Tombstone(ref=row.entry_id, when=row.dated, by=Person(author), comment=row.entry.note)


def _was_told(before: Mapping[str, Carried], candidate: Candidate) -> bool:
    old = before.get(candidate.entry.id or "")
    return old is not None and old.told is not Told.REMOVED


def _planned(rows: Iterable[Carried]) -> Plan:
    listed = list(rows)
    present = sorted(
        (row for row in listed if row.is_present), key=lambda row: _updated(row.entry), reverse=True
    )
    return Plan(tuple(present), tuple(row for row in listed if not row.is_present))


def _apart(
    arrived: Sequence[tuple[Candidate, str]], before: Mapping[str, Carried], taken: Collection[datetime]
) -> list[_Placed]:
    """Newest first, no two updated in one second.

    Many wires date by the minute, and validators warn of entries that share a time. Whoever stands
    on a second keeps it as long as it says the same date; then whoever came first takes the next
    free one. So neither a newcomer nor an edit moves anybody else.
    """
    placed: list[_Placed] = []
    waiting: list[tuple[Candidate, str, datetime]] = []
    for candidate, why in arrived:
        entry, old = candidate.entry, _same(before, candidate)
        if old is not None and _is_as_dated(old, entry):
            placed.append(_Placed(candidate, _updated(old.entry), why))
        else:
            waiting.append((candidate, why, _earliest(entry, old)))
    first = min((at for _, _, at in waiting), default=None)
    used = {*taken, *(one.at for one in placed if first is not None and one.at >= first)}
    for candidate, why, at in sorted(waiting, key=_came):
        while at in used:
            at += timedelta(seconds=1)
        used.add(at)
        placed.append(_Placed(candidate, at, why))
    return sorted(placed, key=lambda one: one.at, reverse=True)


def unplaced_since(candidates: Iterable[Candidate], before: Mapping[str, Carried]) -> datetime | None:
    """From which second on some candidate looks for a free one; None where all stand where they stood."""
    placed = ((one.entry, _same(before, one)) for one in candidates)
    moments = (_earliest(entry, old) for entry, old in placed if old is None or not _is_as_dated(old, entry))
    return min(moments, default=None)


def _earliest(entry: Entry, old: Carried | None) -> datetime:
    """The first second that a new state of an entry may stand on."""
    # What changed moves on from where it stood: readers go by `updated`.
    least = _updated(old.entry) + timedelta(seconds=1) if old else _updated(entry)
    return max(least, _updated(entry))


def _is_as_dated(old: Carried, entry: Entry) -> bool:
    """Whether an entry says the same date as before, and was not told anew within that very second."""
    return old.dated == _updated(entry) and old.entry.revision == entry.revision


def _same(before: Mapping[str, Carried], candidate: Candidate) -> Carried | None:
    """What was told of this very story or brief, and not of another one under its id."""
    old = before.get(candidate.entry.id or "")
    return old if old is not None and (old.kind, old.ref) == (candidate.kind, candidate.ref) else None


def _came(waiting: tuple[Candidate, str, datetime]) -> tuple[datetime, bool, int]:
    """When something came here, and what settles a tie: stories before briefs, then their ids."""
    candidate = waiting[0]
    return candidate.came, candidate.kind == "brief", candidate.ref


def _once(placed: Iterable[_Placed]) -> tuple[list[_Placed], list[_Placed]]:
    """Each id once and each page once, the newest of them; and those that this leaves out."""
    seen: set[str] = set()
    kept: list[_Placed] = []
    twins: list[_Placed] = []
    for one in placed:
        page = one.candidate.page
        names = {one.id, one.id if page is None else page}
        (twins if names & seen else kept).append(one)
        # Those left out count too: else an id would go back to an older twin of its story.
        seen |= names
    return kept, twins


def _window(
    channel: Channel, kept: Sequence[_Placed], now: datetime
) -> tuple[list[_Placed], list[tuple[_Placed, str]]]:
    """What is new enough and has room; and the others, each with why not."""
    present: list[_Placed] = []
    past: list[tuple[_Placed, str]] = []
    for one in kept:
        if channel.age and now - one.at > channel.age:
            past.append((one, f"It is older than the {_in_words(channel.age)} that this channel keeps."))
        elif len(present) >= channel.entries:
            past.append((one, f"The {channel.entries} newest entries fill this channel."))
        else:
            present.append(one)
    return present, past


def _told(
    channel: Channel, one: _Placed, old: Carried | None, now: datetime, *, is_present: bool, why: str
) -> Carried:
    digest, entry = one.candidate.digest, one.candidate.entry
    told = Told.WITHDRAWN if entry.is_withdrawn else Told.PUT
    is_known = old is not None and old.digest == digest and old.told is told
    if old is not None and is_known and _is_same(old, one, is_present, why):
        return old
    return Carried(
        channel=channel.slug,
        entry_id=one.id,
        kind=one.candidate.kind,
        ref=one.candidate.ref,
        entry=_at(one, old.entry if old and is_known else entry),
        digest=digest,
        dated=_updated(entry),
        change=old.change if old and is_known else 0,
        changed_at=old.changed_at if old and is_known else now,
        told=told,
        is_present=is_present,
        why=why,
        archived=old.archived if old and is_known else None,
    )


def _is_same(old: Carried, one: _Placed, is_present: bool, why: str) -> bool:
    """Whether an entry that says what it said stands where it stood, for the same reason."""
    candidate = one.candidate
    return (
        (old.is_present, old.why, old.kind, old.ref) == (is_present, why, candidate.kind, candidate.ref)
        and old.entry.updated == one.at
        and old.dated == _updated(candidate.entry)
    )


def _at(one: _Placed, entry: Entry) -> Entry:
    """The entry as it is told; the very one that was told before where nothing is new."""
    return entry if entry.updated == one.at else replace(entry, updated=one.at)


def _updated(entry: Entry) -> datetime:
    assert entry.updated is not None  # noqa: S101 - both kinds of entry are made with a time
    return entry.updated.replace(microsecond=0) if entry.updated.microsecond else entry.updated


def _in_words(age: timedelta) -> str:
    hours = round(age.total_seconds() / 3600)
    return f"{age.days} days" if hours % 24 == 0 and hours > 24 else f"{hours} hours"
