"""Requests by the browser's `fetch`, for Python in a browser (Pyodide), which has no sockets.

It keeps no cookies, follows no redirect, uses no cache and has a deadline for the whole request. The browser decides the
rest: it resolves names and connects, so there is no guard against private addresses but its own; it hides most headers of
another site's response and where a redirect leads; it decompresses bodies; and it hands over only what the server allows
pages of other sites to read (CORS). It does not tell which of these has failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import httpcore

from . import runtime
from .network import Deadline

REDIRECT = 302
"""Status of a redirect, in place of its own, which the browser hides."""
NO_RESPONSE = (
    "the browser got no response: the server can't be reached, or does not allow requests from pages of other sites "
    "(CORS). Its console names the cause. Publish from a Jupyter kernel on your computer, or export the draft"
)
NO_SWITCHING = (
    "this browser can't wait for a response: it has no WebAssembly stack switching (JSPI). Update it, use a current Chrome "
    "or Edge, or a Jupyter kernel on your computer"
)
_READS = {"GET", "HEAD", "OPTIONS"}
_BY_BROWSER = {"accept-encoding", "connection", "content-length", "cookie", "host", "user-agent"}
"""Headers that the browser sets, or for which it would have to ask the server first."""
_OF_TRANSFER = {"content-encoding", "content-length", "transfer-encoding"}
"""Headers that do not describe the body as the browser hands it over: whole, and without compression."""


class Fetched:
    """Response to a request: its status and headers; the body is still to be read.

    Attributes
    ----------
    status : int
    headers : list of (str, str)
    """

    def __init__(self, response: Any, controller: Any, timeout: float | None, deadline: Deadline):
        self._response, self._controller = response, controller
        self._timeout, self._deadline = timeout, deadline
        if response.type == "opaqueredirect":
            self.status, self.headers = REDIRECT, [("Location", "(hidden by the browser)")]
        else:
            self.status = int(response.status)
            fields = ((str(name), str(value)) for name, value in response.headers)
            self.headers = [(name, value) for name, value in fields if name.lower() not in _OF_TRANSFER]

    def parts(self) -> Iterator[bytes]:
        """Yield the body in parts; raise httpcore's errors."""
        if self._response.body is None:
            return
        reader = self._response.body.getReader()
        while True:
            part = _in_time(reader.read(), self._controller, self._timeout, self._deadline, httpcore.ReadError)
            if part.done:
                return
            yield part.value.to_bytes()

    def close(self) -> None:
        """Stop the transfer, if it has not ended."""
        self._controller.abort()


def fetch(
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    timeout: float | None,
    deadline: Deadline,
) -> Fetched:
    """Send a request and wait for the head of its response.

    Parameters
    ----------
    timeout : float or None
        Seconds to wait for the response, and then for each part of its body.

    Raises
    ------
    httpcore.ConnectError
        If a read got no response, or this browser can't wait: nothing was changed.
    httpcore.ReadError, httpcore.ReadTimeout
        If a write got no response, or there was none in time: the server may have received it.
    """
    if not runtime.can_switch():
        raise httpcore.ConnectError(NO_SWITCHING)
    from pyodide.code import run_js
    from pyodide.ffi import to_js

    js = run_js("globalThis")
    controller = js.AbortController.new()
    options = {
        "method": method,
        "headers": [[name, value] for name, value in headers if name.lower() not in _BY_BROWSER],
        "mode": "cors",
        "credentials": "omit",
        "redirect": "manual",
        "cache": "no-store",
        "referrerPolicy": "no-referrer",
        "signal": controller.signal,
    }
    if body:
        options["body"] = body
    failure = httpcore.ConnectError if method in _READS else httpcore.ReadError
    promise = js.fetch(url, to_js(options, dict_converter=js.Object.fromEntries))
    return Fetched(_in_time(promise, controller, timeout, deadline, failure), controller, timeout, deadline)


def _in_time(promise: Any, controller: Any, timeout: float | None, deadline: Deadline, failure: type[Exception]) -> Any:
    """Return what a promise resolves to; abort the request if that takes too long or is interrupted."""
    import asyncio

    from pyodide.ffi import JsException

    async def limited() -> tuple[Any, Exception | None]:
        # The kernel shows an exception that leaves a task, although it is caught here.
        try:
            return await asyncio.wait_for(promise, deadline.cut(timeout, httpcore.ReadTimeout)), None
        except (JsException, TimeoutError) as error:
            return None, error

    try:
        result, error = runtime.run_sync(limited())
    except BaseException:
        controller.abort()
        raise
    if isinstance(error, TimeoutError):
        controller.abort()
        raise httpcore.ReadTimeout("the browser got no response in time")
    if error is not None:
        raise failure(NO_RESPONSE)
    return result
