"""How common anchors are in the news at large: for linking without an archive of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files


@cache
def background() -> tuple[int, dict[tuple[str, str], int]]:
    """How many stories were counted, and in how many of them each anchor stood."""
    counts = dict(_rows())
    return counts.pop(("", ""), 0), counts


def _rows() -> Iterator[tuple[tuple[str, str], int]]:
    text = (files("aggregator.language") / "data" / "frequencies.tsv").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            kind, key, count = line.split("\t")
            yield (kind, key), int(count)
