"""What the settings say goes into the audit whenever it changes: they are decisions too."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import Session

from aggregator.model import Clock
from aggregator.people import Deed
from aggregator.store import audit
from aggregator.store.database import Database

#: Who did it, and to what: a file says not who wrote it.
BY, ACT, SUBJECT = "settings", "settings.change", "config.toml"


async def note_settings(database: Database, clock: Clock, said: Mapping[str, str]) -> bool:
    """Write down what the settings say if they say something else than the last time; whether they do."""

    def differs(session: Session) -> Mapping[str, str] | None:
        before = audit.last(session, ACT, SUBJECT)
        known = before.deed.became if before else {}
        return None if dict(known) == dict(said) else known

    def work(session: Session) -> bool:
        if (known := differs(session)) is None:
            return False
        audit.add(session, Deed(BY, ACT, SUBJECT, known, said), clock())
        return True

    # Most of the time nothing changed, and then nothing is written.
    if await database.read(differs) is None:
        return False
    return await database.write(work)
