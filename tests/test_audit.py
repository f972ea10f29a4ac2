"""Whether pinned versions are known to be vulnerable: asked of a list on loopback, as of the real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.acceptance.desk import free_port

SCRIPT = Path(__file__).resolve().parents[1] / ".ci" / "audit.py"

#: What the list knows: one version of one package.
KNOWN = {
    "id": "PYSEC-2025-1",
    "summary": "Made up.",
    "details": "Made up.",
    "modified": "2025-02-18T00:00:00Z",
    "published": "2025-02-18T00:00:00Z",
    "affected": [
        {
            "package": {"name": "nh3", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9"}]}],
            "versions": ["0.3.8"],
        }
    ],
}


class _List(BaseHTTPRequestHandler):
    """Speaks as OSV does."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_known = asked.get("package", {}).get("name") == "nh3"
        body = json.dumps({"vulns": [KNOWN]} if is_known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def vulnerabilities() -> Iterator[str]:
    """The address of a list."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _List)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    thread.join()
    server.server_close()


def audited(url: str, pins: Path, text: str, *words: str) -> tuple[int, str]:
    """How the audit of these pins ended, and what it said."""
    pins.write_text(text, encoding="utf-8")
    # The script is the project's own.
    done = subprocess.run(  # noqa: S603
        [sys.executable, SCRIPT, "--requirement", pins, *words],
        env=os.environ | {"WIREBRIEF_OSV_URL": url, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_pinned_version_that_is_known_to_be_vulnerable_fails(vulnerabilities: str, tmp_path: Path) -> None:
    code, said = audited(vulnerabilities, tmp_path / "pins.txt", "idna==3.20\nnh3==0.3.8\n")
    assert code == 1
    assert "PYSEC-2025-1" in said


def test_versions_of_which_nothing_is_known_pass(vulnerabilities: str, tmp_path: Path) -> None:
    assert audited(vulnerabilities, tmp_path / "pins.txt", "idna==3.20\n", "--strict")[0] == 0


def test_a_file_that_pins_nothing_exactly_is_not_passed_over(vulnerabilities: str, tmp_path: Path) -> None:
    assert audited(vulnerabilities, tmp_path / "pins.txt", "idna>=3\n")[0] == 1


@pytest.mark.parametrize(("words", "code"), [([], 0), (["--strict"], 1)], ids=str)
def test_where_nobody_can_be_asked_it_says_so_in_one_line(
    words: list[str], code: int, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{free_port()}/v1/query"
    said = audited(url, tmp_path / "pins.txt", "nh3==0.3.8\n", *words)
    assert said == (code, "audit: 127.0.0.1 does not answer, so no version was looked up.\n")
