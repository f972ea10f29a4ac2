"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/).

What it has no field for (sources, rights, corrections) stands in an object of our own,
`_wirebrief`, as its section on extensions provides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from feeds.model import Document, Enclosure, Entry, Feed, Link, Origin
from feeds.write.defaults import (
    authors_of,
    entry_body,
    entry_language,
    entry_summary,
    entry_title,
    entry_updated,
    feed_title,
    feed_updated,
    name_of,
)
from feeds.write.documents import as_document
from feeds.write.links import UNKNOWN_TYPE, entry_links, feed_links, href_of, media_of, origin_links, page_of
from feeds.write.objects import Object, given, joined, object_bytes
from feeds.write.values import (
    as_plain,
    categories,
    identifier,
    instant,
    language_tag,
    one_line,
    people,
    plain,
    uri,
)

JSON_FEED = "application/feed+json"
MEDIA_TYPE = f"{JSON_FEED}; charset=utf-8"

_VERSION = "https://jsonfeed.org/version/1.1"
_ABOUT = (
    "Where an entry comes from and what became of it: links to its sources (rel as in RFC 4287), the feed "
    "that it first stood in, its rights and license, an editor's note, its revision, and whether it was "
    "withdrawn."
)


def assemble(feed_head: Feed, fragments: Iterable[bytes]) -> Document:
    """Join the head of a feed and items that `entry_fragment` wrote before.

    Raises:
        RenderError: the feed has no id that is a URI, or nothing in it says when it was updated.
    """
    return as_document(joined(_head(feed_head), "items", fragments), MEDIA_TYPE)


def entry_fragment(entry: Entry, *, language: str | None) -> bytes:
    """One item in UTF-8, to be stored as it is and joined by `assemble`.

    `language` is that of the feed, for an entry that does not say its own.

    Raises:
        RenderError: the entry has no id that is a URI, or neither `updated` nor `published`.
    """
    return object_bytes(_item(entry, entry_language(entry, language)))


def _item(entry: Entry, language: str | None) -> Object:
    links, media = entry_links(entry, language), media_of(entry)
    published = entry.published and instant(entry.published, of=name_of(entry))
    return given(
        id=identifier(entry.id, of=name_of(entry)),
        url=page_of(links),
        external_url=_subject_of(entry, links),
        title=entry_title(entry),
        **_texts(entry, language),
        image=_image(media),
        date_published=published,
        date_modified=instant(entry_updated(entry), of=name_of(entry)),
        authors=_authors(authors_of(entry)),
        tags=list(dict.fromkeys(each.get("label") or each["term"] for each in categories(entry.categories))),
        language=language,
        attachments=_attachments(media),
        _wirebrief=_extension(entry, links),
    )


def _subject_of(entry: Entry, links: list[Link]) -> str | None:
    """The page that the entry is about, where it is ours and about one.

    A story passed through links its own page already; of several sources none is the one.
    """
    sources = [link.href for link in links if link.rel == "via"]
    return sources[0] if len(sources) == 1 and entry.origin is None and page_of(links) else None


def _texts(entry: Entry, language: str | None) -> Object:
    """One body, which the format demands, and the summary where it says something else."""
    content, body = entry.content, entry_body(entry, language)
    if content and body and content.type == "html":
        return given(content_html=body, summary=as_plain(entry.summary))
    text = body or entry_summary(entry)
    summary = as_plain(entry.summary)
    return given(content_text=text, summary=summary if summary != text else "")


def _image(media: list[Enclosure]) -> str | None:
    """The first picture, else the first preview."""
    pictures = [
        each.url for each in media if (each.type or "").startswith("image/") and not each.is_thumbnail
    ]
    return next(iter([*pictures, *(each.url for each in media if each.is_thumbnail)]), None)


def _attachments(media: list[Enclosure]) -> list[Object]:
    whole = [each for each in media if not each.is_thumbnail]
    titles = Counter(each.title for each in whole)
    return [
        given(
            url=each.url,
            mime_type=each.type or UNKNOWN_TYPE,
            # Attachments of the same title are taken for the same thing in several forms.
            title=each.title if titles[each.title] == 1 else None,
            size_in_bytes=each.length,
            _wirebrief=given(credit=each.credit, width=each.width, height=each.height),
        )
        for each in whole
    ]


def _authors(persons: list[dict[str, str]]) -> list[Object]:
    return [given(name=each["name"], url=each.get("uri")) for each in persons]


def _extension(entry: Entry, links: list[Link]) -> Object:
    facts = given(
        sources=[
            given(rel=link.rel, url=link.href, title=link.title, language=link.hreflang)
            for link in links
            if link.rel in ("via", "related")
        ],
        source_feed=_source_feed(entry.origin),
        rights=plain(entry.rights),
        license=href_of(links, "license"),
        note=plain(entry.note),
        revision=entry.revision if entry.revision > 1 else None,
        withdrawn=entry.is_withdrawn,
    )
    return given(about=_ABOUT) | facts if facts else {}


def _source_feed(origin: Origin | None) -> Object:
    """The feed that the entry first stood in."""
    if origin is None:
        return {}
    links = origin_links(origin)
    return given(
        title=one_line(origin.title),
        url=page_of(links),
        feed_url=href_of(links, "self"),
        rights=plain(origin.rights),
    )


def _head(feed: Feed) -> Object:
    links, title = feed_links(feed, JSON_FEED), feed_title(feed)
    own = href_of(links, "self")
    facts = given(
        id=identifier(feed.id, of=f"The feed {feed.title!r}"),
        updated=instant(feed_updated(feed), of=f"The feed {feed.title!r}"),
        rights=plain(feed.rights),
        is_archive=feed.is_archive,
    )
    return given(
        version=_VERSION,
        title=title,
        home_page_url=page_of(links),
        feed_url=own,
        description=plain(feed.subtitle),
        next_url=_older(links, own),
        icon=uri(feed.icon),
        authors=_authors(people(feed.authors)),
        language=language_tag(feed.language),
        hubs=[{"type": "WebSub", "url": link.href} for link in links if link.rel == "hub"],
        _wirebrief=given(about=_ABOUT) | facts,
    )


def _older(links: list[Link], own: str | None) -> str | None:
    """The document with the items before these; a feed that names itself would have readers go in circles."""
    found = (href_of(links, rel) for rel in ("next", "prev-archive"))
    return next((href for href in found if href and href != own), None)
