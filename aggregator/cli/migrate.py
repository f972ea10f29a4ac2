"""`migrate`: a whole database goes into another one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

from aggregator.cli.base import JSON, note, progress, run_until_done, say, say_json, say_table

if TYPE_CHECKING:
    from aggregator.flows.migrating import Comparison

#: Letters of a hash that a person compares.
SHOWN = 12

FAREWELL = "Stopped. What was copied is kept: the same command goes on from there."


def register(cli: typer.Typer) -> None:
    """Add this verb to the command."""
    cli.command("migrate")(migrate)


def migrate(
    source: str = typer.Option(..., "--from", metavar="URL", help="The database to copy; it is only read."),
    target: str = typer.Option(..., "--to", metavar="URL", help="An empty database to copy it into."),
    verify_only: bool = typer.Option(False, "--verify-only", help="Compare both, and copy nothing."),
    as_json: bool = JSON,
) -> None:
    """Copy a whole database into another one, and compare every row: from SQLite to PostgreSQL, or back.

    End every process of wirebrief first. Interrupted, it goes on where it was when run again.
    """
    run_until_done(_migrate(source, target, verify_only, as_json), farewell=FAREWELL)


async def _migrate(source: str, target: str, verify_only: bool, as_json: bool) -> None:
    import asyncio

    from aggregator.flows import migrating
    from aggregator.store import moving

    began = time.monotonic()
    ours = moving.reader_of(source)
    theirs = (moving.reader_of if verify_only else moving.writer_of)(target)
    move = migrating.Move(ours, theirs, progress, note)
    try:
        if not verify_only:
            note(f"Copying {moving.name_of(ours)} into {moving.name_of(theirs)}.")
        found = await (migrating.compare if verify_only else migrating.migrate)(move)
    finally:
        for each in (ours, theirs):
            await asyncio.to_thread(each.close)
    seconds = time.monotonic() - began
    (_say_json if as_json else _say)(found, seconds)
    _note_changes(found)
    if not found.is_equal:
        for table in found.tables:
            if not table.is_equal:
                at = ", ".join(map(str, table.differs_at or ()))
                note(f"wirebrief: {table.table} differs, first at the key {at}.")
        if not verify_only:
            note(
                "Nobody is let into the copy. End what else writes to either of them, and run the same command again."
            )
        raise typer.Exit(1)
    if not verify_only and not as_json:
        say("All is equal. Next: write the new URL as `database` into config.toml, and start wirebrief.")


def _say_json(found: Comparison, seconds: float) -> None:
    for each in found.tables:
        say_json({"table": each.table, "rows": each.rows, "hash": each.hash, "equal": each.is_equal})
    rows = sum(each.rows for each in found.tables)
    last = {"tables": len(found.tables), "rows": rows, "seconds": round(seconds, 3), "equal": found.is_equal}
    say_json(last)


def _say(found: Comparison, seconds: float) -> None:
    shown = [each for each in found.tables if each.rows or not each.is_equal]
    say_table(
        ("table", "rows", "hash", "equal"),
        [(t.table, f"{t.rows:,}", t.hash[:SHOWN], "yes" if t.is_equal else "NO") for t in shown],
        empty="Every table is empty.",
    )
    say_table(
        ("channel", "formats", "bytes", "equal"),
        [
            (c.channel, " ".join(c.formats), f"{c.body_bytes:,}", "yes" if c.is_equal else "NO")
            for c in found.channels
        ],
        empty="No channel has documents.",
    )
    rows = sum(each.rows for each in found.tables)
    empty = len(found.tables) - len(shown)
    say(f"{rows:,} rows in {len(found.tables)} tables ({empty} of them empty), {seconds:.0f} s.")


def _note_changes(found: Comparison) -> None:
    for column, count in sorted(found.changed.items()):
        note(
            f"{count:,} values of {column} hold what PostgreSQL does not take: a NUL became �, and what is too "
            "long for an index was cut."
        )
