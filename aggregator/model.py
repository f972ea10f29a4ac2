"""The nouns of the desk, as values. The words are those of docs/glossary.md.

Each type tells a moment in a thing's life: `SourceDue` is what a fetch needs to know, `StoryDraft`
what a feed said, `FetchReport` what to record, `Story` what is read back. All times are aware, UTC.
"""

# Why so long: the nouns are read as a whole, each beside those that it is told with.
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from aggregator.paced import Asked, Paced
from feeds.model import Entry, Origin, Tombstone
from feeds.websub import Hubs

#: By what the entries of a source are known: the id that it gives them, or the page they link to.
Identity = Literal["id", "link"]

#: Gives the time now, aware and in UTC. The clock is always handed in, so that tests own it.
Clock = Callable[[], datetime]


class SourceKind(StrEnum):
    """How eagerly a source is asked: a wire by the minute, a blog by the hour."""

    WIRE = "wire"
    NEWS = "news"
    BLOG = "blog"


class Role(StrEnum):
    """What a picked story is to its passage."""

    SOURCE = "source"
    BACKGROUND = "background"
    QUOTE = "quote"
    CONTRADICTS = "contradicts"


class Reuse(StrEnum):
    """How much of a source's stories may be passed on, from nothing to everything."""

    NONE = "none"
    HEADLINE = "headline"
    SUMMARY = "summary"
    FULL = "full"

    @property
    def rank(self) -> int:
        """0 for nothing, rising with what is allowed."""
        return list(Reuse).index(self)


class BriefState(StrEnum):
    """Where a brief stands for its readers."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Act(StrEnum):
    """What a publication did."""

    PUBLISHED = "published"
    UPDATED = "updated"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """How one fetch ended."""

    UNCHANGED = "unchanged"
    FETCHED = "fetched"
    FAILED = "failed"
    #: Nobody asked: a hub sent it.
    PUSHED = "pushed"
    #: Nobody asked: a body that was kept was read again.
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class SourceDraft:
    """A feed that somebody wants to follow."""

    #: Absolute http(s) URL of the feed.
    url: str
    #: As the desk names it; "" takes the feed's own title at the first fetch.
    title: str = ""
    site_url: str | None = None
    #: BCP 47, a hint: stories are detected one by one.
    language: str | None = None
    kind: SourceKind = SourceKind.NEWS
    #: What may be republished, in words; None where the feed's own say is all there is.
    rights: str | None = None
    #: How much of its stories is passed on.
    reuse: Reuse = Reuse.SUMMARY


@dataclass(frozen=True, slots=True)
class SourceDue:
    """A source claimed for a fetch, with what the next request must know."""

    id: int
    url: str
    title: str
    site_url: str | None
    language: str | None
    kind: SourceKind
    #: Validators of the last answer.
    etag: str | None
    last_modified: str | None
    #: Digest of the last body, a second short cut where a server ignores validators.
    digest: str | None
    #: Weighted count of failures since the last success.
    failures: float
    #: By what its entries are known.
    identity: Identity = "id"
    #: The host of its address; "" where nobody has looked yet.
    host: str = ""
    #: How it stands with being asked.
    paced: Paced = field(default_factory=Paced)


@dataclass(frozen=True, slots=True)
class Source:
    """A source as the desk sees it."""

    id: int
    url: str
    title: str
    site_url: str | None
    language: str | None
    kind: SourceKind
    rights: str | None
    added_at: datetime
    is_paused: bool
    gone_at: datetime | None
    next_due: datetime
    failures: float
    last_fetch: datetime | None
    last_success: datetime | None
    #: Why the last fetch failed; None after a success.
    failure_kind: str | None
    #: What happened last and what comes next, in words.
    why: str
    stories: int
    #: How much of its stories is passed on.
    reuse: Reuse = Reuse.SUMMARY
    #: The 99th percentile of the pauses between its stories, in seconds; None where it was not measured.
    quiet_seconds: float | None = None
    #: Its stories are kept for so many days, 0 for ever; None where the settings say how long.
    keep_days: int | None = None
    #: By what its entries are known, why, and who said so ("" is the program itself).
    identity: Identity = "id"
    identity_why: str = ""
    identity_by: str = ""


class AlarmKind(StrEnum):
    """What is wrong with a source."""

    #: It answers, and gave no story for longer than it ever lets pass.
    SILENT = "silent"
    #: It has given no usable answer for hours, or is gone.
    FAILING = "failing"
    #: It shows far fewer entries than it used to.
    FEWER = "fewer"


@dataclass(frozen=True, slots=True)
class Shown:
    """How many entries a source shows when it is read."""

    #: The last time.
    now: int
    #: Before that, the newest readings counting most.
    usual: float
    #: How often it was read.
    readings: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something about a source that somebody should look at, while it stands and after."""

    id: int
    source_id: int
    kind: AlarmKind
    raised_at: datetime
    #: When it was over; None while it stands.
    cleared_at: datetime | None
    #: What is wrong, in words.
    why: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A body as it came, so that what was read from it can be shown and read again."""

    #: SHA-256 of the body, in hexadecimal.
    hash: str
    content_type: str | None
    #: The base for relative links: where it came from, after all redirects.
    base_url: str
    #: Bytes of it, unpacked.
    size: int
    #: The body, compressed with zstd; empty where it is kept already.
    packed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoryDraft:
    """An entry as a story to keep: what the feed said, identified and weighed."""

    #: Identity within its source; the same next time.
    key: str
    #: The id under which it is republished: the feed's own where it is an IRI, else minted once.
    entry_id: str
    #: Canonical page, or None where the feed names none.
    url: str | None
    #: Detected, ISO 639-1; None where nothing could tell.
    language: str | None
    #: Plain text of summary, else an excerpt of the body.
    summary: str
    #: Plain text of the body, or "" where the feed gave none beyond its summary.
    body: str
    #: Digest of what a reader would notice if it changed.
    digest: str
    entry: Entry
    #: Its page as it is compared within its source; None where it names none.
    page: str | None = None
    #: Whether other stories of its document name the same page, which then tells none of them apart.
    shares_page: bool = False


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What one fetch found, ready to be recorded."""

    source_id: int
    at: datetime
    outcome: Outcome
    next_due: datetime | None
    #: In words an editor reads.
    why: str
    seconds: float = 0.0
    status: int | None = None
    body_bytes: int = 0
    final_url: str | None = None
    failure_kind: str | None = None
    #: Weighted failures after this fetch.
    failures: float = 0.0
    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None
    #: The feed's own word about itself, for `atom:source`; None unless it was read.
    origin: Origin | None = None
    #: Set only where the source had none of its own.
    title: str | None = None
    site_url: str | None = None
    #: Where the feed may be subscribed to; None where it names no hub, or was not read.
    hubs: Hubs | None = None
    drafts: tuple[StoryDraft, ...] = ()
    #: Ids that the feed says were withdrawn.
    tombstones: tuple[Tombstone, ...] = ()
    #: Entries that the feed showed; None where it was not read.
    entries: int | None = None
    #: What was read, kept where it gives something new.
    evidence: Evidence | None = None
    #: What asking showed besides; and how the source stands with it, None where that stays as it is.
    asked: Asked = field(default_factory=Asked)
    paced: Paced | None = None


#: Characters of the address of a source: what browsers and servers take, and an index of a database.
LONGEST_ADDRESS = 2_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """What recording one fetch did."""

    source_id: int
    new: int
    changed: int
    known: int
    #: Entries that became no story: they stood there twice, were beyond what is read, or may not come back.
    skipped: int = 0
    #: Stories that their source took back, or put back.
    withdrawn: int = 0
    #: What an editor should know of how its entries were told apart, in words.
    notes: tuple[str, ...] = ()

    @property
    def is_news(self) -> bool:
        """Whether stories came, changed, or were taken or put back."""
        return bool(self.new or self.changed or self.withdrawn)

    def __str__(self) -> str:
        parts = {name: getattr(self, name) for name in ("skipped", "known", "changed", "new")}
        return ", ".join(f"{n} {name}" for name, n in parts.items() if n) or "no entries"


@dataclass(frozen=True, slots=True)
class Story:
    """A story as it is read back: its newest version and what the desk knows of it."""

    id: int
    entry_id: str
    url: str | None
    source_id: int
    source_name: str
    source_url: str
    source_site: str | None
    source_rights: str | None
    source_reuse: Reuse
    title: str
    summary: str
    body: str
    language: str | None
    published: datetime | None
    updated: datetime | None
    first_seen: datetime
    #: When this version was first seen.
    changed_at: datetime
    versions: int
    digest: str
    #: Everything else that the feed said.
    entry: Entry
    #: The feed's own word about itself.
    origin: Origin | None = None
    topics: tuple[str, ...] = ()
    #: When its source took it back, and why; None where it stands.
    withdrawn_at: datetime | None = None
    withdrawn_why: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a story. Never overwritten."""

    #: Rises with every change of any story: a cursor over all of them.
    id: int
    story_id: int
    number: int
    seen_at: datetime
    #: When its story was published, or first seen where that is earlier: what "Tuesday" is read from.
    sorted_at: datetime
    title: str
    summary: str
    body: str
    language: str | None
    source_url: str
    source_name: str


@dataclass(frozen=True, slots=True)
class Revision:
    """One saved state of a brief. Never overwritten."""

    id: int
    number: int
    saved_at: datetime
    saved_by: str
    #: As the editor wrote it.
    text: str
    title: str
    dated: date | None
    language: str
    digest: str


@dataclass(frozen=True, slots=True)
class StoryLink:
    """A pick: an editor took a story for a passage."""

    id: int
    brief_id: int
    passage: str
    story_id: int
    role: Role
    picked_by: str
    picked_at: datetime

    @property
    def is_placed(self) -> bool:
        """Whether its paragraph stands in the brief; else it waits for it and is not published."""
        return not self.passage.startswith("gone-")


@dataclass(frozen=True, slots=True)
class PublishedLink:
    """A pick as it was when the brief was published."""

    passage: str
    story_id: int
    #: The version that the editor saw.
    version: int
    role: Role


@dataclass(frozen=True, slots=True)
class Publication:
    """One act of publishing: what subscribers were told, when, by whom and why."""

    id: int
    brief_id: int
    act: Act
    at: datetime
    by: str
    why: str
    revision: Revision
    links: tuple[PublishedLink, ...]


@dataclass(frozen=True, slots=True)
class Brief:
    """A brief with its newest revision."""

    id: int
    slug: str
    state: BriefState
    created_at: datetime
    revision: Revision
    revisions: int
    links: tuple[StoryLink, ...]
    #: When it is to be published by itself; None where nobody planned that.
    release_at: datetime | None = None
    #: Who planned it.
    release_by: str = ""
    #: Nobody may publish it before; None where no embargo holds.
    embargo_until: datetime | None = None
    #: Who set the embargo.
    embargo_by: str = ""


@dataclass(frozen=True, slots=True)
class CheckDecision:
    """What an editor said to a check."""

    #: "accepted" or "ignored".
    decision: str
    why: str
    by: str
    at: datetime
