"""What this Python can do: start threads, wait for them, open connections and processes.

In a browser (Pyodide, as in JupyterLite) Python has one thread, no sockets and no processes. This module is the only
place where the package starts threads, and the only one that knows their replacement (tasks.py): a task of the event loop.
Such a task runs until it waits. With WebAssembly's stack switching (JSPI) a wait lets the other tasks run; a browser without it
waits with everything else stopped, and can send no requests.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

Result = TypeVar("Result")

IN_BROWSER = sys.platform == "emscripten"
"""Whether Python runs in a browser: without threads, sockets, processes and a disk."""


class Background(Protocol):
    """Work in the background, as `new_thread` returns it."""

    def start(self) -> None:
        """Begin."""

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, at most `timeout` seconds."""

    def is_alive(self) -> bool:
        """Return whether it has not ended."""


class Lock(Protocol):
    """A lock that can be held during a request."""

    def __enter__(self) -> Any: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> Any: ...


class Timer(Protocol):
    """A call that is due later, as `start_timer` returns it."""

    def cancel(self) -> None:
        """Drop the call, if it was not made yet."""


def new_thread(name: str, run: Callable[..., object], *arguments: Any) -> Background:
    """Return a thread that will call a function and does not keep the process alive; in a browser a task."""
    if IN_BROWSER:
        from .tasks import Task

        return Task(run, *arguments)
    return threading.Thread(target=run, args=arguments, name=f"constellations-{name}", daemon=True)


def start_thread(name: str, run: Callable[..., object], *arguments: Any) -> Background:
    """Call a function in the background, as `new_thread` says.

    Raises
    ------
    RuntimeError
        If Python is ending and starts no more threads.
    """
    thread = new_thread(name, run, *arguments)
    thread.start()
    return thread


def start_timer(seconds: float, run: Callable[..., object], *arguments: Any) -> Timer:
    """Call a function in the background in some seconds, unless Python has ended by then."""
    if IN_BROWSER:
        from .tasks import call_later

        return call_later(seconds, run, *arguments)
    timer = threading.Timer(seconds, run, arguments)
    timer.daemon = True
    with contextlib.suppress(RuntimeError):  # Python is ending and starts no more threads
        timer.start()
    return timer


def new_pool(count: int, name: str) -> Executor:
    """Return threads for work that its caller waits for. In a browser the caller does the work itself, when it submits it."""
    if IN_BROWSER:
        from .tasks import InlineExecutor

        return InlineExecutor()
    return _threads(count, name)


def new_workers(count: int, name: str) -> Executor:
    """Return threads for work that no caller waits for. In a browser each piece of work is a task; their number is not limited."""
    if IN_BROWSER:
        from .tasks import TaskExecutor

        return TaskExecutor()
    return _threads(count, name)


def new_lock() -> Lock:
    """Return a lock that can be held during a request or another wait, which lets other tasks of a browser run."""
    return _task_lock(reentrant=False) if IN_BROWSER else threading.Lock()


def new_rlock() -> Lock:
    """Return a lock as `new_lock` does, which its holder can take again."""
    return _task_lock(reentrant=True) if IN_BROWSER else threading.RLock()


def sleep(seconds: float) -> None:
    """Wait."""
    if can_switch():
        import asyncio

        run_sync(asyncio.sleep(seconds))
    else:
        time.sleep(seconds)


def wait(event: threading.Event, seconds: float | None = None) -> bool:
    """Wait until `event` is set, at most `seconds`; return whether it is."""
    if not IN_BROWSER:
        return event.wait(seconds)
    from .tasks import wait_until

    return wait_until(event.is_set, seconds)


def result(future: Future[Result], timeout: float | None = None) -> Result:
    """Wait for a future of work in the background; return its result or raise its error, or TimeoutError."""
    if IN_BROWSER:
        from .tasks import wait_until

        wait_until(future.done, timeout)
        timeout = 0
    return future.result(timeout)


def can_switch() -> bool:
    """Return whether this code can wait for the browser while other tasks run; False outside of a browser."""
    if not IN_BROWSER:
        return False
    from pyodide.ffi import can_run_sync

    return bool(can_run_sync())


def run_sync(awaitable: Any) -> Any:
    """Wait for an awaitable or a JavaScript promise, in a browser; return its result or raise its error."""
    from pyodide.ffi import run_sync as switch

    return switch(awaitable)


def _threads(count: int, name: str) -> Executor:
    from concurrent.futures import ThreadPoolExecutor  # imported on use: a draft needs none

    return ThreadPoolExecutor(count, f"constellations-{name}")


def _task_lock(*, reentrant: bool) -> Lock:
    from .tasks import TaskLock

    return TaskLock(reentrant=reentrant)
