"""The channels at the desk: how each one stands, what changes next and why, and whom it reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from urllib.parse import quote

from fastapi import APIRouter, HTTPException
from starlette.responses import RedirectResponse, Response

from aggregator.errors import BadInput
from aggregator.flows import channel_view
from aggregator.flows.channel_view import SubscriberSeen
from aggregator.flows.channels import Answer, Difference, Step, explain, in_short, preview
from aggregator.flows.plans import Press
from aggregator.outgoing import Carried, Told
from aggregator.rules.channels import FORMATS, Channel
from aggregator.web.context import Service
from aggregator.web.desk.frame import Here, Who, reading_of, render_desk
from aggregator.web.locales import N_
from aggregator.web.shown import direction

router = APIRouter(prefix="/desk/channels", include_in_schema=False)

#: What the next rendering does to an entry, and what that is called.
STEPS = {
    "comes": N_("comes in"),
    "changes": N_("changes"),
    "withdrawn": N_("is withdrawn"),
    "goes": N_("goes out"),
}
#: The parts of an entry, as an editor calls them.
PARTS = {
    "id": N_("id"),
    "title": N_("title"),
    "links": N_("links"),
    "summary": N_("summary"),
    "content": N_("text"),
    "published": N_("published"),
    "updated": N_("updated"),
    "authors": N_("authors"),
    "contributors": N_("contributors"),
    "categories": N_("topics and keywords"),
    "language": N_("language"),
    "origin": N_("source"),
    "enclosures": N_("pictures and sound"),
    "rights": N_("rights"),
    "note": N_("note to readers"),
    "is_withdrawn": N_("withdrawn"),
}
#: Formats as people call them.
NAMES = {"atom": "Atom", "rss": "RSS", "json": "JSON Feed", "ninjs": "ninjs"}

#: Steps and entries that are shown at once; the others are folded away.
SHOWN = 20
#: Characters of a changed part that are shown of each state.
SHORT = 160

#: A public service that reads a feed as strict programs do, by its address.
_VALIDATOR = "https://validator.w3.org/feed/check.cgi?url="


@dataclass(frozen=True, slots=True)
class Address:
    """Where a channel is read in a format."""

    name: str
    url: str
    #: Where it can be checked; None where no stranger may read it, or no validator knows the format.
    check: str | None


@dataclass(frozen=True, slots=True)
class StepShown:
    """What the next rendering does to one entry, with the parts that change: (part, old, new)."""

    step: Step
    differences: tuple[tuple[str, str, str], ...]


@router.get("")
async def all_channels(service: Here, who: Who) -> Response:
    """Every channel in a row."""
    look = partial(channel_view.all_channels, channels=service.channels, now=service.clock())
    rows = await service.database.read(look)
    addresses = {row.channel.slug: service.site.page(row.channel.path) for row in rows}
    about = {"rows": rows, "addresses": addresses, "names": NAMES}
    return render_desk(service, who, "channels.html", here="channels", **about)


@router.get("/{slug}")
async def one_channel(slug: str, service: Here, who: Who, what: str | None = None) -> Response:
    """A channel: what changes next, why something is in it or not, and whom it reaches."""
    channel = _named(service, slug)
    if channel.slug != slug:
        where = f"{service.base}/desk/channels/{channel.slug}"
        return RedirectResponse(where, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
    now, press = service.clock(), press_of(service)
    seen = await service.database.read(partial(channel_view.one_channel, channel=channel, now=now))
    next = await service.database.read(partial(preview, channel=channel, press=press, now=now))
    answers, problem = await _why(service, channel, press, what)
    if problem:
        problem = reading_of(who).say(problem, what=(what or "").strip())
    steps = [_step(step) for step in next.steps if step.what != "passes"]
    return render_desk(
        service,
        who,
        "channel.html",
        400 if problem else 200,
        here="channels",
        channel=channel,
        seen=seen,
        next=next,
        steps=steps,
        passing=sum(step.what == "passes" for step in next.steps),
        what=what or "",
        answers=answers,
        problem=problem,
        addresses=_addresses(service, channel),
        topics={slug: compiled.topic.title for slug, compiled in service.topics.items()},
        page_of=partial(_page_of, service),
        step_names=STEPS,
        parts_of=PARTS,
        names=NAMES,
        shown=SHOWN,
        state_of=state_of,
        direction=direction,
        is_withdrawn=lambda row: row.told is Told.WITHDRAWN,
    )


def press_of(service: Service) -> Press:
    """What channels are rendered with."""
    return Press(service.site, service.topics, service.hubs)


def state_of(seen: SubscriberSeen) -> str:
    """Where a subscriber stands, in a word or two."""
    if seen.subscriber.failing_since is not None:
        return N_("failing")
    return N_("has the newest") if seen.is_current else N_("is given it next")


def _named(service: Service, slug: str) -> Channel:
    for channel in service.channels:
        if slug == channel.slug:
            return channel
    for channel in service.channels:
        if slug in channel.formerly:
            return channel
    raise HTTPException(HTTPStatus.NOT_FOUND)


async def _why(
    service: Service, channel: Channel, press: Press, what: str | None
) -> tuple[Sequence[Answer], str]:
    """The answers to what was asked, or what is wrong with the question."""
    if what is None:
        return (), ""
    if not what.strip():
        return (), N_("Name a story or a brief: its number or its address.")
    ask = partial(explain, channel=channel, press=press, what=what.strip(), now=service.clock())
    try:
        return await service.database.read(ask), ""
    except BadInput:
        return (), N_("There is no story and no brief “%(what)s”. Give a number, an address or an entry id.")


def _step(step: Step) -> StepShown:
    return StepShown(
        step, tuple((one.part, *in_short(one, SHORT)) for one in step.differences if _is_told(one))
    )


def _is_told(difference: Difference) -> bool:
    """Whether a person wants to read it: the count and the second follow from every change."""
    return difference.part not in ("revision", "updated")


def _addresses(service: Service, channel: Channel) -> list[Address]:
    found = []
    for format in FORMATS:
        url = service.site.page(channel.path_as(format))
        is_checked = channel.is_public and format in ("atom", "rss")
        found.append(Address(NAMES[format], url, _VALIDATOR + quote(url, safe="") if is_checked else None))
    return found


def _page_of(service: Service, row: Carried) -> str | None:
    """Where an editor looks at what a row stands for."""
    pages = service.site.page("briefs/")
    if row.kind == "brief" and row.entry.url is not None and row.entry.url.startswith(pages):
        return f"{service.base}/desk/briefs/{row.entry.url.removeprefix(pages)}"
    return row.entry.url
