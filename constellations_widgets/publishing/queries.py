"""SQL of the journal."""

from __future__ import annotations

import sqlite3

from .attempts import COLUMNS, Attempt
from .image_source import EarlierPublication, ImageSource
from .matching import differs_in_text_only

SAME_BODY = "api_url = ? AND handle = ? AND body_sha256 = ?"
SAME_URL = "api_url = ? AND url = ? AND url != ''"  # under any handle
OTHER_BODY = "NOT (handle = ? AND body_sha256 = ?)"
NEWEST_FIRST = "ORDER BY planned DESC, rowid DESC"
_NEWEST_OF_SOURCE = "ORDER BY planned DESC, attempts.rowid DESC"
# The index is named since SQLite would choose one that leads through all attempts at the API.
_TWINS = (
    "SELECT value, attempts.key FROM attempts INDEXED BY with_duplicates, json_each(duplicates) "
    "WHERE api_url = ? AND duplicates != '[]'"
)
OPEN = " AND state IN ('sending', 'unclear')"
# A refused or abandoned attempt may still appear at the server, unless the same body is being sent again right now.
MAY_APPEAR = (
    " AND (state IN ('sending', 'unclear') OR state = 'refused' AND NOT EXISTS (SELECT 1 FROM attempts AS other WHERE "
    "other.state = 'sending' AND other.api_url = attempts.api_url AND other.handle = attempts.handle "
    "AND other.body_sha256 = attempts.body_sha256))"
)


def read(db: sqlite3.Connection, where: str, *values: object) -> list[Attempt]:
    """Return the attempts that satisfy a condition, in its order."""
    rows = db.execute(f"SELECT {COLUMNS} FROM attempts WHERE {where}", values).fetchall()
    return [Attempt.from_row(row) for row in rows]


def insert(db: sqlite3.Connection, attempt: Attempt, condition: str = "1", *values: object) -> bool:
    """Insert the attempt if the condition holds; return whether it does."""
    row = attempt.as_row()
    query = f"INSERT INTO attempts ({COLUMNS}) SELECT {', '.join('?' * len(row))} WHERE {condition}"
    return db.execute(query, (*row, *values)).rowcount == 1


def insert_source(db: sqlite3.Connection, key: str, source: ImageSource) -> None:
    """Record what the image of an attempt was read from."""
    db.execute("INSERT OR REPLACE INTO sources VALUES (?, ?, ?)", (key, source.origin, source.digest))


def delete(db: sqlite3.Connection, key: str) -> None:
    """Delete an attempt, and its source."""
    for table in ("attempts", "sources"):
        db.execute(f"DELETE FROM {table} WHERE key = ?", (key,))


def from_source(db: sqlite3.Connection, api_url: str, source: ImageSource) -> list[EarlierPublication]:
    """Return the attempts to publish an image of this source at an API ("": at any), done or perhaps done, newest first."""
    keys = "SELECT key FROM sources WHERE origin = ? UNION SELECT key FROM sources WHERE digest = ? AND digest != ''"
    where = (
        f"key IN ({keys}) AND ? IN (api_url, '') AND state IN ('sending', 'unclear', 'published') {_NEWEST_OF_SOURCE}"
    )
    query = f"SELECT {COLUMNS}, origin, digest FROM sources JOIN attempts USING (key) WHERE {where}"
    rows = db.execute(query, (source.origin, source.digest, api_url)).fetchall()
    return [EarlierPublication(Attempt.from_row(row[:-2]), source, ImageSource(*row[-2:])) for row in rows]


def owned_ids(db: sqlite3.Connection, api_url: str) -> list[tuple[str, str]]:
    """Return the ids of all images and scenes that belong to attempts at an API, each with the attempt's key."""
    receipts = "SELECT image_id, key FROM attempts WHERE api_url = ? AND image_id IS NOT NULL"
    return db.execute(f"{receipts} UNION ALL {_TWINS}", (api_url, api_url)).fetchall()


def owner_of(db: sqlite3.Connection, api_url: str, image_id: str) -> str | None:
    """Return the key of the attempt that an image or scene belongs to."""
    receipt = "SELECT image_id, key FROM attempts WHERE api_url = ? AND image_id = ?"
    query = f"SELECT key FROM ({receipt} UNION ALL {_TWINS} AND value = ?) LIMIT 1"
    found = db.execute(query, (api_url, image_id, api_url, image_id)).fetchone()
    return found[0] if found else None


def conflicts(db: sqlite3.Connection, new: Attempt) -> list[Attempt]:
    """Return the attempts with another body beside which `new` would make a second record of the same thing.

    Of an image, these are attempts with its URL, published or perhaps successful, under the same handle, and under any handle
    if they place it differently: the site identifies images by their URL alone. Of a scene, open attempts that differ in the
    texts only; a handle may have several such scenes, but not by accident.
    """
    other = new.handle, new.body_sha256
    if new.url:
        made = f"{SAME_URL} AND {OTHER_BODY} AND state IN ('sending', 'unclear', 'published') {NEWEST_FIRST}"
        found = read(db, made, new.api_url, new.url, *other)
        return [it for it in found if it.handle == new.handle or not differs_in_text_only(it, new)]
    # The plus keeps SQLite from the index by URL, which leads through all scenes of the handle.
    alike = f"api_url = ? AND handle = ? AND +url = '' AND {OTHER_BODY}{OPEN} {NEWEST_FIRST}"
    return [it for it in read(db, alike, new.api_url, new.handle, *other) if differs_in_text_only(it, new)]


def update(db: sqlite3.Connection, key: str, condition: str = "", /, **columns: object) -> bool:
    """Change the attempt if the condition holds; return whether it does."""
    changes = ", ".join(f"{column} = ?" for column in columns)
    return db.execute(f"UPDATE attempts SET {changes} WHERE key = ?{condition}", (*columns.values(), key)).rowcount == 1
