"""Suggestions and what editors said to them, on both databases."""

from __future__ import annotations

from functools import partial

import pytest

from aggregator.model import FetchReport, Outcome, Role, SourceDraft, StoryDraft
from aggregator.store import briefs, fetches, sources, suggestions
from aggregator.store.briefs import RevisionDraft
from aggregator.store.database import Database
from aggregator.store.suggestions import Proposal, Quality
from feeds.model import Entry
from tests.conftest import NOW

WHY = (("name", "Ouchakov", "Ушаков"), ("date", "mardi", "вторник"))


@pytest.fixture
def brief(database: Database) -> int:
    """A brief, and stories 1 to 4 on the wire."""
    (source,) = database.write_now(lambda s: sources.add(s, [SourceDraft("https://a.example/feed")], now=NOW))
    drafts = tuple(
        StoryDraft(f"k{n}", f"urn:s:{n}", f"https://a.example/{n}", "ru", "", "", f"d{n}", Entry(id=f"k{n}"))
        for n in range(4)
    )
    report = FetchReport(source, NOW, Outcome.FETCHED, NOW, "", drafts=drafts)
    database.write_now(partial(fetches.record, reports=[report]))
    draft = RevisionDraft("text", "title", None, "fr", "digest")
    return database.write_now(lambda s: briefs.create(s, "riyadh", draft, by="ada", now=NOW))


def propose(database: Database, brief: int, *proposals: Proposal) -> int:
    return database.write_now(lambda s: suggestions.propose(s, brief, proposals, now=NOW))


def test_a_suggestion_is_kept_with_its_reasons_best_first(database: Database, brief: int) -> None:
    better, other = Proposal("p1", 2, 0.9, WHY), Proposal("p1", 1, 0.4, WHY)
    assert propose(database, brief, other, better) == 2
    assert database.read_now(partial(suggestions.standing, brief_id=brief)) == [better, other]


def test_suggested_again_it_takes_the_new_score_and_is_not_new(database: Database, brief: int) -> None:
    propose(database, brief, Proposal("p1", 1, 0.4, WHY))
    assert propose(database, brief, Proposal("p1", 1, 0.6, WHY[:1])) == 0
    assert database.read_now(partial(suggestions.standing, brief_id=brief)) == [
        Proposal("p1", 1, 0.6, WHY[:1])
    ]


def test_what_an_editor_rejected_is_not_suggested_again(database: Database, brief: int) -> None:
    propose(database, brief, Proposal("p1", 1, 0.4, WHY))
    database.write_now(lambda s: suggestions.reject(s, brief, "p1", 1, by="ada", now=NOW))
    propose(database, brief, Proposal("p1", 1, 0.8, WHY))
    assert database.read_now(partial(suggestions.standing, brief_id=brief)) == []
    database.write_now(lambda s: suggestions.accept(s, brief, "p1", 1))
    assert database.read_now(partial(suggestions.standing, brief_id=brief)) == [Proposal("p1", 1, 0.8, WHY)]


def test_precision_and_recall_follow_the_decisions(database: Database, brief: int) -> None:
    quality = partial(suggestions.quality, brief_id=brief)
    assert database.read_now(quality) == Quality(0, 0, 0, 0)
    assert (Quality(0, 0, 0, 0).precision, Quality(0, 0, 0, 0).recall) == (None, None)
    propose(database, brief, *(Proposal("p1", n, 0.5, WHY) for n in (1, 2, 3)))
    pick = partial(briefs.pick, brief_id=brief, passage="p1", role=Role.SOURCE, by="ada", now=NOW)
    database.write_now(partial(pick, story_id=1))
    database.write_now(partial(pick, story_id=4))
    database.write_now(lambda s: suggestions.reject(s, brief, "p1", 2, by="ada", now=NOW))
    found = database.read_now(quality)
    assert found == Quality(suggested=3, picked=2, rejected=1, found=1)
    assert (found.precision, found.recall) == (0.5, 0.5)


def test_each_revision_has_its_own_mark(database: Database, brief: int) -> None:
    database.write_now(lambda s: suggestions.mark_read(s, brief, 1, 7))
    assert database.read_now(lambda s: suggestions.read_upto(s, brief, 1)) == 7
    assert database.read_now(lambda s: suggestions.read_upto(s, brief, 2)) is None
