"""Wait for a server that asks for time or can't be reached: one backoff for all threads that use it."""

from __future__ import annotations

import threading

from . import clock

FIRST_PAUSE, LONGEST_OWN_PAUSE = 0.5, 8.0
"""Seconds of the first pause if the server names none, and of the longest; each is twice the one before."""
MOST_PAUSES = 6
"""Consecutive pauses without a success before the error is raised."""
LONGEST_PAUSE = 300.0
"""Longest pause in seconds that is accepted; if the server asks for more, the user has to retry."""


class Backoff:
    """Backoff that threads share: `wait` before each request, `ask` after a busy response, `reset` after a success.

    Parameters
    ----------
    longest : float, optional
        Longest pause in seconds that is accepted.
    """

    def __init__(self, longest: float = LONGEST_PAUSE) -> None:
        self._longest = longest
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._until = 0.0
        self._in_a_row = 0

    def wait(self) -> None:
        """Wait until no pause is left or waiting was cancelled."""
        while not self._cancelled.is_set() and (left := self._until - clock.monotonic()) > 0:
            clock.wait(self._cancelled, left)

    def sleep(self, seconds: float) -> bool:
        """Wait `seconds`, regardless of other threads; return False if waiting was cancelled."""
        end = clock.monotonic() + seconds
        while not self._cancelled.is_set() and (left := end - clock.monotonic()) > 0:
            clock.wait(self._cancelled, left)
        return not self._cancelled.is_set()

    def ask(self, began: float, seconds: float | None) -> float | None:
        """Pause all threads; return the seconds, or None if further pauses are not worthwhile.

        Parameters
        ----------
        began : float
            When the request began, on the monotonic clock. Requests in progress at the same time cause one pause.
        seconds : float or None
            Length of the pause, if the server specified it.
        """
        with self._lock:
            moment = clock.monotonic()
            if began >= self._until:
                self._in_a_row += 1
            if self._in_a_row > MOST_PAUSES or (seconds or 0) > self._longest:
                return None
            own = min(FIRST_PAUSE * 2 ** (self._in_a_row - 1), LONGEST_OWN_PAUSE)
            self._until = max(self._until, moment + (own if seconds is None else seconds))
            return self._until - moment

    def reset(self) -> None:
        """Make the next pause a short one again, after a success."""
        self._in_a_row = 0

    def cancel(self) -> None:
        """End all waiting at once, for good."""
        self._cancelled.set()
