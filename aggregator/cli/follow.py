"""`poll` and `sources`: what is followed, and asking for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import typer

from aggregator.cli.base import JSON, Context, editor, note, progress, run, say, say_json, say_table
from aggregator.errors import BadInput
from feeds.errors import ParseError

sources = typer.Typer(
    help="What is followed: add, list, remove, import, export, check.", no_args_is_help=True
)


def register(cli: typer.Typer) -> None:
    """Add these verbs to the command."""
    cli.command()(poll)
    cli.add_typer(sources, name="sources")


def poll(
    context: typer.Context,
    source: list[str] = typer.Argument(None, help="Only these, by number, URL or a part of the title."),
    all_: bool = typer.Option(False, "--all", help="Those paused, gone or told to wait as well."),
    store_only: bool = typer.Option(
        False, "--store-only", help="Leave topics, events, suggestions and channels to the next digest."
    ),
    as_json: bool = JSON,
) -> None:
    """Ask every source once, now; store what is new and render what follows from it.

    Interrupted with Ctrl-C it keeps what it has, and the next poll goes on with the rest.
    """
    run(context, lambda known: _poll(known, source or [], all_, store_only, as_json=as_json))


async def _poll(known: Context, names: list[str], all_: bool, store_only: bool, *, as_json: bool) -> None:
    from aggregator.flows.sources import require_sources
    from aggregator.store.sources import all_sources

    async with known.app() as app:
        chosen = [source.id for source in await require_sources(app.database, names)]
        failures: list[tuple[str, str]] = []
        with progress("Asking") as show:
            count = {"done": 0, "of": 0}

            def on_start(of: int) -> None:
                count["of"] = of
                show(0, of)

            def on_done(source: Any, report: Any) -> None:
                count["done"] += 1
                show(count["done"], count["of"])
                if report.failure_kind:
                    failures.append((source.title or source.url, report.why))

            found = await app.poll(
                only=chosen, even_waiting=all_, store_only=store_only, on_start=on_start, on_done=on_done
            )
            followed = await app.database.read(all_sources)
    if as_json:
        say_json(
            {
                "sources": found.sources,
                "unchanged": found.unchanged,
                "new": found.new,
                "changed": found.changed,
                "failed": dict(sorted(found.failed.items())),
                "seconds": round(found.seconds, 3),
            }
        )
        return
    for title, why in sorted(failures):
        note(f"  {title}: {why}")
    say(
        f"{found.sources} sources asked in {found.seconds:.1f} s: {found.unchanged} unchanged, "
        f"{found.new} new stories, {found.changed} changed, {sum(found.failed.values())} sources failed."
    )
    if not found.sources:
        note(_why_nobody(len(followed), app.settings.fetch.lease))


def _why_nobody(followed: int, lease: timedelta) -> str:
    """Why a poll asked no source, and what to do."""
    from aggregator.rules.cadence import in_words

    if not followed:
        return "Nothing to ask: add a feed with `wirebrief sources add URL`."
    return (
        "Nothing to ask now: each source is being asked by another process, is paused or gone, or was told "
        f"to wait. If a poll was killed, its sources are free again {in_words(lease)} after it began."
    )


@sources.command("add")
def add(
    context: typer.Context,
    url: str = typer.Argument(..., help="The address of a feed, or of a page that names its feed."),
    title: str = typer.Option("", help="Its name at the desk; the feed's own where left out."),
    kind: str = typer.Option("news", help="wire (asked by the minute), news or blog."),
    check: bool = typer.Option(True, help="Look at it first."),
) -> None:
    """Follow a feed. It is looked at first, so a wrong address is known at once."""
    run(context, lambda known: _add(known, url, title, kind, check))


async def _add(known: Context, url: str, title: str, kind: str, check: bool) -> None:
    from aggregator.flows.sources import add_sources, require_web_url, resume_source
    from aggregator.model import SourceDraft, SourceKind

    if kind not in {each.value for each in SourceKind}:
        raise typer.BadParameter(f"There is no kind {kind!r}: write wire, news or blog.")
    url = require_web_url(url)
    async with known.app() as app:
        if check:
            url, found = await _feed_at(app, url)
            title = title or found
        draft = SourceDraft(url=url, title=title, kind=SourceKind(kind))
        if await add_sources(app.database, app.clock, [draft], by=editor()):
            say(
                f"Following {title or url} ({url}). `wirebrief poll` asks it now; `wirebrief run` keeps asking."
            )
        elif await resume_source(app.database, app.clock, url, by=editor()):
            say(f"{url} was paused, and goes on.")
        else:
            say(f"{url} is followed already.")


async def _feed_at(app: Any, url: str) -> tuple[str, str]:
    """The address and title of the feed at an address, or of the only one its page names."""
    from aggregator.flows.ingest import client_for
    from aggregator.flows.sources import check_url

    async with client_for(app.settings.fetch) as client:
        checked = await check_url(client, url, app.settings.fetch.limits)
    if checked.feed is not None:
        return url, checked.feed.title
    if not checked.found:
        raise BadInput(f"{url} is no feed, and names none. {checked.why}")
    if len(checked.found) == 1:
        note(f"{url} is a page; its feed is {checked.found[0].url}.")
        return checked.found[0].url, checked.found[0].title or ""
    names = "\n".join(f"  {each.url}  {each.title or ''}" for each in checked.found[:10])
    raise BadInput(f"{url} is a page that names several feeds. Add the one you want:\n{names}")


@sources.command("list")
def list_(context: typer.Context, as_json: bool = JSON) -> None:
    """Every source, with how it is doing."""
    run(context, lambda known: _list(known, as_json))


async def _list(known: Context, as_json: bool) -> None:
    from aggregator.flows.views import source_json
    from aggregator.store.sources import all_sources

    async with known.app() as app:
        followed = await app.database.read(all_sources)
    if as_json:
        for source in followed:
            say_json(source_json(source))
        return
    say_table(
        ("No.", "Title", "Kind", "Language", "Stories", "What happened last"),
        ((s.id, s.title or s.url, s.kind.value, s.language or "", s.stories, s.why) for s in followed),
        empty="Nothing is followed yet: `wirebrief sources add URL`.",
    )


@sources.command("remove")
def remove(
    context: typer.Context, source: str = typer.Argument(..., help="Its number, URL or title.")
) -> None:
    """Stop following a source. Its stories are kept, and then it is only paused."""
    run(context, lambda known: _remove(known, source))


async def _remove(known: Context, name: str) -> None:
    from aggregator.flows.sources import remove_source, require_sources

    async with known.app() as app:
        (source,) = await require_sources(app.database, [name])
        if await remove_source(app.database, app.clock, source.id, by=editor()):
            say(f"{source.title or source.url} is no longer followed.")
        else:
            say(f"{source.title or source.url} is paused; its {source.stories} stories are kept.")


@sources.command("import")
def import_(
    context: typer.Context, place: str = typer.Argument(..., help="An OPML file, or its URL.")
) -> None:
    """Follow every feed of an OPML document."""
    run(context, lambda known: _import(known, place))


async def _import(known: Context, place: str) -> None:
    from aggregator.flows.ingest import client_for
    from aggregator.flows.sources import import_opml, read_document

    async with known.app() as app:
        async with client_for(app.settings.fetch) as client:
            body = await read_document(client, place, app.settings.fetch.limits)
        try:
            new, named = await import_opml(app.database, app.clock, body, by=editor())
        except (BadInput, ParseError) as error:
            raise BadInput(f"{place}: {error}") from error
    say(f"{named} feeds named, {new} of them new. `wirebrief poll` asks them now.")


@sources.command("export")
def export(context: typer.Context) -> None:
    """Everything that is followed, as OPML on standard output."""
    run(context, _export)


async def _export(known: Context) -> None:
    from aggregator.flows.sources import export_opml

    async with known.app() as app:
        body = await export_opml(app.database, title=f"{app.settings.site.title}: sources")
    typer.echo(body, nl=False)


@sources.command("check")
def check(
    context: typer.Context, url: str = typer.Argument(..., help="Any address."), as_json: bool = JSON
) -> None:
    """Look at an address without following it: which feed is there, and what it shows."""
    run(context, lambda known: _check(known, url, as_json))


async def _check(known: Context, url: str, as_json: bool) -> None:
    from aggregator.flows.ingest import client_for
    from aggregator.flows.sources import check_url
    from aggregator.flows.views import checked_json

    fetch = known.settings().fetch
    async with client_for(fetch) as client:
        checked = await check_url(client, url, fetch.limits)
    if as_json:
        say_json(checked_json(checked))
    elif checked.feed is None:
        note(f"{checked.url} is no feed: {checked.why}")
        for found in checked.found:
            say(f"{found.url}  {found.title or ''}")
    else:
        feed = checked.feed
        say(
            f"{feed.title} ({feed.version}, {feed.language or 'language not said'}), {len(feed.entries)} entries"
        )
        for problem in feed.problems:
            note(f"  {problem}")
        for entry in feed.entries[:5]:
            say(
                f"  {entry.published:%Y-%m-%d %H:%M}  {entry.title}"
                if entry.published
                else f"  {entry.title}"
            )
    if checked.feed is None and not checked.found:
        raise typer.Exit(1)
