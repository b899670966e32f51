"""Looks at addresses of the web as a browser on somebody else's page would, to tell what others will see there.

The addresses are those of a draft, and drafts are made of other people's files too, often on a server inside a private
network. So nobody is to send us around in there: an address that looks public must lead to public addresses only, at
every redirect, and the connection goes to the very address that was looked at.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Self

import httpcore
import httpx

from .deadline import DeadlineTransport, deadline
from .plaintext import one_line

TIMEOUT = 5.0
"""Seconds for one look, redirects included."""
MOST_BYTES = 2**20
"""Bytes of an answer that are read at most."""
MOST_REDIRECTS = 5
PAGE = "https://worldwidetelescope.org"
"""The page that wants to show what is looked at."""

SLOW, UNREACHABLE, PRIVATE, ASTRAY = "slow", "unreachable", "private", "astray"
_PATIENCE = 3  # looks at one host that come to nothing; after them it is not asked any more
_EMBEDDED = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48")]  # IPv4 behind a translator

Resolve = Callable[[str, int], Sequence[str]]
"""Host and port → IP addresses. Raises OSError."""


@dataclass(frozen=True)
class Look:
    """What was seen at an address.

    Attributes
    ----------
    fault : str
        Why there is no answer: `SLOW`, `UNREACHABLE`, `PRIVATE` (it leads to a private network and was not asked) or
        `ASTRAY` (redirects that end nowhere); "" where there is one.
    detail : str
        More about the fault, as one line.
    status : int
        The HTTP status, 0 without an answer.
    content_type : str
        As the server says, in small letters and without parameters.
    shared : bool
        Whether the answer, and every redirect to it, may be used by pages of other origins (CORS).
    content : bytes
        The answer's beginning.
    """

    fault: str = ""
    detail: str = ""
    status: int = 0
    content_type: str = ""
    shared: bool = False
    content: bytes = b""


class Web:
    """Looks at addresses. Can be used by many threads.

    Parameters
    ----------
    timeout : float, optional
        Seconds for one look. Default 5.
    resolve : callable, optional
        Finds the IP addresses of a host; by default the system does.
    network : httpcore.NetworkBackend, optional
        Opens the connections.
    """

    def __init__(
        self,
        *,
        timeout: float = TIMEOUT,
        resolve: Resolve | None = None,
        network: httpcore.NetworkBackend | None = None,
    ):
        self._timeout = timeout
        self._resolve = resolve or _addresses
        self._network = network
        self._lock = threading.Lock()
        # Those that may go to private addresses share no connection with the others.
        self._clients: dict[bool, httpx.Client] = {}
        self._vain: Counter[str] = Counter()

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def look(self, url: str, enough: Callable[[bytes], bool], *, private: bool = False) -> Look:
        """What is at `url`. Never raises, and takes no longer than the timeout.

        Parameters
        ----------
        url : str
            An http or https address.
        enough : callable
            Says of the bytes so far whether they will do.
        private : bool, optional
            Whether it, and what it redirects to, may be in a private network. Default False.
        """
        way = _Way(time.monotonic() + self._timeout)
        try:
            with deadline(self._timeout):
                return self._follow(url, enough, way, private)
        except _PrivateAddress:
            return Look(PRIVATE, one_line(way.host))
        except httpx.TimeoutException:
            found = Look(SLOW, f"no answer within {self._timeout:g} s")
        except (httpx.HTTPError, OSError, zlib.error) as error:
            found = Look(UNREACHABLE, one_line(str(error)).rstrip(".") or type(error).__name__)
        except (httpx.InvalidURL, ValueError):
            return Look(ASTRAY, "no web address")
        with self._lock:
            self._vain[way.host] += 1
        return found

    def _follow(self, url: str, enough: Callable[[bytes], bool], way: _Way, private: bool) -> Look:
        where, origin, shared = httpx.URL(url), PAGE, True
        for _ in range(MOST_REDIRECTS + 1):
            if where.scheme not in ("http", "https") or not where.host:
                return Look(ASTRAY, "no web address")
            way.host = where.host
            if self._vain[where.host] >= _PATIENCE:
                return Look(SLOW, f"{where.host} was not asked again after {_PATIENCE} times without an answer")
            client = self._client(private)
            left = max(way.end - time.monotonic(), 0.001)
            # A name and password in an address would be sent along.
            plain = where.copy_with(userinfo=b"", fragment=None)
            request = client.build_request("GET", plain, headers={"Origin": origin}, timeout=left)
            response = client.send(request, stream=True, auth=None)
            try:
                allowed = response.headers.get("Access-Control-Allow-Origin", "").strip()
                shared = shared and allowed in ("*", origin)
                if not response.has_redirect_location:
                    return _seen(response, enough, shared)
                target = where.join(response.headers["Location"])
            finally:
                response.close()
            if _origin(target) != _origin(where):  # as browsers do once they were sent to another server
                origin = "null"
            where = target
        return Look(ASTRAY, f"more than {MOST_REDIRECTS} redirects")

    def _client(self, private: bool) -> httpx.Client:
        with self._lock:
            if private not in self._clients:
                self._clients[private] = httpx.Client(
                    headers={"User-Agent": "constellations_widgets", "Accept-Encoding": "identity", "Accept": "*/*"},
                    cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                    follow_redirects=False,
                    transport=_GuardedTransport(self._resolve, self._network, private),
                    trust_env=False,
                )
            return self._clients[private]


@dataclass
class _Way:
    """Where a look has come to."""

    end: float
    host: str = ""


class _PrivateAddress(Exception):
    """A host that looks public has a private address."""


class _GuardedTransport(DeadlineTransport):
    """Connects to addresses that were looked at, and to no others."""

    def __init__(self, resolve: Resolve, network: httpcore.NetworkBackend | None, private: bool):
        super().__init__(limits=httpx.Limits(max_connections=64, max_keepalive_connections=32), network=network)
        self._pool._network_backend = _Guard(self._pool._network_backend, resolve, private)


class _Guard(httpcore.NetworkBackend):
    def __init__(self, network: httpcore.NetworkBackend, resolve: Resolve, private: bool):
        self._network, self._resolve, self._private = network, resolve, private

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> httpcore.NetworkStream:
        addresses = _in_time(lambda: self._resolve(host, port), timeout)
        if not self._private and not all(map(is_public, addresses)):
            raise _PrivateAddress
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return self._network.connect_tcp(address, port, timeout, **options)
            except httpcore.ConnectError as error:
                failure = error
        raise failure


def is_public(address: str) -> bool:
    """Whether an IP address is one of the whole internet, not of this machine or a private network."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and any(ip in network for network in _EMBEDDED):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = inner or ip
    return ip.is_global and not ip.is_multicast


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _in_time(find: Callable[[], Sequence[str]], timeout: float | None) -> Sequence[str]:
    """What `find` gives. The system's search for an address can't be ended, so it gets a thread that nobody waits for."""
    answer: Future[Sequence[str]] = Future()

    def run() -> None:
        try:
            answer.set_result(find())
        except Exception as error:  # noqa: BLE001
            answer.set_exception(error)

    threading.Thread(target=run, name="constellations-resolve", daemon=True).start()
    try:
        return answer.result(timeout)
    except TimeoutError:
        raise httpcore.ConnectTimeout("looking up its address took too long") from None
    except (OSError, ValueError) as error:  # ValueError: a name that can't be one (UnicodeError)
        raise httpcore.ConnectError(getattr(error, "strerror", None) or str(error)) from None


def _seen(response: httpx.Response, enough: Callable[[bytes], bool], shared: bool) -> Look:
    kind = one_line(response.headers.get("Content-Type", "").partition(";")[0].lower(), 60)
    look = Look(status=response.status_code, content_type=kind, shared=shared)
    return replace(look, content=_beginning(response, enough)) if response.status_code == 200 else look


def _beginning(response: httpx.Response, enough: Callable[[bytes], bool]) -> bytes:
    packed = response.headers.get("Content-Encoding", "").lower() in ("gzip", "deflate")  # though not asked for
    unpack = zlib.decompressobj(wbits=47) if packed else None
    content, size = bytearray(), 0
    for part in response.iter_raw():
        content += unpack.decompress(part, MOST_BYTES) if unpack else part
        size += len(part)
        if max(len(content), size) >= MOST_BYTES or enough(bytes(content)):
            break
    return bytes(content)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
