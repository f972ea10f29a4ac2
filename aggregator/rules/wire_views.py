"""What of the wire somebody looks at: the conditions that stand in an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

#: How far back a view may reach; "" is without end.
SPANS = {"": None, "1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}

#: What may have become of an event. "" is everything but what was spiked.
STATES = ("", "open", "taken", "spiked", "used")

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
#: A time within three centuries, and ids that a column holds.
_CURSOR = re.compile(r"(-?\d{1,16})-(\d{1,9})-(\d{1,9})", re.ASCII)

#: Characters of a field; a search is refused beyond fewer.
_LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class View:
    """What is asked of the wire; "" asks for nothing."""

    #: In the search language.
    q: str = ""
    topic: str = ""
    language: str = ""
    #: The number of a source.
    source: str = ""
    #: One of `SPANS`.
    span: str = ""
    #: One of `STATES`.
    state: str = ""

    @property
    def query(self) -> str:
        """As it stands in an address, without what it does not ask for; the same view, the same words."""
        asked = ((field.name, getattr(self, field.name)) for field in fields(self))
        return urlencode([(name, value) for name, value in asked if value])

    def since(self, now: datetime) -> datetime | None:
        """From when on stories are asked for; None for all that there are."""
        span = SPANS[self.span]
        return now - span if span else None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page of the wire ends, so that the next one begins behind it.

    Later pages know only the stories that were there when the first was read. What comes in
    meanwhile moves no event from one page to another, so none is lost and none shown twice.
    """

    at: datetime
    story: int
    #: The highest id of a story when the first page was read.
    upto: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.story}-{self.upto}"


def read_cursor(text: str) -> Cursor | None:
    """The cursor that an address holds; None where it holds none."""
    found = _CURSOR.fullmatch(text)
    if found is None:
        return None
    microseconds, story, upto = map(int, found.groups())
    return Cursor(_EPOCH + microseconds * _MICROSECOND, story, upto)


def read_view(said: Mapping[str, str]) -> View:
    """The view that the fields of an address ask for; what cannot be read asks for nothing."""
    asked = {field.name: said.get(field.name, "").strip()[:_LONGEST] for field in fields(View)}
    if asked["span"] not in SPANS:
        asked["span"] = ""
    if asked["state"] not in STATES:
        asked["state"] = ""
    return View(**asked)


def view_of(query: str) -> View:
    """The view that a query string asks for."""
    return read_view(dict(parse_qsl(query[: 4 * _LONGEST])))
