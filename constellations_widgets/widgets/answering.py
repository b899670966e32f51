"""Answers to what a page asks over its widget's comm: `{id, kind, …}` in, `{id, ok, …}` and binary buffers out.

Answers are made in worker threads: a slow disk holds up neither the kernel's main loop (where ipykernel 6 handles messages)
nor the subshell (where ipykernel 7 does, if the page's JupyterLab asks for one). They go back in any order, by id.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from ..errors import ConstellationsError

Answer = tuple[dict[str, Any], list[bytes]]
Handler = Callable[[Mapping[str, Any]], Answer | Iterator[Answer]]
Send = Callable[[dict[str, Any], list[bytes]], None]

# A page asks again while it has no answer. A large one over a slow line is on its way for long: it is not sent twice.
_ON_ITS_WAY = 30.0  # seconds

_workers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="constellations-answer")


class Answerer:
    """Takes requests, has `handlers` answer them, sends what comes out.

    Parameters
    ----------
    handlers : mapping
        Kind of request → function of the request that returns the answer's content and buffers, or yields several such parts of
        it, each of which is sent at once. It runs in a worker thread; what it raises becomes an answer with ``ok`` false and a
        ``message``.
    send : callable
        Sends content and buffers to the page. Called from worker threads.
    workers : Executor, optional
        Where the handlers run: threads of their own for those that wait for a server. By default the threads that all widgets
        share.
    """

    def __init__(self, handlers: Mapping[str, Handler], send: Send, workers: Executor = _workers):
        self._handlers = handlers
        self._send = send
        self._workers = workers
        self._taken: dict[int, float] = {}  # number of a request → when it was answered; infinity while it is not
        self._lock = threading.Lock()

    def receive(self, _widget: Any, request: Any, _buffers: Any) -> None:
        """Signature of ipywidgets' message callbacks. Returns at once."""
        number = request.get("id") if isinstance(request, dict) else None
        if isinstance(number, bool) or not isinstance(number, int):
            self._send({"id": None, "ok": False, "message": "A request needs a whole number as id."}, [])
            return
        with self._lock:
            now = time.monotonic()
            self._taken = {number: when for number, when in self._taken.items() if now - when < _ON_ITS_WAY}
            if number in self._taken:
                return
            self._taken[number] = math.inf
        self._workers.submit(self._answer, number, request)

    def _answer(self, number: int, request: Mapping[str, Any]) -> None:
        try:
            handler = self._handlers.get(str(request.get("kind")))
            if handler is None:
                raise ConstellationsError(f"There is no request of the kind {str(request.get('kind'))[:40]!r}.")
            answer = handler(request)
            for content, buffers in [answer] if isinstance(answer, tuple) else answer:
                self._send({**content, "id": number, "ok": True}, buffers)
        except ConstellationsError as error:
            self._send({"id": number, "ok": False, "message": str(error)}, [])
        except Exception as error:  # a bug of ours: the page has to say so rather than wait for ever
            self._send({"id": number, "ok": False, "message": f"{type(error).__name__}: {error}"}, [])
        finally:
            with self._lock:
                self._taken[number] = time.monotonic()


def let_pages_choose_the_thread(comm: Any) -> None:
    """Keep `comm` answering while a cell runs.

    From 7.4 on ipykernel routes a comm's messages to whichever shell last *sent* on it, so that one message from a running cell
    makes everything that the page asks wait until the cell ends. The page has named a subshell in its message: let that stand.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, asked_for: asked_for
