"""Which wire stories stand behind each passage of a brief, in any language, and why.

A passage is a set of anchors. A story scores by the share of the passage's weight that it covers:
one word of the brief counts once, by its best kind; rare anchors weigh more. Title and lead lend
context, the day of the brief a time. Two kinds of anchor from two words of the brief must agree.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise

from aggregator.language.reading import Anchor
from aggregator.rules.link_index import Kinds, Linker, Wanted, Why, group_of
from aggregator.rules.link_values import Candidate, Encoder, Linked, Passage, Query, Reason, Suggestion

#: Stories that are looked at closely for a passage, the best by score.
LOOKED_AT = 400

#: Reasons that are shown for one suggestion.
MOST_REASONS = 8

#: How well a story covers a passage, and its number.
Scored = tuple[float, int]

#: A brief of news looks this far back for its stories, and a little ahead.
DAYS_BEFORE, DAYS_AFTER = 8, 1


def link(query: Query, linker: Linker, *, encoder: Encoder | None = None) -> Linked:
    """Suggestions for every passage, and the ranking of all stories for the whole brief."""
    weights = linker.weights
    likeness = _likeness(query, linker, encoder)
    lead = Passage("lead", *_joined(query.passages[:3]))
    everything = Passage("all", *_joined(query.passages))
    context = linker.coverage(linker.wanted(lead)) if query.passages else {}
    whole = linker.coverage(linker.wanted(everything)) if query.passages else {}
    best: dict[int, float] = defaultdict(float)
    found = {}
    for passage in query.passages:
        wanted = linker.wanted(passage)
        scored = _scored(passage, wanted, query, linker, context, likeness.get(passage.id, {}))
        for score, number in scored:
            best[number] = max(best[number], score)
        found[passage.id] = tuple(
            _suggestion(linker.stories[number], passage, score, linker.why(wanted, number), copies)
            for (score, number), copies in _collapsed(scored, linker, weights.most)
        )
    overall = {
        number: best[number]
        + weights.whole
        * (
            2 * whole.get(number, 0.0) * time_prior(linker.stories[number], query.dated, ())
            + context.get(number, 0.0)
        )
        for number in {*best, *whole}
    }
    order = sorted(overall, key=lambda n: (-overall[n], _when(linker.stories[n]), linker.stories[n].url))
    return Linked(found, tuple((linker.stories[n].url, round(overall[n], 4)) for n in order))


def _scored(
    passage: Passage,
    wanted: Sequence[Wanted],
    query: Query,
    linker: Linker,
    context: Mapping[int, float],
    likeness: Mapping[int, float],
) -> list[Scored]:
    weights = linker.weights
    scores = linker.coverage(wanted)
    letters = linker.alike(passage.text)
    clauses = [linker.coverage(part) for part in _clauses(passage.text, wanted)]
    dates = [a for a in passage.anchors if a.kind == "date"]
    for number in scores:
        score = scores[number] + weights.grams * letters.get(number, 0.0)
        score += weights.context * context.get(number, 0.0) + weights.encoder * likeness.get(number, 0.0)
        score += weights.clause * max((clause.get(number, 0.0) for clause in clauses), default=0.0)
        scores[number] = score * time_prior(linker.stories[number], query.dated, dates)
    best = sorted(scores, key=lambda n: (-scores[n], _when(linker.stories[n]), linker.stories[n].url))[
        :LOOKED_AT
    ]
    kinds = linker.kinds(wanted, best)
    return [(scores[number], number) for number in best if _agree(kinds[number])]


def _likeness(query: Query, linker: Linker, encoder: Encoder | None) -> dict[str, dict[int, float]]:
    """By passage, how alike an encoder finds each story; nothing where none is plugged in."""
    if encoder is None or not linker.stories:
        return {}
    texts = [story.text for story in linker.stories]
    vectors = [_unit(vector) for vector in encoder.encode(texts)]
    asked = [_unit(vector) for vector in encoder.encode([passage.text for passage in query.passages])]
    return {
        passage.id: {
            n: max(0.0, sum(a * b for a, b in zip(wanted, vector, strict=True)))
            for n, vector in enumerate(vectors)
        }
        for passage, wanted in zip(query.passages, asked, strict=True)
    }


def _unit(vector: Sequence[float]) -> list[float]:
    values = [float(value) for value in vector]
    length = math.hypot(*values) or 1.0
    return [value / length for value in values]


def _agree(kinds: Kinds) -> bool:
    """Two kinds of anchor, from two different words of the brief."""
    return len({kind for kind, _ in kinds}) > 1 and len({start for _, start in kinds}) > 1


def time_prior(story: Candidate, dated: date | None, dates: Iterable[Anchor]) -> float:
    """How likely a story of that day stands behind a brief of this one; a day named draws its own."""
    if dated is None or story.published is None:
        return 1.0
    away = (story.published - dated).days
    if -DAYS_BEFORE <= away <= DAYS_AFTER:
        base = 1.0
    elif away > DAYS_AFTER:
        base = math.exp(-(((away - DAYS_AFTER) / 6) ** 2))
    else:
        base = math.exp(-(((-away - DAYS_BEFORE) / 10) ** 2))
    return max(0.3, base) * (1 + 0.25 * max((_affinity(story.published, a.key) for a in dates), default=0.0))


def _affinity(published: date, key: str) -> float:
    """Whether a story came out on the day that a passage names, or within its week."""
    unit, _, value = key.partition(":")
    if unit == "day":
        away = (published - date.fromisoformat(value)).days
        return 1.0 if away == 0 else 0.7 if abs(away) == 1 else 0.0
    if unit == "week":
        return 1.0 if 0 <= (published - date.fromisoformat(value)).days <= 7 else 0.0
    return 0.0


_CLAUSE = re.compile(r"(?<=[^\W\d_]{2})[.!?…]+[\s»\"”]+|[;:]\s|\s[–—]\s")


def _clauses(text: str, wanted: Sequence[Wanted]) -> list[list[Wanted]]:
    """What each sentence of a passage asks for; nothing where there is only one."""
    cuts = [0, *(match.end() for match in _CLAUSE.finditer(text)), len(text)]
    parts = [[w for w in wanted if start <= w.start < end and w.hits] for start, end in pairwise(cuts)]
    parts = [part for part in parts if len({w.start for w in part if w.kind != "term"}) > 2]
    return parts if len(parts) > 1 else []


def _collapsed(scored: Sequence[Scored], linker: Linker, most: int) -> list[tuple[Scored, list[str]]]:
    """The best `most`, each with the addresses of its copies, so that ten show ten different texts."""
    chosen: list[tuple[Scored, list[str]]] = []
    by_group: dict[str, list[str]] = {}
    for row in scored:
        story = linker.stories[row[1]]
        if story.copy_group and story.copy_group in by_group:
            by_group[story.copy_group].append(story.url)
        elif len(chosen) < most:
            chosen.append((row, by_group.setdefault(story.copy_group or story.url, [])))
    return chosen


def _suggestion(
    story: Candidate, passage: Passage, score: float, covered: Sequence[Why], copies: Sequence[str]
) -> Suggestion:
    """With a reason for each word of the passage, best first, of two kinds at least."""
    why = sorted(covered, key=lambda each: (-each[0], each[1].start, each[1].kind))
    chosen = {wanted.start: (wanted, span) for _, wanted, span in reversed(why)}
    shown = sorted(chosen.values(), key=lambda pair: [w is pair[0] for _, w, _ in why].index(True))[
        :MOST_REASONS
    ]
    if len({group_of(wanted.kind) for wanted, _ in shown}) == 1:
        # Both kinds stand on one word, which shows its better one: the other is said as well.
        kind = group_of(shown[0][0].kind)
        shown.append(next((wanted, span) for _, wanted, span in why if group_of(wanted.kind) != kind))
    text = story.text
    reasons = (
        Reason(wanted.kind, passage.text[wanted.start : wanted.end], text[start:end])
        for wanted, (start, end) in shown
    )
    return Suggestion(story, round(score, 4), tuple(reasons), tuple(copies))


def _joined(passages: Sequence[Passage]) -> tuple[str, tuple[Anchor, ...]]:
    """Several passages as one text, with their anchors moved to their new places."""
    text, anchors = "", []
    for passage in passages:
        offset = len(text)
        text += passage.text + "\n"
        for a in passage.anchors:
            head = None if a.head is None else a.head + offset
            anchors.append(Anchor(a.kind, a.key, a.start + offset, a.end + offset, a.weight, head))
    return text, tuple(anchors)


def _when(story: Candidate) -> date:
    return story.published or date.max
