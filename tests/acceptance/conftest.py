"""What the acceptance tests share: a wire, a desk that has polled it, the grammar of Atom."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lxml import etree

from aggregator.demo.wire import demo_briefs
from tests.acceptance.desk import COMMAND, SETTINGS, Desk, free_port
from tests.acceptance.wires import NewsWire, news_wire

LOOPBACK = {"WIREBRIEF_FETCH__PRIVATE_NETWORKS": "true", "WIREBRIEF_FETCH__PER_HOST": "64"}


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    if not COMMAND.exists():
        pytest.fail(f"There is no {COMMAND}: run `pip install --editable .` first, as `make test` does.")


@pytest.fixture(scope="session")
def atom_grammar() -> etree.RelaxNG:
    """The grammar of RFC 4287."""
    return etree.RelaxNG(file=str(Path(__file__).with_name("atom.rng")))


@pytest.fixture(scope="session")
def wire() -> Iterator[NewsWire]:
    """The demo's wire over HTTP, for as long as the tests run."""
    with news_wire() as opened:
        yield opened


def settings_for(feeds: list[str], **site: str) -> str:
    """A config.toml that follows these feeds."""
    head = "".join(f"{key} = {json.dumps(value)}\n" for key, value in site.items())
    return f"[site]\n{head}\n{SETTINGS}" + "".join(f"\n[[sources]]\nurl = {json.dumps(f)}\n" for f in feeds)


@pytest.fixture
def desk(tmp_path: Path, prepared_file: Path) -> Desk:
    """A desk that follows nothing yet."""
    shutil.copy(prepared_file, tmp_path / "wirebrief.db")
    (tmp_path / "config.toml").write_text(settings_for([]), encoding="utf-8")
    return Desk(tmp_path, LOOPBACK)


@pytest.fixture(scope="session")
def morning(wire: NewsWire, tmp_path_factory: pytest.TempPathFactory, prepared_file: Path) -> Desk:
    """A desk with a morning's work done: the wire polled, a brief with picks published.

    Tests only look at it; whoever changes something takes a `copy_of` it.
    """
    folder = tmp_path_factory.mktemp("morning")
    shutil.copy(prepared_file, folder / "wirebrief.db")
    site = {"title": "The desk", "url": f"http://127.0.0.1:{free_port()}"}
    (folder / "config.toml").write_text(settings_for(wire.feeds, **site), encoding="utf-8")
    desk = Desk(folder, LOOPBACK)
    (folder / "poll.json").write_text(desk.run("poll", "--json").out)
    _, text = demo_briefs()[0]
    (folder / "brief.txt").write_text(text, encoding="utf-8")
    slug = desk.run("briefs", "import", "brief.txt", "--json").row["slug"]
    (folder / "slug").write_text(slug)
    desk.run("pick", slug, "p1", f"{wire.url}/der-kanalbote/tschernobyl-schutzhuelle", "--role", "background")
    desk.run("pick", slug, "p1", f"{wire.url}/dziennik-trzech-mostow/rozmowy-w-rijadzie")
    desk.run("briefs", "publish", slug)
    return desk


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Desk], Desk]:
    """`copy_of(morning)` is a desk of the test's own in the same state."""

    def copy(desk: Desk) -> Desk:
        target = tmp_path / "copy"
        shutil.copytree(desk.folder, target)
        return Desk(target, desk.environment)

    return copy
