"""Who holds a claim, and how much of a host with it: what several workers must know of one another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add what is missing; what is there stays as it is."""
    op.add_column("source", sa.Column("claimed_by", sa.BigInteger(), nullable=True))
    op.add_column("source", sa.Column("claimed_places", sa.Integer(), nullable=True))
    op.create_index(
        "ix_source_claimed",
        "source",
        ["host", "claimed_by"],
        sqlite_where=sa.text("claimed_until IS NOT NULL"),
        postgresql_where=sa.text("claimed_until IS NOT NULL"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # A feed's link may be longer than what a B-tree takes.
        op.drop_index("ix_story_url", "story")
        op.create_index("ix_story_url", "story", ["url"], postgresql_using="hash")
