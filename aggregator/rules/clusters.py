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
from aggregator.rules.likeness import SHORT_RUN, Arrival, Likeness, Reading, Shared, likeness, overlap, read

#: Members that a story is compared with, the newest of as many texts.
_MEMBERS = 24
#: Members of each of two clusters that are compared before these are merged.
_MERGED = 6
#: Share of the words of two titles from which they may be a series.
_SERIES = 0.5
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
    found = _clusters(compared := _compare(reading, window), window)
    joined = _copied(reading, compared, window) or _reported(reading, found, window)
    window.keep(reading, joined.cluster_id, joined.copy_group)
    yield joined
    for other in found:
        if other != joined.cluster_id and (merged := _merged(window.clusters[story], other, window)):
            yield merged


def _compare(reading: Reading, window: Window) -> dict[int, Likeness]:
    return {story: _alike(reading, window.readings[story], window) for story in window.near(reading)}


def _alike(a: Reading, b: Reading, window: Window) -> Likeness:
    """How sure it is that two stories report one event: from 1 on it is."""
    settings = window.settings
    apart = abs(a.story.at - b.story.at)
    if apart > settings.span:
        return Likeness(0.0)
    found = likeness(a, b, window.rarity)
    if not _agree(found, settings):
        return Likeness(0.0, found.shared)
    least = settings.least if a.story.language == b.story.language else settings.least_across
    late = math.exp(-((apart / settings.decay) ** 2) / 2)
    proof = min(1.0, sum(each.idf for each in _telling(found, settings)) / settings.proof)
    return Likeness(found.score * late * proof * _habit(a, b, window) / least, found.shared)


def _telling(found: Likeness, settings: ClusterSettings) -> list[Shared]:
    """What is shared and rare."""
    return [each for each in found.shared if each.idf >= settings.rare]


def _agree(found: Likeness, settings: ClusterSettings) -> bool:
    """Two kinds agree, not names and places alone, and more than one thing is telling."""
    kinds = found.kinds
    return len(kinds) > 1 and bool(kinds - {"name", "place"}) and len(_telling(found, settings)) > 2


def _habit(a: Reading, b: Reading, window: Window) -> float:
    """Less than 1 where likeness may be habit: one outlet's headlines, and those of a series."""
    return _other_figures(a, b) * (_one_outlet(a, b, window) if a.story.outlet == b.story.outlet else 1.0)


def _other_figures(a: Reading, b: Reading) -> float:
    """Two titles that give other days are rarely of one event; other numbers may be a later count."""
    days, numbers = ((a.figures_of(kind), b.figures_of(kind)) for kind in ("date", "number"))
    later = 0.5 if all(days) and days[0].isdisjoint(days[1]) else 1.0
    return later * (0.8 if all(numbers) and numbers[0].isdisjoint(numbers[1]) else 1.0)


def _one_outlet(a: Reading, b: Reading, window: Window) -> float:
    """Every issue of a series looks like the last, and every page of an outlet ends alike."""
    is_later = abs(a.story.at - b.story.at) > window.settings.series
    if a.figures_of("date") != b.figures_of("date"):
        return 0.0
    if is_later and overlap(a.title_words, b.title_words, 1) >= _SERIES:
        return 0.0
    in_titles = [
        key for key in a.title_terms & b.title_terms if window.rarity.of(key) >= window.settings.rare
    ]
    return window.settings.one_outlet if in_titles else 0.0


def _copied(reading: Reading, compared: dict[int, Likeness], window: Window) -> Joined | None:
    """The story as a copy of the earliest text that is its own; None where there is none."""
    credited = [s for s in compared if reading.agency and window.readings[s].agency == reading.agency]
    for story in sorted({*window.alike(reading), *credited}):
        other = window.readings[story]
        why, score = _is_copy(reading, other, compared.get(story, Likeness(0.0)), window.settings)
        if why:
            return Joined(
                reading.story.id, window.clusters[story], window.copies[story], score, why, reading.agency
            )
    return None


def _is_copy(a: Reading, b: Reading, alike: Likeness, settings: ClusterSettings) -> tuple[str, float]:
    """Why two stories are one text and how sure that is; ("", 0) where they are not."""
    if a.story.language != b.story.language or abs(a.story.at - b.story.at) > settings.copy_span:
        return "", 0.0
    titles = overlap(a.title_words, b.title_words, 1)
    is_one_outlet = a.story.outlet == b.story.outlet
    # An outlet's series opens each part with the same words, under another title or other figures.
    if is_one_outlet and (titles < 0.5 or a.figures != b.figures):
        return "", 0.0
    share = overlap(a.words, b.words)
    if share >= settings.copy or (titles >= 0.8 and len(a.title_words) > 3 and share >= settings.copy / 2):
        return f"same text as {b.story.outlet}: {share:.0%} of the runs of five words are shared", 1 + share
    telling = _telling(alike, settings)
    short = overlap(a.words, b.words, SHORT_RUN)
    if (
        a.agency
        and a.agency == b.agency
        and short >= settings.agency_copy
        and len(telling) >= settings.agency_shared
    ):
        return f"{a.agency} copy as at {b.story.outlet}: {_listed(telling)} shared", 1 + short
    return "", 0.0


def _clusters(compared: dict[int, Likeness], window: Window) -> dict[int, float]:
    """The clusters that a story is of, with how sure that is, the surest first."""
    near = {window.clusters[story] for story, alike in compared.items() if alike.score >= 1}
    scores = {cluster: _membership(cluster, compared, window) for cluster in near}
    sure = sorted((cluster for cluster in near if scores[cluster] >= 1), key=lambda c: (-scores[c], c))
    return {cluster: scores[cluster] for cluster in sure}


def _membership(cluster: int, compared: dict[int, Likeness], window: Window) -> float:
    """The mean likeness to the better two thirds of its members; those not even compared count 0."""
    members = _texts(cluster, window)[:_MEMBERS]
    scores = sorted((compared[m].score if m in compared else 0.0 for m in members), reverse=True)
    return _better_part(scores)


def _better_part(scores: Sequence[float]) -> float:
    part = scores[: (2 * len(scores) + 2) // 3]
    return sum(part) / len(part)


def _texts(cluster: int, window: Window) -> list[int]:
    """The first story of each text of a cluster, the newest first."""
    by_text = {window.copies[story]: story for story in sorted(window.members[cluster], reverse=True)}
    return sorted(by_text.values(), reverse=True)


def _reported(reading: Reading, found: dict[int, float], window: Window) -> Joined:
    """The story as a report of the surest cluster, else as the first of its own."""
    story = reading.story.id
    if not found:
        return Joined(story, story, story, 0.0, "nothing like it came in these days", reading.agency)
    cluster, score = next(iter(found.items()))
    why = _why(reading, cluster, window)
    return Joined(story, cluster, story, score, why, reading.agency)


def _why(reading: Reading, cluster: int, window: Window) -> str:
    members = _texts(cluster, window)[:_MEMBERS]
    alike = {m: _alike(reading, window.readings[m], window) for m in members}
    sure = [m for m in members if alike[m].score >= 1]
    best = max(members, key=lambda m: (alike[m].score, -m))
    stories = "the one story" if len(members) == 1 else f"{len(sure)} of {len(members)} stories"
    return f"{_listed(alike[best].shared)} shared with {stories}"


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
    pairs = [
        _alike(window.readings[a], window.readings[b], window)
        for a in _texts(one, window)[:_MERGED]
        for b in _texts(other, window)[:_MERGED]
    ]
    score = _better_part(sorted((pair.score for pair in pairs), reverse=True))
    if score < window.settings.merge:
        return None
    kept, gone = min(one, other), max(one, other)
    best = max(pairs, key=lambda pair: pair.score)
    sure = sum(pair.score >= 1 for pair in pairs)
    why = f"{_listed(best.shared)} shared; {sure} of {len(pairs)} pairs of their stories are alike"
    window.merge(kept, gone)
    return Merged(kept, gone, why)
