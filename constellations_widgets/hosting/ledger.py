"""Compare files on this disk with a store: what it lists, and what it confirmed earlier."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..state import state_dir
from .collect import HostedFile, md5_of
from .stores import Store, StoredFile

_CHUNK = 200
"""Rows in one statement. Python's lock is passed on at every statement, which would cost more for single rows."""
_MOST = 16_000
"""Rows of a table that are held in memory; more are kept on disk."""
_COARSEST = 2_000_000_000
"""Nanoseconds between two times that a file system can tell apart; those of FAT are the coarsest."""

_FIELDS = 4  # of a confirmation
_UNCONFIRMED = ("", "", "")


class Known(NamedTuple):
    """What is known about one file of a store before it is read.

    Attributes
    ----------
    size, tag
        As in `StoredFile`.
    md5 : str
        The checksum of the store's file: the one that was uploaded if it is `unchanged`, else that of `StoredFile`.
    confirmed : str
        The checksum of the file on this disk, as of `version`; "" if the store did not confirm one, or lists it itself.
    version : str
        The version of the file on this disk that was confirmed (`HostedFile.version`); "" if it is not known.
    unchanged : bool
        Whether the store has had the file that it confirmed ever since.
    """

    size: int
    tag: str
    md5: str
    confirmed: str
    version: str
    unchanged: bool

    def same(self, file: HostedFile) -> bool | None:
        """Return whether the store holds a file's bytes; None if only reading one of them, or both, can tell."""
        if file.size != self.size:
            return False
        is_confirmed = bool(self.version) and self.version == file.version
        if is_confirmed and self.unchanged:
            return True
        ours = self.confirmed if is_confirmed else ""
        if isinstance(file.source, bytes):
            ours = md5_of(file.source)
        if not self.md5 or not ours:
            return None
        return self.md5 == ours or (False if self.is_checksum else None)

    @property
    def is_checksum(self) -> bool:
        """Return whether another `md5` means another file: the ETag of an encrypted file is no checksum."""
        return self.unchanged and bool(self.confirmed)


class Ledger:
    """Index of a store's files and of its earlier confirmations; spares reading what has not changed on either side.

    The confirmations are kept in a file with one line for each, so that a kill loses at most the last line: key,
    checksum, the store's tag of the file, and the version of the file on this disk. Where that file can't be written, on a full
    disk say, the upload goes on: the next one reads what it could have known.
    """

    def __init__(self, store: Store):
        name = hashlib.sha256(store.address.encode("utf-8", "replace")).hexdigest()[:32]
        self._path: Path | None = None
        self._file: int | None = None
        with contextlib.suppress(OSError):
            self._path = state_dir("hosting") / f"{name}.jsonl"
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._listed, self._confirmed = _Table(), _Table()
        self._lock = threading.Lock()

    def fill(self, listing: Iterable[tuple[str, StoredFile]]) -> None:
        """Read a store's list and the confirmations; `find` may be called afterwards."""
        if self._listed.insert(listing):
            self._confirmed.insert((line[0], tuple(line[1:])) for line in self._lines() if len(line) == _FIELDS)

    def _lines(self) -> Iterator[list[Any]]:
        """Yield the confirmations, in their order."""
        if self._path is None or not self._path.exists():
            return
        with open(self._path, encoding="utf-8", errors="replace") as file:
            while lines := list(itertools.islice(file, _CHUNK)):
                try:
                    yield from json.loads(f"[{','.join(lines)}]")
                except ValueError:
                    for line in lines:
                        with contextlib.suppress(ValueError):  # a line that a killed process did not end
                            yield json.loads(line)

    def find(self, files: Iterable[HostedFile]) -> Iterator[tuple[HostedFile, Known | None]]:
        """Yield each file with what is known about the store's; None if the store does not list it."""
        files = iter(files)
        while chunk := list(itertools.islice(files, _CHUNK)):
            keys = [file.key for file in chunk]
            with self._lock:
                listed, confirmed = self._listed.find(keys), self._confirmed.find(keys)
            for file in chunk:
                if (stored := listed.get(file.key)) is None:
                    yield file, None
                    continue
                size, tag, md5 = stored
                ours, its_tag, version = confirmed.get(file.key, _UNCONFIRMED)
                unchanged = bool(tag) and its_tag == tag
                yield file, Known(size, tag, ours if unchanged and ours else md5, ours, version, unchanged)

    def mark_same(self, file: HostedFile, md5: str) -> None:
        """Remember for this run that the store holds a file's bytes, for `Known.same`."""
        with self._lock:
            size, tag, _ = self._listed.find([file.key])[file.key]
            self._listed.insert([(file.key, (size, tag, md5))])
            self._confirmed.insert([(file.key, (md5, "", file.version))])

    def confirm(self, file: HostedFile, md5: str, tag: str) -> None:
        """Remember for later runs that the store has confirmed a file; `md5` may be "" if the store lists it."""
        if tag and self._file is not None:
            version = file.version if _is_settled(file) else ""
            line = (json.dumps([file.key, md5, tag, version]) + "\n").encode()
            with contextlib.suppress(OSError):
                os.write(self._file, line)

    def close(self) -> None:
        """Close the files."""
        if self._file is not None:
            os.close(self._file)
        self._listed.close()
        self._confirmed.close()


class _Table:
    """Rows of three values by key: in memory, and from a certain number on in a temporary database of SQLite on disk."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[Any, ...]] = {}
        self._disk: sqlite3.Connection | None = None

    def insert(self, rows: Iterable[tuple[str, tuple[Any, ...]]]) -> bool:
        """Add rows, or replace those of the same keys; return whether there were any."""
        rows, found = iter(rows), False
        while chunk := dict(itertools.islice(rows, _CHUNK)):
            found = True
            self._rows |= chunk
            if self._disk is not None or len(self._rows) > _MOST:
                self._write()
        return found

    def _write(self) -> None:
        """Move the rows in memory to the disk."""
        if self._disk is None:
            self._disk = sqlite3.connect("", check_same_thread=False, isolation_level=None)
            self._disk.execute("CREATE TABLE rows (key BLOB PRIMARY KEY, a, b, c) WITHOUT ROWID")
        rows = iter(self._rows.items())
        while chunk := list(itertools.islice(rows, _CHUNK)):
            flat = itertools.chain.from_iterable((_blob(key), *values) for key, values in chunk)
            values = ", ".join(["(?, ?, ?, ?)"] * len(chunk))
            self._disk.execute(f"INSERT OR REPLACE INTO rows VALUES {values}", list(flat))
        self._rows = {}

    def find(self, keys: list[str]) -> dict[str, tuple[Any, ...]]:
        """Return the rows of at most `_CHUNK` keys."""
        if self._disk is None:
            return {key: self._rows[key] for key in keys if key in self._rows}
        marks, names = ", ".join("?" * len(keys)), {_blob(key): key for key in keys}
        found = self._disk.execute(f"SELECT key, a, b, c FROM rows WHERE key IN ({marks})", list(names))
        return {names[key]: tuple(values) for key, *values in found}

    def close(self) -> None:
        """Remove the database."""
        if self._disk is not None:
            self._disk.close()


def _blob(key: str) -> bytes:
    """Return a key for the database; names in a folder need not be UTF-8."""
    return key.encode("utf-8", "surrogatepass")


def _is_settled(file: HostedFile) -> bool:
    """Return whether a later change of a file's bytes will also change its version.

    A file that is written twice within the resolution of its file system's clock has the same times.
    """
    about = file.about
    return about is None or time.time_ns() - max(about.st_mtime_ns, about.st_ctime_ns) > _COARSEST
