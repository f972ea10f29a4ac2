"""Which stories hold each anchor, by numbers, so that thousands of counts lie close together.

To weigh a story, how many hold each of its words is asked for, and dozens are weighed for every
story that comes. Looked up by the words themselves, each would lie elsewhere in the memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from aggregator.rules.readings import Key


class Holders:
    """The stories that hold each anchor."""

    def __init__(self) -> None:
        #: The number of each anchor that somebody holds.
        self.number: dict[Key, int] = {}
        #: By the number of an anchor: its stories, in the order they came, and how many they are.
        self._stories: list[array[int]] = []
        self.counts = array("I")
        #: Numbers of anchors that nobody holds any more.
        self._free: list[int] = []

    def numbers(self, keys: Iterable[Key]) -> array[int]:
        """The numbers of anchors that stories hold."""
        return array("I", map(self.number.__getitem__, keys))

    def of(self, number: int) -> Sequence[int]:
        """The stories that hold an anchor, in the order they came."""
        return self._stories[number]

    def count(self, key: Key) -> int:
        """How many stories hold an anchor."""
        number = self.number.get(key)
        return 0 if number is None else self.counts[number]

    def add(self, story: int, keys: Iterable[Key]) -> None:
        """A story holds these anchors, each named once."""
        for key in keys:
            number = self.number.get(key)
            if number is None:
                number = self.number[key] = self._new()
            self._stories[number].append(story)
            self.counts[number] += 1

    def remove(self, story: int, keys: Iterable[Key]) -> None:
        """A story holds these anchors no longer."""
        for key in keys:
            number = self.number[key]
            # What came first is forgotten first, and stands in front.
            self._stories[number].remove(story)
            self.counts[number] -= 1
            if not self.counts[number]:
                del self.number[key]
                self._free.append(number)

    def _new(self) -> int:
        if self._free:
            return self._free.pop()
        self._stories.append(array("q"))
        self.counts.append(0)
        return len(self.counts) - 1
