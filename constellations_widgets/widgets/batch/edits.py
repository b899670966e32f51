"""Unsaved edits of a batch, on disk: they survive the end of the kernel."""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...autosave import Autosave, from_json, read_draft_file, saved_files, to_json
from ...errors import SourceError
from ...schema.fields import fields
from ...state import state_dir

if TYPE_CHECKING:
    from ...draft import ImageDraft

Edits = dict[int, dict[str, Any]]
"""By row: edited values by path."""


class BatchEdits:
    """Edits of a batch of drafts, in one file that the same drafts find again.

    Parameters
    ----------
    drafts : sequence of ImageDraft
        The drafts before any edit.

    Attributes
    ----------
    names : list of str
        Name of each draft in the file, made of its source, so that another kernel finds it again.
    earlier : dict
        Edits of an earlier kernel that these drafts don't have, by row.
    saved : str
        When those were saved, as ISO 8601; "" if there are none.
    """

    def __init__(self, drafts: Sequence[ImageDraft]):
        self._drafts = drafts
        self.names = names_of(drafts)
        self._begun = [draft.values for draft in drafts]
        self._file = Autosave(self._path, self._content, lambda _error: None)
        self.earlier: Edits = {}
        self.saved = ""
        self._read()

    def touch(self) -> None:
        """Save the edits soon."""
        self._file.touch()

    def forget(self) -> None:
        """Forget the edits of an earlier kernel."""
        self.earlier, self.saved = {}, ""

    def discard(self) -> None:
        """Delete the file, because all drafts are published."""
        self._file.discard()

    def _read(self) -> None:
        with contextlib.suppress(OSError, SourceError, AttributeError, TypeError, ValueError):
            path = self._path()
            saved_files(path.parent)  # removes very old files
            content = read_draft_file(path)
            for row, name in enumerate(self.names):
                kept = {path: from_json(value) for path, value in content["values"].get(name, {}).items()}
                begun = self._begun[row]
                if new := {path: value for path, value in kept.items() if path in begun and value != begun[path]}:
                    self.earlier[row] = new
            self.saved = str(content.get("saved", "")) if self.earlier else ""

    def _path(self) -> Path:
        digest = hashlib.sha256("\n".join(self.names).encode("utf-8", "replace")).hexdigest()
        return state_dir("batches") / f"{digest[:16]}.json"

    def _content(self) -> dict[str, Any]:
        values = {}
        for name, draft, begun in zip(self.names, self._drafts, self._begun, strict=True):
            now = draft.values
            if typed := {path: to_json(now[path]) for path in fields() if repr(now[path]) != repr(begun[path])}:
                values[name] = typed
        return {"version": 1, "saved": datetime.now(UTC).isoformat(timespec="seconds"), "values": values}


def names_of(drafts: Sequence[ImageDraft]) -> list[str]:
    """Return a name for each draft, which is the same whenever it is read from the same source."""
    seen: Counter[str] = Counter()
    names = []
    for draft in drafts:
        origin = draft.origin or draft.name
        seen[origin] += 1
        names.append(f"{origin} {seen[origin]}")
    return names
