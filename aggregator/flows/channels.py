"""What editors ask of a channel before and after it is rendered: what will change, and why something is in it.

Nothing here writes. Both answers come from the same plan that the next rendering is made by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows.candidates import find_candidates
from aggregator.flows.plans import (
    Drawn,
    Look,
    Press,
    kept_sizes,
    language_of,
    look_at,
    plan_of,
    write_plan,
)
from aggregator.model import Brief, BriefState, Story
from aggregator.outgoing import Carried, Told
from aggregator.rules.channels import Candidate, Channel, Kind, Site, judge
from aggregator.rules.entries import brief_id
from aggregator.store import briefs, carried, stories
from feeds.dates import rfc3339
from feeds.html import to_text
from feeds.model import Entry, Text
from feeds.urls import canonical

#: comes, changes, goes: into, in and out of the documents. withdrawn: a notice takes its place.
#: passes: it has no room in a document, and goes to the archive and to partners at once.
What = Literal["comes", "changes", "withdrawn", "goes", "passes"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of an entry that subscribers will read otherwise."""

    #: As the library calls it: title, summary, links, …
    part: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Step:
    """What the next rendering does to one entry."""

    what: What
    row: Carried
    #: Why, in words an editor reads.
    why: str
    #: For what changes or is withdrawn.
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What the next rendering of a channel would change."""

    steps: tuple[Step, ...]
    #: How many entries its documents have now, and will have.
    now: int
    then: int
    #: Whether so much has come that it takes more than one look; more may change then.
    is_more: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """Why a channel carries a brief or a story, or why not."""

    kind: Kind
    #: Its number.
    ref: int
    title: str
    #: Whether it stands in the documents, once they are rendered.
    is_in: bool
    #: One sentence.
    why: str
    #: Whether subscribers have it so already; False until the next rendering.
    is_rendered: bool


def preview(session: Session, channel: Channel, press: Press, now: datetime) -> Preview:
    """What the next rendering of a channel would change for its subscribers; nothing is written.

    What topics have not read yet is not counted, since the next rendering may come before they do.
    """
    drawn = _drawn(session, channel, press, look_at(session, channel, press), now)
    before = drawn.look.before
    rows = drawn.plan.changed(before)
    steps = [step for row in reversed(rows) if (step := _step(before.get(row.entry_id), row))]
    present = sum(row.is_present for row in before.values())
    return Preview(tuple(steps), present, len(drawn.plan.present), drawn.look.arrived.is_more)


def explain(session: Session, channel: Channel, press: Press, what: str, now: datetime) -> list[Answer]:
    """Why a channel carries what is named so, or why not: an answer for each story and brief of that name.

    A story is named by its number, URL or entry id; a brief by its name, number, page or entry id.
    A number may name one of each.

    Raises:
        BadInput: nothing has this name.
    """
    found = stories.named(session, what)
    brief = _brief_named(session, press.site, what)
    if not found and brief is None:
        raise BadInput(
            f"There is no story and no brief {what!r}: `wirebrief stories` and `wirebrief briefs list` "
            "show what there is."
        )
    answers = [_about_brief(session, channel, press, brief, now)] if brief else []
    return answers + [_about_story(session, channel, press, story, now) for story in found]


def in_short(difference: Difference, width: int) -> tuple[str, str]:
    """The old and the new words, cut to `width` characters around the first place where they differ."""
    pairs = enumerate(zip(difference.old, difference.new, strict=False))
    same = next((place for place, (old, new) in pairs if old != new), 0)
    begin = max(0, same - width // 3)
    return _cut(difference.old, begin, width), _cut(difference.new, begin, width)


def _cut(text: str, begin: int, width: int) -> str:
    shown = " ".join(text[begin : begin + width].split())
    return ("…" if begin else "") + shown + ("…" if len(text) > begin + width else "")


def _drawn(session: Session, channel: Channel, press: Press, look: Look, now: datetime) -> Drawn:
    """The plan that the next rendering would make, with what cannot be written or does not fit left out."""
    plan = plan_of(channel, press, look, now)
    kept = kept_sizes(session, plan.present, language_of(channel, press))
    return write_plan(channel, press, look, plan, kept, now)


def _step(old: Carried | None, row: Carried) -> Step | None:
    """What happens to one entry; None where no subscriber is told anything."""
    was_in = old is not None and old.is_present
    if old is not None and row.told is Told.WITHDRAWN and old.told is not Told.WITHDRAWN:
        return Step("withdrawn", row, row.entry.note or row.why, tuple(differences(old.entry, row.entry)))
    if row.is_present and not was_in:
        return Step("comes", row, row.why)
    if not row.is_present and (was_in or (row.told is Told.REMOVED and row.change == 0)):
        return Step("goes", row, row.why)
    if row.change != 0:
        # Only the desk's own reason is another one now.
        return None
    if row.is_present and old is not None:
        return Step("changes", row, row.why, tuple(differences(old.entry, row.entry)))
    return Step("passes", row, row.why)


def differences(old: Entry, new: Entry) -> Iterator[Difference]:
    """The parts of an entry that subscribers will read otherwise."""
    for each in fields(Entry):
        before, after = getattr(old, each.name), getattr(new, each.name)
        if before != after:
            yield Difference(each.name, _words(before), _words(after))


def _words(value: Any) -> str:
    """A part of an entry as a person reads it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Text():
            return to_text(value.value) if value.type == "html" else value.value
        case datetime():
            return rfc3339(value)
        case tuple():
            return ", ".join(map(_words, value))
        case _ if is_dataclass(value):
            parts = (_words(getattr(value, each.name)) for each in fields(value))
            return " ".join(part for part in parts if part)
        case _:
            return str(value)


def _brief_named(session: Session, site: Site, what: str) -> Brief | None:
    for prefix in (site.page("briefs/"), brief_id(site, "")):
        what = what.removeprefix(prefix)
    return briefs.named(session, what)


def _about_brief(session: Session, channel: Channel, press: Press, brief: Brief, now: datetime) -> Answer:
    if brief.state is BriefState.DRAFT:
        why = f"It is a draft, and nobody has it before `wirebrief briefs publish {brief.slug}`."
        if brief.release_at is not None:
            why = f"It is a draft until it is published by itself at {rfc3339(brief.release_at)}."
        return Answer("brief", brief.id, brief.revision.title, False, why, is_rendered=True)
    return _about(session, channel, press, "brief", brief.id, now)


def _about_story(session: Session, channel: Channel, press: Press, story: Story, now: datetime) -> Answer:
    return _about(session, channel, press, "story", story.id, now)


def _about(session: Session, channel: Channel, press: Press, kind: Kind, ref: int, now: datetime) -> Answer:
    look, candidate = _with(session, channel, press, kind, ref)
    drawn = _drawn(session, channel, press, look, now)
    id = candidate.entry.id or ""
    old = _own(look.before.get(id), candidate)
    was_in = old is not None and old.is_present
    planned = _own({row.entry_id: row for row in drawn.plan.present}.get(id), candidate)
    is_in, why = planned is not None, _reason(channel, press, drawn, candidate)
    title = candidate.entry.title
    is_rendered = is_in == was_in and (planned is None or planned.change != 0)
    return Answer(kind, ref, title, is_in, why, is_rendered)


def _with(session: Session, channel: Channel, press: Press, kind: Kind, ref: int) -> tuple[Look, Candidate]:
    """A channel's look with one thing more that it may carry, however old that is."""
    look = look_at(session, channel, press)
    for candidate in look.candidates:
        if (candidate.kind, candidate.ref) == (kind, ref):
            return look, candidate
    stories_too, briefs_too = ([ref], []) if kind == "story" else ([], [ref])
    found = find_candidates(
        session, channel, press.site, press.topics, stories_too=stories_too, briefs_too=briefs_too
    )
    (candidate,) = (one for one in found if (one.kind, one.ref) == (kind, ref))
    id = candidate.entry.id or ""
    before = {**look.before, **carried.of_ids(session, channel.slug, [id])}
    taken = look.taken
    if candidate.entry.updated is not None:
        ids = {one.entry.id or "" for one in (*look.candidates, candidate)}
        since = candidate.entry.updated - timedelta(seconds=1)
        taken |= carried.seconds(session, channel.slug, since, but=ids)
    return replace(look, candidates=(*look.candidates, candidate), before=before, taken=taken), candidate


def _own(row: Carried | None, candidate: Candidate) -> Carried | None:
    """A row of this very thing, and not of another one under its id."""
    return row if row is not None and (row.kind, row.ref) == (candidate.kind, candidate.ref) else None


def _reason(channel: Channel, press: Press, drawn: Drawn, candidate: Candidate) -> str:
    """Why something is in a channel or not, in one sentence."""
    id = candidate.entry.id or ""
    if id in drawn.refused:
        return f"It cannot be published: {drawn.refused[id]}"
    old = drawn.look.before.get(id)
    was_told = old is not None and old.told is not Told.REMOVED
    found = judge(channel, candidate, press.titles, was_told=was_told)
    if not found.is_in:
        return found.why
    rows = [*drawn.plan.present, *drawn.plan.others]
    own = next((row for row in rows if row.entry_id == id and _own(row, candidate)), None)
    if own is None or own.told is Told.REMOVED:
        return _twin(rows, candidate)
    if own.told is Told.WITHDRAWN:
        said = f" ({own.entry.note})" if own.entry.note else ""
        where = "its notice stands here" if own.is_present else "its notice is no longer in the document"
        return f"It was withdrawn{said}: {where}."
    return own.why


def _twin(rows: Sequence[Carried], candidate: Candidate) -> str:
    """Which other entry stands for the same page or under the same id."""
    page = canonical(candidate.entry.url) if candidate.entry.url else None
    for row in rows:
        is_same_page = page is not None and row.entry.url is not None and canonical(row.entry.url) == page
        is_other = (row.kind, row.ref) != (candidate.kind, candidate.ref)
        if is_other and row.told is not Told.REMOVED and (is_same_page or row.entry_id == candidate.entry.id):
            source = f" ({row.entry.origin.title})" if row.entry.origin else ""
            return f"Its page stands under {row.kind} {row.ref} already: {row.entry.title}{source}."
    return "Its page stands under another entry."
