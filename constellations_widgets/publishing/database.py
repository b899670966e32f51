"""The journal's file: SQLite for all threads and processes, in a private folder; changes are on disk at once."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from ..errors import JournalError
from ..forks import renew_in_children

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Result]
OnFailure = Callable[[JournalError], object]

_TABLE = """
CREATE TABLE IF NOT EXISTS attempts (
    key TEXT PRIMARY KEY, api_url TEXT NOT NULL, handle TEXT NOT NULL, url TEXT NOT NULL,
    body_sha256 TEXT NOT NULL, body BLOB NOT NULL, known_ids TEXT NOT NULL, state TEXT NOT NULL, owner TEXT NOT NULL,
    planned TEXT NOT NULL, sent TEXT, settled TEXT, image_id TEXT, rel_url TEXT, answer TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX IF NOT EXISTS one_sender ON attempts (api_url, handle, body_sha256) WHERE state = 'sending';
CREATE INDEX IF NOT EXISTS by_body ON attempts (api_url, handle, body_sha256);
CREATE INDEX IF NOT EXISTS by_url ON attempts (api_url, handle, url);
PRAGMA user_version = 1;
"""


class Database:
    """The file ``journal.sqlite3`` in `folder`. Raises JournalError wherever it can't be used.

    Work may be done twice: an interrupt at the end of a transaction hides whether it was.
    `prepare` is called with each transaction that threads share, before they do their work in it.
    """

    def __init__(self, folder: Path, prepare: Callable[[sqlite3.Connection], None]):
        self.folder = folder
        self.path = folder / "journal.sqlite3"
        self._prepare = prepare
        self._connection: sqlite3.Connection | None = None
        self._inherited: list[sqlite3.Connection] = []
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Begin with nothing to do and nobody at it, here or in a child that was forked."""
        if self._connection is not None:  # the parent's: neither to be used nor closed here
            self._inherited.append(self._connection)
            self._connection = None
        self._lock = threading.RLock()
        self._leading = threading.Lock()  # of the thread that does what waits
        self._queue = threading.Lock()
        self._waiting: list[_Job] = []

    def close(self) -> None:
        """Close the file; the next transaction opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def run(self, work: Work[Result]) -> Result:
        """What `work` gives; what it changes is on disk then. It raises what it has to refuse before it changes anything.

        Threads that come while another one waits for the disk share the next transaction, and so one wait: the first of
        them that is let in does the work of all, the others find theirs done.
        """
        job = _Job(work)
        try:
            self._add(job)
            with self._leading:
                if not job.done:
                    self._do_waiting()
        finally:
            if not job.done:  # an interrupt: nobody shall begin later what nobody waits for any more
                self._remove(job)
            self._do_what_nobody_waits_for()
        return job.outcome(self.path)

    def write(self, work: Work[None], on_failure: OnFailure) -> None:
        """Do `work`, or leave it to the thread that is at the disk: that one does it before anything that comes later.

        Never raises JournalError: `on_failure` is told, by whoever did the work.
        """
        try:
            self._add(_Job(work, on_failure))
            self._do_what_nobody_waits_for()
        except BaseException:  # an interrupt: nobody else may come by to do it
            self._do_what_nobody_waits_for()
            raise

    def read(self, work: Work[Result]) -> Result:
        """As `run`, for what only reads: from a full or read-only disk too, as the file has it."""
        try:
            return self.run(work)
        except JournalError:
            has_wal = self.path.with_name(f"{self.path.name}-wal").exists()  # without, SQLite would want to make one
            address = f"{self.path.absolute().as_uri()}?{'mode=ro' if has_wal else 'immutable=1'}"
            with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(address, uri=True)) as db:
                return work(db)
            raise

    def _do_what_nobody_waits_for(self) -> None:
        """Do the work that is left, unless another thread is at it, or waits to be let in: that one does it all."""
        while self._is_left() and not self._leading.locked():
            with self._leading:  # an interrupt can't come between this and its end, as it can after a call of `acquire`
                if self._is_left():
                    self._do_waiting()

    def _is_left(self) -> bool:
        with self._queue:
            return bool(self._waiting) and all(job.on_failure is not None for job in self._waiting)

    def _do_waiting(self) -> None:
        with self._queue:
            jobs = list(self._waiting)
        failure = None
        try:
            with self.transaction() as db:
                self._prepare(db)
                for job in jobs:
                    job.run(db)
        except JournalError as error:
            failure = error.__context__
        with self._queue:
            for job in jobs:
                job.failure, job.done = failure, True
            self._waiting = [job for job in self._waiting if not job.done]
        for job in jobs if failure is not None else ():
            if job.on_failure is not None:
                job.on_failure(unusable(self.path, failure))

    def _add(self, job: _Job) -> None:
        with self._queue:
            self._waiting.append(job)

    def _remove(self, job: _Job) -> None:
        with self._queue, contextlib.suppress(ValueError):
            self._waiting.remove(job)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that only one thread of one process is in; on disk when the block ends."""
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
        if self._connection is not None:
            return self._connection
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            # Made here, for its mode. One that is there is left alone: closing a file anywhere in a process drops the locks
            # of all who have it open there, and with them what other processes then take for nobody's.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA synchronous = FULL")
            if db.execute("PRAGMA user_version").fetchone()[0] == 0:
                _become_wal(db)
                db.executescript(f"BEGIN IMMEDIATE;{_TABLE}COMMIT;")
        except BaseException:
            db.close()
            raise
        self._connection = db
        return db


class _Job(Generic[Result]):
    """One thread's part of a transaction that several share. Somebody waits for it, unless it has an `on_failure`."""

    def __init__(self, work: Work[Result], on_failure: OnFailure | None = None):
        self._work = work
        self._result: Result | None = None
        self._refusal: Exception | None = None
        self.on_failure = on_failure
        self.failure: BaseException | None = None
        self.done = False

    def run(self, db: sqlite3.Connection) -> None:
        try:
            self._result, self._refusal = self._work(db), None
        except (sqlite3.Error, OSError):  # of the file, and so of all
            raise
        except Exception as error:  # noqa: BLE001
            self._refusal = error

    def outcome(self, path: Path) -> Result:
        if self.failure is not None:
            raise unusable(path, self.failure)
        if self._refusal is not None:
            raise self._refusal
        return self._result


def _become_wal(db: sqlite3.Connection) -> None:
    """Make a new file a WAL one. SQLite does not wait when two processes do this at once, so we do."""
    for _ in range(100):
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(0.05)


def unusable(path: Path | str, error: Exception) -> JournalError:
    """The error for a journal that can't be used."""
    return JournalError(
        f"The journal of publications can't be written ({path}: {error}). Nothing is published without it: "
        "make room there or set its rights, or name another folder in the environment variable CXW_STATE_DIR."
    )
