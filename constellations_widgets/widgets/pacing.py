"""Rate limit of widgets' states: a few at once, then some thirty a second, and always the last one.

Jupyter's server drops what a kernel sends beyond 1,000 messages or 1 MB a second, and tells neither side: a loop over a draft's
fields would leave the page with an older value for good. The loop usually keeps the kernel's main thread busy, so waiting states
are sent by a separate thread, which ends when none are left.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from .. import runtime
from ..forks import renew_in_children

RATE = 30.0
"""Maximum number of states that one widget sends a second."""
_BURST = 5.0
_RATE_OF_ALL = 150.0  # of all widgets of this process together; a state has some 5 kB
_BURST_OF_ALL = 60.0
_RATE_OF_UNVIEWED = 30.0  # of all widgets together that no page has shown so far

_log = logging.getLogger(__name__)


class _Bucket:
    """Token bucket: `burst` tokens at first, `rate` new ones a second. The caller holds a lock."""

    def __init__(self, rate: float, burst: float):
        self._rate, self._burst = rate, burst
        self._tokens, self._filled = burst, time.monotonic()

    def wait(self) -> float:
        """Return the seconds until there is a token; 0 if there is one."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        return max(0.0, (1 - self._tokens) / self._rate)

    def take(self) -> None:
        self._tokens -= 1


class Pace:
    """Rate limit of one widget.

    Parameters
    ----------
    send : callable
        Sends the widget's present state, in the calling thread. It must let only one thread at a time read and send, so that
        the state that is sent last is the newest.

    Attributes
    ----------
    viewed : bool
        Whether a page has shown the widget. Those that no page has shown so far share the rate of one.
    """

    def __init__(self, send: Callable[[], None]):
        self.send = send
        self.viewed = False
        self.bucket = _Bucket(RATE, _BURST)

    def request(self) -> None:
        """Send the state now in this thread, or soon, once for all requests until then."""
        if _queue.enter(self):
            self.send()

    def flush(self) -> None:
        """Send a waiting state now."""
        if self.cancel():
            self.send()

    def cancel(self) -> bool:
        """Drop a waiting state; return whether there was one."""
        return _queue.remove(self)


class _Queue:
    """Waiting states of all widgets, in the order of their requests."""

    def __init__(self) -> None:
        renew_in_children(self)
        self.renew()

    def renew(self) -> None:
        """Start empty: in a forked child there is no thread, and the lock may never be released."""
        self._lock = threading.Lock()
        self._all = _Bucket(_RATE_OF_ALL, _BURST_OF_ALL)
        self._unviewed = _Bucket(_RATE_OF_UNVIEWED, _BURST)
        self._waiting: dict[Pace, None] = {}
        self._thread: runtime.Background | None = None

    def enter(self, pace: Pace) -> bool:
        """Return whether the caller must send now; otherwise the thread sends soon."""
        with self._lock:
            if pace in self._waiting:
                return False
            if not self._wait(pace) and not any(it.viewed >= pace.viewed for it in self._waiting):
                self._take(pace)
                return True
            self._waiting[pace] = None
            if self._thread is None:
                self._thread = runtime.start_thread("pace", self._run)
            return False

    def remove(self, pace: Pace) -> bool:
        """Remove a waiting state; return whether there was one."""
        with self._lock:
            return self._waiting.pop(pace, self) is None

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                pace = min(self._waiting, key=self._wait)  # the first that need not wait
                if not (wait := self._wait(pace)):
                    del self._waiting[pace]
                    self._take(pace)
            if wait:
                runtime.sleep(wait)
                continue
            try:
                pace.send()
            except Exception:  # noqa: BLE001  (a widget that can't send must not stop the others)
                _log.exception("The state of a widget could not be sent")
            del pace  # so that the waiting thread keeps no closed widget alive

    def _wait(self, pace: Pace) -> float:
        return max(bucket.wait() for bucket in self._buckets(pace))

    def _take(self, pace: Pace) -> None:
        for bucket in self._buckets(pace):
            bucket.take()

    def _buckets(self, pace: Pace) -> list[_Bucket]:
        return [pace.bucket, self._all] if pace.viewed else [pace.bucket, self._all, self._unviewed]


_queue = _Queue()
