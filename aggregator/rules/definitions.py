"""What a topic and a channel must be before they can be used, wherever they were defined.

The settings and the desk ask the same; each names the parts in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator

from aggregator.errors import BadInput
from aggregator.language.query import parse_query
from aggregator.rules.channels import Channel

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

#: Gives the words for a part of a channel: "channels.wire.entries" in a file, "entries" on a page.
Naming = Callable[[str], str]


def channel_faults(
    channel: Channel, *, among: Collection[str], topics: Collection[str], named: Naming, no_topic: str
) -> Iterator[str]:
    """What of a channel cannot be used, each as a sentence that says what to write instead.

    `among` are the names of all channels, `topics` of all topics; `no_topic` says of a {name} that
    there is no such topic.
    """
    try:
        if channel.query:
            parse_query(channel.query)
    except BadInput as error:
        yield f"{named('query')}: {error}"
    for taken in (name for name in channel.formerly if name in among):
        yield f"{named('formerly')} names {taken!r}, but there is a channel of that name."
    for missing in sorted(set(channel.topics) - set(topics)):
        yield f"{named('topics')} names {missing!r}, but there is {no_topic.format(name=missing)}."
    for part, value, is_usable, wanted in _demands(channel):
        if not is_usable:
            yield f"{named(part)} = {value!r} cannot be used: write {wanted}."


def former_name(slug: str, channels: Iterable[Channel]) -> Channel | None:
    """The channel that had this name before: whoever asks for the name is sent to it."""
    return next((one for one in channels if slug in one.formerly), None)


def _demands(channel: Channel) -> Iterator[tuple[str, object, bool, str]]:
    """Part, value, whether it can be used, and what to write instead."""
    is_slug = SLUG.fullmatch(channel.slug) is not None
    yield "", channel.slug, is_slug, "its name in small letters, digits and hyphens"
    yield "entries", channel.entries, channel.entries > 0, "1 or more"
    yield "body_bytes", channel.body_bytes, channel.body_bytes > 0, "1 or more"
    for name in channel.formerly:
        yield "formerly", name, SLUG.fullmatch(name) is not None, "names that it had, as above"
