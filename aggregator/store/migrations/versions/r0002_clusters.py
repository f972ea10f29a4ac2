"""Clusters of stories about one event, why each story is in its own, and their merges."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "cluster",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("root", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["story.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["merged_into"], ["cluster.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["root"], ["cluster.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_cluster_merged_into", "cluster", ["merged_into"], unique=False)
    op.create_index("ix_cluster_root", "cluster", ["root"], unique=False)
    op.create_table(
        "cluster_story",
        sa.Column("story_id", sa.Integer(), nullable=False),
        sa.Column("cluster_id", sa.Integer(), nullable=False),
        sa.Column("copy_group", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("story_id"),
    )
    op.create_index("ix_cluster_story_cluster_id", "cluster_story", ["cluster_id"], unique=False)
    op.create_table(
        "cluster_merge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("gone", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["gone"], ["cluster.id"], ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["kept"], ["cluster.id"], ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_cluster_merge_gone", "cluster_merge", ["gone"], unique=False)
    op.create_index("ix_cluster_merge_kept", "cluster_merge", ["kept"], unique=False)
