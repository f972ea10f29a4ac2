"""How long `wirebrief --help` takes: every command begins so.

    python benchmarks/starting.py

Python alone and Python with typer, which all of it stands on, are measured in turns with it: what
lies between them and ours is ours.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from measuring import compiled

ROUNDS = 15
#: Milliseconds.
REACH = 150

_WAYS = {
    "python": [sys.executable, "-c", "pass"],
    "python with typer": [sys.executable, "-c", "import typer"],
    "wirebrief --help": [str(Path(sys.executable).with_name("wirebrief")), "--help"],
}


def main() -> None:
    """Measure in turns, and say the medians."""
    took: dict[str, list[float]] = {name: [] for name in _WAYS}
    for turn in range(ROUNDS + 1):
        for name, words in _WAYS.items():
            began = time.perf_counter()
            subprocess.run(words, check=True, capture_output=True, env=compiled())
            # The first turn finds nothing in the machine's memory.
            if turn:
                took[name].append((time.perf_counter() - began) * 1000)
    for name, found in took.items():
        print(f"{name:<20} {statistics.median(found):6.0f} ms ({min(found):.0f} to {max(found):.0f})")
    if statistics.median(took["wirebrief --help"]) >= REACH:
        raise SystemExit(f"not reached: {REACH} ms")


if __name__ == "__main__":
    main()
