from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from aggregator.model import Source, SourceDraft, SourceDue, SourceKind
from aggregator.store import claims, sources
from aggregator.store.database import Database
from tests.conftest import NOW, Clock, strict
from tests.store.newsroom import LEASE, QUARTER, failed, follow, heard, record, says, unchanged

HOUR = timedelta(hours=1)


def claim(database: Database, now: datetime = NOW, *, limit: int = 100) -> list[SourceDue]:
    return database.write_now(lambda s: claims.claim_due(s, now, limit=limit, lease=LEASE))


def claim_now(database: Database, now: datetime = NOW, *only: int, even_waiting: bool = False) -> list[int]:
    claimed = database.write_now(
        lambda s: claims.claim_now(s, now, lease=LEASE, only=only, even_waiting=even_waiting)
    )
    return [due.id for due in claimed]


def the(database: Database, source_id: int) -> Source:
    found = database.read_now(lambda s: sources.by_id(s, source_id))
    assert found is not None
    return found


def test_a_source_is_read_back_as_it_was_added(database: Database) -> None:
    draft = SourceDraft(
        "https://wire.example/feed", "The Wire", "https://wire.example/", "uk", SourceKind.WIRE, "CC BY 4.0"
    )
    (added,) = database.write_now(lambda s: sources.add(s, [draft], now=NOW))
    source = the(database, added)
    assert (source.url, source.title, source.site_url) == (draft.url, draft.title, draft.site_url)
    assert (source.language, source.kind, source.rights) == ("uk", SourceKind.WIRE, "CC BY 4.0")
    assert (source.added_at, source.next_due, source.last_fetch, source.stories) == (NOW, NOW, None, 0)
    assert not source.is_paused


def test_a_source_added_again_stays_as_it_is_pause_and_all(database: Database) -> None:
    (source,) = follow(database, "https://wire.example/feed", title="The Wire")
    database.write_now(lambda s: sources.pause(s, source, paused=True))
    again = [SourceDraft("https://wire.example/feed", "Other"), SourceDraft("https://b.example/feed")]
    assert len(database.write_now(lambda s: sources.add(s, again, now=NOW))) == 1
    assert (the(database, source).title, the(database, source).is_paused) == ("The Wire", True)


def test_following_nothing_adds_nothing(database: Database) -> None:
    assert database.write_now(lambda s: sources.add(s, [], now=NOW)) == []


def test_a_list_longer_than_one_statement_is_followed_claimed_and_released(narrow: Database) -> None:
    drafts = [SourceDraft(f"https://h{n % 100}.example/{n}") for n in range(1_000)]
    added = narrow.write_now(lambda s: sources.add(s, drafts, now=NOW))
    assert len(set(added)) == 1_000
    assert len(claim_now(narrow)) == 1_000
    narrow.write_now(lambda s: claims.release(s, added))
    assert len(claim(narrow, limit=2_000)) == 1_000


def test_a_host_with_hundreds_of_due_feeds_holds_up_nobody(database: Database) -> None:
    crowd = [f"https://crowd.example/{n}" for n in range(300)]
    others = [f"https://other{n}.example/feed" for n in range(49)]
    follow(database, *crowd)
    follow(database, *others, now=NOW + QUARTER)
    first = claim(database, NOW + HOUR, limit=50)
    assert [due.url for due in first[1:]] == others
    assert first[0].url == crowd[0]


def test_a_source_is_not_asked_before_its_time(database: Database, clock: Clock) -> None:
    (source,) = follow(database, "https://wire.example/feed")
    record(database, unchanged(source))
    assert claim(database, clock()) == []
    assert [due.id for due in claim(database, clock.move(QUARTER))] == [source]


def test_a_claimed_source_is_nobody_elses_until_its_lease_passes(database: Database, clock: Clock) -> None:
    (source,) = follow(database, "https://wire.example/feed")
    assert [due.id for due in claim(database, clock())] == [source]
    assert claim(database, clock.move(LEASE - timedelta(seconds=1))) == []
    assert claim_now(database, clock()) == []
    assert [due.id for due in claim(database, clock.move(timedelta(seconds=1)))] == [source]


def test_two_workers_claiming_at_once_never_share_a_source(database: Database, database_url: str) -> None:
    follow(database, *(f"https://h{n}.example/feed" for n in range(60)))
    with strict(Database(database_url)) as other, ThreadPoolExecutor(2) as threads:
        turns = [threads.submit(claim, one, limit=5) for _ in range(5) for one in (database, other)]
        claimed = [due.id for turn in turns for due in turn.result()]
    assert len(claimed) == len(set(claimed)) == 50


def test_a_released_source_can_be_claimed_again(database: Database) -> None:
    (source,) = follow(database, "https://wire.example/feed")
    claim(database)
    database.write_now(lambda s: claims.release(s, [source]))
    assert [due.id for due in claim(database)] == [source]


def test_a_claim_brings_what_the_next_request_must_know(database: Database) -> None:
    (source,) = follow(database, "https://wire.example/feed", title="The Wire")
    record(database, heard(source, etag='"v1"', last_modified="Tue, 18 Feb 2025 08:00:00 GMT", digest="d1"))
    (due,) = claim(database, NOW + QUARTER)
    assert (due.etag, due.last_modified, due.digest) == ('"v1"', "Tue, 18 Feb 2025 08:00:00 GMT", "d1")
    assert (due.url, due.title, due.kind) == ("https://wire.example/feed", "The Wire", SourceKind.NEWS)
    assert due.failures == 0


@pytest.mark.parametrize("kind", ["rate_limited", "unavailable"])
def test_a_source_that_told_us_to_wait_is_left_out_until_then(database: Database, kind: str) -> None:
    waiting, other = follow(database, "https://busy.example/feed", "https://wire.example/feed")
    record(database, failed(waiting, kind=kind, next_due=NOW + HOUR))
    assert claim_now(database, NOW + QUARTER) == [other]
    assert sorted(claim_now(database, NOW + HOUR)) == [waiting, other]


def test_a_source_that_failed_otherwise_can_be_asked_now(database: Database) -> None:
    (source,) = follow(database, "https://wire.example/feed")
    record(database, failed(source, kind="timeout", next_due=NOW + HOUR))
    assert claim_now(database, NOW + QUARTER) == [source]


def test_a_waiting_source_is_asked_where_an_editor_names_it_or_wants_every_one(database: Database) -> None:
    (source,) = follow(database, "https://busy.example/feed")
    record(database, failed(source, kind="rate_limited", next_due=NOW + HOUR))
    assert claim_now(database, NOW, source) == [source]
    assert claim_now(database, NOW + LEASE, even_waiting=True) == [source]


def test_paused_and_gone_sources_are_not_asked_unless_named(database: Database) -> None:
    paused, gone, plain = follow(
        database, *(f"https://{n}.example/feed" for n in ("paused", "gone", "plain"))
    )
    database.write_now(lambda s: sources.pause(s, paused, paused=True))
    record(database, failed(gone, kind="gone"))
    assert [due.id for due in claim(database, NOW + HOUR)] == [plain]
    assert claim_now(database, NOW + 2 * HOUR) == [plain]
    assert sorted(claim_now(database, NOW + 2 * HOUR, paused, gone)) == [paused, gone]


def test_a_source_goes_on_after_a_pause(database: Database) -> None:
    (source,) = follow(database, "https://wire.example/feed")
    database.write_now(lambda s: sources.pause(s, source, paused=True))
    assert the(database, source).why == "paused by an editor"
    database.write_now(lambda s: sources.pause(s, source, paused=False))
    assert [due.id for due in claim(database)] == [source]


def test_the_next_due_time_is_that_of_the_first_source_that_can_answer(database: Database) -> None:
    assert database.read_now(claims.earliest_due) is None
    early, paused, gone = follow(
        database, *(f"https://{n}.example/feed" for n in ("early", "paused", "gone"))
    )
    database.write_now(lambda s: sources.pause(s, paused, paused=True))
    record(database, failed(gone), unchanged(early))
    assert database.read_now(claims.earliest_due) == NOW + QUARTER


def test_a_claimed_source_is_due_when_its_lease_passes(database: Database) -> None:
    follow(database, "https://wire.example/feed")
    claim(database)
    assert database.read_now(claims.earliest_due) == NOW + LEASE


def test_a_claim_that_was_never_recorded_makes_nothing_due_before_its_time(database: Database) -> None:
    (source,) = follow(database, "https://wire.example/feed")
    record(database, unchanged(source))
    assert claim_now(database, NOW) == [source]
    assert database.read_now(claims.earliest_due) == NOW + QUARTER


def test_a_source_that_gave_stories_is_paused_and_they_are_kept(database: Database) -> None:
    with_stories, without = follow(database, "https://wire.example/feed", "https://b.example/feed")
    record(database, heard(with_stories, says("a")), unchanged(without))
    assert database.write_now(lambda s: sources.remove(s, with_stories)) is False
    assert database.write_now(lambda s: sources.remove(s, without)) is True
    (left,) = database.read_now(sources.all_sources)
    assert (left.id, left.is_paused, left.stories) == (with_stories, True, 1)
    assert database.read_now(lambda s: sources.fetches(s, without)) == []


def test_sources_are_listed_by_title_whatever_its_case(database: Database) -> None:
    for url, title in (("https://c.example/", "beta"), ("https://a.example/", "Alpha")):
        follow(database, url, title=title)
    assert [source.title for source in database.read_now(sources.all_sources)] == ["Alpha", "beta"]


def test_a_source_is_found_by_id_url_title_or_a_part_of_them(database: Database) -> None:
    wire, other = follow(database, "https://wire.example/feed", "https://b.example/100%25_real")
    database.write_now(lambda s: sources.pause(s, other, paused=False))
    record(database, heard(wire, title="Українська правда"), heard(other, title="Élysée"))

    def found(name: str) -> list[int]:
        return [source.id for source in database.read_now(lambda s: sources.named(s, name))]

    assert found(str(wire)) == [wire]
    assert found("https://wire.example/feed") == [wire]
    assert found("Українська правда") == found("правда") == found("WIRE.example") == [wire]
    assert found("Élys") == found("%25_r") == [other]
    assert found("wire_example") == found("%wire") == []
    assert found(".example") == [wire, other]


@pytest.mark.parametrize("name", ["99999999999999999999", "4000000000", "²", "7"])
def test_a_number_that_is_no_id_finds_nothing(database: Database, name: str) -> None:
    follow(database, "https://wire.example/feed")
    assert database.read_now(lambda s: sources.named(s, name)) == []


def test_the_newest_fetches_come_first_and_those_that_found_nothing_are_forgotten(database: Database) -> None:
    (source,) = follow(database, "https://wire.example/feed")
    moments = [NOW + n * QUARTER for n in range(4)]
    record(database, unchanged(source, at=moments[0]))
    record(
        database, heard(source, says("a"), at=moments[1], status=200, body_bytes=99, final_url="https://x/")
    )
    record(database, unchanged(source, at=moments[2]))
    record(database, unchanged(source, at=moments[3]))
    assert database.write_now(lambda s: sources.prune_fetches(s, moments[3])) == 2
    log = database.read_now(lambda s: sources.fetches(s, source))
    assert [row.at for row in log] == [moments[3], moments[1]]
    assert (log[1].status, log[1].body_bytes, log[1].final_url, log[1].new) == (200, 99, "https://x/", 1)
    assert len(database.read_now(lambda s: sources.fetches(s, source, limit=1))) == 1


def test_a_followed_source_without_a_usable_answer_is_silent(database: Database) -> None:
    names = ("dead", "fine", "paused", "new", "late")
    dead, fine, paused, _new, late = follow(database, *(f"https://{n}.example/feed" for n in names))
    database.write_now(lambda s: sources.pause(s, paused, paused=True))
    record(database, failed(dead, next_due=NOW), failed(paused, next_due=NOW), unchanged(late))
    record(database, unchanged(fine, at=NOW + 2 * HOUR))
    silent = database.read_now(lambda s: sources.silent(s, NOW + HOUR))
    assert sorted(source.id for source in silent) == [dead, late]
