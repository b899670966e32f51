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
    state : dict
        For the page. `blocks` is true if publishing would fail, also while that is checked again.
    """

    def __init__(self, client: Constellations, handle: str, show: Callable[[], object]):
        self._client, self._handle, self._show = client, handle, show
        self._lock = threading.RLock()
        self._worker = Worker("account", lambda error: self._set(str(error), blocks=False), self._lock)
        self._where = f"@{handle} at {client.api_url}"
        self.state: AccountState = {"message": "", "blocks": False}

    def check(self) -> None:
        """Ask the server. A message of before is replaced at once: it may be of another account."""
        with self._lock:
            self._worker.start(self._check, replace=True)
            if self.state["message"]:
                self._set(f"Checking {self._where} …", blocks=True)

    def _check(self, job: Job) -> None:
        refusal = self._refusal()
        with self._lock:
            if job.is_current:
                self._set(refusal, blocks=refusal != "")

    def _refusal(self) -> str:
        """Return why publishing would be refused, and what to do; "" if it would not be, or that is not known."""
        where = self._where
        if not self._client.signed_in:
            return f"Sign in to publish as {where}."
        try:
            self._client.handle(self._handle)
            may = self._client.may_add_images(self._handle)
        except NotFoundError:
            return f"There is no handle {where}. Check the spelling; capital letters matter."
        except SignInError:
            return f"The server does not accept this sign-in or token. Sign in again to publish as {where}."
        except ConstellationsError:
            return ""  # the review reports it, if that has not changed
        return "" if may else f"This account may not publish as {where}. Sign in as its owner."

    def _set(self, message: str, *, blocks: bool) -> None:
        self.state = {"message": message, "blocks": blocks}
        self._show()
