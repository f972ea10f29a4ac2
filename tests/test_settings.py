from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from aggregator import settings
from aggregator.model import Reuse, SourceDraft, SourceKind
from aggregator.rules.channels import Channel
from aggregator.rules.topics import Topic
from aggregator.settings import Settings, SettingsError, example, load

TOPIC = '[topics.talks]\ntitle = "Talks"\nany = ["talks"]\n'
CHANNEL = '[channels.wire]\ntitle = "Wire"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a program is started."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text: str, **environment: str) -> Settings:
    """The settings of a config.toml with this text."""
    Path("config.toml").write_text(text, encoding="utf-8")
    return load(Path("config.toml"), environment)


def refused(text: str, **environment: str) -> str:
    """What is said of a config.toml that cannot be used."""
    with pytest.raises(SettingsError) as error:
        read(text, **environment)
    return str(error.value)


def test_without_a_file_everything_has_a_value() -> None:
    assert load(None, {}) == Settings()


def test_a_file_says_what_it_wants_and_leaves_the_rest(folder: Path) -> None:
    found = read(
        'database = "sqlite:///desk.db"\n[site]\ntitle = "The desk"\n[fetch]\ntimeout = "90s"\n'
        '[fetch.cadence.wire]\nfloor = "2m"\n[keep]\nfetches = "8d"\n'
        f'{TOPIC}{CHANNEL}topics = ["talks"]\n[[sources]]\nurl = "https://wire.example/feed"\nkind = "blog"\n'
    )
    assert (found.database, found.site.title, found.site.language) == ("sqlite:///desk.db", "The desk", "en")
    assert (found.fetch.timeout, found.fetch.per_host) == (timedelta(seconds=90), 2)
    assert found.fetch.cadence.wire.floor == timedelta(minutes=2)
    assert found.fetch.cadence.wire.ceiling == Settings().fetch.cadence.wire.ceiling
    assert found.keep.fetches == timedelta(days=8)
    assert found.topics == (Topic("talks", "Talks", any=("talks",)),)
    assert found.channels == (Channel("wire", "Wire", topics=("talks",)),)
    assert found.sources == (SourceDraft("https://wire.example/feed", kind=SourceKind.BLOG),)


def test_the_environment_goes_before_the_file(folder: Path) -> None:
    found = read(
        "[fetch]\nper_host = 3\nprivate_networks = false\n[serve]\nport = 1\n",
        WIREBRIEF_FETCH__PER_HOST="64",
        WIREBRIEF_FETCH__PRIVATE_NETWORKS="true",
        WIREBRIEF_FETCH__CADENCE__BLOG__CEILING="12h",
        WIREBRIEF_DATABASE="sqlite:///other.db",
        WIREBRIEF_CONFIG="elsewhere.toml",
        HOME="/nowhere",
    )
    assert (found.fetch.per_host, found.fetch.private_networks, found.serve.port) == (64, True, 1)
    assert found.fetch.cadence.blog.ceiling == timedelta(hours=12)
    assert found.database == "sqlite:///other.db"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("databse = 1", "there is no setting databse; did you mean database?"),
        ("[fetch]\nper_hots = 1", "there is no setting fetch.per_hots; did you mean fetch.per_host?"),
        (
            "[keep]\nzzz = 1",
            "there is no setting keep.zzz; there is: backups, evidence, evidence_bytes, fetches, fragments, "
            "silence, stories, stories_bytes.",
        ),
        (
            '[fetch.cadence.news]\nflor = "1m"',
            "there is no setting fetch.cadence.news.flor; did you mean fetch.cadence.news.floor?",
        ),
        (
            f"{CHANNEL}entires = 3",
            "there is no setting channels.wire.entires; did you mean channels.wire.entries?",
        ),
        ("database = 1", "database = 1 cannot be used: Input should be a valid string."),
        ('[serve]\nport = "http"', "serve.port = 'http' cannot be used: Input should be a valid integer"),
        (
            '[fetch]\ntimeout = "soon"',
            'fetch.timeout = \'soon\' cannot be used: write a length of time such as "30s", "15m"',
        ),
        ("[fetch.cadence.wire]\nfloor = []", "fetch.cadence.wire.floor = [] cannot be used"),
        ("fetch = 3", "fetch is a table: write [fetch] and its keys below it."),
        ("[fetch]\ncadence = 3", "fetch.cadence = 3 cannot be used"),
        ("topics = 3", "write topics as tables, [topics.NAME]."),
        ("[channels]\nwire = 3", "write channels as tables, [channels.NAME]."),
        ("sources = 3", "write each source as a table of its own, [[sources]]."),
        ("sources = [3]", "sources[0] is a table"),
        (f"{CHANNEL}carries = ['storys']", "channels.wire.carries.0 = 'storys' cannot be used"),
        (
            "[channels.wire]\nentries = 3",
            "channels.wire.title = {'slug': 'wire', 'entries': 3} cannot be used",
        ),
        (
            f"{TOPIC}{CHANNEL}topics = ['talk']",
            "channels.wire.topics names 'talk', but there is no [topics.talk].",
        ),
        ('[topics.talks]\ntitle = "Talks"', "topics.talks: Topic talks looks for nothing"),
        ('[topics.talks]\ntitle = "Talks"\nany = ["("]', "topics.talks: Topic talks, any, the term '('"),
        ("[[sources]]\nurl = 'ftp://x'", "sources[0].url = 'ftp://x' cannot be used: write an http or https"),
        (
            "[[sources]]\nurl = 'https://x.example'\nkind = 'daily'",
            "sources[0].kind = 'daily' cannot be used",
        ),
        ("[site]\nurl = 'desk'", "site.url = 'desk' cannot be used: write an http or https address."),
        ("[site]\nsince = '2025'", "site.since = '2025' cannot be used: write a day, as 2025-01-01."),
        ("[site]\nsince = '20250101'", "site.since = '20250101' cannot be used"),
        ("[site]\nauthority = 'the desk'", "site.authority = 'the desk' cannot be used: write a domain"),
        ("[serve]\nport = 70000", "serve.port = 70000 cannot be used: write a number from 0 to 65535."),
        ("[fetch]\nper_host = 0", "fetch.per_host = 0 cannot be used: write 1 or more."),
        ("[fetch]\nconcurrency = -1", "fetch.concurrency = -1 cannot be used"),
        ("[fetch]\nlease = '0s'", "fetch.lease = '0:00:00' cannot be used: write more than 0s."),
        ("[fetch.cadence.wire]\nfloor = '0s'", "fetch.cadence.wire.floor = '0:00:00' cannot be used"),
        ("[fetch.cadence.wire]\nceiling = '1s'", "fetch.cadence.wire.ceiling = '0:00:01' cannot be used"),
        ("['channels.../x']\ntitle = 'X'", "there is no setting channels.../x"),
        ("[channels.'../x']\ntitle = 'X'", "channels.../x = '../x' cannot be used: write its name in small"),
        (f"{CHANNEL}entries = 0", "channels.wire.entries = 0 cannot be used: write 1 or more."),
        (f"{CHANNEL}body_bytes = 0", "channels.wire.body_bytes = 0 cannot be used: write 1 or more."),
        (f"{CHANNEL}query = '(peace'", "channels.wire.query: "),
        (f"{CHANNEL}reuse = 'some'", "channels.wire.reuse = 'some' cannot be used"),
        (f"{CHANNEL}formerly = ['Wire']", "channels.wire.formerly = 'Wire' cannot be used: write names that"),
        (
            f"{CHANNEL}formerly = ['wire']",
            "channels.wire.formerly names 'wire', but there is a channel of that name.",
        ),
        ("[push]\nhubs = ['hub']", "push.hubs = 'hub' cannot be used: write addresses of hubs"),
        ("[push]\ntimeout = '0s'", "push.timeout = '0:00:00' cannot be used: write more than 0s."),
        ("[push]\nlease = '60d'", "push.longest_lease = '30 days, 0:00:00' cannot be used: write no less"),
    ],
)
def test_a_mistake_is_named_by_its_key(folder: Path, text: str, message: str) -> None:
    said = refused(text)
    assert said.startswith("config.toml: ")
    assert message in said


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FETCH__PER_HOST", "many", "fetch.per_host = 'many' cannot be used"),
        ("FETCH__PER_HOTS", "2", "there is no setting fetch.per_hots; did you mean fetch.per_host?"),
        ("FETCH", "2", "fetch is a table"),
        ("DATABASE__URL", "x", "WIREBRIEF_DATABASE__URL sets a key within database, which is no table."),
        ("COLOUR", "red", "there is no setting colour"),
    ],
)
def test_a_mistake_in_the_environment_is_named_too(folder: Path, name: str, value: str, message: str) -> None:
    assert message in refused('database = "sqlite:///a.db"', **{f"WIREBRIEF_{name}": value})


@pytest.mark.parametrize(
    "written", ["https://a.example/ https://b.example/hub", "https://a.example/,https://b.example/hub"]
)
def test_the_environment_writes_hubs_with_spaces_or_commas(folder: Path, written: str) -> None:
    found = read('[push]\nhubs = ["https://file.example/"]\n', WIREBRIEF_PUSH__HUBS=written)
    assert found.push.hubs == ("https://a.example/", "https://b.example/hub")
    assert read("", WIREBRIEF_PUSH__HUBS="").push.hubs == ()


def test_a_channel_says_what_it_wants(folder: Path) -> None:
    found = read(
        f'{CHANNEL}sources = ["wire.example"]\ndesks = ["Europe"]\nquery = "peace"\nreuse = "full"\nage = "8d"\n'
        'body_bytes = 5000\nis_public = false\nformerly = ["news", "old-wire"]\n'
    )
    assert found.channels == (
        Channel(
            "wire",
            "Wire",
            sources=("wire.example",),
            desks=("Europe",),
            query="peace",
            reuse=Reuse.FULL,
            age=timedelta(days=8),
            body_bytes=5000,
            is_public=False,
            formerly=("news", "old-wire"),
        ),
    )


def test_a_file_that_is_no_toml_is_named_with_the_line(folder: Path) -> None:
    said = refused("[fetch]\nper_host =\n")
    assert said.startswith("config.toml is not valid TOML: ")
    assert "line 2" in said


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"There is no other.toml: name the settings with --config"):
        load(Path("other.toml"), {})
    Path("latin.toml").write_bytes("title = 'Élysée'".encode("latin-1"))
    with pytest.raises(SettingsError, match=r"latin.toml cannot be read"):
        load(Path("latin.toml"), {})


def test_an_installation_without_its_example_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "__file__", str(folder / "aggregator" / "settings.py"))
    with pytest.raises(SettingsError, match="install wirebrief anew"):
        example()


def test_the_shipped_example_follows_many_sources_in_many_languages() -> None:
    found = load(example(), {})
    assert len(found.sources) >= 25
    assert len({source.language for source in found.sources}) >= 6
    assert len({source.url for source in found.sources}) == len(found.sources)
    assert all(source.title for source in found.sources)
    assert found.topics
    assert found.channels


def test_the_shipped_example_says_what_is_built_in() -> None:
    """Where it differs on purpose, it says who publishes."""
    found = load(example(), {})
    for name in ("serve", "fetch", "keep", "push", "database"):
        assert getattr(found, name) == getattr(Settings(), name), name


def keys(type_: Any, table: str = "") -> Iterator[tuple[str, str]]:
    """(table, key) of every setting that has one place."""
    for name, hint in get_type_hints(type_).items():
        if dataclasses.is_dataclass(hint):
            yield from keys(hint, f"{table}.{name}" if table else name)
        elif name not in ("topics", "channels", "sources"):
            yield table, name


def sections(text: str) -> dict[str, str]:
    """What stands below each header, by its name; "" is the top."""
    parts = re.split(r"^\[+([^\]]+)\]+$", text, flags=re.MULTILINE)
    return dict(zip(["", *parts[1::2]], parts[::2], strict=True))


@pytest.mark.parametrize(("table", "key"), list(keys(Settings)))
def test_the_shipped_example_shows_every_setting(table: str, key: str) -> None:
    shown = sections(example().read_text(encoding="utf-8"))
    assert re.search(rf"^#? ?{key} = ", shown[table], re.MULTILINE), f"config.toml shows no {table}.{key}"


@pytest.mark.parametrize(
    ("kind", "type_"), [("topics", Topic), ("channels", Channel), ("sources", SourceDraft)]
)
def test_the_shipped_example_explains_every_key_of_a_list(kind: str, type_: Any) -> None:
    text = example().read_text(encoding="utf-8")
    begins = {
        "topics": "# What the desk follows",
        "channels": "# What is published",
        "sources": "# What is followed",
    }
    lines = text[text.index(begins[kind]) :].splitlines()
    comment = " ".join(itertools.takewhile(lambda line: line.startswith("#"), lines))
    unexplained = set(get_type_hints(type_)) - set(re.findall(r"\w+", comment)) - {"slug"}
    assert not unexplained, f"config.toml explains no {unexplained} of {kind}"


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"KEEP__STORIES": "3d"}, "keep.stories"),
        ({"KEEP__EVIDENCE_BYTES": "-1"}, "keep.evidence_bytes"),
        ({"ALARMS__FAILING": "0s"}, "alarms.failing"),
        ({"ALARMS__WEBHOOK": "ops"}, "alarms.webhook"),
        # It would go out unsigned; what was written is not repeated.
        ({"ALARMS__WEBHOOK": "https://ops.example/", "ALARMS__WEBHOOK_SECRET": "hunter2"}, "webhook_secret"),
    ],
)
def test_what_keeps_and_alarms_cannot_be_is_named(given: dict[str, str], key: str) -> None:
    with pytest.raises(SettingsError, match=key) as told:
        load(None, {f"WIREBRIEF_{name}": value for name, value in given.items()})
    assert "hunter2" not in str(told.value)
