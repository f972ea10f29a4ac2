from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from aggregator.errors import BadInput
from aggregator.flows.channels import Answer, Difference, Preview, explain, in_short, preview
from aggregator.flows.editorial import publish_brief, withdraw_brief
from aggregator.flows.plans import Press
from aggregator.rules.channels import Channel
from aggregator.rules.topics import compile_topic
from aggregator.store import carried
from feeds.errors import RenderError
from feeds.write import atom
from tests.conftest import NOW
from tests.flows.briefs import SLUG, TEXT, brief, release, write
from tests.flows.wire import EVERYTHING, SITE, TALKS, Desk, entry

PRESS = Press(SITE, {TALKS.slug: compile_topic(TALKS)})
ONE = replace(EVERYTHING, entries=1)
ON_TALKS = replace(EVERYTHING, topics=("talks",))
EVERY_STORY = "This channel carries every story."


def looked(desk: Desk, channel: Channel = EVERYTHING) -> Preview:
    """What the next rendering of a channel would change."""
    return desk.database.read_now(partial(preview, channel=channel, press=PRESS, now=desk.clock()))


def told(desk: Desk, channel: Channel = EVERYTHING) -> list[tuple[str, str, str]]:
    """What would happen to each entry: what, its title, why."""
    return [(step.what, step.row.entry.title, step.why) for step in looked(desk, channel).steps]


def answers(desk: Desk, what: str, channel: Channel = EVERYTHING) -> list[Answer]:
    """Why a channel carries what is named so, or why not."""
    return desk.database.read_now(partial(explain, channel=channel, press=PRESS, what=what, now=desk.clock()))


def why(desk: Desk, what: str, channel: Channel = EVERYTHING) -> tuple[bool, str]:
    """The one answer: whether it is in, and why."""
    (found,) = answers(desk, what, channel)
    return found.is_in, found.why


def number(desk: Desk, title: str) -> str:
    """The number of the story whose title begins so."""
    (found,) = [story for story in desk.stories() if story.title.startswith(title)]
    return str(found.id)


async def test_before_its_first_rendering_all_that_a_channel_carries_comes(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    assert told(desk) == [
        ("comes", "Talks go into day 2", EVERY_STORY),
        ("comes", "Talks go into day 1", EVERY_STORY),
    ]
    assert (looked(desk).now, looked(desk).then) == (0, 2)


async def test_a_preview_writes_nothing(desk: Desk) -> None:
    await desk.hears(entry(1))
    looked(desk)
    assert desk.database.read_now(lambda s: carried.present(s, "wire")) == {}
    assert desk.database.read_now(carried.newest_change) == 0


async def test_nothing_changes_once_it_is_rendered(desk: Desk) -> None:
    await desk.hears(entry(1))
    await desk.publish()
    assert looked(desk) == Preview((), 1, 1, is_more=False)


async def test_a_story_that_changed_shows_each_part_as_it_was_and_as_it_will_be(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    await desk.publish()
    desk.clock.move(timedelta(minutes=1))
    desk.wire.says(entry(1, "Talks break off"), entry(2))
    await desk.poll()
    (step,) = looked(desk).steps
    assert step.what == "changes"
    assert Difference("title", "Talks go into day 1", "Talks break off") in step.differences
    assert {one.part for one in step.differences} == {"title", "updated", "revision"}


async def test_what_has_no_room_any_more_goes_and_says_why(desk: Desk) -> None:
    await desk.hears(entry(1))
    await desk.publish(ONE)
    desk.wire.says(entry(1), entry(2))
    await desk.poll()
    assert told(desk, ONE) == [
        ("comes", "Talks go into day 2", EVERY_STORY),
        ("goes", "Talks go into day 1", "The 1 newest entries fill this channel."),
    ]


async def test_what_never_has_room_passes_to_the_archive(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    assert [(what, title) for what, title, _ in told(desk, ONE)] == [
        ("comes", "Talks go into day 2"),
        ("passes", "Talks go into day 1"),
    ]


async def test_what_is_too_large_for_the_document_is_known_before(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    await desk.publish()
    small = replace(EVERYTHING, body_bytes=100)
    (step,) = looked(desk, small).steps
    assert (step.what, step.row.entry.title) == ("goes", "Talks go into day 1")
    assert step.why == "The newer entries fill the 100 bytes of this channel's documents."


async def test_a_channel_with_another_condition_shows_what_it_would_lose(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2, "Harbour strike ends"))
    await desk.match(TALKS)
    await desk.publish(topics=[TALKS])
    assert told(desk, ON_TALKS) == [
        ("goes", "Harbour strike ends", "It belongs to no topic of this channel (Talks).")
    ]


async def test_a_withdrawal_is_shown_with_its_reason_and_the_notice(desk: Desk) -> None:
    await write(desk)
    await release(desk)
    await desk.publish()
    desk.clock.move(timedelta(minutes=1))
    await withdraw_brief(desk.database, desk.clock, SLUG, by="ada", why="It was never said.")
    (step,) = looked(desk).steps
    assert (step.what, step.why) == ("withdrawn", "It was never said.")
    assert {"title", "content", "is_withdrawn"} <= {one.part for one in step.differences}
    assert Difference("is_withdrawn", "no", "yes") in step.differences


async def test_what_a_preview_shows_is_what_the_next_rendering_does(desk: Desk) -> None:
    channel = replace(EVERYTHING, entries=3)
    await desk.hears(entry(1), entry(2), entry(3))
    await desk.publish(channel)
    had = {e.id for e in desk.received().entries}
    desk.wire.says(entry(2), entry(3), entry(4), entry(5))
    await desk.poll()
    steps = looked(desk, channel).steps
    await desk.publish(channel)
    has = {e.id for e in desk.received().entries}
    assert {step.row.entry_id for step in steps if step.what == "comes"} == has - had
    assert {step.row.entry_id for step in steps if step.what == "goes"} == had - has
    assert looked(desk, channel).steps == ()


async def test_an_entry_that_cannot_be_written_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.hears(entry(1), entry(2))

    def refuse(one: object, *, language: str | None) -> bytes:
        raise RenderError("its id is no URI")

    monkeypatch.setattr(atom, "entry_fragment", refuse)
    assert looked(desk).steps == ()
    assert why(desk, number(desk, "Talks go into day 1")) == (
        False,
        "It cannot be published: its id is no URI",
    )


async def test_a_story_is_in_for_the_reason_that_decided_it(desk: Desk) -> None:
    await desk.hears(entry(1))
    await desk.match(TALKS)
    (story,) = desk.stories()
    for name in (str(story.id), "https://wire.example/stories/1", "tag:wire.example,2025:1"):
        assert why(desk, name, ON_TALKS) == (True, "It belongs to Talks.")


async def test_an_answer_says_whether_subscribers_have_it_so(desk: Desk) -> None:
    await desk.hears(entry(1))
    (before,) = answers(desk, "1")
    await desk.publish()
    (after,) = answers(desk, "1")
    assert (before.is_in, before.is_rendered) == (True, False)
    assert (after.is_in, after.is_rendered) == (True, True)


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        (ON_TALKS, "It belongs to no topic of this channel (Talks)."),
        (replace(EVERYTHING, carries=("briefs",)), "This channel carries no stories."),
        (replace(EVERYTHING, languages=("fr", "uk")), "It is in en, and not in fr, uk."),
        (replace(EVERYTHING, sources=("other.example",)), "Its source is none of this channel's."),
        (replace(EVERYTHING, query="wheat"), "The search 'wheat' does not find it."),
        (
            replace(EVERYTHING, age=timedelta(hours=24)),
            "It is older than the 24 hours that this channel keeps.",
        ),
    ],
)
async def test_a_story_that_is_not_in_misses_a_condition(desk: Desk, channel: Channel, said: str) -> None:
    await desk.hears(entry(1, "Harbour strike ends", description="Cranes move again in the port today."))
    await desk.match(TALKS)
    assert why(desk, "1", channel) == (False, said)


async def test_a_story_that_fell_out_of_the_window_long_ago_says_so(desk: Desk) -> None:
    await desk.hears(*(entry(n) for n in range(1, 8)))
    await desk.publish(ONE)
    oldest = number(desk, "Talks go into day 1")
    assert why(desk, oldest, ONE) == (False, "The 1 newest entries fill this channel.")
    assert answers(desk, oldest, ONE)[0].is_rendered


async def test_a_story_whose_page_stands_already_names_its_twin(desk: Desk) -> None:
    await desk.hears(entry(1))
    other = desk.wire.says(entry(2, link="https://wire.example/stories/1"), path="/other")
    await desk.follow(other)
    await desk.poll()
    await desk.publish()
    newer, older = number(desk, "Talks go into day 2"), number(desk, "Talks go into day 1")
    assert why(desk, newer) == (True, EVERY_STORY)
    said = f"Its page stands under story {newer} already: Talks go into day 2 (Harbour Wire)."
    assert why(desk, older) == (False, said)


async def test_a_draft_is_in_no_channel_and_says_how_it_gets_there(desk: Desk) -> None:
    await write(desk)
    said = f"It is a draft, and nobody has it before `wirebrief briefs publish {SLUG}`."
    assert why(desk, SLUG) == (False, said)


async def test_a_brief_under_embargo_says_until_when(desk: Desk) -> None:
    await write(desk)
    at = NOW + timedelta(hours=2)
    await publish_brief(desk.database, desk.clock, SLUG, by="ada", at=at)
    said = f"It is a draft until it is published by itself at {at:%Y-%m-%dT%H:%M:%SZ}."
    assert why(desk, SLUG) == (False, said)


async def test_a_brief_is_named_by_its_name_number_page_and_id(desk: Desk) -> None:
    await write(desk)
    await release(desk)
    page, id = SITE.page(f"briefs/{SLUG}"), SITE.tag(f"brief/{SLUG}")
    for name in (SLUG, str(brief(desk).id), page, id):
        assert why(desk, name) == (True, "This channel carries every brief.")


async def test_a_brief_of_another_desk_is_not_in(desk: Desk) -> None:
    slug = await write(desk, TEXT.replace("2025-02-18\n", "").join(["---\ndesk: Asia\n---\n", ""]))
    await publish_brief(desk.database, desk.clock, slug, by="ada")
    europe = replace(EVERYTHING, desks=("Europe",))
    assert why(desk, slug, europe) == (False, "It is of Asia, and not of Europe.")


async def test_a_withdrawn_brief_leaves_its_notice_and_says_why(desk: Desk) -> None:
    await write(desk)
    await release(desk)
    await desk.publish()
    desk.clock.move(timedelta(minutes=1))
    await withdraw_brief(desk.database, desk.clock, SLUG, by="ada", why="It was never said.")
    (found,) = answers(desk, SLUG)
    assert (found.is_in, found.is_rendered) == (True, False)
    assert found.why == "It was withdrawn (It was never said.): its notice stands here."


async def test_a_number_may_name_a_brief_and_a_story(desk: Desk) -> None:
    await desk.hears(entry(1))
    await write(desk)
    assert [(one.kind, one.ref) for one in answers(desk, "1")] == [("brief", 1), ("story", 1)]


async def test_a_name_of_nothing_is_refused(desk: Desk) -> None:
    with pytest.raises(BadInput, match=r"There is no story and no brief 'https://nobody.example/'"):
        answers(desk, "https://nobody.example/")


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("Talks go on", "Talks break off", ("Talks go on", "Talks break off")),
        ("", "Talks", ("", "Talks")),
        ("a" * 100 + "b", "a" * 100 + "c", ("…aaaaaab", "…aaaaaac")),
        ("Talks and more talks follow", "Talk", ("Talks and more talks…", "Talk")),
    ],
)
def test_long_words_are_shown_where_they_differ(old: str, new: str, shown: tuple[str, str]) -> None:
    assert in_short(Difference("title", old, new), 20) == shown
