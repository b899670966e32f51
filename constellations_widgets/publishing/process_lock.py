"""Tell which process, and which call in it, is sending an attempt, and whether it still is.

Each process holds a lock on a file of its own for as long as it lives. The system releases the lock when the process
ends, however it ends, so neither a reused process number nor a wrong clock can make a dead process look alive. On a
folder that several hosts share, a lock says nothing about a process of another host: such a process counts as alive
until its file is gone.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import re
import socket
import sys
import threading
import uuid
from pathlib import Path

from .. import runtime

if runtime.IN_BROWSER:

    def _lock(file: int) -> None:
        """Do nothing: a page has one process, with files of its own."""
elif sys.platform == "win32":  # type checkers know this condition, not os.name
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: int) -> None:
        # Locks of this kind aren't inherited by child processes, which could outlive us.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_locks: dict[tuple[int, str], ProcessLock] = {}
_locks_lock = threading.Lock()


def _host() -> str:
    return re.sub(r"[^\w.-]", "_", socket.gethostname())


class Sender:
    """Call that sends an attempt: in progress for as long as it holds `lock`, in a ``with`` block around all that it does.

    CPython lets no interrupt in between the end of such a block and the release of a lock, so whatever ends the call, a second
    interrupt in the code that deals with the first too, releases it. No attempt can be left in the state "sending".
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()

    @property
    def is_active(self) -> bool:
        """Return whether the call is still in progress."""
        return self.lock.locked()


class ProcessLock:
    """Lock file of this process in `folder`, as other processes see it; see `ProcessLock.of`.

    There is one object for each process and folder.

    Attributes
    ----------
    name : str
        Recorded with the attempts that this process sends: process number, random id and host.
    lost : set of str
        Keys of this process's attempts whose outcome could not be recorded.
    senders : dict of str to Sender
        The calls that are sending the attempts of these keys.
    unclear_since : dict of str to float
        When this process recorded, or first saw, that an attempt is unclear: on the monotonic clock, by key.

    Raises
    ------
    OSError
        If the folder can't be written.
    """

    def __init__(self, folder: Path):
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder
        self.name = f"{os.getpid()}-{uuid.uuid4().hex}@{_host()}"
        self._file = os.open(folder / self.name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)  # stays open, and locked
        _lock(self._file)
        self._keys = itertools.count(uuid.uuid4().int >> 1)
        self.lost: set[str] = set()
        self.senders: dict[str, Sender] = {}
        self.unclear_since: dict[str, float] = {}

    @classmethod
    def of(cls, folder: Path) -> ProcessLock:
        """Return this process's lock in `folder`, identified by its resolved path."""
        place = (os.getpid(), str(folder))
        with _locks_lock:
            if place not in _locks:
                _locks[place] = cls(folder)
                atexit.register(_locks[place]._leave, os.getpid())
            return _locks[place]

    def new_key(self) -> str:
        """Return an id that no other process returns: counted from a random one, since randomness is a system call."""
        return f"{next(self._keys):032x}"

    @property
    def is_in_place(self) -> bool:
        """Return whether other processes can still find this lock."""
        try:
            return os.path.samestat(os.stat(self._folder / self.name), os.fstat(self._file))
        except OSError:
            return False

    def ended(self) -> set[str]:
        """Return the keys of this process's attempts that are no longer being sent and have no recorded outcome."""
        over = {key for key, sender in list(self.senders.items()) if not sender.is_active}
        return self.lost | over

    def forget(self, key: str) -> None:
        """Forget an attempt whose outcome is recorded."""
        self.lost.discard(key)
        self.senders.pop(key, None)

    def _leave(self, process: int) -> None:
        """Remove the file at the end of the process, not at the end of its children, which run this, too."""
        if os.getpid() == process:
            os.close(self._file)
            with contextlib.suppress(OSError):
                (self._folder / self.name).unlink()

    def is_alive(self, name: str) -> bool:
        """Return whether the process whose lock has this name still runs, as far as can be determined here."""
        if name == self.name:
            return True
        path = self._folder / name
        if host_of(name) != _host():
            return path.exists()  # only that host can tell whether the lock is held: it is never taken from here
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


def host_of(name: str) -> str:
    """Return the host in a lock's name. Names that an earlier version wrote have none: they are this host's."""
    return name.partition("@")[2] or _host()
