"""Small repairs of XML, so that a strict parser can read what its writer meant."""

from __future__ import annotations

import re
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
_AMPERSAND = re.compile(r"&(?:#(?P<number>[0-9]{1,8}|[xX][0-9A-Fa-f]{1,6});|(?P<name>[A-Za-z_]\w*);)?")
_LONG_TAG = re.compile(r"<[^<>]{4000,}")
_NATIVE = frozenset({"amp", "apos", "gt", "lt", "quot"})

#: The longest text that an entity of a document's own may stand for, in characters. Longer ones and
#: entities of entities are how small documents fill a memory ("billion laughs").
_ENTITY_LENGTH = 40
#: How many attributes an element may have: Python's parser takes quadratic time over them.
_ATTRIBUTES = 1000


def repair(text: str) -> tuple[str, tuple[str, ...]]:
    """The document without what XML forbids, and what was mended in an editor's words.

    Control characters go, entities become the characters they stand for, bare ampersands are
    escaped. No declaration of an entity is left, so no parser can be made to expand one. CDATA
    sections, comments and instructions stay as they are.

    Raises:
        ParseError: an element has so many attributes that reading them would take hours.
    """
    text, count = _FORBIDDEN.subn("", _DECLARATION.sub("<?xml version='1.0'?>", text))
    problems: tuple[str, ...] = ("It holds control characters, which were left out.",) if count else ()
    if any(tag[0].count("=") > _ATTRIBUTES for tag in _LONG_TAG.finditer(text)):
        raise ParseError(f"An element has more than {_ATTRIBUTES} attributes: this is an attack, or no feed.")
    # Splitting by a group puts what stays untouched at the odd places.
    parts = _UNTOUCHED.split(text)
    own: dict[str, str] = {}
    for place in range(0, len(parts), 2):
        parts[place] = _ENTITY.sub(partial(_declared, own), parts[place])
    mended = parts.copy()
    for place in range(0, len(parts), 2):
        mended[place] = _AMPERSAND.sub(partial(_mended, own), parts[place])
    if not own and mended != parts:
        problems += ("It holds ampersands or entities that XML does not know; they were mended.",)
    return "".join(mended), problems


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
    if name in _NATIVE:
        return found[0]
    if name in own:
        return own[name]
    characters = html5.get(name + ";")
    return f"&amp;{name};" if characters is None else "".join(f"&#{ord(one)};" for one in characters)


def _is_legal(number: str) -> bool:
    code = int(number[1:], 16) if number.startswith("x") else int(number)
    if code < 0x20:
        return code in (0x9, 0xA, 0xD)
    return code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
