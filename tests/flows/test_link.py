from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from aggregator.errors import BadInput
from aggregator.flows.link import LinkBrief, brief_from_file, from_text, link, link_stored, stories_from_file
from aggregator.rules.briefs import read_brief
from aggregator.rules.links import Candidate
from tests.conftest import NOW
from tests.flows.briefs import SLUG, TEXT, write
from tests.flows.wire import Desk, entry

NEAR = "American and Russian delegations meet in Riyadh"
STORY = {
    "url": "https://wire.example/1",
    "title": NEAR,
    "summary": "Nobody from Ukraine was asked to come.",
    "language": "en",
    "published": "2025-02-18T08:00:00Z",
    "source": "Harbour Wire",
}
BRIEF = {
    "language": "en",
    "date": "2025-02-18",
    "title": "Talks in Riyadh",
    "paragraphs": [{"id": "p1", "text": "American and Russian delegations met in Riyadh."}],
}


def file(folder: Path, *lines: Any, name: str = "given.txt") -> Path:
    """A file of these lines; what is no text is written as JSON."""
    path = folder / name
    written = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("\n".join(written), encoding="utf-8")
    return path


async def test_a_stored_brief_gets_suggestions_from_the_archive(desk: Desk) -> None:
    await desk.hears(entry(99, NEAR), entry(98, "Apples are cheap", description="A good harvest."))
    await write(desk)
    found = await link_stored(desk.database, SLUG)
    assert found["brief"] == {
        "title": "Talks open in Riyadh without Kyiv", "date": "2025-02-18", "language": "en",
    }  # fmt: skip
    assert [passage["id"] for passage in found["passages"]] == ["p0", "p1", "p2"]
    (suggestion,) = found["passages"][1]["suggestions"]
    assert (suggestion["url"], suggestion["source"]) == ("https://wire.example/stories/99", "Harbour Wire")
    assert suggestion["published"] == "2025-02-18T08:00:00Z"
    assert {"kind": "name", "brief": "Russian", "story": "Russian"} in suggestion["reasons"]
    assert [story["url"] for story in found["stories"]] == ["https://wire.example/stories/99"]


async def test_a_dated_brief_is_linked_to_the_news_of_its_days(desk: Desk) -> None:
    days = {n: NOW + timedelta(days=n) for n in (-20, -1, 2, 9)}
    desk.clock.move(timedelta(days=30))
    await desk.hears(*(entry(50 + n, f"{NEAR}, {n}", published=day) for n, day in days.items()))
    await write(desk)
    found = await link_stored(desk.database, SLUG)
    assert {story["url"][-2:] for story in found["stories"]} == {"49", "52"}


async def test_a_brief_without_date_is_linked_to_the_whole_archive(desk: Desk) -> None:
    await desk.hears(entry(1, NEAR, published=NOW - timedelta(days=900)), entry(2, NEAR, link=None))
    await write(desk, TEXT.replace("2025-02-18\n\n", ""))
    found = await link_stored(desk.database, SLUG.removeprefix("2025-02-18-"))
    assert [story["url"] for story in found["stories"]] == ["https://wire.example/stories/1"]


async def test_a_brief_that_does_not_exist_is_not_linked(desk: Desk) -> None:
    with pytest.raises(BadInput, match="There is no brief 'nothing'"):
        await link_stored(desk.database, "nothing")


def test_a_brief_and_its_stories_may_come_from_files(tmp_path: Path) -> None:
    brief = brief_from_file(file(tmp_path, BRIEF))
    assert brief == LinkBrief(
        "Talks in Riyadh",
        date(2025, 2, 18),
        "en",
        (("p1", BRIEF["paragraphs"][0]["text"]),),  # type: ignore[index]
    )
    stories = stories_from_file(file(tmp_path, STORY, "", {"url": "https://wire.example/2"}))
    assert stories == [
        Candidate(STORY["url"], NEAR, STORY["summary"], "en", "Harbour Wire", STORY["published"]),
        Candidate("https://wire.example/2", "", "", None, "", ""),
    ]
    assert [story["url"] for story in link(brief, stories)["stories"]] == ["https://wire.example/1"]


def test_a_brief_file_may_be_as_an_editor_wrote_it(tmp_path: Path) -> None:
    assert brief_from_file(file(tmp_path, TEXT)) == from_text(read_brief(TEXT))


def test_a_brief_without_date_says_so(tmp_path: Path) -> None:
    brief = brief_from_file(file(tmp_path, {**BRIEF, "date": None}))
    assert (brief.date, link(brief, [])["brief"]["date"]) == (None, None)


@pytest.mark.parametrize(
    "given", ["{", {**BRIEF, "date": "soon"}, {"title": "x"}, {**BRIEF, "paragraphs": [1]}]
)
def test_a_file_that_is_no_brief_is_named(tmp_path: Path, given: Any) -> None:
    with pytest.raises(BadInput, match=r"given.txt is no brief: as JSON it has language, date"):
        brief_from_file(file(tmp_path, given))


@pytest.mark.parametrize("line", ["no json", "[]", {"title": "no url"}])
def test_a_line_that_is_no_story_is_named(tmp_path: Path, line: Any) -> None:
    with pytest.raises(BadInput, match=r"given.txt, line 2 is no story"):
        stories_from_file(file(tmp_path, STORY, line))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("Élysée".encode("latin-1"))
    for name in ("latin.txt", "nothing.txt"):
        with pytest.raises(BadInput, match=f"{name} cannot be read"):
            brief_from_file(tmp_path / name)


def test_linking_is_the_same_every_time() -> None:
    brief = from_text(read_brief(TEXT))
    wire = [Candidate(f"https://wire.example/{n}", NEAR, "", "en", "", "") for n in range(5)]
    assert link(brief, wire) == link(brief, reversed(wire))
    assert link(replace(brief, passages=()), wire)["stories"] == []
