"""What a channel carries, entry by entry: briefs with their sources, and stories passed through.

Everything that subscribers see of a brief or a story is decided here, as `feeds.model` values;
writing them down in a format is the business of `feeds.write`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from aggregator.model import Act, Publication, Role, Story
from aggregator.rules.briefs import BriefText, Passage
from aggregator.rules.wording import say
from feeds.html import escape
from feeds.model import Category, Entry, Feed, Link, Origin, Person, Text, Tombstone
from feeds.urls import canonical


@dataclass(frozen=True, slots=True)
class Site:
    """Who publishes, as subscribers are told."""

    #: The name of the newsroom.
    title: str = "wirebrief"
    #: Where readers reach this service, without a slash at the end.
    url: str = "http://127.0.0.1:8000"
    #: A domain or an e-mail address of the newsroom: with `since` it makes ids that never change.
    authority: str = "wirebrief.example"
    #: A day (YYYY-MM-DD) on which `authority` was the newsroom's (RFC 4151).
    since: str = "2025-01-01"
    author: str = "The editors"
    rights: str = ""
    language: str = "en"

    def tag(self, name: str) -> str:
        """A permanent id (RFC 4151), whichever address the service has."""
        return f"tag:{self.authority},{self.since}:{name}"

    def page(self, path: str) -> str:
        """The address of a page of ours."""
        return f"{self.url.rstrip('/')}/{path}"


@dataclass(frozen=True, slots=True)
class Channel:
    """A feed that we publish."""

    slug: str
    title: str
    #: Only what belongs to one of these topics; empty takes everything.
    topics: tuple[str, ...] = ()
    #: Only stories in these languages (ISO 639-1); empty takes all. Briefs always come.
    languages: tuple[str, ...] = ()
    #: "briefs", "stories" or both.
    carries: tuple[Literal["briefs", "stories"], ...] = ("briefs", "stories")
    #: How many entries at most; the newest stay.
    entries: int = 100
    description: str = ""
    language: str = ""

    @property
    def path(self) -> str:
        """Where its Atom document is served."""
        return f"channels/{self.slug}.atom"


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


def compose(
    channel: Channel,
    site: Site,
    *,
    briefs: Iterable[Published],
    stories: Iterable[Story],
    topics: Mapping[str, str],
) -> Feed:
    """The channel as a feed: newest first, each id once, `updated` that of its newest entry.

    `topics` gives the title of each topic by its slug.
    """
    published = [
        brief for brief in briefs if "briefs" in channel.carries and _is_wanted(channel, brief.topics)
    ]
    arrived = [(_brief_came(brief), brief_entry(brief, site, topics)) for brief in published]
    if "stories" in channel.carries:
        arrived += [(_story_came(s), story_entry(s, site, topics)) for s in stories if _takes(channel, s)]
    # Set apart before any is left out, so that one that leaves moves nobody either.
    chosen = _once(_apart(arrived))[: channel.entries]
    own = site.page(channel.path)
    newest = max((entry.updated for entry in chosen if entry.updated), default=None)
    return Feed(
        id=site.tag(f"channel/{channel.slug}"),
        title=channel.title,
        subtitle=channel.description or None,
        links=(
            Link(own, rel="self", type="application/atom+xml"),
            Link(site.page(f"channels/{channel.slug}"), rel="alternate", type="text/html"),
        ),
        updated=newest or _since(site),
        language=channel.language or site.language,
        authors=(Person(site.author),),
        rights=site.rights or None,
        icon=site.page("static/icon.png"),
        entries=tuple(chosen),
        tombstones=tuple(_tombstone(brief, site) for brief in published if brief.is_withdrawn),
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
    )


def story_entry(story: Story, site: Site, topics: Mapping[str, str]) -> Entry:
    """The entry of a story passed through: its id, its author, its rights, its source stay its own.

    Only the summary is passed on, never the whole text: what may be republished is for the
    source to say.
    """
    published = min(story.published or story.first_seen, story.first_seen)
    updated = story.changed_at if story.versions > 1 else published
    page = Link(story.url, type="text/html", hreflang=story.language) if story.url else None
    return Entry(
        id=story.entry_id,
        title=story.title or story.summary[:100] or (story.url or story.entry_id),
        links=(page,) if page else (),
        summary=Text(story.summary) if story.summary else None,
        published=published,
        updated=max(published, updated),
        authors=story.entry.authors or (Person(story.source_name),),
        categories=_categories(site, story.topics, topics, "story"),
        language=story.language or story.entry.language,
        origin=_origin(story, published),
        enclosures=tuple(e for e in story.entry.enclosures if not e.is_thumbnail),
        rights=story.entry.rights,
    )


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
    sentence = "corrected_why" if act.why else "corrected"
    return f"<p><em>{escape(say(sentence, language, at=act.at, why=act.why))}</em></p>"


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


def _tombstone(brief: Published, site: Site) -> Tombstone:
    return Tombstone(
        ref=brief_id(site, brief.slug),
        when=brief.last.at,
        by=Person(site.author),
        comment=brief.last.why or None,
    )


def _origin(story: Story, published: datetime) -> Origin:
    """Where the story first stood: what it already said of that, else its feed."""
    if story.entry.origin is not None and story.entry.origin.id:
        return story.entry.origin
    told = story.origin or Origin()
    links = [Link(story.source_url, rel="self")]
    if story.source_site:
        links.append(Link(story.source_site, rel="alternate", type="text/html"))
    return replace(
        told,
        id=told.id or story.source_url,
        title=told.title or story.source_name,
        links=tuple(links),
        # The feed's own date moves with every story of it; this entry must not move with it.
        updated=published,
        rights=story.source_rights or told.rights,
    )


def _categories(
    site: Site, slugs: Sequence[str], titles: Mapping[str, str], kind: str
) -> tuple[Category, ...]:
    topics = [Category(slug, scheme=site.page("topics"), label=titles.get(slug, slug)) for slug in slugs]
    return (*topics, Category(kind, scheme=site.page("kinds"), label=kind.capitalize()))


def _is_wanted(channel: Channel, topics: Sequence[str]) -> bool:
    return not channel.topics or bool(set(channel.topics) & set(topics))


def _takes(channel: Channel, story: Story) -> bool:
    return _is_wanted(channel, story.topics) and (
        not channel.languages or story.language in channel.languages
    )


#: When something came here, to the second, and what settles a tie: stories before briefs, then ids.
_Came = tuple[datetime, int, int]


def _story_came(story: Story) -> _Came:
    return story.changed_at.replace(microsecond=0), 0, story.id


def _brief_came(brief: Published) -> _Came:
    return brief.last.at, 1, brief.last.brief_id


def _apart(arrived: Iterable[tuple[_Came, Entry]]) -> list[Entry]:
    """Newest first, no two updated in one second.

    Many wires date by the minute, and validators warn of entries that share a time. Whoever came
    first keeps its second and the next takes the next free one, so a newcomer moves nobody.
    """
    taken: set[datetime] = set()
    apart = []
    for _, entry in sorted(arrived, key=lambda pair: pair[0]):
        at = _updated(entry)
        while at in taken:
            at += timedelta(seconds=1)
        taken.add(at)
        apart.append(replace(entry, updated=at))
    return sorted(apart, key=_updated, reverse=True)


def _once(entries: Iterable[Entry]) -> list[Entry]:
    """The same in their order, each id once and each page once."""
    seen: set[str] = set()
    chosen = []
    for entry in entries:
        names = {entry.id or "", canonical(entry.url) if entry.url else entry.id or ""}
        if not names & seen:
            chosen.append(entry)
        # Those left out count too: else an id would go back to an older twin of its story.
        seen |= names
    return chosen


def _updated(entry: Entry) -> datetime:
    assert entry.updated is not None  # noqa: S101 - both kinds of entry are made with a time
    return entry.updated.replace(microsecond=0)


def _since(site: Site) -> datetime:
    return datetime.fromisoformat(f"{site.since}T00:00:00+00:00")
