"""Settings of the web server."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from aggregator.written import Duration


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Where and how the service is served."""

    #: The address to listen on; 0.0.0.0 for all.
    host: str = "127.0.0.1"
    port: int = 8000
    #: How long a subscriber may keep a channel before asking again.
    max_age: Duration = field(default=timedelta(seconds=60))
    #: Whether everybody may see which sources are followed, at /sources.opml.
    opml: bool = True


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Who may read `/metrics`, and where processes without pages answer it."""

    #: Whoever sends it as a Bearer token may read the figures; "" lets only this machine.
    token: str = ""
    #: Where `wirebrief worker` and `wirebrief schedule` answer; port 0: nowhere.
    host: str = "127.0.0.1"
    port: int = 0
