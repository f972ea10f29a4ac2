"""What the sources say, counted by independent agency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from aggregator.rules.checking.evidence import Telling
from aggregator.rules.checking.values import Check, Paragraph, Stretch

#: Agencies that must say the same before a brief is doubted.
LEAST = 2

V = TypeVar("V", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Voice:
    """One agency's word for something: its best story, and where it says so."""

    telling: Telling
    span: Stretch

    @property
    def words(self) -> str:
        """Verbatim."""
        return self.telling.text[self.span[0] : self.span[1]]


@dataclass(frozen=True, slots=True)
class Verdict(Generic[V]):
    """What most agencies say."""

    value: V
    voices: tuple[Voice, ...]

    @property
    def told_by(self) -> str:
        """ "3 agencies in 2 languages"."""
        languages = len({voice.telling.language for voice in self.voices})
        return f"{len(self.voices)} agencies in {languages} language{'s' * (languages > 1)}"

    def words(self, language: str) -> str:
        """How the sources put it, in the brief's own language where one of them does."""
        own = [voice for voice in self.voices if voice.telling.language == language]
        return (own or self.voices)[0].words


class Votes(Generic[V]):
    """Values with the agencies that give them; an agency speaks by its best story only."""

    def __init__(self) -> None:
        self._given: defaultdict[V, dict[str, Voice]] = defaultdict(dict)

    def add(self, value: V, telling: Telling, span: Stretch) -> None:
        """One story's word; a later story of the same agency changes nothing."""
        self._given[value].setdefault(telling.agency, Voice(telling, span))

    def __contains__(self, value: V) -> bool:
        return value in self._given

    def values(self) -> list[V]:
        """Every value that somebody gives."""
        return list(self._given)

    def verdict(self, *, least: int = LEAST, is_tie_open: bool = True) -> Verdict[V] | None:
        """The value of most agencies, where there are enough; a tie is none, unless values go together."""
        ranked = sorted(self._given.items(), key=lambda given: (-len(given[1]), str(given[0])))
        if not ranked or len(ranked[0][1]) < least:
            return None
        if is_tie_open and len(ranked) > 1 and len(ranked[1][1]) == len(ranked[0][1]):
            return None
        return Verdict(ranked[0][0], tuple(ranked[0][1].values()))


def doubted(
    kind: str, passage: Paragraph, span: Stretch, says: str, verdict: Verdict[V], message: str
) -> Check:
    """The check that a verdict against the words of a brief amounts to."""
    return Check(
        kind,
        passage.id,
        passage.text[span[0] : span[1]],
        span[0],
        span[1],
        says,
        tuple(voice.telling.url for voice in verdict.voices),
        tuple((voice.telling.url, voice.words) for voice in verdict.voices),
        message,
    )
