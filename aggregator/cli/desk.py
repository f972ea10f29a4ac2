"""`briefs`, `link` and `pick`: what editors write, and what they tie it to."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from aggregator.cli.base import JSON, Context, editor, note, run, say, say_json, say_table
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
    texts = [read_brief_file(file) for file in files]
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


def in_utc(moment: datetime) -> str:
    """A time as people at the command line read it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _state(brief: Brief) -> str:
    """Where a brief stands, and when that changes by itself."""
    planned = f", to be published {in_utc(brief.release_at)}" if brief.release_at else ""
    return brief.state.value + planned


def _listed(brief: Brief) -> dict[str, Any]:
    from aggregator.flows.views import brief_json
    from feeds.dates import rfc3339

    return {**brief_json(brief), "release": rfc3339(brief.release_at) if brief.release_at else None}


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


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is no text in UTF-8: save it as UTF-8 and import it again.") from error
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.") from error


def read_brief_file(file: Path) -> str:
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
