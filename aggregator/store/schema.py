"""The schema and its migrations (Alembic), which run by themselves when a database is opened."""

from __future__ import annotations

import contextlib
from functools import cache
from pathlib import Path

from sqlalchemy import Column, MetaData, String, Table, inspect, select
from sqlmodel import Session

from aggregator.store.database import Database, StoreUnusable, sqlite_path
from aggregator.store.dialects import exclusive

#: Alembic's own table; not among ours, since migrations do not make it.
_VERSION = Table("alembic_version", MetaData(), Column("version_num", String))

#: Stands in a database for as long as it is being filled from another one (`store.moving`).
MIGRATION = "wirebrief_migration"


def prepare(database: Database, *, is_filled: bool = False) -> None:
    """Bring a database to this program's schema, creating it where there is none.

    One that is being filled from another database is open only to who says `is_filled`.

    Raises:
        StoreUnusable: it cannot be opened, or a newer wirebrief or another program wrote it.
    """
    path = sqlite_path(database.url)
    if path is not None and not path.parent.is_dir():
        raise StoreUnusable(
            f"The folder {path.parent} for the database does not exist: make it, or name another."
        )
    if path is not None and not path.exists():
        # Secrets of subscribers and partners will stand in it: it is nobody else's to read.
        with contextlib.suppress(OSError):
            path.touch(0o600, exist_ok=True)
    have, is_closed = database.read_now(lambda session: (revision(session), is_being_filled(session)))
    if is_closed and not is_filled:
        raise StoreUnusable(
            f"{database.name} is being filled by `wirebrief migrate`, which has not come to its end: "
            "run it again with the same words, or empty this database."
        )
    want = head()
    if have == want:
        return
    if have is not None and have not in known():
        raise StoreUnusable(
            f"{database.name} was written by a newer wirebrief (schema {have}); this one knows {want}. "
            "Update wirebrief; nothing was changed."
        )
    if have is None and path is not None and (theirs := database.read_now(_tables)):
        raise StoreUnusable(
            f"{database.name} belongs to another program (it holds {theirs[0]}): name another file. "
            "Nothing was changed."
        )
    database.write_now(_upgrade)


def revision(session: Session) -> str | None:
    """The schema's revision of a database; None where it is empty."""
    # Alembic would say the same, and importing it takes longer than a poll of a hundred feeds.
    if not inspect(session.connection()).has_table(_VERSION.name):
        return None
    return session.execute(select(_VERSION.c.version_num)).scalar()


def is_being_filled(session: Session) -> bool:
    """Whether a copy of another database into this one has not come to its end."""
    return inspect(session.connection()).has_table(MIGRATION)


@cache
def head() -> str:
    """The revision that this program works with: the files of the migrations are named by theirs."""
    newest = max(path.name for path in Path(_folder(), "versions").glob("r[0-9]*.py"))
    return newest[1:5]


def drift(session: Session) -> list[str]:
    """Where the tables differ from what this program expects, in words; empty when they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    # Their tables are in the metadata once they are imported.
    from aggregator.store import tables_desk, tables_ingest, tables_out, tables_people  # noqa: F401
    from aggregator.store.tables import metadata

    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return not (kind == "table" and str(name).startswith(("story_search", "alembic_")))

    context = MigrationContext.configure(session.connection(), opts={"include_name": ours})
    return [str(difference) for difference in compare_metadata(context, metadata)]


def _tables(session: Session) -> list[str]:
    return sorted(inspect(session.connection()).get_table_names())


def known() -> set[str]:
    """Every revision that this program can bring to its own."""
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory(_folder()).walk_revisions()}


def _folder() -> str:
    return str(Path(__file__).with_name("migrations"))


def _upgrade(session: Session) -> None:
    from alembic import command
    from alembic.config import Config

    # Of several programs started at once one creates the tables, the others find them made.
    exclusive(session, "schema")
    config = Config()
    config.set_main_option("script_location", _folder())
    config.attributes["connection"] = session.connection()
    command.upgrade(config, "head")
