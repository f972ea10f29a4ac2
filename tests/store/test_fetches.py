from __future__ import annotations

import random
import string
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlmodel import Session

from aggregator.model import FetchReport, Outcome, Recorded
from aggregator.rules.stories import read_stories
from aggregator.store import claims, fetches, sources, stories
from aggregator.store.database import Database, StoreError
from aggregator.store.tables import VERSION
from feeds.model import Category, Entry, Link, Origin, Person, Text
from feeds.read import parse
from tests.conftest import NOW, strict
from tests.store.newsroom import QUARTER, failed, follow, heard, record, says, stored, titles, unchanged

MINUTE = timedelta(minutes=1)


@pytest.fixture
def source(database: Database) -> int:
    return follow(database, "https://wire.example/feed")[0]


def versions(database: Database) -> int:
    return int(database.read_now(lambda s: s.execute(select(func.count()).select_from(VERSION)).scalar_one()))


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements sent meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.engine, "before_cursor_execute", note)


def test_a_story_is_read_back_as_its_feed_gave_it(database: Database, source: int) -> None:
    draft = says("a", "Talks", summary="Both sides meet.", body="In Riyadh.", updated=NOW - MINUTE)
    assert record(database, heard(source, draft)) == [Recorded(source, 1, 0, 0)]
    (story,) = stored(database)
    assert (story.title, story.summary, story.body) == ("Talks", "Both sides meet.", "In Riyadh.")
    assert (story.entry_id, story.url, story.language) == ("urn:a", "https://wire.example/a", "en")
    assert (story.published, story.updated, story.first_seen, story.changed_at) == (
        NOW, NOW - MINUTE, NOW, NOW,
    )  # fmt: skip
    assert (story.versions, story.digest, story.entry) == (1, draft.digest, draft.entry)


def test_the_whole_entry_and_the_feeds_word_about_itself_come_back(database: Database, source: int) -> None:
    entry = Entry(
        id="x",
        title="Élysée",
        links=(Link("https://wire.example/x", hreflang="fr", length=7),),
        content=Text("<p>…</p>", "html", "fr"),
        authors=(Person("Ada", "ada@wire.example"),),
        categories=(Category("politics", label="Politique"),),
        published=NOW,
    )
    origin = Origin(id="urn:feed", title="The Wire", updated=NOW, authors=(Person("Desk"),))
    draft = says("x")
    report = heard(source, type(draft)("x", "urn:x", None, "fr", "", "", "d", entry), origin=origin)
    record(database, report)
    (story,) = stored(database)
    assert (story.entry, story.origin, story.url) == (entry, origin, None)


def test_the_same_report_recorded_twice_keeps_nothing_twice(database: Database, source: int) -> None:
    report = heard(source, says("a"), says("b"))
    assert record(database, report) == [Recorded(source, 2, 0, 0)]
    assert record(database, report) == [Recorded(source, 0, 0, 2)]
    assert (database.read_now(stories.count), versions(database)) == (2, 2)


def test_recording_nothing_does_nothing(database: Database) -> None:
    assert record(database) == []


def test_a_changed_story_gets_a_second_version_and_the_first_stays(database: Database, source: int) -> None:
    record(database, heard(source, says("a", "Talks may open")))
    changed = says("a", "Talks open", url="https://wire.example/a-2", updated=NOW + MINUTE)
    done = record(database, heard(source, changed, at=NOW + QUARTER))
    assert done == [Recorded(source, 0, 1, 0)]
    (story,) = stored(database)
    assert (story.title, story.versions, story.digest) == ("Talks open", 2, changed.digest)
    assert (story.url, story.first_seen, story.changed_at) == ("https://wire.example/a-2", NOW, NOW + QUARTER)
    both = database.read_now(lambda s: stories.versions_of(s, story.id))
    assert [(v.number, v.title, v.seen_at) for v in both] == [
        (1, "Talks may open", NOW),
        (2, "Talks open", NOW + QUARTER),
    ]


def test_a_story_that_changes_back_gets_a_third_version(database: Database, source: int) -> None:
    for title in ("Talks open", "Talks off", "Talks open"):
        record(database, heard(source, says("a", title)))
    assert (stored(database)[0].versions, versions(database)) == (3, 3)


def test_two_feeds_may_use_the_same_identity(database: Database) -> None:
    one, other = follow(database, "https://a.example/", "https://b.example/")
    done = record(database, heard(one, says("1", "Here")), heard(other, says("1", "There")))
    assert done == [Recorded(one, 1, 0, 0), Recorded(other, 1, 0, 0)]
    assert sorted(titles(stored(database))) == ["Here", "There"]


def test_of_two_entries_with_one_identity_the_first_is_kept(database: Database, source: int) -> None:
    done = record(database, heard(source, says("a", "Newer"), says("a", "Older")))
    assert done == [Recorded(source, 1, 0, 0)]
    assert titles(stored(database)) == ["Newer"]


def test_new_changed_and_known_stories_are_told_apart(database: Database, source: int) -> None:
    record(database, heard(source, says("a"), says("b")))
    done = record(database, heard(source, says("a"), says("b", "Changed"), says("c")))
    assert done == [Recorded(source, 1, 1, 1)]
    (fetch, _) = database.read_now(lambda s: sources.fetches(s, source))
    assert (fetch.new, fetch.changed, fetch.known) == (1, 1, 1)


def test_version_ids_rise_in_the_order_of_the_news(database: Database) -> None:
    one, other = follow(database, "https://a.example/", "https://b.example/")
    newest_first = [says(f"{n}", f"{n}", published=NOW - n * MINUTE) for n in range(6)]
    record(database, heard(one, *newest_first[::2]), heard(other, *newest_first[1::2]))
    after = database.read_now(lambda s: stories.versions_after(s, 0, limit=10))
    assert [version.title for version in after] == ["5", "4", "3", "2", "1", "0"]
    assert [version.id for version in after] == sorted(version.id for version in after)


def test_a_story_from_the_future_is_sorted_by_when_it_was_seen(database: Database, source: int) -> None:
    future, undated = says("f", "Future", published=NOW + 365 * QUARTER), says("u", "Undated", published=None)
    record(database, heard(source, future, undated, at=NOW))
    record(database, heard(source, says("n", "Next", published=NOW + MINUTE), at=NOW + QUARTER))
    assert titles(stored(database))[0] == "Next"
    assert {story.title: story.published for story in stored(database)}["Undated"] is None


def test_a_story_that_tells_only_when_it_changed_is_dated_by_that(database: Database, source: int) -> None:
    record(database, heard(source, says("a", published=None, updated=NOW - MINUTE)))
    assert stored(database)[0].published == NOW - MINUTE


def test_a_batch_of_five_thousand_stories_is_stored_in_few_statements(database: Database) -> None:
    ids = follow(database, *(f"https://h{n}.example/" for n in range(50)))
    batch = [heard(source, *(says(f"{n}", f"Story {n}") for n in range(100))) for source in ids]
    with counted(database) as sent:
        assert sum(done.new for done in record(database, *batch)) == 5_000
    assert len(sent) < 15
    with counted(database) as sent:
        assert sum(done.known for done in record(database, *batch)) == 5_000
    assert len(sent) < 10


def test_a_batch_longer_than_one_statement_is_stored_whole(narrow: Database) -> None:
    (source,) = follow(narrow, "https://wire.example/feed")
    drafts = [says(f"{n}", f"Story {n}") for n in range(400)]
    assert record(narrow, heard(source, *drafts)) == [Recorded(source, 400, 0, 0)]
    assert record(narrow, heard(source, *drafts)) == [Recorded(source, 0, 0, 400)]
    found = stored(narrow)
    assert len(found) == len(narrow.read_now(lambda s: stories.by_ids(s, [x.id for x in found]))) == 400


def test_an_answer_of_304_keeps_the_stories_and_the_digest(database: Database, source: int) -> None:
    record(database, heard(source, says("a"), digest="d", etag='"1"', origin=Origin(title="The Wire")))
    later = NOW + QUARTER
    assert record(database, unchanged(source, at=later, etag='"2"')) == [Recorded(source, 0, 0, 0)]
    (due,) = database.write_now(lambda s: claims.claim_now(s, later, lease=MINUTE))
    assert (due.etag, due.digest) == ('"2"', "d")
    (story,) = stored(database)
    assert (story.title, story.origin) == ("Talks open in Riyadh", Origin(title="The Wire"))


def test_a_failed_fetch_says_why_and_forgets_nothing(database: Database, source: int) -> None:
    record(database, heard(source, digest="d", etag='"1"'))
    later = NOW + QUARTER
    record(database, failed(source, at=later, kind="timeout", next_due=later + QUARTER, failures=0.25))
    (found,) = database.read_now(sources.all_sources)
    assert (found.last_success, found.last_fetch, found.failures) == (NOW, later, 0.25)
    assert (found.failure_kind, found.why, found.next_due) == ("timeout", "no answer", later + QUARTER)
    (due,) = database.write_now(lambda s: claims.claim_now(s, later, lease=MINUTE))
    assert (due.etag, due.digest, due.failures) == ('"1"', "d", 0.25)


def test_a_success_after_failures_clears_them(database: Database, source: int) -> None:
    record(database, failed(source, next_due=NOW, failures=2.0))
    record(database, unchanged(source))
    (found,) = database.read_now(sources.all_sources)
    assert (found.failures, found.failure_kind, found.last_success) == (0, None, NOW)


def test_a_gone_source_that_answers_again_is_followed_again(database: Database, source: int) -> None:
    record(database, failed(source, kind="gone"))
    assert database.read_now(sources.all_sources)[0].gone_at == NOW
    record(database, unchanged(source))
    assert database.read_now(sources.all_sources)[0].gone_at is None


def test_many_outcomes_are_recorded_in_one_write_each_for_its_source(database: Database) -> None:
    good, same, bad = follow(database, *(f"https://{n}.example/" for n in ("good", "same", "bad")))
    reports: list[FetchReport] = [unchanged(same), heard(good, says("a")), failed(bad, next_due=NOW)]
    assert [done.new for done in record(database, *reports)] == [0, 1, 0]
    kinds = {source.id: source.failure_kind for source in database.read_now(sources.all_sources)}
    assert kinds == {good: None, same: None, bad: "timeout"}


def test_a_source_without_a_name_takes_its_feeds(database: Database, source: int) -> None:
    record(database, heard(source, title="The Wire", site_url="https://wire.example/"))
    record(database, heard(source))
    (found,) = database.read_now(sources.all_sources)
    assert (found.title, found.site_url) == ("The Wire", "https://wire.example/")


def test_a_report_about_no_source_is_refused_whole(database: Database, source: int) -> None:
    with pytest.raises(StoreError):
        record(database, heard(source, says("a")), heard(source + 1, says("b")))
    assert (database.read_now(stories.count), versions(database)) == (0, 0)


def test_a_cursor_over_versions_never_skips_one_still_being_written(
    database: Database, database_url: str
) -> None:
    one, another = follow(database, "https://a.example/", "https://b.example/")
    began, go_on = threading.Event(), threading.Event()

    def slowly(session: Session) -> None:
        fetches.record(session, [heard(one, says("first"))])
        began.set()
        assert go_on.wait(5)

    with strict(Database(database_url)) as other, ThreadPoolExecutor(2) as threads:
        first = threads.submit(database.write_now, slowly)
        assert began.wait(5)
        second = threads.submit(record, other, heard(another, says("second")))
        # The second must wait, else its version is seen before the first one, which has a lower id.
        with pytest.raises(TimeoutError):
            second.result(timeout=0.2)
        go_on.set()
        first.result()
        second.result()
    after = database.read_now(lambda s: stories.versions_after(s, 0, limit=5))
    assert [version.id for version in after] == [1, 2]
    assert [stored(database)[n].entry_id for n in (1, 0)] == ["urn:first", "urn:second"]


def test_a_link_longer_than_an_index_takes_is_kept_and_found(database: Database) -> None:
    # Random, or PostgreSQL would pack it into what its index takes.
    dice = random.Random(7)
    link = "https://wire.example/" + "".join(dice.choices(string.ascii_letters + string.digits, k=9_000))
    (source,) = follow(database, "https://wire.example/feed")
    page = f"<item><title>Talks</title><link>{link}</link></item>"
    both = f"<item><title>More talks</title><guid>{link}x</guid></item>"
    body = f"<rss version='2.0'><channel><title>W</title>{page}{both}</channel></rss>".encode()
    drafts = read_stories(parse(body), source_url="https://wire.example/feed", language="en")
    report = FetchReport(source, NOW, Outcome.FETCHED, NOW, "", drafts=drafts)
    (done,) = database.write_now(partial(fetches.record, reports=[report]))
    assert done.new == 2
    assert database.write_now(partial(fetches.record, reports=[report]))[0].known == 2
    found = database.read_now(lambda s: stories.named(s, link))
    assert [story.title for story in found] == ["Talks"]
    (other,) = database.read_now(lambda s: stories.named(s, f"{link}x"))
    assert other.entry_id.startswith("urn:uuid:")
