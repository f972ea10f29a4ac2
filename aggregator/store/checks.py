"""What was found in briefs, and what editors said to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session

from aggregator.model import CheckDecision
from aggregator.store import notices
from aggregator.store.dialects import upsert
from aggregator.store.tables_desk import BRIEF_CHECKS, CHECK_DECISION


def put(
    session: Session, brief_id: int, revision_id: int, found: Sequence[Sequence[Any]], *, now: datetime
) -> None:
    """Keep the checks of a revision, each by its fields, in the place of those found before."""
    notices.tell(session, notices.DESK)
    values = {
        "revision_id": revision_id,
        "found": json.dumps(found, ensure_ascii=False),
        "found_at": now,
    }
    statement = upsert(session, BRIEF_CHECKS).values(brief_id=brief_id, **values)
    # Whoever looked at an older text for longer does not put it over what was found in a newer one.
    is_newer = BRIEF_CHECKS.c.revision_id <= revision_id
    session.execute(statement.on_conflict_do_update(index_elements=["brief_id"], set_=values, where=is_newer))


def of_brief(session: Session, brief_id: int, revision_id: int) -> list[list[Any]] | None:
    """The checks of this revision, each by its fields; None where nobody has looked yet."""
    mine = (BRIEF_CHECKS.c.brief_id == brief_id, BRIEF_CHECKS.c.revision_id == revision_id)
    found = session.execute(select(BRIEF_CHECKS.c.found).where(*mine)).scalar_one_or_none()
    return None if found is None else list(json.loads(found))


def decide(
    session: Session,
    brief_id: int,
    key: tuple[str, str, str],
    decision: str,
    *,
    why: str,
    by: str,
    now: datetime,
) -> None:
    """Record what an editor said to a check, known by its kind, its words and those of the sources.

    A later word counts for more; none is overwritten.
    """
    notices.tell(session, notices.DESK)
    kind, brief, sources_say = key
    values: dict[str, Any] = {
        "brief_id": brief_id,
        "kind": kind,
        "brief": brief,
        "sources_say": sources_say,
    }
    values |= {"decision": decision, "why": why, "by": by, "at": now}
    session.execute(insert(CHECK_DECISION).values(values))


def decisions(session: Session, brief_id: int) -> dict[tuple[str, str, str], CheckDecision]:
    """The last word on each check of a brief, by its kind, its words and those of the sources."""
    query = select(CHECK_DECISION).where(CHECK_DECISION.c.brief_id == brief_id).order_by(CHECK_DECISION.c.id)
    return {
        (row.kind, row.brief, row.sources_say): CheckDecision(row.decision, row.why, row.by, row.at)
        for row in session.execute(query)
    }
