"""A deadline for a whole request.

httpx limits each single wait for bytes, so a server that sends one byte now and then could hold a request for ever.
Here every wait on the network is cut to what is left of the request's own time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

_current = threading.local()  # a synchronous request does all its waiting in the thread that made it


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Everything that this thread waits for on the network inside the block ends after `seconds`."""
    before, _current.end = getattr(_current, "end", None), time.monotonic() + seconds
    try:
        yield
    finally:
        _current.end = before


def _left(timeout: float | None, expired: type[Exception]) -> float | None:
    end = getattr(_current, "end", None)
    if end is None:
        return timeout
    left = end - time.monotonic()
    if left <= 0:
        raise expired("the whole request took too long")
    return left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream):
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # httpcore cuts off what was sent: of a view that takes no time, of bytes it copies all the rest.
        self._stream.write(memoryview(buffer), _left(timeout, httpcore.WriteTimeout))  # type: ignore[arg-type]

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> _Stream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class DeadlineNetwork(httpcore.NetworkBackend):
    """Connections through another network, obeying `deadline`."""

    def __init__(self, network: httpcore.NetworkBackend):
        self._network = network

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> _Stream:
        return _Stream(self._network.connect_tcp(host, port, _left(timeout, httpcore.ConnectTimeout), **options))

    def connect_unix_socket(self, path: str, timeout: float | None = None, **options: Any) -> _Stream:
        return _Stream(self._network.connect_unix_socket(path, _left(timeout, httpcore.ConnectTimeout), **options))

    def sleep(self, seconds: float) -> None:
        self._network.sleep(seconds)


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's own transport, obeying `deadline`; on another network than httpx's if one is given."""

    def __init__(self, *, network: httpcore.NetworkBackend | None = None, **options: Any):
        super().__init__(**options)
        # httpx hands no network backend through to httpcore; the pool gives this one to each connection that it opens.
        self._pool._network_backend = DeadlineNetwork(network or self._pool._network_backend)
