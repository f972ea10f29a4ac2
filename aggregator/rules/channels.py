"""What a channel is, and whether it carries a brief or a story, with the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Literal

from pydantic import TypeAdapter

from aggregator.language.query import matches, parse_query
from aggregator.language.text import fold, words
from aggregator.model import Reuse
from aggregator.written import Duration
from feeds.model import Entry, Feed, Link, Person, Tombstone
from feeds.urls import canonical

_ENTRY = TypeAdapter(Entry)
_RANKS = {reuse: reuse.rank for reuse in Reuse}

Kind = Literal["brief", "story"]

#: What may stand after the dot of a channel's address, and the media type of what is there.
FORMATS: Mapping[str, str] = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
    "ninjs": "application/json",
}


@dataclass(frozen=True, slots=True)
class Site:
    """Who publishes, as subscribers are told."""

    #: The name of the newsroom.
    title: str = "wirebrief"
    #: Where readers reach this service, without a slash at the end.
    url: str = "http://127.0.0.1:8000"
    #: A domain or an e-mail address of the newsroom: with `since` it makes ids that never change.
    authority: str = "wirebrief.example"
    #: A day (YYYY-MM-DD) on which `authority` was the newsroom's (RFC 4151).
    since: str = "2025-01-01"
    author: str = "The editors"
    rights: str = ""
    language: str = "en"

    def tag(self, name: str) -> str:
        """A permanent id (RFC 4151), whichever address the service has."""
        return f"tag:{self.authority},{self.since}:{name}"

    def page(self, path: str) -> str:
        """The address of a page of ours."""
        return f"{self.url.rstrip('/')}/{path}"


@dataclass(frozen=True, slots=True)
class Channel:
    """A feed that we publish."""

    slug: str
    title: str
    #: Only what belongs to one of these topics; empty takes everything.
    topics: tuple[str, ...] = ()
    #: Only stories in these languages (ISO 639-1); empty takes all. Briefs always come.
    languages: tuple[str, ...] = ()
    #: Only stories of these sources: a feed's address, its host or its title. Briefs always come.
    sources: tuple[str, ...] = ()
    #: Only briefs of these desks, as their front matter says; empty takes all.
    desks: tuple[str, ...] = ()
    #: Only what this search finds, in the search language; empty takes all.
    query: str = ""
    #: Only stories whose source lets so much be passed on.
    reuse: Reuse = Reuse.HEADLINE
    #: "briefs", "stories" or both.
    carries: tuple[Literal["briefs", "stories"], ...] = ("briefs", "stories")
    #: How many entries at most; the newest stay.
    entries: int = 100
    #: How long an entry stays; zero sets no end.
    age: Duration = timedelta()
    #: How large its Atom document may become, uncompressed; the newest entries stay.
    body_bytes: int = 1_000_000
    description: str = ""
    language: str = ""
    #: False: only partners who were given it may read it.
    is_public: bool = True
    #: Names that it had before; whoever asks for them is sent here.
    formerly: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Where its Atom document is served."""
        return self.path_as("atom")

    def path_as(self, format: str) -> str:
        """Where its document in a format is served."""
        return f"channels/{self.slug}.{format}"


@dataclass(frozen=True)
class Candidate:
    """A brief or a story that a channel may carry.

    Without slots, so that what is worked out of it once stays with it from look to look.
    """

    kind: Kind
    #: The id of the brief or the story.
    ref: int
    #: As subscribers would see it.
    entry: Entry
    #: When this state of it came here, in whole seconds.
    came: datetime
    #: Slugs.
    topics: tuple[str, ...]
    language: str | None
    #: Names of its source, folded; empty for a brief.
    sources: frozenset[str] = frozenset()
    reuse: Reuse = Reuse.FULL
    desk: str = ""
    #: What a search looks through.
    text: str = ""
    #: A correction or a withdrawal: it is told wherever the brief was told.
    is_final_word: bool = False
    #: Whether a search finds it, by search.
    _found: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def digest(self) -> str:
        """A digest of all that subscribers see of it."""
        return digest_of(self.entry)

    @cached_property
    def page(self) -> str | None:
        """Its page as pages are compared; None where it has none."""
        return canonical(self.entry.url) if self.entry.url else None

    def is_found_by(self, query: str) -> bool:
        """Whether a search finds it."""
        if query not in self._found:
            self._found[query] = matches(parse_query(query), words(self.text))
        return self._found[query]


def digest_of(entry: Entry) -> str:
    """A digest of all that subscribers see of an entry. Fields left at their defaults do not count,
    so that a program that knows more of them does not tell every entry anew."""
    return hashlib.sha256(_ENTRY.dump_json(entry, exclude_defaults=True)).hexdigest()


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a channel carries something, and why, in words an editor reads."""

    is_in: bool
    why: str


def judge(
    channel: Channel, candidate: Candidate, titles: Mapping[str, str], *, was_told: bool = False
) -> Judgement:
    """Whether a channel carries it. `titles` gives the title of each topic by its slug.

    A correction and a withdrawal reach whoever was told of the brief, even where it no longer
    belongs to the channel.
    """
    against = next(_objections(channel, candidate, titles), None)
    if against is not None and was_told and candidate.is_final_word:
        return Judgement(True, "It was told here, so its correction or withdrawal is told here too.")
    return Judgement(False, against) if against else Judgement(True, _reason(channel, candidate, titles))


def head_of(
    channel: Channel,
    site: Site,
    *,
    updated: datetime | None,
    format: str = "atom",
    hubs: tuple[str, ...] = (),
    archive: str | None = None,
    tombstones: tuple[Tombstone, ...] = (),
) -> Feed:
    """The channel as a feed without its entries, in one of `FORMATS`.

    `updated` is that of its newest entry, `archive` the name of its newest archive page.
    """
    links = [
        Link(site.page(channel.path_as(format)), rel="self", type=FORMATS[format]),
        Link(site.page(f"channels/{channel.slug}"), rel="alternate", type="text/html"),
        *(Link(hub, rel="hub") for hub in hubs),
    ]
    if archive is not None:
        links.append(Link(site.page(archive_path(channel.slug, archive)), rel="prev-archive"))
    return Feed(
        id=channel_id(channel, site),
        title=channel.title,
        subtitle=channel.description or None,
        links=tuple(links),
        updated=updated or datetime.fromisoformat(f"{site.since}T00:00:00+00:00"),
        language=channel.language or site.language,
        authors=(Person(site.author),),
        rights=site.rights or None,
        icon=site.page("static/icon.png"),
        tombstones=tombstones,
    )


def channel_id(channel: Channel, site: Site) -> str:
    """The id of a channel: that of its first name, since a new name must not change it."""
    return site.tag(f"channel/{(*channel.formerly, channel.slug)[0]}")


def archive_path(slug: str, name: str) -> str:
    """Where an archive page of a channel is served."""
    return f"channels/{slug}/archive/{name}.atom"


def _objections(channel: Channel, candidate: Candidate, titles: Mapping[str, str]) -> Iterator[str]:
    plural = "briefs" if candidate.kind == "brief" else "stories"
    if plural not in channel.carries:
        yield f"This channel carries no {plural}."
    if channel.topics and not set(channel.topics) & set(candidate.topics):
        yield f"It belongs to no topic of this channel ({_named(channel.topics, titles)})."
    if candidate.kind == "brief":
        if channel.desks and candidate.desk not in channel.desks:
            yield f"It is of {candidate.desk or 'no desk'}, and not of {', '.join(channel.desks)}."
    else:
        yield from _story_objections(channel, candidate)
    if channel.query and not candidate.is_found_by(channel.query):
        yield f"The search {channel.query!r} does not find it."


def _story_objections(channel: Channel, candidate: Candidate) -> Iterator[str]:
    if candidate.entry.is_withdrawn:
        yield "Its source has taken it back."
    if channel.languages and candidate.language not in channel.languages:
        yield f"It is in {candidate.language or 'an unknown language'}, and not in {', '.join(channel.languages)}."
    if channel.sources and candidate.sources.isdisjoint(_folded(channel.sources)):
        yield "Its source is none of this channel's."
    if candidate.reuse is Reuse.NONE:
        yield "Its source lets nothing be passed on."
    elif _RANKS[candidate.reuse] < _RANKS[channel.reuse]:
        allowed, wanted = candidate.reuse.value, channel.reuse.value
        yield f"Its source lets only the {allowed} be passed on, and this channel wants {wanted}."


def _reason(channel: Channel, candidate: Candidate, titles: Mapping[str, str]) -> str:
    if met := [topic for topic in channel.topics if topic in candidate.topics]:
        return f"It belongs to {_named(met, titles)}."
    if channel.query:
        return f"The search {channel.query!r} finds it."
    return f"This channel carries every {candidate.kind}."


def _named(topics: tuple[str, ...] | list[str], titles: Mapping[str, str]) -> str:
    return ", ".join(titles.get(slug, slug) for slug in topics)


@lru_cache(maxsize=64)
def _folded(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(fold, names))
