"""What fetches found is recorded: which entry is which story, and which change of it counts.

The rules are those of `rules.identities`; this looks up what they need, in few queries a batch. A
round that finds nothing new asks for no more than what is known under the keys it came with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlmodel import Session

from aggregator.model import FetchReport, Recorded, StoryDraft
from aggregator.rules import identities as rules
from aggregator.rules.identities import Told, told_by
from aggregator.store import fetches, story_records
from aggregator.store.fetches import Settle
from aggregator.store.story_records import Apart, Key, Known, Pair, Words
from feeds.model import Tombstone

#: The longest reason for a withdrawal that is kept, in characters.
MOST_WHY = 500


def record(session: Session, reports: Sequence[FetchReport], settle: Settle | None = None) -> list[Recorded]:
    """Keep what these fetches found, each story once whatever its feed calls it today."""
    return fetches.record(session, reports, settle, tell_apart=tell_apart)


def tell_apart(
    session: Session, reports: Sequence[FetchReport], wanted: Mapping[Key, Pair], known: Mapping[Key, Known]
) -> Apart:
    """Which entries of a batch are known under another name, which only seem to be known, which changed."""
    apart = Apart()
    batch = _Batch(session, wanted, known)
    for key, (report, draft) in wanted.items():
        if key not in known:
            _find_at_page(batch, apart, key, report, draft)
        elif key in batch.doubted:
            _doubt_id(batch, apart, key, draft)
    _doubt_sources(batch, apart)
    for key, (_, draft) in wanted.items():
        seen = apart.names.get(key, known.get(key))
        if seen is not None and key not in apart.own and not _counts(batch, seen, draft):
            apart.unchanged.add(key)
    _find_twins(wanted, known, apart)
    _take_back(session, reports, wanted, known, apart)
    return apart


class _Batch:
    """What the rules need to know of a batch beyond its keys, looked up once."""

    def __init__(self, session: Session, wanted: Mapping[Key, Pair], known: Mapping[Key, Known]) -> None:
        self.wanted, self.known = wanted, known
        #: Entries under an id of a story at another page, with the key that they would get of their own.
        self.doubted = {
            key: rules.again_under(draft)
            for key, (_, draft) in wanted.items()
            if key in known and _is_elsewhere(known[key], draft)
        }
        own = [(source, draft.key) for (source, _), draft in self.doubted.items()]
        self.own = story_records.of_keys(session, own) if own else {}
        new = {key: pair for key, pair in wanted.items() if key not in known}
        #: How often each page is named in the documents of this batch.
        named = wanted.items() if new else ()
        self.named = Counter((source, draft.page) for (source, _), (_, draft) in named if draft.page)
        pages = {(source, draft.page) for (source, _), (_, draft) in new.items() if draft.page}
        self.at_pages = story_records.at_pages(session, pages) if pages else {}
        #: By what sources with new entries go, and who said so.
        sources = {source for source, _ in new}
        self.identities = story_records.identities(session, sources) if sources else {}
        #: Entries that came back under new ids.
        self.churned: Counter[int] = Counter()
        self.words = story_records.words_of(session, self._to_read())

    def _to_read(self) -> set[int]:
        """The stories whose words decide."""
        found: set[int] = set()
        for key, (_, draft) in self.wanted.items():
            if key in self.doubted or (key in self.known and _is_doubtful(self.known[key], draft)):
                found.add(self.known[key].story_id or 0)
            for seen in self.at_pages.get((key[0], draft.page or ""), ()):
                if seen.digest != draft.digest:
                    found.add(seen.story_id or 0)
        return found - {0}

    def told(self, seen: Known) -> Told | None:
        """What the newest version of a story says, where it was looked up."""
        words: Words | None = self.words.get(seen.story_id or 0)
        return Told(words.title, words.summary, words.body) if words else None

    def says_the_same(self, seen: Known, draft: StoryDraft) -> bool:
        """Whether an entry says what a story says already."""
        if seen.digest == draft.digest:
            return True
        told = self.told(seen)
        return told is not None and rules.digest_of(told) == draft.digest


def _is_elsewhere(seen: Known, draft: StoryDraft) -> bool:
    """Whether an entry that came under the id of a story stands at another page and says something else."""
    if seen.digest == draft.digest or seen.page == draft.page:
        return False
    is_by_id = draft.entry.id is not None and draft.key == rules.id_key(draft.entry.id)
    return is_by_id and draft.page is not None and seen.page is not None and not draft.shares_page


def _is_doubtful(seen: Known, draft: StoryDraft) -> bool:
    """Whether only the words can say that a change counts."""
    if seen.story_id is None or seen.digest == draft.digest:
        return False
    return rules.is_older(seen.digest) or seen.versions >= rules.MOST_VERSIONS


def _find_at_page(batch: _Batch, apart: Apart, key: Key, report: FetchReport, draft: StoryDraft) -> None:
    """Whether an entry under an unknown key is a story that stands at its page."""
    source = key[0]
    identity, by = batch.identities.get(source, ("id", ""))
    if by and identity == "id" and draft.entry.id:
        # An editor who says that ids tell the entries apart is believed: only the same words are no news.
        identity = "words"
    candidates = batch.at_pages.get((source, draft.page or ""), [])
    if not candidates:
        return
    found = _one_at_page(
        batch, draft, candidates, named=batch.named[source, draft.page or ""], identity=identity
    )
    if found is None:
        return
    apart.names[key] = found
    if draft.entry.id and draft.key == rules.id_key(draft.entry.id):
        batch.churned[source] += not rules.is_only_spelt_anew(draft.entry)


def _one_at_page(
    batch: _Batch, draft: StoryDraft, candidates: Sequence[Known], *, named: int, identity: str
) -> Known | None:
    dated = draft.entry.published or draft.entry.updated
    if candidates[0].story_id is None:
        # What is newer than a story that was purged is another one, though it stands where that one stood.
        purged = candidates[0].published
        is_older = dated is not None and purged is not None and dated <= purged
        return candidates[0] if is_older and not draft.shares_page else None
    if draft.shares_page:
        same = [c for c in candidates if batch.says_the_same(c, draft) and c.published == dated]
        return same[-1] if same else None
    if same := [c for c in candidates if batch.says_the_same(c, draft)]:
        return same[-1]
    if identity != "id":
        return candidates[-1] if identity == "link" else None
    told = batch.told(candidates[0])
    is_alone = len(candidates) == 1 and named == 1
    return candidates[0] if is_alone and told and rules.is_same_story(told, told_by(draft)) else None


def _doubt_id(batch: _Batch, apart: Apart, key: Key, draft: StoryDraft) -> None:
    """Whether an entry under the id of a story is another story."""
    own = batch.doubted[key]
    seen, told = batch.known[key], batch.told(batch.known[key])
    if again := batch.own.get((key[0], own.key)):
        apart.own[key], apart.names[key] = own, again
        return
    words = batch.words.get(seen.story_id or 0)
    dated = draft.entry.published or draft.entry.updated
    is_newer = words is not None and (dated is None or words.published is None or dated > words.published)
    if told is None or not is_newer or not rules.is_other_story(told, told_by(draft)):
        return
    apart.own[key] = own
    note = f"warning: the id {_short(draft.entry.id or '')} was used again for another story, which is kept apart"
    apart.notes.setdefault(key[0], []).append(note)


def _doubt_sources(batch: _Batch, apart: Apart) -> None:
    """Which sources have ids that tell their entries not apart."""
    doubtful = {source for source, (identity, by) in batch.identities.items() if identity == "id" and not by}
    known: Counter[int] = Counter()
    reports: dict[int, FetchReport] = {}
    for key, (report, draft) in batch.wanted.items():
        source = key[0]
        if source in doubtful:
            reports[source] = report
            known[source] += key in batch.known or (source, draft.page or "") in batch.at_pages
    for source, report in reports.items():
        if why := _why_by_link(report, churned=batch.churned[source], known=known[source]):
            apart.by_link[source] = why
            note = f"warning: {why}, so entries are known by their links from now on"
            apart.notes.setdefault(source, []).append(note)


def _why_by_link(report: FetchReport, *, churned: int, known: int) -> str:
    """Why ids tell the entries of a document not apart; "" where they do."""
    if rules.is_churning(churned, known):
        return f"{churned} of {known} known stories came back under new ids"
    # Such entries were given their pages as keys when they were read.
    collided = sum(draft.entry.id is not None and draft.key == draft.page for draft in report.drafts)
    if rules.is_churning(collided, len(report.drafts)):
        return f"{collided} of {len(report.drafts)} entries share their ids with others"
    return ""


def _counts(batch: _Batch, seen: Known, draft: StoryDraft) -> bool:
    """Whether what an entry says is a new version of a story."""
    if seen.story_id is None or seen.digest == draft.digest:
        return False
    told = batch.told(seen)
    if told is None:
        return True
    new = told_by(draft)
    if rules.is_older(seen.digest) and rules.digest_of(told) == rules.digest_of(new):
        return False
    return seen.versions < rules.MOST_VERSIONS or rules.is_substantial(told, new)


def _find_twins(wanted: Mapping[Key, Pair], known: Mapping[Key, Known], apart: Apart) -> None:
    """Entries of one document that are new, stand at one page and say the same are one story."""
    first: dict[tuple[int, str, str], Key] = {}
    for key, (_, draft) in reversed(list(wanted.items())):
        if key in known or key in apart.names or not draft.page or draft.shares_page:
            continue
        counts = first.setdefault((key[0], draft.page, draft.digest), key)
        if counts != key:
            apart.twins[key] = counts


def _take_back(
    session: Session,
    reports: Sequence[FetchReport],
    wanted: Mapping[Key, Pair],
    known: Mapping[Key, Known],
    apart: Apart,
) -> None:
    """Which stories their feeds say were withdrawn, and which stand again."""
    said = {(r.source_id, stone.ref): (r, stone) for r in reports for stone in r.tombstones}
    shown = {(r.source_id, draft.entry.id): draft for r in reports if r.tombstones for draft in r.drafts}
    said = {key: one for key, one in said.items() if not _is_put_again(one[1], shown.get(key))}
    if said:
        by_key = story_records.of_keys(session, [(source, rules.id_key(ref)) for source, ref in said])
        by_id = story_records.with_entry_ids(session, said.keys())
        for (source, ref), (report, stone) in said.items():
            named = by_key.get((source, rules.id_key(ref)))
            story = named.story_id if named else by_id.get((source, ref))
            if story is not None and not (named and named.is_withdrawn):
                apart.withdrawn[source, story] = (report.at, (stone.comment or "")[:MOST_WHY])
    for key, (_, draft) in wanted.items():
        seen = apart.names.get(key, known.get(key))
        if seen and seen.is_withdrawn and seen.story_id and (key[0], draft.entry.id) not in said:
            apart.restored.add((key[0], seen.story_id))
    for source in {source for source, _ in apart.withdrawn}:
        count = sum(source == each for each, _ in apart.withdrawn)
        what = "1 story was withdrawn" if count == 1 else f"{count} stories were withdrawn"
        apart.notes.setdefault(source, []).append(f"{what} by its feed")


def _is_put_again(stone: Tombstone, draft: StoryDraft | None) -> bool:
    """Whether an entry was put back after it was withdrawn (RFC 6721 section 3)."""
    return draft is not None and draft.entry.updated is not None and draft.entry.updated > stone.when


def _short(id: str) -> str:
    return id if len(id) <= 80 else f"{id[:80]}…"
