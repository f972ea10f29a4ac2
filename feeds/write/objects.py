"""JSON documents, and how stored entries are joined to them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

Object = dict[str, Any]

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def given(**fields: Any) -> Object:
    """What is known, in the order given; nothing empty, False or 0 is written."""
    return {name: value for name, value in fields.items() if value}


def object_bytes(value: Object) -> bytes:
    """The object in UTF-8, on one line."""
    return _ENCODER.encode(value).encode()


def begun(head: Object, name: str) -> bytes:
    """The beginning of the object, which is not empty, up to a last field that is a list."""
    return object_bytes(head).removesuffix(b"}") + f',"{name}":[\n'.encode()


def joined(begun: bytes, fragments: Iterable[bytes]) -> bytes:
    """What `begun` wrote, the list of fragments, one a line, and the end."""
    # One join: adding the ends to the whole would copy all of it twice more.
    parts = list(fragments) or [b""]
    parts[0] = begun + parts[0]
    parts[-1] += b"\n]}\n"
    return b",\n".join(parts)
