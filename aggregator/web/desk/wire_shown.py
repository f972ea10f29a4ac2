"""What the pages of the wire show, worked out beforehand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

from aggregator.flows.desk_event import Change, EventSeen, TextSeen
from aggregator.flows.desk_wire import Event
from aggregator.language.query import Query, find
from aggregator.language.text import Span, Word, spans
from aggregator.rules.wire_views import View
from aggregator.store.wire_rows import Line
from aggregator.web.desk.shown import Stretch
from aggregator.web.locales import N_
from aggregator.web.shown import direction, excerpt

#: Outlets and briefs that a row names; of the others it says how many.
OUTLETS, BRIEFS = 8, 4
#: Characters of a headline and of a summary in a row.
HEADLINE, SUMMARY = 400, 240
#: Characters of an address that stand behind every row; beyond, a row leads back to the whole wire.
LONGEST_QUERY = 150

#: How far back, and what became of an event, as a person picks them.
SPANS = {"": N_("Any time"), "1d": N_("Last day"), "7d": N_("Last week"), "30d": N_("Last month")}
STATES = {
    "": N_("All but spiked"),
    "open": N_("To look at"),
    "taken": N_("Taken"),
    "spiked": N_("Spiked"),
    "used": N_("Used in a brief"),
}
PARTS = {"title": N_("Headline"), "summary": N_("Summary"), "body": N_("Text")}


@dataclass(frozen=True, slots=True)
class Row:
    """An event in one row."""

    event: Event
    title: tuple[Stretch, ...]
    summary: tuple[Stretch, ...]
    direction: str
    #: Other outlets than that of the story shown, and how many more there are.
    outlets: tuple[str, ...]
    more_outlets: int
    topics: tuple[str, ...]
    #: (slug, title) of briefs, and how many more there are.
    briefs: tuple[tuple[str, str], ...]
    more_briefs: int
    #: What was searched for stands neither in the headline nor in what is shown of the summary.
    is_in_text: bool


@dataclass(frozen=True, slots=True)
class TextShown:
    """A text of an event."""

    seen: TextSeen
    title: tuple[Stretch, ...]
    summary: str
    direction: str
    #: Each version, newest first, with the parts that it changed by what they are called.
    changes: tuple[tuple[Change, tuple[tuple[str, Sequence[object]], ...]], ...]


def row(event: Event, query: Query | None, topics: Mapping[str, str]) -> Row:
    """An event with what was searched for marked in it."""
    line = event.line
    title, summary = marked(line_title(line), query), marked(about(line.summary, query), query)
    outlets = [name for name in event.company.outlets if name != line.source_name]
    briefs = list(event.used_in.items())
    return Row(
        event=event,
        title=title,
        summary=summary if line.title else (),
        direction=direction(line.language),
        outlets=tuple(outlets[:OUTLETS]),
        more_outlets=len(outlets[OUTLETS:]),
        topics=tuple(topics[slug] for slug in line.topics if slug in topics),
        briefs=tuple(briefs[:BRIEFS]),
        more_briefs=len(briefs[BRIEFS:]),
        is_in_text=query is not None and not any(each.kind for each in (*title, *summary)),
    )


def text(seen: TextSeen, query: Query | None) -> TextShown:
    """A text of an event with what its versions changed."""
    line = seen.line
    return TextShown(
        seen=seen,
        title=marked(line_title(line), query),
        summary=excerpt(line.summary, SUMMARY) if line.title else "",
        direction=direction(line.language),
        changes=tuple(
            (change, tuple((PARTS[part], said) for part, said in change.parts.items()))
            for change in seen.changes
        ),
    )


def line_title(line: Line) -> str:
    """What a story is called in a row; its text or its address where its feed gave no title."""
    return excerpt(line.title, HEADLINE) or excerpt(line.summary) or line.url or line.entry_id


def marked(said: str, query: Query | None) -> tuple[Stretch, ...]:
    """A text in stretches, with the words marked that a search finds; joined they are the text again.

    Words are compared as the index compares them, so Élysée is marked for elysee, and Київ for КИЇВ.
    """
    found: list[Stretch] = []
    done = 0
    for span in _hits(query, said) if query else ():
        found += [Stretch(said[done : span.start]), Stretch(said[span.start : span.end], "mark")]
        done = span.end
    return tuple(each for each in (*found, Stretch(said[done:])) if each.text)


def about(summary: str, query: Query | None) -> str:
    """The beginning of a summary, or the place in it that a search finds."""
    line = " ".join(summary.split())
    beginning = excerpt(line, SUMMARY)
    if query is None or beginning == line or _hits(query, beginning):
        return beginning
    hits = _hits(query, line)
    if not hits:
        return beginning
    start = max(hits[0].start - SUMMARY // 3, 0)
    # From the beginning of a word on, where the script writes words apart.
    start = line.find(" ", start, hits[0].start) + 1 or start
    return f"…{excerpt(line[start:], SUMMARY)}"


@lru_cache(maxsize=1_000)
def _words(said: str) -> tuple[Word, ...]:
    """The words of a text. Looked for twice over for a page, and again for the next one."""
    return tuple(spans(said))


def _hits(query: Query, said: str) -> list[Span]:
    return find(query, _words(said))


def languages(known: Collection[str], rows: Collection[Event], asked: str) -> list[str]:
    """The languages that the wire can be narrowed to: those of sources, and those in sight."""
    shown = {code for event in rows for code in event.company.languages}
    return sorted({*known, *shown, asked} - {""})


def carried(view: View) -> str:
    """What of an address stands behind every row, so that it leads back to the same view."""
    return view.query if len(view.query) <= LONGEST_QUERY else ""


def chosen(view: View) -> dict[str, str]:
    """The fields of a view, for the form that asks for it."""
    return {field.name: getattr(view, field.name) for field in fields(View)}


def title_of(seen: EventSeen) -> str:
    """What an event is called: its newest story."""
    return line_title(seen.newest)
