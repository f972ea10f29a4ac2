"""Briefs as an editor of these tests writes them."""

from __future__ import annotations

from aggregator.flows.editorial import import_brief, pick_story, publish_brief
from aggregator.model import Act, Brief, Role
from aggregator.store import briefs
from tests.flows.wire import Desk

TEXT = """Talks open in Riyadh without Kyiv

2025-02-18

The American and Russian delegations sat down on Tuesday to talk about the end of the war.

Situation: nobody from Ukraine was asked to come, and Europe watched from Paris.
"""
SLUG = "2025-02-18-talks-open-in-riyadh-without-kyiv"


async def write(desk: Desk, text: str = TEXT) -> str:
    """Import a brief; its slug."""
    return (await import_brief(desk.database, desk.clock, text, by="ada")).slug


async def pick(
    desk: Desk, story: str, *, passage: str = "p1", role: Role = Role.SOURCE, undo: bool = False
) -> bool:
    """Pick a story for a passage of the brief; whether that changed anything."""
    _, _, changed = await pick_story(
        desk.database, desk.clock, SLUG, passage, story, role, by="ada", undo=undo
    )
    return changed


async def release(desk: Desk) -> Act | None:
    """Publish the brief."""
    return (await publish_brief(desk.database, desk.clock, SLUG, by="ada"))[1]


def brief(desk: Desk, slug: str = SLUG) -> Brief:
    """The brief as it stands."""
    found = desk.database.read_now(lambda s: briefs.named(s, slug))
    assert found is not None
    return found
