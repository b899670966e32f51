"""Data of the sandbox's Images API: users, constellations, and images as files on disk, with a table beside them."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
import struct
import tempfile
import threading
import uuid
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["LibraryImage", "LibraryStore", "LibraryUser"]

_TABLES = """
CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, password TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS access (
    user TEXT NOT NULL REFERENCES users (name), constellation TEXT NOT NULL, PRIMARY KEY (user, constellation)
) STRICT;
CREATE TABLE IF NOT EXISTS library (
    serial INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, constellation TEXT NOT NULL, name TEXT NOT NULL,
    content_type TEXT NOT NULL, file TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS library_files ON library (file);
"""
_SAMPLES = 24
_COLORS = [(90, 140, 255), (255, 170, 80), (210, 90, 190), (110, 220, 160), (240, 230, 150), (240, 90, 90)]


@dataclass(frozen=True)
class LibraryUser:
    """User of the Images API."""

    name: str
    password: str = field(repr=False)
    constellations: tuple[str, ...] = ()
    """Constellations to which the user may write; uploads go to the first."""


@dataclass(frozen=True)
class LibraryImage:
    """Row of the library, with the path of its file."""

    id: str
    constellation: str
    name: str
    content_type: str
    path: Path


class LibraryStore:
    """Users and images of the Images API; thread-safe.

    Parameters
    ----------
    folder : Path, optional
        Where the files lie, created if missing. By default a temporary folder, deleted with the store.
    """

    def __init__(self, folder: Path | None = None):
        self._temporary = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="cxw-library-")) if folder is None else folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            self.folder / "library.sqlite", check_same_thread=False, isolation_level=None
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = OFF" if self._temporary else "PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Close the database, and delete a temporary folder."""
        with self._lock:
            self._connection.close()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _all(self, sql: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    # Users

    def add_user(
        self, name: str, password: str | None = None, constellations: Sequence[str] | None = None
    ) -> LibraryUser:
        """Add a user, or change the password and constellations of an existing one.

        Parameters
        ----------
        password : str, optional
            By default that of the existing user, or a random one.
        constellations : sequence of str, optional
            Constellations to which the user may write: by default one with the user's own name; none for a reader.
        """
        known = self.user(name)
        password = password or (known.password if known else secrets.token_urlsafe(9))
        if constellations is None:
            constellations = known.constellations if known else (name,)
        self._all("INSERT OR REPLACE INTO users VALUES (?, ?)", name, password)
        self._all("DELETE FROM access WHERE user = ?", name)
        for constellation in constellations:
            self._all("INSERT OR IGNORE INTO access VALUES (?, ?)", name, constellation)
        return LibraryUser(name, password, tuple(constellations))

    def user(self, name: str) -> LibraryUser | None:
        """Return the user of this name, None if there is none."""
        rows = self._all("SELECT name, password FROM users WHERE name = ?", name)
        if not rows:
            return None
        access = self._all("SELECT constellation FROM access WHERE user = ? ORDER BY rowid", name)
        name, password = rows[0]
        return LibraryUser(name, password, tuple(row[0] for row in access))

    # Images

    def new_file(self) -> Path:
        """Return a path to which an image can be written while it arrives."""
        return self.folder / f"{uuid.uuid4()}.bytes"

    def add(
        self, name: str, content: bytes | Path, *, constellation: str, content_type: str = "image/png"
    ) -> LibraryImage:
        """Add an image, under any name: the service itself checks names only when they come over the network.

        Parameters
        ----------
        content : bytes or Path
            The image, or a file of `new_file`.
        """
        if isinstance(content, bytes):
            path = self.new_file()
            path.write_bytes(content)
        else:
            path = content
        image = LibraryImage(str(uuid.uuid4()), constellation, name, content_type, path)
        self._insert([image])
        return image

    def fill(self, count: int, *, constellation: str) -> None:
        """Add `count` small pictures of different names, which share a few files."""
        files = [self.new_file() for _ in range(min(count, _SAMPLES))]
        for number, path in enumerate(files):
            path.write_bytes(_sample(number))
        names = (f"{_TARGETS[n % len(_TARGETS)]} field {n:05d}.png" for n in range(count))
        self._insert(
            LibraryImage(str(uuid.uuid4()), constellation, name, "image/png", files[number % len(files)])
            for number, name in enumerate(names)
        )

    def _insert(self, images: Iterable[LibraryImage]) -> None:
        rows = [(image.id, image.constellation, image.name, image.content_type, image.path.name) for image in images]
        with self._lock:
            self._connection.execute("BEGIN")
            self._connection.executemany(
                "INSERT INTO library (id, constellation, name, content_type, file) VALUES (?, ?, ?, ?, ?)", rows
            )
            self._connection.execute("COMMIT")

    def names(self) -> list[tuple[str, str]]:
        """Return id and name of each image, in order of addition."""
        return self._all("SELECT id, name FROM library ORDER BY serial")

    def image(self, id: str) -> LibraryImage | None:
        """Return the image of this id, None if there is none."""
        rows = self._all("SELECT id, constellation, name, content_type, file FROM library WHERE id = ?", id)
        if not rows:
            return None
        id, constellation, name, content_type, file = rows[0]
        return LibraryImage(id, constellation, name, content_type, self.folder / file)

    def rename(self, id: str, name: str) -> None:
        """Change an image's name."""
        self._all("UPDATE library SET name = ? WHERE id = ?", name, id)

    def delete(self, image: LibraryImage) -> None:
        """Delete an image, and its file if no other image uses it."""
        self._all("DELETE FROM library WHERE id = ?", image.id)
        if not self._all("SELECT 1 FROM library WHERE file = ? LIMIT 1", image.path.name):
            image.path.unlink(missing_ok=True)


_TARGETS = ["M31", "M42", "M51", "M81", "M101", "NGC 253", "NGC 1300", "Carina", "Orion", "Eagle", "Crab", "Helix"]


def _sample(number: int, side: int = 64) -> bytes:
    """Return a small PNG of a round glow, with a color and width for each number."""
    color, width = _COLORS[number % len(_COLORS)], 6 + 3 * (number % 7)
    rows = bytearray()
    for y in range(side):
        rows.append(0)
        for x in range(side):
            light = 1 / (1 + ((x - side / 2) ** 2 + (y - side / 2) ** 2) / width**2)
            rows.extend(int(part * light) for part in color)
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
