"""Every benchmark that needs nothing but this checkout, one after the other: `make bench`.

    python benchmarks/every.py [NAME…]        # about twenty minutes; names such as `reading serving`

Each prints how many times less than its peer the product takes, as medians of rounds in one run,
and writes its plot into docs/plots. What needs real news takes it as an argument and says so.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NAMES = (
    "starting",
    "reading",
    "polling",
    "storing",
    "rendering",
    "serving",
    "clustering",
    "linking",
    "desk",
    "latency",
)


def main() -> None:
    """Run them, and end with an error if one of them did not reach what was promised."""
    wanted = sys.argv[1:] or NAMES
    if unknown := set(wanted) - set(NAMES):
        raise SystemExit(f"no such benchmark: {', '.join(sorted(unknown))}; there is {', '.join(NAMES)}")
    missed = []
    for name in wanted:
        print(f"\n=== {name} ===", flush=True)
        script = Path(__file__).with_name(f"{name}.py")
        if subprocess.run([sys.executable, str(script)], check=False).returncode:
            missed.append(name)
    if missed:
        raise SystemExit(f"\nnot all was reached in: {', '.join(missed)}")


if __name__ == "__main__":
    main()
