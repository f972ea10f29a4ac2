"""What may stand in a document: values of the model, cleaned and in the form that XML formats want."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from feeds.dates import rfc3339
from feeds.errors import RenderError
from feeds.html import clean_text, sanitize, to_text
from feeds.model import Category, Person, Text
from feeds.urls import absolute

# RFC 3986 section 3.1 for the scheme; ids and names of relations may be IRIs (RFC 4287 section 2).
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20\x7f-\x9f\ud800-\udfff\ufffd-\uffff]+")
# Addresses that `absolute` gives back as they are.
_CLEAN = re.compile(
    r"https?://(?!-)[a-z0-9-]+(?:\.[a-z0-9-]+)*"
    r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})+)?"
    r"(?:\#(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})+)?"
)
# ISO 639 has languages of two letters and of three; BCP 47 keeps longer ones for later.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][\w!#$&^.+-]*/[A-Za-z0-9*][\w!#$&^.+-]*", re.ASCII)
_ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+")
_MAIL_IN_NAME = re.compile(r"\s*<[^<>\s]*@[^<>\s]*>")
_AGENT = re.compile(r"(?P<value>[^/()]+)/(?P<version>[^\s()]+)(?: \(\+?(?P<uri>[^()\s]+)\))?")
# Python's own table and not the machine's: the same feed is the same bytes everywhere.
_ENDINGS = mimetypes.MimeTypes()
for _ending, _type in {
    ".avif": "image/avif",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".m4v": "video/mp4",
    ".ogg": "audio/ogg",
    ".webp": "image/webp",
}.items():
    _ENDINGS.add_type(_type, _ending)
# Elements of HTML, and not whatever stands between angle brackets; entities that are closed.
_MARKUP = re.compile(
    r"</?(?:a|abbr|address|article|aside|audio|b|big|blockquote|body|br|button|center|cite|code|dd|del|div|dl|dt"
    r"|em|embed|figcaption|figure|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|label|li|link"
    r"|main|meta|nav|object|ol|option|p|picture|pre|q|s|script|section|select|small|source|span|strike|strong"
    r"|style|sub|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|title|tr|tt|u|ul|video)\b[^<>]*>"
    r"|&(?:[A-Za-z][A-Za-z0-9]{1,30}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});",
    re.IGNORECASE,
)
#: How often a text may have been escaped on its way here.
_ESCAPED_AT_MOST = 3
_RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ps", "sd", "ug", "ur", "yi"})


def one_line(text: str | None) -> str:
    """Plain text on one line, fit for XML and free of markup; "" where nothing is left."""
    # The W3C validator calls U+FFFD a bad character; a question mark tells the same.
    return clean_text(_unmarked(text or "")).replace("\ufffd", "?")


def _unmarked(text: str) -> str:
    """Plain text without the markup that somebody left in it.

    Sources escape twice, or take a text for HTML that is none. Readers would show the tags, and
    some would run them; so what looks like an element or an entity of HTML is read as one.
    """
    for _ in range(_ESCAPED_AT_MOST):
        if not ("<" in text or "&" in text) or not _MARKUP.search(text):
            break
        text = to_text(text)
    return text


def plain(text: str | None) -> str:
    """Plain text, fit for XML, its lines kept."""
    return "\n".join(line for each in (text or "").splitlines() if (line := one_line(each)))


def as_plain(text: Text | None) -> str:
    """A summary in plain text, as Atom wants it; "" for none."""
    if text is None:
        return ""
    return plain(to_text(text.value) if text.type == "html" else text.value)


def markup(text: Text, language: str | None) -> str:
    """A body as it stands in a document; "" where nothing is left.

    HTML is sanitised here once more, at the last gate: briefs and partners' entries do not come
    through a parser. Atom has no attribute for the direction of text, so HTML in a language
    written from right to left carries it itself.
    """
    if text.type == "text":
        return plain(text.value)
    html = sanitize(text.value).replace("\ufffd", "?")
    if html and is_right_to_left(language) and not html.startswith('<div dir="rtl"'):
        return f'<div dir="rtl" lang="{language}">{html}</div>'
    return html


def is_right_to_left(language: str | None) -> bool:
    """Whether a language is written from right to left; False where it is not known."""
    return (language or "").partition("-")[0].lower() in _RIGHT_TO_LEFT


def uri(url: str | None) -> str | None:
    """An absolute http(s) or mailto URI; None where there is none that may be published."""
    # Nearly all were cleaned when they were read; making sure of it in full takes most of a rendering.
    if url and _CLEAN.fullmatch(url):
        return url
    return absolute(url, mailto=True)


def iri(text: str | None) -> str | None:
    """An absolute IRI of any scheme, unchanged; None where the text is none."""
    return text if text and _IRI.fullmatch(text) else None


def identifier(text: str | None, of: str) -> str:
    """An id, unchanged: ids are compared character by character (RFC 4287 section 4.2.6.1).

    Raises:
        RenderError: there is none, or it is no IRI; `of` says whose it is.
    """
    if text and iri(text):
        return text
    fault = f"has the id {text!r}, which is no URI" if text else "has no id"
    raise RenderError(f"{of} {fault}: give it one that never changes, such as a tag: URI (RFC 4287, 4.2.6)")


def language_tag(language: str | None) -> str | None:
    """A BCP 47 tag with hyphens; None where there is none."""
    tag = (language or "").strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else None


def media_type(stated: str | None, url: str = "") -> str | None:
    """The media type stated, without parameters, else the one that the URL's ending tells."""
    found = (stated or "").partition(";")[0].strip().lower()
    if _MEDIA_TYPE.fullmatch(found):
        return found
    return _ENDINGS.guess_type(urlsplit(url).path)[0]


def instant(moment: datetime, of: str) -> str:
    """A time as Atom writes it: UTC, whole seconds, `Z`.

    Raises:
        RenderError: the time has no zone; `of` says whose it is.
    """
    try:
        return _instant(moment)
    except ValueError as error:
        raise RenderError(f"{of}: {error}; give it one when the feed is read") from error


# An entry says the same times in every format.
_instant = lru_cache(maxsize=64)(rfc3339)


def people(persons: Iterable[Person]) -> list[dict[str, str]]:
    """Persons with a name (RFC 4287 section 3.2), in feedgen's words."""
    return [person for each in persons if (person := _person(each))]


def categories(subjects: Iterable[Category]) -> list[dict[str, str]]:
    """Subjects with a term (RFC 4287 section 4.2.2), each once, in feedgen's words."""
    written = [subject for each in subjects if (subject := _category(each))]
    return [subject for place, subject in enumerate(written) if subject not in written[:place]]


def agent(program: str) -> dict[str, str]:
    """A program in feedgen's words, taken apart where it is written as HTTP does: `name/1.2 (+https://…)`."""
    found = _AGENT.fullmatch(one_line(program))
    if found is None:
        return {"generator": one_line(program)}
    return _given(generator=found["value"], version=found["version"], uri=uri(found["uri"]))


def _person(person: Person) -> dict[str, str]:
    name = _MAIL_IN_NAME.sub("", one_line(person.name))
    email = person.email if person.email and _ADDRESS.fullmatch(person.email) else None
    return _given(name=name, email=email, uri=uri(person.url)) if name else {}


def _category(category: Category) -> dict[str, str]:
    term = one_line(category.term)
    return _given(term=term, scheme=iri(category.scheme), label=one_line(category.label)) if term else {}


def _given(**fields: str | None) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}
