"""The command `wirebrief`. Each verb says what it does, and what to do when it cannot."""

from __future__ import annotations

import os
import sys

import typer

from aggregator.cli import channels, desk, evidence, follow, migrate, partners, publishing, service, wire
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
service.register(cli)
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
        cli()
    except (AggregatorError, FeedsError) as error:
        explain(error)
        sys.exit(1)
    except BrokenPipeError:
        # Somebody downstream (head, less) has read enough; nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
