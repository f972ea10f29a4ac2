"""Where an answer begins and where it ends, on a connection of HTTP/1.1 (RFC 9112).

It takes what servers in the wild send and no reader could misread: lines that end in a bare line
feed, a length that is said twice. What can be read in two ways is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

#: The longest head of an answer that is read, 1xx answers before it included.
HEAD_BYTES = 100 * 1024
#: The longest line about a chunk, and the longest trailer.
_CHUNK_LINE_BYTES = 16 * 1024

_STATUS = re.compile(rb"HTTP/1\.(\d) ([1-9]\d\d)(?: [^\r\n\0]*)?")
_FIELDS = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r?\n)*\r?\n")
_HEAD_END = re.compile(rb"\n\r?\n")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LENGTH = re.compile(rb"\d{1,18}")
_FOLDS = re.compile(rb"\r?\n[ \t]+")

#: Headers as they came: name in lower case, value.
RawHeaders = list[tuple[bytes, bytes]]


class FramingError(Exception):
    """What came is no answer of HTTP/1.1."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first lines of an answer."""

    status: int
    headers: RawHeaders
    #: The connection may be asked again after this answer.
    stays_open: bool
    body: Body


def head_end(data: bytes | bytearray, start: int) -> int:
    """Where the head ends that begins before `start`; -1 where its end has not come."""
    found = _HEAD_END.search(data, max(0, start - 3))
    return found.end() if found else -1


def read_head(data: bytes, *, method: str) -> Head:
    """The head of the answer to a request, from its first byte to the empty line after it.

    Raises:
        FramingError: it is none, or says two things about where its body ends.
    """
    first, _, rest = data.partition(b"\n")
    status_line = _STATUS.fullmatch(first.removesuffix(b"\r"))
    if status_line is None:
        raise FramingError("it begins with no status line")
    if b"\n " in rest or b"\n\t" in rest:
        rest = _FOLDS.sub(b" ", rest)
    if _FIELDS.fullmatch(rest) is None:
        raise FramingError("a header cannot be read")
    headers: RawHeaders = []
    for line in rest.split(b"\n")[:-2]:
        name, _, value = line.partition(b":")
        headers.append((name.lower(), value.strip(b" \t\r")))
    status = int(status_line[2])
    stays_open = status_line[1] != b"0" and not _says_close(headers)
    return Head(status, headers, stays_open, _body(status, headers, method))


def _says_close(headers: RawHeaders) -> bool:
    return any(name == b"connection" and b"close" in value.lower() for name, value in headers)


def _body(status: int, headers: RawHeaders, method: str) -> Body:
    """How the body is framed (RFC 9112 section 6.3)."""
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    lengths = {
        each.strip() for name, value in headers if name == b"content-length" for each in value.split(b",")
    }
    if any(_LENGTH.fullmatch(length) is None for length in lengths) or len(lengths) > 1:
        raise FramingError("its length is none, or more than one")
    if status in (204, 304) or status < 200 or method == "HEAD":
        return Counted(0)
    if codings:
        if [coding.lower() for coding in codings] != [b"chunked"]:
            raise FramingError("it is encoded for its transfer in a way that we did not offer")
        return Chunked()
    return Counted(int(lengths.pop())) if lengths else UntilClosed()


class Body(Protocol):
    """Tells a body from what follows it."""

    #: How many bytes it was said to have, if that was said.
    length: int | None
    #: Its end has come.
    is_complete: bool
    #: Bytes came that stand after its end.
    is_overrun: bool

    def feed(self, data: bytes) -> bytes:
        """What of `data` belongs to the body.

        Raises:
            FramingError: it is not framed as it says.
        """

    def close(self) -> None:
        """The connection was closed in good order."""


class Counted:
    """A body of so many bytes."""

    def __init__(self, length: int) -> None:
        self.length: int | None = length
        self._left = length
        self.is_complete = not length
        self.is_overrun = False

    def feed(self, data: bytes) -> bytes:
        """What of `data` belongs to the body."""
        self.is_overrun = len(data) > self._left
        taken = data[: self._left] if self.is_overrun else data
        self._left -= len(taken)
        self.is_complete = not self._left
        return taken

    def close(self) -> None:
        """What is missing stays missing."""


class UntilClosed:
    """A body that ends with its connection."""

    def __init__(self) -> None:
        self.length: int | None = None
        self.is_complete = False
        self.is_overrun = False

    def feed(self, data: bytes) -> bytes:
        """All of it."""
        return data

    def close(self) -> None:
        """That is its end."""
        self.is_complete = True


class Chunked:
    """A body in chunks (RFC 9112 section 7.1). Extensions and trailers are passed over."""

    def __init__(self) -> None:
        self.length: int | None = None
        self.is_complete = False
        self.is_overrun = False
        #: What came of a line about a chunk, or of the trailer.
        self._held = b""
        #: Bytes of the chunk that are still to come.
        self._left = 0
        #: A chunk has just ended, so that an empty line comes next.
        self._is_at_gap = False
        self._is_last = False

    def feed(self, data: bytes) -> bytes:
        """The chunks in `data`, without what frames them."""
        data, self._held, at, found = self._held + data, b"", 0, []
        while at < len(data) and not self.is_complete:
            if self._left:
                piece = data[at : at + self._left]
                found.append(piece)
                at += len(piece)
                self._left -= len(piece)
                self._is_at_gap = not self._left
            elif (end := data.find(b"\n", at) + 1) == 0:
                self._hold(data[at:])
                at = len(data)
            else:
                self._read_line(data[at:end])
                at = end
        self.is_overrun = at < len(data)
        return b"".join(found)

    def _hold(self, line: bytes) -> None:
        if len(line) > _CHUNK_LINE_BYTES:
            raise FramingError("a line about a chunk is too long")
        self._held = line

    def _read_line(self, line: bytes) -> None:
        if self._is_last:
            self.is_complete = line in (b"\r\n", b"\n")
        elif self._is_at_gap:
            if line not in (b"\r\n", b"\n"):
                raise FramingError("a chunk is longer than it says")
            self._is_at_gap = False
        else:
            size = _CHUNK.fullmatch(line)
            if size is None:
                raise FramingError("a chunk does not say how long it is")
            self._left = int(size[1], 16)
            self._is_last = not self._left

    def close(self) -> None:
        """What is missing stays missing."""
