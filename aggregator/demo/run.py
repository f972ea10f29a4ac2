"""The main job from end to end on one machine: wire feeds in, one combined Atom feed out."""

from __future__ import annotations

import contextlib
import secrets
import socket
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from aggregator.app import App, opened
from aggregator.demo.wire import demo_briefs, demo_feeds, demo_picks, make_wire
from aggregator.flows.editorial import import_brief, pick_story, publish_brief
from aggregator.flows.export import export_channels
from aggregator.flows.link import link_stored
from aggregator.model import Role, SourceDraft
from aggregator.rules.checks import CONFLICTS
from aggregator.serving import listen, serve_app, served
from aggregator.settings import Settings, example, load
from aggregator.store.topics import standings

HOST = "127.0.0.1"
EDITOR = "demo"

Say = Callable[[str], None]


async def run_demo(*, once: bool, out: Path | None, port: int, say: Say, note: Say) -> None:
    """Go through everything once; then, unless `once`, serve the pages until Ctrl-C.

    Raises:
        AggregatorError: a port is taken, or `out` cannot be written.
    """
    with contextlib.ExitStack() as stack:
        # Both ports are taken before anything starts: a busy one is known at once.
        pages = stack.enter_context(contextlib.closing(listen(HOST, port)))
        wire = stack.enter_context(contextlib.closing(listen(HOST, port + 1 if port else 0)))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wirebrief-demo-")))
        settings = _settings(folder, pages_url=_url(pages), wire_url=_url(wire))
        async with served(make_wire(_url(wire)), wire), opened(settings) as app:
            await _go_through(app, _url(wire), say)
            await _write(app, out, say)
            if not once:
                say(f"\nLook at it: {_url(pages)}   (the wire itself: {_url(wire)})")
                password = secrets.token_urlsafe(12)
                await app.add_account(EDITOR, "admin", password)
                say(f"The desk: {_url(pages)}/desk/sign-in   name: {EDITOR}   password: {password}")
                note("Ctrl-C ends it; nothing of the demo stays on this machine.")
                # What is decided at its desk is published, as in a newsroom.
                await serve_app(app, pages, with_schedule=True)


def _settings(folder: Path, *, pages_url: str, wire_url: str) -> Settings:
    """The shipped settings, with the demo's own wire in the place of the world's."""
    shipped = load(example(), {})
    feeds = [
        SourceDraft(f"{wire_url}/{outlet.slug}/feed", title=outlet.name, language=outlet.language)
        for outlet in demo_feeds()
    ]
    return replace(
        shipped,
        database=f"sqlite:///{folder / 'demo.db'}",
        site=replace(shipped.site, title="wirebrief demo", url=pages_url),
        fetch=replace(shipped.fetch, private_networks=True, per_host=8),
        sources=tuple(feeds),
    )


async def _go_through(app: App, wire_url: str, say: Say) -> None:
    outlets = demo_feeds()
    languages = len({outlet.language.partition("-")[0] for outlet in outlets})
    say(f"1. A small wire at {wire_url}: {len(outlets)} feeds in {languages} languages.")
    found = await app.poll()
    say(f"2. Polled: {found.new} stories from {found.sources} feeds in {found.seconds:.1f} s.")
    again = await app.poll()
    say(f"   Polled again: {again.unchanged} of {again.sources} feeds unchanged, {again.new} new stories.")
    await _tell_topics(app, say)
    slugs = await _bring_briefs(app, say)
    await _tell_suggestions(app, next(iter(slugs.values())), say)
    await _pick_and_publish(app, slugs, wire_url, say)


async def _tell_topics(app: App, say: Say) -> None:
    topics = await app.database.read(standings)
    say("3. Matched: " + ", ".join(f"{topic.title} {topic.stories}" for topic in topics) + " stories.")


async def _bring_briefs(app: App, say: Say) -> dict[str, str]:
    """Import the sample briefs; their names here by their names in the data."""
    slugs = {}
    for name, text in demo_briefs():
        done = await import_brief(app.database, app.clock, text, by=EDITOR, slug=name.replace(".", "-"))
        slugs[name] = done.slug
        say(f"4. Brief ({done.text.language}): {done.text.title}")
    return slugs


async def _tell_suggestions(app: App, brief: str, say: Say) -> None:
    found = await link_stored(app.database, brief)
    passage = next(p for p in found["passages"] if p["id"] != "p0" and p["suggestions"])
    say(f"5. Suggested for “{passage['text'][:70]}…”:")
    for suggestion in passage["suggestions"][:3]:
        shown = dict.fromkeys(f"{r['brief']} ↔ {r['story']}" for r in suggestion["reasons"])
        reasons = ", ".join(list(shown)[:3])
        say(f"   [{suggestion['language']}] {suggestion['title']}\n        because {reasons}")
    _tell_checks(found, say)


def _tell_checks(found: dict[str, Any], say: Say) -> None:
    conflicts = [check for check in found["checks"] if check["kind"] in CONFLICTS]
    say(f"   Checked against the wire: {len(conflicts)} places where it disagrees.")
    for check in conflicts:
        say(f"   ! {check['passage']}: {check['message']}")


async def _pick_and_publish(app: App, slugs: dict[str, str], wire_url: str, say: Say) -> None:
    picks: Counter[str] = Counter()
    for pick in demo_picks():
        story = f"{wire_url}/{pick.story}"
        await pick_story(
            app.database, app.clock, slugs[pick.brief], pick.passage, story, Role(pick.role), by=EDITOR
        )
        picks[pick.brief] += 1
    for name, slug in slugs.items():
        await publish_brief(app.database, app.clock, slug, by=EDITOR)
        say(f"6. Published {slug} with {picks[name]} picks.")
    rendered = await app.digest()
    for each in rendered:
        say(f"7. Channel {each.channel}: {each.entries} entries.")


async def _write(app: App, out: Path | None, say: Say) -> None:
    if out is not None:
        channels = (await app.catalogue()).channels
        public = [channel.slug for channel in channels if channel.is_public]
        for file in await export_channels(app.database, out, public=public):
            say(f"   {file}: {file.stat().st_size:,} bytes")


def _url(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}"
