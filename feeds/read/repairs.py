"""Small repairs of XML, so that a strict parser can read what its writer meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from html.entities import html5

from feeds.errors import ParseError

# Whatever it says, the text is decoded already, and will be UTF-8 and read as XML 1.0.
_DECLARATION = re.compile(r"^<\?xml\s[^>]*\?>")
# XML 1.0 section 2.2 forbids these even as references.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# What nothing closes reaches to the end, so that no search starts again and again.
_UNTOUCHED = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z))", re.DOTALL)
_ENTITY = re.compile(r"""<!ENTITY\s+(\w+)\s+(?:"([^"<]*)"|'([^'<]*)')\s*>|<!ENTITY[^>]*>""")
# The five names that XML knows itself stay; leaving them to the expression is what makes a repair fast.
_AMPERSAND = re.compile(
    r"&(?!(?:amp|apos|gt|lt|quot);)(?:#(?P<number>[0-9]{1,8}|[xX][0-9A-Fa-f]{1,6});|(?P<name>[A-Za-z_]\w*);)?"
)
_LONG = 4000
_LONG_TAG = re.compile(f"<[^<>]{{{_LONG},}}")
# Longer than the numbers that `_AMPERSAND` reads.
_LONG_REFERENCE = re.compile("&#(?:[0-9]{9}|[xX][0-9A-Fa-f]{7})")

#: The longest text that an entity of a document's own may stand for, in characters. Longer ones and
#: entities of entities are how small documents fill a memory ("billion laughs").
_ENTITY_LENGTH = 40
#: An entity that would unfold to more characters than this, or into itself, is there to do harm.
_UNFOLDED = 1_000_000
#: How deep entities may stand in entities.
_DEPTH = 20
#: How many tags a document may have outside of CDATA. Ten megabytes of them would be read for minutes.
_TAGS = 250_000
#: How many attributes an element may have: Python's parser takes quadratic time over them.
_ATTRIBUTES = 1000


def repair(text: str) -> tuple[str, tuple[str, ...]]:
    """The document without what XML forbids, and what was mended in an editor's words.

    Control characters go, entities become the characters they stand for, bare ampersands are
    escaped. No declaration of an entity is left, so no parser can be made to expand one. CDATA
    sections, comments and instructions stay as they are.

    Raises:
        ParseError: an element has so many attributes, or the document so many elements, that reading
            them would take minutes or hours, or entities unfold without end.
    """
    text, count = _FORBIDDEN.subn("", declared_anew(text))
    problems: tuple[str, ...] = ("It holds control characters, which were left out.",) if count else ()
    if _has_swollen_tag(text):
        raise ParseError(f"An element has more than {_ATTRIBUTES} attributes: this is an attack, or no feed.")
    # Splitting by a group puts what stays untouched at the odd places.
    parts = _UNTOUCHED.split(text)
    if sum(part.count("<") for part in parts[::2]) > _TAGS:
        raise ParseError(f"It has more than {_TAGS:,} tags: this is an attack, or no feed.")
    _refuse_bombs(parts[::2])
    own: dict[str, str] = {}
    for place in range(0, len(parts), 2):
        parts[place] = _ENTITY.sub(partial(_declared, own), parts[place])
    mended = parts.copy()
    for place in range(0, len(parts), 2):
        mended[place] = _AMPERSAND.sub(partial(_mended, own), parts[place])
    if not own and mended != parts:
        problems += ("It holds ampersands or entities that XML does not know; they were mended.",)
    return "".join(mended), problems


def needs_none(text: str) -> bool:
    """Whether `repair` would leave a document as it is, provided that it is well-formed and has no document type.

    Then it has no control characters, and no references but numbers and the five names of XML. It says no
    to a few that need none, as one with very many tags in CDATA sections.
    """
    return text.count("<") <= _TAGS and _LONG_REFERENCE.search(text) is None and not _has_swollen_tag(text)


def declared_anew(text: str) -> str:
    """The document as XML 1.0, whatever it declares itself to be."""
    return _DECLARATION.sub("<?xml version='1.0'?>", text)


def _has_swollen_tag(text: str) -> bool:
    """Whether there is a tag, or what looks like one, of more attributes than any feed has."""
    place = text.find("<")
    while place >= 0:
        # No tag is long from which another one begins within reach, nor are those between the two.
        near = text.rfind("<", place + 1, place + _LONG + 1)
        if near < 0:
            tag = _LONG_TAG.match(text, place)
            if tag and tag[0].count("=") > _ATTRIBUTES:
                return True
            near = text.find("<", place + 1)
        place = near
    return False


def _refuse_bombs(parts: Iterable[str]) -> None:
    """No document of a newsroom declares entities that multiply: what does was made to fill a memory."""
    found = (declared for part in parts if "<!ENTITY" in part for declared in _ENTITY.finditer(part))
    values = {one[1]: one[2] or one[3] or "" for one in found if one[1]}
    sizes: dict[str, int] = {}
    if any(_unfolded(name, values, sizes, _DEPTH) > _UNFOLDED for name in values):
        raise ParseError("Its entities unfold into one another without end: this is an attack, or no feed.")


def _unfolded(name: str, values: Mapping[str, str], sizes: dict[str, int], depth: int) -> int:
    """How many characters an entity stands for, and the entities in it; too many where it never ends."""
    if depth == 0:
        return _UNFOLDED + 1
    if name not in sizes:
        inner = (one["name"] for one in _AMPERSAND.finditer(values[name]) if one["name"] in values)
        sizes[name] = len(values[name]) + sum(_unfolded(one, values, sizes, depth - 1) for one in inner)
    return sizes[name]


def _declared(own: dict[str, str], found: re.Match[str]) -> str:
    """Remember what a short entity stands for, and take its declaration out."""
    name, value = found[1], found[2] if found[3] is None else found[3]
    if (
        name
        and value is not None
        and len(value) <= _ENTITY_LENGTH
        and ("&" not in value or value.startswith("&#"))
    ):
        own.setdefault(name, _AMPERSAND.sub(partial(_mended, {}), value))
    return ""


def _mended(own: dict[str, str], found: re.Match[str]) -> str:
    number, name = found["number"], found["name"]
    if number:
        # XML wants a small x in &#x3C;, and takes its digits in any case.
        return f"&#{number[0].lower()}{number[1:]};" if _is_legal(number.lower()) else ""
    if name is None:
        return "&amp;"
    if name in own:
        return own[name]
    characters = html5.get(name + ";")
    return f"&amp;{name};" if characters is None else "".join(f"&#{ord(one)};" for one in characters)


def _is_legal(number: str) -> bool:
    code = int(number[1:], 16) if number.startswith("x") else int(number)
    if code < 0x20:
        return code in (0x9, 0xA, 0xD)
    return code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
