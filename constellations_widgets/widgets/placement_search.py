"""Searches for the placement of an image: run, show what is found, then accept or discard it.

Nothing is changed before "Accept". "Find position", "Snap to sky" and the positions of a batch are such searches.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

from ..errors import ConstellationsError
from ..text import format_sentence
from .worker import Job, Worker, format_error

Found = TypeVar("Found")

_PACE = 0.2  # seconds between two reports of progress


class Proposal(Generic[Found]):
    """A placement that was found for one draft, and waits for a decision.

    Parameters
    ----------
    place : callable
        Changes the draft so that its image is placed like what was found; raises a ConstellationsError if that is impossible.
    show : callable
        Called with what was found, so that a preview can show it, and with None once it is decided about.

    Attributes
    ----------
    found : Found or None
        What waits for a decision.
    is_placing : bool
        Whether `place` is changing the draft.
    """

    def __init__(self, place: Callable[[Found], object], show: Callable[[Found | None], object]):
        self._place, self._show = place, show
        self._lock = threading.Lock()
        self.is_placing = False
        self.found: Found | None = None

    def show(self) -> None:
        """Show what waits. Without a lock, as for `place`."""
        self._show(self.found)

    def accept(self) -> Found | None:
        """Place the image as was found; return that, or None if nothing waits. Raises a ConstellationsError if that is impossible."""
        if (found := self._pop()) is not None:
            self.place(found)
        return found

    def place(self, found: Found) -> None:
        """Change the draft. Without a lock: observers that are notified may hold another one and wait for this."""
        self.is_placing = True
        try:
            self._place(found)
        finally:
            self.is_placing = False
            self.show()

    def discard(self) -> bool:
        """Drop what was found; return whether anything waited."""
        waited = self._pop() is not None
        if waited:
            self.show()
        return waited

    def _pop(self) -> Found | None:
        with self._lock:
            found, self.found = self.found, None
            return found


class PlacementSearch(ABC):
    """A search in a worker thread with progress and cancel, whose state a page shows.

    Parameters
    ----------
    name : str
        Name of the worker thread.
    state : mapping
        The first state, with ``phase`` "idle", ``progress`` 0 and ``message`` "".

    Attributes
    ----------
    state : mapping
        ``phase`` is also "running", "found" while a decision is due, and "failed".
    """

    cancelled_text: ClassVar[str] = "The search was cancelled."
    reset: ClassVar[Mapping[str, Any]] = {}
    """What a search that ended without a result resets of the state."""

    def __init__(self, name: str, state: Any):
        self._lock = threading.RLock()
        self._worker = Worker(name, self._on_error, self._lock)
        self._shown_at = 0.0
        self.state = state

    @abstractmethod
    def _show_state(self) -> None:
        """Show the state to the page."""

    def close(self) -> None:
        """Stop a running search."""
        self._worker.drop()

    def _cancel(self) -> None:
        self._worker.cancel()

    def _require_wanted(self, job: Job) -> None:
        """Raise a ConstellationsError if a job was cancelled or replaced."""
        if not job.is_current or job.cancelled.is_set():
            raise ConstellationsError(self.cancelled_text)

    def _on_progress(self, progress: float, text: str) -> None:
        """Report progress to the page, but not too often."""
        now = time.monotonic()
        if now - self._shown_at > _PACE:
            self._shown_at = now
            self._update(progress=progress, message=text)

    def _on_error(self, error: Exception) -> None:
        cancelled = self._worker.is_cancelled
        ended = {
            "phase": "idle" if cancelled else "failed",
            "message": "" if cancelled else format_sentence(format_error(error)),
        }
        self._update(**{**self.reset, **ended})

    def _update(self, **changes: Any) -> None:
        with self._lock:
            self.state = {**self.state, **changes}
            self._show_state()
