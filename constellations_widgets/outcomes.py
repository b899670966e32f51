"""Results of calls for many images: one for each, whether it succeeded or failed, and the executor that runs them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

from . import runtime
from .errors import ConstellationsError

THREADS = 2
"""Images at a time without an executor: each of them uses several cores, connections or a process itself."""


@dataclass(frozen=True)
class Outcome:
    """Result for one of many images.

    Attributes
    ----------
    name : str
        The image.
    result : Path, Hosted, Solution or None
        Return value of the call for a single image; None if it failed.
    error : str
        Why it failed; "" if it did not.

    Examples
    --------
    >>> for outcome in cxw.host_all(drafts, box):
    ...     print(outcome.name, outcome.error)
    """

    name: str
    result: Any = None
    error: str = ""


OnDone = Callable[[Outcome, int, int], Any]
"""Called as ``on_done(outcome, done, total)`` after each image, in the thread that called."""


def outcome_of(name: str, future: Future[Any]) -> Outcome:
    """Return the result or the error of a future that is done."""
    try:
        return Outcome(name, future.result())
    except ConstellationsError as error:
        return Outcome(name, error=str(error))
    except Exception as error:  # a worker that died, or an error of the cluster  # noqa: BLE001
        return Outcome(
            name, error=f"The task failed: {type(error).__name__}: {error}. Run it again; what is done stays"
        )


@contextlib.contextmanager
def executor_or_threads(executor: Executor | None) -> Iterator[Executor]:
    """Return an executor, or `THREADS` threads that end with the context."""
    if executor is not None:
        yield executor
        return
    with runtime.new_pool(THREADS, "many") as own:
        yield own
