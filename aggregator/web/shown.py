"""What templates show, worked out beforehand: a template only puts it in its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from itertools import groupby
from urllib.parse import urlencode

from aggregator.model import Act, Role, Story
from aggregator.rules.briefs import BriefLink, BriefText, Passage
from aggregator.rules.channels import FORMATS, Channel, Site
from aggregator.rules.entries import Published
from aggregator.rules.topics import Topic
from aggregator.web.locales import N_
from feeds.model import Entry, Feed
from feeds.urls import absolute
from feeds.write.values import is_right_to_left

#: Characters of a summary in a list.
EXCERPT = 240

#: What a pick is to its passage, as a reader reads it; a plain source needs no word.
ROLES = {
    Role.SOURCE: "",
    Role.BACKGROUND: N_("background"),
    Role.QUOTE: N_("quoted"),
    Role.CONTRADICTS: N_("disagrees"),
}

#: The formats that a page names for feed readers, and what tells their titles apart.
ALTERNATES = {"atom": "", "rss": " (RSS)", "json": " (JSON Feed)"}
#: How a list in a frame is asked for, spelled out so that a site sees what it can change.
FRAME = {"entries": 10, "kind": "all", "theme": "auto"}


@dataclass(frozen=True, slots=True)
class Row:
    """An entry of a channel in a list."""

    #: "brief", "story" or "withdrawn".
    kind: str
    title: str
    #: None where the feed names no page.
    href: str | None
    summary: str
    language: str | None
    direction: str
    #: The outlet, or the newsroom.
    source: str
    at: datetime
    #: When it was first published, where the minute is another one.
    first: datetime | None
    #: Why it is here, where that is asked.
    why: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """The entries of one day, newest first."""

    day: date
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a paragraph: plain, linked, or its label."""

    text: str
    href: str | None = None
    is_label: bool = False


@dataclass(frozen=True, slots=True)
class SourceShown:
    """A story behind a passage."""

    title: str
    href: str | None
    outlet: str
    language: str | None
    direction: str
    role: str


@dataclass(frozen=True, slots=True)
class PassageShown:
    """A paragraph with the stories behind it."""

    id: str
    #: The heading above it, where its label does not stand in its text.
    heading: str | None
    pieces: tuple[Piece, ...]
    sources: tuple[SourceShown, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A correction, as readers see it."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class BriefShown:
    """A brief as its readers see it."""

    slug: str
    title: str
    dated: date | None
    language: str
    direction: str
    description: str
    first: datetime
    updated: datetime
    notes: tuple[Note, ...]
    title_sources: tuple[SourceShown, ...]
    passages: tuple[PassageShown, ...]
    read_more: tuple[Piece, ...]
    topics: tuple[str, ...]
    #: Different stories, and the languages that they are in.
    stories: int
    languages: tuple[str, ...]
    is_withdrawn: bool
    #: Why it was withdrawn.
    why: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that a topic asks of a story."""

    says: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alternate:
    """A document that a page is about, as feed readers find it (RSS autodiscovery)."""

    type: str
    title: str
    href: str


def alternates(channels: Iterable[Channel], site: Site) -> list[Alternate]:
    """The documents of channels that feed readers know, each channel's default first."""
    return [
        Alternate(FORMATS[format], f"{channel.title}{suffix}", site.page(channel.path_as(format)))
        for channel in channels
        for format, suffix in ALTERNATES.items()
    ]


def frame_snippet(channel: Channel, site: Site) -> str:
    """The HTML that puts a channel's list into a page of another site."""
    address = site.page(f"channels/{channel.slug}/embed?{urlencode(FRAME)}")
    # All that the frame may do is lead its reader on.
    return (
        f'<iframe src="{escape(address)}" title="{escape(channel.title)}" width="100%" height="480" '
        'loading="lazy" sandbox="allow-popups allow-top-navigation-by-user-activation" '
        'style="border:0"></iframe>'
    )


def og_locale(language: str, site_language: str) -> str | None:
    """A language with its country as Open Graph wants it (fr_CH); None where no country is known.

    The country is that of the site, where the site writes this language.
    """
    spoken, _, rest = site_language.partition("-")
    country = next((part for part in rest.split("-") if len(part) == 2 and part.isalpha()), None)
    return f"{language}_{country.upper()}" if country and spoken.lower() == language else None


def direction(language: str | None) -> str:
    """Which way a language is written, as `dir` says it; "auto" where it is not known."""
    if language is None:
        return "auto"
    return "rtl" if is_right_to_left(language) else "ltr"


def rows_of(feed: Feed, site: Site, base: str) -> list[Row]:
    """The entries of a channel as rows, in the feed's order."""
    withdrawn = {stone.ref for stone in feed.tombstones}
    return [_row(entry, site, base, is_withdrawn=entry.id in withdrawn) for entry in feed.entries]


def story_row(story: Story, why: str) -> Row:
    """A story as a row of a topic."""
    published = min(story.published or story.first_seen, story.first_seen)
    return Row(
        kind="story",
        title=story_title(story),
        href=absolute(story.url),
        summary=excerpt(story.summary),
        language=story.language,
        direction=direction(story.language),
        source=story.source_name,
        at=published,
        first=None,
        why=why,
    )


def by_day(rows: Iterable[Row]) -> list[Day]:
    """Rows, newest first, under their days (UTC)."""
    return [Day(day, tuple(of_day)) for day, of_day in groupby(rows, key=lambda row: row.at.date())]


def excerpt(text: str, most: int = EXCERPT) -> str:
    """The beginning of a text, cut between words."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    # Cut hard where the last word is no word but a line without spaces, as Thai and Japanese write.
    cut = line[:most].rpartition(" ")[0]
    return f"{cut if len(cut) > most // 2 else line[:most]}…"


def brief_shown(brief: Published) -> BriefShown:
    """A brief as it was last published; of a withdrawn one only that it was, and why."""
    text, last = brief.text, brief.last
    title, *paragraphs = text.passages
    used = {link.story_id for link in last.links}
    languages = {story.language for id_, story in brief.stories.items() if id_ in used and story.language}
    return BriefShown(
        slug=brief.slug,
        title=text.title,
        dated=text.date,
        language=text.language,
        direction=direction(text.language),
        description=brief_excerpt(text),
        first=brief.acts[0].at,
        updated=last.at,
        notes=tuple(Note(act.at, act.why) for act in brief.acts if act.act is Act.CORRECTED),
        title_sources=_sources(brief, title.id),
        passages=tuple(_passage(passage, brief) for passage in paragraphs),
        read_more=pieces(text.read_more.text, text.read_more.links, text.read_more.label)
        if text.read_more
        else (),
        topics=brief.topics,
        stories=len(used),
        languages=tuple(sorted(languages)),
        is_withdrawn=brief.is_withdrawn,
        why=last.why,
    )


def brief_excerpt(text: BriefText) -> str:
    """What a brief is about, in a line: the beginning of its first paragraph."""
    return excerpt(next((each.text for each in text.passages if each.id != "p0"), text.title))


def story_title(story: Story) -> str:
    """What a story is called; its text or its address where its feed gave no title."""
    return story.title or excerpt(story.summary) or story.url or story.entry_id


def pieces(text: str, links: Sequence[BriefLink], label: str | None = None) -> tuple[Piece, ...]:
    """A paragraph cut where its label ends and where its links stand; joined, it is the text again."""
    found: list[Piece] = []
    done = 0
    if label and text.startswith(label):
        done = _label_end(text, len(label))
        found.append(Piece(text[:done], is_label=True))
    for link in links:
        href = absolute(link.href, mailto=True)
        start = text.find(link.text, done) if link.text and href else -1
        if start >= 0:
            found += [Piece(text[done:start]), Piece(link.text, href)]
            done = start + len(link.text)
    return tuple(piece for piece in (*found, Piece(text[done:])) if piece.text)


def conditions(topic: Topic) -> list[Condition]:
    """What a topic takes, in the order in which it is read."""
    found = [Condition(N_("At least one of"), topic.any)]
    for number, group in enumerate(topic.all):
        found.append(Condition(N_("And one of") if topic.any or number else N_("At least one of"), group))
    found += [
        Condition(N_("Nothing of"), topic.none),
        Condition(N_("Languages"), tuple(sorted(topic.languages))),
        Condition(N_("Sources"), tuple(sorted(topic.sources))),
    ]
    return [condition for condition in found if condition.terms]


def _row(entry: Entry, site: Site, base: str, *, is_withdrawn: bool) -> Row:
    kinds = {category.term for category in entry.categories if category.scheme == site.page("kinds")}
    is_brief = "brief" in kinds
    # Summaries of both kinds are plain text (`rules.channels`).
    first, at = entry.published, entry.updated or entry.published
    assert at is not None  # noqa: S101 - every entry that a channel carries is dated
    return Row(
        kind="withdrawn" if is_withdrawn else "brief" if is_brief else "story",
        title=entry.title,
        href=_href(entry.url, site, base),
        summary=excerpt(str(entry.summary or "")),
        language=entry.language,
        direction=direction(entry.language),
        source=site.title if is_brief else _outlet(entry),
        at=at,
        first=first if first and at - first >= timedelta(minutes=1) else None,
    )


def _href(url: str | None, site: Site, base: str) -> str | None:
    """The address of a page; ours by its path, so that it works under every name of this service."""
    own = site.page("")
    return f"{base}/{url.removeprefix(own)}" if url and url.startswith(own) else absolute(url)


def _outlet(entry: Entry) -> str:
    if entry.origin is not None and entry.origin.title:
        return entry.origin.title
    return ", ".join(person.name for person in entry.authors)


def _passage(passage: Passage, brief: Published) -> PassageShown:
    label = passage.label
    stands_in_text = label is not None and passage.text.startswith(label)
    return PassageShown(
        id=passage.id,
        heading=None if stands_in_text else label,
        pieces=pieces(passage.text, passage.links, label),
        sources=_sources(brief, passage.id),
    )


def _sources(brief: Published, passage: str) -> tuple[SourceShown, ...]:
    return tuple(
        _source(brief.stories[link.story_id], link.role)
        for link in brief.last.links
        if link.passage == passage
    )


def _source(story: Story, role: Role) -> SourceShown:
    return SourceShown(
        title=story_title(story),
        href=absolute(story.url),
        outlet=story.source_name,
        language=story.language,
        direction=direction(story.language),
        role=ROLES[role],
    )


def _label_end(text: str, end: int) -> int:
    """Where a label ends with its colon, before which French puts a space."""
    rest = text[end:]
    colon = len(rest) - len(rest.lstrip()) + 1
    return end + colon if rest.lstrip().startswith((":", "：")) else end
