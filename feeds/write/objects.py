"""JSON documents, and how stored entries are joined to them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

Object = dict[str, Any]


def given(**fields: Any) -> Object:
    """What is known, in the order given; nothing empty, False or 0 is written."""
    return {name: value for name, value in fields.items() if value}


def object_bytes(value: Object) -> bytes:
    """The object in UTF-8, on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def joined(head: Object, name: str, fragments: Iterable[bytes]) -> bytes:
    """The object, which is not empty, with a last field that is the list of fragments, one a line."""
    begun = object_bytes(head).removesuffix(b"}") + f',"{name}":[\n'.encode()
    return begun + b",\n".join(fragments) + b"\n]}\n"
