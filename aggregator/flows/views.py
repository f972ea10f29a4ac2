"""What pages, the API and the command line read: each function is one look at the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows.candidates import as_published
from aggregator.flows.editorial import require_brief
from aggregator.flows.sources import Checked
from aggregator.language.query import parse_query
from aggregator.model import Brief, Source, Story, StoryLink
from aggregator.outgoing import ArchivePage, StoredDocument
from aggregator.rules.briefs import read_brief
from aggregator.rules.carrying import tombstone_of
from aggregator.rules.channels import Channel, Site, head_of
from aggregator.rules.entries import Published
from aggregator.rules.topics import CompiledTopic
from aggregator.store import briefs, carried, clusters, documents, sources, stories, topics
from aggregator.store.clusters import ClusterView
from aggregator.store.suggestions import Quality
from feeds.dates import rfc3339
from feeds.model import Entry, Feed

#: Before everything that has a date.
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of the documents since somebody last looked."""

    new: tuple[StoredDocument, ...]
    #: (channel, format) of those that are no more.
    gone: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the service has what it needs, in figures."""

    stories: int
    sources: int
    #: Sources whose last fetch failed.
    failing: int
    #: When any source was last fetched.
    last_fetch: datetime | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A story in a topic."""

    story: Story
    #: The topic's own words, verbatim.
    why: str


def changed_documents(session: Session, *, known: Mapping[tuple[str, str], str]) -> Changed:
    """The documents whose ETag is not the `known` one, by (channel, format)."""
    now = documents.stamps(session)
    stale = [key for key, etag in now.items() if known.get(key) != etag]
    new = [document for key in stale if (document := documents.get(session, *key))]
    return Changed(tuple(new), tuple(key for key in known if key not in now))


def channel_feed(session: Session, channel: Channel, site: Site) -> Feed:
    """What a channel carries now: the same that its documents are rendered from."""
    rows = carried.present(session, channel.slug).values()
    entries = sorted((row.entry for row in rows), key=_order, reverse=True)
    stones = tuple(tombstone_of(row, site.author) for row in carried.withdrawn(session, channel.slug))
    head = head_of(channel, site, updated=entries[0].updated if entries else None, tombstones=stones)
    return replace(head, entries=tuple(entries))


def newest(session: Session, channels: Sequence[Channel], site: Site, *, limit: int) -> Feed:
    """The newest entries of all channels together, each page once."""
    feeds = [channel_feed(session, one, site) for one in channels]
    entries = {entry.url or entry.id: entry for feed in feeds for entry in feed.entries}
    return Feed(
        title=site.title,
        entries=tuple(sorted(entries.values(), key=_order, reverse=True)[:limit]),
        tombstones=tuple({stone.ref: stone for feed in feeds for stone in feed.tombstones}.values()),
    )


def archive_page(session: Session, channel: str, name: str) -> tuple[ArchivePage, bool] | None:
    """A page of a channel's archive, and whether it was replaced; None where there never was one."""
    return documents.page_named(session, channel, name)


def document_stamps(session: Session) -> dict[tuple[str, str], str]:
    """The ETag of every document: what is shown of the channels holds as long as these do."""
    return documents.stamps(session)


def published_brief(session: Session, slug: str, compiled: Mapping[str, CompiledTopic]) -> Published | None:
    """A brief as its readers are to see it; None where no brief of that name was ever published."""
    brief = briefs.named(session, slug)
    if brief is None or brief.slug != slug:
        return None
    past = tuple(briefs.publications(session, [brief.id]))
    if not past:
        return None
    known = stories.by_ids(session, [link.story_id for link in past[-1].links])
    return as_published(slug, past, known, compiled)


def taken_by_topic(session: Session, slug: str, *, limit: int) -> list[Taken]:
    """The newest stories of a topic, each with why it is in."""
    found = stories.find(session, topic=slug, limit=limit)
    return [Taken(story, topics.why(session, slug, story.id) or "") for story in found]


def health(session: Session) -> Health:
    """The figures of `/health`.

    Raises:
        StoreError: the database does not answer.
    """
    followed = sources.all_sources(session)
    return Health(
        stories=stories.count(session),
        sources=len(followed),
        failing=sum(source.failure_kind is not None for source in followed),
        last_fetch=max((source.last_fetch for source in followed if source.last_fetch), default=None),
    )


def find_stories(
    session: Session,
    asked: str,
    *,
    topic: str | None,
    language: str | None,
    since: datetime | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Stories that meet every condition, newest first, in their JSON form.

    Raises:
        QueryError: `asked` cannot be read as a query.
    """
    query = parse_query(asked) if asked.strip() else None
    found = stories.find(session, query, topic=topic, language=language, since=since, limit=limit)
    return stories_json(session, found)


def list_briefs(session: Session) -> list[dict[str, Any]]:
    """Every brief, newest first, in its short JSON form."""
    return [brief_json(brief) for brief in briefs.all_briefs(session)]


def show_brief(session: Session, name: str) -> dict[str, Any]:
    """A brief with its passages and the picks of each, in its JSON form.

    Raises:
        BadInput: there is no such brief.
    """
    brief = require_brief(session, name)
    known = stories.by_ids(session, [link.story_id for link in brief.links])
    passages = [
        {
            "id": passage.id,
            "label": passage.label,
            "text": passage.text,
            "picks": [
                pick_json(link, known[link.story_id]) for link in brief.links if link.passage == passage.id
            ],
        }
        for passage in read_brief(brief.revision.text).passages
    ]
    return {**brief_json(brief), "passages": passages}


def knows_brief(session: Session, name: str) -> str | None:
    """None where there is such a brief, else the sentence that says that there is none."""
    try:
        require_brief(session, name)
    except BadInput as error:
        return str(error)
    return None


def stories_json(session: Session, found: Sequence[Story]) -> list[dict[str, Any]]:
    """Stories as the command line and the API give them, each with the number of its cluster."""
    known = clusters.clusters_of(session, [story.id for story in found])
    return [story_json(story, known.get(story.id)) for story in found]


def story_json(story: Story, cluster: ClusterView | None = None) -> dict[str, Any]:
    """A story as the command line and the API give it; times are RFC 3339, UTC."""
    return {
        "id": story.id,
        "url": story.url,
        "title": story.title,
        "summary": story.summary,
        "language": story.language,
        "published": _time(story.published),
        "updated": _time(story.updated),
        "first_seen": _time(story.first_seen),
        "source": {"name": story.source_name, "url": story.source_url},
        "versions": story.versions,
        "topics": list(story.topics),
        "cluster": cluster.id if cluster else None,
    }


def source_json(source: Source) -> dict[str, Any]:
    """A source with how it is doing, as the command line gives it."""
    return {
        "id": source.id,
        "url": source.url,
        "title": source.title,
        "site": source.site_url,
        "language": source.language,
        "kind": source.kind.value,
        "paused": source.is_paused,
        "gone": _time(source.gone_at),
        "stories": source.stories,
        "failure": source.failure_kind,
        "last_fetch": _time(source.last_fetch),
        "last_success": _time(source.last_success),
        "next_due": _time(source.next_due),
        "why": source.why,
    }


def checked_json(checked: Checked) -> dict[str, Any]:
    """What stands at an address, as the command line gives it."""
    feed = checked.feed
    return {
        "url": checked.url,
        "feed": None
        if feed is None
        else {
            "title": feed.title,
            "format": feed.version,
            "language": feed.language,
            "entries": len(feed.entries),
            "problems": list(feed.problems),
        },
        "found": [{"url": found.url, "title": found.title, "type": found.type} for found in checked.found],
        "why": checked.why or None,
    }


def brief_json(brief: Brief) -> dict[str, Any]:
    """A brief without its text, as the command line and the API give it."""
    revision = brief.revision
    return {
        "id": brief.id,
        "slug": brief.slug,
        "title": revision.title,
        "date": revision.dated.isoformat() if revision.dated else None,
        "language": revision.language,
        "state": brief.state.value,
        "revisions": brief.revisions,
        "created": _time(brief.created_at),
        "saved": _time(revision.saved_at),
        "picks": len(brief.links),
    }


def pick_json(link: StoryLink, story: Story) -> dict[str, Any]:
    """A pick with what is needed to show its story."""
    return {
        "story": story.id,
        "role": link.role.value,
        "url": story.url,
        "title": story.title,
        "language": story.language,
        "source": story.source_name,
        "picked_by": link.picked_by,
        "picked_at": _time(link.picked_at),
    }


def quality_json(quality: Quality) -> dict[str, Any]:
    """How good the suggestions for a brief were, by what its editors decided; null where nothing was."""
    return {
        "suggested": quality.suggested,
        "picked": quality.picked,
        "rejected": quality.rejected,
        "precision": quality.precision,
        "recall": quality.recall,
    }


def _order(entry: Entry) -> tuple[str, str]:
    return rfc3339(entry.updated or NEVER), entry.id or ""


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None
