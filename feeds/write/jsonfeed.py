"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/).

What it has no field for (sources, rights, corrections) stands in an object of our own,
`_wirebrief`, as its section on extensions provides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from feeds.model import Document, Enclosure, Entry, Feed, Link
from feeds.write.defaults import feed_title, feed_updated
from feeds.write.documents import as_document
from feeds.write.links import UNKNOWN_TYPE, feed_links, href_of, page_of
from feeds.write.objects import Object, begun, given, joined, object_bytes
from feeds.write.ready import Ready, ready
from feeds.write.values import identifier, instant, language_tag, people, plain, uri

JSON_FEED = "application/feed+json"
MEDIA_TYPE = f"{JSON_FEED}; charset=utf-8"

_VERSION = "https://jsonfeed.org/version/1.1"
_ABOUT = (
    "Where an entry comes from and what became of it: links to its sources (rel as in RFC 4287), the feed "
    "that it first stood in, its rights and license, an editor's note, its revision, and whether it was "
    "withdrawn."
)


def assemble(feed_head: Feed, fragments: Iterable[bytes], *, name: str = "") -> Document:
    """Join the head of a feed and items that `entry_fragment` wrote before.

    `name` may stand for the fragments in their order: then the etag is made of it and of the head,
    and not of all the bytes. The same name must always stand for the same bytes.

    Raises:
        RenderError: the feed has no id that is a URI, or nothing in it says when it was updated.
    """
    head = begun(_head(feed_head), "items")
    return as_document(joined(head, fragments), MEDIA_TYPE, head=head, name=name)


def entry_fragment(entry: Entry, *, language: str | None) -> bytes:
    """One item in UTF-8, to be stored as it is and joined by `assemble`.

    `language` is that of the feed, for an entry that does not say its own.

    Raises:
        RenderError: the entry has no id that is a URI, or neither `updated` nor `published`.
    """
    return object_bytes(_item(ready(entry, language)))


def _item(entry: Ready) -> Object:
    return given(
        id=entry.id,
        url=entry.page,
        external_url=_subject_of(entry),
        title=entry.title,
        **_texts(entry),
        image=_image(entry.media),
        date_published=entry.published_at,
        date_modified=entry.updated_at,
        authors=_authors(entry.authors),
        tags=list(dict.fromkeys(each.get("label") or each["term"] for each in entry.categories)),
        language=entry.language,
        attachments=_attachments(entry.media),
        _wirebrief=_extension(entry),
    )


def _subject_of(entry: Ready) -> str | None:
    """The page that the entry is about, where it is ours and about one.

    A story passed through links its own page already; of several sources none is the one.
    """
    sources = [link.href for link in entry.links if link.rel == "via"]
    return sources[0] if len(sources) == 1 and entry.entry.origin is None and entry.page else None


def _texts(entry: Ready) -> Object:
    """One body, which the format demands, and the summary where it says something else."""
    content, body, summary = entry.entry.content, entry.body, entry.own_summary
    if content and body and content.type == "html":
        return given(content_html=body, summary=summary)
    text = body or entry.summary
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


def _extension(entry: Ready) -> Object:
    facts = given(
        sources=[
            given(rel=link.rel, url=link.href, title=link.title, language=link.hreflang)
            for link in entry.links
            if link.rel in ("via", "related")
        ],
        source_feed=_source_feed(entry),
        rights=entry.rights,
        license=href_of(entry.links, "license"),
        note=entry.note,
        revision=entry.entry.revision if entry.entry.revision > 1 else None,
        withdrawn=entry.entry.is_withdrawn,
    )
    return given(about=_ABOUT) | facts if facts else {}


def _source_feed(entry: Ready) -> Object:
    """The feed that the entry first stood in."""
    return given(
        title=entry.origin_title,
        url=page_of(entry.origin_links),
        feed_url=href_of(entry.origin_links, "self"),
        rights=entry.origin_rights,
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
