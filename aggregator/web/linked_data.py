"""A brief as schema.org describes it, for search engines and archives: JSON-LD in its page.

Nothing is said that the page does not show. A rating of somebody's claim (ClaimReview) is never
made here, since that is an editor's word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from aggregator.model import Act, Publication, Role, Story
from aggregator.rules.channels import Site
from aggregator.rules.entries import Published
from aggregator.rules.wording import say
from aggregator.web.shown import brief_excerpt, story_title
from feeds.dates import rfc3339
from feeds.urls import absolute, canonical

Node = dict[str, Any]

#: What a brief stands on; whatever else was picked is only named beside it.
_BASIS = frozenset({Role.SOURCE, Role.QUOTE})
#: What could end a script element, or begin a comment in it; and what old engines take for line ends.
_UNSAFE = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
_ADDRESS = re.compile(r"https?://[^\s<>\"'()]+[^\s<>\"'().,;:]")
#: The size of static/icon.png.
_LOGO_PIXELS = 256


def news_article(brief: Published, site: Site, topics: Mapping[str, str]) -> Node:
    """A published brief as a NewsArticle; `topics` gives the title of each topic by its slug.

    Raises:
        ValueError: the brief was withdrawn, so nothing of its text is to be told.
    """
    if brief.is_withdrawn:
        raise ValueError(f"The brief “{brief.slug}” was withdrawn.")
    page = site.page(f"briefs/{brief.slug}")
    basis, beside = _sources(brief)
    return {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "@id": page,
        **_given(
            headline=brief.text.title,
            description=brief_excerpt(brief.text),
            articleBody="\n\n".join(each.text for each in brief.text.passages if each.id != "p0"),
            inLanguage=brief.text.language,
            datePublished=rfc3339(brief.acts[0].at),
            dateModified=rfc3339(brief.last.at),
            url=page,
            mainEntityOfPage={"@type": "WebPage", "@id": page},
            author={"@type": "Organization", "name": site.author},
            publisher=_publisher(site),
            isBasedOn=[_source(story) for story in basis],
            citation=[_source(story) for story in beside],
            correction=[_correction(act, brief.text.language) for act in _corrections(brief)],
            **_topics(brief.topics, site, topics),
            **_rights(site.rights),
        ),
    }


def as_script(data: Node) -> str:
    """The text of a `<script type="application/ld+json">`, which nothing in the data can end."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_UNSAFE)


def _given(**fields: Any) -> Node:
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def _publisher(site: Site) -> Node:
    logo = {"@type": "ImageObject", "url": site.page("static/icon.png")}
    size = {"width": _LOGO_PIXELS, "height": _LOGO_PIXELS}
    return {"@type": "Organization", "name": site.title, "url": site.page(""), "logo": {**logo, **size}}


def _sources(brief: Published) -> tuple[list[Story], list[Story]]:
    """What the brief stands on and what it only names, each page once, in the order of the picks."""
    roles: dict[str, set[Role]] = {}
    by_page: dict[str, Story] = {}
    for link in brief.last.links:
        story = brief.stories[link.story_id]
        page = canonical(story.url) if story.url else story.entry_id
        roles.setdefault(page, set()).add(link.role)
        by_page.setdefault(page, story)
    basis = [story for page, story in by_page.items() if roles[page] & _BASIS]
    return basis, [story for page, story in by_page.items() if not roles[page] & _BASIS]


def _source(story: Story) -> Node:
    published = min(story.published or story.first_seen, story.first_seen)
    site = _given(name=story.source_name, url=absolute(story.source_site))
    return {
        "@type": "NewsArticle",
        **_given(
            headline=story_title(story),
            url=absolute(story.url),
            inLanguage=story.language,
            datePublished=rfc3339(published),
            publisher={"@type": "Organization", **site},
        ),
    }


def _corrections(brief: Published) -> Iterable[Publication]:
    return (act for act in brief.acts if act.act is Act.CORRECTED)


def _correction(act: Publication, language: str) -> Node:
    text = act.why or say("corrected", language, at=act.at)
    return {"@type": "CorrectionComment", "text": text, "datePublished": rfc3339(act.at)}


def _topics(slugs: Iterable[str], site: Site, titles: Mapping[str, str]) -> Node:
    known = [slug for slug in slugs if slug in titles]
    about = [{"@type": "Thing", "name": titles[slug], "url": site.page(f"topics/{slug}")} for slug in known]
    return {"about": about, "keywords": [titles[slug] for slug in known]}


def _rights(rights: str) -> Node:
    """What may be done with a brief: in words, and as an address where the words name one."""
    found = _ADDRESS.search(rights)
    address = absolute(found[0]) if found else None
    usage = {"@type": "CreativeWork", **_given(text=rights, url=address)} if rights else None
    return {"copyrightNotice": rights, "usageInfo": usage, "license": address}
