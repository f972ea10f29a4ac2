"""New versions are read against every topic; a topic whose definition changed reads all anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from aggregator.model import Clock, Version
from aggregator.rules.topics import CompiledTopic, Subject, Topic, Verdict, compile_topic, decide, fingerprint
from aggregator.store import stories, topics
from aggregator.store.database import Database

#: Versions decided in one transaction.
BATCH = 1_000


async def match_topics(database: Database, defined: Sequence[Topic]) -> int:
    """Decide every version that some topic has not decided yet; how many were read."""
    compiled = {topic.slug: compile_topic(topic) for topic in defined}
    if await database.read(lambda session: is_done(session, defined)):
        return 0
    read = 0
    while True:
        done = await database.write(lambda session: _match_some(session, defined, compiled))
        read += done
        if not done:
            return read


@dataclass(frozen=True, slots=True)
class Trial:
    """What a topic does with the stories of some days."""

    #: How many were read.
    read: int
    #: With why they are in, newest first.
    taken: tuple[tuple[Version, Verdict], ...]
    #: Those that miss it by one part, with why they are not in.
    near: tuple[tuple[Version, Verdict], ...]


async def try_topic(database: Database, clock: Clock, topic: Topic, span: timedelta) -> Trial:
    """What a topic takes of the stories first published within `span`, and what it nearly takes."""
    since = clock() - span
    found = await database.read(lambda session: stories.versions_since(session, since))
    compiled = compile_topic(topic)
    verdicts = [(version, decide(compiled, subject_of(version))) for version in found]
    return Trial(
        read=len(found),
        taken=tuple(pair for pair in verdicts if pair[1].is_in),
        near=tuple(pair for pair in verdicts if not pair[1].is_in and _is_near(pair[1])),
    )


def _is_near(verdict: Verdict) -> bool:
    met = [reason.is_met for reason in verdict.reasons]
    return any(reason.found for reason in verdict.reasons) and met.count(False) == 1


def subject_of(version: Version) -> Subject:
    """A version as a topic reads it."""
    return Subject(
        title=version.title,
        summary=version.summary,
        language=version.language,
        source_url=version.source_url,
        source_name=version.source_name,
    )


def is_done(session: Session, defined: Sequence[Topic]) -> bool:
    """Whether nothing is left to decide, so that looking often costs no write."""
    known = {each.slug: each for each in topics.standings(session)}
    newest = stories.newest_version(session)
    return known.keys() == {topic.slug for topic in defined} and all(
        known[topic.slug].fingerprint == fingerprint(topic)
        and known[topic.slug].title == topic.title
        and known[topic.slug].upto >= newest
        for topic in defined
    )


def _match_some(session: Session, defined: Sequence[Topic], compiled: dict[str, CompiledTopic]) -> int:
    topics.alone(session)
    topics.retire(session, list(compiled))
    upto = {
        topic.slug: topics.declare(session, topic.slug, topic.title, fingerprint(topic)) for topic in defined
    }
    if not upto:
        return 0
    versions = stories.versions_after(session, min(upto.values()), limit=BATCH)
    taken: dict[str, list[tuple[int, str]]] = {slug: [] for slug in upto}
    left: dict[str, list[int]] = {slug: [] for slug in upto}
    for version in versions:
        subject = subject_of(version)
        for slug in (slug for slug, done in upto.items() if version.id > done):
            verdict = decide(compiled[slug], subject)
            if verdict.is_in:
                taken[slug].append((version.story_id, verdict.why))
            else:
                left[slug].append(version.story_id)
    for slug, done in upto.items():
        if versions and versions[-1].id > done:
            topics.decide(session, slug, taken=taken[slug], left=left[slug], upto=versions[-1].id)
    return len(versions)
