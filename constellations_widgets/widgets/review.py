"""Review, confirm, send: the one way in which widgets write to a server."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

from ..errors import SignInError, UnclearError
from .worker import Job, Worker, format_error

Reviewed = TypeVar("Reviewed")
REVIEW, FAILED, UNCLEAR = "review", "failed", "unclear"

NO_CHANGES = "There are no changes to save: the server has the same values."


class ReviewFlow(Generic[Reviewed]):
    """State machine of one write: idle → preparing → review → sending → done, failed or unclear.

    What is sent is what the review showed, by the account that it named. A review holds until what it shows changes, and its ticket
    confirms it once, whichever page sends it: several people can have the notebook open.
    Subclasses prepare, send and reconcile in a worker thread; everything here may be called from any thread.

    Parameters
    ----------
    name : str
        Name of the worker thread.
    show : callable
        Called after each change of state, with `lock` held. Decisions rest on the attributes here, never on what was shown: a
        page could write to a trait.

    Attributes
    ----------
    phase : str
        `IDLE`, `PREPARING`, "review", `SENDING`, `DONE`, "failed" or "unclear".
    progress, message : str
        What is being done, and what to know about the outcome.
    waiting : bool
        Whether sending only waits for the server, which can be cancelled.
    review : dict or None
        Review for the page, with its ``ticket`` and the name of the ``account`` that sends, "" if that is not known.
    """

    IDLE: ClassVar[str] = "editing"
    PREPARING: ClassVar[str] = "planning"
    SENDING: ClassVar[str] = "sending"
    DONE: ClassVar[str] = "published"

    preparing_text = ""
    """Progress while the review is prepared."""
    sending_text = ""
    """Progress at first while it is sent."""
    changed_text = ""
    """Message when a review no longer holds."""

    def __init__(self, name: str, show: Callable[[], object]):
        self._show = show
        self.lock = threading.RLock()
        self.worker = Worker(name, self._on_fault, self.lock)
        self._reviewed: Reviewed | None = None
        self._edits = 0  # of what is reviewed
        self._needed_sign_in = False  # it ended because no account was signed in
        self.phase: Any = self.IDLE
        self.progress, self.waiting, self.message = "", False, ""
        self.review: Any = None

    # -- to be overridden

    @property
    def blocked(self) -> bool:
        """Whether nothing can be sent, now or ever."""
        return False

    @property
    def account(self) -> str:
        """Name of the account that sends; "" if it is not known."""
        return ""

    @property
    def busy(self) -> bool:
        """Whether a job is preparing or sending."""
        return self.phase in (self.PREPARING, self.SENDING)

    def _prepare(self, job: Job) -> None:
        """Prepare the review and call `_offer`."""
        raise NotImplementedError

    def _send(self, job: Job, reviewed: Reviewed) -> None:
        """Send what was confirmed and call `_set` with the outcome."""
        raise NotImplementedError

    def _reconcile(self, job: Job, reviewed: Reviewed, *, resend: bool) -> None:
        """Reconcile an unclear attempt. With `resend`, send it if the server does not have it."""
        raise NotImplementedError

    # -- actions

    def prepare(self) -> None:
        """Prepare a review."""
        self._start(self.PREPARING, self.preparing_text, self._prepare)

    def confirm(self, ticket: Any) -> None:
        """Send what the review with this ticket shows."""
        with self.lock:
            review, reviewed = self.review, self._reviewed
            if reviewed is None or not review or not review.get("ready", True) or ticket != review["ticket"]:
                return
            if review["account"] and review["account"] != self.account:
                self._reset(_OTHER_ACCOUNT)
            else:
                self._start(self.SENDING, self.sending_text, lambda job: self._send(job, reviewed))

    def reconcile(self, *, resend: bool = False) -> None:
        """Check whether the server has what was sent; with `resend`, send it again if not."""
        with self.lock:
            if self.phase == UNCLEAR and (reviewed := self._reviewed) is not None:
                progress = "Checking the server again before publishing …" if resend else "Checking the server …"
                self._start(self.SENDING, progress, lambda job: self._reconcile(job, reviewed, resend=resend))

    def cancel(self) -> None:
        """Leave the review, its preparation or its outcome. While sending: stop waiting for the server; a request that was sent continues."""
        with self.lock:
            if self.phase == self.SENDING:
                self.worker.cancel()
            elif self.phase in (self.PREPARING, REVIEW, FAILED, UNCLEAR):
                self.worker.drop()
                self._reset()

    def on_message(self, message: Mapping[str, Any]) -> None:
        """Handle a page's message: its ``action``, or else ``kind``, is review, confirm, check, resend or cancel."""
        match message.get("action") or message.get("kind"):
            case "review":
                self.prepare()
            case "confirm":
                self.confirm(message.get("ticket"))
            case "check":
                self.reconcile()
            case "resend":
                self.reconcile(resend=True)
            case "cancel":
                self.cancel()

    def invalidate(self) -> None:
        """Leave a review whose subject has changed."""
        with self.lock:
            self._edits += 1
            if self.phase == REVIEW:
                self._reset(self.changed_text)

    def on_account_change(self) -> None:
        """After a sign-in or sign-out: leave a review that another account would send, and an error for want of a sign-in."""
        with self.lock:
            if self.phase == REVIEW and self.review["account"] != self.account:
                self._reset(_OTHER_ACCOUNT)
            elif self._needed_sign_in:
                self._reset()
            else:
                self._show()

    # -- for subclasses

    def _start(self, phase: str, progress: str, run: Callable[[Job], None]) -> None:
        with self.lock:
            if not self.busy and not self.blocked:
                # A job that has reported its outcome may still be ending: its place is taken.
                self.worker.start(run, replace=True)
                self._set(phase, progress=progress)

    def _offer(self, edits: int, reviewed: Reviewed, review: Mapping[str, Any], message: str = "") -> None:
        """Show a review, unless its subject has changed since `_edits` was `edits`."""
        with self.lock:
            if not self.busy:  # it was cancelled, or is done by another way, while the review was prepared
                return
            if edits != self._edits:
                self._reset(self.changed_text)
            else:
                self._reviewed = reviewed
                self._set(
                    REVIEW, review={"ticket": uuid.uuid4().hex, "account": self.account, **review}, message=message
                )

    def _reset(self, message: str = "") -> None:
        self._reviewed = None
        self._set(self.IDLE, message=message)

    def _set(
        self, phase: str, *, progress: str = "", waiting: bool = False, message: str = "", review: Any = None
    ) -> None:
        with self.lock:
            self.phase, self.progress, self.waiting, self.message = phase, progress, waiting, message
            self.review, self._needed_sign_in = review, False
            self._show()

    def _on_progress(self, stage: str, message: str) -> None:
        self._set(self.SENDING, progress=message, waiting=stage == "waiting")

    def _on_fault(self, error: Exception) -> None:
        self._on_error(error)
        self._needed_sign_in = isinstance(error, SignInError)

    def _on_error(self, error: Exception) -> None:
        if isinstance(error, UnclearError):
            self._set(UNCLEAR, message=f"{error.message} {_WHAT_NOW}")
        else:
            self._set(FAILED, message=format_error(error))


_OTHER_ACCOUNT = "The sign-in changed after the review. Review it again."
_WHAT_NOW = (
    "Check again in a while. Sending again first waits until the server must have processed the request, checks again, and "
    "sends only if it is missing."
)


def request_review(line: str, body: bytes) -> dict[str, Any]:
    """Return a review of a request: its first line, its exact body as readable text, and its size in bytes."""
    return {"request": line, "body": json.dumps(json.loads(body), ensure_ascii=False, indent=1), "size": len(body)}
