"""The stories of the last days, kept ready to be compared with the next one that comes."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from rensa import RMinHash, RMinHashLSH

from aggregator.rules.holders import Holders
from aggregator.rules.likeness import Rarity, Subject
from aggregator.rules.readings import RUN, Arrival, Reading, read

#: Sketches of texts: 32 bands of 2 find a text of which one run in five is shared, three times of four.
_SKETCH, _BANDS, _SEED = 64, 32, 1
#: The rarest anchors of a story lead to those that it is compared with.
_LEADS, _COMPARED = 16, 48
#: Stories that may hold an anchor which leads anywhere.
_COMMON = 400


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """How sure a cluster must be."""

    #: Likeness from which two reports in one language are of one event, 0 to 1.
    least: float = 0.45
    #: The same across languages.
    least_across: float = 0.38
    #: How much more alike two clusters must be before they are merged.
    merge: float = 1.1
    #: Share of runs of five words that makes two texts one, 0 to 1.
    copy: float = 0.5
    #: Share of runs of two words that does so for two texts of one agency.
    agency_copy: float = 0.2
    #: Things two texts of one agency share besides.
    agency_shared: int = 3
    #: Copies come within this time of one another.
    copy_span: timedelta = timedelta(hours=48)
    #: Reports of one event come about this long after one another (Gaussian sigma).
    decay: timedelta = timedelta(days=2)
    #: Beyond this no two stories are of one event, and what is older is let go.
    span: timedelta = timedelta(days=4)
    #: Rarity from which a shared thing is telling: the logarithm of stories by those that hold it.
    rare: float = 3.3
    #: Rarity that shared things have together when a likeness is believed in full.
    proof: float = 28.0
    #: What remains of a likeness between two stories of one outlet, whose headlines are alike by habit.
    one_outlet: float = 0.7
    #: An outlet's headlines that are alike and further apart than this are a series, not one event.
    series: timedelta = timedelta(hours=12)
    #: Versions decided in one transaction.
    batch: int = 200


@dataclass(frozen=True, slots=True)
class Settled:
    """A story that was clustered before, as the store keeps it."""

    story: Arrival
    cluster_id: int
    copy_group: int


@dataclass(slots=True)
class Window:
    """The stories of the last days, ready to be compared with the next."""

    settings: ClusterSettings = field(default_factory=ClusterSettings)
    #: Pairs of clusters that an editor has parted: never merged again.
    parted: set[frozenset[int]] = field(default_factory=set)
    readings: dict[int, Reading] = field(default_factory=dict)
    clusters: dict[int, int] = field(default_factory=dict)
    copies: dict[int, int] = field(default_factory=dict)
    members: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    #: How rare anchors are now; anew with every story that comes or goes.
    rarity: Rarity = field(init=False)
    _holders: Holders = field(default_factory=Holders)
    #: By story, the numbers of its terms among the holders.
    _terms: dict[int, array[int]] = field(default_factory=dict)
    _sketches: RMinHashLSH = field(default_factory=lambda: RMinHashLSH(0.5, _SKETCH, _BANDS))

    def __post_init__(self) -> None:
        self._changed()

    def _changed(self) -> None:
        self.rarity = Rarity(self._holders, self._terms)

    def keep(self, reading: Reading, cluster: int, copy_group: int) -> None:
        """A story is in this cluster now."""
        story = reading.story.id
        self.readings[story] = reading
        self.clusters[story], self.copies[story] = cluster, copy_group
        self.members[cluster].append(story)
        self._holders.add(story, reading.keys)
        self._terms[story] = self._holders.numbers(reading.terms)
        if sketch := _sketch(reading):
            self._sketches.insert(story, sketch)
        self._changed()

    def forget(self, story: int) -> None:
        """A story is no longer here; what was decided of it stands."""
        reading, cluster = self.readings.pop(story), self.clusters.pop(story)
        del self.copies[story], self._terms[story]
        self.members[cluster].remove(story)
        if not self.members[cluster]:
            del self.members[cluster]
        self._holders.remove(story, reading.keys)
        self._sketches.remove(story)
        self._changed()

    def move_to(self, now: datetime) -> None:
        """Forget what came here too long before `now`. Stories stand in the order they came."""
        while self.readings:
            story = next(iter(self.readings))
            if now - self.readings[story].story.seen <= self.settings.span:
                return
            self.forget(story)

    def is_alone(self, story: int) -> bool:
        """Whether nobody here shares its cluster; a story that is not here is alone."""
        return len(self.members.get(self.clusters.get(story, story), (story,))) == 1

    def near(self, subject: Subject) -> list[int]:
        """The stories most worth comparing, by the rare anchors that they share; ties by id."""
        counts = ((self._holders.counts[number], key) for key, number in subject.numbers.items())
        rare = sorted(pair for pair in counts if pair[0] <= _COMMON)[:_LEADS]
        found: dict[int, float] = {}
        for _, key in rare:
            worth = self.rarity.of(key)
            for story in self._holders.of(subject.numbers[key]):
                found[story] = found.get(story, 0.0) + worth
        # Thousands are found: only those as near as the last one that is compared are put in order.
        least = sorted(found.values(), reverse=True)[:_COMPARED][-1:]
        best = [story for story, worth in found.items() if worth >= least[0]]
        return sorted(best, key=lambda story: (-found[story], story))[:_COMPARED]

    def alike(self, reading: Reading) -> list[int]:
        """The stories whose texts may be copies, by their sketches."""
        sketch = _sketch(reading)
        return sorted(set(self._sketches.query(sketch))) if sketch else []

    def merge(self, kept: int, gone: int) -> None:
        """All stories of one cluster are in another now."""
        for story in self.members.pop(gone):
            self.clusters[story] = kept
            self.members[kept].append(story)
        self.parted = {frozenset(kept if one == gone else one for one in pair) for pair in self.parted}


@lru_cache(maxsize=1)
def _sketch(reading: Reading) -> RMinHash | None:
    """What a text is found by; asked for twice of each story, when it is looked for and when it is kept."""
    said = reading.words
    runs = [" ".join(said[at : at + RUN]) for at in range(len(said) - RUN + 1)]
    if not runs:
        return None
    sketch = RMinHash(num_perm=_SKETCH, seed=_SEED)
    sketch.update(runs)
    return sketch


def restored(
    settled: Iterable[Settled], settings: ClusterSettings, parted: Iterable[frozenset[int]]
) -> Window:
    """A window as it stood after these decisions; the stories in the order they came."""
    window = Window(settings, set(parted))
    for each in settled:
        window.keep(read(each.story), each.cluster_id, each.copy_group)
    return window
