"""Which process is sending, and is it still alive?

Each process holds a lock on a file of its own for as long as it lives. The system drops the lock when the process ends,
however it ends, so neither a reused process number nor a wrong clock can make a dead process look alive.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import threading
import uuid
from pathlib import Path

if os.name == "nt":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: int) -> None:
        # Locks of this kind aren't inherited by child processes, which could outlive us.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_owners: dict[tuple[int, str], Owner] = {}
_owners_lock = threading.Lock()


class Owner:
    """This process, as others see it in `folder`. One object a process and folder: `Owner.of`.

    Raises OSError if the folder can't be written.
    """

    def __init__(self, folder: Path):
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder
        self.name = f"{os.getpid()}-{uuid.uuid4().hex}"
        self._file = os.open(folder / self.name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)  # stays open, and locked
        _lock(self._file)
        self._keys = itertools.count(uuid.uuid4().int >> 1)
        self.lost: set[str] = set()
        """Keys of this process's attempts whose outcome could not be written down."""

    @classmethod
    def of(cls, folder: Path) -> Owner:
        """This process's owner in `folder`, by the one name that its path resolves to."""
        place = (os.getpid(), str(folder))
        with _owners_lock:
            if place not in _owners:
                _owners[place] = cls(folder)
                atexit.register(_owners[place]._leave, os.getpid())
            return _owners[place]

    def new_key(self) -> str:
        """An id that no other process gives: counted on from a random one, since each random one is a call of the system."""
        return f"{next(self._keys):032x}"

    def _leave(self, process: int) -> None:
        """Take the file away at the end of the process; not at the end of its children, which run this too."""
        if os.getpid() == process:
            os.close(self._file)
            with contextlib.suppress(OSError):
                (self._folder / self.name).unlink()

    def is_alive(self, name: str) -> bool:
        """Whether the process whose owner is called `name` still runs."""
        if name == self.name:
            return True
        path = self._folder / name
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            _lock(file)
        except OSError:
            return True
        finally:
            os.close(file)
        with contextlib.suppress(OSError):
            path.unlink()
        return False
