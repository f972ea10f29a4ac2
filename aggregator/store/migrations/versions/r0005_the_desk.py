"""Who is signed in at the desk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables; nobody is signed in yet."""
    for name in ("language", "zone"):
        op.add_column("account", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.add_column("brief", sa.Column("embargo_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("brief", sa.Column("embargo_by", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "session",
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("form_token", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_digest"),
    )
    op.create_index("ix_session_account_id", "session", ["account_id"])
    op.create_index("ix_session_expires_at", "session", ["expires_at"])
    op.create_table(
        "brief_checks",
        sa.Column("brief_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("found", sa.String(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brief_id"], ["brief.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("brief_id"),
    )
    op.create_table(
        "check_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brief_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("brief", sa.String(), nullable=False),
        sa.Column("sources_say", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brief_id"], ["brief.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_check_decision_brief_id", "check_decision", ["brief_id"])
    op.create_table(
        "event_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cluster_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["cluster_id"], ["story.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_event_mark_cluster_id", "event_mark", ["cluster_id"])
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("saved_by", sa.String(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    # The wire reads by them; neither the body nor the entry of a version is looked at for it.
    op.create_index("ix_version_language", "version", ["language", "story_id", "number"])
    op.create_index("ix_story_source_sorted_at", "story", ["source_id", "sorted_at"])
    op.create_table(
        "definition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("is_removed", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_definition_kind_slug", "definition", ["kind", "slug"])
    op.create_index(
        "ix_version_came",
        "version",
        ["seen_at", "language", "story_id", "number"],
        sqlite_where=sa.text("number = 1"),
        postgresql_where=sa.text("number = 1"),
    )
    op.add_column("carried", sa.Column("served_at", sa.DateTime(timezone=True), nullable=True))
    # Nobody knows it of what is there already; it stood ready when it was told last, at the latest.
    op.execute("UPDATE carried SET served_at = changed_at")
    op.drop_index("ix_carried_ref", "carried")
    op.create_index("ix_carried_ref", "carried", ["kind", "ref", "served_at"])
    op.create_index("ix_story_link_touched", "story_link", ["brief_id", "picked_at", "undone_at"])
    op.create_index("ix_carried_served_at", "carried", ["served_at", "channel", "is_present"])
    op.create_index("ix_delivery_partner_at", "delivery", ["partner_id", "at"])
    op.create_table(
        "push_try",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("callback", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_taken", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_push_try_at", "push_try", ["at"])
    op.create_index("ix_push_try_channel", "push_try", ["channel", "id"])
