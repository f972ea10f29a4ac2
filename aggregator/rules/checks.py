"""Where brief and wire disagree: checks that an editor sees beside a passage.

Sources vote by independent agency, never by copy, and what only one of them says is not shown. A
value of the brief that any source gives is never doubted: a check that is wrong costs more trust
than one that is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aggregator.rules.checking.dates import check_dates
from aggregator.rules.checking.desk import PickSeen, Support, check_links, check_picks, check_support
from aggregator.rules.checking.evidence import Wire, claims
from aggregator.rules.checking.numbers import check_numbers
from aggregator.rules.checking.offices import check_offices
from aggregator.rules.checking.sayings import check_quotations
from aggregator.rules.checking.spelling import check_spelling
from aggregator.rules.checking.values import Brief, Check, Evidence
from aggregator.rules.checking.venues import check_venues

__all__ = [
    "CONFLICTS",
    "Brief",
    "Check",
    "Evidence",
    "PickSeen",
    "Support",
    "check",
    "check_links",
    "check_picks",
    "check_support",
]

#: Kinds of check that say the wire has it otherwise; the others are about support and upkeep.
CONFLICTS = frozenset({"date", "name", "number", "place", "quote", "role", "weekday", "year"})

#: Stories that a brief is held against; what ranks lower tells of other things.
MOST_STORIES = 300


def check(brief: Brief, evidence: Sequence[Evidence], *, most: int = MOST_STORIES) -> list[Check]:
    """The conflicts between a brief and the stories found for it, in the brief's order.

    `evidence` is best first; only the first `most` are read. The same input gives the same checks.
    """
    wire = Wire(evidence[:most])
    place = {passage.id: number for number, passage in enumerate(brief.passages)}
    found = dict.fromkeys(_found(brief, wire))
    return sorted(found, key=lambda each: (place[each.passage], each.start, each.kind))


def _found(brief: Brief, wire: Wire) -> Iterator[Check]:
    read = claims(brief)
    yield from check_dates(brief, read, wire)
    yield from check_numbers(read, wire)
    yield from check_offices(read, wire)
    yield from check_venues(brief, read, wire)
    yield from check_quotations(brief, wire)
    yield from check_spelling(read, wire)
