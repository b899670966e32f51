"""Keeps what is typed: a draft writes itself to disk while it is edited, so that a killed kernel loses at most the last second.

Each draft has a file of its own, so that two kernels that edit the same image never overwrite each other. The folder's name tells the
image (a hash of its source), so that a draft made anew from the same source finds the earlier edits.
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
from pathlib import Path
from typing import Any

from .errors import SourceError
from .state import state_dir, write_json

DELAY = 0.5
"""Seconds from the first change to the write."""
KEEP = 90 * 86_400
"""Seconds after which an autosaved draft is swept away."""


_LARGEST = 10**300
"""No number that is typed is larger; Python writes whole numbers of some thousand digits to no file."""


def to_json(value: Any) -> Any:
    """A value as typed, as JSON can hold it: NaN and infinity, which it can't, as ``{"float": "nan"}``; what is no plain value as text."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
        value = math.copysign(math.inf, value > 0 or -1)
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(float(value))}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    try:
        return str(value)
    except Exception:  # an object that can't even be shown
        return type(value).__name__


def from_json(value: Any) -> Any:
    """The inverse of `to_json`."""
    return float(value["float"]) if isinstance(value, dict) and set(value) == {"float"} else value


def read_draft_file(path: Path) -> dict[str, Any]:
    """The content of a draft's file.

    Raises
    ------
    SourceError
        When there is no such file, or it is no draft.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content["values"], dict):
            raise TypeError("its values are no object")
        return {**content, "values": {name: from_json(value) for name, value in content["values"].items()}}
    except OSError as error:
        raise SourceError(f"The draft {path} can't be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(f"{path} is not a draft that this package saved ({error or type(error).__name__})") from None


def first_values(files: Iterable[Path]) -> dict[str, Any] | None:
    """The values of the first of these drafts' files that can be read, None if none can."""
    for path in files:
        with contextlib.suppress(SourceError):
            return read_draft_file(path)["values"]
    return None


def folder_of(origin: str, kind: str = "drafts") -> Path:
    """Where drafts made from `origin` are kept, or what else belongs to it; the folder is made with the first file."""
    return state_dir(kind) / hashlib.sha256(origin.encode("utf-8", "replace")).hexdigest()[:16]


def saved_files(folder: Path, own: str = "") -> list[Path]:
    """Autosaved drafts below `folder` but for the one called `own`, newest first; very old ones are swept away."""
    found = []
    for path in folder.rglob("*.json"):
        with contextlib.suppress(OSError):
            age = time.time() - path.stat().st_mtime
            if age > KEEP:
                path.unlink()
            elif path.stem != own:
                found.append((age, path))
    return [path for _, path in sorted(found)]


class Autosave:
    """Writes a draft's file soon after each change, from a thread of its own.

    Parameters
    ----------
    path : callable
        Gives the file's path; asked at the first write.
    content : callable
        Gives what to write, or None where nothing is left to keep: the file is removed then.
    tell : callable
        Told the reason when writing begins to fail or fails for another reason, and None when it works again.
    """

    def __init__(
        self, path: Callable[[], Path], content: Callable[[], dict[str, Any] | None], tell: Callable[[OSError | None], None]
    ):
        self._path, self._content, self._tell = path, content, tell
        self._lock = threading.Lock()
        self._writing = (
            threading.Lock()
        )  # held while the file is written, so that an older content never replaces a newer one
        self._timer: threading.Timer | None = None
        self._last_error: str | None = None
        self._discarded = False
        _open.add(self)

    def touch(self) -> None:
        """There is something new to write, soon."""
        with self._lock:
            if self._timer is None and not self._discarded:
                self._timer = threading.Timer(DELAY, self.flush)
                self._timer.daemon = True
                with contextlib.suppress(
                    RuntimeError
                ):  # Python is ending and starts no more threads: it writes below, at exit
                    self._timer.start()

    def flush(self) -> None:
        """Write now what waits to be written."""
        with self._writing:
            with self._lock:
                waiting, self._timer = self._timer, None
            if waiting is None:
                return
            waiting.cancel()
            error = self._write()
            reason = error and str(error)
            news, self._last_error = reason != self._last_error, reason
        if news:
            self._tell(error)

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
        return None

    def discard(self) -> None:
        """Nothing is to be kept, now or later: remove the file."""
        with self._writing, self._lock:
            self._discarded = True
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._remove()

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            path = self._path()
            path.unlink(missing_ok=True)
            path.parent.rmdir()  # stays where other drafts of the image are in it


_open: weakref.WeakSet[Autosave] = weakref.WeakSet()


@atexit.register
def _flush_all() -> None:
    for autosave in list(_open):
        autosave.flush()
