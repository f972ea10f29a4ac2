"""The documentation is held to the code: what is there is named, and what is named is there.

Each check gathers what is missing into one sorted list, so that a failure names all of it.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from aggregator import model as desk
from aggregator import outgoing, people
from aggregator.cli import cli
from aggregator.model import SourceDraft
from aggregator.rules.channels import Channel
from aggregator.rules.topics import Topic
from aggregator.rules.webhooks import new_secret, signed_headers
from aggregator.settings import PREFIX, Settings, example, load
from aggregator.written import read_duration
from feeds import errors, model

HOME = Path(__file__).resolve().parents[1]
DOCS = sorted((HOME / "docs").rglob("*.md"))
PAGES = [HOME / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")] + DOCS
GUIDE, SETTINGS = HOME / "docs" / "guide.md", HOME / "docs" / "settings.md"

#: Keys of the lists: how docs write them, and the type of one thing in the list.
LISTS = {"topics.NAME.": Topic, "channels.NAME.": Channel, "sources[].": SourceDraft}

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*$", re.MULTILINE)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")

# Put together here, so that this file does not name them itself.
_MACHINE = re.compile(r"(?<![\w.:/-])/(?:" + "|".join(("home", "root", "work", "Users")) + r")/[\w.-]")
_REGISTRIES = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "proxy.golang" + ".org",
]


def read(page: Path) -> str:
    """The text of a page."""
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return _FENCE.sub("", read(page))


def name_of(page: Path) -> str:
    """A page as a failure names it."""
    return page.relative_to(HOME).as_posix()


# Commands


@cache
def commands() -> dict[str, Any]:
    """Every command by the words that call it: "sources add"."""
    found: dict[str, Any] = {"": typer.main.get_command(cli)}
    groups = [""]
    while groups:
        group = groups.pop()
        for word, command in getattr(found[group], "commands", {}).items():
            words = f"{group} {word}".strip()
            found[words] = command
            groups.append(words)
    return found


def options(words: str) -> set[str]:
    """The options of a command, both of a pair of switches."""
    options = (p for p in commands()[words].params if p.param_type_name == "option")
    return {name for option in options for name in (*option.opts, *option.secondary_opts)}


def verbs() -> list[str]:
    """The commands that do something, and not only gather others."""
    return sorted(words for words, command in commands().items() if not hasattr(command, "commands"))


def section(page: Path, title: str) -> str:
    """What stands below a heading, to the next heading."""
    text = read(page)
    for found in _HEADING.finditer(text):
        if found[2] == title:
            following = _HEADING.search(text, found.end())
            return text[found.end() : following.start() if following else len(text)]
    return ""


def calls(page: Path) -> Iterator[list[str]]:
    """Every `$ wirebrief …` of a page's console blocks, in words."""
    for kind, block in _FENCE.findall(read(page)):
        for line in block.splitlines():
            if kind == "console" and line.startswith("$ wirebrief"):
                yield shlex.split(line[2:])[1:]


def complaint(words: list[str]) -> str | None:
    """What is wrong with a call, or None."""
    called = ""
    while words and hasattr(commands()[called], "commands"):
        if words[0].startswith("-"):
            break
        called, words = f"{called} {words[0]}".strip(), words[1:]
        if called not in commands():
            return f"there is no command {called!r}"
    unknown = (
        {word.partition("=")[0] for word in words if word.startswith("--")} - options(called) - {"--help"}
    )
    return f"{called} has no {', '.join(sorted(unknown))}" if unknown else None


@pytest.mark.parametrize("words", verbs())
def test_every_command_has_its_place_in_the_guide_with_all_of_its_options(words: str) -> None:
    told = section(GUIDE, f"`wirebrief {words}`")
    assert told.strip(), f"docs/guide.md has no heading `wirebrief {words}`"
    missing = [
        name for name in sorted(options(words)) if not re.search(rf"`{name}\b|^{name}\b", told, re.MULTILINE)
    ]
    assert missing == []


def test_the_options_before_the_verb_are_in_the_guide() -> None:
    told = section(GUIDE, "The command")
    assert [name for name in sorted(options("")) if f"`{name}" not in told] == []


def test_the_guide_names_no_command_that_is_not_there() -> None:
    named = {found[2] for found in _HEADING.finditer(read(GUIDE)) if found[2].startswith("`wirebrief")}
    assert sorted(named - {f"`wirebrief {words}`" for words in verbs()}) == []


def test_every_call_shown_in_a_console_can_be_typed() -> None:
    shown = [(name_of(page), words) for page in PAGES for words in calls(page)]
    assert len(shown) > 8, "the README shows the first ten minutes"
    assert [(page, wrong) for page, words in shown if (wrong := complaint(words))] == []


def test_a_call_that_cannot_be_typed_is_noticed() -> None:
    assert complaint(["sources", "forget", "1"]) == "there is no command 'sources forget'"
    assert complaint(["poll", "--alll"]) == "poll has no --alll"
    assert complaint(["sources", "add", "https://desk.example/feed", "--kind", "wire"]) is None


# Settings


def leaves(values: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every single setting with its default."""
    for each in dataclasses.fields(values):
        value, key = getattr(values, each.name), prefix + each.name
        if dataclasses.is_dataclass(value):
            yield from leaves(value, f"{key}.")
        elif f"{key}." not in {name.replace("[]", "").replace(".NAME", "") for name in LISTS}:
            yield key, value


def listed() -> Iterator[tuple[str, Any]]:
    """Every key of a topic, a channel and a source, with its default."""
    for prefix, type_ in LISTS.items():
        for each in dataclasses.fields(type_):
            if each.name != "slug":
                yield prefix + each.name, each.default


def rows() -> dict[str, list[str]]:
    """The tables of docs/settings.md: the cells after the key, by key."""
    found = {}
    for line in read(SETTINGS).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) > 2:
            found[cells[0].strip("| `")] = [cell.strip(" |") for cell in cells[1:]]
    return found


def shown(default: Any, cell: str) -> Any:
    """The default that a cell shows, as the type of the setting has it."""
    if cell in ("required", "none"):
        return dataclasses.MISSING if cell == "required" else None
    value = tomllib.loads(f"value = {cell.strip('`')}")["value"]
    if isinstance(default, timedelta):
        return read_duration(value)
    return type(default)(value) if isinstance(value, list) else value


def test_every_setting_is_listed_with_its_default() -> None:
    table = rows()
    every = dict([*leaves(Settings()), *listed()])
    assert sorted(every.keys() - table.keys()) == []
    wrong = {key: table[key][1] for key, value in every.items() if shown(value, table[key][1]) != value}
    assert wrong == {}


def test_no_setting_is_listed_that_is_not_there() -> None:
    assert sorted(rows().keys() - dict([*leaves(Settings()), *listed()]).keys()) == []


def test_every_setting_is_listed_with_its_environment_twin() -> None:
    twins = {key: f"`{PREFIX}{key.upper().replace('.', '__')}`" for key, _ in leaves(Settings())}
    assert {key: twin for key, twin in twins.items() if rows()[key][2] != twin} == {}


def test_the_environment_sets_what_the_docs_say_it_sets() -> None:
    given = {f"{PREFIX}FETCH__CADENCE__WIRE__FLOOR": "90s", f"{PREFIX}SERVE__PORT": "8100"}
    settings = load(None, given)
    assert (settings.fetch.cadence.wire.floor, settings.serve.port) == (timedelta(seconds=90), 8100)


def test_the_example_loads_and_shows_every_setting() -> None:
    assert load(example(), {}).sources
    given = tomllib.loads(read(example()))
    assert [key for key, _ in leaves(Settings()) if not _has(given, key.split("."))] == []


@pytest.mark.parametrize("prefix", LISTS)
def test_the_example_explains_every_key_of_its_lists(prefix: str) -> None:
    told = _comments_above(prefix.split(".")[0].removesuffix("[]"))
    keys = [key.removeprefix(prefix) for key, _ in listed() if key.startswith(prefix)]
    assert [key for key in keys if not re.search(rf"^#   (?:\w+, )*{key}\b", told, re.MULTILINE)] == []


def _comments_above(table: str) -> str:
    """The comments between the first table of a kind and the one before it."""
    before = re.split(rf"^\[+{table}\b", read(example()), maxsplit=1, flags=re.MULTILINE)[0]
    last = re.split(r"^\[", before, flags=re.MULTILINE)[-1]
    return "\n".join(line for line in last.splitlines() if line.startswith("#"))


def _has(given: Any, keys: list[str]) -> bool:
    return not keys or (isinstance(given, dict) and keys[0] in given and _has(given[keys[0]], keys[1:]))


def test_the_example_names_the_same_defaults_for_the_pace_of_fetching() -> None:
    assert load(example(), {}).fetch == Settings().fetch


# Pages and the API


def routes() -> set[str]:
    """Every route of every router of the web service, as the guide writes it."""
    web = pytest.importorskip("aggregator.web")
    documents = importlib.import_module("aggregator.web.documents")
    found = {f"GET /channels/{{slug}}.{ending}" for ending in documents.FORMAT_AT}
    # Both are answered in front of the router.
    found |= {"GET /channels/{slug}/archive/{name}.atom", "GET /events"}
    for each in pkgutil.iter_modules(web.__path__, "aggregator.web."):
        router = getattr(importlib.import_module(each.name), "router", None)
        for route in router.routes if router else ():
            found |= {f"{method} {route.path}" for method in route.methods - {"HEAD", "OPTIONS"}}
    return found


def test_every_page_and_call_is_in_the_guide_and_no_other() -> None:
    told = section(GUIDE, "Pages") + section(GUIDE, "The API")
    named = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`\s]*)`", told))
    # FastAPI answers this one by itself.
    assert named == routes() | {"GET /api/openapi.json"}


def test_the_way_to_check_a_webhook_that_the_guide_shows_works() -> None:
    (shown,) = (block for kind, block in _FENCE.findall(read(GUIDE)) if kind == "python")
    names: dict[str, Any] = {}
    # The guide's own words, run as a partner would run them.
    exec(shown, names)  # noqa: S102
    secret, now, body = new_secret(bytes(range(32))), datetime.now(UTC), "{“é”}".encode()
    headers = signed_headers(secret, id="act_7", at=now, body=body)
    is_genuine = names["is_from_the_desk"]
    assert is_genuine(secret, headers, body)
    assert not is_genuine(secret, headers, body + b" ")
    assert not is_genuine(new_secret(bytes(32)), headers, body)
    old = signed_headers(secret, id="act_7", at=now - timedelta(minutes=6), body=body)
    assert not is_genuine(secret, old, body)


# Words


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(read(HOME / "pyproject.toml"))
    needed = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    needed += [each for extra in project["project"]["optional-dependencies"].values() for each in extra]
    names = {re.split(r"[\[<>=~! ]", each, maxsplit=1)[0] for each in needed}
    told = read(HOME / "docs" / "notes" / "dependencies.md")
    assert sorted(name for name in names if f"`{name}`" not in told) == []
    assert sorted(set(re.findall(r"^\| `([\w-]+)` \|", told, re.MULTILINE)) - names) == []


def test_every_noun_is_in_the_glossary() -> None:
    nouns = {
        name
        for module in (desk, outgoing, people, model)
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    }
    told = read(HOME / "docs" / "glossary.md")
    assert sorted(noun for noun in nouns if f"`{noun}`" not in told) == []


def test_every_way_of_failing_is_in_the_guide() -> None:
    told = section(GUIDE, "When a feed fails")
    assert sorted(kind.value for kind in errors.FailureKind if f"| `{kind.value}` |" not in told) == []


def test_every_word_that_an_editor_writes_or_reads_is_in_the_guide() -> None:
    told = read(GUIDE)
    words = [*desk.Role, *desk.SourceKind, *desk.BriefState, *desk.Reuse]
    assert [word.value for word in words if f"`{word.value}`" not in told] == []


# Links and addresses


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    titles = (found[2] for found in _HEADING.finditer(prose(page)))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def dead(page: Path, target: str) -> bool:
    """Whether a relative link of a page leads nowhere."""
    path, _, anchor = target.partition("#")
    place = (page.parent / path).resolve() if path else page
    return not place.exists() or bool(anchor and anchor not in anchors(place))


def test_every_relative_link_leads_to_a_file_and_a_heading() -> None:
    links = [(page, target) for page in PAGES for target in _LINK.findall(prose(page)) if "://" not in target]
    assert len(links) > 20, "the pages lead to one another"
    assert [(name_of(page), target) for page, target in links if dead(page, target)] == []


def test_a_link_that_leads_nowhere_is_noticed() -> None:
    assert dead(GUIDE, "nowhere.md")
    assert dead(GUIDE, "#no-such-heading")
    assert not dead(GUIDE, "glossary.md#what-is-followed")


def test_every_page_is_reached_from_another() -> None:
    targets = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in _LINK.findall(prose(page))
    }
    assert [name_of(page) for page in DOCS if page not in targets] == []


def texts() -> Iterator[tuple[str, str]]:
    """Every text of the project that is kept, or would be, by its path."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        # A fixed command, and git is wherever the system has it.
        run = subprocess.run(listing, cwd=HOME, capture_output=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("This is no checkout of git, so nothing says which files belong to the project.")
    for name in run.stdout.decode().split("\0"):
        if (HOME / name).is_file():
            yield name, (HOME / name).read_bytes().decode("utf-8", "replace")


def test_no_text_names_a_path_of_a_machine_or_a_registry() -> None:
    found = [(name, place[0]) for name, text in texts() for place in _MACHINE.finditer(text)]
    found += [(name, registry) for name, text in texts() for registry in _REGISTRIES if registry in text]
    assert found == []


def test_a_path_of_a_machine_is_noticed() -> None:
    assert _MACHINE.search('open("/' + 'home/ann/feed.xml")')
    assert not _MACHINE.search("https://desk.example/" + "home/feed.xml")


def test_the_docs_speak_of_the_project_alone() -> None:
    # What lies beside a checkout is nobody's business but a test's that skips without it.
    assert [name_of(page) for page in PAGES if "../" + "shared" in read(page)] == []
