from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aggregator.rules.merging import Clash, merge, moved

BASE = "Title\n\nFirst.\n\nSecond.\n\nThird."
TEXTS = st.lists(st.sampled_from(["", "a", "b", "c", "d"]), max_size=8).map("\n".join)


def test_what_two_people_wrote_in_two_places_stands_in_one_text() -> None:
    found = merge(BASE, BASE.replace("First.", "First, by Ada."), BASE.replace("Third.", "Third, by Bo."))
    assert found.text == "Title\n\nFirst, by Ada.\n\nSecond.\n\nThird, by Bo."
    assert found.clashes == ()


def test_a_paragraph_that_both_changed_is_shown_as_both_have_it() -> None:
    found = merge(BASE, BASE.replace("Second.", "Ada's."), BASE.replace("Second.", "Bo's."))
    assert found.text == BASE.replace("Second.", "Bo's.")
    assert found.clashes == (Clash("Second.", "Ada's.", "Bo's."),)


def test_the_same_change_made_twice_is_no_clash() -> None:
    new = BASE.replace("2021", "2022").replace("Third.", "Third!")
    assert merge(BASE, new, new) == merge(BASE, BASE, new)
    assert merge(BASE, new, new).clashes == ()


def test_a_paragraph_that_one_added_and_the_other_never_saw_stays() -> None:
    found = merge(BASE, f"{BASE}\n\nFourth.", BASE.replace("First.\n\n", ""))
    assert found.text == "Title\n\nSecond.\n\nThird.\n\nFourth."
    assert found.clashes == ()


def test_line_ends_of_a_browser_are_no_change() -> None:
    assert merge(BASE, BASE.replace("\n", "\r\n"), BASE.replace("Third.", "New.")).clashes == ()


@given(TEXTS, TEXTS)
def test_whoever_changed_nothing_takes_what_the_other_wrote(base: str, other: str) -> None:
    assert merge(base, base, other).text == other
    assert merge(base, other, base).text == other


@given(TEXTS, TEXTS, TEXTS)
def test_no_line_that_either_wrote_is_lost_without_a_word(base: str, mine: str, theirs: str) -> None:
    found = merge(base, mine, theirs)
    told = found.text.split("\n") + [line for clash in found.clashes for line in clash.mine.split("\n")]
    new = set(mine.split("\n")) - set(base.split("\n")) - {""}
    assert new <= set(told)


@given(TEXTS, TEXTS)
def test_what_both_wrote_alike_stands_once(base: str, new: str) -> None:
    assert merge(base, new, new).text == new


def test_a_paragraph_that_one_has_from_the_other_stands_once() -> None:
    theirs = BASE.replace("First.", "Before.\n\nFirst.")
    mine = theirs.replace("Third.", "Third, by Ada.")
    assert merge(BASE, mine, theirs).text == mine
    assert merge(BASE, theirs, mine).text == mine


def test_one_rewords_a_paragraph_and_the_other_adds_one_beside_it() -> None:
    base = BASE.replace("Second.", "The talks began on Tuesday in Riyadh.")
    mine = base.replace("Tuesday", "Monday")
    theirs = base.replace("in Riyadh.", "in Riyadh.\n\nNobody from Kyiv came.")
    found = merge(base, mine, theirs)
    assert "The talks began on Monday in Riyadh.\n\nNobody from Kyiv came.\n\nThird." in found.text
    assert found.clashes == ()


def test_picks_follow_a_paragraph_that_moves() -> None:
    before = {"p0": "Title", "p1": "One two three.", "p2": "Four five six."}
    after = {"p0": "Other title", "p1": "New.", "p2": "Four five six.", "p3": "One two three."}
    assert moved(before, after) == {"p0": "p0", "p1": "p3", "p2": "p2"}


def test_a_reworded_paragraph_is_still_the_same() -> None:
    before = {"p0": "T", "p1": "The invasion began in February 2021."}
    after = {"p0": "T", "p1": "An opening.", "p2": "The invasion began in February 2022."}
    assert moved(before, after) == {"p0": "p0", "p1": "p2"}


def test_a_paragraph_that_was_taken_out_is_gone() -> None:
    before = {"p0": "T", "p1": "One two three.", "p2": "Seven eight nine."}
    assert moved(before, {"p0": "T", "p1": "Seven eight nine."}) == {"p0": "p0", "p1": None, "p2": "p1"}


@given(st.lists(st.text("ab ", max_size=6), max_size=6), st.lists(st.text("ab ", max_size=6), max_size=6))
def test_no_two_passages_become_one(old: list[str], new: list[str]) -> None:
    found = moved(
        {f"p{n}": text for n, text in enumerate(old)}, {f"p{n}": text for n, text in enumerate(new)}
    )
    places = [place for place in found.values() if place is not None]
    assert len(places) == len(set(places))
