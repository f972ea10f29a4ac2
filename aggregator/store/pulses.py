"""Whether anything changed of a brief, by a few figures that move with whatever is decided or found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from aggregator.store.tables import BRIEF, PUBLICATION, STORY, STORY_LINK, SUGGESTION
from aggregator.store.tables_desk import BRIEF_CHECKS, CHECK_DECISION

#: A few figures of a brief; where one of them is another one, something changed.
Pulse = tuple[int | datetime | str | None, ...]


def of_brief(session: Session, brief_id: int) -> Pulse:
    """What moves with each revision, suggestion, pick, check, decision and act of publishing of a brief,
    and with what its picked stories say."""
    own = BRIEF.c.id == brief_id
    figures: list[Any] = [
        BRIEF.c.revisions,
        BRIEF.c.release_at,
        BRIEF.c.embargo_until,
        _one(func.count(), SUGGESTION.c.brief_id, brief_id),
        _one(func.max(SUGGESTION.c.suggested_at), SUGGESTION.c.brief_id, brief_id),
        _one(func.count(SUGGESTION.c.rejected_at), SUGGESTION.c.brief_id, brief_id),
        _one(func.max(STORY_LINK.c.id), STORY_LINK.c.brief_id, brief_id),
        _one(func.count(STORY_LINK.c.undone_at), STORY_LINK.c.brief_id, brief_id),
        _one(func.max(BRIEF_CHECKS.c.found_at), BRIEF_CHECKS.c.brief_id, brief_id),
        _one(func.max(CHECK_DECISION.c.id), CHECK_DECISION.c.brief_id, brief_id),
        _one(func.max(PUBLICATION.c.id), PUBLICATION.c.brief_id, brief_id),
        _of_picked(func.sum(STORY.c.versions), brief_id),
        _of_picked(func.max(STORY.c.withdrawn_at), brief_id),
    ]
    row = session.execute(select(*figures).where(own)).first()
    return tuple(row) if row else ()


def _one(figure: Any, key: Any, brief_id: int) -> Any:
    return select(figure).where(key == brief_id).scalar_subquery()


def _of_picked(figure: Any, brief_id: int) -> Any:
    picked = select(figure).select_from(STORY_LINK).join(STORY, STORY.c.id == STORY_LINK.c.story_id)
    return picked.where(STORY_LINK.c.brief_id == brief_id, STORY_LINK.c.undone_at.is_(None)).scalar_subquery()
