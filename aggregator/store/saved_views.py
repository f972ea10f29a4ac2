"""Views of the wire that somebody saved, each with the feed of it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlmodel import Session

from aggregator.store.dialects import row_id
from aggregator.store.tables_desk import SAVED_VIEW


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view that somebody saved."""

    id: int
    #: Whoever has it may read the feed.
    token: str
    name: str
    #: As in the address of the wire: "q=grain&language=fr".
    query: str
    saved_by: str
    saved_at: datetime

    @property
    def key(self) -> str:
        """What stands in the address of its feed."""
        return f"{self.id}-{self.token}"


def save(session: Session, name: str, query: str, *, by: str, now: datetime) -> None:
    """Keep a view under a name, with a feed that nobody can guess."""
    values = {
        "token": secrets.token_urlsafe(32),
        "name": name,
        "query": query,
        "saved_by": by,
        "saved_at": now,
    }
    session.execute(insert(SAVED_VIEW).values(values))


def all_views(session: Session) -> list[SavedView]:
    """Every saved view, by name."""
    rows = session.execute(select(*SAVED_VIEW.c)).all()
    return sorted((SavedView(*row) for row in rows), key=lambda view: (view.name.casefold(), view.id))


def by_key(session: Session, key: str) -> SavedView | None:
    """The view whose feed has this key in its address; None where there is none."""
    number, _, token = key.partition("-")
    found = row_id(number)
    row = session.execute(select(*SAVED_VIEW.c).where(SAVED_VIEW.c.id == found)).first() if found else None
    if row is None:
        return None
    view = SavedView(*row)
    # The row is found by its number: how long this takes tells nothing about the token.
    return view if secrets.compare_digest(view.token.encode(), token.encode()) else None


def remove(session: Session, view: int) -> bool:
    """Forget a view, and its feed with it; False where there is none."""
    done = session.execute(delete(SAVED_VIEW).where(SAVED_VIEW.c.id == view))
    return bool(done.rowcount)  # type: ignore[attr-defined]
