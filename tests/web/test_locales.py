"""The desk speaks the language of whoever reads it, and shows times by their clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from aggregator.web.locales import LANGUAGES, Reading, spoken, translations, zone_named, zones
from tests.web.newsroom import Newsroom
from tests.web.test_desk import PASSWORD, send, signed_in

WEB = Path(__file__).parents[2] / "aggregator" / "web"
AT = datetime(2025, 2, 18, 8, 5, tzinfo=UTC)
PARIS = Reading("fr", ZoneInfo("Europe/Paris"))


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("de,en;q=0.5,fr;q=0.7", "fr"),
        ("pl;q=0.9,uk", "en"),
        ("fr;q=0,de", "en"),
        ("fr;q=often", "en"),
    ],
)
def test_a_browser_is_answered_in_the_first_of_its_languages_that_we_speak(asked: str, language: str) -> None:
    assert spoken(asked) == language


def test_times_are_shown_by_the_clock_and_in_the_language_of_whoever_reads() -> None:
    assert re.sub("<.*?>", "", PARIS.stamp(AT)) == "18 févr. 2025, 09:05"
    assert 'datetime="2025-02-18T08:05:00Z"' in PARIS.stamp(AT)
    assert re.sub("<.*?>", "", Reading().stamp(AT)) == "18 Feb 2025, 08:05"
    assert PARIS.number(12345.5) == "12\u202f345,5"
    assert (PARIS.named("pl"), Reading().named("pl"), Reading().named("xx")) == ("polonais", "Polish", "xx")


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "Europe/Paris\0", "/etc/localtime"])
def test_what_is_no_time_zone_is_none(name: str) -> None:
    assert zone_named(name) is None


def test_every_zone_that_can_be_chosen_is_one() -> None:
    assert "Europe/Kyiv" in zones()
    assert all(zone_named(name) is not None for name in zones())


def _sentences() -> Iterator[tuple[str, ...]]:
    """Every sentence that the pages say, with its plural where it has one."""
    methods = [("**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
    options = {"**.html": {"trimmed": "false", "silent": "false"}}
    keywords = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
    for _, _, said, _, _ in extract_from_dir(WEB, methods, options, keywords):
        yield said if isinstance(said, tuple) else (said,)


def test_every_sentence_of_the_pages_is_said_in_every_language() -> None:
    sentences = set(_sentences())
    assert len(sentences) > 10
    for language in set(LANGUAGES) - {"en"}:
        with (WEB / "translations" / f"{language}.po").open("rb") as written:
            catalogue = read_po(written, locale=language)
        known = {tuple(m.id) if isinstance(m.id, tuple) else (m.id,): m.string for m in catalogue if m.id}
        assert sorted(set(sentences) - set(known)) == []
        assert sorted(set(known) - set(sentences)) == []
        assert [id for id, said in known.items() if not all([said] if isinstance(said, str) else said)] == []
        assert [m.id for m in catalogue if m.fuzzy] == []
        assert [id for id, said in known.items() if _places(id) != _places(said)] == []


def _places(said: str | tuple[str, ...]) -> set[str]:
    texts = [said] if isinstance(said, str) else said
    return {place for text in texts for place in re.findall(r"%\((\w+)\)s", text)}


def test_a_sentence_that_nobody_translated_stands_in_english() -> None:
    assert translations("xx").gettext("Sign in") == "Sign in"


async def test_the_desk_is_read_in_the_language_of_the_browser_and_then_in_the_one_that_was_chosen(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    reader.headers["accept-language"] = "fr-FR,fr;q=0.9"
    page = unescape((await reader.get("/desk/sign-in")).text)
    assert '<html lang="fr">' in page
    assert "Se connecter" in page
    await signed_in(newsroom, reader)
    assert "Fil</a>" in (await reader.get("/desk/you")).text
    answer = await send(reader, "/desk/you", language="en", zone="Europe/Kyiv")
    assert answer.status_code == 303
    page = (await reader.get("/desk/you")).text
    assert "Wire</a>" in page
    assert "<option selected>Europe/Kyiv</option>" in page


async def test_the_zone_of_the_browser_is_taken_until_somebody_chooses_one(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await signed_in(newsroom, reader)
    await reader.post("/desk/sign-in", data={"name": "ada", "password": PASSWORD, "zone": "Asia/Riyadh"})
    assert "<option selected>Asia/Riyadh</option>" in (await reader.get("/desk/you")).text
    await reader.post("/desk/sign-in", data={"name": "ada", "password": PASSWORD, "zone": "Europe/Paris"})
    assert "<option selected>Asia/Riyadh</option>" in (await reader.get("/desk/you")).text
    await send(reader, "/desk/you", language="fr", zone="Europe/Paris")
    assert "<option selected>Europe/Paris</option>" in (await reader.get("/desk/you")).text


async def test_a_language_that_the_desk_does_not_speak_is_refused(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await signed_in(newsroom, reader)
    answer = await send(reader, "/desk/you", language="xx", zone="Europe/Paris")
    assert answer.status_code == 400
    assert "Choose one of the languages" in answer.text
