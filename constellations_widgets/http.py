"""HTTP for the whole package: the only module that imports httpx.

`new_client` makes every client, on what `new_transport` returns: the connections of a `PooledTransport`, or in a browser its
`fetch`.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import io
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx
from httpx import (
    URL,
    Auth,
    BaseTransport,
    Client,
    HTTPError,
    InvalidURL,
    Request,
    Response,
    TimeoutException,
)

from . import network as _network
from . import runtime
from .errors import NotSentError
from .forks import renew_in_children
from .interface import in_terms
from .network import CONNECT_TIMEOUT, Deadline, Network, Stream, is_loopback
from .text import one_line

if TYPE_CHECKING:
    from .fetch import Fetched

__all__ = [
    "NEVER_SENT",
    "URL",
    "Auth",
    "BaseTransport",
    "BlockedAddressError",
    "BodyError",
    "Client",
    "Deadline",
    "HTTPError",
    "InvalidURL",
    "Network",
    "PooledTransport",
    "Request",
    "Response",
    "SecretBytes",
    "TimeoutException",
    "authorize",
    "check_api_url",
    "drop_body",
    "hide_frames",
    "new_client",
    "new_transport",
    "proxy_for",
    "read",
    "send",
    "user_agent",
]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""Errors after which the request provably did not reach the server."""
MAX_CONNECTIONS, MAX_IDLE = 64, 32
"""Maximum connections of one transport, and maximum idle ones that are kept open."""


class BodyError(Exception):
    """Unusable body of a response; the text says why."""


class BlockedAddressError(httpx.ConnectError):
    """Address of a host that must not be connected to; the text is the host."""


class SecretBytes(bytes):
    """Header value that tracebacks do not show, neither as a whole nor in parts."""

    def __repr__(self) -> str:
        return "<hidden>"

    def __getitem__(self, index: Any) -> Any:  # `rich` shows the beginning of what is long
        return b"<hidden>"


def authorize(request: Request, value: str) -> None:
    """Set a request's Authorization header."""
    others = [(name, old) for name, old in request.headers.raw if name.lower() != b"authorization"]
    request.headers = httpx.Headers([*others, (b"Authorization", SecretBytes(value.encode()))])


class _NoCookies(httpx.Cookies):
    """Stay empty, without searching every response for cookies."""

    def extract_cookies(self, response: Response) -> None:
        """Take none."""


class _Client(Client):
    @property  # type: ignore[misc]  # read-only: the client keeps none
    def cookies(self) -> httpx.Cookies:
        return _NO_COOKIES


_NO_COOKIES = _NoCookies()


def new_client(transport: BaseTransport, timeout: float, auth: Auth | None = None) -> Client:
    """Return a client that keeps no cookies, follows no redirects and asks for uncompressed bodies.

    Parameters
    ----------
    transport : BaseTransport
        From `new_transport`, or what takes its place in a test.
    timeout : float
        Seconds to wait for the next bytes, or for a free connection.
    auth : Auth, optional
        Signs the requests.
    """
    return _Client(
        headers={"User-Agent": user_agent(), "Accept": "*/*", "Accept-Encoding": "identity"},
        timeout=httpx.Timeout(timeout, connect=min(CONNECT_TIMEOUT, timeout)),
        follow_redirects=False,
        transport=transport,
        auth=auth,
        trust_env=False,
    )


def new_transport(network: Callable[[], Network] = Network) -> BaseTransport:
    """Return connections to any servers, shared by all threads, or what Python has in a browser.

    Parameters
    ----------
    network : function, optional
        Makes the `Network` of a connection, which a browser has not: it guards its own.
    """
    return FetchTransport() if runtime.IN_BROWSER else PooledTransport(network)


def hide_frames(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Decorate a function so that the traceback of an exception, or of an interrupt, ends at its call.

    The variables of httpx, httpcore and h11 hold what is sent and received, tokens included, and several tools show the
    variables of a traceback. The arguments of the function stay visible.
    """

    @functools.wraps(function)
    def hidden(*args: Parameters.args, **options: Parameters.kwargs) -> Result:
        try:
            return function(*args, **options)
        except BaseException as error:  # noqa: BLE001  (raised again)
            # What it was raised from or after has the same frames.
            error.__cause__ = error.__context__ = None
            raise error.with_traceback(None)  # noqa: B904

    return hidden


@hide_frames
def send(client: Client, request: Request, **options: Any) -> Response:
    """Send a request; return its response, whose body is still to be read. Errors are httpx's, or of the client's `Auth`."""
    return client.send(request, stream=True, **options)


def drop_body(response: Response) -> None:
    """Replace a response's body, which may never end, by an empty one: httpx reads it before an `Auth` retries."""
    response.stream.close()  # type: ignore[union-attr]  # it is synchronous
    response.stream = httpx.ByteStream(b"")


@hide_frames
def read(response: Response, limit: int) -> bytes:
    """Return the body of a response.

    Raises
    ------
    BodyError
        If it is compressed, so that a small one could unfold into a huge one, or longer than `limit` bytes.
    HTTPError
        If it does not arrive whole.
    """
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise BodyError("is compressed, although no compression was requested")
    body = io.BytesIO()
    for part in response.iter_bytes():
        body.write(part)
        if body.tell() > limit:
            raise BodyError(f"is larger than {limit >> 20} MB")
    return body.getvalue()


@functools.cache
def user_agent() -> str:
    """Return the name and version of this package for the User-Agent header."""
    from importlib.metadata import PackageNotFoundError, version

    with contextlib.suppress(PackageNotFoundError):
        return f"constellations_widgets/{version('constellations_widgets')}"
    return "constellations_widgets"


def proxy_for(url: URL) -> httpx.Proxy | None:
    """Return the environment's proxy for an address; None for this machine and if no proxy is set.

    Raises
    ------
    httpx.ProxyError
        If the kind of proxy is unknown.
    """
    if is_loopback(url.host) or proxy_bypass(url.host):
        return None
    proxies = getproxies()
    address = proxies.get(url.scheme) or proxies.get("all")
    if not address:
        return None
    try:
        return httpx.Proxy(address if "://" in address else f"http://{address}")
    except (httpx.InvalidURL, ValueError) as error:
        raise httpx.ProxyError(f"the proxy set in the environment can't be used: {error}") from None


class _Lane:
    """Connection to one server, directly or through the environment's proxy; opened on use, and again after closing."""

    def __init__(self, url: URL, context: Callable[[], ssl.SSLContext], network: Network):
        self.origin, self.network, self.proxy = _origin(url), network, proxy_for(url)
        self.is_aborted = False
        options: dict[str, Any] = {"max_connections": 1, "max_keepalive_connections": 1, "network_backend": network}
        if url.scheme == "https":
            options["ssl_context"] = context()
        if self.proxy is None:
            self._pool = httpcore.ConnectionPool(**options)
        else:
            network.check_proxied(url.host, url.port or 443)
            self._pool = _proxied(self.proxy, options, context)

    def send(self, request: httpx.Request) -> httpcore.Response:
        """Send a request; raise httpcore's errors."""
        self.network.is_sent = False
        where, headers = _plain_url(request.url), request.headers.raw
        plain = httpcore.Request(
            request.method, where, headers=headers, content=request.stream, extensions=request.extensions
        )
        response = self._pool.handle_request(plain)
        stream = response.extensions["network_stream"]
        if not isinstance(stream, Stream):
            raise httpcore.RemoteProtocolError("the server switches to another protocol")
        stream.expect_body(response.status, response.headers)
        self._stream: Stream = stream
        return response

    def is_reusable(self) -> bool:
        return self._stream.is_reusable()

    def close(self) -> None:
        self._pool.close()

    def abort(self) -> None:
        """Close the connection after an interrupt, which may have left a lock of httpcore locked."""
        self.is_aborted = True
        self.network.abort()


def _proxied(
    proxy: httpx.Proxy, options: dict[str, Any], context: Callable[[], ssl.SSLContext]
) -> httpcore.ConnectionPool:
    options["proxy_url"] = _plain_url(proxy.url)
    if proxy.url.scheme.startswith("socks5"):
        try:
            return httpcore.SOCKSProxy(proxy_auth=proxy.raw_auth, **options)
        except (ImportError, RuntimeError) as error:  # its package is missing
            raise httpx.ProxyError(f"the proxy {proxy.url} can't be used: {error}") from None
    if proxy.raw_auth:
        secret = SecretBytes(b"Basic " + base64.b64encode(b":".join(proxy.raw_auth)))
        options["proxy_headers"] = [(b"Proxy-Authorization", secret)]
    if proxy.url.scheme == "https":
        options["proxy_ssl_context"] = context()
    return httpcore.HTTPProxy(**options)


class PooledTransport(httpx.BaseTransport):
    """Connection pool for any servers, shared by all threads. After `close` it can be used again, with new connections.

    `Request.extensions` may hold a `Deadline` by the name "deadline".

    Parameters
    ----------
    network : function, optional
        Makes the `Network` of a connection.
    """

    def __init__(self, network: Callable[[], Network] = Network):
        self._network = network
        self._idle: list[_Lane] = []  # the latest is taken first
        self._closed = 0  # how often; a connection that was taken before is not kept
        self._ssl_context: ssl.SSLContext | None = None
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Drop all connections after a fork: they belong to the parent, and responses to both would arrive on them."""
        self._lock, self._slots = threading.Lock(), threading.Semaphore(MAX_CONNECTIONS)
        self.close()

    def close(self) -> None:
        """Close the connections; those in use are closed with their response."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._closed += 1
        for lane in idle:
            lane.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; raise httpx's errors."""
        slots = self._slots
        if not slots.acquire(timeout=request.extensions.get("timeout", {}).get("pool")):
            raise httpx.PoolTimeout(f"all {MAX_CONNECTIONS} connections are in use")
        lane: _Lane | None = None
        age = self._closed
        try:
            lane = self._take(request)
            response = lane.send(request)
        except BaseException as error:  # noqa: BLE001  (mapped and raised)
            slots.release()
            if lane is not None:
                lane.close() if isinstance(error, Exception) else lane.abort()
            raise _mapped(error, lane) from None

        def release() -> None:
            slots.release()
            if lane.is_aborted:
                return
            response.close()
            if age == self._closed and lane.is_reusable():
                self._keep(lane)
            else:
                lane.close()

        body = _Body(response, lane, release)
        return httpx.Response(response.status, headers=response.headers, stream=body, extensions=response.extensions)

    def _take(self, request: httpx.Request) -> _Lane:
        origin, deadline = _origin(request.url), request.extensions.get("deadline") or Deadline(None)
        with self._lock:
            for at in reversed(range(len(self._idle))):
                if self._idle[at].origin == origin:
                    lane = self._idle.pop(at)
                    lane.network.deadline = deadline
                    return lane
        network = self._network()
        network.deadline = deadline
        return _Lane(request.url, self._context, network)

    def _keep(self, lane: _Lane) -> None:
        with self._lock:
            self._idle.append(lane)
            oldest = self._idle.pop(0) if len(self._idle) > MAX_IDLE else None
        if oldest is not None:
            oldest.close()

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._ssl_context is None:
                self._ssl_context = httpx.create_ssl_context()
            return self._ssl_context


class FetchTransport(httpx.BaseTransport):
    """The browser's `fetch`, with the deadline of a `PooledTransport`, and errors that tell as much."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; raise httpx's errors."""
        from .fetch import fetch

        headers = [(name.decode("latin-1"), bytes(value).decode("latin-1")) for name, value in request.headers.raw]
        timeout = request.extensions.get("timeout", {}).get("read")
        deadline = request.extensions.get("deadline") or Deadline(None)
        try:
            fetched = fetch(request.method, str(request.url), headers, request.read(), timeout, deadline)
        except tuple(_ERRORS) as error:
            raise _mapped(error, None) from None
        return httpx.Response(fetched.status, headers=fetched.headers, stream=_FetchedBody(fetched))


class _FetchedBody(httpx.SyncByteStream):
    """Body of a response that `fetch` has received."""

    def __init__(self, fetched: Fetched):
        self._fetched = fetched

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._fetched.parts()
        except tuple(_ERRORS) as error:
            raise _mapped(error, None) from None

    def close(self) -> None:
        self._fetched.close()


class _Body(httpx.SyncByteStream):
    """Body of a response; closing it returns its connection to the pool."""

    def __init__(self, response: httpcore.Response, lane: _Lane, release: Callable[[], None]):
        self._response, self._lane, self._release = response, lane, release
        self._is_open = True

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from cast(Iterable[bytes], self._response.stream)
        except tuple(_ERRORS) as error:
            raise _mapped(error, self._lane) from None
        except (Exception, GeneratorExit):
            raise
        except BaseException:
            self._lane.abort()
            raise

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._release()


# httpcore's errors and httpx's have the same names.
_ERRORS: dict[type[BaseException], type[httpx.RequestError]] = {
    getattr(httpcore, name): getattr(httpx, name)
    for name in (
        "ConnectError", "ConnectTimeout", "LocalProtocolError", "PoolTimeout", "ProxyError", "ReadError", "ReadTimeout",
        "RemoteProtocolError", "UnsupportedProtocol", "WriteError", "WriteTimeout",
    )
}  # fmt: skip
_ERRORS[_network.BlockedAddressError] = BlockedAddressError


def _mapped(error: BaseException, lane: _Lane | None) -> BaseException:
    """Return httpx's error for one of httpcore's; its type tells whether the request was sent, its text the proxy."""
    kind, text = _ERRORS.get(type(error)), str(error)
    if kind is None:
        return error
    if kind is httpx.LocalProtocolError:  # its own text shows the header, with the token
        return httpx.UnsupportedProtocol("the request holds characters that HTTP can't carry")
    if lane is None or lane.network.is_sent:
        return kind(text)
    if not issubclass(kind, NEVER_SENT):
        kind = httpx.ConnectTimeout if issubclass(kind, TimeoutException) else httpx.ConnectError
    return kind(f"the proxy {lane.proxy.url} did not connect to it: {text}" if lane.proxy else text)


def _plain_url(url: URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _origin(url: URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def check_api_url(api_url: str) -> str:
    """Return `api_url` without a slash at its end.

    Raises
    ------
    NotSentError
        If it can't be the root of an API: not http(s), no host, or with a name and password, a query or a fragment in
        it.
    """
    shown = one_line(str(api_url).rpartition("@")[2])  # whatever stands before an "@" may be a password
    try:
        url = URL(api_url)
    except (InvalidURL, TypeError):
        raise NotSentError(f"{shown!r} is not a web address. Give the API's root, such as https://…") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise NotSentError(f"{shown!r} is not the address of an API: it must begin with https:// or http://.")
    if url.userinfo:
        raise NotSentError(
            f"The API's address holds a name or password before {shown!r}. Remove it{in_terms(' and pass auth=…', '')}."
        )
    if url.query or url.fragment or "?" in api_url or "#" in api_url:
        raise NotSentError(f"The API's address {shown!r} must end with its path: remove everything from “?” or “#” on.")
    return str(url).rstrip("/")
