"""A channel in a frame on the page of another site."""

from __future__ import annotations

import base64
import hashlib

import httpx
import pytest
from lxml import html

from aggregator.rules.channels import Channel
from aggregator.web.shown import frame_snippet
from tests.store.newsroom import keep_stories, says
from tests.web.newsroom import SITE, Newsroom, lost

URL = "/channels/all/embed"


def titles(response: httpx.Response) -> list[str]:
    """The entries that the frame lists."""
    found = html.fromstring(response.text).findall(".//li/h2")
    return [" ".join(title.text_content().split()) for title in found]


async def published(newsroom: Newsroom) -> None:
    """A brief and twelve stories."""
    stories = [says(f"s{n}", f"Riyadh story {n}") for n in range(12)]
    keep_stories(newsroom.database, *stories, says("ar", "الرياض", language="ar"))
    await newsroom.brief()
    await newsroom.publish()


async def test_a_frame_lists_the_newest_and_leads_out_of_itself(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    response = await reader.get(URL)
    page = html.fromstring(response.text)
    assert len(titles(response)) == 10
    assert titles(response)[0] == "Talks open in Riyadh without Kyiv"
    links = page.findall(".//a")
    assert {(link.get("target"), link.get("rel")) for link in links} == {("_top", "noopener")}
    assert [link.get("href") for link in links[:2]] == ["/channels/all", "/briefs/riyadh"]
    assert page.find(".//li/h2").get("lang") == "en"
    arabic = html.fromstring((await reader.get(f"{URL}?entries=50")).text).xpath("//h2[@lang='ar']")
    assert arabic[0].get("dir") == "rtl"


async def test_a_site_chooses_how_many_of_what_and_how_it_looks(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    assert len(titles(await reader.get(f"{URL}?entries=50"))) == 14
    assert titles(await reader.get(f"{URL}?kind=briefs")) == ["Talks open in Riyadh without Kyiv"]
    assert all("story" in title for title in titles(await reader.get(f"{URL}?kind=stories&entries=3")))
    assert titles(await reader.get(f"{URL}?entries=1&utm_source=x")) == ["Talks open in Riyadh without Kyiv"]
    for theme in ("auto", "light", "dark"):
        page = html.fromstring((await reader.get(f"{URL}?theme={theme}")).text)
        assert page.get("data-theme") == theme


async def test_a_withdrawn_brief_stands_in_the_frame_as_withdrawn(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    assert titles(await reader.get(f"{URL}?kind=briefs")) == ["Talks open in Riyadh without Kyiv"]
    await newsroom.withdraw()
    response = await reader.get(f"{URL}?kind=briefs")
    assert titles(response) == ["Withdrawn: Talks open in Riyadh without Kyiv"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("entries=0", "entries is '0': give a number from 1 to 50."),
        ("entries=51", "entries is '51': give a number from 1 to 50."),
        ("entries=ten", "entries is 'ten': give a number from 1 to 50."),
        ("entries=٣", "entries is '٣': give a number from 1 to 50."),
        ("entries=9999", "entries is '9999': give a number from 1 to 50."),
        ("entries=", "entries is '': give a number from 1 to 50."),
        ("kind=news", "kind is 'news': give all, briefs, stories."),
        ("theme=<b>", "theme is '<b>': give auto, light, dark."),
    ],
)
async def test_a_wrong_wish_is_answered_within_the_frame(
    newsroom: Newsroom, reader: httpx.AsyncClient, query: str, said: str
) -> None:
    response = await reader.get(f"{URL}?{query}")
    assert response.status_code == 400
    assert said in html.fromstring(response.text).text_content()
    assert "frame-ancestors *" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"


async def test_a_channel_that_is_not_there_is_said_within_the_frame(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    response = await reader.get("/channels/nope/embed")
    assert response.status_code == 404
    assert "There is no such channel." in response.text
    assert "frame-ancestors *" in response.headers["content-security-policy"]


async def test_a_channel_without_entries_says_so(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    response = await reader.get(URL)
    assert response.status_code == 200
    assert "Nothing has been published here yet." in response.text


async def test_any_site_may_frame_the_list_and_no_other_page(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    response = await reader.get(URL)
    style = html.fromstring(response.text).findtext(".//style")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert response.headers.get_list("content-security-policy") == [
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors *"
    ]
    assert response.headers.get_list("cross-origin-opener-policy") == ["unsafe-none"]
    assert response.headers["x-content-type-options"] == "nosniff"
    for path in ("/", "/channels/all", "/briefs/riyadh", "/channels/nope", "/static/wirebrief.css"):
        other = await reader.get(path)
        (policy,) = other.headers.get_list("content-security-policy")
        assert "frame-ancestors 'none'" in policy
        assert other.headers.get_list("cross-origin-opener-policy") == ["same-origin"]


async def test_the_frame_needs_nothing_but_itself(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await published(newsroom)
    page = html.fromstring((await reader.get(URL)).text)
    assert not page.xpath("//script | //link | //img | //@src | //@style | //@onclick")


async def test_a_frame_is_kept_for_a_while_and_then_asked_for_only_if_it_changed(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    first = await reader.get(f"{URL}?entries=3")
    assert first.headers["cache-control"] == "public, max-age=60"
    again = await reader.get(f"{URL}?entries=3", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    other = await reader.get(f"{URL}?entries=4", headers={"if-none-match": first.headers["etag"]})
    assert other.status_code == 200
    headed = await reader.head(f"{URL}?entries=3")
    assert headed.headers.pop("x-request-id") != first.headers.pop("x-request-id")
    assert (headed.headers, headed.content) == (first.headers, b"")


async def test_a_frame_is_read_from_the_store_only_when_a_channel_changed(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    first = await reader.get(f"{URL}?entries=3")
    with lost(newsroom.database, "carried"):
        assert (await reader.get(f"{URL}?theme=auto&entries=3")).content == first.content
        assert (await reader.get(f"{URL}?entries=5")).status_code == 503


async def test_a_frame_follows_its_channel_to_a_new_name(newsroom: Newsroom) -> None:
    newsroom.channels = [Channel("all", "Everything", formerly=("wire",))]
    async with newsroom.client() as reader:
        response = await reader.get("/channels/wire/embed?entries=3&theme=dark")
    assert response.status_code == 301
    assert response.headers["location"] == ("https://harbour.example/channels/all/embed?entries=3&theme=dark")


async def test_a_channel_page_gives_the_frame_to_copy(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await published(newsroom)
    page = html.fromstring((await reader.get("/channels/all")).text)
    copied = page.findtext(".//details//pre/code")
    frame = html.fromstring(copied)
    assert (frame.tag, frame.get("title")) == ("iframe", "Everything")
    assert frame.get("src") == "https://harbour.example/channels/all/embed?entries=10&kind=all&theme=auto"
    assert (await reader.get(frame.get("src"))).status_code == 200
    assert frame.get("sandbox") == "allow-popups allow-top-navigation-by-user-activation"


def test_a_hostile_title_stays_within_its_attribute() -> None:
    title = '"><script>alert(1)</script>'
    frame = html.fromstring(frame_snippet(Channel("x", title), SITE))
    assert (frame.tag, frame.get("title"), len(frame)) == ("iframe", title, 0)
