"""How a source stands with being asked, between its row and its value."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Row
from sqlmodel import Session

from aggregator.model import FetchReport
from aggregator.paced import Paced, Step
from aggregator.store.tables import SOURCE


def of_row(row: Row[Any], *, is_pushed: bool) -> Paced:
    """How a source stood when it was claimed."""
    return Paced(
        interval=_length(row.interval_seconds),
        usual=_length(row.usual_seconds),
        quiet=_length(row.quiet_seconds),
        newest_at=row.newest_at,
        whole_at=row.whole_at,
        gaps=row.gaps,
        gap_at=row.gap_at,
        chain=tuple((url, status, to) for url, status, to in json.loads(row.moved_chain or "[]")),
        chain_since=row.moved_since,
        is_pushed=is_pushed,
    )


def values_of(report: FetchReport) -> dict[str, Any]:
    """What a fetch changes of it."""
    paced = report.paced
    if paced is None:
        return {}
    return {
        "interval_seconds": paced.interval.total_seconds() if paced.interval else None,
        "usual_seconds": paced.usual.total_seconds() if paced.usual else None,
        "newest_at": paced.newest_at,
        "whole_at": paced.whole_at,
        "gaps": paced.gaps,
        "gap_at": paced.gap_at,
        "moved_chain": hops_of(paced.chain),
        "moved_since": paced.chain_since,
    }


def gaps(session: Session, source_id: int) -> tuple[int, datetime | None]:
    """How often nothing that a source showed was known, and when last."""
    found = session.execute(select(SOURCE.c.gaps, SOURCE.c.gap_at).where(SOURCE.c.id == source_id)).first()
    return (found[0], found[1]) if found else (0, None)


def hops_of(steps: tuple[Step, ...]) -> str | None:
    """Redirects as they are kept."""
    return json.dumps(steps) if steps else None


def _length(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
