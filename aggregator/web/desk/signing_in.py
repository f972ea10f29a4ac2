"""Signing in at the desk, by a link for the first time, and out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from math import ceil
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from aggregator.errors import BadInput
from aggregator.flows import people
from aggregator.flows.passkeys import place_of
from aggregator.flows.passwords import LONGEST, SHORTEST
from aggregator.flows.signing_in import LASTS, Browser, MustChoose, read_in, sign_in, sign_out, signed_in
from aggregator.model import Clock
from aggregator.people import Invitation
from aggregator.web.context import Service
from aggregator.web.desk.frame import (
    Here,
    Sent,
    cookie_name,
    fields_of,
    is_secure,
    led_to,
    render_desk,
    require_our_origin,
)
from aggregator.web.locales import N_, Reading, spoken, zone_named

router = APIRouter(prefix="/desk", include_in_schema=False)

#: Where signing in leads when no page asked for it.
START = "/desk"

#: So many failures of one name within such a time, and it has to wait; and so many from one address, behind
#: which a whole newsroom may be.
MOST_FAILURES = 10
MOST_FROM_ADDRESS = 100
WITHIN = timedelta(minutes=15)
#: Names and addresses whose failures are kept; the one that failed longest ago is forgotten first.
MOST_NAMES = 1_000

_MOST_FIELDS = 10
_MOST_FIELD_BYTES = 4_096


@dataclass(slots=True)
class Failures:
    """Who failed to sign in lately, in this process: by name, or by address."""

    clock: Clock
    most: int = MOST_FAILURES
    _by_name: dict[str, list[datetime]] = field(default_factory=dict)

    def wait(self, name: str) -> timedelta | None:
        """How long this name must not try again; None where it may."""
        recent = self._recent(name)
        return recent[-self.most] + WITHIN - self.clock() if len(recent) >= self.most else None

    def note(self, name: str) -> None:
        """It tried once more."""
        recent = [*self._recent(name), self.clock()]
        self.forget(name)
        self._by_name[name] = recent
        if len(self._by_name) > MOST_NAMES:
            self.forget(next(iter(self._by_name)))

    def forget(self, name: str) -> None:
        """It had the right password."""
        self._by_name.pop(name, None)

    def forgive(self, name: str) -> None:
        """Its last try was no failure, whatever others there were."""
        if recent := self._by_name.get(name):
            recent.pop()

    def _recent(self, name: str) -> list[datetime]:
        # A clock that was set back must not make the wait longer.
        now = self.clock()
        return [at for at in self._by_name.get(name, ()) if now - WITHIN < at <= now]


@dataclass(frozen=True, slots=True)
class Throttle:
    """How often somebody may guess, by whose name and from where."""

    names: Failures
    addresses: Failures

    @classmethod
    def of(cls, clock: Clock) -> Throttle:
        """One that has seen nobody fail."""
        return cls(Failures(clock), Failures(clock, most=MOST_FROM_ADDRESS))

    def wait(self, name: str, address: str) -> timedelta | None:
        """How long to wait before the next try; None where it may be now."""
        waits = [wait for wait in (self.names.wait(name), self.addresses.wait(address)) if wait is not None]
        return max(waits, default=None)

    def note(self, name: str, address: str) -> None:
        """Somebody tries."""
        self.names.note(name)
        self.addresses.note(address)

    def forgive(self, name: str, address: str) -> None:
        """They were who they said."""
        self.names.forget(name)
        # Whoever has an account of their own must not wipe out what others try from there.
        self.addresses.forgive(address)


@router.api_route("/sign-in", methods=["GET", "HEAD"])
async def form(request: Request, service: Here, next: str = START) -> Response:
    """Where a name and a password are asked for."""
    return sign_in_page(service, request, next=next)


@router.post("/sign-in")
async def enter(request: Request, service: Here) -> Response:
    """Begin a session and lead on to the page that was asked for."""
    require_our_origin(request, service)
    fields = await fields_of(request, most=_MOST_FIELDS, most_bytes=_MOST_FIELD_BYTES)
    name, password = fields.get("name", "").strip(), fields.get("password", "")
    next = fields.get("next", START)
    throttle, browser = throttle_of(request), browser_of(request)
    if (wait := throttle.wait(name, browser.address)) is not None:
        return _must_wait(service, request, wait, next=next, name=name)
    # Counted before the answer is known, so that many tries at once are not one.
    throttle.note(name, browser.address)
    done = await _tried(service, name, password, browser)
    if done is None:
        problem = reading_for(request).say(N_("This name and this password do not belong together."))
        return sign_in_page(service, request, HTTPStatus.FORBIDDEN, next=next, name=name, problem=problem)
    throttle.forgive(name, browser.address)
    if isinstance(done, MustChoose):
        return led_to(service, f"/desk/join?token={quote(done.token)}")
    return await entered(service, done, next=next, zone=fields.get("zone", ""))


async def _tried(service: Service, name: str, password: str, browser: Browser) -> str | MustChoose | None:
    """What a name and a password open; a pasted key of old may have blanks around it."""
    if len(password) > LONGEST:
        return None
    about = (service.database, service.clock, service.passwords, name)
    for written in dict.fromkeys((password, password.strip())):
        if (found := await sign_in(*about, written, browser)) is not None:
            return found
    return None


@router.get("/join")
async def choose(request: Request, service: Here, token: str = "") -> Response:
    """Where somebody who has a link chooses a password. Looking at it uses nothing up: mail programs do."""
    found = await people.invitation(service.database, service.clock, token)
    return _join_page(service, request, found, token)


@router.post("/join")
async def join(request: Request, service: Here) -> Response:
    """Keep the password that was chosen, and sign its holder in."""
    require_our_origin(request, service)
    fields = await fields_of(request, most=_MOST_FIELDS, most_bytes=_MOST_FIELD_BYTES)
    token, password = fields.get("token", ""), fields.get("password", "")
    about = (service.database, service.clock)
    try:
        if password != fields.get("again", ""):
            raise BadInput(N_("The two passwords differ: write the same one twice."))
        session = await people.join(*about, service.passwords, token, password, browser_of(request))
    except BadInput as error:
        found = await people.invitation(*about, token)
        return _join_page(service, request, found, token, problem=reading_for(request).say(str(error)))
    if session is None:
        return _join_page(service, request, None, token)
    return await entered(service, session, next=START, zone=fields.get("zone", ""))


@router.post("/sign-out")
async def leave(request: Request, service: Here, _: Sent) -> Response:
    """End the session of whoever is signed in."""
    name = cookie_name(service.site)
    await sign_out(service.database, request.cookies[name])
    answer = led_to(service, "/desk/sign-in")
    answer.delete_cookie(name, path="/", secure=is_secure(service.site), httponly=True, samesite="lax")
    return answer


def browser_of(request: Request) -> Browser:
    """What asks, as its owner knows it again."""
    agent = "".join(each for each in request.headers.get("user-agent", "") if each.isprintable())
    return Browser(agent, request.client.host if request.client else "")


async def entered(service: Service, token: str, *, next: str, zone: str) -> RedirectResponse:
    """The answer to somebody who has just been signed in: their cookie, and where they wanted to go."""
    await _note_zone(service, token, zone)
    answer = led_to(service, next if is_ours(next) else START)
    answer.set_cookie(
        cookie_name(service.site),
        token,
        max_age=int(LASTS.total_seconds()),
        path="/",
        secure=is_secure(service.site),
        httponly=True,
        samesite="lax",
    )
    return answer


def is_ours(path: str) -> bool:
    """Whether a path lies in the desk, and leads to no other site: "//other.example" would."""
    return path.startswith("/desk") and "//" not in path and "\\" not in path


async def _note_zone(service: Service, token: str, zone: str) -> None:
    """Take the zone that the browser says, unless somebody chose one before."""
    who = await signed_in(service.database, service.clock, token)
    if who is not None and not who.account.zone and zone_named(zone) is not None:
        await read_in(service.database, who.account, language=who.account.language, zone=zone)


def _must_wait(service: Service, request: Request, wait: timedelta, *, next: str, name: str) -> Response:
    minutes = ceil(wait / timedelta(minutes=1))
    problem = reading_for(request).say(
        N_("There were too many wrong passwords: try again in %(minutes)s min."), minutes=minutes
    )
    answer = sign_in_page(
        service, request, HTTPStatus.TOO_MANY_REQUESTS, next=next, name=name, problem=problem
    )
    answer.headers["Retry-After"] = str(ceil(wait.total_seconds()))
    return answer


def reading_for(request: Request) -> Reading:
    """How somebody reads who is not signed in."""
    return Reading(spoken(request.headers.get("accept-language", "")))


def sign_in_page(
    service: Service,
    request: Request,
    status: int = 200,
    *,
    next: str,
    name: str = "",
    problem: str | None = None,
) -> Response:
    """The page that asks who somebody is, with what went wrong."""
    about: dict[str, object] = {"next": next, "name": name, "problem": problem}
    about["reading"] = reading_for(request)
    about["has_passkeys"] = place_of(service.site) is not None
    about["provider"] = service.oidc.settings.label if service.oidc else ""
    return render_desk(service, None, "sign-in.html", status, **about)


def _join_page(
    service: Service, request: Request, found: Invitation | None, token: str, *, problem: str = ""
) -> Response:
    status = HTTPStatus.NOT_FOUND if found is None else HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK
    about = {"found": found, "token": token, "problem": problem, "shortest": SHORTEST}
    answer = render_desk(service, None, "join.html", status, reading=reading_for(request), **about)
    # The address holds the token, which no other site is to see. With "no-referrer" browsers would send the form
    # as if it were from nowhere (Origin: null), and it would be refused.
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


def throttle_of(request: Request) -> Throttle:
    """Who failed lately."""
    found = request.app.state.throttle
    assert isinstance(found, Throttle)  # noqa: S101 - put there by `make_service`
    return found


def asks_of(request: Request) -> Failures:
    """Who began to sign in lately by a passkey or a provider, which takes a place in the database each time."""
    found = request.app.state.asks
    assert isinstance(found, Failures)  # noqa: S101 - put there by `make_service`
    return found
