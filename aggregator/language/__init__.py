"""Language: from a text to its words, its language, and its anchors. Pure: no input, no output.

`anchors(text, language, *, dateline)` is the way in; it is loaded when it is first asked for, so
that what needs no tables does not read them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aggregator.language.reading import Anchor, anchors

__all__ = ["Anchor", "anchors"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from aggregator.language import reading

        return getattr(reading, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
