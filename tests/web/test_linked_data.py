"""What a brief's page tells search engines: schema.org in JSON-LD."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from lxml import html

from aggregator.flows import editorial, views
from aggregator.model import Role
from aggregator.rules.channels import Site
from aggregator.rules.entries import Published
from aggregator.web.linked_data import as_script, news_article
from tests.conftest import NOW
from tests.store.newsroom import keep_stories, says
from tests.web.newsroom import BRIEF, SITE, Newsroom

HOSTILE = "</script><!-- <script>alert(1)</script> ]]> & \u2028 \u2029 --> \\u003c"


async def published(newsroom: Newsroom) -> None:
    """A brief with a source, a quotation, and two that stand only beside it."""
    stories = keep_stories(
        newsroom.database,
        says("en", "Talks open in Riyadh", published=NOW - timedelta(hours=1)),
        says("ar", "محادثات في الرياض", language="ar", published=NOW + timedelta(days=9)),
        says("pl", "Rozmowy w Rijadzie", language="pl", published=None),
        says("xx", "", summary="No title at all.", language=None),
    )
    await newsroom.brief()
    await newsroom.pick(stories["pl"], role=Role.CONTRADICTS)
    await newsroom.pick(stories["en"])
    await newsroom.pick(stories["en"], "p2", Role.BACKGROUND)
    await newsroom.pick(stories["ar"], role=Role.QUOTE)
    await newsroom.pick(stories["xx"], "p2", Role.BACKGROUND)
    await newsroom.publish()


async def told(reader: httpx.AsyncClient) -> dict[str, Any]:
    """The data in the brief's page, as a search engine takes it out."""
    page = html.fromstring((await reader.get("/briefs/riyadh")).text)
    (block,) = page.xpath("//script[@type='application/ld+json']")
    found: dict[str, Any] = json.loads(block.text)
    return found


async def as_published(newsroom: Newsroom) -> Published:
    """The brief as its readers have it."""
    found = await newsroom.database.read(lambda session: views.published_brief(session, "riyadh", {}))
    assert found is not None
    return found


async def test_a_brief_says_what_it_is_and_whose(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await published(newsroom)
    said = await told(reader)
    page = "https://harbour.example/briefs/riyadh"
    assert (said["@context"], said["@type"], said["@id"], said["url"]) == (
        "https://schema.org",
        "NewsArticle",
        page,
        page,
    )
    assert said["mainEntityOfPage"] == {"@type": "WebPage", "@id": page}
    assert said["headline"] == "Talks open in Riyadh without Kyiv"
    assert said["inLanguage"] == "en"
    assert (said["datePublished"], said["dateModified"]) == ("2025-02-18T09:00:00Z",) * 2
    assert said["description"].startswith("American and Russian officials met")
    assert said["articleBody"].split("\n\n") == [
        "American and Russian officials met on Tuesday in Saudi Arabia to talk about the war in Ukraine.",
        "Background: Nobody had met at this level since February 2022.",
    ]
    assert said["author"] == {"@type": "Organization", "name": "The foreign desk"}
    assert said["publisher"]["name"] == "The Harbour Desk"
    assert said["publisher"]["url"] == "https://harbour.example/"
    assert said["publisher"]["logo"]["url"] == "https://harbour.example/static/icon.png"
    assert said["about"] == [
        {"@type": "Thing", "name": "Ukraine talks", "url": "https://harbour.example/topics/talks"}
    ]
    assert said["keywords"] == ["Ukraine talks"]
    assert "correction" not in said


async def test_a_brief_stands_on_its_sources_and_names_the_others_beside_it(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    said = await told(reader)
    wire = {"@type": "Organization", "name": "wire.example"}
    assert said["isBasedOn"] == [
        {
            "@type": "NewsArticle",
            "headline": "Talks open in Riyadh",
            "url": "https://wire.example/en",
            "inLanguage": "en",
            "datePublished": "2025-02-18T08:00:00Z",
            "publisher": wire,
        },
        {
            "@type": "NewsArticle",
            "headline": "محادثات في الرياض",
            "url": "https://wire.example/ar",
            "inLanguage": "ar",
            # Its feed dates it into the future: it is no younger than when it was seen.
            "datePublished": "2025-02-18T09:00:00Z",
            "publisher": wire,
        },
    ]
    assert [story["headline"] for story in said["citation"]] == ["Rozmowy w Rijadzie", "No title at all."]
    assert "inLanguage" not in said["citation"][1]


async def test_every_correction_is_told_with_its_day(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await published(newsroom)
    for hour, day in enumerate(("Monday", "Sunday"), 1):
        newsroom.clock.move(timedelta(hours=1))
        text, why = BRIEF.replace("Tuesday", day), "It was Monday." if hour == 1 else ""
        await editorial.correct_brief(
            newsroom.database, newsroom.clock, "riyadh", text, by="ada", why=why or " "
        )
    said = await told(reader)
    first, second = said["correction"]
    assert first == {
        "@type": "CorrectionComment",
        "text": "It was Monday.",
        "datePublished": "2025-02-18T10:00:02Z",
    }
    assert second["text"].strip()
    assert said["dateModified"] == second["datePublished"] == "2025-02-18T11:00:02Z"


async def test_a_withdrawn_brief_tells_search_engines_nothing(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    await newsroom.withdraw()
    response = await reader.get("/briefs/riyadh")
    assert response.status_code == 410
    assert "ld+json" not in response.text
    with pytest.raises(ValueError, match="withdrawn"):
        news_article(await as_published(newsroom), SITE, {})


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        ("", {}),
        (
            "© Harbour",
            {
                "copyrightNotice": "© Harbour",
                "usageInfo": {"@type": "CreativeWork", "text": "© Harbour"},
            },
        ),
        (
            "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/).",
            {
                "copyrightNotice": "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/).",
                "usageInfo": {
                    "@type": "CreativeWork",
                    "text": "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/).",
                    "url": "https://creativecommons.org/licenses/by/4.0/",
                },
                "license": "https://creativecommons.org/licenses/by/4.0/",
            },
        ),
    ],
)
async def test_what_may_be_done_with_a_brief_is_told_as_the_site_says_it(
    newsroom: Newsroom, rights: str, expected: dict[str, Any]
) -> None:
    await published(newsroom)
    said = news_article(await as_published(newsroom), Site(rights=rights), {})
    assert {name: said[name] for name in ("copyrightNotice", "usageInfo", "license") if name in said} == (
        expected
    )


async def test_no_text_can_end_the_block_that_it_stands_in(newsroom: Newsroom) -> None:
    await published(newsroom)
    brief = await as_published(newsroom)
    (title, *rest) = brief.text.passages
    text = replace(brief.text, title=HOSTILE, passages=(title, replace(rest[0], text=HOSTILE)))
    stories = {
        id_: replace(story, title=HOSTILE, source_name=HOSTILE) for id_, story in brief.stories.items()
    }
    data = news_article(
        replace(brief, text=text, stories=stories, topics=("t",)),
        Site(title=HOSTILE, author=HOSTILE, rights=HOSTILE),
        {"t": HOSTILE},
    )
    script = as_script(data)
    assert not set(script) & set("<>&\u2028\u2029\n")
    # It is the same data, as a parser of HTML and then of JSON takes it out of a page.
    page = html.fromstring(f'<html><head><script type="application/ld+json">{script}</script></head></html>')
    (block,) = page.xpath("//script")
    assert json.loads(block.text) == data
    assert data["headline"] == data["articleBody"] == data["publisher"]["name"] == HOSTILE
