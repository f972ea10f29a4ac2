"""Which stories are copies of one wire text, and which report one event, as they arrive.

A story joins a cluster only where it is like most of the members, and names alone never
suffice: the same people meet in many events. A doubtful story stays alone, since an editor who
sees two rows for one event loses a second, and one who sees two events in a row loses trust.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from aggregator.rules.cluster_window import ClusterSettings, Window
from aggregator.rules.likeness import Shared, Subject
from aggregator.rules.readings import SHORT_RUN, Arrival, Reading, overlap, read

#: Members that a story is compared with, the newest of as many texts.
_MEMBERS = 24
#: Members of each of two clusters that are compared before these are merged.
_MERGED = 6
#: Share of the words of two titles from which they may be a series.
_SERIES = 0.5
#: Things two stories of one event share at least that are rare.
_TELLING = 3
#: Kinds that alone never suffice.
_WHO_AND_WHERE = frozenset({"name", "place"})
#: Shared things that a reason names.
_NAMED = 4


@dataclass(frozen=True, slots=True)
class Joined:
    """A story is in a cluster now."""

    story_id: int
    #: The id of the story that began it: the story's own where it is alone.
    cluster_id: int
    #: The id of the first story with this text: the story's own where it is no copy.
    copy_group: int
    #: How sure: 1 is just enough, a story that is alone has 0.
    score: float
    #: In words an editor reads.
    why: str
    agency: str | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """Two clusters turned out to be of one event."""

    kept: int
    gone: int
    why: str


Decision = Joined | Merged


def assign(arrivals: Iterable[Arrival], window: Window, *, settled: Collection[int] = ()) -> list[Decision]:
    """Decide on stories in the order they came, and keep them in the window.

    The same arrivals in the same order give the same decisions. A new version of a story is
    decided anew only where the story was alone; `settled` are those that were not, though their
    company may have left the window.
    """
    return [decision for arrival in arrivals for decision in _decide(read(arrival), window, settled)]


def _decide(reading: Reading, window: Window, settled: Collection[int]) -> Iterator[Decision]:
    story = reading.story.id
    window.move_to(reading.story.seen)
    stays = story in settled or not window.is_alone(story)
    if story in window.readings:
        cluster, group = window.clusters[story], window.copies[story]
        window.forget(story)
        if stays:
            window.keep(reading, cluster, group)
    if stays:
        return
    subject = Subject(reading, window.rarity)
    compared = _compare(subject, window)
    found = _clusters(compared, window)
    joined = _copied(subject, compared, window) or _reported(subject, found, window)
    window.keep(reading, joined.cluster_id, joined.copy_group)
    yield joined
    for other in found:
        if other != joined.cluster_id and (merged := _merged(window.clusters[story], other, window)):
            yield merged


def _compare(subject: Subject, window: Window) -> dict[int, float]:
    near = {story: window.readings[story] for story in window.near(subject)}
    scores = dict.fromkeys(near, 0.0)
    for story in subject.may_share(near, window.settings.rare, _TELLING):
        scores[story] = _alike(subject, near[story], window)
    return scores


def _alike(subject: Subject, b: Reading, window: Window) -> float:
    """How sure it is that two stories report one event: from 1 on it is."""
    settings, a = window.settings, subject.reading
    apart = abs(a.story.at - b.story.at)
    if apart > settings.span:
        return 0.0
    found = subject.beside(b)
    telling = found.telling(settings.rare, _TELLING)
    if not telling or not _agree(found.kinds()):
        return 0.0
    habit = _habit(a, b, window)
    if not habit:
        return 0.0
    least = settings.least if a.story.language == b.story.language else settings.least_across
    late = math.exp(-((apart / settings.decay) ** 2) / 2)
    proof = min(1.0, math.fsum(telling) / settings.proof)
    return found.score() * late * proof * habit / least


def _agree(kinds: Collection[str]) -> bool:
    """Two kinds agree, not names and places alone."""
    return len(kinds) > 1 and not _WHO_AND_WHERE.issuperset(kinds)


def _shared(subject: Subject, b: Reading) -> tuple[Shared, ...]:
    return subject.beside(b).shared()


def _habit(a: Reading, b: Reading, window: Window) -> float:
    """Less than 1 where likeness may be habit: one outlet's headlines, and those of a series."""
    return _other_figures(a, b) * (_one_outlet(a, b, window) if a.story.outlet == b.story.outlet else 1.0)


def _other_figures(a: Reading, b: Reading) -> float:
    """Two titles that give other days are rarely of one event; other numbers may be a later count."""
    if not a.figures or not b.figures:
        return 1.0
    days, numbers = ((a.figures_of(kind), b.figures_of(kind)) for kind in ("date", "number"))
    later = 0.5 if all(days) and days[0].isdisjoint(days[1]) else 1.0
    return later * (0.8 if all(numbers) and numbers[0].isdisjoint(numbers[1]) else 1.0)


def _one_outlet(a: Reading, b: Reading, window: Window) -> float:
    """Every issue of a series looks like the last, and every page of an outlet ends alike."""
    is_later = abs(a.story.at - b.story.at) > window.settings.series
    if a.figures_of("date") != b.figures_of("date"):
        return 0.0
    if is_later and _titles(a, b) >= _SERIES:
        return 0.0
    of, rare = window.rarity.of, window.settings.rare
    in_titles = set(a.title_terms).intersection(b.title_terms)
    is_told = any(key.startswith("term:") and of(key) >= rare for key in in_titles)
    return window.settings.one_outlet if is_told else 0.0


def _copied(subject: Subject, compared: dict[int, float], window: Window) -> Joined | None:
    """The story as a copy of the earliest text that is its own; None where there is none."""
    reading = subject.reading
    credited = [s for s in compared if reading.agency and window.readings[s].agency == reading.agency]
    for story in sorted({*window.alike(reading), *credited}):
        other = window.readings[story]
        why, score = _is_copy(subject, other, window.settings, is_near=story in compared)
        if why:
            return Joined(
                reading.story.id, window.clusters[story], window.copies[story], score, why, reading.agency
            )
    return None


def _is_copy(subject: Subject, b: Reading, settings: ClusterSettings, *, is_near: bool) -> tuple[str, float]:
    """Why two stories are one text and how sure that is; ("", 0) where they are not."""
    a = subject.reading
    if a.story.language != b.story.language or abs(a.story.at - b.story.at) > settings.copy_span:
        return "", 0.0
    is_one_outlet = a.story.outlet == b.story.outlet
    # An outlet's series opens each part with the same words, under another title or other figures.
    if is_one_outlet and (a.figures != b.figures or _titles(a, b) < 0.5):
        return "", 0.0
    share = overlap(a.words, b.words)
    is_half = share >= settings.copy / 2 and len(a.title_words) > 3 and _titles(a, b) >= 0.8
    if share >= settings.copy or is_half:
        return f"same text as {b.story.outlet}: {share:.0%} of the runs of five words are shared", 1 + share
    if is_near and a.agency and a.agency == b.agency:
        short = overlap(a.words, b.words, SHORT_RUN)
        if short >= settings.agency_copy:
            telling = [each for each in _shared(subject, b) if each.idf >= settings.rare]
            if len(telling) >= settings.agency_shared:
                why = f"{a.agency} copy as at {b.story.outlet}: {_listed(telling)} shared"
                return why, 1 + short
    return "", 0.0


def _titles(a: Reading, b: Reading) -> float:
    """The share of the words of two titles that stand in both."""
    return overlap(a.title_words, b.title_words, 1)


def _clusters(compared: dict[int, float], window: Window) -> dict[int, float]:
    """The clusters that a story is of, with how sure that is, the surest first."""
    near = {window.clusters[story] for story, score in compared.items() if score >= 1}
    scores = {cluster: _membership(cluster, compared, window) for cluster in near}
    sure = sorted((cluster for cluster in near if scores[cluster] >= 1), key=lambda c: (-scores[c], c))
    return {cluster: scores[cluster] for cluster in sure}


def _membership(cluster: int, compared: dict[int, float], window: Window) -> float:
    """The mean likeness to the better two thirds of its members; those not even compared count 0."""
    members = _texts(cluster, window)[:_MEMBERS]
    scores = sorted((compared.get(member, 0.0) for member in members), reverse=True)
    return _better_part(scores)


def _better_part(scores: Sequence[float]) -> float:
    part = scores[: (2 * len(scores) + 2) // 3]
    return sum(part) / len(part)


def _texts(cluster: int, window: Window) -> list[int]:
    """The first story of each text of a cluster, the newest first."""
    by_text = {window.copies[story]: story for story in sorted(window.members[cluster], reverse=True)}
    return sorted(by_text.values(), reverse=True)


def _reported(subject: Subject, found: dict[int, float], window: Window) -> Joined:
    """The story as a report of the surest cluster, else as the first of its own."""
    reading = subject.reading
    story = reading.story.id
    if not found:
        return Joined(story, story, story, 0.0, "nothing like it came in these days", reading.agency)
    cluster, score = next(iter(found.items()))
    why = _why(subject, cluster, window)
    return Joined(story, cluster, story, score, why, reading.agency)


def _why(subject: Subject, cluster: int, window: Window) -> str:
    members = _texts(cluster, window)[:_MEMBERS]
    scores = {member: _alike(subject, window.readings[member], window) for member in members}
    sure = [member for member in members if scores[member] >= 1]
    best = max(members, key=lambda member: (scores[member], -member))
    stories = "the one story" if len(members) == 1 else f"{len(sure)} of {len(members)} stories"
    return f"{_listed(_shared(subject, window.readings[best]))} shared with {stories}"


def _listed(shared: Iterable[Shared]) -> str:
    """The rarest of what is shared, each word once."""
    told: dict[str, str] = {}
    for each in shared:
        told.setdefault(each.here.casefold(), str(each))
    return ", ".join(list(told.values())[:_NAMED])


def _merged(one: int, other: int, window: Window) -> Merged | None:
    """Merge two clusters where their members, not one story between them, are alike."""
    if frozenset((one, other)) in window.parted:
        return None
    subjects = [Subject(window.readings[a], window.rarity) for a in _texts(one, window)[:_MERGED]]
    others = [window.readings[b] for b in _texts(other, window)[:_MERGED]]
    pairs = [(_alike(a, b, window), a, b) for a in subjects for b in others]
    score = _better_part(sorted((alike for alike, _, _ in pairs), reverse=True))
    if score < window.settings.merge:
        return None
    kept, gone = min(one, other), max(one, other)
    _, a, b = max(pairs, key=lambda pair: pair[0])
    sure = sum(alike >= 1 for alike, _, _ in pairs)
    why = f"{_listed(_shared(a, b))} shared; {sure} of {len(pairs)} pairs of their stories are alike"
    window.merge(kept, gone)
    return Merged(kept, gone, why)
