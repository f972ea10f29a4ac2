"""A newsroom with a web service, as the tests of this room set it up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
from argon2 import PasswordHasher
from sqlalchemy import text
from starlette.types import ASGIApp

from aggregator.flows import editorial, topics
from aggregator.flows.catalogue import Declared, catalogue_now
from aggregator.flows.ingest import FetchSettings
from aggregator.flows.oidc_provider import OidcSettings
from aggregator.flows.partners import key_digest
from aggregator.flows.passwords import Passwords
from aggregator.flows.publish import Rendered, publish_channels
from aggregator.flows.push import PushSettings
from aggregator.model import Role
from aggregator.rules.channels import Channel, Site
from aggregator.rules.topics import Topic
from aggregator.store import api_keys
from aggregator.store.database import Database
from aggregator.web.service import make_service
from aggregator.web.settings import ServeSettings
from tests.conftest import NOW, Clock

SITE = Site(
    title="The Harbour Desk", url="https://harbour.example", author="The foreign desk", rights="© Harbour"
)
TALKS = Topic(
    "talks", "Ukraine talks", any=("riyadh OR riyad",), none=("football",), description="In Riyadh."
)
ALL = Channel("all", "Everything", description="All that we publish.")
BRIEFS = Channel("briefs", "Only briefs", carries=("briefs",), language="fr")

BRIEF = """Talks open in Riyadh without Kyiv

2025-02-18

American and Russian officials met on Tuesday in Saudi Arabia to talk about the war in Ukraine.

Background: Nobody had met at this level since [February 2022](https://archive.example/2022).

Read more: [The resolution](https://undocs.example/68)
"""


def quick_passwords() -> Passwords:
    """As passwords are kept, at less than a thousandth of the cost."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@dataclass(slots=True)
class Newsroom:
    """A database with a web service in front of it, on one clock."""

    database: Database
    clock: Clock
    channels: Sequence[Channel] = (ALL, BRIEFS)
    topics: Sequence[Topic] = (TALKS,)
    serve: ServeSettings = field(default_factory=ServeSettings)
    site: Site = SITE
    push: PushSettings = field(default_factory=PushSettings)
    fetch: FetchSettings | None = None
    soon: Callable[[str], None] | None = None
    passwords: Passwords = field(default_factory=quick_passwords)
    oidc: OidcSettings | None = None

    @property
    def hubs(self) -> tuple[str, ...]:
        """The hubs that documents name."""
        return self.push.advertised(self.site)

    def service(self) -> ASGIApp:
        """The ASGI application."""
        return make_service(
            self.database,
            self.clock,
            self.site,
            self.serve,
            self.channels,
            self.topics,
            self.push,
            fetch=self.fetch,
            soon=self.soon,
            passwords=self.passwords,
            sign_in=self.oidc,
        )

    def client(self) -> httpx.AsyncClient:
        """Whoever reads us; what fails in the service is an answer, as it is over a real connection."""
        transport = httpx.ASGITransport(self.service(), raise_app_exceptions=False)
        # Asks for no coding unless a test does.
        return httpx.AsyncClient(
            transport=transport, base_url=self.site.url, headers={"accept-encoding": "identity"}
        )

    async def key(self, key: str = "ada-s-key", role: str = "editor") -> None:
        """A program holds a key of the API."""
        digest = key_digest(key)
        about = {"hint": key[:8], "by": "ada", "now": NOW, "expires_at": None}
        await self.database.write(lambda s: api_keys.add(s, f"cms-{role}", role, digest, **about))

    async def render(self) -> list[Rendered]:
        """Let a second pass, decide the topics and render what is stale."""
        self.clock.move(timedelta(seconds=2))
        declared = Declared(self.topics, self.channels)
        held = await self.database.read(lambda session: catalogue_now(session, declared))
        await topics.match_topics(self.database, held.plain_topics)
        return await publish_channels(
            self.database, self.clock, self.site, held.channels, held.plain_topics, hubs=self.hubs
        )

    async def brief(self, written: str = BRIEF, slug: str = "riyadh") -> str:
        """A brief that Ada wrote; its slug."""
        return (await editorial.import_brief(self.database, self.clock, written, by="ada", slug=slug)).slug

    async def pick(
        self, story: int, passage: str = "p1", role: Role = Role.SOURCE, slug: str = "riyadh"
    ) -> None:
        """Ada takes a story for a passage."""
        await editorial.pick_story(self.database, self.clock, slug, passage, str(story), role, by="ada")

    async def publish(self, slug: str = "riyadh") -> None:
        """Ada publishes a brief, and its channels follow."""
        await editorial.publish_brief(self.database, self.clock, slug, by="ada")
        await self.render()

    async def withdraw(self, slug: str = "riyadh", why: str = "It was wrong.") -> None:
        """Ada takes a brief back, and its channels follow."""
        await editorial.withdraw_brief(self.database, self.clock, slug, by="ada", why=why)
        await self.render()


@contextmanager
def lost(database: Database, table: str) -> Iterator[None]:
    """A database whose table cannot be found, as long as this lasts."""
    database.write_now(lambda session: session.execute(text(f"ALTER TABLE {table} RENAME TO lost")))
    yield
    database.write_now(lambda session: session.execute(text(f"ALTER TABLE lost RENAME TO {table}")))


async def raw(client: httpx.AsyncClient, url: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """A GET and the bytes as they came, whatever their coding."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.stream("GET", url, headers=named) as response:
        return response, b"".join([chunk async for chunk in response.aiter_raw()])
