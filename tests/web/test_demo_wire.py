"""The demo's wire: what its outlets say, and how it answers those who follow them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise

import feedparser
import httpx
import pytest
from lxml import etree

from aggregator.demo.wire import (
    PLACEHOLDER,
    Outlet,
    demo_briefs,
    demo_feeds,
    demo_picks,
    make_wire,
    wire_pages,
)
from feeds import read
from feeds.model import Entry, Feed
from feeds.opml import read_opml

BASE = "http://127.0.0.1:8901"
FIRST_DAY = datetime(2025, 2, 12, tzinfo=UTC)
AFTER_THE_LAST_DAY = datetime(2025, 2, 20, tzinfo=UTC)
REAL_OUTLETS = {
    "Le Monde", "Le Figaro", "Libération", "Agence France-Presse", "The Guardian", "BBC News", "Reuters",
    "Associated Press", "The Times", "Der Spiegel", "Süddeutsche Zeitung", "Die Zeit", "Gazeta Wyborcza",
    "Rzeczpospolita", "Kurier Południowy", "Українська правда", "Дзеркало тижня", "Коммерсантъ", "Медуза",
    "Ведомости", "El País", "El Mundo", "Corriere della Sera", "La Repubblica", "Il Foglio", "Público",
    "Diário de Notícias", "Expresso", "الجزيرة", "الشرق الأوسط", "الأهرام",
}  # fmt: skip

#: Monday to Sunday, in the forms that the stories use.
WEEKDAYS = (
    "monday|lundi|montag|poniedziałek|понеділок|понедельник|lunes|lunedì|segunda-feira|الاثنين",
    "tuesday|mardi|dienstag|wtorek|вівторок|вторник|martes|martedì|terça-feira|الثلاثاء",
    "wednesday|mercredi|mittwoch|środę|середу|среду|miércoles|mercoledì|quarta-feira|الأربعاء",
    "thursday|jeudi|donnerstag|czwartek|четвер|четверг|jueves|giovedì|quinta-feira|الخميس",
    "friday|vendredi|freitag|piątek|п'ятницю|пятницу|viernes|venerdì|sexta-feira|الجمعة",
    "saturday|samedi|samstag|sobotę|суботу|субботу|sábado|sabato|السبت",
    "sunday|dimanche|sonntag|niedzielę|неділю|воскресенье|domingo|domenica|الأحد",
)
DAY_OF_FEBRUARY = re.compile(
    rf"(?P<weekday>{'|'.join(WEEKDAYS)}),?\s(?:le\s|dem\s|Feb\.\s)?(?P<day>\d\d?)\.?(?=,|\.|\s(?:de\s)?"
    r"(?:f[eé][vb]|lut|лют|фев|فبراير)|\s\()",
    re.IGNORECASE,
)


def feed_of(outlet: Outlet) -> Feed:
    body = outlet.document.replace(PLACEHOLDER.encode(), BASE.encode())
    return read.parse(body, content_type=outlet.content_type, base_url=f"{BASE}/{outlet.slug}/feed")


def stories() -> list[Entry]:
    return [entry for outlet in demo_feeds() for entry in feed_of(outlet).entries]


def paths() -> set[str]:
    return {entry.url.removeprefix(f"{BASE}/") for entry in stories() if entry.url}


def story_text(entry: Entry) -> str:
    return f"{entry.title} {entry.summary} {entry.content}"


@pytest.fixture
async def wire() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=make_wire(BASE))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


def test_twelve_outlets_report_in_ten_languages_and_in_every_format() -> None:
    feeds = [feed_of(outlet) for outlet in demo_feeds()]
    languages = {outlet.language.partition("-")[0] for outlet in demo_feeds()}

    assert len(feeds) == 12
    assert languages == {"fr", "en", "de", "pl", "uk", "ru", "es", "it", "ar", "pt"}
    assert {outlet.content_type.partition(";")[0] for outlet in demo_feeds()} == {
        "application/rss+xml",
        "application/rdf+xml",
        "application/atom+xml",
        "application/feed+json",
    }
    assert {feed.version for feed in feeds} == {"rss20", "rss10", "atom10", "json11"}
    assert [feed.problems for feed in feeds if feed.problems] == []


def test_no_outlet_bears_the_name_of_a_real_one() -> None:
    assert {outlet.name for outlet in demo_feeds()}.isdisjoint(REAL_OUTLETS)


@pytest.mark.parametrize("outlet", demo_feeds(), ids=lambda outlet: outlet.slug)
def test_every_feed_is_well_formed_in_the_charset_that_it_declares(outlet: Outlet) -> None:
    charset = outlet.content_type.partition("charset=")[2]
    text = outlet.document.decode(charset)
    if outlet.content_type.startswith("application/feed+json"):
        assert json.loads(text)["version"] == "https://jsonfeed.org/version/1.1"
        return
    assert f'encoding="{charset}"' in text.partition("\n")[0]
    heard = feedparser.parse(BytesIO(outlet.document), response_headers={"content-type": outlet.content_type})
    assert heard.bozo is False
    assert heard.feed.title == outlet.name
    assert "\ufffd" not in text


def test_there_are_enough_stories_and_each_has_an_id_and_a_page_of_its_own() -> None:
    entries = stories()

    assert len(entries) >= 80
    assert len({entry.id for entry in entries}) == len(entries)
    assert len({entry.url for entry in entries}) == len(entries)


def test_every_story_stands_under_its_outlet() -> None:
    for outlet in demo_feeds():
        for entry in feed_of(outlet).entries:
            assert re.fullmatch(rf"{BASE}/{outlet.slug}/[a-z0-9-]+", entry.url or "")


def test_every_story_has_a_title_a_lead_an_author_and_a_date_of_that_week() -> None:
    for entry in stories():
        assert entry.title
        assert entry.authors, entry.url
        assert entry.summary is not None, entry.url
        assert len(str(entry.summary)) > 100, entry.url
        moment = entry.published or entry.updated
        assert moment is not None, entry.url
        assert FIRST_DAY <= moment < AFTER_THE_LAST_DAY, entry.url


def test_every_feed_shows_its_newest_story_first() -> None:
    for outlet in demo_feeds():
        moments = [entry.updated or entry.published for entry in feed_of(outlet).entries]
        assert all(first >= then for first, then in pairwise(moments) if first and then), outlet.slug


def test_most_stories_are_of_the_talks_and_some_are_of_other_news() -> None:
    about = re.compile(
        r"ukrain|україн|украин|أوكراني|ucrain|ucran|ucrân|zelensk|kellogg|кремл|الكرملين|kreml|riad|riyad"
        r"|tchernobyl|chernobyl|vance|ктк|рфпи",
        re.IGNORECASE,
    )
    on_topic = [entry for entry in stories() if about.search(f"{entry.title} {entry.summary}")]

    assert len(on_topic) >= 60
    assert len(stories()) - len(on_topic) >= 10


def test_outlets_in_several_languages_know_the_day_of_the_invasion() -> None:
    invasion = re.compile(r"invas[iã]|überfall|inwazj|вторгнен|вторжен|غزو", re.IGNORECASE)
    year = re.compile(r"\b24\b.{1,20}\b2022\b")
    said = [entry for entry in stories() if invasion.search(story_text(entry))]
    dated = {(entry.language or "")[:2] for entry in said if year.search(story_text(entry))}

    assert dated >= {"fr", "en", "de", "pl", "uk", "ru", "es", "it", "ar", "pt"}
    # A year that no outlet gives is what the check of the French brief stands on.
    assert not [entry.url for entry in stories() if "2021" in story_text(entry)]


def test_outlets_in_several_languages_give_peskov_his_office_and_hegseth_his_room() -> None:
    kremlin = re.compile(r"kremlin|kreml|cremlin|кремл|الكرملين", re.IGNORECASE)
    peskov = re.compile(r"peskov|peskow|pieskow|песков|пєсков|بيسكوف", re.IGNORECASE)
    hegseth = re.compile(r"hegseth|гегсет|хегсет", re.IGNORECASE)
    brussels = re.compile(r"brussels|bruxelles|brüssel|bruks|bruselas|брюс+ел", re.IGNORECASE)
    texts = [(entry.language or "", story_text(entry)) for entry in stories()]

    assert len({language for language, text in texts if kremlin.search(text) and peskov.search(text)}) >= 8
    assert len({language for language, text in texts if hegseth.search(text) and brussels.search(text)}) >= 7


def test_a_weekday_that_stands_beside_a_date_is_that_days() -> None:
    found = [(entry, match) for entry in stories() for match in DAY_OF_FEBRUARY.finditer(story_text(entry))]

    assert len(found) > 50
    for entry, match in found:
        day = datetime(2025, 2, int(match["day"]), tzinfo=UTC)
        assert match["weekday"].lower() in WEEKDAYS[day.weekday()].split("|"), (entry.url, match[0])


def test_a_corrected_story_says_that_it_was_updated() -> None:
    corrected = [entry for entry in stories() if re.match("CORRECTED|Korrektur", entry.title)]

    assert len(corrected) == 2
    for entry in corrected:
        assert entry.published is not None
        assert entry.updated is not None
        assert entry.updated > entry.published


def test_two_outlets_carry_the_same_agency_text() -> None:
    leads = Counter(str(entry.summary) for entry in stories())
    credited = {str(entry.summary): entry.authors[0].name for entry in stories()}
    copies = [credited[lead] for lead, count in leads.items() if count > 1]

    assert "Agence Méridienne" in copies


def test_one_entry_says_which_member_paper_it_came_from() -> None:
    origins = [entry.origin for entry in stories() if entry.origin is not None and entry.origin.title]

    assert [origin.title for origin in origins] == ["The Harbour Ledger"]
    assert origins[0].id == f"{BASE}/harbour-ledger/feed"


async def test_every_link_of_the_wire_is_answered(wire: httpx.AsyncClient) -> None:
    opml = (await wire.get("/opml")).content
    followed = [subscription.url for subscription in read_opml(opml).subscriptions]
    pages = [entry.url for entry in stories()] + [feed_of(outlet).url for outlet in demo_feeds()]

    assert followed == [f"{BASE}/{outlet.slug}/feed" for outlet in demo_feeds()]
    for url in ["/", *followed, *pages]:
        assert url is not None
        assert (await wire.get(url)).status_code == 200, url


async def test_every_address_written_on_any_page_leads_somewhere(wire: httpx.AsyncClient) -> None:
    address = re.compile(rf"{BASE}[^\"'<>\s&]*")
    written = {
        url for page in wire_pages(BASE).values() for url in address.findall(page.body.decode("latin-1"))
    }

    assert len(written) > 100
    assert {url for url in written if (await wire.get(url)).status_code != 200} == set()


def test_no_page_shows_the_placeholder() -> None:
    assert [path for path, page in wire_pages(BASE).items() if b"{{" in page.body] == []


async def test_a_feed_is_sent_with_its_type_and_strong_validators(wire: httpx.AsyncClient) -> None:
    for outlet in demo_feeds():
        answer = await wire.get(f"/{outlet.slug}/feed")

        assert answer.headers["content-type"] == outlet.content_type
        assert re.fullmatch(r'"[0-9a-f]{32}"', answer.headers["etag"])
        assert re.fullmatch(r"\w{3}, 1\d Feb 2025 \d\d:\d\d:\d\d GMT", answer.headers["last-modified"])


async def test_a_feed_that_the_desk_has_already_is_answered_304(wire: httpx.AsyncClient) -> None:
    first = await wire.get("/pyaty-prichal/feed")
    by_tag = await wire.get("/pyaty-prichal/feed", headers={"If-None-Match": first.headers["etag"]})
    by_date = await wire.get(
        "/pyaty-prichal/feed", headers={"If-Modified-Since": first.headers["last-modified"]}
    )
    earlier = {"If-Modified-Since": "Wed, 12 Feb 2025 00:00:00 GMT"}

    assert (by_tag.status_code, by_tag.content) == (304, b"")
    assert by_tag.headers["etag"] == first.headers["etag"]
    assert by_date.status_code == 304
    assert (await wire.get("/pyaty-prichal/feed", headers=earlier)).status_code == 200


async def test_a_page_that_is_not_there_and_a_way_of_asking_that_is_not_known(
    wire: httpx.AsyncClient,
) -> None:
    assert (await wire.get("/courrier-de-la-rade/nowhere")).status_code == 404
    assert (await wire.post("/opml")).status_code == 405
    assert (await wire.head("/opml")).status_code == 200


async def test_a_story_page_is_in_the_language_and_the_direction_of_its_outlet(
    wire: httpx.AsyncClient,
) -> None:
    arabic = (await wire.get("/sada-al-marsa/muhadathat-riyadh")).text
    polish = (await wire.get("/dziennik-trzech-mostow/rozmowy-w-rijadzie")).text

    assert '<html lang="ar" dir="rtl">' in arabic
    assert '<html lang="pl" dir="ltr">' in polish
    assert "Jurij Uszakow" in polish
    assert "Bogna Wierzchowiak" in polish
    assert "do not exist" in polish


async def test_a_story_page_tells_the_whole_text_of_its_story(wire: httpx.AsyncClient) -> None:
    for entry in stories():
        page = etree.fromstring((await wire.get(entry.url or "")).content, etree.HTMLParser(encoding="utf-8"))
        told = "".join(page.find(".//article").itertext())
        assert entry.title in told, entry.url
        assert str(entry.summary)[:40] in told, entry.url


def test_the_same_address_gives_the_same_bytes() -> None:
    assert wire_pages(BASE) == wire_pages(BASE)


def test_the_french_brief_comes_first_and_holds_its_three_slips() -> None:
    slug, text = demo_briefs()[0]

    assert slug == "riyad-2025-02-18.fr"
    assert "en février 2021" in text
    assert "porte-parole du ministère russe des Affaires étrangères, Dmitri Peskov" in text
    assert "lors d'une réunion de responsables ukrainiens" in text


def test_the_briefs_are_in_three_languages() -> None:
    assert sorted(slug[-2:] for slug, _ in demo_briefs()) == ["en", "fr", "uk"]


def passages(brief: str) -> set[str]:
    """p0 for the title and one more for every paragraph, whatever stands at the head of the text."""
    blocks = [block for block in re.split(r"\n\s*\n", brief.strip()) if not is_heading(block)]
    return {f"p{number}" for number in range(len(blocks))}


def is_heading(block: str) -> bool:
    return block.startswith(("---", "- [")) or re.fullmatch(r"\d{4}-\d\d-\d\d", block) is not None


def test_every_pick_names_a_story_of_the_wire_and_a_passage_of_its_brief() -> None:
    briefs = {slug: passages(text) for slug, text in demo_briefs()}

    on_the_wire = paths()

    for pick in demo_picks():
        assert pick.story in on_the_wire
        assert pick.passage in briefs[pick.brief]


def test_no_story_is_picked_twice_for_one_passage() -> None:
    picks = [(pick.brief, pick.passage, pick.story) for pick in demo_picks()]

    assert len(picks) == len(set(picks))


def test_the_french_brief_stands_on_stories_in_five_languages_and_more() -> None:
    languages = {outlet.slug: outlet.language for outlet in demo_feeds()}
    picks = [pick for pick in demo_picks() if pick.brief == "riyad-2025-02-18.fr"]

    assert len(picks) >= 8
    assert len({languages[pick.story.partition("/")[0]] for pick in picks}) >= 5
    assert {pick.passage for pick in picks} == {f"p{number}" for number in range(1, 12)}
