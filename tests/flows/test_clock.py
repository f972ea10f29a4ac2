"""A clock that is set back a day: nothing waits for a time that has been, and nothing is asked too soon."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import insert, select, update

from aggregator.flows.clock import look_at_clock
from aggregator.store import claims
from aggregator.store.database import Database
from aggregator.store.tables import SOURCE
from aggregator.store.tables_ingest import HOST_PAUSE
from aggregator.store.tables_out import SUBSCRIBER
from tests.conftest import Clock
from tests.store.newsroom import follow

DAY = timedelta(days=1)


def due_at(database: Database) -> list[datetime]:
    return list(
        database.read_now(lambda s: s.execute(select(SOURCE.c.next_due).order_by(SOURCE.c.id)).scalars())
    )


def put_off(database: Database, source: int, **times: datetime) -> None:
    database.write_now(lambda s: s.execute(update(SOURCE).where(SOURCE.c.id == source).values(**times)))


async def test_what_waits_goes_back_with_the_clock_and_only_once(database: Database, clock: Clock) -> None:
    first, second = follow(database, "https://a.example/feed", "https://b.example/feed")
    assert not await look_at_clock(database, clock)
    put_off(database, first, next_due=clock() + timedelta(minutes=15))
    put_off(
        database, second, next_due=clock() + timedelta(hours=3), claimed_until=clock() + timedelta(minutes=10)
    )
    pause = {"domain": "c.example", "until": clock() + timedelta(hours=1), "why": "429"}
    database.write_now(lambda s: s.execute(insert(HOST_PAUSE).values(pause)))
    clock.move(-DAY)
    assert await look_at_clock(database, clock) == DAY
    assert due_at(database) == [clock() + timedelta(minutes=15), clock() + timedelta(hours=3)]
    claimed = select(SOURCE.c.claimed_until).where(SOURCE.c.id == second)
    for asked, wait in ((claimed, timedelta(minutes=10)), (select(HOST_PAUSE.c.until), timedelta(hours=1))):
        assert database.read_now(lambda s, asked=asked: s.execute(asked).scalar_one()) == clock() + wait
    assert not await look_at_clock(database, clock)
    assert due_at(database)[0] == clock() + timedelta(minutes=15)


async def test_what_is_due_stays_due_and_comes_no_sooner_than_it_was_to(
    database: Database, clock: Clock
) -> None:
    (source,) = follow(database, "https://a.example/feed")
    await look_at_clock(database, clock)
    put_off(database, source, next_due=clock() - timedelta(minutes=5))
    clock.move(-DAY)
    await look_at_clock(database, clock)
    # It was due within the day that comes again: so it is due now, and not in a day.
    assert due_at(database) == [clock()]
    claim = partial(claims.claim_due, now=clock(), limit=10, lease=timedelta(minutes=10))
    assert [each.id for each in database.write_now(claim)] == [source]


async def test_who_is_pushed_to_does_not_wait_a_day_for_a_correction(
    database: Database, clock: Clock
) -> None:
    await look_at_clock(database, clock)
    subscriber = {
        "channel": "briefs",
        "format": "atom",
        "callback": "https://reader.example/hear",
        "lease_until": clock() + timedelta(days=9),
        "next_try": clock() + timedelta(minutes=2),
    }
    database.write_now(lambda s: s.execute(insert(SUBSCRIBER).values(subscriber)))
    clock.move(-DAY)
    await look_at_clock(database, clock)
    row = database.read_now(
        lambda s: s.execute(select(SUBSCRIBER.c.next_try, SUBSCRIBER.c.lease_until)).one()
    )
    assert row.next_try == clock() + timedelta(minutes=2)
    # What was promised to somebody else stays.
    assert row.lease_until == clock() + DAY + timedelta(days=9)


async def test_a_step_of_a_second_or_a_clock_that_goes_on_moves_nothing(
    database: Database, clock: Clock
) -> None:
    (source,) = follow(database, "https://a.example/feed")
    await look_at_clock(database, clock)
    at = clock() + timedelta(minutes=15)
    put_off(database, source, next_due=at)
    for step in (timedelta(seconds=-1), timedelta(days=2), timedelta(minutes=1)):
        clock.move(step)
        assert not await look_at_clock(database, clock)
    assert due_at(database) == [at]
