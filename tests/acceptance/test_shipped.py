"""What a release is: a wheel with everything in it, what it is made of, and the pages that say how to install it.

The blocks of docs/install.md and docs/upgrading.md are given to a shell as they stand. Instead of asking an
index, pip finds what the product needs in the environment of the tests.
"""

from __future__ import annotations

import contextlib
import json
import lzma
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from packaging.utils import canonicalize_name
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from aggregator import __version__
from aggregator.store import schema
from tests.acceptance.desk import free_port, wait_until

HOME = Path(__file__).resolve().parents[2]
INSTALL, UPGRADE = HOME / "docs" / "install.md", HOME / "docs" / "upgrading.md"
OLD = HOME / "tests" / "store" / "old"

_BLOCK = re.compile(r"^```(sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

#: What the product may be made of; see docs/notes/dependencies.md.
LICENCES = ("MIT", "BSD", "ISC", "PSF", "0BSD", "Apache", "MPL", "Mozilla Public", "LGPL", "Unlicense", "CC0")


def blocks(page: Path, kind: str) -> list[str]:
    """The blocks of a page that are for a shell (`sh`), or for root (`console`)."""
    return [text for found, text in _BLOCK.findall(page.read_text(encoding="utf-8")) if found == kind]


# The release


@dataclass(frozen=True, slots=True)
class Release:
    """The files of a release."""

    wheel: Path
    sources: Path
    bill: Path


def built(folder: Path, bill: Path, *targets: str) -> Release:
    """A release built into a folder."""
    words = [word for target in targets for word in ("--target", target)]
    # What builds it is the project's own tool.
    subprocess.run(  # noqa: S603
        [sys.executable, "-m", "hatchling", "build", "--directory", folder, *words],
        cwd=HOME,
        env=os.environ | {"WIREBRIEF_SBOM": str(bill)},
        check=True,
        capture_output=True,
    )
    name = f"wirebrief-{__version__}"
    return Release(folder / f"{name}-py3-none-any.whl", folder / f"{name}.tar.gz", bill)


def bill_of_materials(file: Path) -> Path:
    """The bill of materials of this environment."""
    subprocess.run([sys.executable, HOME / ".ci" / "sbom.py", file], check=True)  # noqa: S603 - as above
    return file


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """A release, built as `make dist` does."""
    folder = tmp_path_factory.mktemp("release")
    return built(folder, bill_of_materials(folder / "wirebrief.cdx.json"), "sdist", "wheel")


def test_the_wheel_has_every_file_of_the_two_packages_and_nothing_else(release: Release) -> None:
    there = {
        file.relative_to(HOME).as_posix()
        for package in ("feeds", "aggregator")
        for file in (HOME / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    about = f"wirebrief-{__version__}.dist-info"
    with zipfile.ZipFile(release.wheel) as wheel:
        inside = set(wheel.namelist())
        settings = wheel.read("aggregator/config.toml")
    assert inside - there == {
        "aggregator/config.toml",
        f"{about}/METADATA",
        f"{about}/RECORD",
        f"{about}/WHEEL",
        f"{about}/entry_points.txt",
        f"{about}/licenses/LICENSE",
        f"{about}/sboms/wirebrief.cdx.json",
    }
    assert there - inside == set()
    assert {"feeds/py.typed", "aggregator/py.typed", "aggregator/web/translations/fr.po"} <= inside
    assert settings == (HOME / "config.toml").read_bytes()


def test_the_sources_have_what_a_build_and_an_installation_need(release: Release) -> None:
    with tarfile.open(release.sources) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    wanted = (
        "constraints.txt",
        "LICENSE",
        "SECURITY.md",
        "docs/install.md",
        ".ci/wheel.py",
        "deploy/Containerfile",
    )
    assert [name for name in wanted if name not in inside] == []
    assert [name for name in inside if name.endswith((".db", ".pyc")) or name.startswith(".venv")] == []


def test_the_same_files_give_the_same_wheel(release: Release, tmp_path: Path) -> None:
    again = built(tmp_path, release.bill, "wheel")
    assert again.wheel.read_bytes() == release.wheel.read_bytes()


# What it is made of


@pytest.fixture(scope="module")
def bill(release: Release) -> dict[str, Any]:
    """The bill of materials that the wheel carries."""
    with zipfile.ZipFile(release.wheel) as wheel:
        found: dict[str, Any] = json.loads(
            wheel.read(f"wirebrief-{__version__}.dist-info/sboms/wirebrief.cdx.json")
        )
    return found


def test_the_bill_of_materials_is_one_by_the_schema_of_cyclonedx(bill: dict[str, Any]) -> None:
    registry: Registry[Any] = Registry()
    folder = files("cyclonedx.schema") / "_res"
    for name in ("bom-1.6", "spdx", "jsf-0.82"):
        file = f"{name}.SNAPSHOT.schema.json"
        each = Resource.from_contents(json.loads((folder / file).read_text("utf-8")), DRAFT7)
        own = each.id() or ""
        registry = registry.with_resources(
            [(own, each), (f"{own.rpartition('/')[0]}/{file}", each), (file, each)]
        )
    (wanted,) = (registry[name].contents for name in ("bom-1.6.SNAPSHOT.schema.json",))
    jsonschema.Draft7Validator(wanted, registry=registry).validate(bill)
    assert (bill["bomFormat"], bill["metadata"]["component"]["version"]) == ("CycloneDX", __version__)


def test_the_bill_of_materials_names_the_product_and_not_its_tools(bill: dict[str, Any]) -> None:
    named = {canonicalize_name(each["name"]): each["version"] for each in bill["components"]}
    assert {"fastapi", "sqlalchemy", "lxml", "psycopg-binary", "procrastinate"} <= named.keys()
    assert {"pytest", "mypy", "ruff", "pip", "wirebrief", "cyclonedx-bom"} & named.keys() == set()
    pins = dict(line.split("==") for line in (HOME / "constraints.txt").read_text("utf-8").splitlines())
    pinned = {canonicalize_name(name): version for name, version in pins.items()}
    assert {name: version for name, version in named.items() if pinned.get(name) != version} == {}


def test_every_part_has_a_licence_that_lets_us_use_it(bill: dict[str, Any]) -> None:
    def licences(part: Mapping[str, Any]) -> list[str]:
        given = [each.get("license", each) for each in part.get("licenses", [])]
        return [each.get("id") or each.get("name") or each["expression"] for each in given]

    wrong = {part["name"]: licences(part) for part in bill["components"]}
    wrong = {
        name: said
        for name, said in wrong.items()
        if not any(one in each for one in LICENCES for each in said)
    }
    assert wrong == {}


def test_the_bill_of_materials_knows_nothing_of_this_machine_and_is_the_same_again(
    release: Release, tmp_path: Path
) -> None:
    text = release.bill.read_text(encoding="utf-8")
    assert [place for place in (str(HOME), str(Path.home()), sys.prefix, "file:/") if place in text] == []
    assert bill_of_materials(tmp_path / "again.json").read_text(encoding="utf-8") == text


# Installed, and brought up to date, by the docs word by word


@dataclass(frozen=True, slots=True)
class Shell:
    """A folder in which the blocks of a page are given to a shell."""

    folder: Path
    environment: Mapping[str, str]
    port: int

    def gives(self, block: str, *, codes: tuple[int, ...] = (0,)) -> str:
        """Give a block to a shell that stops at what fails; what it said on standard output."""
        words = block.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")
        # The words are those of our own page.
        done = subprocess.run(  # noqa: S603
            ["/bin/sh", "-e", "-c", words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode in codes, (block, done.stdout, done.stderr)
        return done.stdout

    @contextlib.contextmanager
    def goes_on(self, block: str) -> Iterator[None]:
        """Give what goes on until Ctrl-C to a shell, and end it so."""
        with subprocess.Popen(  # noqa: S603 - as above
            ["/bin/sh", "-c", f"exec {block}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=_ctrl_c_is_heard,
        ) as running:
            try:
                wait_until(lambda: running.poll() is not None or self.is_ready())
                yield
                running.send_signal(signal.SIGINT)
                _, said = running.communicate(timeout=60)
            finally:
                running.kill()
        assert running.returncode in (0, 130), said

    def is_ready(self) -> bool:
        """Whether the service answers."""
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{self.port}/ready", trust_env=False).status_code == 200
        return False


def _ctrl_c_is_heard() -> None:
    # It is ignored in what was started in the background, and a child inherits that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that the product needs, and not the product: what pip would have from an index."""
    folder = tmp_path_factory.mktemp("shelf")
    for part in Path(jsonschema.__file__).parents[1].iterdir():
        if "wirebrief" not in part.name and part.suffix not in (".pth", ".egg-link"):
            (folder / part.name).symlink_to(part)
    return folder


def shell_in(folder: Path, release: Release, shelf: Path) -> Shell:
    """An empty folder with the two files of a release, and the Python of the tests as `python3`."""
    folder.mkdir()
    for file in (release.wheel, release.sources):
        shutil.copy(file, folder)
    python = folder.with_name(f"{folder.name}-bin")
    python.mkdir()
    (python / "python3").symlink_to(Path(sys.base_prefix) / "bin" / Path(sys.executable).resolve().name)
    port = free_port()
    environment = {
        "PATH": f"{python}:{os.defpath}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "LOGNAME": "ada",
        "PYTHONPATH": str(shelf),
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "WIREBRIEF_SERVE__PORT": str(port),
    }
    return Shell(folder, environment, port)


def follow_nothing(folder: Path) -> None:
    """Make config.toml one's own: the feeds of the example are out on the internet."""
    file = folder / "config.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"^\[\[sources\]\]\n(?:\w.*\n)+", "", text, flags=re.MULTILINE), encoding="utf-8")


@pytest.fixture(scope="module")
def installed(release: Release, shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A folder in which the page on installing was followed."""
    shell = shell_in(tmp_path_factory.mktemp("new") / "folder", release, shelf)
    prepare, try_out, init, doctor, run, look = blocks(INSTALL, "sh")
    shell.gives(prepare)
    shell.gives(try_out)
    shell.gives(init)
    follow_nothing(shell.folder)
    shell.gives(doctor)
    with shell.goes_on(run):
        assert json.loads(shell.gives(look))["version"] == __version__
    return shell


def test_an_empty_folder_becomes_a_service_by_the_docs_word_by_word(installed: Shell) -> None:
    there = {path.name for path in installed.folder.iterdir()}
    assert {"program", "config.toml", "wirebrief.db", "site"} <= there
    where = installed.gives(
        'program/bin/python -c "import aggregator, feeds; print(aggregator.__file__, feeds.__file__)"'
    )
    own = str(installed.folder / "program")
    assert [place for place in where.split() if not place.startswith(own)] == []
    assert (installed.folder / "site" / "briefs.atom").stat().st_size > 1000


#: What was left out of the databases that are stored, so that they are small: stories that channels carry.
THINNED = {"picks"}


def old_database(file: Path, revision: str) -> None:
    """A database as a version of before left it, with a morning's work in it."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.executescript(lzma.decompress((OLD / f"{revision}.sql.xz").read_bytes()).decode())
        # Every table has a row there; the one of this table was made up, and no program could begin with it.
        connection.execute("DELETE FROM definition")
        connection.commit()


def kept(file: Path) -> dict[str, int]:
    """How much of what must not be lost a database holds."""
    tables = ("story", "version", "brief", "revision", "story_link", "publication", "document", "source")
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return {
            name: int(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0])  # noqa: S608 - above
            for name in tables
        }


def revision_of(file: Path) -> str:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_an_older_database_is_brought_forward_and_back_by_the_docs_word_by_word(
    installed: Shell, release: Release, shelf: Path, tmp_path: Path
) -> None:
    shell = shell_in(tmp_path / "folder", release, shelf)
    before = max(file.name[:4] for file in OLD.glob("*.sql.xz") if file.name[:4] < schema.head())
    database = shell.folder / "wirebrief.db"
    old_database(database, before)
    had = kept(database)
    assert min(had.values()) > 0
    # There is no release before the first: its program stands for the one that is in use.
    (shell.folder / "program").symlink_to(installed.folder / f"program-{__version__}")
    shutil.copy(installed.folder / "config.toml", shell.folder)
    back_up, install, forward, look, run, back, look_again = blocks(UPGRADE, "sh")
    shell.gives(back_up)
    shell.gives(install)
    assert revision_of(database) == before
    shell.gives(forward)
    assert revision_of(database) == schema.head()
    assert kept(database) == had
    assert faults(shell, look) <= THINNED
    with shell.goes_on(run):
        wait_until(shell.is_ready)
    assert kept(database) == had | {"document": kept(database)["document"]}
    shell.gives(back)
    assert kept(database) == had
    assert faults(shell, look_again) <= THINNED


def faults(shell: Shell, doctor: str) -> set[str]:
    """What the doctor finds that is not well, by name."""
    return set(re.findall(r"^NO +([\w ]+):", shell.gives(doctor, codes=(0, 1)), re.MULTILINE))


# The parts for root


def as_root() -> list[str]:
    """Every line for root on both pages."""
    lines = [
        line
        for page in (INSTALL, UPGRADE)
        for block in blocks(page, "console")
        for line in block.splitlines()
    ]
    assert [line for line in lines if not line.startswith("# ")] == []
    return [line.removeprefix("# ") for line in lines]


def test_every_file_that_root_is_told_to_install_is_in_the_sources(release: Release) -> None:
    with tarfile.open(release.sources) as archive:
        inside = set(archive.getnames())
    named = {
        word for line in as_root() for word in re.findall(rf"wirebrief-{re.escape(__version__)}/\S+", line)
    }
    named = {name for name in named if not name.startswith(f"wirebrief-{__version__}/bin/")}
    assert len(named) >= 5
    assert named - inside == set()


def test_what_root_calls_is_the_program_and_the_unit_of_the_release() -> None:
    units = {name for line in as_root() for name in re.findall(r"wirebrief[\w-]*\.(?:service|target)", line)}
    assert units == {"wirebrief-run.service", "wirebrief.target"}
    assert [name for name in units if not (HOME / "deploy" / "systemd" / name).is_file()] == []
    unit = (HOME / "deploy" / "systemd" / "wirebrief-run.service").read_text(encoding="utf-8")
    for line in as_root():
        for program in re.findall(r"/opt/wirebrief/bin/wirebrief \S+ \S+", line):
            assert f"ExecStart={program} run" in unit
    assert {version for line in as_root() for version in re.findall(r"wirebrief-(\d[\d.]*\d)", line)} == {
        __version__
    }
