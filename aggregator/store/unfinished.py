"""Where briefs stand, for whoever keeps an eye on all of them.

Each question is one statement, however many briefs there are, and none reads a text.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlmodel import Session

from aggregator.model import BriefState
from aggregator.store.dialects import chunks
from aggregator.store.tables import BRIEF, PUBLICATION, REVISION, STORY, STORY_LINK
from aggregator.store.tables_desk import BRIEF_CHECKS, CHECK_DECISION


@dataclass(frozen=True, slots=True)
class Heading:
    """A brief by its title, without its text."""

    id: int
    slug: str
    state: BriefState
    title: str
    language: str
    saved_at: datetime
    saved_by: str
    release_at: datetime | None
    release_by: str


@dataclass(frozen=True, slots=True)
class Acted:
    """An act of publishing, with the brief that it was about."""

    brief: Heading
    act: str
    at: datetime
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class ChangedPick:
    """A published pick whose story the wire has changed or taken back since."""

    brief: Heading
    passage: str
    url: str
    #: The version that readers were told of, and the newest.
    told: int
    newest: int
    is_withdrawn: bool = False


def unpublished(session: Session, *, limit: int) -> list[Heading]:
    """The briefs of which readers may not have all, last saved first: drafts, and what was touched since."""
    last = _last_publications().subquery()
    touched = (
        select(
            STORY_LINK.c.brief_id,
            func.max(STORY_LINK.c.picked_at).label("picked"),
            func.max(STORY_LINK.c.undone_at).label("undone"),
        )
        .group_by(STORY_LINK.c.brief_id)
        .subquery()
    )
    has_changed = or_(
        PUBLICATION.c.revision_id != REVISION.c.id,
        # Times of publications are whole seconds, so a pick of that very second counts too.
        touched.c.picked >= PUBLICATION.c.at,
        touched.c.undone >= PUBLICATION.c.at,
    )
    query = (
        _headings()
        .outerjoin(last, last.c.brief_id == BRIEF.c.id)
        .outerjoin(PUBLICATION, PUBLICATION.c.id == last.c.id)
        .outerjoin(touched, touched.c.brief_id == BRIEF.c.id)
        .where(
            or_(
                BRIEF.c.state == BriefState.DRAFT.value,
                and_(BRIEF.c.state == BriefState.PUBLISHED.value, has_changed),
            )
        )
        .order_by(REVISION.c.saved_at.desc(), BRIEF.c.id.desc())
        .limit(limit)
    )
    return [_heading(row) for row in session.execute(query)]


def planned(session: Session, *, limit: int) -> list[Heading]:
    """The briefs that go out by themselves, the next one first."""
    query = _headings().where(BRIEF.c.release_at.is_not(None))
    rows = session.execute(query.order_by(BRIEF.c.release_at, BRIEF.c.id).limit(limit))
    return [_heading(row) for row in rows]


def acts_since(session: Session, since: datetime, *, limit: int) -> list[Acted]:
    """The last acts of publishing since then, newest first."""
    newest = select(PUBLICATION.c.id).order_by(PUBLICATION.c.id.desc()).limit(limit)
    return list(_acts(session, PUBLICATION.c.id.in_(newest), PUBLICATION.c.at >= since).values())


def acts_of(session: Session, ids: Collection[int]) -> dict[int, Acted]:
    """The acts of publishing of these ids, newest first."""
    return _acts(session, PUBLICATION.c.id.in_(sorted(ids)))


def picks(session: Session, brief_ids: Collection[int]) -> dict[int, set[tuple[str, int, str]]]:
    """The standing picks of each brief: (passage, story, role)."""
    found: dict[int, set[tuple[str, int, str]]] = {}
    for some in chunks(sorted(brief_ids), columns=1):
        columns = (STORY_LINK.c.brief_id, STORY_LINK.c.passage, STORY_LINK.c.story_id, STORY_LINK.c.role)
        standing = (STORY_LINK.c.brief_id.in_(some), STORY_LINK.c.undone_at.is_(None))
        for brief, *pick in session.execute(select(*columns).where(*standing)):
            found.setdefault(brief, set()).add(tuple(pick))
    return found


def told(session: Session, brief_ids: Collection[int]) -> dict[int, tuple[str, set[tuple[str, int, str]]]]:
    """What readers were told of each brief last: the digest of its text, and its picks."""
    return {
        brief: (digest, {(passage, story, role) for passage, story, _, role in links})
        for brief, digest, links in _told(session, brief_ids)
    }


def digests(session: Session, brief_ids: Collection[int]) -> dict[int, str]:
    """The digest of each brief's newest text."""
    found: dict[int, str] = {}
    for some in chunks(sorted(brief_ids), columns=1):
        query = select(BRIEF.c.id, REVISION.c.digest).join(REVISION, _newest()).where(BRIEF.c.id.in_(some))
        found |= {brief: digest for brief, digest in session.execute(query) if brief}
    return found


def found_checks(session: Session, *, limit: int) -> list[tuple[Heading, list[list[Any]]]]:
    """What was found in the newest texts, each check by its fields; the briefs saved last come first.

    Of the last `limit` briefs in which anything was found.
    """
    last = (
        select(BRIEF_CHECKS.c.brief_id, BRIEF_CHECKS.c.revision_id, BRIEF_CHECKS.c.found)
        .where(BRIEF_CHECKS.c.found != "[]")
        .order_by(BRIEF_CHECKS.c.revision_id.desc())
        .limit(limit)
        .subquery()
    )
    of_newest = and_(last.c.brief_id == BRIEF.c.id, last.c.revision_id == REVISION.c.id)
    query = (
        _headings(last.c.found)
        .join(last, of_newest)
        .where(BRIEF.c.state != BriefState.WITHDRAWN.value)
        .order_by(REVISION.c.id.desc())
    )
    return [(_heading(row), list(json.loads(row.found))) for row in session.execute(query)]


def read(session: Session, brief_ids: Collection[int]) -> set[int]:
    """Those of these briefs whose newest text has been held against the wire."""
    found: set[int] = set()
    of_newest = and_(BRIEF_CHECKS.c.brief_id == BRIEF.c.id, BRIEF_CHECKS.c.revision_id == REVISION.c.id)
    for some in chunks(sorted(brief_ids), columns=1):
        query = select(BRIEF_CHECKS.c.brief_id).join(BRIEF, BRIEF.c.id == BRIEF_CHECKS.c.brief_id)
        query = query.join(REVISION, _newest()).where(of_newest, BRIEF.c.id.in_(some))
        found |= set(session.execute(query).scalars())
    return found


def decided(session: Session, brief_ids: Collection[int]) -> set[tuple[int, str, str, str]]:
    """The checks of these briefs that somebody decided: (brief, kind, its words, those of the sources)."""
    found: set[tuple[int, str, str, str]] = set()
    columns = [CHECK_DECISION.c[name] for name in ("brief_id", "kind", "brief", "sources_say")]
    for some in chunks(sorted(brief_ids), columns=1):
        rows = session.execute(select(*columns).where(CHECK_DECISION.c.brief_id.in_(some)).distinct())
        found |= {(brief, kind, words, say) for brief, kind, words, say in rows}
    return found


def changed_picks(session: Session, since: datetime, *, limit: int) -> list[ChangedPick]:
    """The picks of published briefs whose story has another version than readers were told of, or was taken back.

    Of briefs that were published or updated since then.
    """
    last = _last_publications().where(PUBLICATION.c.at >= since).subquery()
    query = (
        _headings(
            STORY_LINK.c.passage,
            STORY.c.id,
            STORY.c.url,
            STORY.c.entry_id,
            STORY.c.versions,
            STORY.c.withdrawn_at.is_not(None),
        )
        .join(last, last.c.brief_id == BRIEF.c.id)
        .join(STORY_LINK, and_(STORY_LINK.c.brief_id == BRIEF.c.id, STORY_LINK.c.undone_at.is_(None)))
        .join(STORY, STORY.c.id == STORY_LINK.c.story_id)
        .where(
            BRIEF.c.state == BriefState.PUBLISHED.value,
            or_(STORY.c.versions > 1, STORY.c.withdrawn_at.is_not(None)),
        )
        .order_by(BRIEF.c.id.desc(), STORY_LINK.c.id)
        .limit(limit)
    )
    rows = session.execute(query).all()
    known = {
        (brief, passage, story): version
        for brief, _, links in _told(session, {row[0] for row in rows})
        for passage, story, version, _ in links
    }
    found = []
    for row in rows:
        *_, passage, story, url, entry_id, newest, is_withdrawn = row
        version = known.get((row[0], passage, story))
        if version is not None and (newest > version or is_withdrawn):
            changed = (version, newest, bool(is_withdrawn))
            found.append(ChangedPick(_heading(row), passage, url or entry_id, *changed))
    return found


def _told(session: Session, brief_ids: Collection[int]) -> list[tuple[int, str, list[list[Any]]]]:
    found: list[tuple[int, str, list[list[Any]]]] = []
    for some in chunks(sorted(brief_ids), columns=1):
        last = _last_publications().where(PUBLICATION.c.brief_id.in_(some)).subquery()
        query = (
            select(PUBLICATION.c.brief_id, REVISION.c.digest, PUBLICATION.c.links)
            .join(last, last.c.id == PUBLICATION.c.id)
            .join(REVISION, REVISION.c.id == PUBLICATION.c.revision_id)
        )
        found += [(brief, digest, links) for brief, digest, links in session.execute(query)]
    return found


def _acts(session: Session, *conditions: Any) -> dict[int, Acted]:
    columns = [PUBLICATION.c[name] for name in ("id", "act", "at", "by", "why")]
    query = _headings(*columns).join(PUBLICATION, PUBLICATION.c.brief_id == BRIEF.c.id)
    rows = session.execute(query.where(*conditions).order_by(PUBLICATION.c.id.desc()))
    return {id: Acted(_heading(row), act, at, by, why) for row in rows for id, act, at, by, why in [row[9:]]}


def _last_publications() -> Select[Any]:
    return select(PUBLICATION.c.brief_id, func.max(PUBLICATION.c.id).label("id")).group_by(
        PUBLICATION.c.brief_id
    )


def _newest() -> Any:
    return and_(REVISION.c.brief_id == BRIEF.c.id, REVISION.c.number == BRIEF.c.revisions)


def _headings(*more: Any) -> Select[Any]:
    """Briefs with their newest revision; its text, the long part, is not read."""
    return select(
        BRIEF.c.id,
        BRIEF.c.slug,
        BRIEF.c.state,
        REVISION.c.title,
        REVISION.c.language,
        REVISION.c.saved_at,
        REVISION.c.saved_by,
        BRIEF.c.release_at,
        BRIEF.c.release_by,
        *more,
    ).join(REVISION, _newest())


def _heading(row: Sequence[Any]) -> Heading:
    id, slug, state, *rest = row[:9]
    return Heading(id, slug, BriefState(state), *rest)
