"""Signing in at the desk: who gets in, how long they stay, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import func, select, update
from sqlmodel import Session
from starlette.responses import PlainTextResponse, Response

from aggregator.flows.partners import key_digest
from aggregator.flows.signing_in import IDLE, LASTS, sign_in, signed_in
from aggregator.rules.channels import Site
from aggregator.store.tables_people import ACCOUNT, SESSION
from aggregator.web.context import service_of
from aggregator.web.desk import frame
from aggregator.web.desk.signing_in import MOST_FAILURES, MOST_NAMES, WITHIN, Failures
from tests.conftest import NOW, Clock
from tests.web.desk_users import account
from tests.web.newsroom import SITE, Newsroom

COOKIE = "__Host-wirebrief"
WRONG = "This name and this password do not belong together."


@pytest.fixture(autouse=True)
async def ada(newsroom: Newsroom) -> None:
    """Ada and Ben have accounts."""
    for name in ("ada", "ben"):
        await account(newsroom, name, "editor", f"{name}-s password")


async def enter(
    reader: httpx.AsyncClient, name: str = "ada", password: str = "ada-s password", **more: str
) -> httpx.Response:
    """Send the form for signing in."""
    return await reader.post("/desk/sign-in", data={"name": name, "password": password, **more})


async def token_of(newsroom: Newsroom, name: str = "ada") -> str:
    """The token of a new session."""
    token = await sign_in(newsroom.database, newsroom.clock, newsroom.passwords, name, f"{name}-s password")
    assert isinstance(token, str)
    return token


async def form_token(newsroom: Newsroom, reader: httpx.AsyncClient) -> str:
    """What a form of the session carries that a reader is in."""
    who = await signed_in(newsroom.database, newsroom.clock, reader.cookies[COOKIE])
    assert who is not None
    return who.form_token


def sessions_of(newsroom: Newsroom) -> int:
    def count(session: Session) -> int:
        return session.execute(select(func.count()).select_from(SESSION)).scalar_one()

    return newsroom.database.read_now(count)


# Coming in


async def test_the_page_asks_for_a_name_and_a_password(reader: httpx.AsyncClient) -> None:
    page = await reader.get("/desk/sign-in")
    assert page.status_code == 200
    assert all(f'name="{field}"' in page.text for field in ("name", "password", "next"))
    assert page.text.count("<script") == 2
    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert (await reader.head("/desk/sign-in")).status_code == 200


async def test_the_style_that_the_page_names_is_there(reader: httpx.AsyncClient) -> None:
    page = (await reader.get("/desk/sign-in")).text
    assert "/static/desk.css?v=" in page
    assert (await reader.get("/static/desk.css")).status_code == 200


async def test_the_right_password_signs_in_and_leads_on(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    answer = await enter(reader, next="/desk/briefs?state=draft")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/briefs?state=draft")
    who = await signed_in(newsroom.database, newsroom.clock, reader.cookies[COOKIE])
    assert who is not None
    assert (who.account.name, who.expires_at) == ("ada", NOW + LASTS)


async def test_blanks_around_a_pasted_password_do_no_harm(reader: httpx.AsyncClient) -> None:
    assert (await enter(reader, " ada ", " ada-s password\n")).status_code == 303


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", "guess"), ("ada", "ben-s password"), ("nobody", "ada-s password"), ("", ""), ("adä", "é")],
)
async def test_a_password_that_does_not_belong_to_the_name_is_refused(
    newsroom: Newsroom, reader: httpx.AsyncClient, name: str, password: str
) -> None:
    answer = await enter(reader, name, password)
    assert answer.status_code == 403
    assert WRONG in answer.text
    assert "set-cookie" not in answer.headers
    assert sessions_of(newsroom) == 0


async def test_a_name_that_is_no_text_is_refused_before_anything_is_asked(reader: httpx.AsyncClient) -> None:
    assert (await enter(reader, "ad\0a", "é")).status_code == 400


async def test_what_was_typed_stays_text(reader: httpx.AsyncClient) -> None:
    answer = await enter(reader, '"><script>', "guess", next='"><img>')
    assert answer.text.count("<script") == 2
    assert "<img" not in answer.text
    assert "guess" not in answer.text


async def test_a_revoked_account_does_not_get_in(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    revoke(newsroom)
    assert (await enter(reader)).status_code == 403


@pytest.mark.parametrize(
    "next", ["https://evil.example/desk", "//evil.example", "/\\evil.example", "/desk//evil.example", "/", ""]
)
async def test_next_never_leads_to_another_site(reader: httpx.AsyncClient, next: str) -> None:
    answer = await enter(reader, next=next)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")


async def test_a_line_break_in_next_adds_no_header(reader: httpx.AsyncClient) -> None:
    answer = await enter(reader, next="/desk\r\nX-Evil: 1")
    assert "x-evil" not in answer.headers


async def test_a_site_below_another_one_keeps_its_path(newsroom: Newsroom) -> None:
    newsroom.site = Site(url="https://harbour.example/wire")
    async with newsroom.client() as reader:
        reader.base_url = httpx.URL("https://harbour.example")
        answer = await enter(reader, next="/desk/briefs")
        assert answer.headers["location"] == "/wire/desk/briefs"
        assert 'action="/wire/desk/sign-in"' in (await reader.get("/desk/sign-in")).text


# The cookie


async def test_no_script_and_no_other_site_gets_at_the_cookie(reader: httpx.AsyncClient) -> None:
    said = (await enter(reader)).headers["set-cookie"]
    name, *flags = said.split("; ")
    assert name.startswith(f"{COOKIE}=")
    assert sorted(flags) == ["HttpOnly", "Max-Age=1209600", "Path=/", "SameSite=lax", "Secure"]


async def test_a_desk_without_tls_still_works(newsroom: Newsroom) -> None:
    newsroom.site = Site(url="http://127.0.0.1:8000")
    async with newsroom.client() as reader:
        said = (await enter(reader)).headers["set-cookie"]
    assert said.startswith("wirebrief=")
    assert "Secure" not in said


async def test_the_database_holds_no_token(newsroom: Newsroom) -> None:
    token = await token_of(newsroom)
    held = newsroom.database.read_now(lambda s: s.execute(select(SESSION)).one())
    assert token not in list(held)
    assert held.token_digest == key_digest(token)


# How long it lasts


async def test_a_session_ends_by_itself(newsroom: Newsroom) -> None:
    token = await token_of(newsroom)
    for _ in range(LASTS // timedelta(days=1) - 1):
        newsroom.clock.move(timedelta(days=1))
        assert await signed_in(newsroom.database, newsroom.clock, token)
    newsroom.clock.move(timedelta(days=1) - timedelta(seconds=1))
    assert await signed_in(newsroom.database, newsroom.clock, token)
    newsroom.clock.move(timedelta(seconds=1))
    assert await signed_in(newsroom.database, newsroom.clock, token) is None


async def test_a_session_of_a_revoked_account_is_nobodys(newsroom: Newsroom) -> None:
    token, other = await token_of(newsroom), await token_of(newsroom, "ben")
    revoke(newsroom)
    assert await signed_in(newsroom.database, newsroom.clock, token) is None
    assert await signed_in(newsroom.database, newsroom.clock, other)


async def test_a_guessed_token_is_nobodys(newsroom: Newsroom) -> None:
    token = await token_of(newsroom)
    assert await signed_in(newsroom.database, newsroom.clock, key_digest(token)) is None
    assert await signed_in(newsroom.database, newsroom.clock, "") is None


async def test_signing_in_sweeps_what_has_expired(newsroom: Newsroom) -> None:
    await token_of(newsroom)
    newsroom.clock.move(LASTS)
    await token_of(newsroom, "ben")
    assert sessions_of(newsroom) == 1


async def test_a_session_that_nobody_uses_ends_before(newsroom: Newsroom) -> None:
    token = await token_of(newsroom)
    newsroom.clock.move(IDLE - timedelta(seconds=1))
    assert await signed_in(newsroom.database, newsroom.clock, token)
    newsroom.clock.move(IDLE)
    assert await signed_in(newsroom.database, newsroom.clock, token) is None


# Too many wrong passwords


async def test_after_ten_wrong_passwords_a_name_waits(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    for _ in range(MOST_FAILURES):
        assert (await enter(reader, password="guess")).status_code == 403
    answer = await enter(reader)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
    assert "try again in 15 min." in answer.text
    assert (await enter(reader, "ben", "ben-s password")).status_code == 303, "nobody else waits"
    newsroom.clock.move(WITHIN)
    assert (await enter(reader)).status_code == 303


async def test_the_right_password_forgets_the_wrong_ones(reader: httpx.AsyncClient) -> None:
    for _ in range(2):
        for _ in range(MOST_FAILURES - 1):
            await enter(reader, password="guess")
        assert (await enter(reader)).status_code == 303


def test_a_clock_that_was_set_back_makes_nobody_wait() -> None:
    clock = Clock()
    failures = Failures(clock)
    for _ in range(MOST_FAILURES):
        failures.note("ada")
    clock.move(timedelta(days=-1))
    assert failures.wait("ada") is None


def test_failures_of_few_names_are_kept() -> None:
    failures = Failures(Clock())
    for _ in range(MOST_FAILURES):
        failures.note("ada")
    assert failures.wait("ada") == WITHIN
    for number in range(MOST_NAMES):
        failures.note(f"bot {number}")
    assert failures.wait("ada") is None
    assert len(failures._by_name) == MOST_NAMES


# Forms


async def test_signing_out_ends_the_session(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    await enter(reader)
    token = reader.cookies[COOKIE]
    fields = {"form_token": await form_token(newsroom, reader)}
    answer = await reader.post("/desk/sign-out", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/sign-in")
    assert COOKIE not in reader.cookies
    assert await signed_in(newsroom.database, newsroom.clock, token) is None


@pytest.mark.parametrize("fields", [{}, {"form_token": ""}, {"form_token": "gué"}])
async def test_a_form_without_its_token_is_refused(
    newsroom: Newsroom, reader: httpx.AsyncClient, fields: dict[str, str]
) -> None:
    await enter(reader)
    answer = await reader.post("/desk/sign-out", data=fields)
    assert answer.status_code == 403
    assert "load the page anew" in answer.text
    assert sessions_of(newsroom) == 1


async def test_a_form_of_somebody_elses_session_is_refused(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await enter(reader)
    theirs = await signed_in(newsroom.database, newsroom.clock, await token_of(newsroom, "ben"))
    assert theirs is not None
    answer = await reader.post("/desk/sign-out", data={"form_token": theirs.form_token})
    assert answer.status_code == 403


FOREIGN = [
    "https://evil.example",
    "null",
    "",
    "http://harbour.example",
    "https://harbour.example:444",
    "https://harbour.example.evil.example",
    "https://[",
]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_what_another_site_sends_is_refused(
    newsroom: Newsroom, reader: httpx.AsyncClient, origin: str
) -> None:
    said = {"Origin": origin}
    answer = await reader.post(
        "/desk/sign-in", data={"name": "ada", "password": "ada-s password"}, headers=said
    )
    assert answer.status_code == 403
    assert "Another site sent this form" in answer.text
    await enter(reader)
    fields = {"form_token": await form_token(newsroom, reader)}
    assert (await reader.post("/desk/sign-out", data=fields, headers=said)).status_code == 403
    assert sessions_of(newsroom) == 1


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://harbour.example", "https://harbour.example"),
        ("https://harbour.example", "https://HARBOUR.example:443"),
        # A proxy that speaks TLS asks us under an address of its own.
        ("http://127.0.0.1:8000", "https://harbour.example"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
async def test_our_own_pages_may_send(newsroom: Newsroom, address: str, origin: str) -> None:
    async with newsroom.client() as reader:
        reader.base_url = httpx.URL(address)
        fields = {"name": "ada", "password": "ada-s password"}
        answer = await reader.post("/desk/sign-in", data=fields, headers={"Origin": origin})
    assert answer.status_code == 303


async def test_a_form_that_is_too_long_is_refused(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    assert (await enter(reader, password="k" * 5_000)).status_code == 400
    assert (await enter(reader, **{f"field{n}": "" for n in range(20)})).status_code == 400
    many = {"name": (None, "ada"), "file": ("a.txt", b"text")}
    assert (await reader.post("/desk/sign-in", files=many)).status_code == 400


# What other pages of the desk stand on


@pytest.fixture
async def page(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of the desk that says who reads it, and that sends back what it is sent."""
    from aggregator.web import service

    def handle(app: FastAPI) -> None:
        @app.get("/desk/mine")
        async def mine(who: frame.Who, here: Annotated[frame.Service, Depends(service_of)]) -> Response:
            return frame.render_desk(here, who, "base.html", 202, here="briefs")

        @app.post("/desk/mine")
        async def sent(fields: frame.Sent) -> Response:
            return PlainTextResponse(repr(fields))

        known(app)

    known = service.problems.handle
    monkeypatch.setattr(service.problems, "handle", handle)


@pytest.mark.usefixtures("page")
async def test_a_page_of_the_desk_leads_to_signing_in_and_back(newsroom: Newsroom) -> None:
    async with newsroom.client() as reader:
        answer = await reader.get("/desk/mine?a=1&b=2")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/desk/sign-in?next=/desk/mine%3Fa%3D1%26b%3D2"
        asked = await reader.get(answer.headers["location"])
        assert 'name="next" value="/desk/mine?a=1&amp;b=2"' in asked.text
        answer = await enter(reader, next="/desk/mine?a=1&b=2")
        seen = await reader.get(answer.headers["location"])
    assert (seen.status_code, seen.headers["cache-control"]) == (202, "no-store")
    assert '/desk/you">ada</a>' in seen.text
    assert '<a href="/desk/briefs" aria-current="page">Briefs</a>' in seen.text
    assert 'action="/desk/sign-out"' in seen.text


@pytest.mark.usefixtures("page")
async def test_a_form_reaches_its_page_as_text(newsroom: Newsroom) -> None:
    async with newsroom.client() as reader:
        await enter(reader)
        token = await form_token(newsroom, reader)
        answer = await reader.post("/desk/mine", data={"form_token": token, "title": "Émeutes à Riyad"})
        assert answer.text == repr({"form_token": token, "title": "Émeutes à Riyad"})


@pytest.mark.usefixtures("page")
async def test_a_form_sent_after_the_session_ended_says_what_to_do(newsroom: Newsroom) -> None:
    async with newsroom.client() as reader:
        await enter(reader)
        newsroom.clock.move(LASTS)
        answer = await reader.post("/desk/mine", data={"form_token": "any"})
    assert answer.status_code == 401
    assert "do so at /desk/sign-in" in answer.text


def test_the_cookie_is_bound_to_the_host_where_there_is_tls() -> None:
    assert frame.cookie_name(SITE) == COOKIE
    assert frame.cookie_name(Site(url="http://127.0.0.1:8000")) == "wirebrief"


def revoke(newsroom: Newsroom) -> None:
    """Ada's account is revoked."""
    statement = update(ACCOUNT).where(ACCOUNT.c.name == "ada").values(revoked_at=NOW)
    newsroom.database.write_now(lambda session: session.execute(statement))
