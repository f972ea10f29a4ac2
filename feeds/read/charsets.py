"""From bytes to text, whatever the server and the document claim about their encoding."""

from __future__ import annotations

import codecs
import re
from email.message import Message

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# The first characters of a document without a byte order mark (XML 1.0 appendix F).
_STARTS = (
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
_DECLARATION = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
# Browsers read these labels as the larger set, and so were the feeds written (WHATWG Encoding section 4.2).
_WIDER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030",
    "euc_kr": "cp949", "shift_jis": "cp932", "tis-620": "cp874",
}  # fmt: skip
# Python decodes these, but no feed is written in them.
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "utf-7"})

#: Up to which share of its non-ASCII characters a text may be damaged and still count as UTF-8.
_DAMAGE = 0.2


def decode(body: bytes, content_type: str | None = None) -> tuple[str, tuple[str, ...]]:
    """The text of a document, and what was wrong with its encoding in an editor's words.

    A byte order mark wins; then comes UTF-8 wherever the bytes are valid in it, as no other
    encoding looks like that by accident; then the labels of server and document. What no label
    fits is UTF-8 with damage, or Windows-1252.
    """
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace"), ()
    for start, encoding in _STARTS:
        if body.startswith(start):
            return body.decode(encoding, "replace"), ()
    labels = _labels(body, content_type)
    # ISO-2022 and HZ write all characters in seven bits, so they look like ASCII.
    shifted = next((label for label in labels if label.startswith(("iso2022", "hz"))), None)
    if shifted:
        return body.decode(shifted, "replace"), ()
    try:
        return body.decode("utf-8"), _mislabelled(body, labels)
    except UnicodeDecodeError:
        return _legacy(body, labels)


def _labels(body: bytes, content_type: str | None) -> list[str]:
    """Python's names of the encodings that the server and the document claim, known ones only."""
    message = Message()
    message["content-type"] = (content_type or "").replace("\n", " ").replace("\r", " ")
    claimed = message.get_param("charset")
    declared = _DECLARATION.match(body)
    names = [claimed if isinstance(claimed, str) else "", declared[1].decode("ascii") if declared else ""]
    return [label for name in names if (label := _known(name.strip(" \"'")))]


def _known(name: str) -> str | None:
    try:
        label = codecs.lookup(name).name
        "".encode(label)
    except (LookupError, ValueError):
        return None
    return (
        None if label.startswith(("utf-16", "utf-32")) or label in _NO_CHARSETS else _WIDER.get(label, label)
    )


def _mislabelled(body: bytes, labels: list[str]) -> tuple[str, ...]:
    if body.isascii() or not labels or labels[0] == "utf-8":
        return ()
    return (f"It is labelled as {labels[0]} but written in UTF-8.",)


def _legacy(body: bytes, labels: list[str]) -> tuple[str, tuple[str, ...]]:
    for label in labels:
        if label == "utf-8":
            continue
        try:
            return body.decode(label), ()
        except UnicodeDecodeError:
            continue
    text = body.decode("utf-8", "replace")
    if text.count("\ufffd") <= _DAMAGE * sum(not character.isascii() for character in text):
        return text, ("Some characters are damaged: they are not valid UTF-8.",)
    best = next((label for label in labels if label != "utf-8"), "cp1252")
    return body.decode(best, "replace"), (f"Its encoding is not what it says; it was read as {best}.",)
