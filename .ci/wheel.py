"""A part of the build: the wheel of a release carries its bill of materials (PEP 770).

`make dist` names the file; a build without it, as from a checkout, carries none.
"""

from __future__ import annotations

import os
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BillOfMaterials(BuildHookInterface[Any]):
    """Puts the file that WIREBRIEF_SBOM names into `.dist-info/sboms`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds a wheel."""
        if file := os.environ.get("WIREBRIEF_SBOM"):
            build_data["sbom_files"].append(os.path.abspath(file))
