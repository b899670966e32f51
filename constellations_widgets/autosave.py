"""Save drafts to disk while they are edited, so that a killed kernel loses at most the last second.

Each draft has a file of its own, so that two kernels that edit the same image never overwrite each other. The
folder's name identifies the image (a hash of its source), so that a new draft of the same source finds the earlier
edits.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import math
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import runtime
from .errors import SourceError
from .state import state_dir, state_remedy, write_json

DELAY = 0.5
"""Seconds from the first change to the write."""
RETRY = 10.0
"""Seconds from a failed write, on a full disk say, to the next attempt."""
KEEP = 90 * 86_400
"""Seconds after which an autosaved draft is swept away."""


_LARGEST = 10**300
"""No number that is typed is larger; Python writes whole numbers of some thousand digits to no file."""


def to_json(value: Any) -> Any:
    """Return a typed value as JSON data: NaN and infinity as ``{"float": "nan"}``, other than plain values as text."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
        value = math.copysign(math.inf, value > 0 or -1)
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(float(value))}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    try:
        return str(value)
    except Exception:  # an object without a working repr  # noqa: BLE001
        return type(value).__name__


def from_json(value: Any) -> Any:
    """Return the value that `to_json` encoded."""
    return float(value["float"]) if isinstance(value, dict) and set(value) == {"float"} else value


def read_draft_file(path: Path) -> dict[str, Any]:
    """Return the content of a draft's file.

    Raises
    ------
    SourceError
        If there is no such file, or it is no draft.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if not isinstance(content["values"], dict):
            raise TypeError("its values are no object")
        groups = {name: content[name] for name in ("values", "bases") if isinstance(content.get(name), dict)}
        return content | {
            name: {path: from_json(value) for path, value in group.items()} for name, group in groups.items()
        }
    except OSError as error:
        raise SourceError(f"The draft {path} can't be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(f"{path} is not a draft that this package saved ({error or type(error).__name__})") from None


def first_readable(files: Iterable[Path]) -> dict[str, Any] | None:
    """Return the content of the first readable draft file; None if none is readable."""
    for path in files:
        with contextlib.suppress(SourceError):
            return read_draft_file(path)
    return None


def first_values(files: Iterable[Path]) -> dict[str, Any] | None:
    """Return the values of the first readable draft file; None if none is readable."""
    content = first_readable(files)
    return content and content["values"]


def folder_of(origin: str, kind: str = "drafts") -> Path:
    """Return the folder for drafts and other files of `origin`; it is created with its first file."""
    return state_dir(kind) / hashlib.sha256(origin.encode("utf-8", "replace")).hexdigest()[:16]


def saved_files(folder: Path, own: str = "") -> list[Path]:
    """Return autosaved drafts below `folder` except `own`, newest first; delete very old ones."""
    found = []
    for path in folder.rglob("*.json"):
        with contextlib.suppress(OSError):
            written = path.stat().st_mtime_ns
            if time.time() - written / 1e9 > KEEP:
                path.unlink()
            elif path.stem != own:
                found.append((written, path))
    return [path for _, path in sorted(found, reverse=True)]


def unsaved_reason(error: OSError) -> str:
    """Return what the draft says while its edits can't be saved."""
    reason = error.strerror or error
    return (
        f"edits can't be saved to disk ({reason}): a killed kernel would lose them. To save them, {state_remedy(error)}"
    )


class Autosave:
    """Background writer of a draft's file, which saves soon after each change, and tries again while that fails.

    Parameters
    ----------
    path : callable
        Returns the file's path; called at the first write.
    content : callable
        Returns the content, or None if there is nothing to keep: the file is then removed.
    report : callable
        Called with the error when writing starts to fail or fails for another reason; with None when it works again.
    wrote : callable, optional
        Called after each write.
    """

    def __init__(
        self,
        path: Callable[[], Path],
        content: Callable[[], dict[str, Any] | None],
        report: Callable[[OSError | None], None],
        wrote: Callable[[], None] = lambda: None,
    ):
        self._path, self._content, self._report, self._wrote = path, content, report, wrote
        self._lock = threading.Lock()
        self._writing = threading.Lock()  # held while the file is written, so that older content never replaces newer
        self._timer: runtime.Timer | None = None
        self._last_error: str | None = None
        self._discarded = False
        self.saved: datetime | None = None
        """When the file was last written; None if it is not there."""
        _open.add(self)

    def touch(self) -> None:
        """Schedule a write of changed content."""
        with self._lock:
            if self._timer is None and not self._discarded:
                self._timer = runtime.start_timer(DELAY, self.flush)  # when Python is ending, it writes below, at exit

    @property
    def is_failing(self) -> bool:
        """Whether the last write failed."""
        return self._last_error is not None

    def flush(self) -> None:
        """Write pending changes now, also those whose write failed before."""
        with self._writing:
            with self._lock:
                waiting, self._timer = self._timer, None
                if self._discarded or (waiting is None and self._last_error is None):
                    return
            if waiting is not None:
                waiting.cancel()
            error = self._write()
            reason = str(error) if error else None
            is_new, self._last_error = reason != self._last_error, reason
        if error is not None:
            _retries.add(self)
        if is_new:
            self._report(error)
        if error is None:
            self._wrote()

    def _write(self) -> OSError | None:
        try:
            content = self._content()
            if content is None:
                self._remove()
                return None
            path = self._path()
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_json(path, content)
        except OSError as error:
            return error
        self.saved = datetime.now(UTC)
        return None

    def discard(self) -> None:
        """Remove the file, and write nothing more."""
        with self._writing, self._lock:
            self._discarded, self._last_error = True, None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._remove()

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            path = self._path()
            path.unlink(missing_ok=True)
            path.parent.rmdir()  # kept if it holds other drafts of the image


class _Retries:
    """The next attempt of all writers that failed: one timer, however many drafts a batch has."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed: weakref.WeakSet[Autosave] = weakref.WeakSet()
        self._timer: runtime.Timer | None = None

    def add(self, autosave: Autosave) -> None:
        """Let a writer try again in `RETRY` seconds."""
        with self._lock:
            self._failed.add(autosave)
            if self._timer is None:
                self._timer = runtime.start_timer(RETRY, self._run)

    def _run(self) -> None:
        with self._lock:
            self._timer = None
            waiting = list(self._failed)
            self._failed.clear()
        for position, autosave in enumerate(waiting):
            autosave.flush()
            if autosave.is_failing:  # so would the others
                for other in waiting[position + 1 :]:
                    self.add(other)
                return


_retries = _Retries()
_open: weakref.WeakSet[Autosave] = weakref.WeakSet()


@atexit.register
def flush_all() -> None:
    """Write the pending changes of all drafts of this process."""
    for autosave in list(_open):
        autosave.flush()
