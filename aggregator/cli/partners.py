"""`partners`: sites that consume channels under an agreement, their keys and what they are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from aggregator.cli.base import JSON, Context, editor, note, run, said_time, say, say_json, say_table
from aggregator.errors import BadInput

if TYPE_CHECKING:
    from aggregator.app import App
    from aggregator.outgoing import Partner, PartnerKey

partners = typer.Typer(
    help="Sites that consume channels: add, list, key, revoke, webhook, usage, log, retry.",
    no_args_is_help=True,
)

PARTNER = typer.Argument(..., metavar="NAME", help="Its name, as `partners list` shows.")


def register(cli: typer.Typer) -> None:
    """Add these verbs to the command."""
    cli.add_typer(partners, name="partners")


@partners.command("add")
def add(
    context: typer.Context,
    name: str = typer.Argument(..., help="Small letters, digits and hyphens."),
    channel: list[str] = typer.Option(..., help="A channel that it may read; as often as needed."),
    title: str = typer.Option("", help="As editors read it; the name where left out."),
    language: list[str] = typer.Option([], help="Only entries in this language (fr, uk, …)."),
    topic: list[str] = typer.Option([], help="Only entries of this topic."),
    reuse: str = typer.Option("full", help="How much of each story: none, headline, summary or full."),
    per_minute: int = typer.Option(60, help="How often it may ask."),
) -> None:
    """Let a site read channels with a key of its own, which is shown once."""
    given = {"channels": tuple(channel), "title": title, "languages": tuple(language), "topics": tuple(topic)}
    run(context, lambda known: _add(known, name, {**given, "per_minute": per_minute}, reuse))


async def _add(known: Context, name: str, terms: dict[str, Any], reuse: str) -> None:
    from aggregator.flows.partners import Terms, add_partner
    from aggregator.model import Reuse

    words = [each.value for each in Reuse]
    if reuse not in words:
        raise typer.BadParameter(f"There is no reuse {reuse!r}: write one of {', '.join(words)}.")
    async with known.app() as app:
        held = await app.catalogue()
        topics = list(held.topics)
        for slug in terms["topics"]:
            if slug not in topics:
                raise BadInput(f"There is no topic {slug!r}. There is: {', '.join(topics) or 'none'}.")
        agreed = Terms(**terms, reuse=Reuse(reuse))
        added, key = await add_partner(app.database, app.clock, name, agreed, held.channels, by=editor())
        _tell_key(app, added.name, added.channels[0], key)


def _tell_key(app: App, name: str, slug: str, key: str) -> None:
    """A key on standard output, how to use it beside that."""
    site = app.settings.site
    say(f"Partner {name}: the key is shown now and never again:\n\n  {key}\n")
    note(
        f'A program sends it so:\n  curl -H "Authorization: Bearer KEY" {site.page(f"api/channels/{slug}/changes")}\n'
        f"A feed reader asks for a name and a password: any name, and the key as the password:\n"
        f"  curl -u {name}:KEY {site.page(f'channels/{slug}.atom')}"
    )


@partners.command("list")
def list_(context: typer.Context, as_json: bool = JSON) -> None:
    """Every partner with what was agreed and its keys; never the keys themselves."""
    run(context, lambda known: _list(known, as_json))


async def _list(known: Context, as_json: bool) -> None:
    from aggregator.store import partners as stored

    async with known.app() as app:
        everyone = await app.database.read(stored.everyone)
        keys = await app.database.read(lambda s: {one.id: stored.keys_of(s, one.id) for one in everyone})
        now = app.clock()
    if as_json:
        for one in everyone:
            say_json(_partner_json(one, keys[one.id]))
        return
    if not everyone:
        note("There is no partner yet: `wirebrief partners add NAME --channel CHANNEL`.")
    for one in everyone:
        ended = f" · revoked {one.revoked_at:%Y-%m-%d}" if one.revoked_at else ""
        say(f"{one.name}  {one.title} · {', '.join(one.channels)} · {_narrowed(one)}{ended}")
        if one.webhook_url:
            say(f"    webhook {one.webhook_url}")
        for key in keys[one.id]:
            used = f"used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
            say(f"    key {key.name} ({key.hint}…), {_validity(key, now)}, {used}")


def _partner_json(one: Partner, keys: Sequence[PartnerKey]) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title,
        "channels": one.channels,
        "languages": one.languages,
        "topics": one.topics,
        "reuse": one.reuse.value,
        "per_minute": one.per_minute,
        "webhook": one.webhook_url,
        "created": said_time(one.created_at),
        "revoked": said_time(one.revoked_at),
        "keys": [
            {
                "name": key.name,
                "hint": key.hint,
                "created": said_time(key.created_at),
                "expires": said_time(key.expires_at),
                "revoked": said_time(key.revoked_at),
                "last_used": said_time(key.last_used_at),
            }
            for key in keys
        ],
    }


def _narrowed(one: Partner) -> str:
    """What a partner is given of its channels."""
    parts = [
        f"in {', '.join(one.languages)}" if one.languages else "",
        f"on {', '.join(one.topics)}" if one.topics else "",
        f"{one.reuse.value} of each story" if one.reuse.value != "full" else "",
        f"{one.per_minute} a minute",
    ]
    return ", ".join(part for part in parts if part)


def _validity(key: PartnerKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    if key.expires_at is None:
        return f"since {key.created_at:%Y-%m-%d}"
    said = "expired" if key.expires_at <= now else "until"
    return f"{said} {key.expires_at:%Y-%m-%d}"


@partners.command("key")
def key(
    context: typer.Context,
    partner: str = PARTNER,
    name: str = typer.Option(..., help="As its holder tells it from the others."),
    expires: str | None = typer.Option(None, help="How long it opens: 90d, 24h. For ever where left out."),
) -> None:
    """Another key, shown once, so that one can be replaced without a gap."""
    run(context, lambda known: _key(known, partner, name, expires))


async def _key(known: Context, partner: str, name: str, expires: str | None) -> None:
    from aggregator.flows.partners import add_key, require_partner

    lifetime = _lifetime(expires)
    async with known.app() as app:
        new = await add_key(app.database, app.clock, partner, name=name, lifetime=lifetime, by=editor())
        holder = await app.database.read(lambda session: require_partner(session, partner))
        _tell_key(app, holder.name, holder.channels[0], new)


def _lifetime(written: str | None) -> timedelta | None:
    from aggregator.written import read_duration

    if written is None:
        return None
    try:
        lifetime: timedelta = read_duration(written)
    except ValueError as error:
        raise typer.BadParameter(f"--expires {written!r} is no length of time: write 90d or 24h.") from error
    if lifetime <= timedelta():
        raise typer.BadParameter(f"--expires {written!r} is over before it begins: write 90d or 24h.")
    return lifetime


@partners.command("revoke")
def revoke(
    context: typer.Context,
    partner: str = PARTNER,
    key: str | None = typer.Option(None, help="Only this key, by its name or its first characters."),
) -> None:
    """Let a partner, or one of its keys, read nothing any more. What it took stays on record."""
    run(context, lambda known: _revoke(known, partner, key))


async def _revoke(known: Context, name: str, key: str | None) -> None:
    from aggregator.flows.partners import revoke as end

    async with known.app() as app:
        found = await end(app.database, app.clock, name, key, by=editor())
    if key is None:
        say(f"{found.title} reads nothing any more, and is sent nothing.")
    else:
        say(f"The key {key} of {found.title} opens nothing any more.")


@partners.command("webhook")
def webhook(
    context: typer.Context,
    partner: str = PARTNER,
    url: str | None = typer.Argument(None, help="Where it is told what is published."),
    none: bool = typer.Option(False, "--none", help="It is told no more."),
) -> None:
    """Tell a partner of each brief that is published, corrected or withdrawn; the secret is shown once."""
    if (url is None) is not none:
        raise typer.BadParameter("Name an address, or write --none.")
    run(context, lambda known: _webhook(known, partner, url))


async def _webhook(known: Context, name: str, url: str | None) -> None:
    from aggregator.flows.partners import set_webhook

    async with known.app() as app:
        secret = await set_webhook(app.database, app.clock, name, url, by=editor())
    if secret is None:
        say(f"{name} is told of nothing any more.")
        return
    say(f"{name} is told at {url}; its secret is shown now and never again:\n\n  {secret}\n")
    note(
        "Each request is signed with it, as Standard Webhooks has it: docs/guide.md shows how to check that."
    )


@partners.command("usage")
def usage(
    context: typer.Context,
    partner: str | None = typer.Argument(None, metavar="NAME", help="Only this partner."),
    as_json: bool = JSON,
) -> None:
    """What partners asked for, day by day (UTC), newest first."""
    run(context, lambda known: _usage(known, partner, as_json))


async def _usage(known: Context, name: str | None, as_json: bool) -> None:
    from aggregator.flows.partners import require_partner
    from aggregator.store.partners import usage as used
    from aggregator.web.partners import usage_out

    async with known.app() as app:
        only = await app.database.read(partial(require_partner, name=name)) if name else None
        found = await app.database.read(partial(used, partner_id=only.id if only else None))
    rows = [{"partner": one.partner, **usage_out(one).model_dump()} for one in found]
    if as_json:
        for row in rows:
            say_json(row)
        return
    say_table(
        ("Partner", "Day", "By", "Requests", "Unchanged", "Entries", "Bytes"),
        ((*list(row.values())[:-1], f"{row['bytes']:,}") for row in rows),
        empty="Nobody has asked for anything yet.",
    )


@partners.command("log")
def log(
    context: typer.Context,
    partner: str = PARTNER,
    limit: int = typer.Option(20, help="How many at most."),
    as_json: bool = JSON,
) -> None:
    """What became of a partner's webhooks, newest first."""
    run(context, lambda known: _log(known, partner, limit, as_json))


async def _log(known: Context, name: str, limit: int, as_json: bool) -> None:
    from aggregator.flows.partners import require_partner
    from aggregator.store import briefs, subscribers

    async with known.app() as app:
        one = await app.database.read(partial(require_partner, name=name))
        found = await app.database.read(partial(subscribers.webhook_log, partner_id=one.id, limit=limit))
        acts = await app.database.read(partial(briefs.acts, ids=[one.publication_id for one in found]))
        slugs = await app.database.read(briefs.slugs)
    known_acts = {act.id: act for act in acts}
    rows = [
        {
            "id": f"act_{one.publication_id}",
            "brief": slugs[known_acts[one.publication_id].brief_id],
            "act": known_acts[one.publication_id].act.value,
            "state": one.state,
            "tries": one.tries,
            "why": one.why,
        }
        for one in found
    ]
    if as_json:
        for row in rows:
            say_json(row)
        return
    say_table(
        ("Id", "Brief", "Act", "State", "In vain", "What happened last"),
        (tuple(row.values()) for row in rows),
        empty=f"No webhook was sent to {one.title} yet.",
    )


@partners.command("retry")
def retry(context: typer.Context, partner: str = PARTNER) -> None:
    """Send the webhooks again that were given up."""
    run(context, lambda known: _retry(known, partner))


async def _retry(known: Context, name: str) -> None:
    from aggregator.flows.partners import retry_webhooks

    async with known.app() as app:
        one, again = await retry_webhooks(app.database, app.clock, name, by=editor())
    say(f"{again} webhooks are sent to {one.title} again, by `run` or with `wirebrief publish`.")
