"""Where a feed's hubs are (WebSub section 4), and the Link header that says so (RFC 8288)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from feeds.model import Link
from feeds.urls import absolute

_LINK = re.compile(r"[\s,]*<([^>]*)>")
# `;name`, `;name=token` or `;name="quoted \" text"`; what is quoted may hold commas and semicolons.
_PARAMETER = re.compile(r'\s*;\s*([^\s=;,"<>]*)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Hubs:
    """Where to subscribe to a feed."""

    #: What to subscribe to: the feed's own name for itself.
    topic_url: str
    #: Absolute URLs of its hubs, in the publisher's order, each once; at least one.
    hubs: tuple[str, ...]


def discover(links: Iterable[Link], link_header: str | None, *, base_url: str) -> Hubs | None:
    """The hubs of a feed that was fetched from `base_url`; None where it names none.

    `links` are those of the document, `link_header` is the HTTP header, several joined with
    commas. A header that names a hub is the last word (section 4: "stopping at the first
    match"). The topic is the `self` link of the same place, else of the other, else `base_url`.
    """
    said = read_link_header(link_header, base_url=base_url)
    written = tuple(links)
    for here, other in ((said, written), (written, said)):
        hubs = _targets(here, "hub", base_url)
        if hubs:
            # Feeds with a hub and without a self link exist; their address is all that is known.
            own = (*_targets(here, "self", base_url), *_targets(other, "self", base_url), base_url)
            return Hubs(own[0], hubs)
    return None


def read_link_header(header: str | None, *, base_url: str) -> tuple[Link, ...]:
    """The links of an HTTP Link header, one for every relation, targets absolute (RFC 8288 section 3).

    Left out: links with another context (`anchor`), without relation, and not of http or https.
    Reading ends where the header is no list of links any more; what came before is kept.
    """
    return tuple(_links(header or "", base_url))


def _links(header: str, base_url: str) -> Iterator[Link]:
    at = 0
    while found := _LINK.match(header, at):
        parameters, at = _parameters(header, found.end())
        href = absolute(found[1].strip() or base_url, base_url)
        if href is None or not _is_about(base_url, parameters.get("anchor")):
            continue
        for rel in parameters.get("rel", "").split():
            yield Link(
                href,
                rel.lower(),
                type=parameters.get("type"),
                hreflang=parameters.get("hreflang"),
                title=parameters.get("title"),
            )


def _parameters(header: str, at: int) -> tuple[dict[str, str], int]:
    """The parameters of a link by name in lower case, and where they end."""
    parameters: dict[str, str] = {}
    while found := _PARAMETER.match(header, at):
        quoted, token = found[2], found[3]
        value = _ESCAPED.sub(r"\1", quoted) if quoted is not None else token or ""
        # Of a parameter given twice only the first counts (RFC 8288 section 3.3).
        parameters.setdefault(found[1].lower(), value)
        at = found.end()
    return parameters, at


def _is_about(base_url: str, anchor: str | None) -> bool:
    """Whether a link is one of this document, and not of another (RFC 8288 section 3.2)."""
    return not anchor or absolute(anchor, base_url) == absolute(base_url)


def _targets(links: Iterable[Link], rel: str, base_url: str) -> tuple[str, ...]:
    targets = (absolute(link.href, base_url) for link in links if link.rel.lower() == rel)
    return tuple(dict.fromkeys(target for target in targets if target))
