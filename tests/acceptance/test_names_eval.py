"""Spellings of newsmakers that others collected in nine languages, told apart and put together.

The file is no part of the project. It stands in a folder beside the checkout, and this test skips
where it is absent.
"""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest

from aggregator.language.names import same_name

NAMES = Path(__file__).parents[2] / ".." / "shared" / "eval" / "names.json"

LEAST_PRECISION, LEAST_RECALL = 0.99, 0.98


@pytest.mark.skipif(not NAMES.is_file(), reason="the evaluation of names is local data")
def test_spellings_of_one_newsmaker_meet_and_those_of_two_do_not() -> None:
    people: dict[str, dict[str, list[str]]] = json.loads(NAMES.read_text(encoding="utf-8"))
    spellings = [
        (person, language, form)
        for person, forms in people.items()
        for language, written in forms.items()
        for form in written
    ]
    right = wrong = missed = 0
    for (one, language, a), (other, its_language, b) in combinations(spellings, 2):
        if (language, a) == (its_language, b):
            continue
        meets = same_name(a, language, b, its_language)
        right += meets and one == other
        wrong += meets and one != other
        missed += not meets and one == other
    assert right / (right + wrong) >= LEAST_PRECISION
    assert right / (right + missed) >= LEAST_RECALL
