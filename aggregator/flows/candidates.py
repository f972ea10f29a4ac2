"""What a channel may carry now, read from the store: briefs as they were published, stories as they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from sqlmodel import Session

from aggregator.flows.remembered import Basis, Memory
from aggregator.language.query import parse_query
from aggregator.language.text import fold
from aggregator.model import Publication, Story
from aggregator.rules.briefs import BriefText, read_brief
from aggregator.rules.channels import Candidate, Channel, Kind, Site
from aggregator.rules.entries import Published, brief_candidate, story_candidate
from aggregator.rules.topics import CompiledTopic, Subject, decide, known_as
from aggregator.store import briefs, progress, sources, stamps, stories, topics
from aggregator.store.stamps import BriefStamp, Stamp

#: Stories and briefs that are looked at for a channel of n entries, as a multiple of n: some share a page.
SPARE = 2
#: Stories that came since the last rendering, looked at in one go.
MOST_ARRIVED = 2_000


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came since a channel was last rendered."""

    ids: tuple[int, ...]
    #: The version up to which it was looked the last time; 0 where it never was.
    since: int
    #: The version up to which it was looked.
    upto: int
    #: Whether there is more beyond.
    is_more: bool


def find_candidates(
    session: Session,
    channel: Channel,
    site: Site,
    compiled: Mapping[str, CompiledTopic],
    *,
    stories_too: Iterable[int] = (),
    briefs_too: Collection[int] = (),
    memory: Memory | None = None,
) -> list[Candidate]:
    """The newest that a channel may carry, and those named by their ids besides.

    What is in the `memory` and stands as it stood is not read again.
    """
    memory = memory or Memory()
    of_briefs: dict[int, BriefStamp] = {}
    if "briefs" in channel.carries or briefs_too:
        newest = briefs.newest_published(session, limit=SPARE * channel.entries)
        of_briefs = stamps.of_briefs(session, {*newest, *briefs_too})
    of_stories = _newest(session, channel) if "stories" in channel.carries else {}
    wanted = [*of_stories, *sorted(set(stories_too) - of_stories.keys())]
    picked = {story for brief in of_briefs.values() for story in brief.stories}
    of_stories |= stamps.of_stories(session, picked.union(wanted) - of_stories.keys())
    basis = memory.basis(site, compiled)
    found = _briefs(session, compiled, basis, of_briefs, of_stories, memory)
    return found + _stories(session, wanted, basis, of_stories, memory)


def _briefs(
    session: Session,
    compiled: Mapping[str, CompiledTopic],
    basis: Basis,
    of_briefs: Mapping[int, BriefStamp],
    of_stories: Mapping[int, Stamp],
    memory: Memory,
) -> list[Candidate]:
    """The candidates of these briefs, in their order."""
    seen = {
        id: (basis, stamp, tuple(of_stories.get(story) for story in stamp.stories))
        for id, stamp in of_briefs.items()
    }
    found = _known(memory, "brief", seen)
    missing = seen.keys() - found.keys()
    for brief in published_briefs(session, compiled, only=missing) if missing else ():
        id = brief.last.brief_id
        found[id] = brief_candidate(brief, basis[0], _titles(basis))
        memory.candidates["brief", id] = (seen[id], found[id])
    return [found[id] for id in seen]


def _stories(
    session: Session, ids: Sequence[int], basis: Basis, of_stories: Mapping[int, Stamp], memory: Memory
) -> list[Candidate]:
    """The candidates of these stories, in their order; those that do not exist are left out."""
    seen = {id: (basis, of_stories[id]) for id in ids if id in of_stories}
    found = _known(memory, "story", seen)
    titles = _titles(basis)
    for id, story in stories.by_ids(session, sorted(seen.keys() - found.keys())).items():
        found[id] = story_candidate(story, basis[0], titles)
        memory.candidates["story", id] = (seen[id], found[id])
    return [found[id] for id in seen]


def _known(memory: Memory, kind: Kind, stamps: Mapping[int, object]) -> dict[int, Candidate]:
    """What was made of the same states before."""
    made = memory.candidates.get_all((kind, id) for id in stamps)
    return {id: candidate for (_, id), (stamp, candidate) in made.items() if stamp == stamps[id]}


def _titles(basis: Basis) -> dict[str, str]:
    return {topic.slug: topic.title for topic in basis[1]}


def arrived_stories(session: Session, channel: Channel) -> Arrived:
    """The stories that came since a channel was last rendered; none where it never was.

    More may have come at once than a document has room for. Only what the channel's topics have
    read counts as arrived: else a story would pass before they took it.
    """
    newest = min([stories.newest_version(session), *topics.decided_upto(session, channel.topics)])
    cursor = progress.get(session, cursor_name(channel))
    if cursor == 0 or "stories" not in channel.carries:
        return Arrived((), cursor, newest, is_more=False)
    if cursor >= newest:
        return Arrived((), cursor, newest, is_more=False)
    ids, upto = stories.ids_between(session, cursor, newest, topics=channel.topics, limit=MOST_ARRIVED)
    return Arrived(tuple(ids), cursor, upto, is_more=upto < newest)


def cursor_name(channel: Channel) -> str:
    """Under which a channel keeps how far it has read the wire."""
    return f"channel:{channel.slug}"


def published_briefs(
    session: Session, compiled: Mapping[str, CompiledTopic], *, only: Collection[int] | None = None
) -> list[Published]:
    """Every brief that was ever published, or those of `only`, as its readers are to see it now."""
    by_brief: dict[int, list[Publication]] = {}
    for act in briefs.publications(session, only):
        by_brief.setdefault(act.brief_id, []).append(act)
    slugs = briefs.slugs(session)
    ids = {link.story_id for past in by_brief.values() for link in past[-1].links}
    known = stories.by_ids(session, list(ids))
    return [
        as_published(slugs[brief_id], tuple(past), known, compiled) for brief_id, past in by_brief.items()
    ]


def as_published(
    slug: str, past: tuple[Publication, ...], known: Mapping[int, Story], topics: Mapping[str, CompiledTopic]
) -> Published:
    """A brief from all its acts of publishing, oldest first, and the stories that its picks name."""
    text = _read(past[-1].revision.text)
    subject = Subject(text.title, "\n".join(p.text for p in text.passages), text.language, "", "")
    own = {topic for topic, compiled in topics.items() if decide(compiled, subject).is_in}
    return Published(slug, text, tuple(sorted(own | set(text.topics))), past, known)


def _newest(session: Session, channel: Channel) -> dict[int, Stamp]:
    wanted: dict[int, Stamp] = {}
    query = parse_query(channel.query) if channel.query else None
    of = _source_ids(session, channel)
    for topic, language in product(channel.topics or (None,), channel.languages or (None,)):
        wanted |= stamps.of_newest(
            session, query, topic=topic, language=language, sources=of, limit=SPARE * channel.entries
        )
    return wanted


def _source_ids(session: Session, channel: Channel) -> list[int] | None:
    """The sources of a channel; None where it takes all."""
    if not channel.sources:
        return None
    names = {fold(name) for name in channel.sources}
    return [s.id for s in sources.all_sources(session) if names & known_as(s.url, s.title)]


@lru_cache(maxsize=512)
def _read(text: str) -> BriefText:
    """Reading a brief finds its language and quotations, which costs more than all else here."""
    return read_brief(text)
