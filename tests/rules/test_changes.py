from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from aggregator.rules.changes import MOST_CHARACTERS, Stretch, changed, with_facts


def said(stretches: tuple[Stretch, ...]) -> list[tuple[str, str]]:
    return [(each.kind, each.text.strip()) for each in stretches]


def test_a_word_that_was_exchanged_stands_between_those_that_stayed() -> None:
    assert said(changed("Talks open in Riyadh today", "Talks end in Riyadh today")) == [
        ("same", "Talks"),
        ("gone", "open"),
        ("new", "end"),
        ("same", "in Riyadh today"),
    ]


def test_texts_that_differ_in_spaces_alone_changed_nothing() -> None:
    assert changed("Talks  open\n", "Talks open") == ()
    assert changed("", "") == ()


def test_a_text_that_came_or_went_is_new_or_gone() -> None:
    assert said(changed("", "Talks open")) == [("new", "Talks open")]
    assert said(changed("Talks open", "")) == [("gone", "Talks open")]


def test_long_ways_without_a_change_are_left_out() -> None:
    words = [f"w{n}" for n in range(200)]
    stretches = changed(" ".join(words), " ".join([*words[:100], "now", *words[101:]]))
    assert [each.kind for each in stretches] == ["left_out", "same", "gone", "new", "same", "left_out"]
    assert stretches[1].text.split() == words[88:100]


def test_scripts_without_spaces_are_compared_sign_by_sign() -> None:
    assert said(changed("部长们讨论粮食", "部长们拒绝粮食"))[1:3] == [("gone", "讨论"), ("new", "拒绝")]


def test_arabic_words_keep_their_vowel_signs() -> None:
    assert ("new", "السَّلام") in said(changed("وقف إطلاق النار", "وقف السَّلام النار"))


def test_a_book_is_compared_in_time_and_shown_cut() -> None:
    old = ". ".join(f"This is sentence {n} of a long book" for n in range(4_000))
    began = time.perf_counter()
    stretches = changed(old, old.replace("book", "tale"))
    assert time.perf_counter() - began < 5
    assert all(len(each.text) <= MOST_CHARACTERS + 1 for each in stretches)


words = st.lists(st.sampled_from(["talks", "open", "in", "Riyadh", "Київ", "和", "النار"]), max_size=25)


@given(words, words)
def test_same_and_gone_are_the_old_text_and_same_and_new_the_new_one(old: list[str], new: list[str]) -> None:
    stretches = changed(" ".join(old), " ".join(new))
    if any(each.kind == "left_out" for each in stretches) or not stretches:
        return
    for kinds, words in ((("same", "gone"), old), (("same", "new"), new)):
        assert " ".join(each.text for each in stretches if each.kind in kinds).split() == words


def test_the_names_and_numbers_that_changed_stand_apart() -> None:
    old = "At least 12 people died in Kyiv, said Volodymyr Zelensky on Monday."
    new = "At least 14 people died in Kharkiv, wrote Volodymyr Zelensky on Monday."
    marked = list(with_facts(changed(old, new), old, new, "en"))
    assert [(each.text.strip(), each.is_fact) for each in marked if each.kind == "new"] == [
        ("14", True),
        ("Kharkiv,", True),
        ("wrote", False),
    ]
    assert [each.text.strip() for each in marked if each.is_fact and each.kind == "gone"] == ["12", "Kyiv,"]
    assert "".join(each.text for each in marked if each.kind in ("same", "new")) == new


def test_a_language_without_tables_has_its_numbers_marked() -> None:
    marked = list(with_facts(changed("A 12", "A 14"), "A 12", "A 14", None))
    assert [(each.text, each.is_fact) for each in marked if each.kind == "new"] == [("14", True)]
