"""Backups of SQLite: a copy made while others write, and the way back into an empty place.

A copy is read from one snapshot, so what writes meanwhile neither waits nor makes it begin anew. It is looked
through whole before anybody is told that it is there. Dumps of PostgreSQL are made in `store.dumps`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import update
from sqlmodel import Session

from aggregator.errors import AggregatorError, BadInput
from aggregator.store import progress, schema
from aggregator.store.database import StoreFull
from aggregator.store.tables import SOURCE

#: Pages that are copied in one step: four megabytes, a few hundredths of a second.
STEP = 1_000

#: Under which name a database keeps up to which version it stands in a backup.
MARK = "backup"

#: Instructions of SQLite between two looks whether anybody still waits.
_OFTEN = 100_000

_BEGINS = b"SQLite format 3\x00"

OnStep = Callable[[int, int], None]


class Unusable(AggregatorError):
    """A backup that cannot be used: it is damaged, cut short, or none at all."""


class Halted(Exception):
    """Nobody waits for this any more."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds."""

    #: The revision of its schema.
    schema: str
    #: How many rows, by table.
    rows: Mapping[str, int]


def is_sqlite(head: bytes) -> bool:
    """Whether a file that begins so is a database of SQLite."""
    return head.startswith(_BEGINS)


# A file that is there whole, or not at all


@contextlib.contextmanager
def placed(file: Path, require: Callable[[Path], None]) -> Iterator[Path]:
    """A file to write beside `file`, only for this user to read, which takes its place at the end of the block.

    Before that it is on the disk. Where the block fails, or this process is killed, `file` is as it was; what a
    killed one left behind, the next one takes away. `require` is asked at both ends.

    Raises:
        BadInput: what `require` says, or another process writes the same one.
    """
    part = file.with_name(f".{file.name}.part")
    with explained(file), _only(part) as descriptor:
        try:
            require(file)
            yield part
            os.fsync(descriptor)
            require(file)
            part.replace(file)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        finally:
            for ending in ("-wal", "-shm", "-journal"):
                part.with_name(part.name + ending).unlink(missing_ok=True)
        _settle(file.parent)


@contextlib.contextmanager
def _only(part: Path) -> Iterator[int]:
    """An empty file that nobody else writes."""
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(f"Another process is writing {part}: let it end.") from None
        os.fchmod(descriptor, 0o600)
        os.ftruncate(descriptor, 0)
        yield descriptor
    finally:
        os.close(descriptor)


def require_free(file: Path, *, replace: bool) -> None:
    """Let no backup be lost.

    Raises:
        BadInput: there is a file already and `replace` is false.
    """
    if file.is_dir():
        raise BadInput(f"{file} is a folder: name a file.")
    if file.exists() and not replace:
        raise BadInput(
            f"{file} is there already: name another file, or say --force to put this in its place."
        )


def _settle(folder: Path) -> None:
    """Let the name of a file survive a power cut, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def explained(file: Path) -> Iterator[None]:
    """Say in a sentence what the disk refused.

    Raises:
        StoreFull: there is no room.
        BadInput: the file cannot be written or read.
    """
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        said = str(error)
        if isinstance(error, FileNotFoundError):
            raise BadInput(f"{file}: there is no such file, or no such folder to write it into.") from error
        if isinstance(error, PermissionError) or "readonly" in said or "unable to open" in said:
            raise BadInput(f"{file}: this user may not read or write there ({said}).") from error
        if "full" in said or "No space" in said or "File too large" in said or "disk I/O" in said:
            raise StoreFull(
                f"The disk that holds {file} is full or failing ({said}). Nothing was left there: make room, and "
                "run the command again."
            ) from error
        if isinstance(error, sqlite3.OperationalError):
            raise Unusable(f"{file}: {said}") from error
        raise BadInput(f"{file}: {said}") from error


def digest_of(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with explained(file), file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


# Copies


def copy(source: Path, target: Path, on_step: OnStep, halt: threading.Event) -> Contents:
    """Copy a database as it is at this moment into an empty file, in steps; what it held then.

    Raises:
        Unusable: the database is damaged, or none of wirebrief.
        Halted: nobody waits any more.
    """
    # Who may write takes away what is written ahead when nobody else has it open, as every command does.
    how = "mode=rw" if os.access(source, os.W_OK) else "mode=ro"
    try:
        with _opened(source, how) as read:
            return _copied(read, target, on_step, halt)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise Unusable(f"{source} is damaged ({error}): `wirebrief doctor` says more.") from error


def put_back(backup: Path, target: Path, on_step: OnStep, halt: threading.Event) -> Contents:
    """Copy a backup, which nobody writes, into an empty file; what it held."""
    with _opened(backup, _still(backup)) as read:
        return _copied(read, target, on_step, halt)


def _copied(read: sqlite3.Connection, target: Path, on_step: OnStep, halt: threading.Event) -> Contents:
    def step(_status: int, left: int, of: int) -> None:
        if halt.is_set():
            raise Halted
        on_step(of - left, of)

    # The snapshot that holds to the end: without it every write of another process begins the copy anew.
    read.execute("BEGIN")
    held = _contents(read)
    with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as written:
        read.backup(written, pages=STEP, progress=step, sleep=0)
        # One file, which is whole without others beside it.
        written.execute("PRAGMA journal_mode = DELETE")
    return held


def look_through(file: Path, halt: threading.Event) -> Contents:
    """Read a copy to the end: every page, every index, every reference; what it holds.

    Raises:
        Unusable: something in it is not whole, or it is no database of wirebrief.
        Halted: nobody waits any more.
    """
    try:
        with _opened(file, _still(file)) as read:
            read.set_progress_handler(halt.is_set, _OFTEN)
            faults = [str(row[0]) for row in read.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
            faults += [
                f"{table} {row} refers to a missing {other}"
                for table, row, other, _ in read.execute("PRAGMA foreign_key_check").fetchmany(5)
            ]
            if not faults:
                return _contents(read)
    except sqlite3.DatabaseError as error:
        if halt.is_set():
            raise Halted from error
        faults = [str(error)]
    raise Unusable(f"{file} is damaged or cut short ({'; '.join(faults)[:500]}).")


def _contents(read: sqlite3.Connection) -> Contents:
    names = [
        row[0] for row in read.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    ]
    if "alembic_version" not in names:
        raise Unusable("It holds no tables of wirebrief.")
    (revision,) = read.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    # The search index keeps tables of its own kind, whose rows say nothing.
    counted = [name for name in names if not name.startswith(("sqlite_", "story_search"))]
    rows = {name: read.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in counted}  # noqa: S608
    return Contents(str(revision), rows)


@contextlib.contextmanager
def _opened(file: Path, how: str) -> Iterator[sqlite3.Connection]:
    address = f"{file.resolve().as_uri()}?{how}"
    with contextlib.closing(sqlite3.connect(address, uri=True, timeout=30, isolation_level=None)) as read:
        yield read


def _has(file: Path, ending: str) -> bool:
    beside = file.with_name(file.name + ending)
    return beside.exists() and beside.stat().st_size > 0


def _still(file: Path) -> str:
    """How a file is opened that nobody writes: nothing is put beside it, so it may be on a medium that is full."""
    return "mode=ro" if _has(file, "-wal") or _has(file, "-journal") else "mode=ro&immutable=1"


# What stands where a backup is to be put back


def require_empty(file: Path) -> None:
    """Let nothing be lost where a database is to be put.

    Raises:
        BadInput: something is there.
    """
    if file.exists() and file.stat().st_size:
        raise BadInput(
            f"{file} is there already, and nothing is ever put over it: end every process of wirebrief, move it away "
            "together with the files ending in -wal and -shm beside it, and run the command again."
        )
    for ending in ("-wal", "-journal"):
        if _has(file, ending):
            raise BadInput(
                f"{file}{ending} is left from the database that was here, and would be written into the one that is "
                "put back: end every process of wirebrief, move it away, and run the command again."
            )
    if not file.parent.is_dir():
        raise BadInput(f"The folder {file.parent} does not exist: make it, or name another file.")


# How much of a database stands in a backup


def remember(session: Session, upto: int) -> None:
    """Note that every version up to this one stands in a backup."""
    progress.put(session, MARK, upto)


def begin_anew(session: Session, upto: int) -> None:
    """Let a database that was just put back go on: all that is in it stands in a backup, and nobody holds a source."""
    remember(session, upto)
    free = {"claimed_until": None, "claimed_by": None, "claimed_places": None}
    session.execute(update(SOURCE).where(SOURCE.c.claimed_until.is_not(None)).values(free))


def kept_upto(session: Session) -> int | None:
    """The newest version that stands in a backup; None where none was ever made."""
    return progress.under(session, MARK).get(MARK)


def require_known(revision: str, what: str) -> None:
    """Take only what this program can bring forward.

    Raises:
        Unusable: a newer wirebrief wrote it.
    """
    if revision not in schema.known():
        raise Unusable(
            f"{what} was written by a newer wirebrief (schema {revision}); this one knows {schema.head()}. Update "
            "wirebrief, and run the command again."
        )
