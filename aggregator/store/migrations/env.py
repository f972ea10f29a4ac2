"""Alembic's entry: runs the revisions on the connection that `store.schema` hands over."""

from __future__ import annotations

from alembic import context

from aggregator.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite can alter few things in place; there a table is copied instead.
    render_as_batch=True,
    # The search index is made by hand: neither database describes it as a table of ours.
    include_name=lambda name, type_, _: not (type_ == "table" and str(name).startswith("story_search")),
)
with context.begin_transaction():
    context.run_migrations()
