"""The rhythm of a source as a small picture: one stroke for each six hours of a week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: How far apart strokes stand, and how high the highest is.
WIDTH, HEIGHT = 4, 24
#: What is not nothing is seen.
LOWEST = 2


@dataclass(frozen=True, slots=True)
class Spark:
    """A row of strokes, each to the scale of the highest."""

    #: As the `d` of an SVG path.
    path: str
    width: int
    height: int
    #: Stories in all of it, and in the highest stroke.
    total: int
    most: int


def spark(counts: Sequence[int]) -> Spark:
    """The picture of a source that gave so many stories in each step, the oldest first."""
    most = max(counts, default=0)
    strokes = [
        f"M{place * WIDTH + WIDTH // 2} {HEIGHT}v-{max(round(HEIGHT * count / most), LOWEST)}"
        for place, count in enumerate(counts)
        if count
    ]
    return Spark("".join(strokes), len(counts) * WIDTH, HEIGHT, sum(counts), most)
