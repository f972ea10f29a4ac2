"""Settings: `config.toml`, then the environment. Every mistake is named by its key.

Each setting has an environment twin: WIREBRIEF_ and the keys in capitals, joined by two
underscores (`fetch.per_host` is WIREBRIEF_FETCH__PER_HOST). The dataclasses stand beside the
code that they tune; this module only reads them.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from aggregator.errors import BadInput
from aggregator.flows.alarms import AlarmSettings
from aggregator.flows.ingest import FetchSettings
from aggregator.flows.link import LinkSettings
from aggregator.flows.oidc_provider import OidcSettings, is_guarded
from aggregator.flows.push import PushSettings
from aggregator.flows.retention import LEAST
from aggregator.flows.upkeep import KeepSettings
from aggregator.logs import LogSettings
from aggregator.model import LONGEST_ADDRESS, SourceDraft, SourceKind
from aggregator.people import ROLES
from aggregator.rules.cadence import Cadences
from aggregator.rules.channels import Channel, Site
from aggregator.rules.definitions import channel_faults
from aggregator.rules.topics import Topic, compile_topic
from aggregator.rules.webhooks import is_secret
from aggregator.web.settings import MetricsSettings, ServeSettings
from aggregator.work.jobs import WorkSettings
from feeds.urls import absolute

T = TypeVar("T")

PREFIX = "WIREBRIEF_"

#: A domain or an address of mail (RFC 4151 section 2.1).
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


#: Fewer characters could be guessed.
SHORTEST_TOKEN = 16


class SettingsError(BadInput):
    """A setting cannot be used; the message names its key."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set."""

    #: An SQLAlchemy URL: sqlite:///FILE or postgresql://USER@HOST/NAME.
    database: str = "sqlite:///wirebrief.db"
    site: Site = field(default_factory=Site)
    serve: ServeSettings = field(default_factory=ServeSettings)
    fetch: FetchSettings = field(default_factory=FetchSettings)
    keep: KeepSettings = field(default_factory=KeepSettings)
    link: LinkSettings = field(default_factory=LinkSettings)
    push: PushSettings = field(default_factory=PushSettings)
    alarms: AlarmSettings = field(default_factory=AlarmSettings)
    work: WorkSettings = field(default_factory=WorkSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    log: LogSettings = field(default_factory=LogSettings)
    oidc: OidcSettings = field(default_factory=OidcSettings)
    topics: tuple[Topic, ...] = ()
    channels: tuple[Channel, ...] = ()
    #: Followed from the start; more are added by command.
    sources: tuple[SourceDraft, ...] = ()


def example() -> Path:
    """The shipped config.toml: within the package when installed, above it in a checkout.

    Raises:
        SettingsError: the installation is not whole.
    """
    package = Path(__file__).parent
    for place in (package / "config.toml", package.parent / "config.toml"):
        if place.is_file():
            return place
    raise SettingsError("This installation lacks its config.toml: install wirebrief anew.")


#: What is never told: whoever has it may do what we may. An address with a login in it is one, too.
_HIDDEN = re.compile(r"secret|password|token$|^database$")


def told(settings: Settings) -> dict[str, str]:
    """What the settings say, by key, as an audit may keep it: no secret, and no list of sources."""
    return dict(sorted(_told("", {**_values(settings), "sources": len(settings.sources)})))


def _told(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        key = f"{prefix}{name}"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            yield from _told(f"{key}.", _values(value))
        elif not prefix and name in ("topics", "channels"):
            yield from _told(f"{name}.", {one.slug: one for one in value})
        elif value not in (None, "", (), frozenset()):
            shown = sorted(value) if isinstance(value, frozenset) else value
            yield key, "…" if _HIDDEN.search(name) else str(shown)


def _values(value: Any) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}


def load(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """The settings of a file and an environment, checked as a whole.

    Raises:
        SettingsError: the file cannot be read, or a key or its value cannot be used.
    """
    given = _read(path) if path is not None else {}
    where = str(path) if path is not None else "the settings"
    _overlay(given, environment)
    named = {kind: _named(given.pop(kind, {}), kind, where) for kind in ("topics", "channels")}
    settings = Settings(
        **{
            **_plain(given, where),
            "topics": tuple(_build(Topic, t, f"topics.{t['slug']}", where) for t in named["topics"]),
            "channels": tuple(_build(Channel, c, f"channels.{c['slug']}", where) for c in named["channels"]),
        }
    )
    _check(settings, where)
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(f"There is no {path}: name the settings with --config FILE.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error


def _overlay(given: dict[str, Any], environment: Mapping[str, str]) -> None:
    for name, value in sorted(environment.items()):
        if name.startswith(PREFIX) and name != f"{PREFIX}CONFIG":
            *tables, key = name[len(PREFIX) :].lower().split("__")
            place = given
            for table in tables:
                place = place.setdefault(table, {})
                if not isinstance(place, dict):
                    raise SettingsError(f"{name} sets a key within {table}, which is no table.")
            place[key] = value


def _named(tables: Any, kind: str, where: str) -> list[dict[str, Any]]:
    """`[topics.x]` with its name as its slug, in the order of the file."""
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise SettingsError(f"{where}: write {kind} as tables, [{kind}.NAME].")
    return [{"slug": slug, **table} for slug, table in tables.items()]


def _plain(given: dict[str, Any], where: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    hints = get_type_hints(Settings)
    for key, value in given.items():
        if key not in hints:
            raise SettingsError(_unknown(key, hints, "", where))
        if key == "sources":
            values[key] = tuple(
                _build(SourceDraft, row, f"sources[{n}]", where) for n, row in enumerate(_rows(value, where))
            )
        elif dataclasses.is_dataclass(hints[key]):
            values[key] = _build(hints[key], _with_defaults(hints[key], value), key, where)
        else:
            values[key] = _validated(hints[key], value, key, where)
    return values


def _rows(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise SettingsError(f"{where}: write each source as a table of its own, [[sources]].")
    return value


def _build(type_: type[T], given: Any, key: str, where: str) -> T:
    if not isinstance(given, dict):
        raise SettingsError(f"{where}: {key} is a table: write [{key}] and its keys below it.")
    _refuse_unknown(type_, given, key, where)
    built: T = _validated(type_, given, key, where)
    return built


def _with_defaults(type_: Any, given: Any) -> Any:
    """A table over the built-in one, so that one key of it can be set alone."""
    return _over(dataclasses.asdict(type_()), given) if isinstance(given, dict) else given


def _over(below: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for key, value in given.items():
        under = below.get(key)
        both[key] = _over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return both


def _refuse_unknown(type_: Any, given: dict[str, Any], key: str, where: str) -> None:
    hints = get_type_hints(type_)
    for name, value in given.items():
        if name not in hints:
            raise SettingsError(_unknown(name, hints, f"{key}.", where))
        if dataclasses.is_dataclass(hints[name]) and isinstance(value, dict):
            _refuse_unknown(hints[name], value, f"{key}.{name}", where)


def _unknown(name: str, known: Mapping[str, Any], prefix: str, where: str) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = (
        f"did you mean {prefix}{close[0]}?"
        if close
        else f"there is: {', '.join(sorted(set(known) - {'slug'}))}."
    )
    return f"{where}: there is no setting {prefix}{name}; {hint}"


def _validated(type_: Any, value: Any, key: str, where: str) -> Any:
    try:
        return TypeAdapter(type_).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(
            [key, *(str(part) for part in first["loc"] if not str(part).startswith("function-"))]
        )
        said = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{where}: {place} = {first['input']!r} cannot be used: {said}.") from error


def _check(settings: Settings, where: str) -> None:
    """What no single value shows."""
    for topic in settings.topics:
        try:
            compile_topic(topic)
        except BadInput as error:
            raise SettingsError(f"{where}: topics.{topic.slug}: {error}") from error
    _check_channels(settings, where)
    for key, value, is_usable, wanted in _demands(settings):
        if not is_usable:
            raise SettingsError(f"{where}: {key} = {value!r} cannot be used: write {wanted}.")


def _check_channels(settings: Settings, where: str) -> None:
    among = [channel.slug for channel in settings.channels]
    topics = [topic.slug for topic in settings.topics]
    for channel in settings.channels:
        faults = channel_faults(
            channel,
            among=among,
            topics=topics,
            named=partial(_key_of, channel.slug),
            no_topic="no [topics.{name}]",
        )
        for fault in faults:
            raise SettingsError(f"{where}: {fault}")


def _key_of(channel: str, part: str) -> str:
    return f"channels.{channel}.{part}" if part else f"channels.{channel}"


#: Key, value, whether it can be used, and what to write instead.
_Demand = tuple[str, Any, bool, str]


def _demands(settings: Settings) -> Iterator[_Demand]:
    """What a value must be beyond its type."""
    site, serve, fetch = settings.site, settings.serve, settings.fetch
    yield "site.url", site.url, absolute(site.url) is not None, "an http or https address"
    yield "site.since", site.since, _is_day(site.since), "a day, as 2025-01-01"
    is_authority = _AUTHORITY.fullmatch(site.authority) is not None
    yield "site.authority", site.authority, is_authority, "a domain or an address of mail"
    yield "serve.port", serve.port, 0 <= serve.port <= 65_535, "a number from 0 to 65535"
    for name in ("concurrency", "per_host", "body_bytes"):
        yield f"fetch.{name}", getattr(fetch, name), getattr(fetch, name) > 0, "1 or more"
    for name in ("timeout", "lease", "whole_after"):
        yield f"fetch.{name}", str(getattr(fetch, name)), getattr(fetch, name) > timedelta(), "more than 0s"
    yield from _push_demands(settings.push)
    yield from _keep_demands(settings.keep, settings.alarms)
    work = settings.work
    yield "work.jobs", work.jobs, work.jobs > 0, "1 or more"
    yield from _metrics_demands(settings.metrics)
    yield from _oidc_demands(settings.oidc)
    yield "work.stalled", str(work.stalled), work.stalled >= timedelta(seconds=2), "2s or more"
    yield from _cadence_demands(fetch.cadence)
    yield from _list_demands(settings)


def _metrics_demands(metrics: MetricsSettings) -> Iterator[_Demand]:
    yield "metrics.port", metrics.port, 0 <= metrics.port <= 65_535, "a number from 0 to 65535"
    token = metrics.token
    # The message must not repeat it.
    is_long = not token or (len(token) >= SHORTEST_TOKEN and token.isascii() and token.isprintable())
    yield "metrics.token", "…" if token else "", is_long, f"{SHORTEST_TOKEN} characters or more, in ASCII"


def _oidc_demands(oidc: OidcSettings) -> Iterator[_Demand]:
    is_safe = not oidc.issuer or is_guarded(oidc.issuer)
    yield "oidc.issuer", oidc.issuer, is_safe, "an https address; http only on this machine"
    is_known = not oidc.issuer or bool(oidc.client_id)
    yield "oidc.client_id", oidc.client_id, is_known, "what the provider calls this desk"
    yield "oidc.claim", oidc.claim, bool(oidc.claim), 'the name of a claim, such as "email"'
    yield "oidc.label", oidc.label, bool(oidc.label.strip()), "what the desk calls the provider"
    # Whoever the provider lets in must not let others in.
    is_role = oidc.create in ("", *ROLES[:-1])
    yield "oidc.create", oidc.create, is_role, f'"", or a role: {", ".join(ROLES[:-1])}'


def _push_demands(push: PushSettings) -> Iterator[_Demand]:
    for hub in push.hubs:
        yield "push.hubs", hub, absolute(hub) == hub, "addresses of hubs, with http or https"
    for name in ("lease", "longest_lease", "timeout", "patience"):
        yield f"push.{name}", str(getattr(push, name)), getattr(push, name) > timedelta(), "more than 0s"
    is_long = push.longest_lease >= push.lease
    yield "push.longest_lease", str(push.longest_lease), is_long, "no less than push.lease"


def _keep_demands(keep: KeepSettings, alarms: AlarmSettings) -> Iterator[_Demand]:
    for name in ("evidence_bytes", "stories_bytes"):
        yield f"keep.{name}", getattr(keep, name), getattr(keep, name) >= 0, "0 or more"
    is_late = not keep.stories or keep.stories >= LEAST
    yield "keep.stories", str(keep.stories), is_late, f"{LEAST.days}d or more, or 0s to keep all"
    yield "alarms.failing", str(alarms.failing), alarms.failing > timedelta(), "more than 0s"
    webhook, secret = alarms.webhook, alarms.webhook_secret
    yield "alarms.webhook", webhook, not webhook or absolute(webhook) == webhook, "an http or https address"
    # The message must not repeat the secret.
    is_signed = not webhook or is_secret(secret)
    yield (
        "alarms.webhook_secret",
        "…" if secret else "",
        is_signed,
        "whsec_ and 24 to 64 random bytes in base64",
    )


def _cadence_demands(cadences: Cadences) -> Iterator[_Demand]:
    for kind in SourceKind:
        cadence, key = cadences.of(kind), f"fetch.cadence.{kind.value}"
        yield f"{key}.floor", str(cadence.floor), cadence.floor > timedelta(), "more than 0s"
        yield (
            f"{key}.ceiling",
            str(cadence.ceiling),
            cadence.ceiling >= cadence.floor,
            "no less than its floor",
        )


def _list_demands(settings: Settings) -> Iterator[_Demand]:
    for number, source in enumerate(settings.sources):
        is_address = absolute(source.url) is not None and len(source.url) <= LONGEST_ADDRESS
        yield f"sources[{number}].url", source.url, is_address, "an http or https address"


def _is_day(written: str) -> bool:
    try:
        return date.fromisoformat(written).isoformat() == written
    except ValueError:
        return False
