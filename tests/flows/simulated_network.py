"""A network that answers by the seed, the feed and the time alone: a newsroom's mix of wires, news and blogs.

It stands where `feeds.http.Carrier` stands, so conditional requests, redirects' end, limits of time and
size, kinds of failure and the reading of bodies are the product's own.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from zlib import crc32

import httpx

from aggregator.model import SourceDraft, SourceKind
from feeds.dates import rfc822
from feeds.domains import domain_of
from feeds.http import Client
from feeds.http.carrier import Patience, Question

DAY = 86_400.0
#: Of each kind: its share, the stories that a usual feed has in a day, and the entries that it shows.
KINDS = (
    (SourceKind.WIRE, 0.02, 40.0, 20),
    (SourceKind.NEWS, 0.28, 4.0, 10),
    (SourceKind.BLOG, 0.70, 0.25, 6),
)
#: By day there is so much more, and by night so much less, than on average.
RHYTHM = 0.8
#: Seconds that answers take: the median, how much they vary, and the most.
LATENCY, SPREAD, LONGEST = 0.25, 0.8, 12.0
#: Answers come at such moments, so that several come at one.
TICK = 0.01
#: A domain that limits us answers 429 for the first ten minutes of an hour.
LIMIT = 600.0


@dataclass(frozen=True, slots=True)
class Mix:
    """What the network is like; the shares are those of all feeds."""

    #: Of hosts with many feeds, by a power law; and how many such hosts there are (None: half as many as feeds).
    crowded: float = 0.35
    hosts: int | None = None
    #: Of hosts of their own below one of five domains.
    hosted: float = 0.05
    #: Broken in some way; and of servers that know no conditions.
    broken: float = 0.02
    forgetful: float = 0.04
    #: Of domains that limit us, and of the hours in which they do.
    limiting: float = 0.01
    limited_hours: float = 0.15


#: A newsroom's.
USUAL = Mix()

_MASK = (1 << 64) - 1


def chance(*parts: int) -> float:
    """A number from 0 to 1 that is always the same for these."""
    mixed = 0x9E3779B97F4A7C15
    for part in parts:
        mixed = ((mixed ^ part) * 0xBF58476D1CE4E5B9) & _MASK
        mixed ^= mixed >> 29
        mixed = (mixed * 0x94D049BB133111EB) & _MASK
        mixed ^= mixed >> 32
    return ((mixed >> 11) + 0.5) / (1 << 53)


@dataclass(slots=True)
class Feed:
    """One feed of the network, and what it has said until now."""

    number: int
    kind: SourceKind
    url: str
    host: str
    domain: str
    #: Stories in a second, on average; entries that it shows.
    rate: float
    shows: int
    #: How it is broken; "" where it is well.
    trouble: str
    is_forgetful: bool
    #: What it says of how long an answer stays fresh, in seconds.
    max_age: int | None
    entries: deque[tuple[int, float]] = field(default_factory=deque)
    said: int = 0
    next_at: float = 0.0
    asked: int = 0


class Heard(Protocol):
    """Who is told of requests."""

    def begins(self, number: int, now: float) -> None:
        """A request begins."""

    def ends(self, number: int) -> None:
        """A request ended."""


class Network:
    """So many feeds."""

    def __init__(
        self,
        sources: int,
        *,
        seed: int,
        start: datetime,
        mix: Mix = USUAL,
        is_settled: bool = False,
        is_silent: bool = False,
    ) -> None:
        """Feeds show what they said before the beginning, unless that is known already (`is_settled`).

        Silent ones never say anything new.
        """
        self.seed = seed
        self.start = start
        self.mix = mix
        self.feeds = list(_feeds(sources, seed, mix))
        self.by_address = {feed.url.partition("://")[2]: feed for feed in self.feeds}
        #: By domain: until when it has asked us to stay away.
        self.limited: dict[str, float] = {}
        #: Seconds of the processor that the network itself took.
        self.cpu = 0.0
        for feed in self.feeds:
            # What stood there already when the simulation begins.
            if is_settled:
                feed.next_at = -math.log(chance(seed, 18, feed.number, 0)) / (feed.rate * (1 + RHYTHM))
            else:
                feed.next_at = -feed.shows / feed.rate
                _advance(feed, 0.0, seed)
            feed.next_at = math.inf if is_silent else feed.next_at

    def drafts(self) -> list[SourceDraft]:
        """The feeds as somebody would follow them."""
        return [SourceDraft(feed.url, title=f"Outlet {feed.number}", kind=feed.kind) for feed in self.feeds]

    def answer(self, feed: Feed, seen: str | None, now: float) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of a feed at a moment, for one who has seen this etag."""
        began = time.thread_time()
        found = self._answer(feed, seen, now)
        self.cpu += time.thread_time() - began
        return found

    def _answer(self, feed: Feed, seen: str | None, now: float) -> tuple[int, dict[str, str], bytes]:
        if left := self._limit(feed, now):
            self.limited[feed.domain] = now + left
            return 429, {"retry-after": str(left), "content-length": "0"}, b""
        if feed.trouble and (status := self._trouble(feed, now)):
            return status, {"content-length": "0"}, b""
        _advance(feed, now, self.seed)
        headers = {
            "etag": f'"{feed.entries[-1][0] if feed.entries else 0}"',
            "content-type": "application/rss+xml; charset=utf-8",
        }
        if feed.max_age is not None:
            headers["cache-control"] = f"max-age={feed.max_age}"
        if seen == headers["etag"] and not feed.is_forgetful:
            return 304, headers, b""
        if feed.is_forgetful:
            del headers["etag"]
        return 200, headers, self._body(feed)

    def latency(self, feed: Feed) -> float:
        """How long the next answer of a feed takes."""
        feed.asked += 1
        one, other = (
            chance(self.seed, 1, feed.number, feed.asked),
            chance(self.seed, 2, feed.number, feed.asked),
        )
        normal = math.sqrt(-2 * math.log(one)) * math.cos(2 * math.pi * other)
        seconds = min(LATENCY * math.exp(SPREAD * normal), LONGEST)
        return max(TICK, round(seconds / TICK) * TICK)

    def is_dead(self, feed: Feed, now: float) -> bool:
        """Whether nobody answers at all: for two days, or now and then for an hour."""
        if feed.trouble == "dead":
            begins = chance(self.seed, 3, feed.number) * 5 * DAY
            return begins <= now < begins + 2 * DAY
        return feed.trouble == "slow" and chance(self.seed, 4, feed.number, int(now // 3600)) < 0.3

    def _limit(self, feed: Feed, now: float) -> int:
        """For how many more seconds the domain of a feed asks us to stay away."""
        name = crc32(feed.domain.encode())
        if chance(self.seed, 5, name) >= self.mix.limiting:
            return 0
        hour, into = divmod(now, 3600)
        is_limited = into < LIMIT and chance(self.seed, 6, name, int(hour)) < self.mix.limited_hours
        return math.ceil(LIMIT - into) if is_limited else 0

    def _trouble(self, feed: Feed, now: float) -> int:
        spell = chance(self.seed, 7, feed.number, int(now // 7200))
        if feed.trouble == "missing":
            return 404 if now > chance(self.seed, 8, feed.number) * 4 * DAY else 0
        if feed.trouble == "gone":
            return 410 if now > chance(self.seed, 9, feed.number) * 6 * DAY else 0
        if feed.trouble == "faulty":
            return (500, 502, 503, 0, 0)[int(spell * 5)]
        return 0

    def _body(self, feed: Feed) -> bytes:
        items = "".join(self._item(feed, number, at) for number, at in reversed(feed.entries))
        head = f"<title>Outlet {feed.number}</title><link>https://{feed.host}/</link><language>en</language>"
        return f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()

    def _item(self, feed: Feed, number: int, at: float) -> str:
        pick = int(chance(self.seed, 10, feed.number, number) * 1e9)
        title = " ".join(_WORDS[(pick // 7**i) % len(_WORDS)] for i in range(8)).capitalize()
        told = " ".join(_WORDS[(pick * 31 // 5**i) % len(_WORDS)] for i in range(45)).capitalize()
        link = f"https://{feed.host}/{feed.number}/{number}"
        published = rfc822(self.start + timedelta(seconds=int(at)))
        return (
            f"<item><title>{title} {number}</title><link>{link}</link><guid>{link}</guid>"
            f"<pubDate>{published}</pubDate><description>{told}.</description></item>"
        )


def client_of(network: Network, heard: Heard, now: Callable[[], float]) -> Client:
    """The product's client, over the simulated network."""
    carrier: Any = SimulatedCarrier(network, heard, now)
    return Client(carrier, user_agent="wirebrief-simulation/1")


class SimulatedCarrier:
    """Answers questions after the time that they take."""

    def __init__(self, network: Network, heard: Heard, now: Callable[[], float]) -> None:
        self._network, self._heard, self._now = network, heard, now

    async def ask(self, question: Question, patience: Patience) -> SimulatedAnswer:
        """As `feeds.http.Carrier.ask`.

        Raises:
            httpx.TransportError: nobody answers.
        """
        lines = question.head.split(b"\r\n")
        path = lines[0].split(b" ")[1].decode()
        feed = self._network.by_address[question.origin.host + path]
        prefix = b"If-None-Match: "
        seen = next((line[len(prefix) :].decode() for line in lines if line.startswith(prefix)), None)
        self._heard.begins(feed.number, self._now())
        try:
            if self._network.is_dead(feed, self._now()):
                await asyncio.sleep(patience.connect or 0)
                raise httpx.ConnectTimeout("nobody answers")
            await asyncio.sleep(self._network.latency(feed))
            status, headers, body = self._network.answer(feed, seen, self._now())
        except BaseException:
            self._heard.ends(feed.number)
            raise
        return SimulatedAnswer(status, headers, body, lambda: self._heard.ends(feed.number))

    async def close(self) -> None:
        """Nothing is kept open."""


class SimulatedAnswer:
    """As `feeds.http.carrier.Answer`."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes, end: Callable[[], None]) -> None:
        self.status, self._headers, self._body = status, headers, body
        self._end: Callable[[], None] | None = end

    @property
    def length(self) -> int | None:
        """The bytes of the body."""
        return len(self._body)

    def headers(self) -> dict[str, str]:
        """The headers by name in lower case."""
        return self._headers

    async def read(self) -> bytes:
        """The body, then b""."""
        body, self._body = self._body, b""
        return body

    def close(self) -> None:
        """Done with it."""
        end, self._end = self._end, None
        if end is not None:
            end()


def _feeds(sources: int, seed: int, mix: Mix) -> Iterator[Feed]:
    kinds = _kinds(sources, seed)
    for number in range(sources):
        kind, _, daily, shows = kinds[number]
        host = _host(number, seed, mix, mix.hosts or sources / 2)
        url = f"https://{host}/{number}"
        spread = chance(seed, 13, number)
        # From a tenth to three times as many stories as usual.
        rate = daily / DAY * (0.1 + 2.9 * spread**2.2)
        yield Feed(
            number,
            kind,
            url,
            host,
            domain_of(url),
            rate,
            shows,
            _trouble_of(number, seed, mix.broken),
            chance(seed, 14, number) < mix.forgetful,
            (None, None, 300, 900, 3600)[int(chance(seed, 15, number) * 5)],
        )


def _kinds(sources: int, seed: int) -> Sequence[tuple[SourceKind, float, float, int]]:
    drawn = []
    for number in range(sources):
        at = chance(seed, 11, number)
        drawn.append(
            KINDS[0] if at < KINDS[0][1] else KINDS[1] if at < KINDS[0][1] + KINDS[1][1] else KINDS[2]
        )
    return drawn


def _host(number: int, seed: int, mix: Mix, hosts: float) -> str:
    """Hosts by a power law: a few have thousands of feeds, most have one; some share a domain."""
    if (hosted := chance(seed, 20, number)) < mix.hosted:
        return f"blog{number}.hosting{int(hosted / mix.hosted * 5)}.example"
    one = chance(seed, 12, number)
    return f"h{int(hosts ** (one / mix.crowded)) if one < mix.crowded else number}.example"


def _trouble_of(number: int, seed: int, broken: float) -> str:
    at = chance(seed, 16, number)
    return ("missing", "gone", "faulty", "dead", "slow")[int(at / broken * 5)] if at < broken else ""


def _advance(feed: Feed, now: float, seed: int) -> None:
    """Let a feed say what it has until now: a Poisson process with the rhythm of a day."""
    phase = chance(seed, 17, feed.number) * 0.25
    while feed.next_at <= now:
        at, feed.said = feed.next_at, feed.said + 1
        feed.next_at = at - math.log(chance(seed, 18, feed.number, feed.said)) / (feed.rate * (1 + RHYTHM))
        rhythm = 1 + RHYTHM * math.sin(2 * math.pi * (at / DAY + phase))
        # Before the beginning there is no rhythm, so that a feed shows as much as it has room for.
        if at < 0 or chance(seed, 19, feed.number, feed.said) * (1 + RHYTHM) < rhythm:
            feed.entries.append((feed.said, at))
            if len(feed.entries) > feed.shows:
                feed.entries.popleft()


_TEXT = (
    "the harbour council talks vote of port minister budget city court over new plan rail strike after "
    "long night in with bridge and water price school to hospital budget storm north coast grain ship "
    "river mayor says week union trade border energy fire rescue team match final reform"
)
_WORDS = _TEXT.split()
