"""What can be said of a brief without reading the wire: its links, its support, its picks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.rules.briefs import BriefLink, BriefText
from aggregator.rules.checking.values import Check


@dataclass(frozen=True, slots=True)
class Support:
    """A passage and the agencies of the stories found for it."""

    passage: str
    #: Its words.
    text: str
    #: Agency and URL of each story above the threshold, best first.
    stories: Sequence[tuple[str, str]]
    #: False for an opinion or an announcement, which needs no story.
    is_claim: bool = True


@dataclass(frozen=True, slots=True)
class PickSeen:
    """A story that an editor picked: what it was then, and what it is now."""

    passage: str
    text: str
    url: str
    #: The version that the editor saw, and the newest; 1 is the first.
    seen: int
    newest: int
    is_withdrawn: bool = False
    #: Address of the story that replaced it, where the wire says so.
    replaced_by: str | None = None


def check_links(text: BriefText) -> list[Check]:
    """Links of a brief that are empty or lead nowhere ("#")."""
    passages = {passage.id: passage.text for passage in text.passages}
    return [_link(link, passages.get(link.passage or "", link.text)) for link in text.links if link.is_empty]


def _link(link: BriefLink, passage: str) -> Check:
    start = passage.find(link.text)
    message = f"The link “{link.text}” leads nowhere yet."
    return Check("link", link.passage or "", link.text, start, start + len(link.text), "", (), (), message)


def check_support(passages: Sequence[Support]) -> list[Check]:
    """Passages that no story stands behind, or only one agency."""
    found = []
    for each in passages:
        agencies = {agency for agency, _ in each.stories}
        if not each.is_claim or len(agencies) > 1:
            continue
        urls = tuple(url for _, url in each.stories)
        span = each.passage, each.text, 0, len(each.text)
        if not agencies:
            message = "No story of the wire stands behind this passage."
            found.append(Check("unsupported", *span, "", (), (), message))
        else:
            message = f"All that stands behind this passage is one agency's word ({min(agencies)})."
            found.append(Check("single_source", *span, "", urls, (), message))
    return found


def check_picks(picks: Sequence[PickSeen]) -> list[Check]:
    """Picked stories that were withdrawn, or that have a newer version than the editor saw."""
    return [check for pick in picks if (check := _of_pick(pick)) is not None]


def _of_pick(pick: PickSeen) -> Check | None:
    span = pick.passage, pick.text, 0, len(pick.text)
    if pick.is_withdrawn:
        message = "The wire has withdrawn this story: what rests on it needs another source."
        return Check("killed", *span, "", (pick.url,), (), message)
    if pick.replaced_by is not None:
        urls = pick.url, pick.replaced_by
        return Check("superseded", *span, "", urls, (), "The wire has replaced this story by another.")
    if pick.newest > pick.seen:
        message = f"This story has changed since it was picked: version {pick.newest}, seen {pick.seen}."
        return Check("superseded", *span, "", (pick.url,), (), message)
    return None
