"""The stories behind the passages of a brief: from the archive, or from a file of stories.

New versions are read into the anchor index as they come (`index_anchors`); a brief then asks the
index for the stories that hold its rarest anchors, and scores those.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows.editorial import require_brief
from aggregator.language.background import background
from aggregator.language.detect import detect, primary_language
from aggregator.language.reading import Anchor, anchors
from aggregator.model import Version
from aggregator.rules.briefs import BriefText, read_brief
from aggregator.rules.checking.desk import check_links
from aggregator.rules.checking.values import Check
from aggregator.rules.checks import check
from aggregator.rules.link_index import Linker
from aggregator.rules.link_values import Candidate, Encoder, Frequencies, Linked, Passage, Query, Suggestion
from aggregator.rules.links import link
from aggregator.store import anchors as index
from aggregator.store import clusters, stories
from aggregator.store.database import Database
from feeds.dates import parse_date

#: Versions read into the index in one transaction.
BATCH = 300

#: Stories of this time around a dated brief are looked at first; older ones as background.
DAYS_BEFORE, DAYS_AFTER = 45, 10
CANDIDATES = 1_000
#: Stories that a brief is checked against, the best of the ranking.
CHECKED = 300
#: And of these only stories that bear on it by this share of what the best one does: others are no
#: witnesses, even where they name the same people.
BEARING = 0.25

#: A brief is a page; a text beyond this is cut for linking, and the answer says so.
MOST_PASSAGES = 400


async def index_anchors(database: Database) -> int:
    """Read every version that the anchor index does not know yet; how many were read."""
    total = 0
    while True:
        upto = await database.read(index.indexed_upto)
        versions = await database.read(partial(stories.versions_after, cursor=upto, limit=BATCH))
        if not versions:
            return total
        read = await asyncio.to_thread(_read_versions, versions)
        if await database.write(partial(index.put, read=read, since=upto, upto=versions[-1].id)):
            total += len(versions)


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """How stories are found for passages."""

    #: "module:name" of an object with the method of `Encoder`, asked beside the anchors; "" for none.
    encoder: str = ""


def load_encoder(name: str) -> Encoder | None:
    """The encoder of a setting; None for "".

    Raises:
        BadInput: there is no such module or name in it, or it cannot encode.
    """
    if not name:
        return None
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise BadInput(f"link.encoder = {name!r} cannot be loaded: write module:name ({error}).") from error
    if not hasattr(found, "encode"):
        raise BadInput(f"link.encoder = {name!r} has no method encode(texts).")
    encoder: Encoder = found
    return encoder


async def link_stored(database: Database, name: str, *, encoder: Encoder | None = None) -> dict[str, Any]:
    """Suggestions and checks for a stored brief from the archive, in the form of `link --json`.

    Raises:
        BadInput: there is no such brief.
    """
    await index_anchors(database)
    brief = await database.read(lambda session: require_brief(session, name))
    text = read_brief(brief.revision.text)
    query, linked, checks = await _found(database, text, encoder)
    return as_json(query, linked, checks)


async def checks_of(database: Database, text: BriefText) -> list[Check]:
    """Where a brief and the stories of the archive disagree, and links of it that lead nowhere."""
    _, _, checks = await _found(database, text, None)
    return checks


async def _found(
    database: Database, text: BriefText, encoder: Encoder | None
) -> tuple[Query, Linked, list[Check]]:
    query = await asyncio.to_thread(query_of, text)
    found, frequencies = await database.read(partial(find_evidence, query=query))
    # On a thread: it computes for a while, and the server goes on answering meanwhile.
    linked = await asyncio.to_thread(_link, query, [each.candidate for each in found], frequencies, encoder)
    ids = {each.candidate.url: each.id for each in found}
    best = [ids[url] for url, _ in linked.ranking[:CHECKED]]
    evidence = await database.read(partial(read_evidence, ids=best))
    checks = _witnessed(await asyncio.to_thread(check, query, evidence), linked)
    return query, linked, [*checks, *check_links(text)]


def link_files(brief: Path, candidates: Path, *, encoder: Encoder | None = None) -> dict[str, Any]:
    """Suggestions and checks for a brief in a file from stories in a file; no database is needed.

    Raises:
        BadInput: a file cannot be read, or holds something else.
    """
    query, stories = brief_from_file(brief), stories_from_file(candidates)
    linked = _link(query, stories, Frequencies(*background()), encoder)
    by_url = {story.url: story for story in stories}
    evidence = [by_url[url] for url, _ in linked.ranking[:CHECKED]]
    return as_json(query, linked, _witnessed(check(query, evidence), linked))


def as_json(query: Query, linked: Linked, checks: Sequence[Check]) -> dict[str, Any]:
    """Suggestions for each passage, the ranking of all stories and the checks, for `link --json`."""
    return {
        "brief": {
            "title": query.title,
            "date": query.dated.isoformat() if query.dated else None,
            "language": query.language,
        },
        "passages": [_passage_json(passage, linked) for passage in query.passages],
        "stories": [{"url": url, "score": score} for url, score in linked.ranking],
        "checks": [_check_json(each) for each in checks],
    }


def _link(
    query: Query, candidates: Sequence[Candidate], frequencies: Frequencies, encoder: Encoder | None = None
) -> Linked:
    return link(query, Linker(candidates, query, frequencies=frequencies), encoder=encoder)


def _witnessed(checks: Sequence[Check], linked: Linked) -> list[Check]:
    """The checks without those that rest on stories which bear too little on the brief."""
    least = BEARING * max((score for _, score in linked.ranking), default=0.0)
    witnesses = {url for url, score in linked.ranking if score >= least}
    return [each for each in checks if not each.stories or len(witnesses & set(each.stories)) > 1]


def _check_json(found: Check) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "passage": found.passage,
        "brief": found.brief,
        "sources_say": found.sources_say,
        "stories": list(found.stories),
        "spans": [{"url": url, "story": words} for url, words in found.spans],
        "message": found.message,
    }


def query_of(text: BriefText) -> Query:
    """A brief as the linker reads it."""
    passages = [(passage.id, passage.text) for passage in text.passages]
    return _query(text.title, text.language, text.date, passages)


def brief_from_file(path: Path) -> Query:
    """A brief from a file: the text form, or JSON with language, date, title and paragraphs.

    Raises:
        BadInput: the file cannot be read, or holds no brief.
    """
    text = _read_file(path)
    return _from_json(text, path) if text.lstrip().startswith("{") else query_of(read_brief(text))


def stories_from_file(path: Path) -> list[Candidate]:
    """Stories from a file of JSON lines: url, title, summary, language, published, source.

    Raises:
        BadInput: a line is no story; the message names it.
    """
    return [
        _candidate_from_json(line, f"{path}, line {number}")
        for number, line in enumerate(_read_file(path).splitlines(), 1)
        if line.strip()
    ]


def _query(title: str, language: str, dated: date | None, passages: Iterable[tuple[str, str]]) -> Query:
    read = [Passage(p, text, tuple(anchors(text, language, dateline=dated))) for p, text in passages]
    return Query(title, language, dated, tuple(read[:MOST_PASSAGES]))


def _read_versions(versions: Sequence[Version]) -> dict[int, list[Anchor]]:
    return {
        version.story_id: anchors(
            f"{version.title}\n{version.summary}", version.language or "", dateline=version.sorted_at.date()
        )
        for version in versions
    }


@dataclass(frozen=True, slots=True)
class Evidence:
    """A story of the archive for the linker, with its number there."""

    id: int
    candidate: Candidate


def find_evidence(session: Session, *, query: Query) -> tuple[list[Evidence], Frequencies]:
    """The stories of the archive that may stand behind a brief, and how common its anchors are."""
    asked, keys = _asked(query)
    since, until = _window(query.dated)
    found = index.candidates(session, keys, since=since, until=until, limit=CANDIDATES, keep=_kept(asked))
    return _evidence(session, found), _frequencies(session, keys)


def new_evidence(session: Session, *, query: Query, after: int) -> tuple[list[Evidence], Frequencies]:
    """The stories with versions after this one that are indexed, for a brief that knows the rest."""
    asked, keys = _asked(query)
    upto = index.indexed_upto(session)
    versions = stories.versions_after(session, after, limit=CANDIDATES)
    ids = [version.story_id for version in versions if version.id <= upto]
    found = index.by_ids(session, ids, keep=_kept(asked))
    return _evidence(session, found), _frequencies(session, keys)


def read_evidence(session: Session, *, ids: Sequence[int]) -> list[Candidate]:
    """Stories with all of their anchors, for the checks."""
    return [each.candidate for each in _evidence(session, index.by_ids(session, ids))]


def _asked(query: Query) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """The anchors that a brief holds, and those that stories are found by."""
    asked = {(a.kind, a.key) for passage in query.passages for a in passage.anchors}
    keys = {("name" if kind == "given" else kind, key) for kind, key in asked}
    return asked, {(kind, key) for kind, key in keys if kind in index.FOUND_BY}


def _frequencies(session: Session, keys: set[tuple[str, str]]) -> Frequencies:
    return Frequencies(index.documents(session), index.counts(session, keys))


def _kept(asked: set[tuple[str, str]]) -> index.Kept:
    names = {key for kind, key in asked if kind in ("name", "given")}
    # Places are kept all: a city bears on its country, which may be what is asked for.
    return index.Kept(frozenset({"place"}), frozenset(asked.union(product(("name", "given"), names))))


def _window(dated: date | None) -> tuple[datetime | None, datetime | None]:
    if dated is None:
        return None, None
    noon = datetime.combine(dated, time(12), tzinfo=UTC)
    return noon - timedelta(days=DAYS_BEFORE), noon + timedelta(days=DAYS_AFTER)


def _evidence(session: Session, found: Sequence[index.Indexed]) -> list[Evidence]:
    places = clusters.places(session, [story.id for story in found])
    return [Evidence(story.id, _candidate(story, places.get(story.id))) for story in found]


def _candidate(story: index.Indexed, place: clusters.Place | None) -> Candidate:
    return Candidate(
        url=story.url,
        title=story.title,
        summary=story.summary,
        language=story.language or "",
        source=story.source,
        published=story.published.date(),
        anchors=story.anchors,
        copy_group=str(place.copy_group) if place else "",
        cluster=place.root if place else None,
    )


def _passage_json(passage: Passage, linked: Linked) -> dict[str, Any]:
    found = linked.passages.get(passage.id, ())
    return {
        "id": passage.id,
        "text": passage.text,
        "suggestions": [_suggestion_json(suggestion) for suggestion in found],
    }


def _suggestion_json(suggestion: Suggestion) -> dict[str, Any]:
    story = suggestion.story
    return {
        "url": story.url,
        "title": story.title,
        "source": story.source,
        "language": story.language or None,
        "published": story.published.isoformat() if story.published else None,
        "score": suggestion.score,
        "cluster": story.cluster,
        "copies": list(suggestion.copies),
        "reasons": [{"kind": r.kind, "brief": r.brief, "story": r.story} for r in suggestion.reasons],
    }


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error


def _from_json(text: str, path: Path) -> Query:
    try:
        given = json.loads(text)
        day = given.get("date")
        return _query(
            str(given["title"]),
            primary_language(str(given["language"])) or str(given["language"]),
            date.fromisoformat(day[:10]) if day else None,
            [(str(p["id"]), str(p["text"])) for p in given["paragraphs"]],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            f"{path} is no brief: as JSON it has language, date, title and paragraphs with id and text ({error!r})."
        ) from error


def _candidate_from_json(line: str, place: str) -> Candidate:
    try:
        given = json.loads(line)
        title, summary = str(given.get("title") or ""), str(given.get("summary") or "")
        published = parse_date(given.get("published"))
        day = published.date() if published else None
        language = primary_language(given.get("language")) or detect(f"{title}\n{summary}") or ""
        return Candidate(
            url=str(given["url"]),
            title=title,
            summary=summary,
            language=language,
            source=str(given.get("source") or ""),
            published=day,
            anchors=tuple(anchors(f"{title}\n{summary}", language, dateline=day)),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{place} is no story: write one JSON object a line, with at least a url.") from error
