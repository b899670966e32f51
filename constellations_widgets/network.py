"""Network backend beneath HTTP: httpcore's, with what a client needs that must not send a request twice.

It adds a deadline for the whole request, a guard against private addresses, and a strict rule for reuse: a request is
never sent on a connection that the server may be closing, or that holds unread bytes.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Any

import httpcore
from httpcore import SOCKET_OPTION, NetworkBackend, NetworkStream

from . import runtime

__all__ = [
    "CONNECT_TIMEOUT",
    "BlockedAddressError",
    "Deadline",
    "Network",
    "NetworkBackend",
    "Resolve",
    "Stream",
    "is_loopback",
    "is_public",
    "serves_credentials",
]

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a connection."""
MAX_IDLE_TIME = 2.0
"""Seconds after which an idle connection is not used again. Node closes one after 5."""
_HEAD_LIMIT = 64 * 1024  # bytes of a response's head
_PART = 64 * 1024  # bytes read at once, and written before the deadline is checked again
_TOGETHER = 16 * 1024  # bytes of a whole request that the system takes at once
_HEAD_END = re.compile(rb"\n\r?\n")
_EMBEDDED_IPV4 = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48")]  # behind a translator
_METADATA_SERVERS = {  # those of clouds that do not use a link-local address
    ipaddress.ip_address(address)
    for address in ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
}

Resolve = Callable[[str, int], Sequence[str]]
"""Host and port → IP addresses. Raises OSError."""


class BlockedAddressError(httpcore.ConnectError):
    """Address of a host that must not be connected to; the text is the host."""


class Deadline:
    """Time limit of a whole request, with its response.

    httpx limits each single wait for bytes, so a server that sends one byte now and then could hold a request for ever.

    Parameters
    ----------
    seconds : float or None
        From now on; None sets no limit.
    """

    def __init__(self, seconds: float | None):
        self.restart(seconds)

    def restart(self, seconds: float | None) -> None:
        """Set the limit again, counted from now."""
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Return the seconds that are left; infinite without a limit."""
        return float("inf") if self._end is None else self._end - time.monotonic()

    def cut(self, timeout: float | None, expired: type[Exception]) -> float | None:
        """Return `timeout`, or the time left if that is shorter; raise `expired` if none is left."""
        if self._end is None:
            return timeout
        left = self._end - time.monotonic()
        if left <= 0:
            raise expired("the whole request took too long")
        return left if timeout is None else min(timeout, left)


class Stream(NetworkStream):
    """Connection that knows whether it can carry another request.

    httpcore leaves bytes that follow a response in the parser's buffer, where they pass for the response to the next
    request. So this stream hands over the head of a response first, then as many bytes as the head announced, and no
    more.
    """

    def __init__(self, stream: NetworkStream, network: Network):
        self._stream, self._network = stream, network
        network.stream = self
        self._received = b""  # not handed over yet
        self._head = b""  # of a request, not sent yet
        self._is_used = self._in_head = False
        self._body_left: int | None = None  # bytes; None where the length is not known
        self._last_read = 0.0
        self._max_idle = MAX_IDLE_TIME

    def expect_body(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Read from the head of a response how many bytes follow, and how long the connection may then be idle."""
        fields = {name.lower(): value for name, value in headers}
        length = fields.get(b"content-length", b"")
        self._in_head = False
        if status in (204, 304):
            self._body_left = 0
        elif length.isdigit() and b"transfer-encoding" not in fields:
            self._body_left = int(length)
        if announced := re.search(rb"timeout\s*=\s*(\d+)", fields.get(b"keep-alive", b""), re.IGNORECASE):
            self._max_idle = min(MAX_IDLE_TIME, int(announced[1]) / 2)

    def is_reusable(self) -> bool:
        """Return whether the last response is complete, nothing came with it, and the server will not close soon."""
        return self._body_left == 0 and not self._received and time.monotonic() - self._last_read < self._max_idle

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read at most `max_bytes`, and nothing beyond the response."""
        if self._in_head:
            return self._read_head(timeout)
        received = self._received or self._receive(timeout)
        if self._body_left is None:
            self._received = b""
            return received
        part, self._received = received[: self._body_left], received[self._body_left :]
        self._body_left -= len(part)
        return part

    def _read_head(self, timeout: float | None) -> bytes:
        # There can be several heads: a server may announce its response first ("100 Continue").
        received = self._received
        while not (end := _HEAD_END.search(received)):
            if len(received) > _HEAD_LIMIT:
                raise httpcore.RemoteProtocolError("the head of the response is too long")
            part = self._receive(timeout)
            received += part
            if not part:  # the connection has ended in the head: the parser reports it
                self._in_head, self._received = False, b""
                return received
        self._received = received[end.end() :]
        return received[: end.end()]

    def _receive(self, timeout: float | None) -> bytes:
        part = self._stream.read(_PART, self._network.deadline.cut(timeout, httpcore.ReadTimeout))
        self._last_read = time.monotonic()
        return part

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes within the request's deadline; the head of a request is sent with what is written next."""
        if self._head:
            self._begin(buffer, timeout)
        # h11 writes the head of a request at once. What is written before the first request goes to a SOCKS proxy.
        elif not self._in_head and (self._body_left == 0 or not self._is_used) and buffer.endswith(b"\r\n\r\n"):
            # Only now is the system asked whether the server has closed the connection: each system call lets other threads in.
            if self._is_used and (not self.is_reusable() or self._stream.get_extra_info("is_readable")):
                raise httpcore.ConnectionNotAvailable  # the pool opens a new one
            self._head = buffer
        else:
            self._write(buffer, timeout)

    def _begin(self, buffer: bytes, timeout: float | None) -> None:
        head, self._head = self._head, b""
        first = head + buffer if len(head) + len(buffer) <= _TOGETHER else head
        self._network.is_sent = not head.startswith(
            b"CONNECT "
        )  # beforehand: an interrupt could come right after sending
        try:
            self._write(first, timeout)
        except (httpcore.WriteError, httpcore.WriteTimeout) as error:  # no server acts on a part of a request
            self._network.is_sent = False
            if isinstance(error, httpcore.WriteTimeout):
                raise
            if self._is_used:
                raise httpcore.ConnectionNotAvailable from None
            raise httpcore.ConnectError(str(error)) from None
        self._is_used = self._in_head = True
        self._body_left = None
        if first is head:
            self._write(buffer, timeout)

    def _write(self, buffer: bytes, timeout: float | None) -> None:
        left = memoryview(buffer)  # httpcore copies the rest of bytes after each part that was sent
        while left:
            part, left = left[:_PART], left[_PART:]
            self._stream.write(part, self._network.deadline.cut(timeout, httpcore.WriteTimeout))  # type: ignore[arg-type]

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> Stream:
        """Return this connection with TLS."""
        timeout = self._network.deadline.cut(timeout, httpcore.ConnectTimeout)
        return Stream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._network)

    def get_extra_info(self, info: str) -> Any:
        """Return a property of the connection, as httpcore names it."""
        if info == "is_readable" and self._is_used:  # httpcore closes an idle connection that is
            return not self.is_reusable()
        return self._stream.get_extra_info(info)


class Network(NetworkBackend):
    """Network of one connection: it applies the request's deadline and connects to allowed addresses only.

    Parameters
    ----------
    allows : function of str, optional
        Whether to connect to an IP address. It is called with all addresses of a host, and the connection goes to one that
        was checked, so a name server can't change its answer in between.
    resolve : function of (str, int), optional
        Finds the IP addresses of a host; by default the system does.
    backend : NetworkBackend, optional
        Opens the connections.
    """

    def __init__(
        self,
        allows: Callable[[str], bool] | None = None,
        resolve: Resolve | None = None,
        backend: NetworkBackend | None = None,
    ):
        self.deadline = Deadline(None)
        self.is_sent = False
        """Whether the head of the latest request has left."""
        self.stream: Stream | None = None
        """The connection, once there is one."""
        self._allows, self._resolve = allows, resolve or _resolve
        self._backend = backend or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> Stream:
        """Connect to a host, if all its addresses are allowed; raise BlockedAddressError otherwise."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses(host, port, timeout):
            try:
                left = self.deadline.cut(timeout, httpcore.ConnectTimeout)
                options = {"local_address": local_address, "socket_options": socket_options}
                return Stream(self._backend.connect_tcp(address, port, left, **options), self)  # type: ignore[arg-type]
            except httpcore.ConnectError as error:
                failure = error
        raise failure

    def abort(self) -> None:
        """Close the connection."""
        if self.stream is not None:
            self.stream.close()

    def check_proxied(self, host: str, port: int) -> None:
        """Check the addresses of a host to which a proxy will connect, as far as they are known here."""
        if self._allows is not None:
            try:
                self._addresses(host, port, CONNECT_TIMEOUT)
            except BlockedAddressError:
                raise
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                pass  # only the proxy knows the name
            self._allows = None  # the proxy itself is the user's choice

    def _addresses(self, host: str, port: int, timeout: float | None) -> Sequence[str]:
        left = self.deadline.cut(timeout, httpcore.ConnectTimeout)
        addresses = _in_time(lambda: self._resolve(host, port), left)
        if self._allows is not None and not all(map(self._allows, addresses)):
            raise BlockedAddressError(host)
        return addresses


@functools.lru_cache(64)  # it is asked several times for each request
def is_loopback(host: str) -> bool:
    """Return whether `host` is this machine and no other."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Return whether an IP address is public: not of this machine, a private network or another reserved range."""
    ip = _plain(address)
    return ip.is_global and not ip.is_multicast and ip not in _METADATA_SERVERS


def serves_credentials(address: str) -> bool:
    """Return whether cloud machines receive their credentials from such an address: link-local, or one of a few others."""
    ip = _plain(address)
    return ip.is_link_local or ip in _METADATA_SERVERS


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an IP address; the IPv4 address that an IPv6 address embeds."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    inner = ip.ipv4_mapped or ip.sixtofour
    if inner is None and any(ip in network for network in _EMBEDDED_IPV4):
        inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return inner or ip


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _in_time(find: Callable[[], Sequence[str]], timeout: float | None) -> Sequence[str]:
    """Return what `find` returns. A name lookup by the system can't be cancelled, so it runs in its own thread."""
    answer: Future[Sequence[str]] = Future()

    def run() -> None:
        try:
            answer.set_result(find())
        except Exception as error:  # noqa: BLE001
            answer.set_exception(error)

    runtime.start_thread("resolve", run)
    try:
        return answer.result(timeout)
    except TimeoutError:
        raise httpcore.ConnectTimeout("looking up its address took too long") from None
    except (OSError, ValueError) as error:  # ValueError: a name that can't be one (UnicodeError)
        raise httpcore.ConnectError(getattr(error, "strerror", None) or str(error)) from None
