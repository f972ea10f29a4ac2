"""What the tests of the store write into it: small feeds, stories and briefs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from aggregator.model import Brief, FetchReport, Outcome, Recorded, SourceDraft, Story, StoryDraft
from aggregator.store import briefs, fetches, sources, stories
from aggregator.store.briefs import RevisionDraft
from aggregator.store.database import Database
from feeds.model import Entry
from tests.conftest import NOW

LEASE = timedelta(minutes=5)
QUARTER = timedelta(minutes=15)


def follow(database: Database, *urls: str, title: str = "", now: datetime = NOW) -> list[int]:
    """Follow feeds; their ids in the order given."""
    drafts = [SourceDraft(url, title=title) for url in urls]
    database.write_now(lambda s: sources.add(s, drafts, now=now))
    known = {source.url: source.id for source in database.read_now(sources.all_sources)}
    return [known[url] for url in urls]


def says(
    key: str,
    title: str = "Talks open in Riyadh",
    *,
    summary: str = "",
    body: str = "",
    published: datetime | None = NOW,
    updated: datetime | None = None,
    language: str | None = "en",
    url: str | None = None,
) -> StoryDraft:
    """A story as a feed says it; its digest follows from its words."""
    return StoryDraft(
        key=key,
        entry_id=f"urn:{key}",
        url=url or f"https://wire.example/{key}",
        language=language,
        summary=summary,
        body=body,
        digest=sha256("\n".join((title, summary, body)).encode()).hexdigest(),
        entry=Entry(id=key, title=title, published=published, updated=updated),
    )


def heard(source: int, *drafts: StoryDraft, at: datetime = NOW, **more: Any) -> FetchReport:
    """A fetch that went well and found these stories."""
    values: dict[str, Any] = {"next_due": at + QUARTER, "why": "every 15 minutes", **more}
    return FetchReport(source, at, Outcome.FETCHED, drafts=drafts, **values)


def unchanged(source: int, *, at: datetime = NOW, **more: Any) -> FetchReport:
    """A fetch answered 304."""
    return FetchReport(source, at, Outcome.UNCHANGED, at + QUARTER, "unchanged", status=304, **more)


def failed(
    source: int, *, at: datetime = NOW, kind: str = "timeout", next_due: datetime | None = None, **more: Any
) -> FetchReport:
    """A fetch that came to nothing; without `next_due` the source is gone."""
    return FetchReport(source, at, Outcome.FAILED, next_due, "no answer", failure_kind=kind, **more)


def record(database: Database, *reports: FetchReport) -> list[Recorded]:
    """Record fetches in one write."""
    return database.write_now(lambda s: fetches.record(s, reports))


def stored(database: Database) -> list[Story]:
    """All stories, newest first."""
    return database.read_now(stories.find)


def keep_stories(database: Database, *drafts: StoryDraft) -> dict[str, int]:
    """Stories of one source; their ids by key."""
    (source,) = follow(database, "https://wire.example/feed")
    record(database, heard(source, *drafts))
    return {story.entry_id.removeprefix("urn:"): story.id for story in stored(database)}


def written(text: str = "Talks open in Riyadh.", *, title: str = "Riyadh") -> RevisionDraft:
    """A state of a brief, as an editor wrote it."""
    digest = sha256(text.encode()).hexdigest()
    return RevisionDraft(text, title, date(2025, 2, 18), "en", digest)


def new_brief(database: Database, slug: str = "riyadh", draft: RevisionDraft | None = None) -> Brief:
    """A brief, saved by Ada."""
    database.write_now(lambda s: briefs.create(s, slug, draft or written(), by="ada", now=NOW))
    return brief(database, slug)


def brief(database: Database, name: str = "riyadh") -> Brief:
    """The brief of this name, which exists."""
    found = database.read_now(lambda s: briefs.named(s, name))
    assert found is not None
    return found


def titles(found: Sequence[Story]) -> list[str]:
    """What stories are called."""
    return [story.title for story in found]
