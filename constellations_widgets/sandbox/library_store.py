"""What the Images API of the sandbox keeps: users, constellations, and images as files on disk with a table beside them."""

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
_COLOURS = [(90, 140, 255), (255, 170, 80), (210, 90, 190), (110, 220, 160), (240, 230, 150), (240, 90, 90)]


@dataclass(frozen=True)
class LibraryUser:
    """Somebody who can sign in at the Images API."""

    name: str
    password: str = field(repr=False)
    constellations: tuple[str, ...] = ()
    """Those to which this user has write access; what is uploaded goes to the first."""


@dataclass(frozen=True)
class LibraryImage:
    """A row of the library, and where its bytes lie."""

    id: str
    constellation: str
    name: str
    content_type: str
    path: Path


class LibraryStore:
    """Safe to use from several threads at once.

    Parameters
    ----------
    folder : Path, optional
        Where the files lie, made if it is not there. A temporary one by default, which goes with the store.
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
        """A new user, or another password and other constellations for one who is there.

        Parameters
        ----------
        password : str, optional
            By default that of the user who is there, or a random one.
        constellations : sequence of str, optional
            Those to which the user may write: one of the user's own name by default; none for a mere reader.
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
        rows = self._all("SELECT name, password FROM users WHERE name = ?", name)
        access = self._all("SELECT constellation FROM access WHERE user = ? ORDER BY rowid", name)
        return LibraryUser(*rows[0], tuple(row[0] for row in access)) if rows else None

    # Images

    def new_file(self) -> Path:
        """Where an image that is on its way can be written to."""
        return self.folder / f"{uuid.uuid4()}.bytes"

    def add(
        self, name: str, content: bytes | Path, *, constellation: str, content_type: str = "image/png"
    ) -> LibraryImage:
        """Take an image in, under any name: the service itself looks at names only when they come over the network.

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
        """Take in `count` small pictures of different names, which share a few files."""
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
        """Id and name of each image, in the order in which they came."""
        return self._all("SELECT id, name FROM library ORDER BY serial")

    def image(self, id: str) -> LibraryImage | None:
        rows = self._all("SELECT id, constellation, name, content_type, file FROM library WHERE id = ?", id)
        return LibraryImage(*rows[0][:4], self.folder / rows[0][4]) if rows else None

    def rename(self, id: str, name: str) -> None:
        self._all("UPDATE library SET name = ? WHERE id = ?", name, id)

    def delete(self, image: LibraryImage) -> None:
        self._all("DELETE FROM library WHERE id = ?", image.id)
        if not self._all("SELECT 1 FROM library WHERE file = ? LIMIT 1", image.path.name):
            image.path.unlink(missing_ok=True)


_TARGETS = ["M31", "M42", "M51", "M81", "M101", "NGC 253", "NGC 1300", "Carina", "Orion", "Eagle", "Crab", "Helix"]


def _sample(number: int, side: int = 64) -> bytes:
    """A small PNG of a round glow: another colour and width for each number."""
    colour, width = _COLOURS[number % len(_COLOURS)], 6 + 3 * (number % 7)
    rows = bytearray()
    for y in range(side):
        rows.append(0)
        for x in range(side):
            light = 1 / (1 + ((x - side / 2) ** 2 + (y - side / 2) ** 2) / width**2)
            rows.extend(int(part * light) for part in colour)
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
