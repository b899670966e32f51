"""Batches: many drafts, many threads, each draft published exactly once."""

from __future__ import annotations

import html
import threading
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..api.constellations import Constellations
from ..errors import ApiError, BusyError, ConstellationsError, JournalError, NotSentError, PublishError, SignInError
from ..schema.records import Receipt
from .attempts import Attempt
from .journal import Journal, default_journal
from .pause import SharedPause
from .plan import BLOCKED, DECIDE, PUBLISH, SKIP, Plan, Step, plan
from .reconcile import SETTLING_WAITS, is_recent, settle
from .rows import (
    FAILED,
    PUBLISHED,
    SENDING,
    STATE_OF,
    STATES,
    UNCLEAR,
    UNDECIDED,
    WAITING,
    Row,
    as_table,
    as_text,
    export,
)
from .submit import after_unclear, publish_planned, tell_nobody

OnProgress = Callable[["Batch", Row | None], Any]
"""Is told of each change: with the row whose state changed, or None where it was the batch's `message`."""

MOST_THREADS = 32  # as many connections as the client keeps open
_BY_ANOTHER = "Published by another window or program meanwhile."
_UNCLEAR = (
    "Whether it was published is not known: {}. The server does not show the image so far. It is never sent again by "
    "itself: resend_unclear() looks once more, and sends it if it still isn't there."
)


class Batch:
    """Publishes what a plan says, and nothing else, in threads of its own.

    Everything can be stopped, and the kernel killed, at any moment: the journal knows what was sent. A new batch of the
    same drafts goes on from there.

    Parameters
    ----------
    plan : Plan
        What is to be published, where. Of its steps those to publish go; those to decide only with `anyway`.
    client : Constellations
        Of the plan's API; signed in.
    threads : int, optional
        How many images are sent at the same time, 1 to 32. Default 16.
    anyway : bool, optional
        Whether drafts of which the plan says "decide" are published too. Default False.
    journal : Journal, optional
        By default that of the user's state directory.
    on_progress : callable, optional
        Called as ``on_progress(batch, row)``, one call at a time, from the batch's threads; `row` is None where it is
        `message` that changed.

    Attributes
    ----------
    rows : tuple of Row
        One for each step of the plan, in the same order.
    message : str
        What the batch as a whole waits for, or why it stopped by itself; "" otherwise.
    error : ConstellationsError or None
        The error for which it stopped by itself, before sending the rows that are still waiting.

    Raises
    ------
    PublishError
        If the client is of another API than the plan, or the journal can't be used.
    """

    def __init__(
        self,
        plan: Plan,
        client: Constellations,
        *,
        threads: int = 16,
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
        self._lock, self._telling = threading.Lock(), threading.RLock()
        self._queue: deque[Row] = deque()
        self._working = 0  # threads
        self._idle = threading.Event()
        self._idle.set()
        self._pause, self._stopping, self._looks_only = SharedPause(), False, False
        self.message = ""
        self.error: ConstellationsError | None = None
        self._bodies: set[bytes | None] = {None}
        self.rows = tuple(self._first_row(step) for step in plan)

    # -- what it does

    def start(self) -> None:
        """Publish the rows that wait. Returns at once. Does nothing while the batch is running."""
        self._run([row for row in self.rows if row.state == WAITING])

    def stop(self) -> None:
        """Send nothing more. What is under way ends: `wait` for it. Rows that were not sent stay waiting."""
        with self._lock:
            self._stopping = True
            self._queue.clear()
        self._pause.give_up()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is under way, at most `timeout` seconds; gives whether that is so."""
        return self._idle.wait(timeout)

    @property
    def running(self) -> bool:
        """Whether something is under way."""
        return not self._idle.is_set()

    def decide(self, rows: Iterable[Row], anyway: bool = True) -> None:
        """Say of rows that the plan leaves to somebody's decision whether they are published too; others stay as they are.

        Raises PublishError while the batch is running.
        """
        self._refuse_while_running()
        for row in rows:
            if row.step.decision == DECIDE and row.state in (UNDECIDED, WAITING):
                row.anyway = anyway
                self._set(row, WAITING if anyway or row.look_first else UNDECIDED, row.reason)

    def renew(self) -> None:
        """Ask the server once more about the rows that wait, as the plan did: people look at a plan for a while.

        What is there by now is not sent, and what has a new reason to decide waits for a decision. The web is not asked.

        Raises
        ------
        PublishError
            If a draft was changed since the plan was made, or the batch is running.
        ApiError
            If the server can't be asked.
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
        """Publish the failed rows once more, as the plan says, and no others. Returns at once.

        A draft that was changed since needs a new plan. Raises PublishError while the batch is running.
        """
        self._refuse_while_running()
        self._run([row for row in self.rows if row.state == FAILED])

    def look_again(self) -> None:
        """Look once more for the images of unclear rows; nothing is sent. Returns at once.

        Raises PublishError while the batch is running.
        """
        self._refuse_while_running()
        unclear = [row for row in self.rows if row.state == UNCLEAR]
        self._run(unclear, looks_only=True)

    def resend_unclear(self) -> None:
        """Look once more for the images of unclear rows, and send those that the server still doesn't show.

        Do this when the server has had time: what it is still at work on could appear twice. Returns at once. Raises
        PublishError while the batch is running.
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
            if self._working or not rows:
                return
            self._looks_only = looks_only
            for row in rows:
                row.state = WAITING
            self._queue, self._pause, self._stopping = deque(rows), SharedPause(), False
            self.message, self.error = "", None
            self._working = count = min(self._threads, len(rows))
            self._idle.clear()
        for number in range(count):
            threading.Thread(target=self._work, name=f"constellations-batch-{number}", daemon=True).start()

    # -- what came of it

    @property
    def receipts(self) -> list[Receipt]:
        """The receipts of the published rows."""
        return [row.receipt for row in self.rows if row.receipt]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows are in each state; states that no row is in are left out."""
        found = Counter(row.state for row in self.rows)
        return {state: found[state] for state in STATES if found[state]}

    def export(self, path: Path | str) -> Path:
        """Write what became of each row to a .json file (with the receipts) or a .csv file, whole or not at all.

        Raises
        ------
        SourceError
            If it can't be written there.
        """
        return export(self.rows, path)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {state}" for state, count in self.counts.items())
        return f"<Batch: {counts or 'nothing'}{f'. {self.message}' if self.message else ''}>"

    def __str__(self) -> str:
        return f"{repr(self)[1:-1]}\n{as_text(self.rows)}"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(repr(self)[1:-1])}</p>{as_table(self.rows)}"

    # -- one row, in a thread of the batch

    def _work(self) -> None:
        try:
            while row := self._next():
                self._publish(row)
        finally:
            with self._lock:
                self._working -= 1
                if not self._working:
                    self._idle.set()

    def _next(self) -> Row | None:
        self._pause.wait()
        with self._lock:
            if not self._queue:
                return None
            row = self._queue.popleft()
            row.state = SENDING
        self._tell(row)
        return row

    def _publish(self, row: Row) -> None:
        began = time.monotonic()
        try:
            with row.step.draft.publishing():
                receipt = self._settled(row) or self._looked_for_or_sent(row)
        except (JournalError, SignInError) as error:  # no other row would fare better
            self._halt(row, error)
        except (BusyError, NotSentError) as error:
            self._later(row, began, error)
        except Exception as error:  # noqa: BLE001
            self._did_not_go(row, error)
        else:
            self._pause.well()
            self._set(row, PUBLISHED, "", receipt)

    def _settled(self, row: Row) -> Receipt | None:
        """The receipt of an earlier attempt that was unclear, after looking for as long as the server may need."""
        if not (row.step.earlier or row.resend):
            return None
        for attempt in self._attempts(row.step):
            if attempt.state == UNCLEAR:
                waits = SETTLING_WAITS if is_recent(attempt) else (0.0,)
                if receipt := settle(attempt, self._client, self._journal, waits=waits).receipt:
                    return receipt
        return None

    def _looked_for_or_sent(self, row: Row) -> Receipt:
        step = row.step
        if self._looks_only:
            place = step.api_url, step.handle
            return after_unclear(place, step.body, self._client, tell_nobody, journal=self._journal)
        return publish_planned(step, self._client, self._journal, anyway=row.anyway, resend=row.resend)

    def _halt(self, row: Row, error: ConstellationsError) -> None:
        """Stop the batch by itself, before this row was sent."""
        self.stop()
        with self._lock:
            self.error = self.error or error
            self.message = f"Stopped: {error}"
        self._set(row, WAITING)
        self._tell(None)

    def _later(self, row: Row, began: float, error: BusyError | NotSentError) -> None:
        """Send the row after a pause of all threads: the server did nothing with it."""
        seconds = self._pause.ask(began, getattr(error, "retry_after", None))
        if seconds is None:
            self._halt(row, error)
            return
        self._set(row, WAITING)
        with self._lock:
            if self._stopping:
                return
            self._queue.appendleft(row)
            self.message = f"Waiting {seconds:.1f} s, then going on: {error.message}"
        self._tell(None)

    def _did_not_go(self, row: Row, error: Exception) -> None:
        """The journal knows best what an error means for the row."""
        said = str(error) if isinstance(error, ConstellationsError) else f"{type(error).__name__}: {error}"
        try:
            attempts = self._attempts(row.step)
        except JournalError as unusable:
            self._halt(row, unusable)
            return
        if receipt := _receipt_of(attempts):
            self._set(row, PUBLISHED, _BY_ANOTHER, receipt)
        elif any(attempt.state == UNCLEAR for attempt in attempts):
            what = error.message if isinstance(error, ApiError) else said
            self._set(row, UNCLEAR, _UNCLEAR.format(what.rstrip(".")))
        else:
            self._set(row, FAILED, said)

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
            # Also where the server does not list it: what the journal knows as published is not sent twice from here.
            row.state, row.reason, row.receipt = PUBLISHED, "Published before.", receipt
            self._safely(step.draft.published, receipt)
        elif row.state != BLOCKED and any(attempt.state == UNCLEAR for attempt in attempts):
            row.state, row.look_first = WAITING, True  # nothing is sent before that is settled
        return row

    def _attempts(self, step: Step) -> list[Attempt]:
        return self._journal.same_body(step.api_url, step.handle, step.body or b"")

    def _set(self, row: Row, state: str, reason: str = "", receipt: Receipt | None = None) -> None:
        row.state, row.reason, row.receipt = state, reason, receipt
        if receipt is not None:
            self._safely(row.step.draft.published, receipt)
        self._tell(row)

    def _tell(self, row: Row | None) -> None:
        if self._on_progress is not None:
            with self._telling:
                self._safely(self._on_progress, self, row)

    def _safely(self, tell: Callable[..., Any], *what: Any) -> None:
        """Whatever those do wrong who are told must not stop the batch."""
        try:
            tell(*what)
        except Exception as error:  # noqa: BLE001
            warnings.warn(f"Telling of the batch failed: {type(error).__name__}: {error}", stacklevel=3)


def _receipt_of(attempts: Iterable[Attempt]) -> Receipt | None:
    return next((attempt.receipt for attempt in attempts if attempt.receipt), None)
