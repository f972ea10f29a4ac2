"""Which news agency a text is credited to: "(Reuters)", "PARIS, 18 Feb (AFP) -", "źródło: PAP".

A text that only mentions an agency ("told Reuters") is not credited to it. The forms stand in
data/agencies.tsv, an id and its forms, with capitals as agencies write themselves.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

#: Words that bring a credit at the end of a text: "źródło: PAP", "With agencies" is none.
_SOURCE = "source|quelle|źródło|zrodlo|fuente|fonte|источник|джерело"
#: Letters before the dash of a dateline: "PARIS, Feb 18 (AFP) -" at the longest.
_DATELINE = 50
_WORD = re.compile(r"\w+")


def agency_of(text: str) -> str | None:
    """The id of the agency that a text is credited to first; None where it is to none.

    A credit stands in brackets or slashes, before the dash of the dateline, after a word for
    "source", or alone as the last word.
    """
    # Most texts name no agency at all, which is seen much sooner than where a credit would stand.
    marks = _marks()
    if not any(form in text for word in marks.keys() & set(_WORD.findall(text)) for form in marks[word]):
        return None
    pattern, ids = _credits()
    found = pattern.search(text)
    return ids[found[found.lastgroup or 0]] if found else None


@cache
def _marks() -> dict[str, list[str]]:
    """Every form by its longest word: where the form stands, that word does."""
    found: dict[str, list[str]] = {}
    for _, forms in _rows():
        for form in forms:
            found.setdefault(max(_WORD.findall(form), key=len), []).append(form)
    return found


@cache
def _credits() -> tuple[re.Pattern[str], dict[str, str]]:
    ids = {form: agency for agency, forms in _rows() for form in forms}
    # The longest first, so that Interfax-Ukraine is not read as Interfax.
    form = "|".join(re.escape(each) for each in sorted(ids, key=lambda each: (-len(each), each)))
    places = (
        rf"[(\[/|][^()\[\]/|\n]{{0,20}}?(?<!\w)(?P<bracket>{form})(?!\w)[^()\[\]/|\n]{{0,20}}[)\]/|]",
        rf"^[^\n]{{0,{_DATELINE}}}?(?<!\w)(?P<dateline>{form})\)?\s+[-–—]\s",
        rf"(?i:{_SOURCE})\s*:?\s*(?P<source>{form})(?!\w)",
        rf"[.!?…\n]\s*(?P<last>{form})\s*\.?\s*\Z",
    )
    return re.compile("|".join(places), re.MULTILINE), ids


def _rows() -> list[tuple[str, list[str]]]:
    """The rows of data/agencies.tsv, below the one that names the columns."""
    table = files("aggregator.language") / "data" / "agencies.tsv"
    lines = [line for line in table.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    rows = (line.split("\t") for line in lines[1:])
    return [(agency, forms.split("|")) for agency, forms in rows]
