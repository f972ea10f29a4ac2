"""What a chief looks at: what is open, what went out and goes out next, which feeds ail, how fast the desk is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil
from typing import Any

from sqlmodel import Session

from aggregator.flows.upkeep import KeepSettings
from aggregator.model import Alarm, BriefState, Source
from aggregator.rules.checking.desk import PickSeen, check_picks
from aggregator.rules.checking.values import Check
from aggregator.store import alarms, figures, pauses, sources, unfinished
from aggregator.store.unfinished import Acted, ChangedPick, Heading

#: Rows of each list that are looked at.
MOST = 50
#: Ailing sources that are named; beyond them there is the page of the sources.
MOST_AILING = 12
#: Stories that are timed, the newest ones.
SAMPLE = 1_000
#: How far back speed and volume are looked at.
SPAN = timedelta(hours=24)
#: How far back a published brief is watched for what the wire changed under it.
WATCHED = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class OpenBrief:
    """A brief of which readers do not have all."""

    brief: Heading
    #: Checks that nobody decided.
    checks: int
    #: Stories that were picked for it.
    picks: int
    #: Whether its newest text has been held against the wire.
    is_read: bool


@dataclass(frozen=True, slots=True)
class OpenChecks:
    """The checks of a brief that nobody decided."""

    brief: Heading
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """How long something took, of so many stories: half of them at most `half`, 95 in 100 at most `most`."""

    stories: int
    half: timedelta
    most: timedelta


@dataclass(frozen=True, slots=True)
class Today:
    """The newsroom at a moment."""

    open: tuple[OpenBrief, ...]
    checks: tuple[OpenChecks, ...]
    #: Acts of publishing of the day, newest first.
    acts: tuple[Acted, ...]
    planned: tuple[Heading, ...]
    #: The sources about which an alarm stands, the one raised last first, with what stands.
    alarms: tuple[tuple[Source, tuple[Alarm, ...]], ...]
    #: The worst of the others that are gone, fail or are silent; and how many all of them are.
    ailing: tuple[Source, ...]
    ill: int
    #: Sources that are followed.
    followed: int
    #: When our own connection failed, and when it was back; None where it did not in the last day.
    outage: tuple[datetime, datetime | None] | None
    #: From the outlet to us; None where nothing came that names its time.
    wire: Wait | None
    #: From us to the first document; None where no channel carried anything that came.
    desk: Wait | None
    #: Stories that came between each of the asked times and the next.
    volume: tuple[int, ...]
    #: Stories that came in each language, the most first.
    languages: tuple[tuple[str | None, int], ...]
    #: Whether more came than are timed.
    is_sample: bool


def today(
    session: Session, now: datetime, *, midnight: datetime, edges: Sequence[datetime], keep: KeepSettings
) -> Today:
    """The newsroom now; its day began at `midnight`. The volume is counted between `edges`."""
    checks = open_checks(session, now)
    silent_since = now - keep.silence
    failed = pauses.outage(session, now - SPAN)
    ill, followed = sources.count_ailing(session, silent_since)
    since, volume = now - SPAN, tuple(figures.came(session, edges))
    raised = raised_alarms(session)
    alarmed = {source.id for source, _ in raised}
    worst = sources.ailing(session, silent_since, limit=MOST_AILING + len(alarmed))
    return Today(
        open=tuple(open_briefs(session, {each.brief.id: len(each.checks) for each in checks})),
        checks=tuple(checks),
        acts=tuple(unfinished.acts_since(session, midnight, limit=MOST)),
        planned=tuple(unfinished.planned(session, limit=MOST)),
        alarms=tuple(raised),
        ailing=tuple(source for source in worst if source.id not in alarmed)[:MOST_AILING],
        ill=ill + sum(not _is_ailing(source, silent_since) for source, _ in raised),
        followed=followed,
        outage=(failed.began_at, failed.ended_at) if failed else None,
        wire=_wait(figures.wire_waits(session, since, newest=SAMPLE)),
        desk=_wait(figures.desk_waits(session, since, newest=SAMPLE)),
        volume=volume,
        languages=tuple(figures.languages(session, edges[0])),
        is_sample=sum(volume) > SAMPLE,
    )


def raised_alarms(session: Session) -> list[tuple[Source, tuple[Alarm, ...]]]:
    """The sources about which an alarm stands, with what stands."""
    by_source: dict[int, list[Alarm]] = {}
    for alarm in alarms.standing(session):
        by_source.setdefault(alarm.source_id, []).append(alarm)
    found = [(sources.by_id(session, id), tuple(raised)) for id, raised in list(by_source.items())[:MOST]]
    return [(source, raised) for source, raised in found if source is not None]


def _is_ailing(source: Source, since: datetime) -> bool:
    """Whether a source is counted among those that are gone, fail or are silent anyway."""
    answered = source.last_success
    is_late = source.last_fetch is not None and (answered is None or answered < since)
    return not source.is_paused and (source.gone_at or source.failure_kind or is_late) not in (None, False)


def open_briefs(session: Session, checks: Mapping[int, int]) -> list[OpenBrief]:
    """Drafts, and briefs that were changed since they were published; `checks` says how many each has open."""
    found = unfinished.unpublished(session, limit=MOST)
    ids = [brief.id for brief in found]
    picks, told = unfinished.picks(session, ids), unfinished.told(session, ids)
    digests, read = unfinished.digests(session, ids), unfinished.read(session, ids)
    return [
        OpenBrief(brief, checks.get(brief.id, 0), len(picks.get(brief.id, ())), brief.id in read)
        for brief in found
        if brief.state is BriefState.DRAFT
        or told.get(brief.id) != (digests[brief.id], _placed(picks.get(brief.id, ())))
    ]


def open_checks(session: Session, now: datetime) -> list[OpenChecks]:
    """The checks of all briefs that nobody decided, those of the brief saved last first."""
    found = unfinished.found_checks(session, limit=MOST)
    decided = unfinished.decided(session, [brief.id for brief, _ in found])
    rows = [
        (brief, check)
        for brief, fields in found
        for check in map(_check, fields)
        if (brief.id, check.kind, check.brief, check.sources_say) not in decided
    ]
    rows += [
        (pick.brief, check)
        for pick in unfinished.changed_picks(session, now - WATCHED, limit=MOST)
        for check in _superseded(pick)
    ]
    rows.sort(key=lambda row: (row[0].saved_at, row[0].id), reverse=True)
    return [
        OpenChecks(brief, tuple(check for _, check in some))
        for brief, some in groupby(rows, key=lambda row: row[0])
    ]


def _check(fields: Sequence[Any]) -> Check:
    kind, passage, words, start, end, sources_say, urls, spans, message = fields
    said = tuple((url, story) for url, story in spans)
    return Check(kind, passage, words, start, end, sources_say, tuple(urls), said, message)


def _superseded(pick: ChangedPick) -> list[Check]:
    return check_picks([PickSeen(pick.passage, "", pick.url, pick.told, pick.newest, pick.is_withdrawn)])


def _placed(picks: Iterable[tuple[str, int, str]]) -> set[tuple[str, int, str]]:
    """The picks that are published: those of a paragraph that was taken out wait for it."""
    return {pick for pick in picks if not pick[0].startswith("gone-")}


def _wait(pairs: Sequence[tuple[datetime, datetime]]) -> Wait | None:
    """How long it took from the first to the second of each pair."""
    if not pairs:
        return None
    # What an outlet dates into the future did not wait at all.
    waits = sorted(max(end - begin, timedelta()) for begin, end in pairs)
    return Wait(len(waits), _rank(waits, 0.5), _rank(waits, 0.95))


def _rank(waits: Sequence[timedelta], share: float) -> timedelta:
    """The shortest time within which this share of all was done (nearest rank)."""
    return waits[ceil(share * len(waits)) - 1]
