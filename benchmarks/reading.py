"""Reading feeds with their HTML cleaned: feedparser's own way against ours.

    python benchmarks/reading.py                # 60 feeds made by seed
    python benchmarks/reading.py FOLDER         # every file in a folder of feeds, as they came from servers

feedparser counts as 1. Beside it stand fastfeedparser, which cleans nothing; expat building a tree, with
nh3 cleaning every body that we clean, which is the limit of what can be reached; and our own reading
without the fast path. All take turns within each round. Then both of our paths are compared: on which
share of entries id, title, links, dates and content agree, and the share of feeds that take the fast one.
"""

from __future__ import annotations

import random
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import fastfeedparser
import feedparser
import nh3
from measuring import ROUNDS, Comparison, Measure, finish

from feeds.errors import ParseError
from feeds.model import Entry, Feed
from feeds.read import charsets, jsonfeed, parse, parts, sniff, trees, universal

REACH = 15
SEED, MADE, ENTRIES = 7, 60, 25
_WORDS = "harbour talks minister grain corridor vote pilots tariff river storm council strike Ōsaka café"


def main() -> None:
    """Measure, compare, and end with an error where less was reached than promised."""
    warnings.simplefilter("ignore", DeprecationWarning)
    bodies = bodies_of(Path(sys.argv[1])) if len(sys.argv) > 1 else made()
    cleaned = bodies_to_clean(bodies)
    ways: list[tuple[str, Callable[[], object]]] = [
        ("feedparser", lambda: each(feedparser.parse, bodies)),
        ("fastfeedparser, which cleans nothing", lambda: each(fastfeedparser.parse, bodies)),
        ("the limit: expat's tree, nh3 alone", lambda: (each(tree, bodies), each(nh3.clean, cleaned))),
        ("wirebrief without its fast path", lambda: each(by_feedparser, bodies)),
        ("wirebrief", lambda: each(parse, bodies)),
    ]
    size = sum(map(len, bodies)) / 1e6
    compare(bodies)
    finish(
        "reading", "Reading feeds", [Comparison(f"{len(bodies)} feeds, {size:.1f} MB", rounds(ways), REACH)]
    )


def rounds(ways: Sequence[tuple[str, Callable[[], object]]]) -> tuple[Measure, ...]:
    """CPU seconds of each way, one after the other in each round, after one that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name, _ in ways}
    for counted in range(ROUNDS + 1):
        for name, work in ways:
            began = time.process_time()
            work()
            if counted:
                seconds[name].append(time.process_time() - began)
    return tuple(Measure(name, tuple(seconds[name])) for name, _ in ways)


def each(read: Callable[[bytes], object], bodies: Sequence[bytes]) -> None:
    """Read all, whatever they make of it."""
    for body in bodies:
        try:
            read(body)
        except Exception:  # noqa: BLE001,RUF100,S112 - some peers fail at some feeds, each in its own way.
            continue


def by_feedparser(body: bytes) -> Feed:
    """What `parse` does, without the fast path."""
    text, problems = charsets.decode(body)
    if sniff.kind(text) is sniff.Kind.JSON:
        return jsonfeed.read(text, problems=problems)
    return universal.read_by_feedparser(text, problems=problems)


def tree(body: bytes) -> object:
    """The least that anyone does who reads XML."""
    return trees.grow(sniff.without_preface(charsets.decode(body)[0]))


def bodies_to_clean(bodies: Sequence[bytes]) -> list[str]:
    """The HTML that our reading cleans."""
    found: list[str] = []
    sanitize = parts.sanitize

    def noting(html: str, base: str | None = None) -> str:
        found.append(html)
        return sanitize(html, base)

    parts.sanitize = noting
    each(parse, bodies)
    parts.sanitize = sanitize
    return found


def compare(bodies: Sequence[bytes]) -> None:
    """Print how far both paths agree."""
    xml = [
        text for text in (charsets.decode(body)[0] for body in bodies) if sniff.kind(text) is sniff.Kind.XML
    ]
    taken = [text for text in xml if universal.is_taken(text)]
    entries = same = 0
    for text in xml:
        try:
            ours, theirs = universal.read(text), universal.read_by_feedparser(text)
        except ParseError:
            continue
        entries += len(theirs.entries)
        same += sum(map(agree, ours.entries, theirs.entries)) if ours.version == theirs.version else 0
    print(f"{len(taken)} of {len(xml)} feeds in XML take the fast path ({len(taken) / len(xml):.1%}).")
    print(f"{same:,} of {entries:,} entries agree on both paths ({same / max(1, entries):.3%}).")


def agree(one: Entry, other: Entry) -> bool:
    """Whether id, title, links, dates and texts are the same."""
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("id", "title", "links", "published", "updated", "summary", "content")
    )


def bodies_of(folder: Path) -> list[bytes]:
    """All files of a folder."""
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]


def made() -> list[bytes]:
    """Feeds in three formats with articles in HTML, as a blog writes them."""
    rng = random.Random(SEED)  # noqa: S311 - a benchmark, not a secret
    return [_document(number, rng).encode() for number in range(MADE)]


def _document(number: int, rng: random.Random) -> str:
    entries = [_item(f"https://outlet{number}.example", n, rng) for n in range(ENTRIES)]
    if number % 3 == 0:
        inner = "".join(
            f'<entry><id>{link}</id><title>{title}</title><link href="{link}"/><updated>2025-02-18T09:{n:02}:00Z'
            f'</updated><author><name>A. Reporter</name></author><content type="html">{escape(html)}</content></entry>'
            for n, (link, title, html) in enumerate(entries)
        )
        return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Outlet {number}</title>{inner}</feed>'
    inner = "".join(
        f"<item><title>{title}</title><link>{link}</link><guid>{link}</guid><category>news</category>"
        f"<pubDate>Tue, 18 Feb 2025 09:{n:02}:00 +0000</pubDate><dc:creator>A. Reporter</dc:creator>"
        f"<description>{title} &amp; more</description><content:encoded><![CDATA[{html}]]></content:encoded></item>"
        for n, (link, title, html) in enumerate(entries)
    )
    return (
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/">'
        f"<channel><title>Outlet {number}</title><link>https://outlet{number}.example/</link>{inner}</channel></rss>"
    )


def _item(outlet: str, number: int, rng: random.Random) -> tuple[str, str, str]:
    link = f"{outlet}/news/{number}"
    paragraphs = [
        f'<p class="wp-block">{_words(30, rng)} <a href="{outlet}/tag/{n}" rel="tag">{_words(3, rng)}</a>, '
        f"<strong>{_words(4, rng)}</strong> &#8220;{_words(20, rng)}&#8221;.</p>"
        for n in range(rng.randrange(2, 14))
    ]
    picture = f'<figure><img src="{link}.jpg" alt="{_words(4, rng)}" width="640" height="480" loading="lazy"/></figure>'
    return link, _words(8, rng), picture + "\n".join(paragraphs)


def _words(count: int, rng: random.Random) -> str:
    return " ".join(rng.choices(_WORDS.split(), k=count))


if __name__ == "__main__":
    main()
