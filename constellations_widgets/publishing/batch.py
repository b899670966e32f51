"""Publish many drafts in many threads, each draft exactly once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from .. import runtime
from ..api.constellations import Constellations
from ..errors import ApiError, BusyError, ConstellationsError, JournalError, NotSentError, PublishError, SignInError
from ..interface import carried, in_terms
from ..schema.records import Receipt
from ..text import format_sentence
from . import clock
from .attempts import Attempt
from .backoff import Backoff
from .delivery import WaitStoppedError, find_published, tell_after, tell_nobody
from .journal import Journal, default_journal
from .plan import BLOCKED, DECIDE, PUBLISH, SKIP, Plan, Step, plan
from .rows import (
    FAILED,
    PUBLISHED,
    SENDING,
    STATE_OF,
    UNCLEAR,
    UNDECIDED,
    WAITING,
    Report,
    Row,
)
from .submit import outgoing, publish_planned
from .verification import with_foreign_records

OnProgress = Callable[["Batch", Row | None], Any]
"""Called at each change, with the row whose state changed, or None if the batch's `message` did."""

MOST_THREADS = 32  # as many connections as the client keeps open
_WAKE = 0.2  # seconds; not every system lets an interrupt end a longer wait
_TWINS = "The server has more records of it, which can't be deleted: {}."
_BY_ANOTHER = "Published by another window or program meanwhile."
END_WAITS = (0.0, 2.0, 5.0, 10.0, 15.0)
"""Seconds to wait before each search for unclear images at the end of a batch, until none is left."""


class Batch(Report):
    """Run of a plan: it publishes the plan's drafts, and nothing else, in its own threads.

    It can be stopped, and the kernel killed, at any moment: the journal records what was sent. A new batch of the same
    drafts continues from there.

    Parameters
    ----------
    plan : Plan
        What to publish, and where. Steps that need a decision are published only with `anyway`.
    client : Constellations
        Client of the plan's API; signed in.
    threads : int, optional
        Number of images sent at the same time, 1 to 32. Default 32.
    anyway : bool, optional
        Whether to publish also drafts for which the plan says "decide". Default False.
    journal : Journal, optional
        By default that of the user's state directory.
    on_progress : callable, optional
        Called as ``on_progress(batch, row)``, one call at a time, from the batch's threads; `row` is None if `message`
        changed.

    Attributes
    ----------
    rows : tuple of Row
        One for each step of the plan, in the same order.
    message : str
        What the whole batch waits for, or why it stopped by itself; else "".
    error : ConstellationsError or None
        The error that stopped it before the rest of the rows was sent.

    Raises
    ------
    PublishError
        If the client is of another API than the plan, or the journal can't be used.

    Examples
    --------
    >>> batch = cxw.publish_all(drafts, client, handle, anyway=True)
    >>> batch.retry_failed()
    """

    def __init__(
        self,
        plan: Plan,
        client: Constellations,
        *,
        threads: int = 32,
        anyway: bool = False,
        journal: Journal | None = None,
        on_progress: OnProgress | None = None,
    ):
        if not isinstance(threads, int) or not 1 <= threads <= MOST_THREADS:
            raise PublishError(f"threads is {threads!r}: give a whole number from 1 to {MOST_THREADS}.")
        if client.api_url != plan.api_url:
            raise PublishError(
                f"The plan is for {plan.api_url}, the client is one of {client.api_url}. Make a plan with this client."
            )
        self._client, self._threads, self._anyway = client, threads, anyway
        self._journal, self._on_progress = journal or default_journal(), on_progress
        self._lock, self._notifying = threading.Lock(), threading.RLock()
        self._queue: deque[Row] = deque()
        self._runner: runtime.Background | None = None  # a thread of its own: no interrupt comes between its steps
        self._ended = threading.Event()  # an interrupted `join` can take a live thread for an ended one
        self._backoff, self._stopping, self._looks_only = Backoff(), False, False
        self.message = ""
        self.error: ConstellationsError | None = None
        self._bodies: set[bytes | None] = {None}
        self._verified: set[str] = set()  # keys of receipts
        self._earlier: set[str] = set()  # keys of receipts of earlier runs
        self.rows = tuple(self._first_row(step) for step in plan)

    # -- operations

    def start(self) -> None:
        """Publish the waiting rows, and verify the receipts. Returns at once; does nothing while the batch is running."""
        self._run([row for row in self.rows if row.state == WAITING])

    def stop(self) -> None:
        """Stop sending. Requests in progress complete: `wait` for them. Rows that were not sent remain waiting."""
        with self._lock:
            self._stopping = True
            self._queue.clear()
        self._backoff.cancel()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds until the batch is not running; return whether that is so."""
        end = None if timeout is None else clock.monotonic() + timeout
        while self.running and (end is None or clock.monotonic() < end):
            left = _WAKE if end is None else min(_WAKE, max(0.0, end - clock.monotonic()))
            clock.wait(self._ended, left)
        return not self.running

    def wait_or_stop(self) -> None:
        """Wait until the batch is not running; an interrupt of the waiting stops it, ends what is under way, and is raised."""
        try:
            self.wait()
        except BaseException:
            self.stop()
            self.wait()
            raise

    @property
    def running(self) -> bool:
        """Whether the batch is running."""
        return self._runner is not None and self._runner.is_alive() and not self._ended.is_set()

    def decide(self, rows: Iterable[Row], anyway: bool = True) -> None:
        """Decide whether rows that the plan leaves to a decision are published; other rows are unchanged.

        Raises PublishError while the batch is running.
        """
        self._refuse_while_running()
        for row in rows:
            if row.step.decision == DECIDE and row.state in (UNDECIDED, WAITING):
                row.anyway = anyway
                self._set(row, WAITING if anyway or row.look_first else UNDECIDED, row.reason)

    def renew(self) -> None:
        """Check the waiting rows against the server again, since a plan may be reviewed for a while before it runs.

        Rows that were published meanwhile are not sent, and rows with a new reason to decide wait for a decision. The
        web is not probed.

        Raises
        ------
        PublishError
            If a draft was changed since the plan was made, or the batch is running.
        ApiError
            If the server can't be reached.
        """
        self._refuse_while_running()
        rows = [row for row in self.rows if row.state == WAITING and not row.look_first]
        if not rows:
            return
        drafts, place = [row.step.draft for row in rows], rows[0].step
        fresh = plan(drafts, self._client, place.handle, journal=self._journal, probe=False)
        if changed := [row.name for row, new in zip(rows, fresh, strict=True) if new.body != row.step.body]:
            raise PublishError(f"Changed since the plan was made: {', '.join(changed[:5])}. Make a new plan.")
        for row, new in zip(rows, fresh, strict=True):
            if receipt := _receipt_of(self._attempts(new) if new.earlier else []):
                row.step = new
                self._set(row, PUBLISHED, _BY_ANOTHER, receipt)
            elif new.decision in (SKIP, BLOCKED) or (
                new.decision == DECIDE and set(new.reasons) - set(row.step.reasons)
            ):
                row.step, row.anyway = new, False
                self._set(row, STATE_OF[new.decision], " ".join(new.reasons))

    def retry_failed(self) -> None:
        """Publish the failed rows again, according to the plan, and no others. Returns at once.

        A draft that was changed since needs a new plan. Raises PublishError while the batch is running.
        """
        self._refuse_while_running()
        self._run([row for row in self.rows if row.state == FAILED])

    def look_again(self) -> None:
        """Reconcile the unclear rows with the server again; nothing is sent. Returns at once.

        Raises PublishError while the batch is running.
        """
        self._refuse_while_running()
        unclear = [row for row in self.rows if row.state == UNCLEAR]
        self._run(unclear, looks_only=True)

    def resend_unclear(self) -> None:
        """Reconcile the unclear rows again, and send those that the server does not have.

        It first waits until a minute has passed since each was sent, as `message` reports: a request that the server
        still processes could otherwise appear twice. `stop` ends the waiting. Returns at once. Raises PublishError
        while the batch is running.
        """
        self._refuse_while_running()
        unclear = [row for row in self.rows if row.state == UNCLEAR]
        for row in unclear:
            row.resend = frozenset(it.key for it in self._attempts(row.step) if it.state == UNCLEAR)
        self._run(unclear)

    def _refuse_while_running(self) -> None:
        if self.running:
            raise PublishError("The batch is still running: stop it, or wait for its end.")

    def _run(self, rows: list[Row], *, looks_only: bool = False) -> None:
        with self._lock:
            if self.running or not (rows or self._unverified()):
                return
            self._backoff, self._stopping = Backoff(), False
            self.message, self.error = "", None
            for row in rows:
                row.state = UNCLEAR if row.state == UNCLEAR else WAITING  # kept if the batch stops before its turn
            self._ended.clear()
            self._runner = runtime.new_thread("batch", self._conduct, rows, looks_only)
        self._runner.start()

    def _conduct(self, rows: list[Row], looks_only: bool) -> None:
        try:
            self._work_off(rows, looks_only)
            if not looks_only:
                self._verify()
                self._look_at_the_end()
            if self.error is None:
                self._set_message("")
        finally:
            self._ended.set()

    def _verify(self) -> None:
        """Verify the receipts: a row whose response named an image of another request becomes unclear."""
        rows = self._unverified()
        if self._stopping or not rows:
            return
        try:
            attempts = self._journal.with_keys(rows)
            for attempt in with_foreign_records(
                [it for it in attempts if it.is_published], self._client, self._earlier
            ):
                self._journal.disown(attempt.key, attempt.image_id or "")
            current = self._journal.with_keys(rows)
            self._verified |= rows.keys()
        except JournalError as error:
            self._stop_with(error)
            return
        for attempt in current:
            row = rows[attempt.key]
            if attempt.state == UNCLEAR:  # now, or since another program has verified that the image is its own
                tell_after(row.step.draft.published, None)
                self._set(row, UNCLEAR, _unclear(attempt.answer))

    def _unverified(self) -> dict[str, Row]:
        """Return the rows whose receipts are to be verified, by the receipts' keys."""
        return {row.receipt.key: row for row in self.rows if row.receipt and row.receipt.key not in self._verified}

    def _look_at_the_end(self) -> None:
        """Reconcile the unclear rows again: the server may be back, or its lists may be current now."""
        for seconds in END_WAITS:
            unclear = [row for row in self.rows if row.state == UNCLEAR]
            if not unclear or self._stopping:
                break
            self._set_message(f"Checking the server again for {len(unclear)} with an unknown outcome.")
            if not self._backoff.sleep(seconds):
                break
            self._work_off(unclear, looks_only=True)

    def _work_off(self, rows: list[Row], looks_only: bool) -> None:
        with self._lock:
            if self._stopping:
                return
            self._looks_only, self._queue = looks_only, deque(rows)
        count = min(self._threads, len(rows))
        threads = [runtime.start_thread(f"batch-{number}", *carried(self._work)) for number in range(count)]
        for thread in threads:
            thread.join()
        for row in rows:
            if row.state == SENDING:  # its thread was killed from outside
                self._did_not_go(row, PublishError("Interrupted."))

    # -- one row, in a thread of the batch

    def _work(self) -> None:
        while row := self._next():
            self._publish(row)

    def _next(self) -> Row | None:
        self._backoff.wait()
        with self._lock:
            if not self._queue:
                return None
            row = self._queue.popleft()
            row.state = SENDING
        self._notify(row)
        return row

    def _publish(self, row: Row) -> None:
        began = clock.monotonic()
        try:
            with row.step.draft.publishing():
                receipt = self._found_or_sent(row)
        except (JournalError, SignInError) as error:  # no other row would fare better
            self._halt(row, error)
        except (BusyError, NotSentError) as error:
            self._later(row, began, error)
        except Exception as error:  # noqa: BLE001
            self._did_not_go(row, error)
        else:
            self._backoff.reset()
            twins = ", ".join(receipt.duplicates)
            self._set(row, PUBLISHED, _TWINS.format(twins) if twins else "", receipt)

    def _found_or_sent(self, row: Row) -> Receipt:
        step = row.step
        if self._looks_only:
            found: Receipt = find_published(outgoing(step), self._client, self._journal, tell_nobody)
            return found
        return publish_planned(
            step,
            self._client,
            self._journal,
            self._on_stage,
            anyway=row.anyway,
            resend=row.resend,
            sleep=self._sleep,
            returns_when_busy=True,
            verify=False,  # all at once, at the end: `_verify`
        )

    def _on_stage(self, stage: str, message: str) -> None:
        if stage == "waiting":
            self._set_message(message)

    def _sleep(self, seconds: float) -> None:
        if not self._backoff.sleep(seconds):
            raise WaitStoppedError

    def _halt(self, row: Row, error: ConstellationsError) -> None:
        """Stop the batch before this row is sent."""
        self._stop_with(error)
        self._set(row, WAITING)
        self._set_message(f"Stopped: {self.error}")

    def _stop_with(self, error: ConstellationsError) -> None:
        self.stop()
        with self._lock:
            self.error = self.error or error

    def _later(self, row: Row, began: float, error: BusyError | NotSentError) -> None:
        """Send the row after a pause of all threads: the server did nothing with it."""
        seconds = self._backoff.ask(began, getattr(error, "retry_after", None))
        if seconds is None:
            self._halt(row, error)
            return
        self._set(row, WAITING)
        with self._lock:
            if self._stopping:
                return
            self._queue.appendleft(row)
        self._set_message(f"Waiting {seconds:.1f} s before continuing: {error.message}")

    def _did_not_go(self, row: Row, error: Exception) -> None:
        """Set the row's state by the journal, which knows what the error means for it."""
        message = str(error) if isinstance(error, ConstellationsError) else f"{type(error).__name__}: {error}"
        try:
            attempts = self._attempts(row.step)
        except JournalError as unusable:
            self._halt(row, unusable)
            return
        if receipt := _receipt_of(attempts):
            self._set(row, PUBLISHED, _BY_ANOTHER, receipt)
        elif any(attempt.state == UNCLEAR for attempt in attempts):
            self._set(row, UNCLEAR, _unclear(error.message if isinstance(error, ApiError) else message))
        else:
            self._set(row, FAILED, message)

    # -- rows and the journal

    def _first_row(self, step: Step) -> Row:
        reason = " ".join(step.reasons) if step.decision != PUBLISH else ""
        row = Row(step, STATE_OF[step.decision], reason, anyway=self._anyway)
        if row.state == UNDECIDED and self._anyway:
            row.state = WAITING
        if step.body in self._bodies:
            return row
        self._bodies.add(step.body)
        attempts = self._attempts(step) if step.earlier else []
        if receipt := _receipt_of(attempts):
            # Even if the server does not list it: what the journal has as published is not sent twice from here.
            row.state, row.reason, row.receipt = PUBLISHED, "Published before.", receipt
            self._earlier.add(receipt.key)
            tell_after(step.draft.published, receipt)
        elif row.state != BLOCKED and any(attempt.state == UNCLEAR for attempt in attempts):
            row.state, row.look_first = WAITING, True  # nothing is sent before that is reconciled
        return row

    def _attempts(self, step: Step) -> list[Attempt]:
        return self._journal.same_body(step.api_url, step.handle, step.body or b"")

    def _set(self, row: Row, state: str, reason: str = "", receipt: Receipt | None = None) -> None:
        row.state, row.reason, row.receipt = state, reason, receipt
        if receipt is not None:
            tell_after(row.step.draft.published, receipt)
        self._notify(row)

    def _set_message(self, message: str) -> None:
        with self._lock:
            is_new, self.message = message != self.message, message
        if is_new:
            self._notify(None)

    def _notify(self, row: Row | None) -> None:
        if self._on_progress is not None:
            with self._notifying:
                tell_after(self._on_progress, self, row)


def _receipt_of(attempts: Iterable[Attempt]) -> Receipt | None:
    receipts = (attempt.receipt for attempt in attempts)
    return next((receipt for receipt in receipts if isinstance(receipt, Receipt)), None)


def _unclear(answer: str) -> str:
    return (
        f"Whether it was published is not known: {format_sentence(answer)} It is never sent again by itself: "
        f"{in_terms('resend_unclear()', 'the option --resend-unclear', '“Not on the server: send again”')} waits until the server must have processed it, checks again, "
        "and sends it only if it is missing."
    )
