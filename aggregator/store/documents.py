"""Channels as bytes: documents that are served, archive pages, and the fragments they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlmodel import Session

from aggregator.outgoing import ArchivePage, Codings, DocumentHead, StoredDocument
from aggregator.store import notices
from aggregator.store.dialects import chunks, upsert
from aggregator.store.tables_out import ARCHIVE, DOCUMENT, FRAGMENT, ArchiveRow, DocumentRow


@dataclass(frozen=True, slots=True)
class Standing:
    """A document as it stands, without what is in it."""

    #: Digest of everything that it was made from.
    state: str
    etag: str
    last_modified: datetime
    body_bytes: int


def get(session: Session, channel: str, format: str) -> StoredDocument | None:
    """The document of a channel in a format."""
    row = session.get(DocumentRow, (channel, format))
    return _document(row) if row else None


def standing(session: Session, channel: str) -> dict[str, Standing]:
    """How the documents of a channel stand, by format."""
    columns = [DOCUMENT.c[name] for name in ("format", "state", "etag", "last_modified")]
    rows = session.execute(
        select(*columns, func.length(DOCUMENT.c.body)).where(DOCUMENT.c.channel == channel)
    )
    return {format: Standing(*facts) for format, *facts in rows}


def body_of(session: Session, channel: str, format: str) -> bytes | None:
    """The plain bytes of a document."""
    query = select(DOCUMENT.c.body).where(DOCUMENT.c.channel == channel, DOCUMENT.c.format == format)
    found: bytes | None = session.execute(query).scalar()
    return found


def names(session: Session) -> set[str]:
    """The channels that have documents."""
    return set(session.execute(select(DOCUMENT.c.channel).distinct()).scalars())


def all_documents(session: Session) -> list[StoredDocument]:
    """Every document."""
    order = (DOCUMENT.c.channel, DOCUMENT.c.format)
    return [_document(row) for row in session.execute(select(DocumentRow).order_by(*order)).scalars()]


def stamps(session: Session) -> dict[tuple[str, str], str]:
    """The ETag of every document: what a server compares to know that its copies are fresh."""
    rows = session.execute(select(DOCUMENT.c.channel, DOCUMENT.c.format, DOCUMENT.c.etag))
    return {(channel, format): etag for channel, format, etag in rows}


def heads(session: Session, channel: str | None = None) -> list[DocumentHead]:
    """Every document without its bytes, or those of one channel."""
    columns = [DOCUMENT.c[name] for name in ("channel", "format", "etag", "last_modified", "holds")]
    query = select(*columns, func.length(DOCUMENT.c.body))
    if channel is not None:
        query = query.where(DOCUMENT.c.channel == channel)
    rows = session.execute(query.order_by(DOCUMENT.c.channel, DOCUMENT.c.format))
    return [
        DocumentHead(slug, format, etag, at, entries=len(holds), body_bytes=size)
        for slug, format, etag, at, holds, size in rows
    ]


def states(session: Session, channel: str) -> dict[str, str]:
    """What the documents of a channel were made from, by format."""
    rows = session.execute(select(DOCUMENT.c.format, DOCUMENT.c.state).where(DOCUMENT.c.channel == channel))
    return {row.format: row.state for row in rows}


def put(session: Session, document: StoredDocument) -> None:
    """Put a document in the place of the one before it: readers get the old one or the new one."""
    notices.tell(session, notices.DOCUMENTS)
    values = _flat(document)
    statement = upsert(session, DOCUMENT).values(values)
    # By their names: the bytes themselves would be handed over twice.
    new = {name: statement.excluded[name] for name in values}
    session.execute(statement.on_conflict_do_update(index_elements=["channel", "format"], set_=new))


def keep(session: Session, channel: str, format: str, state: str) -> None:
    """Note that a document stands for another state, which gives the same bytes."""
    own = (DOCUMENT.c.channel == channel, DOCUMENT.c.format == format)
    session.execute(update(DOCUMENT).where(*own).values(state=state))


def drop_channels(session: Session, keep: Sequence[str]) -> None:
    """Forget the documents of channels that are no longer declared."""
    notices.tell(session, notices.DOCUMENTS)
    session.execute(delete(DOCUMENT).where(DOCUMENT.c.channel.not_in(keep)))


def newest_page(session: Session, channel: str) -> tuple[int, str] | None:
    """The number and the name of the archive page that a channel's document leads to."""
    query = select(ARCHIVE.c.number, ARCHIVE.c.name).where(
        ~ARCHIVE.c.is_replaced, ARCHIVE.c.channel == channel
    )
    row = session.execute(query.order_by(ARCHIVE.c.number.desc()).limit(1)).first()
    return (row.number, row.name) if row else None


def archive(session: Session, channel: str | None = None) -> list[ArchivePage]:
    """The archive pages of a channel, or of all, oldest first; those replaced are left out."""
    query = select(ArchiveRow).where(~ARCHIVE.c.is_replaced)
    if channel is not None:
        query = query.where(ARCHIVE.c.channel == channel)
    rows = session.execute(query.order_by(ARCHIVE.c.channel, ARCHIVE.c.number)).scalars()
    return [_page(row) for row in rows]


def count_pages(session: Session) -> dict[str, int]:
    """How many archive pages each channel has."""
    query = select(ARCHIVE.c.channel, func.count()).where(~ARCHIVE.c.is_replaced)
    return {row[0]: row[1] for row in session.execute(query.group_by(ARCHIVE.c.channel))}


def page_named(session: Session, channel: str, name: str) -> tuple[ArchivePage, bool] | None:
    """An archive page, and whether it was replaced; None where there never was one of that name."""
    row = session.get(ArchiveRow, (channel, name))
    return (_page(row), row.is_replaced) if row else None


def put_page(session: Session, page: ArchivePage) -> None:
    """Keep an archive page. One of the same name says the same, and stays."""
    statement = upsert(session, ARCHIVE).values({**_flat(page), "ids": list(page.ids), "is_replaced": False})
    session.execute(statement.on_conflict_do_nothing())


def replace_pages(session: Session, channel: str, first: int) -> None:
    """Take back the archive pages from this number on; their addresses answer 410 from now on."""
    session.execute(
        update(ARCHIVE)
        .where(ARCHIVE.c.channel == channel, ARCHIVE.c.number >= first)
        .values(is_replaced=True, body=b"", gzip=b"", br=b"", zstd=b"")
    )


def fragments(session: Session, digests: Sequence[str]) -> dict[str, bytes]:
    """The rendered entries of these digests, as far as they are kept."""
    found: dict[str, bytes] = {}
    for some in chunks(digests, columns=1):
        rows = session.execute(select(FRAGMENT.c.digest, FRAGMENT.c.body).where(FRAGMENT.c.digest.in_(some)))
        found.update((row.digest, row.body) for row in rows)
    return found


def sizes(session: Session, digests: Sequence[str]) -> dict[str, int]:
    """How many bytes the rendered entries of these digests have, as far as they are kept."""
    found: dict[str, int] = {}
    for some in chunks(digests, columns=1):
        query = select(FRAGMENT.c.digest, func.length(FRAGMENT.c.body)).where(FRAGMENT.c.digest.in_(some))
        found.update((digest, size) for digest, size in session.execute(query))
    return found


def keep_fragments(session: Session, new: Mapping[str, bytes], used: Sequence[str], *, now: datetime) -> None:
    """Keep new fragments, and note that the others are still in use."""
    rows: list[dict[str, Any]] = [{"digest": d, "body": body, "used_at": now} for d, body in new.items()]
    if rows:
        session.execute(upsert(session, FRAGMENT).on_conflict_do_nothing(), rows)
    for ids in chunks(used, columns=1):
        session.execute(update(FRAGMENT).where(FRAGMENT.c.digest.in_(ids)).values(used_at=now))


def prune_fragments(session: Session, before: datetime) -> int:
    """Forget fragments that no document has used since then; how many."""
    return int(session.execute(delete(FRAGMENT).where(FRAGMENT.c.used_at < before)).rowcount)  # type: ignore[attr-defined]


def _flat(value: StoredDocument | ArchivePage) -> dict[str, Any]:
    """The columns of a value, its codings among them."""
    plain = {name: getattr(value, name) for name in type(value).__slots__ if name != "codings"}
    return plain | {name: getattr(value.codings, name) for name in Codings.__slots__}


def _codings(row: DocumentRow | ArchiveRow) -> Codings:
    return Codings(row.body, row.gzip, row.br, row.zstd)


def _document(row: DocumentRow) -> StoredDocument:
    names = [name for name in StoredDocument.__slots__ if name not in ("codings", "holds")]
    holds = tuple((id, revision) for id, revision in row.holds)
    return StoredDocument(codings=_codings(row), holds=holds, **{name: getattr(row, name) for name in names})


def _page(row: ArchiveRow) -> ArchivePage:
    names = [name for name in ArchivePage.__slots__ if name not in ("codings", "ids")]
    return ArchivePage(codings=_codings(row), ids=tuple(row.ids), **{n: getattr(row, n) for n in names})
