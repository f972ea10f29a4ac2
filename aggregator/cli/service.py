"""`init`, `run`, `serve`, `worker`, `schedule`, `publish`, `demo`: the service as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from aggregator.cli.base import JSON, Context, editor, note, run, run_until_done, say, say_json
from aggregator.errors import BadInput

if TYPE_CHECKING:
    from aggregator.app import App


def register(cli: typer.Typer) -> None:
    """Add these verbs to the command."""
    for verb in (demo, init, run_, serve, worker, schedule, publish):
        cli.command(verb.__name__.rstrip("_"))(verb)


def demo(
    once: bool = typer.Option(False, "--once", help="Go through it once and end, without serving."),
    out: Path | None = typer.Option(
        None, metavar="DIR", help="Write every channel under DIR, in every format."
    ),
    port: int = typer.Option(
        8000, help="Where the pages are served; the demo's wire is on the next port. 0: any."
    ),
) -> None:
    """Everything on this machine, without a network: a small wire, three briefs, one feed.

    Polls twelve feeds in ten languages on loopback, matches topics, takes the sample picks,
    publishes the briefs, and serves the pages until Ctrl-C.
    """
    from aggregator.demo.run import run_demo

    farewell = "Stopped. Nothing of the demo stays on this machine" + (f" but {out}." if out else ".")
    run_until_done(run_demo(once=once, out=out, port=port, say=say, note=note), farewell=farewell)


def init(
    context: typer.Context,
    name: str = typer.Option("", help="The name of the first account; yours where left out."),
) -> None:
    """Make the settings, the database and the first account, as far as they are missing.

    Run again it brings an older database to this version's schema; nothing is lost.
    """
    from aggregator.settings import example

    known: Context = context.obj
    file = Path(known.config)
    if not file.exists():
        file.write_bytes(example().read_bytes())
        say(f"{file}: written. It names some forty news feeds, three topics and two channels; make it yours.")
    run(context, lambda known: _init(known, name))


async def _init(known: Context, name: str) -> None:
    from aggregator.store import accounts

    async with known.app() as app:
        say(f"{app.database.name}: ready, following {len(app.settings.sources)} sources of the settings.")
        if await app.database.read(accounts.count):
            return
        first = name or editor()
        link = await app.invite(first, "admin", by=first)
        say(f"Account {first}: choose its password here, once, within three days:\n\n  {link}\n")
        note("The page answers as soon as `wirebrief run` does. `wirebrief users` lets others in.")


def run_(context: typer.Context) -> None:
    """Follow the sources, render the channels and serve them, until Ctrl-C."""
    run(context, lambda known: _serve(known, with_schedule=True))


def serve(context: typer.Context) -> None:
    """Serve pages and channels only; another process polls."""
    run(context, lambda known: _serve(known, with_schedule=False))


def worker(
    context: typer.Context,
    jobs: int = typer.Option(
        0, metavar="N", show_default=False, help="Jobs at once; as `work.jobs` says where left out."
    ),
) -> None:
    """Take jobs from the queue until Ctrl-C: any number may, on any number of machines (PostgreSQL)."""
    run(context, lambda known: _worker(known, jobs))


async def _worker(known: Context, jobs: int) -> None:
    from aggregator import queued
    from aggregator.serving import metrics_served

    if jobs < 0:
        raise BadInput(f"--jobs {jobs}: a worker runs 1 job at once, or more.")
    settings = known.settings()
    if jobs:
        settings = replace(settings, work=replace(settings.work, jobs=jobs))
    async with known.app(settings) as app:
        queued.require_many(app)
        at_once = settings.work.jobs
        say(f"{app.database.name}: working, {at_once} job{'s' * (at_once > 1)} at once (Ctrl-C ends it)")
        async with metrics_served(app) as figures:
            if figures:
                say(f"  Figures: {figures}")
            await queued.work(app)


def schedule(context: typer.Context) -> None:
    """Say what is due, until Ctrl-C: one process does, others stand by and take over (PostgreSQL)."""
    run(context, _schedule)


async def _schedule(known: Context) -> None:
    from aggregator import queued
    from aggregator.serving import metrics_served

    async with known.app() as app:
        queued.require_many(app)
        say(f"{app.database.name}: standing by (Ctrl-C ends it)")
        async with metrics_served(app) as figures:
            if figures:
                say(f"  Figures: {figures}")
            await app.note_settings()
            await queued.schedule(app, say=say)


async def _serve(known: Context, *, with_schedule: bool) -> None:
    from aggregator.serving import listen, serve_app

    async with known.app() as app:
        serve = app.settings.serve
        # Before anything is said: a port that is taken is known at once.
        listener = listen(serve.host, serve.port)
        host = f"[{serve.host}]" if ":" in serve.host else serve.host
        here = f"http://{host}:{listener.getsockname()[1]}"
        say(f"{app.settings.site.title} at {here} (Ctrl-C ends it)")
        say(f"  The editors' desk: {here}/desk")
        for channel in (await app.catalogue()).channels:
            say(f"  {channel.title}: {here}/{channel.path}")
        if with_schedule:
            await app.note_settings()
        await serve_app(app, listener, with_schedule=with_schedule)


def publish(
    context: typer.Context,
    out: Path | None = typer.Option(
        None,
        metavar="DIR",
        help="Write every public channel under DIR, too: all formats and archive pages, compressed as well.",
    ),
    as_json: bool = JSON,
) -> None:
    """Render every channel that is stale and push what changed; with --out, write static files."""
    run(context, lambda known: _publish(known, out, as_json))


async def _publish(known: Context, out: Path | None, as_json: bool) -> None:
    from aggregator.flows.export import export_channels

    async with known.app() as app:
        rendered = await app.digest()
        async with app.clients() as clients:
            await app.push(clients.pushing)
        channels = (await app.catalogue()).channels
        public = [channel.slug for channel in channels if channel.is_public]
        files = await export_channels(app.database, out, public=public) if out is not None else []
        if not rendered:
            note("No channel is defined: write a [channels.NAME] into config.toml, or make one at the desk.")
        for each in rendered:
            for entry, why in each.refused:
                note(f"{each.channel}: {entry} cannot be published: {why}")
            if as_json:
                say_json(
                    {
                        "channel": each.channel,
                        "entries": each.entries,
                        "new": each.is_new,
                        "rendered": each.fresh,
                    }
                )
            else:
                say(f"{each.channel}: {each.entries} entries, {'new' if each.is_new else 'as it was'}")
        if not as_json:
            await _tell_pushed(app)
            private = [channel.slug for channel in channels if not channel.is_public]
            _tell_files(out, files, private if out is not None else [])


async def _tell_pushed(app: App) -> None:
    """How many of those who are pushed to have what is served."""
    from aggregator.cli.channels import has_newest
    from aggregator.store import documents, subscribers

    found = await app.database.read(subscribers.everyone)
    stamps = await app.database.read(documents.stamps)
    if found:
        say(f"Pushed: {sum(has_newest(one, stamps) for one in found)} of {len(found)} subscribers have it.")


def _tell_files(out: Path | None, files: Sequence[Path], private: Sequence[str]) -> None:
    """The files of each channel in one line; not a line for each of their twins."""
    if out is None:
        return
    documents = [file for file in files if file.parent == out]
    for name in sorted({file.stem for file in documents}):
        own = [file for file in documents if file.stem == name]
        pages = sum(file.parent == out / name / "archive" for file in files)
        archive = f", {pages} archive page{'s' * (pages > 1)}" if pages else ""
        size = sum(file.stat().st_size for file in own)
        say(f"{out / name}{' '.join(sorted(file.suffix for file in own))}: {size:,} bytes{archive}")
    if documents:
        say("Beside each stand .gz, .br and .zst, the same compressed.")
    if private:
        say(f"Left out, since only partners may read them: {', '.join(private)}.")
