"""Backups: made while everything runs, looked through before they count, and put back into an empty place."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aggregator.errors import BadInput
from aggregator.store import backups, dumps, schema, stories
from aggregator.store.backups import Contents, OnStep, Unusable
from aggregator.store.database import Database, StoreError, sqlite_path

#: Opens a bar for a stage of the work, which is told (done, of).
Stage = Callable[[str], AbstractContextManager[OnStep]]

#: Bytes by which kinds of backups are told apart.
_HEAD = 16


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made or put back."""

    file: Path
    body_bytes: int
    #: The revision of its schema.
    schema: str
    stories: int
    versions: int
    seconds: float
    #: SHA-256 of the file, in hexadecimal.
    digest: str


async def backup(database: Database, file: Path, stage: Stage, *, replace: bool = False) -> Backup:
    """Write a backup of a database into a file, while others write into the database; it is there whole or not at all.

    Raises:
        BadInput: the file is there already and `replace` is false, or cannot be written.
        StoreError: the database cannot be read, or the disk is full.
        Unusable: what was written is not what was read.
    """
    async with _halted() as halt:
        return await asyncio.to_thread(_backup, database, file, stage, replace, halt)


async def restore(database: Database, file: Path, stage: Stage) -> Backup:
    """Put a backup into the empty place of a database, and bring it to this program's schema.

    Raises:
        BadInput: the place is not empty, or the backup is of another kind of database.
        Unusable: the backup is damaged, or none; the place is empty as before.
        StoreError: the database or the disk refused; the place is empty as before.
    """
    async with _halted() as halt:
        return await asyncio.to_thread(_restore, database, file, stage, halt)


@contextlib.asynccontextmanager
async def _halted() -> AsyncIterator[threading.Event]:
    """Lets the work on a thread end when nobody waits for it any more."""
    halt = threading.Event()
    try:
        yield halt
    finally:
        halt.set()


def _backup(database: Database, file: Path, stage: Stage, replace: bool, halt: threading.Event) -> Backup:
    began = time.monotonic()
    source = sqlite_path(database.url)
    if source is not None and not source.is_file():
        raise BadInput(f"There is no database {source}: name one that is there, or run `wirebrief init`.")
    if source is not None and file.exists() and file.samefile(source):
        raise BadInput(f"{file} is the database itself: name another file for its backup.")
    have, is_closed = database.read_now(lambda s: (schema.revision(s), schema.is_being_filled(s)))
    if have is None or is_closed:
        why = "is being filled by `wirebrief migrate`" if is_closed else "holds no tables of wirebrief yet"
        raise BadInput(f"{database.name} {why}: there is nothing to back up.")
    upto = database.read_now(stories.newest_version)
    with backups.placed(file, partial(backups.require_free, replace=replace)) as part:
        with stage("Copying") as show:
            if source is not None:
                held = backups.copy(source, part, show, halt)
            else:
                held = database.read_now(lambda s: dumps.dump(s, database, part, halt))
        found = (backups if source is not None else dumps).look_through(part, halt)
        _require_equal(held, found, file)
        done = _done(part, file, found, began)
    if have == schema.head():
        # Versions that came meanwhile may be in it as well; those up to here are. Whoever backs up since the disk of
        # the database is full must not be told that it failed.
        with contextlib.suppress(StoreError):
            database.write_now(lambda session: backups.remember(session, upto))
    return done


def _restore(database: Database, file: Path, stage: Stage, halt: threading.Event) -> Backup:
    began = time.monotonic()
    target = sqlite_path(database.url)
    _require_kind(file, database)
    if target is not None:
        backups.require_empty(target)
        held = backups.look_through(file, halt)
        backups.require_known(held.schema, str(file))
        with backups.placed(target, backups.require_empty) as part:
            with stage("Copying") as show:
                _require_equal(held, backups.put_back(file, part, show, halt), target)
            address = database.url.set(database=str(part)).render_as_string(hide_password=False)
            with Database(address) as copy:
                _bring_forward(copy)
    else:
        database.read_now(dumps.require_empty)
        held = dumps.look_through(file, halt)
        backups.require_known(held.schema, str(file))
        dumps.restore(database, file, halt)
        _require_equal(held, database.read_now(dumps.contents), file)
        _bring_forward(database)
    return _done(file, file, held, began)


def _bring_forward(database: Database) -> None:
    schema.prepare(database)
    upto = database.read_now(stories.newest_version)
    database.write_now(lambda session: backups.begin_anew(session, upto))


def _require_kind(file: Path, database: Database) -> None:
    """Take only a backup that fits to the database."""
    with backups.explained(file), file.open("rb") as opened:
        head = opened.read(_HEAD)
    is_file, is_dump = backups.is_sqlite(head), dumps.is_dump(head)
    if not is_file and not is_dump:
        raise Unusable(f"{file} is no backup of wirebrief, or its beginning is damaged.")
    if is_file and not database.is_sqlite:
        raise BadInput(
            f"{file} is a backup of SQLite, and {database.name} is on PostgreSQL: restore it into a file "
            f"(`wirebrief --database sqlite:///restored.db restore {file}`), then copy that with `wirebrief migrate`."
        )
    if is_dump and database.is_sqlite:
        raise BadInput(
            f"{file} is a dump of PostgreSQL, and {database.name} is SQLite: restore it into an empty database of "
            "PostgreSQL (`wirebrief --database postgresql://… restore`), then copy that with `wirebrief migrate`."
        )


def _require_equal(held: Contents, found: Contents, file: Path) -> None:
    if held == found:
        return
    differing = sorted(
        name for name in held.rows.keys() | found.rows.keys() if held.rows.get(name) != found.rows.get(name)
    )
    raise StoreError(f"{file} does not hold what was read ({', '.join(differing) or 'another schema'}).")


def _done(written: Path, file: Path, held: Contents, began: float) -> Backup:
    return Backup(
        file=file,
        body_bytes=written.stat().st_size,
        schema=held.schema,
        stories=held.rows.get("story", 0),
        versions=held.rows.get("version", 0),
        seconds=time.monotonic() - began,
        digest=backups.digest_of(written),
    )
