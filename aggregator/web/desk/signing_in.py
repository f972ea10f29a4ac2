"""Signing in at the desk, and out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from math import ceil

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from aggregator.errors import BadInput
from aggregator.flows.signing_in import LASTS, read_in, sign_in, sign_out, signed_in
from aggregator.model import Clock
from aggregator.web.context import Service
from aggregator.web.desk.frame import (
    Here,
    Sent,
    Who,
    cookie_name,
    fields_of,
    is_secure,
    led_to,
    render_desk,
    require_our_origin,
)
from aggregator.web.locales import LANGUAGES, N_, Reading, spoken, zone_named, zones

router = APIRouter(prefix="/desk", include_in_schema=False)

#: Where signing in leads when no page asked for it.
START = "/desk"

#: So many failures of one name within such a time, and it has to wait.
MOST_FAILURES = 10
WITHIN = timedelta(minutes=15)
#: Names whose failures are kept; the one that failed longest ago is forgotten first.
MOST_NAMES = 1_000

_MOST_FIELDS = 10
_MOST_FIELD_BYTES = 4_096


@dataclass(slots=True)
class Failures:
    """Whose keys were wrong lately, in this process."""

    clock: Clock
    _by_name: dict[str, list[datetime]] = field(default_factory=dict)

    def wait(self, name: str) -> timedelta | None:
        """How long this name must not try again; None where it may."""
        recent = self._recent(name)
        return recent[-MOST_FAILURES] + WITHIN - self.clock() if len(recent) >= MOST_FAILURES else None

    def note(self, name: str) -> None:
        """It tried once more."""
        recent = [*self._recent(name), self.clock()]
        self.forget(name)
        self._by_name[name] = recent
        if len(self._by_name) > MOST_NAMES:
            self.forget(next(iter(self._by_name)))

    def forget(self, name: str) -> None:
        """It had the right key."""
        self._by_name.pop(name, None)

    def _recent(self, name: str) -> list[datetime]:
        return [at for at in self._by_name.get(name, ()) if at > self.clock() - WITHIN]


@router.api_route("/sign-in", methods=["GET", "HEAD"])
async def form(request: Request, service: Here, next: str = START) -> Response:
    """Where a name and a key are asked for."""
    return _page(service, request, next=next)


@router.post("/sign-in")
async def enter(request: Request, service: Here) -> Response:
    """Begin a session and lead on to the page that was asked for."""
    require_our_origin(request, service)
    fields = await fields_of(request, most=_MOST_FIELDS, most_bytes=_MOST_FIELD_BYTES)
    name, key = fields.get("name", "").strip(), fields.get("key", "").strip()
    next = fields.get("next", START)
    failures = _failures(request)
    if (wait := failures.wait(name)) is not None:
        minutes = ceil(wait / timedelta(minutes=1))
        problem = _reading(request).say(
            N_("There were too many wrong keys for this name: try again in %(minutes)s min."), minutes=minutes
        )
        answer = _page(service, request, HTTPStatus.TOO_MANY_REQUESTS, next=next, name=name, problem=problem)
        answer.headers["Retry-After"] = str(ceil(wait.total_seconds()))
        return answer
    # Counted before the answer is known, so that many tries at once are not one.
    failures.note(name)
    token = await sign_in(service.database, service.clock, name, key)
    if token is None:
        problem = _reading(request).say(N_("This name and this key do not belong together."))
        return _page(service, request, HTTPStatus.FORBIDDEN, next=next, name=name, problem=problem)
    failures.forget(name)
    await _note_zone(service, token, fields.get("zone", ""))
    answer = led_to(service, next if _is_ours(next) else START)
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


@router.post("/sign-out")
async def leave(request: Request, service: Here, _: Sent) -> Response:
    """End the session of whoever is signed in."""
    name = cookie_name(service.site)
    await sign_out(service.database, request.cookies[name])
    answer = led_to(service, "/desk/sign-in")
    answer.delete_cookie(name, path="/", secure=is_secure(service.site), httponly=True, samesite="lax")
    return answer


@router.get("/you")
async def you(request: Request, service: Here, who: Who) -> Response:
    """How somebody reads the desk: in which language, and by which clock."""
    return render_desk(service, who, "you.html", here="you", languages=LANGUAGES, zones=zones())


@router.post("/you")
async def set_you(service: Here, who: Who, sent: Sent) -> Response:
    """Keep how somebody reads."""
    language, zone = sent.get("language", ""), sent.get("zone", "")
    if language not in LANGUAGES or zone_named(zone) is None:
        raise BadInput("Choose one of the languages and one of the time zones of the page.")
    await read_in(service.database, who.account, language=language, zone=zone)
    return led_to(service, "/desk/you")


async def _note_zone(service: Service, token: str, zone: str) -> None:
    """Take the zone that the browser says, unless somebody chose one before."""
    who = await signed_in(service.database, service.clock, token)
    if who is not None and not who.account.zone and zone_named(zone) is not None:
        await read_in(service.database, who.account, language=who.account.language, zone=zone)


def _reading(request: Request) -> Reading:
    return Reading(spoken(request.headers.get("accept-language", "")))


def _page(
    service: Service,
    request: Request,
    status: int = 200,
    *,
    next: str,
    name: str = "",
    problem: str | None = None,
) -> Response:
    about = {"next": next, "name": name, "problem": problem, "reading": _reading(request)}
    return render_desk(service, None, "sign-in.html", status, **about)


def _is_ours(path: str) -> bool:
    """Whether a path lies in the desk, and leads to no other site: "//other.example" would."""
    return path.startswith("/desk") and "//" not in path


def _failures(request: Request) -> Failures:
    found = request.app.state.failures
    assert isinstance(found, Failures)  # noqa: S101 - put there by `make_service`
    return found
