"""What pages and the API are handed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.requests import Request

from aggregator.flows.catalogue import Catalogue, Keeper
from aggregator.flows.ingest import FetchSettings
from aggregator.flows.looking import Looker
from aggregator.flows.oidc_provider import Provider
from aggregator.flows.passwords import Passwords
from aggregator.flows.push import PushSettings
from aggregator.flows.upkeep import KeepSettings
from aggregator.model import Clock
from aggregator.rules.channels import Channel, Site
from aggregator.rules.topics import CompiledTopic
from aggregator.store.database import Database
from aggregator.web.answers import Resource
from aggregator.web.keys import Meter
from aggregator.web.settings import ServeSettings

Stamps = dict[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Service:
    """What every document, every page and every call of the API is handed."""

    database: Database
    clock: Clock
    site: Site
    serve: ServeSettings
    #: Knows the topics and channels that hold.
    keeper: Keeper
    push: PushSettings
    meter: Meter
    #: Pages that show channels, by path, with what they were made under: the newest definition and
    #: the documents' ETags.
    pages: dict[str, tuple[tuple[int, Stamps], Resource]] = field(default_factory=dict)
    #: Makes and compares what is kept of passwords.
    passwords: Passwords = field(default_factory=Passwords)
    #: When a source counts as silent.
    keep: KeepSettings = field(default_factory=KeepSettings)
    #: Looks at addresses for editors; by default it reaches no private network.
    looker: Looker = field(default_factory=lambda: Looker.of(FetchSettings()))
    #: Who else says who somebody is; None where the settings name nobody.
    oidc: Provider | None = None
    #: Makes a job of this process run soon, by its name; nothing happens where the process has no jobs.
    soon: Callable[[str], None] = lambda _: None

    @property
    def catalogue(self) -> Catalogue:
        """The topics and channels that hold, as fresh as a second ago."""
        return self.keeper.held

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels, in the order of the settings, then those made at the desk."""
        return self.catalogue.channels

    @property
    def topics(self) -> Mapping[str, CompiledTopic]:
        """The topics by slug, in the same order."""
        return self.catalogue.topics

    @property
    def hubs(self) -> tuple[str, ...]:
        """The addresses of the hubs that documents name."""
        return self.push.advertised(self.site)

    @property
    def public(self) -> tuple[Channel, ...]:
        """The channels that anybody may read."""
        return tuple(channel for channel in self.channels if channel.is_public)

    @property
    def base(self) -> str:
        """What stands before every path of ours: "" unless the site lives below another one."""
        return urlsplit(self.site.url).path.rstrip("/")


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service = request.app.state.service
    assert isinstance(service, Service)  # noqa: S101 - put there by `make_service`
    return service
