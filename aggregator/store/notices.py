"""Notices: what a write tells the processes that listen, once it is committed.

A notice is one word that says where to look again, never what is there: whoever missed it finds the
same in the tables. On PostgreSQL every process hears it (NOTIFY), on SQLite the one that wrote.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlmodel import Session

from aggregator.store.dialects import is_sqlite

#: The channel of PostgreSQL on which all notices go.
CHANNEL = "wirebrief"

#: Documents of channels changed.
DOCUMENTS = "documents"
#: Editors defined a topic or a channel.
DEFINITIONS = "definitions"
#: Something that a page of the desk shows changed.
DESK = "desk"
#: A job is to run soon; its name follows.
SOON = "soon "
#: Everything may have changed: told by a line that begins, within its process. From then on until it is
#: lost each notice is heard.
ALL, LOST = "all", "lost"

_PENDING = "notices"


def tell(session: Session, notice: str) -> None:
    """Let everybody hear a notice when this transaction commits; told twice, it is heard once."""
    pending: set[str] = session.info.setdefault(_PENDING, set())
    if notice in pending:
        return
    pending.add(notice)
    if not is_sqlite(session):
        session.execute(select(func.pg_notify(CHANNEL, notice)))


def pending_of(session: Session) -> frozenset[str]:
    """What this transaction told."""
    return frozenset(session.info.get(_PENDING, ()))
