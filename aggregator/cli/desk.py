"""`briefs`, `link` and `pick`: what editors do."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime, time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from aggregator.cli.base import JSON, Context, note, run, say, say_json, say_table
from aggregator.errors import BadInput

if TYPE_CHECKING:
    from aggregator.model import Brief

briefs = typer.Typer(
    help="What editors write: import, list, show, publish, correct, withdraw, reach.", no_args_is_help=True
)

BRIEF = typer.Argument(..., help="Its name or number, as `briefs list` shows.")


def register(cli: typer.Typer) -> None:
    """Add these verbs to the command."""
    cli.add_typer(briefs, name="briefs")
    cli.command()(link)
    cli.command()(pick)


@briefs.command("import")
def import_(
    context: typer.Context,
    files: list[Path] = typer.Argument(..., metavar="FILE…", help="Plain text or Markdown."),
    as_json: bool = JSON,
) -> None:
    """Bring briefs in: a title, a date, paragraphs. The same title and date is a new revision."""
    run(context, lambda known: _import(known, files, as_json))


async def _import(known: Context, files: list[Path], as_json: bool) -> None:
    from aggregator.flows.editorial import import_brief

    # All are read before the first is saved: a wrong one among them saves nothing.
    texts = [_read_brief(file) for file in files]
    async with known.app() as app:
        for text in texts:
            done = await import_brief(app.database, app.clock, text, by=editor())
            passages = done.text.passages
            if as_json:
                say_json(
                    {"slug": done.slug, "new": done.is_new, "changed": done.is_changed, **_shape(done.text)}
                )
            else:
                what = "new" if done.is_new else "a new revision" if done.is_changed else "nothing changed"
                say(f"{done.slug}: {what}; {len(passages)} passages with the title, in {done.text.language}.")
        await app.digest()


@briefs.command("list")
def list_(context: typer.Context, as_json: bool = JSON) -> None:
    """Every brief, newest first."""
    run(context, lambda known: _list(known, as_json))


async def _list(known: Context, as_json: bool) -> None:
    from aggregator.store.briefs import all_briefs

    async with known.app() as app:
        found = await app.database.read(all_briefs)
    if as_json:
        for brief in found:
            say_json(_listed(brief))
        return
    say_table(
        ("No.", "Name", "State", "Lang.", "Rev.", "Picks", "Title"),
        (
            (b.id, b.slug, _state(b), b.revision.language, b.revisions, len(b.links), b.revision.title)
            for b in found
        ),
        empty="There is no brief yet: `wirebrief briefs import FILE`.",
    )


@briefs.command("show")
def show(context: typer.Context, brief: str = BRIEF, as_json: bool = JSON) -> None:
    """A brief with its passages and the stories picked for each."""
    run(context, lambda known: _show(known, brief, as_json))


async def _show(known: Context, name: str, as_json: bool) -> None:
    from aggregator.flows.editorial import require_brief
    from aggregator.flows.views import quality_json
    from aggregator.rules.briefs import read_brief
    from aggregator.store.stories import by_ids
    from aggregator.store.suggestions import quality as quality_of

    async with known.app() as app:
        brief = await app.database.read(lambda session: require_brief(session, name))
        stories = await app.database.read(
            lambda session: by_ids(session, [pick.story_id for pick in brief.links])
        )
        quality = await app.database.read(lambda session: quality_of(session, brief.id))
    text = read_brief(brief.revision.text)
    if as_json:
        picks = [
            {
                "passage": pick.passage,
                "role": pick.role.value,
                "story": pick.story_id,
                "url": stories[pick.story_id].url,
            }
            for pick in brief.links
        ]
        say_json({**_listed(brief), **_shape(text), "picks": picks, "linking": quality_json(quality)})
        return
    say(f"{text.title}\n{text.date or 'no date'} · {_state(brief)} · revision {brief.revision.number}\n")
    for passage in text.passages:
        say(f"{passage.id}  {passage.text}")
        for quotation in passage.quotations:
            say(f"      “{quotation.text}”, {quotation.speaker or 'nobody named'}")
        for pick in brief.links:
            if pick.passage == passage.id:
                story = stories[pick.story_id]
                say(
                    f"      [{pick.role.value}] {story.title} ({story.source_name}, {story.language}) {story.url}"
                )
        say()


@briefs.command("publish")
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
            say(f"{brief.slug}: published by itself {_moment(brief.release_at)}, as it stands then.")
            note(
                "Until then nobody is told of it. `wirebrief run`, `poll` or `publish` must run at that time."
            )
            return
        await _tell(app, brief, act)


async def _cancel(known: Context, name: str) -> None:
    from aggregator.flows.editorial import cancel_release

    async with known.app() as app:
        brief = await cancel_release(app.database, name, by=editor())
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
            f"{_moment(moment)} is over already: name a later time, or leave --at out to publish now."
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


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _state(brief: Brief) -> str:
    """Where a brief stands, and when that changes by itself."""
    planned = f", to be published {_moment(brief.release_at)}" if brief.release_at else ""
    return brief.state.value + planned


def _listed(brief: Brief) -> dict[str, Any]:
    from aggregator.flows.views import brief_json
    from feeds.dates import rfc3339

    return {**brief_json(brief), "release": rfc3339(brief.release_at) if brief.release_at else None}


@briefs.command("reach")
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
        say(f"{one.partner} {state}, by {one.via}, {_moment(one.at)}")
    for name in found.not_yet:
        say(f"{name} may have it and has not fetched it yet")
    if not found.took and not found.not_yet:
        note("No partner has it, and none may have it: `wirebrief partners list` shows what was agreed.")


@briefs.command("correct")
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

    text = _read_brief(file)
    async with known.app() as app:
        brief, act = await correct_brief(app.database, app.clock, name, text, by=editor(), why=why)
        await _tell(app, brief, act)


@briefs.command("withdraw")
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


def link(
    context: typer.Context,
    brief: str = typer.Argument(..., help="A brief's name, or a file: the text form or JSON."),
    stories: Path | None = typer.Option(
        None, metavar="FILE.jsonl", help="Look in this file instead of the archive; needs no database."
    ),
    as_json: bool = JSON,
) -> None:
    """The stories behind each passage of a brief, with the words that say so."""
    run(context, lambda known: _link(known, brief, stories, as_json))


async def _link(known: Context, name: str, stories: Path | None, as_json: bool) -> None:
    from aggregator.flows import link as linking

    if stories is not None:
        encoder = linking.load_encoder(known.settings().link.encoder)
        found = linking.link_files(Path(name), stories, encoder=encoder)
    else:
        async with known.app() as app:
            encoder = linking.load_encoder(app.settings.link.encoder)
            found = await linking.link_stored(app.database, name, encoder=encoder)
    if as_json:
        say_json(found)
        return
    for passage in found["passages"]:
        say(f"{passage['id']}  {passage['text']}")
        for suggestion in passage["suggestions"][:5]:
            shown = dict.fromkeys(f"{r['brief']} ↔ {r['story']}" for r in suggestion["reasons"])
            reasons = ", ".join(list(shown)[:4])
            say(f"   {suggestion['score']:7.2f}  [{suggestion['language']}] {suggestion['title']}")
            say(f"            {suggestion['source']} · {reasons}")
            say(f"            {suggestion['url']}")
        for check in found["checks"]:
            if check["passage"] == passage["id"]:
                say(f"   ! {check['message']}")
        say()


def pick(
    context: typer.Context,
    brief: str = BRIEF,
    passage: str = typer.Argument(..., help="p0 for the title, p1 for the first paragraph, …"),
    story: str = typer.Argument(..., help="A story's number or URL."),
    role: str = typer.Option("source", help="source, background, quote or contradicts."),
    undo: bool = typer.Option(False, "--undo", help="Take the pick back."),
    reject: bool = typer.Option(False, "--reject", help="It does not belong there: suggest it no more."),
) -> None:
    """Take a story for a passage of a brief, or say that it does not belong there."""
    if reject:
        run(context, lambda known: _reject(known, brief, passage, story))
    else:
        run(context, lambda known: _pick(known, brief, passage, story, role, undo))


async def _reject(known: Context, brief: str, passage: str, story: str) -> None:
    from aggregator.flows.editorial import reject_story

    async with known.app() as app:
        found, left = await reject_story(app.database, app.clock, brief, passage, story, by=editor())
    say(f"{found.slug} {passage}: {left.title} does not belong there, and is suggested no more.")


async def _pick(known: Context, brief: str, passage: str, story: str, role: str, undo: bool) -> None:
    from aggregator.flows.editorial import pick_story
    from aggregator.model import Role

    roles = [each.value for each in Role]
    if role not in roles:
        raise typer.BadParameter(f"There is no role {role!r}: write one of {', '.join(roles)}.")
    async with known.app() as app:
        found, taken, changed = await pick_story(
            app.database, app.clock, brief, passage, story, Role(role), by=editor(), undo=undo
        )
    done = "taken back" if undo else f"picked as {role}"
    say(f"{found.slug} {passage}: {taken.title} {done if changed else 'stands as it was'}.")
    if changed and found.state.value == "published":
        note(f"Readers see it after `wirebrief briefs publish {found.slug}`.")


def editor() -> str:
    """Who is at the terminal."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "command line"


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is no text in UTF-8: save it as UTF-8 and import it again.") from error
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.") from error


def _read_brief(file: Path) -> str:
    """The text of a file that holds a brief."""
    from aggregator.rules.briefs import read_brief

    text = _read(file)
    try:
        read_brief(text)
    except BadInput as error:
        raise BadInput(f"{file}: {error}") from error
    return text


def _shape(text: Any) -> dict[str, Any]:
    return {
        "title": text.title,
        "date": text.date.isoformat() if text.date else None,
        "language": text.language,
        "passages": [
            {
                "id": passage.id,
                "label": passage.label,
                "text": passage.text,
                "quotations": [{"text": q.text, "speaker": q.speaker} for q in passage.quotations],
                "links": [{"text": each.text, "url": each.href} for each in passage.links],
            }
            for passage in text.passages
        ],
        "read_more": text.read_more.text if text.read_more else None,
    }
