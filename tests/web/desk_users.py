"""Whoever sits at the desk in a test: signed in, looking at pages, sending their forms."""

from __future__ import annotations

import re
from html import unescape

import httpx

from aggregator.store import accounts
from tests.conftest import NOW
from tests.web.newsroom import Newsroom

PASSWORD = "the password of cleo"


async def sign_in(newsroom: Newsroom, reader: httpx.AsyncClient, role: str = "chief", zone: str = "") -> str:
    """Cleo signs in with a new account of this role; where that leads her."""
    name = f"cleo-{role}"
    await account(newsroom, name, role, PASSWORD)
    answer = await reader.post("/desk/sign-in", data={"name": name, "password": PASSWORD, "zone": zone})
    assert answer.status_code == 303
    return str(answer.headers["location"])


async def account(newsroom: Newsroom, name: str, role: str, password: str) -> None:
    """An account that has its password."""
    kept = await newsroom.passwords.hash(password)
    await newsroom.database.write(lambda s: accounts.add(s, name, role, now=NOW, password_hash=kept))


async def page(client: httpx.AsyncClient, path: str, status: int = 200) -> str:
    """A page as a person reads it, in one line."""
    answer = await client.get(path)
    assert answer.status_code == status, answer.text
    return plain(answer)


def plain(answer: httpx.Response) -> str:
    """What an answer says, without line breaks."""
    return re.sub(r"\s+", " ", unescape(answer.text))


async def send(client: httpx.AsyncClient, path: str, /, **fields: str) -> httpx.Response:
    """Send a form of the desk, with the token that its pages carry."""
    found = re.search(r'name="form_token" value="([^"]+)"', (await client.get("/desk/today")).text)
    assert found is not None
    return await client.post(path, data={"form_token": found[1], **fields})
