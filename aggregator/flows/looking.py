"""An address is looked at before it is followed: which feeds stand there, and what they show."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows.ingest import FetchSettings, client_for
from aggregator.flows.sources import Checked, check_url, feeds_named, require_web_url
from aggregator.language.detect import detect
from aggregator.model import Source, SourceDraft
from aggregator.store import moves, sources
from feeds.discover import guess_feed_urls
from feeds.errors import FailureKind, FetchError
from feeds.http import Client, Fetched, Limits, fetch
from feeds.model import Entry, Feed
from feeds.urls import canonical

#: Gives a client for the time of one look.
Reach = Callable[[], contextlib.AbstractAsyncContextManager[Client]]

#: Looks under way at once; further ones are refused, since each may take as long as a fetch.
MOST_LOOKS = 4
#: Feeds of one page that are looked at: a page may name hundreds.
MOST_FEEDS = 6
#: Places where a site often has its feed, tried where its page names none.
MOST_GUESSES = 6
#: Each of them may take this part of the time of a look.
SHARES = 3
#: Entries of each feed that are shown.
MOST_ENTRIES = 10
#: The longest list of feeds that is taken, in bytes and in feeds.
MOST_LIST_BYTES = 2 * 1024 * 1024
MOST_LISTED = 2_000

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FeedSeen:
    """A feed that an address led to, and what it shows now."""

    #: Where it is to be followed.
    url: str
    #: What the page calls it, else what it calls itself.
    title: str
    #: Where it was found, after redirects.
    final_url: str = ""
    #: As the feed says, else as its headlines are written.
    language: str | None = None
    #: "rss20", "atom10", "json11", …
    version: str = ""
    #: What was wrong with it, in words.
    problems: tuple[str, ...] = ()
    #: The newest of them, newest first.
    entries: tuple[Entry, ...] = ()
    #: How many it shows.
    count: int = 0
    #: Which way reading it failed; None where it can be read.
    failure: FailureKind | None = None
    #: Why it cannot be read, in words.
    why: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What stands at an address."""

    #: The address, made absolute.
    url: str
    #: Those that can be read first.
    feeds: tuple[FeedSeen, ...]
    #: It is a page that names its feeds, and no feed itself.
    is_page: bool = False
    #: The page names none; these stand where sites often have one.
    is_guess: bool = False
    #: Feeds that the page names besides, and that were not looked at.
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """A feed of somebody's list."""

    draft: SourceDraft
    #: The source that it is already; None where it is new.
    known: Source | None


class Looker:
    """Looks at addresses for editors, a few at a time, each no longer than a fetch may take."""

    def __init__(self, reach: Reach, limits: Limits, *, per_host: int = 2) -> None:
        self._reach = reach
        self._limits = limits
        self._per_host = per_host
        self._under_way = 0

    @classmethod
    def of(cls, settings: FetchSettings) -> Looker:
        """One that reaches what fetching reaches, and no more."""
        return cls(lambda: client_for(settings), settings.limits, per_host=settings.per_host)

    async def look(self, address: str, *, followed: Collection[str] = ()) -> Look:
        """The feeds at an address: the one that it is, or those that the page there names.

        Of those, the ones that are `followed` already (by `canonical`) come last, and are not asked.

        Raises:
            BadInput: it is no web address, or too many look at once.
            FetchError: nothing usable answers there.
        """
        url = require_web_url(address.strip())
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.total.total_seconds()
        async with self._client() as client:
            checked = await check_url(client, url, self._limits)
            if checked.feed is not None:
                return Look(url, (_seen(url, "", checked),))
            new = [(one.url, one.title) for one in checked.found if canonical(one.url) not in followed]
            known = [FeedSeen(one.url, one.title) for one in checked.found if canonical(one.url) in followed]
            is_guess = not checked.found
            guesses = guess_feed_urls(checked.url)[:MOST_GUESSES] if is_guess else ()
            some = new[:MOST_FEEDS] + [(guess, "") for guess in guesses]
            places = asyncio.Semaphore(self._per_host)
            feeds = await asyncio.gather(*(self._at(client, *one, places, deadline) for one in some))
        if is_guess:
            feeds = _different(feed for feed in feeds if feed.failure is None)
        usable_first = sorted(feeds, key=lambda feed: feed.failure is not None)
        others = tuple(url for url, _ in new[MOST_FEEDS:])
        return Look(url, (*usable_first, *known), is_page=True, is_guess=is_guess, others=others)

    async def document(self, address: str) -> bytes:
        """The bytes at an address, of a list of feeds as a rule.

        Raises:
            BadInput: it is no web address, or too many look at once.
            FetchError: nothing usable answers there, or it is longer than a list may be.
        """
        limits = replace(self._limits, body_bytes=min(self._limits.body_bytes, MOST_LIST_BYTES))
        async with self._client() as client:
            answer = await fetch(client, require_web_url(address.strip()), limits=limits)
        assert isinstance(answer, Fetched)  # noqa: S101 - nothing was asked conditionally
        return answer.body

    @contextlib.asynccontextmanager
    async def _client(self) -> AsyncIterator[Client]:
        if self._under_way >= MOST_LOOKS:
            raise BadInput("Several addresses are being looked at just now: try again in a moment.")
        self._under_way += 1
        try:
            async with self._reach() as client:
                yield client
        finally:
            self._under_way -= 1

    async def _at(
        self, client: Client, url: str, title: str, places: asyncio.Semaphore, deadline: float
    ) -> FeedSeen:
        """What one of a page's feeds shows; that it cannot be read is an answer, too."""
        # One that hangs must not hold the place of another for the whole of a look.
        limits = replace(self._limits, total=self._limits.total / SHARES)
        try:
            async with asyncio.timeout_at(deadline), places:
                checked = await check_url(client, url, limits)
        except TimeoutError:
            return FeedSeen(url, title, failure=FailureKind.TIMEOUT, why="It did not answer in time.")
        except FetchError as error:
            return FeedSeen(url, title, failure=error.kind, why=str(error))
        except BadInput as error:
            return FeedSeen(url, title, failure=FailureKind.BAD_URL, why=str(error))
        return _seen(url, title, checked)


def followed_addresses(session: Session) -> frozenset[str]:
    """What is followed, paused or not, as `canonical` addresses to compare with."""
    return frozenset(canonical(source.url) for source in sources.all_sources(session))


def known_at(session: Session, urls: Iterable[str]) -> dict[str, Source]:
    """Which of these addresses are followed already, or were, though http stands for https or a slash is missing."""
    urls = list(urls)
    every = sources.all_sources(session)
    same = {canonical(source.url): source for source in every}
    very = {source.url: source for source in every}
    before, by_id = moves.source_at(session, urls), {source.id: source for source in every}
    found = {url: very.get(url) or same.get(canonical(url)) or by_id.get(before.get(url, 0)) for url in urls}
    return {url: source for url, source in found.items() if source is not None}


def read_list(body: bytes) -> list[SourceDraft]:
    """The feeds of an OPML document.

    Raises:
        ParseError: it is no OPML.
        BadInput: it names no feed, or more than can be looked through.
    """
    drafts = feeds_named(body)
    if len(drafts) > MOST_LISTED:
        raise BadInput(
            f"This list names {len(drafts)} feeds, and a page takes {MOST_LISTED}: "
            "`wirebrief sources import FILE` takes them all."
        )
    return drafts


def listed(session: Session, drafts: Iterable[SourceDraft]) -> list[Listed]:
    """The feeds of a list, each with the source that it is already."""
    every = list(drafts)
    known = known_at(session, [draft.url for draft in every])
    return [Listed(draft, known.get(draft.url)) for draft in every]


def _seen(url: str, title: str, checked: Checked) -> FeedSeen:
    feed = checked.feed
    if feed is None:
        return FeedSeen(url, title, checked.url, failure=FailureKind.NOT_A_FEED, why=checked.why)
    newest = sorted(feed.entries, key=_moment, reverse=True)[:MOST_ENTRIES]
    return FeedSeen(
        url=url,
        title=feed.title or title,
        final_url=checked.url,
        language=_language(feed, newest),
        version=feed.version,
        problems=feed.problems,
        entries=tuple(newest),
        count=len(feed.entries),
    )


def _language(feed: Feed, newest: list[Entry]) -> str | None:
    return feed.language or detect("\n".join(entry.title for entry in newest))


def _moment(entry: Entry) -> datetime:
    return entry.published or entry.updated or _NEVER


def _different(feeds: Iterable[FeedSeen]) -> list[FeedSeen]:
    """Each feed once: several of the guessed places may lead to the same one."""
    return list({canonical(feed.final_url): feed for feed in reversed(list(feeds))}.values())[::-1]
