"""What pages and the API are handed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.requests import Request

from aggregator.flows.push import PushSettings
from aggregator.model import Account, Clock
from aggregator.rules.channels import Channel, Site
from aggregator.rules.topics import CompiledTopic
from aggregator.store.database import Database
from aggregator.web.answers import Resource
from aggregator.web.keys import Meter
from aggregator.web.settings import ServeSettings

Stamps = dict[tuple[str, str], str]

#: Says whose a key is.
Holder = Callable[[str], Awaitable[Account | None]]


@dataclass(frozen=True, slots=True)
class Service:
    """What every document, every page and every call of the API is handed."""

    database: Database
    clock: Clock
    site: Site
    serve: ServeSettings
    channels: Sequence[Channel]
    #: By slug, in the order of the settings.
    topics: Mapping[str, CompiledTopic]
    #: Whose key this is.
    holder: Holder
    push: PushSettings
    meter: Meter
    #: Pages that show channels, by path, with the documents' ETags that they were made under.
    pages: dict[str, tuple[Stamps, Resource]] = field(default_factory=dict)

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
