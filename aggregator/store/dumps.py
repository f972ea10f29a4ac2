"""Backups of PostgreSQL: `pg_dump` of one snapshot, and `pg_restore` in one transaction.

Both are PostgreSQL's own programs, of the version of the server or newer. They are told where the server is by the
arguments, and the password by the environment alone: arguments are for every user of a machine to read.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from sqlalchemy import inspect, text
from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.store.backups import Contents, Halted, Unusable
from aggregator.store.database import Database, StoreError, StoreFull

#: Seconds between two looks whether a program has ended, and whether anybody still waits.
_LOOK = 0.1

#: What only the driver understands, and what is told otherwise.
_UNTOLD = ("password", "sslpassword", "tcp_user_timeout")

_BEGINS = b"PGDMP"

_COPY = re.compile(rb"COPY (?:\"?[^\s.\"]+\"?\.)?\"?([^\s.\"]+)\"? \(")


def is_dump(head: bytes) -> bool:
    """Whether a file that begins so was written by `pg_dump`."""
    return head.startswith(_BEGINS)


def dump(session: Session, database: Database, target: Path, halt: threading.Event) -> Contents:
    """Write what the database holds in this transaction's snapshot into a file; what that is.

    The queue stays out: what is in it is disposable.

    Raises:
        StoreError: there is no `pg_dump`, it is older than the server, or it failed.
    """
    snapshot = session.execute(text("SELECT pg_export_snapshot()")).scalar_one()
    home = session.execute(text("SELECT quote_ident(current_schema())")).scalar_one()
    words = ["--format=custom", "--no-owner", "--no-privileges", "--no-password"]
    words += [f"--schema={home}", f"--snapshot={snapshot}", f"--file={target}"]
    held = contents(session)
    _run(database, "pg_dump", [*words, f"--dbname={_address(database)}"], halt)
    return held


def contents(session: Session) -> Contents:
    """What a database holds.

    Raises:
        StoreError: no tables of wirebrief.
    """
    names = inspect(session.connection()).get_table_names()
    if "alembic_version" not in names:
        raise StoreError("The database holds no tables of wirebrief: run `wirebrief init` first.")
    revision = session.execute(text("SELECT version_num FROM alembic_version")).scalar()
    counted = {
        name: int(session.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one())  # noqa: S608 - its own
        for name in sorted(names)
    }
    return Contents(str(revision), counted)


def look_through(file: Path, halt: threading.Event) -> Contents:
    """Read a dump to the end, every row of it; what it holds.

    Raises:
        Unusable: it is damaged or cut short, or no dump of wirebrief.
        Halted: nobody waits any more.
    """
    rows: dict[str, int] = {}
    revision = ""
    # The list of what is in it comes first, and tells at once of a file that is none.
    entries = _listed(file)
    for table, row in _rows(file, halt):
        rows[table] = rows.get(table, 0) + (row is not None)
        if table == "alembic_version" and row is not None:
            revision = row.decode().strip()
    if not revision:
        raise Unusable(f"{file} holds no tables of wirebrief.")
    if missing := entries - rows.keys():
        raise Unusable(f"{file} is damaged: {', '.join(sorted(missing))} cannot be read.")
    return Contents(revision, rows)


def _listed(file: Path) -> set[str]:
    """The tables whose rows are in a dump."""
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own program, and the user's own file
        [_program("pg_restore"), "--list", str(file)], capture_output=True, check=False, env=_environment()
    )
    if done.returncode:
        raise Unusable(_unreadable(file, done.stderr))
    return set(re.findall(r"^\d+; \d+ \d+ TABLE DATA \S+ (\S+) ", done.stdout.decode(), re.MULTILINE))


def _rows(file: Path, halt: threading.Event) -> Iterator[tuple[str, bytes | None]]:
    """Each row of a dump with its table, and each table once without one."""
    words = [_program("pg_restore"), "--data-only", "--file=-", str(file)]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=said, env=_environment()) as process,  # noqa: S603
    ):
        try:
            assert process.stdout is not None  # noqa: S101 - asked for
            yield from _read(process.stdout, halt)
        except BaseException:
            process.kill()
            raise
        if process.wait():
            said.seek(0)
            raise Unusable(_unreadable(file, said.read()))


def _read(lines: IO[bytes], halt: threading.Event) -> Iterator[tuple[str, bytes | None]]:
    table = ""
    for line in lines:
        if table:
            if line == b"\\.\n":
                table = ""
                if halt.is_set():
                    raise Halted
            else:
                yield table, line
        elif found := _COPY.match(line):
            table = found[1].decode()
            yield table, None


def _unreadable(file: Path, said: bytes) -> str:
    why = _last_line(said)
    if "unsupported version" in why:
        return (
            f"{file} was written by a newer pg_dump than the pg_restore here ({why}): install the newer one."
        )
    return f"{file} is damaged or cut short ({why})."


def restore(database: Database, file: Path, halt: threading.Event) -> None:
    """Put what a dump holds into an empty database, in one transaction.

    Raises:
        StoreError: the server refused; nothing of it is there.
        Halted: nobody waits any more, and nothing of it is there.
    """
    schemas = database.read_now(_schemas)
    listing = subprocess.run(  # noqa: S603 - as above
        [_program("pg_restore"), "--list", str(file)], capture_output=True, check=True, env=_environment()
    ).stdout.decode()
    wanted = [line for line in listing.splitlines() if not _is_there(line, schemas)]
    words = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password"]
    with tempfile.NamedTemporaryFile("w", prefix="wirebrief-", encoding="utf-8") as chosen:
        chosen.write("\n".join(wanted))
        chosen.flush()
        words += [f"--use-list={chosen.name}", f"--dbname={_address(database)}"]
        _run(database, "pg_restore", [*words, str(file)], halt)


def _is_there(line: str, schemas: set[str]) -> bool:
    """Whether a line of a listing names a schema that the server has, or is about one."""
    found = re.match(r"\d+; \d+ \d+ (?:SCHEMA - (\S+)|(?:COMMENT|ACL) - SCHEMA )", line)
    return found is not None and (found[1] is None or found[1] in schemas)


def _schemas(session: Session) -> set[str]:
    return set(inspect(session.connection()).get_schema_names())


def require_empty(session: Session) -> None:
    """Let nothing be lost where a database is to be put.

    Raises:
        BadInput: something is there.
    """
    there = sorted(inspect(session.connection()).get_table_names())
    if there:
        raise BadInput(
            f"The database is not empty (it holds {', '.join(there[:3])}), and nothing is ever put over it: make a new "
            "one with createdb, name it as `database`, and run the command again."
        )


# PostgreSQL's programs


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise StoreError(
            f"There is no {name} on this machine: install PostgreSQL's programs of the server's version or newer "
            "(postgresql-client on Debian), or put their folder on PATH."
        )
    return path


def _parameters(database: Database) -> dict[str, Any]:
    from psycopg.conninfo import conninfo_to_dict

    return conninfo_to_dict(database.conninfo)


def _address(database: Database) -> str:
    """Where the server is, without a secret."""
    from psycopg.conninfo import make_conninfo

    told = {name: value for name, value in _parameters(database).items() if name not in _UNTOLD}
    return make_conninfo(**told)


def _environment(database: Database | None = None) -> Mapping[str, str]:
    # Their messages are read here.
    given = os.environ | {"LC_ALL": "C"}
    if database is not None and (password := _parameters(database).get("password")):
        given["PGPASSWORD"] = str(password)
    return given


def _run(database: Database, name: str, words: list[str], halt: threading.Event) -> None:
    """Run a program to its end, or until nobody waits any more."""
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603 - as above
            [_program(name), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=_environment(database),
        ) as process,
    ):
        try:
            while process.poll() is None:
                if halt.wait(_LOOK):
                    raise Halted
        except BaseException:
            process.terminate()
            raise
        if process.returncode:
            said.seek(0)
            raise _failure(name, said.read())


def _failure(name: str, said: bytes) -> StoreError:
    why = said.decode(errors="replace")
    if "server version mismatch" in why:
        versions = re.search(r"server version: (\d+)\S*; pg_dump version: (\d+)", why)
        theirs, ours = versions.groups() if versions else ("newer", "older")
        return StoreError(
            f"pg_dump {ours} cannot read a server of version {theirs}: install PostgreSQL's programs of version "
            f"{theirs} (postgresql-client-{theirs} on Debian), or put their folder first on PATH."
        )
    if "No space left" in why:
        return StoreFull(f"{name} found no room on the disk ({_last_line(said)}). Nothing was left there.")
    return StoreError(f"{name} failed: {_last_line(said)}")


def _last_line(said: bytes) -> str:
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if "error:" in line] or lines
    return telling[0].partition("error: ")[2] or telling[0] if telling else "it did not say why"
