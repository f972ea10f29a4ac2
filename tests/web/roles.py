"""Who may ask for what: every route with those who may, read from the guards that stand before it.

python -m tests.web.roles > docs/roles.md
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from aggregator.people import ROLES, has_rights_of
from aggregator.web import api, partners
from aggregator.web.desk import frame
from aggregator.web.service import ROUTERS

#: Who may ask, as the columns of the table: nobody in particular, whoever signed in, and holders of keys.
ACTORS = ("nobody", *ROLES, "viewer's key", "editor's key", "chief's key", "partner's key")
_KEYS = {f"{role}'s key": role for role in ROLES}

#: Routes whose address or form holds what lets one in, or that have a rule of their own.
TOKENS = {
    "/desk/join": "the token of an invitation",
    "/desk/views/{key}.atom": "the token of a saved view",
    "/websub/{token}": "the token of a subscription",
    "/metrics": "this machine, or `metrics.token`",
}

#: Asked for by a script of ours: who is signed in is looked for in the route itself, which answers in JSON.
BY_SCRIPT = {"/desk/passkeys", "/desk/passkeys/options"}

#: Which guard lets whom in; of several that stand before one route all must.
_GUARDS: dict[Callable[..., Any], Callable[[str], bool]] = {
    frame.require_editor: lambda actor: actor in ROLES,
    frame.require_decider: lambda actor: actor in ROLES and has_rights_of(actor, "editor"),
    frame.require_chief: lambda actor: actor in ROLES and has_rights_of(actor, "chief"),
    frame.require_admin: lambda actor: actor in ROLES and has_rights_of(actor, "admin"),
    api.program_of: lambda actor: actor in _KEYS,
    api.decider_of: lambda actor: actor in _KEYS and has_rights_of(_KEYS[actor], "editor"),
    partners.reader_of: lambda actor: actor in _KEYS or actor == "partner's key",
    partners.partner_of: lambda actor: actor == "partner's key",
}

HEAD = """# Who may ask for what

Every route of the web service and who is answered there. Made from the guards in the code by
`python -m tests.web.roles`; a test asks for each route as everybody, and another one holds this page to the
code. Whoever may not is led to signing in (pages), or gets 401 without and 403 with a key or a session that does not
suffice. Feeds are not in it: a public channel is everybody's, any other one takes the key of a partner who may
have it.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A route by one of its methods, and who may."""

    method: str
    path: str
    allowed: tuple[str, ...]

    @property
    def note(self) -> str:
        """What lets one in who is nobody in particular; "" where nothing is needed."""
        return TOKENS.get(self.path, "")


def rows() -> list[Row]:
    """Every route, by path."""
    found = [row for router in ROUTERS for route in router.routes for row in _of(route)]
    return sorted(found, key=lambda row: (row.path, row.method))


def table() -> str:
    """The page."""
    lines = [HEAD, "| route | " + " | ".join(ACTORS) + " |", "| --- |" + " :-: |" * len(ACTORS)]
    for row in rows():
        name = f"`{row.method} {row.path}`" + (f" ({row.note})" if row.note else "")
        marks = ("yes" if actor in row.allowed else "" for actor in ACTORS)
        lines.append(f"| {name} | " + " | ".join(marks) + " |")
    return "\n".join(lines) + "\n"


def _of(route: object) -> Iterator[Row]:
    assert isinstance(route, APIRoute), f"{route} has no guard that could be read"
    if route.path in BY_SCRIPT:
        yield Row("POST", route.path, ROLES)
        return
    guards = [_GUARDS[call] for call in _calls(route.dependant) if call in _GUARDS]
    allowed = tuple(actor for actor in ACTORS if all(lets_in(actor) for lets_in in guards))
    for method in sorted((route.methods or set()) - {"HEAD"}):
        yield Row(method, route.path, allowed)


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for needed in dependant.dependencies:
        if needed.call is not None:
            yield needed.call
        yield from _calls(needed)


if __name__ == "__main__":
    sys.stdout.write(table())
