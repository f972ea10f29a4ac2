"""A brief's text as it is written: by two people at once, without loss, and with its picks in place."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.model import Brief
from aggregator.people import Deed
from aggregator.rules.briefs import BriefError, BriefText, read_brief
from aggregator.rules.merging import Clash, MergedText, merge, moved
from aggregator.store import audit, briefs
from aggregator.store.briefs import RevisionDraft


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a text that somebody wrote."""

    #: The newest revision now, and its text.
    number: int
    text: str
    #: The revision that holds what was written just as it was: whoever goes on writing begins from it.
    mine: int
    #: Whether somebody else's changes are in it, too.
    is_merged: bool = False
    #: Places that both changed. The text has theirs; mine is kept whole as the revision before.
    clashes: tuple[Clash, ...] = ()
    #: The text with mine in those places.
    text_of_mine: str = ""


def draft_of(text: str, read: BriefText) -> RevisionDraft:
    """A text as it is to be saved."""
    return RevisionDraft(
        text=text,
        title=read.title,
        dated=read.date,
        language=read.language,
        digest=hashlib.sha256(text.strip().encode()).hexdigest()[:32],
    )


def save(session: Session, known: Brief, text: str, *, base: int, by: str, now: datetime) -> Saved:
    """Save a text that was begun from the revision `base`; what others wrote since stays in it.

    Raises:
        BriefError: the text is no brief; nothing was saved.
        BadInput: there is no such revision.
    """
    mine = read_brief(text)
    newest = known.revision
    if base == newest.number:
        number = newest.number + revise(session, known, draft_of(text, mine), by=by, now=now)
        return Saved(number, text if number > newest.number else newest.text, number)
    begun = briefs.revision_numbered(session, known.id, base)
    if begun is None:
        raise BadInput(f"{known.slug} has no revision {base}: open it again and put your text into it.")
    merged = _merged(begun.text, text, newest.text)
    own, whole = draft_of(text, mine), draft_of(merged.text, read_brief(merged.text))
    number = 0
    if own.digest != whole.digest:
        # Whole, under its writer's name: what is not in the newest text can be read there.
        briefs.revise(session, known.id, own, by=by, now=now)
        number = briefs.newest_revision(session, known.id).number
    revise(session, known, whole, by=by, now=now)
    now_newest = briefs.newest_revision(session, known.id).number
    other = _merged(begun.text, newest.text, text).text if merged.clashes else ""
    return Saved(now_newest, merged.text, number or now_newest, merged.text != text, merged.clashes, other)


def revise(session: Session, known: Brief, draft: RevisionDraft, *, by: str, now: datetime) -> bool:
    """Put a text in the place of the one that `known` has; False where it says the same already.

    Picks and what was said to suggestions go with their paragraphs. Those of a paragraph that was
    taken out wait for it: it may be on its way to another place.
    """
    if not briefs.revise(session, known.id, draft, by=by, now=now):
        return False
    was = {"title": known.revision.title, "revision": known.revision.number}
    became = {"title": draft.title, "revision": briefs.newest_revision(session, known.id).number}
    audit.add(session, Deed(by, "brief.save", known.slug, was, became), now)
    before = {**_texts(known.revision.text), **_homeless(session, known)}
    places = moved(before, _texts(draft.text))
    where = {id: place or _waiting(id, known.revision.number) for id, place in places.items()}
    briefs.move_passages(session, known.id, {id: place for id, place in where.items() if id != place})
    return True


def _merged(base: str, mine: str, theirs: str) -> MergedText:
    merged = merge(base, mine, theirs)
    try:
        read_brief(merged.text)
    except BriefError:
        # Two good halves that make no brief: an editor has to look.
        return MergedText(theirs, (Clash(base, mine, theirs),))
    return merged


def _texts(text: str) -> dict[str, str]:
    return {passage.id: passage.text for passage in read_brief(text).passages}


def _homeless(session: Session, known: Brief) -> Mapping[str, str]:
    """The texts of paragraphs that were taken out and that picks still wait for."""
    found = {}
    for id in sorted({link.passage for link in known.links if not link.is_placed}):
        _, number, passage = id.split("-", 2)
        past = briefs.revision_numbered(session, known.id, int(number))
        if past is not None:
            found[id] = _texts(past.text)[passage]
    return found


def _waiting(id: str, number: int) -> str:
    """The name of a paragraph that is gone: the revision that had it last, and its name there."""
    return id if id.startswith("gone-") else f"gone-{number}-{id}"
