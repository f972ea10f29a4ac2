"""Passkeys at the desk: who may add one, whom it lets in, and what is refused."""

from __future__ import annotations

import copy
import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from webauthn.helpers import bytes_to_base64url

from aggregator.flows.passkeys import (
    LASTS,
    MOST,
    Place,
    _creation,
    _is_of,
    _registered,
    _request,
    _signed,
    handle_of,
    place_of,
)
from aggregator.flows.people import revoke_account
from aggregator.flows.refusals import Refused
from aggregator.people import Account, AuditRecord
from aggregator.rules.channels import Site
from aggregator.store import audit
from aggregator.store.tables_people import ACCOUNT, CHALLENGE, PASSKEY, SESSION
from aggregator.web.desk import signing_in
from aggregator.web.desk.signing_in import WITHIN
from tests.conftest import NOW
from tests.web.authenticator import PRESENT, Device
from tests.web.desk_users import page, plain, send, sign_in
from tests.web.newsroom import SITE, Newsroom

COOKIE, ASKED = "__Host-wirebrief", "__Host-wirebrief-passkey"
STALE = "This took too long, or was begun in another window: begin again."
UNFIT = "What the passkey answered does not fit what was asked: try again."
UNKNOWN = "This passkey opens nothing here."


@pytest.fixture
def device() -> Device:
    """Cleo's telephone, whose browser shows our page."""
    return Device(SITE.url)


async def form_token(client: httpx.AsyncClient) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', (await client.get("/desk/you")).text)
    assert found is not None
    return found[1]


async def options(client: httpx.AsyncClient) -> Any:
    """What the desk asks to add a passkey."""
    answer = await client.post("/desk/passkeys/options", json={"form_token": await form_token(client)})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def add(
    client: httpx.AsyncClient, credential: dict[str, Any], name: str = "my telephone"
) -> httpx.Response:
    """Send the passkey that a device made."""
    said = {"form_token": await form_token(client), "name": name, "credential": credential}
    return await client.post("/desk/passkeys", json=said)


async def added(client: httpx.AsyncClient, device: Device, name: str = "my telephone") -> None:
    """Whoever is signed in has a passkey on a device."""
    answer = await add(client, device.create(await options(client)), name)
    assert (answer.status_code, answer.json()) == (200, {"to": "/desk/you?done=passkey"}), answer.text


async def asked(client: httpx.AsyncClient) -> Any:
    """What the desk asks to let somebody in."""
    answer = await client.post("/desk/sign-in/passkey/options", json={})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def enter(client: httpx.AsyncClient, credential: object, **more: str) -> httpx.Response:
    """Send what a device signed."""
    return await client.post("/desk/sign-in/passkey", json={"credential": credential, **more})


def count(newsroom: Newsroom, table: Any) -> int:
    return newsroom.database.read_now(
        lambda s: s.execute(select(func.count()).select_from(table)).scalar_one()
    )


async def acts(newsroom: Newsroom) -> list[AuditRecord]:
    """What the audit says of passkeys, the newest first."""
    return await newsroom.database.read(lambda session: audit.newest(session, act="account.passkey"))


# What is asked


async def test_a_device_is_asked_for_a_key_that_it_finds_by_itself_and_guards(
    newsroom: Newsroom, reader: httpx.AsyncClient, device: Device
) -> None:
    await sign_in(newsroom, reader)
    said = await options(reader)
    assert said["rp"] == {"name": SITE.title, "id": "harbour.example"}
    assert said["user"]["name"] == "cleo-chief"
    assert said["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert said["attestation"] == "none"
    assert said["excludeCredentials"] == []
    await added(reader, device)
    again = await options(reader)
    assert [one["type"] for one in again["excludeCredentials"]] == ["public-key"], "one device, one passkey"
    assert again["challenge"] != said["challenge"]
    assert again["user"]["id"] == said["user"]["id"]


async def test_whoever_signs_in_says_no_name(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    said = await asked(reader)
    assert (said["rpId"], said["userVerification"]) == ("harbour.example", "required")
    assert said.get("allowCredentials", []) == [], "it would tell strangers who has an account"


async def test_the_browser_keeps_what_it_was_asked_where_no_script_gets_at_it(
    reader: httpx.AsyncClient,
) -> None:
    answer = await reader.post("/desk/sign-in/passkey/options", json={})
    name, *flags = answer.headers["set-cookie"].split("; ")
    assert name.startswith(f"{ASKED}=")
    assert sorted(flags) == ["HttpOnly", "Max-Age=300", "Path=/", "SameSite=lax", "Secure"]
    assert answer.headers["cache-control"] == "no-store"


def test_devices_learn_nothing_of_an_account() -> None:
    one, other = (Account(1, name, "editor", NOW) for name in ("ada", "ben"))
    assert len(handle_of(one)) == 32
    assert handle_of(one) == handle_of(other), "a new name, and the device knows it still"
    assert handle_of(one) != handle_of(Account(2, "ada", "editor", NOW))
    later = Account(1, "ada", "editor", NOW + timedelta(seconds=1))
    assert handle_of(one) != handle_of(later), "another desk of the same host"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://desk.example", Place("desk.example", "https://desk.example", "wirebrief")),
        ("https://Desk.example:443/wire", Place("desk.example", "https://desk.example", "wirebrief")),
        ("https://desk.example:8443", Place("desk.example", "https://desk.example:8443", "wirebrief")),
        ("https://pêche.example", Place("xn--pche-gpa.example", "https://xn--pche-gpa.example", "wirebrief")),
        ("http://localhost:8000", Place("localhost", "http://localhost:8000", "wirebrief")),
        ("http://desk.localhost", Place("desk.localhost", "http://desk.localhost", "wirebrief")),
        ("http://desk.example", None),
        ("http://127.0.0.1:8000", None),
        ("https://192.0.2.1", None),
        ("https://[2001:db8::1]", None),
    ],
)
def test_passkeys_are_offered_where_browsers_let_a_site_have_them(url: str, place: Place | None) -> None:
    assert place_of(Site(url=url)) == place


async def test_where_they_cannot_work_nobody_is_offered_one(newsroom: Newsroom) -> None:
    newsroom.site = Site(url="http://127.0.0.1:8000")
    async with newsroom.client() as reader:
        assert "passkey" not in (await reader.get("/desk/sign-in")).text
        assert (await reader.post("/desk/sign-in/passkey/options", json={})).status_code == 403
        await sign_in(newsroom, reader)
        assert "passkey" not in (await reader.get("/desk/you")).text


async def test_the_pages_hide_what_needs_a_script_until_there_is_one(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    form = re.search(r"<form[^>]*data-passkey=\"enter\"[^>]*>", (await reader.get("/desk/sign-in")).text)
    assert form is not None
    assert " hidden" in form[0]
    await sign_in(newsroom, reader)
    you = (await reader.get("/desk/you")).text
    form = re.search(r"<form[^>]*data-passkey=\"add\"[^>]*>", you)
    assert form is not None
    assert " hidden" in form[0]
    assert "<noscript>" in you


# Adding one


async def test_a_passkey_signs_its_holder_in(
    newsroom: Newsroom, reader: httpx.AsyncClient, device: Device
) -> None:
    await sign_in(newsroom, reader)
    await added(reader, device)
    assert "my telephone" in await page(reader, "/desk/you")
    assert "never used" in await page(reader, "/desk/you")
    async with newsroom.client() as other:
        answer = await enter(other, device.get(await asked(other)), next="/desk/briefs", zone="Europe/Kyiv")
        assert (answer.status_code, answer.json()) == (200, {"to": "/desk/briefs"})
        you = await page(other, "/desk/you")
    assert "cleo-chief" in you
    assert "by passkey" in you
    assert "Europe/Kyiv" in you
    assert "never used" not in you
    (deed,) = await acts(newsroom)
    assert (deed.deed.by, deed.deed.act, deed.deed.became) == (
        "cleo-chief",
        "account.passkey.add",
        {"passkey": "my telephone"},
    )
    row = newsroom.database.read_now(lambda s: s.execute(select(PASSKEY)).one())
    assert (row.sign_count, row.transports) == (1, "hybrid,internal")


async def test_several_passkeys_of_several_people_each_open_their_own(newsroom: Newsroom) -> None:
    devices = {role: Device(SITE.url) for role in ("editor", "chief")}
    for role, device in devices.items():
        async with newsroom.client() as client:
            await sign_in(newsroom, client, role)
            await added(client, device)
            await added(client, spare := Device(SITE.url), "the spare one")
            devices[role].held.extend(spare.held)
    for role, device in devices.items():
        for which in (0, 1):
            async with newsroom.client() as client:
                await enter(client, device.get(await asked(client), which))
                assert f"cleo-{role}" in await page(client, "/desk/you")


async def test_a_passkey_is_added_for_whoever_is_signed_in_alone(
    newsroom: Newsroom, reader: httpx.AsyncClient, device: Device
) -> None:
    answer = await reader.post("/desk/passkeys/options", json={})
    assert answer.status_code == 401
    assert "do so at /desk/sign-in" in answer.json()["error"]
    assert (await reader.post("/desk/passkeys", json={})).status_code == 401
    await sign_in(newsroom, reader)
    for said in ({}, {"form_token": "guess"}, {"form_token": 3}):
        answer = await reader.post("/desk/passkeys/options", json=said)
        assert answer.status_code == 403
        assert "load the page anew" in answer.json()["error"]
    mine = {"form_token": await form_token(reader)}
    theirs = {"Origin": "https://evil.example"}
    for path in ("/desk/passkeys/options", "/desk/passkeys"):
        answer = await reader.post(path, json=mine, headers=theirs)
        assert answer.status_code == 403
        assert "Another site sent this" in answer.json()["error"]
    assert count(newsroom, CHALLENGE) == 0


async def test_a_passkey_cannot_be_added_to_somebody_elses_account(
    newsroom: Newsroom, reader: httpx.AsyncClient, device: Device
) -> None:
    """What was asked of one account is answered by its holder, whatever cookies a browser was given."""
    await sign_in(newsroom, reader)
    made = device.create(await options(reader))
    async with newsroom.client() as other:
        await sign_in(newsroom, other, "editor")
        other.cookies.set(ASKED, reader.cookies[ASKED], domain="harbour.example")
        answer = await add(other, made)
    assert (answer.status_code, answer.json()["error"]) == (403, STALE)
    assert count(newsroom, PASSKEY) == 0


async def test_a_passkey_has_a_name(newsroom: Newsroom, reader: httpx.AsyncClient, device: Device) -> None:
    await sign_in(newsroom, reader)
    made = device.create(await options(reader))
    for name in ("", "   ", "x" * 61, "a\0b", "a\u202eb"):
        answer = await add(reader, made, name)
        said = "Give the passkey a name of 60 characters at most."
        assert (answer.status_code, answer.json()["error"]) == (400, said)
    assert (await add(reader, made, "  my\nkey ")).status_code == 200, "nothing was used up"


async def test_the_same_passkey_is_not_added_twice(
    newsroom: Newsroom, reader: httpx.AsyncClient, device: Device
) -> None:
    await sign_in(newsroom, reader)
    await added(reader, device)
    async with newsroom.client() as other:
        await sign_in(newsroom, other, "editor")
        (one,) = device.held
        made = device.create(await options(other))
        # It names itself as another one that we know: whose account would it open?
        theirs, mine = device.held[-1].id, one.id
        assert theirs != mine
        device.held[-1].id = mine
        made = _renamed(device, await options(other), mine)
        answer = await add(other, made)
    assert (answer.status_code, answer.json()["error"]) == (409, "This passkey is there already.")


def _renamed(device: Device, options: Any, id_: bytes) -> dict[str, Any]:
    """A new key pair under the id of another one."""
    from unittest.mock import patch

    with patch("tests.web.authenticator.secrets.token_bytes", return_value=id_):
        return device.create(options)


async def test_an_account_has_so_many_at_most(
    newsroom: Newsroom, reader: httpx.AsyncClient, device: Device
) -> None:
    await sign_in(newsroom, reader)
    await added(reader, device)

    def fill(session: Any) -> None:
        row = dict(session.execute(select(PASSKEY)).one()._mapping)
        for number in range(1, MOST):
            session.execute(PASSKEY.insert().values(row | {"id": 100 + number, "credential_id": str(number)}))

    newsroom.database.write_now(fill)
    answer = await reader.post("/desk/passkeys/options", json={"form_token": await form_token(reader)})
    assert answer.status_code == 409
    assert "remove one first" in answer.json()["error"]


# What is no answer


def _another_page(device: Device) -> None:
    device.origin = "https://harbour.example.evil.example"


def _another_port(device: Device) -> None:
    device.origin = "https://harbour.example:8443"


def _without_tls(device: Device) -> None:
    device.origin = "http://harbour.example"


def _another_host(device: Device) -> None:
    device.host = "evil.example"


def _nobody_verified(device: Device) -> None:
    device.flags = PRESENT


LIES = [_another_page, _another_port, _without_tls, _another_host, _nobody_verified]


async def test_an_answer_for_another_site_adds_nothing(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await sign_in(newsroom, reader)
    for lie in LIES:
        lie(device := Device(SITE.url))
        answer = await add(reader, device.create(await options(reader)))
        assert (answer.status_code, answer.json()["error"]) == (403, UNFIT), lie
    assert count(newsroom, PASSKEY) == 0


async def test_an_answer_for_another_site_lets_nobody_in(
    newsroom: Newsroom, reader: httpx.AsyncClient, device: Device
) -> None:
    await sign_in(newsroom, reader)
    await added(reader, device)
    async with newsroom.client() as other:
        for lie in LIES:
            lie(liar := Device(SITE.url, held=device.held))
            answer = await enter(other, liar.get(await asked(other)))
            assert (answer.status_code, answer.json()["error"]) == (403, UNFIT), lie
            assert COOKIE not in other.cookies


async def test_an_answer_counts_once(newsroom: Newsroom, reader: httpx.AsyncClient, device: Device) -> None:
    await sign_in(newsroom, reader)
    await added(reader, device)
    device.counts = False
    device.held[0].count = 5
    async with newsroom.client() as other:
        signed = device.get(await asked(other))
        cookie = other.cookies[ASKED]
        assert (await enter(other, signed)).status_code == 200
        assert ASKED not in other.cookies
        other.cookies.set(ASKED, cookie, domain="harbour.example")
        answer = await enter(other, signed)
        assert (answer.status_code, answer.json()["error"]) == (403, STALE)


async def test_an_answer_counts_in_the_browser_that_was_asked(
    newsroom: Newsroom, reader: httpx.AsyncClient, device: Device
) -> None:
    await sign_in(newsroom, reader)
    await added(reader, device)
    async with newsroom.client() as other, newsroom.client() as third:
        signed = device.get(await asked(other))
        assert (await enter(third, signed)).json()["error"] == STALE
        await asked(third)
        assert (await enter(third, signed)).json()["error"] == UNFIT, "it was asked something else"
        third.cookies.set(ASKED, "guess", domain="harbour.example")
        assert (await enter(third, signed)).json()["error"] == STALE


async def test_an_answer_that_takes_too_long_is_none(
    newsroom: Newsroom, reader: httpx.AsyncClient, device: Device
) -> None:
    await sign_in(newsroom, reader)
    await added(reader, device)
    async with newsroom.client() as other:
        signed = device.get(await asked(other))
        newsroom.clock.move(LASTS)
        assert (await enter(other, signed)).json()["error"] == STALE
        await asked(other)
    assert count(newsroom, CHALLENGE) == 1, "what nobody answered in time is forgotten"


async def test_what_was_asked_to_add_one_lets_nobody_in(
    newsroom: Newsroom, reader: httpx.AsyncClient, device: Device
) -> None:
    await sign_in(newsroom, reader)
    await added(reader, device)
    assert (await enter(reader, device.get(await options(reader)))).json()["error"] == STALE


async def test_a_passkey_that_nobody_added_opens_nothing(
    newsroom: Newsroom, reader: httpx.AsyncClient, device: Device
) -> None:
    await sign_in(newsroom, reader)
    device.create(await options(reader))
    async with newsroom.client() as other:
        answer = await enter(other, device.get(await asked(other)))
    assert answer.status_code == 403
    assert UNKNOWN in answer.json()["error"]


async def test_nobody_signs_for_somebody_elses_passkey(newsroom: Newsroom, device: Device) -> None:
    async with newsroom.client() as client:
        await sign_in(newsroom, client, "admin")
        await added(client, device)
    mallory = Device(SITE.url)
    async with newsroom.client() as client:
        await sign_in(newsroom, client, "editor")
        await added(client, mallory)
    async with newsroom.client() as client:
        # Under the name of the admin's key, with one's own.
        signed = mallory.get(await asked(client))
        signed["id"] = signed["rawId"] = device.get({"challenge": "AA"})["id"]
        assert (await enter(client, signed)).json()["error"] == UNFIT
        # With one's own key, for the admin's account.
        options = await asked(client)
        mallory.held[0].handle = device.held[0].handle
        assert (await enter(client, mallory.get(options))).json()["error"] == UNFIT
        assert COOKIE not in client.cookies


async def test_a_closed_account_stays_closed(newsroom: Newsroom, device: Device) -> None:
    async with newsroom.client() as client:
        await sign_in(newsroom, client, "editor")
        await added(client, device)
    await revoke_account(newsroom.database, newsroom.clock, "cleo-editor", by="ada")
    async with newsroom.client() as client:
        assert UNKNOWN in (await enter(client, device.get(await asked(client)))).json()["error"]
        assert COOKIE not in client.cookies


async def test_an_account_that_was_closed_otherwise_stays_closed_too(
    newsroom: Newsroom, device: Device
) -> None:
    async with newsroom.client() as client:
        await sign_in(newsroom, client, "editor")
        await added(client, device)
    newsroom.database.write_now(lambda s: s.execute(update(ACCOUNT).values(revoked_at=NOW)))
    async with newsroom.client() as client:
        assert UNKNOWN in (await enter(client, device.get(await asked(client)))).json()["error"]


async def test_a_passkey_that_counts_back_is_refused_and_recorded(
    newsroom: Newsroom, reader: httpx.AsyncClient, device: Device
) -> None:
    await sign_in(newsroom, reader)
    await added(reader, device)
    device.held[0].count = 6
    async with newsroom.client() as other:
        assert (await enter(other, device.get(await asked(other)))).status_code == 200
    device.counts = False
    for said in (7, 6, 1, 0):
        device.held[0].count = said
        async with newsroom.client() as other:
            answer = await enter(other, device.get(await asked(other)))
            assert answer.status_code == 403
            assert "as a copy of it would" in answer.json()["error"]
            assert COOKIE not in other.cookies
        newest = (await acts(newsroom))[0].deed
        assert (newest.by, newest.act) == ("cleo-chief", "account.passkey.refuse")
        assert newest.was == {"passkey": "my telephone", "count": 7}
        assert newest.became == {"passkey": "my telephone", "count": said}


async def test_a_passkey_that_does_not_count_lets_in_again_and_again(
    newsroom: Newsroom, reader: httpx.AsyncClient, device: Device
) -> None:
    device.counts = False
    await sign_in(newsroom, reader)
    await added(reader, device)
    for _ in range(3):
        async with newsroom.client() as other:
            assert (await enter(other, device.get(await asked(other)))).status_code == 200


async def test_next_leads_to_the_desk_alone(
    newsroom: Newsroom, reader: httpx.AsyncClient, device: Device
) -> None:
    await sign_in(newsroom, reader)
    await added(reader, device)
    for next in ("https://evil.example", "//evil.example", "/\\evil.example", ""):
        async with newsroom.client() as other:
            answer = await enter(other, device.get(await asked(other)), next=next)
            assert answer.json() == {"to": "/desk"}


async def test_what_is_no_json_is_refused(reader: httpx.AsyncClient) -> None:
    for body in (b"", b"[]", b"3", b"\xff", b'{"a":', b"[" * 60_000):
        answer = await reader.post("/desk/sign-in/passkey", content=body)
        assert (answer.status_code, answer.json()["error"]) == (400, "Send an object of JSON.")
    assert (await reader.post("/desk/sign-in/passkey", content=b"x" * 70_000)).status_code == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
HARBOUR = Place("harbour.example", SITE.url, SITE.title)
ADA, CHALLENGE_BYTES = Account(1, "ada", "editor", NOW), bytes(32)
TELEPHONE = Device(SITE.url)
PUBLIC_KEY = _registered(
    HARBOUR, CHALLENGE_BYTES, TELEPHONE.create(json.loads(_creation(HARBOUR, ADA, [], CHALLENGE_BYTES)))
).credential_public_key
SIGNED = TELEPHONE.get(json.loads(_request(HARBOUR, CHALLENGE_BYTES)))
PLACES = ["id", "rawId", "type", "response", "clientDataJSON", "authenticatorData", "signature", "userHandle"]


@settings(max_examples=150)
@given(place=st.sampled_from(PLACES), value=JSON | st.binary(max_size=40).map(bytes_to_base64url))
def test_no_nonsense_is_an_answer_or_a_fault_of_ours(place: str, value: object) -> None:
    signed = copy.deepcopy(SIGNED)
    (signed if place in signed else signed["response"])[place] = value
    if signed == SIGNED:
        return
    try:
        _signed(HARBOUR, CHALLENGE_BYTES, signed, PUBLIC_KEY)
    except Refused:
        return
    # Who it is for is compared later, by the account that it names.
    assert place == "userHandle"
    told = signed["response"]["userHandle"]
    assert not told or not _is_of(signed, ADA)


async def test_whoever_tries_too_often_waits(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_in, "MOST_FROM_ADDRESS", 5)
    async with newsroom.client() as reader:
        for _ in range(5):
            assert (await enter(reader, {})).status_code == 403
        answer = await enter(reader, {})
        assert answer.status_code == 429
        assert "wait a quarter of an hour" in answer.json()["error"]
        newsroom.clock.move(WITHIN)
        assert (await enter(reader, {})).status_code == 403


async def test_whoever_begins_too_often_waits(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.web.desk.asked.MOST_ASKED", 3)
    async with newsroom.client() as reader:
        for _ in range(3):
            await asked(reader)
        answer = await reader.post("/desk/sign-in/passkey/options", json={})
        assert answer.status_code == 429
    assert count(newsroom, CHALLENGE) == 3


async def test_other_sites_ask_and_send_nothing(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    theirs = {"Origin": "https://evil.example"}
    for path in ("/desk/sign-in/passkey/options", "/desk/sign-in/passkey"):
        answer = await reader.post(path, json={}, headers=theirs)
        assert answer.status_code == 403
        assert "Another site sent this" in answer.json()["error"]
    assert count(newsroom, CHALLENGE) == 0


async def test_faults_are_told_in_the_language_of_whoever_reads(reader: httpx.AsyncClient) -> None:
    answer = await reader.post("/desk/sign-in/passkey", json={}, headers={"accept-language": "fr"})
    assert "recommencez" in answer.json()["error"]


# Taking one out


async def test_a_passkey_that_is_removed_opens_nothing(
    newsroom: Newsroom, reader: httpx.AsyncClient, device: Device
) -> None:
    await sign_in(newsroom, reader)
    await added(reader, device)
    number = newsroom.database.read_now(lambda s: s.execute(select(PASSKEY.c.id)).scalar_one())
    answer = await send(reader, "/desk/you/passkeys", passkey=str(number))
    assert answer.headers["location"] == "/desk/you?done=passkey-gone"
    assert count(newsroom, PASSKEY) == 0
    assert (await acts(newsroom))[0].deed.act == "account.passkey.remove"
    again = await send(reader, "/desk/you/passkeys", passkey=str(number))
    assert again.status_code == 303
    async with newsroom.client() as other:
        assert UNKNOWN in (await enter(other, device.get(await asked(other)))).json()["error"]


async def test_nobody_removes_somebody_elses(newsroom: Newsroom, device: Device) -> None:
    async with newsroom.client() as client:
        await sign_in(newsroom, client)
        await added(client, device)
    number = newsroom.database.read_now(lambda s: s.execute(select(PASSKEY.c.id)).scalar_one())
    async with newsroom.client() as other:
        await sign_in(newsroom, other, "admin")
        for said in (str(number), "x", "", "-1", "9" * 30):
            await send(other, "/desk/you/passkeys", passkey=said)
    assert count(newsroom, PASSKEY) == 1


async def test_the_only_way_in_stays(newsroom: Newsroom, reader: httpx.AsyncClient, device: Device) -> None:
    await sign_in(newsroom, reader)
    await added(reader, device)
    newsroom.database.write_now(lambda s: s.execute(update(ACCOUNT).values(password_hash=None)))
    number = newsroom.database.read_now(lambda s: s.execute(select(PASSKEY.c.id)).scalar_one())
    answer = await send(reader, "/desk/you/passkeys", passkey=str(number))
    assert answer.status_code == 409
    assert "Nothing else would open your account" in plain(answer)
    assert count(newsroom, PASSKEY) == 1
    await added(reader, Device(SITE.url), "another one")
    assert (await send(reader, "/desk/you/passkeys", passkey=str(number))).status_code == 303
    assert (count(newsroom, PASSKEY), count(newsroom, SESSION)) == (1, 1)
