"""Database of the sandbox: handles, images and scenes in SQLite, in memory or in a file."""

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
    """Stored handle, with the accounts that own it."""

    id: str
    handle: str
    display_name: str
    owners: tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """Stored image or scene: the document is what was submitted, as decoded."""

    id: str
    handle_id: str
    created: str
    document: dict[str, Any]


class Store:
    """Handles, images and scenes; thread-safe.

    Parameters
    ----------
    path : Path or str, optional
        The database file, created if missing. In memory by default.
    """

    def __init__(self, path: Path | str | None = None):
        self._lock = threading.Lock()
        self._hidden: dict[str, float] = {}  # ids that lists don't show yet, each with the end of that time
        self._connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        if path:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    def _all(self, sql: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    # Handles

    def add_handle(self, handle: str, display_name: str, owners: Sequence[str]) -> Handle:
        """Add owners to a handle, which is created if missing; return it."""
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
        """Return the handle of this name, None if there is none."""
        return self._one_handle("handle", handle)

    def handle_of_id(self, id: str) -> Handle | None:
        """Return the handle of this id, None if there is none."""
        return self._one_handle("id", id)

    def _one_handle(self, column: str, value: str) -> Handle | None:
        rows = self._all(f"SELECT id, handle, display_name, owners FROM handles WHERE {column} = ?", value)
        if not rows:
            return None
        id, handle, display_name, owners = rows[0]
        return Handle(id, handle, display_name, tuple(json.loads(owners)))

    def rename_handle(self, id: str, display_name: str) -> None:
        """Change a handle's display name."""
        self._all("UPDATE handles SET display_name = ? WHERE id = ?", display_name, id)

    # Images

    def add_image(self, handle_id: str, document: dict[str, Any], list_lag: float = 0.0) -> Record:
        """Store an image; lists don't show it for `list_lag` seconds."""
        record = self._new(handle_id, document, list_lag)
        self._all(
            "INSERT INTO images (id, handle_id, created, legacy_url, document) VALUES (?, ?, ?, ?, ?)",
            record.id, handle_id, record.created, document["storage"]["legacy_url_template"], json.dumps(document),
        )  # fmt: skip
        return record

    def image(self, id: str) -> Record | None:
        """Return the image of this id, None if there is none."""
        return next(iter(self._records("images WHERE id = ?", id)), None)

    def update_image(self, id: str, document: dict[str, Any]) -> None:
        """Replace an image's document."""
        self._all("UPDATE images SET document = ? WHERE id = ?", json.dumps(document), id)

    def image_page(self, handle_id: str, offset: int, limit: int) -> list[Record]:
        """Return images of a handle, newest first."""
        where = f"images WHERE handle_id = ? AND {self._listed()}"
        return self._records(f"{where} ORDER BY created DESC, serial DESC LIMIT ? OFFSET ?", handle_id, limit, offset)

    def image_count(self, handle_id: str) -> int:
        """Return the number of a handle's listed images."""
        found = self._all(f"SELECT count(*) FROM images WHERE handle_id = ? AND {self._listed()}", handle_id)
        return int(found[0][0])

    def images_of_url(self, legacy_url: str) -> list[Record]:
        """Return the images with exactly this image URL, oldest first."""
        return self._records(f"images WHERE legacy_url = ? AND {self._listed()} ORDER BY serial", legacy_url)

    def backgrounds(self) -> list[Record]:
        """Return the built-in backgrounds, in the order of their sort keys."""
        return self._records("images WHERE background_key IS NOT NULL ORDER BY background_key")

    def mark_background(self, id: str, sort_key: int) -> None:
        """Add an image to the built-in backgrounds. The real API has no call for this."""
        self._all("UPDATE images SET background_key = ? WHERE id = ?", sort_key, id)

    # Scenes

    def add_scene(self, handle_id: str, document: dict[str, Any], list_lag: float = 0.0) -> Record:
        """Store a scene; lists don't show it for `list_lag` seconds."""
        record = self._new(handle_id, document, list_lag)
        self._all(
            "INSERT INTO scenes (id, handle_id, created, document) VALUES (?, ?, ?, ?)",
            record.id, handle_id, record.created, json.dumps(document),
        )  # fmt: skip
        return record

    def scene(self, id: str) -> Record | None:
        """Return the scene of this id, None if there is none."""
        return next(iter(self._records("scenes WHERE id = ?", id)), None)

    def update_scene(self, id: str, document: dict[str, Any]) -> None:
        """Replace a scene's document."""
        self._all("UPDATE scenes SET document = ? WHERE id = ?", json.dumps(document), id)

    def scenes_of_handle(self, handle_id: str) -> list[Record]:
        """Return the scenes of a handle, newest first."""
        where = f"scenes WHERE handle_id = ? AND {self._listed()}"
        return self._records(f"{where} ORDER BY created DESC, serial DESC", handle_id)

    def timeline(self, offset: int, limit: int, handle_id: str | None = None) -> list[Record]:
        """Return published scenes, of all handles or of one, newest first."""
        where = f"scenes WHERE json_extract(document, '$.published') AND {self._listed()}"
        of_handle = ("", ()) if handle_id is None else (" AND handle_id = ?", (handle_id,))
        order = "ORDER BY created DESC, serial DESC LIMIT ? OFFSET ?"
        return self._records(f"{where}{of_handle[0]} {order}", *of_handle[1], limit, offset)

    def count(self, scene_id: str, counter: str, step: int) -> None:
        """Add `step` to one of a scene's counters."""
        path = f"$.{counter}"
        sql = "UPDATE scenes SET document = json_set(document, ?, json_extract(document, ?) + ?) WHERE id = ?"
        self._all(sql, path, path, step, scene_id)

    def _new(self, handle_id: str, document: dict[str, Any], list_lag: float) -> Record:
        record = Record(_object_id(), handle_id, _now(), document)
        if list_lag:
            with self._lock:
                self._hidden[record.id] = time.monotonic() + list_lag
        return record

    def _listed(self) -> str:
        """Return an SQL condition that holds for what lists show by now."""
        if not self._hidden:
            return "TRUE"
        with self._lock:
            self._hidden = {id: until for id, until in self._hidden.items() if until > time.monotonic()}
            return f"id NOT IN ({', '.join(repr(id) for id in self._hidden)})"  # hexadecimal digits of our own

    def _records(self, where: str, *values: Any) -> list[Record]:
        rows = self._all(f"SELECT id, handle_id, created, document FROM {where}", *values)
        return [Record(id, handle_id, created, json.loads(document)) for id, handle_id, created, document in rows]


_counter = itertools.count(secrets.randbits(24))
_process = secrets.token_hex(5)


def _object_id() -> str:
    """Return a new MongoDB object id: seconds, process, counter; 24 hex digits."""
    return f"{int(time.time()):08x}{_process}{next(_counter) & 0xFFFFFF:06x}"


def parse_object_id(text: str) -> str | None:
    """Return the id in lower-case hex, if the database's driver would accept it: 24 hex digits, or any 12 bytes."""
    if len(text) == 24 and all(char in "0123456789abcdefABCDEF" for char in text):
        return text.lower()
    raw = text.encode("utf-8", "replace")
    return raw.hex() if len(raw) == len(text) == 12 else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
