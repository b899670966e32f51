"""Requests that a page sends over its widget's comm: `{id, kind, …}` in, `{id, ok, …}` and binary buffers out.

Handlers run in worker threads: a slow disk blocks neither the kernel's main loop (where ipykernel 6 handles messages) nor the
subshell (where ipykernel 7 does, if the page's JupyterLab asks for one). Responses are matched by id and can come in any order.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from .. import runtime
from ..errors import ConstellationsError
from .worker import format_error

Response = tuple[Mapping[str, Any], list[bytes]]
Handler = Callable[[Mapping[str, Any]], Response | Iterable[Response]]
Send = Callable[[dict[str, Any], list[bytes]], None]

# A page repeats a request while it has no response. A large response takes long over a slow line: it is not sent twice.
_IN_TRANSIT = 30.0  # seconds
_KEPT = 100  # responses to requests that are carried out once

_workers = runtime.new_workers(4, "request")


class RequestHandler:
    """Dispatcher of a page's requests to handlers in worker threads.

    Parameters
    ----------
    handlers : mapping
        Kind of request → function of the request that returns the response's content and buffers, or an iterator over several
        such parts, each of which is sent at once. An exception becomes a response with ``ok`` false and a ``message``.
    send : callable
        Sends content and buffers to the page. Called from worker threads.
    slow : mapping, optional
        Handlers that wait for a server. They run in `workers`.
    workers : Executor, optional
        Threads for `slow`. By default the threads that all widgets share.
    once : collection of str, optional
        Kinds of requests that change something. A connection can lose their response: repeated, they get the same response
        again. Requests of other kinds are then carried out again. Their responses have no buffers.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        send: Send,
        *,
        slow: Mapping[str, Handler] | None = None,
        workers: Executor | None = None,
        once: Collection[str] = (),
    ):
        self._handlers: dict[str, tuple[Handler, Executor]] = {
            kind: (handler, _workers) for kind, handler in handlers.items()
        }
        self._handlers |= {kind: (handler, workers or _workers) for kind, handler in (slow or {}).items()}
        self._send, self._once = send, frozenset(once)
        self._done: dict[int, dict[str, Any]] = {}  # request id → the response, if it must not be carried out again
        self._taken: dict[int, float] = {}  # request id → when it was answered; infinity while it is not
        self._lock = threading.Lock()

    def receive(self, request: Any, buffers: Sequence[Any] = ()) -> None:
        """Accept a request; its handler gets the buffers as ``request["buffers"]``. Returns at once."""
        number = request.get("id") if isinstance(request, dict) else None
        if isinstance(number, bool) or not isinstance(number, int):
            self._send({"id": None, "ok": False, "message": "A request needs a whole number as its id."}, [])
            return
        with self._lock:
            now = time.monotonic()
            self._taken = {number: when for number, when in self._taken.items() if now - when < _IN_TRANSIT}
            response = self._done.get(number)
            if response is None:
                if number in self._taken:
                    return
                self._taken[number] = math.inf
        if response is not None:
            self._send(response, [])
            return
        if buffers:
            request = {**request, "buffers": buffers}
        handler, workers = self._handlers.get(str(request.get("kind")), (_unknown, _workers))
        workers.submit(self._respond, number, handler, request)

    def _respond(self, number: int, handler: Handler, request: Mapping[str, Any]) -> None:
        is_once = str(request.get("kind")) in self._once

        def answer(response: dict[str, Any], buffers: list[bytes]) -> None:
            if is_once:
                self._keep(number, response)
            self._send(response, buffers)

        try:
            response = handler(request)
            for content, buffers in [response] if isinstance(response, tuple) else response:
                answer({**content, "id": number, "ok": True}, buffers)
        except Exception as error:  # noqa: BLE001  (after a bug, too, the page needs a response)
            answer({"id": number, "ok": False, "message": format_error(error)}, [])
        finally:
            with self._lock:
                self._taken[number] = time.monotonic()

    def _keep(self, number: int, response: dict[str, Any]) -> None:
        """Keep a response for when its request is repeated."""
        with self._lock:
            self._done[number] = response
            if len(self._done) > _KEPT:
                del self._done[next(iter(self._done))]


def require_count(request: Mapping[str, Any], name: str) -> int:
    """Return a request's whole number that is not negative.

    Raises
    ------
    ConstellationsError
        If it has none under this name.
    """
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConstellationsError(f"The request needs a whole number as {name!r}.")
    return value


def require_texts(request: Mapping[str, Any], name: str, most: int) -> list[str]:
    """Return a request's list of at most `most` strings.

    Raises
    ------
    ConstellationsError
        If it has none under this name.
    """
    values = request.get(name)
    if not isinstance(values, list) or len(values) > most or not all(isinstance(value, str) for value in values):
        raise ConstellationsError(f"The request needs a list of at most {most} strings as {name!r}.")
    return values


def keep_requested_subshell(comm: Any) -> None:
    """Let `comm` respond while a cell runs.

    From 7.4 on ipykernel routes a comm's messages to whichever shell last *sent* on it, so that one message from a running cell
    delays every response until the cell ends. The page has named a subshell in its message: honour it.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, requested: requested


def _unknown(request: Mapping[str, Any]) -> Response:
    raise ConstellationsError(f"Unknown kind of request: {str(request.get('kind'))[:40]!r}.")


def receives_while_running() -> bool:
    """Return whether the kernel receives messages of a page while a cell runs: from ipykernel 7 on."""
    try:
        import ipykernel
    except ImportError:
        return True
    return int(ipykernel.version_info[0]) >= 7  # type: ignore[attr-defined, call-overload]
