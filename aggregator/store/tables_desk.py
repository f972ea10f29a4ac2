"""The tables of the desk: what was found in briefs, what editors said to that."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from aggregator.store.tables import moment, table_of


class BriefChecksRow(SQLModel, table=True):
    """What was found in a brief's newest revision. It can be made anew at any time."""

    __tablename__ = "brief_checks"

    brief_id: int = Field(primary_key=True, foreign_key="brief.id", ondelete="CASCADE")
    revision_id: int = Field(foreign_key="revision.id", ondelete="CASCADE")
    #: The fields of each check, in order, as JSON.
    found: str
    found_at: datetime = moment()


class CheckDecisionRow(SQLModel, table=True):
    """What an editor said to a check. Rows are only added; the last one of a check counts."""

    __tablename__ = "check_decision"

    id: int | None = Field(default=None, primary_key=True)
    brief_id: int = Field(foreign_key="brief.id", ondelete="CASCADE", index=True)
    kind: str
    #: The words of the brief, and those of the sources.
    brief: str
    sources_say: str
    #: "accepted" or "ignored".
    decision: str
    why: str
    by: str
    at: datetime = moment()


class EventMarkRow(SQLModel, table=True):
    """What the newsroom decided about an event. Rows are only added; the newest one of an event counts."""

    __tablename__ = "event_mark"

    id: int | None = Field(default=None, primary_key=True)
    #: The story that began the cluster: a story may be marked before it is put into one.
    cluster_id: int = Field(foreign_key="story.id", ondelete="CASCADE", index=True)
    #: "taken", "spiked" or "given_back".
    kind: str
    why: str
    by: str
    at: datetime = moment()


class SavedViewRow(SQLModel, table=True):
    """A view of the wire that somebody saved, and the feed of it."""

    __tablename__ = "saved_view"

    id: int | None = Field(default=None, primary_key=True)
    #: Stands in the address of the feed; whoever has it may read the feed.
    token: str
    name: str
    #: As in the address of the wire: "q=grain&language=fr".
    query: str
    saved_by: str
    saved_at: datetime = moment()


class DefinitionRow(SQLModel, table=True):
    """A topic or a channel as an editor defined it. Rows are only added; the last one of a name counts."""

    __tablename__ = "definition"
    __table_args__ = (Index("ix_definition_kind_slug", "kind", "slug"),)

    id: int | None = Field(default=None, primary_key=True)
    #: "topic" or "channel".
    kind: str
    slug: str
    #: Its fields as a JSON object, without its name; "{}" where it was taken back.
    body: str
    #: From here on the desk defines nothing of this name.
    is_removed: bool
    by: str
    at: datetime = moment()


BRIEF_CHECKS = table_of(BriefChecksRow)
CHECK_DECISION = table_of(CheckDecisionRow)
EVENT_MARK = table_of(EventMarkRow)
SAVED_VIEW = table_of(SavedViewRow)
DEFINITION = table_of(DefinitionRow)
