"""What all commands share: settings, one event loop, plain or JSON output, progress."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from aggregator import logs

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from aggregator.app import App
    from aggregator.settings import Settings

T = TypeVar("T")

#: Characters of a table's line when its output is no terminal.
WIDE = 200

#: Files that are kept open for nothing, so that a process that may open nothing more can still end in order.
RESERVE = 8

#: What somebody who ended a command is told.
FAREWELL = "Stopped. What was done until now is kept."

JSON = typer.Option(False, "--json", help="Print JSON, and nothing else, on standard output.")


@dataclass(frozen=True, slots=True)
class Context:
    """The words before the verb."""

    config: str = "config.toml"
    database: str | None = None
    verbose: bool = False

    def settings(self) -> Settings:
        """The settings; without a config.toml in this folder, those built in."""
        from aggregator.app import read_settings

        path = Path(self.config)
        is_default = self.config == "config.toml" and not path.exists()
        settings = read_settings(None if is_default else path, database=self.database)
        logs.begin(settings.log, verbose=self.verbose)
        return settings

    @contextlib.asynccontextmanager
    async def app(self, settings: Settings | None = None) -> AsyncIterator[App]:
        """The application, its database open."""
        from aggregator.app import opened

        async with opened(settings or self.settings()) as app:
            yield app


def run(context: typer.Context, work: Callable[[Context], Coroutine[Any, Any, T]]) -> T:
    """Run a command's work in an event loop of its own."""
    return run_until_done(work(context.obj))


def run_until_done(work: Coroutine[Any, Any, T], *, farewell: str = FAREWELL) -> T:
    """Run to the end, or until Ctrl-C or SIGTERM: then what is under way is recorded before we leave.

    Raises:
        typer.Exit: it was interrupted (130, as shells have it).
    """
    import asyncio

    reserve = [os.open(os.devnull, os.O_RDONLY) for _ in range(RESERVE)]
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_ended_by_sigterm(work, reserve))
    except KeyboardInterrupt:
        note(farewell)
        raise typer.Exit(130) from None
    except asyncio.CancelledError:
        note(farewell)
        sys.stdout.flush()
        # Dying of the signal after all tells a service manager that this was its own doing.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
        # The first process of a container does not die of a signal that it sends itself.
        raise typer.Exit(128 + signal.SIGTERM) from None


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there is one; None stands for asyncio's own loop."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _ended_by_sigterm(work: Coroutine[Any, Any, T], reserve: list[int]) -> T:
    """The work, which SIGTERM cancels as asyncio.run has Ctrl-C do; then the reserve is let go of."""
    import asyncio

    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine that runs is in a task

    # Not the loop's add_signal_handler: uvicorn puts its own in this one's place while it serves,
    # lets requests end, and then raises the signal again for us.
    signal.signal(signal.SIGTERM, lambda _number, _frame: loop.call_soon_threadsafe(task.cancel))
    try:
        return await work
    finally:
        # Where there are no handles left, the end of the loop needs some.
        while reserve:
            os.close(reserve.pop())


def editor() -> str:
    """Who is at the terminal."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "command line"


def explain(error: Exception) -> None:
    """An error as a person reads it, on standard error."""
    typer.echo(f"wirebrief: {error}", err=True)


def say(text: str = "") -> None:
    """A line on standard output."""
    typer.echo(text)


def note(text: str) -> None:
    """A line on standard error, beside the output."""
    typer.echo(text, err=True)


def say_json(value: Any) -> None:
    """A value as one line of JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def said_time(moment: datetime | None) -> str | None:
    """A time as JSON has it (RFC 3339)."""
    from feeds.dates import rfc3339

    return rfc3339(moment) if moment else None


def say_table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """A table on standard output; `empty` on standard error where there is no row."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    listed = list(rows)
    if not listed:
        note(empty)
        return
    table = Table(*headings, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in listed:
        table.add_row(*(Text(str(cell)) for cell in row))
    console = Console()
    # Piped into another program a table is not folded to the width of a screen nobody sees.
    Console(width=console.width if console.is_terminal else WIDE).print(table)


@contextlib.contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error for what takes longer than a second: call it with (done, of)."""
    if not sys.stderr.isatty():
        # Nobody looks, and drawing nothing would cost what loading the bar takes.
        yield lambda _done, _of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def show(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)

        yield show
