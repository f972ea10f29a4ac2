"""Which addresses are for everybody, and which are somebody's own: they hold a login or a key."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from feeds.urls import absolute

#: What keys and logins are called, whatever stands before an underline: api_key, accessToken, feed_token.
_KEY_NAMES = re.compile(
    r"""(?:.*[_.-])? (?: [a-z]*key | [a-z]*token | auth (?:orization|entication)? | [a-z]*secret
        | pass (?:word|wd)? | pwd | sig (?:nature)? | hash | hmac | user (?:name)? | login | account | e?mail
        | uid | sid | session (?:_?id)? | credentials? | jwt | bearer | private )""",
    re.VERBOSE | re.IGNORECASE,
)
#: Names of things that are public, however random they look.
_PUBLIC_IDS = frozenset({"channel_id", "playlist_id"})
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LONG = re.compile(r"[A-Za-z0-9_=+/-]{20,}")
_LONG_IN_PATH = re.compile(r"[A-Za-z0-9]{24,}")


def is_shareable(url: str) -> bool:
    """Whether an address may be shown to everybody: a web address without a login or a key in it."""
    uri = absolute(url)
    if uri is None:
        return False
    parts = urlsplit(uri)
    if "@" in parts.netloc or any(map(_is_key_in_path, parts.path.split("/"))):
        return False
    # Semicolons part parameters, too, as older servers read them.
    query = "&".join((parts.query, parts.fragment)).replace(";", "&")
    return not any(_is_key(name, value) for name, value in parse_qsl(query, keep_blank_values=True))


def _is_key(name: str, value: str) -> bool:
    if name.lower() in _PUBLIC_IDS:
        return False
    # `?3f9ac0…` is a parameter without a name: there the value stands in its place.
    written = value or name
    return bool(value and _KEY_NAMES.fullmatch(name)) or _is_random(written, _LONG)


def _is_key_in_path(segment: str) -> bool:
    stem = segment.partition(".")[0]
    return segment.lower() == "private" or _is_random(stem, _LONG_IN_PATH)


def _is_random(written: str, long: re.Pattern[str]) -> bool:
    """Whether this is no word that anybody chose: long, with letters and digits, or a UUID."""
    if _UUID.fullmatch(written):
        return True
    return bool(long.fullmatch(written) and re.search(r"[0-9]", written) and re.search(r"[A-Za-z]", written))
