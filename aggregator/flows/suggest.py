"""Briefs are standing queries: new stories come to open briefs, an edited brief goes to the archive."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import astuple
from functools import partial

from sqlmodel import Session

from aggregator.flows.editorial import require_brief
from aggregator.flows.link import Evidence, checks_of, find_evidence, index_anchors, new_evidence, query_of
from aggregator.model import Brief, BriefState, Clock
from aggregator.rules.briefs import read_brief
from aggregator.rules.link_index import Linker
from aggregator.rules.link_values import Frequencies, Query
from aggregator.rules.links import link
from aggregator.store import anchors as index
from aggregator.store import briefs, checks, suggestions
from aggregator.store.database import Database
from aggregator.store.suggestions import Proposal

#: Suggestions that are kept for a passage when it is first matched.
KEPT = 20


async def suggest_links(database: Database, clock: Clock) -> int:
    """Match open briefs with what they have not been matched with yet; how many suggestions are new."""
    await index_anchors(database)
    known = await database.read(briefs.all_briefs)
    new = 0
    for brief in known:
        if brief.state is not BriefState.WITHDRAWN:
            new += await suggest_for(database, clock, brief)
    return new


async def suggest_for(database: Database, clock: Clock, brief: Brief) -> int:
    """Match one brief: a new revision with the archive, a known one with what came since."""
    upto = await database.read(index.indexed_upto)
    done = await database.read(lambda session: suggestions.read_upto(session, brief.id, brief.revision.id))
    if done is not None and done >= upto:
        return 0
    query = await asyncio.to_thread(query_of, read_brief(brief.revision.text))
    if done is None:
        found, frequencies = await database.read(partial(find_evidence, query=query))
    else:
        found, frequencies = await database.read(partial(new_evidence, query=query, after=done))
    standing = await database.read(lambda session: suggestions.standing(session, brief.id)) if done else []
    proposals = await asyncio.to_thread(_proposals, query, found, frequencies, standing)

    def keep(session: Session) -> int:
        suggestions.mark_read(session, brief.id, brief.revision.id, upto)
        if done is None:
            suggestions.forget_undecided(session, brief.id, proposals)
        return suggestions.propose(session, brief.id, proposals, now=clock())

    new = await database.write(keep)
    if done is None or new:
        await check_brief(database, clock, brief)
    return new


async def suggest_named(database: Database, clock: Clock, slug: str) -> bool:
    """Match the newest text of a brief; whether another one was saved meanwhile."""
    found = await database.read(lambda session: require_brief(session, slug))
    await suggest_for(database, clock, found)
    newest = await database.read(lambda session: briefs.newest_revision(session, found.id))
    return newest.id != found.revision.id


async def check_brief(database: Database, clock: Clock, brief: Brief) -> None:
    """Look where a brief and the wire disagree, and keep what is found for the desk."""
    rows = [astuple(each) for each in await checks_of(database, read_brief(brief.revision.text))]
    await database.write(lambda s: checks.put(s, brief.id, brief.revision.id, rows, now=clock()))


def _proposals(
    query: Query, found: Sequence[Evidence], frequencies: Frequencies, standing: Sequence[Proposal]
) -> list[Proposal]:
    """The best stories for each passage: better than the last of those that stand already."""
    ids = {each.candidate.url: each.id for each in found}
    linked = link(query, Linker([each.candidate for each in found], query, frequencies=frequencies))
    proposals = []
    for passage in query.passages:
        scores = sorted((p.score for p in standing if p.passage == passage.id), reverse=True)
        floor = scores[KEPT - 1] if len(scores) >= KEPT else 0.0
        proposals += [
            Proposal(
                passage.id,
                ids[suggestion.story.url],
                suggestion.score,
                tuple((r.kind, r.brief, r.story) for r in suggestion.reasons),
            )
            for suggestion in linked.passages[passage.id][:KEPT]
            if suggestion.score > floor
        ]
    return proposals
