"""What a check reads, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from aggregator.language.reading import Anchor

#: A span of a text: where it begins, and where it ends.
Stretch = tuple[int, int]


class Evidence(Protocol):
    """A story as a check reads it; the linker's candidates are some."""

    @property
    def url(self) -> str:
        """Its address, which a check names it by."""

    @property
    def text(self) -> str:
        """Title and summary, what its anchors point into."""

    @property
    def language(self) -> str:
        """ISO 639-1."""

    @property
    def source(self) -> str:
        """The outlet's name."""

    @property
    def published(self) -> date | None:
        """The day it came out."""

    @property
    def anchors(self) -> Sequence[Anchor]:
        """Read from `text`."""


class Paragraph(Protocol):
    """A passage of a brief as a check reads it."""

    @property
    def id(self) -> str:
        """p0 is the title."""

    @property
    def text(self) -> str:
        """Plain."""

    @property
    def anchors(self) -> Sequence[Anchor]:
        """Read from `text`."""


class Brief(Protocol):
    """A brief as a check reads it; the linker's query is one."""

    @property
    def language(self) -> str:
        """ISO 639-1."""

    @property
    def dated(self) -> date | None:
        """Its day, which "Tuesday" is read from."""

    @property
    def passages(self) -> Sequence[Paragraph]:
        """In order."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something in a brief that an editor should look at again."""

    #: date, name, number, place, quote, role, weekday, year · spelling, link, single_source,
    #: unsupported, superseded, killed.
    kind: str
    #: The id of the passage; "" where the brief as a whole is meant.
    passage: str
    #: The words of the brief, verbatim: `text[start:end]` of the passage.
    brief: str
    start: int
    end: int
    #: What stands in the sources instead; "" where nothing does.
    sources_say: str
    #: URLs of the stories that say so, one an agency.
    stories: tuple[str, ...]
    #: (URL, verbatim words of that story).
    spans: tuple[tuple[str, str], ...]
    #: A sentence for the editor.
    message: str
