"""What the benchmarks share: rounds by the processor's time, ratios against a peer in the same run, plots.

Every measure here runs in a process of its own, so that its memory is its own, and each of its
rounds beside those of the others, so that a machine which others use treats all alike.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

#: Rounds of which the median is told.
ROUNDS = 5

#: Where plots go, and where the page that shows them looks for them.
PLOTS = Path(__file__).parents[1] / "docs" / "plots"


@dataclass(frozen=True, slots=True)
class Measure:
    """What one way of doing the work took."""

    name: str
    #: CPU seconds of each round, of all processes that took part on this side.
    seconds: tuple[float, ...]
    #: The most memory of its process, in megabytes; None where nobody asked.
    megabytes: float | None = None

    @property
    def median(self) -> float:
        """CPU seconds of the usual round."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """How far apart the rounds were: the distance of the middle half, as a share of the median."""
        if len(self.seconds) < 4 or not self.median:
            return 0.0
        low, _, high = statistics.quantiles(self.seconds, n=4)
        return (high - low) / self.median


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several ways of doing the same work, measured in one run."""

    #: One line: what was done, to how much.
    work: str
    #: The peer that counts as 1 comes first.
    measures: tuple[Measure, ...]
    #: How many times less than the peer the last one is to take; None where nothing was promised.
    reach: float | None = None

    @property
    def ours(self) -> Measure:
        """The product's own: the last."""
        return self.measures[-1]

    def times(self, measure: Measure) -> float:
        """How many times less than the peer."""
        return self.measures[0].median / measure.median if measure.median else float("inf")

    @property
    def is_reached(self) -> bool:
        """Whether ours is as far ahead as was promised."""
        return self.reach is None or self.times(self.ours) >= self.reach


def cpu_rounds(work: Callable[[], object], *, rounds: int = ROUNDS) -> tuple[float, ...]:
    """CPU seconds of this process in each round of some work, after one that is not counted."""
    work()
    return tuple(_cpu_of(work) for _ in range(rounds))


def _cpu_of(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def peak_megabytes() -> float:
    """The most memory that this process has had until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def compiled() -> dict[str, str]:
    """The environment for a child that keeps what Python compiled, as every installation does."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def in_child(script: str, *words: str, environment: Mapping[str, str] | None = None) -> Measure:
    """Run a script that ends with `say(measure)`, in a process of its own, and take what it says.

    Raises:
        RuntimeError: it failed; its own words are in the message.
    """
    done = subprocess.run(
        [sys.executable, script, *words],
        capture_output=True,
        text=True,
        check=False,
        env={**compiled(), **(environment or {})},
    )
    if done.returncode:
        raise RuntimeError(f"{script} {' '.join(words)} failed:\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return Measure(found["name"], tuple(found["seconds"]), found["megabytes"])


def say(measure: Measure) -> None:
    """Hand a measure to whoever started this process with `in_child`."""
    print(json.dumps(asdict(measure)))


def tell(comparison: Comparison) -> None:
    """Print a comparison as a table."""
    print(f"\n{comparison.work}")
    for one in comparison.measures:
        memory = f"{one.megabytes:7.0f} MB" if one.megabytes is not None else ""
        print(
            f"  {one.name:<44} {_seconds(one.median):>10}  ±{one.spread:4.0%}  "
            f"{comparison.times(one):8.2f} times less {memory}"
        )
    if comparison.reach is not None:
        met = "reached" if comparison.is_reached else "NOT reached"
        print(f"  wanted: {comparison.reach:g} times less: {met}", flush=True)


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.2f} ms"


def plot(name: str, title: str, comparisons: Sequence[Comparison]) -> Path:
    """Write the comparisons as bars, how many times less than the peer each takes, and say where."""
    PLOTS.mkdir(parents=True, exist_ok=True)
    path = PLOTS / f"{name}.svg"
    path.write_text(svg(title, comparisons), encoding="utf-8")
    return path


_WIDTH, _LABELS, _ROW, _HEAD, _EDGE = 760, 270, 24, 34, 90


def svg(title: str, comparisons: Sequence[Comparison]) -> str:
    """Bars in SVG that reads on light and on dark paper alike: its colours are its own."""
    rows: list[str] = []
    y = _HEAD + 8
    for comparison in comparisons:
        rows.append(_text(12, y + 14, comparison.work, bold=True))
        y += _ROW
        most = max(comparison.times(one) for one in comparison.measures)
        for one in comparison.measures:
            times = comparison.times(one)
            length = max(2.0, (_WIDTH - _LABELS - _EDGE) * times / most)
            colour = "#1a5fb4" if one is comparison.ours else "#9a9996"
            rows.append(_text(_LABELS - 8, y + 15, one.name, anchor="end"))
            rows.append(
                f'<rect x="{_LABELS}" y="{y + 3}" width="{length:.1f}" height="{_ROW - 7}" fill="{colour}"/>'
            )
            rows.append(_text(_LABELS + length + 6, y + 15, f"{times:.3g}×"))
            y += _ROW
        y += 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" width="{_WIDTH}" height="{y}" '
        f'role="img" font-family="sans-serif" font-size="12">\n<title>{escape(title)}</title>\n'
        f'<rect width="{_WIDTH}" height="{y}" fill="#ffffff"/>\n{_text(12, 22, title, bold=True, size=15)}\n'
        + "\n".join(rows)
        + "\n</svg>\n"
    )


def _text(
    x: float, y: float, words: str, *, bold: bool = False, anchor: str = "start", size: int = 12
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" font-size="{size}"{weight} fill="#241f31">'
        f"{escape(words)}</text>"
    )


def plot_shares(
    name: str, title: str, shares: Mapping[str, Sequence[float]], reach: Mapping[str, float]
) -> Path:
    """Write bars of what share of a peer was reached, the peer and what was promised beside them."""
    found = [
        Comparison(
            f"{work} (wanted: {reach[work]:g})" if work in reach else work,
            (Measure("the peer", (1.0,)), Measure("wirebrief", (1 / statistics.median(rounds),))),
        )
        for work, rounds in shares.items()
    ]
    return plot(name, title, found)


def finish(name: str, title: str, comparisons: Sequence[Comparison]) -> None:
    """Tell all, draw the plot, and end with an error where a promise was not kept."""
    for comparison in comparisons:
        tell(comparison)
    print(f"\nplot: {plot(name, title, comparisons).relative_to(PLOTS.parents[1])}")
    missed: list[Any] = [one.work for one in comparisons if not one.is_reached]
    if missed:
        raise SystemExit("not reached: " + "; ".join(missed))
