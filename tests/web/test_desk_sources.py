"""The sources at the desk: the list, one source, and following new ones, over real HTTP."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from html import unescape

import httpx
import pytest

from aggregator.flows import ingest, looking, moves
from aggregator.flows.ingest import FetchSettings
from aggregator.flows.publish import publish_channels
from aggregator.model import Reuse, Source, SourceDraft, SourceKind
from aggregator.rules.channels import Channel
from aggregator.store import documents, pauses, sources
from aggregator.store.database import Database
from feeds.opml import read_opml
from feeds.read import parse
from tests.conftest import NOW, Clock
from tests.feeds.http_server import listening
from tests.flows.wire import ScriptedWire, entry
from tests.store.newsroom import failed, follow, heard, record, says, unchanged
from tests.web.desk_users import account
from tests.web.newsroom import Newsroom

PASSWORD = "the password of ada"
LIST = "/desk/sources"
HOUR = timedelta(hours=1)


@pytest.fixture
async def wire() -> AsyncIterator[ScriptedWire]:
    """A wire on loopback that says what the test tells it."""
    async with listening() as server:
        yield ScriptedWire(server)


@pytest.fixture
def newsroom(database: Database, clock: Clock) -> Newsroom:
    """A newsroom whose settings let it ask this machine."""
    fetch = FetchSettings(private_networks=True, timeout=timedelta(seconds=5))
    return Newsroom(database, clock, fetch=fetch)


async def sign_in(newsroom: Newsroom, reader: httpx.AsyncClient, role: str) -> None:
    await account(newsroom, "ada", role, PASSWORD)
    answer = await reader.post("/desk/sign-in", data={"name": "ada", "password": PASSWORD})
    assert answer.status_code == 303


@pytest.fixture
async def editor(newsroom: Newsroom, reader: httpx.AsyncClient) -> httpx.AsyncClient:
    """Ada, signed in."""
    await sign_in(newsroom, reader, "editor")
    return reader


async def token(client: httpx.AsyncClient) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', (await client.get("/desk/you")).text)
    assert found is not None
    return found[1]


async def send(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    return await client.post(path, data={"form_token": await token(client), **fields})


async def page(client: httpx.AsyncClient, path: str = LIST) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def every(database: Database) -> list[Source]:
    return database.read_now(sources.all_sources)


def one(database: Database, source: int) -> Source:
    found = database.read_now(lambda s: sources.by_id(s, source))
    assert found is not None
    return found


def named(shown: str) -> list[str]:
    """The sources of a list, in its order."""
    return re.findall(r'<h2><a href="[^"]+"><bdi>([^<]+)</bdi>', shown)


def add(database: Database, *drafts: SourceDraft) -> list[int]:
    return database.write_now(lambda s: sources.add(s, drafts, now=NOW))


# The list


async def test_a_newsroom_that_follows_nothing_is_told_what_to_do(editor: httpx.AsyncClient) -> None:
    shown = await page(editor)
    assert "Nothing is followed yet" in shown
    assert 'href="/desk/sources/add"' in shown


async def test_a_viewer_of_an_empty_newsroom_is_offered_nothing(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await sign_in(newsroom, reader, "viewer")
    shown = await page(reader)
    assert "An editor can follow the first source here." in shown
    assert "/desk/sources/add" not in shown


def all_sorts(newsroom: Newsroom) -> None:
    """One source of each standing."""
    database = newsroom.database
    names = ("fine", "failing", "gone", "paused", "never", "waiting", "silent")
    drafts = [SourceDraft(f"https://{name}.example/feed", title=name.title()) for name in names]
    # Followed for a month, so that the silent one was silent under our eyes.
    month_ago = NOW - timedelta(days=30)
    added = database.write_now(lambda s: sources.add(s, drafts, now=month_ago))
    ids = dict(zip(names, added, strict=True))
    news = [says(f"k{n}", f"Day {n}", published=NOW - n * HOUR) for n in range(8)]
    old = [says(f"k{n}", f"Day {n}", published=NOW - timedelta(days=5) - n * HOUR) for n in range(8)]
    before = NOW - HOUR
    record(
        database,
        heard(ids["fine"], *news, at=before),
        heard(ids["silent"], *old, at=before),
        unchanged(ids["failing"], at=before),
        unchanged(ids["gone"], at=before),
        unchanged(ids["paused"], at=before),
    )
    record(
        database,
        failed(ids["failing"], kind="not_found", next_due=NOW + HOUR, failures=3.0),
        failed(ids["gone"], kind="gone"),
        failed(ids["never"], kind="timeout", next_due=NOW + HOUR, failures=0.25),
    )
    database.write_now(lambda s: sources.pause(s, ids["paused"], paused=True))


async def test_the_list_begins_with_what_ails_and_says_why(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    all_sorts(newsroom)
    shown = await page(editor)
    assert named(shown) == ["Gone", "Failing", "Never", "Silent", "Waiting", "Fine", "Paused"]
    assert "not found" in shown
    assert "no answer in time" in shown
    assert "usually 24 stories a day" in shown
    assert "never asked yet" in shown
    assert "Last 7 days: 8 stories, at most 6 in six hours" in shown


async def test_filters_search_and_order_stand_in_the_address(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    all_sorts(newsroom)
    for show, wanted in {
        "failing": ["Gone", "Failing", "Never"],
        "silent": ["Silent"],
        "paused": ["Paused"],
        "never": ["Never", "Waiting"],
        "nonsense": ["Gone", "Failing", "Never", "Silent", "Waiting", "Fine", "Paused"],
    }.items():
        assert named(await page(editor, f"{LIST}?show={show}")) == wanted, show
    assert named(await page(editor, f"{LIST}?q=FINE.exam")) == ["Fine"]
    assert named(await page(editor, f"{LIST}?sort=name"))[:2] == ["Failing", "Fine"]
    assert named(await page(editor, f"{LIST}?sort=newest"))[:2] == ["Fine", "Silent"]
    assert named(await page(editor, f"{LIST}?sort=stories"))[:2] == ["Fine", "Silent"]
    assert set(named(await page(editor, f"{LIST}?sort=next"))[-2:]) == {"Gone", "Paused"}
    assert "No source is like that." in await page(editor, f"{LIST}?q=%22<nobody>")


async def test_many_sources_go_on_several_pages(newsroom: Newsroom, editor: httpx.AsyncClient) -> None:
    follow(newsroom.database, *(f"https://w{n:03}.example/feed" for n in range(101)))
    assert len(named(await page(editor))) == 100
    second = await page(editor, f"{LIST}?page=2&q=example")
    assert named(second) == ["w100.example"]
    assert "Page 2 of 2, 101 sources" in second
    assert f'href="{LIST}?q=example"' in second
    assert named(await page(editor, f"{LIST}?page=999")) == ["w100.example"]
    assert len((await editor.get(LIST)).content) < 150_000


# One source


async def test_a_source_that_never_answered_has_a_page_that_says_so(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    (source,) = follow(newsroom.database, "https://wire.example/feed")
    shown = await page(editor, f"{LIST}/{source}")
    for said in ("not asked yet", "It never answered.", "It gave no story yet.", "It was not asked yet."):
        assert said in shown
    assert (await editor.get(f"{LIST}/{source + 1}")).status_code == 404
    assert (await editor.get(f"{LIST}/99999999999")).status_code == 404
    assert (await send(editor, f"{LIST}/99999999999/ask")).status_code == 404


async def test_a_sources_page_has_its_log_page_by_page_and_its_newest_stories(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    (source,) = follow(newsroom.database, "https://wire.example/feed", title="Harbour")
    record(newsroom.database, heard(source, says("1", "Talks <open>"), at=NOW - 3 * HOUR))
    for minute in range(60):
        at = NOW - timedelta(minutes=60 - minute)
        record(newsroom.database, unchanged(source, at=at, seconds=0.25, final_url="https://cdn.example/f"))
    answer = await editor.get(f"{LIST}/{source}")
    assert "Talks &lt;open&gt;" in answer.text
    assert answer.text.count('<td class="why">') == 50
    assert "from https://cdn.example/f" in answer.text
    older = re.search(rf'href="({LIST}/{source}\?before=\d+)#log"', answer.text)
    assert older is not None
    rest = await page(editor, older[1])
    assert rest.count('<td class="why">') == 11
    assert "Older" not in rest
    assert "Nothing older is kept." in await page(editor, f"{LIST}/{source}?before=1")


async def test_what_an_editor_says_of_a_source_is_kept_and_reaches_channels(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    database = newsroom.database
    (source,) = add(database, SourceDraft("https://w.example/feed", title="Harbour", kind=SourceKind.BLOG))
    record(database, heard(source, says("1", summary="They met."), next_due=NOW + 6 * HOUR))
    channel = Channel("wire", "The wire")

    async def rendered() -> str:
        newsroom.clock.move(timedelta(seconds=2))
        await publish_channels(database, newsroom.clock, newsroom.site, [channel], ())
        found = database.read_now(lambda s: documents.get(s, "wire", "atom"))
        assert found is not None
        return found.codings.body.decode()

    assert "They met." in await rendered()
    terms = {
        "title": " The  Harbour ",
        "kind": "wire",
        "language": "en-GB",
        "rights": "© W",
        "reuse": "headline",
    }
    answer = await send(editor, f"{LIST}/{source}", **terms)
    assert answer.headers["location"] == f"{LIST}/{source}?told=saved"
    assert "Channels follow within seconds." in await page(editor, answer.headers["location"])
    now = one(database, source)
    assert (now.title, now.kind, now.language) == ("The Harbour", SourceKind.WIRE, "en-GB")
    assert (now.rights, now.reuse) == ("© W", Reuse.HEADLINE)
    assert now.next_due <= newsroom.clock()
    body = await rendered()
    assert "They met." not in body
    assert "© W" in body
    await send(editor, f"{LIST}/{source}", **(terms | {"reuse": "none"}))
    assert parse((await rendered()).encode()).entries == ()


async def test_what_cannot_be_kept_stays_in_its_form(newsroom: Newsroom, editor: httpx.AsyncClient) -> None:
    (source,) = follow(newsroom.database, "https://wire.example/feed", title="Harbour")
    good = {"title": "Mine", "kind": "news", "language": "en", "rights": "", "reuse": "full"}
    for wrong in (
        {"language": "not a code"}, {"kind": "daily"}, {"reuse": "half"},
        {"title": "x" * 201}, {"rights": "x" * 1001},
    ):  # fmt: skip
        answer = await send(editor, f"{LIST}/{source}", **(good | wrong))
        assert answer.status_code == 400
        assert 'id="problem"' in answer.text
        assert wrong.get("language", "") in answer.text
    assert one(newsroom.database, source).title == "Harbour"


async def test_a_source_without_a_name_takes_its_feeds_own(
    newsroom: Newsroom, editor: httpx.AsyncClient, wire: ScriptedWire
) -> None:
    (source,) = follow(newsroom.database, wire.says(entry(1)), title="Ours")
    await poll(newsroom)
    await send(editor, f"{LIST}/{source}", title="", kind="news", language="", rights="", reuse="full")
    assert one(newsroom.database, source).title == "Harbour Wire"


async def poll(newsroom: Newsroom) -> None:
    async with ingest.client_for(newsroom.fetch) as client:
        await ingest.poll_due(newsroom.database, client, newsroom.clock, newsroom.fetch)


async def test_a_source_is_paused_goes_on_is_asked_now_and_is_stopped(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    database = newsroom.database
    gave, gave_none = follow(database, "https://a.example/feed", "https://b.example/feed")
    record(database, heard(gave, says("1"), next_due=NOW + HOUR), unchanged(gave_none))
    answer = await send(editor, f"{LIST}/{gave}/ask")
    assert "It is asked now." in await page(editor, answer.headers["location"])
    assert (one(database, gave).next_due, one(database, gave).why) == (NOW, "ada says to ask now")
    await send(editor, f"{LIST}/{gave}/pause", act="pause")
    assert one(database, gave).is_paused
    shown = await page(editor, f"{LIST}/{gave}")
    assert "Go on" in shown
    assert "Fetch now" not in shown
    await send(editor, f"{LIST}/{gave}/pause", act="resume")
    assert not one(database, gave).is_paused
    assert (await send(editor, f"{LIST}/{gave}/pause", act="half")).status_code == 400
    answer = await send(editor, f"{LIST}/{gave}/stop")
    assert "It gave stories, which are kept" in await page(editor, answer.headers["location"])
    assert one(database, gave).is_paused
    answer = await send(editor, f"{LIST}/{gave_none}/stop")
    assert "It is no longer followed." in await page(editor, answer.headers["location"])
    assert [source.id for source in every(database)] == [gave]


async def test_whoever_may_only_look_decides_nothing_and_sees_no_key(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await sign_in(newsroom, reader, "viewer")
    secret = "https://wire.example/feed?api_key=3f9ac0"
    source, _ = follow(newsroom.database, secret, "https://open.example/feed")
    for path in ("look", "list", "import", f"{source}", f"{source}/ask", f"{source}/pause", f"{source}/stop"):
        assert (await send(reader, f"{LIST}/{path}")).status_code == 403, path
    assert (await send(reader, LIST)).status_code == 403
    assert (await reader.get(f"{LIST}/add")).status_code == 403
    shown = await page(reader, f"{LIST}/{source}")
    assert "3f9ac0" not in shown
    assert "Stop following" not in shown
    body = (await reader.get(f"{LIST}.opml")).content
    assert [one.url for one in read_opml(body).subscriptions] == ["https://open.example/feed"]


# Following by address


async def test_a_feed_is_seen_before_it_is_followed(
    newsroom: Newsroom, editor: httpx.AsyncClient, wire: ScriptedWire
) -> None:
    wire.says(*(entry(n) for n in range(1, 13)))
    answer = await send(editor, f"{LIST}/look", address=f" {wire.feed} ")
    assert answer.status_code == 200
    for said in ("Harbour Wire", "RSS 2.0", "12 entries", "Talks go into day 12", 'value="en"'):
        assert said in answer.text
    assert "Talks go into day 2<" not in answer.text
    assert every(newsroom.database) == []
    sent = sent_back(answer.text)
    answer = await send(editor, LIST, **(sent | {"title0": "Harbour", "kind": "wire", "reuse": "headline"}))
    (source,) = every(newsroom.database)
    assert answer.headers["location"] == f"{LIST}/{source.id}?told=followed"
    assert (source.url, source.title, source.kind) == (wire.feed, "Harbour", SourceKind.WIRE)
    assert (source.reuse, source.language) == (Reuse.HEADLINE, "en")
    await poll(newsroom)
    assert one(newsroom.database, source.id).stories == 12


def sent_back(shown: str) -> dict[str, str]:
    """What a browser would send of a form with what is found, as it stands."""
    form = next(part for part in shown.split("<form") if 'action="/desk/sources"' in part)
    fields = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        is_sent = "checked" in tag or ('type="checkbox"' not in tag and 'type="radio"' not in tag)
        if name and is_sent and name[1] != "form_token":
            fields[name[1]] = unescape(value[1]) if value else ""
    return fields


async def test_a_page_leads_to_its_feeds_and_the_first_new_one_is_ticked(
    newsroom: Newsroom, editor: httpx.AsyncClient, wire: ScriptedWire
) -> None:
    links = "".join(f'<link rel="alternate" type="application/rss+xml" href="/{n}.rss">' for n in range(9))
    wire.answers(200, "Content-Type: text/html", body=f"<html>{links}".encode(), path="/")
    for number in range(1, 9):
        wire.says(entry(number), path=f"/{number}.rss")
    wire.answers(403, path="/2.rss")
    (known,) = follow(newsroom.database, wire.at("/0.rss"), title="Known")
    answer = await send(editor, f"{LIST}/look", address=wire.at("/"))
    assert f'Followed already as <a href="/desk/sources/{known}">Known</a>' in answer.text
    assert "refused, or wants a login" in answer.text
    assert "2 more feeds of this page" in answer.text
    assert wire.requests("/0.rss") == []
    sent = sent_back(answer.text)
    assert [name for name in sent if name.startswith("take")] == ["take0"]
    assert sent["url0"] == wire.at("/1.rss")
    answer = await send(editor, LIST, **(sent | {"take1": "1"}))
    assert answer.headers["location"] == f"{LIST}?told=many&n=2"
    assert "2 sources are new" in await page(editor, answer.headers["location"])
    assert len(every(newsroom.database)) == 3


async def test_a_feed_of_a_page_that_does_not_answer_holds_nobody_up(
    newsroom: Newsroom, editor: httpx.AsyncClient, wire: ScriptedWire
) -> None:
    newsroom.fetch = FetchSettings(private_networks=True, timeout=timedelta(seconds=1))
    links = "".join(f'<link rel="alternate" type="application/rss+xml" href="/{n}">' for n in "abcd")
    wire.answers(200, "Content-Type: text/html", body=f"<html>{links}".encode(), path="/")
    for path in ("/a", "/b", "/c"):
        wire.hangs(path)
    wire.says(entry(1), path="/d")
    begun = asyncio.get_running_loop().time()
    async with newsroom.client() as client:
        await client.post("/desk/sign-in", data={"name": "ada", "password": PASSWORD})
        answer = await send(client, f"{LIST}/look", address=wire.at("/"))
    assert answer.status_code == 200
    assert answer.text.count("no answer in time") == 3
    assert sent_back(answer.text)["url0"] == wire.at("/d")
    # Two hung at one host, and the others waited behind them; still it ended in its time.
    assert asyncio.get_running_loop().time() - begun < 8


async def test_a_page_that_names_no_feed_is_tried_where_sites_have_theirs(
    editor: httpx.AsyncClient, wire: ScriptedWire
) -> None:
    wire.answers(200, "Content-Type: text/html", body=b"<html><p>Hello", path="/")
    answer = await send(editor, f"{LIST}/look", address=wire.at("/"))
    assert answer.status_code == 400
    assert "neither it nor the usual places" in answer.text
    wire.says(entry(1), path="/rss.xml")
    wire.says(entry(1), path="/feed.xml")
    answer = await send(editor, f"{LIST}/look", address=wire.at("/"))
    assert "these stand where sites often have one" in answer.text
    assert answer.text.count('name="take') == 2


async def test_what_cannot_be_followed_is_said_in_words_and_the_address_stays(
    newsroom: Newsroom, editor: httpx.AsyncClient, wire: ScriptedWire
) -> None:
    newsroom.fetch = replace(newsroom.fetch, timeout=timedelta(milliseconds=300))
    wire.hangs("/slow")
    wire.answers(401, path="/login")
    wire.answers(200, "Content-Type: application/pdf", body=b"%PDF-1.7 100%", path="/pdf")
    wire.fails("/broken")
    async with newsroom.client() as client:
        await client.post("/desk/sign-in", data={"name": "ada", "password": PASSWORD})
        for address, said in {
            wire.at("/none"): "Nothing stands at this address",
            wire.at("/slow"): "The server took too long",
            wire.at("/login"): "The server wants a login",
            wire.at("/broken"): "Try again in a few minutes",
            "mailto:a@b.example": "This is no web address",
            "https://100%.example/%20": "This is no web address",
            "": "This is no web address",
        }.items():
            answer = await send(client, f"{LIST}/look", address=address)
            assert answer.status_code == 400, address
            assert said in answer.text, address
            assert f'value="{address}"' in unescape(answer.text)


async def test_a_private_address_is_refused_unless_the_settings_allow_it(
    newsroom: Newsroom, editor: httpx.AsyncClient, wire: ScriptedWire
) -> None:
    wire.says(entry(1))
    newsroom.fetch = None
    async with newsroom.client() as client:
        await client.post("/desk/sign-in", data={"name": "ada", "password": PASSWORD})
        answer = await send(client, f"{LIST}/look", address=wire.feed)
        assert answer.status_code == 400
        assert "Addresses of private networks are not asked." in answer.text
        answer = await send(client, f"{LIST}/list", address=wire.feed)
        assert "Addresses of private networks are not asked." in answer.text
    assert wire.requests() == []


async def test_only_a_few_look_at_once(
    newsroom: Newsroom, editor: httpx.AsyncClient, wire: ScriptedWire
) -> None:
    wire.hangs("/slow")
    form = {"form_token": await token(editor), "address": wire.at("/slow")}
    looks = [asyncio.create_task(editor.post(f"{LIST}/look", data=form)) for _ in range(looking.MOST_LOOKS)]
    await wire.is_asked("/slow", times=looking.MOST_LOOKS)
    answer = await editor.post(f"{LIST}/look", data=form)
    assert "Several addresses are being looked at just now" in unescape(answer.text)
    for answer in await asyncio.gather(*looks):
        assert "The server took too long" in answer.text


async def test_a_choice_that_cannot_be_taken_comes_back_as_it_was_made(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    sent = {
        "address": "wire.example", "url0": "https://wire.example/feed", "title0": "My <wire>", "language0": "x",
        "url1": "https://wire.example/b", "kind": "wire", "reuse": "full", "rights": "© W",
    }  # fmt: skip
    answer = await send(editor, LIST, **sent)
    assert answer.status_code == 400
    assert "Tick at least one feed." in answer.text
    answer = await send(editor, LIST, **sent, take0="1")
    assert answer.status_code == 400
    for kept in (
        "Write the language as a code",
        'value="My &lt;wire&gt;"',
        'value="© W"',
        'value="wire" checked',
    ):
        assert kept in answer.text
    assert every(newsroom.database) == []
    answer = await send(editor, LIST, **(sent | {"language0": "fr"}), take0="1")
    assert answer.status_code == 303
    answer = await send(editor, LIST, **(sent | {"language0": "fr"}), take0="1")
    assert answer.headers["location"].endswith("told=known")


# Following a list

OPML = b"""<?xml version="1.0"?><opml version="2.0"><head><title>Mine</title></head><body>
<outline text="World"><outline text="Harbour &amp; Sea" type="rss" xmlUrl="https://wire.example/feed" language="en"/>
<outline text="River" type="rss" xmlUrl="https://river.example/feed"/></outline>
<outline text="Known" type="rss" xmlUrl="http://known.example/feed/"/>
</body></opml>"""


async def upload(client: httpx.AsyncClient, body: bytes, **fields: str) -> httpx.Response:
    file = {"file": ("list.opml", body, "text/x-opml")}
    return await client.post(f"{LIST}/list", data={"form_token": await token(client), **fields}, files=file)


async def test_a_list_is_looked_through_before_its_feeds_are_followed(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    follow(newsroom.database, "https://known.example/feed")
    answer = await upload(editor, OPML)
    assert answer.status_code == 200, answer.text
    shown = unescape(answer.text)
    assert "The list names 3 feeds, 2 of them new" in shown
    assert "1 is followed already" in shown
    assert len(every(newsroom.database)) == 1
    body = re.search(r'name="opml" value="(.*?)">', answer.text, re.DOTALL)
    assert body is not None
    terms = {"opml": unescape(body[1]), "kind": "blog", "reuse": "none", "rights": ""}
    answer = await send(editor, f"{LIST}/import", **terms)
    assert answer.status_code == 400
    assert "Tick at least one feed." in answer.text
    answer = await send(editor, f"{LIST}/import", **terms, take0="1", take1="1")
    assert answer.headers["location"] == f"{LIST}?told=many&n=2"
    by_title = {source.title: source for source in every(newsroom.database)}
    harbour = by_title["Harbour & Sea"]
    assert (harbour.kind, harbour.reuse, harbour.language) == (SourceKind.BLOG, Reuse.NONE, "en")
    assert "All of it is followed already." in (await upload(editor, OPML)).text


async def test_a_list_is_read_from_its_address_too(
    newsroom: Newsroom, editor: httpx.AsyncClient, wire: ScriptedWire
) -> None:
    wire.answers(200, "Content-Type: text/x-opml", body=OPML, path="/list.opml")
    answer = await upload(editor, b"", address=wire.at("/list.opml"))
    assert "The list names 3 feeds, 3 of them new" in unescape(answer.text)
    answer = await upload(editor, b"", address=wire.at("/none"))
    assert "Nothing stands at this address" in answer.text
    assert wire.at("/none") in answer.text


async def test_what_is_no_list_is_refused_in_words(newsroom: Newsroom, editor: httpx.AsyncClient) -> None:
    for body, said in {
        b"": "Choose a file, or give the address of a list.",
        b"<html><p>Hello": "This is no list of feeds",
        b"<opml><body/></opml>": "This OPML names no feed",
        b"x" * (looking.MOST_LIST_BYTES + 100_000): "This is larger than 2 MiB",
    }.items():
        answer = await upload(editor, body)
        assert answer.status_code == 400
        assert said in unescape(answer.text)
    many = b"".join(b'<outline xmlUrl="https://w.example/%d"/>' % n for n in range(looking.MOST_LISTED + 1))
    answer = await upload(editor, b"<opml><body>" + many + b"</body></opml>")
    assert "This list names 2001 feeds" in answer.text
    assert every(newsroom.database) == []


async def test_a_list_that_another_session_or_site_sends_is_refused(editor: httpx.AsyncClient) -> None:
    files = {"file": ("list.opml", OPML, "text/x-opml")}
    answer = await editor.post(f"{LIST}/list", data={"form_token": "another"}, files=files)
    assert answer.status_code == 403
    good = {"form_token": await token(editor)}
    other = {"origin": "https://evil.example"}
    assert (await editor.post(f"{LIST}/list", data=good, files=files, headers=other)).status_code == 403
    two = [("file", ("a", OPML)), ("file", ("b", OPML))]
    assert (await editor.post(f"{LIST}/list", data=good, files=two)).status_code == 400
    cut = {"content-type": "multipart/form-data; boundary=x"}
    assert (await editor.post(f"{LIST}/list", content=b"--x\r\nbroken", headers=cut)).status_code in (
        400,
        403,
    )


async def test_everything_that_is_followed_can_be_taken_along(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    secret = "https://wire.example/feed?api_key=3f9ac0"
    add(newsroom.database, SourceDraft(secret, title="Harbour", language="en"))
    answer = await editor.get(f"{LIST}.opml")
    assert answer.headers["content-disposition"] == 'attachment; filename="sources.opml"'
    (one,) = read_opml(answer.content).subscriptions
    assert (one.url, one.title, one.language) == (secret, "Harbour", "en")


async def test_a_decision_wakes_the_job_that_carries_it_out(
    newsroom: Newsroom, database: Database, clock: Clock
) -> None:
    woken: list[str] = []
    newsroom.soon = woken.append
    async with newsroom.client() as client:
        await sign_in(newsroom, client, "editor")
        (source,) = follow(database, "https://wire.example/feed")
        await send(client, f"{LIST}/{source}/ask")
    assert woken == ["poll"]


async def test_an_editor_sees_why_links_count_and_says_otherwise(
    newsroom: Newsroom, editor: httpx.AsyncClient, wire: ScriptedWire
) -> None:
    (source,) = follow(newsroom.database, wire.says(*(entry(n, guid=f"urn:0:{n}") for n in range(4))))
    await poll(newsroom)
    assert "their ids" in await page(editor, f"{LIST}/{source}")
    wire.says(*(entry(n, guid=f"urn:1:{n}") for n in range(4)))
    newsroom.clock.move(HOUR)
    await poll(newsroom)
    shown = await page(editor, f"{LIST}/{source}")
    assert "their links" in shown
    assert "4 of 4 known stories came back under new ids" in shown
    answer = await send(editor, f"{LIST}/{source}/identity", act="id")
    assert answer.status_code == 303
    assert "their ids (ada says so)" in re.sub(r"<[^>]+>", "", await page(editor, f"{LIST}/{source}"))
    assert (one(newsroom.database, source).identity, one(newsroom.database, source).identity_by) == (
        "id",
        "ada",
    )
    assert (await send(editor, f"{LIST}/{source}/identity", act="guess")).status_code == 400


# Where a source went


async def lost(newsroom: Newsroom, wire: ScriptedWire) -> tuple[int, str]:
    """A feed that worked and is lost, found elsewhere: its id and the new address."""
    (source,) = add(newsroom.database, SourceDraft(wire.says(entry(1)), site_url=wire.at("/site")))
    await poll(newsroom)
    there = wire.says(entry(1), entry(2, "Ferries sail again"), path="/there")
    page = f'<link rel="alternate" type="application/rss+xml" href="{there}">'.encode()
    wire.answers(
        200, "Content-Type: text/html", body=b"<!doctype html><title>Wire</title>" + page, path="/site"
    )
    wire.answers(404)
    newsroom.clock.move(HOUR)
    await poll(newsroom)
    assert (
        await moves.look_for_lost(newsroom.database, looking.Looker.of(newsroom.fetch), newsroom.clock) == 1
    )
    return source, there


async def test_a_lost_feed_is_shown_where_it_was_found_and_followed_there(
    newsroom: Newsroom, editor: httpx.AsyncClient, wire: ScriptedWire
) -> None:
    source, there = await lost(newsroom, wire)
    shown = await page(editor, f"{LIST}/{source}")
    assert "It may have moved" in shown
    assert there in shown
    assert "Ferries sail again" in shown
    answer = await send(editor, f"{LIST}/{source}/move", act="follow")
    assert answer.headers["location"] == f"{LIST}/{source}?told=moved"
    assert one(newsroom.database, source).url == there
    shown = await page(editor, answer.headers["location"])
    assert "Its stories stay its own." in shown
    assert "It may have moved" not in shown
    assert "ada says to follow it there" in shown
    # Pressed a second time, it says what has become of it.
    again = await send(editor, f"{LIST}/{source}/move", act="follow")
    assert again.status_code == 400
    assert "Nothing is proposed for this source any more." in again.text


async def test_an_editor_says_no_to_where_a_feed_was_found(
    newsroom: Newsroom, editor: httpx.AsyncClient, wire: ScriptedWire
) -> None:
    source, _ = await lost(newsroom, wire)
    answer = await send(editor, f"{LIST}/{source}/move", act="refuse")
    assert answer.headers["location"] == f"{LIST}/{source}?told=refused"
    assert "It may have moved" not in await page(editor, answer.headers["location"])
    assert one(newsroom.database, source).url == wire.feed
    assert (await send(editor, f"{LIST}/{source}/move", act="perhaps")).status_code == 400
    assert (await send(editor, f"{LIST}/99999/move", act="refuse")).status_code == 404


async def test_a_viewer_sees_where_a_feed_was_found_and_decides_nothing(
    newsroom: Newsroom, reader: httpx.AsyncClient, wire: ScriptedWire
) -> None:
    source, _ = await lost(newsroom, wire)
    await sign_in(newsroom, reader, "viewer")
    shown = await page(reader, f"{LIST}/{source}")
    assert "Follow it there" not in shown
    assert "It may have moved" in shown
    assert (await send(reader, f"{LIST}/{source}/move", act="follow")).status_code == 403


async def test_an_old_address_that_is_added_again_leads_to_its_source(
    newsroom: Newsroom, editor: httpx.AsyncClient, wire: ScriptedWire
) -> None:
    source, _ = await lost(newsroom, wire)
    await send(editor, f"{LIST}/{source}/move", act="follow")
    answer = await send(editor, LIST, take0="on", url0=wire.feed, kind="news", reuse="summary")
    assert answer.headers["location"] == f"{LIST}/{source}?told=known"


async def test_gaps_redirects_and_pauses_stand_on_the_page_of_a_source(
    newsroom: Newsroom, editor: httpx.AsyncClient, wire: ScriptedWire
) -> None:
    there = wire.says(entry(1), path="/there")
    (source,) = add(newsroom.database, SourceDraft(wire.answers(302, f"Location: {there}")))
    await poll(newsroom)
    newsroom.clock.move(HOUR)
    wire.says(entry(5), entry(6), path="/there")
    await poll(newsroom)
    shown = await page(editor, f"{LIST}/{source}")
    assert '<span class="badge">gap</span>' in shown
    assert "nothing that it showed was known, so stories may be missing" in shown
    assert f"302 to {there}" in shown
    newsroom.clock.move(HOUR)
    add(newsroom.database, SourceDraft(wire.answers(429, "Retry-After: 7200", path="/other")))
    newsroom.clock.move(HOUR)
    await poll(newsroom)
    newsroom.clock.move(HOUR)
    assert "127.0.0.1 asked us to wait, all its feeds." in await page(editor, f"{LIST}/{source}")


async def test_an_outage_of_our_own_is_told_to_a_chief(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await sign_in(newsroom, reader, "chief")
    await newsroom.database.write(lambda s: pauses.begin_outage(s, NOW, "5 of 6 hosts could not be reached"))
    assert "Our own connection has failed since" in await page(reader, "/desk/today")
    await newsroom.database.write(lambda s: pauses.end_outage(s, NOW + HOUR))
    assert "No feed was charged with it." in await page(reader, "/desk/today")
