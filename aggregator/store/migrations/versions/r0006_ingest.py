"""What ingest keeps of feeds: other names of a story, gaps, moves, evidence, alarms."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from alembic import op

from aggregator.store.dialects import search_tables
from feeds.domains import domain_of
from feeds.urls import page_of

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add what is missing; what is there stays as it is."""
    _alarms_and_evidence()
    _names_of_stories()
    _polling()
    _search(op.get_bind())


def _alarms_and_evidence() -> None:
    op.add_column("source", sa.Column("quiet_seconds", sa.Float(), nullable=True))
    op.add_column("source", sa.Column("measured_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("source", sa.Column("entries_now", sa.Integer(), nullable=True))
    op.add_column("source", sa.Column("entries_usual", sa.Float(), nullable=True))
    op.add_column("source", sa.Column("readings", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("source", sa.Column("keep_days", sa.Integer(), nullable=True))
    op.add_column("fetch", sa.Column("entries", sa.Integer(), nullable=True))
    op.add_column("fetch", sa.Column("skipped", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("fetch", sa.Column("evidence", sa.String(), nullable=True))
    op.add_column("version", sa.Column("evidence", sa.String(), nullable=True))
    op.create_table(
        "alarm",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("next_try", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_alarm_standing",
        "alarm",
        ["source_id", "kind"],
        unique=True,
        sqlite_where=sa.text("cleared_at IS NULL"),
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.create_index("ix_alarm_source_raised_at", "alarm", ["source_id", "raised_at"])
    op.create_index("ix_alarm_next_try", "alarm", ["next_try"])
    op.create_table(
        "evidence",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=True),
        sa.Column("base_url", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("packed_size", sa.Integer(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_evidence_last_seen", "evidence", ["last_seen", "hash", "packed_size"])


def _polling() -> None:
    op.add_column("source", sa.Column("domain", sa.String(), nullable=False, server_default=""))
    op.add_column("source", sa.Column("whole_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("source", sa.Column("interval_seconds", sa.Float(), nullable=True))
    op.add_column("source", sa.Column("usual_seconds", sa.Float(), nullable=True))
    op.add_column("source", sa.Column("newest_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("source", sa.Column("gaps", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("source", sa.Column("gap_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("source", sa.Column("moved_chain", sa.String(), nullable=True))
    op.add_column("source", sa.Column("moved_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("source", sa.Column("is_insisted", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("fetch", sa.Column("is_gap", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("fetch", sa.Column("hops", sa.String(), nullable=True))
    op.add_column(
        "push_source", sa.Column("is_trusted", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("push_source", sa.Column("missed_at", sa.DateTime(timezone=True), nullable=True))
    source = sa.table(
        "source", sa.column("id", sa.Integer()), sa.column("url", sa.String()), sa.column("domain")
    )
    for id, url in op.get_bind().execute(sa.select(source.c.id, source.c.url)).all():
        op.execute(source.update().where(source.c.id == id).values(domain=domain_of(url)))
    op.create_table(
        "host_pause",
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("domain"),
    )
    op.create_table(
        "outage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_outage_began_at", "outage", ["began_at"])
    op.create_table(
        "source_url",
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("url"),
    )
    op.create_index("ix_source_url_source_id", "source_url", ["source_id"])
    op.create_table(
        "source_move",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("headlines", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("refused_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("source_id"),
    )


def _names_of_stories() -> None:
    op.create_table(
        "story_key",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("story_id", sa.Integer(), nullable=True),
        sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("source_id", "key"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_story_key_story_id", "story_key", ["story_id"])
    op.add_column("source", sa.Column("identity", sa.String(), nullable=False, server_default="id"))
    for name in ("identity_why", "identity_by"):
        op.add_column("source", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.add_column("story", sa.Column("page", sa.String(), nullable=True))
    op.add_column("story", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("story", sa.Column("withdrawn_why", sa.String(), nullable=False, server_default=""))
    op.execute("INSERT INTO story_key (source_id, key, story_id) SELECT source_id, key, id FROM story")
    _find_pages(op.get_bind())
    op.create_index("ix_story_source_page", "story", ["source_id", "page"])


def _search(connection: sa.Connection) -> None:
    """Let SQLite's index stand as new ones do, with what it holds: its own tokenizer took twice the time."""
    if connection.dialect.name != "sqlite":
        return
    made = "SELECT sql FROM sqlite_master WHERE name = 'story_search'"
    if "unicode61" not in connection.exec_driver_sql(made).scalar_one():
        return
    op.execute("ALTER TABLE story_search RENAME TO story_search_before")
    for statement in search_tables("sqlite"):
        op.execute(statement)
    op.execute(
        "INSERT INTO story_search (rowid, title, summary, body)"
        " SELECT rowid, title, summary, body FROM story_search_before ORDER BY rowid"
    )
    op.execute("DROP TABLE story_search_before")


def _find_pages(connection: sa.Connection, portion: int = 5_000) -> None:
    """Say of every story at which page it stands."""
    last = 0
    put = sa.text("UPDATE story SET page = :page WHERE id = :story")
    rows = sa.text("SELECT id, url FROM story WHERE id > :last ORDER BY id LIMIT :portion")
    while found := connection.execute(rows, {"last": last, "portion": portion}).all():
        last = found[-1][0]
        pages = [{"story": story, "page": _page(url)} for story, url in found if url]
        if pages:
            connection.execute(put, pages)


def _page(url: str) -> str:
    return hashlib.sha256(f"page\0{page_of(url)}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
