"""What every document has, whatever its format."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from feeds.errors import RenderError
from feeds.model import Document, Entry


def as_document(body: bytes, media_type: str, *, head: bytes = b"", name: str = "") -> Document:
    """The bytes, ready to be served: with a strong etag of them.

    Hashing a body takes many times as long as joining it. Where a `name` stands for all that
    follows the `head`, the two are hashed in the body's place.
    """
    digest = hashlib.blake2b(head + name.encode() if name else body, digest_size=16).hexdigest()
    return Document(body=body, media_type=media_type, etag=f'"{digest}"')


def refuse_twins(entries: Iterable[Entry]) -> None:
    """Make sure that each entry has an id of its own.

    Raises:
        RenderError: two carry the same.
    """
    seen: set[str | None] = set()
    for entry in entries:
        if entry.id in seen:
            raise RenderError(
                f"Two entries carry the id {entry.id!r}: keep the newer one (RFC 4287 section 4.1.1)"
            )
        seen.add(entry.id)
