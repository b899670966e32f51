"""A server that answers as broken servers do: raw bytes, written by a script, one step for each request."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

Step = bytes | Callable[[socket.socket, bytes], None]
"""Bytes to answer, or a function of the connection and the request."""


class BrokenServer:
    """Listens on the loopback interface. The last step of the script answers all further requests."""

    def __init__(self, *script: Step):
        self.requests: list[bytes] = []
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.close()

    def __enter__(self) -> BrokenServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            for request in requests_on(connection):
                with self._lock:
                    step = self._script[min(len(self.requests), len(self._script) - 1)]
                    self.requests.append(request)
                if not isinstance(step, bytes):
                    step(connection, request)
                    return
                connection.sendall(step)
                if b"keep-alive" not in step:
                    return


def requests_on(connection: socket.socket) -> Iterator[bytes]:
    while True:
        received = b""
        while b"\r\n\r\n" not in received:
            part = connection.recv(65536)
            if not part:
                return
            received += part
        head, _, body = received.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        while lengths and len(body) < int(lengths[0]):
            body += connection.recv(65536)
        yield head + b"\r\n\r\n" + body


def answer(status: str, body: str | bytes = b"", *headers: str) -> bytes:
    """A whole answer; the connection is closed after it."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(content)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + content


def reset(connection: socket.socket, request: bytes) -> None:
    """A step: the connection breaks."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def silent(connection: socket.socket, request: bytes) -> None:
    """A step: no answer, until the client gives up."""
    connection.recv(1)


def dripping(connection: socket.socket, request: bytes) -> None:
    """A step: a header that never ends, a byte now and then, until the client gives up."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def truncated(connection: socket.socket, request: bytes) -> None:
    """A step: half a good answer."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 80\r\n\r\n{"error":false,"id":"5e9f1c3a')
