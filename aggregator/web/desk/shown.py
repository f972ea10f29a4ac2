"""What the templates of the desk show, worked out beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import SequenceMatcher

from aggregator.errors import BadInput
from aggregator.flows.channels import Difference
from aggregator.flows.desk import PassageSeen, Proposed
from aggregator.language.text import fold
from aggregator.model import Act, BriefState, Role
from aggregator.rules.changes import Stretch as Changed
from aggregator.rules.changes import changed
from aggregator.store.clusters import ClusterView
from aggregator.web.locales import N_, Reading
from aggregator.web.shown import direction, excerpt, story_title

#: What each role is called on its button.
ROLES = {
    Role.SOURCE: N_("as a source"),
    Role.BACKGROUND: N_("as background"),
    Role.QUOTE: N_("to quote"),
    Role.CONTRADICTS: N_("as one that disagrees"),
}

#: Where a brief stands, as its badge says it.
STATES = {
    BriefState.DRAFT: N_("draft"),
    BriefState.PUBLISHED: N_("published"),
    BriefState.WITHDRAWN: N_("withdrawn"),
}

#: What readers were told.
ACTS = {
    Act.PUBLISHED: N_("published"),
    Act.UPDATED: N_("updated"),
    Act.CORRECTED: N_("corrected"),
    Act.WITHDRAWN: N_("withdrawn"),
}

#: What a check doubts.
KINDS = {
    "year": N_("Year"),
    "date": N_("Date"),
    "weekday": N_("Day of the week"),
    "number": N_("Number"),
    "role": N_("Office"),
    "place": N_("Place"),
    "quote": N_("Quotation"),
    "name": N_("Name"),
    "spelling": N_("Spelling"),
    "link": N_("Link"),
    "unsupported": N_("No source"),
    "single_source": N_("One voice"),
    "superseded": N_("Changed since"),
    "killed": N_("Withdrawn by the wire"),
}

#: The parts of an entry, as an editor calls them.
PARTS = {
    "title": N_("Title"),
    "summary": N_("Summary"),
    "content": N_("Text"),
    "links": N_("Links"),
    "categories": N_("Topics"),
    "note": N_("Note"),
    "language": N_("Language"),
    "authors": N_("Author"),
}

#: The parts of a story of the wire.
WIRE_PARTS = {"title": N_("Title"), "summary": N_("Summary"), "body": N_("Text")}

#: Reasons shown on a card; the others are of less weight.
MOST_REASONS = 8


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of text: plain, one that a story shares, or one that a check doubts."""

    text: str
    #: "", "mark" or "slip".
    kind: str = ""


@dataclass(frozen=True, slots=True)
class PassageShown:
    """A passage with the words marked that the suggestions rest on."""

    seen: PassageSeen
    stretches: tuple[Stretch, ...]
    #: How many fifths of its bar are filled: all where it is in conflict, else one for each voice.
    part: int


@dataclass(frozen=True, slots=True)
class Card:
    """A suggestion."""

    proposed: Proposed
    title: str
    direction: str
    #: The sentence of the story that shares most with the passage, with what it shares marked.
    sentence: tuple[Stretch, ...]
    #: (words of the passage, words of the story), each pair once.
    reasons: tuple[tuple[str, str], ...]
    #: Its event, where others tell of it, too.
    company: ClusterView | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text against another one."""

    #: "same", "new" or "gone".
    kind: str
    text: str


def passage(seen: PassageSeen, proposed: Sequence[Proposed]) -> PassageShown:
    """A passage, marked for the suggestions that are shown beside it."""
    slips = [
        (each.check.start, each.check.end) for each in seen.checks if each.is_open and each.check.sources_say
    ]
    words = {brief for each in proposed for _, brief, _ in each.proposal.reasons}
    part = 5 if seen.coverage == "conflict" else min(seen.voices, 5)
    return PassageShown(seen, tuple(marked(seen.passage.text, words, slips)), part)


def card(proposed: Proposed) -> Card:
    """A suggestion with its best sentence and its reasons."""
    story = proposed.story
    pairs = list(dict.fromkeys((brief, said) for _, brief, said in proposed.proposal.reasons))
    words = {said for _, said in pairs}
    cluster = proposed.cluster
    return Card(
        proposed=proposed,
        title=story_title(story),
        direction=direction(story.language),
        sentence=tuple(marked(_best_sentence(story.summary, words), words, ())),
        reasons=tuple(pairs[:MOST_REASONS]),
        company=cluster if cluster is not None and cluster.size > 1 else None,
    )


def marked(text: str, words: set[str], slips: Sequence[tuple[int, int]]) -> Iterator[Stretch]:
    """The text in stretches; joined they are the text again. A slip goes before a mark."""
    kinds = [""] * len(text)
    for said in words:
        start = text.find(said) if said else -1
        while start >= 0:
            kinds[start : start + len(said)] = ["mark"] * len(said)
            start = text.find(said, start + len(said))
    for start, end in slips:
        kinds[max(start, 0) : end] = ["slip"] * (min(end, len(text)) - max(start, 0))
    begin = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or kinds[place] != kinds[begin]:
            yield Stretch(text[begin:place], kinds[begin])
            begin = place


def changed_lines(old: str, new: str) -> list[Line]:
    """A text against the one before it, line by line."""
    before, after = old.splitlines(), new.splitlines()
    lines: list[Line] = []
    for what, old_from, old_to, new_from, new_to in SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if what == "equal":
            lines += [Line("same", line) for line in after[new_from:new_to]]
            continue
        lines += [Line("gone", line) for line in before[old_from:old_to]]
        lines += [Line("new", line) for line in after[new_from:new_to]]
    return lines


def changes(found: Iterable[Difference]) -> list[tuple[str, tuple[Changed, ...]]]:
    """What readers will read otherwise: the name of each part, and its words."""
    return [(PARTS.get(each.part, each.part), changed(each.old, each.new)) for each in found]


def planned(written: str, now: datetime, reading: Reading) -> datetime:
    """The time that a form names, by the clock of whoever wrote it.

    Raises:
        BadInput: it is no time, or it has passed.
    """
    try:
        moment = datetime.fromisoformat(written.strip())
    except ValueError as error:
        raise BadInput(f"{written!r} is no time: write it as 2025-02-18T14:30.") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=reading.zone)
    if moment <= now:
        raise BadInput(f"{written} ({reading.zone}) has passed: name a time to come.")
    return moment.astimezone(UTC)


def _best_sentence(text: str, words: set[str]) -> str:
    """The sentence that holds most of these words; the first of those that hold as many."""
    folded = {fold(word) for word in words}
    sentences = [part.strip() for part in text.replace("\n", " ").replace(". ", ".\n").split("\n")]
    best = max(sentences, key=lambda said: sum(word in fold(said) for word in folded), default="")
    return excerpt(best, 320)
