"""RSS 2.0 (https://www.rssboard.org/rss-specification), for readers that know nothing newer.

Written by lxml: feedgen's RSS sets the locale of the whole process while it writes a date, writes
the last of several links as that of the channel, drops authors without an address of mail, and
fails on an enclosure without a size.

What RSS has no element for is said in the words of Atom, Dublin Core and Media RSS. Text holds
`&` and `<` as hex references, as the RSS Best Practices Profile asks.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from urllib.parse import urlsplit

from lxml import etree

from feeds.dates import rfc822
from feeds.model import Document, Enclosure, Entry, Feed, Text
from feeds.write.defaults import feed_title, feed_updated, generator_of
from feeds.write.documents import as_document
from feeds.write.links import UNKNOWN_TYPE, feed_links, feed_or_site, href_of, page_of
from feeds.write.ready import Ready, ready
from feeds.write.values import (
    categories,
    identifier,
    language_tag,
    markup,
    one_line,
    people,
    plain,
    uri,
)
from feeds.write.xml import HISTORY, MEDIA, add, fragment_bytes, link_element, set_given

RSS = "application/rss+xml"
MEDIA_TYPE = f"{RSS}; charset=utf-8"

_ATOM = "http://www.w3.org/2005/Atom"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_DC = "http://purl.org/dc/elements/1.1/"
_NAMESPACES = {"atom": _ATOM, "content": _CONTENT, "dc": _DC, "media": MEDIA}
_DOCS = "https://www.rssboard.org/rss-specification"
_END = b"</channel></rss>\n"
# The kinds of picture that RSS knows; the validator refuses any other as the image of a channel.
_PICTURES = (".gif", ".jpeg", ".jpg", ".png")
_MEDIUMS = frozenset({"audio", "image", "video"})


def assemble(feed_head: Feed, fragments: Iterable[bytes], *, name: str = "") -> Document:
    """Join the head of a channel and items that `entry_fragment` wrote before.

    The entries of `feed_head` are not written; they only date a feed that says no `updated`.

    `name` may stand for the fragments in their order: then the etag is made of it and of the head,
    and not of all the bytes. The same name must always stand for the same bytes.

    Raises:
        RenderError: the feed has no id that is a URI, or nothing in it says when it was updated.
    """
    head = _hex(etree.tostring(_rss(feed_head), encoding="UTF-8", xml_declaration=True))
    head = head.removesuffix(_END.strip())
    return as_document(b"\n".join((head, *fragments, _END)), MEDIA_TYPE, head=head, name=name)


def entry_fragment(entry: Entry, *, language: str | None) -> bytes:
    """One `<item>` in UTF-8, to be stored as it is and joined by `assemble`.

    `language` is that of the feed, for an entry that does not say its own.

    Raises:
        RenderError: the entry has no id that is a URI, or neither `updated` nor `published`.
    """
    return _hex(fragment_bytes(_item(ready(entry, language)), _NAMESPACES))


def _item(entry: Ready) -> etree._Element:
    item = etree.Element("item")
    add(item, "title", entry.title)
    add(item, "link", entry.page)
    add(item, "guid", entry.id, isPermaLink="false")
    add(item, "pubDate", rfc822(entry.entry.published or entry.updated))
    # Readers take a description for HTML, so what could be markup in plain text is escaped for that.
    add(item, "description", html.escape(entry.summary, quote=False))
    # The validator, and readers that keep the last text they meet, want the body behind the summary.
    add(item, f"{{{_CONTENT}}}encoded", _body(entry))
    for author in entry.authors:
        # RSS's own author is an address of mail (RSS 2.0), which most have not and none wants spread.
        add(item, f"{{{_DC}}}creator", author["name"])
    for contributor in entry.contributors:
        add(item, f"{{{_DC}}}contributor", contributor["name"])
    _add_categories(item, entry.categories)
    _add_media(item, entry.media)
    _add_source(item, entry)
    for link in entry.links:
        if link.rel not in ("alternate", "enclosure"):
            item.append(link_element(link, f"{{{_ATOM}}}link"))
    add(item, f"{{{_ATOM}}}updated", entry.updated_at)
    # A channel has one language and may carry stories in many; this is the only place to say so.
    add(item, f"{{{_DC}}}language", entry.language)
    add(item, f"{{{_DC}}}rights", entry.rights)
    return item


def _body(entry: Ready) -> str:
    """The body in HTML, as content:encoded always is; "" for none."""
    content = entry.entry.content
    if content is None or content.type == "html":
        return entry.body
    lines = (f"<p>{html.escape(line, quote=False)}</p>" for line in entry.body.splitlines())
    return markup(Text("".join(lines), "html"), entry.text_language)


def _add_categories(parent: etree._Element, subjects: Iterable[dict[str, str]]) -> None:
    """Subjects by the name that people read, since readers show it as it stands; codes are in Atom."""
    for subject in subjects:
        add(parent, "category", subject.get("label") or subject["term"], domain=subject.get("scheme"))


def _add_media(item: etree._Element, media: list[Enclosure]) -> None:
    """The first as RSS's one enclosure, the others and what is known beyond it as Media RSS."""
    whole = [each for each in media if not each.is_thumbnail]
    for first in whole[:1]:
        enclosure = etree.SubElement(item, "enclosure", url=first.url)
        # RSS demands a length, and both it and the validator take 0 for one that is not known.
        set_given(enclosure, length=str(first.length or 0), type=first.type or UNKNOWN_TYPE)
    for each in whole:
        if each is not whole[0] or each.title or each.credit or each.width or each.height:
            _add_media_content(item, each)
    for each in media:
        if each.is_thumbnail:
            thumbnail = etree.SubElement(item, f"{{{MEDIA}}}thumbnail", url=each.url)
            set_given(thumbnail, width=each.width, height=each.height)


def _add_media_content(item: etree._Element, media: Enclosure) -> None:
    element = etree.SubElement(item, f"{{{MEDIA}}}content", url=media.url)
    medium = (media.type or "").partition("/")[0]
    set_given(element, fileSize=media.length, type=media.type, medium=medium if medium in _MEDIUMS else None)
    set_given(element, width=media.width, height=media.height)
    add(element, f"{{{MEDIA}}}title", media.title)
    add(element, f"{{{MEDIA}}}credit", media.credit)


def _add_source(item: etree._Element, entry: Ready) -> None:
    """The feed that the entry came from; RSS wants its address and its name."""
    url = feed_or_site(entry.origin_links)
    add(item, "source", url and (entry.origin_title or url), url=url)


def _rss(feed: Feed) -> etree._Element:
    archive = {"fh": HISTORY} if feed.is_archive else {}
    root = etree.Element("rss", version="2.0", nsmap=_NAMESPACES | archive)
    channel = etree.SubElement(root, "channel")
    title, links = feed_title(feed), feed_links(feed, RSS)
    # A channel must link a page; one that has none links itself, or says its id.
    page = page_of(links) or href_of(links, "self") or identifier(feed.id, of=f"The feed {feed.title!r}")
    add(channel, "title", title)
    add(channel, "link", page)
    add(channel, "description", plain(feed.subtitle) or title)
    add(channel, "language", language_tag(feed.language))
    add(channel, "copyright", plain(feed.rights))
    add(channel, "lastBuildDate", rfc822(feed_updated(feed)))
    add(channel, "docs", _DOCS)
    add(channel, "ttl", _minutes(feed))
    add(channel, "generator", one_line(generator_of(feed)))
    for author in people(feed.authors):
        add(channel, f"{{{_DC}}}creator", author["name"])
    _add_categories(channel, categories(feed.categories))
    _add_image(channel, feed, title=title, page=page)
    for link in links:
        if link.rel != "alternate":
            channel.append(link_element(link, f"{{{_ATOM}}}link"))
    if feed.is_archive:
        etree.SubElement(channel, f"{{{HISTORY}}}archive")
    return root


def _minutes(feed: Feed) -> str | None:
    minutes = int(feed.ttl.total_seconds() // 60) if feed.ttl else 0
    return str(minutes) if minutes > 0 else None


def _add_image(channel: etree._Element, feed: Feed, *, title: str, page: str) -> None:
    """The wide picture, else the square one; its title and link are the channel's (RSS 2.0)."""
    pictures = (uri(feed.logo), uri(feed.icon))
    url = next((each for each in pictures if each and urlsplit(each).path.lower().endswith(_PICTURES)), None)
    if url:
        image = etree.SubElement(channel, "image")
        add(image, "url", url)
        add(image, "title", title)
        add(image, "link", page)


def _hex(written: bytes) -> bytes:
    """The same document, with the references that readers which decode twice leave alone.

    In what lxml writes, these stand for nothing else than the characters.
    """
    return written.replace(b"&amp;", b"&#x26;").replace(b"&lt;", b"&#x3c;")
