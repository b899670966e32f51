"""State of a batch: what is chosen and typed, the plan, what is being sent. It has no page; widgets show it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import runtime
from ...errors import JournalError, PublishError
from ...publishing import Attempt, Batch, Journal, SharedFields, plan
from ...publishing.journal import default_journal
from ...publishing.plan import PUBLISH, Step
from ...publishing.rows import FAILED, PUBLISHED, UNCLEAR, WAITING, Row, export
from ...schema.fields import fields
from ..review import REVIEW, ReviewFlow
from ..worker import Job, format_error
from .edits import BatchEdits
from .hosting import BatchHosting, is_waiting

if TYPE_CHECKING:
    from ...api import Constellations
    from ...draft import ImageDraft
    from ...schema.records import Receipt

PLANNING, SENDING, STOPPING, ENDED = "planning", "sending", "stopping", "ended"
INVALID, UNPLANNED = "invalid", "unplanned"
"""States of a row that is not in a plan: with errors, and without."""

_MAYBE = "An attempt of {:%Y-%m-%d %H:%M} UTC may have succeeded. It is reconciled before anything is sent."
_CHECKING = {
    "upload": "Uploading files: {1:,} of {2:,} images …",
    "server": "Checking {} for existing images: {:,} of {:,} …",
    "web": "Checking files on the web: {1:,} of {2:,} …",
}
Listener = Callable[[Iterable[int]], Any]


class BatchRun(ReviewFlow[Batch]):
    """The drafts of a batch and their state. `phase` can also be "stopping", and is "ended" once sending has ended.

    Parameters
    ----------
    drafts : list of ImageDraft
        The images.
    client : Constellations
        Where to publish; signed in.
    handle : str
        Handle under which to publish.
    threads : int
        Number of images that are sent at the same time.
    probe : bool
        Whether a plan checks first tiles and thumbnails on the web.
    journal : Journal, optional
        By default the one in the user's state directory.
    hosting : BatchHosting, optional
        Where files go that are not on the web yet, before a plan is made.

    Attributes
    ----------
    chosen : set of int
        The rows that are chosen: to copy fields to, and to plan.
    """

    PREPARING, SENDING, DONE = PLANNING, SENDING, ENDED
    changed_text = "Images have changed since the review: check them again."

    def __init__(
        self,
        drafts: list[ImageDraft],
        client: Constellations,
        handle: str,
        *,
        threads: int,
        probe: bool,
        journal: Journal | None,
        hosting: BatchHosting | None = None,
    ):
        super().__init__("batch", self._notify)
        self.drafts, self.client, self.handle = drafts, client, handle
        self.shared, self.edits = SharedFields(drafts), BatchEdits(drafts)
        self._threads, self._probe, self._journal, self._hosting = threads, probe, journal, hosting
        self._numbers = {id(draft): number for number, draft in enumerate(drafts)}
        self._listeners: list[Listener] = []
        self._planned: dict[int, Row] = {}  # by number of the draft
        self._known: dict[int, tuple[str, str]] = {}  # state and reason of rows that are no longer in a plan
        self._changed: set[int] = set()  # drafts that were edited since the plan was begun
        self.chosen = set(range(len(drafts)))
        self._unsubscribe = [draft.on_change(self._on_draft_change) for draft in drafts]
        self.find_published()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener(numbers)`` after every change, with the changed rows; return a function that stops it."""
        self._listeners.append(listener)

        def stop() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)
            if not self._listeners and not self.busy:
                self._unfollow()

        return stop

    @property
    def account(self) -> str:
        """Name of the account that publishes."""
        return self.client.username

    @property
    def busy(self) -> bool:
        """Whether it is planning or sending."""
        return self.phase in (PLANNING, SENDING, STOPPING)

    @property
    def batch(self) -> Batch | None:
        """The batch that was planned; None before, and when images have changed since."""
        return self._reviewed

    # -- rows

    def state_of(self, number: int) -> tuple[str, str]:
        """Return state and reason of a row."""
        row = self._planned.get(number)
        if self.drafts[number].receipt:
            return PUBLISHED, row.reason if row and row.receipt else ""
        if row is not None:
            return row.state, row.reason
        if number in self._known:
            return self._known[number]
        has_errors = any(problem.severity == "error" for problem in self.drafts[number].problems)
        return (INVALID if has_errors else UNPLANNED), ""

    def receipt_of(self, number: int) -> Receipt | None:
        """Return the receipt of a row, or None before it is published."""
        row = self._planned.get(number)
        return (row.receipt if row else None) or self.drafts[number].receipt

    @property
    def planned(self) -> list[int]:
        """The rows that are in the plan."""
        return list(self._planned)

    def row_of(self, number: int) -> Row | None:
        """Return the plan's row, or None if it has none."""
        return self._planned.get(number)

    def choose(self, numbers: Iterable[int], on: bool) -> None:
        """Choose rows, or no longer choose them."""
        known = {number for number in numbers if 0 <= number < len(self.drafts)}
        self.chosen = self.chosen | known if on else self.chosen - known
        self._notify(known)

    def decide(self, numbers: Iterable[int], anyway: bool) -> None:
        """Decide whether rows that have warnings are published."""
        with self.lock:
            if self.batch is not None and self.phase in (REVIEW, ENDED):
                self.batch.decide([self._planned[number] for number in numbers if number in self._planned], anyway)

    # -- edits

    def change(self, label: str, act: Callable[[int, ImageDraft], Any], numbers: Iterable[int] | None = None) -> int:
        """Let ``act(number, draft)`` change the chosen rows (or these) as one step that can be undone."""
        return self._edit(lambda: self.shared.change(label, act, self.chosen if numbers is None else numbers))

    def undo(self) -> int:
        """Undo the last step; return the number of changed drafts."""
        return self._edit(self.shared.undo)

    def redo(self) -> int:
        """Redo the last undone step; return the number of changed drafts."""
        return self._edit(self.shared.redo)

    def restore(self) -> int:
        """Restore the unsaved edits of an earlier session; return the number of changed drafts."""
        earlier = dict(self.edits.earlier)
        count = self.change("Earlier edits", lambda number, draft: draft.edit(earlier[number]), earlier)
        if not self.busy:
            self.forget()
        return count

    def forget(self) -> None:
        """Discard the unsaved edits of an earlier session."""
        self.edits.forget()
        self._notify()

    def _edit(self, act: Callable[[], int]) -> int:
        with self.lock:
            if self.busy:
                return 0
            count = act()
            self.edits.touch()
        self._notify()
        return count

    # -- plan, send

    def prepare(self) -> None:
        """Plan the chosen rows that are not published. Returns at once."""
        with self.lock:
            if self.busy:
                return
            numbers = [number for number in sorted(self.chosen) if not self.drafts[number].receipt]
            if not numbers:
                self.message = "Nothing to publish: choose rows that are not published yet."
                self._notify()
                return
            self._reset()
            self._changed = set()
            progress = f"Checking {self.client.api_url} for {_images(len(numbers))} …"
            self._start(PLANNING, progress, lambda job: self._plan(job, numbers))

    def _plan(self, job: Job, numbers: list[int]) -> None:
        def on_progress(stage: str, done: int, total: int) -> None:
            if not job.is_current:
                raise PublishError("The check was cancelled.")
            self.progress = _CHECKING[stage].format(self.client.api_url, done, total)
            self._notify()

        drafts, probe = [self.drafts[number] for number in numbers], self._probe
        not_uploaded = self._upload(drafts, on_progress)
        steps = plan(drafts, self.client, self.handle, journal=self._journal, probe=probe, on_progress=on_progress)
        options: dict[str, Any] = {"threads": self._threads, "journal": self._journal}
        batch = Batch(steps, self.client, on_progress=self._on_batch_progress, **options)
        with self.lock:
            if not job.is_current:
                return  # cancelled
            if self._changed & set(numbers):
                self._reset(self.changed_text)
            else:
                self._planned = dict(zip(numbers, batch.rows, strict=True))
                self._offer(self._edits, batch, {})
                self.message = not_uploaded
                self._notify_all()

    def _upload(self, drafts: list[ImageDraft], on_progress: Callable[[str, int, int], None]) -> str:
        """Upload files that are not on the web yet; return what failed."""
        waiting = [*filter(is_waiting, drafts)] if self._hosting else []
        if not waiting or self._hosting is None:
            return ""
        on_progress("upload", 0, len(waiting))
        failed = self._hosting.upload(waiting, lambda done, total: on_progress("upload", done, total))
        self.edits.touch()
        with self.lock:
            self._changed -= {self._numbers[id(draft)] for draft in waiting}  # their addresses were set
        return failed

    def resume(self) -> None:
        """Publish the rows that wait."""
        self._continue("start")

    def repeat(self, what: str) -> None:
        """Retry failed rows ("retry"), check unclear ones again ("check"), or send these again ("resend")."""
        self._continue({"retry": "retry_failed", "check": "look_again", "resend": "resend_unclear"}[what])

    def stop(self) -> None:
        """Send nothing more, or cancel planning. Requests that are out go on."""
        with self.lock:
            if self.phase == PLANNING:
                self.worker.drop()
                self._reset()
            elif self.phase == SENDING and self.batch is not None:
                self._set(STOPPING)
                self.batch.stop()

    def cancel(self) -> None:
        """Leave the review or its outcome."""
        with self.lock:
            if self.phase in (REVIEW, ENDED):
                self._reset()

    def _continue(self, action: str) -> None:
        with self.lock:
            if self.phase == ENDED and (batch := self.batch) is not None:
                renew = action == "start"
                self._start(SENDING, "", lambda job: self._carry_out(batch, getattr(batch, action), renew=renew))

    def _send(self, _job: Job, batch: Batch) -> None:
        self._carry_out(batch, batch.start, renew=True)

    def _carry_out(self, batch: Batch, action: Callable[[], object], *, renew: bool) -> None:
        self._notify(self._planned)
        if renew:
            batch.renew()
        with self.lock:  # `stop` comes before this, and nothing is sent, or after it, and stops what was begun
            if self.phase == SENDING:
                action()
        batch.wait()
        self._finish(batch.message)

    def _finish(self, message: str) -> None:
        with self.lock:
            waiting = {number for number, row in self._planned.items() if row.state in (WAITING, FAILED, UNCLEAR)}
            if self._changed & waiting:
                self._reset(self.changed_text)
            else:
                self._set(ENDED, message=message)
                self._notify_all()
            if all(draft.receipt for draft in self.drafts):
                self.edits.discard()
        if not self._listeners:
            self._unfollow()

    def _on_error(self, error: Exception) -> None:
        if self.phase == PLANNING:
            self._reset(format_error(error))
        else:
            self._finish(format_error(error))

    # -- files

    def save_receipts(self, folder: Path | None = None) -> list[Path]:
        """Write the state of each row to a JSON and a CSV file, by default beside the notebook. Raises SourceError."""
        stem = re.sub(r"[^\w.-]+", "-", f"publications {self.handle} {datetime.now(UTC):%Y-%m-%d %H%M%S}")
        rows = [self._row_to_save(number) for number in range(len(self.drafts))]
        return [export(rows, (folder or Path.cwd()) / f"{stem}.{kind}") for kind in ("json", "csv")]

    def _row_to_save(self, number: int) -> Row:
        draft, row, (state, reason) = self.drafts[number], self._planned.get(number), self.state_of(number)
        if row and row.state == state:
            return row
        url = _url_of(draft)
        step = Step(draft, PUBLISH, (), self.client.api_url, self.handle, url, None, (), (), ())
        return Row(step, state, reason, draft.receipt)

    # -- changes from outside

    def find_published(self) -> None:
        """Find in the journal, in a thread, which of these images are published or unclear."""
        runtime.start_thread("batch", self._find_published)

    def _find_published(self) -> None:
        try:
            journal = self._journal or default_journal()
            taken = {draft.receipt.id for draft in self.drafts if draft.receipt}
            for number, draft in enumerate(self.drafts):
                url = _url_of(draft)
                if url and not draft.receipt:
                    attempts = journal.related(self.client.api_url, self.handle, "", url)
                    with self.lock:  # a slow journal responds after the draft got another address
                        if _url_of(draft) == url and not draft.receipt:
                            self._use_attempts(number, draft, attempts, taken)
        except JournalError as error:
            with self.lock:
                self.message = self.message or str(error)
        self._notify()

    def _use_attempts(self, number: int, draft: ImageDraft, attempts: list[Attempt], taken: set[str]) -> None:
        """Take the receipt of one of these attempts to publish the draft's image, if no other draft has it."""
        if receipt := next((it.receipt for it in attempts if it.receipt and it.image_id not in taken), None):
            taken.add(receipt.id)
            draft.published(receipt)
        elif unclear := next((it for it in attempts if it.state == "unclear"), None):
            self._known[number] = UNCLEAR, _MAYBE.format(unclear.planned)
            self._notify([number])
        elif self._known.get(number, ("", ""))[0] == UNCLEAR:  # until it was abandoned
            del self._known[number]
            self._notify([number])

    def _on_batch_progress(self, batch: Batch, row: Row | None) -> None:
        if row is None:
            self.progress = batch.message
            self._notify()
        elif (number := self._numbers.get(id(row.step.draft))) is not None:
            self.progress = ""
            self._notify([number])

    def _on_draft_change(self, draft: Any, changed: frozenset[str]) -> None:
        number = self._numbers[id(draft)]
        if not changed.isdisjoint(fields()):
            with self.lock:
                self._changed.add(number)
                self._known.pop(number, None)
                if self.phase in (REVIEW, ENDED) and number in self._planned and not draft.receipt:
                    self._reset(self.changed_text)
        self._notify([number])

    def _reset(self, message: str = "") -> None:
        """Drop the plan. Rows that were sent keep their state."""
        for number, row in self._planned.items():
            if row.state in (FAILED, UNCLEAR):
                self._known[number] = row.state, row.reason
        self._planned = {}
        super()._reset(message)
        self._notify_all()

    def _notify_all(self) -> None:
        self._notify(range(len(self.drafts)))

    def _notify(self, numbers: Iterable[int] = ()) -> None:
        for listener in list(self._listeners):
            listener(numbers)

    def _unfollow(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe = []


def _url_of(draft: ImageDraft) -> str:
    return str(draft.values["storage.legacy_url_template"] or "")


def _images(count: int) -> str:
    return f"{count:,} image{'s' * (count != 1)}"
