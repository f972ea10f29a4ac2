"""The part of a host's name that somebody registered: whoever runs it counts what we ask of all below it."""

from __future__ import annotations

import ipaddress
from functools import cache

from publicsuffixlist import PublicSuffixList

from feeds.urls import host_of


def domain_of(url: str) -> str:
    """The registrable domain of a web address: `example.co.uk` for `https://news.example.co.uk/feed`.

    By the Public Suffix List, with the suffixes of those who let strangers have names below theirs
    (`somebody.github.io`). An IP address counts by itself, as does a public suffix and a name of one
    part, such as `localhost`. "" where there is no host.
    """
    host = host_of(url).rstrip(".")
    return host if not host or _is_ip(host) else _list().privatesuffix(host) or host


@cache
def _list() -> PublicSuffixList:
    # It is read once, and only where it is needed: that takes 60 ms.
    return PublicSuffixList()


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
