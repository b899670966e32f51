"""Decide when a read is retried, and after how long.

A read changes nothing: it is retried if the connection fails, after a timeout, and after 408, 429, 502, 503 and 504;
after 500, too, but not as often. The backoff doubles, with jitter, unless the server asks for a certain wait.

A write is sent once; `publishing` reconciles an unclear outcome.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from .. import runtime
from ..errors import ApiError, BusyError, NoAnswerError, NotSentError

Outcome = TypeVar("Outcome")

_PASSING = {502, 504}  # a gateway that lost its server for a moment
_TRIES_AT_500 = 3  # this API also answers 500 to invalid requests


@dataclass(frozen=True)
class Retries:
    """Retry policy for reads. Requests that publish or change something are sent once.

    Parameters
    ----------
    tries : int, default 4
        Maximum number of times a request is sent; 1 never retries.
    first_wait : float, default 0.25
        Seconds before the second try. Each further wait is twice as long, up to `longest_wait`, and each is lengthened
        by a random part of `first_wait`.
    longest_wait : float, default 10
        Longest wait in seconds that a server may ask for. For a longer one its response is raised as an error at once,
        so that the caller can show it, stop, or try later.
    sleep : function of seconds, optional
        Function that waits.

    Examples
    --------
    >>> cxw.Constellations(api_url, auth=token, retries=cxw.Retries(tries=6))
    """

    tries: int = 4
    first_wait: float = 0.25
    longest_wait: float = 10.0
    sleep: Callable[[float], None] = runtime.sleep


class Retrier:
    """Retries of one client's reads; all its threads wait if the server asks for it.

    Parameters
    ----------
    retries : Retries
    within : float
        Seconds after the first try in which a further one may begin.
    """

    def __init__(self, retries: Retries, within: float):
        self._retries, self._within = retries, within
        self._quiet_until = 0.0  # on the clock of time.monotonic

    def send(self, attempt: Callable[[], ApiError | Outcome], *, writes: bool) -> ApiError | Outcome:
        """Return what `attempt` returns; the result of its last try if it was retried.

        Parameters
        ----------
        attempt : function
            Sends the request once. Returns the failure instead of raising it, so that the traceback that a user sees
            does not contain the retries.
        writes : bool
            Whether the request changes something at the server. Such a request is sent once.
        """
        if writes:
            return attempt()
        if (left := self._quiet_until - time.monotonic()) > 0:
            self._retries.sleep(left + self._jitter())
        began, tries = time.monotonic(), 1
        while self._may_be_repeated(outcome := attempt(), tries):
            wait = self._wait(outcome, tries)
            if time.monotonic() - began + wait >= self._within:
                break
            self._retries.sleep(wait)
            tries += 1
        return outcome

    def wait_for(self, error: BusyError, tries: int) -> bool:
        """Wait as long as the server asked for; return False without waiting if that is not worthwhile."""
        if error.retry_after is None or not self._may_be_repeated(error, tries):
            return False
        self._retries.sleep(self._wait(error, tries))
        return True

    def _may_be_repeated(self, outcome: object, tries: int) -> bool:
        if tries >= self._retries.tries or not isinstance(outcome, ApiError):
            return False
        if isinstance(outcome, BusyError):
            return outcome.retry_after is None or outcome.retry_after <= self._retries.longest_wait
        if outcome.status == 500:
            return tries < _TRIES_AT_500
        return isinstance(outcome, NotSentError | NoAnswerError) or outcome.status in _PASSING

    def _wait(self, outcome: object, tries: int) -> float:
        """Return the seconds to wait after a try; make the other threads wait as long if the server asked for it."""
        if isinstance(outcome, BusyError) and outcome.retry_after is not None:
            # Two threads at once may shorten it by a moment, which does no harm.
            self._quiet_until = max(self._quiet_until, time.monotonic() + outcome.retry_after)
            return outcome.retry_after + self._jitter()
        return min(self._retries.first_wait * 2.0 ** (tries - 1), self._retries.longest_wait) + self._jitter()

    def _jitter(self) -> float:
        return random.uniform(0, self._retries.first_wait)
