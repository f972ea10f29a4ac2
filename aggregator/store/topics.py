"""Topics: how far each has read the wire, which stories it took, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, delete, func, select, update
from sqlmodel import Session

from aggregator.store.dialects import chunks, exclusive, upsert
from aggregator.store.tables import STORY, STORY_TOPIC, TOPIC, StoryTopicRow, TopicRow


@dataclass(frozen=True, slots=True)
class TopicStanding:
    """Where a topic stands with the wire."""

    slug: str
    title: str
    fingerprint: str
    #: Versions up to this id have been decided.
    upto: int
    stories: int


def declare(session: Session, slug: str, title: str, fingerprint: str) -> int:
    """Say what a topic is now; the version id up to which it has decided.

    A topic whose definition changed begins anew: what it took under the old one is dropped, and
    every story will be decided again.
    """
    known = session.get(TopicRow, slug)
    if known is not None and known.fingerprint == fingerprint:
        known.title = title
        return known.upto
    session.execute(delete(STORY_TOPIC).where(STORY_TOPIC.c.topic == slug))
    values = {"title": title, "fingerprint": fingerprint, "upto": 0}
    statement = upsert(session, TOPIC).values(slug=slug, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["slug"], set_=values))
    return 0


def alone(session: Session) -> None:
    """Until this transaction ends nobody else decides what is in topics."""
    exclusive(session, "topics")


def retire(session: Session, slugs: Sequence[str]) -> None:
    """Forget the topics that are not among these."""
    gone = select(TOPIC.c.slug).where(TOPIC.c.slug.not_in(slugs))
    session.execute(delete(STORY_TOPIC).where(STORY_TOPIC.c.topic.in_(gone)))
    session.execute(delete(TOPIC).where(TOPIC.c.slug.not_in(slugs)))


def decide(
    session: Session, slug: str, *, taken: Sequence[tuple[int, str]], left: Sequence[int], upto: int
) -> None:
    """Record what a topic took, with why, and what it left, up to a version."""
    for ids in chunks(left, columns=1):
        session.execute(
            delete(STORY_TOPIC).where(STORY_TOPIC.c.topic == slug, STORY_TOPIC.c.story_id.in_(ids))
        )
    for some in chunks(taken, columns=3):
        rows = [{"topic": slug, "story_id": story, "why": why} for story, why in some]
        statement = upsert(session, STORY_TOPIC).values(rows)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["topic", "story_id"], set_={"why": statement.excluded.why}
            )
        )
    session.execute(update(TOPIC).where(TOPIC.c.slug == slug).values(upto=upto))


def standings(session: Session) -> list[TopicStanding]:
    """Every topic with how many stories it holds, by name."""
    stories = (
        select(func.count()).where(STORY_TOPIC.c.topic == TOPIC.c.slug).correlate(TOPIC).scalar_subquery()
    )
    rows = session.execute(select(TopicRow, stories).order_by(TOPIC.c.title))
    return [TopicStanding(t.slug, t.title, t.fingerprint, t.upto, n) for t, n in rows]


def daily(session: Session, begins: Sequence[datetime]) -> dict[str, list[int]]:
    """How many stories of each topic came on each of some days, given by when they begin, in order."""
    places = [(STORY.c.sorted_at >= begin, place) for place, begin in reversed(list(enumerate(begins)))]
    place = case(*places).label("place")
    query = (
        select(STORY_TOPIC.c.topic, place, func.count())
        .join(STORY, STORY.c.id == STORY_TOPIC.c.story_id)
        .where(STORY.c.sorted_at >= begins[0])
        .group_by(STORY_TOPIC.c.topic, place)
    )
    found: dict[str, list[int]] = {}
    for slug, day, stories in session.execute(query):
        found.setdefault(slug, [0] * len(begins))[day] = stories
    return found


def decided_upto(session: Session, slugs: Sequence[str]) -> list[int]:
    """Up to which version each of these topics has decided; 0 where one has not begun."""
    known = {row.slug: row.upto for row in session.execute(select(TOPIC.c.slug, TOPIC.c.upto))}
    return [known.get(slug, 0) for slug in slugs]


def why(session: Session, slug: str, story_id: int) -> str | None:
    """Why a story is in a topic; None where it is not."""
    found = session.get(StoryTopicRow, (slug, story_id))
    return found.why if found else None
