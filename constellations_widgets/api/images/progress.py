"""Progress of a transfer."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_SPAN = 5.0  # seconds over which the rate is taken
_EVERY = 0.1  # seconds between two reports


@dataclass(frozen=True)
class Progress:
    """Progress of a transfer.

    Attributes
    ----------
    done : int
        Bytes so far.
    total : int or None
        Bytes in all; None where the server did not say.
    rate : float
        Bytes in a second, over the last five; 0 at the beginning.
    left : float or None
        Seconds left at this rate; None if unknown.
    """

    done: int
    total: int | None
    rate: float
    left: float | None


class Meter:
    """Byte counter that calls `report` at the beginning, at the end, and ten times a second in between."""

    def __init__(self, report: Callable[[Progress], object] | None, total: int | None):
        self._report, self._total = report, total
        self._done = 0
        self._marks: deque[tuple[float, int]] = deque()
        self._next = 0.0
        self.add(0)

    def add(self, size: int) -> None:
        """Count `size` more bytes, and report if it is time to."""
        self._done += size
        if self._report is None:
            return
        now = time.monotonic()
        if now < self._next and self._done != self._total:
            return
        self._next = now + _EVERY
        self._marks.append((now, self._done))
        while now - self._marks[0][0] > _SPAN:
            self._marks.popleft()
        then, before = self._marks[0]
        rate = (self._done - before) / (now - then) if now > then else 0.0
        left = (self._total - self._done) / rate if self._total is not None and rate else None
        self._report(Progress(self._done, self._total, rate, left))
