"""When a request is sent again, and after how long.

* A read changes nothing: it is repeated when the connection can't be made or breaks, at a timeout, and at 408, 429, 502,
  503 and 504. The waits double, with chance in them, or are those that the server names.
* A write is repeated at one answer only: "not now, but in so many seconds" (429 or 503 with Retry-After), which a server
  gives before it looks at the request. Whatever else happens to a write is for `publishing` to settle, by looking.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_result,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential,
    wait_random,
)

from ..errors import ApiError, BusyError, NoAnswerError, NotSentError

Answered = TypeVar("Answered")

_PASSING = {502, 504}  # a gateway that lost its server for a moment; 500 is this API's answer to impossible questions


@dataclass(frozen=True)
class Retries:
    """How patient a client is.

    Parameters
    ----------
    tries : int, default 4
        How often a request is sent at most; 1 never repeats.
    first_wait : float, default 0.25
        Seconds before the second try. Each further wait is twice as long, up to `longest_wait`, and each is lengthened
        by a random part of `first_wait`.
    longest_wait : float, default 10
        A server that asks for a longer wait than this many seconds is not waited for: its answer is raised, and whoever
        called can show it, be stopped, or come back.
    sleep : function of seconds, default time.sleep
        Does the waiting.
    """

    tries: int = 4
    first_wait: float = 0.25
    longest_wait: float = 10.0
    sleep: Callable[[float], None] = time.sleep


class Retrier:
    """Repeats the requests of one client, and lets all its threads wait while the server wants peace.

    Parameters
    ----------
    retries : Retries
    within : float
        Seconds after the first try in which a further one may begin.
    """

    def __init__(self, retries: Retries, within: float):
        self._retries, self._within = retries, within
        self._jitter = wait_random(0, retries.first_wait)
        self._backoff = wait_exponential(multiplier=retries.first_wait, max=retries.longest_wait) + self._jitter
        self._quiet_until = 0.0  # on the clock of time.monotonic

    def send(self, attempt: Callable[[], ApiError | Answered], *, writes: bool) -> ApiError | Answered:
        """What `attempt` returns, of its last try if an error is worth another one.

        Parameters
        ----------
        attempt : function
            Sends the request once. Returns the failure instead of raising it: so the traceback that a user sees holds
            nothing of the repeating.
        writes : bool
            Whether the request changes something at the server.
        """
        left = self._quiet_until - time.monotonic()
        if left > 0:
            self._retries.sleep(left + random.uniform(0, self._retries.first_wait))
        began = time.monotonic()
        first = attempt()
        is_worth_it = self._told_to_repeat if writes else self._read_may_be_repeated
        if not is_worth_it(first):
            return first
        tries = chain([lambda: first], repeat(attempt))
        return self._retrying(is_worth_it, time.monotonic() - began)(lambda: next(tries)())

    def _retrying(self, is_worth_it: Callable[[object], bool], spent: float) -> Retrying:
        """Repeats what was tried once already, in `spent` seconds."""
        return Retrying(
            retry=retry_if_result(is_worth_it),
            stop=stop_after_attempt(self._retries.tries) | stop_before_delay(self._within - spent),
            wait=self._wait,
            before_sleep=self._let_all_wait,
            sleep=self._retries.sleep,
            retry_error_callback=_outcome,
        )

    def _told_to_repeat(self, outcome: object) -> bool:
        told = _told(outcome)
        return told is not None and told <= self._retries.longest_wait

    def _read_may_be_repeated(self, outcome: object) -> bool:
        if _told(outcome) is not None:
            return self._told_to_repeat(outcome)
        return isinstance(outcome, NotSentError | NoAnswerError | BusyError) or (
            isinstance(outcome, ApiError) and outcome.status in _PASSING
        )

    def _wait(self, state: RetryCallState) -> float:
        told = _told(_outcome(state))
        return self._backoff(state) if told is None else told + self._jitter(state)

    def _let_all_wait(self, state: RetryCallState) -> None:
        told = _told(_outcome(state))
        if told is not None:  # two threads at once may shorten it by a moment, which does no harm
            self._quiet_until = max(self._quiet_until, time.monotonic() + told)


def _outcome(state: RetryCallState) -> object:
    return state.outcome.result()


def _told(outcome: object) -> float | None:
    """Seconds that the server asks to wait, None where it asked for none."""
    return outcome.retry_after if isinstance(outcome, BusyError) else None
