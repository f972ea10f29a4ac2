"""The schema's history, run by Alembic through `store.schema`."""
