"""Asks whether a version that constraints.txt pins is known to be vulnerable (pip-audit, by OSV's list).

Where the list cannot be asked it says so in one line and lets `make check` go on; `--strict`, for a release,
takes that for a failure. Whatever pip-audit finds, and whatever else goes wrong, fails.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import requests
from pip_audit._service.osv import OsvService

HOME = Path(__file__).resolve().parents[1]

#: Seconds in which the list must answer before it is asked a hundred times.
PATIENCE = 4.0

#: What is known and does not concern us, by its id, each with the reason why.
IGNORED: dict[str, str] = {}


def main() -> int:
    """0 where nothing is known, 1 where something is or nobody could be asked, but should have been."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strict", action="store_true", help="fail where the list cannot be asked")
    parser.add_argument("--requirement", type=Path, default=HOME / "constraints.txt", metavar="FILE")
    asked = parser.parse_args()
    url = os.environ.get("WIREBRIEF_OSV_URL", OsvService.DEFAULT_OSV_URL)
    if not answers(url):
        print(
            f"audit: {urlsplit(url).hostname} does not answer, so no version was looked up.", file=sys.stderr
        )
        return int(asked.strict)
    words = [
        "--requirement",
        str(asked.requirement),
        "--no-deps",
        "--disable-pip",
        "--progress-spinner",
        "off",
    ]
    words += ["--vulnerability-service", "osv", "--osv-url", url]
    for known in IGNORED:
        words += ["--ignore-vuln", known]
    return subprocess.run([sys.executable, "-m", "pip_audit", *words], check=False).returncode


def answers(url: str) -> bool:
    """Whether anything answers at this address, shortly. Looking up a name knows no limit, so a thread does it."""
    heard = threading.Event()

    def ask() -> None:
        try:
            requests.post(url, json={}, timeout=PATIENCE)
        except requests.RequestException:
            return
        heard.set()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE)
    return heard.is_set()


if __name__ == "__main__":
    sys.exit(main())
