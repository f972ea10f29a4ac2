"""Linking a brief with the archive and with files, and briefs as standing queries."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from aggregator.demo.wire import demo_briefs, demo_feeds
from aggregator.errors import BadInput
from aggregator.flows.editorial import correct_brief, import_brief, pick_story, reject_story
from aggregator.flows.link import index_anchors, link_files, link_stored, load_encoder
from aggregator.flows.suggest import suggest_links
from aggregator.model import FetchReport, Outcome, SourceDraft
from aggregator.rules.stories import read_stories
from aggregator.store import briefs, fetches, sources, suggestions
from aggregator.store.database import Database
from feeds.read import parse
from tests.conftest import NOW, Clock

WIRE = "https://wire.example"


def receive(database: Database, *slugs: str) -> None:
    """The stories of some outlets of the demo come in; of all of them where none is named."""
    reports = []
    for outlet in demo_feeds():
        if slugs and outlet.slug not in slugs:
            continue
        url = f"{WIRE}/{outlet.slug}/feed"
        draft = SourceDraft(url, title=outlet.name, language=outlet.language)
        (source,) = database.write_now(lambda s, d=draft: sources.add(s, [d], now=NOW))  # type: ignore[misc]
        feed = parse(outlet.document.replace(b"{{wire}}", WIRE.encode()), content_type=outlet.content_type)
        stories = read_stories(feed, source_url=url, language=outlet.language)
        reports.append(FetchReport(source, NOW, Outcome.FETCHED, NOW, "", drafts=stories))
    database.write_now(lambda s: fetches.record(s, reports))


async def write(database: Database, clock: Clock) -> str:
    done = await import_brief(database, clock, demo_briefs()[0][1], by="ada", slug="riyadh")
    return done.slug


async def test_the_archive_answers_with_reasons_in_many_languages(database: Database, clock: Clock) -> None:
    receive(database)
    await write(database, clock)
    found = await link_stored(database, "riyadh")
    suggested = [s for passage in found["passages"] for s in passage["suggestions"]]
    assert len({s["language"] for s in suggested}) >= 8
    for passage in found["passages"]:
        for suggestion in passage["suggestions"]:
            assert all(reason["brief"] in passage["text"] for reason in suggestion["reasons"])
    assert found["brief"] == {"title": found["passages"][0]["text"], "date": "2025-02-18", "language": "fr"}
    assert await link_stored(database, "riyadh") == found


async def test_the_slips_of_the_brief_are_flagged_with_the_words_of_the_sources(
    database: Database, clock: Clock
) -> None:
    receive(database)
    await write(database, clock)
    found = await link_stored(database, "riyadh")
    conflicts = {(c["passage"], c["kind"]) for c in found["checks"] if c["stories"]}
    assert {("p3", "year"), ("p4", "role"), ("p9", "place")} <= conflicts
    year = next(c for c in found["checks"] if c["kind"] == "year")
    assert "2022" in year["sources_say"]


async def test_what_is_indexed_is_not_read_again(database: Database) -> None:
    receive(database, "amp-world-desk")
    assert await index_anchors(database) > 0
    assert await index_anchors(database) == 0


async def test_new_stories_come_to_an_open_brief_by_themselves(database: Database, clock: Clock) -> None:
    receive(database, "amp-world-desk")
    slug = await write(database, clock)
    assert await suggest_links(database, clock) > 0
    assert await suggest_links(database, clock) == 0
    receive(database, "pyaty-prichal")
    assert await suggest_links(database, clock) > 0
    brief = database.read_now(lambda s: briefs.named(s, slug))
    assert brief is not None
    standing = database.read_now(lambda s: suggestions.standing(s, brief.id))
    assert any("ш" in span or "в" in span for p in standing for _, _, span in p.reasons)


async def test_an_edited_brief_is_matched_with_the_archive_again(database: Database, clock: Clock) -> None:
    receive(database, "amp-world-desk")
    await write(database, clock)
    await suggest_links(database, clock)
    text = (
        demo_briefs()[0][1]
        + "\n\nWitkoff est l'envoyé spécial des États-Unis, et Lavrov le ministre russe.\n"
    )
    await import_brief(database, clock, text, by="ada", slug="riyadh")
    assert await suggest_links(database, clock) > 0


async def test_rejected_and_picked_are_counted(database: Database, clock: Clock) -> None:
    receive(database)
    await write(database, clock)
    await suggest_links(database, clock)
    brief = database.read_now(lambda s: briefs.named(s, "riyadh"))
    assert brief is not None
    first, second = database.read_now(lambda s: suggestions.standing(s, brief.id))[:2]
    await pick_story(database, clock, "riyadh", first.passage, str(first.story_id), by="ada")
    await reject_story(database, clock, "riyadh", second.passage, str(second.story_id), by="ada")
    quality = database.read_now(lambda s: suggestions.quality(s, brief.id))
    assert (quality.precision, quality.recall) == (0.5, 1.0)
    with pytest.raises(BadInput, match="There is no brief"):
        await reject_story(database, clock, "nothing", "p1", "1", by="ada")


async def test_a_brief_that_does_not_exist_is_named(database: Database) -> None:
    with pytest.raises(BadInput, match="There is no brief 'nothing'"):
        await link_stored(database, "nothing")


BRIEF = {
    "language": "fr-FR",
    "date": "2025-02-18",
    "title": "Rubio et Lavrov à Riyad",
    "paragraphs": [{"id": "p1", "text": "Marco Rubio a rencontré Sergueï Lavrov à Riyad."}],
}
STORY = {
    "url": "https://a.example/1",
    "title": "Рубио и Лавров встретились в Эр-Рияде",
    "published": "2025-02-18T09:00:00Z",
}


def files(folder: Path, brief: str, stories: str) -> tuple[Path, Path]:
    (folder / "brief").write_text(brief, encoding="utf-8")
    (folder / "stories.jsonl").write_text(stories, encoding="utf-8")
    return folder / "brief", folder / "stories.jsonl"


def test_files_need_no_database(tmp_path: Path) -> None:
    found = link_files(*files(tmp_path, json.dumps(BRIEF), json.dumps(STORY) + "\n\n"))
    (suggestion,) = found["passages"][0]["suggestions"]
    assert (suggestion["url"], suggestion["language"], suggestion["published"]) == (
        STORY["url"],
        "ru",
        "2025-02-18",
    )
    text = "Rubio et Lavrov à Riyad\n\n18/02/2025\n\nMarco Rubio a rencontré Sergueï Lavrov à Riyad mardi soir.\n"
    assert link_files(*files(tmp_path, text, json.dumps(STORY)))["passages"][1]["suggestions"]


@pytest.mark.parametrize(
    ("brief", "stories", "message"),
    [
        ('{"title": "x"}', "", "is no brief: as JSON it has language"),
        (json.dumps({**BRIEF, "date": "soon"}), "", "is no brief"),
        (json.dumps(BRIEF), "{}", "line 1 is no story"),
        (json.dumps(BRIEF), "[1]", "line 1 is no story"),
        (json.dumps(BRIEF), "nonsense", "line 1 is no story"),
    ],
)
def test_a_file_that_is_something_else_is_named(
    tmp_path: Path, brief: str, stories: str, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        link_files(*files(tmp_path, brief, stories))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        link_files(tmp_path / "nothing", tmp_path / "nothing")


@pytest.mark.parametrize(
    "language", ["xx", "zh", "ar", "ja", ""], ids=["unknown", "Chinese", "Arabic", "Japanese", "none"]
)
def test_a_brief_in_a_language_without_tables_gets_an_answer(tmp_path: Path, language: str) -> None:
    found = link_files(*files(tmp_path, json.dumps({**BRIEF, "language": language}), json.dumps(STORY)))
    assert [passage["id"] for passage in found["passages"]] == ["p1"]


@pytest.mark.parametrize(
    "text",
    ["", "« » “ ”", "«" * 500, "Рубіо Rubio 鲁比奥 روبيو", "mot " * 50_000],
    ids=["empty", "quotes", "open", "mixed", "long"],
)
def test_an_odd_passage_gets_an_answer(tmp_path: Path, text: str) -> None:
    brief = {**BRIEF, "paragraphs": [{"id": "p1", "text": text}]}
    assert link_files(*files(tmp_path, json.dumps(brief), json.dumps(STORY)))["passages"][0]["text"] == text


def test_an_encoder_is_loaded_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    module = SimpleNamespace(model=SimpleNamespace(encode=lambda texts: [[1.0]] * len(texts)), broken=1)
    monkeypatch.setitem(sys.modules, "an_encoder", module)  # type: ignore[arg-type]
    assert load_encoder("") is None
    assert load_encoder("an_encoder:model") is module.model
    for name in ("an_encoder:nothing", "no_such_module:model", "an_encoder:broken", ":"):
        with pytest.raises(BadInput, match=r"link\.encoder"):
            load_encoder(name)


async def test_a_corrected_copy_raises_no_conflict(database: Database, clock: Clock) -> None:
    from aggregator.flows.editorial import publish_brief

    receive(database)
    slug = await write(database, clock)
    await publish_brief(database, clock, slug, by="ada")
    found = await link_stored(database, slug)
    text = demo_briefs()[0][1]
    assert "2021" in text
    conflicts = {c["kind"]: c for c in found["checks"] if c["stories"]}
    corrected = text.replace("2021", "2022")
    await correct_brief(database, clock, slug, corrected, by="ada", why="2022")
    again = await link_stored(database, slug)
    assert "year" in conflicts
    assert "year" not in {c["kind"] for c in again["checks"] if c["stories"]}


async def test_how_common_an_anchor_is_follows_the_rolling_window(database: Database, clock: Clock) -> None:
    from datetime import timedelta

    from aggregator.flows.upkeep import count_anchors
    from aggregator.store import anchors as index

    receive(database, "amp-world-desk")
    await index_anchors(database)
    counted = database.read_now(lambda s: index.counts(s, {("place", "RU")}))
    assert counted
    await count_anchors(database, clock)
    assert database.read_now(lambda s: index.counts(s, {("place", "RU")})) == counted
    clock.move(timedelta(days=400))
    await count_anchors(database, clock)
    assert database.read_now(lambda s: index.counts(s, {("place", "RU")})) == {}
