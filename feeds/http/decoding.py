"""Unpacking a body without ever holding more of it than asked for.

A compressed body of 3 MB can unfold to 3 GB. httpx unpacks each chunk whole, so it is not asked
to: what comes from the wire is unpacked here, in pieces of bounded size.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli  # type: ignore[import-untyped]
import zstandard

#: What we tell servers that we can unpack.
ACCEPT_ENCODING = "gzip, br, zstd"
#: The most that one step gives. zstd alone may give more, see `_Zstd`.
PIECE_BYTES = 64 * 1024
# RFC 9659: a zstd body on the web needs no larger window, and we need not lend one.
_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class DecodingError(Exception):
    """The body is not compressed as it says it is."""


class Decoder(Protocol):
    """Unpacks one body, piece by piece."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` unfolds to, in small pieces.

        Raises:
            DecodingError: it does not unfold.
        """

    def is_complete(self) -> bool:
        """Whether the compressed stream came to its end."""


def decoder_for(content_encoding: str) -> Decoder:
    """The decoder for a Content-Encoding header.

    Raises:
        DecodingError: no decoder for it. Two codings one on the other count as none: nobody
            needs them, and a bomb in a bomb costs time that no limit on the result can bound.
    """
    codings = [coding.strip().lower() for coding in content_encoding.split(",")]
    match [coding for coding in codings if coding not in ("", "identity")]:
        case []:
            return _Plain()
        case ["gzip" | "x-gzip" | "deflate"]:
            return _Gzip()
        case ["br"]:
            return _Brotli()
        case ["zstd"]:
            return _Zstd()
        case unknown:
            raise DecodingError(f"no decoder for {', '.join(unknown)[:80]}")


class _Plain:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def is_complete(self) -> bool:
        return True


class _Gzip:
    """gzip of one member or several (RFC 1952), and what HTTP calls deflate (zlib)."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._has_begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            # What follows a member is another, or padding that gzip itself ignores too.
            if self._member.eof:
                if not data.startswith(b"\x1f"):
                    return
                self._member = zlib.decompressobj(_GZIP_OR_ZLIB)
            self._has_begun = True
            try:
                yield self._member.decompress(data, PIECE_BYTES)
            except zlib.error as error:
                raise DecodingError(str(error)) from error
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail

    def is_complete(self) -> bool:
        return self._member.eof or not self._has_begun


class _Brotli:
    """Brotli (RFC 7932)."""

    def __init__(self) -> None:
        self._stream = brotli.Decompressor()
        self._has_begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._has_begun = self._has_begun or bool(data)
        try:
            piece = self._stream.process(data, output_buffer_limit=PIECE_BYTES)
            # That it takes more does not mean that it has given all.
            while piece or not self._stream.can_accept_more_data():
                yield piece
                piece = self._stream.process(b"", output_buffer_limit=PIECE_BYTES)
        except brotli.error as error:
            raise DecodingError(str(error)) from error

    def is_complete(self) -> bool:
        return not self._has_begun or bool(self._stream.is_finished())


class _Zstd:
    """Zstandard (RFC 8878) of one frame or several."""

    # A block of 4 bytes may unfold to 128 KiB and the library has no limit on what a step
    # gives, so the step is bounded by what it gets: at most 2 MiB come out of this many bytes.
    _SLICE_BYTES = 64

    def __init__(self) -> None:
        self._frame = self._next_frame()
        self._has_begun = False

    @staticmethod
    def _next_frame() -> zstandard.ZstdDecompressionObj:
        return zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj()

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), self._SLICE_BYTES):
            rest = data[start : start + self._SLICE_BYTES]
            while rest:
                if self._frame.eof:
                    self._frame = self._next_frame()
                self._has_begun = True
                try:
                    yield self._frame.decompress(rest)
                except zstandard.ZstdError as error:
                    raise DecodingError(str(error)) from error
                rest = self._frame.unused_data if self._frame.eof else b""

    def is_complete(self) -> bool:
        return self._frame.eof or not self._has_begun
