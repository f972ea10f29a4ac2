"""HTML and text that strangers wrote, made safe to show and to publish.

nh3 (the parser of a browser, in Rust) does the parsing. What comes out of here holds no character
that XML forbids and none that turns the direction of the text around it.
"""

from __future__ import annotations

import html as entities
import re
import unicodedata

import nh3

from feeds.urls import SETTLED, absolute


def _names(written: str) -> frozenset[str]:
    return frozenset(written.split())


_INLINE = _names("""
    a abbr acronym b bdi br cite code data del dfn em i img ins kbd mark q rp rt ruby s samp small span
    strike strong sub sup time tt u var wbr
""")
_BLOCKS = _names("""
    address article aside audio blockquote caption center dd details div dl dt figcaption figure footer
    h1 h2 h3 h4 h5 h6 header hgroup hr li main nav ol p pre section summary table tbody td tfoot th thead
    tr ul video
""")
_PARTS = _names("col colgroup source")
# Their content is for programs, or no browser shows it. That of a form or an object stays, as text.
_GONE_WITH_CONTENT = _names("""
    iframe math noembed noframes noscript script select style svg template textarea title
""")
_WITHOUT_END = _names("area br col dd dt embed hr img input li link meta option p source td th tr wbr")
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"dir", "lang", "title"},
    "a": {"href", "hreflang"},
    "audio": {"controls", "src"},
    "blockquote": {"cite"},
    "col": {"span"},
    "colgroup": {"span"},
    "data": {"value"},
    "del": {"cite", "datetime"},
    "details": {"open"},
    "img": {"alt", "height", "src", "width"},
    "ins": {"cite", "datetime"},
    "li": {"value"},
    "ol": {"reversed", "start", "type"},
    "q": {"cite"},
    "source": {"src", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
    "video": {"controls", "height", "poster", "src", "width"},
}
_ADDRESSES = frozenset({"cite", "href", "poster", "src"})

# nh3 writes each tag in one form: names in lower case, values in double quotes, < and > escaped.
_IMAGE = re.compile(r'<img((?: [a-z]+="[^"]*")*)>')
_TINY = re.compile(r' (?:width|height)="\s*0*[01](?:px)?\s*"')
_CELL = re.compile(r"</?t[dh]>")
# The value of an attribute in which nothing is written by reference but an ampersand, if anything.
_ODD_ADDRESS = re.compile(
    rf"""="(?:(?<=[ ]href=")|(?<=[ ]src=")|(?<=[ ]cite=")|(?<=[ ]poster="))
        (?!(?:{SETTLED.replace("&", "").replace("|%", "|&amp;|%")})")""",
    re.VERBOSE,
)
_WITH_ATTRIBUTES = re.compile(r'<[a-z][a-z0-9]*((?: [a-z]+="[^"]*")+)>')
_ATTRIBUTE = re.compile(r' ([a-z]+)="([^"]*)"')
# Tags of elements that need their end tag; and quickly, start tags of those and of some more, end tags of some.
_NO_END = rf"(?:{'|'.join(sorted(_WITHOUT_END))})(?![^\s/<>])"
_TAG = re.compile(rf"<(/?)(?!(?ai:{_NO_END}))[a-zA-Z]")
_ROUGH_TAG = re.compile(rf"<(?!{_NO_END})(?:[a-zA-Z]|(/)(?!{_NO_END})[a-z])")
_WHOLE_TAG = re.compile(r"<[^>]*>?")
_BREAK = re.compile(r"<[^>]*>")

_C1 = {chr(code): bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
# What XML 1.0 forbids (section 2.2), delete, C1 controls, surrogates, embeddings and overrides of
# direction (Unicode TR 9 section 2), byte order marks.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\ufeff\ufffe\uffff]")
# The same and isolates of direction in UTF-8, where they are found in a fifth of the time.
_UNWANTED_BYTES = bytes((*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F))
_UNWANTED_SEQUENCES = (
    re.compile(rb"\xc2[\x80-\x9f]"),
    re.compile(rb"\xe2(?:\x80[\xaa-\xae]|\x81[\xa6-\xa9])"),
    re.compile(rb"\xef(?:\xbb\xbf|\xbf[\xbe\xbf])"),
)
_ISOLATES = re.compile("[\u2066-\u2069]")
# Spaces that may not break (U+00A0, U+202F) are typography and stay.
_SPACES = re.compile("[ \t\n\r\u2028\u2029]+")
_SPACES_IN_LINE = re.compile("[ \t\r\u2028\u2029]+")
_AROUND = " \t\n\r\u00a0\u202f\u2028\u2029"

_SENTENCE_END = re.compile(r"[.!?؟।։…]+[\"'»”’)\]]*(?=\s)|[。！？｡]+[」』”’）]*")
_WORD_END = re.compile(r"(?<=\S)\s")
_JOINERS = "\u200c\u200d"

#: A tag as nh3 writes it, and what is shown for it.
_CLEAN_TAG = re.compile("</?([a-z0-9]+)[^<>]*>")
_TABLE = _names("caption col colgroup table tbody td tfoot th thead tr")
_SHOWN_AS = {
    **dict.fromkeys((*_INLINE - {"br"}, *_PARTS - _TABLE), ""),
    **dict.fromkeys((*_BLOCKS - _TABLE, "br"), "\n"),
}

_CLEANER = nh3.Cleaner(
    tags={*_INLINE, *_BLOCKS, *_PARTS},
    clean_content_tags=set(_GONE_WITH_CONTENT),
    attributes=_ATTRIBUTES,
    link_rel=None,
    url_schemes={"http", "https", "mailto"},
)
_BLOCKS_ONLY = nh3.Cleaner(
    tags={*_BLOCKS, "br"}, clean_content_tags=set(_GONE_WITH_CONTENT), attributes={}, link_rel=None
)

#: Elements within elements: beyond this, parsers of HTML take quadratic time, and no article comes near it.
_DEPTH = 200


def sanitize(html: str, base: str | None = None) -> str:
    """The same HTML as far as it can be shown anywhere and published.

    Elements and attributes are those of an allow-list (`dir` and `lang` among them). Links are
    absolute and lead to http, https or mailto. Scripts, styles, forms, frames, event handlers and
    pictures of one pixel are gone. Text that is no HTML comes back escaped; what is nested deeper
    than any article comes back without its tags.
    """
    was_legal = _is_legal(html)
    cleaned = _CLEANER.clean(_shallow(html if was_legal else _made_legal(html)))
    if _ODD_ADDRESS.search(cleaned):
        cleaned = _with_addresses(cleaned, base)
    if "&#" in html or not was_legal:
        # References may have brought what no text may hold, and of two isolates one may have been cut.
        cleaned = _legal(cleaned)
    if "<img" in cleaned:
        cleaned = _IMAGE.sub(_unless_tracker, cleaned)
    return cleaned.strip()


def to_text(html: str) -> str:
    """The words of an HTML fragment: entities decoded, one line a block, whitespace folded.

    Works for text that is no HTML, which then comes back folded in itself.
    """
    if html.isprintable() and "<" not in html and "&" not in html:
        return clean_text(html)
    text = _legal(html)
    if "<" in text:
        text = _without_tags(_shallow(text))
    lines = (_SPACES_IN_LINE.sub(" ", line).strip(_AROUND) for line in _decoded(text).split("\n"))
    return _legal("\n".join(line for line in lines if line))


def text_of_clean(html: str) -> str:
    """`to_text` of what came out of `sanitize`, for a fifth of the time: nothing is parsed again."""
    if "&#" in html or any(isolate in html for isolate in "\u2066\u2067\u2068\u2069"):
        return to_text(html)
    text = html
    for space in "\n\t\r\u2028\u2029" if "<" in html else "\t\r\u2028\u2029":
        text = text.replace(space, " ")
    pieces = _CLEAN_TAG.split(text)
    for place in range(1, len(pieces), 2):
        shown = _SHOWN_AS.get(pieces[place])
        if shown is None:
            # A table is put in order by who parses it; anything else is no tag of ours.
            return to_text(html)
        pieces[place] = shown
    text = "".join(pieces)
    if "<" in text:
        return to_text(html)
    if "&" in text:
        text = entities.unescape(text)
    while "  " in text:
        text = text.replace("  ", " ")
    return "\n".join(filter(None, [line.strip(_AROUND) for line in text.split("\n")]))


def excerpt(text: str, limit: int = 300) -> str:
    """The beginning of a text, at most `limit` code points long, with an ellipsis where it was cut.

    Cut after a sentence if one ends in the second half, else after a word, else (languages
    without spaces) between two characters as a person counts them (Unicode TR 29), never within one.

    Raises:
        ValueError: `limit` leaves no room for the ellipsis.
    """
    if limit < 1:
        raise ValueError("an excerpt needs room for one character at least")
    if len(text) <= limit:
        return text
    room = limit - 1
    sentence = _last_end(_SENTENCE_END, text, room - 1)
    if sentence > limit // 2:
        return text[:sentence] + " …"
    word = max((found.start() for found in _WORD_END.finditer(text, 0, room + 1)), default=0)
    cut = word if word > limit // 2 else _between_characters(text, room)
    return text[:cut].rstrip() + "…"


def clean_text(text: str) -> str:
    """One line of plain text, fit for XML and for a page.

    Characters that XML forbids are gone, C1 controls are what Windows-1252 means by them, nothing
    overrides the direction of text, isolates of direction come in pairs, whitespace is folded.
    U+FFFD stays: it tells a reader that something was lost.
    """
    if text.isprintable():
        # Then there are no controls in it, and no other spaces than the common one.
        return (_SPACES.sub(" ", text) if "  " in text else text).strip(" ")
    return _SPACES.sub(" ", _legal(text)).strip(_AROUND)


def escape(text: str) -> str:
    """The text as HTML shows it, in an element or in a quoted attribute."""
    return entities.escape(text, quote=True)


def _shallow(text: str) -> str:
    return _WHOLE_TAG.sub(" ", text) if text.count("<") > _DEPTH and _is_deep(text) else text


def _is_deep(text: str) -> bool:
    """Whether elements stand in each other deeper than any article's, leaving out those that need no end tag."""
    return _ends_late(_ROUGH_TAG.findall(text)) and _ends_late(_TAG.findall(text))


def _ends_late(slashes: list[str]) -> bool:
    """Whether too many elements are open at once, of which each tag gives its slash if it has one."""
    if slashes.count("") <= _DEPTH:
        return False
    depth = 0
    for slash in slashes:
        if not slash:
            depth += 1
            if depth > _DEPTH:
                return True
        elif depth:
            depth -= 1
    return False


def _with_addresses(html: str, base: str | None) -> str:
    """What nh3 wrote, with all addresses in it absolute, and without those that lead nowhere."""
    pieces: list[str] = []
    done = seen = 0
    for odd in _ODD_ADDRESS.finditer(html):
        begin, seen = html.rfind("<", seen, odd.start()), odd.start()
        # Without a new beginning, it is the tag of the one before, or the text behind that.
        tag = _WITH_ATTRIBUTES.match(html, begin) if begin >= 0 else None
        if tag and tag.end() > seen:
            pieces += (html[done:begin], _with_address(tag, base))
            done = tag.end()
    return "".join((*pieces, html[done:]))


def _with_address(tag: re.Match[str], base: str | None) -> str:
    kept = [(name, _attribute(name, value, base)) for name, value in _ATTRIBUTE.findall(tag[1])]
    for place in reversed(range(len(kept))):
        if kept[place][1] is None:
            # nh3 puts the last one there too, where it is asked to leave out an attribute.
            kept[place] = kept[-1]
            del kept[-1]
    written = "".join(f' {name}="{value}"' for name, value in kept)
    return f"{tag[0][: tag.start(1) - tag.start()]}{written}>"


def _attribute(name: str, value: str, base: str | None) -> str | None:
    if name not in _ADDRESSES:
        return value
    found = absolute(entities.unescape(value), base, mailto=name == "href")
    return found and found.replace("&", "&amp;")


def _unless_tracker(image: re.Match[str]) -> str:
    """The tag of a picture; nothing for one without an address or of one pixel, which only counts readers."""
    return "" if ' src="' not in image[1] or _TINY.search(image[1]) else image[0]


def _without_tags(text: str) -> str:
    """Let only blocks stand, written in one way, and make them ends of lines."""
    folded = _SPACES.sub(" ", _BLOCKS_ONLY.clean(text))
    return _BREAK.sub("\n", _CELL.sub(" ", folded))


def _decoded(text: str) -> str:
    return _legal(entities.unescape(text)) if "&" in text else text


def _legal(text: str) -> str:
    return text if _is_legal(text) else _made_legal(text)


def _made_legal(text: str) -> str:
    text = _UNWANTED.sub(lambda found: _C1.get(found[0], ""), text)
    return _paired(text) if _ISOLATES.search(text) else text


def _is_legal(text: str) -> bool:
    """Whether nothing in a text is unwanted or is an isolate, which nearly all texts fulfil."""
    if text.isprintable():
        return True
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return False
    if len(data.translate(None, _UNWANTED_BYTES)) < len(data):
        return False
    return len(data) == len(text) or not any(unwanted.search(data) for unwanted in _UNWANTED_SEQUENCES)


def _paired(text: str) -> str:
    """The text without openings of an isolate that nothing closes, and closings of nothing."""
    unpaired: set[int] = set()
    open_ones: list[int] = []
    for found in _ISOLATES.finditer(text):
        if found[0] != "\u2069":
            open_ones.append(found.start())
        elif open_ones:
            open_ones.pop()
        else:
            unpaired.add(found.start())
    unpaired.update(open_ones)
    return "".join(character for place, character in enumerate(text) if place not in unpaired)


def _last_end(pattern: re.Pattern[str], text: str, room: int) -> int:
    ends = (found.end() for found in pattern.finditer(text, 0, room + 1))
    return max((end for end in ends if end <= room), default=0)


def _between_characters(text: str, place: int) -> int:
    while place and not _begins_character(text, place):
        place -= 1
    return place


def _begins_character(text: str, place: int) -> bool:
    """Whether text[place] begins what a person takes for one character (Unicode TR 29, simplified)."""
    here, before = text[place], text[place - 1]
    if unicodedata.category(here).startswith("M") or here in _JOINERS or before == "\u200d":
        return False
    if "\U0001f3fb" <= here <= "\U0001f3ff" or "\U000e0020" <= here <= "\U000e007f":
        return False
    if "\u1160" <= here <= "\u11ff":
        return False
    return not (_is_flag_letter(here) and _flag_letters_before(text, place) % 2)


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_letters_before(text: str, place: int) -> int:
    count = 0
    while count < place and _is_flag_letter(text[place - count - 1]):
        count += 1
    return count
