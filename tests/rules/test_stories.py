from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model import StoryDraft
from aggregator.rules import stories
from aggregator.rules.identities import DIGEST
from aggregator.rules.stories import SUMMARY_LIMIT, from_entry, identity, publishable_id, read_stories
from feeds.model import Category, Entry, Feed, Link, Text
from tests.conftest import NOW

SOURCE = "https://wire.example/feed"
PAGE = "https://wire.example/talks"
TALKS = Entry(
    id="https://wire.example/?p=1",
    title="Talks open in Riyadh",
    links=(Link(PAGE),),
    summary=Text("The two delegations met for the first time this year."),
    published=NOW,
)


def story(entry: Entry, language: str | None = None) -> StoryDraft:
    return from_entry(entry, source_url=SOURCE, language=language)


def test_a_story_is_what_its_entry_says() -> None:
    told = story(TALKS)
    assert (told.url, told.summary, told.body) == (PAGE, str(TALKS.summary), "")
    assert (told.entry_id, told.language, told.entry) == (TALKS.id, "en", TALKS)


def test_an_entry_with_an_id_is_known_by_it_alone() -> None:
    moved = replace(TALKS, links=(Link("https://wire.example/moved"),), title="Talks end")
    assert identity(moved) == identity(TALKS)
    assert identity(replace(TALKS, id="https://wire.example/?p=2")) != identity(TALKS)


def test_ids_are_compared_letter_by_letter() -> None:
    assert identity(replace(TALKS, id="HTTPS://wire.example/?p=1")) != identity(TALKS)


def test_an_entry_without_id_is_known_by_its_page_whoever_counts_visits_to_it() -> None:
    plain = replace(TALKS, id=None)
    counted = replace(plain, title="Talks end", links=(Link(f"{PAGE}?utm_source=rss#top"),))
    assert identity(counted) == identity(plain)
    assert identity(replace(plain, links=(Link(f"{PAGE}/2"),))) != identity(plain)


def test_an_entry_without_id_and_page_is_known_by_its_words_and_date() -> None:
    bare = replace(TALKS, id=None, links=())
    assert identity(bare) == identity(replace(bare, categories=(Category("talks"),)))
    others = (
        replace(bare, title="Talks end"),
        replace(bare, published=None),
        replace(bare, summary=Text("Nobody met.")),
        replace(bare, summary=None, content=Text("Somebody met.")),
        replace(bare, summary=None),
    )
    assert len({identity(entry) for entry in (bare, *others)}) == 6


@pytest.mark.parametrize(
    "id",
    [
        "https://wire.example/?p=1",
        "tag:wire.example,2025:story/1",
        "tag:desk@wire.example,2025-02-18:1",
        "urn:uuid:60a76c80-d399-11d9-b93c-0003939e0af6",
        "urn:newsml:wire.example:20250218:1",
    ],
)
def test_a_story_keeps_an_id_that_can_be_republished(id: str) -> None:
    assert publishable_id(replace(TALKS, id=id), SOURCE) == id


@pytest.mark.parametrize(
    "id",
    [None, "1234", "wire.example/?p=1", "urn:uuid:1", "tag:wire", "https://wire.example/a b", "ftp://x/y"],
)
def test_a_story_without_such_an_id_is_given_one_once_and_for_all(id: str | None) -> None:
    given_id = publishable_id(replace(TALKS, id=id), SOURCE)
    assert given_id.startswith("urn:uuid:")
    assert given_id == publishable_id(replace(TALKS, id=id, title="Talks end"), SOURCE)
    assert given_id != publishable_id(replace(TALKS, id=id), "https://other.example/feed")


def test_a_long_description_is_the_body_and_its_beginning_the_summary() -> None:
    told = story(replace(TALKS, summary=Text("The delegations met. " * 100)))
    assert len(told.summary) <= SUMMARY_LIMIT + 1
    assert told.body.startswith(told.summary[:100])
    assert len(told.body) > 2000


def test_a_body_without_summary_gives_its_beginning() -> None:
    told = story(replace(TALKS, summary=None, content=Text("<p>They met.</p><p>They left.</p>", "html")))
    assert told.body.split() == ["They", "met.", "They", "left."]
    assert told.summary.split() == told.body.split()


def test_a_summary_stays_beside_a_body() -> None:
    told = story(replace(TALKS, summary=Text("Short. " * 200), content=Text("  Long.  ")))
    assert (told.summary, told.body) == (("Short. " * 200).strip(), "Long.")


def test_an_entry_that_says_nothing_is_a_story_too() -> None:
    told = story(Entry(id="x"))
    assert (told.summary, told.body, told.language, told.url) == ("", "", None, None)


def test_markup_and_white_space_are_no_change() -> None:
    plain = story(replace(TALKS, summary=Text("They met, and left.")))
    html = story(replace(TALKS, summary=Text("<b>They met,</b>\n and  left.", "html")))
    assert html.digest == plain.digest


def test_a_changed_title_summary_or_body_is_a_change() -> None:
    changed = (
        TALKS,
        replace(TALKS, title="Talks end"),
        replace(TALKS, summary=Text("Nobody met.")),
        replace(TALKS, content=Text("They met.")),
    )
    assert len({story(entry).digest for entry in changed}) == 4


def test_a_date_or_a_category_alone_is_no_change() -> None:
    moved = replace(TALKS, updated=NOW, categories=(Category("talks"),), links=())
    assert story(moved).digest == story(TALKS).digest


def test_a_story_without_title_is_told_apart_by_its_summary() -> None:
    note = replace(TALKS, title="")
    assert story(note).language == "en"
    assert story(note).digest != story(replace(note, summary=Text("Nobody met."))).digest


def test_each_story_of_a_feed_has_its_own_language() -> None:
    french = replace(
        TALKS, title="Les pourparlers commencent", summary=Text("Les délégations se sont vues hier.")
    )
    name = replace(TALKS, title="Kyiv", summary=None)
    feed = Feed(language="pl", entries=(TALKS, french, name, replace(name, language="de")))
    assert [s.language for s in read_stories(feed, source_url=SOURCE, language="it")] == [
        "en",
        "fr",
        "pl",
        "de",
    ]
    (untagged,) = read_stories(Feed(entries=(name,)), source_url=SOURCE, language="it")
    assert untagged.language == "it"


def test_a_feed_is_read_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stories, "MOST_ENTRIES", 2)
    feed = Feed(entries=tuple(replace(TALKS, id=f"urn:wire:{n}") for n in range(3)))
    assert [s.entry_id for s in read_stories(feed, source_url=SOURCE, language=None)] == [
        "urn:wire:0",
        "urn:wire:1",
    ]


@given(st.text(max_size=40), st.text(max_size=40), st.none() | st.text(max_size=40))
def test_the_same_entry_is_the_same_story_whatever_it_says(title: str, summary: str, id: str | None) -> None:
    entry = Entry(id=id, title=title, summary=Text(summary))
    assert story(entry) == story(replace(entry))
    assert len(story(entry).key) == len(story(entry).digest.removeprefix(DIGEST)) == 32
