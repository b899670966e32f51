"""Threads' replacement in a browser, where Python has one: tasks of the event loop, and executors and locks for them.

`runtime` decides who uses them. A task runs until it waits; see there.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

from . import runtime

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_POLL = 0.02  # seconds between two looks at what a task waits for
_log = logging.getLogger(__name__)


def wait_until(is_over: Callable[[], bool], seconds: float | None) -> bool:
    """Let other tasks run until `is_over`, at most `seconds`; return whether it is.

    Raises
    ------
    RuntimeError
        If it is not over, there is no limit, and no other task can run: the wait would never end.
    """
    end = None if seconds is None else time.monotonic() + seconds
    while not is_over():
        left = _POLL if end is None else min(_POLL, end - time.monotonic())
        if left <= 0:
            return False
        if end is None and not runtime.can_switch():
            raise RuntimeError("this browser can't wait for other work: it has no WebAssembly stack switching (JSPI)")
        runtime.sleep(left)
    return True


def call_later(seconds: float, run: Callable[..., object], *arguments: Any) -> asyncio.TimerHandle:
    """Let the event loop call a function in some seconds."""
    return asyncio.get_event_loop().call_later(seconds, _guarded, run, *arguments, context=_new_owner())


def _guarded(run: Callable[..., object], *arguments: Any) -> None:
    """Call a function; log its exception, as the end of a thread does."""
    try:
        run(*arguments)
    except Exception:  # noqa: BLE001
        _log.exception("A task failed")


class Task:
    """Function that the event loop calls soon, in the place of a thread."""

    def __init__(self, run: Callable[..., object], *arguments: Any):
        self._call = (run, *arguments)
        self._is_alive = False

    def start(self) -> None:
        """Let the event loop call it."""
        self._is_alive = True
        asyncio.get_event_loop().call_soon(self._run, context=_new_owner())

    def _run(self) -> None:
        try:
            _guarded(*self._call)
        finally:
            self._is_alive = False

    def is_alive(self) -> bool:
        """Return whether it has begun and not ended."""
        return self._is_alive

    def join(self, timeout: float | None = None) -> None:
        """Let tasks run until this one has ended, at most `timeout` seconds."""
        wait_until(lambda: not self._is_alive, timeout)


class InlineExecutor(Executor):
    """Executor without threads: it does the work when it is submitted, so that every future is done."""

    def submit(
        self, work: Callable[Parameters, Result], /, *args: Parameters.args, **options: Parameters.kwargs
    ) -> Future[Result]:
        """Do the work; return its result or error."""
        future: Future[Result] = Future()
        _complete(future, lambda: work(*args, **options))
        return future


class TaskExecutor(Executor):
    """Executor without threads: it does the work soon, on the event loop."""

    def __init__(self) -> None:
        self._waiting: set[Future[Any]] = set()

    def submit(
        self, work: Callable[Parameters, Result], /, *args: Parameters.args, **options: Parameters.kwargs
    ) -> Future[Result]:
        """Plan the work."""
        future: Future[Result] = Future()
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        Task(_complete, future, lambda: work(*args, **options)).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Drop the work that has not begun, if `cancel_futures`. It does not wait."""
        if cancel_futures:
            for future in list(self._waiting):
                future.cancel()


def _complete(future: Future[Result], work: Callable[[], Result]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:
        future.set_exception(error)
        if not isinstance(error, Exception):
            raise
    else:
        future.set_result(result)


_owners = itertools.count(1)
_owner: contextvars.ContextVar[int] = contextvars.ContextVar("constellations_task", default=0)
"""Number of the running task; 0 in a cell of a notebook and in a message of a page."""


def _new_owner() -> contextvars.Context:
    context = contextvars.copy_context()
    context.run(_owner.set, next(_owners))
    return context


class TaskLock:
    """Lock between tasks. One that waits for it lets the others run; `threading`'s locks would stop them all, for good."""

    def __init__(self, *, reentrant: bool):
        self._reentrant = reentrant
        self._depth, self._holder = 0, 0

    def __enter__(self) -> TaskLock:
        me = _owner.get()
        if not (self._reentrant and self._depth and self._holder == me):
            wait_until(lambda: not self._depth, None)
        self._depth, self._holder = self._depth + 1, me
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
