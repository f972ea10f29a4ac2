"""Who is let in: by whom, with what, for how long; and how each is put out again."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows import people
from aggregator.flows.partners import key_digest
from aggregator.flows.passwords import SHORTEST, Passwords, require_good
from aggregator.flows.signing_in import Browser, MustChoose, sessions_of, sign_in, signed_in
from aggregator.people import SignedIn
from aggregator.store import accounts, audit
from aggregator.store.tables_people import ACCOUNT, API_KEY, INVITATION
from aggregator.web.desk.signing_in import MOST_FROM_ADDRESS, Throttle
from tests.conftest import Clock
from tests.web.desk_users import PASSWORD, account, page, plain, send
from tests.web.desk_users import sign_in as sits_down
from tests.web.newsroom import Newsroom

GOOD = "seven grey herons"
COOKIE = "__Host-wirebrief"


async def invited(newsroom: Newsroom, name: str = "zoe", role: str = "editor") -> str:
    """The token of the link of a new account."""
    return await people.add_account(newsroom.database, newsroom.clock, name, role, by="cleo")


async def joined(newsroom: Newsroom, token: str, password: str = GOOD) -> str | None:
    return await people.join(newsroom.database, newsroom.clock, newsroom.passwords, token, password)


async def enters(newsroom: Newsroom, name: str, password: str) -> str | MustChoose | None:
    return await sign_in(newsroom.database, newsroom.clock, newsroom.passwords, name, password)


async def who(newsroom: Newsroom, token: str | None) -> SignedIn | None:
    return await signed_in(newsroom.database, newsroom.clock, token or "")


def acts(newsroom: Newsroom) -> list[tuple[str, str, str]]:
    """Who did what to what, the first first."""
    found = newsroom.database.read_now(audit.newest)
    return [(each.deed.by, each.deed.act, each.deed.subject) for each in reversed(found)]


# The link of a new account


async def test_a_link_lets_somebody_choose_a_password_once(newsroom: Newsroom) -> None:
    token = await invited(newsroom)
    session = await joined(newsroom, token)
    seen = await who(newsroom, session)
    assert seen is not None
    assert (seen.account.name, seen.account.role) == ("zoe", "editor")
    assert await joined(newsroom, token) is None
    assert isinstance(await enters(newsroom, "zoe", GOOD), str)
    assert acts(newsroom) == [("cleo", "account.add", "zoe"), ("zoe", "account.join", "zoe")]


async def test_to_look_at_a_link_uses_nothing_up(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    token = await invited(newsroom)
    for _ in range(3):
        seen = await reader.get(f"/desk/join?token={token}")
        assert seen.status_code == 200
        assert "Welcome, zoe" in seen.text
        assert seen.headers["referrer-policy"] == "same-origin"
        assert seen.headers["cache-control"] == "no-store"
    answer = await reader.post("/desk/join", data={"token": token, "password": GOOD, "again": GOOD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    assert "Role: editor" in await page(reader, "/desk/you")
    assert (await reader.get(f"/desk/join?token={token}")).status_code == 404


@pytest.mark.parametrize("wait", [timedelta(days=3), timedelta(days=400)])
async def test_a_link_runs_out(newsroom: Newsroom, wait: timedelta) -> None:
    token = await invited(newsroom)
    newsroom.clock.move(wait)
    assert await joined(newsroom, token) is None


async def test_a_newer_link_takes_the_place_of_the_older(newsroom: Newsroom) -> None:
    first = await invited(newsroom)
    second = await people.new_link(newsroom.database, newsroom.clock, "zoe", by="cleo")
    assert await joined(newsroom, first) is None
    assert await joined(newsroom, second)


async def test_a_lost_password_is_chosen_anew_and_every_browser_is_signed_out(newsroom: Newsroom) -> None:
    session = await joined(newsroom, await invited(newsroom))
    again = await people.new_link(newsroom.database, newsroom.clock, "zoe", by="cleo")
    assert await who(newsroom, session), "until it is used the link changes nothing"
    assert await joined(newsroom, again, "eight brown herons")
    assert await who(newsroom, session) is None
    assert await enters(newsroom, "zoe", GOOD) is None


async def test_the_database_holds_neither_a_link_nor_a_password(newsroom: Newsroom) -> None:
    token = await invited(newsroom)

    def held(session: Session) -> str:
        return repr([session.execute(select(table)).all() for table in (ACCOUNT, INVITATION, API_KEY)])

    key = await people.add_key(newsroom.database, newsroom.clock, "cms", "viewer", by="cleo")
    before = newsroom.database.read_now(held)
    await joined(newsroom, token)
    after = newsroom.database.read_now(held)
    assert token not in before
    assert key not in before
    assert GOOD not in after
    assert "$argon2id$" in after


async def test_a_key_of_before_there_were_passwords_leads_to_choosing_one(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    token = await invited(newsroom, "old hand", "chief")
    answer = await reader.post("/desk/sign-in", data={"name": "old hand", "password": f" {token}\n"})
    assert answer.status_code == 303
    where = urlsplit(answer.headers["location"])
    assert (where.path, parse_qs(where.query)) == ("/desk/join", {"token": [token]})
    assert (await reader.post("/desk/sign-in", data={"name": "zoe", "password": token})).status_code == 403


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", f"{SHORTEST} characters or more"),
        ("x" * 201, "at most"),
        ("aaaaaaaaaaaaaaaa", "again and again"),
        ("zoezoezoezoezoezoe", "not your name"),
    ],
)
async def test_a_password_to_rely_on_is_asked_for_and_the_link_stays(
    newsroom: Newsroom, reader: httpx.AsyncClient, password: str, said: str
) -> None:
    token = await invited(newsroom)
    fields = {"token": token, "password": password, "again": password}
    answer = await reader.post("/desk/join", data=fields)
    assert answer.status_code == 400
    assert said in plain(answer)
    assert password not in answer.text
    assert await joined(newsroom, token)


async def test_a_password_that_was_mistyped_once_is_asked_for_again(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    fields = {"token": await invited(newsroom), "password": GOOD, "again": GOOD + "s"}
    answer = await reader.post("/desk/join", data=fields)
    assert answer.status_code == 400
    assert "The two passwords differ" in answer.text


async def test_the_same_letters_from_another_keyboard_are_the_same_password() -> None:
    kept = Passwords()
    composed, apart = "sept hérons gris", "sept he\u0301rons gris"
    assert await kept.is_right(await kept.hash(composed), apart)
    assert not await kept.is_right("no hash at all", composed)
    require_good(composed, "zoe")


# Names


@pytest.mark.parametrize("name", ["", " zoe", "zoe\n", "zo\0e", "z" * 61, "zo\u202ee", "\u200bzoe"])
async def test_a_name_that_could_pass_for_another_is_refused(newsroom: Newsroom, name: str) -> None:
    with pytest.raises(BadInput, match="is no name for an account"):
        await invited(newsroom, name)


@pytest.mark.parametrize("name", ["Zoe", "ZOE", "ｚoe"])
async def test_no_two_sign_alike(newsroom: Newsroom, name: str) -> None:
    await invited(newsroom)
    with pytest.raises(BadInput, match="is taken"):
        await invited(newsroom, name)


async def test_a_program_does_not_sign_like_a_person(newsroom: Newsroom) -> None:
    await invited(newsroom)
    about = (newsroom.database, newsroom.clock)
    with pytest.raises(BadInput, match="is taken"):
        await people.add_key(*about, "zoe", "viewer", by="cleo")
    await people.add_key(*about, "cms", "viewer", by="cleo")
    with pytest.raises(BadInput, match="is taken"):
        await invited(newsroom, "CMS")
    await people.revoke_key(*about, "cms", by="cleo")
    with pytest.raises(BadInput, match="is taken, or was"):
        await people.add_key(*about, "cms", "viewer", by="cleo")


async def test_there_are_only_the_roles_that_there_are(newsroom: Newsroom) -> None:
    with pytest.raises(BadInput, match="There is no role 'root': write one of viewer, editor, chief, admin"):
        await invited(newsroom, "zoe", "root")
    with pytest.raises(BadInput, match="lets nobody in"):
        await people.add_key(newsroom.database, newsroom.clock, "cms", "admin", by="cleo")


# Changing and ending


async def test_a_change_of_role_holds_from_the_next_request_on(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await sits_down(newsroom, reader, "admin")
    session = await joined(newsroom, await invited(newsroom))
    answer = await send(reader, "/desk/people/role", name="zoe", role="viewer")
    assert answer.status_code == 303
    seen = await who(newsroom, session)
    assert seen is not None
    assert seen.account.role == "viewer"
    last = newsroom.database.read_now(lambda s: audit.newest(s, limit=1))[0].deed
    assert (last.act, last.by, dict(last.was), dict(last.became)) == (
        "account.role", "cleo-admin", {"role": "editor"}, {"role": "viewer"},
    )  # fmt: skip


async def test_a_closed_account_is_out_at_once_and_for_good(newsroom: Newsroom) -> None:
    session = await joined(newsroom, await invited(newsroom))
    await people.revoke_account(newsroom.database, newsroom.clock, "zoe", by="cleo")
    assert await who(newsroom, session) is None
    assert await enters(newsroom, "zoe", GOOD) is None
    with pytest.raises(BadInput, match="is closed since"):
        await people.new_link(newsroom.database, newsroom.clock, "zoe", by="cleo")


async def test_the_last_admin_can_neither_be_closed_nor_made_less(newsroom: Newsroom) -> None:
    await invited(newsroom, "ann", "admin")
    about = (newsroom.database, newsroom.clock, "ann")
    with pytest.raises(BadInput, match="the only admin"):
        await people.revoke_account(*about, by="ann")
    with pytest.raises(BadInput, match="the only admin"):
        await people.set_role(*about, "chief", by="ann")
    await invited(newsroom, "bea", "admin")
    await people.set_role(*about, "chief", by="bea")


async def test_an_admin_signs_somebody_out_everywhere(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await sits_down(newsroom, reader, "admin")
    session = await joined(newsroom, await invited(newsroom))
    assert (await send(reader, "/desk/people/sign-out", name="zoe")).status_code == 303
    assert await who(newsroom, session) is None
    assert isinstance(await enters(newsroom, "zoe", GOOD), str), "the password still opens"


# One's own


async def test_somebody_sees_where_they_are_signed_in_and_ends_it(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await sits_down(newsroom, reader, "editor")
    about = (newsroom.database, newsroom.clock, newsroom.passwords, "cleo-editor", PASSWORD)
    other = await sign_in(*about, Browser("Lynx/2.8 <b>", "192.0.2.7"))
    shown = await page(reader, "/desk/you")
    assert "Lynx/2.8 <b>" in shown
    assert "192.0.2.7" in shown
    assert "this browser" in shown
    found = re.search(r'name="session" value="(\d+)"', shown)
    assert found is not None
    assert (await send(reader, "/desk/you/sessions", session=found[1])).status_code == 303
    assert isinstance(other, str)
    assert await who(newsroom, other) is None
    assert (await reader.get("/desk/you")).status_code == 200


async def test_nobody_ends_the_session_of_somebody_else(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    session = await joined(newsroom, await invited(newsroom))
    theirs = await who(newsroom, session)
    assert theirs is not None
    await sits_down(newsroom, reader, "editor")
    for number in (theirs.session, "-1", "²", "9" * 30, "others"):
        assert (await send(reader, "/desk/you/sessions", session=str(number))).status_code == 303
    assert await who(newsroom, session)


async def test_a_changed_password_ends_every_other_session(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await sits_down(newsroom, reader, "editor")
    other = await enters(newsroom, "cleo-editor", PASSWORD)
    fields = {"old": PASSWORD, "password": GOOD, "again": GOOD}
    assert (await send(reader, "/desk/you/password", **fields)).status_code == 303
    assert isinstance(other, str)
    assert await who(newsroom, other) is None
    assert (await reader.get("/desk/you")).status_code == 200
    assert await enters(newsroom, "cleo-editor", PASSWORD) is None
    assert isinstance(await enters(newsroom, "cleo-editor", GOOD), str)


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong", GOOD, GOOD, "not your present password"),
        (PASSWORD, GOOD, "another", "The two passwords differ"),
        (PASSWORD, "short", "short", "characters or more"),
        (PASSWORD, "y" * 5_000, "y" * 5_000, "No password is as long as that"),
    ],
)
async def test_a_password_is_not_changed_by_mistake(
    newsroom: Newsroom, reader: httpx.AsyncClient, old: str, new: str, again: str, said: str
) -> None:
    await sits_down(newsroom, reader, "editor")
    answer = await send(reader, "/desk/you/password", old=old, password=new, again=again)
    assert answer.status_code == 400
    assert said in plain(answer)
    assert isinstance(await enters(newsroom, "cleo-editor", PASSWORD), str)


async def test_signing_in_never_goes_on_with_a_session_that_was_there(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    # Session fixation: whoever put a cookie there before must not be in afterwards.
    reader.cookies.set(COOKIE, "planted", domain="harbour.example")
    await sits_down(newsroom, reader, "editor")
    assert await who(newsroom, "planted") is None
    found = newsroom.database.read_now(lambda s: accounts.named(s, "cleo-editor"))
    assert found is not None
    assert len(await sessions_of(newsroom.database, newsroom.clock, found)) == 1


# Who guesses


def test_one_address_may_not_guess_for_ever_and_an_account_of_its_own_does_not_help() -> None:
    throttle = Throttle.of(Clock())
    for number in range(MOST_FROM_ADDRESS):
        assert throttle.wait(f"name {number}", "192.0.2.7") is None
        throttle.note(f"name {number}", "192.0.2.7")
        throttle.note("zoe", "192.0.2.7")
        throttle.forgive("zoe", "192.0.2.7")
    assert throttle.wait("anybody", "192.0.2.7") == timedelta(minutes=15)
    assert throttle.wait("anybody", "192.0.2.8") is None


# Programs


async def test_a_key_opens_the_api_for_its_role_until_it_ends(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    about = (newsroom.database, newsroom.clock)
    await newsroom.brief()
    looks = await people.add_key(*about, "looks", "viewer", by="cleo", lifetime=timedelta(days=30))
    writes = await people.add_key(*about, "writes", "editor", by="cleo")

    async def asked(key: str, method: str = "GET", path: str = "/api/briefs") -> int:
        answer = await reader.request(method, path, headers={"Authorization": f"Bearer {key}"})
        return answer.status_code

    assert await asked(looks) == 200
    assert await asked(looks, "POST", "/api/briefs/riyadh/publish") == 403
    assert await asked(writes, "POST", "/api/briefs/riyadh/publish") == 200
    newsroom.clock.move(timedelta(days=30))
    assert await asked(looks) == 401
    await people.revoke_key(*about, "writes", by="cleo")
    assert await asked(writes) == 401
    with pytest.raises(BadInput, match="There is no key 'writes' that opens anything"):
        await people.revoke_key(*about, "writes", by="cleo")


async def test_a_key_does_not_sign_in_and_a_password_is_no_key(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    key = await people.add_key(newsroom.database, newsroom.clock, "cms", "chief", by="cleo")
    await account(newsroom, "zoe", "admin", GOOD)
    assert (await reader.post("/desk/sign-in", data={"name": "cms", "password": key})).status_code == 403
    for secret in (GOOD, key_digest(key)):
        answer = await reader.get("/api/briefs", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 401


# The page of admins


async def test_an_admin_invites_somebody_and_makes_a_key_at_the_desk(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await sits_down(newsroom, reader, "admin")
    shown = plain(await send(reader, "/desk/people", name="zoe", role="chief"))
    found = re.search(r"https://harbour\.example/desk/join\?token=([\w-]+)", shown)
    assert found is not None
    assert await joined(newsroom, found[1])
    assert found[1] not in await page(reader, "/desk/people")
    shown = plain(await send(reader, "/desk/people/keys", key="cms", role="viewer", expires="30d"))
    key = re.search(r'<code class="secret">([\w-]{40,})</code>', shown)
    assert key is not None
    answer = await reader.get("/api/briefs", headers={"Authorization": f"Bearer {key[1]}"})
    assert answer.status_code == 200
    shown = await page(reader, "/desk/people")
    assert key[1] not in shown
    assert f"{key[1][:8]}…" in shown
    assert (await send(reader, "/desk/people/keys/revoke", key="cms")).status_code == 303
    assert (await send(reader, "/desk/people/revoke", name="zoe")).status_code == 400, "not by one slip"
    assert (await send(reader, "/desk/people/revoke", name="zoe", sure="yes")).status_code == 303
    assert "closed" in await page(reader, "/desk/people")
    assert [act for _, act, _ in acts(newsroom)] == [
        "account.add", "account.join", "key.add", "key.revoke", "account.revoke",
    ]  # fmt: skip


@pytest.mark.parametrize("role", ["viewer", "editor", "chief"])
async def test_only_an_admin_sees_who_is_let_in(
    newsroom: Newsroom, reader: httpx.AsyncClient, role: str
) -> None:
    await sits_down(newsroom, reader, role)
    assert (await reader.get("/desk/people")).status_code == 403
    assert (await send(reader, "/desk/people", name="zoe", role="admin")).status_code == 403
    assert 'href="/desk/people"' not in (await reader.get("/desk/today")).text
    assert newsroom.database.read_now(lambda s: accounts.named(s, "zoe")) is None
