"""Elements that hold others: people, pictures, the source of an entry, entries and the feed.

As in `elements`, the handlers say again what feedparser does.
"""

from __future__ import annotations

from functools import partial
from xml.etree.ElementTree import Element

from feeds.read.elements import (
    IGNORED,
    TEXTS,
    Handlers,
    Scope,
    Walk,
    ignore,
    is_unknown,
    joined,
    media_title,
    mended,
    place_in,
    setting,
    subtitle,
    text_of,
)
from feeds.read.parser import Raw
from feeds.read.trees import NotPlain, attributes_of

_SETTINGS = ("icon", "logo", "ttl", "sy_updateperiod", "sy_updatefrequency")
_PERSON = {
    "name": "name",
    "itunes_name": "name",
    "email": "email",
    "itunes_email": "email",
    "uri": "href",
    "url": "href",
    "homepage": "href",
}
_IN_IMAGE = frozenset({"title", "link", "description", "url", "width", "height"})
_IN_TEXTINPUT = frozenset({"title", "link", "description", "name"})


def author(walk: Walk, scope: Scope, element: Element) -> None:
    person: Raw = {}
    scope.raw.setdefault("authors", []).append(person)
    written = mended(_people(walk, scope, element, person))
    if written and not person:
        person["wire_text"] = written


def contributor(walk: Walk, scope: Scope, element: Element) -> None:
    person: Raw = {}
    scope.raw.setdefault("contributors", []).append(person)
    _people(walk, scope, element, person)


def dc_contributor(walk: Walk, scope: Scope, element: Element) -> None:
    scope.raw.setdefault("contributors", []).append({"name": text_of(element)})


def owner(walk: Walk, scope: Scope, element: Element) -> None:
    """Who publishes a podcast; feedparser writes the name and the address over those of the last author."""
    person: Raw = {}
    _people(walk, scope, element, person)
    person.pop("href", None)
    if person:
        scope.raw.setdefault("authors", [{}])[-1].update(person)


def _people(walk: Walk, scope: Scope, element: Element, person: Raw) -> str:
    """Take in what is said of a person; the text around it comes back."""
    _, inner = walk.enter(element, scope, scope.raw)
    text = element.text or ""
    for child in element:
        name = walk.names[child.tag]
        key = _PERSON.get(name)
        if key == "href":
            person[key] = place_in(walk.place(child, inner)[1], child)
            # In the source of an entry, it is then taken for the address of that too.
            scope.raw["href"] = person[key]
        elif key:
            person[key] = text_of(child)
        elif not is_unknown(name) or text_of(child):
            raise NotPlain
        text += child.tail or ""
    return text.strip()


def source(walk: Walk, scope: Scope, element: Element) -> None:
    """The feed that an entry is from: an address and a text in RSS, elements in Atom."""
    found: Raw = {}
    attrs, inner = walk.enter(element, scope, found)
    if "url" in attrs:
        found["href"] = attrs["url"]
    found["wire_language"] = attrs.get("xml:lang")
    walk.title_depth = -1
    walk.children(element, inner, _IN_SOURCE)
    text = (element.text or "") + "".join(child.tail or "" for child in element)
    if name := mended(text.strip()):
        found["title"] = name
    scope.raw["source"] = found


def image(walk: Walk, scope: Scope, element: Element) -> None:
    """The picture of the feed. That of an item feedparser mixes up with it."""
    walk.title_depth = -1
    if scope.is_entry:
        ignore(walk, scope, element)
        return
    found = scope.raw.setdefault("image", {})
    _, inner = walk.enter(element, scope, found)
    for child in element:
        name = walk.names[child.tag]
        text = text_of(child)
        if name not in _IN_IMAGE:
            raise NotPlain
        if name == "url":
            found["href"] = place_in(walk.place(child, inner)[1], child)
        elif name == "title" and text:
            walk.detail(inner, child)
            walk.title_depth = inner.depth + 1


def textinput(walk: Walk, scope: Scope, element: Element) -> None:
    """A field to search in; only its title has an effect, on what counts as the title of the feed."""
    walk.title_depth = -1
    for child in element:
        text = text_of(child)
        if walk.names[child.tag] not in _IN_TEXTINPUT:
            raise NotPlain
        if walk.names[child.tag] == "title" and text:
            walk.title_depth = scope.depth + 2


def itunes_image(walk: Walk, scope: Scope, element: Element) -> None:
    ignore(walk, scope, element)
    attrs = attributes_of(element)
    if href := attrs.get("href") or attrs.get("url"):
        scope.raw["image"] = {"href": href}


def media_group(walk: Walk, scope: Scope, element: Element) -> None:
    group: Raw = {"contents": []}
    _, inner = walk.enter(element, scope, scope.raw, is_entry=scope.is_entry)
    walk.media.append(group)
    walk.children(element, inner, _IN_MEDIA)
    walk.media.pop()
    for media in group.pop("contents"):
        media.update({key: text for key, text in group.items() if key not in media})
    _keep_caption(scope, group)


def media_content(walk: Walk, scope: Scope, element: Element) -> None:
    attrs, inner = walk.enter(element, scope, scope.raw, is_entry=scope.is_entry)
    media = _with_address(attrs, inner.base)
    scope.raw.setdefault("wire_media", []).append(media)
    if walk.media and "contents" in walk.media[-1]:
        walk.media[-1]["contents"].append(media)
    walk.media.append(media)
    walk.children(element, inner, _IN_MEDIA)
    walk.media.pop()
    _keep_caption(scope, media)


def media_thumbnail(walk: Walk, scope: Scope, element: Element) -> None:
    attrs, base, _ = walk.place(element, scope)
    media = _with_address(attrs, base)
    scope.raw.setdefault("media_thumbnail", []).append(media)
    text = place_in(base, element)
    if text.strip():
        media.setdefault("url", text)


def media_description(walk: Walk, scope: Scope, element: Element) -> None:
    if walk.media:
        walk.media[-1].setdefault("description", text_of(element))
    else:
        _keep_caption(scope, {"description": text_of(element)})


def media_credit(walk: Walk, scope: Scope, element: Element) -> None:
    text = text_of(element)
    if walk.media:
        walk.media[-1].setdefault("credit", text)
        return
    attrs = attributes_of(element)
    scope.raw.setdefault("media_credit", []).append(attrs)
    if text:
        attrs["content"] = mended(text)


def _with_address(attrs: Raw, base: str) -> Raw:
    return {**attrs, "url": joined(base, attrs["url"])} if attrs.get("url") else attrs


def _keep_caption(scope: Scope, media: Raw) -> None:
    if media.get("description"):
        scope.raw.setdefault("wire_caption", media["description"])


def entry(walk: Walk, scope: Scope, element: Element) -> None:
    raw: Raw = {}
    attrs, inner = walk.enter(element, scope, raw, is_entry=True)
    _refuse_cdf(attrs)
    walk.entries.append(raw)
    walk.title_depth = -1
    walk.media.clear()
    if about := attrs.get("rdf:about"):
        raw["id"] = about
    raw["wire_base"], raw["wire_language"] = inner.base, inner.language
    walk.children(element, inner, _IN_ENTRY)
    walk.has_content = False


def feed(walk: Walk, scope: Scope, element: Element) -> None:
    """The root of Atom."""
    attrs, inner = walk.enter(element, scope, walk.feed)
    _keep_language(walk, attrs)
    walk.children(element, inner, _IN_FEED)


def rss(walk: Walk, scope: Scope, element: Element) -> None:
    """The root of RSS 2.0 and the older ones; some have their items behind the channel."""
    attrs, inner = walk.enter(element, scope, walk.feed)
    _keep_language(walk, attrs)
    for place, child in enumerate(element):
        name = walk.names[child.tag]
        if name != ("item" if place else "channel"):
            raise NotPlain
        (entry if place else channel)(walk, inner, child)


def rdf(walk: Walk, scope: Scope, element: Element) -> None:
    """The root of RSS 1.0: the channel comes first, and all else stands behind it."""
    _, inner = walk.enter(element, scope, walk.feed)
    for place, child in enumerate(element):
        if (walk.names[child.tag] == "channel") == bool(place):
            raise NotPlain
    walk.children(element, inner, _IN_RDF)


def channel(walk: Walk, scope: Scope, element: Element) -> None:
    attrs, inner = walk.enter(element, scope, walk.feed)
    _refuse_cdf(attrs)
    walk.children(element, inner, _IN_FEED)


def image_outside(walk: Walk, scope: Scope, element: Element) -> None:
    """The picture of a feed in RSS 1.0; feedparser only reads that it is there."""
    known = dict(walk.feed.get("image", {}))
    image(walk, scope, element)
    walk.feed["image"] = known


def _keep_language(walk: Walk, attrs: Raw) -> None:
    language = attrs.get("xml:lang", attrs.get("lang"))
    if language:
        walk.feed["language"] = language.replace("_", "-")


def _refuse_cdf(attrs: Raw) -> None:
    """Attributes that feedparser knows from a format of 1997."""
    if "lastmod" in attrs or "href" in attrs:
        raise NotPlain


_COMMON: Handlers = {
    **IGNORED,
    **TEXTS,
    **dict.fromkeys(("author", "dc_author", "dc_creator", "itunes_author", "managingeditor"), author),
    "contributor": contributor,
    "dc_contributor": dc_contributor,
}
_MEDIA: Handlers = {
    "media_content": media_content,
    "media_credit": media_credit,
    "media_description": media_description,
    "media_group": media_group,
    "media_thumbnail": media_thumbnail,
    "media_title": media_title,
}
_IN_MEDIA: Handlers = {
    **_MEDIA,
    **{key: handler for key, handler in TEXTS.items() if key in ("media_category", "media_keywords")},
    **{key: handler for key, handler in IGNORED.items() if key.startswith("media_")},
}
_IN_ENTRY: Handlers = {
    **_COMMON,
    **_MEDIA,
    **dict.fromkeys(("itunes_image", "itunes_subtitle", "subtitle", "tagline"), ignore),
    "image": image,
    "itunes_owner": owner,
    "source": source,
}
_IN_SOURCE: Handlers = {
    **{key: handler for key, handler in _COMMON.items() if key not in _PERSON},
    "icon": partial(setting, "icon"),
}
_IN_FEED: Handlers = {
    **_COMMON,
    **_MEDIA,
    **{key: partial(setting, key) for key in _SETTINGS},
    **dict.fromkeys(("itunes_subtitle", "subtitle", "tagline"), subtitle),
    "entry": entry,
    "image": image,
    "item": entry,
    "itunes_image": itunes_image,
    "itunes_owner": owner,
    "textinput": textinput,
}
_IN_RDF: Handlers = {"channel": channel, "image": image_outside, "item": entry, "textinput": textinput}
ROOTS: Handlers = {"feed": feed, "rdf_rdf": rdf, "rss": rss}
