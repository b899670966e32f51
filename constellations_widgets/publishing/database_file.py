"""Open the journal's file: its tables, and a journal mode that the file system supports.

SQLite's write-ahead log needs memory that processes share through the file system. Network file systems and some in
user space do not support that, or only within one host; there the file uses SQLite's rollback journal, which needs
locks only. So it does in a browser, whose file system is memory.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from pathlib import Path

from .. import runtime
from ..errors import JournalError
from . import clock

_TABLE = """
CREATE TABLE IF NOT EXISTS attempts (
    key TEXT PRIMARY KEY, api_url TEXT NOT NULL, handle TEXT NOT NULL, url TEXT NOT NULL,
    body_sha256 TEXT NOT NULL, body BLOB NOT NULL, known_ids TEXT NOT NULL, state TEXT NOT NULL, owner TEXT NOT NULL,
    planned TEXT NOT NULL, sent TEXT, settled TEXT, image_id TEXT, rel_url TEXT, answer TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX IF NOT EXISTS one_sender ON attempts (api_url, handle, body_sha256) WHERE state = 'sending';
CREATE INDEX IF NOT EXISTS by_body ON attempts (api_url, handle, body_sha256);
CREATE INDEX IF NOT EXISTS by_url ON attempts (api_url, handle, url);
"""
_DUPLICATES = """
ALTER TABLE attempts ADD COLUMN duplicates TEXT NOT NULL DEFAULT '[]';
CREATE INDEX by_image ON attempts (api_url, image_id);
CREATE INDEX with_duplicates ON attempts (api_url) WHERE duplicates != '[]';
"""
_URLS = "CREATE INDEX by_url_anywhere ON attempts (api_url, url);"
_SOURCES = """
CREATE TABLE sources (key TEXT PRIMARY KEY, origin TEXT NOT NULL, digest TEXT NOT NULL);
CREATE INDEX by_origin ON sources (origin);
CREATE INDEX by_digest ON sources (digest) WHERE digest != '';
"""
_OPEN = "CREATE INDEX open_attempts ON attempts (api_url, handle) WHERE state IN ('sending', 'unclear');"
_VERSIONS = (_TABLE, _DUPLICATES, _URLS, _SOURCES, _OPEN)
"""The statements that upgrade each version of the file to the next."""

_NO_SHARED_MEMORY = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_IOERR_SHMOPEN,
    sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_SHMLOCK,
    sqlite3.SQLITE_IOERR_SHMMAP,
}
_NETWORK = re.compile(r"nfs|cifs|smb|lustre|gpfs|beegfs|ceph|gluster|afs|9p|pvfs|orangefs|fuse(?!blk)")
"""Linux's names of file systems that other hosts may have mounted, too."""


def open_file(path: Path) -> sqlite3.Connection:
    """Open the journal's file, with its tables. Raises sqlite3.Error or JournalError if it can't be used."""
    try:
        return _open(path, wal=not (runtime.IN_BROWSER or is_shared(path)))
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode not in _NO_SHARED_MEMORY:
            raise
        _leave_wal(path, error)
        return _open(path, wal=False)


def is_shared(path: Path) -> bool:
    """Return whether a file lies on a file system that other hosts may have mounted, as far as Linux reports it."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        place = path.resolve()
    except OSError:
        return False
    found = ("", "")
    for mount in mounts:
        # "36 35 98:0 /root /mount/point options … - type source options", with spaces in names as \040
        before, _, after = mount.partition(" - ")
        point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), before.split(" ")[4])
        if place.is_relative_to(point) and len(point) >= len(found[0]):
            found = (point, after.split(" ")[0])
    return bool(_NETWORK.match(found[1]))


def _open(path: Path, *, wal: bool) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        (mode,) = db.execute("PRAGMA journal_mode").fetchone()
        if wal and mode != "wal" and _version(db) == 0:
            mode = _set_mode(db, "wal")
        elif not wal and mode == "wal":
            with contextlib.suppress(sqlite3.OperationalError):  # in use by another process: the next one does it
                mode = _set_mode(db, "delete")
        # With a rollback journal, a commit removes a file: EXTRA makes that durable, too, before a request is sent.
        db.execute(f"PRAGMA synchronous = {'FULL' if mode == 'wal' else 'EXTRA'}")
        if _version(db) > len(_VERSIONS):
            raise JournalError(
                f"The journal of publications was written by a newer version of constellations_widgets ({path}). Nothing is "
                "published without it: upgrade constellations_widgets, or name another folder in the environment variable "
                "CXW_STATE_DIR."
            )
        if _version(db) < len(_VERSIONS):
            _upgrade(db)
    except BaseException:
        db.close()
        raise
    return db


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _upgrade(db: sqlite3.Connection) -> None:
    """Add the tables and columns that the file lacks. If several processes do this at once, the first does it all."""
    db.execute("BEGIN IMMEDIATE")
    try:
        for version, script in enumerate(_VERSIONS[_version(db) :], _version(db) + 1):
            for statement in filter(str.strip, script.split(";")):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {version}")
        db.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # an interrupt can come after the commit
            db.execute("ROLLBACK")
        raise


def _set_mode(db: sqlite3.Connection, mode: str) -> str:
    """Change the journal mode; return the file's mode. SQLite does not wait if two processes do this at once."""
    for _ in range(100):
        try:
            return str(db.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            clock.sleep(0.05)
    return str(db.execute("PRAGMA journal_mode").fetchone()[0])


def _leave_wal(path: Path, cause: sqlite3.OperationalError) -> None:
    """Give the file a rollback journal without using shared memory. Raises `cause` if that fails, too."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as db:
            db.execute(
                "PRAGMA locking_mode = EXCLUSIVE"
            )  # before the first access: the log's index is then private memory
            (mode,) = db.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.Error:
        raise cause from None
    if mode != "delete":
        raise cause
