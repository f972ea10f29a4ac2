"""The codings in which the same bytes are sent; the same bytes are always packed to the same bytes."""

from __future__ import annotations

import gzip

import brotli  # type: ignore[import-untyped]
import zstandard

from aggregator.outgoing import Codings

#: A document is packed once and sent thousands of times, but an editor waits for the first time.
_GZIP, _BROTLI, _ZSTD = 6, 6, 12


def packed(body: bytes) -> Codings:
    """A body in every coding that we send."""
    return Codings(
        body=body,
        # mtime=0, or the bytes would tell when they were packed (RFC 1952 section 2.3.1).
        gzip=gzip.compress(body, _GZIP, mtime=0),
        br=brotli.compress(body, quality=_BROTLI),
        zstd=zstandard.ZstdCompressor(level=_ZSTD).compress(body),
    )
