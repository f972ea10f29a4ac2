"""A process that may open nothing more: that is no fault of a feed, and is not told as one."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from feeds.errors import FailureKind, FetchError
from feeds.http import fetch, make_client
from feeds.http.guard import _look_up


def nothing_more(*_: object) -> int:
    raise OSError(errno.EMFILE, "Too many open files")


async def test_a_connection_that_we_may_not_open_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(_: str, __: int) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("feeds.http.guard.connect_to", refused)
    async with make_client(user_agent="test", private_networks=True) as client:
        with pytest.raises(FetchError) as caught:
            await fetch(client, "http://127.0.0.1:9/feed")
    assert caught.value.kind is FailureKind.OURS
    assert "127.0.0.1 was not asked: this process has too many connections open" in str(caught.value)


async def test_a_name_that_we_may_not_look_up_is_not_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(socket.gaierror):
        _look_up("desk.example", 80)
    monkeypatch.setattr(os, "open", nothing_more)
    with pytest.raises(OSError, match="Too many open files") as caught:
        _look_up("desk.example", 80)
    assert caught.value.errno == errno.EMFILE


async def test_an_address_that_a_half_read_name_led_to_is_not_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without /etc/hosts a name may lead to where nobody listens.
    async def refused(_: str, __: int) -> socket.socket:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

    monkeypatch.setattr("feeds.http.guard.connect_to", refused)
    async with make_client(user_agent="test", private_networks=True) as client:
        with pytest.raises(FetchError) as caught:
            await fetch(client, "http://127.0.0.1:9/feed")
        assert caught.value.kind is FailureKind.UNREACHABLE
        monkeypatch.setattr(os, "open", nothing_more)
        with pytest.raises(FetchError) as caught:
            await fetch(client, "http://127.0.0.1:9/feed")
    assert caught.value.kind is FailureKind.OURS
