"""The public pages speak the language of the site, and leave what others wrote in its own."""

from __future__ import annotations

import gettext
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from lxml import html

from aggregator.rules.topics import Topic
from aggregator.web import pages
from aggregator.web.locales import Reading, interface_of, translations
from tests.web.newsroom import SITE, Newsroom
from tests.web.test_desk import signed_in
from tests.web.test_pages import published, seen, words

AT = datetime(2025, 2, 18, 8, 5, tzinfo=UTC)

#: Pages of every kind: some with entries, one gone, one that is not there, and a frame.
PAGES = ["/", "/channels/all", "/channels/briefs", "/briefs/riyadh", "/topics/talks", "/nope"]
FRAMES = ["/channels/all/embed", "/channels/nope/embed"]
#: What a person hears or reads that stands in an attribute.
SPOKEN = ("aria-label", "data-new", "data-changed", "data-zone")


@pytest.fixture
async def french(newsroom: Newsroom) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who reads a newsroom that writes French."""
    newsroom.site = replace(SITE, language="fr-CH")
    async with newsroom.client() as client:
        yield client


def said(sentence: str) -> str:
    """A sentence of ours in French."""
    return translations("fr").gettext(sentence)


async def test_a_french_site_has_a_french_front_page(newsroom: Newsroom, french: httpx.AsyncClient) -> None:
    await published(newsroom)
    page = seen(await french.get("/"))
    assert (
        page.get("lang") == page.find(".//header").get("lang") == page.find(".//footer").get("lang") == "fr"
    )
    assert words(page.find(".//h1")) == said("Newest")
    assert words(page.find(".//nav/a")) == said("Channels")
    assert [words(day) for day in page.findall(".//h2[@class='date']")] == [
        "mardi 18 févr. 2025",
        "lundi 17 févr. 2025",
    ]
    assert [mark.get("title") for mark in page.findall(".//span[@class='lang']")] == [
        "anglais",
        "anglais",
        "arabe",
        "polonais",
    ]


async def test_a_topic_of_a_french_site_gives_its_reasons_in_english_and_marks_them(
    newsroom: Newsroom, french: httpx.AsyncClient
) -> None:
    await published(newsroom)
    page = seen(await french.get("/topics/talks"))
    assert [words(each) for each in page.findall(".//dt")] == [said("At least one of"), said("Nothing of")]
    assert page.find(".//h1").get("lang") == "fr-CH"
    why = page.find(".//q")
    assert (why.get("lang"), words(why)[:14]) == ("en", "any: “Riyadh” ")


async def test_an_english_brief_of_a_french_site_is_english_within_a_french_page(
    newsroom: Newsroom, french: httpx.AsyncClient
) -> None:
    await published(newsroom)
    page = seen(await french.get("/briefs/riyadh"))
    assert page.get("lang") == "en"
    assert {each.get("lang") for each in page.xpath("//body/header | //footer | //p[@class='meta']")} <= {
        "fr",
        None,
    }
    assert "18 févr. 2025 Ukraine talks" in words(page.find(".//article/header"))
    assert words(page.find(".//span[@class='role disagrees']")) == said("disagrees")
    assert page.find(".//section/ul").get("aria-label") == said("Sources of this paragraph")
    await newsroom.withdraw()
    gone = seen(await french.get("/briefs/riyadh"))
    assert (gone.get("lang"), gone.find(".//h1").get("lang")) == ("fr", "en")
    assert words(gone.find(".//p[@class='label']")) == said("Withdrawn")


async def test_what_is_not_there_is_said_in_the_language_of_the_site(french: httpx.AsyncClient) -> None:
    page = seen(await french.get("/nope"))
    assert page.get("lang") == "fr"
    assert words(page.find(".//h1")) == said("There is no such page")
    why = "The address may have been mistyped, or what stood here was never published."
    assert words(page.find(".//p[@class='lead']")) == said(why)


async def test_a_sentence_from_further_down_stays_english_and_is_marked(french: httpx.AsyncClient) -> None:
    answer = await french.post("/desk/briefs/riyadh/publish")
    page = seen(answer)
    detail = page.find(".//p[@lang='en']")
    assert (answer.status_code, words(page.find(".//h1"))) == (401, said("You are not signed in"))
    assert words(detail).startswith("You are not signed in any more: do so at /desk/sign-in")
    frame = seen(await french.get("/channels/all/embed?entries=0"))
    assert words(frame.find(".//p[@lang='en']")) == "entries is '0': give a number from 1 to 50."


async def test_a_frame_of_a_french_site_says_its_times_in_french_and_in_utc(
    newsroom: Newsroom, french: httpx.AsyncClient
) -> None:
    await published(newsroom)
    frame = seen(await french.get("/channels/all/embed?entries=1"))
    assert frame.get("lang") == "fr-CH"
    assert words(frame.find(".//li/p[@lang='fr']")) == "The Harbour Desk · 18 févr. 2025, 09:00 UTC"
    assert seen(await french.get("/channels/nope/embed")).get("lang") == "fr"


async def test_the_desk_shows_a_brief_beforehand_in_the_language_of_its_editor(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    reader.headers["accept-language"] = "fr"
    await signed_in(newsroom, reader)
    sheet = seen(await reader.get("/desk/briefs/riyadh/preview")).find(".//article")
    assert (sheet.get("lang"), sheet.find(".//p[@class='meta']").get("lang")) == ("en", "fr")
    assert words(sheet.find(".//header/p")).startswith("en 18 févr. 2025 Ukraine talks")
    # Its editor has a clock of their own, which no script changes.
    assert not sheet.xpath(".//@data-local")


@pytest.mark.parametrize(
    ("written", "spoken"),
    [("fr", "fr"), ("FR-ca", "fr"), ("en-GB", "en"), ("pl", "en"), ("frr", "en"), ("", "en")],
)
def test_what_is_written_in_a_language_that_we_do_not_speak_is_shown_in_english(
    written: str, spoken: str
) -> None:
    assert interface_of(written) == spoken


async def test_a_polish_site_has_english_pages_around_its_polish_titles(newsroom: Newsroom) -> None:
    newsroom.site = replace(SITE, language="pl")
    newsroom.topics = [Topic("talks", "Rozmowy", any=("riyadh",))]
    await published(newsroom)
    async with newsroom.client() as reader:
        front, missing = seen(await reader.get("/")), seen(await reader.get("/nope"))
    assert (front.get("lang"), words(front.find(".//h1"))) == ("en", "Newest")
    assert words(front.find(".//h2[@class='date']")) == "Tuesday, 18 Feb 2025"
    assert [title.get("lang") for title in front.findall(".//h3/a[@lang]")] == ["pl", "fr"]
    assert front.find(".//ul[@class='topics']/li").get("lang") == "pl"
    assert words(missing.find(".//h1")) == "There is no such page"


def test_the_day_of_a_list_has_its_name_in_the_week() -> None:
    assert Reading().weekday(AT.date()) == "Tuesday, 18 Feb 2025"
    assert Reading("fr").weekday(AT.date()) == "mardi 18 févr. 2025"


def test_only_on_a_page_for_many_a_time_says_how_to_write_it_anew() -> None:
    shared = Reading(is_shared=True)
    assert 'data-local="stamp">18 Feb 2025, 08:05<' in shared.stamp(AT)
    assert 'data-local="clock" title="18 Feb 2025, 08:05 UTC">08:05<' in shared.clock(AT)
    assert "data-local" not in Reading().stamp(AT) + Reading().clock(AT) + shared.ago(AT, AT)


async def test_times_are_utc_and_the_foot_of_the_page_says_so(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await published(newsroom)
    for path in ("/", "/channels/all", "/briefs/riyadh", "/topics/talks"):
        (note,) = seen(await reader.get(path)).xpath("//footer//*[@data-zone]")
        assert (note.text, note.get("data-locale")) == ("Times are UTC.", "en-GB"), path
        assert note.get("data-zone") == "Times are those of {zone}."
    # A page without times has nothing to say of them, and runs nothing.
    assert "UTC" not in (await reader.get("/nope")).text


# Nothing is left out


class _Marked(gettext.NullTranslations):
    """A language in which every sentence of ours stands between brackets, and is English otherwise."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, one: str, many: str, n: int) -> str:
        return f"⟦{one if n == 1 else many}⟧"


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pages whose sentences can be told from everything else."""
    monkeypatch.setattr(pages, "translations", lambda _language: _Marked())
    pages.environment.cache_clear()
    yield
    pages.environment.cache_clear()


def _left(page: html.HtmlElement) -> set[str]:
    """What a page says as French and that is neither a sentence of ours, nor a time or a code."""
    french = "ancestor::*[@lang][1][@lang='fr']"
    passed = "ancestor::*[name()='time' or name()='code' or @dir='auto' or @class='lang' or @class='name']"
    texts = page.xpath(f"//body//text()[{french} and not({passed})]")
    attributes = [each.get(name, "") for each in page.iter() for name in SPOKEN]
    # A sentence may go around an element, so texts are read on end.
    text = "\n".join([*texts, *attributes])
    while text != (text := re.sub(r"⟦[^⟦⟧]*⟧", "", text)):
        pass
    lines = {line.strip(" ·,") for line in text.splitlines()}
    return {line for line in lines if re.search(r"[^\W\d]", line)}


@pytest.mark.usefixtures("marked")
async def test_no_page_of_a_french_site_says_anything_that_was_not_put_into_french(
    newsroom: Newsroom, french: httpx.AsyncClient
) -> None:
    every = [*PAGES, *FRAMES]
    found = {f"{path} without entries": _left(seen(await french.get(path))) for path in every}
    await published(newsroom)
    found |= {path: _left(seen(await french.get(path))) for path in every}
    await newsroom.withdraw()
    found |= {f"{path} withdrawn": _left(seen(await french.get(path))) for path in every}
    # The newsroom's own name and rights, a channel that is French, the names of formats, and days.
    own = {"The Harbour Desk", "The Harbour Desk · © Harbour", "Only briefs", "RSS", "JSON Feed", "UTC"}
    own |= {"18 févr. 2025", "17 févr. 2025"}
    printed = {"https://harbour.example/briefs/riyadh"}
    assert {path: left - own - printed for path, left in found.items()} == {path: set() for path in found}
    # And it does look: these are on the page.
    assert {"JSON Feed", "17 févr. 2025"} <= found["/"]
