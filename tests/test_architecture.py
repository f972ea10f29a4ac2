from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("feeds", "aggregator")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

#: A file beyond this says why, in a line of its own.
MOST_LINES = 400
EXCUSE = "# Why so long: "


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_imports_run_one_way() -> None:
    # In a process of its own: the linter's logging silences every logger that there is.
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout
    assert re.search(r"Contracts: ([5-9]|\d\d) kept, 0 broken", done.stdout)


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_says_what_it_is_and_is_no_longer_than_it_must_be(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert (ast.get_docstring(ast.parse(text)) or "").strip(), f"{named(path)} has no docstring"
    lines = text.splitlines()
    is_excused = any(line.startswith(EXCUSE) for line in lines)
    assert len(lines) <= MOST_LINES or is_excused, (
        f"{named(path)} has {len(lines)} lines and does not say why"
    )


def test_both_packages_ship_their_types() -> None:
    assert all((ROOT / package / "py.typed").is_file() for package in PACKAGES)
