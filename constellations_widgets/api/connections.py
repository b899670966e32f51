"""HTTP/1.1 on connections that are kept open, one request at a time on each.

httpx spends several times as long on a request as all the rest of a publication takes; this is the part of it that a
client of one host needs, on httpcore's sockets and TLS. It says what went wrong with the errors of httpx, so that
nobody needs to know which of the two was used.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpcore
import httpx

from .deadline import DeadlineNetwork

if TYPE_CHECKING:
    import ssl

HEAD_LIMIT = 64 * 1024
"""Bytes of an answer's head that are read at most, and of the lines between the parts of its body."""
MOST = 64
"""Connections at the same time."""
_SPARE_FOR = 5.0  # seconds for which an unused connection is trusted: servers close them, often after more than this
_PART = 64 * 1024  # bytes that are read at once

_REQUEST_HEAD = re.compile(r"[A-Z]+ [!-~]+ HTTP/1\.1\r\n(?:[!-9;-~]+: [ -~]*\r\n)*")
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: ([^\x00-\x08\x0a-\x1f\x7f]*))?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[^\x00\x0a\x0d]*[^\x00\x0a\x0d \t])?)[ \t]*")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\x00\r\n]*)?")
_LINE_END = re.compile(rb"\r?\n")


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
        request = self._request(method, target, headers, body)
        if not self._free.acquire(timeout=self._timeout):
            raise httpx.PoolTimeout(f"all {MOST} connections are in use")
        try:
            return self._send(request)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise _of_httpx(error) from None
        finally:
            self._free.release()

    def _request(self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes | None) -> bytes:
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
        length = "" if body is None else f"Content-Length: {len(body)}\r\n"
        head = f"{method} {target} HTTP/1.1\r\nHost: {self._host_field}\r\n{lines}{length}Connection: keep-alive\r\n"
        if not _REQUEST_HEAD.fullmatch(head):
            raise ValueError("the request holds characters that HTTP can't carry")  # not shown: a token is in there
        return f"{head}\r\n".encode("ascii") + (body or b"")

    def _send(self, request: bytes) -> Answer:
        connection = self._spare_one() or self._new_one()
        try:
            answer = connection.exchange(request, self._timeout, self._limit)
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
        return _Connection(stream)


class _Connection:
    """A connection, and what was read from it and not used so far."""

    def __init__(self, stream: httpcore.NetworkStream):
        self._stream = stream
        self._left = b""
        self._timeout = 0.0
        self._has_begun = False  # to answer
        self.can_be_kept = False
        self.spare_since = 0.0

    def close(self) -> None:
        self._stream.close()

    def has_news(self) -> bool:
        """Whether something came that nobody asked for: the connection's end, mostly."""
        return bool(self._stream.get_extra_info("is_readable"))

    def exchange(self, request: bytes, timeout: float, limit: int) -> Answer:
        self._timeout, self._has_begun, self.can_be_kept = timeout, False, False
        try:
            self._stream.write(request, timeout)
        except httpcore.WriteError:
            pass  # a server may answer before it has read all, and close: its answer says why
        version, answer = self._read_head()
        try:
            refuse_compressed(answer.headers.get("content-encoding"))
            answer.content, has_end = self._read_body(answer, limit)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, Unusable) as error:
            answer.fault = error if isinstance(error, Unusable) else _of_httpx(error)
            return answer
        closes = "close" in answer.headers.get("connection", "").lower()
        self.can_be_kept = version == b"1" and has_end and not closes and not self._left
        return answer

    def _read_head(self) -> tuple[bytes, Answer]:
        while True:
            first, *lines = self._until(_HEAD_END, "head").split(b"\n")
            status = _STATUS.fullmatch(first.rstrip(b"\r"))
            if status is None:
                raise httpcore.RemoteProtocolError("the server does not speak HTTP")
            if status[2] == b"101":
                raise httpcore.RemoteProtocolError("the server changes to another protocol")
            if not status[2].startswith(b"1"):  # these only say that an answer will come
                break
        reason = (status[3] or b"").decode("latin-1")
        return status[1], Answer(int(status[2]), reason, _fields(lines))

    def _read_body(self, answer: Answer, limit: int) -> tuple[bytes, bool]:
        """The body, and whether its end was told otherwise than by that of the connection."""
        if answer.status in (204, 304):
            return b"", True
        coding, length = answer.headers.get("transfer-encoding"), answer.headers.get("content-length")
        if coding is not None:
            if coding.lower() != "chunked":
                raise httpcore.RemoteProtocolError(f"the transfer encoding is {coding!r}")
            return self._read_chunks(limit), length is None
        if length is not None:
            lengths = {each.strip() for each in length.split(",")}
            size = lengths.pop()
            if lengths or not (size.isascii() and size.isdecimal() and len(size) < 20):
                raise httpcore.RemoteProtocolError(f"the length of the answer is {length!r}")
            return self._take(int(size), limit), True
        parts = [self._left]
        size, self._left = len(self._left), b""
        while part := self._stream.read(_PART, self._timeout):
            parts.append(part)
            size += len(part)
            refuse_larger(size, limit)
        return b"".join(parts), False

    def _read_chunks(self, limit: int) -> bytes:
        parts, size = [], 0
        while True:
            chunk = _CHUNK.fullmatch(self._until(_LINE_END, "length of a chunk"))
            if chunk is None:
                raise httpcore.RemoteProtocolError("the answer's chunks are broken")
            length = int(chunk[1], 16)
            if not length:
                break
            size += length
            parts.append(self._take(length, limit if size <= limit else 0))
            if self._until(_LINE_END, "end of a chunk"):
                raise httpcore.RemoteProtocolError("the answer's chunks are broken")
        trailers = 0
        while line := self._until(_LINE_END, "trailer"):
            trailers += len(line)
            if trailers > HEAD_LIMIT:
                raise httpcore.RemoteProtocolError("the answer's trailer is too long")
        return b"".join(parts)

    def _take(self, size: int, limit: int) -> bytes:
        refuse_larger(size, limit)
        parts, missing = [self._left[:size]], size - len(self._left)
        self._left = self._left[size:]
        while missing > 0:
            part = self._more()
            parts.append(part[:missing])
            self._left = part[missing:]
            missing -= len(part)
        return b"".join(parts)

    def _until(self, end: re.Pattern[bytes], what: str) -> bytes:
        """What comes before `end`, which is read too."""
        looked_at = 0
        while not (found := end.search(self._left, max(0, looked_at - 3))):
            looked_at = len(self._left)
            if looked_at > HEAD_LIMIT:
                raise httpcore.RemoteProtocolError(f"the answer's {what} is too long")
            self._left += self._more()
        line, self._left = self._left[: found.start()], self._left[found.end() :]
        return line

    def _more(self) -> bytes:
        part = self._stream.read(_PART, self._timeout)
        if not part:
            how = "in the middle of its answer" if self._has_begun else "without sending a response"
            raise httpcore.RemoteProtocolError(f"the server disconnected {how}")
        self._has_begun = True
        return part


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


def _fields(lines: Iterable[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        found = _FIELD.fullmatch(line.rstrip(b"\r"))
        if found is None:
            raise httpcore.RemoteProtocolError("the answer's head is broken")
        name, value = found[1].decode("ascii").lower(), found[2].decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
