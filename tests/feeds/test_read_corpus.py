from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from feeds.read import parse

CORPUS = Path(__file__).parents[1] / "corpus"
EXPECTED: dict[str, dict[str, str | None]] = json.loads((CORPUS / "expected.json").read_text("utf-8"))


def at(value: Any, path: str) -> str | None:
    """What stands at `entries.0.title`, as text; None where the list is shorter."""
    for step in path.split("."):
        if step.isdigit():
            if int(step) >= len(value):
                return None
            value = value[int(step)]
        else:
            value = getattr(value, step)
    return str(value)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_file_of_the_corpus_says_what_it_should(name: str) -> None:
    feed = parse((CORPUS / name).read_bytes(), base_url="https://news.example/feed")
    assert {path: at(feed, path) for path in EXPECTED[name]} == EXPECTED[name]


def test_every_file_of_the_corpus_has_its_expectation() -> None:
    assert {path.name for path in CORPUS.glob("*.*")} - {"expected.json"} == EXPECTED.keys()
