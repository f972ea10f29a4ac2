"""The codings in which the same bytes are sent; the same bytes are always packed to the same bytes."""

from __future__ import annotations

import gzip

import brotli  # type: ignore[import-untyped]
import zstandard
from isal import igzip

from aggregator.outgoing import Codings

#: A document is packed once a revision and sent thousands of times, so a small one is packed well. A
#: large one changes with every story, and packing it well would cost more than all else that is done
#: for it: docs/notes/rendering-once.md has what each level takes and gives.
LARGE = 256_000
_GZIP, _BROTLI, _ZSTD = 6, 5, 7
_FAST_GZIP, _FAST_BROTLI, _FAST_ZSTD = 2, 2, 2


def packed(body: bytes) -> Codings:
    """A body in every coding that we send."""
    return _packed_fast(body) if len(body) > LARGE else _packed_well(body)


def _packed_well(body: bytes) -> Codings:
    return Codings(
        body=body,
        # mtime=0, or the bytes would tell when they were packed (RFC 1952 section 2.3.1).
        gzip=gzip.compress(body, _GZIP, mtime=0),
        br=brotli.compress(body, quality=_BROTLI),
        zstd=zstandard.ZstdCompressor(level=_ZSTD).compress(body),
    )


def _packed_fast(body: bytes) -> Codings:
    return Codings(
        body=body,
        gzip=igzip.compress(body, _FAST_GZIP, mtime=0),
        br=brotli.compress(body, quality=_FAST_BROTLI),
        zstd=zstandard.ZstdCompressor(level=_FAST_ZSTD).compress(body),
    )
