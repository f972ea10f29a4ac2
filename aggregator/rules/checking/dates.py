"""Years and days: when the sources say that the same thing happened, and weekdays that are wrong.

An event of the past is known by its word (invasion, annexation) beside a place or a person of the
brief; an event of these days only by a whole sentence that tells the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

from babel.dates import format_date

from aggregator.language.dates import read_dates
from aggregator.language.intervals import Dated
from aggregator.language.places import CITY
from aggregator.language.reading import Anchor
from aggregator.rules.checking.evidence import SAYING_LITTLE, Claim, Telling, Wire, lands
from aggregator.rules.checking.values import Brief, Check, Paragraph, Stretch
from aggregator.rules.checking.votes import Votes, doubted

#: What happened longer before the brief than this is background; nearer, it is the news itself.
BACKGROUND = timedelta(days=60)
#: Characters between an event and its date.
FAR = 90
#: Characters around an event's word within which another place makes it another event.
BESIDE = 30
#: What a sentence must hold of the brief's to tell of the same day's event.
SAME_NEWS = 0.55
#: What it must hold for its day to support the brief's.
LIKE_NEWS = 0.3
#: Signs between a weekday and its date: "am Donnerstag, dem 13. Februar".
NEAR_SIGNS = 8
#: Events by other names.
FAMILIES = (
    frozenset({"invasion", "aggression", "full_scale", "war"}),
    frozenset({"annex", "occup", "capture", "seize"}),
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A date that a sentence of the brief gives."""

    claim: Claim
    dated: Dated

    @property
    def span(self) -> Stretch:
        """In the passage."""
        return self.dated.start, self.dated.end


def check_dates(brief: Brief, claims: Sequence[Claim], wire: Wire) -> Iterator[Check]:
    """Weekdays that are not their date's, and dates that at least two agencies give otherwise."""
    by_passage = {p.id: read_dates(p.text, brief.language, dateline=brief.dated) for p in brief.passages}
    for passage in brief.passages:
        yield from _weekdays(passage, by_passage[passage.id], brief.language)
    for claim in claims:
        for dated in by_passage[claim.passage.id]:
            if claim.start <= dated.start < claim.end and brief.dated is not None:
                slot = Slot(claim, dated)
                is_background = dated.last < brief.dated - BACKGROUND
                yield from (_background if is_background else _news)(slot, wire)


def _weekdays(passage: Paragraph, dates: Sequence[Dated], language: str) -> Iterator[Check]:
    for dated in dates:
        if dated.weekday is not None and dated.first.weekday() != dated.weekday:
            yield _weekday(passage, (dated.start, dated.end), dated.first, language)
    for one, other in pairwise(dates):
        if one.unit == other.unit == "day" and other.start - one.end <= NEAR_SIGNS:
            spoken = [any(map(str.isdigit, passage.text[each.start : each.end])) for each in (one, other)]
            if spoken[0] != spoken[1] and one.first.weekday() != other.first.weekday():
                day = one if spoken[0] else other
                yield _weekday(passage, (one.start, other.end), day.first, language)


def _weekday(passage: Paragraph, span: Stretch, day: date, language: str) -> Check:
    words = passage.text[span[0] : span[1]]
    says = format_date(day, "EEEE", locale=language)
    message = f"“{words}” does not fit the calendar: {day:%-d %B %Y} is a {day:%A}."
    return Check("weekday", passage.id, words, *span, says, (), (), message)


def _background(slot: Slot, wire: Wire) -> Iterator[Check]:
    """The year of an event long past, by its word and somebody or somewhere in the same sentence."""
    heads = _heads(slot, wire)
    votes: Votes[str] = Votes()
    for head in _with_family(heads):
        for telling, event in wire.where("concept", head):
            told = _date_of(telling, event)
            if told is None or not _is_same_event(slot.claim, telling, event, wire):
                continue
            if told.last >= (telling.published or date.max) - BACKGROUND:
                continue
            value = _value(told, slot.dated)
            votes.add(value, telling, (told.start, told.end))
    yield from _against(slot, votes)


def _against(slot: Slot, votes: Votes[str]) -> Iterator[Check]:
    verdict = votes.verdict()
    own = _OWN in votes
    if verdict is None or own:
        return
    is_year = verdict.value[:4] != f"{slot.dated.first.year}"
    kind = "year" if is_year else "date"
    words = slot.claim.passage.text[slot.dated.start : slot.dated.end]
    message = f"“{words}”: {verdict.told_by} date this {verdict.value}, and none as the brief does."
    says = verdict.value[:4] if is_year else verdict.words(slot.claim.language)
    yield doubted(kind, slot.claim.passage, slot.span, says, verdict, message)


#: A source that gives the brief's own date, or one that does not exclude it.
_OWN = "as the brief"


def _value(told: Dated, brief: Dated) -> str:
    """What a source says, as exactly as the brief does."""
    if told.first <= brief.last and brief.first <= told.last:
        return _OWN
    if told.first.year != brief.first.year or brief.unit == "year" or told.unit == "year":
        return f"{told.first.year}"
    if brief.unit == "month" or told.unit == "month":
        return f"{told.first:%Y-%m}"
    return f"{told.first}"


def _heads(slot: Slot, wire: Wire) -> list[str]:
    """The one or two words nearest to a date that name an event."""
    near = sorted(
        (distance, anchor.key)
        for anchor in slot.claim.anchors("concept")
        if (distance := _gap((anchor.start, anchor.end), slot.span)) <= FAR
        and anchor.key not in SAYING_LITTLE
        and wire.is_rare("concept", anchor.key)
    )
    return list(dict.fromkeys(key for _, key in near))[:2]


def _with_family(heads: Sequence[str]) -> list[str]:
    relatives = [key for family in FAMILIES for key in sorted(family) if not family.isdisjoint(heads)]
    return list(dict.fromkeys([*heads, *relatives]))


def _gap(one: Stretch, other: Stretch) -> int:
    return max(0, max(one[0], other[0]) - min(one[1], other[1]))


@lru_cache(maxsize=1 << 12)
def _interval(key: str) -> tuple[date, date] | None:
    unit, _, value = key.partition(":")
    if unit == "year":
        return date(int(value), 1, 1), date(int(value), 12, 31)
    if unit == "month":
        year, month = map(int, value.split("-"))
        return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    first = date.fromisoformat(value)
    return first, first + timedelta(days=6 if unit == "week" else 0)


def _dated(anchor: Anchor) -> Dated | None:
    interval = _interval(anchor.key)
    return None if interval is None else Dated(anchor.key, anchor.start, anchor.end, *interval)


def _date_of(telling: Telling, event: Anchor) -> Dated | None:
    """The date nearest to an event in its sentence."""
    span = (event.start, event.end)
    dates = telling.within(telling.sentence(event.start), "date")
    near = sorted((gap, a.start, a) for a in dates if (gap := _gap((a.start, a.end), span)) <= FAR)
    return _dated(near[0][2]) if near else None


def _is_same_event(claim: Claim, telling: Telling, event: Anchor, wire: Wire) -> bool:
    """Whether somebody or somewhere of the brief's sentence is there, and no other place at the word."""
    own = {key for a in claim.anchors("place") for key in lands(a.key)}
    sentence = telling.sentence(event.start)
    places = telling.within(sentence, "place")
    shared = {a.start for a in places if a.key in own}
    beside = {a.start for a in places if _gap((a.start, a.end), (event.start, event.end)) <= BESIDE}
    foreign = beside - shared
    # The invasion of Crimea is another than the invasion of Ukraine; who invaded may go unsaid.
    if foreign and (
        not beside & shared or any(a.start in foreign and a.key.startswith(CITY) for a in places)
    ):
        return False
    if shared:
        return True
    return any(
        telling is other and sentence[0] <= place.start < sentence[1]
        for mention in claim.mentions
        for other, place in wire.of_person(mention, claim.language)
    )


def _news(slot: Slot, wire: Wire) -> Iterator[Check]:
    """The day of something in the news, by sentences that tell the same."""
    if slot.dated.unit != "day":
        return
    others = {a.key for a in slot.claim.anchors("date") if a.start != slot.dated.start}
    votes: Votes[str] = Votes()
    for aligned in sorted(wire.aligned(slot.claim), key=lambda a: (-a.cover, a.telling.number)):
        if aligned.cover < LIKE_NEWS or not aligned.entities:
            break
        told = _closest(
            slot, [a for a in aligned.telling.within(aligned.stretch, "date") if a.key not in others]
        )
        if told is None:
            continue
        value = _value(told, slot.dated)
        if value == _OWN or (aligned.cover >= SAME_NEWS and aligned.subjects >= 2):
            votes.add(value, aligned.telling, (told.start, told.end))
    yield from _against(slot, votes)


def _closest(slot: Slot, anchors: Sequence[Anchor]) -> Dated | None:
    """Of several days that a sentence names, the one nearest in time: a slip is near the truth."""
    days = [told for a in anchors if (told := _dated(a)) is not None and told.unit == "day"]
    return min(days, key=lambda told: (abs(told.first - slot.dated.first), told.start), default=None)
