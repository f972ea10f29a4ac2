"""`stories` and `topics`: what came in, and what an editor follows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import typer

from aggregator.cli.base import JSON, Context, note, run, say, say_json, say_table
from aggregator.errors import BadInput

topics = typer.Typer(help="What editors follow: list, test.", no_args_is_help=True)


def register(cli: typer.Typer) -> None:
    """Add these verbs to the command."""
    cli.command()(stories)
    cli.add_typer(topics, name="topics")


def stories(
    context: typer.Context,
    query: list[str] = typer.Argument(None, help='Words, "a phrase", OR, -without, begin*.'),
    topic: str | None = typer.Option(None, help="Only those in this topic."),
    language: str | None = typer.Option(None, help="Only those in this language (fr, uk, …)."),
    since: str | None = typer.Option(None, help="A date or time (2025-02-18), or a span (24h, 7d)."),
    limit: int = typer.Option(20, help="How many; 0 for all."),
    as_json: bool = JSON,
) -> None:
    """Stories on the wire, newest first. Case and accents do not matter in a query."""
    run(context, lambda known: _stories(known, " ".join(query or []), topic, language, since, limit, as_json))


async def _stories(
    known: Context,
    query: str,
    topic: str | None,
    language: str | None,
    since: str | None,
    limit: int,
    as_json: bool,
) -> None:
    from aggregator.flows.views import stories_json
    from aggregator.language.query import parse_query
    from aggregator.store import stories as stored

    try:
        parsed = parse_query(query) if query.strip() else None
    except BadInput as error:
        raise typer.BadParameter(str(error)) from error
    async with known.app() as app:
        _require_topic(topic, list((await app.catalogue()).topics))
        moment = read_since(since, app.clock())
        found = await app.database.read(
            lambda session: stored.find(
                session, parsed, topic=topic, language=language, since=moment, limit=limit or None
            )
        )
        rows = await app.database.read(lambda session: stories_json(session, found)) if as_json else []
    if as_json:
        for row in rows:
            say_json(row)
        return
    say_table(
        ("No.", "Time", "Lang.", "Source", "Title"),
        (
            (s.id, f"{s.published or s.first_seen:%Y-%m-%d %H:%M}", s.language or "", s.source_name, s.title)
            for s in found
        ),
        empty="No story meets this.",
    )


@topics.command("list")
def list_(context: typer.Context, as_json: bool = JSON) -> None:
    """Every topic, with how many stories it holds."""
    run(context, lambda known: _list(known, as_json))


async def _list(known: Context, as_json: bool) -> None:
    from aggregator.flows.topics import match_topics
    from aggregator.store.topics import standings

    async with known.app() as app:
        await match_topics(app.database, (await app.catalogue()).plain_topics)
        found = await app.database.read(standings)
    if as_json:
        for topic in found:
            say_json({"slug": topic.slug, "title": topic.title, "stories": topic.stories})
        return
    say_table(
        ("Topic", "Title", "Stories"),
        ((topic.slug, topic.title, topic.stories) for topic in found),
        empty="No topic is defined: write a [topics.NAME] into config.toml, or make one at the desk.",
    )


@topics.command("test")
def try_(
    context: typer.Context,
    topic: str = typer.Argument(..., help="Its name, in config.toml or at the desk."),
    days: int = typer.Option(30, help="Over the stories of so many days."),
    as_json: bool = JSON,
) -> None:
    """What a topic takes, and why; and what it misses by one part, and why not."""
    run(context, lambda known: _test(known, topic, days, as_json))


async def _test(known: Context, slug: str, days: int, as_json: bool) -> None:
    from aggregator.flows.topics import try_topic

    async with known.app() as app:
        known_topics = (await app.catalogue()).topics
        _require_topic(slug, list(known_topics))
        topic = known_topics[slug].topic
        trial = await try_topic(app.database, app.clock, topic, timedelta(days=days))
    if as_json:
        for story, verdict in trial.taken + trial.near:
            say_json({"id": story.story_id, "title": story.title, "in": verdict.is_in, "why": verdict.why})
        return
    for story, verdict in trial.taken:
        say(f"+ {story.title}\n    {verdict.why}")
    if trial.near:
        say("\nNearly, but not:")
    for story, verdict in trial.near[:20]:
        say(f"- {story.title}\n    {verdict.why}")
    note(f"\n{len(trial.taken)} of {trial.read} stories are in; {len(trial.near)} miss it by one part.")


def _require_topic(slug: str | None, known: list[str]) -> None:
    if slug is not None and slug not in known:
        names = ", ".join(known) or "none is defined yet"
        raise BadInput(f"There is no topic {slug!r}. There is: {names}.")


def read_since(written: str | None, now: datetime) -> datetime | None:
    """The moment that `--since` names; None where nothing is written.

    Raises:
        BadParameter: it is no time.
    """
    from aggregator.written import read_duration

    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written.replace("Z", "+00:00"))
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        return now - timedelta(seconds=read_duration(written).total_seconds())
    except ValueError as error:
        raise typer.BadParameter(
            f"--since {written!r} is no time: write 2025-02-18, 2025-02-18T09:00 or 24h."
        ) from error
