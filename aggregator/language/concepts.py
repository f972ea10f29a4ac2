"""Concepts that wires use for one another when they tell the same fact in other words."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from importlib.resources import files


def akin(concept: str) -> frozenset[str]:
    """The concepts of its families: not invited, left out, without, unaware."""
    return _akin().get(concept, frozenset())


@cache
def _akin() -> dict[str, frozenset[str]]:
    text = (files("aggregator.language") / "data" / "families.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    found: defaultdict[str, set[str]] = defaultdict(set)
    for _, members in rows[1:]:
        family = set(members.split())
        for member in family:
            found[member] |= family - {member}
    return {concept: frozenset(others) for concept, others in found.items()}
