"""Where a sign-in is kept until the next kernel: the user's keyring if it works, else a file that only the user can read.

Renewing a sign-in can make the token that all kernels share invalid, so whoever renews holds the store's lock meanwhile.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import httpx

from ...errors import NotSentError
from ...state import state_dir, write_file
from . import user_keyring

if os.name == "nt":
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


# Whoever holds the lock asks the identity server something, at most for this many seconds.
_PATIENCE = 45.0


class TokenStore:
    """What is kept for the sign-in at one API.

    Parameters
    ----------
    api_url : str
        Of which.
    """

    def __init__(self, api_url: str):
        digest = hashlib.sha256(api_url.encode()).hexdigest()[:12]
        self._name = f"{httpx.URL(api_url).host.replace(':', '_')}-{digest}"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep all others out, in this process and in others. Where files can't be locked, nobody is kept out.

        Raises
        ------
        NotSentError
            If somebody else holds the lock for too long.
        """
        try:
            file = open(self._path(".lock"), "ab")
        except OSError:
            yield  # nothing can be kept there either
            return
        with file:
            self._acquire(file)
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    _unlock(file)

    def read(self) -> dict[str, Any] | None:
        """What is kept, None if nothing is."""
        text = user_keyring.read(self._name)
        if text is None:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                path = self._path(".json")
                path.chmod(0o600)  # whoever has copied it here
                text = path.read_text(encoding="utf-8")
        try:
            content = json.loads(text or "")
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None

    def write(self, content: dict[str, Any]) -> bool:
        """Keep `content` in the place of what was kept; whether that could be done."""
        text = json.dumps(content)
        if user_keyring.write(self._name, text):
            self._remove_file()
            return True
        try:
            write_file(self._path(".json"), text.encode())
        except OSError:
            return False
        return True

    def delete(self) -> None:
        """Keep nothing."""
        user_keyring.delete(self._name)
        self._remove_file()

    def _acquire(self, file: IO[bytes]) -> None:
        ends = time.monotonic() + _PATIENCE
        while time.monotonic() < ends:
            try:
                _lock(file)
                return
            except (BlockingIOError, PermissionError):
                time.sleep(0.05)
            except OSError:
                return
        raise NotSentError("Could not sign in: another program has been signing in here for too long. Try again.")

    def _path(self, suffix: str) -> Path:
        folder = state_dir("sign_in")
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
        return folder / f"{self._name}{suffix}"

    def _remove_file(self) -> None:
        with contextlib.suppress(OSError):
            self._path(".json").unlink(missing_ok=True)
