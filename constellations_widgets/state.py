"""The user's state directory, for data that must outlive a kernel, and cache directory; files and locks in them."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from . import runtime

if runtime.IN_BROWSER:  # a page has one process, with files of its own

    def _lock(file: IO[bytes]) -> None:
        pass

    def _unlock(file: IO[bytes]) -> None:
        pass
elif sys.platform == "win32":  # type checkers know this condition, not os.name
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of this open file: it keeps threads apart, too

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)  # for a child that was forked meanwhile, too


PUBLIC = 0o644
"""Mode of a file that is made to be shared."""


def state_dir(*parts: str) -> Path:
    """Return a folder for drafts, journal and similar data; it is created with mode 0700 if missing.

    ``CXW_STATE_DIR`` in the environment replaces the platform's own folder (on Linux
    ``~/.local/state/constellations_widgets``).

    Raises
    ------
    OSError
        If the folder can't be created.
    """
    folder = _state_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for part in parts:  # `parents=True` would make the folders in between readable for everyone
        folder /= part
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def state_remedy(error: OSError) -> str:
    """Return in words what to do about an error of writing to the state directory."""
    try:
        folder = str(_state_folder())
    except OSError:
        folder = "the state directory"
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    first = f"free some space in {folder}" if is_full else f"make {folder} writable"
    return f"{first}, or name another folder in the environment variable CXW_STATE_DIR"


def cache_dir(*parts: str) -> Path:
    """Return a folder for what can be fetched again; it may not exist yet.

    ``CXW_CACHE_DIR`` in the environment replaces the platform's own folder (on Linux ``~/.cache/constellations_widgets``).

    Raises
    ------
    OSError
        If there is no such folder.
    """
    import platformdirs

    return _chosen("CXW_CACHE_DIR", platformdirs.user_cache_path).joinpath(*parts)


def _state_folder() -> Path:
    import platformdirs

    return _chosen("CXW_STATE_DIR", platformdirs.user_state_path)


def _chosen(variable: str, default: Callable[..., Path]) -> Path:
    chosen = os.environ.get(variable)
    try:
        return Path(chosen).expanduser() if chosen else default("constellations_widgets", appauthor=False)
    except RuntimeError as error:  # "~name" of a user without a home folder
        raise FileNotFoundError(errno.ENOENT, str(error), chosen) from None


def user_path(path: str | Path) -> Path:
    """Return a path as a user writes it, with "~" for the home folder.

    "~name" of an unknown user stays as it is: there is no such file. `Path.expanduser` raises a RuntimeError.
    """
    return Path(os.path.expanduser(path))


@contextlib.contextmanager
def file_lock(path: Path, *, patience: float, wait: Callable[[float], object] = time.sleep) -> Iterator[bool]:
    """Hold the lock of a file, against other threads and processes; the file is created if it is missing.

    Parameters
    ----------
    path : Path
    patience : float
        Seconds to wait for it.
    wait : callable, optional
        Called with the seconds until the next attempt; it may raise to give up.

    Yields
    ------
    bool
        False if another thread or process still holds it. True without a lock where the file system has none.

    Raises
    ------
    OSError
        If the file can't be created.
    """
    with open(path, "ab") as file:
        held = _acquire(file, patience, wait)
        try:
            yield held
        finally:
            if held:
                with contextlib.suppress(OSError):
                    _unlock(file)


def _acquire(file: IO[bytes], patience: float, wait: Callable[[float], object]) -> bool:
    ends = time.monotonic() + patience
    while True:
        try:
            _lock(file)
        except (BlockingIOError, PermissionError):
            if time.monotonic() >= ends:
                return False
            wait(0.05)
        except OSError:
            return True
        else:
            return True


def write_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write `content` atomically: after a power failure `path` holds either the old or the new bytes.

    Only the user may read the file, unless `mode` says otherwise.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if mode != 0o600:
            os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Any) -> None:
    """Write `content` as JSON, atomically."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)
    try:
        encoded = text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can escape but UTF-8 can't encode
        encoded = json.dumps(content, allow_nan=False, indent=1).encode()
    write_file(path, encoded)
