"""The public pages, as a reader's browser gets them."""

from __future__ import annotations

import re
import struct
from datetime import timedelta

import httpx
import pytest
from lxml import html

from aggregator.flows import editorial
from aggregator.model import Role
from aggregator.rules.briefs import BriefLink
from aggregator.rules.channels import Channel
from aggregator.rules.topics import Topic
from aggregator.store.database import Database, StoreError, StoreFull, StoreUnusable
from aggregator.web import pages
from aggregator.web.shown import Piece, conditions, direction, excerpt, og_locale, pieces
from tests.conftest import NOW, Clock
from tests.store.newsroom import keep_stories, says
from tests.web.newsroom import ALL, BRIEF, BRIEFS, SITE, TALKS, Newsroom, lost

PAGES = ["/", "/channels/all", "/briefs/riyadh", "/topics/talks", "/nope"]
#: Pages that stay open for what is new.
LIVE = ["/", "/channels/all"]
HOSTILE = '<script>alert("1")</script> & </title>'


def seen(response: httpx.Response) -> html.HtmlElement:
    """The page, read as a browser reads it."""
    return html.fromstring(response.text)


def words(element: html.HtmlElement) -> str:
    """The text that a reader sees, on one line."""
    return " ".join(element.text_content().split())


async def published(newsroom: Newsroom) -> dict[str, int]:
    """A brief with three sources in three languages, published; the stories' ids."""
    stories = keep_stories(
        newsroom.database,
        says("en", "Talks open in Riyadh", summary="Officials sat down.", published=NOW - timedelta(hours=1)),
        says("ar", "محادثات في الرياض", language="ar", published=NOW - timedelta(hours=2)),
        says("pl", "Rozmowy w Rijadzie", language="pl", published=NOW - timedelta(days=1)),
    )
    await newsroom.brief()
    await newsroom.pick(stories["en"])
    await newsroom.pick(stories["ar"], role=Role.CONTRADICTS)
    await newsroom.pick(stories["pl"], "p2", Role.BACKGROUND)
    await newsroom.publish()
    return stories


async def test_the_front_page_names_the_newsroom_its_channels_and_the_newest(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    page = seen(await reader.get("/"))
    assert page.findtext(".//title") == "The Harbour Desk"
    assert [words(code) for code in page.findall(".//code")] == [
        "https://harbour.example/channels/all.atom",
        "https://harbour.example/channels/briefs.atom",
    ]
    assert words(page.find(".//aside")).startswith("Channels Copy an address")
    assert [words(title) for title in page.findall(".//article//h3")] == [
        "Talks open in Riyadh without Kyiv",
        "Talks open in Riyadh",
        "محادثات في الرياض",
        "Rozmowy w Rijadzie",
    ]
    assert [words(day) for day in page.findall(".//section//h2[@class='date']")] == [
        "Tuesday, 18 Feb 2025",
        "Monday, 17 Feb 2025",
    ]


async def test_every_page_tells_readers_where_the_channels_are(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    for path in PAGES:
        links = seen(await reader.get(path)).findall(".//link[@rel='alternate']")
        assert links[0].attrib == {
            "rel": "alternate",
            "type": "application/atom+xml",
            "title": "Everything",
            "href": "https://harbour.example/channels/all.atom",
        }
        channels = {link.get("href").rpartition("/")[2].partition(".")[0] for link in links}
        assert channels == ({"all"} if path == "/channels/all" else {"all", "briefs"}), path
    only = seen(await reader.get("/channels/briefs")).findall(".//link[@rel='alternate']")
    assert [(link.get("type"), link.get("title")) for link in only] == [
        ("application/atom+xml", "Only briefs"),
        ("application/rss+xml", "Only briefs (RSS)"),
        ("application/feed+json", "Only briefs (JSON Feed)"),
    ]
    for link in only:
        found = await reader.get(link.get("href"))
        assert (found.status_code, found.headers["content-type"].partition(";")[0]) == (200, link.get("type"))


async def test_a_channel_is_offered_in_the_formats_that_feed_readers_know(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    box = seen(await reader.get("/channels/briefs")).find(".//div[@class='subscribe']")
    assert [link.get("href") for link in box.findall(".//a")] == [
        "/channels/briefs.rss",
        "/channels/briefs.json",
        "/channels/briefs.atom",
    ]


async def test_a_channel_for_partners_is_on_no_page(newsroom: Newsroom) -> None:
    newsroom.channels = [ALL, Channel("secret", "For partners", is_public=False, formerly=("hidden",))]
    await published(newsroom)
    async with newsroom.client() as reader:
        for path in PAGES:
            assert "secret" not in (await reader.get(path)).text, path
        for path in ("/channels/secret", "/channels/secret/embed", "/channels/hidden"):
            response = await reader.get(path)
            assert response.status_code == 404
            assert "For partners" not in response.text


async def test_the_front_page_shows_nothing_that_only_partners_may_read(newsroom: Newsroom) -> None:
    newsroom.channels = [BRIEFS, Channel("secret", "For partners", is_public=False)]
    await published(newsroom)
    async with newsroom.client() as reader:
        page = seen(await reader.get("/"))
    assert [words(title) for title in page.findall(".//article//h3")] == ["Talks open in Riyadh without Kyiv"]


async def test_a_channel_that_was_renamed_is_found_under_its_old_name(newsroom: Newsroom) -> None:
    newsroom.channels = [Channel("all", "Everything", formerly=("wire",))]
    async with newsroom.client() as reader:
        response = await reader.get("/channels/wire")
    assert response.status_code == 301
    assert response.headers["location"] == "https://harbour.example/channels/all"


async def test_a_channel_page_shows_what_its_document_carries(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    page = seen(await reader.get("/channels/briefs"))
    assert [words(title) for title in page.findall(".//article//h3")] == ["Talks open in Riyadh without Kyiv"]
    everything = seen(await reader.get("/channels/all"))
    brief, story, arabic, _ = everything.findall(".//article")
    assert brief.find(".//h3/a").get("href") == "/briefs/riyadh"
    assert "Brief" in words(brief)
    assert story.find(".//h3/a").get("href") == "https://wire.example/en"
    assert words(story) == "08:00 Talks open in Riyadh Officials sat down. en wire.example"
    assert dict(arabic.find(".//h3").attrib) == {"lang": "ar", "dir": "rtl"}


async def test_a_brief_shows_its_paragraphs_with_the_sources_of_each(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    page = seen(await reader.get("/briefs/riyadh"))
    assert page.get("lang") == "en"
    assert words(page.find(".//h1")) == "Talks open in Riyadh without Kyiv"
    assert "18 Feb 2025 Ukraine talks 3 sources in 3 languages" in words(page.find(".//article/header"))
    first, second = page.findall(".//section[@class='passage']")
    assert words(second.find("./div/p")) == "Background: Nobody had met at this level since February 2022."
    assert words(second.find(".//b")) == "Background:"
    assert second.find("./div/p/a").get("href") == "https://archive.example/2022"
    assert [words(item) for item in first.findall(".//li")] == [
        "en wire.example Talks open in Riyadh",
        "ar wire.example disagrees محادثات في الرياض",
    ]
    assert [link.get("hreflang") for link in first.findall(".//li//a")] == ["en", "ar"]
    assert [words(item) for item in second.findall(".//li")] == [
        "pl wire.example background Rozmowy w Rijadzie"
    ]
    assert words(page.find(".//p[@class='more']")) == "Read more: The resolution"


def told(page: html.HtmlElement) -> dict[str, str]:
    """What a page says of itself to those who share it, by property."""
    metas = page.xpath("//meta[@property or starts-with(@name, 'twitter:')]")
    return {meta.get("property") or meta.get("name"): meta.get("content") for meta in metas}


async def test_a_brief_introduces_itself_to_those_who_share_it(
    newsroom: Newsroom,
) -> None:
    newsroom.topics = [TALKS, Topic("sport", "Sport", any=("football",))]
    await newsroom.brief(f"---\ntopics: talks, sport\n---\n{BRIEF}")
    await newsroom.publish()
    async with newsroom.client() as reader:
        page = seen(await reader.get("/briefs/riyadh"))
    assert told(page) == {
        "og:type": "article",
        "og:title": "Talks open in Riyadh without Kyiv",
        "og:description": "American and Russian officials met on Tuesday in Saudi Arabia to talk about the "
        "war in Ukraine.",
        "og:url": "https://harbour.example/briefs/riyadh",
        "og:site_name": "The Harbour Desk",
        "og:image": "https://harbour.example/static/icon.png",
        "og:image:type": "image/png",
        "og:image:width": "256",
        "og:image:height": "256",
        "og:image:alt": "The Harbour Desk",
        "article:published_time": "2025-02-18T09:00:00Z",
        "article:modified_time": "2025-02-18T09:00:00Z",
        "article:section": "Sport",
        "article:tag": "Ukraine talks",
        "twitter:card": "summary",
    }
    assert [tag.get("content") for tag in page.findall(".//meta[@property='article:tag']")] == [
        "Sport",
        "Ukraine talks",
    ]


async def test_every_other_page_introduces_itself_too(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await published(newsroom)
    for path, title in (
        ("/", "The Harbour Desk"),
        ("/channels/all", "Everything"),
        ("/topics/talks", "Ukraine talks"),
    ):
        said = told(seen(await reader.get(path)))
        assert (said["og:type"], said["og:title"]) == ("website", title)
        assert said["og:url"] == f"https://harbour.example{path}"


@pytest.mark.parametrize(
    ("language", "site", "expected"),
    [
        ("fr", "fr-CH", "fr_CH"),
        ("zh", "zh-Hant-tw", "zh_TW"),
        ("fr", "fr", None),
        ("ar", "fr-CH", None),
        ("es", "es-419", None),
    ],
)
def test_a_country_is_only_named_where_it_is_known(language: str, site: str, expected: str | None) -> None:
    assert og_locale(language, site) == expected


async def test_a_correction_is_shown_with_its_reason(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await published(newsroom)
    newsroom.clock.move(timedelta(hours=1))
    await editorial.correct_brief(
        newsroom.database,
        newsroom.clock,
        "riyadh",
        BRIEF.replace("Tuesday", "Monday"),
        by="ada",
        why="It was Monday.",
    )
    page = seen(await reader.get("/briefs/riyadh"))
    assert words(page.find(".//p[@class='note']")) == "Corrected on 18 Feb 2025, 10:00 It was Monday."
    assert "met on Monday" in words(page)


async def test_readers_see_what_was_published_and_not_what_is_being_written(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    await newsroom.brief(BRIEF.replace("Tuesday", "Friday"))
    assert "Friday" not in (await reader.get("/briefs/riyadh")).text


async def test_a_brief_that_was_never_published_is_not_found(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.brief()
    response = await reader.get("/briefs/riyadh")
    assert response.status_code == 404
    assert "Talks open" not in response.text


async def test_a_withdrawn_brief_is_gone_and_says_why(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await published(newsroom)
    await newsroom.withdraw(why="The meeting was not held.")
    response = await reader.get("/briefs/riyadh")
    assert response.status_code == 410
    page = seen(response)
    assert "withdrawn on 18 Feb 2025, 09:00. Reason The meeting was not held." in words(page)
    assert "American and Russian officials" not in response.text
    assert page.find(".//meta[@name='robots']").get("content") == "noindex"
    listed = seen(await reader.get("/channels/all")).find(".//article")
    assert words(listed.find(".//h3")) == "Withdrawn: Talks open in Riyadh without Kyiv"
    assert listed.get("class") == "entry withdrawn"


async def test_a_topic_says_what_it_takes_and_why_each_story_is_in(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    page = seen(await reader.get("/topics/talks"))
    assert words(page.find(".//h1")) == "Ukraine talks"
    assert words(page.find(".//dl")) == "At least one of riyadh OR riyad Nothing of football"
    (story,) = page.findall(".//article")
    assert words(story.find(".//q")) == (
        "any: “Riyadh” in the title. none: nothing of football in title or summary."
    )


async def test_what_does_not_exist_is_a_page_that_helps(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    for path in ("/nope", "/channels/nope", "/topics/nope", "/briefs/1", "/static/nope"):
        response = await reader.get(path)
        assert response.status_code == 404
        assert words(seen(response).find(".//h1")) == "There is no such page"
        assert seen(response).find(".//main//a").get("href") == "/"


async def test_a_bug_of_ours_is_a_page_without_its_traceback(
    newsroom: Newsroom, reader: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret thing")

    monkeypatch.setattr(pages.views, "channel_feed", broken)
    response = await reader.get("/")
    assert response.status_code == 500
    assert words(seen(response).find(".//h1")) == "Something went wrong on our side"
    assert "secret thing" not in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]


async def test_a_failing_database_is_said_to_readers_and_to_watchers(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    with lost(newsroom.database, "source"):
        health = await reader.get("/health")
    with lost(newsroom.database, "carried"):
        response = await reader.get("/")
    assert (response.status_code, response.headers["retry-after"]) == (503, "60")
    assert health.status_code == 503
    assert health.json() == {
        "status": "failing",
        "version": "0.1.0",
        "reason": "The database cannot be opened or read.",
    }


async def test_health_is_told_in_figures(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await published(newsroom)
    response = await reader.get("/health")
    assert response.json() == {
        "status": "ok",
        "version": "0.1.0",
        "stories": 3,
        "sources": 1,
        "failing": 0,
        "last_fetch": "2025-02-18T09:00:00Z",
    }
    assert response.headers["cache-control"] == "no-store"


async def test_a_hostile_title_is_only_text(newsroom: Newsroom) -> None:
    keep_stories(newsroom.database, says("evil", f"Riyadh {HOSTILE}", summary=HOSTILE, language=None))
    await newsroom.brief(
        f"{HOSTILE}\n\nA plain English paragraph about Riyadh with {HOSTILE} in it.\n", "riyadh"
    )
    await newsroom.pick(1)
    newsroom.topics = [Topic("talks", HOSTILE, any=("riyadh",), description=HOSTILE)]
    await newsroom.publish()
    async with newsroom.client() as reader:
        for path in ("/", "/channels/all", "/topics/talks", "/briefs/riyadh"):
            response = await reader.get(path)
            # Ours is one for times, one for events or one for search engines.
            assert response.text.count("<script") == (1 if path == "/topics/talks" else 2), path
            assert "<script>" not in response.text, path
            assert HOSTILE in words(seen(response)), path
        await newsroom.withdraw(why=HOSTILE)
        response = await reader.get("/briefs/riyadh")
        assert response.text.count("&lt;script&gt;") > 1
        assert response.text.count("<script") == response.text.count("/static/times.js") == 1


async def test_a_story_that_leads_to_a_script_leads_nowhere(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    keep_stories(newsroom.database, says("evil", "Riyadh", url="javascript:alert(1)"))
    await newsroom.brief()
    await newsroom.pick(1)
    await newsroom.publish()
    for path in ("/", "/channels/all", "/topics/talks", "/briefs/riyadh"):
        response = await reader.get(path)
        assert response.status_code == 200
        assert "javascript:" not in response.text


async def test_pages_load_nothing_from_elsewhere_and_run_nothing_that_stands_in_them(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    for path in PAGES:
        response = await reader.get(path)
        page = seen(response)
        loaded = [
            *page.xpath("//link[@rel='stylesheet' or contains(@rel,'icon')]/@href"),
            *page.xpath("//@src"),
        ]
        assert all(address.startswith("/static/") for address in loaded)
        assert {(await reader.get(address)).status_code for address in loaded} == {200}
        assert not page.xpath("//script[not(@src or @type='application/ld+json')]")
        assert not page.xpath("//style | //iframe | //@style | //@onclick")
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'")
        # Scripts run only where there are times to show, and talk to us where there is something to hear.
        scripts = [address.partition("?")[0] for address in page.xpath("//script/@src")]
        expected = [] if path == "/nope" else ["/static/times.js"]
        assert scripts == expected + (["/static/live.js"] if path in LIVE else [])
        assert ("script-src 'self'" in policy) == bool(scripts)
        assert ("connect-src 'self'" in policy) == (path in LIVE)
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "strict-origin-when-cross-origin"
        assert "set-cookie" not in response.headers


async def test_a_page_can_be_asked_for_only_if_it_changed(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    for path in ("/", "/channels/all", "/briefs/riyadh", "/topics/talks"):
        first = await reader.get(path)
        again = await reader.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        headed = await reader.head(path)
        # Each request has an id of its own.
        assert headed.headers.pop("x-request-id") != first.headers.pop("x-request-id")
        assert (headed.headers, headed.content) == (first.headers, b"")


async def test_a_site_below_another_path_links_within_it(newsroom: Newsroom) -> None:
    newsroom.site = type(SITE)(title="Below", url="https://paper.example/wire")
    await published(newsroom)
    async with newsroom.client() as reader:
        page = seen(await reader.get("https://paper.example/"))
    assert page.find(".//link[@rel='stylesheet']").get("href").startswith("/wire/static/wirebrief.css?v=")
    assert page.find(".//article//h3/a").get("href") == "/wire/briefs/riyadh"
    assert (
        page.find(".//link[@rel='alternate']").get("href") == "https://paper.example/wire/channels/all.atom"
    )


async def test_a_newsroom_without_channels_says_so(newsroom: Newsroom) -> None:
    newsroom.channels, newsroom.topics = (), ()
    async with newsroom.client() as reader:
        page = seen(await reader.get("/"))
    assert "Nothing has been published yet." in words(page)
    assert "No channel is published here." in words(page)


async def test_what_no_channel_takes_is_not_on_the_front_page(newsroom: Newsroom) -> None:
    await published(newsroom)
    newsroom.channels = [newsroom.channels[1]]
    async with newsroom.client() as reader:
        page = seen(await reader.get("/"))
    assert [words(title) for title in page.findall(".//article//h3")] == ["Talks open in Riyadh without Kyiv"]


async def test_the_front_page_shows_what_one_channel_takes_and_not_what_two_would(newsroom: Newsroom) -> None:
    keep_stories(
        newsroom.database,
        says("a", "Riyadh in French", language="fr"),
        says("b", "Riyadh in English"),
        says("c", "Football in English"),
        says("d", "Football in French", language="fr"),
    )
    newsroom.topics = [TALKS, Topic("sport", "Sport", any=("football",))]
    newsroom.channels = [
        Channel("talks", "Talks", topics=("talks",), languages=("fr",)),
        Channel("sport", "Sport", topics=("sport",), languages=("en",)),
        Channel("more", "More sport", topics=("sport",), languages=("en",)),
    ]
    await newsroom.render()
    async with newsroom.client() as reader:
        page = seen(await reader.get("/"))
    assert {words(title) for title in page.findall(".//article//h3")} == {
        "Riyadh in French",
        "Football in English",
    }
    assert len(page.findall(".//article")) == 2


async def test_a_page_of_entries_is_made_anew_only_when_a_channel_changed(
    newsroom: Newsroom, reader: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await published(newsroom)
    made: list[str] = []
    render = pages.render
    monkeypatch.setattr(pages, "render", lambda s, name, **v: made.append(name) or render(s, name, **v))
    for path in ("/", "/", "/channels/all", "/channels/all"):
        assert "Talks open" in (await reader.get(path)).text
    assert made == ["front.html", "channel.html"]
    await newsroom.withdraw()
    assert "Withdrawn: Talks open" in (await reader.get("/")).text
    assert made == ["front.html", "channel.html", "front.html"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StoreFull("sqlite:///secret.db"), "The disk that holds the database is full or failing."),
        (StoreUnusable("sqlite:///secret.db"), "The database cannot be opened or read."),
        (StoreError("sqlite:///secret.db"), "The database refuses to work."),
    ],
)
async def test_watchers_hear_why_the_database_fails_and_not_where_it_is(
    sqlite_database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch, error: StoreError, said: str
) -> None:
    async def fail(_work: object) -> None:
        raise error

    monkeypatch.setattr(sqlite_database, "read", fail)
    async with Newsroom(sqlite_database, clock).client() as reader:
        response = await reader.get("/health")
    assert (response.status_code, response.json()["reason"]) == (503, said)


async def test_the_icons_are_pictures(reader: httpx.AsyncClient) -> None:
    png = await reader.get("/static/icon.png")
    assert png.headers["content-type"] == "image/png"
    assert struct.unpack(">4sII", png.content[12:24]) == (b"IHDR", 256, 256)
    icon = await reader.get("/favicon.ico")
    assert icon.status_code == 200
    assert icon.content[:4] == b"\x00\x00\x01\x00"
    assert icon.content[22:] == png.content


async def test_the_style_sheet_changes_its_address_with_its_text(reader: httpx.AsyncClient) -> None:
    style = await reader.get("/static/wirebrief.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "prefers-color-scheme: dark" in style.text
    assert re.search(r"@media print", style.text)
    page = seen(await reader.get("/"))
    version = style.headers["etag"].strip('"')[:8]
    assert page.find(".//link[@rel='stylesheet']").get("href").endswith(f"?v={version}")


def test_a_paragraph_in_pieces_is_the_paragraph() -> None:
    links = (
        BriefLink("here", "https://a.example/"),
        BriefLink("there", "#"),
        BriefLink("out", "javascript:x"),
    )
    text = "Situation : look here, there and out."
    found = pieces(text, links, "Situation")
    assert "".join(piece.text for piece in found) == text
    assert found == (
        Piece("Situation :", is_label=True),
        Piece(" look "),
        Piece("here", "https://a.example/"),
        Piece(", there and out."),
    )


def test_a_link_that_the_text_does_not_hold_leaves_the_text_whole() -> None:
    assert pieces("No link.", (BriefLink("gone", "https://a.example/"),)) == (Piece("No link."),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Short.", "Short."),
        ("one two three four", "one two…"),
        ("一二三四五六七八九十十一", "一二三四五六七八九十…"),
        ("  much \n space ", "much space"),
    ],
)
def test_an_excerpt_ends_between_words(text: str, expected: str) -> None:
    assert excerpt(text, 10) == expected


def test_a_language_says_which_way_it_is_written() -> None:
    assert [direction(one) for one in ("ar", "fr", None)] == ["rtl", "ltr", "auto"]


def test_a_topic_says_everything_that_it_asks() -> None:
    asked = Topic(
        "t",
        "T",
        all=(("a",), ("b", "c")),
        languages=frozenset({"fr", "en"}),
        sources=frozenset({"x.example"}),
    )
    assert [(one.says, one.terms) for one in conditions(asked)] == [
        ("At least one of", ("a",)),
        ("And one of", ("b", "c")),
        ("Languages", ("en", "fr")),
        ("Sources", ("x.example",)),
    ]
    assert [one.says for one in conditions(TALKS)] == ["At least one of", "Nothing of"]
