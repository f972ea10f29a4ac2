"""What browsers may do with our pages, said in headers."""

from __future__ import annotations

import base64
import hashlib

from aggregator.web.answers import encode


def content_policy(**sources: str) -> str:
    """A Content-Security-Policy: nothing is loaded or run but our own styles and pictures.

    `sources` widens it by directive (`script_src="'self'"`).
    """
    directives = {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        **{name.replace("_", "-"): value for name, value in sources.items()},
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def hash_of(text: str) -> str:
    """How a policy names an inline element by its text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


#: On whatever does not say otherwise itself.
SECURITY = encode(
    [
        ("Content-Security-Policy", content_policy()),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        (
            "Permissions-Policy",
            "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ]
)

#: And on a site that browsers reach under TLS: they come back under TLS, for a year (RFC 6797).
UNDER_TLS = encode([("Strict-Transport-Security", "max-age=31536000")])

#: A page that shows times by its reader's clock: a script of ours, and nothing that it could talk to.
WITH_TIMES = (("Content-Security-Policy", content_policy(script_src="'self'")),)

#: A page that also stays open and hears what is new: scripts of ours, and only our own events.
WITH_EVENTS = (("Content-Security-Policy", content_policy(script_src="'self'", connect_src="'self'")),)


def framed(style: str) -> tuple[tuple[str, str], ...]:
    """A page that any site may put in a frame; its one style stands in it."""
    policy = content_policy(style_src=hash_of(style), img_src="'none'", frame_ancestors="*")
    return (
        ("Content-Security-Policy", policy),
        # The page around it keeps its own openers; there is nothing here to guard.
        ("Cross-Origin-Opener-Policy", "unsafe-none"),
        ("Cross-Origin-Resource-Policy", "cross-origin"),
    )
