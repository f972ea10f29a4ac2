"""No feed leads into our own network.

Anyone may suggest a feed and any server may redirect, so an address is judged where it counts:
at connection, after the name was looked up, and the connection goes to the very address that was
judged. A name that answers differently the second time (DNS rebinding) gains nothing, because
there is no second look-up.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

#: Looks up a host: its addresses as text, in the order to be tried. Raises OSError.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
#: Opens a connection to an address that was judged, and to no other. Raises OSError.
Connect = Callable[[str, int], Awaitable[socket.socket]]

#: What the system says when this process, or this machine, may open nothing more.
NO_HANDLE = (errno.EMFILE, errno.ENFILE)

# The IANA registries of special-purpose addresses, and what is left to reserve.
_CLOSED_IPV4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this host (RFC 791)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # shared by carriers (RFC 6598)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, where clouds keep their keys (RFC 3927)
        "172.16.0.0/12",  # private (RFC 1918)
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.88.99.0/24",  # 6to4 relays, withdrawn (RFC 7526)
        "192.168.0.0/16",  # private (RFC 1918)
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Everything outside this block is loopback, private, link-local, site-local, multicast or an
# IPv4 address in disguise (mapped, compatible, NAT64 64:ff9b::/96 and 64:ff9b:1::/48).
_OPEN_IPV6 = IPv6Network("2000::/3")
_CLOSED_IPV6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID (RFC 2928)
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4, which carries any IPv4 address (RFC 7526)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
# The interface identifiers that ISATAP builds around an IPv4 address (RFC 5214 section 6.1).
_ISATAP = (0x00005EFE, 0x02005EFE)


class AddressRefused(httpx.ConnectError):
    """A host stands at an address that is not public; nothing was connected."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(f"{host} stands at {address}, which is not a public address")
        self.host = host
        self.address = address


def is_public(address: str) -> bool:
    """Whether an IPv4 or IPv6 address belongs to a machine on the public internet.

    What is no address in the usual spelling is not public.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        closed = any(parsed in block for block in _CLOSED_IPV6) or _is_isatap(parsed)
        return parsed in _OPEN_IPV6 and parsed.scope_id is None and not closed
    return not any(parsed in block for block in _CLOSED_IPV4)


def _is_isatap(address: IPv6Address) -> bool:
    return int.from_bytes(address.packed[8:12]) in _ISATAP


class Guard:
    """Opens connections, to public addresses only unless `private_networks` is true.

    A host of which a single address is not public is refused whole: an honest one has no such
    address, and a dishonest one would have us try until it works.
    """

    # A second address is tried when the first has not answered in this many seconds.
    _PATIENCE_SECONDS = 3.0

    def __init__(
        self,
        *,
        private_networks: bool = False,
        resolve: Resolve | None = None,
        connect: Connect | None = None,
    ) -> None:
        self._private_networks = private_networks
        self._resolver = Resolver()
        self._resolve = resolve or self._resolver
        self._connect = connect or connect_to

    async def connect(self, host: str, port: int, *, seconds: float | None) -> socket.socket:
        """A connection to `host`, looked up once, within `seconds`.

        Raises:
            AddressRefused: one of its addresses is not public.
            httpx.ConnectError: it has no address (from `socket.gaierror`) or none takes us.
            httpx.ConnectTimeout: none answered in time.
        """
        deadline = time.monotonic() + seconds if seconds is not None else None
        addresses = list(await self._addresses(host, port, seconds))
        while True:
            address = addresses.pop(0)
            left = deadline - time.monotonic() if deadline is not None else None
            try:
                return await self._open(address, port, self._patience(left, last=not addresses))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                # What we may not open is no fault of the address, and the next would be blamed for it.
                is_ours = isinstance(error.__cause__, OSError) and error.__cause__.errno in NO_HANDLE
                if is_ours or not addresses or (left is not None and left <= 0):
                    raise

    async def _open(self, address: str, port: int, seconds: float | None) -> socket.socket:
        try:
            async with asyncio.timeout(seconds):
                return await self._connect(address, port)
        except TimeoutError as error:
            raise httpx.ConnectTimeout(f"{address} did not answer within {seconds} s") from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error

    def _patience(self, left: float | None, *, last: bool) -> float | None:
        if last:
            return left
        return self._PATIENCE_SECONDS if left is None else min(left, self._PATIENCE_SECONDS)

    async def _addresses(self, host: str, port: int, seconds: float | None) -> Sequence[str]:
        """The addresses of `host`, all of them allowed."""
        try:
            async with asyncio.timeout(seconds):
                # The dot at the end of a full name is no part of an address.
                addresses = await self._resolve(host.rstrip("."), port)
        except TimeoutError as error:
            raise httpx.ConnectTimeout(f"looking up {host} took longer than {seconds} s") from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"{host} has no address") from error
        if not addresses:
            raise httpx.ConnectError(f"{host} has no address") from socket.gaierror(socket.EAI_NONAME)
        for address in addresses:
            if not self._private_networks and not is_public(address):
                raise AddressRefused(host, address)
        return addresses

    def close(self) -> None:
        """Let go of the threads that look up names."""
        self._resolver.close()


async def connect_to(address: str, port: int) -> socket.socket:
    """A connection to an address. Raises OSError."""
    opened = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    opened.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(opened, (address, port))
    except BaseException:
        opened.close()
        raise
    return opened


class Resolver:
    """The system's look-up of names, on threads of its own.

    The event loop's default threads also write to the database; names that nobody answers for
    must not hold them up.
    """

    def __init__(self, threads: int = 32) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Addresses of `host` without repetition. Raises `socket.gaierror`."""
        try:
            return [str(ip_address(host))]
        except ValueError:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._threads, _look_up, host, port)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Start no further look-up; those under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> list[str]:
    # This also reads the odd spellings of IPv4 (0x7f.1, 2130706433), which then are judged.
    try:
        return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except socket.gaierror:
        # The same is said of a name that nobody knows and by a process that may open nothing more.
        require_handle()
        raise


def require_handle() -> None:
    """Let nothing pass where this process may open nothing more.

    Raises:
        OSError: EMFILE or ENFILE.
    """
    os.close(os.open(os.devnull, os.O_RDONLY))
