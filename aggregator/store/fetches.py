"""Recording what fetches found: one transaction for many results, and nothing twice.

The road of a story never makes an ORM object a row: what is known is skipped by one look-up per
batch, what is new or changed goes in by Core inserts.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select, tuple_, update
from sqlmodel import Session

from aggregator.model import FetchReport, Outcome, Recorded, StoryDraft
from aggregator.store.dialects import chunks, exclusive, upsert
from aggregator.store.tables import FETCH, SOURCE, STORY, VERSION
from aggregator.store.tables_out import PUSH_SOURCE


def record(session: Session, reports: Sequence[FetchReport]) -> list[Recorded]:
    """Keep what these fetches found: stories, versions, the fetch log, and where each source stands.

    Recording the same report twice keeps nothing twice. A version is added only where the digest
    differs from that of the newest one.
    """
    if not reports:
        return []
    if any(report.drafts for report in reports):
        exclusive(session, "versions")
    done = _record_stories(session, reports)
    session.execute(insert(FETCH), [_fetch(r, d) for r, d in zip(reports, done, strict=True)])
    _record_sources(session, reports)
    _record_hubs(session, reports)
    return done


def _record_stories(session: Session, reports: Sequence[FetchReport]) -> list[Recorded]:
    wanted = {
        (report.source_id, draft.key): (report, draft)
        # The first of two entries with one identity is the newer one in nearly every feed.
        for report in reports
        for draft in reversed(report.drafts)
    }
    known = _known(session, list(wanted))
    new = {key: pair for key, pair in wanted.items() if key not in known}
    changed = {key: pair for key, pair in wanted.items() if key in known and known[key][1] != pair[1].digest}
    _insert_new(session, new)
    _add_versions(session, changed, known)
    return [_count(report, new, changed) for report in reports]


def _count(report: FetchReport, new: Any, changed: Any) -> Recorded:
    keys = {(report.source_id, draft.key) for draft in report.drafts}
    added, moved = sum(key in new for key in keys), sum(key in changed for key in keys)
    return Recorded(report.source_id, added, moved, len(keys) - added - moved)


def _known(session: Session, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], tuple[int, str, int]]:
    """(source, key) -> (story id, digest of its newest version, number of versions)."""
    found = {}
    columns = (STORY.c.source_id, STORY.c.key, STORY.c.id, STORY.c.digest, STORY.c.versions)
    for some in chunks(keys, columns=2):
        query = select(*columns).where(tuple_(STORY.c.source_id, STORY.c.key).in_(some))
        for source, key, story, digest, versions in session.execute(query):
            found[source, key] = (story, digest, versions)
    return found


def _insert_new(session: Session, new: dict[tuple[int, str], tuple[FetchReport, StoryDraft]]) -> None:
    rows = [_story(report, draft) for report, draft in new.values()]
    ids: dict[tuple[int, str], int] = {}
    for some in chunks(rows, columns=9):
        statement = upsert(session, STORY).values(list(some)).on_conflict_do_nothing()
        kept = session.execute(statement.returning(STORY.c.source_id, STORY.c.key, STORY.c.id))
        ids.update({(source, key): story for source, key, story in kept})
    # Oldest first, so that version ids follow the order of the news.
    versions = [
        _version(ids[key], 1, *pair)
        for key, pair in sorted(new.items(), key=lambda item: _sorted_at(*item[1]))
        if key in ids
    ]
    if versions:
        session.execute(insert(VERSION), versions)


def _add_versions(
    session: Session,
    changed: dict[tuple[int, str], tuple[FetchReport, StoryDraft]],
    known: dict[tuple[int, str], tuple[int, str, int]],
) -> None:
    if not changed:
        return
    numbered = [(known[key][0], known[key][2] + 1, pair) for key, pair in changed.items()]
    session.execute(insert(VERSION), [_version(story, number, *pair) for story, number, pair in numbered])
    table = STORY
    statement = (
        update(table)
        .where(table.c.id == bindparam("story"))
        .values(versions=bindparam("count"), digest=bindparam("hash"), url=bindparam("page"))
    )
    session.connection().execute(
        statement,
        [
            {"story": story, "count": number, "hash": draft.digest, "page": draft.url}
            for story, number, (_, draft) in numbered
        ],
    )


def _sorted_at(report: FetchReport, draft: StoryDraft) -> Any:
    published = draft.entry.published or draft.entry.updated
    return min(published, report.at) if published else report.at


def _story(report: FetchReport, draft: StoryDraft) -> dict[str, Any]:
    return {
        "source_id": report.source_id,
        "key": draft.key,
        "entry_id": draft.entry_id,
        "url": draft.url,
        "published": draft.entry.published or draft.entry.updated,
        "first_seen": report.at,
        "sorted_at": _sorted_at(report, draft),
        "versions": 1,
        "digest": draft.digest,
    }


def _version(story: int, number: int, report: FetchReport, draft: StoryDraft) -> dict[str, Any]:
    return {
        "story_id": story,
        "number": number,
        "seen_at": report.at,
        "digest": draft.digest,
        "title": draft.entry.title,
        "summary": draft.summary,
        "body": draft.body,
        "language": draft.language,
        "updated": draft.entry.updated,
        "entry": draft.entry,
    }


def _fetch(report: FetchReport, done: Recorded) -> dict[str, Any]:
    return {
        "source_id": report.source_id,
        "at": report.at,
        "outcome": report.outcome.value,
        "status": report.status,
        "failure_kind": report.failure_kind,
        "final_url": report.final_url,
        "body_bytes": report.body_bytes,
        "seconds": report.seconds,
        "new": done.new,
        "changed": done.changed,
        "known": done.known,
        "why": report.why,
    }


def _record_sources(session: Session, reports: Sequence[FetchReport]) -> None:
    """Where each source stands now. One statement for each shape of change, many rows each."""
    for outcome in Outcome:
        some = [report for report in reports if report.outcome is outcome]
        if some:
            table = SOURCE
            names = _standing(some[0])
            statement = (
                update(table)
                .where(table.c.id == bindparam("source"))
                .values({name: bindparam(f"to_{name}", type_=table.c[name].type) for name in names})
            )
            rows = [
                {
                    "source": report.source_id,
                    **{f"to_{name}": value for name, value in _standing(report).items()},
                }
                for report in some
            ]
            session.connection().execute(statement, rows)
    _name_untitled(session, reports)


def _record_hubs(session: Session, reports: Sequence[FetchReport]) -> None:
    """Which hub each feed names. One that is named anew is subscribed to; the old one ends with its lease."""
    rows = [
        {"source_id": report.source_id, "topic_url": report.hubs.topic_url, "hub": report.hubs.hubs[0]}
        | {"token": secrets.token_urlsafe(24), "secret": secrets.token_urlsafe(32), "next_try": report.at}
        | {"is_confirmed": False, "tries": 0, "why": "not asked yet"}
        for report in reports
        if report.hubs is not None
    ]
    for some in chunks(rows, columns=8):
        statement = upsert(session, PUSH_SOURCE).values(list(some))
        new = statement.excluded
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["source_id"],
                set_={column.name: new[column.name] for column in new if column.name in rows[0]},
                where=(PUSH_SOURCE.c.hub != new.hub) | (PUSH_SOURCE.c.topic_url != new.topic_url),
            )
        )


def _standing(report: FetchReport) -> dict[str, Any]:
    if report.outcome is Outcome.PUSHED:
        # It is still asked when it is due: a hub may fall silent.
        return {"last_success": report.at, "why": report.why}
    values: dict[str, Any] = {
        "claimed_until": None,
        "last_fetch": report.at,
        "failures": report.failures,
        "failure_kind": report.failure_kind,
        "why": report.why,
        "gone_at": report.at if report.next_due is None else None,
        "next_due": report.next_due or report.at,
    }
    if report.outcome is not Outcome.FAILED:
        values |= {"last_success": report.at, "etag": report.etag, "last_modified": report.last_modified}
    if report.outcome is Outcome.FETCHED:
        values |= {"digest": report.digest, "origin": report.origin}
    return values


def _name_untitled(session: Session, reports: Sequence[FetchReport]) -> None:
    """A source added without a name or a site takes its feed's."""
    for report in reports:
        found = {"title": report.title, "site_url": report.site_url}
        values = {name: value for name, value in found.items() if value}
        if values:
            session.execute(update(SOURCE).where(SOURCE.c.id == report.source_id).values(**values))
