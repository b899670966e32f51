"""Whether the account may publish under the handle: reported before the review, not in it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import ConstellationsError, NotFoundError, SignInError
from .protocol.publishing import AccountState
from .worker import Job, Worker

if TYPE_CHECKING:
    from ..api import Constellations

CHECKING, OK, SIGNED_OUT, UNKNOWN_HANDLE, FORBIDDEN, UNREACHABLE = (
    "checking",
    "ok",
    "signed out",
    "unknown handle",
    "forbidden",
    "unreachable",
)


class Account:
    """Whether a client's account may publish under a handle, as its server says.

    Parameters
    ----------
    client : Constellations
    handle : str
    show : callable
        Called after each change of `state`, in a worker thread.

    Attributes
    ----------
    state : str
        `CHECKING`, `OK`, `SIGNED_OUT`, `UNKNOWN_HANDLE`, `FORBIDDEN` or `UNREACHABLE`.
    message : str
        What to do about it; "" if all is well.
    """

    def __init__(self, client: Constellations, handle: str, show: Callable[[], object]):
        self._client, self._handle, self._show = client, handle, show
        self._lock = threading.RLock()
        self._worker = Worker("account", lambda error: self._set(UNREACHABLE, str(error)), self._lock)
        self._where = f"@{handle} at {client.api_url}"
        self.state, self.message = CHECKING, ""

    def check(self) -> None:
        """Ask the server. A message of before is replaced at once: it may be of another account."""
        with self._lock:
            self._worker.start(self._check, replace=True)
            if self.message:
                self._set(CHECKING, f"Checking {self._where} …")

    def to_page(self) -> AccountState:
        """Return the state for the page; `blocks` is true if publishing would fail, also while that is checked again."""
        blocks = self.state in (SIGNED_OUT, UNKNOWN_HANDLE, FORBIDDEN) or (
            self.state == CHECKING and self.message != ""
        )
        return {"message": self.message, "blocks": blocks}

    def _check(self, job: Job) -> None:
        found = self._ask()
        with self._lock:
            if job.is_current:
                self._set(*found)

    def _ask(self) -> tuple[str, str]:
        where = self._where
        if not self._client.signed_in:
            return SIGNED_OUT, f"Sign in to publish as {where}."
        try:
            self._client.handle(self._handle)
            may = self._client.may_add_images(self._handle)
        except NotFoundError:
            return UNKNOWN_HANDLE, f"There is no handle {where}. Check the spelling; capital letters matter."
        except SignInError:
            return SIGNED_OUT, f"The server does not accept this sign-in or token. Sign in again to publish as {where}."
        except ConstellationsError:
            return UNREACHABLE, ""  # the review reports it, if that has not changed
        return (OK, "") if may else (FORBIDDEN, f"This account may not publish as {where}. Sign in as its owner.")

    def _set(self, state: str, message: str) -> None:
        self.state, self.message = state, message
        self._show()
