"""Values as settings and forms write them: lengths of time, lists of words."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d|days?)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "day": 86400, "days": 86400}


def read_duration(written: Any) -> Any:
    """A length of time as a setting writes it: "90s", "15m", "24h", "8d".

    Raises:
        ValueError: it is text, and none of these.
    """
    if not isinstance(written, str):
        return written
    match = _DURATION.fullmatch(written.strip())
    if match is None:
        raise ValueError('write a length of time such as "30s", "15m", "24h" or "8d"')
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


#: A length of time, as a setting: text such as "15m", or a timedelta.
Duration = Annotated[timedelta, BeforeValidator(read_duration)]


def read_words(written: Any) -> Any:
    """A list of words as the environment writes it: with spaces or commas between them."""
    return (
        tuple(re.split(r"[\s,]+", written.strip()))
        if isinstance(written, str) and written.strip()
        else written or ()
    )


#: A list of words, as a setting: a list, or text with spaces or commas.
Words = Annotated[tuple[str, ...], BeforeValidator(read_words)]
