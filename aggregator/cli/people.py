"""`users` and `keys`: people who come to the desk, and programs that use the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from aggregator.cli.base import JSON, Context, editor, note, run, said_time, say, say_json, say_table

if TYPE_CHECKING:
    from datetime import datetime

    from aggregator.people import ApiKey, Person

users = typer.Typer(help="People at the desk: add, list, role, link, sign-out, revoke.", no_args_is_help=True)
keys = typer.Typer(help="Programs that use the API: add, list, revoke.", no_args_is_help=True)

NAME = typer.Argument(..., metavar="NAME", help="As `users list` shows it.")
ROLE = "viewer (looks), editor (briefs), chief (the newsroom) or admin (lets people in)."


def register(cli: typer.Typer) -> None:
    """Add these verbs to the command."""
    cli.add_typer(users, name="users")
    cli.add_typer(keys, name="keys")


@users.command("add")
def add(
    context: typer.Context,
    name: str = typer.Argument(..., help="As it signs what they decide."),
    role: str = typer.Option("editor", help=ROLE),
) -> None:
    """Make an account, and show the link with which its holder chooses a password: once, within three days."""
    run(context, lambda known: _add(known, name, role))


async def _add(known: Context, name: str, role: str) -> None:
    async with known.app() as app:
        _tell_link(name, await app.invite(name, role, by=editor()))


def _tell_link(name: str, link: str) -> None:
    """A link on standard output, what to do with it beside that."""
    say(link)
    note(
        f"Give this link to {name} alone. It is shown now and never again, works once, and runs out in three days."
    )


@users.command("list")
def list_(context: typer.Context, as_json: bool = JSON) -> None:
    """Every account: its role, where it is signed in, whether it has a password or a link."""
    run(context, lambda known: _list(known, as_json))


async def _list(known: Context, as_json: bool) -> None:
    from aggregator.store import accounts

    async with known.app() as app:
        everyone = await app.database.read(lambda session: accounts.everyone(session, app.clock()))
    if as_json:
        for one in everyone:
            say_json(_person_json(one))
        return
    rows = [
        (
            one.account.name,
            one.account.role,
            _standing(one),
            one.sessions,
            one.passkeys,
            f"{one.seen_at:%Y-%m-%d %H:%M}" if one.seen_at else "",
        )
        for one in everyone
    ]
    headings = ("Name", "Role", "Opens by", "Browsers", "Passkeys", "Seen")
    say_table(headings, rows, empty="There is no account yet: `wirebrief init` makes the first one.")


@users.command("role")
def role_(context: typer.Context, name: str = NAME, role: str = typer.Argument(..., help=ROLE)) -> None:
    """Change what somebody may do, from their next request on."""
    run(context, lambda known: _role(known, name, role))


async def _role(known: Context, name: str, role: str) -> None:
    from aggregator.flows import people

    async with known.app() as app:
        await people.set_role(app.database, app.clock, name, role, by=editor())
        say(f"{name}: {role} from now on.")


@users.command("link")
def link(context: typer.Context, name: str = NAME) -> None:
    """Show another link with which a password is chosen: it is lost, or the first link ran out."""
    run(context, lambda known: _link(known, name))


async def _link(known: Context, name: str) -> None:
    from aggregator.flows import people

    async with known.app() as app:
        token = await people.new_link(app.database, app.clock, name, by=editor())
        _tell_link(name, app.joining(token))


@users.command("sign-out")
def sign_out(context: typer.Context, name: str = NAME) -> None:
    """Sign somebody out in every browser."""
    run(context, lambda known: _sign_out(known, name))


async def _sign_out(known: Context, name: str) -> None:
    from aggregator.flows import people

    async with known.app() as app:
        ended = await people.end_sessions(app.database, app.clock, name, by=editor())
        say(f"{name}: signed out in {ended} browser{'s' * (ended != 1)}.")


@users.command("revoke")
def revoke(context: typer.Context, name: str = NAME) -> None:
    """Close an account for good: it is signed out and nothing opens it. Its decisions stay on record."""
    run(context, lambda known: _revoke(known, name))


async def _revoke(known: Context, name: str) -> None:
    from aggregator.flows import people

    async with known.app() as app:
        await people.revoke_account(app.database, app.clock, name, by=editor())
        say(f"{name}: closed. Nothing opens it any more.")


@keys.command("add")
def add_key(
    context: typer.Context,
    name: str = typer.Argument(..., help="Small letters, digits and hyphens."),
    role: str = typer.Option("viewer", help="viewer (looks), editor (briefs) or chief."),
    days: int = typer.Option(0, min=0, max=3650, help="It opens for so many days; 0 for ever."),
) -> None:
    """Make a key for a program that uses the API; it is shown once."""
    run(context, lambda known: _add_key(known, name, role, days))


async def _add_key(known: Context, name: str, role: str, days: int) -> None:
    from datetime import timedelta

    from aggregator.flows import people

    lifetime = timedelta(days=days) if days else None
    async with known.app() as app:
        key = await people.add_key(app.database, app.clock, name, role, by=editor(), lifetime=lifetime)
        say(key)
        note(
            "The key is shown now and never again. A program sends it so:\n"
            f'  curl -H "Authorization: Bearer KEY" {app.settings.site.page("api/briefs")}'
        )


@keys.command("list")
def list_keys(context: typer.Context, as_json: bool = JSON) -> None:
    """Every key: its role, who made it, when it was used; never the key itself."""
    run(context, lambda known: _list_keys(known, as_json))


async def _list_keys(known: Context, as_json: bool) -> None:
    from aggregator.store import api_keys

    async with known.app() as app:
        everyone = await app.database.read(api_keys.everyone)
        now = app.clock()
    if as_json:
        for one in everyone:
            say_json(_key_json(one))
        return
    rows = [
        (
            one.name,
            one.role,
            f"{one.hint}…" if one.hint else "",
            _validity(one, now),
            one.made_by,
            f"{one.last_used_at:%Y-%m-%d %H:%M}" if one.last_used_at else "never",
        )
        for one in everyone
    ]
    headings = ("Name", "Role", "Key", "Opens", "Made by", "Used")
    say_table(headings, rows, empty="There is no key yet: `wirebrief keys add NAME`.")


@keys.command("revoke")
def revoke_key(
    context: typer.Context, name: str = typer.Argument(..., help="As `keys list` shows it.")
) -> None:
    """Let a key open nothing any more."""
    run(context, lambda known: _revoke_key(known, name))


async def _revoke_key(known: Context, name: str) -> None:
    from aggregator.flows import people

    async with known.app() as app:
        await people.revoke_key(app.database, app.clock, name, by=editor())
        say(f"{name}: the key opens nothing any more.")


def _standing(one: Person) -> str:
    if one.account.revoked_at is not None:
        return f"nothing: closed {one.account.revoked_at:%Y-%m-%d}"
    ways = ["password"] * one.has_password
    if one.invited_until is not None:
        ways.append(f"a link until {one.invited_until:%Y-%m-%d %H:%M} UTC")
    return ", ".join(ways) or "nothing: `wirebrief users link` gives a link"


def _validity(one: ApiKey, now: datetime) -> str:
    if one.revoked_at is not None:
        return f"no: revoked {one.revoked_at:%Y-%m-%d}"
    if one.expires_at is None:
        return "for ever"
    return f"{'until' if one.expires_at > now else 'no: ended'} {one.expires_at:%Y-%m-%d}"


def _person_json(one: Person) -> dict[str, Any]:
    account = one.account
    return {
        "name": account.name,
        "role": account.role,
        "created": said_time(account.created_at),
        "revoked": said_time(account.revoked_at),
        "password": one.has_password,
        "passkeys": one.passkeys,
        "sessions": one.sessions,
        "seen": said_time(one.seen_at),
        "link_until": said_time(one.invited_until),
    }


def _key_json(one: ApiKey) -> dict[str, Any]:
    return {
        "name": one.name,
        "role": one.role,
        "hint": one.hint,
        "made_by": one.made_by,
        "created": said_time(one.created_at),
        "expires": said_time(one.expires_at),
        "revoked": said_time(one.revoked_at),
        "last_used": said_time(one.last_used_at),
    }
