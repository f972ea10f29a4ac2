"""What the desk shows of a brief and of the wire: each function is one look at the store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows.candidates import as_published
from aggregator.flows.editorial import is_told, require_brief
from aggregator.flows.writing import Saved, save
from aggregator.model import (
    Act,
    Brief,
    BriefState,
    CheckDecision,
    Clock,
    Publication,
    PublishedLink,
    Role,
    Story,
    StoryLink,
)
from aggregator.people import Deed
from aggregator.rules.briefs import BriefText, Passage, read_brief
from aggregator.rules.changes import Stretch, changed, with_facts
from aggregator.rules.checking.agencies import voice_of
from aggregator.rules.checking.desk import PickSeen, Support, check_picks, check_support
from aggregator.rules.checking.values import Check
from aggregator.rules.checks import CONFLICTS
from aggregator.rules.corrections import corrected, words_instead
from aggregator.rules.entries import Published
from aggregator.rules.topics import CompiledTopic
from aggregator.store import audit, briefs, checks, clusters, pulses, stories, suggestions
from aggregator.store.clusters import ClusterView
from aggregator.store.database import Database
from aggregator.store.suggestions import Proposal

#: How well the wire stands behind a passage, from what editors picked.
Coverage = Literal["supported", "partly", "conflict", "none"]

#: The roles in which a story supports what a passage says.
STANDS_BEHIND = frozenset({Role.SOURCE, Role.QUOTE})


@dataclass(frozen=True, slots=True)
class Pick:
    """A picked story beside its passage."""

    link: StoryLink
    story: Story


@dataclass(frozen=True, slots=True)
class StoryChange:
    """What the wire changed of a picked story since it was picked, or since readers were told of it; or that
    it took the story back."""

    story: Story
    #: The version that the editor saw; the newest is the story's.
    seen: int
    #: What each part says otherwise, by its name; a part that says the same is left out.
    parts: Mapping[str, tuple[Stretch, ...]]


@dataclass(frozen=True, slots=True)
class CheckSeen:
    """A check with what an editor said to it."""

    check: Check
    #: What it would put in the place of the brief's words; None where an editor must write it.
    instead: str | None
    decision: CheckDecision | None
    #: What changed, where the wire changed a picked story or took it back.
    change: StoryChange | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody has still to decide."""
        return self.decision is None


@dataclass(frozen=True, slots=True)
class PassageSeen:
    """A passage as the desk shows it."""

    passage: Passage
    picks: tuple[Pick, ...]
    checks: tuple[CheckSeen, ...]
    #: How many stories are proposed for it.
    proposed: int
    #: How many independent voices stand behind it: an agency is one, however many print it.
    voices: int
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Proposed:
    """A suggestion beside its passage."""

    proposal: Proposal
    story: Story
    cluster: ClusterView | None
    pick: StoryLink | None


@dataclass(frozen=True, slots=True)
class BriefSeen:
    """A brief as the desk shows it."""

    brief: Brief
    text: BriefText
    passages: tuple[PassageSeen, ...]
    #: Checks of the brief as a whole.
    checks: tuple[CheckSeen, ...]
    #: Picks whose paragraph was taken out; they come back with it.
    waiting: tuple[Pick, ...]
    #: Whether its newest text has been held against the wire.
    is_read: bool
    #: What is suggested for its passages and was not turned down, best first.
    proposals: tuple[Proposal, ...]
    #: Every act of publishing, oldest first.
    acts: tuple[Publication, ...]
    #: Whether readers have all of it.
    is_told: bool


def brief_seen(session: Session, name: str) -> BriefSeen:
    """A brief with the picks and checks of each passage.

    Raises:
        BadInput: there is no such brief.
    """
    brief = require_brief(session, name)
    text = read_brief(brief.revision.text)
    known = stories.by_ids(session, [link.story_id for link in brief.links])
    picks = [Pick(link, known[link.story_id]) for link in brief.links]
    acts = tuple(briefs.publications(session, [brief.id]))
    found = _found(session, brief)
    said = checks.decisions(session, brief.id)
    proposals = suggestions.standing(session, brief.id)
    voices = _voices(session, picks)
    changes = dict(_of_picks(session, text, picks, acts))
    all_checks = [
        CheckSeen(each, words_instead(each), said.get(_key(each)), changes.get(each))
        for each in [
            *(found or ()),
            *changes,
            *_of_support(text, picks, voices, proposals if found is not None else None),
        ]
    ]
    ids = {passage.id for passage in text.passages}
    return BriefSeen(
        brief=brief,
        text=text,
        passages=tuple(_passage(passage, picks, all_checks, proposals, voices) for passage in text.passages),
        checks=tuple(each for each in all_checks if each.check.passage not in ids),
        waiting=tuple(pick for pick in picks if not pick.link.is_placed),
        is_read=found is not None,
        proposals=tuple(proposals),
        acts=acts,
        is_told=_is_told(brief, acts),
    )


def proposed(session: Session, seen: BriefSeen, passage: str) -> list[Proposed]:
    """What is suggested for a passage, best first."""
    found = [each for each in seen.proposals if each.passage == passage]
    ids = [each.story_id for each in found]
    known, places = stories.by_ids(session, ids), clusters.clusters_of(session, ids)
    picked = {link.story_id: link for link in seen.brief.links if link.passage == passage}
    return [
        Proposed(each, known[each.story_id], places.get(each.story_id), picked.get(each.story_id))
        for each in found
    ]


def pulse(session: Session, brief_id: int) -> str:
    """What there is of a brief at this moment, in one word: another word says that something changed."""
    return hashlib.sha256(repr(pulses.of_brief(session, brief_id)).encode()).hexdigest()[:16]


def as_readers_get_it(
    session: Session, name: str, compiled: Mapping[str, CompiledTopic], now: datetime
) -> Published:
    """A brief as it would be if it were published now.

    Raises:
        BadInput: there is no such brief, or it was withdrawn.
    """
    brief = require_brief(session, name)
    if brief.state is BriefState.WITHDRAWN:
        raise BadInput(f"{brief.slug} was withdrawn: its readers get a notice and nothing else.")
    past = tuple(briefs.publications(session, [brief.id]))
    placed = [link for link in brief.links if link.is_placed]
    known = stories.by_ids(session, [link.story_id for link in placed])
    links = tuple(
        PublishedLink(each.passage, each.story_id, known[each.story_id].versions, each.role)
        for each in placed
    )
    act = Act.UPDATED if past else Act.PUBLISHED
    now = now.replace(microsecond=0)
    coming = Publication(0, brief.id, act, now, brief.revision.saved_by, "", brief.revision, links)
    return as_published(brief.slug, (*past, coming), known, compiled)


async def decide_check(
    database: Database, clock: Clock, name: str, key: tuple[str, str, str], *, accept: bool, why: str, by: str
) -> Saved | None:
    """Accept a check, which corrects the brief's text, or ignore it with a reason.

    `key` is the check's kind, its words and those of the sources.

    Raises:
        BadInput: there is no such check, it has no correction, or no reason is given.
    """
    if not accept and not why.strip():
        raise BadInput("Say why the check is ignored: whoever reads the brief after you will ask.")

    def act(session: Session) -> Saved | None:
        seen = brief_seen(session, name)
        brief = seen.brief
        found = [each.check for one in seen.passages for each in one.checks]
        found += [each.check for each in seen.checks]
        check = next((each for each in found if _key(each) == key), None)
        if check is None:
            raise BadInput(
                "The brief has been changed since, and this check is not among its checks any more."
            )
        saved = None
        if accept:
            saved = _correct(session, brief, check, by=by, now=clock())
        decision = "accepted" if accept else "ignored"
        checks.decide(session, brief.id, key, decision, why=why.strip(), by=by, now=clock())
        became = {"check": check.kind, "brief": check.brief, "sources": check.sources_say, "is": decision}
        audit.add(session, Deed(by, "brief.check", brief.slug, became=became, why=why.strip()), clock())
        return saved

    return await database.write(act)


def _found(session: Session, brief: Brief) -> list[Check] | None:
    """What was found in the newest text of a brief; None where nobody has looked yet."""
    rows = checks.of_brief(session, brief.id, brief.revision.id)
    return None if rows is None else [_check(*row) for row in rows]


def _check(*fields: Any) -> Check:
    kind, passage, words, start, end, sources_say, urls, spans, message = fields
    said = tuple((url, story) for url, story in spans)
    return Check(kind, passage, words, start, end, sources_say, tuple(urls), said, message)


def _correct(session: Session, brief: Brief, check: Check, *, by: str, now: datetime) -> Saved:
    words = words_instead(check)
    text = brief.revision.text
    new = words and corrected(text, check.passage, check.start, check.end, words)
    if not new:
        raise BadInput(f"“{check.brief}” cannot be put right by itself here: write it in the text.")
    return save(session, brief, new, base=brief.revision.number, by=by, now=now)


def _passage(
    passage: Passage,
    picks: Sequence[Pick],
    found: Sequence[CheckSeen],
    proposals: Sequence[Proposal],
    voices: Mapping[int, str],
) -> PassageSeen:
    own = tuple(pick for pick in picks if pick.link.passage == passage.id)
    mine = tuple(each for each in found if each.check.passage == passage.id)
    count = sum(each.passage == passage.id for each in proposals)
    said = {voices[pick.story.id] for pick in own if pick.link.role in STANDS_BEHIND}
    return PassageSeen(passage, own, mine, count, len(said), _coverage(len(said), mine))


def _coverage(voices: int, found: Sequence[CheckSeen]) -> Coverage:
    if any(each.is_open and each.check.kind in CONFLICTS for each in found):
        return "conflict"
    return "none" if voices == 0 else "partly" if voices == 1 else "supported"


def _key(check: Check) -> tuple[str, str, str]:
    return check.kind, check.brief, check.sources_say


def _voices(session: Session, picks: Sequence[Pick]) -> dict[int, str]:
    """Whose word each picked story is: an agency's, else that of whoever had the text first."""
    known = {pick.story.id: pick.story for pick in picks}
    places = clusters.places(session, sorted(known))
    found = {}
    for id, story in known.items():
        voice = voice_of(f"{story.title}\n{story.summary}\n{story.body}", story.source_name)
        group = places[id].copy_group if id in places else id
        first = known.get(group, story)
        found[id] = voice if voice.startswith("agency:") else voice_of(first.title, first.source_name)
    return found


def _of_support(
    text: BriefText,
    picks: Sequence[Pick],
    voices: Mapping[int, str],
    proposals: Sequence[Proposal] | None,
) -> list[Check]:
    """Paragraphs that one voice alone stands behind, or that the wire knows nothing of.

    A paragraph with suggestions that nobody has looked at is neither; None says that the text
    has not been held against the wire yet.
    """
    waiting = None if proposals is None else {each.passage for each in proposals}
    found = []
    for passage in text.passages:
        own = [pick for pick in picks if pick.link.passage == passage.id and pick.link.role in STANDS_BEHIND]
        is_looked_at = bool(own) or (waiting is not None and passage.id not in waiting)
        said = [(voices[each.story.id].removeprefix("agency:"), each.story.url or "") for each in own]
        found.append(Support(passage.id, passage.text, said, passage.id != "p0" and is_looked_at))
    return check_support(found)


def _of_picks(
    session: Session, text: BriefText, picks: Sequence[Pick], acts: Sequence[Publication]
) -> Iterator[tuple[Check, StoryChange]]:
    """Picked stories that the wire has taken back, or changed since readers were told of them.

    Of a pick that readers were not told of yet counts what its editor saw.
    """
    passages = {passage.id: passage.text for passage in text.passages}
    told = {(link.passage, link.story_id): link.version for link in acts[-1].links} if acts else {}
    moved = [pick.story.id for pick in picks if pick.story.versions > 1]
    times = stories.when_seen(session, moved) if moved else {}
    for pick in picks:
        story, passage = pick.story, pick.link.passage
        if passage not in passages:
            continue
        at_pick = [number for number, at in times.get(story.id, ()) if at <= pick.link.picked_at]
        seen = told.get((passage, story.id), at_pick[-1] if at_pick else 1)
        url = story.url or story.entry_id
        is_gone = story.withdrawn_at is not None
        for check in check_picks([PickSeen(passage, passages[passage], url, seen, story.versions, is_gone)]):
            yield check, StoryChange(story, seen, _parts(session, story, seen))


def _parts(session: Session, story: Story, seen: int) -> dict[str, tuple[Stretch, ...]]:
    old = stories.version_of(session, story.id, seen) if seen < story.versions else None
    if old is None:
        return {}
    parts: dict[str, tuple[Stretch, ...]] = {}
    for part in ("title", "body", "summary"):
        before, after = getattr(old, part), getattr(story, part)
        # A summary is mostly the beginning of the body, whose change shows it.
        if before != after and not (part == "summary" and "body" in parts):
            parts[part] = tuple(with_facts(changed(before, after), before, after, story.language))
    return {part: said for part, said in parts.items() if said}


def _is_told(brief: Brief, acts: Sequence[Publication]) -> bool:
    if not acts or brief.state is not BriefState.PUBLISHED:
        return brief.state is BriefState.WITHDRAWN
    return is_told(brief, acts[-1])
