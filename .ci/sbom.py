"""Writes the bill of materials of the product: what is installed beside it when it runs, with PostgreSQL's part.

    python .ci/sbom.py dist/wirebrief.cdx.json

CycloneDX, as cyclonedx-bom reads it out of this environment, without what only development needs. The same
environment gives the same bytes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOME = Path(__file__).resolve().parents[1]

#: The extras with which the product is delivered.
PRODUCT = ("wirebrief", frozenset({"postgresql"}))

#: What leads to a component's own people; the rest of what its metadata links to changes from version to version.
LEADS = frozenset({"vcs", "website", "documentation"})


def needed(name: str, extras: frozenset[str]) -> set[str]:
    """The canonical names of all that a distribution needs on this machine, with these extras."""
    found: set[tuple[str, str]] = set()
    todo = [(name, extra) for extra in ("", *sorted(extras))]
    while todo:
        each = todo.pop()
        if each in found:
            continue
        found.add(each)
        for line in distribution(each[0]).requires or ():
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": each[1]}):
                todo += [(canonicalize_name(wanted.name), extra) for extra in ("", *wanted.extras)]
    return {name for name, _ in found}


def bill() -> dict[str, Any]:
    """The bill of materials of this environment, cut down to the product."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--no-validate", "--output-reproducible"]
    command += ["--pyproject", str(HOME / "pyproject.toml"), "--output-format", "JSON", sys.executable]
    run = subprocess.run(command, capture_output=True, check=True)
    found: dict[str, Any] = json.loads(run.stdout)
    names = needed(*PRODUCT) - {PRODUCT[0]}
    found["components"] = [each for each in found["components"] if canonicalize_name(each["name"]) in names]
    root = found["metadata"]["component"]["bom-ref"]
    kept = {root} | {each["bom-ref"] for each in found["components"]}
    found["dependencies"] = [
        each | {"dependsOn": sorted(kept & set(each.get("dependsOn", ())))}
        for each in found["dependencies"]
        if each["ref"] in kept
    ]
    for each in [*found["components"], *found["metadata"]["tools"]["components"]]:
        leads = [lead for lead in each.pop("externalReferences", []) if lead["type"] in LEADS]
        if leads:
            each["externalReferences"] = leads
    return found


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(bill(), indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
