"""The command `wirebrief`. Each verb says what it does, and what to do when it cannot."""

from __future__ import annotations

import errno
import os
import sys
from typing import NoReturn

import typer

from aggregator.cli import (
    channels,
    desk,
    evidence,
    follow,
    keeping,
    migrate,
    partners,
    people,
    publishing,
    service,
    wire,
)
from aggregator.cli.base import Context, explain
from aggregator.errors import AggregatorError
from feeds.errors import FeedsError

HELP = """Follow the news wires, tie their stories to your briefs, and publish both as one feed.

New here? `wirebrief demo` shows everything on this machine, without a network.
Then `wirebrief init`, `wirebrief sources add URL`, `wirebrief run`.
"""

cli = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)
follow.register(cli)
evidence.register(follow.sources)
wire.register(cli)
desk.register(cli)
publishing.register(cli)
channels.register(cli)
partners.register(cli)
people.register(cli)
service.register(cli)
keeping.register(cli)
migrate.register(cli)


@cli.callback()
def options(
    context: typer.Context,
    config: str = typer.Option(
        "config.toml", "--config", metavar="FILE", envvar="WIREBRIEF_CONFIG", help="The settings."
    ),
    database: str | None = typer.Option(
        None, "--database", metavar="URL", help="sqlite:///FILE or postgresql://USER@HOST/NAME."
    ),
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Log to standard error."),
) -> None:
    """Options that every command takes, before its verb."""
    context.obj = Context(config=config, database=database, verbose=verbose)


def main() -> None:
    """Run a command: exit 0 when done, 1 on failure, 2 on wrong words."""
    try:
        try:
            cli()
        finally:
            # Here, and not as Python ends: what cannot be written is told as anything else is.
            sys.stdout.flush()
    except (AggregatorError, FeedsError) as error:
        explain(error)
        sys.exit(1)
    except SystemExit as end:
        # Typer takes a pipe that nobody reads for a failure.
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        _leave(0)
    except BrokenPipeError:
        _leave(0)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or error.filename is not None:
            raise
        explain(AggregatorError(f"The output could not be written: {error.strerror}."))
        _leave(1)


def _leave(code: int) -> NoReturn:
    """End when nothing more can be said on standard output: who reads it (head, less) has enough, or it is full."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(code)
