"""Addresses: made absolute and safe to publish, and compared.

`absolute` gives the address to follow and to publish, `canonical` the identity of a page. They
are kept apart on purpose: what is good to compare (no tracking, no fragment) may lead elsewhere.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

import idna

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_-])?\.?")
_IP6 = re.compile(r"[0-9a-f:.]+")
_USER = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:%-]*")
# All that RFC 3986 lets stand in a path, a query or a fragment; a percent sign only before two digits.
_NOT_IN_PATH = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9._~!$&'()*+,;=:@/%-]")
_NOT_IN_QUERY = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9._~!$&'()*+,;=:@/?%-]")
# An address that is one already, as most are: nothing of it would be written in another way.
_PLAIN = re.compile(
    r"https?://[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_-])?(?:/[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?"
    r"(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]+)?(?:#[A-Za-z0-9._~!$&'()*+,;=:@/?-]+)?"
)
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
#: An address in which nothing is to be done, whatever it is joined to. urllib takes what stands behind a
#: semicolon in a path apart, and drops parts that are empty.
SETTLED = r"""
    https?://[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_-])?
    (?:/(?:[A-Za-z0-9._~!$&'()*+,=:@/-]|%[0-9A-Fa-f]{2})*+)?+
    (?:\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})++)?+
    (?:\#(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})++)?+"""
_SETTLED = re.compile(SETTLED, re.VERBOSE)
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_MAIL = re.compile(r"mailto:[^\s<>\"\\^`{|}]+@[^\s<>\"\\^`{|}]+", re.IGNORECASE)
_AROUND = "".join(map(chr, range(0x21))) + "\x7f\xa0\u200b\u2028\u2029\ufeff"

_HOST_END = re.compile(r"\.?(?::(?:80|443)?)?$")

_WWW = re.compile(r"https://www\.(?=[^/.]+\.[^/])")

# What newsletters, social networks and newsrooms add to count visits. It never chooses the page.
_TRACKING = re.compile(
    r"""(?: utm_\w+ | mtm_\w+ | pk_(?:campaign|kwd|source|medium|content|cid) | piwik_\w+ | hsa_\w+
        | at_(?:medium|campaign|custom\d|format|link_\w+|bbc_team|ptr_name|ptr_type|creation|variant)
        | fbclid | gclid | gclsrc | dclid | gbraid | wbraid | msclkid | yclid | twclid | ttclid
        | igshid | igsh
        | mc_cid | mc_eid | _hsenc | _hsmi | mkt_tok | oly_anon_id | oly_enc_id | vero_id | vero_conv
        | xtor | xtref | wt_mc | ns_mchannel | ns_campaign | ns_source | ns_linkname | ns_fee
        | cmpid | ito | ocid | smid | smtyp | __twitter_impression | guccounter | spm | rss_source
        | _ga | _gl | srsltid | gad_source | fb_action_ids | fb_action_types | fb_source | fb_ref
        | li_fat_id | ref_src | ref_url | traffic_source | wtmc | s_cid | ncid | ftag | maca )""",
    re.VERBOSE | re.IGNORECASE,
)

# Names that other sites choose the page by: they only count visits where they speak of the feed.
_FROM_A_FEED = re.compile(
    r"(?:ref|source|src|from|origin|partner|emc|via|feature|campaign|cmp)=(?:rss|feed|atom)(?:[-_.]\w+)*",
    re.IGNORECASE,
)


def absolute(url: str | None, base: str | None = None, *, mailto: bool = False) -> str | None:
    """An http(s) URI that can be followed and published; None where `url` leads nowhere or elsewhere.

    Joined to `base` (RFC 3986 section 5), without what stands around it, its host in lower case and
    in punycode, all else that a URI must not hold percent-encoded. With `mailto`, addresses of mail
    are kept too. A login in `base` is never handed on to the joined address.
    """
    written = (url or "").strip(_AROUND)
    if not written:
        return None
    if is_settled(written):
        return written
    if mailto and _MAIL.fullmatch(written):
        return "mailto:" + _encode(_NOT_IN_QUERY, written[7:])
    if _PLAIN.fullmatch(written):
        return written
    try:
        return _uri(_joined(written, base))
    except ValueError:  # urllib refuses brackets, ports and hosts that no browser would take either.
        return None


def is_settled(url: str) -> bool:
    """Whether an address is what `absolute` would make of it, joined to any base."""
    return _SETTLED.fullmatch(url) is not None


def canonical(url: str) -> str:
    """The identity of a page, to compare with; not to be followed.

    http counts as https; the host is in lower case without default port and final dot (`www.` stays);
    tracking parameters, the fragment and the final slash are gone, dot segments are resolved
    (RFC 3986 section 6.2). The order of the query stays. What is no web address comes back stripped.
    """
    uri = absolute(url)
    if uri is None:
        return url.strip()
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    host = _HOST_END.sub("", host, count=1) if host[-1:] in ".:034" else host
    path = _without_dots(_plain_escapes(parts.path)).rstrip("/")
    query = "&".join(pair for pair in parts.query.split("&") if not _is_tracking(pair))
    return urlunsplit(("https", host, path, _plain_escapes(query), ""))


def page_of(url: str) -> str:
    """The identity of a page among those of one site: `canonical`, whether or not it is written with `www.`.

    Of two sites it says too little, since www.example.org may be another one than example.org.
    """
    return _WWW.sub("https://", canonical(url), count=1)


def host_of(url: str) -> str:
    """The host of a web address, in lower case and punycode, without port; "" where there is none."""
    uri = absolute(url)
    return (urlsplit(uri).hostname or "") if uri else ""


def _joined(written: str, base: str | None) -> str:
    if _SCHEME.match(written):
        # Some feeds write "http:/example.org" or "https:page"; urljoin reads those as the base's own.
        return urljoin(base, written) if base else written
    if written.startswith("//"):
        return urljoin(base or "https:", written)
    return urljoin(_without_login(base), written) if base else ""


def _without_login(base: str) -> str:
    parts = urlsplit(base)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _uri(joined: str) -> str | None:
    parts = urlsplit(joined)
    host = _ascii_host(parts)
    if parts.scheme not in ("http", "https") or host is None:
        return None
    user, at, _ = parts.netloc.rpartition("@")
    if not _USER.fullmatch(user):
        return None
    port = "" if parts.port is None else f":{parts.port}"
    return urlunsplit(
        (
            parts.scheme,
            user + at + host + port,
            _encode(_NOT_IN_PATH, parts.path),
            _encode(_NOT_IN_QUERY, parts.query),
            _encode(_NOT_IN_QUERY, parts.fragment),
        )
    )


def _ascii_host(parts: SplitResult) -> str | None:
    """The host as DNS knows it (UTS 46); None where it is none."""
    host = unquote(parts.hostname or "").lower()
    if "[" in parts.netloc:
        return f"[{host}]" if _IP6.fullmatch(host) else None
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError:
            return None
    return host if _HOST.fullmatch(host) else None


def _encode(illegal: re.Pattern[str], text: str) -> str:
    return illegal.sub(_percent, text)


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))


def _plain_escapes(text: str) -> str:
    """The same with escapes in upper case, and without those that are not needed (section 6.2.2)."""
    return _ESCAPE.sub(_plain_escape, text) if "%" in text else text


def _plain_escape(found: re.Match[str]) -> str:
    character = chr(int(found[0][1:], 16))
    return character if character in _UNRESERVED else found[0].upper()


def _without_dots(path: str) -> str:
    """Resolve `.` and `..` (RFC 3986 section 5.2.4)."""
    if "/." not in path and not path.startswith("."):
        return path
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == ".." and len(kept) > 1:
            kept.pop()
        elif segment not in (".", ".."):
            kept.append(segment)
    return "/".join(kept)


def _is_tracking(pair: str) -> bool:
    if not pair or _TRACKING.fullmatch(pair.partition("=")[0]) is not None:
        return True
    return _FROM_A_FEED.fullmatch(pair) is not None
