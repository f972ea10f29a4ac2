"""The chief's page: what is open, what went out and goes out next, which feeds ail, how fast the desk is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from http import HTTPStatus
from itertools import pairwise

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from aggregator.flows import today as flow
from aggregator.model import Source
from aggregator.web.desk import plots, shown, source_words
from aggregator.web.desk.frame import Here, Who, is_chief, reading_of, render_desk
from aggregator.web.locales import N_, Reading
from feeds.urls import host_of

router = APIRouter(prefix="/desk", include_in_schema=False)


#: Languages that have a bar of their own.
MOST_LANGUAGES = 12


@dataclass(frozen=True, slots=True)
class WaitShown:
    """A wait that was measured, in words."""

    wait: flow.Wait
    name: str
    half: str
    most: str
    #: From when to when, and of which stories.
    means: str


@router.get("")
async def start(service: Here, who: Who) -> Response:
    """Where somebody begins: a chief with the day, everybody else with the wire."""
    place = "today" if is_chief(who) else "wire"
    where = f"{service.base}/desk/{place}"
    return RedirectResponse(where, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})


@router.get("/today")
async def today(service: Here, who: Who) -> Response:
    """The newsroom now."""
    now, reading = service.clock(), reading_of(who)
    edges = hours(now, reading.zone)
    look = partial(flow.today, now=now, midnight=midnight(now, reading.zone), edges=edges, keep=service.keep)
    seen = await service.database.read(look)
    return render_desk(
        service,
        who,
        "today.html",
        here="today",
        seen=seen,
        volume=plots.columns(zip(map(reading.clock, edges), seen.volume, strict=False)),
        languages=_languages(seen, reading),
        waits=_waits(seen, reading),
        checks=sum(len(each.checks) for each in seen.checks),
        sample=flow.SAMPLE,
        most=flow.MOST,
        kinds=shown.KINDS,
        acts=shown.ACTS,
        name_of=_name_of,
        words=source_words,
    )


def hours(now: datetime, zone: tzinfo) -> list[datetime]:
    """The full hours of the last day by a reader's clock: where each of 24 begins, and where the last ends."""
    # Where a zone is half an hour off, its full hours are not those of UTC.
    begun = now.astimezone(zone).replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    return [begun + timedelta(hours=hour) for hour in range(-23, 2)]


def midnight(now: datetime, zone: tzinfo) -> datetime:
    """When the reader's day began."""
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)


def _languages(seen: flow.Today, reading: Reading) -> plots.Plot:
    listed = [(reading.named(code) if code else reading.say(N_("unknown")), n) for code, n in seen.languages]
    shown, rest = listed[:MOST_LANGUAGES], listed[MOST_LANGUAGES:]
    others = [(reading.say(N_("all others")), sum(n for _, n in rest))] if rest else []
    return plots.rows([*shown, *others])


def _waits(seen: flow.Today, reading: Reading) -> list[WaitShown]:
    told = (
        (
            seen.desk,
            N_("From the wire to readers"),
            N_(
                "From the moment we first saw a story to the moment a channel’s document stood ready with it. "
                "Of a story in several channels the first one counts. "
                "Stories that no channel carries are left out."
            ),
        ),
        (
            seen.wire,
            N_("From the outlet to us"),
            N_(
                "From the time at which a story says it was published to the moment we first saw it. "
                "Left out are stories that name no time, and those from before we followed their source. "
                "A time in the future counts as no wait."
            ),
        ),
    )
    return [
        WaitShown(
            wait,
            reading.say(name),
            lasting(wait.half, reading),
            lasting(wait.most, reading),
            reading.say(means),
        )
        for wait, name, means in told
        if wait is not None
    ]


def _name_of(source: Source) -> str:
    """A source as a person knows it; never its address, which may hold a key."""
    return source.title or host_of(source.url)


def lasting(time: timedelta, reading: Reading) -> str:
    """A length of time in its two largest units at most: "48 s", "3 min 20 s", "2 h 5 min", "3 d 4 h"."""
    seconds = round(time.total_seconds())
    units = ((86_400, N_("%(n)s d")), (3_600, N_("%(n)s h")), (60, N_("%(n)s min")), (1, N_("%(n)s s")))
    for (size, name), (smaller, small_name) in pairwise(units):
        if seconds >= size:
            count, rest = divmod(seconds, size)
            small = rest // smaller
            said = reading.say(name, n=reading.number(count))
            return f"{said} {reading.say(small_name, n=reading.number(small))}" if small else said
    return reading.say(N_("%(n)s s"), n=seconds) if seconds else reading.say(N_("less than 1 s"))
