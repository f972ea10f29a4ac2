"""A channel takes another name: everything that is kept of it follows."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlmodel import Session

from aggregator.store import partners
from aggregator.store.tables import PROGRESS
from aggregator.store.tables_out import (
    ARCHIVE,
    CARRIED,
    DOCUMENT,
    PING,
    PUSH_TRY,
    SUBSCRIBER,
    SUBSCRIPTION_ASKED,
)


def is_known(session: Session, channel: str) -> bool:
    """Whether subscribers were ever told of anything in a channel of this name."""
    return (
        session.execute(select(CARRIED.c.entry_id).where(CARRIED.c.channel == channel).limit(1)).first()
        is not None
    )


def rename_channel(session: Session, old: str, new: str) -> bool:
    """Let what was told, archived, pushed and agreed under one name stand under another.

    False where nothing stands under the old one, or something already under the new one: then
    both are channels with a past of their own. Documents are made anew.
    """
    if not is_known(session, old) or is_known(session, new):
        return False
    for table in (CARRIED, ARCHIVE, SUBSCRIBER, SUBSCRIPTION_ASKED, PUSH_TRY):
        session.execute(update(table).where(table.c.channel == old).values(channel=new))
    # A hub is told of the new address as of something new.
    for table in (DOCUMENT, PING):
        session.execute(delete(table).where(table.c.channel == old))
    session.execute(update(PROGRESS).where(PROGRESS.c.name == f"channel:{old}").values(name=f"channel:{new}"))
    for partner in partners.everyone(session):
        if old in partner.channels:
            moved = tuple(new if slug == old else slug for slug in partner.channels)
            partners.change(session, partner.id, channels=tuple(dict.fromkeys(moved)))
    return True
