"""`users` and `keys`: who is let in, from the command line."""

from __future__ import annotations

import json
import re

from tests.acceptance.desk import Desk

LINK = re.compile(r"^  ?(?:http\S+)/desk/join\?token=([\w-]{40,})$", re.MULTILINE)


def test_people_and_programs_are_let_in_and_put_out(desk: Desk) -> None:
    # No password is there before its holder chose it: `init` shows a link, once.
    first = desk.run("init", "--name", "ada")
    found = LINK.search(first.out)
    assert found is not None, first
    assert "ada" not in desk.run("init").out, "a second time there is nothing to show"

    added = desk.run("users", "add", "Zoë Martin", "--role", "editor")
    assert re.fullmatch(r"http\S+/desk/join\?token=[\w-]{40,}\n", added.out), "the link alone, to be piped on"
    assert "works once" in added.err
    assert "is taken" in desk.run("users", "add", "ZOË MARTIN", code=1).err
    assert "There is no role 'boss'" in desk.run("users", "role", "ada", "boss", code=1).err
    assert "the only admin" in desk.run("users", "revoke", "ada", code=1).err
    desk.run("users", "role", "Zoë Martin", "admin")
    again = desk.run("users", "link", "Zoë Martin").out
    assert again != added.out
    assert desk.run("users", "sign-out", "Zoë Martin").out == "Zoë Martin: signed out in 0 browsers.\n"
    desk.run("users", "revoke", "Zoë Martin")
    ada, zoe = desk.run("users", "list", "--json").rows
    assert (ada["name"], ada["role"], ada["password"], ada["link_until"] is None) == (
        "ada",
        "admin",
        False,
        False,
    )
    assert (zoe["name"], zoe["revoked"] is None, zoe["link_until"]) == ("Zoë Martin", False, None)
    assert "nothing: closed" in desk.run("users", "list").out

    key = desk.run("keys", "add", "cms", "--role", "editor", "--days", "30").out.strip()
    assert len(key) > 40
    (row,) = desk.run("keys", "list", "--json").rows
    assert (row["name"], row["role"], row["hint"], row["revoked"]) == ("cms", "editor", key[:8], None)
    assert key not in json.dumps(row)
    assert desk.run("keys", "revoke", "cms").out == "cms: the key opens nothing any more.\n"
    assert "There is no key 'cms' that opens anything" in desk.run("keys", "revoke", "cms", code=1).err

    acts = [act for (act,) in desk.rows("SELECT act FROM audit WHERE act NOT LIKE 'source.%' ORDER BY id")]
    assert acts == [
        "account.add", "account.add", "account.role", "account.link", "account.sign-out", "account.revoke",
        "key.add", "key.revoke",
    ]  # fmt: skip
