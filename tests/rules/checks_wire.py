"""A few stories and a brief, as the checks read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from aggregator.language.reading import Anchor, anchors
from aggregator.rules.checks import Check, check

DAY = date(2025, 2, 18)


@dataclass(frozen=True)
class Told:
    """A story; its outlet is its address."""

    url: str
    text: str
    language: str
    published: date | None
    anchors: tuple[Anchor, ...]

    @property
    def source(self) -> str:
        return self.url


@dataclass(frozen=True)
class Paragraph:
    id: str
    text: str
    anchors: tuple[Anchor, ...]


@dataclass(frozen=True)
class Brief:
    language: str
    dated: date | None
    passages: tuple[Paragraph, ...]


def story(text: str, language: str = "en", *, outlet: str = "", published: date | None = DAY) -> Told:
    read = tuple(anchors(text, language, dateline=published))
    return Told(outlet or f"https://wire.example/{abs(hash(text))}", text, language, published, read)


def brief(*texts: str, language: str = "en", dated: date | None = DAY) -> Brief:
    passages = [
        Paragraph(f"p{number}", text, tuple(anchors(text, language, dateline=dated)))
        for number, text in enumerate(texts, 1)
    ]
    return Brief(language, dated, tuple(passages))


def checks(text: str, *stories: Told, language: str = "en") -> list[Check]:
    return check(brief(text, language=language), stories)


def shown(text: str, *stories: Told, language: str = "en") -> list[tuple[str, str, str]]:
    """Kind, words of the brief, and what the sources say."""
    return [(c.kind, c.brief, c.sources_say) for c in checks(text, *stories, language=language)]
