"""What publishing remembers from look to look, so that nothing is read, weighed and written down twice.

It never decides anything: what is remembered goes by stamps that stand for all of it, and an empty
memory gives the same answers. It is bounded, and hangs on the database that it is about.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from aggregator.outgoing import Carried
from aggregator.rules.channels import Candidate, Kind, Site
from aggregator.rules.topics import CompiledTopic, Topic
from aggregator.store.database import Database
from feeds.model import Entry, Text
from feeds.write import Format

K = TypeVar("K")
V = TypeVar("V")

#: Characters of candidates, and of rows, that are remembered: some five thousand stories of each.
MOST_TEXT = 48_000_000
#: Bytes of rendered entries.
MOST_BYTES = 24_000_000
#: Entries of which it is remembered how long they are in every format.
MOST_SIZES = 20_000
#: What an entry takes beside its texts, in characters; an estimate.
_BESIDE = 2_000


class Bounded(Generic[K, V]):
    """What was used last, as much of it as fits."""

    def __init__(self, most: int, size: Callable[[V], int] = lambda _: 1) -> None:
        """`size` says how much of `most` a value takes."""
        self._most, self._size = most, size
        self._values: OrderedDict[K, V] = OrderedDict()
        self._used = 0
        # Publishing and the desk look at channels on threads of their own.
        self._lock = threading.Lock()

    def get_all(self, keys: Iterable[K], /) -> dict[K, V]:
        """What is remembered under these keys."""
        found: dict[K, V] = {}
        with self._lock:
            for key in keys:
                value = self._values.get(key)
                if value is not None:
                    self._values.move_to_end(key)
                    found[key] = value
        return found

    def __setitem__(self, key: K, value: V, /) -> None:
        """Remember a value, and forget those that were not used for longest."""
        with self._lock:
            before = self._values.pop(key, None)
            self._values[key] = value
            self._used += self._size(value) - (0 if before is None else self._size(before))
            while self._used > self._most:
                _, oldest = self._values.popitem(last=False)
                self._used -= self._size(oldest)

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._values)


#: What candidates are made with besides the stories and briefs themselves.
Basis = tuple[Site, tuple[Topic, ...]]


@dataclass
class Memory:
    """What is remembered of one database."""

    #: By kind and number: the stamp that a candidate was made from, and the candidate.
    candidates: Bounded[tuple[Kind, int], tuple[Any, Candidate]] = field(
        default_factory=lambda: Bounded(MOST_TEXT, lambda known: _length(known[1].entry, known[1].text))
    )
    #: What subscribers were told, by stamp.
    rows: Bounded[tuple[Any, ...], Carried] = field(
        default_factory=lambda: Bounded(MOST_TEXT, lambda row: _length(row.entry))
    )
    #: How many bytes an entry has in each format, all of them kept: by its digest, its second, its
    #: channel's language.
    sizes: Bounded[tuple[Any, ...], Mapping[Format, int]] = field(default_factory=lambda: Bounded(MOST_SIZES))
    #: Rendered entries by their names.
    fragments: Bounded[str, bytes] = field(default_factory=lambda: Bounded(MOST_BYTES, len))
    #: By channel: the last state in which there was nothing to do, and what was answered.
    idle: dict[str, Any] = field(default_factory=dict)
    #: By channel: the day on which it was noted that its fragments are in use.
    noted: dict[str, date] = field(default_factory=dict)
    _basis: Basis | None = None

    def forget_others(self, channels: Collection[str]) -> None:
        """Forget the channels that are not among these."""
        for slug in self.idle.keys() - set(channels):
            del self.idle[slug]

    def basis(self, site: Site, compiled: Mapping[str, CompiledTopic]) -> Basis:
        """What candidates are made with; the same object as long as it is the same."""
        new = (site, tuple(one.topic for one in compiled.values()))
        known = self._basis
        if known == new:
            return known
        self._basis = new
        return new


_memories: WeakKeyDictionary[Database, Memory] = WeakKeyDictionary()


def memory_of(database: Database) -> Memory:
    """What publishing remembers of a database."""
    return _memories.setdefault(database, Memory())


def _length(entry: Entry, text: str = "") -> int:
    return _BESIDE + len(text) + _text_length(entry.summary) + _text_length(entry.content)


def _text_length(text: Text | None) -> int:
    return len(text.value) if text else 0
