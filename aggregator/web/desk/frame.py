"""What every page of the desk stands on: who asks, whether a form is ours, and how a page is made."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from functools import partial
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from aggregator.flows.signing_in import signed_in
from aggregator.people import SignedIn
from aggregator.rules.channels import Site
from aggregator.web import static
from aggregator.web.bounds import require_text
from aggregator.web.context import Service, service_of
from aggregator.web.locales import LANGUAGES, N_, Reading, spoken, zone_named
from aggregator.web.made import MadePage
from aggregator.web.pages import environment
from aggregator.web.policies import content_policy

#: The most that a form of the desk may hold; the longest field is the text of a brief.
MOST_FIELDS = 100
MOST_FIELD_BYTES = 1_000_000

#: The pages in the bar: what each is called in its address, and by people.
PLACES = (
    ("today", N_("Today")),
    ("wire", N_("Wire")),
    ("briefs", N_("Briefs")),
    ("topics", N_("Topics")),
    ("sources", N_("Sources")),
    ("channels", N_("Channels")),
    ("partners", N_("Partners")),
)

#: What keys do, where a page has it.
KEYS = (
    ("j", N_("the next one")),
    ("k", N_("the one before")),
    ("o", N_("open it")),
    ("p", N_("pick it as a source")),
    ("x", N_("not this one")),
    ("u", N_("undo")),
    ("t", N_("take it, or give it back")),
    ("s", N_("spike it, with a reason")),
    ("]", N_("the next passage")),
    ("[", N_("the passage before")),
    ("e", N_("edit the text")),
    ("v", N_("preview")),
    ("n", N_("a new one")),
    ("/", N_("search")),
    ("?", N_("this sheet")),
)

#: The pages in the bar that are for some only, with the role that they take.
RESERVED = (("people", N_("People"), "admin"), ("audit", N_("Audit"), "chief"))

#: What accounts may be, by rising rights.
ROLES = (N_("viewer"), N_("editor"), N_("chief"), N_("admin"))

_NOT_KEPT = {"Cache-Control": "no-store"}
#: A page of the desk is nobody else's to embed, by any element.
_OURS = {"Cross-Origin-Resource-Policy": "same-origin"}
_POLICY = content_policy(form_action="'self'", script_src="'self'", connect_src="'self'")
_PORTS = {"http": 80, "https": 443}

Here = Annotated[Service, Depends(service_of)]


def is_secure(site: Site) -> bool:
    """Whether browsers reach us under TLS."""
    return site.url.startswith("https://")


def cookie_name(site: Site) -> str:
    """The name of the cookie that holds a session's token.

    With the prefix `__Host-` a browser takes it from this very host alone, and under TLS alone.
    """
    return "__Host-wirebrief" if is_secure(site) else "wirebrief"


def reading_of(who: SignedIn) -> Reading:
    """How somebody reads."""
    account = who.account
    language = account.language if account.language in LANGUAGES else "en"
    return Reading(language, zone_named(account.zone) or UTC)


async def require_editor(request: Request, service: Here) -> SignedIn:
    """Who is signed in, with the language that their browser asks for where they chose none.

    Raises:
        HTTPException: nobody is. 303 leads whoever reads to sign in and back; what was sent gets 401.
    """
    token = request.cookies.get(cookie_name(service.site))
    who = await signed_in(service.database, service.clock, token) if token else None
    if who is not None:
        asked = request.headers.get("accept-language", "")
        return (
            who
            if who.account.language
            else replace(who, account=replace(who.account, language=spoken(asked)))
        )
    sign_in = f"{service.base}/desk/sign-in"
    if request.method not in ("GET", "HEAD"):
        said = f"You are not signed in any more: do so at {sign_in}, then go back and send this again."
        raise HTTPException(HTTPStatus.UNAUTHORIZED, said, _NOT_KEPT)
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    location = f"{sign_in}?next={quote(asked)}"
    raise HTTPException(HTTPStatus.SEE_OTHER, headers={"Location": location, **_NOT_KEPT})


Who = Annotated[SignedIn, Depends(require_editor)]


async def require_decider(who: Who) -> SignedIn:
    """Who is signed in and may decide things.

    Raises:
        HTTPException: 403, they may only look.
    """
    if not who.account.may("editor"):
        raise HTTPException(HTTPStatus.FORBIDDEN, "You may look at everything here, and decide nothing.")
    return who


Decider = Annotated[SignedIn, Depends(require_decider)]


async def require_chief(who: Who) -> SignedIn:
    """Who is signed in and decides for the whole newsroom.

    Raises:
        HTTPException: 403, that is not theirs to decide.
    """
    if not is_chief(who):
        raise HTTPException(
            HTTPStatus.FORBIDDEN, "This is for a chief or an admin to decide: ask one of them."
        )
    return who


Chief = Annotated[SignedIn, Depends(require_chief)]


async def require_admin(who: Who) -> SignedIn:
    """Who is signed in and lets people in.

    Raises:
        HTTPException: 403, that is not theirs to decide.
    """
    if not who.account.may("admin"):
        raise HTTPException(HTTPStatus.FORBIDDEN, "This is for an admin: ask one of them.")
    return who


Admin = Annotated[SignedIn, Depends(require_admin)]


def is_chief(who: SignedIn) -> bool:
    """Whether somebody decides for the whole newsroom."""
    return who.account.may("chief")


async def require_form(request: Request, service: Here, who: Who) -> dict[str, str]:
    """The fields of a form that one of our pages sent for who is signed in.

    Raises:
        HTTPException: 403, another site sent it, or it is a page from before they signed in.
    """
    require_our_origin(request, service)
    fields = await fields_of(request, most=MOST_FIELDS, most_bytes=MOST_FIELD_BYTES)
    require_token(fields, who)
    return fields


Sent = Annotated[dict[str, str], Depends(require_form)]


def require_token(fields: Mapping[str, str], who: SignedIn) -> None:
    """Let nothing pass but a form that one of our pages made for who is signed in.

    Raises:
        HTTPException: 403, it is a page from before they signed in.
    """
    # Compared as bytes, since text beyond ASCII is refused there.
    if not secrets.compare_digest(fields.get("form_token", "").encode(), who.form_token.encode()):
        said = "This form is not from your present session: go back, load the page anew, and send it again."
        raise HTTPException(HTTPStatus.FORBIDDEN, said, _NOT_KEPT)


def require_our_origin(request: Request, service: Service) -> None:
    """Let nothing pass that a page of another site sent. Who names no origin is no browser of today.

    Raises:
        HTTPException: 403, the page was another site's.
    """
    said = request.headers.get("origin")
    # Behind a proxy the request's own address is not the one that a browser sees.
    if said is None or _origin(said) in {_origin(service.site.url), _origin(str(request.url))} - {None}:
        return
    sentence = (
        "Another site sent this form, so nothing was done: open the desk itself and send it from there."
    )
    raise HTTPException(HTTPStatus.FORBIDDEN, sentence, _NOT_KEPT)


async def fields_of(request: Request, *, most: int, most_bytes: int) -> dict[str, str]:
    """The fields of a form; of one that is given twice the last counts.

    Raises:
        HTTPException: 400, there are more fields than `most`, one is longer than `most_bytes`, or is no text.
    """
    form = await request.form(max_files=0, max_fields=most, max_part_size=most_bytes)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    require_text((*fields.keys(), *fields.values()))
    return fields


def led_to(service: Service, path: str) -> RedirectResponse:
    """What follows a form: the page at a path of ours, fetched anew."""
    return RedirectResponse(service.base + path, HTTPStatus.SEE_OTHER, _NOT_KEPT)


def render_desk(
    service: Service, who: SignedIn | None, template: str, status: int = 200, /, **values: object
) -> Response:
    """A page of the desk from a template under `templates/desk`; `here` names its place in the bar.

    It is made in the language and the zone of whoever is signed in, or in that of `reading`.
    """
    given = values.pop("reading", None)
    reading = given if isinstance(given, Reading) else reading_of(who) if who else Reading()
    context = {
        "site": service.site,
        "base": service.base,
        "version": static.version,
        "who": who,
        "here": "",
        "places": places_of(who),
        "keys": KEYS,
        "now": service.clock(),
        **reading.context(),
        **values,
    }
    page = environment(reading.language).get_template(f"desk/{template}")
    headers = {**_NOT_KEPT, **_OURS, "Content-Security-Policy": _POLICY}
    return MadePage(partial(page.render, context), status, headers)


def places_of(who: SignedIn | None) -> list[tuple[str, str]]:
    """The pages in the bar that somebody may see."""
    more = [(place, says) for place, says, least in RESERVED if who is not None and who.account.may(least)]
    return [*PLACES, *more]


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port of an address (RFC 6454); None where it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None
