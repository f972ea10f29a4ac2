"""Plots as the desk draws them: bars in SVG, worked out here and only put in their place by a template.

A plot says nothing that the table beside it does not say too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

#: The inside of a plot, which is stretched to the room it has: so many units wide for each bar, and high.
STEP, GAP, HEIGHT = 10, 2, 100
#: A bar of something is never so low that it cannot be seen.
LOWEST = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, with what it stands for."""

    #: What it is of, as a person reads it: an hour, a day, a language.
    label: str | Markup
    value: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars beside each other, all to one scale."""

    bars: tuple[Bar, ...]
    width: int
    height: int
    highest: int
    total: int


def columns(values: Iterable[tuple[str | Markup, int]]) -> Plot:
    """Bars that stand, in the order given."""
    listed = list(values)
    highest = max((value for _, value in listed), default=0)
    bars = [
        Bar(label, value, place * STEP + GAP // 2, HEIGHT - height, STEP - GAP, height)
        for place, (label, value) in enumerate(listed)
        for height in [_length(value, highest)]
    ]
    return _plot(bars, STEP * len(bars), highest)


def rows(values: Iterable[tuple[str | Markup, int]]) -> Plot:
    """Bars that lie, one under the other, each in a row of its own."""
    listed = list(values)
    highest = max((value for _, value in listed), default=0)
    bars = [Bar(label, value, 0, 0, _length(value, highest), STEP) for label, value in listed]
    return _plot(bars, HEIGHT, highest)


def _plot(bars: Sequence[Bar], width: int, highest: int) -> Plot:
    return Plot(tuple(bars), width, HEIGHT, highest, sum(bar.value for bar in bars))


def _length(value: int, highest: int) -> int:
    return max(round(HEIGHT * value / highest), LOWEST) if value else 0
