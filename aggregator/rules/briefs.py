"""A brief, from the text that an editor wrote or pasted.

Plain text or Markdown, with or without front matter: a title line, a date, paragraphs, some with
a label or a quotation, and perhaps a line at the end that leads on. Only the paragraphs and the
title are passages, which sources are tied to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from aggregator.language.detect import detect, primary_language
from aggregator.language.quotes import Quotation, announced_speaker, quotations
from aggregator.rules.brief_lines import BriefError, label_of, read_date, read_more_label
from aggregator.rules.brief_marks import BriefLink, from_html, is_html, read_marks

__all__ = ["BriefError", "BriefLink", "BriefText", "Passage", "ReadMore", "read_brief"]

#: A brief is a page, not a book; whoever pastes more has pasted the wrong thing.
MOST_CHARACTERS = 200_000
#: A first line beyond this is a paragraph, and the title is missing.
MOST_TITLE_CHARACTERS = 300
MOST_PASSAGES = 1_000

_KEYS = ("title", "date", "language", "topics", "desk")
_KEY_ALIASES = {"lang": "language", "tags": "topics"}
_KEY_LINE = re.compile(r"([A-Za-z_-]+)\s*:\s*(.*)")
_RULER = re.compile(r"\s*(?:[-*_=]\s*){3,}$")
_HEADING = re.compile(r"\s*#{1,6}\s+(.*?)\s*#*$")
_ITEM = re.compile(r"\s*[-*+•]\s+(?=\S)")
_PARAGRAPH_ENDS = (".", "!", "?", "…", ":", "»", "”", "“", '"', ")")
#: Control characters other than tab and line end; they come with pastes from word processors.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")


@dataclass(frozen=True, slots=True)
class Passage:
    """One paragraph of a brief, or its title."""

    #: p0 is the title, then p1, p2 … in order.
    id: str
    #: Plain, on one line, as a reader sees it; its label stands in it.
    text: str
    #: What opens it before a colon ("Situation"), or the heading above it.
    label: str | None = None
    #: Offsets are into `text`.
    quotations: tuple[Quotation, ...] = ()
    links: tuple[BriefLink, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadMore:
    """The line at the end that leads the reader on."""

    #: "En savoir plus", verbatim.
    label: str
    #: The whole line, plain.
    text: str
    links: tuple[BriefLink, ...] = ()


@dataclass(frozen=True, slots=True)
class BriefText:
    """What a brief says."""

    #: Plain, one line.
    title: str
    #: None where the brief gives none.
    date: date | None
    #: ISO 639-1.
    language: str
    #: The title as p0, then the paragraphs.
    passages: tuple[Passage, ...]
    read_more: ReadMore | None = None
    #: Every link, in order, those that are still empty among them.
    links: tuple[BriefLink, ...] = ()
    #: Slugs, from front matter.
    topics: tuple[str, ...] = ()
    #: Which desk wrote it, from front matter.
    desk: str = ""


@dataclass(frozen=True, slots=True)
class _Block:
    """A paragraph before its marks are read, with the heading above it."""

    text: str
    heading: str | None = None


def read_brief(text: str, *, language: str | None = None) -> BriefText:
    """The brief that a text writes. HTML is read as the text that it shows.

    `language` (BCP 47) goes before the one in front matter, and that before detection.

    Raises:
        BriefError: empty, no title, no paragraph, a date that does not exist, front matter that
            cannot be read, a language that cannot be told, or longer than `MOST_CHARACTERS`.
    """
    head, body = _front_matter(_cleaned(text))
    lines = body.split("\n")
    title_line, lines = _take_title(head, lines)
    title, title_links = read_marks(title_line, "p0")
    dated, date_links, lines = _take_date(head, lines)
    blocks = _blocks(lines)
    read_more, blocks = _take_read_more(blocks)
    _require_text(title, blocks)
    spoken = _language(language, head, f"{title}\n{body}")
    passages = (Passage("p0", title, links=title_links), *_passages(blocks, spoken))
    passages = (replace(passages[0], quotations=tuple(quotations(title, spoken))), *passages[1:])
    links = (*title_links, *date_links, *(link for p in passages[1:] for link in p.links))
    if read_more:
        links = (*links, *read_more.links)
    return BriefText(title, dated, spoken, passages, read_more, links, _topics(head), head.get("desk", ""))


def _cleaned(text: str) -> str:
    """The text with one kind of line end and nothing invisible, out of HTML if it is some."""
    if len(text) > MOST_CHARACTERS:
        raise BriefError(
            f"This text has {len(text):,} characters, and a brief {MOST_CHARACTERS:,} at most: "
            "paste the brief alone."
        )
    text = _CONTROL.sub("", re.sub(r"\r\n?|\u2028|\u0085", "\n", text).replace("\u2029", "\n\n"))
    if is_html(text):
        text = from_html(text)
    if not text.strip():
        raise BriefError("This brief is empty: write a title line, a date and paragraphs.")
    return text.strip("\n")


def _front_matter(text: str) -> tuple[Mapping[str, str], str]:
    """What stands between two lines of --- at the top, by key, and the text below it."""
    lines = text.split("\n")
    if lines[0].strip() != "---":
        return {}, text
    ends = [number for number, line in enumerate(lines[1:], 1) if line.strip() in {"---", "..."}]
    if not ends:
        raise BriefError("Front matter is opened by --- and never closed: write a second line of ---.")
    head: dict[str, str] = {}
    key = ""
    for line in filter(str.strip, lines[1 : ends[0]]):
        if key == "topics" and (item := _ITEM.match(line)):
            head[key] += "," + line[item.end() :]
            continue
        key, value = _key_line(line)
        head[key] = value
    return head, "\n".join(lines[ends[0] + 1 :])


def _key_line(line: str) -> tuple[str, str]:
    found = _KEY_LINE.fullmatch(line.strip())
    key = found[1].lower() if found else ""
    key = _KEY_ALIASES.get(key, key)
    if found is None or key not in _KEYS:
        raise BriefError(f'Front matter has the line "{line.strip()}": it may name {", ".join(_KEYS)}.')
    return key, found[2].strip().strip("\"'")


def _take_title(head: Mapping[str, str], lines: list[str]) -> tuple[str, list[str]]:
    """The title, from front matter or the first line, and the lines after it."""
    lines = _from_first(lines)
    first = _bare(lines[0]) if lines else ""
    if title := head.get("title"):
        return title, lines[1:] if first == title else lines
    if not first or read_date(_plain(first)) or read_more_label(_plain(first)):
        raise BriefError("This brief has no title: write one as its first line.")
    if len(first) > MOST_TITLE_CHARACTERS:
        raise BriefError(
            f"This brief has no title: its first line has {len(first)} characters, which makes it a "
            f"paragraph. Write a title of {MOST_TITLE_CHARACTERS} at most above it."
        )
    return first, lines[1:]


def _take_date(
    head: Mapping[str, str], lines: list[str]
) -> tuple[date | None, tuple[BriefLink, ...], list[str]]:
    """The date, from front matter or the line after the title, and the lines after it."""
    lines = _from_first(lines)
    shown, links = read_marks(lines[0]) if lines else ("", ())
    in_line = read_date(shown) if len(shown) <= MOST_TITLE_CHARACTERS else None
    if in_line is not None:
        lines = lines[1:]
    else:
        links = ()
    if not (given := head.get("date")):
        return in_line, links, lines
    if (dated := read_date(given)) is None:
        raise BriefError(f'Front matter has the date "{given}": write it as 2025-02-18.')
    return dated, links, lines


def _blocks(lines: list[str]) -> list[_Block]:
    """The paragraphs: parted by blank lines, headings and items, or each line one."""
    is_lined = _is_lined(lines)
    blocks: list[_Block] = []
    gathered: list[str] = []
    heading: str | None = None

    def close() -> None:
        nonlocal heading
        if gathered:
            blocks.append(_Block(" ".join(gathered), heading))
            gathered.clear()
            heading = None

    for line in lines:
        found = _HEADING.match(line)
        if is_lined or found or not line.strip() or _RULER.match(line) or _ITEM.match(line):
            close()
        if found:
            heading = found[1]
        elif line.strip() and not _RULER.match(line):
            gathered.append(_unmarked(line))
    close()
    return blocks


def _is_lined(lines: list[str]) -> bool:
    """True for a paste without blank lines whose lines all end as paragraphs do."""
    body = "\n".join(lines).strip().split("\n")
    return all(line.rstrip().endswith(_PARAGRAPH_ENDS) for line in body)


def _unmarked(line: str) -> str:
    """The line without the sign that makes it an item or a block quotation."""
    return re.sub(r"^\s*(?:>\s?)+", "", re.sub(r"^\s*[-*+•]\s+", "", line)).strip()


def _take_read_more(blocks: list[_Block]) -> tuple[ReadMore | None, list[_Block]]:
    if not blocks:
        return None, blocks
    shown, links = read_marks(blocks[-1].text)
    label = read_more_label(shown)
    return (None, blocks) if label is None else (ReadMore(label, shown, links), blocks[:-1])


def _require_text(title: str, blocks: list[_Block]) -> None:
    if not any(map(str.isalnum, title)):
        raise BriefError("This brief has no title: write one as its first line.")
    if not any(_plain(block.text) for block in blocks):
        raise BriefError(f'The brief "{title}" is only a title: write at least one paragraph below it.')
    if len(blocks) > MOST_PASSAGES:
        raise BriefError(f"This text has {len(blocks):,} paragraphs, and a brief {MOST_PASSAGES:,} at most.")


def _passages(blocks: list[_Block], language: str) -> list[Passage]:
    passages: list[Passage] = []
    before, announced = "", None
    for block in blocks:
        passage = _passage(f"p{len(passages) + 1}", block, language, before)
        if not passage.text:
            continue
        passage = _as_announced(passage, announced)
        announced = announced_speaker(passage.text, language, before=before)
        before = passage.text
        passages.append(passage)
    return passages


def _passage(id: str, block: _Block, language: str, before: str) -> Passage:
    text, links = read_marks(block.text, id)
    label = block.heading and read_marks(block.heading)[0]
    label = label or label_of(text, language)
    return Passage(id, text, label, tuple(quotations(text, language, before=before)), links)


def _as_announced(passage: Passage, announced: Quotation | None) -> Passage:
    """The passage as the words of whom the one before announced ("X a averti :")."""
    if announced is None:
        return passage
    first, *rest = passage.quotations or (Quotation("", -1, -1),)
    # Marks around it make the quotation; without any, the whole paragraph is one.
    is_marked = 0 <= first.start <= 2
    if not is_marked:
        whole = Quotation(passage.text, 0, len(passage.text), announced.speaker)
        return replace(passage, quotations=(whole,))
    return replace(passage, quotations=(replace(first, speaker=first.speaker or announced.speaker), *rest))


def _language(given: str | None, head: Mapping[str, str], text: str) -> str:
    tag = given or head.get("language")
    if tag is not None:
        code = primary_language(tag)
        if code is None:
            raise BriefError(f'"{tag}" names no language: write two letters, as fr or uk.')
        return code
    found = detect(text)
    if found is None:
        raise BriefError("The language of this brief cannot be told: say it in front matter (language: fr).")
    return found


def _topics(head: Mapping[str, str]) -> tuple[str, ...]:
    named = head.get("topics", "").strip("[]").split(",")
    return tuple(topic for topic in (name.strip().strip("\"'") for name in named) if topic)


def _from_first(lines: list[str]) -> list[str]:
    """The lines from the first that says something."""
    for number, line in enumerate(lines):
        if line.strip() and not _RULER.match(line):
            return lines[number:]
    return []


def _bare(line: str) -> str:
    found = _HEADING.match(line)
    return (found[1] if found else line).strip()


def _plain(line: str) -> str:
    return read_marks(line)[0]
