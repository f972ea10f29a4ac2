"""What the linker reads and what it gives: briefs, stories, suggestions and their reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from aggregator.language.reading import Anchor


@dataclass(frozen=True, slots=True)
class Weights:
    """What each part of the score is worth. Measured: these hardly matter, the anchors do."""

    kinds: Mapping[str, float] = field(
        default_factory=lambda: {
            "name": 1.0, "given": 0.25, "place": 0.6, "org": 0.8, "date": 0.6, "number": 0.8,
            "role": 0.4, "concept": 0.7, "term": 1.0,
        }
    )  # fmt: skip
    grams: float = 0.35
    #: A concept met by another of its family.
    akin: float = 0.6
    context: float = 0.2
    whole: float = 0.4
    #: Of BM25: how soon a repeated anchor stops counting, and how much length counts against.
    k1: float = 1.0
    b: float = 1.0
    #: What the best clause of a passage adds to the whole of it.
    clause: float = 0.2
    #: What likeness by an encoder adds, where one is plugged in.
    encoder: float = 0.5
    #: Suggestions for one passage.
    most: int = 30


@dataclass(frozen=True, slots=True)
class Candidate:
    """A story as the linker reads it."""

    url: str
    title: str
    summary: str
    language: str
    source: str
    published: date | None
    #: Read from `text`.
    anchors: tuple[Anchor, ...]
    #: The same for copies of one text; "" where none is known.
    copy_group: str = ""
    #: The number of its cluster.
    cluster: int | None = None

    @property
    def text(self) -> str:
        """What spans of its anchors point into."""
        return f"{self.title}\n{self.summary}"


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage as the linker reads it."""

    id: str
    text: str
    anchors: tuple[Anchor, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A brief as the linker reads it."""

    title: str
    language: str
    dated: date | None
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a span of the passage and one of the story, both verbatim."""

    kind: str
    brief: str
    story: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A story proposed for a passage, with other outlets' copies of it."""

    story: Candidate
    score: float
    reasons: tuple[Reason, ...]
    copies: tuple[str, ...] = ()


class Encoder(Protocol):
    """Something that turns texts into vectors, plugged in beside the anchors; none is shipped.

    An object with this one method will do, such as a SentenceTransformer of sentence-transformers.
    """

    def encode(self, texts: list[str], /) -> Sequence[Sequence[float]]:
        """One vector for each text, all of one length."""
        ...


class Frequencies:
    """In how many stories of the archive each anchor stands."""

    def __init__(self, documents: int, counts: Mapping[tuple[str, str], int]) -> None:
        self.documents = documents
        self._counts = counts

    def documents_in(self, language: str | None) -> int:
        """Stories in a language; all of them for None."""
        return self.documents if language is None else self.count("language", language)

    def count(self, kind: str, key: str) -> int:
        """Stories that hold it; 0 where it was never seen."""
        return self._counts.get((kind, key), 0)


@dataclass(frozen=True, slots=True)
class Linked:
    """What the linker found for a brief."""

    #: By passage, best first.
    passages: Mapping[str, tuple[Suggestion, ...]]
    #: Every story that bears on the brief, best first: (URL, score).
    ranking: tuple[tuple[str, float], ...]
