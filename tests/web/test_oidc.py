"""Signing in through the newsroom's provider: whom it lets in, and which of its answers are refused."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import func, select, update

from aggregator.flows.oidc import LASTS
from aggregator.flows.oidc_provider import KEPT, OidcSettings, is_guarded
from aggregator.flows.people import revoke_account
from aggregator.people import Deed
from aggregator.settings import Settings, SettingsError, load
from aggregator.store import accounts, audit
from aggregator.store.tables_people import ACCOUNT, CHALLENGE, IDENTITY, INVITATION
from tests.conftest import NOW, Clock
from tests.web.desk_users import PASSWORD, account, page, plain, send, sign_in
from tests.web.newsroom import SITE, Newsroom
from tests.web.provider import (
    CLIENT,
    SECRET,
    TheirSide,
    changed,
    new_key,
    provided,
    signed_with_public_key,
    unsigned,
)

COOKIE, ASKED = "__Host-wirebrief", "__Host-wirebrief-oidc"
STALE = "This took too long, or was begun in another window: begin again."
UNFIT = "What Harbour ID answered cannot be relied on, so nobody was let in."
AWAY = "Harbour ID does not answer: try again in a minute, or sign in another way."

#: What asks the provider many things and the database few is tried on one of them.
ON_SQLITE = pytest.mark.parametrize("backend", ["sqlite"])
#: Making one takes a while, and no test changes it.
KEY = new_key("one")


@pytest.fixture
def theirs(clock: Clock) -> Iterator[TheirSide]:
    """The provider, at which Cleo is signed in."""
    with provided(TheirSide(lambda: clock().timestamp(), key=KEY)) as theirs:
        yield theirs


@pytest.fixture
def newsroom(newsroom: Newsroom, theirs: TheirSide) -> Newsroom:
    """A newsroom that asks the provider."""
    newsroom.oidc = OidcSettings(theirs.issuer, CLIENT, SECRET, label="Harbour ID")
    return newsroom


@pytest.fixture
async def cleo(newsroom: Newsroom) -> None:
    """Cleo has an account."""
    await account(newsroom, "cleo-chief", "chief", PASSWORD)


async def begin(client: httpx.AsyncClient, next: str = "/desk/briefs") -> str:
    """Follow the link of the page; where it leads."""
    answer = await client.get("/desk/sign-in/oidc", params={"next": next})
    assert answer.status_code == 303, plain(answer)
    return str(answer.headers["location"])


async def enter(client: httpx.AsyncClient, theirs: TheirSide, next: str = "/desk/briefs") -> httpx.Response:
    """Sign in by the provider, from the link to the way back."""
    return await client.get(theirs.lets_in(await begin(client, next)))


def is_out(client: httpx.AsyncClient, answer: httpx.Response, says: str) -> None:
    """Nobody was let in, and the page for signing in says why."""
    assert answer.status_code in (403, 502, 503), answer.status_code
    assert says in plain(answer)
    assert 'name="password"' in answer.text
    assert COOKIE not in client.cookies
    assert answer.headers["referrer-policy"] == "same-origin", "the code stands in the address"


def count(newsroom: Newsroom, table: Any) -> int:
    return newsroom.database.read_now(
        lambda s: s.execute(select(func.count()).select_from(table)).scalar_one()
    )


async def deeds(newsroom: Newsroom, act: str = "account") -> list[Deed]:
    """What the audit says of accounts, the newest first."""
    found = await newsroom.database.read(lambda session: audit.newest(session, act=act))
    return [record.deed for record in found]


# Coming in


@pytest.mark.usefixtures("cleo")
async def test_whom_the_provider_vouches_for_is_signed_in(
    newsroom: Newsroom, reader: httpx.AsyncClient, theirs: TheirSide
) -> None:
    sign_in_page = await reader.get("/desk/sign-in?next=/desk/wire?q=a%26b")
    link = re.search(r'href="(/desk/sign-in/oidc\?[^"]+)">Sign in with Harbour ID', sign_in_page.text)
    assert link is not None, "a plain link, since browsers hold where a form leads against form-action"
    begun = await reader.get(link[1])
    assert begun.headers["cache-control"] == "no-store"
    name, *flags = begun.headers["set-cookie"].split("; ")
    assert name.startswith(f"{ASKED}=")
    assert sorted(flags) == ["HttpOnly", "Max-Age=600", "Path=/", "SameSite=lax", "Secure"]
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["redirect_uri"] == [f"{SITE.url}/desk/sign-in/oidc/back"]
    assert asked["scope"] == ["openid profile email"]
    assert SECRET not in begun.headers["location"]
    back = await reader.get(theirs.lets_in(begun.headers["location"]))
    assert (back.status_code, back.headers["location"]) == (303, "/desk/wire?q=a&b")
    assert ASKED not in reader.cookies
    you = await page(reader, "/desk/you")
    assert "by the newsroom's sign-in" in you
    assert "It has opened your account since" in you
    (deed,) = await deeds(newsroom)
    became = {"issuer": theirs.issuer, "subject": theirs.subject}
    assert (deed.by, deed.act, deed.became) == ("cleo-chief", "account.oidc.connect", became)
    assert count(newsroom, CHALLENGE) == 0


@pytest.mark.usefixtures("cleo")
async def test_from_then_on_their_subject_counts_alone(newsroom: Newsroom, theirs: TheirSide) -> None:
    await account(newsroom, "ben", "editor", PASSWORD)
    async with newsroom.client() as client:
        await enter(client, theirs)
    theirs.claims = {"email": "ben", "email_verified": True}
    async with newsroom.client() as client:
        await enter(client, theirs)
        assert "cleo-chief" in await page(client, "/desk/you")
    assert len(await deeds(newsroom)) == 1, "nothing is written where nothing changes"
    theirs.subject, theirs.claims["email"] = "somebody else", "cleo-chief"
    async with newsroom.client() as client:
        is_out(client, await enter(client, theirs), "is connected otherwise already")


@pytest.mark.usefixtures("cleo")
async def test_the_provider_is_asked_for_itself_once_an_hour(
    newsroom: Newsroom, reader: httpx.AsyncClient, theirs: TheirSide
) -> None:
    for _ in range(2):
        assert (await enter(reader, theirs)).status_code == 303
    told = ["GET /.well-known/openid-configuration", "POST /token", "GET /keys", "POST /token"]
    assert theirs.asked == told
    newsroom.clock.move(KEPT)
    await enter(reader, theirs)
    assert theirs.asked[4:] == [told[0], "POST /token", "GET /keys"]


@pytest.mark.usefixtures("cleo")
async def test_a_new_key_of_the_provider_is_fetched(
    newsroom: Newsroom, reader: httpx.AsyncClient, theirs: TheirSide
) -> None:
    await enter(reader, theirs)
    theirs.rotate()
    async with newsroom.client() as other:
        assert (await enter(other, theirs)).status_code == 303
    assert (await enter(reader, theirs)).status_code == 303
    # Under the name of the old one, which says nothing of what it is.
    theirs.key = new_key("two")
    assert (await enter(reader, theirs)).status_code == 303


@pytest.mark.usefixtures("cleo")
async def test_the_secret_goes_where_the_provider_takes_it(
    reader: httpx.AsyncClient, theirs: TheirSide
) -> None:
    theirs.about = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert (await enter(reader, theirs)).status_code == 303
    ((authorization, form),) = theirs.sent
    assert (authorization, form["client_secret"]) == ("", SECRET)


@pytest.mark.usefixtures("cleo")
async def test_what_the_token_does_not_say_is_asked_for(
    newsroom: Newsroom, reader: httpx.AsyncClient, theirs: TheirSide
) -> None:
    theirs.claims, theirs.more = {}, {"email": "CLEO-chief", "email_verified": "true"}
    assert (await enter(reader, theirs)).status_code == 303
    theirs.subject, theirs.more = "another", {"sub": "not the same", "email": "x", "email_verified": True}
    async with newsroom.client() as other:
        is_out(other, await enter(other, theirs), UNFIT)


# What is refused


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "guess"},
        {"nonce": None},
        {"aud": "another client"},
        {"aud": ["another client"]},
        {"aud": None},
        {"aud": [CLIENT, "another client"]},
        {"azp": "another client"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": int(NOW.timestamp()) - 61},
        {"exp": None},
        {"exp": "soon"},
        {"iat": int(NOW.timestamp()) + 3_600},
        {"iat": None},
        {"nbf": int(NOW.timestamp()) + 3_600},
        {"sub": None},
        {"sub": 7},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": "a\0b"},
        {"at_hash": "guess"},
    ],
    ids=repr,
)
@ON_SQLITE
@pytest.mark.usefixtures("cleo")
async def test_a_token_for_somebody_or_some_time_else_lets_nobody_in(
    reader: httpx.AsyncClient, theirs: TheirSide, lie: dict[str, Any]
) -> None:
    theirs.token = lie
    is_out(reader, await enter(reader, theirs), UNFIT)


@ON_SQLITE
@pytest.mark.usefixtures("cleo")
async def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    reader: httpx.AsyncClient, theirs: TheirSide
) -> None:
    forgeries = [
        unsigned,
        signed_with_public_key(theirs.key),
        changed(email="admin"),
        lambda token: token[:-4] + "AAAA",
        lambda token: token.rsplit(".", 1)[0] + ".",
        lambda _: "",
        lambda _: "a.b.c",
        lambda _: "é",
    ]
    for forge in forgeries:
        theirs.forge = forge
        is_out(reader, await enter(reader, theirs), UNFIT)
    theirs.forge, own = None, theirs.key
    # A key of somebody else, under the name of the provider's.
    theirs.instead["/keys"] = (200, _keys(own))
    theirs.key = new_key("one")
    is_out(reader, await enter(reader, theirs), UNFIT)


def _keys(*keys: Any) -> bytes:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
@ON_SQLITE
@pytest.mark.usefixtures("cleo")
async def test_a_provider_that_is_not_well_is_told(
    reader: httpx.AsyncClient, theirs: TheirSide, path: str
) -> None:
    for status, body, says in [
        (500, b"", AWAY),
        (503, b"<p>soon</p>", AWAY),
        (429, b"{}", AWAY),
        (404, b"{}", UNFIT),
        (302, b"", UNFIT),
        (200, b"<html>", UNFIT),
        (200, b"[]", UNFIT),
        (200, b"{}", UNFIT),
        (200, b" " * 1_000_001, AWAY),
    ]:
        theirs.instead = {path: (status, body)}
        begun = await reader.get("/desk/sign-in/oidc")
        answer = begun
        if begun.status_code == 303:
            answer = await reader.get(theirs.lets_in(begun.headers["location"]))
        assert answer.status_code in (502, 503)
        assert says in plain(answer), (status, body[:10])
        assert COOKIE not in reader.cookies


@pytest.mark.usefixtures("cleo")
async def test_a_provider_that_is_away_is_told_and_passwords_still_work(
    newsroom: Newsroom, theirs: TheirSide
) -> None:
    assert newsroom.oidc is not None
    newsroom.oidc = OidcSettings("http://127.0.0.1:1", CLIENT, SECRET, label="Harbour ID")
    async with newsroom.client() as client:
        answer = await client.get("/desk/sign-in/oidc?next=/desk/briefs")
        assert (answer.status_code, answer.headers.get("location")) == (503, None)
        assert AWAY in plain(answer)
        assert 'value="/desk/briefs"' in answer.text
        said = {"name": "cleo-chief", "password": PASSWORD}
        assert (await client.post("/desk/sign-in", data=said)).status_code == 303


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
        {"authorization_response_iss_parameter_supported": True},
    ],
    ids=repr,
)
@ON_SQLITE
@pytest.mark.usefixtures("cleo")
async def test_a_provider_that_contradicts_itself_lets_nobody_in(
    reader: httpx.AsyncClient, theirs: TheirSide, about: dict[str, Any]
) -> None:
    theirs.about = about
    answer = await reader.get("/desk/sign-in/oidc")
    if answer.status_code == 303:
        answer = await reader.get(theirs.lets_in(answer.headers["location"]))
    assert answer.status_code == 502
    assert UNFIT in plain(answer)


@pytest.mark.usefixtures("cleo")
async def test_nobody_is_signed_in_by_what_another_browser_began(
    newsroom: Newsroom, reader: httpx.AsyncClient, theirs: TheirSide
) -> None:
    """Login CSRF: a link with Mallory's code must not sign Cleo's browser in as Mallory."""
    async with newsroom.client() as mallory:
        link = theirs.lets_in(await begin(mallory))
    is_out(reader, await reader.get(link), STALE)
    await begin(reader)
    is_out(reader, await reader.get(link), STALE)
    await begin(reader)
    is_out(reader, await reader.get("/desk/sign-in/oidc/back"), STALE)
    assert theirs.sent == [], "no code was spent"


@pytest.mark.usefixtures("cleo")
async def test_the_way_back_leads_once_and_soon(
    newsroom: Newsroom, reader: httpx.AsyncClient, theirs: TheirSide
) -> None:
    link = theirs.lets_in(await begin(reader))
    cookie = reader.cookies[ASKED]
    assert (await reader.get(link)).status_code == 303
    async with newsroom.client() as other:
        other.cookies.set(ASKED, cookie, domain="harbour.example")
        is_out(other, await other.get(link), STALE)
        link = theirs.lets_in(await begin(other))
        newsroom.clock.move(LASTS)
        is_out(other, await other.get(link), STALE)


@pytest.mark.usefixtures("cleo")
async def test_a_code_of_another_sign_in_opens_nothing(
    reader: httpx.AsyncClient, newsroom: Newsroom, theirs: TheirSide
) -> None:
    """PKCE: a stolen code is worth nothing without the verifier, which never left our database."""
    async with newsroom.client() as victim:
        stolen = parse_qs(urlsplit(theirs.lets_in(await begin(victim))).query)["code"][0]
    state = parse_qs(urlsplit(await begin(reader)).query)["state"][0]
    answer = await reader.get("/desk/sign-in/oidc/back", params={"code": stolen, "state": state})
    is_out(reader, answer, UNFIT)


@pytest.mark.usefixtures("cleo")
async def test_whoever_stops_at_the_provider_is_told(reader: httpx.AsyncClient, theirs: TheirSide) -> None:
    state = parse_qs(urlsplit(await begin(reader)).query)["state"][0]
    said = {"error": "access_denied", "error_description": "<script>", "state": state}
    answer = await reader.get("/desk/sign-in/oidc/back", params=said)
    is_out(reader, answer, "Harbour ID did not let you through.")
    assert "access_denied" not in answer.text
    assert "&lt;script" not in answer.text
    await begin(reader)
    state = parse_qs(urlsplit(await begin(reader)).query)["state"][0]
    answer = await reader.get(
        "/desk/sign-in/oidc/back", params={"state": state, "iss": "https://evil.example"}
    )
    is_out(reader, answer, UNFIT)


@pytest.mark.parametrize(
    "next",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/desk//evil", "/", "", "/desk" * 500],
)
@ON_SQLITE
@pytest.mark.usefixtures("cleo")
async def test_next_never_leads_to_another_site(
    reader: httpx.AsyncClient, theirs: TheirSide, next: str
) -> None:
    answer = await enter(reader, theirs, next)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")


# Who has an account


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"email": "cleo-chief"}, "has not verified your address"),
        ({"email": "cleo-chief", "email_verified": False}, "has not verified your address"),
        ({"email": "cleo-chief", "email_verified": "yes"}, "has not verified your address"),
        ({"email": "ben", "email_verified": True}, "you have no account here"),
        ({"email": "cleo-chief\0", "email_verified": True}, "does not say which account is yours"),
        ({"email": ["cleo-chief"], "email_verified": True}, "does not say which account is yours"),
        ({"email": " ", "email_verified": True}, "does not say which account is yours"),
        ({}, "does not say which account is yours"),
        ({"preferred_username": "cleo-chief"}, "does not say which account is yours"),
    ],
    ids=repr,
)
@pytest.mark.usefixtures("cleo")
async def test_who_is_not_known_by_the_claim_stays_out(
    newsroom: Newsroom, reader: httpx.AsyncClient, theirs: TheirSide, claims: dict[str, Any], says: str
) -> None:
    theirs.claims = claims
    is_out(reader, await enter(reader, theirs), says)
    assert count(newsroom, IDENTITY) == 0
    assert await deeds(newsroom) == []


@pytest.mark.usefixtures("cleo")
async def test_a_name_that_is_no_text_names_nobody(reader: httpx.AsyncClient, theirs: TheirSide) -> None:
    theirs.claims, theirs.more = {}, {"email": "\ud800", "email_verified": True}
    is_out(reader, await enter(reader, theirs), "does not say which account is yours")


@pytest.mark.usefixtures("cleo")
async def test_a_provider_that_had_no_keys_for_a_moment_is_asked_again(
    reader: httpx.AsyncClient, theirs: TheirSide
) -> None:
    theirs.instead = {"/keys": (200, b'{"keys": []}')}
    is_out(reader, await enter(reader, theirs), UNFIT)
    theirs.instead = {}
    assert (await enter(reader, theirs)).status_code == 303


async def test_another_claim_may_name_accounts(newsroom: Newsroom, theirs: TheirSide) -> None:
    await account(newsroom, "Zoë", "editor", PASSWORD)
    newsroom.oidc = OidcSettings(
        theirs.issuer, CLIENT, SECRET, label="Harbour ID", claim="preferred_username"
    )
    theirs.claims = {"preferred_username": "Zoë", "email": "cleo-chief"}
    async with newsroom.client() as client:
        assert (await enter(client, theirs)).status_code == 303
        assert "Zoë" in await page(client, "/desk/you")


@pytest.mark.usefixtures("cleo")
async def test_a_closed_account_stays_closed(
    newsroom: Newsroom, reader: httpx.AsyncClient, theirs: TheirSide
) -> None:
    await account(newsroom, "ada", "admin", PASSWORD)
    newsroom.oidc = OidcSettings(theirs.issuer, CLIENT, SECRET, label="Harbour ID", create="editor")
    await revoke_account(newsroom.database, newsroom.clock, "cleo-chief", by="ada")
    is_out(reader, await enter(reader, theirs), "This account is closed")
    assert count(newsroom, IDENTITY) == 0
    # Neither does it open again for who was connected before.
    newsroom.database.write_now(lambda s: s.execute(update(ACCOUNT).values(revoked_at=None)))
    await enter(reader, theirs)
    reader.cookies.clear()
    await revoke_account(newsroom.database, newsroom.clock, "cleo-chief", by="ada")
    is_out(reader, await enter(reader, theirs), "This account is closed")


async def test_an_account_is_made_where_the_settings_say_so(newsroom: Newsroom, theirs: TheirSide) -> None:
    newsroom.oidc = OidcSettings(theirs.issuer, CLIENT, SECRET, label="Harbour ID", create="viewer")
    theirs.claims = {"email": "dora@harbour.example", "email_verified": True}
    async with newsroom.client() as client:
        assert (await enter(client, theirs)).status_code == 303
        you = await page(client, "/desk/you")
        assert "dora@harbour.example" in you
        assert "Role: viewer" in you
    found = newsroom.database.read_now(lambda s: accounts.named(s, "dora@harbour.example"))
    assert found is not None
    assert found.role == "viewer"
    assert count(newsroom, INVITATION) == 0, "nobody needs a link, and nobody was given one"
    acts = [(deed.by, deed.act) for deed in await deeds(newsroom)]
    assert acts == [("dora@harbour.example", "account.oidc.connect"), (theirs.issuer, "account.add")]
    # A name that no account may have.
    theirs.subject, theirs.claims["email"] = "2", "x" * 61
    async with newsroom.client() as client:
        is_out(client, await enter(client, theirs), "you have no account here")


# Connecting one's own account


async def connect(client: httpx.AsyncClient) -> str:
    """Follow the link of one's own page; where it leads."""
    link = re.search(r'href="(/desk/you/oidc\?token=[0-9a-f]{64})"', (await client.get("/desk/you")).text)
    assert link is not None
    answer = await client.get(link[1])
    assert answer.status_code == 303
    return str(answer.headers["location"])


async def test_somebody_connects_their_account_and_cuts_it_off_again(
    newsroom: Newsroom, reader: httpx.AsyncClient, theirs: TheirSide
) -> None:
    theirs.claims = {}
    await sign_in(newsroom, reader)
    back = await reader.get(theirs.lets_in(await connect(reader)))
    assert back.headers["location"] == "/desk/you?done=connected"
    async with newsroom.client() as other:
        assert (await enter(other, theirs)).status_code == 303, "no claim is needed any more"
    await reader.get(theirs.lets_in(await begin(reader)))
    answer = await send(reader, "/desk/you/oidc")
    assert answer.headers["location"] == "/desk/you?done=disconnected"
    assert (await send(reader, "/desk/you/oidc")).status_code == 303, "it is gone already"
    acts = [deed.act for deed in await deeds(newsroom, "account.oidc")]
    assert acts == ["account.oidc.disconnect", "account.oidc.connect"]
    async with newsroom.client() as other:
        is_out(other, await enter(other, theirs), "does not say which account is yours")


async def test_nobody_else_connects_an_identity_with_ones_account(
    newsroom: Newsroom, reader: httpx.AsyncClient, theirs: TheirSide
) -> None:
    await sign_in(newsroom, reader)
    for token in ("", "0" * 64, "é"):
        answer = await reader.get("/desk/you/oidc", params={"token": token})
        assert answer.status_code == 403
    # Mallory began it with an account of her own, and gets Cleo to follow the way back.
    async with newsroom.client() as mallory:
        await sign_in(newsroom, mallory, "editor")
        link = theirs.lets_in(await connect(mallory))
        reader.cookies.set(ASKED, mallory.cookies[ASKED], domain="harbour.example")
    answer = await reader.get(link)
    assert answer.status_code == 403
    assert STALE in plain(answer)
    assert count(newsroom, IDENTITY) == 0


async def test_one_identity_opens_one_account(
    newsroom: Newsroom, reader: httpx.AsyncClient, theirs: TheirSide
) -> None:
    await sign_in(newsroom, reader)
    await reader.get(theirs.lets_in(await connect(reader)))
    async with newsroom.client() as other:
        await sign_in(newsroom, other, "editor")
        answer = await other.get(theirs.lets_in(await connect(other)))
        assert answer.status_code == 403
        assert "is connected otherwise already" in plain(answer)
    assert count(newsroom, IDENTITY) == 1


async def test_the_only_way_in_stays(
    newsroom: Newsroom, reader: httpx.AsyncClient, theirs: TheirSide
) -> None:
    await sign_in(newsroom, reader)
    await reader.get(theirs.lets_in(await connect(reader)))
    newsroom.database.write_now(lambda s: s.execute(update(ACCOUNT).values(password_hash=None)))
    answer = await send(reader, "/desk/you/oidc")
    assert answer.status_code == 409
    assert "Nothing else would open your account" in plain(answer)
    assert count(newsroom, IDENTITY) == 1


async def test_whoever_begins_too_often_waits(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.web.desk.asked.MOST_ASKED", 2)
    async with newsroom.client() as client:
        for _ in range(2):
            await begin(client)
        answer = await client.get("/desk/sign-in/oidc")
    assert answer.status_code == 429
    assert "wait a quarter of an hour" in plain(answer)


# The settings


async def test_without_a_provider_there_is_no_way_to_one(newsroom: Newsroom) -> None:
    for none in (None, OidcSettings()):
        newsroom.oidc = none
        async with newsroom.client() as client:
            assert "oidc" not in (await client.get("/desk/sign-in")).text
            for path in ("/desk/sign-in/oidc", "/desk/sign-in/oidc/back"):
                assert (await client.get(path)).status_code == 404


@pytest.mark.usefixtures("cleo")
async def test_no_log_and_no_page_tells_the_secret(
    newsroom: Newsroom, reader: httpx.AsyncClient, theirs: TheirSide, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await enter(reader, theirs)
    theirs.instead = {"/token": (401, b'{"error": "invalid_client"}')}
    answer = await enter(reader, theirs)
    told = " ".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "answers 401 invalid_client" in told, "but what is wrong"
    assert SECRET not in told + answer.text + repr(newsroom.oidc) + repr(Settings(oidc=newsroom.oidc))


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"ISSUER": "http://id.example", "CLIENT_ID": "x"}, "oidc.issuer"),
        ({"ISSUER": "id.example", "CLIENT_ID": "x"}, "oidc.issuer"),
        ({"ISSUER": "https://id.example"}, "oidc.client_id"),
        ({"CLAIM": ""}, "oidc.claim"),
        ({"LABEL": " "}, "oidc.label"),
        ({"CREATE": "admin"}, "oidc.create"),
        ({"CREATE": "boss"}, "oidc.create"),
    ],
    ids=repr,
)
def test_settings_that_let_nobody_in_or_everybody_are_refused(given: dict[str, str], key: str) -> None:
    secret = {"WIREBRIEF_OIDC__CLIENT_SECRET": SECRET}
    with pytest.raises(SettingsError, match=key) as told:
        load(None, secret | {f"WIREBRIEF_OIDC__{name}": value for name, value in given.items()})
    assert SECRET not in str(told.value)


def test_the_environment_says_which_provider() -> None:
    given = {"ISSUER": "https://id.example", "CLIENT_ID": "desk", "CLIENT_SECRET": SECRET, "CREATE": "chief"}
    found = load(None, {f"WIREBRIEF_OIDC__{name}": value for name, value in given.items()})
    assert found.oidc == OidcSettings("https://id.example", "desk", SECRET, create="chief")


@pytest.mark.parametrize(
    ("address", "is_safe"),
    [
        ("https://id.example", True),
        ("https://10.0.0.5:8443/realms/desk", True),
        ("http://localhost:9000", True),
        ("http://127.0.0.1:9000", True),
        ("http://10.0.0.5", False),
        ("http://localhost.evil.example", False),
        ("ftp://id.example", False),
        ("https://", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_what_goes_to_the_provider_nobody_can_read_on_the_way(address: str, is_safe: bool) -> None:
    assert is_guarded(address) is is_safe


def test_a_sign_in_may_take_ten_minutes() -> None:
    assert timedelta(minutes=10) == LASTS
