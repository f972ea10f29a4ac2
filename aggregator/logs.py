"""Log lines: a fixed message with facts as fields, as text for people or as JSON for machines.

Every line says which request or which fetch it belongs to. What strangers sent cannot begin a line of
its own, and what opens something (keys, passwords, one-time links) is masked: see docs/notes/seeing.md.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TextIO
from urllib.parse import urlsplit

from feeds.shareable import is_shareable

#: The request and the fetch that are worked on now; "" outside of any.
REQUEST: ContextVar[str] = ContextVar("request", default="")
FETCH: ContextVar[str] = ContextVar("fetch", default="")

MASK = "***"

#: What others log line by line: their INFO is our DEBUG.
_TALKATIVE = ("httpx", "httpcore", "apscheduler", "procrastinate", "alembic", "asyncio", "uvicorn.access")

#: Fields that hold what opens something, whatever it looks like.
_SECRET_NAMES = frozenset(
    {"key", "token", "password", "secret", "cookie", "authorization", "session", "code", "csrf"}
)
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>]+", re.IGNORECASE)
#: In a line a value may stand after its name, and a key after its scheme (RFC 9110 section 11.4).
_NAMED = re.compile(
    r"""\b((?:[\w-]*[_-])?(?:password|passwd|secret|token|api_?key|key|cookie|session|csrf)["']?\s?[=:]\s?["']?)
        [^\s"'&;,)]+""",
    re.VERBOSE | re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE)
_WEBHOOK_SECRET = re.compile(r"\bwhsec_[\w+/=-]+")

#: What every record has; all else was handed in as a fact.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}

#: Characters of one fact at most.
LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How log lines are written, on standard error."""

    #: "text" for people, "json" for machines: an object a line.
    format: Literal["text", "json"] = "text"
    #: What is less than this is not written.
    level: Literal["debug", "info", "warning", "error"] = "warning"


def masked(text: str) -> str:
    """A text without what would open something."""
    text = _URL.sub(lambda found: _masked_url(found[0]), text)
    text = _SCHEME.sub(rf"\1 {MASK}", text)
    text = _WEBHOOK_SECRET.sub(MASK, text)
    return _NAMED.sub(rf"\1{MASK}", text)


def _masked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port, has_password = parts.hostname or "", parts.port, parts.password is not None
    except ValueError:
        return f"{url.partition('://')[0]}://{MASK}"
    is_ours_to_judge = parts.scheme.lower() in ("http", "https")
    if is_shareable(url) if is_ours_to_judge else not has_password:
        return url
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}/{MASK}"


def escaped(text: str) -> str:
    """A text in which nothing ends a line, moves a cursor or turns the direction of writing."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def facts(record: logging.LogRecord) -> dict[str, Any]:
    """What a record says beside its message, masked: the request and the fetch first."""
    found: dict[str, Any] = {}
    for name, held in (("request", REQUEST.get()), ("fetch", FETCH.get())):
        if held:
            found[name] = held
    for name, value in vars(record).items():
        if name not in _OWN:
            found[name] = MASK if name.lower() in _SECRET_NAMES and value else _fact(value)
    return found


def _fact(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return masked(str(value))[:LONGEST]


class TextFormatter(logging.Formatter):
    """A line for people: the time, how grave it is, who says it, what, and the facts."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback follows in lines that cannot be taken for others."""
        said = escaped(masked(record.getMessage().strip()))
        told = "".join(f" {name}={_written(value)}" for name, value in facts(record).items())
        line = f"{_time(record)} {record.levelname:<7} {record.name}: {said}{told}"
        return line + "".join(f"\n  | {escaped(each)}" for each in _trace(record).splitlines())


class JsonFormatter(logging.Formatter):
    """A line for machines: one object."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever it says."""
        said: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked(record.getMessage().strip()),
        }
        said |= {name: value for name, value in facts(record).items() if name not in said}
        if trace := _trace(record):
            said["trace"] = trace
        return json.dumps(said, default=str)


def _time(record: logging.LogRecord) -> str:
    return (
        datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _written(value: object) -> str:
    text = escaped(str(value))
    is_plain = bool(text) and not any(char in text for char in ' "=')
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _trace(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    return masked("".join(traceback.format_exception(record.exc_info[1])))


class _ToStandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at the time."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        """Where lines go."""
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        """It is not kept."""


_FORMATTERS: Mapping[str, type[logging.Formatter]] = {"text": TextFormatter, "json": JsonFormatter}
_HANDLER = _ToStandardError()


def begin(settings: LogSettings, *, verbose: bool = False) -> None:
    """Write log lines as the settings say; `verbose` asks for no less than INFO. Done again it replaces itself."""
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    level = min(level, logging.INFO) if verbose else level
    root = logging.getLogger()
    _HANDLER.setFormatter(_FORMATTERS[settings.format]())
    # The handler's own, so that whoever listens beside it has a level of theirs.
    _HANDLER.setLevel(level)
    root.setLevel(level)
    if _HANDLER not in root.handlers:
        root.addHandler(_HANDLER)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(level if level <= logging.DEBUG else logging.WARNING)
