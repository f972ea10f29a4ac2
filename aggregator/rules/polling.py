"""When a source is asked again after an answer: its headers, its rhythm, and what two polls share.

Of what a feed shows, some was known the last time. Where much of it was, we come too often; where
nothing was, stories have come and gone between two polls, and we come twice as often. That holds
whatever dates a feed gives, so it is what the interval follows; the dates only say how long it may grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.model import SourceDue
from aggregator.rules.cadence import Cadence, in_words

#: The interval after nothing new, after little new, and after much.
NOTHING_NEW, LITTLE_NEW, MUCH_NEW, GAP = 1.25, 1.1, 0.75, 0.5
#: The share of known entries from which little is new, and below which much is.
LITTLE, MUCH = 2 / 3, 1 / 3
#: So long after a gap the headers cannot make us come more seldom: they did, and stories were lost.
AFTER_A_GAP = timedelta(days=1)
#: The rhythm of a source is that of so many of its newest entries, and with fewer than the second nothing is said.
SAMPLE, LEAST = 20, 5
#: Validators are not dropped for a pause that is shorter than this.
LEAST_QUIET = timedelta(hours=1)
#: A server that names no time and answers 429 or 503 is left alone for twice as long each time.
_TWICE = 2


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a source waits, and why."""

    #: Before the headers have their say.
    interval: timedelta
    #: How much of a lifetime in the headers is heeded.
    lifetime: timedelta | None
    #: In words.
    why: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What an answer showed."""

    #: Entries not seen before, and those that were.
    new: int = 0
    known: int = 0
    #: It was asked for only what is new (226), so that nothing known is no sign of anything.
    is_delta: bool = False


def is_gap(source: SourceDue, shown: Shown) -> bool:
    """Whether stories may have come and gone between two polls: nothing is known of a source that gave some."""
    return shown.new > 0 and shown.known == 0 and source.paced.newest_at is not None and not shown.is_delta


def pace(
    cadence: Cadence, source: SourceDue, shown: Shown, lifetime: timedelta | None, now: datetime
) -> Pace:
    """How long to wait after an answer."""
    kind = f"a {source.kind.value} source"
    if source.paced.is_pushed:
        # Still asked, since a hub may fall silent; what it did not send costs it our trust.
        return Pace(cadence.ceiling, None, "its hub sends what is new")
    gap = is_gap(source, shown)
    before = source.paced.interval or cadence.floor
    most = _most(cadence, source, now)
    interval = min(max(before * _factor(shown, gap=gap), cadence.floor), cadence.ceiling if gap else most)
    if gap:
        said = f"none of {shown.new} entries was known, so stories may be missing; asked twice as often"
        return Pace(interval, None, said)
    lost_lately = source.paced.gap_at is not None and now - source.paced.gap_at < AFTER_A_GAP
    if lifetime is not None and lifetime > interval:
        said = in_words(lifetime)
        if lost_lately:
            return Pace(interval, None, f"its headers say {said}, but stories came and went meanwhile")
        if lifetime > cadence.ceiling:
            least = in_words(cadence.ceiling)
            return Pace(interval, lifetime, f"its headers say {said}, {kind} is asked after {least}")
        return Pace(interval, lifetime, f"its headers say {said}")
    return Pace(interval, None if lost_lately else lifetime, _reason(cadence, source, interval, before, most))


def asked_to_wait(cadence: Cadence, source: SourceDue) -> timedelta:
    """How long a server is left alone that asks us to wait and names no time: twice as long each time."""
    return min((source.paced.interval or cadence.floor) * _TWICE, cadence.patience)


def usual_pause(times: Sequence[datetime], now: datetime) -> timedelta | None:
    """The usual pause between the newest entries of a feed; None where too few have a time."""
    newest = sorted((moment for moment in times if moment <= now), reverse=True)[:SAMPLE]
    return (newest[0] - newest[-1]) / (len(newest) - 1) if len(newest) >= LEAST else None


def why_whole(source: SourceDue, now: datetime, *, after: timedelta) -> str | None:
    """Why to ask for the whole document, whatever validators we have; None where a 304 will do.

    Some servers answer 304 for ever. So the validators are dropped `after` a time, and once a source is
    quiet for longer than it ever is.
    """
    if source.etag is None and source.last_modified is None:
        return None
    if source.paced.whole_at is None or now - source.paced.whole_at >= after:
        return f"asked for the whole after {in_words(after)}"
    if source.paced.quiet is None:
        return None
    quiet = max(source.paced.quiet, LEAST_QUIET)
    since = max(source.paced.newest_at or source.paced.whole_at, source.paced.whole_at)
    if now - since <= quiet:
        return None
    return f"asked for the whole, since it is seldom quiet for {in_words(quiet)}"


def is_permanent(hops: Sequence[tuple[str, int, str]]) -> bool:
    """Whether these redirects all say that the feed has moved for good (RFC 9110 section 15.4)."""
    return bool(hops) and all(status in (301, 308) for _, status, _ in hops)


def is_to_https(url: str, target: str) -> bool:
    """Whether a redirect only takes http to https: the same host and path."""
    return url.startswith("http://") and target == f"https://{url.removeprefix('http://')}"


def _factor(shown: Shown, *, gap: bool) -> float:
    if shown.new == 0:
        return NOTHING_NEW
    if gap:
        return GAP
    share = shown.known / (shown.new + shown.known)
    # A first fetch and a 226 know nothing to compare with.
    if share == 0 or MUCH <= share < LITTLE:
        return 1.0
    return LITTLE_NEW if share >= LITTLE else MUCH_NEW


def _most(cadence: Cadence, source: SourceDue, now: datetime) -> timedelta:
    """The longest interval by a source's rhythm: half its usual pause, and longer once it is quiet."""
    if source.paced.usual is None:
        return cadence.ceiling
    quiet = now - source.paced.newest_at if source.paced.newest_at else timedelta()
    return min(max(source.paced.usual / 2, quiet / 20, cadence.floor), cadence.ceiling)


def _reason(
    cadence: Cadence, source: SourceDue, interval: timedelta, before: timedelta, most: timedelta
) -> str:
    kind = f"a {source.kind.value} source"
    if interval == cadence.ceiling:
        return f"{kind} is asked no later"
    if interval == most and source.paced.usual is not None and most > cadence.floor:
        return f"it has something about every {in_words(source.paced.usual)}"
    if interval == cadence.floor:
        return f"{kind} is asked no sooner"
    if interval > before:
        return "little of it was new"
    return "much of it was new" if interval < before else "as often as before"
