"""What is left to do, asked of the tables: whoever schedules looks here, and a lost job is found again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from aggregator.flows import publish, topics
from aggregator.rules.channels import Channel
from aggregator.rules.topics import Topic
from aggregator.store import anchors, briefs, clusters, stories, suggestions


def steps(
    session: Session, now: datetime, defined: Sequence[Topic], channels: Sequence[Channel]
) -> list[str]:
    """Which of the steps that follow from new stories and decisions have something to do, by their jobs."""
    newest = stories.newest_version(session)
    is_read = (
        topics.is_done(session, defined)
        and clusters.cursor(session) >= newest
        and anchors.indexed_upto(session) >= newest
    )
    is_settled = not briefs.to_release(session, now) and publish.are_settled(session, channels)
    done = {"search": stories.is_searchable(session), "reading": is_read, "release": is_settled}
    return [step for step, is_done in done.items() if not is_done]


def briefs_behind(session: Session) -> list[int]:
    """The open briefs that were not matched yet with all that is read."""
    return suggestions.behind(session, anchors.indexed_upto(session))
