"""HTTP by the letter, for bytes that stand ready: which coding, whether at all, and how much of it.

`respond` is a pure function of the request's headers. It is the same for channels, pages and
static files, so that a rule of RFC 9110 is kept in one place.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.outgoing import Codings
from feeds.http import is_unmodified
from feeds.http.times import read_http_date, write_http_date

Headers = tuple[tuple[bytes, bytes], ...]

IDENTITY = "identity"
GZIP = "gzip"
BROTLI = "br"
ZSTD = "zstd"
ALLOWED = ("GET", "HEAD", "OPTIONS")

_QUALITY = re.compile(r"q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)
# Python reads no number of more than some thousand digits, and no body has as many bytes.
_ONE_RANGE = re.compile(r"bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})", re.IGNORECASE)
_STRONG_TAG = re.compile(r'(?<!W/)"[\x21\x23-\x7e\x80-\xff]*"')
#: What an unnamed `identity` is worth: acceptable (RFC 9110 section 12.5.3), after all that is named.
_UNNAMED = 0.0005


@dataclass(frozen=True, slots=True)
class Representation:
    """The bytes of a resource in one content coding, with the headers that go with them."""

    #: "identity", "gzip", "br" or "zstd".
    coding: str
    body: bytes
    #: Strong, quoted, and another one for every coding (RFC 9110 section 8.8.3.3).
    etag: str
    #: Of a 200.
    headers: Headers
    #: Of a 304, which repeats what a cache must know and nothing of the body (section 15.4.5).
    kept: Headers


@dataclass(frozen=True, slots=True)
class Resource:
    """Something to be served, in every coding that there is of it."""

    #: The first is preferred among equals.
    representations: tuple[Representation, ...]
    #: An HTTP date, or None where only the tag tells.
    last_modified: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its body is already left out for HEAD and 304."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes from `first` to `last`, both included."""

    first: int
    last: int


class Unsatisfiable(Exception):
    """The range asked for lies outside of the body (RFC 9110 section 15.5.17)."""


def make_resource(
    codings: Mapping[str, tuple[bytes, str]],
    media_type: str,
    *,
    headers: Iterable[tuple[str, str]],
    last_modified: datetime | None = None,
    vary: str = "Accept-Encoding",
) -> Resource:
    """A resource from (body, ETag) by coding; `headers` stand on 200 and 304 alike."""
    modified = write_http_date(last_modified) if last_modified else None
    shared = encode([*headers, ("Vary", vary)])
    if modified:
        shared += encode([("Last-Modified", modified)])
    found = tuple(
        _representation(coding, body, etag, media_type, shared) for coding, (body, etag) in codings.items()
    )
    return Resource(found, modified)


def compressed(body: bytes) -> dict[str, tuple[bytes, str]]:
    """The codings of a body that is not stored with its twin; the same body gives the same bytes."""
    packed = gzip.compress(body, 6, mtime=0)
    return {GZIP: (packed, digest_tag(packed)), IDENTITY: (body, digest_tag(body))}


def coded(codings: Codings, etag: str) -> dict[str, tuple[bytes, str]]:
    """The codings of a body that is stored with its twins, the smallest first; `etag` is that of the plain one."""
    twins = {GZIP: codings.gzip, BROTLI: codings.br, ZSTD: codings.zstd}
    by_size = sorted(twins.items(), key=lambda twin: len(twin[1]))
    return {name: (body, digest_tag(body)) for name, body in by_size} | {IDENTITY: (codings.body, etag)}


def digest_tag(body: bytes) -> str:
    """A strong entity tag: a digest of the bytes sent."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def encode(headers: Iterable[tuple[str, str]]) -> Headers:
    """Headers as ASGI wants them."""
    return tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers)


def asked_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers of a request by lower-case name; lines of one name are one list (section 5.3)."""
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def respond(method: str, asked: Mapping[str, str], resource: Resource) -> Answer:
    """The answer to a GET or HEAD with these headers, in the order of RFC 9110 section 13.2.2."""
    chosen = choose(resource.representations, asked.get("accept-encoding"))
    if _is_refused(asked, chosen, resource):
        return Answer(412, chosen.kept, b"")
    if is_unmodified(asked, etag=chosen.etag, last_modified=resource.last_modified):
        return Answer(304, chosen.kept, b"")
    if method == "GET" and "range" in asked and _is_same(asked.get("if-range"), chosen, resource):
        return _ranged(asked["range"], chosen)
    return Answer(200, chosen.headers, chosen.body if method == "GET" else b"")


def choose(found: Sequence[Representation], accepted: str | None) -> Representation:
    """The representation that an Accept-Encoding likes best (RFC 9110 section 12.5.3).

    Without the header nothing is compressed: whoever can read it says so. Where nothing is
    acceptable the plain bytes go out, since they serve better than an error.
    """
    plain = next(one for one in found if one.coding == IDENTITY)
    if accepted is None:
        return plain
    likes = read_qualities(accepted)
    best = max(found, key=lambda one: _liking(one.coding, likes))
    return best if _liking(best.coding, likes) > 0 else plain


def read_qualities(accepted: str) -> dict[str, float]:
    """An Accept-Encoding as quality by coding; a member whose quality is no number counts as 0."""
    likes: dict[str, float] = {}
    for member in accepted.split(","):
        coding, _, parameter = (part.strip() for part in member.partition(";"))
        if coding:
            name = coding.lower().removeprefix("x-")
            likes[name] = _quality(parameter)
    return likes


def read_range(written: str, size: int) -> Part | None:
    """The one part that a Range asks for; None where it is to be ignored (RFC 9110 section 14.2).

    Several parts, other units and what cannot be read are ignored, as that section allows.

    Raises:
        Unsatisfiable: the body has none of these bytes.
    """
    found = _ONE_RANGE.fullmatch(written.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        length = min(int(found[2]), size)
        if length == 0:
            raise Unsatisfiable
        return Part(size - length, size - 1)
    first, last = int(found[1]), int(found[2]) if found[2] else size - 1
    if found[2] and last < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return Part(first, min(last, size - 1))


def _representation(coding: str, body: bytes, etag: str, media_type: str, shared: Headers) -> Representation:
    kept = (*shared, *encode([("ETag", etag)]))
    about = [("Content-Type", media_type), ("Content-Length", str(len(body))), ("Accept-Ranges", "bytes")]
    if coding != IDENTITY:
        about.append(("Content-Encoding", coding))
    return Representation(coding, body, etag, headers=(*kept, *encode(about)), kept=kept)


def _quality(parameter: str) -> float:
    if not parameter:
        return 1.0
    found = _QUALITY.fullmatch(parameter)
    return float(found[1]) if found else 0.0


def _liking(coding: str, likes: Mapping[str, float]) -> float:
    if coding in likes:
        return likes[coding]
    return likes.get("*", _UNNAMED if coding == IDENTITY else 0.0)


def _is_refused(asked: Mapping[str, str], chosen: Representation, resource: Resource) -> bool:
    """Whether If-Match or If-Unmodified-Since is there and does not hold (sections 13.1.1 and 13.1.4)."""
    if (wanted := asked.get("if-match")) is not None:
        return wanted.strip() != "*" and chosen.etag not in _STRONG_TAG.findall(wanted)
    since = read_http_date(asked.get("if-unmodified-since", ""))
    ours = read_http_date(resource.last_modified or "")
    return since is not None and ours is not None and ours > since


def _is_same(condition: str | None, chosen: Representation, resource: Resource) -> bool:
    """Whether an If-Range holds (RFC 9110 section 13.1.5), or is not there.

    A date holds only exactly. Ours is as strong as a tag, since no two states of a channel are
    published within one second.
    """
    if condition is None:
        return True
    condition = condition.strip()
    if condition.endswith('"'):
        return condition == chosen.etag
    moment = read_http_date(condition)
    return moment is not None and moment == read_http_date(resource.last_modified or "")


def _ranged(written: str, chosen: Representation) -> Answer:
    size = len(chosen.body)
    try:
        part = read_range(written, size)
    except Unsatisfiable:
        return Answer(416, (*chosen.kept, *encode([("Content-Range", f"bytes */{size}")])), b"")
    if part is None:
        return Answer(200, chosen.headers, chosen.body)
    body = chosen.body[part.first : part.last + 1]
    whole = tuple(header for header in chosen.headers if header[0] != b"content-length")
    where = f"bytes {part.first}-{part.last}/{size}"
    about = encode([("Content-Length", str(len(body))), ("Content-Range", where)])
    return Answer(206, (*whole, *about), body)
