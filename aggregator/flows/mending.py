"""`doctor --mend`: what can be made again from what was seen and decided, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from sqlmodel import Session

from aggregator.flows.diagnosis import DRIFT, Finding, Visit
from aggregator.flows.upkeep import index_search
from aggregator.rules.codings import packed
from aggregator.store import diagnoses
from aggregator.store.database import sqlite_path

_Mend = Callable[[Session, Visit], None]


async def mend(visit: Visit, found: Sequence[Finding]) -> list[str]:
    """Mend what is not well, as far as it can be made again; the names of what was. Channels are left to be rendered.

    Raises:
        StoreError: the database refused; what was mended before stays so.
    """
    wrong = [finding.name for finding in found if not finding.is_well]
    if "schema" in wrong or "integrity" in wrong:
        # Whoever writes into what is damaged makes it worse.
        return []
    done = [name for name in wrong if name in _MENDS]
    for name in done:
        await visit.database.write(partial(_put_right, mend=_MENDS[name], visit=visit))
    await index_search(visit.database)
    return done


def _put_right(session: Session, *, mend: _Mend, visit: Visit) -> None:
    mend(session, visit)


def _stories(session: Session, visit: Visit) -> None:
    diagnoses.settle_stories(session)
    diagnoses.number_on(session)


def _search(session: Session, visit: Visit) -> None:
    is_whole = not diagnoses.unindexed(session) and not diagnoses.indexed_in_vain(session)
    if not is_whole or not diagnoses.is_indexed_anew(session):
        diagnoses.empty_index(session)


def _cursors(session: Session, visit: Visit) -> None:
    diagnoses.set_back(session)


def _documents(session: Session, visit: Visit) -> None:
    for channel, format in diagnoses.documents_at_odds(session):
        body = diagnoses.body_of(session, channel, format)
        diagnoses.put_twins(session, channel, format, packed(body))


def _clock(session: Session, visit: Visit) -> None:
    diagnoses.ask_now(session, visit.now + DRIFT, visit.now)


def _permissions(session: Session, visit: Visit) -> None:
    path = sqlite_path(visit.database.url)
    if path is not None:
        path.chmod(0o600)


_MENDS: Mapping[str, _Mend] = {
    "stories": _stories,
    "search": _search,
    "cursors": _cursors,
    "documents": _documents,
    "clock": _clock,
    "permissions": _permissions,
}
