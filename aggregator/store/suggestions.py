"""What was suggested for passages, what editors said to it, and how good it was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlmodel import Session

from aggregator.model import BriefState
from aggregator.store import notices, progress
from aggregator.store.dialects import chunks, upsert
from aggregator.store.tables import BRIEF, REVISION, STORY_LINK, SUGGESTION


@dataclass(frozen=True, slots=True)
class Proposal:
    """A story proposed for a passage."""

    passage: str
    story_id: int
    score: float
    #: (kind, span of the brief, span of the story), all verbatim.
    reasons: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the suggestions for a brief were, by what its editors decided."""

    suggested: int
    picked: int
    rejected: int
    #: Picks that had been suggested before.
    found: int

    @property
    def precision(self) -> float | None:
        """Of the suggestions that were decided on, the share that was picked."""
        decided = self.found + self.rejected
        return self.found / decided if decided else None

    @property
    def recall(self) -> float | None:
        """Of the picks, the share that had been suggested."""
        return self.found / self.picked if self.picked else None


def propose(session: Session, brief_id: int, proposals: Sequence[Proposal], *, now: datetime) -> int:
    """Keep suggestions; one made before takes the new score and keeps its decision. How many are new."""
    if proposals:
        notices.tell(session, notices.DESK)
    query = select(SUGGESTION.c.passage, SUGGESTION.c.story_id).where(SUGGESTION.c.brief_id == brief_id)
    known = {(passage, story) for passage, story in session.execute(query)}
    rows = [
        {
            "brief_id": brief_id,
            "passage": each.passage,
            "story_id": each.story_id,
            "score": each.score,
            "reasons": json.dumps(each.reasons, ensure_ascii=False),
            "suggested_at": now,
        }
        for each in proposals
    ]
    for some in chunks(rows, columns=6):
        statement = upsert(session, SUGGESTION).values(list(some))
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["brief_id", "passage", "story_id"],
                set_={"score": statement.excluded.score, "reasons": statement.excluded.reasons},
            )
        )
    return sum((each.passage, each.story_id) not in known for each in proposals)


def forget_undecided(session: Session, brief_id: int, keep: Sequence[Proposal]) -> None:
    """Drop what was suggested for an older text and is not in `keep`: what nobody picked or rejected."""
    kept = {(each.passage, each.story_id) for each in keep} | _picked(session, brief_id)
    undecided = (SUGGESTION.c.brief_id == brief_id, SUGGESTION.c.rejected_at.is_(None))
    found = session.execute(select(SUGGESTION.c.passage, SUGGESTION.c.story_id).where(*undecided)).all()
    for passage, story in found:
        if (passage, story) not in kept:
            one = (SUGGESTION.c.passage == passage, SUGGESTION.c.story_id == story)
            session.execute(delete(SUGGESTION).where(SUGGESTION.c.brief_id == brief_id, *one))


def standing(session: Session, brief_id: int) -> list[Proposal]:
    """The suggestions for a brief that nobody has rejected, best first."""
    query = select(SUGGESTION).where(SUGGESTION.c.brief_id == brief_id, SUGGESTION.c.rejected_at.is_(None))
    rows = session.execute(
        query.order_by(SUGGESTION.c.passage, SUGGESTION.c.score.desc(), SUGGESTION.c.story_id)
    )
    return [
        Proposal(
            row.passage, row.story_id, row.score, tuple((k, b, s) for k, b, s in json.loads(row.reasons))
        )
        for row in rows
    ]


def reject(session: Session, brief_id: int, passage: str, story_id: int, *, by: str, now: datetime) -> None:
    """An editor says that a story does not belong to a passage; suggested or not, that is kept."""
    notices.tell(session, notices.DESK)
    values = {
        "brief_id": brief_id,
        "passage": passage,
        "story_id": story_id,
        "score": 0.0,
        "reasons": "[]",
        "suggested_at": now,
        "rejected_by": by,
        "rejected_at": now,
    }
    statement = upsert(session, SUGGESTION).values(values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["brief_id", "passage", "story_id"], set_={"rejected_by": by, "rejected_at": now}
        )
    )


def accept(session: Session, brief_id: int, passage: str, story_id: int) -> None:
    """A rejection is taken back, as when the story is picked after all."""
    notices.tell(session, notices.DESK)
    session.execute(
        update(SUGGESTION)
        .where(
            SUGGESTION.c.brief_id == brief_id,
            SUGGESTION.c.passage == passage,
            SUGGESTION.c.story_id == story_id,
        )
        .values(rejected_by=None, rejected_at=None)
    )


def quality(session: Session, brief_id: int) -> Quality:
    """How good the suggestions for a brief were."""
    mine = SUGGESTION.c.brief_id == brief_id
    is_suggested = SUGGESTION.c.reasons != "[]"
    picked = _picked(session, brief_id)
    made = select(SUGGESTION.c.passage, SUGGESTION.c.story_id).where(mine, is_suggested)
    suggested = {(passage, story) for passage, story in session.execute(made)}
    rejected = session.execute(
        select(func.count()).where(mine, is_suggested, SUGGESTION.c.rejected_at.is_not(None))
    ).scalar_one()
    return Quality(len(suggested), len(picked), rejected, len(picked & suggested))


def read_upto(session: Session, brief_id: int, revision_id: int) -> int | None:
    """The version up to which this revision of a brief was matched; None before the first time."""
    done = progress.get(session, _mark(brief_id, revision_id))
    return done or None


def behind(session: Session, upto: int) -> list[int]:
    """The briefs that stand and whose newest revision was not matched up to this version yet; no text is read."""
    read = {name.removeprefix(_MARK): done for name, done in progress.under(session, _MARK).items()}
    newest = (
        select(REVISION.c.brief_id, func.max(REVISION.c.id))
        .join(BRIEF, BRIEF.c.id == REVISION.c.brief_id)
        .where(BRIEF.c.state != BriefState.WITHDRAWN.value)
        .group_by(REVISION.c.brief_id)
        .order_by(REVISION.c.brief_id)
    )
    rows = session.execute(newest).all()
    return [brief for brief, revision in rows if read.get(f"{brief}:{revision}", 0) < upto]


def mark_read(session: Session, brief_id: int, revision_id: int, upto: int) -> None:
    """This revision of a brief was matched with every version up to this one."""
    progress.put(session, _mark(brief_id, revision_id), upto)


def _picked(session: Session, brief_id: int) -> set[tuple[str, int]]:
    picks = select(STORY_LINK.c.passage, STORY_LINK.c.story_id).where(
        STORY_LINK.c.brief_id == brief_id, STORY_LINK.c.undone_at.is_(None)
    )
    return {(passage, story) for passage, story in session.execute(picks)}


#: How the names of these marks begin.
_MARK = "suggest:"


def _mark(brief_id: int, revision_id: int) -> str:
    return f"{_MARK}{brief_id}:{revision_id}"
