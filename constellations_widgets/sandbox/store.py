"""The sandbox's database: handles, images and scenes in SQLite, in memory or in a file."""

from __future__ import annotations

import itertools
import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["Handle", "Record", "Store", "parse_object_id"]

_TABLES = """
CREATE TABLE IF NOT EXISTS handles (
    id TEXT PRIMARY KEY, handle TEXT UNIQUE NOT NULL, display_name TEXT NOT NULL, owners TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS images (
    serial INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, handle_id TEXT NOT NULL REFERENCES handles (id),
    created TEXT NOT NULL, legacy_url TEXT, background_key INTEGER, document TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS images_of_handle ON images (handle_id, created);
CREATE INDEX IF NOT EXISTS images_of_url ON images (legacy_url);
CREATE TABLE IF NOT EXISTS scenes (
    serial INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, handle_id TEXT NOT NULL REFERENCES handles (id),
    created TEXT NOT NULL, document TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS scenes_of_handle ON scenes (handle_id, created);
"""


@dataclass(frozen=True)
class Handle:
    id: str
    handle: str
    display_name: str
    owners: tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """A stored image or scene: the document is what was submitted, as decoded."""

    id: str
    handle_id: str
    created: str
    document: dict[str, Any]


class Store:
    """Safe to use from several threads at once.

    Parameters
    ----------
    path : Path or str, optional
        The database file, made if it is not there. In memory by default.
    """

    def __init__(self, path: Path | str | None = None):
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        if path:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _all(self, sql: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    # Handles

    def add_handle(self, handle: str, display_name: str, owners: Sequence[str]) -> Handle:
        """A new handle, or the one that is there, with these owners added."""
        known = self.handle(handle)
        if known is None:
            known = Handle(_object_id(), handle, display_name, ())
        owners = tuple(dict.fromkeys((*known.owners, *owners)))
        self._all(
            "INSERT INTO handles VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET owners = excluded.owners",
            known.id, handle, display_name, json.dumps(owners),
        )  # fmt: skip
        return Handle(known.id, handle, known.display_name, owners)

    def handle(self, handle: str) -> Handle | None:
        return self._one_handle("handle", handle)

    def handle_of_id(self, id: str) -> Handle | None:
        return self._one_handle("id", id)

    def _one_handle(self, column: str, value: str) -> Handle | None:
        rows = self._all(f"SELECT id, handle, display_name, owners FROM handles WHERE {column} = ?", value)
        return Handle(*rows[0][:3], tuple(json.loads(rows[0][3]))) if rows else None

    # Images

    def add_image(self, handle_id: str, document: dict[str, Any]) -> Record:
        record = Record(_object_id(), handle_id, _now(), document)
        self._all(
            "INSERT INTO images (id, handle_id, created, legacy_url, document) VALUES (?, ?, ?, ?, ?)",
            record.id, handle_id, record.created, document["storage"]["legacy_url_template"], json.dumps(document),
        )  # fmt: skip
        return record

    def image(self, id: str) -> Record | None:
        return next(iter(self._records("images WHERE id = ?", id)), None)

    def update_image(self, id: str, document: dict[str, Any]) -> None:
        self._all("UPDATE images SET document = ? WHERE id = ?", json.dumps(document), id)

    def image_page(self, handle_id: str, offset: int, limit: int) -> list[Record]:
        """Images of a handle, the newest first."""
        return self._records(
            "images WHERE handle_id = ? ORDER BY created DESC, serial DESC LIMIT ? OFFSET ?", handle_id, limit, offset
        )

    def image_count(self, handle_id: str) -> int:
        return self._all("SELECT count(*) FROM images WHERE handle_id = ?", handle_id)[0][0]

    def images_of_url(self, legacy_url: str) -> list[Record]:
        return self._records("images WHERE legacy_url = ? ORDER BY serial", legacy_url)

    def backgrounds(self) -> list[Record]:
        return self._records("images WHERE background_key IS NOT NULL ORDER BY background_key")

    def mark_background(self, id: str, sort_key: int) -> None:
        """Offer an image among the built-in backgrounds. The real API has no call for this."""
        self._all("UPDATE images SET background_key = ? WHERE id = ?", sort_key, id)

    # Scenes

    def add_scene(self, handle_id: str, document: dict[str, Any]) -> Record:
        record = Record(_object_id(), handle_id, _now(), document)
        self._all(
            "INSERT INTO scenes (id, handle_id, created, document) VALUES (?, ?, ?, ?)",
            record.id, handle_id, record.created, json.dumps(document),
        )  # fmt: skip
        return record

    def scene(self, id: str) -> Record | None:
        return next(iter(self._records("scenes WHERE id = ?", id)), None)

    def update_scene(self, id: str, document: dict[str, Any]) -> None:
        self._all("UPDATE scenes SET document = ? WHERE id = ?", json.dumps(document), id)

    def scenes_of_handle(self, handle_id: str) -> list[Record]:
        """Scenes of a handle, the newest first."""
        return self._records("scenes WHERE handle_id = ? ORDER BY created DESC, serial DESC", handle_id)

    def _records(self, where: str, *values: Any) -> list[Record]:
        rows = self._all(f"SELECT id, handle_id, created, document FROM {where}", *values)
        return [Record(*row[:3], json.loads(row[3])) for row in rows]


_counter = itertools.count(secrets.randbits(24))
_process = secrets.token_hex(5)


def _object_id() -> str:
    """A new MongoDB object id: seconds, process, counter; 24 hex digits."""
    return f"{int(time.time()):08x}{_process}{next(_counter) & 0xFFFFFF:06x}"


def parse_object_id(text: str) -> str | None:
    """The id in lower-case hex, if the database's driver would take the text: 24 hex digits, or any 12 bytes."""
    if len(text) == 24 and all(char in "0123456789abcdefABCDEF" for char in text):
        return text.lower()
    raw = text.encode("utf-8", "replace")
    return raw.hex() if len(raw) == len(text) == 12 else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
