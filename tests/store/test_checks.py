from __future__ import annotations

from aggregator.store import briefs, checks
from aggregator.store.database import Database
from tests.conftest import NOW
from tests.store.newsroom import brief, new_brief, written

FOUND = [["year", "p1", "2021", 0, 4, "2022", ["https://wire.example/1"], [], "The wire says 2022."]]
KEY = ("year", "2021", "2022")


def test_checks_are_of_one_revision_and_an_older_one_comes_too_late(database: Database) -> None:
    first = new_brief(database)
    database.write_now(lambda s: briefs.revise(s, first.id, written("Another text."), by="bo", now=NOW))
    second = brief(database).revision.id
    database.write_now(lambda s: checks.put(s, first.id, second, FOUND, now=NOW))
    database.write_now(lambda s: checks.put(s, first.id, first.revision.id, [], now=NOW))
    assert database.read_now(lambda s: checks.of_brief(s, first.id, second)) == FOUND
    assert database.read_now(lambda s: checks.of_brief(s, first.id, first.revision.id)) is None


def test_the_last_word_on_a_check_counts(database: Database) -> None:
    one = new_brief(database)
    for decision, why in (("ignored", "It was so."), ("accepted", "")):
        database.write_now(
            lambda s, decision=decision, why=why: checks.decide(
                s, one.id, KEY, decision, why=why, by="ada", now=NOW
            )
        )
    (said,) = database.read_now(lambda s: checks.decisions(s, one.id)).values()
    assert (said.decision, said.by) == ("accepted", "ada")
