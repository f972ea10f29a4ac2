"""How far each consumer of versions has come. What lies behind its mark is what is left to do."""

from __future__ import annotations

from sqlmodel import Session, select

from aggregator.store.dialects import upsert
from aggregator.store.tables import PROGRESS


def get(session: Session, name: str) -> int:
    """The last version id that this consumer has done; 0 at the start."""
    found = session.exec(select(PROGRESS.c.upto).where(PROGRESS.c.name == name)).first()
    return found or 0


def under(session: Session, beginning: str) -> dict[str, int]:
    """How far all consumers have come whose names begin so."""
    rows = session.exec(select(PROGRESS.c.name, PROGRESS.c.upto).where(PROGRESS.c.name.startswith(beginning)))
    return dict(rows.all())


def put(session: Session, name: str, upto: int) -> None:
    """This consumer has done every version up to this id."""
    statement = upsert(session, PROGRESS).values(name=name, upto=upto)
    session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"upto": upto}))
