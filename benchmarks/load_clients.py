"""Who asks during `benchmarks/load.py`: subscribers, editors and partners, each a coroutine over sockets of its own.

The client is as plain as it can be, so that what is measured is the server and not its measuring.
"""

from __future__ import annotations

import asyncio
import html
import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

#: A request that takes longer counts as failed, in seconds.
PATIENCE = 30.0

_AGENTS = ("gzip", "gzip, deflate", "gzip, deflate, br", "gzip, deflate, br, zstd", "")
_WORDS = ("ukraine", "kyiv OR kiev", '"peace plan"', "paris", "berlin", "trump putin", "minist*", "gaza")
_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
_FOLLOW = re.compile(r'data-follow="([^"]+)"')
_BASE = re.compile(r'name="base" value="(\d+)"')
_TEXT = re.compile(r"<textarea id=\"text\"[^>]*>\n?(.*?)</textarea>", re.DOTALL)
_PICKABLE = re.compile(
    r'name="passage" value="([^"]+)"><input type="hidden" name="story" value="(\d+)">.*?value="(source|undo)"',
    re.DOTALL,
)
_ROOT = re.compile(r'data-row id="e(\d+)"')
_DECIDED = re.compile(r'/mark".*?name="decided" value="(\d+)"')
_NOTE = re.compile(r"\n\nThe desk noted at .*", re.DOTALL)


@dataclass(slots=True)
class Tally:
    """What was asked and how it went, by kind."""

    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    errors: Counter[str] = field(default_factory=Counter)
    #: How late this program's own loop was: what it measures is no better than that.
    late: list[float] = field(default_factory=list)

    def note(self, kind: str, status: int, seconds: float, *, fine: tuple[int, ...]) -> None:
        """One answer; what is not `fine` is an error."""
        self.seconds[kind].append(seconds)
        self.statuses[kind][status] += 1
        if status not in fine:
            self.errors[f"{kind}: {status}"] += 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Connection:
    """One connection, opened when it is needed and kept if `is_kept`."""

    def __init__(self, port: int, *, is_kept: bool) -> None:
        self._port = port
        self._is_kept = is_kept
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Ask for one thing; a connection that the server closed meanwhile is opened anew."""
        is_used = self._streams is not None
        try:
            return await self._asked(method, path, headers, body)
        except (ConnectionError, asyncio.IncompleteReadError):
            # A server closes a connection that was quiet for long, maybe as we speak (RFC 9112 section 9.3.1).
            if not is_used or method != "GET":
                raise
            return await self._asked(method, path, headers, body)

    async def _asked(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await self._opened()
            try:
                writer.write(self._head(method, path, headers, body) + body)
                status, said = await _answered(reader)
                size = int(said.get("content-length", "0"))
                left = b"" if status in (204, 304) or method == "HEAD" else await reader.readexactly(size)
            except BaseException:
                self.close()
                raise
        if not self._is_kept or said.get("connection") == "close":
            self.close()
        return Answer(status, said, left)

    async def listen(self, path: str, headers: Mapping[str, str]) -> int:
        """Open a stream of events and read it to its end; its status."""
        async with asyncio.timeout(PATIENCE):
            reader, writer = await self._opened()
            writer.write(self._head("GET", path, headers, b""))
            status, _ = await _answered(reader)
        while status == 200 and await reader.read(65_536):
            pass
        self.close()
        return status

    def close(self) -> None:
        """Let go of the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        return self._streams

    def _head(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        lines = {"Host": f"127.0.0.1:{self._port}", **headers}
        if body:
            lines["Content-Length"] = str(len(body))
        if not self._is_kept:
            lines["Connection"] = "close"
        written = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"{method} {path} HTTP/1.1\r\n{written}\r\n".encode()


async def _answered(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    lines = (line.partition(":") for line in head[1:] if line)
    return int(head[0].split()[1]), {name.lower(): value.strip().lower() for name, _, value in lines}


@dataclass(slots=True)
class Asker:
    """Somebody with a connection, and where their answers are noted."""

    port: int
    tally: Tally
    chance: random.Random
    is_kept: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    _connection: Connection | None = None

    async def ask(
        self,
        kind: str,
        path: str,
        *,
        method: str = "GET",
        fields: Mapping[str, str] | None = None,
        fine: tuple[int, ...] = (200,),
        **headers: str,
    ) -> Answer | None:
        """One request, timed; None where nothing came back."""
        if self._connection is None:
            self._connection = Connection(self.port, is_kept=self.is_kept)
        said = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        body = b""
        if fields is not None:
            body, said["Content-Type"] = urlencode(fields).encode(), "application/x-www-form-urlencoded"
        began = time.perf_counter()
        try:
            answer = await self._connection.ask(method, path, said, body)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.tally.errors[f"{kind}: {type(error).__name__}"] += 1
            return None
        self.tally.note(kind, answer.status, time.perf_counter() - began, fine=fine)
        return answer


async def subscriber(asker: Asker, paths: list[str], every: tuple[float, float]) -> None:
    """A feed reader: the same documents again and again, at its own pace, conditionally."""
    pace = asker.chance.uniform(*every)
    asker.is_kept = asker.chance.random() < 0.5
    coding = asker.chance.choice(_AGENTS)
    asker.headers = {"User-Agent": "reader/1", **({"Accept-Encoding": coding} if coding else {})}
    path, etag = asker.chance.choice(paths), ""
    await asyncio.sleep(asker.chance.uniform(0, pace))
    while True:
        began = time.perf_counter()
        known = {"If_None_Match": etag} if etag else {}
        answer = await asker.ask("feed", path, fine=(200, 304), **known)
        if answer is not None and answer.status == 200:
            etag = answer.headers.get("etag", "")
        await asyncio.sleep(max(0.0, pace - (time.perf_counter() - began)))


async def partner(asker: Asker, paths: list[str], key: str, per_minute: int) -> None:
    """A site that takes what is told in a channel, and its document, as often as was agreed."""
    asker.headers = {"Authorization": f"Bearer {key}", "Accept-Encoding": "gzip"}
    slug, since, etag = asker.chance.choice(paths).split("/")[2].partition(".")[0], 0, ""
    # A little less than may be asked, as whoever keeps to an agreement does.
    pace = 60 / per_minute * 1.1
    await asyncio.sleep(asker.chance.uniform(0, pace))
    while True:
        began = time.perf_counter()
        if asker.chance.random() < 0.5:
            answer = await asker.ask("partner: changes", f"/api/channels/{slug}/changes?since={since}")
            if answer is not None and answer.status == 200:
                since = json.loads(answer.body)["next"]
        else:
            known = {"If_None_Match": etag} if etag else {}
            answer = await asker.ask("partner: feed", f"/channels/{slug}.atom", fine=(200, 304), **known)
            if answer is not None and answer.status == 200:
                etag = answer.headers.get("etag", "")
        await asyncio.sleep(max(0.0, pace - (time.perf_counter() - began)))


async def editor(asker: Asker, cookie: str, briefs: list[str], think: float) -> None:
    """Somebody at the desk: reads, searches, picks, writes and decides, with a page open that hears events."""
    asker.headers = {"Cookie": cookie, "Accept-Language": "en"}
    stream: asyncio.Task[None] | None = None
    doing: list[tuple[float, Callable[[], Awaitable[str]]]] = [
        (0.25, lambda: _read_wire(asker, "/desk/wire", "desk: wire")),
        (
            0.20,
            lambda: _read_wire(asker, f"/desk/wire?q={quote(asker.chance.choice(_WORDS))}", "desk: search"),
        ),
        (0.20, lambda: _open_brief(asker, asker.chance.choice(briefs))),
        (0.10, lambda: _pick(asker, asker.chance.choice(briefs))),
        (0.10, lambda: _write(asker, asker.chance.choice(briefs))),
        (0.08, lambda: _mark(asker)),
        (0.07, lambda: _read_wire(asker, "/desk/today", "desk: today")),
    ]
    acts = [act for _, act in doing]
    weights = [weight for weight, _ in doing]
    await asyncio.sleep(asker.chance.uniform(0, think))
    try:
        while True:
            follow = await asker.chance.choices(acts, weights)[0]()
            # The page that is open now hears events; the one before is gone.
            if follow:
                if stream is not None:
                    stream.cancel()
                stream = asyncio.create_task(_listen(asker, follow))
            await asyncio.sleep(asker.chance.expovariate(1 / think))
    finally:
        if stream is not None:
            stream.cancel()


async def _listen(asker: Asker, path: str) -> None:
    connection = Connection(asker.port, is_kept=True)
    try:
        while True:
            status = await connection.listen(path, asker.headers)
            asker.tally.statuses["desk: events"][status] += 1
            if status != 200:
                asker.tally.errors[f"desk: events: {status}"] += 1
            await asyncio.sleep(3)
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        asker.tally.errors[f"desk: events: {type(error).__name__}"] += 1
    finally:
        connection.close()


async def _read_wire(asker: Asker, path: str, kind: str) -> str:
    return _followed(await asker.ask(kind, path))


async def _open_brief(asker: Asker, slug: str) -> str:
    return _followed(await asker.ask("desk: brief", f"/desk/briefs/{slug}"))


def _followed(answer: Answer | None) -> str:
    found = _FOLLOW.search(answer.text) if answer is not None and answer.status == 200 else None
    return html.unescape(found[1]) if found else ""


async def _pick(asker: Asker, slug: str) -> str:
    page = await asker.ask("desk: brief", f"/desk/briefs/{slug}")
    cards = _PICKABLE.findall(page.text) if page is not None else []
    token = _TOKEN.search(page.text) if page is not None else None
    if cards and token:
        passage, story, act = asker.chance.choice(cards)
        fields = {"form_token": token[1], "passage": passage, "story": story, "act": act}
        # Somebody else may have picked it, or taken it back, meanwhile: that is said with 400.
        await asker.ask(
            "desk: pick", f"/desk/briefs/{slug}/picks", method="POST", fields=fields, fine=(303, 400)
        )
    return ""


async def _write(asker: Asker, slug: str) -> str:
    page = await asker.ask("desk: brief", f"/desk/briefs/{slug}")
    if page is None or page.status != 200:
        return ""
    token, base, text = (found.search(page.text) for found in (_TOKEN, _BASE, _TEXT))
    if token and base and text:
        written = _NOTE.sub("", html.unescape(text[1]))
        written += (
            f"\n\nThe desk noted at {time.strftime('%H:%M:%S')} that {asker.chance.random():.6f} is a number."
        )
        fields = {"form_token": token[1], "base": base[1], "text": written}
        about = {"method": "POST", "fields": fields, "fine": (200, 409), "Accept": "application/json"}
        await asker.ask("desk: write", f"/desk/briefs/{slug}/text", **about)  # type: ignore[arg-type]
    return ""


async def _mark(asker: Asker) -> str:
    page = await asker.ask("desk: wire", "/desk/wire")
    rows = _ROOT.findall(page.text) if page is not None else []
    token = _TOKEN.search(page.text) if page is not None else None
    if page is not None and rows and token:
        root = asker.chance.choice(rows)
        own = page.text.partition(f'id="e{root}"')[2].partition("</article>")[0]
        decided = _DECIDED.search(own)
        fields = {
            "form_token": token[1],
            "act": "give_back" if 'value="give_back"' in own else "take",
            "from": "wire",
        }
        fields |= {"decided": decided[1]} if decided else {}
        path = f"/desk/wire/{root}/mark"
        await asker.ask("desk: mark", path, method="POST", fields=fields, fine=(303, 400, 409))
    return ""
