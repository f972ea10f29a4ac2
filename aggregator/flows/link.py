"""Suggestions for the passages of a brief: from the archive, or from a file of stories."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows.editorial import require_brief
from aggregator.model import Story
from aggregator.rules.briefs import BriefText, read_brief
from aggregator.rules.links import Candidate, Linker, Suggestion, rank
from aggregator.store import stories
from aggregator.store.database import Database
from feeds.dates import rfc3339

#: The archive that is searched for a dated brief.
DAYS_BEFORE, DAYS_AFTER = 14, 3
#: Stories read from the archive at most.
MOST_STORIES = 20_000


@dataclass(frozen=True, slots=True)
class LinkBrief:
    """What of a brief the linker reads."""

    title: str
    date: date | None
    language: str
    #: (id, text) of each passage, the title first.
    passages: tuple[tuple[str, str], ...]


async def link_stored(database: Database, name: str) -> dict[str, Any]:
    """Suggestions for a stored brief from the archive, in the form of `link --json`.

    Raises:
        BadInput: there is no such brief.
    """

    def read(session: Session) -> tuple[LinkBrief, list[Candidate]]:
        brief = from_text(read_brief(require_brief(session, name).revision.text))
        return brief, [candidate_of(story) for story in _around(session, brief.date) if story.url]

    # On a thread: it computes for a while, and the server goes on answering meanwhile.
    return await asyncio.to_thread(link, *await database.read(read))


def link(brief: LinkBrief, candidates: Iterable[Candidate]) -> dict[str, Any]:
    """Suggestions for each passage and the ranking of all stories, in the form of `link --json`."""
    linker = Linker(candidates)
    found = [(passage, text, linker.suggest(text, brief.language)) for passage, text in brief.passages]
    return {
        "brief": {
            "title": brief.title,
            "date": brief.date.isoformat() if brief.date else None,
            "language": brief.language,
        },
        "passages": [
            {"id": passage, "text": text, "suggestions": [_as_json(s) for s in suggestions]}
            for passage, text, suggestions in found
        ],
        "stories": [{"url": url, "score": score} for url, score in rank([s for _, _, s in found])],
        "checks": [],
    }


def brief_from_file(path: Path) -> LinkBrief:
    """A brief from a file: the text form, or JSON with language, date, title and paragraphs.

    Raises:
        BadInput: the file cannot be read, or holds no brief.
    """
    text = _read_file(path)
    return _from_json(text, path) if text.lstrip().startswith("{") else from_text(read_brief(text))


def stories_from_file(path: Path) -> list[Candidate]:
    """Stories from a file of JSON lines: url, title, summary, language, published, source.

    Raises:
        BadInput: a line is no story; the message names it.
    """
    found = []
    for number, line in enumerate(_read_file(path).splitlines(), 1):
        if line.strip():
            found.append(_candidate_from_json(line, f"{path}, line {number}"))
    return found


def from_text(text: BriefText) -> LinkBrief:
    """A brief read from text, as the linker reads it."""
    passages = tuple((passage.id, passage.text) for passage in text.passages)
    return LinkBrief(text.title, text.date, text.language, passages)


def candidate_of(story: Story) -> Candidate:
    """A kept story, as the linker reads it."""
    published = story.published or story.first_seen
    return Candidate(
        story.url or "", story.title, story.summary, story.language, story.source_name, rfc3339(published)
    )


def _around(session: Session, day: date | None) -> list[Story]:
    if day is None:
        return stories.find(session, limit=MOST_STORIES)
    noon = datetime.fromisoformat(f"{day.isoformat()}T12:00:00+00:00")
    found = stories.find(session, since=noon - timedelta(days=DAYS_BEFORE), limit=MOST_STORIES)
    return [s for s in found if (s.published or s.first_seen) <= noon + timedelta(days=DAYS_AFTER)]


def _as_json(suggestion: Suggestion) -> dict[str, Any]:
    candidate = suggestion.candidate
    return {
        "url": candidate.url,
        "title": candidate.title,
        "source": candidate.source,
        "language": candidate.language,
        "published": candidate.published,
        "score": suggestion.score,
        "cluster": None,
        "copies": [],
        "reasons": [{"kind": r.kind, "brief": r.brief, "story": r.story} for r in suggestion.reasons],
    }


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error


def _from_json(text: str, path: Path) -> LinkBrief:
    try:
        given = json.loads(text)
        day = given.get("date")
        return LinkBrief(
            title=str(given["title"]),
            date=date.fromisoformat(day[:10]) if day else None,
            language=str(given["language"]),
            passages=tuple((str(p["id"]), str(p["text"])) for p in given["paragraphs"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            f"{path} is no brief: as JSON it has language, date, title and paragraphs with id and text ({error!r})."
        ) from error


def _candidate_from_json(line: str, place: str) -> Candidate:
    try:
        given = json.loads(line)
        return Candidate(
            url=str(given["url"]),
            title=str(given.get("title") or ""),
            summary=str(given.get("summary") or ""),
            language=given.get("language"),
            source=str(given.get("source") or ""),
            published=str(given.get("published") or ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{place} is no story: write one JSON object a line, with at least a url.") from error
