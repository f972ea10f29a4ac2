"""A slice of `benchmarks/fuzz.py`: broken documents cost a word of refusal, and nothing else."""

from __future__ import annotations

import pytest

from aggregator.store.database import Database
from benchmarks.fuzz import documents, fuzz, unsafe
from feeds.html import sanitize


def test_five_hundred_injured_documents_break_nothing(sqlite_database: Database) -> None:
    found = fuzz(sqlite_database, 500, seed=26)
    assert found.faults == {}
    assert found.documents == 500
    assert found.refused > 50
    assert found.stored > 100
    assert found.published > 100


def test_the_same_seed_gives_the_same_documents() -> None:
    assert list(documents(20, seed=5)) == list(documents(20, seed=5))
    assert list(documents(20, seed=5)) != list(documents(20, seed=6))


@pytest.mark.parametrize(
    "html",
    [
        "<p>x<script>1</script></p>",
        "<img src=x onerror=y>",
        '<a href="javascript:x">y</a>',
        "<form><input></form>",
        "<iframe src=https://e.example></iframe>",
        '<img src="https://e.example/1.gif" width="1">',
        "<!-- x -->",
        "<b style='color:red'>x</b>",
        "live\u202e",
        '<video src="file:///etc/passwd"></video>',
    ],
)
def test_the_judge_knows_harm_when_it_sees_it(html: str) -> None:
    assert list(unsafe(html))
    assert list(unsafe(sanitize(html))) == []


def test_the_judge_lets_an_article_pass() -> None:
    html = '<h2>A</h2><p dir="rtl">b <a href="https://n.example/">c</a> <img src="https://n.example/1.png" alt="">'
    assert list(unsafe(html)) == []
