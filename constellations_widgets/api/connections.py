"""Connections that are kept open, one request at a time on each: the standard library's HTTP on httpcore's sockets.

httpx spends several times as long on a request as all the rest of a publication takes; this is the part of it that a
client of one host needs. It says what went wrong with the errors of httpx, so that nobody needs to know which of the
two was used.
"""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse, RemoteDisconnected
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from .deadline import DeadlineNetwork

if TYPE_CHECKING:
    import ssl

MOST = 64
"""Connections at the same time."""
_HEAD = re.compile(r"[A-Z]+ [!-~]+ HTTP/1\.1\r\n(?:[!-9;-~]+: [ -~]*\r\n)+")
_CUT_SHORT = "the server disconnected in the middle of its answer"
_SPARE_FOR = 5.0  # seconds for which an unused connection is trusted: servers close them, often after more than this


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
    limit : int
        Bytes of a body that are read at most.
    """

    def __init__(self, url: httpx.URL, *, connect_timeout: float, timeout: float, limit: int):
        self._host, self._port = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        self._host_field = url.netloc.decode("ascii")
        self._tls = _tls() if url.scheme == "https" else None
        self._connect_timeout, self._timeout, self._limit = connect_timeout, timeout, limit
        self._network = DeadlineNetwork(httpcore.SyncBackend())
        self._free = threading.Semaphore(MOST)
        self._spare: list[_Connection] = []  # the latest is taken first
        self._is_open = True

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
        if not self._free.acquire(timeout=self._timeout):
            raise httpx.PoolTimeout(f"all {MOST} connections are in use")
        try:
            return self._send(method, self._request(method, target, headers, body))
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise _of_httpx(error) from None
        finally:
            self._free.release()

    def _request(self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes | None) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host_field}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join([*lines, ""])
        if not _HEAD.fullmatch(head) or head.count("\r") != len(lines):  # it is not shown: a token is in it
            raise httpx.UnsupportedProtocol("the request holds characters that HTTP can't carry")
        return f"{head}\r\n".encode("ascii") + (body or b"")

    def _send(self, method: str, request: bytes) -> Answer:
        connection = self._spare_one() or self._new_one()
        try:
            answer = connection.exchange(method, request, self._limit)
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
        stream = self._network.connect_tcp(self._host, self._port, self._connect_timeout)
        if self._tls is not None:
            try:
                stream = stream.start_tls(self._tls, self._host, self._connect_timeout)
            except BaseException:
                stream.close()
                raise
        return _Connection(stream, self._timeout)


class _Incoming(io.RawIOBase):
    """One answer on its way: what http.client takes for a socket, and for the file that it reads."""

    def __init__(self, stream: httpcore.NetworkStream, timeout: float):
        self._stream, self._timeout = stream, timeout
        self.has_ended = False  # the connection

    def makefile(self, _mode: str) -> Any:
        return io.BufferedReader(self, io.DEFAULT_BUFFER_SIZE * 8)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._stream.read(len(buffer), self._timeout)
        buffer[: len(part)] = part
        self.has_ended = not part
        return len(part)


class _Connection:
    """A connection, and whether the next request can use it."""

    def __init__(self, stream: httpcore.NetworkStream, timeout: float):
        self._stream, self._timeout = stream, timeout
        self.can_be_kept = False
        self.spare_since = 0.0

    def close(self) -> None:
        self._stream.close()

    def has_news(self) -> bool:
        """Whether something came that nobody asked for: the connection's end, mostly."""
        return bool(self._stream.get_extra_info("is_readable"))

    def exchange(self, method: str, request: bytes, limit: int) -> Answer:
        self.can_be_kept = False
        try:
            self._stream.write(request, self._timeout)
        except httpcore.WriteError:
            pass  # a server may answer before it has read all, and close: its answer says why
        incoming = _Incoming(self._stream, self._timeout)
        response = HTTPResponse(incoming, method=method)
        try:
            response.begin()
        except RemoteDisconnected:
            raise httpcore.RemoteProtocolError("the server disconnected without sending a response") from None
        except HTTPException as error:
            raise httpcore.RemoteProtocolError(f"the server does not speak HTTP ({type(error).__name__})") from None
        if incoming.has_ended:  # the standard library takes it for the end of the head
            raise httpcore.RemoteProtocolError(_CUT_SHORT)
        says_its_end = response.chunked or response.length is not None
        answer = Answer(response.status, response.reason, _fields(response))
        try:
            refuse_compressed(answer.headers.get("content-encoding"))
            content = _content(response, limit)
        except Unusable as error:
            answer.fault = error
        except HTTPException:
            answer.fault = httpx.RemoteProtocolError(_CUT_SHORT)
        except (httpcore.NetworkError, httpcore.TimeoutException) as error:
            answer.fault = _of_httpx(error)
        else:
            if says_its_end and incoming.has_ended:  # so does it for the end of the chunks
                answer.fault = httpx.RemoteProtocolError(_CUT_SHORT)
            else:
                answer.content = content
                self.can_be_kept = response.isclosed() and not response.will_close
        return answer


def _fields(response: HTTPResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        name = name.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _content(response: HTTPResponse, limit: int) -> bytes:
    if response.length is not None:
        refuse_larger(response.length, limit)
        return response.read()
    content = response.read(limit + 1)
    refuse_larger(len(content), limit)
    return content


def _tls() -> ssl.SSLContext:
    """What httpx takes for a client of its own, with HTTP/1.1 alone."""
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _of_httpx(error: Exception) -> httpx.TransportError:
    """httpx has the same errors by the same names."""
    return getattr(httpx, type(error).__name__)(str(error))


def refuse_compressed(coding: str | None) -> None:
    """Raise Unusable where a body is compressed: a small one could unfold into a huge one, so that was not asked for."""
    if (coding or "identity").lower() != "identity":
        raise Unusable("is compressed, which was not asked for")


def refuse_larger(size: int, limit: int) -> None:
    """Raise Unusable where a body is larger than it may be."""
    if size > limit:
        raise Unusable(f"is larger than {limit // 2**20} MB")
