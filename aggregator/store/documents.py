"""Channels as bytes: the documents that are served, and the fragments that they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlmodel import Session

from aggregator.model import StoredDocument
from aggregator.store.dialects import chunks, upsert
from aggregator.store.tables import DOCUMENT, FRAGMENT, DocumentRow


def get(session: Session, channel: str, format: str) -> StoredDocument | None:
    """The document of a channel in a format."""
    row = session.get(DocumentRow, (channel, format))
    return _document(row) if row else None


def all_documents(session: Session) -> list[StoredDocument]:
    """Every document."""
    return [_document(row) for row in session.execute(select(DocumentRow)).scalars()]


def stamps(session: Session) -> dict[tuple[str, str], str]:
    """The ETag of every document: what a server compares to know that its copies are fresh."""
    rows = session.execute(select(DOCUMENT.c.channel, DOCUMENT.c.format, DOCUMENT.c.etag))
    return {(channel, format): etag for channel, format, etag in rows}


def put(session: Session, document: StoredDocument) -> None:
    """Put a document in the place of the one before it: readers get the old one or the new one."""
    values = {name: getattr(document, name) for name in StoredDocument.__slots__}
    statement = upsert(session, DOCUMENT).values(values)
    session.execute(statement.on_conflict_do_update(index_elements=["channel", "format"], set_=values))


def drop_channels(session: Session, keep: Sequence[str]) -> None:
    """Forget the documents of channels that are no longer declared."""
    session.execute(delete(DOCUMENT).where(DOCUMENT.c.channel.not_in(keep)))


def fragments(session: Session, digests: Sequence[str]) -> dict[str, bytes]:
    """The rendered entries of these digests, as far as they are kept."""
    found: dict[str, bytes] = {}
    for some in chunks(digests, columns=1):
        rows = session.execute(select(FRAGMENT.c.digest, FRAGMENT.c.body).where(FRAGMENT.c.digest.in_(some)))
        found.update((row.digest, row.body) for row in rows)
    return found


def keep_fragments(session: Session, new: Mapping[str, bytes], used: Sequence[str], *, now: datetime) -> None:
    """Keep new fragments, and note that the others are still in use."""
    rows: list[dict[str, Any]] = [{"digest": d, "body": body, "used_at": now} for d, body in new.items()]
    for some in chunks(rows, columns=3):
        session.execute(upsert(session, FRAGMENT).values(list(some)).on_conflict_do_nothing())
    for ids in chunks(used, columns=1):
        session.execute(update(FRAGMENT).where(FRAGMENT.c.digest.in_(ids)).values(used_at=now))


def prune_fragments(session: Session, before: datetime) -> int:
    """Forget fragments that no document has used since then; how many."""
    return int(session.execute(delete(FRAGMENT).where(FRAGMENT.c.used_at < before)).rowcount)  # type: ignore[attr-defined]


def _document(row: DocumentRow) -> StoredDocument:
    return StoredDocument(**{name: getattr(row, name) for name in StoredDocument.__slots__})
