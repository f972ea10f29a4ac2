"""The partners at the desk: added, given keys, looked after and revoked by a chief."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest
from sqlmodel import Session

from aggregator.flows.partners import Terms, add_partner, holder, note_taken, set_webhook
from aggregator.model import Reuse
from aggregator.outgoing import Partner, WebhookDue
from aggregator.store import briefs, partners, subscribers
from tests.store.newsroom import keep_stories, says
from tests.web.desk_users import page, plain, send, sign_in
from tests.web.newsroom import Newsroom

FORM = {"name": "daily", "title": "The Daily", "channel:all": "on", "reuse": "summary", "per_minute": "30"}
ID = "tag:wirebrief.example,2025-01-01:brief/riyadh"


@pytest.fixture
async def chief(newsroom: Newsroom, reader: httpx.AsyncClient) -> httpx.AsyncClient:
    """Cleo, the chief, signed in."""
    await sign_in(newsroom, reader)
    return reader


async def daily(newsroom: Newsroom, **terms: object) -> Partner:
    """A partner that reads one channel."""
    agreed = Terms(("all",), title="The Daily", **terms)  # type: ignore[arg-type]
    return (
        await add_partner(newsroom.database, newsroom.clock, "daily", agreed, newsroom.channels, by="ada")
    )[0]


def known(newsroom: Newsroom) -> Partner:
    """The partner as it stands."""
    found = newsroom.database.read_now(lambda s: partners.named(s, "daily"))
    assert found is not None
    return found


def key_in(answer: httpx.Response) -> str:
    """The key that an answer shows."""
    found = re.search(r"<p><code>([\w-]{40,})</code></p>", answer.text)
    assert found is not None, answer.text
    return found[1]


async def test_a_partner_is_added_and_its_key_opens_and_is_shown_once(
    newsroom: Newsroom, chief: httpx.AsyncClient
) -> None:
    assert "There is no partner yet: add the first one above." in await page(chief, "/desk/partners")
    fields = {**FORM, "topic:talks": "on", "languages": "FR, uk fr"}
    answer = await send(chief, "/desk/partners", **fields)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    key = key_in(answer)
    found = await holder(newsroom.database, newsroom.clock, key)
    assert found is not None
    assert (found.title, found.channels, found.topics) == ("The Daily", ("all",), ("talks",))
    assert (found.languages, found.reuse, found.per_minute) == (("fr", "uk"), Reuse.SUMMARY, 30)
    shown = await page(chief, "/desk/partners/daily")
    assert key not in shown
    assert f"{key[:8]}…" in shown
    assert "Ukraine talks" in await page(chief, "/desk/partners")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "The Daily"}, "is no name for a partner"),
        ({"channel:all": None}, "Choose one channel at least"),
        ({"languages": "french"}, "“french” is no code of a language"),
        ({"reuse": "half"}, "Choose how much of each story"),
        ({"per_minute": "often"}, "Say how often"),
        ({"per_minute": "0"}, "Say how often"),
    ],
)
async def test_a_form_that_cannot_be_taken_comes_back_as_it_was_typed(
    newsroom: Newsroom, chief: httpx.AsyncClient, change: dict[str, str | None], says: str
) -> None:
    fields = {name: value for name, value in {**FORM, **change}.items() if value is not None}
    answer = await send(chief, "/desk/partners", **fields)
    assert answer.status_code == 400
    assert says in plain(answer)
    assert 'value="The Daily"' in answer.text
    assert '<option value="summary" selected>' in answer.text or "reuse" in change
    assert newsroom.database.read_now(partners.everyone) == []


async def test_a_name_that_is_taken_is_refused(newsroom: Newsroom, chief: httpx.AsyncClient) -> None:
    await daily(newsroom)
    answer = await send(chief, "/desk/partners", **FORM)
    assert answer.status_code == 400
    assert "There is a partner daily already" in plain(answer)


async def test_an_editor_may_look_and_decide_nothing(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await sign_in(newsroom, reader, "editor")
    assert "A chief or an admin adds one here." in await page(reader, "/desk/partners")
    await daily(newsroom)
    assert 'action="/desk/partners' not in await page(reader, "/desk/partners/daily")
    for path in ("", "/daily/keys", "/daily/keys/revoke", "/daily/revoke", "/daily/webhook", "/daily/retry"):
        answer = await send(reader, f"/desk/partners{path}", **FORM, sure="yes")
        assert answer.status_code == 403
        assert "for a chief or an admin to decide" in answer.text
    assert known(newsroom).revoked_at is None


async def test_a_key_is_replaced_without_a_gap(newsroom: Newsroom, chief: httpx.AsyncClient) -> None:
    first = key_in(await send(chief, "/desk/partners", **FORM))
    second = key_in(await send(chief, "/desk/partners/daily/keys", key="second", expires="30d"))
    assert all([await holder(newsroom.database, newsroom.clock, key) for key in (first, second)])
    answer = await send(chief, "/desk/partners/daily/keys/revoke", key=first[:8])
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/partners/daily?done=key")
    assert "The key opens nothing any more." in await page(chief, answer.headers["location"])
    assert await holder(newsroom.database, newsroom.clock, first) is None
    assert await holder(newsroom.database, newsroom.clock, second) is not None
    newsroom.clock.move(timedelta(days=31))
    # The session is over by now as well.
    assert await holder(newsroom.database, newsroom.clock, second) is None


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"key": " ", "expires": ""}, "Give the key a name"),
        ({"key": "first", "expires": ""}, "has a key 'first' already"),
        ({"key": "other", "expires": "1s"}, "Choose one of the times"),
    ],
)
async def test_a_key_that_cannot_be_made_says_why(
    newsroom: Newsroom, chief: httpx.AsyncClient, fields: dict[str, str], says: str
) -> None:
    await daily(newsroom)
    answer = await send(chief, "/desk/partners/daily/keys", **fields)
    assert answer.status_code == 400
    assert says in plain(answer)
    refused = await send(chief, "/desk/partners/daily/keys/revoke", key="nothing")
    assert (refused.status_code, "has no key 'nothing'" in plain(refused)) == (400, True)


async def test_a_partner_is_revoked_only_by_who_says_so(newsroom: Newsroom, chief: httpx.AsyncClient) -> None:
    key = key_in(await send(chief, "/desk/partners", **FORM))
    assert (await send(chief, "/desk/partners/daily/revoke")).status_code == 400
    assert await holder(newsroom.database, newsroom.clock, key) is not None
    answer = await send(chief, "/desk/partners/daily/revoke", sure="yes")
    shown = await page(chief, answer.headers["location"])
    assert "The partner reads nothing any more" in shown
    assert await holder(newsroom.database, newsroom.clock, key) is None
    assert "Make a key" not in shown
    assert '<span class="badge gone">revoked</span>' in await page(chief, "/desk/partners")


async def test_what_a_partner_took_is_shown_with_the_state_that_it_has(
    newsroom: Newsroom, chief: httpx.AsyncClient
) -> None:
    keep_stories(newsroom.database, says("1", "Talks open"))
    await newsroom.brief()
    await newsroom.publish()
    partner = await daily(newsroom)
    assert "It took nothing yet." in await page(chief, "/desk/partners/daily")
    taken = [(ID, 1), ("urn:1", 1), ("urn:forgotten", 1)]
    await note_taken(newsroom.database, newsroom.clock, partner, taken, via="api")
    shown = await page(chief, "/desk/partners/daily")
    assert '<a href="/desk/briefs/riyadh">Talks open in Riyadh without Kyiv</a>' in shown
    assert '<a href="https://wire.example/1" rel="noreferrer">Talks open</a>' in shown
    assert "no longer in its channels" in shown
    assert shown.count("the newest") == 2
    await newsroom.withdraw()
    assert "state 1 of 2" in await page(chief, "/desk/partners/daily")
    assert "took something" in await page(chief, "/desk/partners")


async def test_use_has_a_bar_for_each_of_thirty_days(newsroom: Newsroom, chief: httpx.AsyncClient) -> None:
    partner = await daily(newsroom)
    assert "It has asked for nothing in 30 days." in await page(chief, "/desk/partners/daily")
    about = (newsroom.database, newsroom.clock, partner)
    newsroom.clock.move(-timedelta(days=40))
    await note_taken(*about, [("urn:0", 1)], via="feed")
    newsroom.clock.move(timedelta(days=40))
    await note_taken(*about, [("urn:1", 1), ("urn:2", 1)], via="feed")
    await note_taken(*about, [], via="api", is_unchanged=True)
    shown = await page(chief, "/desk/partners/daily")
    assert shown.count("<rect") == 60
    assert 'aria-label="Requests on each of the last 30 days (UTC), at most 2 on one"' in shown
    assert 'Entries taken <span class="count">2</span>' in shown


async def test_a_webhook_is_set_with_a_secret_shown_once_and_taken_away(
    newsroom: Newsroom, chief: httpx.AsyncClient
) -> None:
    await daily(newsroom)
    path = "/desk/partners/daily/webhook"
    answer = await send(chief, path, url="https://daily.example/hook")
    secret = known(newsroom).webhook_secret
    assert secret is not None
    assert secret in answer.text
    assert secret not in await page(chief, "/desk/partners/daily")
    assert known(newsroom).webhook_url == "https://daily.example/hook"
    wrong = await send(chief, path, url="daily.example")
    assert (wrong.status_code, "is no address of the web" in plain(wrong)) == (400, True)
    assert 'value="daily.example"' in wrong.text
    assert (await send(chief, path, url=" ")).status_code == 400
    await send(chief, path, act="none")
    assert (known(newsroom).webhook_url, known(newsroom).webhook_secret) == (None, None)


async def test_webhooks_that_were_given_up_are_sent_again(
    newsroom: Newsroom, chief: httpx.AsyncClient
) -> None:
    await newsroom.brief()
    await newsroom.publish()
    partner = await daily(newsroom)
    await set_webhook(newsroom.database, newsroom.clock, "daily", "https://daily.example/hook", by="ada")
    (act,) = newsroom.database.read_now(briefs.publications)

    def give_up(session: Session) -> None:
        subscribers.queue_webhook(session, partner.id, act.id, now=newsroom.clock())
        due = WebhookDue(partner, act, 29)
        subscribers.webhook_later(session, due, why="it answered 500", at=None)

    newsroom.database.write_now(give_up)
    shown = await page(chief, "/desk/partners/daily")
    assert "1 webhook was given up after many tries." in shown
    assert "it answered 500" in shown
    assert "1 webhook given up" in await page(chief, "/desk/partners")
    answer = await send(chief, "/desk/partners/daily/retry")
    assert answer.status_code == 303
    shown = await page(chief, answer.headers["location"])
    assert "is sent again within seconds" in shown
    assert '<span class="badge">waits</span>' in shown


async def test_a_partner_that_is_none_is_not_found(newsroom: Newsroom, chief: httpx.AsyncClient) -> None:
    assert (await chief.get("/desk/partners/nobody")).status_code == 404
    for path in ("keys", "keys/revoke", "revoke", "webhook", "retry"):
        fields = {"sure": "yes", "key": "new", "expires": "", "url": "https://a.example/"}
        assert (await send(chief, f"/desk/partners/nobody/{path}", **fields)).status_code == 404


async def test_what_another_site_sends_makes_no_partner(newsroom: Newsroom, chief: httpx.AsyncClient) -> None:
    assert (await chief.post("/desk/partners", data=FORM)).status_code == 403
    assert newsroom.database.read_now(partners.everyone) == []


async def test_without_a_channel_there_is_nothing_to_agree(newsroom: Newsroom) -> None:
    newsroom.channels = ()
    async with newsroom.client() as reader:
        await sign_in(newsroom, reader)
        assert "A partner reads channels, and" in await page(reader, "/desk/partners")
