"""A poll is killed at any moment: nothing is lost, doubled or half-written.

Five moments in the test run; WIREBRIEF_KILLS=100 asks for more.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from feeds.urls import canonical
from tests.acceptance.conftest import LOOPBACK, settings_for
from tests.acceptance.desk import Desk
from tests.acceptance.wires import Simulator, replayed

KILLS = int(os.environ.get("WIREBRIEF_KILLS", "5"))

#: Claims of a killed poll are free again after this, so that the next round asks everybody.
SETTINGS = LOOPBACK | {"WIREBRIEF_FETCH__LEASE": "100ms"}

#: What refers to something that is not there, or lacks what it cannot be without.
HALF_WRITTEN = {
    "a story without its first version": """
        SELECT count(*) FROM story WHERE NOT EXISTS
        (SELECT 1 FROM version WHERE version.story_id = story.id AND version.number = 1)""",
    "a story that counts other versions than it has": """
        SELECT count(*) FROM story WHERE versions <>
        (SELECT count(*) FROM version WHERE version.story_id = story.id)""",
    "a story whose newest version is another": """
        SELECT count(*) FROM story WHERE digest <> (SELECT digest FROM version
        WHERE version.story_id = story.id AND version.number = story.versions)""",
    "a version without its story": """
        SELECT count(*) FROM version WHERE story_id NOT IN (SELECT id FROM story)""",
    "a source said to be fetched, of which no fetch is recorded": """
        SELECT count(*) FROM source WHERE last_fetch IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM fetch WHERE fetch.source_id = source.id AND fetch.at = source.last_fetch)""",
}


@pytest.fixture(scope="module")
def wire() -> Iterator[Simulator]:
    with replayed() as running:
        yield running


@pytest.fixture(scope="module")
def followed(wire: Simulator, tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, float]:
    """A desk that follows the archive and has asked nobody yet; what an undisturbed poll takes it."""
    desk = Desk(tmp_path_factory.mktemp("killed"), SETTINGS)
    (desk.folder / "config.toml").write_text(settings_for([]), encoding="utf-8")
    _begin(wire)
    desk.run("sources", "import", f"{wire.url}/opml")
    trial = Desk(shutil.copytree(desk.folder, desk.folder.with_name("trial")), SETTINGS)
    began = time.monotonic()
    trial.run("poll", patience=180)
    return desk, time.monotonic() - began


def _begin(wire: Simulator) -> None:
    """Some hours into the archive: there are a few hundred stories, and every hour brings new ones."""
    wire.set_clock(f"to={wire.start() + timedelta(hours=8):%Y-%m-%dT%H:%M:%SZ}")


def killed_after(desk: Desk, seconds: float) -> bool:
    """Poll, and kill the poll and all its threads then; whether it was still at work."""
    with desk.started("poll") as poll:
        time.sleep(seconds)
        is_running = poll.process.poll() is None
        poll.process.send_signal(signal.SIGKILL)
        poll.process.communicate()
    return is_running


def half_written(desk: Desk) -> dict[str, int]:
    """What a killed poll left behind that cannot be."""
    found = {what: int(desk.rows(query)[0][0]) for what, query in HALF_WRITTEN.items()}
    found["a reference to nothing"] = len(desk.rows("PRAGMA foreign_key_check"))
    if (says := desk.rows("PRAGMA integrity_check")) != [("ok",)]:
        found[f"a broken file: {says[:3]}"] = 1
    return {what: n for what, n in found.items() if n}


def stored(desk: Desk) -> Counter[tuple[str, str]]:
    """How often each story is stored, by feed and link."""
    query = "SELECT source.url, story.url FROM story JOIN source ON source.id = story.source_id"
    return Counter((feed, canonical(link)) for feed, link in desk.rows(query))


@pytest.mark.parametrize("seed", range((KILLS + 4) // 5))
def test_a_poll_killed_at_any_moment_leaves_nothing_half_done(
    seed: int, wire: Simulator, followed: tuple[Desk, float], tmp_path: Path
) -> None:
    # Each desk is killed five times in a row, the clock an hour on each time, and then left in peace.
    origin, whole = followed
    desk = Desk(shutil.copytree(origin.folder, tmp_path / "desk"), SETTINGS)
    rng = random.Random(seed)
    at_work, shown, before = 0, set[tuple[str, str]](), Counter[tuple[str, str]]()
    _begin(wire)
    for _ in range(min(5, KILLS - 5 * seed)):
        at_work += killed_after(desk, rng.uniform(0.1, whole))
        assert half_written(desk) == {}
        now = stored(desk)
        assert before <= now, "a story that was kept is gone"
        assert [key for key, n in now.items() if n > 1] == []
        before = now
        wire.set_clock("advance=3600")
    desk.run("poll", "--all", patience=180)
    shown = {(feed, canonical(link)) for feed, link in wire.shows()}
    assert half_written(desk) == {}
    after = stored(desk)
    assert before <= after
    assert {key: after[key] for key in shown if after[key] != 1} == {}
    assert [key for key, n in after.items() if n > 1] == []
    assert at_work
