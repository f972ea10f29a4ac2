"""Topics and their channels at the desk, without JavaScript, and what readers get of them."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import httpx
import pytest

from aggregator.flows.partners import Terms, add_partner
from aggregator.rules.channels import FORMATS, Channel
from tests.conftest import NOW
from tests.store.newsroom import keep_stories, says
from tests.web.desk_users import account
from tests.web.newsroom import ALL, BRIEFS, Newsroom

PASSWORD = "the password of ada"
PAGE = "/desk/topics/talks"
FORM = {"title": "Ukraine talks", "description": "In Riyadh.", "any": "riyadh OR riyad", "none": "football"}
DOHA = {"title": "Doha", "slug": "doha", "any": "doha"}
WIRE = (
    says("1", "Talks open in Riyadh", published=NOW - timedelta(hours=1)),
    says("2", "Delegations fly to Doha", published=NOW - timedelta(hours=2)),
    says("3", "Riyadh wins at football", published=NOW - timedelta(hours=3)),
)


@pytest.fixture
async def editor(newsroom: Newsroom, reader: httpx.AsyncClient) -> httpx.AsyncClient:
    """Ada, signed in, with a small wire."""
    keep_stories(newsroom.database, *WIRE)
    await signed_in(newsroom, reader)
    return reader


async def signed_in(newsroom: Newsroom, client: httpx.AsyncClient, role: str = "editor") -> None:
    await account(newsroom, "ada", role, PASSWORD)
    answer = await client.post("/desk/sign-in", data={"name": "ada", "password": PASSWORD})
    assert answer.status_code == 303


async def field(client: httpx.AsyncClient, page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', (await client.get(page)).text)
    assert found is not None
    return found[1]


async def send(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    token = await field(client, "/desk/topics", "form_token")
    return await client.post(path, data={"form_token": token, **fields})


async def save(client: httpx.AsyncClient, **changed: str) -> httpx.Response:
    return await send(client, PAGE, began=await field(client, PAGE, "began"), **{**FORM, **changed})


async def page(client: httpx.AsyncClient, path: str = PAGE) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


async def with_doha(client: httpx.AsyncClient, **channel: str) -> httpx.Response:
    """A topic made at the desk, and a channel of it."""
    assert (await send(client, "/desk/new-topic", **DOHA)).status_code == 303
    given = {"title": "From Doha", "slug": "from-doha", "entries": "50", "is_public": "on", **channel}
    return await send(client, "/desk/topics/doha/channel", carries_stories="on", **given)


async def test_the_list_shows_every_topic_with_its_words_its_counts_and_its_channels(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    newsroom.channels = (ALL, Channel("on-talks", "On the talks", topics=("talks",)))
    await newsroom.render()
    async with newsroom.client() as client:
        client.cookies = editor.cookies
        shown = await page(client, "/desk/topics")
    assert "Ukraine talks" in shown
    assert "riyadh OR riyad" in shown
    assert "From config.toml" in shown
    assert "On the talks" in shown
    assert re.search(r"<b>1</b> today</a> <span>1 in 7 days</span> <span>1 in all</span>", shown)
    assert re.search(r'aria-label="Stories on each of the last 7 days: .*18 Feb 2025: 1"', shown)


async def test_a_topic_that_has_not_read_everything_says_so(editor: httpx.AsyncClient) -> None:
    assert "still reading the wire" in await page(editor, "/desk/topics")


async def test_trying_shows_what_comes_goes_and_stays_and_saves_nothing(editor: httpx.AsyncClient) -> None:
    answer = await send(editor, f"{PAGE}/try", began="0", **{**FORM, "any": "doha\nriyadh", "none": "open"})
    assert answer.status_code == 200
    shown = unescape(answer.text)
    assert "In the last 30 days: 2 come in, 1 go out, 0 stay; 0 are nearly taken." in shown
    comes, goes = shown.index("Comes in"), shown.index("Goes out")
    assert comes < shown.index("Delegations fly to Doha") < goes < shown.index("Talks open in Riyadh")
    assert "any: “Doha” in the title." in shown
    assert "none: “open” in the title." in shown
    assert ">doha\nriyadh</textarea>" in shown
    assert "riyadh OR riyad</textarea>" in await page(editor)


async def test_what_is_saved_holds_at_once_for_editors_and_readers(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    answer = await save(editor, title="Peace talks", any="doha", languages="en, FR", sources="wire.example")
    assert answer.headers["location"] == f"{PAGE}?saved=1"
    shown = await page(editor, f"{PAGE}?saved=1")
    assert "Saved." in shown
    assert "Defined at the desk, instead of config.toml" in shown
    assert 'value="en fr"' in shown
    public = await page(editor, "/topics/talks")
    assert "Peace talks" in public
    await newsroom.render()
    assert "Delegations fly to Doha" in await page(editor, "/topics/talks")
    assert "any: “Doha” in the title." in await page(editor)
    assert "Peace talks" in await page(editor, "/")


async def test_what_cannot_be_used_comes_back_with_what_was_typed(editor: httpx.AsyncClient) -> None:
    for path, fields in ((PAGE, FORM), (f"{PAGE}/try", FORM), ("/desk/new-topic", DOHA)):
        answer = await send(editor, path, **{**fields, "any": "(riyadh", "began": "0"})
        assert answer.status_code == 400
        assert "any, the term &#39;(riyadh&#39;" in answer.text
        assert ">(riyadh</textarea>" in answer.text
    answer = await save(editor, languages="English")
    assert "&#39;english&#39; is no language: write its code" in answer.text
    assert 'value="English"' in answer.text
    assert "riyadh OR riyad</textarea>" in await page(editor)


async def test_two_who_save_at_once_see_both_and_lose_nothing(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    assert (await save(editor, any="theirs", none="theirs too", description="Same.")).status_code == 303
    began = await field(editor, PAGE, "began")
    answer = await send(editor, PAGE, **{**FORM, "any": "mine", "description": "Same.", "began": "0"})
    assert answer.status_code == 409
    shown = unescape(answer.text)
    assert "ada saved this topic while you were writing." in shown
    assert re.search(r"riyadh OR riyad</dd>.*theirs</dd>.*mine</dd>", shown, re.DOTALL)
    assert "<h3>Description</h3>" not in shown
    assert ">mine</textarea>" in shown
    # What they alone changed is in the form already.
    assert ">theirs too</textarea>" in shown
    assert f'name="began" value="{began}"' in shown
    answer = await send(editor, PAGE, **{**FORM, "any": "mine\ntheirs", "began": began})
    assert answer.status_code == 303
    assert ">mine\ntheirs</textarea>" in await page(editor)
    assert ">theirs</textarea>" in await page(editor, f"{PAGE}?state={began}")


async def test_a_topic_of_the_file_is_given_back_to_it(editor: httpx.AsyncClient) -> None:
    assert "can be taken out there" in await page(editor)
    await save(editor, any="doha")
    assert "Give it back to config.toml" in await page(editor)
    began = await field(editor, PAGE, "began")
    assert (await send(editor, f"{PAGE}/remove", began="0")).status_code == 409
    answer = await send(editor, f"{PAGE}/remove", began=began)
    assert answer.headers["location"] == f"{PAGE}?saved=1"
    shown = await page(editor)
    assert "From config.toml" in shown
    assert ">riyadh OR riyad</textarea>" in shown


async def test_a_new_topic_is_tried_then_made_and_may_begin_as_another_one(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    assert "riyadh OR riyad</textarea>" in await page(editor, "/desk/new-topic?like=talks")
    answer = await send(editor, "/desk/new-topic/try", any="doha")
    assert "1 would come in, 0 are nearly taken." in answer.text
    answer = await send(
        editor, "/desk/new-topic", title="Gulf: Doha & Riyadh", any="doha", all="riyadh\n\ntalks"
    )
    assert answer.headers["location"] == "/desk/topics/gulf-doha-riyadh?saved=1"
    shown = await page(editor, "/desk/topics/gulf-doha-riyadh")
    assert "Made at the desk" in shown
    assert ">riyadh\n\ntalks</textarea>" in shown
    answer = await send(editor, "/desk/new-topic", title="Other", slug="talks", any="x")
    assert answer.status_code == 400
    assert "There is a topic talks already" in answer.text
    assert (await editor.get("/topics/gulf-doha-riyadh")).status_code == 200


async def test_a_channel_made_of_a_topic_is_rendered_and_served_in_every_format(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    answer = await with_doha(editor)
    assert answer.headers["location"] == "/desk/topics/doha?made=from-doha#channels"
    shown = await page(editor, "/desk/topics/doha?made=from-doha")
    assert "https://harbour.example/channels/from-doha.atom" in shown
    waiting = await editor.get("/channels/from-doha.atom")
    assert (waiting.status_code, waiting.headers["retry-after"]) == (503, "5")
    await newsroom.render()
    for format in FORMATS:
        answer = await editor.get(f"/channels/from-doha.{format}")
        assert answer.status_code == 200
        assert "Delegations fly to Doha" in answer.text
        assert "Riyadh" not in answer.text
    assert "From Doha" in await page(editor, "/")
    assert "From Doha" in await page(editor, "/channels/from-doha")
    assert "Delegations fly to Doha" in await page(editor, "/channels/from-doha/embed")
    assert "From Doha" in await page(editor, "/desk/channels")


async def test_another_process_serves_a_new_channel_without_a_restart(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    async with newsroom.client() as other:
        assert (await other.get("/channels/from-doha.atom")).status_code == 404
        await with_doha(editor)
        await newsroom.render()
        assert (await other.get("/channels/from-doha.atom")).status_code == 200
        assert "From Doha" in await page(other, "/")


async def test_a_channel_that_cannot_be_made_comes_back_with_what_was_typed(
    editor: httpx.AsyncClient,
) -> None:
    for fields, says_ in (
        ({"entries": "many"}, "'many' is no number of entries"),
        ({"entries": "0"}, "entries = 0 cannot be used: write 1 or more"),
        ({"slug": "all"}, "There is a channel all already"),
        ({"title": " "}, "Give it a title"),
    ):
        answer = await send(
            editor,
            f"{PAGE}/channel",
            **{"title": "T", "slug": "t", "entries": "9", "carries_briefs": "on", **fields},
        )
        assert answer.status_code == 400
        assert says_ in unescape(answer.text)
        assert f'value="{fields.get("entries", "9")}"' in answer.text
    answer = await send(editor, f"{PAGE}/channel", title="T", slug="t", entries="9")
    assert "A channel carries briefs, stories or both" in answer.text


async def test_a_topic_stays_as_long_as_a_channel_takes_it(editor: httpx.AsyncClient) -> None:
    await with_doha(editor)
    assert "cannot be removed as long as a channel takes it" in await page(editor, "/desk/topics/doha")
    began = await field(editor, "/desk/topics/doha", "began")
    answer = await send(editor, "/desk/topics/doha/remove", began=began)
    assert answer.status_code == 400
    assert "used by the channel “From Doha”" in answer.text


async def test_a_channel_that_ended_answers_410_everywhere_and_may_come_back(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    await with_doha(editor)
    await newsroom.render()
    key = (
        await add_partner(
            newsroom.database, newsroom.clock, "daily", Terms(channels=("all",)), (ALL,), by="ada"
        )
    )[1]
    found = re.search(
        r'channel/from-doha/remove".*?name="began" value="(\d+)"',
        await page(editor, "/desk/topics/doha"),
        re.DOTALL,
    )
    assert found is not None
    answer = await send(editor, "/desk/topics/doha/channel/from-doha/remove", began=found[1])
    assert answer.status_code == 303
    document = await editor.get("/channels/from-doha.atom")
    assert document.status_code == 410
    assert "The channel “from-doha” has ended." in document.text
    assert (await editor.get("/channels/from-doha/archive/1-ab.atom")).status_code == 410
    assert (await editor.get("/channels/from-doha")).status_code == 410
    assert (await editor.get("/channels/from-doha/embed")).status_code == 410
    changes = await editor.get("/api/channels/from-doha/changes", headers={"authorization": f"Bearer {key}"})
    assert changes.status_code == 410
    assert (await editor.get("/channels/never.atom")).status_code == 404
    assert "From Doha" not in await page(editor, "/")
    began = await field(editor, "/desk/topics/doha", "began")
    assert (await send(editor, "/desk/topics/doha/remove", began=began)).headers["location"] == "/desk/topics"
    assert (await editor.get("/desk/topics/doha")).status_code == 404
    # It comes back under its name, and so as the same feed.
    await send(editor, "/desk/new-topic", **DOHA)
    await send(editor, "/desk/topics/doha/channel", title="Again", slug="from-doha", entries="9", is_public="on",
               carries_stories="on")  # fmt: skip
    await newsroom.render()
    assert (await editor.get("/channels/from-doha.atom")).status_code == 200


async def test_a_channel_for_partners_alone_is_shown_to_nobody_else(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    await with_doha(editor, is_public="on")
    await newsroom.render()
    await send(editor, "/desk/new-topic", title="Secret", any="doha")
    await send(editor, "/desk/topics/secret/channel", title="Secret", slug="secret", entries="9",
               carries_stories="on")  # fmt: skip
    await newsroom.render()
    assert (await editor.get("/channels/secret.atom")).status_code == 401
    assert "channels/secret" not in await page(editor, "/")


async def test_events_tell_of_a_channel_made_while_a_page_is_open(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    assert (await editor.head("/events?channel=from-doha")).status_code == 404
    await with_doha(editor)
    assert (await editor.head("/events?channel=from-doha")).status_code == 200


async def test_who_may_only_look_tries_and_saves_nothing(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await signed_in(newsroom, reader, role="viewer")
    shown = await page(reader)
    assert "Try it" in shown
    assert ">Save<" not in shown
    assert "Make a channel" not in shown
    assert (await send(reader, f"{PAGE}/try", began="0", **FORM)).status_code == 200
    for path in (PAGE, "/desk/new-topic", f"{PAGE}/remove", f"{PAGE}/channel", f"{PAGE}/channel/all/remove"):
        assert (await send(reader, path, began="0", **FORM)).status_code == 403


async def test_what_is_no_topic_is_not_found_and_a_form_without_its_beginning_is_refused(
    editor: httpx.AsyncClient,
) -> None:
    assert (await editor.get("/desk/topics/none")).status_code == 404
    assert (await editor.get(f"{PAGE}/try")).headers["location"] == PAGE
    assert (await editor.get("/desk/new-topic/try")).headers["location"] == "/desk/new-topic"
    assert (await send(editor, PAGE, **FORM)).status_code == 400
    assert (await send(editor, "/desk/topics/none/channel", title="X", entries="1")).status_code == 404


async def test_what_others_typed_is_shown_as_text(editor: httpx.AsyncClient) -> None:
    await save(editor, title="<script>alert(1)</script>", any="riyadh")
    for path in (PAGE, "/desk/topics", "/"):
        assert "<script>alert" not in (await editor.get(path)).text


async def test_a_channel_that_the_file_and_the_desk_define_is_named_with_its_briefs(
    newsroom: Newsroom, editor: httpx.AsyncClient
) -> None:
    assert newsroom.channels == (ALL, BRIEFS)
    await send(editor, f"{PAGE}/channel", title="On talks", slug="on-talks", entries="5", is_public="on",
               carries_briefs="on", languages="fr en", description="All of it.")  # fmt: skip
    await newsroom.render()
    shown = (await editor.get("/channels/on-talks.atom")).text
    assert "All of it." in shown
    assert "Talks open in Riyadh" not in shown
