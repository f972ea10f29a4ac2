"""What is kept of a body so that it can be read again."""

from __future__ import annotations

import hashlib

import zstandard

from aggregator.model import Evidence

#: Compressed bytes of one body that are kept at most: a feed has a hundredth of it, a page of files more.
MOST_BYTES = 1_000_000
#: The largest body that is unpacked again, in bytes.
MOST_UNPACKED = 64 * 1024 * 1024

# Fast: it is done for every body that is read.
_LEVEL = 3


def evidence_of(body: bytes, *, content_type: str | None, base_url: str, digest: str = "") -> Evidence | None:
    """A body as it is kept; None where it is too large for that.

    `digest` is its SHA-256 where that is known already.
    """
    packed = zstandard.ZstdCompressor(level=_LEVEL).compress(body)
    if len(packed) > MOST_BYTES:
        return None
    return Evidence(digest or hashlib.sha256(body).hexdigest(), content_type, base_url, len(body), packed)


def unpacked(packed: bytes) -> bytes:
    """The body as it came.

    Raises:
        ValueError: these are not the bytes of one that was kept.
    """
    try:
        return zstandard.ZstdDecompressor().decompress(packed, max_output_size=MOST_UNPACKED)
    except zstandard.ZstdError as error:
        raise ValueError("These bytes are no body that was kept.") from error
