from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aggregator.model import Act, Publication, PublishedLink, Reuse, Revision, Role, Story
from aggregator.rules.briefs import read_brief
from aggregator.rules.carrying import Plan, draw, tombstone_of
from aggregator.rules.channels import Channel, Site, head_of
from aggregator.rules.entries import (
    Published,
    brief_candidate,
    brief_entry,
    brief_id,
    story_candidate,
    story_entry,
)
from feeds.model import Category, Enclosure, Entry, Feed, Link, Origin, Person, Text
from feeds.urls import canonical
from tests.conftest import NOW

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
SITE = Site(title="The desk", url="https://desk.example/", authority="desk.example", rights="CC BY")
WIRE = Channel("wire", "The wire")
TITLES = {"talks": "Peace talks"}

TEXT = """Talks open in Riyadh

2025-02-18

Situation: the two delegations met for the first time this year.

They agreed to meet again, and said <nothing> more.
"""


def story(number: int, **more: Any) -> Story:
    """A story that came at `NOW` and that its feed dates two hours before."""
    told = Story(
        id=number,
        entry_id=f"tag:wire.example,2025:{number}",
        url=f"https://wire.example/{number}",
        source_id=1,
        source_name="Harbour Wire",
        source_url="https://wire.example/feed",
        source_site="https://wire.example/",
        source_rights=None,
        source_reuse=Reuse.SUMMARY,
        title=f"Story {number}",
        summary="They met.",
        body="They met. They left. Nobody said why.",
        language="en",
        published=NOW - 2 * HOUR,
        updated=None,
        first_seen=NOW,
        changed_at=NOW,
        versions=1,
        digest="",
        entry=Entry(),
    )
    return replace(told, **more)


def act(
    kind: Act = Act.PUBLISHED, at: datetime = NOW, *, why: str = "", links: Sequence[PublishedLink] = ()
) -> Publication:
    revision = Revision(1, 1, NOW, "ada", TEXT, "Talks open in Riyadh", date(2025, 2, 18), "en", "")
    return Publication(1, 7, kind, at, "ada", why, revision, tuple(links))


def pick(passage: str, number: int, role: Role = Role.SOURCE) -> PublishedLink:
    return PublishedLink(passage, number, 1, role)


def brief(
    *acts: Publication, stories: Sequence[Story] = (), topics: tuple[str, ...] = ("talks",)
) -> Published:
    return Published("riyadh", read_brief(TEXT), topics, acts or (act(),), {s.id: s for s in stories})


def composed(
    *stories: Story, channel: Channel = WIRE, briefs: Sequence[Published] = (), site: Site = SITE
) -> Feed:
    candidates = [story_candidate(each, site, TITLES) for each in stories]
    candidates += [brief_candidate(each, site, TITLES) for each in briefs]
    return feed_of(draw(channel, candidates, before={}, titles=TITLES, now=NOW), channel, site)


def feed_of(plan: Plan, channel: Channel = WIRE, site: Site = SITE) -> Feed:
    stones = tuple(tombstone_of(row, site.author) for row in plan.present if row.entry.is_withdrawn)
    head = head_of(channel, site, updated=plan.updated, tombstones=stones)
    return replace(head, entries=tuple(row.entry for row in plan.present))


def titles(feed: Feed) -> list[str]:
    return [entry.title for entry in feed.entries]


def shown(entry: Entry) -> str:
    assert entry.content is not None
    return entry.content.value


# What a channel carries


def test_a_channel_says_who_it_is_in_ids_that_no_move_changes() -> None:
    channel = replace(WIRE, description="All of it.", language="fr")
    feed = composed(story(1), channel=channel)
    assert feed.id == "tag:desk.example,2025-01-01:channel/wire"
    moved = composed(channel=channel, site=replace(SITE, url="https://elsewhere.example"))
    assert moved.id == feed.id
    assert [(link.rel, link.href) for link in feed.links] == [
        ("self", "https://desk.example/channels/wire.atom"),
        ("alternate", "https://desk.example/channels/wire"),
    ]
    assert (feed.title, feed.subtitle, feed.language, feed.rights) == (
        "The wire",
        "All of it.",
        "fr",
        "CC BY",
    )
    assert composed().language == "en"


def test_a_channel_was_updated_when_its_newest_entry_was() -> None:
    assert composed(story(1), story(2, published=NOW - HOUR)).updated == NOW - HOUR
    assert composed().updated == datetime.fromisoformat("2025-01-01T00:00:00+00:00")


def test_a_channel_carries_the_newest_and_no_more_than_it_may() -> None:
    wire = [story(n, published=NOW - n * HOUR) for n in range(1, 6)]
    assert titles(composed(*wire, channel=replace(WIRE, entries=3))) == ["Story 1", "Story 2", "Story 3"]


def test_a_channel_takes_only_its_topics() -> None:
    channel = replace(WIRE, topics=("talks",))
    wire = [story(1, topics=("talks", "gulf")), story(2, topics=("gulf",)), story(3)]
    other = replace(brief(topics=("gulf",)), slug="gulf")
    assert titles(composed(*wire, channel=channel, briefs=[other])) == ["Story 1"]
    assert titles(composed(*wire, channel=channel, briefs=[brief()])) == ["Talks open in Riyadh", "Story 1"]


def test_a_channel_of_one_language_takes_its_stories_and_every_brief() -> None:
    channel = replace(WIRE, languages=("fr",))
    wire = [story(1, language="fr"), story(2, language="en"), story(3, language=None)]
    assert titles(composed(*wire, channel=channel, briefs=[brief()])) == ["Talks open in Riyadh", "Story 1"]


def test_a_channel_carries_briefs_or_stories_or_both() -> None:
    def carried(*kinds: Any) -> list[str]:
        return titles(composed(story(1), channel=replace(WIRE, carries=kinds), briefs=[brief()]))

    assert carried("briefs") == ["Talks open in Riyadh"]
    assert carried("stories") == ["Story 1"]
    assert carried("briefs", "stories") == ["Talks open in Riyadh", "Story 1"]


def test_a_story_that_two_sources_tell_is_in_a_channel_once() -> None:
    same_page = story(2, url="http://wire.example/1?utm_source=x", published=NOW - HOUR)
    same_id = story(3, entry_id=story(1).entry_id, url=None)
    assert titles(composed(story(1), same_page)) == ["Story 2"]
    assert titles(composed(story(1), same_id)) == ["Story 3"]


def test_stories_of_one_minute_are_set_apart_in_the_order_in_which_they_came() -> None:
    feed = composed(story(2), story(1), story(3))
    assert [(entry.title, entry.updated) for entry in feed.entries] == [
        ("Story 3", NOW - 2 * HOUR + 2 * SECOND),
        ("Story 2", NOW - 2 * HOUR + SECOND),
        ("Story 1", NOW - 2 * HOUR),
    ]


def test_a_newcomer_takes_no_second_that_another_stands_on() -> None:
    wire = [story(1), story(2, published=NOW - 2 * HOUR + SECOND)]
    before = composed(*wire).entries
    after = composed(*wire, story(3))
    assert after.entries[1:] == before
    assert (after.entries[0].title, after.updated) == ("Story 3", NOW - 2 * HOUR + 2 * SECOND)


def test_a_brief_of_the_same_second_moves_no_story_though_its_number_is_small() -> None:
    fresh = story(90, published=None)
    before = composed(fresh).entries[0]
    after = composed(fresh, briefs=[brief()])
    assert before in after.entries
    assert [entry.updated for entry in after.entries] == [NOW + SECOND, NOW]


moments = st.integers(0, 6)


@st.composite
def wires(draw: st.DrawFn) -> list[Story]:
    """Stories in the order in which they came; some share a page, an id or a second."""
    found, came = [], NOW
    for number in range(1, draw(st.integers(2, 10))):
        came += draw(moments) * SECOND
        dated = draw(st.none() | moments.map(lambda n: NOW - HOUR + n * SECOND))
        page = draw(st.none() | st.integers(1, 12))
        found.append(
            story(
                number,
                published=dated,
                first_seen=came,
                changed_at=came,
                versions=draw(st.integers(1, 2)),
                url=page and f"https://wire.example/{page}",
                entry_id=f"tag:wire.example,2025:{draw(st.integers(1, 12))}",
            )
        )
    return found


@given(wires(), st.integers(1, 8))
def test_every_id_every_page_and_every_second_is_in_a_channel_once(wire: list[Story], entries: int) -> None:
    feed = composed(*wire, channel=replace(WIRE, entries=entries))
    for values in (
        [entry.id for entry in feed.entries],
        [canonical(entry.url) for entry in feed.entries if entry.url],
        [entry.updated for entry in feed.entries],
    ):
        assert len(values) == len(set(values))
    assert len(feed.entries) <= entries
    assert list(feed.entries) == sorted(feed.entries, key=lambda e: e.updated or NOW, reverse=True)


@given(wires(), st.integers(1, 8))
def test_a_newcomer_moves_nobody(wire: list[Story], entries: int) -> None:
    channel = replace(WIRE, entries=entries)
    before = {entry.id: entry for entry in composed(*wire[:-1], channel=channel).entries}
    after = {entry.id: entry for entry in composed(*wire, channel=channel).entries}
    after.pop(wire[-1].entry_id, None)
    assert all(after[id] == before[id] for id in after.keys() & before.keys())


@given(wires(), st.randoms())
def test_the_order_in_which_stories_are_handed_over_is_no_matter(wire: list[Story], random: Any) -> None:
    shuffled = list(wire)
    random.shuffle(shuffled)
    assert composed(*shuffled) == composed(*wire)


# A story passed through


def passed(**more: Any) -> Entry:
    return story_entry(story(1, **more), SITE, TITLES)


def test_a_story_passed_through_keeps_its_id_author_source_and_rights() -> None:
    told = Entry(authors=(Person("Ada Byron"),), rights="© Ada")
    origin = Origin(id="urn:harbour", title="Harbour Wire World", updated=NOW, rights="© Harbour")
    entry = passed(entry=told, origin=origin, source_rights="Summaries only")
    assert entry.id == "tag:wire.example,2025:1"
    assert (entry.authors, entry.rights) == ((Person("Ada Byron"),), "© Ada")
    assert entry.origin == Origin(
        id="urn:harbour",
        title="Harbour Wire World",
        links=(
            Link("https://wire.example/feed", rel="self"),
            Link("https://wire.example/", rel="alternate", type="text/html"),
        ),
        updated=NOW - 2 * HOUR,
        rights="Summaries only",
    )


def test_a_story_passed_through_names_its_feed_where_that_says_nothing_of_itself() -> None:
    origin = passed(source_site=None).origin
    assert origin is not None
    assert (origin.id, origin.title) == ("https://wire.example/feed", "Harbour Wire")
    assert [link.rel for link in origin.links] == ["self"]


def test_the_address_of_a_feed_that_is_paid_for_is_told_to_nobody() -> None:
    paid = "https://wire.example/feed?api_key=9f86d081884c7d65"
    entry = passed(source_url=paid, origin=Origin(id=paid, title="Harbour Wire"))
    assert "9f86d081884c7d65" not in repr(entry)
    assert entry.origin is not None
    assert (entry.origin.id or "").startswith("urn:uuid:")
    assert passed(source_url=paid).origin == replace(entry.origin, title="Harbour Wire")


def test_a_story_that_already_came_from_elsewhere_keeps_its_first_source() -> None:
    first = Origin(id="https://first.example/feed", title="First")
    assert passed(entry=Entry(origin=first)).origin == first
    nameless = passed(entry=Entry(origin=Origin(title="Somebody"))).origin
    assert nameless is not None
    assert nameless.title == "Harbour Wire"


def test_only_the_summary_of_a_story_is_passed_on() -> None:
    entry = passed(entry=Entry(content=Text("They met. They left.")))
    assert (entry.summary, entry.content) == (Text("They met."), None)
    assert passed(summary="").summary is None


def test_a_story_without_author_is_its_sources() -> None:
    assert passed().authors == (Person("Harbour Wire"),)


def test_a_story_without_title_is_called_by_its_first_words_or_its_address() -> None:
    assert passed(title="").title == "They met."
    assert passed(title="", summary="").title == "https://wire.example/1"
    assert passed(title="", summary="", url=None).title == "tag:wire.example,2025:1"


def test_a_story_without_page_has_no_link() -> None:
    assert passed(url=None).links == ()
    assert passed().links == (Link("https://wire.example/1", type="text/html", hreflang="en"),)


def test_a_story_is_updated_when_its_text_changed_and_not_before() -> None:
    assert passed().updated == passed().published == NOW - 2 * HOUR
    changed = passed(versions=2, changed_at=NOW + HOUR)
    assert (changed.published, changed.updated) == (NOW - 2 * HOUR, NOW + HOUR)


def test_a_story_from_the_future_is_published_when_it_was_first_seen() -> None:
    assert passed(published=NOW + HOUR).published == NOW
    assert passed(published=None).published == NOW


def test_a_storys_pictures_come_along_without_their_previews() -> None:
    picture, preview = (
        Enclosure("https://x.example/a.jpg"),
        Enclosure("https://x.example/t.jpg", is_thumbnail=True),
    )
    assert passed(entry=Entry(enclosures=(picture, preview))).enclosures == (picture,)


def test_a_storys_topics_are_its_categories() -> None:
    scheme, kind = "https://desk.example/topics", "https://desk.example/kinds"
    assert passed(topics=("talks", "gulf")).categories == (
        Category("talks", scheme, "Peace talks"),
        Category("gulf", scheme, "gulf"),
        Category("story", kind, "Story"),
    )


def test_the_language_of_a_story_is_detected_or_else_as_its_feed_says() -> None:
    assert passed(language="uk").language == "uk"
    assert passed(language=None, entry=Entry(language="tlh")).language == "tlh"


# A brief


def test_a_brief_shows_its_paragraphs_and_its_label() -> None:
    entry = brief_entry(brief(), SITE, TITLES)
    assert entry.id == brief_id(SITE, "riyadh") == "tag:desk.example,2025-01-01:brief/riyadh"
    assert entry.links == (Link("https://desk.example/briefs/riyadh", type="text/html", hreflang="en"),)
    assert shown(entry) == (
        "<p><strong>Situation</strong>: the two delegations met for the first time this year.</p>\n"
        "<p>They agreed to meet again, and said &lt;nothing&gt; more.</p>"
    )
    assert str(entry.summary).startswith("Situation: the two")
    assert (entry.published, entry.updated, entry.authors) == (NOW, NOW, (Person("The editors"),))
    assert entry.categories[-1] == Category("brief", "https://desk.example/kinds", "Brief")


def test_a_heading_above_a_paragraph_is_no_part_of_it() -> None:
    text = read_brief("Talks\n\n2025-02-18\n\n## Situation\n\nThe two delegations met for the first time.\n")
    entry = brief_entry(replace(brief(), text=text), SITE, TITLES)
    assert shown(entry) == "<p>The two delegations met for the first time.</p>"


def test_a_brief_whose_text_was_emptied_still_has_a_summary() -> None:
    text = read_brief(TEXT)
    entry = brief_entry(replace(brief(), text=replace(text, passages=text.passages[:1])), SITE, TITLES)
    assert (str(entry.summary), shown(entry)) == ("Talks open in Riyadh", "")


def test_a_brief_names_its_sources_in_its_text_and_as_links() -> None:
    wire = [story(1, title="A <b>"), story(2, language=None), story(3, url=None)]
    links = [pick("p2", 2, Role.BACKGROUND), pick("p1", 1), pick("p1", 3)]
    entry = brief_entry(brief(act(links=links), stories=wire), SITE, TITLES)
    assert entry.links[1:] == (
        Link("https://wire.example/1", "via", "text/html", "en", "Harbour Wire: A <b>"),
        Link("https://wire.example/2", "related", "text/html", None, "Harbour Wire: Story 2"),
    )
    assert shown(entry).endswith(
        "<p>Sources</p>\n<ul>\n"
        '<li><a href="https://wire.example/1" hreflang="en">A &lt;b&gt;</a>, Harbour Wire</li>\n'
        '<li><a href="https://wire.example/2" hreflang="">Story 2</a>, Harbour Wire</li>\n'
        "</ul>"
    )


def test_a_page_picked_twice_is_named_once_in_its_strongest_role() -> None:
    wire = [story(1), story(2, url="https://wire.example/1?utm_source=b")]
    links = [pick("p1", 1, Role.BACKGROUND), pick("p2", 2, Role.QUOTE)]
    entry = brief_entry(brief(act(links=links), stories=wire), SITE, TITLES)
    assert [(link.href, link.rel) for link in entry.links[1:]] == [("https://wire.example/1", "via")]


def test_a_pick_of_a_passage_that_is_no_more_comes_last() -> None:
    links = [pick("p9", 1), pick("p1", 2)]
    entry = brief_entry(brief(act(links=links), stories=[story(1), story(2)]), SITE, TITLES)
    assert [link.href[-1] for link in entry.links[1:]] == ["2", "1"]


def test_a_corrected_brief_shows_its_note_first_and_moves_updated() -> None:
    acts = [
        act(),
        act(Act.CORRECTED, NOW + HOUR, why="The <date> was wrong."),
        act(Act.UPDATED, NOW + 2 * HOUR),
    ]
    entry = brief_entry(brief(*acts), SITE, TITLES)
    assert shown(entry).startswith(
        "<p><em>Corrected on 18 February 2025: The &lt;date&gt; was wrong.</em></p>\n"
    )
    assert (entry.published, entry.updated) == (NOW, NOW + 2 * HOUR)


def test_a_withdrawn_brief_leaves_a_tombstone_and_a_notice_under_the_same_id() -> None:
    gone = brief(
        act(links=[pick("p1", 1)]), act(Act.WITHDRAWN, NOW + HOUR, why="It was <false>."), stories=[story(1)]
    )
    feed = composed(briefs=[gone])
    (entry,), (stone,) = feed.entries, feed.tombstones
    assert entry.id == stone.ref == brief_id(SITE, "riyadh")
    assert entry.title == "Withdrawn: Talks open in Riyadh"
    assert (
        shown(entry) == "<p>This brief was withdrawn on 18 February 2025. Reason: It was &lt;false&gt;.</p>"
    )
    assert [link.rel for link in entry.links] == ["alternate"]
    assert (stone.when, stone.by, stone.comment) == (NOW + HOUR, Person("The editors"), "It was <false>.")


def test_a_brief_withdrawn_without_a_reason_says_just_that() -> None:
    feed = composed(briefs=[brief(act(), act(Act.WITHDRAWN, NOW + HOUR))])
    assert shown(feed.entries[0]) == "<p>This brief was withdrawn on 18 February 2025.</p>"
    assert feed.tombstones[0].comment is None


def test_a_brief_that_stands_has_no_tombstone() -> None:
    assert composed(briefs=[brief()]).tombstones == ()
