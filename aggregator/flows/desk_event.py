"""One event as the desk shows it: all its stories, why they are in it, what their versions changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows.desk_wire import alone, require_event
from aggregator.model import Clock, Version
from aggregator.people import Deed
from aggregator.rules.changes import Stretch, changed
from aggregator.store import audit, briefs, clusters, event_marks, event_rows, stories, wire_rows
from aggregator.store.clusters import Merge
from aggregator.store.database import Database
from aggregator.store.event_marks import Mark
from aggregator.store.event_rows import Company, Member
from aggregator.store.wire_rows import Line

#: Texts on one page, and copies under one of them.
TEXTS, COPIES = 40, 20
#: Changes on one page, and bytes of their words: a page has to stay small.
MOST_CHANGES, MOST_CHANGED_BYTES = 24, 40_000
#: The parts of a story that are compared.
PARTS = ("title", "summary", "body")


@dataclass(frozen=True, slots=True)
class Change:
    """A version against the one before it."""

    number: int
    #: When it came here.
    at: datetime
    #: By part, those that changed: "title", "summary", "body".
    parts: Mapping[str, tuple[Stretch, ...]]


@dataclass(frozen=True, slots=True)
class TextSeen:
    """A text of an event with the copies of it."""

    line: Line
    #: Why it is in this event; "" where it is not clustered yet.
    why: str
    agency: str | None
    #: Who else has this text, oldest first.
    copies: tuple[Line, ...]
    #: How many more have it.
    more_copies: int
    #: Newest first; those that the page has room for.
    changes: tuple[Change, ...]
    #: Whether it has versions whose changes are not among them.
    has_more_changes: bool


@dataclass(frozen=True, slots=True)
class EventSeen:
    """An event."""

    root: int
    company: Company
    #: The newest story of it.
    newest: Line
    texts: tuple[TextSeen, ...]
    #: How many texts there are, and behind how many this page begins.
    all_texts: int
    behind: int
    merges: tuple[Merge, ...]
    #: What was decided, oldest first.
    marks: tuple[Mark, ...]
    #: Titles of the briefs that have a story of it, by slug.
    used_in: Mapping[str, str]

    @property
    def mark(self) -> Mark | None:
        """What was decided about it, if that stands."""
        return self.marks[-1] if self.marks and self.marks[-1].is_standing else None

    @property
    def decided(self) -> int:
        """The number of the last decision, 0 where there was none."""
        return self.marks[-1].id if self.marks else 0


def event_seen(session: Session, story: int, *, behind: int = 0, compare: int | None = None) -> EventSeen:
    """The event of a story, its texts newest first; the versions of the story `compare` go first.

    Raises:
        BadInput: there is no such story.
    """
    root = require_event(session, story)
    members = event_rows.members(session, root)
    groups = _by_text(members) if members else {root: []}
    firsts = list(groups)[behind : behind + TEXTS]
    ids = [one for first in firsts for one in (first, *(m.story for m in groups[first][:COPIES]))]
    newest = members[0].story if members else root
    lines = wire_rows.lines(session, [newest, *ids])
    about = {member.story: member for member in members}
    company = event_rows.companies(session, [root]).get(root) or alone(lines[newest])
    changes = _changes(session, [lines[first] for first in firsts], compare)
    used = briefs.using(session, company.stories)
    return EventSeen(
        root=root,
        company=company,
        newest=lines[newest],
        texts=tuple(
            _text(lines[first], about.get(first), [lines[m.story] for m in groups[first][:COPIES]],
                  len(groups[first]), changes.get(first, ()))
            for first in firsts
        ),
        all_texts=len(groups),
        behind=behind,
        merges=tuple(event_rows.standing_merges(session, root)),
        marks=tuple(event_marks.histories(session, [root]).get(root, ())),
        used_in={slug: title for titles in used.values() for slug, title in titles.items()},
    )  # fmt: skip


async def undo_merge(database: Database, clock: Clock, story: int, merge: int, *, by: str) -> int:
    """Take back a merge that made the event of a story: its two events stand apart again, for good.

    The number of the event that the story is of then.

    Raises:
        BadInput: there is no such story, or no such merge of its event that stands.
    """

    def work(session: Session) -> int:
        root = require_event(session, story)
        standing = {each.id for each in event_rows.standing_merges(session, root)}
        if merge not in standing or not clusters.undo_merge(session, merge, by=by, at=clock()):
            raise BadInput(
                "This merge does not stand any more: load the page anew to see the event as it is."
            )
        audit.add(session, Deed(by, "event.split", str(root), was={"merge": merge}), clock())
        return require_event(session, story)

    return await database.write(work)


def _by_text(members: Sequence[Member]) -> dict[int, list[Member]]:
    """The first story of each text, by the newest; with those that have it too, oldest first."""
    here = {member.story for member in members}
    groups: dict[int, list[Member]] = {}
    for member in reversed(members):
        # The first of a text may be in another event, after a merge was taken back.
        first = member.copy_group if member.copy_group in here else member.story
        groups.setdefault(first, [])
        if first != member.story:
            groups[first].append(member)
    return dict(reversed(groups.items()))


def _text(
    line: Line, member: Member | None, copies: Sequence[Line], all_copies: int, changes: Sequence[Change]
) -> TextSeen:
    return TextSeen(
        line=line,
        why=member.why if member else "",
        agency=member.agency if member else None,
        copies=tuple(copies),
        more_copies=all_copies - len(copies),
        changes=tuple(changes),
        has_more_changes=len(changes) < line.versions - 1,
    )


def _changes(session: Session, lines: Sequence[Line], compare: int | None) -> dict[int, list[Change]]:
    """What the versions of these stories changed, newest first, as far as a page has room."""
    found: dict[int, list[Change]] = {}
    room, bytes_left = MOST_CHANGES, MOST_CHANGED_BYTES
    for line in sorted(lines, key=lambda line: line.id != compare):
        if line.versions < 2:
            continue
        for change in _of_story(session, line.id, room):
            size = sum(len(s.text.encode()) for part in change.parts.values() for s in part)
            if room == 0 or size > bytes_left:
                return found
            room, bytes_left = room - 1, bytes_left - size
            found.setdefault(line.id, []).append(change)
    return found


def _of_story(session: Session, story: int, most: int) -> Iterator[Change]:
    versions = stories.newest_versions(session, story, limit=most + 1)
    for new, old in pairwise(versions):
        yield Change(new.number, new.seen_at, {part: said for part, said in _parts(old, new) if said})


def _parts(old: Version, new: Version) -> Iterator[tuple[str, tuple[Stretch, ...]]]:
    for part in PARTS:
        yield part, changed(getattr(old, part), getattr(new, part))
