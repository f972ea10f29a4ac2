"""What browsers keep while somebody signs in: a cookie for each way in, so that nobody answers for another."""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from aggregator.web.context import Service
from aggregator.web.desk.frame import cookie_name, is_secure
from aggregator.web.locales import N_

#: So many sign-ins may be begun from one address in a quarter of an hour; a whole newsroom may be behind it.
MOST_ASKED = 300
TOO_OFTEN = N_("Too many tries came from where you are: wait a quarter of an hour, or use your password.")


def kept(request: Request, service: Service, way: str) -> str:
    """The token that a browser was given for a way in; "" where it has none."""
    return request.cookies.get(_name(service, way), "")


def keep(answer: Response, service: Service, way: str, token: str, *, lasts: timedelta) -> None:
    """Let a browser keep a token for a way in, as long as what it was asked counts."""
    answer.set_cookie(
        _name(service, way),
        token,
        max_age=int(lasts.total_seconds()),
        path="/",
        secure=is_secure(service.site),
        httponly=True,
        # A provider sends people back by a link, which "strict" would take no cookie along.
        samesite="lax",
    )


def drop(answer: Response, service: Service, way: str) -> None:
    """Let a browser forget its token: it was used up."""
    secure = is_secure(service.site)
    answer.delete_cookie(_name(service, way), path="/", secure=secure, httponly=True, samesite="lax")


def _name(service: Service, way: str) -> str:
    return f"{cookie_name(service.site)}-{way}"
