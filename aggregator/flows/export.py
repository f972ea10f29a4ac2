"""Channels as static files: the same bytes that are served, for any web server or CDN."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from aggregator.errors import AggregatorError
from aggregator.outgoing import ArchivePage, Codings, StoredDocument
from aggregator.rules.channels import FORMATS
from aggregator.store import documents
from aggregator.store.database import Database

#: What is put behind a file's name for each coding; web servers look for these.
_TWINS = {"gzip": ".gz", "br": ".br", "zstd": ".zst"}


async def export_channels(database: Database, folder: Path, *, public: Sequence[str]) -> list[Path]:
    """Write the `public` channels as static files, each swapped in whole; their paths.

    Beside each file stand its compressed twins. All carry the time of the document's
    Last-Modified, so that a server of files sends the same one. Files of channels that are not
    public any more are taken away.

    Raises:
        AggregatorError: the folder cannot be written.
    """
    found, pages = await database.read(_everything)
    closed = ({one.channel for one in found} | {page.channel for page in pages}) - {*public}
    try:
        await asyncio.to_thread(_take_away, folder, closed)
        return await asyncio.to_thread(
            _write_files,
            folder,
            [one for one in found if one.channel in public],
            [page for page in pages if page.channel in public],
        )
    except OSError as error:
        raise AggregatorError(
            f"{folder} cannot be written ({error.strerror}): name a folder that can."
        ) from error


def _take_away(folder: Path, channels: Iterable[str]) -> None:
    """Remove what was written of channels that are not public any more."""
    for channel in channels:
        for format in FORMATS:
            for ending in ("", *_TWINS.values()):
                (folder / f"{channel}.{format}{ending}").unlink(missing_ok=True)
        for page in (folder / channel / "archive").glob("*.atom*"):
            page.unlink()


def _everything(session: Session) -> tuple[list[StoredDocument], list[ArchivePage]]:
    return documents.all_documents(session), documents.archive(session)


def _write_files(folder: Path, found: Sequence[StoredDocument], pages: Sequence[ArchivePage]) -> list[Path]:
    written = []
    # Pages first: a document must not lead to one that is not there yet.
    for page in pages:
        target = folder / page.channel / "archive" / f"{page.name}.atom"
        if not target.exists():
            _write_all(target, page.codings, page.made_at)
        written.append(target)
    for document in found:
        target = folder / f"{document.channel}.{document.format}"
        _write_all(target, document.codings, document.last_modified)
        written.append(target)
    _take_back(folder, {page.channel for page in pages} | {one.channel for one in found}, written)
    return written


def _write_all(target: Path, codings: Codings, at: datetime) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    for path, body in _files(target, codings):
        partial = path.with_name(f".{path.name}.part")
        partial.write_bytes(body)
        os.utime(partial, (at.timestamp(), at.timestamp()))
        partial.replace(path)


def _files(target: Path, codings: Codings) -> Iterator[tuple[Path, bytes]]:
    yield target, codings.body
    for coding, ending in _TWINS.items():
        yield target.with_name(target.name + ending), getattr(codings, coding)


def _take_back(folder: Path, channels: set[str], written: Sequence[Path]) -> None:
    """Remove archive pages that were replaced: something in them must not be read any more."""
    kept = {path.name for path in written}
    for channel in channels:
        for page in (folder / channel / "archive").glob("*.atom*"):
            if page.name.partition(".atom")[0] + ".atom" not in kept:
                page.unlink()
