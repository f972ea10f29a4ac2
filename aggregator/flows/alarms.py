"""Alarms are raised about sources that need a look, cleared when that is over, and told to a webhook.

The webhook is the operator's own, named in the settings: it is signed as those of partners are, is
tried a few times, and holds up nothing else.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from sqlmodel import Session

from aggregator import measures
from aggregator.flows.push import each, wait_after
from aggregator.model import Alarm, Clock, Source
from aggregator.rules.alarms import Watched, alarms_of
from aggregator.rules.channels import Site
from aggregator.rules.standing import SAMPLE, longest_pause, rhythm_of
from aggregator.rules.webhooks import signed_headers
from aggregator.store import alarms, rhythms, sources
from aggregator.store.database import Database
from aggregator.written import Duration
from feeds.dates import rfc3339
from feeds.errors import FetchError
from feeds.http import Limits, make_client, send
from feeds.urls import host_of

log = logging.getLogger(__name__)

#: Pauses are measured between so many stories of a source: the newest ones.
STORIES = 200
#: And anew after so long, of so many sources in one look.
MEASURED_EVERY, AT_A_TIME = timedelta(hours=12), 500
#: The webhook is told of so many alarms in one go, and tried so often for each, over about an hour.
BATCH, TRIES = 100, 10
#: The whole of one try.
LIMITS = Limits(total=timedelta(seconds=15), body_bytes=16 * 1024)


@dataclass(frozen=True, slots=True)
class AlarmSettings:
    """When somebody is told about a source, and how."""

    #: A source that gave no usable answer for so long fails.
    failing: Duration = timedelta(hours=6)
    #: An address of yours that is told of each alarm; "" for none.
    webhook: str = ""
    #: What it is signed with: `whsec_` and 24 to 64 random bytes in base64.
    webhook_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What a look at the sources changed."""

    raised: tuple[Alarm, ...]
    cleared: tuple[Alarm, ...]


async def watch_sources(database: Database, clock: Clock, settings: AlarmSettings) -> Told:
    """Look at every source: raise what is wrong with it, clear what no longer is."""
    await measure_pauses(database, clock)
    watched = await database.read(look_at)
    wrong = {one.source.id: alarms_of(one, failing=settings.failing) for one in watched}
    told = Told(
        *map(
            tuple,
            await database.write(
                lambda session: alarms.settle(session, wrong, now=clock(), tell=bool(settings.webhook))
            ),
        )
    )
    names = {one.source.id: _name(one.source) for one in watched}
    for alarm in told.raised:
        log.warning("alarm raised", extra=_facts(alarm, names))
    for alarm in told.cleared:
        log.info("alarm cleared", extra=_facts(alarm, names))
    return told


async def measure_pauses(database: Database, clock: Clock) -> int:
    """Measure how long the sources usually pause whose turn that is; how many were measured."""
    now = clock()

    def measure(session: Session) -> list[tuple[int, float | None]]:
        due = alarms.to_measure(session, now - MEASURED_EVERY, limit=AT_A_TIME)
        pauses = ((id, longest_pause(alarms.times_of(session, id, stories=STORIES))) for id in due)
        return [(id, pause.total_seconds() if pause is not None else None) for id, pause in pauses]

    measured = await database.read(measure)
    if measured:
        await database.write(lambda session: alarms.put_pauses(session, measured, now=now))
    return len(measured)


def look_at(session: Session) -> list[Watched]:
    """What is known of every source."""
    spans = rhythms.spans(session, stories=SAMPLE)
    failing, shown = alarms.failing_since(session), alarms.entries_shown(session)
    return [
        Watched(source, rhythm_of(source, spans.get(source.id)), failing.get(source.id), shown.get(source.id))
        for source in sources.all_sources(session)
    ]


async def send_alarms(
    database: Database, clock: Clock, site: Site, settings: AlarmSettings, *, user_agent: str
) -> int:
    """Tell the operator's webhook what it was not told yet; how many were tried."""
    if not settings.webhook:
        return 0
    due = await database.read(lambda session: alarms.untold(session, clock(), limit=BATCH))
    if not due:
        return 0
    known = {source.id: source for source in await database.read(sources.all_sources)}
    # Whoever runs this named the address, so it may be one of their own network.
    async with make_client(user_agent=user_agent, private_networks=True) as client:

        async def tell(one: tuple[Alarm, int]) -> None:
            alarm, tries = one
            body = _message(alarm, known[alarm.source_id], site)
            state = "raised" if alarm.cleared_at is None else "cleared"
            headers = signed_headers(
                settings.webhook_secret, id=f"alarm_{alarm.id}_{state}", at=clock(), body=body
            )
            headers["Content-Type"] = "application/json"
            wait: timedelta | None = None
            try:
                answer = await send(
                    client, "POST", settings.webhook, body=body, headers=headers, limits=LIMITS
                )
                is_taken, why, wait = answer.is_success, f"it answered {answer.status}", answer.retry_after
            except FetchError as error:
                is_taken, why = False, str(error)
            measures.DELIVERIES.add("alarm", "taken" if is_taken else "failed")
            tries += 1
            is_last = is_taken or tries >= TRIES
            if not is_taken:
                level = logging.WARNING if is_last else logging.INFO
                log.log(level, "alarm not taken", extra={"alarm": alarm.id, "reason": why, "tries": tries})
            at = None if is_last else clock() + wait_after(tries, wait)
            await database.write(partial(alarms.told, alarm=alarm, tries=tries, next_try=at))

        # One whose source was removed just now has gone with it.
        await each([one for one in due if one[0].source_id in known], tell)
    return len(due)


def _message(alarm: Alarm, source: Source, site: Site) -> bytes:
    """What the webhook is told: never the feed's address, which may hold a key."""
    is_over = alarm.cleared_at is not None
    told = {
        "type": "alarm.cleared" if is_over else "alarm.raised",
        "timestamp": rfc3339(alarm.cleared_at or alarm.raised_at),
        "data": {
            "id": alarm.id,
            "kind": alarm.kind.value,
            "why": alarm.why,
            "raised_at": rfc3339(alarm.raised_at),
            "cleared_at": rfc3339(alarm.cleared_at) if alarm.cleared_at is not None else None,
            "source": {
                "id": source.id,
                "title": _name(source),
                "url": site.page(f"desk/sources/{source.id}"),
            },
        },
    }
    return json.dumps(told, ensure_ascii=False).encode()


def in_words(standing: Sequence[Alarm], names: dict[int, str], *, most: int = 10) -> str:
    """Alarms in one line, for `doctor`."""
    said = "; ".join(f"{names.get(one.source_id, one.source_id)} ({one.why})" for one in standing[:most])
    more = len(standing) - most
    return f"{said}; and {more} more" if more > 0 else said


def _facts(alarm: Alarm, names: dict[int, str]) -> dict[str, object]:
    return {
        "source": names.get(alarm.source_id, alarm.source_id),
        "kind": alarm.kind.value,
        "reason": alarm.why,
        "since": rfc3339(alarm.raised_at),
    }


def _name(source: Source) -> str:
    return source.title or host_of(source.url)
