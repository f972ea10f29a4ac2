"""New stories against a growing window: milliseconds a story, the processor's time, without reading its anchors.

    python benchmarks/clustering.py                  # windows of 1,000, 4,000 and 16,000 stories
    python benchmarks/clustering.py 1000 2000

The stories are the demo's over and over, each copy with words exchanged by seed (see `linking.py`).
Beside ours stands what one would write first: the cosine of weighed words (TF-IDF) with every story
of the window, of which the nearest one is taken. It knows no copies, other languages or reasons.
"""

from __future__ import annotations

import math
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

from linking import NOW, sample, varied

from aggregator.flows.cluster import LEAD, UNDETERMINED
from aggregator.language.reading import anchors
from aggregator.language.text import words
from aggregator.rules.cluster_window import Window
from aggregator.rules.clusters import assign
from aggregator.rules.readings import Arrival, text_of

#: Stories that are timed at each size, in so many rounds.
TIMED, ROUNDS = 250, 5
SIZES = (1_000, 4_000, 16_000)


def arrivals(count: int) -> list[Arrival]:
    """So many stories of two days, with their anchors, in the order they come."""
    rng = random.Random(7)  # noqa: S311 - a benchmark, not a secret
    drafts = sample()
    vocabulary: dict[str, list[str]] = {}
    for draft in drafts:
        said = f"{draft.entry.title} {draft.summary}".split()
        vocabulary.setdefault(draft.language or "", []).extend(said)
    found = []
    for number in range(count):
        draft = rng.choice(drafts)
        story = varied(draft, number, vocabulary[draft.language or ""], rng)
        title, lead = story.entry.title, story.summary[:LEAD]
        language, at = draft.language or UNDETERMINED, NOW + timedelta(days=2 * number / count)
        read = tuple(anchors(text_of(title, lead), language, dateline=at.date()))
        outlet = f"outlet-{rng.randrange(200)}.example"
        found.append(Arrival(number, language, outlet, at, at, title, lead, read))
    return found


class Plain:
    """Every story as a vector of weighed words, compared with all that came before."""

    def __init__(self) -> None:
        self._counts: list[Counter[str]] = []
        self._holding: Counter[str] = Counter()

    def keep(self, arrival: Arrival) -> Counter[str]:
        """Keep a story, as its words."""
        said = Counter(words(arrival.text))
        self._counts.append(said)
        self._holding.update(said.keys())
        return said

    def nearest(self, arrival: Arrival) -> tuple[float, int]:
        """The likest story until now, and this one kept."""
        said = self.keep(arrival)
        total = len(self._counts)
        idf = {word: math.log(total / self._holding[word]) for word in said}
        mine = {word: count * idf[word] for word, count in said.items()}
        best = (0.0, -1)
        for number, other in enumerate(self._counts[:-1]):
            product = sum(worth * other[word] * idf[word] for word, worth in mine.items() if word in other)
            if product:
                length = math.sqrt(
                    sum((n * math.log(total / self._holding[word])) ** 2 for word, n in other.items())
                )
                best = max(best, (product / (length or 1.0), number))
        return best


def timed(work: Callable[[Arrival], object], some: Sequence[Arrival]) -> float:
    """Seconds of the processor a story: the median of the rounds."""
    part = len(some) // ROUNDS
    spent = []
    for start in range(0, part * ROUNDS, part):
        began = time.process_time()
        for arrival in some[start : start + part]:
            work(arrival)
        spent.append((time.process_time() - began) / part)
    return statistics.median(spent)


def main() -> None:
    """Measure every size asked for."""
    sizes = sorted(int(word) for word in sys.argv[1:]) or list(SIZES)
    stories = arrivals(sizes[-1] + TIMED)
    window, plain, kept = Window(), Plain(), 0
    for size in sizes:
        for arrival in stories[kept:size]:
            assign([arrival], window)
        ours = timed(lambda arrival: assign([arrival], window), stories[size : size + TIMED])
        for arrival in stories[kept:size]:
            plain.keep(arrival)
        peer = timed(plain.nearest, stories[size : size + 2 * ROUNDS])
        for arrival in stories[size + 2 * ROUNDS : size + TIMED]:
            plain.keep(arrival)
        kept = size + TIMED
        print(
            f"{size:>7,} stories in the window  ours {ours * 1e3:6.2f} ms a story ({1 / ours:6.0f} a second)  "
            f"plain cosine with all {peer * 1e3:7.1f} ms ({peer / ours:5.1f} times as long)"
        )


if __name__ == "__main__":
    main()
