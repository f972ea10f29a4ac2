"""`backup`, `restore`, `doctor`: what keeps a desk from losing anything."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from aggregator.cli.base import JSON, Context, note, progress, run, run_until_done, say, say_json
from aggregator.errors import BadInput

if TYPE_CHECKING:
    from aggregator.flows.keeping import Backup

UNDONE = "Stopped. Nothing was written: run the same command again."


def register(cli: typer.Typer) -> None:
    """Add these verbs to the command."""
    for verb in (backup, restore, doctor):
        cli.command(verb.__name__)(verb)


def backup(
    context: typer.Context,
    file: Path = typer.Argument(
        ..., metavar="FILE", help="Where to write it; marks such as %a are filled in."
    ),
    force: bool = typer.Option(False, "--force", help="Put it in the place of a file that is there."),
    as_json: bool = JSON,
) -> None:
    """Write a backup of the database into FILE while everything runs, and look it through."""
    # As in `Mon.backup`: a timer keeps a week of them.
    dated = Path(time.strftime(str(file)))
    run_until_done(_backup(context.obj, dated, force, as_json), farewell=UNDONE)


def restore(
    context: typer.Context,
    file: Path = typer.Argument(..., metavar="FILE", help="What `wirebrief backup` wrote."),
    as_json: bool = JSON,
) -> None:
    """Put a backup back, where no database is: an empty database of PostgreSQL, or a file that is not there."""
    run_until_done(_restore(context.obj, file, as_json), farewell=UNDONE)


async def _backup(known: Context, file: Path, force: bool, as_json: bool) -> None:
    import asyncio

    from aggregator.flows import keeping
    from aggregator.store.database import Database

    # Not through the application: a database of an older schema is backed up as it is.
    database = Database(known.settings().database)
    try:
        done = await keeping.backup(database, file, progress, replace=force)
    finally:
        await asyncio.to_thread(database.close)
    _tell(done, as_json)


async def _restore(known: Context, file: Path, as_json: bool) -> None:
    import asyncio

    from aggregator.flows import keeping
    from aggregator.store.database import Database

    database = Database(known.settings().database)
    try:
        done = await keeping.restore(database, file, progress)
    finally:
        await asyncio.to_thread(database.close)
    _tell(done, as_json)
    if not as_json:
        say(f"It is in its place: {database.name}. Next: `wirebrief doctor`, then `wirebrief run`.")


def _tell(done: Backup, as_json: bool) -> None:
    if as_json:
        say_json(
            {
                "file": str(done.file),
                "bytes": done.body_bytes,
                "schema": done.schema,
                "stories": done.stories,
                "versions": done.versions,
                "seconds": round(done.seconds, 3),
                "digest": done.digest,
            }
        )
        return
    say(
        f"{done.file}: {done.body_bytes:,} bytes, schema {done.schema}, {done.stories:,} stories in {done.versions:,} "
        f"versions, whole, {done.seconds:.1f} s."
    )
    say(f"SHA-256: {done.digest}")


def doctor(
    context: typer.Context,
    mend: bool = typer.Option(False, "--mend", help="Mend what can be made again without losing anything."),
    as_json: bool = JSON,
) -> None:
    """Look at everything that can be wrong, and say what to do about it."""
    run(context, lambda known: _doctor(known, mend, as_json))


async def _doctor(known: Context, mend: bool, as_json: bool) -> None:
    from aggregator.app import App
    from aggregator.flows import diagnosis
    from aggregator.flows.mending import mend as put_right
    from aggregator.store.database import Database, sqlite_path

    settings = known.settings()
    # Not opened as other commands open it: nothing is brought forward, and none is made where there is none.
    database = Database(settings.database)
    path = sqlite_path(database.url)
    if path is not None and not path.exists():
        raise BadInput(
            f"There is no database {path}: `wirebrief init` makes it, `wirebrief restore` puts one back."
        )
    with database:
        app = App(settings, database)
        findings = await diagnosis.examine(database, app.clock, settings.keep)
        if mend and (
            done := await put_right(diagnosis.Visit(database, app.clock(), settings.keep), findings)
        ):
            await app.digest()
            note(f"Mended, as far as that goes: {', '.join(done)}. This is how it stands now:")
            findings = await diagnosis.examine(database, app.clock, settings.keep)
    for finding in findings:
        if as_json:
            say_json({"name": finding.name, "well": finding.is_well, "says": finding.says})
        else:
            say(f"{'ok ' if finding.is_well else 'NO '} {finding.name}: {finding.says}")
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)
