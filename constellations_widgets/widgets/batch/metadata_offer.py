"""The table of a batch as its page shows it before it is applied, with what does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..protocol.publishing import BatchMetadata
from .folder import Skipped
from .metadata import Metadata
from .run import BatchRun

_SHOWN = 200
_LONGEST = 300  # characters of a remark


class MetadataOffer:
    """Table that can be applied to the rows of a batch, as one step that can be undone.

    Parameters
    ----------
    run : BatchRun
    table : table of `drafts_from`, or None
    skipped : sequence of Skipped
        Files of which no row was made.

    Raises
    ------
    SourceError
        If the table can't be used.
    """

    def __init__(self, run: BatchRun, table: Any, skipped: Sequence[Skipped]):
        self._run, self._skipped = run, skipped
        self.metadata = None if table is None else Metadata.of(run.drafts, table)
        self._applied = False

    def apply(self) -> int:
        """Apply the table to its rows that are not published; return the number of changed drafts."""
        if self.metadata is None or self._run.busy:
            return 0
        changes = self.metadata.changes
        rows = [number for number in changes if not self._run.drafts[number].locked]
        self._applied = True
        name = f"Table {self.metadata.name}"
        return self._run.change(name, lambda number, draft: draft.edit(changes[number]), rows)

    def state(self) -> BatchMetadata:
        """Return the table for the page; empty if there is neither a table nor a skipped file."""
        found = self.metadata
        remarks = [*map(str, self._skipped), *(found.lines() if found else [])]
        if not remarks and found is None:
            return {}
        return {
            "name": found.name if found else "",
            "columns": [
                {"header": column.header[:100], "field": column.title, "reason": column.reason}
                for column in (found.columns if found else ())
            ],
            "count": len(found.changes) if found else 0,
            "remarks": [remark[:_LONGEST] for remark in remarks[:_SHOWN]],
            "more": max(0, len(remarks) - _SHOWN),
            "applied": self._applied,
        }
