"""Clocks and waiting for all of publishing: the one place where a test can substitute another clock.

No decision depends on these clocks alone: the wall clock can be wrong, and be corrected between two readings.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from .. import runtime


def now() -> datetime:
    """Return the time in UTC by this machine's clock."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Return seconds on a clock that only goes forward."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Wait; an interrupt ends it."""
    runtime.sleep(seconds)


def wait(event: threading.Event, seconds: float) -> bool:
    """Wait until `event` is set, at most `seconds`; return whether it is."""
    return runtime.wait(event, seconds)
