"""Whether what a feed shows is a story that we know: ids that change, collide, or are used twice.

Everything here holds within one source. Two texts are compared by their words, pair by pair; an id
is doubted only where the page says otherwise, and a page only where the words do.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aggregator.language.text import words
from aggregator.model import StoryDraft
from aggregator.rules.cosmetics import settled
from feeds.model import Entry
from feeds.urls import canonical, page_of

#: Words in a run that two texts share.
RUN = 2
#: The share of the shorter text's runs from which two texts at one page are one story.
SAME = 0.5
#: The share up to which two texts under one id are two stories.
OTHER = 0.2
#: The share of all runs below which a change is a substantial one.
SUBSTANTIAL = 0.8
#: Of a story with so many versions, only changes of its title or substantial ones count.
MOST_VERSIONS = 24
#: So many entries of a document must come back under new ids, and at least half of those known.
LEAST_CHURNED = 3

#: How a digest of this program begins; older ones have no mark.
DIGEST = "2:"


@dataclass(frozen=True, slots=True)
class Told:
    """The words of a story, as its newest version has them."""

    title: str
    summary: str
    body: str

    @property
    def words(self) -> list[str]:
        """All of them, folded, in order. A body mostly begins with its summary."""
        return words(f"{settled(self.title)}\n{settled(self.body or self.summary)}")


def told_by(draft: StoryDraft) -> Told:
    """The words of an entry."""
    return Told(draft.entry.title, draft.summary, draft.body)


def digest_of(told: Told) -> str:
    """The same for texts that differ in nothing but markup, white space, counters and clocks."""
    return DIGEST + hashed(*map(settled, (told.title, told.summary, told.body)))


def older_digest_of(told: Told) -> str:
    """The digest that stories have which came before counters and clocks were known."""
    return hashed(*(" ".join(part.split()) for part in (told.title, told.summary, told.body)))


def is_older(digest: str) -> bool:
    """Whether a digest is to be compared as `older_digest_of` makes it."""
    return not digest.startswith(DIGEST)


def is_same_story(one: Told, other: Told) -> bool:
    """Whether two texts at one page are one story: the same title, or half of the shorter one in common."""
    title = words(one.title)
    return bool(title and title == words(other.title)) or _shared(one, other) >= SAME


def is_other_story(one: Told, other: Told) -> bool:
    """Whether two texts under one id have next to nothing in common."""
    return words(one.title) != words(other.title) and _shared(one, other) <= OTHER


def is_substantial(old: Told, new: Told) -> bool:
    """Whether a change counts in a story that has changed again and again: its title, or a fifth of its words."""
    if words(settled(old.title)) != words(settled(new.title)):
        return True
    here, there = _runs(old), _runs(new)
    return len(here & there) < SUBSTANTIAL * len(here | there)


def is_churning(churned: int, known: int) -> bool:
    """Whether ids tell nothing: `churned` entries came back under new ids, of `known` whose page is known."""
    return churned >= LEAST_CHURNED and 2 * churned >= known


def is_only_spelt_anew(entry: Entry) -> bool:
    """Whether an id is the page itself, so that it changes with how an address is written."""
    return bool(entry.id and entry.url and page_of(entry.id) == page_of(entry.url))


def told_apart(drafts: Sequence[StoryDraft], *, home: str | None, by_link: bool) -> tuple[StoryDraft, ...]:
    """The stories of a document, with keys that tell its entries apart.

    A page that several of them name, or the feed's own, tells nothing; neither does an id that
    stands at several pages. `by_link` goes by pages first.
    """
    titles: defaultdict[str, set[str]] = defaultdict(set)
    for draft in drafts:
        if draft.page:
            titles[draft.page].add(draft.entry.title)
    shared = {page for page, said in titles.items() if len(said) > 1}
    if home:
        shared.add(page_key(home))
    marked = [replace(draft, shares_page=True) if draft.page in shared else draft for draft in drafts]
    used_twice = colliding(marked)
    return tuple(_keyed(draft, used_twice, by_link=by_link) for draft in marked)


def colliding(drafts: Sequence[StoryDraft]) -> frozenset[str]:
    """The ids that stand for several stories of one document: at other pages, under other titles."""
    ids = Counter(draft.entry.id for draft in drafts if draft.entry.id)
    several: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for draft in drafts:
        id = draft.entry.id
        if id and ids[id] > 1 and draft.page and not draft.shares_page:
            several[id].add((draft.page, draft.entry.title))
    return frozenset(
        id
        for id, said in several.items()
        if len({page for page, _ in said}) > 1 and len({title for _, title in said}) > 1
    )


def _keyed(draft: StoryDraft, used_twice: frozenset[str], *, by_link: bool) -> StoryDraft:
    entry = draft.entry
    is_doubted = entry.id in used_twice
    if draft.page and not draft.shares_page and (by_link or is_doubted):
        return under(draft, draft.page, is_new_id=is_doubted)
    if not entry.id and draft.shares_page:
        return under(draft, text_key(entry))
    return draft


def again_under(draft: StoryDraft) -> StoryDraft:
    """A story that came under the id of another one, under a key of its own."""
    return under(draft, hashed("id+page", draft.entry.id or "", draft.page or ""), is_new_id=True)


def under(draft: StoryDraft, key: str, *, is_new_id: bool = False) -> StoryDraft:
    """The story under another key; with an id for the world of its own where its own is taken."""
    return replace(draft, key=key, entry_id=minted(draft.entry_id, key) if is_new_id else draft.entry_id)


def page_key(url: str) -> str:
    """A page as stories of one source are compared by it."""
    return hashed("page", page_of(url))


def id_key(id: str) -> str:
    """The key of an entry with this id."""
    return hashed("id", id)


def link_key(url: str) -> str:
    """The key of an entry that has a page and no id."""
    return hashed("url", canonical(url))


def text_key(entry: Entry) -> str:
    """The key of an entry that only its words tell from others."""
    published = entry.published.isoformat() if entry.published else ""
    return hashed("text", entry.title, published, str(entry.summary or entry.content or "")[:500])


def minted(base: str, key: str) -> str:
    """An id for the world, the same every time (RFC 9562 section 5.5)."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{base}\n{key}").urn


def hashed(*parts: str) -> str:
    """A digest of these words, short enough to be a key."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _shared(one: Told, other: Told) -> float:
    """The share of the shorter text's runs that both have."""
    here, there = _runs(one), _runs(other)
    least = min(len(here), len(there))
    return len(here & there) / least if least else 0.0


def _runs(told: Told) -> set[tuple[str, ...]]:
    said = told.words
    return {tuple(said[at : at + RUN]) for at in range(max(1, len(said) - RUN + 1))} if said else set()
