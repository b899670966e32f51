"""Unsaved changes of a published image, kept on disk so that they survive the kernel."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..autosave import Autosave, folder_of, saved_files, to_json
from .save_report import Change


class PendingEdits:
    """Unsaved changes, in a file of this image and this kernel that is deleted when none are left.

    Parameters
    ----------
    record_url : str
        Identifies the image, at any server.
    changes : callable
        Returns the changes, by path.
    """

    def __init__(self, record_url: str, changes: Callable[[], Mapping[str, Change]]):
        self._record_url, self._changes = record_url, changes
        self._id = uuid.uuid4().hex
        self._file = Autosave(self._path, self._content, lambda _error: None)
        self._is_kept = False

    def touch(self) -> None:
        """Schedule writing the file, after a change or a save."""
        if self._is_kept or self._changes():
            self._is_kept = True
            self._file.touch()

    @property
    def earlier(self) -> list[Path]:
        """Return the files that other kernels left, newest first."""
        with contextlib.suppress(OSError):  # no state directory
            return saved_files(self._folder(), self._id)
        return []

    def _folder(self) -> Path:
        return folder_of(self._record_url, "edits")

    def _path(self) -> Path:
        return self._folder() / f"{self._id}.json"

    def _content(self) -> dict[str, Any] | None:
        values = {path: to_json(change.after) for path, change in self._changes().items()}
        saved = datetime.now(UTC).isoformat(timespec="seconds")
        about = {"version": 1, "record": self._record_url, "saved": saved}
        return {**about, "values": values, "typed": sorted(values)} if values else None
