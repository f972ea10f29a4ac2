from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model import Act, Reuse, Story
from aggregator.outgoing import Carried, Told
from aggregator.rules.carrying import Plan, draw, fit, tombstone_of, without
from aggregator.rules.channels import Channel, Judgement, channel_id, digest_of, judge
from aggregator.rules.entries import Published, brief_candidate, story_candidate
from aggregator.rules.topics import known_as
from feeds.model import Entry
from tests.conftest import NOW
from tests.rules.test_channels import HOUR, SECOND, SITE, TITLES, WIRE, act, brief, story

EDITS = 1_000


def told(plan: Plan, *, since: int = 0) -> dict[str, Carried]:
    """The rows of a plan as the store keeps them: numbered."""
    rows: dict[str, Carried] = {}
    number = since
    for row in plan.changed({}):
        if row.change == 0:
            number += 1
            row = replace(row, change=number)
        rows[row.entry_id] = row
    return rows


def planned(
    *stories: Story,
    briefs: Iterable[Published] = (),
    before: Mapping[str, Carried] | None = None,
    channel: Channel = WIRE,
    now: datetime = NOW,
    taken: Iterable[datetime] = (),
) -> Plan:
    candidates = [story_candidate(one, SITE, TITLES) for one in stories]
    candidates += [brief_candidate(one, SITE, TITLES) for one in briefs]
    return draw(channel, candidates, before=before or {}, taken=set(taken), titles=TITLES, now=now)


def judged(channel: Channel, one: Story | Published, **more: Any) -> Judgement:
    make = story_candidate if isinstance(one, Story) else brief_candidate
    return judge(channel, make(one, SITE, TITLES), TITLES, **more)  # type: ignore[arg-type]


# What is told anew


def test_what_did_not_change_is_told_to_nobody() -> None:
    before = told(planned(story(1), story(2)))
    assert planned(story(1), story(2), before=before).changed(before) == []


def test_what_changed_is_told_under_a_new_number_and_moves_on() -> None:
    before = told(planned(story(1), story(2)))
    edited = story(1, title="Story 1, corrected", versions=2, changed_at=NOW + HOUR)
    (row,) = planned(edited, story(2), before=before, now=NOW + HOUR).changed(before)
    assert (row.entry.title, row.change, row.told) == ("Story 1, corrected", 0, Told.PUT)
    assert row.entry.updated == NOW + HOUR
    assert row.changed_at == NOW + HOUR


def test_a_change_that_is_no_news_moves_no_date() -> None:
    before = told(planned(story(1)))
    (row,) = planned(story(1, topics=("talks",)), before=before).changed(before)
    assert row.change == 0
    assert row.entry.updated == before[row.entry_id].entry.updated


def test_an_edit_that_its_feed_dates_back_still_moves_forward() -> None:
    before = told(planned(story(1, published=NOW - HOUR)))
    older = story(1, published=NOW - 3 * HOUR, title="Dated back")
    (row,) = planned(older, before=before).changed(before)
    assert row.entry.updated == NOW - HOUR + SECOND


def test_a_story_that_leaves_the_window_is_told_to_nobody_and_comes_back_as_it_was() -> None:
    narrow = replace(WIRE, entries=1)
    before = told(planned(story(1), channel=narrow))
    later = story(2, published=NOW - HOUR)
    plan = planned(story(1), later, before=before, channel=narrow)
    (left,) = plan.others
    assert (left.is_present, left.change, left.told) == (False, 1, Told.PUT)
    assert left.why == "The 1 newest entries fill this channel."
    after = told(plan, since=1)
    back = planned(story(1), before=after, channel=narrow)
    assert [row.change for row in back.present] == [1]


def test_a_story_without_room_is_told_all_the_same() -> None:
    # More may come between two renderings than a document has room for.
    plan = planned(*(story(n) for n in range(1, 5)), channel=replace(WIRE, entries=1))
    assert len(plan.present) == 1
    assert [row.change for row in plan.changed({})] == [0, 0, 0, 0]


def test_an_entry_stays_no_longer_than_its_channel_keeps_it() -> None:
    plan = planned(
        story(1), story(2, published=NOW - 90 * HOUR), channel=replace(WIRE, age=timedelta(days=2))
    )
    assert [row.ref for row in plan.present] == [1]
    assert plan.others[0].why == "It is older than the 2 days that this channel keeps."


def test_what_no_longer_belongs_is_removed_once_with_the_reason() -> None:
    talks = replace(WIRE, topics=("talks",))
    before = told(planned(story(1, topics=("talks",)), channel=talks))
    plan = planned(story(1), before=before, channel=talks)
    (row,) = plan.changed(before)
    assert (row.told, row.is_present, row.change) == (Told.REMOVED, False, 0)
    assert row.why == "It belongs to no topic of this channel (Peace talks)."
    after = told(plan, since=1)
    assert planned(story(1), before=after, channel=talks).changed(after) == []


def test_what_never_belonged_leaves_no_trace() -> None:
    plan = planned(story(1), channel=replace(WIRE, topics=("talks",)))
    assert plan == Plan((), ())


def test_a_removed_story_that_belongs_again_is_told_again() -> None:
    talks = replace(WIRE, topics=("talks",))
    before = told(planned(story(1, topics=("talks",)), channel=talks))
    gone = told(planned(story(1), before=before, channel=talks), since=1)
    (row,) = planned(story(1, topics=("talks",)), before=gone, channel=talks).changed(gone)
    assert (row.told, row.is_present, row.change) == (Told.PUT, True, 0)


def test_a_page_that_moves_to_another_entry_takes_the_old_one_away() -> None:
    before = told(planned(story(1)))
    twin = story(2, url="http://wire.example/1?utm_source=x", published=NOW - HOUR)
    rows = {row.ref: row for row in planned(story(1), twin, before=before).changed(before)}
    assert rows[1].told is Told.REMOVED
    assert rows[1].why == "Its page stands under another entry."
    assert rows[2].told is Told.PUT


def test_a_second_on_which_the_past_stands_is_not_given_again() -> None:
    plan = planned(story(1), taken=[NOW - 2 * HOUR, NOW - 2 * HOUR + SECOND])
    assert plan.present[0].entry.updated == NOW - 2 * HOUR + 2 * SECOND


def test_the_same_story_of_two_sources_is_not_taken_for_an_edit() -> None:
    before = told(planned(story(1)))
    # The same id in another feed, dated earlier: the one that subscribers have stays.
    other = story(9, entry_id=story(1).entry_id, published=NOW - 5 * HOUR, url=None)
    assert planned(story(1), other, before=before).changed(before) == []


@given(st.integers(0, 2**32))
def test_an_edit_moves_only_what_was_edited(seed: int) -> None:
    check_edits(random.Random(seed), edits=20)


def test_a_thousand_edits_move_only_what_was_edited() -> None:
    check_edits(random.Random(7), edits=EDITS)


def check_edits(dice: random.Random, *, edits: int) -> None:
    """Random edits of a crowded wire: `updated` moves on what was edited, forward, and on nothing else."""
    wire = {n: story(n, published=NOW - timedelta(minutes=dice.randrange(5))) for n in range(1, 30)}
    channel = replace(WIRE, entries=20)
    rows = told(planned(*wire.values(), channel=channel))
    now = NOW
    for _ in range(edits):
        now += timedelta(seconds=dice.randrange(3))
        number = dice.randrange(1, 40)
        known = wire.get(number)
        title = f"Story {number}, told {dice.random()}"
        wire[number] = (
            replace(known, title=title, versions=known.versions + 1, changed_at=now)
            if known
            else story(
                number, first_seen=now, changed_at=now, published=now - timedelta(minutes=dice.randrange(3))
            )
        )
        plan = planned(*wire.values(), before=rows, channel=channel, now=now)
        new = told(plan, since=max(row.change for row in rows.values()))
        moved = {id for id in rows.keys() & new.keys() if rows[id].entry.updated != new[id].entry.updated}
        edited = wire[number].entry_id
        assert moved <= {edited}
        if known:
            assert moved == {edited}
            assert (new[edited].entry.updated or now) > (rows[edited].entry.updated or now)
        stands = [row.entry.updated for row in new.values()]
        assert len(stands) == len(set(stands))
        rows = rows | new


# Briefs


def withdrawn(at: datetime = NOW + HOUR) -> Published:
    return brief(act(), act(Act.WITHDRAWN, at, why="It was not so."))


def test_a_withdrawal_is_told_as_one_and_leaves_a_tombstone() -> None:
    before = told(planned(briefs=[brief()]))
    (row,) = planned(briefs=[withdrawn()], before=before).changed(before)
    assert (row.told, row.is_present) == (Told.WITHDRAWN, True)
    stone = tombstone_of(row, "The desk")
    assert (stone.ref, stone.when, stone.comment) == (row.entry_id, NOW + HOUR, "It was not so.")


def test_a_withdrawal_reaches_a_channel_that_the_brief_no_longer_belongs_to() -> None:
    talks = replace(WIRE, topics=("talks",))
    before = told(planned(briefs=[brief()], channel=talks))
    elsewhere = replace(withdrawn(), topics=())
    (row,) = planned(briefs=[elsewhere], before=before, channel=talks).changed(before)
    assert row.told is Told.WITHDRAWN
    assert row.why == "It was told here, so its correction or withdrawal is told here too."
    assert planned(briefs=[elsewhere], channel=talks).present == ()


def test_a_correction_reaches_a_channel_that_the_brief_no_longer_belongs_to() -> None:
    talks = replace(WIRE, topics=("talks",))
    before = told(planned(briefs=[brief()], channel=talks))
    corrected = replace(brief(act(), act(Act.CORRECTED, NOW + HOUR, why="The day.")), topics=())
    (row,) = planned(briefs=[corrected], before=before, channel=talks).changed(before)
    assert (row.told, row.entry.revision) == (Told.PUT, 2)


# What fits, and what cannot be written


def test_as_many_entries_stand_in_a_document_as_it_has_room_for() -> None:
    plan = planned(story(1), story(2), story(3))
    sizes = {row.entry_id: 400 for row in plan.present}
    fitting = fit(plan, sizes, 1000)
    assert [row.ref for row in fitting.present] == [3, 2]
    assert fitting.others[0].why == "The newer entries fill the 1,000 bytes of this channel's documents."
    assert fit(plan, sizes, 1200).present == plan.present


def test_one_entry_that_is_larger_than_the_room_stands_there_alone() -> None:
    plan = planned(story(1), story(2))
    assert len(fit(plan, {row.entry_id: 10_000 for row in plan.present}, 1000).present) == 1


def test_an_entry_that_cannot_be_written_is_left_out_and_taken_back_where_it_was_told() -> None:
    before = told(planned(story(1)))
    plan = planned(story(1), story(2), before=before)
    refused = {story(1).entry_id: "no id", story(2).entry_id: "no id"}
    (row,) = without(plan, refused, before, NOW).changed(before)
    assert (row.ref, row.told, row.why) == (1, Told.REMOVED, "It cannot be published: no id")


def test_a_field_that_a_later_program_knows_tells_nothing_anew() -> None:
    assert digest_of(Entry(id="urn:1")) == digest_of(Entry(id="urn:1", note=None, revision=1))
    assert digest_of(Entry(id="urn:1")) != digest_of(Entry(id="urn:1", title="x"))


# Why it is here, or not


@pytest.mark.parametrize(
    ("channel", "one", "why"),
    [
        (WIRE, story(1), "This channel carries every story."),
        (replace(WIRE, topics=("talks",)), story(1, topics=("talks",)), "It belongs to Peace talks."),
        (replace(WIRE, query="met -football"), story(1), "The search 'met -football' finds it."),
        (replace(WIRE, query="delegations"), brief(), "The search 'delegations' finds it."),
    ],
)
def test_what_is_carried_says_why(channel: Channel, one: Story | Published, why: str) -> None:
    assert judged(channel, one) == Judgement(True, why)


@pytest.mark.parametrize(
    ("channel", "one", "why"),
    [
        (replace(WIRE, carries=("briefs",)), story(1), "This channel carries no stories."),
        (replace(WIRE, carries=("stories",)), brief(), "This channel carries no briefs."),
        (replace(WIRE, topics=("gulf",)), story(1), "It belongs to no topic of this channel (gulf)."),
        (replace(WIRE, languages=("fr", "uk")), story(1), "It is in en, and not in fr, uk."),
        (
            replace(WIRE, languages=("fr",)),
            story(1, language=None),
            "It is in an unknown language, and not in fr.",
        ),
        (replace(WIRE, sources=("other.example",)), story(1), "Its source is none of this channel's."),
        (replace(WIRE, desks=("foreign",)), brief(), "It is of no desk, and not of foreign."),
        (replace(WIRE, query="football"), story(1), "The search 'football' does not find it."),
        (WIRE, story(1, source_reuse=Reuse.NONE), "Its source lets nothing be passed on."),
        (
            replace(WIRE, reuse=Reuse.FULL),
            story(1),
            "Its source lets only the summary be passed on, and this channel wants full.",
        ),
    ],
)
def test_what_is_not_carried_says_why_not(channel: Channel, one: Story | Published, why: str) -> None:
    assert judged(channel, one) == Judgement(False, why)


def test_a_source_is_named_by_its_address_its_host_or_its_title() -> None:
    for name in ("https://wire.example/feed", "wire.example", "HARBOUR wire"):
        assert judged(replace(WIRE, sources=(name,)), story(1)).is_in
    assert "paper.example" in known_as("https://www.paper.example/feed", "")


def test_briefs_come_whatever_languages_sources_and_rights_a_channel_asks_for() -> None:
    strict = replace(WIRE, languages=("fr",), sources=("x.example",), reuse=Reuse.FULL)
    assert judged(strict, brief()).is_in


def test_a_channel_with_a_new_name_keeps_its_id() -> None:
    renamed = replace(WIRE, slug="world", formerly=("wire", "news"))
    assert channel_id(renamed, SITE) == channel_id(WIRE, SITE)
