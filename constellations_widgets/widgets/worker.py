"""Background work of widgets: one job at a time in a thread, which can be cancelled or replaced."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from .. import runtime
from ..errors import ConstellationsError
from ..interface import PAGE, call_from

Result = TypeVar("Result")


def format_error(error: Exception) -> str:
    """Return an error's message; of an unexpected error, which is a bug, with its type."""
    return str(error) if isinstance(error, ConstellationsError) else f"{type(error).__name__}: {error}"


class Job:
    """One run of a worker.

    Attributes
    ----------
    cancelled : threading.Event
        Set when the job should stop.
    """

    def __init__(self, worker: Worker):
        self._worker = worker
        self.cancelled = threading.Event()

    @property
    def is_current(self) -> bool:
        """Whether its outcome is still wanted: it was neither replaced nor dropped. Changes only under the worker's lock."""
        return self._worker._job is self

    def sleep(self, seconds: float) -> None:
        """Wait. Raises WaitStoppedError when the job is cancelled."""
        # Imported on use: it imports httpx, which a preview does not need.
        from ..publishing.delivery import WaitStoppedError

        if runtime.wait(self.cancelled, seconds):
            raise WaitStoppedError


class Worker:
    """A widget's background thread.

    Parameters
    ----------
    name : str
        Name of the thread.
    on_error : callable
        Called in the thread, with the lock held, with the exception of a job that failed, unless the job was replaced.
    lock : RLock, optional
        Lock of the state that jobs change. A job waits for it, so that a caller that holds it while starting the job can show
        the start first.
    """

    def __init__(self, name: str, on_error: Callable[[Exception], object], lock: Any = None):
        self._name, self._on_error = name, on_error
        self._lock = lock or threading.RLock()
        self._job: Job | None = None

    @property
    def busy(self) -> bool:
        """Whether a job is running."""
        return self._job is not None

    @property
    def is_cancelled(self) -> bool:
        """Whether the running job was asked to stop."""
        return self._job is not None and self._job.cancelled.is_set()

    def start(self, run: Callable[[Job], object], *, replace: bool = False) -> Job | None:
        """Run ``run(job)`` in a thread.

        Returns
        -------
        Job or None
            None if another job is running; with `replace` that one is cancelled and its outcome dropped.
        """
        with self._lock:
            if self._job is not None and not replace:
                return None
            job = self._begin()
        runtime.start_thread(self._name, self._run, run, job)
        return job

    def run(self, run: Callable[[Job], Result]) -> Result:
        """Run ``run(job)`` in this thread, in place of a running job; return its result or raise its error."""
        job = self._begin()
        try:
            return run(job)
        finally:
            self._end(job)

    def cancel(self) -> None:
        """Cancel the running job, if any. Its outcome is still reported."""
        with self._lock:
            if self._job is not None:
                self._job.cancelled.set()

    def drop(self) -> None:
        """Cancel the running job, if any, and drop its outcome."""
        with self._lock:
            self.cancel()
            self._job = None

    def _begin(self) -> Job:
        with self._lock:
            self.drop()
            job = self._job = Job(self)
            return job

    def _end(self, job: Job) -> None:
        with self._lock:
            if job.is_current:
                self._job = None

    def _run(self, run: Callable[[Job], object], job: Job) -> None:
        with self._lock:
            pass
        try:
            call_from(PAGE, run, job)  # what a job reports is shown there
        except Exception as error:  # noqa: BLE001  (after a bug, too, the page must not wait for ever)
            with self._lock:
                if job.is_current:
                    self._on_error(error)
        finally:
            self._end(job)
