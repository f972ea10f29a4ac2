"""What is followed: checked before it is added, brought in and taken out as OPML."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.model import LONGEST_ADDRESS, Clock, Source, SourceDraft
from aggregator.people import Deed
from aggregator.store import audit, moves, sources
from aggregator.store.database import Database
from feeds.discover import FoundFeed, find_feeds
from feeds.errors import ParseError
from feeds.http import Client, Fetched, Limits, fetch
from feeds.model import Feed
from feeds.opml import Subscription, read_opml, write_opml
from feeds.read import parse
from feeds.shareable import is_shareable
from feeds.urls import absolute


@dataclass(frozen=True, slots=True)
class Checked:
    """What stands at an address: a feed, or a page that may name some."""

    #: Where it was found, after redirects.
    url: str
    feed: Feed | None
    #: Feeds that the page names, best first; empty where it is a feed itself.
    found: tuple[FoundFeed, ...] = ()
    #: Why it is no feed.
    why: str = ""


async def check_url(client: Client, url: str, limits: Limits) -> Checked:
    """Look at an address before following it.

    Raises:
        BadInput: it is no http or https address.
        FetchError: nothing usable answers there.
    """
    answer = await fetch(client, require_web_url(url), limits=limits)
    assert isinstance(answer, Fetched)  # noqa: S101 - nothing was asked conditionally
    return await asyncio.to_thread(_check, answer)


def _check(answer: Fetched) -> Checked:
    try:
        feed = parse(answer.body, content_type=answer.content_type, base_url=answer.url)
    except ParseError as error:
        found = find_feeds(answer.body, content_type=answer.content_type, base_url=answer.url)
        return Checked(answer.url, None, tuple(found), str(error))
    return Checked(answer.url, feed)


async def add_sources(database: Database, clock: Clock, drafts: Sequence[SourceDraft], *, by: str) -> int:
    """Follow these feeds; how many were not followed before."""
    return await database.write(lambda session: follow(session, drafts, by=by, now=clock()))


def follow(session: Session, drafts: Sequence[SourceDraft], *, by: str, now: datetime) -> int:
    """Follow these feeds; how many were not followed before."""
    for number in (new := sources.add(session, drafts, now=now)):
        with changing(session, number, "source.add", by=by, now=now, is_new=True):
            pass
    return len(new)


@contextlib.contextmanager
def changing(
    session: Session, source_id: int, act: str, *, by: str, now: datetime, is_new: bool = False, why: str = ""
) -> Iterator[None]:
    """Write into the audit what the block changes of a source; nothing where there is no such source."""
    before = None if is_new else sources.by_id(session, source_id)
    yield
    after = sources.by_id(session, source_id)
    named = after or before
    if named is not None:
        audit.add(session, Deed(by, act, named.url, _told(before), _told(after), why), now)


def _told(source: Source | None) -> dict[str, Any]:
    """What editors decide of a source, as the audit tells it."""
    if source is None:
        return {}
    return {
        "url": source.url,
        "title": source.title,
        "kind": source.kind,
        "language": source.language,
        "rights": source.rights,
        "reuse": source.reuse,
        "paused": source.is_paused,
        "known by": source.identity,
        "kept for days": source.keep_days,
    }


async def import_opml(database: Database, clock: Clock, body: bytes, *, by: str) -> tuple[int, int]:
    """Follow every feed of an OPML document: (new, named in it).

    Raises:
        ParseError: it is no OPML; nothing was added.
        BadInput: it names no feed that can be followed.
    """
    named = feeds_named(body)
    return await add_sources(database, clock, named, by=by), len(named)


def feeds_named(body: bytes) -> list[SourceDraft]:
    """The feeds of an OPML document that can be followed, each address once.

    Raises:
        ParseError: it is no OPML.
        BadInput: it names no feed that can be followed.
    """
    drafts = [draft for draft in map(_draft, read_opml(body).subscriptions) if draft is not None]
    if not drafts:
        raise BadInput("This OPML names no feed: an outline of a feed has an xmlUrl with a web address.")
    return list({draft.url: draft for draft in reversed(drafts)}.values())[::-1]


async def export_opml(
    database: Database, *, title: str, created: datetime | None = None, only_open: bool = False
) -> bytes:
    """Everything that is followed, as OPML 2.0; `only_open` leaves out addresses that are somebody's own."""
    followed = await database.read(sources.all_sources)
    if only_open:
        followed = [source for source in followed if is_shareable(source.url)]
    return list_of(followed, title=title, created=created)


def list_of(
    followed: Iterable[Source | SourceDraft], *, title: str, created: datetime | None = None
) -> bytes:
    """These as OPML 2.0."""
    return write_opml(map(_subscription, followed), title=title, created=created)


async def read_document(client: Client, place: str, limits: Limits) -> bytes:
    """The bytes of a file or of a web address.

    Raises:
        BadInput: there is no such file, or it cannot be read.
        FetchError: nothing usable answers at the address.
    """
    if place.startswith(("http://", "https://")):
        answer = await fetch(client, place, limits=limits)
        assert isinstance(answer, Fetched)  # noqa: S101 - nothing was asked conditionally
        return answer.body
    try:
        return Path(place).read_bytes()  # noqa: ASYNC240 - a command reads its one file before anything else
    except OSError as error:
        raise BadInput(f"{place} cannot be read: {error.strerror}.") from error


async def require_sources(database: Database, names: Sequence[str]) -> list[Source]:
    """The sources that these names mean, each by its id, URL or a part of its title.

    Raises:
        BadInput: a name means none, or several.
    """
    chosen = []
    for name in names:
        found = await database.read(lambda session, name=name: sources.named(session, name))  # type: ignore[misc]
        if not found:
            raise BadInput(f"No source is called {name!r}: `wirebrief sources list` names them all.")
        if len(found) > 1:
            some = ", ".join(f"{source.id} ({source.title or source.url})" for source in found[:5])
            raise BadInput(f"{name!r} may mean several sources: {some}. Say which by its number.")
        chosen.append(found[0])
    return chosen


async def remove_source(database: Database, clock: Clock, source_id: int, *, by: str) -> bool:
    """Stop following a source; False where it was only paused, because its stories are kept."""

    def remove(session: Session) -> bool:
        with changing(session, source_id, "source.remove", by=by, now=clock()):
            return sources.remove(session, source_id)

    return await database.write(remove)


async def resume_source(database: Database, clock: Clock, url: str, *, by: str) -> bool:
    """Go on with a paused source, or with one that was gone; False where neither is so."""

    def resume(session: Session) -> bool:
        before = moves.source_at(session, [url]).get(url)
        named = [s for s in sources.named(session, url) if s.url == url or s.id == before]
        halted = [source for source in named if source.is_paused or source.gone_at]
        for source in halted:
            with changing(session, source.id, "source.resume", by=by, now=clock()):
                sources.pause(session, source.id, paused=False)
        return bool(halted)

    return await database.write(resume)


def require_web_url(url: str) -> str:
    """The address, made absolute; a bare host name gets https.

    Raises:
        BadInput: it is no http or https address.
    """
    found = absolute(url if "://" in url else f"https://{url}")
    # "mailto:desk@wire.example" would be read as a login to that host.
    is_mail = "://" not in url and "@" in url.partition("/")[0]
    if found is None or is_mail:
        raise BadInput(f"{url!r} is no web address: write one that begins with https:// or http://.")
    if len(found) > LONGEST_ADDRESS:
        raise BadInput(
            f"This address has {len(found):,} characters: {LONGEST_ADDRESS:,} at most can be followed."
        )
    return found


def _draft(subscription: Subscription) -> SourceDraft | None:
    url = absolute(subscription.url)
    if url is None or len(url) > LONGEST_ADDRESS:
        return None
    return SourceDraft(
        url=url,
        title=subscription.title or "",
        site_url=absolute(subscription.site_url),
        language=subscription.language,
    )


def _subscription(source: Source | SourceDraft) -> Subscription:
    return Subscription(
        url=source.url,
        title=source.title or source.url,
        site_url=source.site_url,
        language=source.language,
        folders=(),
    )
