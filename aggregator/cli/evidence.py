"""`sources read-again`: what today's reader would make of the bodies that were kept."""

from __future__ import annotations

import typer

from aggregator.cli.base import JSON, Context, note, run, say, say_json
from aggregator.cli.wire import read_since


def register(sources: typer.Typer) -> None:
    """Add this verb to those of `sources`."""
    sources.command("read-again")(read_again)


def read_again(
    context: typer.Context,
    source: str = typer.Argument(..., help="Its number, URL or title."),
    since: str | None = typer.Option(None, help="Only what came since: 2025-02-18, or a span (24h, 7d)."),
    apply: bool = typer.Option(False, "--apply", help="Record what differs: new stories, new versions."),
    as_json: bool = JSON,
) -> None:
    """Read the kept bodies of a source with today's reader, and say what would differ.

    Nothing is changed without --apply.
    """
    run(context, lambda known: _read_again(known, source, since, apply, as_json))


async def _read_again(known: Context, name: str, since: str | None, apply: bool, as_json: bool) -> None:
    from aggregator.flows.evidence import read_again as read
    from aggregator.flows.sources import require_sources
    from feeds.dates import rfc3339

    async with known.app() as app:
        (source,) = await require_sources(app.database, [name])
        begin = read_since(since, app.clock())
        found = await read(app.database, app.clock, source, since=begin, apply=apply)
        if found.is_applied:
            await app.digest()
    for hash, why in found.unreadable:
        note(f"  {hash[:12]} cannot be read: {why}")
    for each in found.differences:
        if as_json:
            say_json(
                {
                    "kind": each.kind,
                    "story": each.story_id,
                    "title": each.title,
                    "url": each.url,
                    "fields": list(each.fields),
                    "evidence": each.hash,
                    "fetched": rfc3339(each.at),
                    "applied": found.is_applied,
                }
            )
        else:
            what = f"story {each.story_id}: {', '.join(each.fields)}" if each.fields else "a new story"
            say(f"  {each.title} ({what})")
    if as_json:
        return
    counts = f"{found.bodies} bodies with {found.entries} entries read again"
    if not found.bodies:
        note("Nothing that it sent is kept; see keep.evidence in the settings.")
    elif not found.differences:
        say(f"{counts}: nothing would differ.")
    else:
        new = sum(each.kind == "new" for each in found.differences)
        changed = len(found.differences) - new
        done = "recorded" if found.is_applied else "would be recorded; --apply does it"
        say(f"{counts}: {new} new stories and {changed} new versions {done}.")
