"""The tables of ingest beyond what feeds said: alarms, bodies that were read, pauses, outages and moves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from aggregator.store.tables import moment, table_of


class StoryKeyRow(SQLModel, table=True):
    """A name under which a source showed a story. What was purged leaves its names, so that it stays away."""

    __tablename__ = "story_key"
    __table_args__ = ({"sqlite_with_rowid": False},)

    source_id: int = Field(primary_key=True, foreign_key="source.id", ondelete="CASCADE")
    key: str = Field(primary_key=True)
    #: None where the story was purged.
    story_id: int | None = Field(
        default=None, foreign_key="story.id", ondelete="SET NULL", nullable=True, index=True
    )
    purged_at: datetime | None = moment(nullable=True)


class AlarmRow(SQLModel, table=True):
    """Something about a source that somebody should look at. Over, it stays, with when that was."""

    __tablename__ = "alarm"
    __table_args__ = (
        # One standing alarm of a kind about a source.
        Index(
            "uq_alarm_standing",
            "source_id",
            "kind",
            unique=True,
            sqlite_where=Column("cleared_at").is_(None),
            postgresql_where=Column("cleared_at").is_(None),
        ),
        Index("ix_alarm_source_raised_at", "source_id", "raised_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id", ondelete="CASCADE")
    kind: str
    raised_at: datetime = moment()
    cleared_at: datetime | None = moment(nullable=True)
    #: What is wrong, in words.
    why: str
    #: When to tell the operator's webhook how it stands; none where that is done, or given up.
    next_try: datetime | None = moment(nullable=True, index=True)
    tries: int = 0


class EvidenceRow(SQLModel, table=True):
    """A body as it came, from which something new was read."""

    __tablename__ = "evidence"
    __table_args__ = (
        # How much there is, and what is old, without reading past the bodies.
        Index("ix_evidence_last_seen", "last_seen", "hash", "packed_size"),
    )

    #: SHA-256 of it, in hexadecimal.
    hash: str = Field(primary_key=True)
    content_type: str | None = None
    #: Where it came from first, after all redirects: the base for relative links.
    base_url: str
    #: Bytes of it, and bytes that are kept of it.
    size: int
    packed_size: int
    first_seen: datetime = moment()
    last_seen: datetime = moment()
    #: Last, so that SQLite reads the rest of a row without walking through it.
    body: bytes


class HostPauseRow(SQLModel, table=True):
    """A domain that answered 429: nothing of it is asked before."""

    __tablename__ = "host_pause"

    #: Registrable, or an IP address.
    domain: str = Field(primary_key=True)
    until: datetime = moment()
    why: str


class OutageRow(SQLModel, table=True):
    """Our own connection failed: most hosts at once could not be reached."""

    __tablename__ = "outage"

    id: int | None = Field(default=None, primary_key=True)
    began_at: datetime = moment(index=True)
    #: When hosts were reached again; none while it lasts.
    ended_at: datetime | None = moment(nullable=True)
    why: str


class SourceUrlRow(SQLModel, table=True):
    """An address that a source had before. Added again, it finds the source."""

    __tablename__ = "source_url"

    url: str = Field(primary_key=True)
    source_id: int = Field(foreign_key="source.id", ondelete="CASCADE", index=True)
    until: datetime = moment()
    why: str


class SourceMoveRow(SQLModel, table=True):
    """Where a source that fails seems to have gone, for an editor to decide; or that nothing was found."""

    __tablename__ = "source_move"

    source_id: int = Field(primary_key=True, foreign_key="source.id", ondelete="CASCADE")
    looked_at: datetime = moment()
    #: None where nothing was found.
    url: str | None = None
    title: str = ""
    #: Its newest headlines, as JSON.
    headlines: str = "[]"
    why: str
    #: Who said no to it; none where nobody decided.
    refused_by: str | None = None


STORY_KEY = table_of(StoryKeyRow)
ALARM = table_of(AlarmRow)
EVIDENCE = table_of(EvidenceRow)
HOST_PAUSE = table_of(HostPauseRow)
OUTAGE = table_of(OutageRow)
SOURCE_URL = table_of(SourceUrlRow)
SOURCE_MOVE = table_of(SourceMoveRow)
