"""What subscribers see of a brief or a story: an entry, the same in every channel and format.

Writing it down in a format is the business of `feeds.write`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aggregator.model import Act, Publication, Reuse, Role, Story
from aggregator.rules.briefs import BriefText, Passage
from aggregator.rules.channels import Candidate, Site
from aggregator.rules.topics import known_as
from aggregator.rules.wording import say
from feeds.html import escape, excerpt, to_text
from feeds.model import Category, Entry, Link, Origin, Person, Text
from feeds.shareable import is_shareable
from feeds.urls import canonical

#: Code points of a title and of a summary that are passed on; a feed that puts a book there loses
#: its end, and not the channel its readers.
MOST_TITLE, MOST_SUMMARY = 500, 4_000
#: Code points of a text that is passed on whole.
MOST_TEXT = 200_000


@dataclass(frozen=True, slots=True)
class Published:
    """A brief as it was last published, with everything that its entry shows."""

    slug: str
    text: BriefText
    topics: tuple[str, ...]
    #: All acts, oldest first; the last one holds.
    acts: tuple[Publication, ...]
    #: The stories that its picks name.
    stories: Mapping[int, Story]

    @property
    def last(self) -> Publication:
        """The act that holds."""
        return self.acts[-1]

    @property
    def is_withdrawn(self) -> bool:
        """Whether readers are to forget it."""
        return self.last.act is Act.WITHDRAWN


def brief_candidate(brief: Published, site: Site, titles: Mapping[str, str]) -> Candidate:
    """A published brief as channels judge it."""
    return Candidate(
        kind="brief",
        ref=brief.last.brief_id,
        entry=brief_entry(brief, site, titles),
        came=brief.last.at,
        topics=brief.topics,
        language=brief.text.language,
        desk=brief.text.desk,
        text="\n".join(passage.text for passage in brief.text.passages),
        is_final_word=brief.last.act in (Act.CORRECTED, Act.WITHDRAWN),
    )


def story_candidate(story: Story, site: Site, titles: Mapping[str, str]) -> Candidate:
    """A story as channels judge it."""
    return Candidate(
        kind="story",
        ref=story.id,
        entry=story_entry(story, site, titles),
        came=max(story.changed_at, story.withdrawn_at or story.changed_at).replace(microsecond=0),
        topics=story.topics,
        language=story.language,
        sources=known_as(story.source_url, story.source_name),
        reuse=story.source_reuse,
        text="\n".join((story.title, story.summary, story.body)),
        is_final_word=story.withdrawn_at is not None,
    )


def brief_id(site: Site, slug: str) -> str:
    """The id of a brief's entry, in every channel and format."""
    return site.tag(f"brief/{slug}")


def brief_entry(brief: Published, site: Site, topics: Mapping[str, str]) -> Entry:
    """The entry of a brief: its text, its sources as `rel=via`, its background as `rel=related`.

    A withdrawn brief keeps its id and says only that it was withdrawn, and why, since most
    readers know no tombstones.
    """
    page = Link(site.page(f"briefs/{brief.slug}"), type="text/html", hreflang=brief.text.language)
    shown = _notice(brief) if brief.is_withdrawn else _shown(brief)
    return Entry(
        id=brief_id(site, brief.slug),
        title=shown.title,
        links=(page, *shown.links),
        summary=Text(shown.summary),
        content=Text(shown.html, "html"),
        published=brief.acts[0].at,
        updated=brief.last.at,
        authors=(Person(site.author),),
        categories=_categories(site, brief.topics, topics, "brief"),
        language=brief.text.language,
        rights=site.rights or None,
        note=_last_note(brief),
        revision=len(brief.acts),
        is_withdrawn=brief.is_withdrawn,
    )


def story_entry(story: Story, site: Site, topics: Mapping[str, str]) -> Entry:
    """The entry of a story passed through: its id, its author, its rights, its source stay its own.

    The summary is passed on, unless its source allows less (a headline) or more (the whole text).
    Of one that its source took back nothing is but a notice.
    """
    published = min(story.published or story.first_seen, story.first_seen)
    updated = story.changed_at if story.versions > 1 else published
    page = Link(story.url, type="text/html", hreflang=story.language) if story.url else None
    entry = Entry(
        id=story.entry_id,
        title=_title(story),
        links=(page,) if page else (),
        summary=Text(excerpt(story.summary, MOST_SUMMARY)) if story.summary else None,
        content=_whole_text(story),
        published=published,
        updated=max(published, updated),
        authors=story.entry.authors or (Person(story.source_name),),
        categories=_categories(site, story.topics, topics, "story"),
        language=story.language or story.entry.language,
        origin=_origin(story, published),
        enclosures=tuple(e for e in story.entry.enclosures if not e.is_thumbnail),
        rights=story.entry.rights,
        revision=story.versions,
    )
    if story.withdrawn_at is not None:
        return _taken_back(entry, story, story.withdrawn_at)
    return narrowed(entry, story.source_reuse)


def _taken_back(entry: Entry, story: Story, at: datetime) -> Entry:
    """What readers are told who had a story that its source took back."""
    language = story.language or ""
    said = say("story_notice", language, at=at)
    if story.withdrawn_why:
        said += " " + say("reason", language, why=story.withdrawn_why)
    return replace(
        entry,
        title=say("withdrawn", language, title=entry.title),
        summary=Text(said),
        content=None,
        enclosures=(),
        updated=max(at, entry.updated or at),
        note=story.withdrawn_why or None,
        revision=story.versions + 1,
        is_withdrawn=True,
    )


def narrowed(entry: Entry, reuse: Reuse) -> Entry:
    """A story's entry with no more of it than may be passed on; a brief is ours, and given whole."""
    if entry.origin is None or entry.is_withdrawn or reuse is Reuse.FULL:
        return entry
    if reuse is Reuse.SUMMARY:
        return replace(entry, content=None)
    return replace(entry, content=None, summary=None, enclosures=())


def _title(story: Story) -> str:
    return excerpt(story.title, MOST_TITLE) or story.summary[:100] or (story.url or story.entry_id)


def _whole_text(story: Story) -> Text | None:
    """The body as its feed gave it; plain and cut short where it is a book."""
    content = story.entry.content
    if content is None or len(content.value) <= MOST_TEXT:
        return content
    return Text(excerpt(to_text(content.value) if content.type == "html" else content.value, MOST_TEXT))


@dataclass(frozen=True, slots=True)
class _Shown:
    title: str
    summary: str
    html: str
    links: tuple[Link, ...]


def _shown(brief: Published) -> _Shown:
    passages = [passage for passage in brief.text.passages if passage.id != "p0"]
    notes = [_note(act, brief.text.language) for act in brief.acts if act.act is Act.CORRECTED]
    parts = [*notes, *map(_paragraph, passages), _sources(brief)]
    return _Shown(
        title=brief.text.title,
        summary=passages[0].text if passages else brief.text.title,
        html="\n".join(part for part in parts if part),
        links=tuple(_source_links(brief)),
    )


def _notice(brief: Published) -> _Shown:
    language, why = brief.text.language, brief.last.why
    said = say("notice", language, at=brief.last.at)
    if why:
        said += " " + say("reason", language, why=why)
    return _Shown(say("withdrawn", language, title=brief.text.title), said, f"<p>{escape(said)}</p>", ())


def _note(act: Publication, language: str) -> str:
    return f"<p><em>{escape(_corrected(act, language))}</em></p>"


def _corrected(act: Publication, language: str) -> str:
    return say("corrected_why" if act.why else "corrected", language, at=act.at, why=act.why)


def _last_note(brief: Published) -> str | None:
    """What readers are told of the brief itself: why it was withdrawn, or its last correction."""
    if brief.is_withdrawn:
        return brief.last.why or None
    corrections = [act for act in brief.acts if act.act is Act.CORRECTED]
    return _corrected(corrections[-1], brief.text.language) if corrections else None


def _paragraph(passage: Passage) -> str:
    text = escape(passage.text)
    label = escape(passage.label or "")
    if label and text.startswith(label):
        text = f"<strong>{label}</strong>{text[len(label) :]}"
    return f"<p>{text}</p>"


def _sources(brief: Published) -> str:
    """The readable list of sources at the end of a brief."""
    items = [
        f'<li><a href="{escape(story.url or "")}" hreflang="{escape(story.language or "")}">'
        f"{escape(story.title)}</a>, {escape(story.source_name)}</li>"
        for story in _picked(brief)
        if story.url
    ]
    return (
        f"<p>{say('sources', brief.text.language)}</p>\n<ul>\n{chr(10).join(items)}\n</ul>" if items else ""
    )


def _source_links(brief: Published) -> Iterable[Link]:
    roles = _roles(brief)
    for story in _picked(brief):
        if story.url:
            yield Link(
                story.url,
                rel="related" if roles[_page(story)] <= {Role.BACKGROUND, Role.CONTRADICTS} else "via",
                type="text/html",
                hreflang=story.language,
                title=f"{story.source_name}: {story.title}",
            )


def _roles(brief: Published) -> dict[str, set[Role]]:
    """The roles of each page, whichever source's story of it was picked."""
    roles: dict[str, set[Role]] = {}
    for link in brief.last.links:
        roles.setdefault(_page(brief.stories[link.story_id]), set()).add(link.role)
    return roles


def _page(story: Story) -> str:
    return canonical(story.url) if story.url else story.entry_id


def _picked(brief: Published) -> list[Story]:
    """The stories picked, each page once, in the order of the passages."""
    order = {passage.id: place for place, passage in enumerate(brief.text.passages)}
    links = sorted(brief.last.links, key=lambda link: order.get(link.passage, len(order)))
    by_page: dict[str, Story] = {}
    for link in links:
        story = brief.stories[link.story_id]
        by_page.setdefault(_page(story), story)
    return list(by_page.values())


def _origin(story: Story, published: datetime) -> Origin:
    """Where the story first stood: what it already said of that, else its feed.

    A feed that is paid for has a key in its address, which is between us and its publisher.
    """
    if story.entry.origin is not None and story.entry.origin.id:
        return story.entry.origin
    told = story.origin or Origin()
    is_open = is_shareable(story.source_url)
    links = [Link(story.source_url, rel="self")] if is_open else []
    if story.source_site:
        links.append(Link(story.source_site, rel="alternate", type="text/html"))
    own = story.source_url if is_open else uuid.uuid5(uuid.NAMESPACE_URL, story.source_url).urn
    return replace(
        told,
        id=told.id if told.id and not _is_closed(told.id) else own,
        title=told.title or story.source_name,
        links=tuple(links),
        # The feed's own date moves with every story of it; this entry must not move with it.
        updated=published,
        rights=story.source_rights or told.rights,
    )


def _is_closed(id: str) -> bool:
    """Whether an id is an address that not everybody may know."""
    return id.startswith(("http:", "https:")) and not is_shareable(id)


def _categories(
    site: Site, slugs: Sequence[str], titles: Mapping[str, str], kind: str
) -> tuple[Category, ...]:
    topics = [Category(slug, scheme=site.page("topics"), label=titles.get(slug, slug)) for slug in slugs]
    return (*topics, Category(kind, scheme=site.page("kinds"), label=kind.capitalize()))
