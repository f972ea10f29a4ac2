"""A topic as a form: text in every field, so that nothing typed is lost, whatever is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from aggregator.errors import BadInput
from aggregator.rules.channels import Channel
from aggregator.rules.topics import Topic
from aggregator.web.locales import N_

#: ISO 639-1, and 639-3 where the first has no word.
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_BLANK = re.compile(r"\n[ \t]*\n\s*")


@dataclass(frozen=True, slots=True)
class TopicForm:
    """What stands in the fields of the form."""

    slug: str = ""
    title: str = ""
    description: str = ""
    #: One expression a line.
    any: str = ""
    #: The same, with an empty line between groups.
    all: str = ""
    none: str = ""
    #: With spaces or commas.
    languages: str = ""
    #: One a line.
    sources: str = ""

    @classmethod
    def of(cls, topic: Topic) -> TopicForm:
        """The form that writes this topic."""
        return cls(
            slug=topic.slug,
            title=topic.title,
            description=topic.description,
            any="\n".join(topic.any),
            all="\n\n".join("\n".join(group) for group in topic.all),
            none="\n".join(topic.none),
            languages=" ".join(sorted(topic.languages)),
            sources="\n".join(sorted(topic.sources)),
        )

    @classmethod
    def sent(cls, fields: Mapping[str, str], slug: str | None = None) -> TopicForm:
        """The form as it was sent; `slug` is that of a topic which has a name already."""
        given = {name: fields.get(name, "").replace("\r\n", "\n") for name in cls.__slots__}
        return cls(**{**given, "slug": given["slug"].strip() if slug is None else slug})

    def topic(self) -> Topic:
        """The topic that it writes. What of it cannot be used is for `compile_topic` to say.

        Raises:
            BadInput: a language is none.
        """
        groups = (tuple(_lines(group)) for group in _BLANK.split(self.all.strip("\n")))
        return Topic(
            slug=self.slug or slug_of(self.title),
            title=self.title.strip(),
            any=tuple(_lines(self.any)),
            all=tuple(group for group in groups if group),
            none=tuple(_lines(self.none)),
            languages=read_languages(self.languages),
            sources=frozenset(_lines(self.sources)),
            description=" ".join(self.description.split()),
        )


@dataclass(frozen=True, slots=True)
class ChannelForm:
    """What stands in the fields of a new channel of a topic."""

    slug: str
    title: str
    description: str = ""
    carries_briefs: bool = True
    carries_stories: bool = True
    languages: str = ""
    entries: str = "100"
    is_public: bool = True

    @classmethod
    def sent(cls, fields: Mapping[str, str]) -> ChannelForm:
        """The form as it was sent."""
        return cls(
            slug=fields.get("slug", "").strip(),
            title=fields.get("title", ""),
            description=fields.get("description", ""),
            carries_briefs="carries_briefs" in fields,
            carries_stories="carries_stories" in fields,
            languages=fields.get("languages", ""),
            entries=fields.get("entries", "").strip(),
            is_public="is_public" in fields,
        )

    def channel(self, topic: str) -> Channel:
        """The channel that it writes.

        Raises:
            BadInput: it carries nothing, or a field cannot be read.
        """
        carried: list[Literal["briefs", "stories"]] = []
        if self.carries_briefs:
            carried.append("briefs")
        if self.carries_stories:
            carried.append("stories")
        if not carried:
            raise BadInput("A channel carries briefs, stories or both: choose.")
        if not (self.entries.isascii() and self.entries.isdecimal() and len(self.entries) < 6):
            raise BadInput(f"{self.entries[:40]!r} is no number of entries: write one, such as 100.")
        return Channel(
            slug=self.slug or slug_of(self.title),
            title=self.title.strip(),
            topics=(topic,),
            languages=tuple(sorted(read_languages(self.languages))),
            carries=tuple(carried),
            entries=int(self.entries),
            description=" ".join(self.description.split()),
            is_public=self.is_public,
        )


#: The fields of a topic, and what they are called.
FIELDS = (
    ("title", N_("Title")),
    ("description", N_("Description")),
    ("any", N_("At least one of")),
    ("all", N_("And one of each group")),
    ("none", N_("Nothing of")),
    ("languages", N_("Languages")),
    ("sources", N_("Sources")),
)


def differing(*forms: TopicForm) -> list[tuple[str, tuple[str, ...]]]:
    """The fields in which the last two of these are not the same: what each is called, and each one's text."""
    return [
        (says, tuple(getattr(form, name) for form in forms))
        for name, says in FIELDS
        if getattr(forms[-1], name) != getattr(forms[-2], name)
    ]


def merged(before: TopicForm, theirs: TopicForm, mine: TopicForm) -> TopicForm:
    """My form, with theirs in each field that they alone changed."""
    taken = {
        name: getattr(theirs, name) for name, _ in FIELDS if getattr(mine, name) == getattr(before, name)
    }
    return replace(mine, **taken)


def slug_of(title: str) -> str:
    """A name made of a title, as far as it is in Latin letters."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:60].strip("-")


def read_languages(written: str) -> frozenset[str]:
    """Languages by their codes.

    Raises:
        BadInput: one of them is no code.
    """
    codes = written.lower().replace(",", " ").split()
    for code in codes:
        if not _LANGUAGE.fullmatch(code):
            raise BadInput(f"{code[:40]!r} is no language: write its code, such as en, fr or uk.")
    return frozenset(codes)


def _lines(text: str) -> Iterable[str]:
    return (line.strip() for line in text.split("\n") if line.strip())
