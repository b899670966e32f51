"""One pause for all threads that talk to a server which asks for time, or can't be reached."""

from __future__ import annotations

import threading
import time

FIRST_PAUSE, LONGEST_OWN_PAUSE = 0.5, 8.0
"""Seconds of the first pause where the server names none, and of the longest; each is twice the one before."""
MOST_PAUSES = 6
"""Pauses in a row, with nothing that went well between them."""
LONGEST_PAUSE = 300.0
"""Seconds of the longest pause that is waited for; who asks for more is asked again by the user."""


class SharedPause:
    """All threads call `wait` before each request, `ask` when one was told to come back later, `well` when one went well."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._until = 0.0
        self._in_a_row = 0
        self._over = False

    def wait(self) -> None:
        """Return when nobody has to pause any more, or the pause was given up."""
        with self._change:
            while not self._over and (left := self._until - time.monotonic()) > 0:
                self._change.wait(left)

    def ask(self, began: float, seconds: float | None) -> float | None:
        """Make all pause; gives the seconds, or None where it is no use any more.

        Parameters
        ----------
        began : float
            When the request began, by ``time.monotonic()``. Requests that were under way together ask for one pause.
        seconds : float or None
            How long, if the server said so.
        """
        with self._change:
            now = time.monotonic()
            if began >= self._until:
                self._in_a_row += 1
            if self._in_a_row > MOST_PAUSES or (seconds or 0) > LONGEST_PAUSE:
                return None
            own = min(FIRST_PAUSE * 2 ** (self._in_a_row - 1), LONGEST_OWN_PAUSE)
            self._until = max(self._until, now + (own if seconds is None else seconds))
            return self._until - now

    def well(self) -> None:
        """A request went well: the next pause is a short one again."""
        self._in_a_row = 0

    def give_up(self) -> None:
        """Let everybody go on at once, for good."""
        with self._change:
            self._over = True
            self._change.notify_all()
