"""When somebody should look at a source: it fell silent, fails for hours, or shows far less than it did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.model import AlarmKind, Shown, Source
from aggregator.rules.cadence import in_words
from aggregator.rules.standing import LEAST, Rhythm, is_silent, patience_with

#: A source that shows a fifth of its usual entries, or fewer, has lost four in five.
LEFT = 0.2
#: Of a feed that usually shows fewer entries, nothing is said.
FEWEST = 5


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of a source when it is looked at."""

    source: Source
    #: None where it gave no story yet.
    rhythm: Rhythm | None
    #: When the first of its failures since the last success was; None where the last fetch went well.
    failing_since: datetime | None
    #: None where it was not read more than once.
    shown: Shown | None


def alarms_of(watched: Watched, *, failing: timedelta) -> dict[AlarmKind, str]:
    """What is wrong with a source now, in words by kind; `failing` is how long it may fail.

    A source that is paused raises none: an editor has looked at it. Of one that fails only that is
    said, since it is why nothing comes.
    """
    source = watched.source
    if source.is_paused:
        return {}
    if why := _failing(watched, failing):
        return {AlarmKind.FAILING: why}
    if source.failure_kind is not None:
        return {}
    found = {AlarmKind.SILENT: _silent(watched), AlarmKind.FEWER: _fewer(watched.shown)}
    return {kind: why for kind, why in found.items() if why}


def _failing(watched: Watched, failing: timedelta) -> str:
    source, since = watched.source, watched.failing_since
    if source.gone_at is not None:
        return "Its server says that it is gone for good; it is not asked any more."
    # Up to the last fetch: nobody knows what it did while we were away.
    if source.failure_kind is None or since is None or source.last_fetch is None:
        return ""
    lasts = source.last_fetch - since
    return f"It has failed for {in_words(lasts)}: {source.why}" if lasts >= failing else ""


def _silent(watched: Watched) -> str:
    source, rhythm = watched.source, watched.rhythm
    asked = source.last_success
    if rhythm is None or asked is None or not is_silent(rhythm, source):
        return ""
    patience = patience_with(rhythm, source.kind)
    assert patience is not None  # noqa: S101 - else nobody could say that it is silent
    quiet = in_words(asked - rhythm.newest)
    return f"It answers, but gave no story for {quiet}; it hardly ever lets {in_words(patience)} pass."


def _fewer(shown: Shown | None) -> str:
    if shown is None or shown.readings <= LEAST or shown.usual < FEWEST:
        return ""
    if shown.now > shown.usual * LEFT:
        return ""
    return f"It shows {shown.now} entries; usually it shows {shown.usual:.0f}."
