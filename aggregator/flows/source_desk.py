"""The sources as an editor looks at them, and what an editor decides about one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows.sources import changing
from aggregator.language.text import fold
from aggregator.model import Alarm, Clock, Identity, Reuse, Source, SourceKind, Story
from aggregator.rules.standing import SAMPLE, Rhythm, Standing, rhythm_of, standing_of
from aggregator.store import alarms, rhythms, sources, stories
from aggregator.store.database import Database
from aggregator.store.tables import FetchRow
from feeds.urls import host_of

#: Sources on one page of the list, fetches on one page of a source's log, its newest stories and alarms.
ROWS = 100
FETCHES = 50
STORIES = 20
ALARMS = 10
#: What the picture of a source's rhythm spans, and what is counted as one in it.
SPAN = timedelta(days=7)
STEP = timedelta(hours=6)

#: By what entries can be known.
IDENTITIES = ("id", "link")

#: The longest title and the longest words of rights that are taken, in characters.
MOST_TITLE = 200
MOST_RIGHTS = 1_000

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Followed:
    """A source with how it is doing."""

    source: Source
    standing: Standing
    #: None where it gave no story yet.
    rhythm: Rhythm | None
    #: Those that stand.
    alarms: tuple[Alarm, ...] = ()

    @property
    def host(self) -> str:
        """The host of its address."""
        return host_of(self.source.url)

    @property
    def name(self) -> str:
        """What people call it. Not its address, which may hold a key."""
        return self.source.title or self.host


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to see of the list."""

    #: A name of `FILTERS`.
    show: str = "all"
    #: A part of a title or of a host.
    search: str = ""
    #: A name of `ORDERS`.
    sort: str = "trouble"
    #: The first page is 1.
    page: int = 1


@dataclass(frozen=True, slots=True)
class SourceList:
    """One page of the list."""

    rows: tuple[Followed, ...]
    #: By id of the source, how many stories it gave in each `STEP` of `SPAN`, the oldest first.
    beats: Mapping[int, tuple[int, ...]]
    #: How many sources each filter lets through, whatever is searched for.
    counts: Mapping[str, int]
    #: How many sources meet what was asked for, on all pages.
    found: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class SourceSeen:
    """One source with its log and its newest stories."""

    followed: Followed
    #: When each `STEP` of `SPAN` began, and how many stories it gave in it.
    beats: tuple[tuple[datetime, int], ...]
    #: Newest first.
    fetches: tuple[FetchRow, ...]
    #: Where the next page of the log begins; None where this is the last.
    before: int | None
    stories: tuple[Story, ...]
    #: The newest, those that are over as well.
    alarms: tuple[Alarm, ...]
    #: What the feed calls itself; "" where it was not read yet.
    own_title: str


_FAILING = (Standing.FAILING, Standing.GONE)
_UNANSWERED = (Standing.NEVER, Standing.WAITING)
_NOT_ASKED = (Standing.PAUSED, Standing.GONE)

#: Which sources a list shows.
FILTERS: Mapping[str, Callable[[Followed], bool]] = {
    "all": lambda one: True,
    "alarm": lambda one: bool(one.alarms),
    "failing": lambda one: one.standing in _FAILING or one.standing is Standing.NEVER,
    "silent": lambda one: one.standing is Standing.SILENT,
    "paused": lambda one: one.standing is Standing.PAUSED,
    "never": lambda one: one.standing in _UNANSWERED,
}

_RANK = {standing: place for place, standing in enumerate(Standing)}

#: In which order; sources that are alike there follow by name.
ORDERS: Mapping[str, Callable[[Followed], float]] = {
    "trouble": lambda one: (
        _RANK[one.standing] * 1_000_000 - min(one.source.failures, 499_999) - 500_000 * bool(one.alarms)
    ),
    "name": lambda one: 0,
    "newest": lambda one: -one.rhythm.newest.timestamp() if one.rhythm else 0,
    "stories": lambda one: -one.source.stories,
    "next": lambda one: one.source.next_due.timestamp() + (1e12 if one.standing in _NOT_ASKED else 0),
}


def list_sources(session: Session, asked: Asked, now: datetime) -> SourceList:
    """The sources that somebody asks for, those in trouble first unless they want another order."""
    spans = rhythms.spans(session, stories=SAMPLE)
    raised = _by_source(alarms.standing(session))
    followed = [
        _followed(source, spans, raised.get(source.id, ())) for source in sources.all_sources(session)
    ]
    lets_through = FILTERS.get(asked.show, FILTERS["all"])
    wanted = fold(asked.search.strip())
    found = [
        one
        for one in followed
        if lets_through(one) and (wanted in fold(one.source.title) or wanted in one.host)
    ]
    order = ORDERS.get(asked.sort, ORDERS["trouble"])
    found.sort(key=lambda one: (order(one), fold(one.name), one.source.id))
    pages = max(1, -(-len(found) // ROWS))
    page = min(max(asked.page, 1), pages)
    rows = tuple(found[(page - 1) * ROWS : page * ROWS])
    return SourceList(
        rows=rows,
        beats=rhythms.counts(session, [one.source.id for one in rows], _bounds(now)),
        counts={name: sum(map(lets, followed)) for name, lets in FILTERS.items()},
        found=len(found),
        page=page,
        pages=pages,
    )


def see_source(session: Session, source_id: int, now: datetime, *, before: int | None) -> SourceSeen | None:
    """One source with a page of its log; None where there is no such source."""
    source = sources.by_id(session, source_id)
    if source is None:
        return None
    log = sources.fetches(session, source_id, limit=FETCHES + 1, before=before)
    bounds = _bounds(now)
    return SourceSeen(
        followed=_followed(
            source,
            rhythms.spans(session, stories=SAMPLE, only=source_id),
            alarms.standing(session, only=source_id),
        ),
        beats=tuple(zip(bounds, rhythms.counts(session, [source_id], bounds)[source_id], strict=False)),
        fetches=tuple(log[:FETCHES]),
        before=log[FETCHES - 1].id if len(log) > FETCHES else None,
        stories=tuple(stories.find(session, sources=[source_id], limit=STORIES)),
        alarms=tuple(alarms.of_source(session, source_id, limit=ALARMS)),
        own_title=sources.own_title(session, source_id),
    )


def is_followed(session: Session, source_id: int) -> bool:
    """Whether there is such a source, paused or not."""
    return sources.by_id(session, source_id) is not None


async def describe_source(
    database: Database,
    clock: Clock,
    source_id: int,
    *,
    title: str,
    kind: str,
    language: str,
    rights: str,
    reuse: str,
    by: str,
) -> None:
    """Say what a source is called, what it is, and how much of it is passed on.

    Channels follow at their next rendering. One that is to be asked more often begins at once;
    without a title it is called what its feed calls itself.

    Raises:
        BadInput: a value cannot be used; nothing was changed.
    """
    wanted = (title_of(title), kind_of(kind), language_of(language), rights_of(rights), reuse_of(reuse))

    def describe(session: Session) -> None:
        with changing(session, source_id, "source.describe", by=by, now=clock()):
            _describe(session, source_id, clock(), wanted)

    await database.write(describe)


async def pause_source(database: Database, clock: Clock, source_id: int, *, paused: bool, by: str) -> None:
    """Pause a source, or go on with it, though its server said that it is gone."""
    act = "source.pause" if paused else "source.resume"

    def pause(session: Session) -> None:
        with changing(session, source_id, act, by=by, now=clock()):
            sources.pause(session, source_id, paused=paused)

    await database.write(pause)


async def ask_source(database: Database, clock: Clock, source_id: int, *, by: str) -> None:
    """Let a source be asked now, whatever its server said about waiting."""
    why = f"{by} says to ask now"

    def insist(session: Session) -> None:
        with changing(session, source_id, "source.ask", by=by, now=clock()):
            sources.insist(session, source_id, clock(), why=why)

    await database.write(insist)


async def identify_source(
    database: Database, clock: Clock, source_id: int, identity: str, *, by: str
) -> None:
    """Say by what a source's entries are known; the program does not change that any more.

    Raises:
        BadInput: it is neither an id nor a link.
    """
    if identity not in IDENTITIES:
        raise BadInput("Choose by what its entries are known: their ids or their links.")
    wanted: Identity = "link" if identity == "link" else "id"

    def identify(session: Session) -> None:
        with changing(session, source_id, "source.identify", by=by, now=clock()):
            sources.identify(session, source_id, wanted, why="", by=by)

    await database.write(identify)


def title_of(written: str) -> str:
    """A title on one line.

    Raises:
        BadInput: it is too long.
    """
    title = " ".join(written.split())
    if len(title) > MOST_TITLE:
        raise BadInput(f"This name has {len(title)} characters: shorten it to {MOST_TITLE} or fewer.")
    return title


def kind_of(written: str) -> SourceKind:
    """A kind by its word.

    Raises:
        BadInput: there is no such kind.
    """
    if written not in set(SourceKind):
        raise BadInput("Choose how often it is asked: wire, news or blog.")
    return SourceKind(written)


def reuse_of(written: str) -> Reuse:
    """A measure of reuse by its word.

    Raises:
        BadInput: there is no such measure.
    """
    if written not in set(Reuse):
        raise BadInput("Choose how much is passed on: none, headline, summary or full.")
    return Reuse(written)


def language_of(written: str) -> str | None:
    """A language by its code (BCP 47); None where nothing is written.

    Raises:
        BadInput: it is no code of a language.
    """
    code = written.strip().replace("_", "-")
    if code and (len(code) > 35 or not _LANGUAGE.fullmatch(code)):
        raise BadInput("Write the language as a code such as en, fr or pt-BR, or leave it empty.")
    return code or None


def rights_of(written: str) -> str | None:
    """What may be republished, in words; None where nothing is written.

    Raises:
        BadInput: it is too long.
    """
    rights = written.strip()
    if len(rights) > MOST_RIGHTS:
        raise BadInput(f"These rights have {len(rights)} characters: shorten them to {MOST_RIGHTS} or fewer.")
    return rights or None


def _describe(
    session: Session,
    source_id: int,
    now: datetime,
    wanted: tuple[str, SourceKind, str | None, str | None, Reuse],
) -> None:
    source = sources.by_id(session, source_id)
    if source is None:
        raise BadInput("This source is not followed any more.")
    title, kind, language, rights, reuse = wanted
    title = title or sources.own_title(session, source_id)
    sources.describe(session, source_id, title=title, kind=kind, language=language, rights=rights)
    sources.allow(session, source_id, reuse)
    # Its server may have told it to wait, and what failed is not asked more often for its kind.
    if _eagerness(kind) > _eagerness(source.kind) and source.failure_kind is None:
        sources.hasten(session, source_id, now)


def _bounds(now: datetime) -> list[datetime]:
    """Where the steps of `SPAN` begin and the last one ends: with the present hour."""
    end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return [end - SPAN + STEP * place for place in range(SPAN // STEP + 1)]


def _eagerness(kind: SourceKind) -> int:
    return -list(SourceKind).index(kind)


def _followed(
    source: Source, spans: Mapping[int, tuple[datetime, datetime]], raised: Sequence[Alarm]
) -> Followed:
    rhythm = rhythm_of(source, spans.get(source.id))
    return Followed(source, standing_of(source, rhythm), rhythm, tuple(raised))


def _by_source(raised: Sequence[Alarm]) -> dict[int, list[Alarm]]:
    found: dict[int, list[Alarm]] = {}
    for alarm in raised:
        found.setdefault(alarm.source_id, []).append(alarm)
    return found
