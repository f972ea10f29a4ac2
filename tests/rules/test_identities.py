from __future__ import annotations

from dataclasses import replace

from aggregator.model import StoryDraft
from aggregator.rules.identities import (
    Told,
    again_under,
    colliding,
    digest_of,
    is_churning,
    is_only_spelt_anew,
    is_other_story,
    is_same_story,
    is_substantial,
    older_digest_of,
    page_key,
)
from aggregator.rules.stories import from_entry, read_stories
from feeds.model import Entry, Feed, Link, Text
from tests.conftest import NOW

BODY = "The two delegations met in Riyadh on Tuesday and agreed to meet again before the end of the month."
TALKS = Told("Talks open", "", BODY)
HOME = "https://wire.example/"


def entry(n: int, *, id: str | None = "", link: str = "", title: str = "") -> Entry:
    """The entry of this number."""
    return Entry(
        id=f"urn:{n}" if id == "" else id,
        title=title or f"Talks go into day {n}",
        links=(Link(link or f"{HOME}{n}"),),
        summary=Text(f"They met for the {n}th time."),
        published=NOW,
    )


def read(*entries: Entry, by: str = "id") -> tuple[StoryDraft, ...]:
    feed = Feed(links=(Link(HOME),), entries=entries)
    return read_stories(feed, source_url=HOME, language="en", identity="link" if by == "link" else "id")


def keys(*entries: Entry, by: str = "id") -> list[str]:
    return [draft.key for draft in read(*entries, by=by)]


def test_a_text_that_grew_or_got_another_title_is_the_same_story() -> None:
    grown = replace(TALKS, title="Talks end", body=f"{BODY} They did not say where. Kyiv was not asked.")
    assert is_same_story(TALKS, grown)
    assert is_same_story(TALKS, Told("Talks open!", "Nothing else is the same here.", ""))
    assert not is_same_story(TALKS, Told("Port closed", "Dockers in Marseille voted to go on strike.", ""))
    assert not is_same_story(TALKS, Told("", "", ""))


def test_only_a_text_with_nothing_in_common_is_another_story() -> None:
    assert is_other_story(TALKS, Told("Port closed", "Dockers in Marseille voted to go on strike.", ""))
    assert not is_other_story(TALKS, replace(TALKS, title="Talks end"))
    assert not is_other_story(TALKS, Told("Talks open", "Dockers voted.", ""))


def test_a_title_or_a_fifth_of_the_words_is_substantial() -> None:
    assert is_substantial(TALKS, replace(TALKS, title="Talks end"))
    assert is_substantial(TALKS, replace(TALKS, body="Nobody met."))
    assert not is_substantial(TALKS, replace(TALKS, title="Talks open (updated 10:32)"))
    assert not is_substantial(TALKS, replace(TALKS, body=BODY * 20 + " One more word."))


def test_a_digest_leaves_counters_out_and_the_older_one_does_not() -> None:
    counted = replace(TALKS, body=f"{BODY}\n12 comments")
    more = replace(TALKS, body=f"{BODY}\n14 comments")
    assert digest_of(counted) == digest_of(more) == digest_of(TALKS)
    assert older_digest_of(counted) != older_digest_of(more)


def test_ids_churn_where_most_known_stories_come_back_under_new_ones() -> None:
    assert is_churning(3, 6)
    assert not is_churning(2, 2)
    assert not is_churning(3, 7)


def test_an_id_that_is_the_page_changes_with_how_it_is_written() -> None:
    assert is_only_spelt_anew(entry(1, id="http://www.wire.example/1/", link=f"{HOME}1"))
    assert not is_only_spelt_anew(entry(1))
    assert not is_only_spelt_anew(entry(1, id=None))


def test_one_id_at_several_pages_tells_nothing() -> None:
    several = [entry(n, id="0") for n in (1, 2, 3)]
    drafts = read(*several, entry(4))
    assert [draft.key for draft in drafts[:3]] == [page_key(f"{HOME}{n}") for n in (1, 2, 3)]
    assert len({draft.entry_id for draft in drafts}) == 4
    assert colliding([from_entry(each, source_url=HOME, language=None) for each in several]) == {"0"}
    # The same entry listed twice, or at another address of the same title, is one story.
    twice = entry(1), entry(1, link=f"{HOME}1-moved")
    assert len(set(keys(*twice))) == 1


def test_a_source_known_by_link_goes_by_pages_as_far_as_they_tell_its_entries_apart() -> None:
    assert keys(entry(1, id="a"), by="link") == keys(entry(1, id="b"), by="link")
    home = keys(entry(1, link=HOME), entry(2, link=HOME), by="link")
    assert home == keys(entry(1, link=HOME), entry(2, link=HOME))
    assert len(set(home)) == 2


def test_entries_without_id_at_one_page_are_known_by_their_words() -> None:
    bare = [entry(n, id=None, link=f"{HOME}live") for n in (1, 2)]
    assert len(set(keys(*bare))) == 2
    assert all(draft.shares_page for draft in read(*bare))
    # The front page tells nothing, even where one entry alone leads there.
    assert keys(entry(1, id=None, link=HOME)) != keys(entry(2, id=None, link=HOME))


def test_a_story_under_the_id_of_another_has_a_key_and_an_id_of_its_own() -> None:
    (draft,) = read(entry(1))
    again = again_under(draft)
    assert again == again_under(draft)
    assert again.key != draft.key
    assert again.entry_id != draft.entry_id
