"""Whose word a story is: the agency that it credits, or else the outlet.

Ten papers that print one wire are one voice.
"""

from __future__ import annotations

import re
from functools import lru_cache

from aggregator.language.agencies import agency_of
from aggregator.language.text import fold

#: "RIYAD (Agence Méridienne) –": a place, an agency that no table need know, a dash.
_DATELINE = re.compile(r"^[^\W\d_][^\n(]{1,50}?\s\(([^()\n]{2,40})\)\s*[-–—]\s", re.MULTILINE)


@lru_cache(maxsize=1 << 14)
def voice_of(text: str, source: str) -> str:
    """The agency that a story is credited to, else its outlet, folded."""
    known = agency_of(text)
    if known is not None:
        return f"agency:{known}"
    dateline = _DATELINE.search(text)
    return f"agency:{fold(dateline[1])}" if dateline else fold(source)
