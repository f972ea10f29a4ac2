"""Several workers share the sources and the places at their hosts."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator.model import SourceDue
from aggregator.store import claims
from aggregator.store.claims import Share
from aggregator.store.database import Database
from tests.conftest import NOW
from tests.store.newsroom import LEASE, follow, record, unchanged


def feeds(host: str, count: int) -> list[str]:
    return [f"https://{host}/{number}" for number in range(count)]


def claim(
    database: Database,
    holder: int,
    *,
    places: int = 1,
    of: int = 2,
    limit: int = 100,
    now: datetime = NOW,
) -> list[SourceDue]:
    share = Share(holder, places, of)
    return database.write_now(lambda s: claims.claim_due(s, now, limit=limit, lease=LEASE, share=share))


def hosts(found: list[SourceDue]) -> list[str | None]:
    return [source.host for source in found]


def test_two_workers_share_a_crowded_host_and_a_third_finds_it_full(database: Database) -> None:
    follow(database, *feeds("big.example", 9), *feeds("small.example", 1))
    assert hosts(claim(database, 1, limit=3)) == ["big.example", "small.example", "big.example"]
    assert hosts(claim(database, 2, limit=3)) == ["big.example"] * 3
    assert claim(database, 3) == []


def test_a_worker_goes_on_at_a_host_where_it_has_a_place(database: Database) -> None:
    follow(database, *feeds("big.example", 9))
    claim(database, 1, limit=3)
    claim(database, 2, limit=3)
    assert len(claim(database, 1, limit=1)) == 1
    assert claim(database, 3) == []


def test_a_place_is_free_again_once_its_fetches_are_recorded(database: Database) -> None:
    follow(database, *feeds("big.example", 6))
    first = claim(database, 1, limit=2)
    claim(database, 2, limit=2)
    assert claim(database, 3) == []
    record(database, *(unchanged(source.id) for source in first))
    assert len(claim(database, 3)) == 2


def test_a_process_that_shares_with_nobody_holds_every_place_of_its_hosts(database: Database) -> None:
    follow(database, *feeds("big.example", 4), *feeds("small.example", 1))
    database.write_now(lambda s: claims.claim_due(s, NOW, limit=1, lease=LEASE))
    assert hosts(claim(database, 1)) == ["small.example"]


def test_what_a_dead_worker_held_is_given_back_and_nobody_elses(database: Database) -> None:
    follow(database, *feeds("big.example", 4))
    held = claim(database, 7_000_000_000, limit=2)
    others = claim(database, 8, limit=1)
    assert database.write_now(lambda s: claims.release_held(s, [7_000_000_000])) == 2
    assert database.write_now(lambda s: claims.release_held(s, [])) == 0
    again = claim(database, 9)
    assert {source.id for source in held} < {source.id for source in again}
    assert not {source.id for source in others} & {source.id for source in again}


def test_a_claim_holds_no_place_beyond_its_lease(database: Database) -> None:
    follow(database, *feeds("big.example", 4))
    claim(database, 1, limit=1)
    claim(database, 2, limit=1)
    assert claim(database, 3) == []
    assert len(claim(database, 3, now=NOW + LEASE)) == 4


def test_what_is_due_is_counted_up_to_a_limit_and_without_what_is_claimed(database: Database) -> None:
    follow(database, *feeds("big.example", 5))
    assert database.read_now(lambda s: claims.count_due(s, NOW, most=100)) == 5
    assert database.read_now(lambda s: claims.count_due(s, NOW, most=3)) == 3
    claim(database, 1, limit=4)
    assert database.read_now(lambda s: claims.count_due(s, NOW, most=100)) == 1


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    per_host=st.integers(1, 9),
    asks=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 8), st.booleans()), max_size=12),
)
def test_however_workers_come_and_go_a_host_is_never_shared_by_more_than_it_has_places(
    database: Database, per_host: int, asks: list[tuple[int, int, bool]]
) -> None:
    follow(database, *feeds("big.example", 20), *feeds("small.example", 5))
    database.write_now(lambda s: claims.release_held(s, range(10)))
    places = max(1, per_host // 4)
    held: dict[int, list[SourceDue]] = {}
    for holder, limit, is_done in asks:
        held.setdefault(holder, []).extend(claim(database, holder, places=places, of=per_host, limit=limit))
        if is_done:
            done = held.pop(holder)
            database.write_now(lambda s, done=done: claims.release(s, [source.id for source in done]))
        by_host = Counter(host for sources in held.values() for host in set(hosts(sources)))
        assert all(count * places <= per_host for count in by_host.values())
    database.write_now(lambda s: claims.release_held(s, range(10)))
