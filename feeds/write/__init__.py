"""Writing feeds: `render` turns the values of `feeds.model` into a document that is served as it is.

Formats stand in one table. `feeds.write.atom` also offers its halves, `entry_fragment` and
`assemble`, so that a publisher keeps the entries it wrote and only joins them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

from feeds.errors import RenderError
from feeds.model import Document, Feed
from feeds.write import atom

Format = Literal["atom"]

_RENDERERS: Mapping[str, Callable[[Feed], Document]] = MappingProxyType(
    {
        "atom": atom.render,
    }
)


def render(feed: Feed, format: Format = "atom") -> Document:
    """The document of a feed; the same feed always gives the same bytes.

    Raises:
        RenderError: the format is unknown, or the feed lacks what the format cannot do without.
    """
    writer = _RENDERERS.get(format)
    if writer is None:
        raise RenderError(f"No feed is written as {format!r}: ask for one of {', '.join(_RENDERERS)}")
    return writer(feed)
