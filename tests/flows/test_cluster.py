from __future__ import annotations

from datetime import timedelta

import pytest

from aggregator.flows import cluster
from aggregator.flows.cluster import Clustered, cluster_new
from aggregator.rules.cluster_window import ClusterSettings
from aggregator.store import clusters
from aggregator.store.clusters import ClusterView
from aggregator.store.database import Database
from tests.conftest import NOW, Clock
from tests.store.newsroom import follow, heard, record, says, stored

#: One fire, told by four outlets in three languages; and a football match.
FIRE = {
    "harbour": (
        "en",
        "Fire kills 40 at bar in Swiss ski resort Crans-Montana",
        "At least 40 people died and 115 were injured when a fire swept through a bar in Crans-Montana "
        "during New Year celebrations, Swiss police said on Thursday.",
    ),
    "ledger": (
        "en",
        "Swiss ski resort bar fire kills about 40 in Crans-Montana",
        "A fire at a crowded bar in the ski resort of Crans-Montana killed about 40 people and injured "
        "115, Swiss police said after the New Year celebrations.",
    ),
    "kanal": (
        "de",
        "Schweiz: 40 Tote bei Brand in Bar in Crans-Montana",
        "Bei einem Brand in einer Bar im Skiort Crans-Montana sind nach Angaben der Schweizer Polizei "
        "40 Menschen gestorben und 115 verletzt worden.",
    ),
    "match": (
        "en",
        "Leeds hold Manchester United to a draw",
        "Matheus Cunha scored late to earn Manchester United a point at Leeds in the Premier League.",
    ),
}


@pytest.fixture
def desk(database: Database) -> Database:
    """A database that follows an outlet for each story."""
    for name in sorted(FIRE):
        follow(database, f"https://{name}.example/feed")
    return database


def hear(
    database: Database, name: str, *, key: str = "1", minutes: int = 0, title: str | None = None
) -> None:
    language, headline, lead = FIRE[name]
    source = sorted(FIRE).index(name) + 1
    at = NOW + timedelta(minutes=minutes)
    draft = says(
        f"{name}-{key}",
        title or headline,
        summary=lead,
        language=language,
        published=NOW,
        url=f"https://{name}.example/{key}",
    )
    record(database, heard(source, draft, at=at))


def ids(database: Database) -> dict[str, int]:
    return {story.source_url.split("/")[2].removesuffix(".example"): story.id for story in stored(database)}


def views(database: Database) -> dict[str, ClusterView]:
    found = ids(database)
    by_id = database.read_now(lambda s: clusters.clusters_of(s, list(found.values())))
    return {name: by_id[story] for name, story in found.items() if story in by_id}


async def test_reports_of_one_event_meet_across_languages(desk: Database, clock: Clock) -> None:
    for name in ("harbour", "ledger", "kanal", "match"):
        hear(desk, name)
    assert await cluster_new(desk, clock) == Clustered(read=4, clusters=2, merges=0)
    seen = views(desk)
    assert str(seen["kanal"]) == "3 outlets, 2 languages"
    assert seen["match"].size == 1


async def test_each_story_says_why_it_is_where_it_is(desk: Database, clock: Clock) -> None:
    hear(desk, "harbour")
    hear(desk, "kanal")
    await cluster_new(desk, clock)
    why = desk.read_now(lambda s: clusters.why(s, ids(desk)["kanal"]))
    assert why is not None
    assert why.endswith("shared with the one story")
    assert "↔" in why


async def test_what_was_clustered_is_not_read_again(desk: Database, clock: Clock) -> None:
    hear(desk, "harbour")
    assert (await cluster_new(desk, clock)).read == 1
    assert await cluster_new(desk, clock) == Clustered(0, 0, 0)
    hear(desk, "ledger")
    assert (await cluster_new(desk, clock)).read == 1
    assert views(desk)["ledger"].size == 2


async def test_a_desk_that_starts_anew_goes_on_where_it_stood(desk: Database, clock: Clock) -> None:
    hear(desk, "harbour")
    await cluster_new(desk, clock)
    cluster._windows.clear()
    hear(desk, "ledger", minutes=5)
    await cluster_new(desk, clock)
    assert views(desk)["ledger"].size == 2


async def test_small_batches_give_the_same_clusters_as_one(desk: Database, clock: Clock) -> None:
    for name in ("harbour", "ledger", "kanal", "match"):
        hear(desk, name)
    assert await cluster_new(desk, clock, ClusterSettings(batch=1)) == Clustered(4, 2, 0)
    assert views(desk)["kanal"].size == 3


async def test_a_new_version_leaves_a_story_with_its_company(desk: Database, clock: Clock) -> None:
    hear(desk, "harbour")
    hear(desk, "ledger", minutes=1)
    await cluster_new(desk, clock)
    hear(desk, "ledger", minutes=2, title="Leeds hold Manchester United")
    hear(desk, "harbour", minutes=3, title="Leeds hold Manchester United")
    assert await cluster_new(desk, clock) == Clustered(read=2, clusters=0, merges=0)
    assert views(desk)["ledger"].size == 2


async def test_a_story_that_was_alone_is_decided_anew_when_it_changes(desk: Database, clock: Clock) -> None:
    hear(desk, "harbour")
    record(desk, heard(4, says("match-1", "An untold story", url="https://match.example/1")))
    await cluster_new(desk, clock)
    assert views(desk)["match"].size == 1
    _, headline, lead = FIRE["ledger"]
    changed = says("match-1", headline, summary=lead, url="https://match.example/1")
    record(desk, heard(4, changed, at=NOW + timedelta(minutes=5)))
    await cluster_new(desk, clock)
    assert views(desk)["match"].size == 2


async def test_a_late_version_leaves_a_story_whose_company_is_long_forgotten(
    desk: Database, clock: Clock
) -> None:
    hear(desk, "harbour")
    hear(desk, "ledger", minutes=1)
    await cluster_new(desk, clock)
    hear(desk, "ledger", minutes=60 * 24 * 30, title="Leeds hold Manchester United")
    await cluster_new(desk, clock)
    assert views(desk)["ledger"].size == 2


async def test_an_undone_merge_is_seen_at_once(desk: Database, clock: Clock) -> None:
    hear(desk, "harbour")
    hear(desk, "match")
    await cluster_new(desk, clock)
    kept, gone = sorted((ids(desk)["harbour"], ids(desk)["match"]))
    desk.write_now(lambda s: clusters.record(s, [], [(kept, gone, "by hand")], at=NOW))
    (merge,) = desk.read_now(lambda s: clusters.merges(s, gone))
    desk.write_now(lambda s: clusters.undo_merge(s, merge.id, by="ada", at=NOW))
    hear(desk, "ledger", minutes=5)
    await cluster_new(desk, clock)
    assert views(desk)["ledger"].id == ids(desk)["harbour"]
    assert views(desk)["match"].size == 1


async def test_what_another_worker_wrote_first_is_not_written_twice(
    desk: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear(desk, "harbour")
    hear(desk, "ledger")
    decide = cluster._decide
    raced: list[bool] = []

    def beaten(batch: cluster._Batch, kept: cluster._Kept | None) -> object:
        if not raced:
            raced.append(True)
            upto = batch.texts[-1].version_id
            decisions, _ = decide(batch, kept)
            desk.write_now(lambda s: cluster._write(s, batch.cursor, upto, decisions, NOW))
        return decide(batch, kept)

    monkeypatch.setattr(cluster, "_decide", beaten)
    assert await cluster_new(desk, clock) == Clustered(0, 0, 0)
    assert views(desk)["ledger"].size == 2
