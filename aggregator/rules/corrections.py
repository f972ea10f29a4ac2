"""A correction put into a brief as its editor wrote it, marks and all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aggregator.rules.briefs import BriefError, read_brief
from aggregator.rules.checking.values import Check

_YEAR = re.compile(r"\b(?:1[89]|20)\d\d\b")


def words_instead(check: Check) -> str | None:
    """What a check would have stand in the place of `check.brief`; None where an editor must write it.

    Of a date only the year is changed. Where something happened cannot be put right in one place.
    """
    if not check.sources_say:
        return None
    if check.kind == "year":
        year = _YEAR.search(check.sources_say)
        changed = _YEAR.sub(year[0], check.brief) if year else check.brief
        return changed if changed != check.brief else None
    return check.sources_say if check.kind in ("role", "spelling") else None


def corrected(text: str, passage: str, start: int, end: int, words: str) -> str | None:
    """The text with `words` at `start` to `end` of a passage, and nothing else changed.

    The offsets are into the passage as a reader sees it. None where that place cannot be found in
    the text as it was written, as where a link begins in the middle of it.
    """
    before = {each.id: each.text for each in read_brief(text).passages}
    said = before.get(passage, "")[start:end]
    if not said:
        return None
    wanted = before | {passage: before[passage][:start] + words + before[passage][end:]}
    return next((new for new in _replaced(text, said, words) if _reads_as(new, wanted)), None)


def _replaced(text: str, said: str, words: str) -> Iterator[str]:
    """The text with each place in turn where it says so, over the ends of lines as well."""
    pattern = r"\s+".join(map(re.escape, said.split()))
    for found in re.finditer(pattern, text):
        yield text[: found.start()] + words + text[found.end() :]


def _reads_as(text: str, wanted: dict[str, str]) -> bool:
    try:
        return {each.id: each.text for each in read_brief(text).passages} == wanted
    except BriefError:
        return False
