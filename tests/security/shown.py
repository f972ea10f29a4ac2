"""What a browser would make of an answer, and what of it none of ours contains."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import lxml.html
from lxml import etree

from aggregator import web
from aggregator.web import static

_TEMPLATES = Path(web.__file__).parent / "templates"
#: The elements that our own pages are made of.
OURS = {
    name
    for path in _TEMPLATES.rglob("*.html")
    for name in re.findall(r"<([a-z][a-z0-9]*)", path.read_text(encoding="utf-8"))
} | {"html", "head", "body", "tbody", "time", "mark", "p"}
#: Of HTML that is passed on, none of these may be left.
BANNED = {
    "script", "style", "iframe", "frame", "frameset", "object", "embed", "applet", "base", "meta", "link", "form", "input",
    "button", "select", "textarea", "svg", "math", "template", "noscript", "portal", "marquee", "foreignobject",
}  # fmt: skip
_BANNED_ATTRIBUTES = {
    "style", "srcdoc", "formaction", "ping", "background", "dynsrc", "lowsrc", "is", "attributename", "popovertarget",
}  # fmt: skip
_ADDRESSES = {"href", "src", "action", "data", "cite", "xlink:href", "manifest", "longdesc", "poster"}
_SCHEMES = {"", "http", "https", "mailto"}
_ID = re.compile(r"[A-Za-z][\w:.-]*")


def faults(page: str) -> list[str]:
    """What in a page of ours is not ours."""
    found = [f"{end} more than once" for end in ("</html>", "</body>", "</head>") if page.count(end) > 1]
    for element in lxml.html.document_fromstring(page).iter():
        if not isinstance(element.tag, str):
            found.append(f"a comment: {str(element)[:80]}")
            continue
        found += [f"{etree.tostring(element, encoding='unicode')[:160]}: {each}" for each in _own(element)]
    return found


def faults_within(fragment: str) -> list[str]:
    """What in HTML that is passed on could do something."""
    if not fragment.strip():
        return []
    return [
        f"{etree.tostring(element, encoding='unicode')[:160]}: {each}"
        for element in lxml.html.document_fromstring(f"<div>{fragment}</div>").iter()
        if isinstance(element.tag, str)
        for each in _passed_on(element)
    ]


def bad_address(address: str) -> bool:
    """Whether an address leads anywhere but to a page."""
    plain = re.sub(r"[\x00-\x20]", "", address)
    try:
        return urlsplit(plain).scheme.lower() not in _SCHEMES or plain.startswith("//")
    except ValueError:
        return True


def text_in(page: str) -> str:
    """The text of a page with its blanks as one."""
    root = lxml.html.document_fromstring(page)
    for element in root.xpath("//script|//style"):
        element.drop_tree()
    said = [*root.itertext(), *(str(each) for each in root.xpath("//@value|//@title"))]
    return " ".join(" ".join(said).split())


def _own(element: lxml.html.HtmlElement) -> Iterator[str]:
    if element.tag not in OURS:
        yield "an element that none of our templates has"
    yield from _attributes(element)
    match element.tag:
        case "script" if element.get("type") == "application/ld+json":
            json.loads(element.text or "")
        case "script":
            if not (element.get("src") or "").startswith("/static/") or (element.text or "").strip():
                yield "a script that is not ours"
        case "style" if (element.text or "").strip() != static.text("embed.css").strip():
            yield "a style that is not ours"
        case "form" if not (element.get("action") or "/").startswith("/"):
            yield "a form that is sent elsewhere"
        case "link" if element.get("rel") in ("stylesheet", "prefetch", "preload", "modulepreload", "import"):
            if not (element.get("href") or "").startswith("/static/"):
                yield "something loaded from elsewhere"
        case "meta" if element.get("http-equiv"):
            yield "a meta element that acts"
    loaded = [element.get(name) for name in ("src", "srcset", "poster") if element.get(name) is not None]
    if not all(each.startswith("/") for each in loaded):
        yield "something loaded from elsewhere"


def _passed_on(element: lxml.html.HtmlElement) -> Iterator[str]:
    if element.tag in BANNED:
        yield "an element that acts"
    yield from _attributes(element)


def _attributes(element: lxml.html.HtmlElement) -> Iterator[str]:
    for name, value in element.attrib.items():
        is_ours = name == "formaction" and value.startswith("/desk/")
        if (name.startswith(("on", "hx-")) or name in _BANNED_ATTRIBUTES) and not is_ours:
            yield f"the attribute {name}"
        if name in _ADDRESSES and bad_address(value):
            yield f"{name} leads to {value[:60]!r}"
        if name in ("id", "for", "class") and value and not all(map(_ID.fullmatch, value.split())):
            yield f"{name} is {value[:60]!r}"
