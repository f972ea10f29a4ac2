# ruff: noqa: E501 - its tables are read across, not down.
"""Documents broken and made evil by seed, through reading, cleaning, storing and publishing.

    python benchmarks/fuzz.py                        # 100,000 documents
    python benchmarks/fuzz.py --count 5000 --seed 3  # fewer, and others

Each document is a feed of `tests/corpus` (and of `../shared/corpora`, where that folder is) with up
to six injuries. It is read as after a fetch, made stories, stored with some dozen others, and each
entry is written as Atom. What may happen is a `ParseError` and nothing else: no other exception, no
document that takes longer than two seconds, none that the fast path reads otherwise than feedparser, no HTML in what is published that a browser would run,
send or load a frame for (judged by lxml, which is not what cleaned it), no character that XML
forbids, no override of direction. The first documents that break a promise are kept in a folder.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import random
import re
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import lxml.html
from lxml import etree
from sqlmodel import Session

from aggregator.model import FetchReport, Outcome, SourceDraft
from aggregator.rules.stories import read_stories
from aggregator.store import fetches, schema, sources
from aggregator.store.database import Database
from feeds.errors import ParseError, RenderError
from feeds.http.decoding import DecodingError, decoder_for
from feeds.model import Entry, Feed
from feeds.read import charsets, parse, sniff
from feeds.read.universal import is_taken, read_by_feedparser
from feeds.write import atom

PROJECT = Path(__file__).resolve().parents[1]
CORPORA = (PROJECT / "tests" / "corpus", PROJECT.parent / "shared" / "corpora")
NOW = datetime(2025, 2, 18, 9, 0, tzinfo=UTC)
ADDRESS = "https://fuzz.example/feed"
CHANNEL = Feed(id="urn:wirebrief:fuzz", title="Fuzz", updated=NOW)
SOURCES, BATCH = 40, 40
#: A longer feed is cut to a beginning and an end of this size together: a fuzzer wants many, not long ones.
MOST_BYTES = 3_000
#: What one document may take, of the processor's time.
MOST_SECONDS = 2.0
#: A document that takes so long on the clock ends the run with a trace of where it hangs.
HANGING_SECONDS = 120


def _names(written: str) -> tuple[str, ...]:
    return tuple(written.split())


_MARKUP = """
<script>alert(1)</script>|<img src=x onerror=alert(1)>|<a href="javascript:alert(1)">x</a>|<iframe src=//e.example>
<form action=//e.example><input name=p></form>|<svg/onload=alert(1)>|<a href=" java\tscript:alert(1)">x</a>|<base href=//e>
<math><mi xlink:href="javascript:alert(1)">|<img src="https://t.example/1.gif" width=1 height=1>|<style>*{}</style>
<a href="data:text/html,<script>alert(1)</script>">x</a>|<meta http-equiv=refresh content=0>|<link rel=stylesheet href=x>
<noscript><p title="</noscript><img src=x onerror=alert(1)>">|<object data=x>|<embed src=x>|<video src=file:///etc/passwd>
<table><td><form><button formaction=javascript:alert(1)>|<b style="background:url(javascript:x)">|<template><script>
<svg><style><img src=x onerror=alert(1)></style></svg>|<!--><script>alert(1)</script-->|<a href="vbscript:x">x</a>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">|<p onclick=x>
"""
MARKUP = [line for line in _MARKUP.replace("\n", "|").split("|") if line]
TOKENS = [
    *(markup.encode() for markup in MARKUP),
    *(markup.replace("&", "&amp;").replace("<", "&lt;").encode() for markup in MARKUP),
    *(b"<![CDATA[" + markup.encode() + b"]]>" for markup in MARKUP),
    *(b"<item> </item> <entry> </entry> <title> </title> <link> <guid> ]]> <![CDATA[ <!-- --> <? ?> &#0; &#x202e; &amp".split()),
    *(b"\x00", b"\x08", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\xe2\x81\xa7", b"\x1b$B", b"&#55296;"),
    *(b"<pubDate>Tue, 99 Foo 99999 99:99:99</pubDate>", b"<link>file:///etc/passwd</link>", b"<ttl>99999999999999999999</ttl>"),
    *(b'<!DOCTYPE x [<!ENTITY a "&b;&b;"><!ENTITY b "&a;">]>', b"&a;", b'<!ENTITY % p SYSTEM "file:///etc/passwd">%p;'),
    *(b'xml:base="javascript:alert(1)//"', b'xml:lang="\xe2\x80\xae"', b'type="xhtml"', b'type="html"', b'href="javascript:x"'),
    *(b'<enclosure url="javascript:alert(1)" length="-9" type="x"/>', b'{"id":1e999}', b'"content_html":"<script>"'),
]  # fmt: skip
CHARSETS = _names("""
    utf-8 utf-16 utf-32 utf-7 iso-8859-1 windows-1252 shift_jis iso-2022-jp gb2312 hz big5 cp037 x-none
    idna rot13
""")
UNSAFE = _names("""
    applet base button dialog embed form frame frameset iframe input link marquee math meta noscript
    object option portal script select style svg template textarea
""")
LINKS = _names("""
    action background cite data formaction href ping poster src srcset xlink:href
""")
SAFE_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\u202a-\u202e\ufffe\uffff]")


@dataclass(slots=True)
class Findings:
    """What a run saw."""

    documents: int = 0
    refused: int = 0
    stories: int = 0
    stored: int = 0
    published: int = 0
    slowest: float = 0.0
    #: What should not have been: how often, by what it was.
    faults: Counter[str] = field(default_factory=Counter)
    #: The first document of each.
    examples: dict[str, bytes] = field(default_factory=dict)
    #: Who is told of a fault at once.
    say: Callable[[str], None] = lambda _: None

    def blame(self, what: str, body: bytes) -> None:
        """Note a broken promise."""
        self.faults[what] += 1
        if what not in self.examples:
            self.examples[what] = body
            self.say(f"FAULT: {what}")


def main() -> None:
    """Fuzz, and say what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Database(f"sqlite:///{folder}/fuzz.db") as database:
        found = fuzz(database, asked.count, asked.seed, say=print)
    print(
        f"{found.documents:,} documents in {time.monotonic() - began:.0f} s: {found.refused:,} refused, "
        f"{found.stories:,} stories read, {found.stored:,} stored, {found.published:,} entries written and judged. "
        f"The slowest took {found.slowest:.2f} s."
    )
    if found.faults:
        kept = Path(tempfile.mkdtemp(prefix="fuzz-"))
        for number, (what, body) in enumerate(found.examples.items()):
            (kept / f"{number}.bin").write_bytes(body)
            print(f"{found.faults[what]:6} x {kept / f'{number}.bin'}: {what}")
        raise SystemExit(1)
    print("No crash, no hang, nothing unsafe.")


def fuzz(
    database: Database, count: int, seed: int, *, say: Callable[[str], None] = lambda _: None
) -> Findings:
    """Put `count` documents through everything; the same seed gives the same documents."""
    schema.prepare(database)
    drafts = [SourceDraft(f"https://fuzz{n}.example/feed") for n in range(SOURCES)]
    ids = database.write_now(lambda session: sources.add(session, drafts, now=NOW))
    found, batch = Findings(say=say), []
    for number, (body, label) in enumerate(documents(count, seed), 1):
        faulthandler.dump_traceback_later(HANGING_SECONDS, exit=True)
        report = _through(found, body, label, ids[number % SOURCES])
        if report is not None:
            batch.append((body, report))
        if len(batch) == BATCH or number == count:
            _store(found, database, batch)
            batch = []
        if number % 10_000 == 0:
            say(f"{number:,} documents, {found.stories:,} stories, {sum(found.faults.values())} faults")
    faulthandler.cancel_dump_traceback_later()
    return found


def _through(found: Findings, body: bytes, label: str | None, source: int) -> FetchReport | None:
    """Read, clean and publish one document; what is to be stored of it, if anything."""
    found.documents += 1
    began, beside = time.process_time(), 0.0
    report = None
    try:
        unpacked = _unpacked(body, label)
        feed = parse(unpacked, content_type=label, base_url=ADDRESS)
        read = time.process_time()
        if not _is_the_same_by_feedparser(unpacked, label, feed):
            found.blame("The fast path reads it otherwise than feedparser", body)
        # Reading it a second time is this script's doing.
        beside = time.process_time() - read
        stories = read_stories(feed, source_url=ADDRESS, language=None)
        found.stories += len(stories)
        report = FetchReport(source, NOW, Outcome.FETCHED, NOW + timedelta(hours=1), "read", drafts=stories)
        for fault in _judged(found, feed):
            found.blame(fault, body)
    except ParseError as error:
        found.refused += 1
        if not str(error):
            found.blame("A refusal without a word", body)
    except Exception as error:  # noqa: BLE001,RUF100 - to find any is what this is for.
        where = traceback.extract_tb(error.__traceback__)[-1]
        found.blame(
            f"{type(error).__name__} in {where.name} of {Path(where.filename).name}:{where.lineno}", body
        )
    seconds = time.process_time() - began - beside
    found.slowest = max(found.slowest, seconds)
    if seconds > MOST_SECONDS:
        found.blame("It takes longer than two seconds", body)
    return report


def _is_the_same_by_feedparser(body: bytes, label: str | None, feed: Feed) -> bool:
    """Whether feedparser reads the same out of what the fast path took, and finds as little wrong with it."""
    text, problems = charsets.decode(body, label)
    if sniff.kind(text) is not sniff.Kind.XML or not is_taken(text, base_url=ADDRESS):
        return True
    other = read_by_feedparser(text, base_url=ADDRESS, problems=problems)
    return (feed, feed.version, feed.problems) == (other, other.version, other.problems)


def _unpacked(body: bytes, label: str | None) -> bytes:
    """What the server's Content-Encoding would make of it, now and then."""
    if label is None or "gzip" not in label:
        return body
    try:
        return b"".join(decoder_for("gzip").feed(body))
    except DecodingError as error:
        raise ParseError("not compressed") from error


def _store(found: Findings, database: Database, batch: Sequence[tuple[bytes, FetchReport]]) -> None:
    reports = [report for _, report in batch]
    try:
        done = database.write_now(lambda session: fetches.record(session, reports))
        found.stored += sum(one.new for one in done)
    except Exception as error:  # noqa: BLE001,RUF100 - the same.
        for body, report in batch:
            try:
                database.write_now(lambda session, report=report: _once(session, report))
            except Exception as own:  # noqa: BLE001,RUF100 - the same.
                found.blame(f"{type(own).__name__} while storing: {str(own)[:100]}", body)
                return
        found.blame(f"{type(error).__name__} while storing a batch: {str(error)[:100]}", batch[0][0])


def _once(session: Session, report: FetchReport) -> None:
    fetches.record(session, [report])


def _judged(found: Findings, feed: Feed) -> Iterator[str]:
    """What is wrong with what a channel would publish of this feed."""
    fragments = []
    for entry in feed.entries[:20]:
        yield from _wrong_with(entry)
        # As a channel takes it from a story: it has an id and a day by then.
        complete = replace(entry, id=f"urn:wirebrief:fuzz:{len(fragments)}", updated=entry.updated or NOW)
        with contextlib.suppress(RenderError):
            fragments.append(atom.entry_fragment(complete, language=feed.language))
    found.published += len(fragments)
    if fragments:
        yield from _wrong_in(atom.assemble(CHANNEL, fragments).body)


def _wrong_with(entry: Entry) -> Iterator[str]:
    for text in (entry.title, entry.rights or "", *(author.name for author in entry.authors)):
        if FORBIDDEN.search(text) or "\n" in text:
            yield "A line of text holds what no page may show"
    for text in (entry.summary, entry.content):
        if text and text.type == "html":
            yield from unsafe(text.value)
        elif text and FORBIDDEN.search(text.value):
            yield "A text holds what no page may show"
    for address in (*(link.href for link in entry.links), *(one.url for one in entry.enclosures)):
        if not address.startswith(("http://", "https://")):
            yield f"A link leads to {address[:20]!r}"


def _wrong_in(document: bytes) -> Iterator[str]:
    """What is wrong with a channel as it is written: it must be XML, and the HTML in it harmless."""
    try:
        channel = etree.fromstring(document)
    except etree.XMLSyntaxError as error:
        yield f"What is written is no XML: {str(error).partition(',')[0]}"
        return
    for text in channel.iter("{*}content", "{*}summary"):
        if text.get("type") == "html":
            yield from unsafe(text.text or "")
    for link in channel.iter("{*}link"):
        if not SAFE_LINK.match(link.get("href", "")):
            yield "A written link leads to no page"


def unsafe(html: str) -> Iterator[str]:
    """What a browser might run, send, load unseen or be misled by in this HTML."""
    if FORBIDDEN.search(html):
        yield "HTML holds a character that no page may show"
    if not html.strip():
        return
    for element in lxml.html.fragment_fromstring(html, create_parent="div").iter():
        if not isinstance(element.tag, str):
            yield "HTML holds a comment or an instruction"
            continue
        if element.tag in UNSAFE:
            yield f"HTML holds <{element.tag}>"
        for name, value in element.attrib.items():
            name = str(name).lower()
            if name.startswith("on") or name in ("style", "srcdoc", "id", "class", "name"):
                yield f"HTML holds the attribute {name}"
            if name in LINKS and not SAFE_LINK.match(str(value)):
                yield f"HTML leads to {str(value)[:20]!r}"
            if element.tag == "img" and name in ("width", "height") and str(value).strip() in ("0", "1"):
                yield "HTML counts its readers"


def documents(count: int, seed: int) -> Iterator[tuple[bytes, str | None]]:
    """Injured feeds, each with the Content-Type that came with it."""
    rng = random.Random(seed)  # noqa: S311 - a fuzzer, not a secret
    healthy = [cut for path in _files() if (cut := _short(path.read_bytes()))]
    for _ in range(count):
        body = rng.choice(healthy)
        for _ in range(rng.choice((1, 1, 2, 2, 3, 6))):
            body = rng.choice(INJURIES)(body, rng, healthy)
        yield body[: 40 * MOST_BYTES], _label(rng)


def _files() -> list[Path]:
    return sorted(
        path for folder in CORPORA if folder.is_dir() for path in folder.rglob("*") if path.is_file()
    )


def _short(body: bytes) -> bytes:
    if len(body) <= MOST_BYTES:
        return body
    return body[: MOST_BYTES * 3 // 4] + body[-MOST_BYTES // 4 :]


def _label(rng: random.Random) -> str | None:
    if rng.random() < 0.6:
        return None
    return rng.choice(
        (
            f"application/xml; charset={rng.choice(CHARSETS)}",
            "text/html",
            "image/png",
            "application/json",
            "gzip",
            "; ;=\x00",
        )
    )


Injury = Callable[[bytes, random.Random, Sequence[bytes]], bytes]


def _flip_bits(body: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    flipped = bytearray(body)
    for _ in range(rng.choice((1, 3, 20)) if body else 0):
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    return bytes(flipped)


def _cut(body: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    return body[: rng.randrange(len(body) + 1)]


def _leave_out(body: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    start = rng.randrange(len(body) + 1)
    return body[:start] + body[start + rng.randrange(200) :]


def _splice(body: bytes, rng: random.Random, healthy: Sequence[bytes]) -> bytes:
    other = rng.choice(healthy)
    return body[: rng.randrange(len(body) + 1)] + other[rng.randrange(len(other) + 1) :]


def _insert(body: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    for _ in range(rng.choice((1, 2, 5))):
        place = rng.randrange(len(body) + 1)
        body = body[:place] + rng.choice(TOKENS) + body[place:]
    return body


def _poison(body: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    """Evil markup where the words of the feed stand."""
    ends = [found.end() for found in re.finditer(rb"<(?:description|title|summary|content)[^<>]*>", body)]
    ends += [found.end() for found in re.finditer(rb'"(?:content_html|title|summary)"\s*:\s*"', body)]
    place = rng.choice(ends) if ends else 0
    markup = b"".join(rng.choice(TOKENS) for _ in range(rng.choice((1, 2, 8))))
    return body[:place] + markup + body[place:]


def _double(body: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    tags = list(re.finditer(rb"<[^<>]{1,200}>", body))
    if not tags:
        return body * 2
    tag = rng.choice(tags)
    return body[: tag.end()] + tag[0] * rng.choice((1, 2, 300)) + body[tag.end() :]


def _swap_tags(body: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    tags = list(re.finditer(rb"<[^<>]{1,200}>", body))
    if len(tags) < 2:
        return body
    one, other = sorted(rng.sample(tags, 2), key=lambda tag: tag.start())
    between = body[one.end() : other.start()]
    return body[: one.start()] + other[0] + between + one[0] + body[other.end() :]


def _nest(body: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    tag = rng.choice(
        (
            b"<div>",
            b"<a>",
            b"<item>",
            b"<b>",
            b"&lt;div&gt;",
            b"[",
            b'{"a":',
            b"<blockquote>",
            b"<!--",
            b"<svg>",
        )
    )
    place = rng.randrange(len(body) + 1)
    return body[:place] + tag * rng.choice((50, 400, 3000)) + body[place:]


def _swell(body: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    """Huge attributes, words, numbers of attributes."""
    place = rng.choice([found.start() for found in re.finditer(rb"\s|>|/>", body)] or [0])
    swollen = rng.choice(
        (
            b' a="' + b"x" * 50_000 + b'"',
            b" " + b"y" * 50_000,
            b" " * 50_000,
            b"".join(b' a%d="1"' % n for n in range(900)),
        )
    )
    return body[:place] + swollen + body[place:]


def _lie(body: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    """Another encoding than the document says, or another label than it has."""
    if rng.random() < 0.5:
        return re.sub(
            rb"""encoding\s*=\s*["'][^"']*["']""",
            b'encoding="%s"' % rng.choice(CHARSETS).encode(),
            body,
            count=1,
        )
    text = body.decode("utf-8", "replace")
    return text.encode(
        rng.choice(("utf-16", "utf-16-be", "utf-32", "cp1252", "shift_jis", "gb18030", "cp037")), "replace"
    )


INJURIES: tuple[Injury, ...] = (
    _flip_bits, _cut, _leave_out, _splice, _insert, _insert, _poison, _poison, _double, _swap_tags, _nest, _swell, _lie,
)  # fmt: skip


if __name__ == "__main__":
    main()
