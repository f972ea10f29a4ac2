"""The configuration in the docs is one that nginx takes, and HTTP stays what it is behind it."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.desk import Desk, free_port, wait_until

CONFIGURATION = Path(__file__).parents[2] / "docs" / "nginx.conf"

WHOLE = """daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/a; uwsgi_temp_path {folder}/b; scgi_temp_path {folder}/c;
    {included}
}}
"""


@pytest.fixture
def nginx() -> str:
    """The program; the test is skipped where there is none."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found is None:
        pytest.skip("nginx is not on this machine.")
    return found


@contextlib.contextmanager
def serving(nginx: str, folder: Path, *, files: Path, service: str) -> Iterator[str]:
    """nginx with the configuration of the docs, its marked lines changed; its address."""
    port = free_port()
    written = CONFIGURATION.read_text(encoding="utf-8")
    for wanted, there in (
        ("server 127.0.0.1:8000;", f"server {service};"),
        ("listen 8080;", f"listen 127.0.0.1:{port};"),
        ("root /srv/wirebrief;", f"root {files};"),
    ):
        assert wanted in written
        written = written.replace(wanted, there)
    file = folder / "nginx.conf"
    file.write_text(WHOLE.format(folder=folder, included=written), encoding="utf-8")
    # The program is the machine's own, the file ours.
    with subprocess.Popen([nginx, "-c", str(file), "-p", str(folder)]) as process:  # noqa: S603
        try:
            base = f"http://127.0.0.1:{port}"
            wait_until(lambda: answers(base))
            yield base
        finally:
            process.terminate()


def answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        httpx.get(url)
        return True
    return False


def test_behind_nginx_channels_keep_their_validators(
    nginx: str,
    tmp_path: Path,
    copy_of: Callable[[Desk], Desk],
    morning: Desk,
    shared: Callable[..., Path],
) -> None:
    desk = copy_of(morning)
    port = free_port()
    desk.run("publish", "--out", tmp_path / "files" / "channels")
    environment = {"WIREBRIEF_SERVE__PORT": str(port)}
    with (
        desk.started("serve", environment=environment) as process,
        serving(nginx, tmp_path, files=tmp_path / "files", service=f"127.0.0.1:{port}") as base,
    ):
        process.says("Ctrl-C ends it")
        own = httpx.get(f"http://127.0.0.1:{port}/channels/briefs.atom")
        file = httpx.get(f"{base}/channels/briefs.atom")
        assert file.content == own.content
        for name in ("content-type", "last-modified", "cache-control"):
            assert file.headers[name] == own.headers[name]
        check(shared, f"{base}/channels/briefs.atom")
        # And what was not exported comes from the service, with its own tags untouched.
        (tmp_path / "files" / "channels" / "briefs.rss").unlink()
        passed = httpx.get(f"{base}/channels/briefs.rss", headers={"Accept-Encoding": "gzip"})
        direct = httpx.get(
            f"http://127.0.0.1:{port}/channels/briefs.rss", headers={"Accept-Encoding": "gzip"}
        )
        assert passed.headers["etag"] == direct.headers["etag"]
        check(shared, f"{base}/channels/briefs.rss")
        assert "The desk" in httpx.get(f"{base}/").text


def check(shared: Callable[..., Path], url: str) -> None:
    """Every line of an independent check of HTTP."""
    script = shared("tools", "httpcheck.sh")
    if shutil.which("curl") is None:
        pytest.skip("httpcheck.sh asks with curl, which is not on this machine.")
    # Its address is that of a process of this test.
    done = subprocess.run(["bash", str(script), url], capture_output=True, text=True, check=False)  # noqa: S603, S607
    lines = done.stdout.splitlines()
    assert len(lines) > 30
    assert [line for line in lines if not line.startswith("PASS")] == [], url


def test_the_marked_lines_are_all_there_is_to_change() -> None:
    marked = re.findall(r"^.*# CHANGE.*$", CONFIGURATION.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(marked) == 3
