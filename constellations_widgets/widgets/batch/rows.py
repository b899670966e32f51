"""The rows of a batch for its page: all on request, then updates, many changes at once; and the review of a plan."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ... import runtime
from ...checks.address import counts_at
from ...publishing import Batch
from ...publishing.plan import BLOCKED, DECIDE, PUBLISH, SKIP
from ...publishing.rows import PUBLISHED, UNDECIDED, WAITING, Row
from ...schema.fields import fields
from ...text import about
from ..protocol.publishing import BatchReason, BatchReview, BatchReviewKind, BatchRow, BatchRowsResponse
from ..review import REVIEW
from ..thumbnails import has_thumbnail
from .run import BatchRun

CHUNK = 250
"""Rows in one message: what a page reads and shows between two frames."""
DELAY = 0.1
"""Seconds for which changes are gathered."""
_LONGEST = 300  # characters of a name or a reason in the table
_SHOWN = 6  # reasons of each kind in a review
_PATH = re.compile(rf"\b({'|'.join(map(re.escape, fields()))}): (.)")


class BatchRows:
    """The rows that the page has, and those of them that must be updated.

    Parameters
    ----------
    run : BatchRun
        The batch.
    push : callable
        Called as ``push(rows, revision)`` from another thread: at most `CHUNK` rows that have changed, and the revision of
        this update; without rows if only the batch as a whole may have changed.
    """

    def __init__(self, run: BatchRun, push: Callable[[list[BatchRow], int], Any]):
        self._run, self._push = run, push
        self._lock = threading.Lock()
        self._pushing = threading.Lock()  # held while rows are read and sent, so that the latest state is sent last
        self._touched: set[int] = set()
        self._timer: runtime.Timer | None = None
        self._closed = False
        self._clicks: dict[str, int] = {}
        self.acknowledged: dict[str, int] = {}
        """By page: its last click that the rows sent so far include."""
        self.revision = 0
        # Filled when they are sent first: checks take time.
        self._rows: list[BatchRow | None] = [None] * len(run.drafts)

    def touch(self, numbers: Iterable[int]) -> None:
        """Note that these rows may have changed, or the batch as a whole; it is sent soon."""
        with self._lock:
            self._touched.update(numbers)
            if self._timer is None:
                self._timer = runtime.start_timer(DELAY, self.flush)

    def carry_out(self, page: str, click: int, act: Callable[[], object]) -> None:
        """Do what the click of this number means, with which a page chooses or decides, and acknowledge it."""
        act()
        with self._lock:
            self._clicks[page] = click
        self.touch(())

    def flush(self) -> None:
        """Send what has changed now."""
        with self._pushing:
            with self._lock:
                touched, self._touched, self._timer = sorted(self._touched), set(), None
                acknowledged = dict(self._clicks)
            if self._closed:
                return
            changed = [new for number in touched if not _same(new := self._row(number), self._rows[number])]
            for start in range(0, len(changed), CHUNK):
                chunk = changed[start : start + CHUNK]
                self.revision += 1
                for row in chunk:
                    row["v"] = self.revision
                    self._rows[row["i"]] = row
                self._push(chunk, self.revision)
            self.acknowledged = acknowledged
            self._push([], self.revision)

    def close(self) -> None:
        """Send nothing more."""
        with self._pushing:
            self._closed = True

    def chunk(self, start: int) -> BatchRowsResponse:
        """Return rows from `start` on, with their revision."""
        with self._pushing:
            rows: list[BatchRow] = []
            for number in range(start, min(start + CHUNK, len(self._rows))):
                row = self._rows[number] = self._rows[number] or self._row(number)
                rows.append({**row, "v": self.revision})
            return {"rows": rows, "total": len(self._rows), "revision": self.revision}

    def counts(self) -> dict[str, int]:
        """Return the number of rows in each state."""
        return dict(Counter(row["state"] for row in self._rows if row))

    def _row(self, number: int) -> BatchRow:
        run, draft = self._run, self._run.drafts[number]
        (state, reason), receipt, row = run.state_of(number), run.receipt_of(number), run.row_of(number)
        severities = Counter(it.severity for it in draft.problems if counts_at(it.code, run.client.api_url))
        needs_review = row is not None and row.step.decision == DECIDE and not row.look_first and not receipt
        return {
            "i": number,
            "v": 0,
            "name": draft.name[:_LONGEST],
            "chosen": number in run.chosen,
            "errors": severities["error"],
            "warnings": severities["warning"],
            "state": state,
            "reason": with_titles(reason)[:_LONGEST],
            "needs_review": needs_review and (run.phase == REVIEW or state == UNDECIDED),
            "anyway": bool(row and row.anyway),
            "local": has_thumbnail(draft),
            "web": str(draft.values["wwt.thumbnail_url"] or "")[:2000],
            "id": receipt.id if receipt else "",
            "record": receipt.record_url if receipt else "",
        }


def with_titles(reason: str) -> str:
    """Return a reason with the titles of fields instead of their paths."""
    return _PATH.sub(lambda found: about(fields()[found[1]].title, found[2]), reason)


def review_of(batch: Batch, review: Mapping[str, str]) -> BatchReview:
    """Return the review of a plan, with its ticket and account: how many rows of each kind, and why."""
    kinds: dict[Any, list[Row]] = {kind: [] for kind in (PUBLISH, "check", DECIDE, "published", SKIP, BLOCKED)}
    for row in batch.rows:
        kinds[_kind_of(row)].append(row)
    return {
        "ticket": review["ticket"],
        "account": review["account"],
        "ready": sum(row.state == WAITING for row in batch.rows),
        "kinds": [_review_kind(kind, rows) for kind, rows in kinds.items() if rows],
    }


def _kind_of(row: Row) -> str:
    if row.state == PUBLISHED:
        return "published"
    return "check" if row.look_first else row.step.decision


def _review_kind(kind: Any, rows: list[Row]) -> BatchReviewKind:
    """Return a kind of rows with its most frequent reasons, each with an example."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for row in rows:
        if row.step.decision != PUBLISH:
            for reason in row.step.reasons:
                counts[reason] += 1
                examples.setdefault(reason, row.name)
    reasons: list[BatchReason] = [
        {"reason": reason[:500], "count": count, "name": examples[reason][:100]}
        for reason, count in counts.most_common(_SHOWN)
    ]
    return {"kind": kind, "count": len(rows), "reasons": reasons, "more": len(counts) - len(reasons)}


def _same(new: BatchRow, old: BatchRow | None) -> bool:
    """Return whether two rows differ in nothing but their revision."""
    return old is not None and {**new, "v": 0} == {**old, "v": 0}
