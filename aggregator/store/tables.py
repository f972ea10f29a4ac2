"""The tables. What was seen (versions, revisions, publications) is only ever added to.

Content stands apart from decisions: `story` and `version` hold what feeds said, `story_link`,
`publication` and `story_topic` what the desk made of it. Rows are written in bulk through
SQLAlchemy Core; the classes are here for their columns and for typed reads.
"""

# Why so long: a schema is read as a whole, each table beside those it refers to.
from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import JSON, BigInteger, Column, DateTime, Dialect, Index, Table, Text, UniqueConstraint, text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from feeds.model import Entry, Origin


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time. SQLite keeps no zones, so there the digits are UTC; both hand back UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ValueJson(TypeDecorator[Any]):
    """A value of `feeds.model`, kept as JSON without its defaults, so that the type can grow."""

    impl = Text
    cache_ok = True

    def __init__(self, value_type: type[Any]) -> None:
        super().__init__()
        self.value_type = value_type
        self._adapter: TypeAdapter[Any] = TypeAdapter(value_type)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else self._adapter.dump_json(value, exclude_defaults=True).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self._adapter.validate_json(value)


def moment(*, nullable: bool = False, index: bool = False) -> Any:
    """A column for an aware time."""
    return Field(default=None if nullable else ..., sa_type=UtcDateTime, nullable=nullable, index=index)


class SourceRow(SQLModel, table=True):
    """A feed that we follow, and where we stand with it."""

    __tablename__ = "source"
    __table_args__ = (
        # Who holds how much of which host.
        Index(
            "ix_source_claimed",
            "host",
            "claimed_by",
            sqlite_where=text("claimed_until IS NOT NULL"),
            postgresql_where=text("claimed_until IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    url: str = Field(unique=True)
    title: str
    site_url: str | None = None
    language: str | None = None
    kind: str
    rights: str | None = None
    #: How much of its stories is passed on: none, headline, summary or full.
    reuse: str = "summary"
    added_at: datetime = moment()
    is_paused: bool = False
    gone_at: datetime | None = moment(nullable=True)

    #: Where requests to it are counted: two under way at most.
    host: str = Field(index=True)
    #: The registrable domain of its host, which a 429 pauses as a whole.
    domain: str = ""
    next_due: datetime = moment(index=True)
    #: Set while a worker has it; a claim older than its lease counts for nothing.
    claimed_until: datetime | None = moment(nullable=True)
    #: The job that has it, and how many places at its host that job may take; null for a process that
    #: has all hosts to itself.
    claimed_by: int | None = Field(default=None, sa_type=BigInteger)
    claimed_places: int | None = None

    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None

    #: When it last answered with a whole document, and not with a 304.
    whole_at: datetime | None = moment(nullable=True)

    #: How long it waits between two fetches, before its headers have their say.
    interval_seconds: float | None = None
    #: Its usual pause between two entries, by their own times.
    usual_seconds: float | None = None
    #: When it last gave something new.
    newest_at: datetime | None = moment(nullable=True)
    #: How often nothing that it showed was known, so that stories may be missing; and when last.
    gaps: int = 0
    gap_at: datetime | None = moment(nullable=True)
    #: The permanent redirects that it led through the last time, as JSON, and since when they are the same.
    moved_chain: str | None = None
    moved_since: datetime | None = moment(nullable=True)
    #: An editor says to ask it now, though its domain is paused.
    is_insisted: bool = False

    failures: float = 0.0
    last_fetch: datetime | None = moment(nullable=True)
    last_success: datetime | None = moment(nullable=True)
    failure_kind: str | None = None
    why: str = ""

    #: The 99th percentile of the pauses between its stories, in seconds; and when that was measured.
    quiet_seconds: float | None = None
    measured_at: datetime | None = moment(nullable=True)
    #: Entries that it showed when it was read last, and usually before; and how often it was read.
    entries_now: int | None = None
    entries_usual: float | None = None
    readings: int = 0
    #: Its stories are kept for so many days, 0 for ever; none where the settings say how long.
    keep_days: int | None = None

    #: By what its entries are known, "id" or "link"; why, and who said so ("" is the program itself).
    identity: str = "id"
    identity_why: str = ""
    identity_by: str = ""

    #: The feed's own word about itself, for `atom:source`.
    origin: Origin | None = Field(default=None, sa_column=Column(ValueJson(Origin)))


class FetchRow(SQLModel, table=True):
    """One fetch: the log that says why a source is silent."""

    __tablename__ = "fetch"
    __table_args__ = (Index("ix_fetch_source_at", "source_id", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id", ondelete="CASCADE")
    at: datetime = moment()
    outcome: str
    status: int | None = None
    failure_kind: str | None = None
    final_url: str | None = None
    body_bytes: int = 0
    seconds: float = 0.0
    new: int = 0
    changed: int = 0
    known: int = 0
    #: Entries that the feed showed; none where it was not read.
    entries: int | None = None
    #: Those of them that became no story.
    skipped: int = 0
    #: The body that was read, where it gave something new.
    evidence: str | None = None
    #: Nothing that it showed was known, though it had been read before.
    is_gap: bool = False
    #: The redirects that were followed, [[from, status, to], …] as JSON.
    hops: str | None = None
    why: str = ""


class StoryRow(SQLModel, table=True):
    """A story: its identity. What it says stands in its versions."""

    __tablename__ = "story"
    __table_args__ = (
        UniqueConstraint("source_id", "key"),
        Index("ix_story_source_sorted_at", "source_id", "sorted_at"),
        # A new id is looked for at the page that it names.
        Index("ix_story_source_page", "source_id", "page"),
        # By its hash, since a feed's link may be longer than what a B-tree of PostgreSQL takes.
        Index("ix_story_url", "url", postgresql_using="hash"),
    )

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id", ondelete="RESTRICT")
    key: str
    entry_id: str = Field(index=True)
    url: str | None = None
    published: datetime | None = moment(nullable=True)
    first_seen: datetime = moment()
    #: min(published, first_seen): the order of the wire, which no future date can upset.
    sorted_at: datetime = moment(index=True)
    #: How many versions there are, and so the number of the newest.
    versions: int = 1
    #: Digest of the newest version.
    digest: str
    #: Its page as it is compared; none where its feed names none.
    page: str | None = None
    #: When its source took it back, and why.
    withdrawn_at: datetime | None = moment(nullable=True)
    withdrawn_why: str = ""


class VersionRow(SQLModel, table=True):
    """One state of a story. Its id rises with every change: a cursor over all stories."""

    __tablename__ = "version"
    __table_args__ = (
        UniqueConstraint("story_id", "number"),
        # A language is looked up here, without reading past the body for it.
        Index("ix_version_language", "language", "story_id", "number"),
        # What came in a time, counted by language, without reading a story.
        Index(
            "ix_version_came",
            "seen_at",
            "language",
            "story_id",
            # Of one value, and here all the same: without it SQLite reads each row for it.
            "number",
            sqlite_where=text("number = 1"),
            postgresql_where=text("number = 1"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    story_id: int = Field(foreign_key="story.id", ondelete="RESTRICT")
    number: int
    seen_at: datetime = moment()
    digest: str
    title: str
    summary: str
    body: str
    language: str | None = None
    updated: datetime | None = moment(nullable=True)
    #: The whole entry, so that passing it on loses nothing.
    entry: Entry = Field(sa_column=Column(ValueJson(Entry), nullable=False))
    #: The body that it was read from, which may not be kept any more.
    evidence: str | None = None


class TopicRow(SQLModel, table=True):
    """How far a topic has read the stories, and under which definition."""

    __tablename__ = "topic"

    slug: str = Field(primary_key=True)
    title: str
    fingerprint: str
    #: Versions up to this id have been decided.
    upto: int = 0


class StoryTopicRow(SQLModel, table=True):
    """A story is in a topic, and why."""

    __tablename__ = "story_topic"

    topic: str = Field(primary_key=True, foreign_key="topic.slug", ondelete="CASCADE")
    story_id: int = Field(primary_key=True, foreign_key="story.id", ondelete="CASCADE", index=True)
    why: str


class BriefRow(SQLModel, table=True):
    """A brief: its name. What it says stands in its revisions."""

    __tablename__ = "brief"

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    state: str
    created_at: datetime = moment()
    revisions: int = 1
    #: When it is to be published by itself, and who planned that.
    release_at: datetime | None = moment(nullable=True, index=True)
    release_by: str = ""
    #: Before that time nobody may publish it, and who said so.
    embargo_until: datetime | None = moment(nullable=True)
    embargo_by: str = ""


class RevisionRow(SQLModel, table=True):
    """One saved state of a brief."""

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("brief_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    brief_id: int = Field(foreign_key="brief.id", ondelete="RESTRICT")
    number: int
    saved_at: datetime = moment()
    saved_by: str
    text: str
    title: str
    dated: date | None = None
    language: str
    digest: str


class StoryLinkRow(SQLModel, table=True):
    """A pick. Undone, it stays, with who undid it."""

    __tablename__ = "story_link"
    __table_args__ = (
        # One standing pick of a story for a passage; those undone do not count.
        Index(
            "uq_story_link_standing",
            "brief_id",
            "passage",
            "story_id",
            unique=True,
            sqlite_where=Column("undone_at").is_(None),
            postgresql_where=Column("undone_at").is_(None),
        ),
        # When picks of a brief were last changed.
        Index("ix_story_link_touched", "brief_id", "picked_at", "undone_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    brief_id: int = Field(foreign_key="brief.id", ondelete="RESTRICT")
    passage: str
    story_id: int = Field(foreign_key="story.id", ondelete="RESTRICT", index=True)
    role: str
    picked_by: str
    picked_at: datetime = moment()
    undone_by: str | None = None
    undone_at: datetime | None = moment(nullable=True)


class PublicationRow(SQLModel, table=True):
    """One act of publishing, with the picks as they were."""

    __tablename__ = "publication"

    id: int | None = Field(default=None, primary_key=True)
    brief_id: int = Field(foreign_key="brief.id", ondelete="RESTRICT", index=True)
    revision_id: int = Field(foreign_key="revision.id", ondelete="RESTRICT")
    act: str
    at: datetime = moment()
    by: str
    why: str = ""
    #: [[passage, story_id, version, role], …]
    links: list[Any] = Field(sa_column=Column(JSON, nullable=False))


class ProgressRow(SQLModel, table=True):
    """How far a consumer of versions has come (the search index, for one)."""

    __tablename__ = "progress"

    name: str = Field(primary_key=True)
    upto: int = 0


class AnchorKeyRow(SQLModel, table=True):
    """A fact that stands in stories, under the same key in any language."""

    __tablename__ = "anchor_key"
    __table_args__ = (UniqueConstraint("kind", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    key: str
    #: In how many stories of the rolling window it stands.
    stories: int = 0


class PostingRow(SQLModel, table=True):
    """A fact stands in a story."""

    __tablename__ = "posting"
    __table_args__ = ({"sqlite_with_rowid": False},)

    key_id: int = Field(primary_key=True, foreign_key="anchor_key.id", ondelete="CASCADE")
    story_id: int = Field(primary_key=True, foreign_key="story.id", ondelete="CASCADE", index=True)


class StoryAnchorsRow(SQLModel, table=True):
    """All anchors of a story's newest version, with their spans in its title and summary."""

    __tablename__ = "story_anchors"

    story_id: int = Field(primary_key=True, foreign_key="story.id", ondelete="CASCADE")
    #: [[kind, key, start, end, weight, head], …] as JSON.
    anchors: str


class SuggestionRow(SQLModel, table=True):
    """A story proposed for a passage, and what an editor said to that."""

    __tablename__ = "suggestion"

    brief_id: int = Field(primary_key=True, foreign_key="brief.id", ondelete="CASCADE")
    passage: str = Field(primary_key=True)
    story_id: int = Field(primary_key=True, foreign_key="story.id", ondelete="CASCADE", index=True)
    score: float
    #: [[kind, span of the brief, span of the story], …] as JSON.
    reasons: str
    suggested_at: datetime = moment()
    rejected_by: str | None = None
    rejected_at: datetime | None = moment(nullable=True)


class ClusterRow(SQLModel, table=True):
    """A cluster: stories about one event. Its id is that of the story which began it."""

    __tablename__ = "cluster"

    id: int = Field(primary_key=True, foreign_key="story.id", ondelete="RESTRICT")
    created_at: datetime = moment()
    #: The cluster that it was merged into, while that merge stands.
    merged_into: int | None = Field(
        default=None, foreign_key="cluster.id", ondelete="RESTRICT", nullable=True, index=True
    )
    #: The cluster that it counts as part of: its own id where it stands by itself.
    root: int = Field(foreign_key="cluster.id", ondelete="RESTRICT", index=True)


class ClusterStoryRow(SQLModel, table=True):
    """A story is in a cluster, and why. A merge leaves it as it is; `ClusterRow.root` says the rest."""

    __tablename__ = "cluster_story"

    story_id: int = Field(primary_key=True, foreign_key="story.id", ondelete="CASCADE")
    cluster_id: int = Field(foreign_key="cluster.id", ondelete="RESTRICT", index=True)
    #: The first story with this text: the story itself where it is no copy.
    copy_group: int
    score: float
    why: str
    #: The agency that its text is credited to.
    agency: str | None = None
    at: datetime = moment()


class ClusterMergeRow(SQLModel, table=True):
    """Two clusters became one. Undone, it stays, with who undid it."""

    __tablename__ = "cluster_merge"

    id: int | None = Field(default=None, primary_key=True)
    kept: int = Field(foreign_key="cluster.id", ondelete="RESTRICT", index=True)
    gone: int = Field(foreign_key="cluster.id", ondelete="RESTRICT", index=True)
    why: str
    at: datetime = moment()
    undone_at: datetime | None = moment(nullable=True)
    undone_by: str | None = None


metadata = SQLModel.metadata


def table_of(row: type[SQLModel]) -> Table:
    """The Core table of a row class."""
    table = row.__table__  # type: ignore[attr-defined]
    assert isinstance(table, Table)  # noqa: S101 - tells mypy what SQLModel's types leave out
    return table


#: The same tables for Core, in which every statement is written.
SOURCE = table_of(SourceRow)
FETCH = table_of(FetchRow)
STORY = table_of(StoryRow)
VERSION = table_of(VersionRow)
TOPIC = table_of(TopicRow)
STORY_TOPIC = table_of(StoryTopicRow)
BRIEF = table_of(BriefRow)
REVISION = table_of(RevisionRow)
STORY_LINK = table_of(StoryLinkRow)
PUBLICATION = table_of(PublicationRow)
PROGRESS = table_of(ProgressRow)
ANCHOR_KEY = table_of(AnchorKeyRow)
POSTING = table_of(PostingRow)
STORY_ANCHORS = table_of(StoryAnchorsRow)
SUGGESTION = table_of(SuggestionRow)
CLUSTER = table_of(ClusterRow)
CLUSTER_STORY = table_of(ClusterStoryRow)
CLUSTER_MERGE = table_of(ClusterMergeRow)
