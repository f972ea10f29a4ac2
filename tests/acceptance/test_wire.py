"""A real archive of 176 feeds, replayed on a virtual clock.

The simulator and the archive are no part of the project. They stand in a folder beside the
checkout, and these tests skip where it is absent.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from feeds.html import clean_text, to_text
from feeds.opml import read_opml
from tests.acceptance.conftest import LOOPBACK, settings_for
from tests.acceptance.desk import Desk
from tests.acceptance.wires import FEEDS, Key, Simulator, replayed


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with replayed() as running:
        yield running


@dataclass(frozen=True, slots=True)
class Day:
    """Three polls: a day before the archive's end, at once again, and an hour later."""

    #: What the feeds showed, before and an hour later.
    before: dict[Key, dict[str, Any]]
    later: dict[Key, dict[str, Any]]
    #: What each poll said.
    polls: tuple[dict[str, Any], ...]
    #: Conditional requests that the feeds answered in the second poll.
    not_modified: int
    #: The language that each feed names, by its address.
    languages: dict[str, str]
    #: Every story of the desk at the end.
    stories: list[dict[str, Any]]


@pytest.fixture(scope="module")
def day(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Day:
    desk = Desk(tmp_path_factory.mktemp("wire"), LOOPBACK)
    (desk.folder / "config.toml").write_text(settings_for([]), encoding="utf-8")
    simulator.set_clock(f"to={simulator.end() - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}")
    before = simulator.shows()
    said = desk.run("sources", "import", f"{simulator.url}/opml").out
    assert said.startswith(f"{FEEDS} feeds named, {FEEDS} of them new.")
    polls = [desk.run("poll", "--json").row for _ in range(2)]
    not_modified = json.loads(simulator.get("/stats"))["status"].get("304", 0)
    simulator.set_clock("advance=3600")
    later = simulator.shows()
    polls.append(desk.run("poll", "--json").row)
    stories = desk.run("stories", "--limit", "0", "--json").rows
    languages = {
        each.url: each.language or "" for each in read_opml(simulator.get("/opml").encode()).subscriptions
    }
    return Day(before, later, tuple(polls), not_modified, languages, stories)


def key_of(story: dict[str, Any]) -> Key:
    return story["source"]["url"], story["url"]


def test_the_first_poll_stores_as_many_stories_as_the_feeds_show(day: Day) -> None:
    assert day.polls[0] | {"seconds": 0} == polled(new=len(day.before))
    assert len(day.before) > 3000


def test_the_second_poll_finds_every_feed_unchanged_by_conditional_request(day: Day) -> None:
    assert day.polls[1] | {"seconds": 0} == polled(unchanged=FEEDS)
    assert day.not_modified == FEEDS


def test_an_hour_later_a_poll_finds_exactly_what_is_new(day: Day) -> None:
    came = day.later.keys() - day.before.keys()
    moved = {feed for feed, _ in came}
    assert len(came) > 10
    assert day.polls[2] | {"seconds": 0} == polled(unchanged=FEEDS - len(moved), new=len(came))


def test_every_story_that_the_feeds_showed_is_kept_once(day: Day) -> None:
    assert Counter(map(key_of, day.stories)) == Counter(day.before.keys() | day.later.keys())


def test_every_story_has_the_title_and_the_date_of_its_feed(day: Day) -> None:
    shown = day.before | day.later
    for story in day.stories:
        told = shown[key_of(story)]
        assert story["title"] in (clean_text(to_text(told["title"])), clean_text(told["title"])), told
        assert datetime.fromisoformat(story["published"]) == datetime.fromisoformat(told["published"]), told


def test_every_story_has_a_language_and_nearly_all_have_that_of_their_feed(day: Day) -> None:
    # The feed's own say is a hint: now and then it carries a story in another language.
    assert [story["title"] for story in day.stories if not story["language"]] == []
    pairs = [(story["language"], day.languages[story["source"]["url"]][:2]) for story in day.stories]
    same = sum(found == said for found, said in pairs)
    assert same / len(pairs) > 0.99, Counter(pair for pair in pairs if pair[0] != pair[1]).most_common(20)


def polled(**figures: int) -> dict[str, Any]:
    """What a poll of all feeds says."""
    return {"sources": FEEDS, "unchanged": 0, "new": 0, "changed": 0, "failed": {}, "seconds": 0} | figures
