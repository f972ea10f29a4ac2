"""A newsroom whose every name and text comes from an attacker, by the roads that strangers and colleagues have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape

from aggregator.flows import desk_wire, editorial, topics
from aggregator.flows.partners import Terms, add_partner
from aggregator.flows.upkeep import index_search
from aggregator.model import Reuse, Role
from aggregator.rules.brief_marks import is_html
from aggregator.rules.channels import Channel
from aggregator.rules.topics import Topic
from aggregator.rules.wire_views import View
from aggregator.store import stories
from aggregator.store.database import Database
from feeds.http import make_client
from tests.conftest import Clock
from tests.feeds.http_server import answer, listening
from tests.flows.wire import Desk, ScriptedWire
from tests.security.attacks import LINKS, MARKUP, TEMPLATES, Attack, Kind

#: What can be kept, each with the number by which it is found again.
STORED = dict(enumerate((*MARKUP, *LINKS, *TEMPLATES), start=1001))

#: One that everything is called by; it ends attributes, elements and strings.
NAME = "\"'></title></script><script>hit(999)</script><img src=x onerror=hit(999)>{{7*191}}"

TOPIC = Topic("talks", NAME, any=("riyadh",), description=NAME)
CHANNEL = Channel("all", NAME, topics=("talks",), description=NAME, entries=1_000)
BRIEFS = Channel("briefs", NAME, carries=("briefs",), description=NAME)


def text_of(number: int) -> str:
    """What is stored for a number."""
    return STORED[number].text.replace("NUMBER", str(number))


def _xml(text: str) -> str:
    """As XML holds it: no control character has a place there."""
    return escape("".join(sign for sign in text if sign in "\t\n\r" or sign >= " "))


def _place(number: int, attack: Attack) -> str:
    return text_of(number) if attack.kind is Kind.LINK else f"https://wire.example/{number}"


def rss() -> bytes:
    """Every one in every element of RSS."""
    return (
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/">'
        f"<channel><title>{_xml(NAME)}</title><link>javascript:hit(999)</link><description>{_xml(NAME)}</description>"
        f"<language>{_xml(NAME)}</language><copyright>{_xml(NAME)}</copyright><generator>{_xml(NAME)}</generator>"
        f"<image><url>javascript:hit(999)</url><title>{_xml(NAME)}</title><link>javascript:hit(999)</link></image>"
        f"{''.join(_items())}</channel></rss>"
    ).encode()


def _items() -> Iterator[str]:
    for number, attack in STORED.items():
        text, place = _xml(text_of(number)), _xml(_place(number, attack))
        yield (
            f"<item><title>{text}</title><link>{place}</link><guid>rss-{number}-{text}</guid>"
            f"<description>{text} riyadh</description><content:encoded>{text}</content:encoded>"
            f"<author>{text}</author><dc:creator>{text}</dc:creator><dc:rights>{text}</dc:rights>"
            f'<category domain="{text}">{text}</category><comments>{place}</comments>'
            f'<enclosure url="{place}" type="{text}" length="{text}"/><source url="{place}">{text}</source>'
            f'<media:content url="{place}" type="{text}"><media:title>{text}</media:title><media:credit>{text}'
            f"</media:credit><media:description>{text}</media:description></media:content></item>"
        )


def atom() -> bytes:
    """Every one in every element of Atom: plain in the title, as HTML in the content."""
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{_xml(NAME)}"><id>urn:x</id><title>{_xml(NAME)}</title>'
        f"<subtitle>{_xml(NAME)}</subtitle><rights>{_xml(NAME)}</rights><icon>javascript:hit(999)</icon>"
        f'<generator uri="javascript:hit(999)">{_xml(NAME)}</generator><link href="javascript:hit(999)"/>'
        f"{''.join(_entries())}</feed>"
    ).encode()


def _entries() -> Iterator[str]:
    for number, attack in STORED.items():
        text, place = _xml(text_of(number)), _xml(_place(number, attack))
        person = f"<name>{text}</name><uri>{place}</uri><email>{text}</email>"
        yield (
            f'<entry xml:lang="{text}"><id>atom-{number}-{text}</id><title type="text">{text}</title>'
            f'<link href="{place}" hreflang="{text}" title="{text}" type="{text}"/>'
            f'<link rel="enclosure" href="{place}" type="{text}" length="{text}"/><link rel="{text}" href="{place}"/>'
            f'<summary type="text">{text} riyadh</summary><content type="html">{text}</content>'
            f"<author>{person}</author><contributor>{person}</contributor><rights>{text}</rights>"
            f'<category term="{text}" scheme="{place}" label="{text}"/>'
            f"<source><id>{text}</id><title>{text}</title><rights>{text}</rights></source></entry>"
        )


def json_feed() -> bytes:
    """Every one in every field of JSON Feed."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": NAME,
        "home_page_url": "javascript:hit(999)",
        "description": NAME,
        "icon": "javascript:hit(999)",
        "language": NAME,
        "authors": [{"name": NAME, "url": "javascript:hit(999)"}],
        "items": [_item(number, attack) for number, attack in STORED.items()],
    }
    return json.dumps(feed).encode()


def _item(number: int, attack: Attack) -> dict[str, object]:
    text, place = text_of(number), _place(number, attack)
    return {
        "id": f"json-{number}-{text}",
        "url": place,
        "external_url": place,
        "title": text,
        "summary": f"{text} riyadh",
        "content_html": text,
        "image": place,
        "banner_image": place,
        "authors": [{"name": text, "url": place, "avatar": place}],
        "tags": [text],
        "language": text,
        "attachments": [{"url": place, "mime_type": text, "title": text}],
    }


def brief() -> str:
    """A brief of all of them, pasted as HTML that shows each of them as text."""
    said = (" ".join(text_of(number).split()) for number in STORED)
    shown = "".join(f"<p>Riyadh: {_xml(each)} “{_xml(each)}”</p>" for each in said)
    led = "".join(
        f'<a href="{_xml(_place(number, attack))}">{_xml(text_of(number))}</a>, '
        for number, attack in STORED.items()
    )
    return f"<h1>{_xml(NAME)}</h1><p>2025-02-18</p>{shown}<p>Read more: {led}</p>"


def plain_brief() -> str:
    """A brief with links as they are written in plain text."""
    led = (f"[read on]({text_of(number)})" for number, attack in STORED.items() if attack.kind is Kind.LINK)
    lines = (f"Riyadh: {' '.join(each.split())}" for each in led if not is_html(each))
    return "\n\n".join(["Riyadh {{7*191}} ${7*191} [x](javascript:hit(999))", "2025-02-18", *lines])


async def fill(database: Database, clock: Clock) -> None:
    """Let all of it come in, and let colleagues keep the rest under their names."""
    async with listening() as server, make_client(user_agent="test/1", private_networks=True) as client:
        desk = Desk(database, clock, ScriptedWire(server), client)
        kinds = {
            "/rss": ("application/rss+xml", rss()),
            "/atom": ("application/atom+xml", atom()),
            "/json": ("application/feed+json", json_feed()),
        }
        for path, (kind, body) in kinds.items():
            await desk.follow(
                server.says(path, answer(200, body, f"Content-Type: {kind}")), rights=NAME, reuse=Reuse.FULL
            )
        await desk.poll()
    declared = (TOPIC,)
    await topics.match_topics(database, declared)
    await index_search(database)
    await editorial.import_brief(database, clock, brief(), by=NAME, slug="riyadh")
    await editorial.import_brief(database, clock, plain_brief(), by=NAME, slug="plain")
    newest = [each.id for each in database.read_now(stories.find)[:3]]
    for story, role in zip(newest, (Role.SOURCE, Role.QUOTE, Role.BACKGROUND), strict=False):
        await editorial.pick_story(database, clock, "riyadh", "p1", str(story), role, by=NAME)
    for slug in ("riyadh", "plain"):
        await editorial.publish_brief(database, clock, slug, by=NAME)
    terms = Terms(("all",), title=NAME)
    await add_partner(database, clock, "daily", terms, (CHANNEL, BRIEFS), by=NAME)
    await desk_wire.save_view(database, clock, NAME[:60], View(q="riyadh"), by=NAME)
