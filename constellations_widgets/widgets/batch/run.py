"""A batch as somebody works on it: what is chosen and typed, the plan, what is under way. It has no page; widgets show it."""

from __future__ import annotations

import contextlib
import re
import threading
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ConstellationsError, JournalError, PublishError
from ...publishing import Attempt, Batch, Journal, SharedFields, plan
from ...publishing.journal import default_journal
from ...publishing.plan import PUBLISH, Step
from ...publishing.rows import FAILED, PUBLISHED, UNCLEAR, WAITING, Row, export
from ...schema.fields import fields
from .edits import BatchEdits

if TYPE_CHECKING:
    from ...api import Constellations
    from ...draft import ImageDraft
    from ...schema.records import Receipt

EDITING, PLANNING, REVIEW, SENDING, STOPPING, AT_REST = (
    "editing",
    "planning",
    "review",
    "sending",
    "stopping",
    "at rest",
)
FAULTY, UNPLANNED = "faulty", "unplanned"
"""States of a row that no plan has looked at: with errors, and without."""

_CHANGED = "Images were changed since the plan was made: look again what would happen."
_MAYBE = "An attempt of {:%Y-%m-%d %H:%M} UTC may have succeeded. It is looked for first; nothing is sent before that is settled."
_ASKING = {
    "server": "Asking {} which images are there already: {:,} of {:,} …",
    "web": "Looking whether the files are on the web: {1:,} of {2:,} …",
}
Listener = Callable[[Iterable[int]], Any]


class BatchRun:
    """The drafts of a batch and what becomes of them.

    Parameters
    ----------
    drafts : list of ImageDraft
        The images.
    client : Constellations
        Where to; signed in.
    handle : str
        Under which handle.
    threads : int
        How many images are sent at the same time.
    probe : bool
        Whether a plan asks the web for first tiles and thumbnails.
    journal : Journal, optional
        By default that of the user's state directory.

    Attributes
    ----------
    phase : str
        editing, planning, review, sending, stopping or at rest (something was sent, and nothing is under way).
    chosen : set of int
        The rows that are chosen: to copy fields to, and to plan.
    message : str
        What went wrong, or has to be known.
    batch : Batch or None
        What the plan led to.
    ticket : str
        Goes back with the confirmation: it holds for one plan and no other.
    """

    def __init__(
        self,
        drafts: list[ImageDraft],
        client: Constellations,
        handle: str,
        *,
        threads: int,
        probe: bool,
        journal: Journal | None,
    ):
        self.drafts, self.client, self.handle = drafts, client, handle
        self.shared, self.edits = SharedFields(drafts), BatchEdits(drafts)
        self._threads, self._probe, self._journal = threads, probe, journal
        self._lock = threading.RLock()
        self._numbers = {id(draft): number for number, draft in enumerate(drafts)}
        self._listeners: list[Listener] = []
        self._planned: dict[int, Row] = {}  # by number of the draft
        self._known: dict[int, tuple[str, str]] = {}  # state and reason of rows that no plan holds any more
        self._asked = 0  # plans that were asked for, and those that were called off
        self._changes: set[int] = set()  # drafts that were edited since the plan was begun
        self.phase, self.message, self.progress, self.ticket = EDITING, "", "", ""
        self.chosen = set(range(len(drafts)))
        self.batch: Batch | None = None
        self._unsubscribe = [draft.on_change(self._draft_changed) for draft in drafts]
        self.remember()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener(numbers)`` after every change, with the rows that it touched; gives a function that ends it."""
        self._listeners.append(listener)

        def stop() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)
            if not self._listeners and not self.busy:
                self._leave()

        return stop

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self.phase in (PLANNING, SENDING, STOPPING)

    # -- rows

    def state_of(self, number: int) -> tuple[str, str]:
        """State and reason of a row."""
        row = self._planned.get(number)
        if self.drafts[number].receipt:
            return PUBLISHED, row.reason if row and row.receipt else ""
        if row is not None:
            return row.state, row.reason
        if number in self._known:
            return self._known[number]
        return (FAULTY if any(it.severity == "error" for it in self.drafts[number].problems) else UNPLANNED), ""

    def receipt_of(self, number: int) -> Receipt | None:
        """The receipt of a row, once it is published."""
        row = self._planned.get(number)
        return (row.receipt if row else None) or self.drafts[number].receipt

    @property
    def planned(self) -> list[int]:
        """The rows that are in the plan."""
        return list(self._planned)

    def row_of(self, number: int) -> Row | None:
        """What the plan holds of a row, None if it isn't in one."""
        return self._planned.get(number)

    def choose(self, numbers: Iterable[int], on: bool) -> None:
        """Choose rows, or not any more."""
        numbers = {number for number in numbers if 0 <= number < len(self.drafts)}
        self.chosen = self.chosen | numbers if on else self.chosen - numbers
        self._tell(numbers)

    def decide(self, numbers: Iterable[int], anyway: bool) -> None:
        """Say of rows that the plan leaves to somebody's decision whether they are published."""
        with self._lock:
            if self.batch is not None and self.phase in (REVIEW, AT_REST):
                self.batch.decide([self._planned[number] for number in numbers if number in self._planned], anyway)

    # -- what people type

    def change(self, label: str, act: Callable[[int, ImageDraft], Any], numbers: Iterable[int] | None = None) -> int:
        """Let ``act(number, draft)`` change the chosen rows (or these) as one step that can be undone."""
        return self._edited(lambda: self.shared.change(label, act, self.chosen if numbers is None else numbers))

    def undo(self) -> int:
        """Take back the last step; gives how many drafts have changed."""
        return self._edited(self.shared.undo)

    def redo(self) -> int:
        """Do again what was undone last."""
        return self._edited(self.shared.redo)

    def restore(self) -> int:
        """Take over what was typed into these images in an earlier kernel."""
        earlier = dict(self.edits.earlier)
        count = self.change("Earlier edits", lambda number, draft: draft.edit(earlier[number]), earlier)
        if not self.busy:
            self.forget()
        return count

    def forget(self) -> None:
        """Leave what was typed in an earlier kernel."""
        self.edits.forget()
        self._tell()

    def _edited(self, act: Callable[[], int]) -> int:
        with self._lock:
            if self.busy:
                return 0
            count = act()
            self.edits.touch()
        self._tell()
        return count

    # -- plan, send

    def look(self) -> None:
        """Make a plan of the chosen rows that aren't published. Returns at once."""
        with self._lock:
            if self.busy:
                return
            numbers = [number for number in sorted(self.chosen) if not self.drafts[number].receipt]
            if not numbers:
                self.message = "There is nothing to publish: choose rows that are not published yet."
            else:
                self._drop_plan(EDITING, "")
                self._asked += 1
                self.phase, self._changes = PLANNING, set()
                self.progress = f"Asking {self.client.api_url} about {_images(len(numbers))} …"
                self._begin(self._plan, self._asked, numbers)
        self._tell()

    def _plan(self, asked: int, numbers: list[int]) -> None:
        def tell(who: str, done: int, total: int) -> None:
            if asked != self._asked:
                raise PublishError("The plan was called off.")
            self.progress = _ASKING[who].format(self.client.api_url, done, total)
            self._tell()

        try:
            drafts, probe = [self.drafts[number] for number in numbers], self._probe
            steps = plan(drafts, self.client, self.handle, journal=self._journal, probe=probe, on_progress=tell)
            batch = Batch(
                steps, self.client, threads=self._threads, journal=self._journal, on_progress=self._progressed
            )
        except Exception as error:  # noqa: BLE001  (a bug of ours, too: the page has to say so rather than wait for ever)
            batch, said = None, _said(error)
        with self._lock:
            if asked != self._asked:
                return  # called off
            if batch is None:
                self.phase, self.message = EDITING, said
            elif self._changes & set(numbers):
                self.phase, self.message = EDITING, _CHANGED
            else:
                self.batch, self._planned = batch, dict(zip(numbers, batch.rows, strict=True))
                self.phase, self.message, self.ticket = REVIEW, "", uuid.uuid4().hex
        self._tell(range(len(self.drafts)))

    def confirm(self, ticket: str) -> None:
        """Publish what the plan of this ticket says. Each ticket is taken once."""
        with self._lock:
            if self.phase != REVIEW or ticket != self.ticket or self.batch is None:
                return
            self.ticket = ""
            self._send(self.batch.start, renew=True)

    def go_on(self) -> None:
        """Publish the rows that wait."""
        with self._lock:
            if self.phase == AT_REST and self.batch is not None:
                self._send(self.batch.start, renew=True)

    def again(self, what: str) -> None:
        """ "retry": publish the failed rows once more; "look": look again for unclear ones; "resend": send these anew."""
        with self._lock:
            if self.phase == AT_REST and (batch := self.batch) is not None:
                acts = {"retry": batch.retry_failed, "look": batch.look_again, "resend": batch.resend_unclear}
                self._send(acts[what], renew=False)

    def stop(self) -> None:
        """Send nothing more, or call the plan off. What is under way ends."""
        with self._lock:
            if self.phase == PLANNING:
                self._asked += 1
                self.phase = EDITING
            elif self.phase == SENDING and self.batch is not None:
                self.phase = STOPPING
                self.batch.stop()
        self._tell()

    def leave_plan(self) -> None:
        """Back to the table; what the plan said is not sent."""
        with self._lock:
            if self.phase in (REVIEW, AT_REST):
                self._drop_plan(EDITING, "")
        self._tell(range(len(self.drafts)))

    def _send(self, act: Callable[[], None], *, renew: bool) -> None:
        self.phase, self.message, self.progress = SENDING, "", ""
        self._begin(self._work, act, renew)
        self._tell(self._planned)

    def _work(self, act: Callable[[], None], renew: bool) -> None:
        batch, said = self.batch, ""
        assert batch is not None
        try:
            if renew:
                batch.renew()
            with self._lock:  # a stop comes before this, and nothing is sent, or after it, and stops what was begun
                if self.phase == SENDING:
                    act()
            batch.wait()
        except Exception as error:  # noqa: BLE001
            said = _said(error)
        with self._lock:
            waiting = {number for number, row in self._planned.items() if row.state in (WAITING, FAILED, UNCLEAR)}
            if self._changes & waiting:
                self._drop_plan(EDITING, _CHANGED)
            else:
                self.phase, self.message = AT_REST, said or batch.message
            if all(draft.receipt for draft in self.drafts):
                self.edits.discard()
        self._tell(range(len(self.drafts)))
        if not self._listeners:
            self._leave()

    # -- files

    def save_receipts(self, folder: Path | None = None) -> list[Path]:
        """Write what became of each row to a JSON and a CSV file, by default where the notebook is. Raises SourceError."""
        stem = re.sub(r"[^\w.-]+", "-", f"publications {self.handle} {datetime.now(UTC):%Y-%m-%d %H%M%S}")
        rows = [self._row_to_save(number) for number in range(len(self.drafts))]
        return [export(rows, (folder or Path.cwd()) / f"{stem}.{kind}") for kind in ("json", "csv")]

    def _row_to_save(self, number: int) -> Row:
        draft, row, (state, reason) = self.drafts[number], self._planned.get(number), self.state_of(number)
        if row and row.state == state:
            return row
        url = str(draft.values["storage.legacy_url_template"] or "")
        step = Step(draft, PUBLISH, (), self.client.api_url, self.handle, url, None, (), (), ())
        return Row(step, state, reason, draft.receipt)

    # -- what others do

    def remember(self) -> None:
        """Read in the journal, in a thread, what it knows of these images: what is published has its receipt at once."""
        self._begin(self._remember)

    def _remember(self) -> None:
        try:
            journal = self._journal or default_journal()
            taken = {draft.receipt.id for draft in self.drafts if draft.receipt}
            for number, draft in enumerate(self.drafts):
                url = str(draft.values["storage.legacy_url_template"] or "")
                if url and not draft.receipt:
                    self._remember_one(number, draft, journal.related(self.client.api_url, self.handle, "", url), taken)
        except JournalError as error:
            with self._lock:
                self.message = self.message or str(error)
        self._tell(range(len(self.drafts)))

    def _remember_one(self, number: int, draft: ImageDraft, attempts: list[Attempt], taken: set[str]) -> None:
        """What these attempts to publish a draft's image came to; a receipt is one draft's alone."""
        if receipt := next((it.receipt for it in attempts if it.receipt and it.image_id not in taken), None):
            taken.add(receipt.id)
            draft.published(receipt)
        elif unclear := next((it for it in attempts if it.state == "unclear"), None):
            self._known[number] = UNCLEAR, _MAYBE.format(unclear.planned)

    def _progressed(self, batch: Batch, row: Row | None) -> None:
        if row is None:
            self.progress = batch.message
            self._tell()
        elif (number := self._numbers.get(id(row.step.draft))) is not None:
            self.progress = ""
            self._tell([number])

    def _draft_changed(self, draft: ImageDraft, changed: frozenset[str]) -> None:
        number = self._numbers[id(draft)]
        if not changed.isdisjoint(fields()):
            with self._lock:
                self._changes.add(number)
                self._known.pop(number, None)
                if self.phase in (REVIEW, AT_REST) and number in self._planned and not draft.receipt:
                    self._drop_plan(EDITING, _CHANGED)
        self._tell([number])

    def _drop_plan(self, phase: str, message: str) -> None:
        """What was sent keeps its state; what a plan said is forgotten."""
        for number, row in self._planned.items():
            if row.state in (FAILED, UNCLEAR):
                self._known[number] = row.state, row.reason
        self.batch, self._planned, self.ticket = None, {}, ""
        self.phase, self.message, self.progress = phase, message, ""
        self._tell(range(len(self.drafts)))

    def _begin(self, work: Callable[..., None], *arguments: Any) -> None:
        threading.Thread(target=work, args=arguments, name="constellations-batch", daemon=True).start()

    def _tell(self, numbers: Iterable[int] = ()) -> None:
        for listener in list(self._listeners):
            listener(numbers)

    def _leave(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe = []


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, ConstellationsError) else f"{type(error).__name__}: {error}"


def _images(count: int) -> str:
    return f"{count:,} image{'s' * (count != 1)}"
