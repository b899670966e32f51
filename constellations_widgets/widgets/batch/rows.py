"""The rows of a batch as its page is told of them: all when it asks, then what has changed, many changes at once."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ...publishing.plan import DECIDE
from ...publishing.rows import UNDECIDED
from ...schema.fields import fields
from .run import REVIEW, BatchRun
from .thumbnails import has_thumbnail

CHUNK = 250
"""Rows in one message: what a page reads and shows between two frames."""
DELAY = 0.1
"""Seconds for which changes are gathered."""
_LONGEST = 300  # characters of a name or a reason in the table
_PATH = re.compile(rf"\b({'|'.join(map(re.escape, fields()))}): ")


class BatchRows:
    """Knows what the page was told of each row, and what is to be told.

    Parameters
    ----------
    run : BatchRun
        The batch.
    tell : callable
        Called as ``tell(rows, number)`` from a thread of its own: rows that are other than before, at most `CHUNK`, and
        the number of this news; with no rows where only the batch as a whole may have changed.
    """

    def __init__(self, run: BatchRun, tell: Callable[[list[dict[str, Any]], int], Any]):
        self._run, self._send = run, tell
        self._lock = threading.Lock()
        self._telling = (
            threading.Lock()
        )  # held while rows are read and sent: a later state never comes before an earlier one
        self._touched: set[int] = set()
        self._timer: threading.Timer | None = None
        self._closed = False
        self._taken: dict[str, int] = {}
        self.heard: dict[str, int] = {}  # by page: the last of its clicks that is in the rows it was told
        self.news = 0
        self._rows: list[dict[str, Any]] = [
            {} for _ in run.drafts
        ]  # filled when they are told first: checks take their time

    def touch(self, numbers: Iterable[int]) -> None:
        """These rows may have changed, or the batch as a whole: it is told soon."""
        with self._lock:
            self._touched.update(numbers)
            if self._timer is None:
                self._timer = threading.Timer(DELAY, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def took(self, page: str, click: int) -> None:
        """The click of this number, by which a page chooses or decides, was carried out."""
        with self._lock:
            self._taken[page] = click
        self.touch(())

    def flush(self) -> None:
        """Tell now what is to be told."""
        with self._telling:
            with self._lock:
                touched, self._touched, self._timer = sorted(self._touched), set(), None
                heard = dict(self._taken)
            if self._closed:
                return
            changed = [new for number in touched if (new := self._row(number)) != self._rows[number]]
            for start in range(0, len(changed), CHUNK):
                chunk = changed[start : start + CHUNK]
                self.news += 1
                for row in chunk:
                    self._rows[row["i"]] = row
                self._send([row | {"v": self.news} for row in chunk], self.news)
            self.heard = heard
            self._send([], self.news)

    def close(self) -> None:
        """Tell nothing any more."""
        with self._telling:
            self._closed = True

    def chunk(self, start: int) -> dict[str, Any]:
        """Rows from `start` on, and which news they hold."""
        with self._telling:
            for number in range(start, min(start + CHUNK, len(self._rows))):
                self._rows[number] = self._rows[number] or self._row(number)
            rows = [row | {"v": self.news} for row in self._rows[start : start + CHUNK]]
            return {"rows": rows, "total": len(self._rows), "news": self.news}

    def counts(self) -> dict[str, int]:
        """How many rows are in each state."""
        return dict(Counter(row["state"] for row in self._rows if row))

    def _row(self, number: int) -> dict[str, Any]:
        run, draft = self._run, self._run.drafts[number]
        (state, reason), receipt, row = run.state_of(number), run.receipt_of(number), run.row_of(number)
        severities = Counter(problem.severity for problem in draft.problems)
        decides = row is not None and row.step.decision == DECIDE and not row.look_first and not receipt
        return {
            "i": number,
            "name": draft.name[:_LONGEST],
            "chosen": number in run.chosen,
            "errors": severities["error"],
            "warnings": severities["warning"],
            "state": state,
            "reason": with_titles(reason)[:_LONGEST],
            "decides": decides and (run.phase == REVIEW or state == UNDECIDED),
            "anyway": bool(row and row.anyway),
            "local": has_thumbnail(draft),
            "web": str(draft.values["wwt.thumbnail_url"] or "")[:2000],
            "id": receipt.id if receipt else "",
            "record": receipt.record_url if receipt else "",
        }


def with_titles(reason: str) -> str:
    """A reason that calls fields as the form does, rather than by their paths."""
    return _PATH.sub(lambda found: f"{fields()[found[1]].title}: ", reason)
