"""How the benchmarks measure: two things in turns, so that whatever slows the machine slows both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the report.

    Attributes
    ----------
    name : str
        What was measured, and against what.
    unit : str
        Of `ours` and `peer`.
    ours : float
    peer : float or None
        The same, of what it is compared with; None where there is nothing to compare with.
    at_most : float or None
        The most that `ours / peer` may be, or `ours` itself where there is no peer.
    """

    name: str
    unit: str
    ours: float
    peer: float | None = None
    at_most: float | None = None

    @property
    def ratio(self) -> float | None:
        """`ours / peer`, None without a peer."""
        return None if self.peer is None else self.ours / self.peer

    @property
    def holds(self) -> bool:
        """Whether the figure is within its limit."""
        judged = self.ours if self.ratio is None else self.ratio
        return self.at_most is None or judged <= self.at_most


def in_turns(ours: Callable[[], object], peer: Callable[[], object], rounds: int) -> tuple[float, float]:
    """The median seconds that each takes, called one after the other, `rounds` times."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, taken in zip((ours, peer), times, strict=True):
            taken.append(seconds(work))
    return statistics.median(times[0]), statistics.median(times[1])


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
