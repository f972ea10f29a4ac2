"""What editors do: bring briefs in, pick their sources, publish, correct, withdraw."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows.writing import Saved, draft_of, revise, save
from aggregator.language.text import fold
from aggregator.model import Act, Brief, BriefState, Clock, Publication, Role, Story
from aggregator.people import Deed
from aggregator.rules.briefs import BriefText, read_brief
from aggregator.store import audit, briefs, stories, suggestions
from aggregator.store.database import Database
from feeds.dates import rfc3339

SLUG_LENGTH = 60

#: What an act of publishing is called in the audit, and how a brief stands after it.
_VERBS = {
    Act.PUBLISHED: "publish",
    Act.UPDATED: "update",
    Act.CORRECTED: "correct",
    Act.WITHDRAWN: "withdraw",
}
_STATES = {Act.WITHDRAWN: BriefState.WITHDRAWN}


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of an imported brief."""

    slug: str
    text: BriefText
    is_new: bool
    #: False where the newest revision said the same already.
    is_changed: bool


async def import_brief(
    database: Database, clock: Clock, text: str, *, by: str, slug: str | None = None
) -> Imported:
    """Save a brief: a new one, or a new revision of the one with that title and date, or `slug`.

    Raises:
        BriefError: the text is no brief; nothing was saved.
    """
    read = read_brief(text)
    draft = draft_of(text, read)

    def save(session: Session) -> Imported:
        name = slug or make_slug(read)
        known = briefs.named(session, name)
        # A name of digits alone may also be the number of another brief.
        if known is None or known.slug != name:
            briefs.create(session, name, draft, by=by, now=clock())
            deed = Deed(by, "brief.add", name, became={"title": draft.title, "revision": 1})
            audit.add(session, deed, clock())
            return Imported(name, read, True, True)
        return Imported(name, read, False, revise(session, known, draft, by=by, now=clock()))

    return await database.write(save)


async def save_brief(database: Database, clock: Clock, brief: str, text: str, *, base: int, by: str) -> Saved:
    """Save what somebody wrote in a brief from its revision `base` on; nobody else's text is lost by it.

    Raises:
        BriefError: the text is no brief; nothing was saved.
        BadInput: there is no such brief or revision.
    """

    def write(session: Session) -> Saved:
        return save(session, require_brief(session, brief), text, base=base, by=by, now=clock())

    return await database.write(write)


async def pick_story(
    database: Database,
    clock: Clock,
    brief: str,
    passage: str,
    story: str,
    role: Role = Role.SOURCE,
    *,
    by: str,
    undo: bool = False,
) -> tuple[Brief, Story, bool]:
    """Take a story for a passage, or take that back. The bool says whether anything changed.

    Raises:
        BadInput: there is no such brief, passage or story.
    """

    def decide(session: Session) -> tuple[Brief, Story, bool]:
        known, found = _require_all(session, brief, passage, story)
        had = next(
            (link.role for link in known.links if (link.passage, link.story_id) == (passage, found.id)), None
        )
        if undo:
            changed = briefs.undo(session, known.id, passage, found.id, by=by, now=clock())
        else:
            suggestions.accept(session, known.id, passage, found.id)
            changed = briefs.pick(session, known.id, passage, found.id, role, by=by, now=clock())
        if changed:
            was, now = _picked(passage, found, had), _picked(passage, found, None if undo else role)
            act = "brief.unpick" if undo else "brief.pick"
            audit.add(session, Deed(by, act, known.slug, was=was, became=now), clock())
        return require_brief(session, brief), found, changed

    return await database.write(decide)


async def reject_story(
    database: Database, clock: Clock, brief: str, passage: str, story: str, *, by: str
) -> tuple[Brief, Story]:
    """Say that a story does not belong to a passage: it is not suggested there again.

    Raises:
        BadInput: there is no such brief, passage or story.
    """

    def decide(session: Session) -> tuple[Brief, Story]:
        known, found = _require_all(session, brief, passage, story)
        briefs.undo(session, known.id, passage, found.id, by=by, now=clock())
        suggestions.reject(session, known.id, passage, found.id, by=by, now=clock())
        became = {"passage": passage, "not": found.title}
        audit.add(session, Deed(by, "brief.reject", known.slug, became=became), clock())
        return require_brief(session, brief), found

    return await database.write(decide)


async def publish_brief(
    database: Database, clock: Clock, brief: str, *, by: str, at: datetime | None = None
) -> tuple[Brief, Act | None]:
    """Publish a brief, or what changed of it since; None where subscribers have all of it.

    With a time `at` that is still to come nothing is told to anybody until then (an embargo), and
    then the brief is published as it stands then, by `release_due`.

    Raises:
        BadInput: there is no such brief, or it was withdrawn.
    """

    def act(session: Session) -> tuple[Brief, Act | None]:
        known = require_brief(session, brief)
        _refuse_withdrawn(known)
        _refuse_embargoed(known, at or clock())
        if at is not None and at > clock():
            briefs.plan_release(session, known.id, at, by=by)
            planned = Deed(by, "brief.plan", known.slug, {"at": known.release_at}, {"at": at})
            audit.add(session, planned, clock())
            return require_brief(session, known.slug), None
        return _publish_changed(session, known, clock, by=by)

    return await database.write(act)


async def cancel_release(database: Database, clock: Clock, brief: str, *, by: str) -> Brief:
    """Take back that a brief is published by itself.

    Raises:
        BadInput: there is no such brief, or nothing is planned for it.
    """

    def act(session: Session) -> Brief:
        known = require_brief(session, brief)
        if known.release_at is None:
            raise BadInput(f"{known.slug} is not planned to be published: there is nothing to take back.")
        briefs.plan_release(session, known.id, None, by=by)
        audit.add(session, Deed(by, "brief.unplan", known.slug, {"at": known.release_at}), clock())
        return require_brief(session, known.slug)

    return await database.write(act)


async def embargo_brief(
    database: Database, clock: Clock, brief: str, until: datetime | None, *, by: str
) -> Brief:
    """Let nobody publish a draft before a time; None lifts that.

    Raises:
        BadInput: there is no such brief, readers have it already, or it is planned to go out before.
    """

    def act(session: Session) -> Brief:
        known = require_brief(session, brief)
        if known.state is not BriefState.DRAFT:
            raise BadInput(f"Readers have {known.slug} already, so an embargo would keep nothing from them.")
        if until is not None and known.release_at is not None and known.release_at < until:
            raise BadInput(
                f"{known.slug} is planned to go out at {rfc3339(known.release_at)}: take that back first."
            )
        briefs.set_embargo(session, known.id, until, by=by)
        was, became = {"until": known.embargo_until}, {"until": until}
        audit.add(session, Deed(by, "brief.embargo", known.slug, was, became), clock())
        return require_brief(session, known.slug)

    return await database.write(act)


async def release_due(database: Database, clock: Clock) -> list[Brief]:
    """Publish the briefs whose planned time has come."""

    def act(session: Session) -> list[Brief]:
        briefs.alone(session)
        due = briefs.to_release(session, clock())
        for known in due:
            briefs.plan_release(session, known.id, None, by=known.release_by)
            if known.state is not BriefState.WITHDRAWN:
                _publish_changed(session, known, clock, by=known.release_by)
        return due

    # Most of the time none is due, and then nothing is written.
    if not await database.read(lambda session: briefs.to_release(session, clock())):
        return []
    return await database.write(act)


async def correct_brief(
    database: Database, clock: Clock, brief: str, text: str, *, by: str, why: str = ""
) -> tuple[Brief, Act | None]:
    """Put a corrected text in the place of the published one, with a note that readers see.

    Raises:
        BriefError: the text is no brief; nothing was changed.
        BadInput: there is no such brief, or it is not published.
    """
    read = read_brief(text)
    draft = draft_of(text, read)

    def act(session: Session) -> tuple[Brief, Act | None]:
        known = require_brief(session, brief)
        if known.state is not BriefState.PUBLISHED:
            raise BadInput(
                f"{known.slug} is not published, so there is nothing to correct: publish it first."
            )
        revise(session, known, draft, by=by, now=clock())
        # Compared with what readers have: the same text may have been saved before, unpublished.
        if briefs.publications(session, [known.id])[-1].revision.digest == draft.digest:
            return require_brief(session, brief), None
        corrected = require_brief(session, brief)
        return _publish(session, corrected, Act.CORRECTED, clock, by=by, why=why.strip())

    return await database.write(act)


async def withdraw_brief(
    database: Database, clock: Clock, brief: str, *, by: str, why: str
) -> tuple[Brief, Act | None]:
    """Take a published brief back: subscribers get a notice and a tombstone with the reason.

    Raises:
        BadInput: there is no such brief, it was never published, or no reason is given.
    """
    if not why.strip():
        raise BadInput("Say why the brief is withdrawn: its readers will read the reason.")

    def act(session: Session) -> tuple[Brief, Act | None]:
        known = require_brief(session, brief)
        if known.state is BriefState.DRAFT:
            raise BadInput(
                f"{known.slug} was never published, so nobody has it: there is nothing to withdraw."
            )
        if known.state is BriefState.WITHDRAWN:
            return known, None
        # What is taken back is what readers have, not a text that was saved since.
        had = replace(known, revision=briefs.publications(session, [known.id])[-1].revision)
        return _publish(session, had, Act.WITHDRAWN, clock, by=by, why=why.strip())

    return await database.write(act)


def is_told(brief: Brief, last: Publication) -> bool:
    """Whether an act of publishing told all that the brief says and rests on now."""
    told = {(link.passage, link.story_id, link.role) for link in last.links}
    now = {(link.passage, link.story_id, link.role) for link in brief.links if link.is_placed}
    return last.revision.digest == brief.revision.digest and told == now


def require_brief(session: Session, name: str) -> Brief:
    """The brief of this slug or number.

    Raises:
        BadInput: there is none.
    """
    found = briefs.named(session, name)
    if found is None:
        raise BadInput(f"There is no brief {name!r}: `wirebrief briefs list` names them all.")
    return found


def make_slug(text: BriefText) -> str:
    """A name for a brief's URL from its date and title: 2025-02-18-les-etats-unis-et-la-russie."""
    title = fold(text.title)
    name = "-".join(re.findall(r"[a-z0-9]+", title))
    is_readable = 2 * len(name) > sum(map(str.isalnum, title))
    if not is_readable or len(name) > SLUG_LENGTH:
        # What is left of a long title, or of one in another script, may be left of the next one too.
        digest = hashlib.sha256(title.encode()).hexdigest()[:8]
        kept = name[: SLUG_LENGTH - len(digest) - 1].rstrip("-") if is_readable else ""
        name = f"{kept}-{digest}".lstrip("-")
    return f"{text.date.isoformat()}-{name}" if text.date else name


def _publish_changed(session: Session, known: Brief, clock: Clock, *, by: str) -> tuple[Brief, Act | None]:
    past = briefs.publications(session, [known.id])
    if not past:
        return _publish(session, known, Act.PUBLISHED, clock, by=by, why="")
    if is_told(known, past[-1]):
        return known, None
    return _publish(session, known, Act.UPDATED, clock, by=by, why="")


def _publish(
    session: Session, brief: Brief, act: Act, clock: Clock, *, by: str, why: str
) -> tuple[Brief, Act | None]:
    briefs.publish(session, brief, act, by=by, why=why, now=clock())
    was, became = {"state": brief.state}, {"state": _STATES.get(act, BriefState.PUBLISHED)}
    number = {"revision": brief.revision.number}
    audit.add(session, Deed(by, f"brief.{_VERBS[act]}", brief.slug, was, became | number, why), clock())
    # What was planned for it is overtaken: nothing goes out later that nobody approved since.
    briefs.plan_release(session, brief.id, None, by="")
    return require_brief(session, brief.slug), act


def _picked(passage: str, story: Story, role: Role | None) -> dict[str, str]:
    """A pick as the audit tells it; nothing where there is none."""
    return {"passage": passage, "story": story.title, "role": role.value} if role else {}


def _refuse_withdrawn(brief: Brief) -> None:
    if brief.state is BriefState.WITHDRAWN:
        raise BadInput(
            f"{brief.slug} was withdrawn, and its readers were told so. Import the text under another title instead."
        )


def _refuse_embargoed(brief: Brief, at: datetime) -> None:
    if brief.embargo_until is not None and at < brief.embargo_until:
        raise BadInput(
            f"{brief.slug} is under an embargo until {rfc3339(brief.embargo_until)}, set by {brief.embargo_by}: "
            "plan it for then, or lift the embargo first."
        )


def _require_all(session: Session, brief: str, passage: str, story: str) -> tuple[Brief, Story]:
    known = require_brief(session, brief)
    _require_passage(known, passage)
    return known, _require_story(session, story)


def _require_passage(brief: Brief, passage: str) -> None:
    ids = [known.id for known in read_brief(brief.revision.text).passages]
    if passage not in ids:
        raise BadInput(f"{brief.slug} has no passage {passage!r}: it has {ids[0]} (its title) to {ids[-1]}.")


def _require_story(session: Session, name: str) -> Story:
    found = stories.named(session, name)
    if not found:
        raise BadInput(
            f"There is no story {name!r}: name one by its number or URL, as `wirebrief stories` shows."
        )
    return found[0]
