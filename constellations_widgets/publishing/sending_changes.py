"""Send a change of a record at the server until its outcome is known."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

from ..errors import ApiError, BadAnswerError, BusyError, UnclearError
from . import clock
from .backoff import Backoff
from .delivery import LONGEST_WAIT

Record = TypeVar("Record")


def send_change(send: Callable[[], Record], read: Callable[[], Record], is_made: Callable[[Record], bool]) -> Record:
    """Send a change; return the record that has it.

    A busy server is asked again after the wait that it names, if the record does not show the change by then. After an
    unclear outcome the record is read once more.

    Parameters
    ----------
    send : callable
        Sends the change and returns the record with it. It reads the record first, and raises ConflictError if it is not
        what the change was made for.
    read : callable
        Reads the record.
    is_made : callable
        Whether a record has the change.

    Raises
    ------
    ApiError
        The errors of `send`.
    """
    backoff = Backoff(LONGEST_WAIT)
    while True:
        began = clock.monotonic()
        try:
            return send()
        except BusyError as error:
            seconds = backoff.ask(began, error.retry_after)
            if seconds is None:
                raise
            clock.sleep(seconds)
            final = False
        except (BadAnswerError, UnclearError) as error:
            clock.sleep(min(getattr(error, "retry_after", None) or 0.0, LONGEST_WAIT))
            cause, final = error, True
        with contextlib.suppress(ApiError):
            record = read()
            if is_made(record):
                return record
        if final:
            raise cause
