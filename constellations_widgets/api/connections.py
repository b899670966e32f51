"""Connections that are kept open, one request at a time on each: httptools' parser on sockets that httpcore opens.

httpx spends several times as long on a request as all the rest of a publication takes; this is the part of it that a
client of one host needs. It says what went wrong with the errors of httpx, so that nobody needs to know which of the
two was used.
"""

from __future__ import annotations

import queue
import re
import selectors
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import httpcore
import httptools
import httpx

from ..forks import renew_in_children

if TYPE_CHECKING:
    import socket

MOST = 64
"""Connections at the same time."""
_HEAD = re.compile(r"[A-Z]+ [!-~]+ HTTP/1\.1\r\n(?:[!-9;-~]+: [ -~]*\r\n)+")
_HEAD_LIMIT = 64 * 1024  # bytes of an answer's head
_PART = 64 * 1024  # bytes that are read at once
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)  # Windows has the latter alone
_SPARE_FOR = 5.0  # seconds for which an unused connection is trusted: servers close them, often after more than this


Result = TypeVar("Result")


class Unusable(Exception):
    """An answer that is not what was asked for; the text says how."""


@dataclass(slots=True)
class Answer:
    """What a server answered. Where `fault` is set, the body did not arrive whole: it is empty then."""

    status: int
    reason: str
    headers: dict[str, str] = field(default_factory=dict)
    """By their names in small letters; what came more than once is joined by commas."""
    content: bytes = b""
    fault: Exception | None = None


class Connections:
    """The connections to one host. Can be used by any number of threads.

    Parameters
    ----------
    url : httpx.URL
        Of the host.
    connect_timeout, timeout : float
        Seconds to wait for a connection to be made, and for the next bytes of an answer or a free connection.
    within : float
        Seconds that a whole request may take.
    limit : int
        Bytes of a body that are read at most.
    """

    def __init__(self, url: httpx.URL, *, connect_timeout: float, timeout: float, within: float, limit: int):
        self._host, self._port = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        self._host_field = url.netloc.decode("ascii")
        self._tls = _tls() if url.scheme == "https" else None
        self._connect_timeout, self._timeout, self._within, self._limit = connect_timeout, timeout, within, limit
        self._network = httpcore.SyncBackend()
        self._spare: list[_Connection] = []  # the latest is taken first
        self._is_open = True
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Begin without connections: those of before a fork are the parent's, and answers to both would come on them."""
        self._free: queue.SimpleQueue[None] = queue.SimpleQueue()  # a semaphore, several times as quick as Python's
        for _ in range(MOST):
            self._free.put(None)
        while self._spare:
            self._spare.pop().close()

    def send(self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes | None) -> Answer:
        """Send a request and read its answer.

        Parameters
        ----------
        method, target : str
            The target is a path, percent-encoded, with its query.
        headers : sequence of (str, str)
            Beside those of the host and the body's length.
        body : bytes or None

        Raises
        ------
        httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout
            The request provably never left.
        httpx.TransportError
            It may have left, and no head of an answer came.
        """
        request = self._request(method, target, headers, body)
        try:
            self._free.get(timeout=self._timeout)
        except queue.Empty:
            raise httpx.PoolTimeout(f"all {MOST} connections are in use") from None
        try:
            return self._send(request)
        finally:
            self._free.put(None)

    def _request(self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes | None) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host_field}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join([*lines, ""])
        if not _HEAD.fullmatch(head) or head.count("\r") != len(lines):  # it is not shown: a token is in it
            raise httpx.UnsupportedProtocol("the request holds characters that HTTP can't carry")
        return f"{head}\r\n".encode("ascii") + (body or b"")

    def _send(self, request: bytes) -> Answer:
        end = time.monotonic() + self._within
        connection = self._spare_one() or self._new_one()
        try:
            answer = connection.exchange(request, end)
        except BaseException:  # an interrupt, too: whatever is still to come on it is not for the next request
            connection.close()
            raise
        if connection.can_be_kept and self._is_open:
            connection.spare_since = time.monotonic()
            self._spare.append(connection)
            if not self._is_open:  # closed by another thread just now
                self.close()
        else:
            connection.close()
        return answer

    def close(self) -> None:
        """Close the connections; those in use when their request is done."""
        self._is_open = False
        while self._spare:
            self._spare.pop().close()

    def _spare_one(self) -> _Connection | None:
        while self._spare:
            try:
                connection = self._spare.pop()
            except IndexError:  # another thread was faster
                return None
            if time.monotonic() - connection.spare_since < _SPARE_FOR and not connection.has_news():
                return connection
            connection.close()
        return None

    def _new_one(self) -> _Connection:
        try:
            stream = self._network.connect_tcp(self._host, self._port, self._connect_timeout)
            if self._tls is not None:
                try:
                    stream = stream.start_tls(self._tls, self._host, self._connect_timeout)
                except BaseException:
                    stream.close()
                    raise
        except httpcore.ConnectTimeout as error:
            raise httpx.ConnectTimeout(str(error)) from None
        except httpcore.ConnectError as error:
            raise httpx.ConnectError(str(error)) from None
        return _Connection(stream, self._timeout, self._limit)


class _Incoming:
    """An answer on its way. httptools calls its `on_…` methods."""

    def __init__(self, limit: int):
        self.answer: Answer | None = None  # once its head is here
        self.is_done = self.can_be_followed = False
        self._limit, self._size = limit, 0
        self._reason, self._fields, self._parts = b"", [], []
        self._has_begun = False
        self._parser = httptools.HttpResponseParser(self)

    def on_message_begin(self) -> None:
        self.can_be_followed = False  # the second one that nobody asked for

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name.decode("latin-1").lower(), value.decode("latin-1").strip()))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200 and self.answer is None:
            self.answer = Answer(status, self._reason.decode("latin-1"), _joined(self._fields))
        self._reason, self._fields, self._size = b"", [], 0

    def on_body(self, part: bytes) -> None:
        self._size += len(part)
        self._parts.append(part)

    def on_message_complete(self) -> None:
        if self.answer is not None:  # not one that only says that an answer will come
            self.is_done, self.can_be_followed = True, self._parser.should_keep_alive()

    def take(self, part: bytes) -> None:
        """The next bytes from the server; none at the end of the connection."""
        if not part:
            self._end()
            return
        self._has_begun = True
        try:
            self._parser.feed_data(part)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.can_be_followed = False
            if not self.is_done:
                raise httpx.RemoteProtocolError(f"the server does not speak HTTP ({error})") from None
        if self.answer is None:
            self._size += len(part)
            if self._size > _HEAD_LIMIT:
                raise httpx.RemoteProtocolError("the head of the answer is too long")
            return
        refuse_compressed(self.answer.headers.get("content-encoding"))
        refuse_larger(self._size, self._limit)
        if self.is_done:
            self.answer.content = b"".join(self._parts)

    def _end(self) -> None:
        if not self._has_begun:
            raise httpx.RemoteProtocolError("the server disconnected without sending a response")
        if self.answer is None or {"content-length", "transfer-encoding"} & self.answer.headers.keys():
            raise httpx.RemoteProtocolError("the server disconnected in the middle of its answer")
        self.is_done, self.answer.content = True, b"".join(self._parts)  # nothing else tells the end


def _joined(fields: Sequence[tuple[str, str]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in fields:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


class _Connection:
    """A connection, and whether the next request can use it."""

    def __init__(self, stream: httpcore.NetworkStream, timeout: float, limit: int):
        self._stream, self._timeout, self._limit = stream, timeout, limit
        self._socket: socket.socket = stream.get_extra_info("socket")
        self._socket.setblocking(False)
        self._end = 0.0  # of the request's time
        self.can_be_kept = False
        self.spare_since = 0.0

    def close(self) -> None:
        self._socket.close()

    def has_news(self) -> bool:
        """Whether something came that nobody asked for: the connection's end, mostly."""
        return bool(self._stream.get_extra_info("is_readable"))

    def exchange(self, request: bytes, end: float) -> Answer:
        self.can_be_kept, self._end = False, end
        self._write(request)
        incoming = _Incoming(self._limit)
        try:
            while not incoming.is_done:
                incoming.take(self._read())
        except (httpx.TransportError, Unusable) as error:
            if incoming.answer is None:
                raise
            incoming.answer.fault = error
        else:
            self.can_be_kept = incoming.can_be_followed
        return incoming.answer

    def _write(self, request: bytes) -> None:
        left = memoryview(request)
        try:
            while left:
                left = left[self._soon(self._socket.send, left, selectors.EVENT_WRITE) :]
        except TimeoutError as error:
            raise httpx.WriteTimeout(str(error)) from None
        except OSError:
            pass  # a server may answer before it has read all, and close: its answer says why

    def _read(self) -> bytes:
        try:
            return self._soon(self._socket.recv, _PART, selectors.EVENT_READ)
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from None
        except OSError as error:
            raise httpx.ReadError(str(error)) from None

    def _soon(self, act: Callable[[Any], Result], what: Any, ready: int) -> Result:
        """What `act` gives: at once if it can, else when the socket is `ready`. It mostly can, and then asks the system
        once; a socket with a timeout of its own asks twice."""
        while True:
            seconds = min(self._timeout, self._end - time.monotonic())
            if seconds <= 0:
                raise TimeoutError("the whole request took too long")
            event = ready
            try:
                return act(what)
            except ssl.SSLWantReadError:
                event = selectors.EVENT_READ
            except ssl.SSLWantWriteError:
                event = selectors.EVENT_WRITE
            except BlockingIOError:
                pass
            with _Selector() as selector:
                selector.register(self._socket, event)
                if not selector.select(seconds):
                    raise TimeoutError("no answer in time")


def _tls() -> ssl.SSLContext:
    """What httpx takes for a client of its own, with HTTP/1.1 alone."""
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def refuse_compressed(coding: str | None) -> None:
    """Raise Unusable where a body is compressed: a small one could unfold into a huge one, so that was not asked for."""
    if (coding or "identity").lower() != "identity":
        raise Unusable("is compressed, which was not asked for")


def refuse_larger(size: int, limit: int) -> None:
    """Raise Unusable where a body is larger than it may be."""
    if size > limit:
        raise Unusable(f"is larger than {limit // 2**20} MB")
