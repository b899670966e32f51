"""The journal's SQLite file, shared by all threads and processes, in a private folder; changes are durable at once."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from ..errors import JournalError
from ..forks import renew_in_children
from . import database_file

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Result]
OnFailure = Callable[[JournalError], object]

_LONGEST_SLEEP = 1.0  # seconds; an interrupt may end the thread that was to call another one

_in_use: dict[str, os.stat_result] = {}
"""By path, the file that this process has used first: a replacement would not record what was sent."""


class Database:
    """The file ``journal.sqlite3`` in `folder`. Its methods raise JournalError if it can't be used.

    Work may be done twice: an interrupt at the end of a transaction hides whether it was committed.
    `prepare` is called in each transaction that threads share, before their work.
    """

    def __init__(self, folder: Path, prepare: Callable[[sqlite3.Connection], None]):
        self.folder = folder
        self.path = folder / "journal.sqlite3"
        self._prepare = prepare
        self._connection: sqlite3.Connection | None = None
        self._used: os.stat_result | None = None
        self._inherited: list[sqlite3.Connection] = []
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Reset the queue and the locks, here or in a forked child."""
        if self._connection is not None:  # the parent's: neither to be used nor closed here
            self._inherited.append(self._connection)
            self._connection = None
        self._lock = threading.RLock()
        self._leading = threading.Lock()  # held by the thread that does the waiting work
        self._queue = threading.Lock()
        self._waiting: list[_Job[Any]] = []

    def close(self) -> None:
        """Close the file; the next transaction opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def run(self, work: Work[Result]) -> Result:
        """Return the result of `work`; its changes are then on disk. If it raises, nothing was changed.

        Threads that arrive while another one waits for the disk share the next transaction, and so one wait: the first
        of them does the work of all. The others sleep on events of their own until it is done. If they waited for its
        lock, each would hold it in turn while it waits for the interpreter's.
        """
        job = _Job(work)
        try:
            self._add(job)
            if self._first_with_caller() is not job or self._leading.locked():  # by one that calls this one
                job.called.wait(_LONGEST_SLEEP)
            if not job.done:
                with self._leading:
                    if not job.done:
                        self._do_waiting()
        finally:
            if not job.done:  # an interrupt: work without a caller must not be done later
                self._remove(job)
            self._leave()
        return job.outcome()

    def write(self, work: Work[object], on_failure: OnFailure) -> None:
        """Do `work`, or leave it to the thread that uses the disk, which does it before any later work.

        Never raises JournalError: the thread that does the work calls `on_failure`.
        """
        try:
            self._add(_Job(work, on_failure))
            self._leave()
        except BaseException:  # an interrupt: perhaps no other thread will do it
            self._leave()
            raise

    def read(self, work: Work[Result]) -> Result:
        """Do read-only `work` as `run` does; on a full or read-only disk, in a copy of the file in memory."""
        try:
            return self.run(work)
        except JournalError:
            has_wal = self.path.with_name(f"{self.path.name}-wal").exists()  # SQLite would try to create one
            address = f"{self.path.absolute().as_uri()}?{'mode=ro' if has_wal else 'immutable=1'}"
            with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(":memory:")) as copy:
                with contextlib.closing(sqlite3.connect(address, uri=True)) as db:
                    db.backup(copy)
                with contextlib.suppress(OSError, JournalError):  # of the folder, whose locks can't be used either
                    self._prepare(copy)
                return work(copy)
            raise

    def _leave(self) -> None:
        """Do the work that no caller waits for, and call the next thread that sleeps.

        Nothing is done if another thread is in, or about to enter, a transaction: it leaves later.
        """
        while self._has_only_unattended() and not self._leading.locked():
            with self._leading:  # an interrupt can't come between this and its end, as it can after a call of `acquire`
                if self._has_only_unattended():
                    self._do_waiting()
        first = self._first_with_caller()
        if first is not None and not self._leading.locked():
            first.called.set()

    def _has_only_unattended(self) -> bool:
        return bool(self._waiting) and self._first_with_caller() is None

    def _do_waiting(self) -> None:
        with self._queue:
            jobs = list(self._waiting)
        failure: JournalError | None = None
        try:
            with self.transaction() as db:
                self._prepare(db)
                for job in jobs:
                    job.run(db)
        except JournalError as error:
            failure = error
        with self._queue:
            for job in jobs:
                job.failure, job.done = failure, True
            self._waiting = [job for job in self._waiting if not job.done]
        for job in jobs:
            job.called.set()
        if failure is not None:
            for job in jobs:
                if job.on_failure is not None:
                    job.on_failure(failure)

    def _first_with_caller(self) -> _Job[Any] | None:
        with self._queue:
            for job in self._waiting:  # an interrupt while a generator closes would be lost
                if job.on_failure is None:
                    return job
            return None

    def _add(self, job: _Job[Any]) -> None:
        with self._queue:
            self._waiting.append(job)

    def _remove(self, job: _Job[Any]) -> None:
        with self._queue, contextlib.suppress(ValueError):
            self._waiting.remove(job)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that excludes all other threads and processes; it is on disk when the block ends."""
        with self._lock:
            try:
                db = self._open()
                try:
                    db.execute("BEGIN IMMEDIATE")  # can take long: an interrupt comes at its end, when it has begun
                    yield db
                    db.execute("COMMIT")
                except BaseException:
                    with contextlib.suppress(sqlite3.Error):
                        db.execute("ROLLBACK")
                    raise
            except (sqlite3.Error, OSError) as error:
                raise unusable(self.path, error) from None

    def _open(self) -> sqlite3.Connection:
        self._require_same_file()
        if self._connection is not None:
            return self._connection
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            # Created here, for its mode. An existing file is not opened: closing a file anywhere in a process drops all
            # its locks on the file, and other processes would then consider the journal unused.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        self._connection = database_file.open_file(self.path)
        self._used = _in_use.setdefault(str(self.path.resolve()), os.stat(self.path))
        return self._connection

    def _require_same_file(self) -> None:
        """Raise JournalError if the file that this process has used is gone, or was replaced.

        SQLite would continue to write to the unlinked file, which the next program could not see.
        """
        used = self._used or _in_use.get(str(self.path.resolve()))
        if used is None:
            return
        try:
            if os.path.samestat(used, os.stat(self.path)):
                return
            happened = "was replaced"
        except FileNotFoundError:
            happened = "was removed"
        raise missing(self.path, happened)


class _Job(Generic[Result]):
    """Part of a shared transaction that belongs to one thread. A caller waits for it, unless it has an `on_failure`."""

    def __init__(self, work: Work[Result], on_failure: OnFailure | None = None):
        self._work = work
        self._result: Result | None = None
        self._refusal: Exception | None = None
        self.on_failure = on_failure
        self.called = threading.Event()  # its caller need not sleep any longer
        self.failure: JournalError | None = None
        self.done = False

    def run(self, db: sqlite3.Connection) -> None:
        """Do the work; keep its result or its own error."""
        try:
            self._result, self._refusal = self._work(db), None
        except (sqlite3.Error, OSError, JournalError):  # a failure of the file concerns all jobs
            raise
        except Exception as error:  # noqa: BLE001
            self._refusal = error

    def outcome(self) -> Result:
        """Return the result, or raise the error."""
        if self.failure is not None:
            raise JournalError(str(self.failure))
        if self._refusal is not None:
            raise self._refusal
        return cast(Result, self._result)  # None only if that is what the work returned


def unusable(path: Path | str, error: Exception) -> JournalError:
    """Return the error for a journal that can't be used."""
    return JournalError(
        f"The journal of publications can't be written ({path}: {error}). Nothing is published without it: free some space, "
        "set its permissions, or name another folder in the environment variable CXW_STATE_DIR."
    )


def missing(path: Path | str, happened: str) -> JournalError:
    """Return the error for a journal that this process has used and that has disappeared."""
    return JournalError(
        f"The journal of publications {happened} while it was in use ({path}). Nothing is published without it: put the "
        "folder back, or restart Python to begin with an empty journal, which knows nothing of what was published before."
    )
