"""Channels are rendered when something in them changed, and stored ready to be served."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path

from sqlmodel import Session

from aggregator import __version__
from aggregator.errors import AggregatorError
from aggregator.model import Clock, Publication, StoredDocument, Story
from aggregator.rules.briefs import read_brief
from aggregator.rules.channels import Channel, Published, Site, compose
from aggregator.rules.topics import CompiledTopic, Subject, Topic, compile_topic, decide
from aggregator.store import briefs, documents, stories
from aggregator.store.database import Database
from feeds.model import Entry, Feed
from feeds.write import atom

#: Stories that are looked at for a channel of n entries, as a multiple of n: some share a page.
SPARE = 2

ATOM = "atom"


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of a channel."""

    channel: str
    entries: int
    #: False where nothing in it had changed, so that its bytes stay.
    is_new: bool
    #: Entries that had to be rendered; the others were kept from before.
    fresh: int


async def publish_channels(
    database: Database, clock: Clock, site: Site, channels: Sequence[Channel], topics: Sequence[Topic]
) -> list[Rendered]:
    """Render every channel that is stale. Doing it twice changes nothing.

    A document's Last-Modified strictly rises, in whole seconds, since some readers go by it
    alone: within one second the second change waits for the next.
    """
    titles = {topic.slug: topic.title for topic in topics}
    compiled = {topic.slug: compile_topic(topic) for topic in topics}
    await database.write(lambda session: documents.drop_channels(session, [c.slug for c in channels]))
    done = []
    for channel in channels:
        compose_now = partial(compose_channel, channel=channel, site=site, titles=titles, compiled=compiled)
        feed = await database.read(compose_now)
        done.append(await _publish(database, clock, channel, feed))
    return done


def published_briefs(session: Session, topics: Mapping[str, CompiledTopic]) -> list[Published]:
    """Every brief that was ever published, as its readers are to see it now."""
    by_brief: dict[int, list[Publication]] = {}
    for act in briefs.publications(session):
        by_brief.setdefault(act.brief_id, []).append(act)
    slugs = briefs.slugs(session)
    ids = {link.story_id for past in by_brief.values() for link in past[-1].links}
    known = stories.by_ids(session, list(ids))
    return [as_published(slugs[brief_id], tuple(past), known, topics) for brief_id, past in by_brief.items()]


async def export_channels(database: Database, folder: Path) -> list[Path]:
    """Write every channel as a static file, the same bytes that are served, each swapped in whole.

    Raises:
        AggregatorError: the folder cannot be written.
    """
    found = await database.read(documents.all_documents)
    try:
        return await asyncio.to_thread(_write_files, folder, found)
    except OSError as error:
        raise AggregatorError(
            f"{folder} cannot be written ({error.strerror}): name a folder that can."
        ) from error


def as_published(
    slug: str, past: tuple[Publication, ...], known: Mapping[int, Story], topics: Mapping[str, CompiledTopic]
) -> Published:
    """A brief from all its acts of publishing, oldest first, and the stories that its picks name."""
    text = read_brief(past[-1].revision.text)
    subject = Subject(text.title, "\n".join(p.text for p in text.passages), text.language, "", "")
    own = {topic for topic, compiled in topics.items() if decide(compiled, subject).is_in}
    return Published(slug, text, tuple(sorted(own | set(text.topics))), past, known)


def compose_channel(
    session: Session,
    channel: Channel,
    site: Site,
    titles: Mapping[str, str],
    compiled: Mapping[str, CompiledTopic],
) -> Feed:
    """What a channel carries now, newest first."""
    wanted: dict[int, Story] = {}
    for topic, language in product(channel.topics or (None,), channel.languages or (None,)):
        found = stories.find(session, topic=topic, language=language, limit=SPARE * channel.entries)
        wanted.update((story.id, story) for story in found)
    return compose(
        channel,
        site,
        briefs=published_briefs(session, compiled),
        stories=wanted.values(),
        topics=titles,
    )


async def _publish(database: Database, clock: Clock, channel: Channel, feed: Feed) -> Rendered:
    digests = [_entry_digest(entry, feed.language) for entry in feed.entries]
    state = _state(feed, digests)
    old = await database.read(lambda session: documents.get(session, channel.slug, ATOM))
    if old is not None and old.state == state:
        return Rendered(channel.slug, old.entries, is_new=False, fresh=0)
    kept = await database.read(lambda session: documents.fragments(session, digests))
    fresh = {
        digest: atom.entry_fragment(entry, language=feed.language)
        for digest, entry in zip(digests, feed.entries, strict=True)
        if digest not in kept
    }
    rendered = atom.assemble(feed, [kept.get(digest) or fresh[digest] for digest in digests])
    if old is not None and old.etag == rendered.etag:
        # Something changed that no subscriber would see.
        document = replace(old, state=state)
    else:
        at = await _next_second(clock, old.last_modified if old else None)
        document = _document(channel, feed, state, rendered.body, rendered.media_type, rendered.etag, at)

    def store(session: Session) -> None:
        documents.keep_fragments(session, fresh, list(kept), now=clock())
        documents.put(session, document)

    await database.write(store)
    return Rendered(
        channel.slug, len(digests), is_new=document.etag != (old.etag if old else ""), fresh=len(fresh)
    )


async def _next_second(clock: Clock, last: datetime | None) -> datetime:
    while True:
        now = clock().replace(microsecond=0)
        if last is None or now > last:
            return now
        if last - now > timedelta(minutes=1):
            # The clock was set back: going on from the last time beats waiting for hours.
            return last + timedelta(seconds=1)
        await asyncio.sleep(0.05)


def _document(
    channel: Channel, feed: Feed, state: str, body: bytes, media_type: str, etag: str, at: datetime
) -> StoredDocument:
    # mtime=0, so that the same bytes are compressed to the same bytes.
    packed = gzip.compress(body, 6, mtime=0)
    return StoredDocument(
        channel=channel.slug,
        format=ATOM,
        state=state,
        media_type=media_type,
        body=body,
        gzip=packed,
        etag=etag,
        etag_gzip=f'"{hashlib.sha256(packed).hexdigest()[:32]}"',
        last_modified=at,
        entries=len(feed.entries),
    )


def _entry_digest(entry: Entry, language: str | None) -> str:
    """What a fragment is kept under: the entry, and the program that wrote it."""
    return hashlib.sha256(f"{__version__}\n{language}\n{entry!r}".encode()).hexdigest()


def _state(feed: Feed, digests: Sequence[str]) -> str:
    head = replace(feed, entries=())
    return hashlib.sha256("\n".join([__version__, repr(head), *digests]).encode()).hexdigest()


def _write_files(folder: Path, found: Sequence[StoredDocument]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for document in found:
        target = folder / f"{document.channel}.{document.format}"
        partial = target.with_name(f".{target.name}.part")
        partial.write_bytes(document.body)
        partial.replace(target)
        written.append(target)
    return written
