"""`channels`: what is published, what the next rendering would change, who is pushed to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from aggregator.cli.base import JSON, Context, note, run, say, say_json, say_table
from aggregator.errors import BadInput

if TYPE_CHECKING:
    from aggregator.app import App
    from aggregator.flows.catalogue import Catalogue
    from aggregator.flows.channels import Difference, Preview, Step
    from aggregator.flows.plans import Press
    from aggregator.outgoing import Subscriber
    from aggregator.rules.channels import Channel

channels = typer.Typer(help="What is published: list, preview, why, subscribers.", no_args_is_help=True)

CHANNEL = typer.Argument(..., help="Its name, in config.toml or at the desk.")

#: Characters of a changed part that are shown of each state.
SHORT = 70

_MARKS = {"comes": "+", "changes": "~", "withdrawn": "!", "goes": "-"}


def register(cli: typer.Typer) -> None:
    """Add these verbs to the command."""
    cli.add_typer(channels, name="channels")


@channels.command("list")
def list_(context: typer.Context, as_json: bool = JSON) -> None:
    """Every channel: who may read it, where it is served, how many entries and subscribers it has."""
    run(context, lambda known: _list(known, as_json))


async def _list(known: Context, as_json: bool) -> None:
    from aggregator.rules.channels import FORMATS
    from aggregator.store import documents, partners, subscribers

    async with known.app() as app:
        site, declared = app.settings.site, (await app.catalogue()).channels
        slugs = [channel.slug for channel in declared]
        held = await app.database.read(lambda s: {one: documents.get(s, one, "atom") for one in slugs})
        everyone = await app.database.read(partners.everyone)
        pushed = await app.database.read(subscribers.everyone)
    rows = []
    for channel in declared:
        document = held[channel.slug]
        rows.append(
            {
                "slug": channel.slug,
                "title": channel.title,
                "entries": document.entries if document else 0,
                "public": channel.is_public,
                "partners": [p.name for p in everyone if channel.slug in p.channels and not p.revoked_at],
                "addresses": {format: site.page(channel.path_as(format)) for format in FORMATS},
                "subscribers": sum(one.channel == channel.slug for one in pushed),
            }
        )
    if as_json:
        for row in rows:
            say_json(row)
        return
    say_table(
        ("Channel", "Title", "Entries", "Readers", "Subscribers", "Address"),
        (
            (r["slug"], r["title"], r["entries"], _readers(r), r["subscribers"], r["addresses"]["atom"])  # type: ignore[index]
            for r in rows
        ),
        empty="No channel is defined: write a [channels.NAME] into config.toml, or make one at the desk.",
    )
    if rows:
        note(f"Each address ends in .{', .'.join(FORMATS)}.")


def _readers(row: dict[str, Any]) -> str:
    named = ", ".join(row["partners"])
    if row["public"]:
        return "everybody"
    return f"only {named}" if named else "nobody yet: `wirebrief partners add`"


@channels.command("preview")
def preview(context: typer.Context, channel: str = CHANNEL, as_json: bool = JSON) -> None:
    """What the next rendering would change for subscribers: what comes, changes and goes, and why."""
    run(context, lambda known: _preview(known, channel, as_json))


async def _preview(known: Context, slug: str, as_json: bool) -> None:
    from aggregator.flows.channels import preview

    async with known.app() as app:
        held = await app.catalogue()
        channel = require_channel(held, slug)
        look = partial(preview, channel=channel, press=press_of(app, held), now=app.clock())
        found = await app.database.read(look)
    if as_json:
        for step in found.steps:
            say_json(_step_json(step))
        return
    _tell_preview(channel, found)


def _tell_preview(channel: Channel, found: Preview) -> None:
    from aggregator.flows.channels import in_short

    for step in found.steps:
        if step.what == "passes":
            continue
        say(f"{_MARKS[step.what]} {step.row.entry.title}\n    {step.why}")
        for difference in step.differences:
            old, new = in_short(difference, SHORT)
            say(f"    {difference.part}: {old or 'nothing'} → {new or 'nothing'}")
    passing = sum(step.what == "passes" for step in found.steps)
    if not found.steps:
        note(f"{channel.title}: nothing changes; subscribers have all of it.")
    elif found.now or found.then:
        note(f"{channel.title}: {found.now} entries now, {found.then} then.")
    if passing:
        note(f"{passing} more go to the archive and to partners at once: no document has room for them.")
    if found.is_more:
        note("So much has come that this is only the first part of it.")


def _step_json(step: Step) -> dict[str, Any]:
    from feeds.dates import rfc3339

    entry, row = step.row.entry, step.row
    return {
        "what": step.what,
        "kind": row.kind,
        "number": row.ref,
        "id": row.entry_id,
        "title": entry.title,
        "updated": rfc3339(entry.updated) if entry.updated else None,
        "why": step.why,
        "differences": [_difference_json(one) for one in step.differences],
    }


def _difference_json(difference: Difference) -> dict[str, str]:
    return {"part": difference.part, "old": difference.old, "new": difference.new}


@channels.command("why")
def why(
    context: typer.Context,
    channel: str = CHANNEL,
    what: str = typer.Argument(
        ..., help="A story's number, URL or entry id; a brief's name, number or page. A number may be both."
    ),
    as_json: bool = JSON,
) -> None:
    """Why a story or a brief is in a channel, or why not."""
    run(context, lambda known: _why(known, channel, what, as_json))


async def _why(known: Context, slug: str, what: str, as_json: bool) -> None:
    from aggregator.flows.channels import explain

    async with known.app() as app:
        held = await app.catalogue()
        channel = require_channel(held, slug)
        ask = partial(explain, channel=channel, press=press_of(app, held), what=what, now=app.clock())
        answers = await app.database.read(ask)
    for answer in answers:
        if as_json:
            say_json(
                {
                    "kind": answer.kind,
                    "number": answer.ref,
                    "title": answer.title,
                    "in": answer.is_in,
                    "why": answer.why,
                    "rendered": answer.is_rendered,
                }
            )
            continue
        later = "" if answer.is_rendered else " (after the next rendering)"
        where = "In" if answer.is_in else "Not in"
        say(f"{answer.kind} {answer.ref}, {answer.title}\n    {where}{later}: {answer.why}")


@channels.command("subscribers")
def subscribers(
    context: typer.Context,
    channel: str | None = typer.Argument(None, help="Only of this channel."),
    as_json: bool = JSON,
) -> None:
    """Who is pushed to (WebSub), until when, and what happened last."""
    run(context, lambda known: _subscribers(known, channel, as_json))


async def _subscribers(known: Context, slug: str | None, as_json: bool) -> None:
    from aggregator.store import documents
    from aggregator.store import subscribers as pushed

    async with known.app() as app:
        if slug is not None:
            require_channel(await app.catalogue(), slug)
        found = await app.database.read(pushed.everyone)
        stamps = await app.database.read(documents.stamps)
    listed = [one for one in found if slug in (None, one.channel)]
    if as_json:
        for one in listed:
            say_json(_subscriber_json(one, stamps))
        return
    say_table(
        ("Channel", "Callback", "Until", "Has it", "What happened last"),
        (
            (
                f"{one.channel}.{one.format}",
                one.callback,
                f"{one.lease_until:%Y-%m-%d %H:%M}",
                "yes" if has_newest(one, stamps) else "no",
                one.why,
            )
            for one in listed
        ),
        empty="Nobody subscribes by push. Subscribers find the hub in the documents (rel=hub).",
    )


def has_newest(subscriber: Subscriber, stamps: dict[tuple[str, str], str]) -> bool:
    """Whether a subscriber was given the document that is served."""
    return stamps.get((subscriber.channel, subscriber.format)) == subscriber.etag


def _subscriber_json(one: Subscriber, stamps: dict[tuple[str, str], str]) -> dict[str, Any]:
    from feeds.dates import rfc3339

    return {
        "channel": one.channel,
        "format": one.format,
        "callback": one.callback,
        "until": rfc3339(one.lease_until),
        "signed": one.secret is not None,
        "current": has_newest(one, stamps),
        "failing_since": rfc3339(one.failing_since) if one.failing_since else None,
        "tries": one.tries,
        "why": one.why,
    }


def require_channel(held: Catalogue, slug: str) -> Channel:
    """The channel of this name, or of one that it had before.

    Raises:
        BadInput: there is none.
    """
    for channel in held.channels:
        if slug == channel.slug or slug in channel.formerly:
            return channel
    names = ", ".join(channel.slug for channel in held.channels) or "none is defined yet"
    raise BadInput(f"There is no channel {slug!r}. There is: {names}.")


def press_of(app: App, held: Catalogue) -> Press:
    """What channels are rendered with."""
    from aggregator.flows.plans import Press

    settings = app.settings
    return Press(settings.site, held.topics, settings.push.advertised(settings.site))
