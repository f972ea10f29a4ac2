"""A table of words in several languages, found in a text: concepts, places, offices, organisations.

A table is a TSV file: an id, then a column a language. A cell holds alternatives separated by
`|`. An alternative is the beginning of a word (`negotiat`), a word as it stands (`war=`), or
several of these in a row (`cease fire`); `*` between them leaves room for one or two words.
Columns that are no language code are attributes of the row: family, country.
Everything is compared folded (`text.fold`); only an exact word that the table writes with a capital
(`Turkey=`, `WHO=`) must have it in the text as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from sys import intern

from aggregator.language.text import Word, words

#: Letters of a language code (ISO 639-1); a column called otherwise is an attribute, and so is the id.
LANGUAGE_CODE = 2
NO_LANGUAGES = frozenset({"id"})
#: How many letters may follow a beginning, by its length: short ones are soon another word.
ROOM = {1: 0, 2: 1, 3: 2, 4: 4}
MOST_ROOM = 9
#: Words that `*` may stand for.
GAP = 2
#: An exact word written with a capital must stand with one; one of so few letters, all capitals,
#: must stand in capitals: WHO is no who, US no us. Longer ones are printed Otan and Unicef too.
ACRONYM = 3
#: German writes compounds as one word; parts of words at least so long are looked at.
COMPOUND = 9
COMPOUND_PART = 5
#: Words of one language that are remembered before all are forgotten.
MOST_KNOWN = 50_000


@dataclass(frozen=True, slots=True)
class Piece:
    """One word of an alternative."""

    stem: str
    is_exact: bool
    #: Words that may stand before it.
    gap: int = 0
    #: It must begin with a capital; or stand all in capitals.
    is_title: bool = False
    is_upper: bool = False

    def fits(self, text: str) -> bool:
        """Whether a word, as it stands in a text, has the capitals that this asks for."""
        if self.is_upper:
            return text.isupper()
        return not self.is_title or not text[0].islower()

    def takes(self, folded: str) -> bool:
        """Whether a folded word is meant by it."""
        if self.is_exact:
            return folded == self.stem
        return folded.startswith(self.stem) and len(folded) - len(self.stem) <= room(self.stem)


@dataclass(frozen=True, slots=True)
class Found:
    """An entry of a table, found in a text."""

    key: str
    #: The first and the last of the words, by their number.
    first: int
    last: int


#: The id of an entry, and the words of one way to write it.
Alternative = tuple[str, tuple[Piece, ...]]
Alternatives = tuple[Alternative, ...]


def room(stem: str) -> int:
    """How many letters may follow a beginning."""
    return ROOM.get(len(stem), MOST_ROOM)


class Lexicon:
    """A table made ready to be found in texts."""

    def __init__(self, rows: Iterable[tuple[str, Mapping[str, str]]]) -> None:
        """`rows`: id, and a cell for each language that has one."""
        #: By language, the cells as they are written, until the first text in it.
        self._cells: dict[str, list[tuple[str, str]]] = {}
        #: By language and first word, the alternatives that begin so, as they are written.
        self._starts: dict[str, dict[str, str]] = {}
        #: By language, what was looked up already.
        self._known: dict[str, dict[str, Alternatives]] = {}
        for key, cells in rows:
            for language, cell in cells.items():
                self._cells.setdefault(language, []).append((key, cell))

    def _starts_of(self, language: str) -> dict[str, str]:
        """A language's alternatives by their first word.

        They stay as lines of text: as objects, ninety thousand of them would fill fifty megabytes,
        and a wire meets a tenth.
        """
        cells = self._cells.get(language)
        if cells is not None:
            starts: defaultdict[str, list[str]] = defaultdict(list)
            for key, cell in cells:
                for written in cell.split("|"):
                    if (first := next(_pieces(written), None)) is not None:
                        starts[first.stem].append(f"{key}\t{written}")
            self._starts[language] = {stem: "\n".join(lines) for stem, lines in starts.items()}
            # Only now: another thread may ask for the same meanwhile.
            self._cells.pop(language, None)
        return self._starts.get(language, {})

    def find(self, text: Sequence[Word], language: str) -> list[Found]:
        """Every entry that stands in a text, in order; one of several words hides none yet."""
        starts = self._starts_of(language)
        if not starts:
            return []
        known = self._known.setdefault(language, {})
        found: dict[Found, None] = {}
        for place, word in enumerate(text):
            beginning = known.get(word.folded)
            if beginning is None:
                beginning = self._beginning(word.folded, language)
            for key, pieces in beginning:
                last = _follow(text, place, pieces) if pieces[0].fits(word.text) else None
                if last is not None:
                    found[Found(key, place, last)] = None
        return list(found)

    def is_known(self, folded: str, language: str) -> bool:
        """Whether a word alone is an entry of the table."""
        return any(len(pieces) == 1 for _, pieces in self._beginning(folded, language))

    def _beginning(self, folded: str, language: str) -> Alternatives:
        """Alternatives whose first word this can be; worked out once for each word."""
        starts = self._starts_of(language)
        if not starts:
            return ()
        known = self._known.setdefault(language, {})
        found = known.get(folded)
        if found is None:
            if len(known) >= MOST_KNOWN:
                known.clear()
            # A word that several tables were asked for is kept once.
            found = known[intern(folded)] = tuple(_look_up(folded, language, starts))
        return found


def _look_up(folded: str, language: str, starts: Mapping[str, str]) -> Iterator[Alternative]:
    for length in range(1, len(folded) + 1):
        if lines := starts.get(folded[:length]):
            for key, pieces in _read(lines):
                if pieces[0].takes(folded):
                    yield key, pieces
    if language == "de" and len(folded) >= COMPOUND:
        yield from _within(folded, starts)


def _within(folded: str, starts: Mapping[str, str]) -> Iterator[Alternative]:
    """Single words that a German compound ends in: Waffenstillstandsverhandlungen."""
    for begin in range(3, len(folded) - COMPOUND_PART + 1):
        for end in range(begin + COMPOUND_PART, len(folded) + 1):
            if lines := starts.get(folded[begin:end]):
                for key, pieces in _read(lines):
                    if len(pieces) == 1 and not pieces[0].is_exact and pieces[0].takes(folded[begin:]):
                        yield key, pieces


@lru_cache(maxsize=4_096)
def _read(lines: str) -> Alternatives:
    """Alternatives as they are written, read."""
    rows = (line.split("\t") for line in lines.split("\n"))
    return tuple((key, tuple(_pieces(written))) for key, written in rows)


def read_table(name: str) -> list[tuple[str, dict[str, str]]]:
    """The rows of a table of `aggregator/language/data`: id, and a cell for each language that has one.

    Raises:
        ValueError: a row has more or fewer cells than the head.
    """
    head, *body = _cells(name)
    return [
        (
            key,
            {
                column: cell
                for column, cell in zip(head[1:], cells, strict=True)
                if cell and _is_language(column)
            },
        )
        for key, *cells in body
    ]


def read_attributes(name: str, column: str) -> dict[str, str]:
    """What a column that is no language says of each row (`family`, `country`), by id; empty cells are left out.

    A table without that column has no attributes.
    """
    head, *body = _cells(name)
    if _is_language(column) or column not in head:
        return {}
    at = head.index(column)
    return {cells[0]: cells[at] for cells in body if cells[at]}


def _cells(name: str) -> list[list[str]]:
    """The rows of a table, its head first; lines that begin with # say how it was made."""
    lines = (files("aggregator.language") / "data" / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def _is_language(column: str) -> bool:
    """Language codes have two letters; what is longer is an attribute."""
    return len(column) == LANGUAGE_CODE and column not in NO_LANGUAGES


def _pieces(written: str) -> Iterator[Piece]:
    gap = 0
    for part in written.split():
        if part == "*":
            gap = GAP
            continue
        is_exact = part.endswith("=")
        folded = words(part.rstrip("="))
        for number, word in enumerate(folded, 1):
            # Of l'Ukraine or cease-fire all words but the last stand as they are.
            yield Piece(word, is_exact or number < len(folded), gap, *_capitals(part, is_exact=is_exact))
            gap = 0


def _capitals(part: str, *, is_exact: bool) -> tuple[bool, bool]:
    """Whether a word of a table asks for a first capital, and for nothing but capitals."""
    name = part.rstrip("=")
    if not is_exact or not name[:1].isupper():
        return False, False
    return True, name.isupper() and 1 < len(name) <= ACRONYM


def _follow(text: Sequence[Word], place: int, pieces: Sequence[Piece]) -> int | None:
    """The number of the last word, where the rest of an alternative follows its first word."""
    at = place
    for piece in pieces[1:]:
        within = range(at + 1, min(at + 2 + piece.gap, len(text)))
        at = next((n for n in within if piece.takes(text[n].folded) and piece.fits(text[n].text)), -1)
        if at < 0:
            return None
    return at
