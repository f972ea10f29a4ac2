"""From a feed's entry to a story: identity, text, language, and what counts as a change."""

from __future__ import annotations

import re

from aggregator.language.detect import detect
from aggregator.model import Identity, StoryDraft
from aggregator.rules.identities import (
    Told,
    digest_of,
    id_key,
    link_key,
    minted,
    page_key,
    text_key,
    told_apart,
)
from feeds.html import excerpt, text_of_clean
from feeds.model import Entry, Feed, Text
from feeds.urls import absolute

#: Plain characters of a summary that was not cut by its feed; more is a body.
SUMMARY_LIMIT = 600

#: A feed that shows more is read to here; the rest is old news or an attack.
MOST_ENTRIES = 2_000
#: An id of a feed that is longer, in bytes, is not passed on: no index of PostgreSQL takes much more.
LONGEST_ID = 2_000

_TAG = re.compile(r"tag:[a-z0-9.@-]+,\d{4}(-\d\d(-\d\d)?)?:[!-~]+", re.IGNORECASE)
_URN = re.compile(
    r"urn:(uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?!uuid:)[a-z0-9-]+:[!$-;=?-Z_a-z~]+)", re.I
)


def read_stories(
    feed: Feed, *, source_url: str, language: str | None, identity: Identity = "id"
) -> tuple[StoryDraft, ...]:
    """The stories of a feed, in its order; `language` is the source's own tag, as a hint.

    `identity` says by what the source's entries are known.
    """
    drafts = [
        from_entry(entry, source_url=source_url, language=entry.language or feed.language or language)
        for entry in feed.entries[:MOST_ENTRIES]
    ]
    return told_apart(drafts, home=feed.url, by_link=identity == "link")


def from_entry(entry: Entry, *, source_url: str, language: str | None) -> StoryDraft:
    """The story that an entry tells."""
    summary, body = _texts(entry)
    title = entry.title or excerpt(summary, 100)
    url, key = entry.url, identity(entry)
    return StoryDraft(
        key=key,
        entry_id=_publishable(entry.id, source_url, key),
        url=url,
        language=detect(f"{title}\n{summary}", hint=language),
        summary=summary,
        body=body,
        digest=digest_of(Told(title, summary, body)),
        entry=entry,
        page=page_key(url) if url else None,
    )


def identity(entry: Entry) -> str:
    """What makes an entry the same story next time: its id, else its page, else its words.

    Identity holds within one source only. An entry that names neither id nor page is known by
    its title, its date and the beginning of its text.
    """
    if entry.id:
        return id_key(entry.id)
    return link_key(entry.url) if entry.url else text_key(entry)


def publishable_id(entry: Entry, source_url: str) -> str:
    """The id under which a story is republished, an IRI (RFC 4287 section 4.2.6).

    The feed's own id where it is one, since a republished entry keeps its id; else one made from
    the source and the identity, the same every time.
    """
    return _publishable(entry.id, source_url, identity(entry))


def _publishable(id: str | None, source_url: str, key: str) -> str:
    if (
        id
        and len(id.encode("utf-8", "replace")) <= LONGEST_ID
        and (absolute(id) == id or _TAG.fullmatch(id) or _URN.fullmatch(id))
    ):
        return id
    return minted(source_url, key)


def _texts(entry: Entry) -> tuple[str, str]:
    """Summary and body as plain text; either may be empty."""
    summary, body = _plain(entry.summary), _plain(entry.content)
    if not body and len(summary) > SUMMARY_LIMIT:
        # Many RSS feeds put the whole story into the description.
        return excerpt(summary, SUMMARY_LIMIT), summary
    return summary or excerpt(body, SUMMARY_LIMIT), body


def _plain(text: Text | None) -> str:
    if text is None:
        return ""
    return text_of_clean(text.value) if text.type == "html" else text.value.strip()
