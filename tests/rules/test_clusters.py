from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from aggregator.language.reading import anchors
from aggregator.rules.cluster_window import ClusterSettings, Settled, Window, restored
from aggregator.rules.clusters import Decision, Joined, Merged, assign
from aggregator.rules.likeness import Across, Subject, Within
from aggregator.rules.readings import Arrival, overlap, read, runs, text_of
from tests.conftest import NOW

FIRE = (
    "Fire kills 40 at bar in Swiss ski resort Crans-Montana",
    "At least 40 people died and 115 were injured when a fire swept through a crowded bar in Crans-Montana "
    "during New Year celebrations, Swiss police said on Thursday.",
)
BLAZE = (
    "Swiss ski resort bar fire kills about 40 in Crans-Montana",
    "A fire at a crowded bar in the ski resort of Crans-Montana killed about 40 people and injured 115 "
    "during celebrations, Swiss police said.",
)
BRAND = (
    "Schweiz: 40 Tote bei Brand in Bar in Crans-Montana",
    "Bei einem Brand in einer Bar im Skiort Crans-Montana sind nach Angaben der Schweizer Polizei "
    "40 Menschen gestorben und 115 verletzt worden.",
)
MATCH = (
    "Cunha earns Manchester United a draw at Leeds",
    "Matheus Cunha scored late to earn Manchester United a point at Leeds in the Premier League.",
)


def story(
    number: int,
    told: tuple[str, str],
    *,
    language: str = "en",
    outlet: str = "",
    hours: float = 0,
    seen: datetime | None = None,
) -> Arrival:
    title, lead = told
    at = NOW + timedelta(hours=hours)
    return Arrival(
        id=number,
        language=language,
        outlet=outlet or f"outlet-{number}.example",
        at=at,
        seen=seen or at,
        title=title,
        lead=lead,
        anchors=tuple(anchors(text_of(title, lead), language, dateline=at.date())),
    )


def clusters(decisions: list[Decision]) -> dict[int, int]:
    """The cluster of each story in the end."""
    found: dict[int, int] = {}
    for each in decisions:
        if isinstance(each, Joined):
            found[each.story_id] = each.cluster_id
        else:
            found = {s: each.kept if c == each.gone else c for s, c in found.items()}
    return found


def joined(decisions: list[Decision], number: int) -> Joined:
    (found,) = [d for d in decisions if isinstance(d, Joined) and d.story_id == number]
    return found


def test_reports_of_one_event_meet_and_another_stays_alone() -> None:
    decided = assign([story(1, FIRE), story(2, MATCH), story(3, BLAZE)], Window())
    assert clusters(decided) == {1: 1, 2: 2, 3: 1}
    assert joined(decided, 2).why == "nothing like it came in these days"
    assert joined(decided, 2).score == 0


def test_reports_in_two_languages_meet_and_the_reason_names_both_spellings() -> None:
    decided = assign([story(1, FIRE), story(2, BRAND, language="de")], Window())
    assert clusters(decided) == {1: 1, 2: 1}
    why = joined(decided, 2).why
    assert why.endswith("shared with the one story")
    spans = [pair.split(" ↔ ") for pair in why.removesuffix(" shared with the one story").split(", ")]
    for pair in spans:
        assert pair[0] in text_of(*BRAND)
        assert pair[-1].casefold() in text_of(*FIRE).casefold()


def test_with_more_members_the_reason_counts_those_that_agree() -> None:
    decided = assign([story(1, FIRE), story(2, BLAZE), story(3, BRAND, language="de")], Window())
    assert joined(decided, 3).why.endswith("of 2 stories")


def test_the_same_text_elsewhere_is_a_copy() -> None:
    decided = assign([story(1, FIRE), story(2, ("Another headline for it", FIRE[1]))], Window())
    copy = joined(decided, 2)
    assert (copy.cluster_id, copy.copy_group) == (1, 1)
    assert copy.why == "same text as outlet-1.example: 100% of the runs of five words are shared"


def test_a_copy_of_a_copy_belongs_to_the_first_text() -> None:
    decided = assign([story(n, FIRE, hours=n) for n in (1, 2, 3)], Window())
    assert [d.copy_group for d in decided if isinstance(d, Joined)] == [1, 1, 1]


def test_the_same_headline_and_half_the_text_are_a_copy() -> None:
    longer = FIRE[1] + " Rescuers worked through the night and families waited outside for news of them."
    decided = assign([story(1, FIRE), story(2, (FIRE[0], longer))], Window())
    assert joined(decided, 2).copy_group == 1


def test_after_two_days_the_same_text_is_no_copy() -> None:
    decided = assign([story(1, FIRE), story(2, FIRE, hours=49)], Window())
    assert joined(decided, 2).copy_group == 2


def test_two_rewritten_leads_of_one_agency_are_a_copy() -> None:
    first = (FIRE[0], "CRANS-MONTANA (Reuters) - " + FIRE[1])
    second = (
        "Dozens dead in blaze at Alpine bar",
        "CRANS-MONTANA (Reuters) - At least 40 people died when a fire swept through a bar in Crans-Montana, "
        "Swiss police said, and 115 were injured as they marked the new year.",
    )
    decided = assign([story(1, first), story(2, second)], Window())
    assert joined(decided, 2).copy_group == 1
    assert joined(decided, 2).agency == "reuters"
    assert joined(decided, 2).why.startswith("reuters copy as at outlet-1.example: ")


def test_an_agencys_two_events_are_no_copies() -> None:
    first = (FIRE[0], "CRANS-MONTANA (Reuters) - " + FIRE[1])
    second = (MATCH[0], "LEEDS (Reuters) - " + MATCH[1] + " Crans-Montana was silent.")
    decided = assign([story(1, first), story(2, second)], Window())
    assert joined(decided, 2).copy_group == 2


def test_names_alone_never_suffice() -> None:
    one = ("Ushakov, Witkoff, Lavrov, Rubio", "Ushakov, Witkoff, Lavrov, Rubio, Waltz, Dmitriev.")
    window = Window(ClusterSettings(least=0.01, least_across=0.01, proof=0.01))
    decided = assign([story(1, one), story(2, (one[0], one[1] + " Ushakov."), language="fr")], window)
    assert clusters(decided) == {1: 1, 2: 2}


def test_after_four_days_nothing_is_of_one_event() -> None:
    long_ago = story(1, FIRE)
    late = story(2, BLAZE, hours=97, seen=NOW)
    assert clusters(assign([long_ago, late], Window())) == {1: 1, 2: 2}


def test_what_is_older_than_the_window_is_let_go() -> None:
    window = Window()
    assign([story(1, FIRE), story(2, MATCH, hours=200)], window)
    assert list(window.readings) == [2]
    assert list(window.members) == [2]


def test_every_issue_of_a_series_stands_alone() -> None:
    puzzle = "Can you make a longer word with each new letter of the Shuffalo puzzle for the weekend crowd?"
    issues = [
        story(1, ("Play Shuffalo: Thursday, January 1, 2026", puzzle), outlet="weekly.example"),
        story(2, ("Play Shuffalo: Friday, January 2, 2026", puzzle), outlet="weekly.example", hours=24),
    ]
    assert clusters(assign(issues, Window())) == {1: 1, 2: 2}


def test_an_outlets_headlines_that_return_a_day_later_are_a_series() -> None:
    lead = "Officers in the Grunwald district ask for help to identify a thief filmed by cameras in a shop."
    told = ("Grunwald police seek this man: do you know him?", lead)
    again = ("Grunwald police seek these men: do you know them?", lead)
    both = [story(1, told, outlet="town.example"), story(2, again, outlet="town.example", hours=25)]
    assert joined(assign(both, Window()), 2).cluster_id in (1, 2)
    apart = [
        both[0],
        replace(story(2, (again[0], "Another theft. " + lead[:60]), hours=25), outlet="town.example"),
    ]
    assert clusters(assign(apart, Window()))[2] == 2


def test_an_outlets_pages_that_only_end_alike_stay_apart() -> None:
    ending = " Become a member of Reclaim, support the fight for free speech, and get exclusive guides."
    told = [
        ("Scroll police meet amendment", "Judges ruled." + ending),
        ("France plans ban", "Teens react." + ending),
    ]
    both = [story(n, each, outlet="reclaim.example") for n, each in enumerate(told, 1)]
    assert clusters(assign(both, Window())) == {1: 1, 2: 2}


def test_titles_that_give_other_days_are_rarely_of_one_event() -> None:
    lead = FIRE[1]
    same = assign([story(1, ("Vigil for fire victims on January 5", lead)), story(2, BLAZE)], Window())
    other = [
        story(1, ("Crans-Montana fire: vigil January 5", BLAZE[1])),
        story(2, ("Crans-Montana fire: funeral January 9", FIRE[1])),
    ]
    assert joined(same, 2).cluster_id == 1
    assert joined(assign(other, Window()), 2).cluster_id == 2


def test_a_later_count_of_the_dead_weakens_a_likeness_a_little() -> None:
    later = (FIRE[0].replace("40", "47"), BLAZE[1])
    same = joined(assign([story(1, FIRE), story(2, (FIRE[0] + " bar", BLAZE[1]))], Window()), 2)
    other = joined(assign([story(1, FIRE), story(2, later)], Window()), 2)
    assert same.cluster_id == other.cluster_id == 1
    assert other.score < same.score


def test_a_story_joins_a_cluster_only_where_most_members_are_like_it() -> None:
    settings = ClusterSettings()
    window = Window(settings)
    for number, told in enumerate(
        (FIRE, MATCH, ("Rain in Riyadh", "Rain fell."), ("Oil rises", "Oil rose.")), 1
    ):
        window.keep(read(story(number, told)), 1, number)
    decided = assign([story(9, BLAZE)], window)
    assert clusters(decided) == {9: 9}


def test_two_clusters_whose_members_are_alike_are_merged_and_say_why() -> None:
    window = Window()
    window.keep(read(story(1, FIRE)), 1, 1)
    window.keep(read(story(2, BLAZE)), 2, 2)
    decided = assign([story(3, (FIRE[0], BLAZE[1]))], window)
    (merge,) = [d for d in decided if isinstance(d, Merged)]
    assert (merge.kept, merge.gone) == (1, 2)
    assert "pairs of their stories are alike" in merge.why
    assert dict(window.clusters) == {1: 1, 2: 1, 3: 1}


def test_clusters_that_an_editor_parted_are_never_merged_again() -> None:
    window = restored(
        [Settled(story(1, FIRE), 1, 1), Settled(story(2, BLAZE), 2, 2)],
        ClusterSettings(),
        [frozenset((1, 2))],
    )
    decided = assign([story(3, (FIRE[0], BLAZE[1]))], window)
    assert not [d for d in decided if isinstance(d, Merged)]
    window.merge(1, 3) if 3 in window.members else None
    assert frozenset((1, 2)) in window.parted


def test_clusters_that_only_one_story_connects_are_not_merged() -> None:
    window = Window()
    window.keep(read(story(1, FIRE)), 1, 1)
    window.keep(read(story(2, MATCH)), 2, 2)
    decided = assign([story(3, (FIRE[0] + ", and " + MATCH[0], FIRE[1] + " " + MATCH[1]))], window)
    assert not [d for d in decided if isinstance(d, Merged)]


def test_a_parted_pair_follows_a_merge() -> None:
    window = restored(
        [Settled(story(n, FIRE), n, n) for n in (1, 2, 3)], ClusterSettings(), [frozenset((2, 3))]
    )
    window.merge(1, 2)
    assert window.parted == {frozenset((1, 3))}


def test_a_new_version_of_a_story_that_was_alone_is_decided_anew() -> None:
    decided = assign([story(1, FIRE), story(2, MATCH), story(2, BLAZE, hours=1)], Window())
    assert clusters(decided) == {1: 1, 2: 1}


def test_a_new_version_of_a_story_in_company_changes_nothing() -> None:
    window = Window()
    assign([story(1, FIRE), story(2, BLAZE)], window)
    assert assign([story(2, MATCH, hours=1), story(1, MATCH, hours=1)], window) == []
    assert dict(window.clusters) == {2: 1, 1: 1}


def test_a_story_whose_company_left_the_window_stays_where_it_is() -> None:
    window = Window()
    assert assign([story(2, MATCH)], window, settled=[2]) == []
    assert not window.readings


@pytest.mark.parametrize("told", [("", ""), ("Fire", ""), ("", "Zurich.")])
def test_a_story_that_says_little_stays_alone(told: tuple[str, str]) -> None:
    decided = assign([story(1, told), story(2, told), story(3, told, language="fr")], Window())
    assert clusters(decided) == {1: 1, 2: 2, 3: 3}


def test_the_same_arrivals_give_the_same_decisions_also_after_a_restart() -> None:
    told = [FIRE, MATCH, BLAZE, (MATCH[0], MATCH[1] + " It rained.")]
    arrivals = [story(n, each, hours=n) for n, each in enumerate(told, 1)]
    arrivals.append(story(5, BRAND, language="de", hours=5))
    at_once = assign(arrivals, Window())
    before = assign(arrivals[:3], Window())
    placed = {d.story_id: d for d in before if isinstance(d, Joined)}
    settled = [Settled(a, placed[a.id].cluster_id, placed[a.id].copy_group) for a in arrivals[:3]]
    window = restored(settled, ClusterSettings(), [])
    assert before + assign(arrivals[3:], window) == at_once


def beside(one: Arrival, other: Arrival) -> Within | Across:
    """Two stories of a window, compared."""
    window = Window()
    for each in (one, other):
        window.keep(read(each), each.id, each.id)
    return Subject(window.readings[one.id], window.rarity).beside(window.readings[other.id])


def test_likeness_is_the_same_both_ways() -> None:
    for a, b in ((story(1, FIRE), story(2, BLAZE)), (story(1, FIRE), story(2, BRAND, language="de"))):
        there, back = beside(a, b), beside(b, a)
        assert there.score() == pytest.approx(back.score(), abs=0.02)
        assert 0.3 < there.score() <= 1
        assert there.kinds() == back.kinds()


def test_stories_that_share_nothing_are_not_alike() -> None:
    for language in ("en", "de"):
        found = beside(story(1, ("Rain", ""), language=language), story(2, MATCH))
        assert found.score() == 0
        assert found.shared() == ()
        assert found.telling(0, 1) == []


def test_a_story_is_compared_only_with_those_that_may_share_enough() -> None:
    window = Window()
    told = [(FIRE, "en"), (BRAND, "de"), (MATCH, "en"), (MATCH, "de")]
    for number, (each, language) in enumerate(told, 1):
        window.keep(read(story(number, each, language=language)), number, number)
    subject = Subject(read(story(9, BLAZE)), window.rarity)
    assert subject.may_share(window.readings, 3.3, 3) == [1, 2]


def test_runs_of_words_are_counted_once() -> None:
    assert runs(["a", "b", "a", "b", "a", "b"], 2) == {("a", "b"), ("b", "a")}
    assert overlap(["a", "b", "c"], ["a", "b", "d"], 2) == pytest.approx(1 / 3)
    assert overlap([], [], 2) == 0
