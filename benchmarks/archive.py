"""An archive of 100,000 stories to measure the desk with: 300 sources, ten languages, made by seed.

Headlines are put together from real words; bodies are filled with words made of syllables, as
common and as rare as in a language. Events have one to some dozen reports, and one has 60 outlets.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from aggregator.model import FetchReport, Outcome, SourceDraft, StoryDraft
from aggregator.store import clusters, fetches, schema, sources, stories, topics
from aggregator.store.clusters import Placed
from aggregator.store.database import Database
from aggregator.store.tables import STORY
from feeds.model import Entry, Text

NOW = datetime(2025, 2, 19, 12, 0, tzinfo=UTC)
DAYS = 60
BATCH = 2_000

_SYLLABLES = {
    "latin": "ba be di do fa ga ka la le li lo ma me mi na ne no pa po ra re ri ro sa se si ta te ti to ve vi",
    "cyrillic": "ба ве ги до жу за ка ле ми на по ра со ту фе хо ца че ша ли ре ни то ма се",
    "arabic": "با تا جا دا را سا شا فا قا كا لا ما نا ها وا يا بي تي ري سي لي مي ني",
    "han": "天 地 人 水 火 山 石 田 木 日 月 金 土 风 雨 雪 花 草 鸟 鱼 马 牛 羊 门 车 书 电 海 河 城 市 国 家",
}
_SCRIPTS = {"uk": "cyrillic", "ru": "cyrillic", "ar": "arabic", "zh": "han"}

#: Topic: how many of a hundred stories it takes.
TOPICS = {"ukraine": 28, "economy": 11, "harbours": 4, "courts": 2, "floods": 0.4}


def headlines() -> dict[str, tuple[float, list[str]]]:
    """Of each language its share, and the parts of a headline in their variants."""
    written = Path(__file__).with_name("headlines.txt").read_text(encoding="utf-8")
    found = {}
    for block in written.split("\n\n")[1:]:
        about, *parts = block.strip().splitlines()
        language, share = about.split()
        found[language] = (float(share), parts)
    return found


HEADLINES = headlines()


@dataclass(frozen=True, slots=True)
class Made:
    """A story before it is stored."""

    event: int
    source: int
    at: datetime
    draft: StoryDraft
    #: Its number among those of its event that share its text: 0 is the first.
    copy: int


def fill(database: Database, count: int, outlets: int, *, say: Any = print) -> None:
    """Make the tables and put `count` stories of `outlets` sources into them."""
    schema.prepare(database)
    rng = random.Random(11)  # noqa: S311 - a benchmark, not a secret
    ids = database.write_now(lambda s: sources.add(s, list(_outlets(outlets)), now=NOW))
    made = sorted(_made(count, ids, rng), key=lambda one: one.at)
    for start in range(0, len(made), BATCH):
        some = made[start : start + BATCH]
        database.write_now(lambda s, some=some: fetches.record(s, list(_reports(some))))
        again = [replace(one, draft=_changed(one.draft, rng)) for one in some if rng.random() < 0.05]
        database.write_now(lambda s, again=again: fetches.record(s, list(_reports(again))))
        say(f"{start + len(some):,} stories kept")
    database.write_now(lambda s: _cluster(s, made))
    database.write_now(lambda s: _topics(s, rng))
    while database.write_now(lambda s: stories.index_new(s, limit=5_000)):
        pass
    database.write_now(lambda s: s.connection().exec_driver_sql("ANALYZE"))


def _outlets(count: int) -> Iterator[SourceDraft]:
    languages = list(HEADLINES)
    for n in range(count):
        language = languages[n % len(languages)]
        yield SourceDraft(
            f"https://outlet{n}.example/feed", title=f"Outlet {n} ({language})", language=language
        )


def _made(count: int, ids: Sequence[int], rng: random.Random) -> Iterator[Made]:
    vocabulary = {language: vocabulary_of(language, rng) for language in HEADLINES}
    shares = [about[0] for about in HEADLINES.values()]
    done = event = 0
    while done < count:
        # The newest event is the one that everybody reports.
        size = 60 if event == 0 else min(_size(rng), count - done)
        began = (
            NOW - timedelta(hours=30) if event == 0 else NOW - timedelta(minutes=rng.random() * DAYS * 1440)
        )
        of_event = {}
        for n, source in enumerate(rng.sample(ids, size)):
            (language,) = rng.choices(list(HEADLINES), shares)
            first = of_event.get(language)
            is_copy = first is not None and rng.random() < 0.4
            draft = replace(first[0]) if is_copy else _draft(language, vocabulary[language], rng)
            copies = first[1] + 1 if is_copy else 0
            of_event[language] = (first[0], copies) if is_copy else (draft, 0)
            at = min(began + timedelta(minutes=rng.random() * 60 * min(size, 30)), NOW)
            yield Made(event, source, at, _identified(draft, event, n, at), copies)
        done += size
        event += 1


def _size(rng: random.Random) -> int:
    return 1 if rng.random() < 0.7 else min(40, 2 + int(rng.expovariate(1 / 4)))


def _draft(language: str, vocabulary: list[str], rng: random.Random) -> StoryDraft:
    _, parts = HEADLINES[language]
    title = ("" if language == "zh" else " ").join(rng.choice(part.split("|")) for part in parts)
    title += f" {rng.choice(vocabulary)} {rng.choice(vocabulary)}"
    body = " ".join(zipf(vocabulary, rng, 220))
    if rng.random() < 0.45 and language in ("en", "fr", "de"):
        body = f"Ukraine {body}"
    summary = " ".join(zipf(vocabulary, rng, 30))
    entry = Entry(
        title=title, summary=Text(summary), content=Text(f"<p>{body}</p>", "html"), language=language
    )
    return StoryDraft("", "", None, language, summary, body, "", entry)


def zipf(vocabulary: list[str], rng: random.Random, count: int) -> list[str]:
    return [vocabulary[int(len(vocabulary) ** rng.random()) - 1] for _ in range(count)]


def _identified(draft: StoryDraft, event: int, number: int, at: datetime) -> StoryDraft:
    key = f"{event}-{number}"
    entry = replace(draft.entry, id=f"urn:bench:{key}", published=at)
    digest = sha256(f"{key}{draft.summary}".encode()).hexdigest()
    url = f"https://outlet.example/news/{key}"
    return replace(draft, key=key, entry_id=f"urn:bench:{key}", url=url, digest=digest, entry=entry)


def _changed(draft: StoryDraft, rng: random.Random) -> StoryDraft:
    words = draft.body.split()
    for _ in range(8):
        words[rng.randrange(len(words))] = rng.choice(words)
    title = f"{draft.entry.title} ({rng.randrange(90)})"
    entry = replace(draft.entry, title=title)
    return replace(draft, body=" ".join(words), entry=entry, digest=sha256(title.encode()).hexdigest())


def vocabulary_of(language: str, rng: random.Random) -> list[str]:
    syllables = _SYLLABLES[_SCRIPTS.get(language, "latin")].split()
    return ["".join(rng.choices(syllables, k=rng.randrange(1, 5))) for _ in range(4_000)]


def _reports(some: Sequence[Made]) -> Iterator[FetchReport]:
    at = some[-1].at if some else NOW
    for source, of_source in groupby(sorted(some, key=lambda one: one.source), key=lambda one: one.source):
        drafts = tuple(one.draft for one in of_source)
        yield FetchReport(source, at, Outcome.FETCHED, NOW + timedelta(days=1), "", drafts=drafts)


def _cluster(session: Session, made: Sequence[Made]) -> None:
    ids = {key: story for story, key in session.execute(select(STORY.c.id, STORY.c.key))}
    begun: dict[int, int] = {}
    first: dict[tuple[int, str | None, str], int] = {}
    placed = []
    for one in made:
        story = ids[one.draft.key]
        cluster = begun.setdefault(one.event, story)
        text = (one.event, one.draft.language, one.draft.summary)
        group = first.setdefault(text, story)
        why = (
            "It began this cluster."
            if cluster == story
            else "“Riyadh” and “talks” shared with 3 stories of it."
        )
        placed.append(Placed(story, cluster, group, 0.7, why, None))
    clusters.record(session, placed, [], at=NOW)


def _topics(session: Session, rng: random.Random) -> None:
    ids = list(session.execute(select(STORY.c.id).order_by(STORY.c.id)).scalars())
    newest = stories.newest_version(session)
    for slug, share in TOPICS.items():
        topics.declare(session, slug, slug.capitalize(), "made")
        taken = [(story, slug) for story in ids if rng.random() * 100 < share]
        topics.decide(session, slug, taken=taken, left=(), upto=newest)
