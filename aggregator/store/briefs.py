"""Briefs, their revisions, the picks of their passages, and what was published of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlmodel import Session

from aggregator.model import (
    Act,
    Brief,
    BriefState,
    Publication,
    PublishedLink,
    Revision,
    Role,
    StoryLink,
)
from aggregator.store import notices
from aggregator.store.dialects import chunks, exclusive, row_id, upsert
from aggregator.store.tables import (
    BRIEF,
    PUBLICATION,
    REVISION,
    STORY,
    STORY_LINK,
    SUGGESTION,
    BriefRow,
    PublicationRow,
    RevisionRow,
    StoryLinkRow,
)


@dataclass(frozen=True, slots=True)
class RevisionDraft:
    """A state of a brief that is to be saved."""

    text: str
    title: str
    dated: date | None
    language: str
    digest: str


def create(session: Session, slug: str, draft: RevisionDraft, *, by: str, now: datetime) -> int:
    """A new brief with its first revision; its id. `slug` is free (see `free_slug`)."""
    values = {"slug": slug, "state": BriefState.DRAFT.value, "created_at": now, "revisions": 1}
    brief_id = int(session.execute(insert(BRIEF).values(values).returning(BRIEF.c.id)).scalar_one())
    _add_revision(session, brief_id, 1, draft, by=by, now=now)
    return brief_id


def revise(session: Session, brief_id: int, draft: RevisionDraft, *, by: str, now: datetime) -> bool:
    """Save a revision; False where the newest one says the same already."""
    newest = newest_revision(session, brief_id)
    if newest.digest == draft.digest:
        return False
    _add_revision(session, brief_id, newest.number + 1, draft, by=by, now=now)
    session.execute(update(BRIEF).where(BRIEF.c.id == brief_id).values(revisions=newest.number + 1))
    return True


def newest_revision(session: Session, brief_id: int) -> Revision:
    """What a brief says now."""
    query = select(RevisionRow).where(REVISION.c.brief_id == brief_id)
    return _as_revision(session.execute(query.order_by(REVISION.c.number.desc()).limit(1)).scalar_one())


def revision_numbered(session: Session, brief_id: int, number: int) -> Revision | None:
    """What a brief said once; None where it has no such revision."""
    query = select(RevisionRow).where(REVISION.c.brief_id == brief_id, REVISION.c.number == number)
    row = session.execute(query).scalars().first()
    return _as_revision(row) if row else None


def revisions(session: Session, brief_id: int) -> list[Revision]:
    """Every saved state of a brief, newest first."""
    query = select(RevisionRow).where(REVISION.c.brief_id == brief_id).order_by(REVISION.c.number.desc())
    return [_as_revision(row) for row in session.execute(query).scalars()]


def move_passages(session: Session, brief_id: int, where: Mapping[str, str]) -> None:
    """Let standing picks, and what was suggested, go with passages that have another name now."""
    notices.tell(session, notices.DESK)
    standing = (STORY_LINK.c.brief_id == brief_id, STORY_LINK.c.undone_at.is_(None))
    # By way of a name that no passage has: two passages may have changed places.
    steps = [(old, f"to {new}") for old, new in where.items()]
    steps += [(f"to {new}", new) for new in where.values()]
    for old, new in steps:
        session.execute(update(STORY_LINK).where(*standing, STORY_LINK.c.passage == old).values(passage=new))
        proposed = (SUGGESTION.c.brief_id == brief_id, SUGGESTION.c.passage == old)
        if not old.startswith("to "):
            session.execute(update(SUGGESTION).where(*proposed).values(passage=new))
            continue
        # What stands there already was suggested for a paragraph that is there no more.
        session.execute(
            delete(SUGGESTION).where(SUGGESTION.c.brief_id == brief_id, SUGGESTION.c.passage == new)
        )
        session.execute(update(SUGGESTION).where(*proposed).values(passage=new))


def free_slug(session: Session, wanted: str) -> str:
    """`wanted`, or with a number behind it where a brief has that name."""
    taken = set(session.execute(select(BRIEF.c.slug).where(BRIEF.c.slug.startswith(wanted))).scalars())
    return next(name for name in _numbered(wanted, len(taken)) if name not in taken)


def all_briefs(session: Session) -> list[Brief]:
    """Every brief, newest first."""
    rows = session.execute(select(BriefRow).order_by(BRIEF.c.id.desc())).scalars()
    return [_brief(session, row) for row in rows]


def listed(session: Session, *, state: BriefState | None, before: int | None, limit: int) -> list[Brief]:
    """The briefs in a state, or in any, newest first, from the one before that of a number on."""
    query = select(BriefRow).order_by(BRIEF.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(BRIEF.c.state == state.value)
    if before is not None:
        query = query.where(BRIEF.c.id < before)
    return [_brief(session, row) for row in session.execute(query).scalars()]


def named(session: Session, name: str) -> Brief | None:
    """The brief of this slug or id."""
    row = session.execute(select(BriefRow).where(BRIEF.c.slug == name)).scalars().first()
    number = row_id(name)
    if row is None and number is not None:
        row = session.get(BriefRow, number)
    return _brief(session, row) if row else None


def by_id(session: Session, brief_id: int) -> Brief | None:
    """One brief."""
    row = session.get(BriefRow, brief_id)
    return _brief(session, row) if row else None


def pick(
    session: Session, brief_id: int, passage: str, story_id: int, role: Role, *, by: str, now: datetime
) -> bool:
    """Take a story for a passage; False where it stood already in that role.

    A story stands once in a passage: picked anew in another role, it changes its role.
    """
    notices.tell(session, notices.DESK)
    values = {
        "brief_id": brief_id,
        "passage": passage,
        "story_id": story_id,
        "role": role.value,
        "picked_by": by,
        "picked_at": now,
    }
    standing = _standing(brief_id, passage, story_id)
    found = session.execute(select(STORY_LINK.c.role).where(*standing)).scalar_one_or_none()
    if found == role.value:
        return False
    if found is not None:
        undo(session, brief_id, passage, story_id, by=by, now=now)
    session.execute(upsert(session, STORY_LINK).values(values))
    return True


def undo(session: Session, brief_id: int, passage: str, story_id: int, *, by: str, now: datetime) -> bool:
    """Take a pick back; False where there was none. Its row stays, with who undid it."""
    notices.tell(session, notices.DESK)
    statement = update(STORY_LINK).where(*_standing(brief_id, passage, story_id))
    return bool(session.execute(statement.values(undone_by=by, undone_at=now)).rowcount)  # type: ignore[attr-defined]


def publish(session: Session, brief: Brief, act: Act, *, by: str, why: str, now: datetime) -> int:
    """Record an act of publishing with the picks as they stand; its id.

    Times of one brief's publications strictly rise, in whole seconds, so that `updated` moves
    with each of them.
    """
    alone(session)
    notices.tell(session, notices.DESK)
    notices.tell(session, f"{notices.SOON}digest")
    last = session.execute(
        select(func.max(PUBLICATION.c.at)).where(PUBLICATION.c.brief_id == brief.id)
    ).scalar_one()
    versions = _versions_seen(session, brief)
    values = {
        "brief_id": brief.id,
        "revision_id": brief.revision.id,
        "act": act.value,
        "at": _after(last, now.replace(microsecond=0)),
        "by": by,
        "why": why,
        "links": [
            [pick.passage, pick.story_id, versions[pick.story_id], pick.role.value]
            for pick in brief.links
            if pick.is_placed
        ],
    }
    state = BriefState.WITHDRAWN if act is Act.WITHDRAWN else BriefState.PUBLISHED
    session.execute(update(BRIEF).where(BRIEF.c.id == brief.id).values(state=state.value))
    statement = insert(PUBLICATION).values(values).returning(PUBLICATION.c.id)
    return int(session.execute(statement).scalar_one())


def publications(session: Session, brief_ids: Collection[int] | None = None) -> list[Publication]:
    """Acts of publishing, oldest first: of these briefs, or of all."""
    return _publications(
        session, *(() if brief_ids is None else [PUBLICATION.c.brief_id.in_(sorted(brief_ids))])
    )


def newest_published(session: Session, *, limit: int) -> list[int]:
    """The ids of the briefs that were published, corrected or withdrawn last."""
    last = func.max(PUBLICATION.c.id)
    query = select(PUBLICATION.c.brief_id).group_by(PUBLICATION.c.brief_id).order_by(last.desc())
    return list(session.execute(query.limit(limit)).scalars())


def publications_after(session: Session, cursor: int) -> list[Publication]:
    """The acts of publishing after one of them, oldest first."""
    return _publications(session, PUBLICATION.c.id > cursor)


def acts(session: Session, ids: Collection[int]) -> list[Publication]:
    """The acts of publishing of these ids, oldest first."""
    return _publications(session, PUBLICATION.c.id.in_(sorted(ids)))


def newest_publication(session: Session) -> int:
    """The id of the last act of publishing, 0 where there was none."""
    return int(session.execute(select(func.coalesce(func.max(PUBLICATION.c.id), 0))).scalar_one())


def using(session: Session, story_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """The briefs that each of these stories is picked in, as titles by slug."""
    found: dict[int, dict[str, str]] = {}
    newest = (REVISION.c.brief_id == BRIEF.c.id) & (REVISION.c.number == BRIEF.c.revisions)
    query = (
        select(STORY_LINK.c.story_id, BRIEF.c.slug, REVISION.c.title)
        .join(BRIEF, BRIEF.c.id == STORY_LINK.c.brief_id)
        .join(REVISION, newest)
        .where(STORY_LINK.c.undone_at.is_(None))
        .order_by(BRIEF.c.id)
    )
    for some in chunks(sorted(story_ids), columns=1):
        for story, slug, title in session.execute(query.where(STORY_LINK.c.story_id.in_(some))):
            found.setdefault(story, {})[slug] = title
    return found


def plan_release(session: Session, brief_id: int, at: datetime | None, *, by: str) -> None:
    """Note when a brief is to be published by itself; None takes that back."""
    notices.tell(session, notices.DESK)
    session.execute(update(BRIEF).where(BRIEF.c.id == brief_id).values(release_at=at, release_by=by))


def set_embargo(session: Session, brief_id: int, until: datetime | None, *, by: str) -> None:
    """Note before which time nobody may publish a brief; None lifts that."""
    notices.tell(session, notices.DESK)
    own = update(BRIEF).where(BRIEF.c.id == brief_id)
    session.execute(own.values(embargo_until=until, embargo_by=by if until else ""))


def alone(session: Session) -> None:
    """Until this transaction ends nobody else publishes."""
    exclusive(session, "publish")


def to_release(session: Session, now: datetime) -> list[Brief]:
    """The briefs whose planned time has come, earliest first."""
    query = select(BriefRow).where(BRIEF.c.release_at <= now).order_by(BRIEF.c.release_at, BRIEF.c.id)
    return [_brief(session, row) for row in session.execute(query).scalars()]


def slugs(session: Session) -> dict[int, str]:
    """The slug of every brief, by its id."""
    return {
        brief_id: slug for brief_id, slug in session.execute(select(BRIEF.c.id, BRIEF.c.slug)) if brief_id
    }


def _publications(session: Session, *conditions: Any) -> list[Publication]:
    query = select(PublicationRow, RevisionRow).join(RevisionRow, REVISION.c.id == PUBLICATION.c.revision_id)
    rows = session.execute(query.where(*conditions).order_by(PUBLICATION.c.id))
    return [_publication(*row) for row in rows]


def _numbered(wanted: str, taken: int) -> list[str]:
    return [wanted, *(f"{wanted}-{n}" for n in range(2, taken + 3))]


def _after(last: datetime | None, now: datetime) -> datetime:
    return now if last is None or now > last else last + timedelta(seconds=1)


def _add_revision(
    session: Session, brief_id: int, number: int, draft: RevisionDraft, *, by: str, now: datetime
) -> None:
    notices.tell(session, notices.DESK)
    values = {
        "brief_id": brief_id,
        "number": number,
        "saved_at": now,
        "saved_by": by,
        "text": draft.text,
        "title": draft.title,
        "dated": draft.dated,
        "language": draft.language,
        "digest": draft.digest,
    }
    session.execute(insert(REVISION).values(values))


def _standing(brief_id: int, passage: str, story_id: int) -> Iterable[Any]:
    return (
        STORY_LINK.c.brief_id == brief_id,
        STORY_LINK.c.passage == passage,
        STORY_LINK.c.story_id == story_id,
        STORY_LINK.c.undone_at.is_(None),
    )


def _links(session: Session, brief_id: int) -> tuple[StoryLink, ...]:
    query = select(StoryLinkRow).where(STORY_LINK.c.brief_id == brief_id, STORY_LINK.c.undone_at.is_(None))
    rows = session.execute(query.order_by(STORY_LINK.c.id)).scalars()
    return tuple(
        StoryLink(
            id=row.id or 0,
            brief_id=row.brief_id,
            passage=row.passage,
            story_id=row.story_id,
            role=Role(row.role),
            picked_by=row.picked_by,
            picked_at=row.picked_at,
        )
        for row in rows
    )


def _versions_seen(session: Session, brief: Brief) -> dict[int, int]:
    ids = [pick.story_id for pick in brief.links]
    rows = session.execute(select(STORY.c.id, STORY.c.versions).where(STORY.c.id.in_(ids)))
    return {story: number for story, number in rows if story}


def _brief(session: Session, row: BriefRow) -> Brief:
    assert row.id is not None  # noqa: S101 - a row that was read has its id
    return Brief(
        id=row.id,
        slug=row.slug,
        state=BriefState(row.state),
        created_at=row.created_at,
        revision=newest_revision(session, row.id),
        revisions=row.revisions,
        links=_links(session, row.id),
        release_at=row.release_at,
        release_by=row.release_by,
        embargo_until=row.embargo_until,
        embargo_by=row.embargo_by,
    )


def _as_revision(row: RevisionRow) -> Revision:
    return Revision(
        id=row.id or 0,
        number=row.number,
        saved_at=row.saved_at,
        saved_by=row.saved_by,
        text=row.text,
        title=row.title,
        dated=row.dated,
        language=row.language,
        digest=row.digest,
    )


def _publication(row: PublicationRow, revision: RevisionRow) -> Publication:
    return Publication(
        id=row.id or 0,
        brief_id=row.brief_id,
        act=Act(row.act),
        at=row.at,
        by=row.by,
        why=row.why,
        revision=_as_revision(revision),
        links=tuple(PublishedLink(p, story, version, Role(role)) for p, story, version, role in row.links),
    )
