"""`doctor`: looks at everything that can be wrong, and says what it is, why it matters and what mends it."""

from __future__ import annotations

import asyncio
import shutil
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from aggregator.errors import AggregatorError
from aggregator.flows.alarms import in_words
from aggregator.flows.upkeep import KeepSettings
from aggregator.model import Clock
from aggregator.store import (
    accounts,
    alarms,
    backups,
    briefs,
    diagnoses,
    pauses,
    schema,
    sources,
    stories,
)
from aggregator.store.database import Database, sqlite_path
from aggregator.store.diagnoses import Amiss
from aggregator.store.health import integrity
from feeds.urls import host_of

#: An outage of our own that ended is told of for so long.
OUTAGES = timedelta(days=1)

#: A clock that differs by less is nobody's business.
DRIFT = timedelta(minutes=5)

#: A source that is not asked for longer than this was put off by a clock, and not by its feed.
FAR_OFF = timedelta(days=3)

#: A job waits no longer than this where there are workers.
IDLE = timedelta(minutes=10)

#: Bytes that should be left on a disk: room for a poll and for what is written ahead.
ROOM = 500_000_000

#: Others may neither read a database nor write it: secrets of subscribers and partners stand in it.
OPEN_TO_OTHERS = stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP

MEND = "`wirebrief doctor --mend`"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `doctor` looked at."""

    #: What was looked at.
    name: str
    is_well: bool
    #: What was found, why it matters, and what to do where it is not well.
    says: str


@dataclass(frozen=True, slots=True)
class Visit:
    """What a look may know besides the rows."""

    database: Database
    now: datetime
    settings: KeepSettings


_Look = Callable[[Session, Visit], Finding]


async def examine(database: Database, clock: Clock, settings: KeepSettings) -> list[Finding]:
    """Look at everything that can be wrong, and say what to do about it. Nothing is changed."""
    visit = Visit(database, clock(), settings)
    # At once: looking through every page takes as long as all the others.
    return await asyncio.gather(*(_finding(visit, name, look) for name, look in _LOOKS.items()))


async def _finding(visit: Visit, name: str, look: _Look) -> Finding:
    try:
        return await visit.database.read(partial(_look_once, look=look, visit=visit))
    except AggregatorError as error:
        return Finding(name, False, str(error))


def _look_once(session: Session, *, look: _Look, visit: Visit) -> Finding:
    return look(session, visit)


# The database


def _schema(session: Session, visit: Visit) -> Finding:
    have = schema.revision(session)
    if have is None:
        return Finding("schema", False, "there are no tables: `wirebrief init` makes them.")
    if schema.is_being_filled(session):
        return Finding(
            "schema", False, "`wirebrief migrate` has not come to its end: run it again with the same words."
        )
    if have != schema.head():
        return Finding("schema", False, f"schema {have} instead of {schema.head()}: run `wirebrief init`.")
    differences = schema.drift(session)
    if guards := diagnoses.missing_guards(session):
        differences.append(f"nothing keeps the audit from being changed ({', '.join(guards)} missing)")
    if differences:
        return Finding(
            "schema",
            False,
            f"the tables were changed by hand: {'; '.join(differences)}. The next update may fail on that: put them "
            "back as they were, or restore a backup.",
        )
    return Finding("schema", True, f"schema {have}")


def _integrity(session: Session, visit: Visit) -> Finding:
    faults = integrity(session)
    if faults:
        return Finding(
            "integrity",
            False,
            f"{'; '.join(faults[:10])}. What is damaged spreads when it is written to: end every process of wirebrief, "
            "move the database away, and put the last backup in its place (`wirebrief restore FILE`).",
        )
    return Finding("integrity", True, "every table and index is whole")


def _stories(session: Session, visit: Visit) -> Finding:
    odd = diagnoses.stories_at_odds(session)
    if odd.count:
        return Finding(
            "stories",
            False,
            f"{odd.count} stories do not say what their newest version says ({_named(odd)}), so that they are shown "
            f"as they were, or not at all: {MEND}",
        )
    if taken := diagnoses.numbers_taken(session):
        return Finding(
            "stories",
            False,
            f"the next row of {', '.join(taken)} would get a number that is taken, and be refused: {MEND}",
        )
    return Finding("stories", True, f"{stories.count(session)} stories, each with its newest version")


def _search(session: Session, visit: Visit) -> Finding:
    behind = stories.newest_version(session) - stories.indexed_upto(session)
    if behind > 0:
        return Finding(
            "search", False, f"up to {behind} versions are not searchable yet; `wirebrief poll` adds them."
        )
    missing, vain = diagnoses.unindexed(session), diagnoses.indexed_in_vain(session)
    if missing or vain:
        return Finding(
            "search",
            False,
            f"{missing} stories are not in the search index and {vain} are in it that are gone: topics and briefs miss "
            f"them. {MEND} makes it anew.",
        )
    if not diagnoses.is_indexed_anew(session):
        return Finding(
            "search", False, f"the index was made by an older program, and is slower: {MEND} makes it anew."
        )
    return Finding("search", True, f"{stories.count(session)} stories are searchable")


def _cursors(session: Session, visit: Visit) -> Finding:
    if ahead := diagnoses.cursors_ahead(session):
        return Finding(
            "cursors",
            False,
            f"{', '.join(ahead[:10])}: said to have read more than there ever was, so that what comes next is passed "
            f"over. {MEND} lets them go on from what is there.",
        )
    return Finding("cursors", True, "nobody has read further than what there is")


def _documents(session: Session, visit: Visit) -> Finding:
    broken = diagnoses.documents_at_odds(session)
    if broken:
        names = ", ".join(f"{channel}.{format}" for channel, format in broken[:10])
        return Finding(
            "documents",
            False,
            f"{names}: readers get something else compressed than plain. {MEND} renders them anew.",
        )
    if pages := diagnoses.pages_at_odds(session):
        names = ", ".join(f"{channel}/archive/{name}" for channel, name in pages[:10])
        return Finding(
            "documents",
            False,
            f"{names}: an archive page, which never changes, is damaged. Put it back from a backup.",
        )
    return Finding("documents", True, "every document is the same in each of its codings")


def _picks(session: Session, visit: Visit) -> Finding:
    lost = diagnoses.picks_in_vain(session)
    if lost.count:
        return Finding(
            "picks",
            False,
            f"{lost.count} picked or published stories are gone or lack that version ({_named(lost)}), so that a brief "
            "names sources nobody can look up: put them back from a backup.",
        )
    shown = diagnoses.shown_in_vain(session)
    if shown.count:
        return Finding(
            "picks",
            False,
            f"{shown.count} entries of channels stand for what is gone ({_named(shown)}): put it back from a backup, "
            "or readers keep what nobody can correct.",
        )
    return Finding("picks", True, "every pick and every published entry leads to its story")


# Time, and who waits


def _time(session: Session, visit: Visit) -> Finding:
    newest = diagnoses.newest_fetch(session)
    if newest is not None and newest > visit.now + DRIFT:
        return Finding(
            "clock",
            False,
            f"the last fetch was at {newest:%Y-%m-%d %H:%M} UTC, and now it is {visit.now:%Y-%m-%d %H:%M}: the clock "
            "was set back, so sources wait and times of publication stand still until it has caught up. Set the clock "
            f"of this machine right (timedatectl); if it is right now, {MEND} lets every source be asked.",
        )
    off = diagnoses.put_off(session, visit.now + FAR_OFF)
    if off.count:
        return Finding(
            "clock",
            False,
            f"{off.count} sources are not asked for days to come ({_named(off)}), as after a clock that was wrong: "
            f"{MEND} lets them be asked now.",
        )
    return Finding("clock", True, "the clock goes on from the last fetch")


def _queue(session: Session, visit: Visit) -> Finding:
    waiting = diagnoses.waiting_jobs(session, visit.now - IDLE)
    if waiting is None:
        return Finding("queue", True, "no queue is used")
    if waiting.count and waiting.since is not None:
        why = (
            f"{waiting.workers} workers are there: see what they log, or start more."
            if waiting.workers
            else "no worker is there: start `wirebrief worker`."
        )
        return Finding(
            "queue",
            False,
            f"{waiting.count} jobs wait, the oldest since {waiting.since:%Y-%m-%d %H:%M} UTC; {why}",
        )
    return Finding("queue", True, f"no job waits for long; {waiting.workers} workers")


def _sources(session: Session, visit: Visit) -> Finding:
    quiet = sources.silent(session, visit.now - visit.settings.silence)
    followed = len(sources.all_sources(session))
    if quiet:
        names = "; ".join(f"{source.title or source.url} ({source.why})" for source in quiet[:10])
        return Finding("sources", False, f"{len(quiet)} of {followed} sources are silent: {names}")
    if not followed:
        return Finding("sources", False, "nothing is followed yet: `wirebrief sources add URL`")
    return Finding("sources", True, f"{followed} sources, none silent")


def _connection(session: Session, visit: Visit) -> Finding:
    outage = pauses.outage(session, visit.now - OUTAGES)
    if outage is None:
        return Finding("connection", True, "our own connection has not failed in the last day")
    since = f"our own connection failed at {outage.began_at:%Y-%m-%d %H:%M} UTC ({outage.why})"
    if outage.ended_at is None:
        return Finding("connection", False, f"{since}: look at this machine's network.")
    return Finding("connection", True, f"{since} and was back at {outage.ended_at:%H:%M}")


def _alarms(session: Session, visit: Visit) -> Finding:
    standing = alarms.standing(session)
    if not standing:
        return Finding("alarms", True, "no alarm about a source stands")
    names = {source.id: source.title or host_of(source.url) for source in sources.all_sources(session)}
    return Finding("alarms", False, f"{len(standing)} about sources: {in_words(standing, names)}")


# The house


def _backups(session: Session, visit: Visit) -> Finding:
    patience = visit.settings.backups
    if not patience:
        return Finding("backups", True, "`keep.backups` says that others look after them")
    upto = backups.kept_upto(session)
    since = diagnoses.unkept_since(session, upto or 0)
    if since is not None and since < visit.now - patience:
        known = "no backup was ever made here" if upto is None else "the last backup is old"
        return Finding(
            "backups",
            False,
            f"{known}: what came since {since:%Y-%m-%d %H:%M} UTC would be lost with this disk. "
            "`wirebrief backup FILE`, every day; docs/backups.md says how.",
        )
    if upto is None:
        return Finding("backups", True, "no backup was made yet, and nothing old would be lost")
    return Finding("backups", True, "all that came before the last days stands in a backup")


def _disk(session: Session, visit: Visit) -> Finding:
    path = sqlite_path(visit.database.url)
    if path is None:
        return Finding("disk", True, "the server's disk is the server's own to watch")
    left, size = shutil.disk_usage(path.parent).free, path.stat().st_size
    if left < max(ROOM, size // 10):
        return Finding(
            "disk",
            False,
            f"{left // 1_000_000:,} MB are left beside a database of {size // 1_000_000:,} MB: when it is full nothing "
            "new is kept. Make room, or let `keep.stories` forget what is old.",
        )
    return Finding("disk", True, f"{left // 1_000_000:,} MB are left")


def _permissions(session: Session, visit: Visit) -> Finding:
    path = sqlite_path(visit.database.url)
    if path is None:
        return Finding("permissions", True, "the server lets in whom it knows")
    mode = path.stat().st_mode
    if mode & OPEN_TO_OTHERS:
        return Finding(
            "permissions",
            False,
            f"other users of this machine may open {path} ({stat.filemode(mode)}), where secrets of subscribers and "
            f"partners stand: `chmod 600 {path}`, or {MEND}.",
        )
    return Finding("permissions", True, f"nobody else may open {path.name}")


def _briefs(session: Session, visit: Visit) -> Finding:
    known = briefs.all_briefs(session)
    public = sum(brief.state.value == "published" for brief in known)
    return Finding("briefs", True, f"{len(known)} briefs, {public} of them published")


def _accounts(session: Session, visit: Visit) -> Finding:
    if accounts.count(session):
        return Finding("accounts", True, f"{accounts.count(session)} may decide things")
    return Finding("accounts", False, "nobody may use the API yet: `wirebrief init` makes the first account.")


def _named(amiss: Amiss) -> str:
    shown = ", ".join(map(str, amiss.ids))
    return shown if amiss.count == len(amiss.ids) else f"{shown}, …"


_LOOKS: Mapping[str, _Look] = {
    "schema": _schema,
    "integrity": _integrity,
    "stories": _stories,
    "search": _search,
    "cursors": _cursors,
    "documents": _documents,
    "picks": _picks,
    "clock": _time,
    "queue": _queue,
    "sources": _sources,
    "connection": _connection,
    "alarms": _alarms,
    "backups": _backups,
    "disk": _disk,
    "permissions": _permissions,
    "briefs": _briefs,
    "accounts": _accounts,
}
