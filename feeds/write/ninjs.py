"""ninjs 3.1, the IPTC's news in JSON (https://iptc.org/standards/ninjs/), for partners' newsrooms.

One entry is one item. A channel is an item of type "composite" whose associations are its entries,
since the standard has no list of items. Nobody registered a media type for it, so it is plain JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from feeds.model import Document, Enclosure, Entry, Feed, Link
from feeds.urls import host_of
from feeds.write.defaults import feed_title, feed_updated
from feeds.write.documents import as_document
from feeds.write.links import feed_links, feed_or_site, href_of, page_of
from feeds.write.objects import Object, begun, given, joined, object_bytes
from feeds.write.ready import Ready, ready
from feeds.write.values import categories, identifier, instant, language_tag, people, plain, uri

#: Without a charset: RFC 8259 gives application/json none, and it is UTF-8 always.
MEDIA_TYPE = "application/json"

_STANDARD = {
    "name": "ninjs",
    "version": "3.1",
    "schema": "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json#",
}
_KINDS = {"audio": "audio", "image": "picture", "video": "video", "text": "text"}


def assemble(feed_head: Feed, fragments: Iterable[bytes], *, name: str = "") -> Document:
    """Join the head of a channel and items that `entry_fragment` wrote before.

    `name` may stand for the fragments in their order: then the etag is made of it and of the head,
    and not of all the bytes. The same name must always stand for the same bytes.

    Raises:
        RenderError: the feed has no id that is a URI, or nothing in it says when it was updated.
    """
    head = begun(_head(feed_head), "associations")
    return as_document(joined(head, fragments), MEDIA_TYPE, head=head, name=name)


def entry_fragment(entry: Entry, *, language: str | None) -> bytes:
    """One item as it stands in a channel, to be stored as it is and joined by `assemble`.

    `language` is that of the feed, for an entry that does not say its own.

    Raises:
        RenderError: the entry has no id that is a URI, or neither `updated` nor `published`.
    """
    one = ready(entry, language)
    return object_bytes({"name": one.title} | _item(one))


def render_entry(entry: Entry, *, language: str | None) -> Document:
    """One entry as a document of its own.

    Raises:
        RenderError: as `entry_fragment` does.
    """
    item = {"standard": _STANDARD} | _item(ready(entry, language))
    return as_document(object_bytes(item) + b"\n", MEDIA_TYPE)


def _item(entry: Ready) -> Object:
    links, bodies, summary = entry.links, _bodies(entry), entry.own_summary
    return given(
        uri=entry.id,
        type="text",
        representationType="full" if bodies else "partial",
        version=str(entry.entry.revision),
        firstCreated=entry.published_at,
        versionCreated=entry.updated_at,
        pubStatus="canceled" if entry.entry.is_withdrawn else "usable",
        language=entry.language,
        **_rights(entry),
        edNote=entry.note,
        by=_names(entry.authors),
        headlines=[_text("main", entry.title)],
        descriptions=[_text("summary", summary)] if summary else None,
        bodies=bodies,
        subjects=[_subject(each) for each in entry.categories],
        infoSources=_info_sources(entry),
        renditions=_page(links, "web"),
        associations=[
            *_linked(links, "via", name="source", rel="basis"),
            *_linked(links, "related", name="background", rel="background"),
            *(_media(each, place) for place, each in enumerate(entry.media, start=1)),
        ],
    )


def _text(role: str, value: str, content_type: str = "text/plain") -> Object:
    return {"role": role, "contentType": content_type, "value": value}


def _bodies(entry: Ready) -> list[Object]:
    content, body = entry.entry.content, entry.body
    if content is None or not body:
        return []
    return [_text("main", body, "text/html" if content.type == "html" else "text/plain")]


def _rights(entry: Ready) -> Object:
    """Its own notice, the terms of the feed that it came from, and the license that it names."""
    return given(
        copyrightNotice=entry.rights,
        usageTerms=entry.origin_rights,
        rightsInfo=given(linkedRights=href_of(entry.links, "license")),
    )


def _names(persons: list[dict[str, str]]) -> str:
    return ", ".join(person["name"] for person in persons)


def _subject(category: dict[str, str]) -> Object:
    """A subject by name and code, and by URI where its vocabulary makes URIs of its codes.

    The IPTC writes a code as `medtop:20000076` in XML and as the end of a URI in JSON.
    """
    term, scheme = category["term"], category.get("scheme") or ""
    made = uri(scheme + term.rpartition(":")[2]) if scheme.endswith(("/", "#")) else None
    return given(name=category.get("label") or term, uri=made, literal=term)


def _info_sources(entry: Ready) -> list[Object]:
    """The agency that a story came from, else the sites that stand behind a brief, each once."""
    if entry.entry.origin:
        found = entry.origin_links
        place = page_of(found) or feed_or_site(found)
        name = entry.origin_title or host_of(place or "")
        return [given(name=name, uri=place)] if name else []
    sites = dict.fromkeys(urlsplit(link.href).netloc for link in entry.links if link.rel == "via")
    return [{"name": host_of(f"https://{site}"), "uri": f"https://{site}/"} for site in sites if site]


def _page(links: list[Link], name: str) -> list[Object]:
    """The page to read it on: a rendition, since `uri` and `altIds` are names and lead nowhere."""
    pages = (link for link in links if link.rel == "alternate")
    return [given(name=name, href=link.href, contentType=link.type) for link in pages]


def _linked(links: list[Link], linked: str, *, name: str, rel: str) -> list[Object]:
    """The pages that links of one relation lead to, as items of which little is known."""
    pages = [link for link in links if link.rel == linked]
    return [
        given(
            name=f"{name}-{place}",
            rel=rel,
            uri=link.href,
            representationType="partial",
            language=link.hreflang,
            headlines=[_text("main", link.title)] if link.title else None,
        )
        for place, link in enumerate(pages, start=1)
    ]


def _media(media: Enclosure, place: int) -> Object:
    rendition = given(
        name="thumbnail" if media.is_thumbnail else "main",
        href=media.url,
        contentType=media.type,
        width=media.width,
        height=media.height,
        sizeInBytes=media.length,
    )
    return given(
        name=f"media-{place}",
        rel="media",
        uri=media.url,
        type=_KINDS.get((media.type or "").partition("/")[0]),
        by=media.credit,
        descriptions=[_text("caption", media.title)] if media.title else None,
        renditions=[rendition],
    )


def _head(feed: Feed) -> Object:
    name = f"The feed {feed.title!r}"
    summary = plain(feed.subtitle)
    return given(
        uri=identifier(feed.id, of=name),
        standard=_STANDARD,
        type="composite",
        versionCreated=instant(feed_updated(feed), of=name),
        pubStatus="usable",
        language=language_tag(feed.language),
        copyrightNotice=plain(feed.rights),
        title=feed_title(feed),
        by=_names(people(feed.authors)),
        headlines=[_text("main", feed_title(feed))],
        descriptions=[_text("summary", summary)] if summary else None,
        subjects=[_subject(each) for each in categories(feed.categories)],
        renditions=_page(feed_links(feed), "web"),
    )
