"""A history of a desk, the same each time: run as a program it prints a digest of all that it published."""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys
from datetime import timedelta

from aggregator.flows.editorial import (
    correct_brief,
    import_brief,
    pick_story,
    publish_brief,
    withdraw_brief,
)
from aggregator.flows.publish import publish_channels
from aggregator.flows.topics import match_topics
from aggregator.rules.channels import Channel
from aggregator.store import documents, fetches, stories
from aggregator.store.database import Database
from aggregator.store.schema import prepare
from tests.conftest import Clock
from tests.flows.wire import SITE, TALKS
from tests.store.newsroom import follow, heard, says

CHANNELS = (
    Channel("wire", "The wire", entries=15),
    Channel("talks", "Talks", topics=("talks",), entries=10, language="fr"),
    Channel("briefs", "Briefs", carries=("briefs",)),
)
ROUNDS = 15


async def lives(database: Database) -> str:
    """Let a desk live through its history; a digest of every document and archive page."""
    dice, clock = random.Random(5), Clock()
    feeds = follow(database, "https://a.example/feed", "https://b.example/feed", title="A wire")
    slugs: list[str] = []
    for number in range(ROUNDS):
        at = clock.move(timedelta(minutes=7))
        reports = []
        for feed in feeds:
            drafts = [
                says(
                    f"{feed}-{dice.randrange(60)}",
                    f"Talks, round {number}, « {dice.randrange(9)} »",
                    summary="Переговори тривають." if dice.random() < 0.3 else "They met.",
                    published=at.replace(second=0) - timedelta(minutes=dice.randrange(4)),
                    language=dice.choice(["en", "uk", "ar", None]),
                )
                for _ in range(dice.randrange(1, 7))
            ]
            reports.append(heard(feed, *{draft.key: draft for draft in drafts}.values(), at=at))
        await database.write(lambda s, reports=reports: fetches.record(s, reports))  # type: ignore[misc]
        await decides(database, clock, slugs, number, dice)
        clock.move(timedelta(seconds=1))
        await match_topics(database, [TALKS])
        await publish_channels(database, clock, SITE, CHANNELS, [TALKS], hubs=[SITE.page("hub")])
    return await database.read(digest)


async def decides(
    database: Database, clock: Clock, slugs: list[str], number: int, dice: random.Random
) -> None:
    """An editor writes, corrects, withdraws."""
    text = f"Talks, part {number}\n\n2025-02-18\n\nThey met for the {number}th time and agreed on nothing.\n"
    if number % 3 == 0:
        slug = f"part-{number}"
        await import_brief(database, clock, text, by="ada", slug=slug)
        newest = await database.read(lambda s: stories.find(s, limit=1))
        await pick_story(database, clock, slug, "p1", str(newest[0].id), by="ada")
        await publish_brief(database, clock, slug, by="ada")
        slugs.append(slug)
    elif number % 5 == 0:
        await correct_brief(database, clock, dice.choice(slugs), text, by="ada", why="It was otherwise.")
    elif number % 7 == 0:
        await withdraw_brief(database, clock, slugs.pop(), by="ada", why="It was not so.")


def digest(session: object) -> str:
    """A digest of every byte that is served."""
    found = hashlib.sha256()
    for document in documents.all_documents(session):  # type: ignore[arg-type]
        name = f"{document.channel}.{document.format} {document.etag} {document.last_modified}"
        for part in (name.encode(), *_parts(document.codings)):
            found.update(part)
    for page in documents.archive(session):  # type: ignore[arg-type]
        for part in (page.name.encode(), *_parts(page.codings)):
            found.update(part)
    return found.hexdigest()


def _parts(codings: object) -> list[bytes]:
    return [getattr(codings, name) for name in ("body", "gzip", "br", "zstd")]


def main() -> None:
    """Live in the database that is named, and say the digest."""
    with Database(sys.argv[1]) as database:
        prepare(database)
        sys.stdout.write(asyncio.run(lives(database)))


if __name__ == "__main__":
    main()
