"""The wire as the desk shows it: one row an event, newest first; what is decided of it; saved views."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.language.query import parse_query
from aggregator.model import Clock
from aggregator.people import Deed
from aggregator.rules.wire_views import Cursor, View
from aggregator.store import audit, briefs, clusters, event_marks, event_rows, saved_views, stories, wire_rows
from aggregator.store.database import Database
from aggregator.store.dialects import row_id
from aggregator.store.event_marks import GIVEN_BACK, SPIKED, TAKEN, Mark
from aggregator.store.event_rows import Company
from aggregator.store.saved_views import SavedView
from aggregator.store.wire_rows import Asked, Found, Line

#: Stories looked at in one go for the events that they are of.
AT_ONCE = 150
#: New stories that are held against a view, so that asking what is new stays cheap after a long time.
MOST_NEW = 1_000
#: Characters of the name of a saved view, and of the reason for a spike.
LONGEST_NAME, LONGEST_WHY = 80, 500

#: What an editor may do with an event, as a form says it, and what is noted then.
ACTS = {"take": TAKEN, "spike": SPIKED, "give_back": GIVEN_BACK}


class MarkedMeanwhile(BadInput):
    """Somebody else decided about the event after the page was loaded; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Event:
    """A cluster in one row of the wire."""

    #: The story that began its cluster.
    root: int
    #: The newest story of it that was asked for.
    line: Line
    company: Company
    #: What was decided about it, if that stands.
    mark: Mark | None
    #: The number of the last decision about it, 0 where there was none.
    decided: int
    #: Titles of the briefs that have a story of it, by slug.
    used_in: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WirePage:
    """A page of the wire."""

    events: tuple[Event, ...]
    #: Where the next page begins; None where this is the last one.
    older: Cursor | None
    #: The newest version when this was read.
    newest: int


@dataclass(frozen=True, slots=True)
class Facets:
    """What the wire may be narrowed to, read without a look at its stories."""

    languages: frozenset[str]
    #: (number, name), by name.
    sources: tuple[tuple[int, str], ...]
    saved: tuple[SavedView, ...]


def wire(
    session: Session, view: View, *, now: datetime, limit: int, cursor: Cursor | None = None
) -> WirePage:
    """The newest events that meet a view, or those behind a cursor.

    Raises:
        QueryError: what the view searches for cannot be read.
    """
    upto = cursor.upto if cursor else wire_rows.newest_story(session)
    asked = _asked(session, view, now, upto)
    found = list(islice(_events(session, asked, view.state, cursor), limit + 1))
    shown = found[:limit]
    older = Cursor(shown[-1].at, shown[-1].story, upto) if len(found) > limit else None
    return WirePage(tuple(_rows(session, shown)), older, stories.newest_version(session))


def facets(session: Session) -> Facets:
    """What stands beside the wire."""
    return Facets(
        frozenset(wire_rows.languages(session)),
        tuple(wire_rows.source_names(session)),
        tuple(saved_views.all_views(session)),
    )


def stock(session: Session) -> tuple[int, int, int]:
    """How far the wire has come: the newest version, and up to which one it is searched and clustered.

    A story that is there already comes to a search, and to its event, some moments later.
    """
    return stories.newest_version(session), stories.indexed_upto(session), clusters.cursor(session)


def arrived(session: Session, view: View, since: int, limit: int = 99, *, now: datetime | None = None) -> int:
    """How many events that meet a view have stories that came after a version; `limit` at most.

    Without the time now the span of the view is left out of account: what has just come is in it.

    Raises:
        QueryError: what the view searches for cannot be read.
    """
    new = wire_rows.came_after(session, since, limit=MOST_NEW)
    if not new:
        return 0
    asked = _asked(session, view, now, None)
    found = {each.root for each in wire_rows.among(session, asked, new)}
    return min(len(found - _left_out(session, found, view.state)), limit)


async def mark(
    database: Database, clock: Clock, story: int, act: str, *, decided: int, why: str = "", by: str
) -> int:
    """Take the event of a story, spike it with a reason, or give it back; the event's number.

    `decided` is the number of the last decision that whoever decides has seen.

    Raises:
        BadInput: there is no such story, or a spike without a reason.
        MarkedMeanwhile: somebody else has decided since.
    """
    kind = ACTS.get(act)
    if kind is None:
        raise BadInput("Say what becomes of the event: one of its buttons does.")
    why = " ".join(why.split())[:LONGEST_WHY]
    if kind == SPIKED and not why:
        raise BadInput("Say why the event is spiked: whoever looks for it will ask.")

    def work(session: Session) -> int:
        root = require_event(session, story)
        last = event_marks.newest(session, [root]).get(root)
        if last and last.id != decided and last.by != by:
            raise MarkedMeanwhile(_meanwhile(last))
        why_now = why if kind == SPIKED else ""
        event_marks.add(session, root, kind, why=why_now, by=by, now=clock())
        was = {"mark": last.kind} if last else {}
        audit.add(session, Deed(by, f"event.{act}", str(root), was, {"mark": kind}, why_now), clock())
        return root

    return await database.write(work)


async def save_view(database: Database, clock: Clock, name: str, view: View, *, by: str) -> None:
    """Keep a view under a name.

    Raises:
        BadInput: it has no name; a QueryError where its search cannot be read.
    """
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name:
        raise BadInput("Give the view a name: it stands beside the wire and is the title of its feed.")
    if view.q:
        parse_query(view.q)

    def work(session: Session) -> None:
        saved_views.save(session, name, view.query, by=by, now=clock())
        audit.add(session, Deed(by, "view.save", name, became={"query": view.query}), clock())

    await database.write(work)


async def remove_view(database: Database, clock: Clock, number: str, *, by: str) -> None:
    """Forget a saved view and its feed. One that is gone already stays gone."""
    view = row_id(number)
    if view is None:
        return

    def work(session: Session) -> None:
        named = next((one.name for one in saved_views.all_views(session) if one.id == view), "")
        if saved_views.remove(session, view):
            audit.add(session, Deed(by, "view.remove", named), clock())

    await database.write(work)


def require_event(session: Session, story: int) -> int:
    """The event that a story is of.

    Raises:
        BadInput: there is no such story.
    """
    root = event_rows.root_of(session, story)
    if root is None:
        raise BadInput(f"There is no story {story}: it may be one of another database.")
    return root


def _meanwhile(last: Mark) -> str:
    did = {TAKEN: "took it", SPIKED: "spiked it", GIVEN_BACK: "gave it back"}[last.kind]
    return f"{last.by} {did} meanwhile, so nothing was changed. Look at it as it is now, then decide."


def _asked(session: Session, view: View, now: datetime | None, upto: int | None) -> Asked:
    return Asked(
        query=parse_query(view.q) if view.q else None,
        topic=view.topic or None,
        language=view.language or None,
        # No source has a number below 1, so what is no number finds nothing.
        source=row_id(view.source) or 0 if view.source else None,
        since=view.since(now) if now else None,
        roots=_roots(session, view.state),
        upto=upto,
    )


def _roots(session: Session, state: str) -> frozenset[int] | None:
    """The events in a state that somebody put them into; None for a state of all others."""
    if state in (TAKEN, SPIKED):
        return frozenset(event_marks.marked(session, state))
    return frozenset(event_marks.used(session)) if state == "used" else None


def _events(session: Session, asked: Asked, state: str, cursor: Cursor | None) -> Iterator[Found]:
    """The newest story of each event, newest first, behind the cursor."""
    seen: set[int] = set()
    before = (cursor.at, cursor.story) if cursor else None
    for some in _portions(wire_rows.newest_first(session, asked, before=before), AT_ONCE):
        fresh: dict[int, Found] = {}
        for each in some:
            if each.root not in seen:
                fresh.setdefault(each.root, each)
        seen.update(fresh)
        hidden = _left_out(session, fresh, state) | _shown_before(session, asked, fresh, before)
        yield from (each for root, each in fresh.items() if root not in hidden)


def _portions(found: Iterable[Found], size: int) -> Iterator[list[Found]]:
    waiting = iter(found)
    while some := list(islice(waiting, size)):
        yield some


def _left_out(session: Session, roots: Iterable[int], state: str) -> set[int]:
    """Those of these events that a state leaves out."""
    if state not in ("", "open"):
        # Only the events in such a state are looked at in the first place.
        return set()
    some = sorted(roots)
    kinds = {root: mark.kind for root, mark in event_marks.newest(session, some).items()}
    if state == "":
        return {root for root, kind in kinds.items() if kind == SPIKED}
    decided = {root for root, kind in kinds.items() if kind != GIVEN_BACK}
    return decided | event_marks.used(session, some)


def _shown_before(
    session: Session, asked: Asked, roots: Iterable[int], before: tuple[datetime, int] | None
) -> set[int]:
    """Those of these events that an earlier page has shown, by a newer story of theirs."""
    if before is None:
        return set()
    found = wire_rows.among(session, asked, wire_rows.of_events(session, roots))
    return {each.root for each in found if each.place >= before}


def _rows(session: Session, shown: Sequence[Found]) -> Iterator[Event]:
    roots = [each.root for each in shown]
    lines = wire_rows.lines(session, [each.story for each in shown])
    companies = event_rows.companies(session, roots)
    marks = event_marks.newest(session, roots)
    used = briefs.using(session, [story for each in companies.values() for story in each.stories] + roots)
    for each in shown:
        line = lines[each.story]
        company = companies.get(each.root) or alone(line)
        titles = {slug: title for story in company.stories for slug, title in used.get(story, {}).items()}
        last = marks.get(each.root)
        standing = last if last and last.is_standing else None
        yield Event(each.root, line, company, standing, last.id if last else 0, titles)


def alone(line: Line) -> Company:
    """The company of a story that is not clustered yet: itself."""
    languages = (line.language,) if line.language else ()
    return Company(1, 0, (line.source_name,), languages, (), (line.id,))
