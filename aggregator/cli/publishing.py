"""`briefs publish`, `correct`, `withdraw`, `reach`: what readers are told of a brief."""

from __future__ import annotations

from datetime import UTC, datetime, time
from functools import partial
from pathlib import Path
from typing import Any

import typer

from aggregator.cli.base import JSON, Context, editor, note, run, say, say_json
from aggregator.cli.desk import BRIEF, briefs, in_utc, read_brief_file
from aggregator.errors import BadInput


def register(cli: typer.Typer) -> None:
    """Add these verbs to `briefs`, which the command has already."""
    for verb in (publish, correct, withdraw, reach):
        briefs.command(verb.__name__)(verb)


def publish(
    context: typer.Context,
    brief: str = BRIEF,
    at: str | None = typer.Option(
        None,
        metavar="TIME",
        help="Not before then: 2025-02-18T18:00+01:00, or 18:00+01:00 for today. Always with its zone.",
    ),
    cancel: bool = typer.Option(False, "--cancel", help="Take back that it is published at a time."),
) -> None:
    """Publish a brief, or what changed in it since; now, or by itself at a time."""
    if at is not None and cancel:
        raise typer.BadParameter("Write --at or --cancel, not both.")
    if cancel:
        run(context, lambda known: _cancel(known, brief))
    else:
        run(context, lambda known: _publish(known, brief, at))


async def _publish(known: Context, name: str, at: str | None) -> None:
    from aggregator.flows.editorial import publish_brief

    async with known.app() as app:
        moment = _release(at, app.clock()) if at is not None else None
        brief, act = await publish_brief(app.database, app.clock, name, by=editor(), at=moment)
        if brief.release_at is not None and moment is not None:
            say(f"{brief.slug}: published by itself {in_utc(brief.release_at)}, as it stands then.")
            note(
                "Until then nobody is told of it. `wirebrief run`, `poll` or `publish` must run at that time."
            )
            return
        await _tell(app, brief, act)


async def _cancel(known: Context, name: str) -> None:
    from aggregator.flows.editorial import cancel_release

    async with known.app() as app:
        brief = await cancel_release(app.database, app.clock, name, by=editor())
    say(f"{brief.slug}: it is no longer published by itself.")


def _release(written: str, now: datetime) -> datetime:
    """The time that is meant. One without a zone is refused: an embargo must not be an hour off."""
    moment = _read_time(written, now)
    if moment is None:
        raise typer.BadParameter(
            f"--at {written!r} is no time with its zone: write 2025-02-18T18:00+01:00 or, for today, "
            "18:00+01:00; Z at the end is UTC."
        )
    if moment <= now:
        raise BadInput(
            f"{in_utc(moment)} is over already: name a later time, or leave --at out to publish now."
        )
    return moment


def _read_time(written: str, now: datetime) -> datetime | None:
    try:
        hour = time.fromisoformat(written)
        moment = datetime.combine(now.astimezone(hour.tzinfo).date(), hour)
    except ValueError:
        try:
            moment = datetime.fromisoformat(written)
        except ValueError:
            return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else None


def reach(context: typer.Context, brief: str = BRIEF, as_json: bool = JSON) -> None:
    """Which partners have a brief and in which state, and which have not fetched it yet."""
    run(context, lambda known: _reach(known, brief, as_json))


async def _reach(known: Context, name: str, as_json: bool) -> None:
    from aggregator.flows.partners import reach_of
    from feeds.dates import rfc3339

    async with known.app() as app:
        found = await app.database.read(partial(reach_of, site=app.settings.site, brief=name))
    if as_json:
        took = [
            {
                "partner": one.partner,
                "revision": one.revision,
                "current": one.revision >= found.revision,
                "via": one.via,
                "first": rfc3339(one.first_at),
                "last": rfc3339(one.at),
            }
            for one in found.took
        ]
        say_json(
            {"id": found.entry_id, "revision": found.revision, "took": took, "not_yet": list(found.not_yet)}
        )
        return
    for one in found.took:
        state = "has it as it is" if one.revision >= found.revision else f"has state {one.revision} of it"
        say(f"{one.partner} {state}, by {one.via}, {in_utc(one.at)}")
    for name in found.not_yet:
        say(f"{name} may have it and has not fetched it yet")
    if not found.took and not found.not_yet:
        note("No partner has it, and none may have it: `wirebrief partners list` shows what was agreed.")


def correct(
    context: typer.Context,
    brief: str = BRIEF,
    file: Path = typer.Argument(..., help="The corrected text."),
    why: str = typer.Option("", help="What was wrong; readers see it."),
) -> None:
    """Put a corrected text in the place of a published one, with a note to its readers."""
    run(context, lambda known: _correct(known, brief, file, why))


async def _correct(known: Context, name: str, file: Path, why: str) -> None:
    from aggregator.flows.editorial import correct_brief

    text = read_brief_file(file)
    async with known.app() as app:
        brief, act = await correct_brief(app.database, app.clock, name, text, by=editor(), why=why)
        await _tell(app, brief, act)


def withdraw(
    context: typer.Context,
    brief: str = BRIEF,
    why: str = typer.Option(..., help="The reason; readers see it."),
) -> None:
    """Take a published brief back: its readers are told that, and why."""
    run(context, lambda known: _withdraw(known, brief, why))


async def _withdraw(known: Context, name: str, why: str) -> None:
    from aggregator.flows.editorial import withdraw_brief

    async with known.app() as app:
        brief, act = await withdraw_brief(app.database, app.clock, name, by=editor(), why=why)
        await _tell(app, brief, act)


async def _tell(app: Any, brief: Any, act: Any) -> None:
    if act is None:
        say(f"{brief.slug}: nothing changed; subscribers have all of it.")
        return
    rendered = await app.digest()
    channels = ", ".join(each.channel for each in rendered if each.is_new) or "no channel carries it"
    say(f"{brief.slug}: {act.value}. Changed: {channels}.")
