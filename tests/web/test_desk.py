"""The desk as an editor uses it, without JavaScript: pages and forms."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import httpx
import pytest

from aggregator.flows import suggest
from aggregator.model import Brief, BriefState, Role
from aggregator.store import briefs, checks, suggestions
from aggregator.store.suggestions import Proposal
from aggregator.web.desk import reading
from tests.conftest import NOW
from tests.store.newsroom import follow, heard, keep_stories, record, says
from tests.web.desk_users import account
from tests.web.newsroom import BRIEF, Newsroom

PASSWORD = "the password of ada"
PAGE = "/desk/briefs/riyadh"
MEETING = "Delegations meet in Riyadh"


async def signed_in(newsroom: Newsroom, reader: httpx.AsyncClient, role: str = "editor") -> None:
    await account(newsroom, "ada", role, PASSWORD)
    # The site of these tests is under TLS, and so is its cookie.
    answer = await reader.post("/desk/sign-in", data={"name": "ada", "password": PASSWORD})
    assert answer.status_code == 303


@pytest.fixture
async def editor(newsroom: Newsroom, reader: httpx.AsyncClient) -> httpx.AsyncClient:
    """Ada, signed in."""
    await signed_in(newsroom, reader)
    return reader


async def token(client: httpx.AsyncClient, page: str = "/desk/briefs") -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', (await client.get(page)).text)
    assert found is not None
    return found[1]


async def send(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    return await client.post(path, data={"form_token": await token(client), **fields})


async def page(client: httpx.AsyncClient, path: str = PAGE) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def brief(newsroom: Newsroom, slug: str = "riyadh") -> Brief:
    found = newsroom.database.read_now(lambda session: briefs.named(session, slug))
    assert found is not None
    return found


async def suggested(newsroom: Newsroom, story: int, passage: str = "p1") -> None:
    one = brief(newsroom)
    reasons = (("place", "Saudi Arabia", "Riyadh"), ("concept", "officials", "delegations"))
    await newsroom.database.write(
        lambda s: suggestions.propose(s, one.id, [Proposal(passage, story, 0.9, reasons)], now=NOW)
    )


async def test_a_pasted_text_is_a_brief_and_one_that_is_none_comes_back(editor: httpx.AsyncClient) -> None:
    answer = await send(editor, "/desk/briefs", text=BRIEF)
    assert answer.status_code == 303
    assert "Talks open in Riyadh without Kyiv" in await page(editor, answer.headers["location"])
    refused = await send(editor, "/desk/briefs", text="Only a <title>")
    assert refused.status_code == 400
    assert "at least one paragraph" in refused.text
    assert "Only a &lt;title&gt;</textarea>" in refused.text


async def test_an_editor_walks_from_suggestion_to_pick_to_publication(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    story = keep_stories(newsroom.database, says("1", MEETING))["1"]
    await newsroom.brief()
    await suggested(newsroom, story)
    shown = await page(editor)
    assert "Delegations meet in Riyadh" in shown
    assert re.search(r"Saudi Arabia</bdi>.*↔.*Riyadh</bdi>", shown)
    assert "<mark>Saudi Arabia</mark>" in shown
    answer = await send(editor, f"{PAGE}/picks", passage="p1", story=str(story), act="quote")
    assert answer.headers["location"] == f"{PAGE}?passage=p1#p1"
    (link,) = brief(newsroom).links
    assert (link.story_id, link.role, link.picked_by) == (story, Role.QUOTE, "ada")
    assert "Picked to quote by ada" in await page(editor)
    await send(editor, f"{PAGE}/publish", act="publish")
    assert brief(newsroom).state is BriefState.PUBLISHED
    assert "Readers have all of this." in await page(editor)
    await send(editor, f"{PAGE}/picks", passage="p1", story=str(story), act="undo")
    assert "Publish the changes" in await page(editor)


async def test_a_story_that_is_turned_down_is_not_shown_there_again(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    story = keep_stories(newsroom.database, says("1", MEETING))["1"]
    await newsroom.brief()
    await suggested(newsroom, story)
    await send(editor, f"{PAGE}/picks", passage="p1", story=str(story), act="reject")
    assert "Delegations meet" not in await page(editor)


async def test_two_editors_write_at_once_and_the_second_sees_both_texts(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    await newsroom.brief()
    theirs, mine = BRIEF.replace("Tuesday", "Monday"), BRIEF.replace("Tuesday", "Wednesday")
    assert (await send(editor, f"{PAGE}/text", text=theirs, base="1")).status_code == 303
    answer = await send(editor, f"{PAGE}/text", text=mine, base="1")
    assert answer.status_code == 409
    assert "You and somebody else changed the same place" in answer.text
    assert "met on Wednesday" in answer.text
    assert "met on Monday" in answer.text
    past = await page(editor, f"{PAGE}/revisions?of=3")
    assert "<ins>American and Russian officials met on Wednesday" in past


async def test_a_text_that_is_no_brief_stays_in_its_form(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    await newsroom.brief()
    answer = await send(editor, f"{PAGE}/text", text="All gone", base="1")
    assert answer.status_code == 400
    assert "\nAll gone</textarea>" in answer.text
    assert (await send(editor, f"{PAGE}/text", text=BRIEF, base="first")).status_code == 400


async def test_a_check_is_accepted_into_the_text_or_ignored_with_a_reason(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    keep_stories(newsroom.database, says("1", MEETING))
    await newsroom.brief()
    await suggest.suggest_links(newsroom.database, newsroom.clock)
    one = brief(newsroom)
    said = "February 2022"
    start = "Background: Nobody had met at this level since February 2022.".index(said)
    rows = [
        ["year", "p2", said, start, start + len(said), "2021", ["https://w.example/1"], [], "The wire says 2021."],
        ["place", "p1", "Saudi Arabia", 0, 1, "Doha", ["https://w.example/1"], [], "The wire says Doha."],
    ]  # fmt: skip
    await newsroom.database.write(lambda s: checks.put(s, one.id, one.revision.id, rows, now=NOW))
    assert "Write “February 2021”" in await page(editor)
    fields = {"kind": "place", "brief": "Saudi Arabia", "sources_say": "Doha", "passage": "p1"}
    refused = await send(editor, f"{PAGE}/checks", act="ignore", **fields)
    assert refused.status_code == 400
    assert "Say why" in refused.text
    await send(editor, f"{PAGE}/checks", act="ignore", why="Doha came later.", **fields)
    assert "Ignored by ada: <bdi>Doha came later.</bdi>" in await page(editor)
    fields = {"kind": "year", "brief": said, "sources_say": "2021", "passage": "p2"}
    assert (await send(editor, f"{PAGE}/checks", act="accept", **fields)).status_code == 303
    assert "[February 2021](https://archive.example/2022)" in brief(newsroom).revision.text


async def test_a_correction_needs_a_note_and_a_withdrawal_a_reason(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    await newsroom.brief()
    await newsroom.publish()
    await send(editor, f"{PAGE}/text", text=BRIEF.replace("Tuesday", "Monday"), base="1")
    assert (await send(editor, f"{PAGE}/publish", act="correct")).status_code == 400
    await send(editor, f"{PAGE}/publish", act="correct", why="It was Monday.")
    await newsroom.render()
    assert "It was Monday." in (await editor.get("/channels/all.atom")).text
    assert (await send(editor, f"{PAGE}/withdraw", why=" ")).status_code == 400
    await send(editor, f"{PAGE}/withdraw", why="It was not so.")
    assert brief(newsroom).state is BriefState.WITHDRAWN
    await newsroom.render()
    assert "It was not so." in (await editor.get("/channels/all.atom")).text


async def test_the_preview_is_what_readers_get(newsroom: Newsroom, editor: httpx.AsyncClient) -> None:
    await newsroom.brief()
    shown = await page(editor, f"{PAGE}/preview")
    assert "<entry" in shown
    assert "tag:" in shown
    await newsroom.publish()
    public = (await editor.get("/briefs/riyadh")).text
    article = re.search(r'<section class="passage" id="p1">.*?</section>', public, re.DOTALL)
    assert article is not None
    assert re.sub(r"\s+", " ", article[0]) in re.sub(r"\s+", " ", (await editor.get(f"{PAGE}/preview")).text)


async def test_a_brief_is_planned_and_the_plan_taken_back(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    await newsroom.brief()
    for at in ("soon", "", "2025-02-18T08:00"):
        assert (await send(editor, f"{PAGE}/publish", act="plan", at=at)).status_code == 400
    assert (await send(editor, f"{PAGE}/publish")).status_code == 400
    assert brief(newsroom).state is BriefState.DRAFT
    await send(editor, f"{PAGE}/publish", act="plan", at="2099-01-01T10:00")
    assert (brief(newsroom).state, brief(newsroom).release_at is None) == (BriefState.DRAFT, False)
    await send(editor, f"{PAGE}/cancel")
    assert brief(newsroom).release_at is None


async def test_who_may_only_look_decides_nothing(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await signed_in(newsroom, reader, "viewer")
    await newsroom.brief()
    assert "Edit the text" not in await page(reader)
    form = re.search(r'name="form_token" value="([^"]+)"', await page(reader))
    assert form is not None
    for path in ("text", "picks", "checks", "publish", "cancel", "withdraw"):
        answer = await reader.post(f"{PAGE}/{path}", data={"form_token": form[1], "act": "publish"})
        assert answer.status_code == 403
    assert brief(newsroom).state is BriefState.DRAFT


async def test_nobody_sees_the_desk_who_is_not_signed_in(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.brief()
    for path in ("/desk/wire", "/desk/briefs", PAGE, f"{PAGE}/preview", f"{PAGE}/revisions"):
        answer = await reader.get(path)
        assert (answer.status_code, answer.headers["location"][:18]) == (303, "/desk/sign-in?next")


async def test_a_text_is_held_against_the_wire_as_soon_as_it_is_saved(
    newsroom: Newsroom, editor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A page waits for it no longer than this; a busy machine needs more than a desk does.
    monkeypatch.setattr(reading, "PATIENCE", timedelta(minutes=1))
    title = "American and Russian officials met in Saudi Arabia on Tuesday to talk about the war in Ukraine"
    keep_stories(newsroom.database, says("1", title))
    await suggest.suggest_links(newsroom.database, newsroom.clock)
    answer = await send(editor, "/desk/briefs", text=BRIEF)
    shown = await page(editor, answer.headers["location"])
    assert "has not been held against the wire" not in shown


async def test_enter_in_a_field_never_presses_the_button_of_something_else(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    await newsroom.brief()
    await newsroom.publish()
    await send(editor, f"{PAGE}/text", text=BRIEF.replace("Tuesday", "Monday"), base="1")
    shown = await page(editor)
    # A browser presses the first button of the form that the field stands in.
    with_fields = [form for form in re.findall(r"<form.*?</form>", shown, re.DOTALL) if 'name="why"' in form]
    assert [form.count("<button") for form in with_fields] == [1] * len(with_fields) != []


async def test_what_the_wire_corrected_is_on_the_page_word_by_word(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    await newsroom.brief()
    ids = keep_stories(newsroom.database, says("a", "Talks in Riyadh", summary="12 people died in Kyiv."))
    await newsroom.pick(ids["a"])
    newsroom.clock.move(timedelta(minutes=1))
    changed = says("a", "Talks in Riyadh", summary="14 people died in Kyiv.")
    (source,) = follow(newsroom.database, "https://wire.example/feed")
    record(newsroom.database, heard(source, changed, at=newsroom.clock()))
    shown = await page(editor)
    assert "What changed since version 1" in shown
    assert '<del class="fact">12</del> <ins class="fact">14</ins> people died in Kyiv.' in shown
