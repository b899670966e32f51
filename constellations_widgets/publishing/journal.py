"""The journal: every attempt to publish, on disk before its request leaves.

An attempt's state is one of

==========  ======================================================================================================
planned     written down, and provably not with the server (its request could not be sent)
sending     its request may be with the server, and the process that sends it is alive
published   the server has it: `image_id`
refused     the server said no, or the user decided to send the same anew: this attempt made no image
unclear     its request may have been done: look at the server (see `reconcile`) before anything is sent
==========  ======================================================================================================

The table holds no token. Threads, kernels and processes of one user share it.
"""

from __future__ import annotations

import contextlib
import hashlib
import html
import json
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import PublishError
from ..schema.records import Receipt
from ..state import state_dir
from .owner import Owner

_TABLE = """
CREATE TABLE IF NOT EXISTS attempts (
    key TEXT PRIMARY KEY, api_url TEXT NOT NULL, handle TEXT NOT NULL, url TEXT NOT NULL, body_sha256 TEXT NOT NULL, body BLOB NOT NULL,
    known_ids TEXT NOT NULL, state TEXT NOT NULL, owner TEXT NOT NULL, planned TEXT NOT NULL, sent TEXT, settled TEXT,
    image_id TEXT, rel_url TEXT, answer TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX IF NOT EXISTS one_sender ON attempts (api_url, handle, body_sha256) WHERE state = 'sending';
CREATE INDEX IF NOT EXISTS by_body ON attempts (api_url, handle, body_sha256);
CREATE INDEX IF NOT EXISTS by_url ON attempts (api_url, handle, url);
PRAGMA user_version = 1;
"""


@dataclass(frozen=True)
class Attempt:
    """One attempt to publish an image.

    Attributes
    ----------
    key : str
        The attempt's own id.
    api_url, handle : str
        Where the image was to go.
    url : str
        Its image URL, "" if it has none.
    body : bytes
        The request's body, exactly.
    body_sha256 : str
        SHA-256 of the body, hexadecimal.
    known_ids : tuple of str
        The images with this URL that the server had before.
    state : str
        planned, sending, published, refused or unclear.
    owner : str
        The process that sent it.
    planned, sent, settled : datetime or None
        When it was written down, sent, and decided, UTC, by this machine's clock.
    image_id, rel_url : str or None
        The image, once it is published.
    answer : str
        What the server said, or what went wrong, in a sentence.
    """

    key: str
    api_url: str
    handle: str
    url: str
    body_sha256: str
    body: bytes
    known_ids: tuple[str, ...]
    state: str
    owner: str
    planned: datetime
    sent: datetime | None
    settled: datetime | None
    image_id: str | None
    rel_url: str | None
    answer: str

    @property
    def request(self) -> dict[str, Any]:
        """The request's body as an object."""
        return json.loads(self.body)

    @property
    def note(self) -> str:
        """What the image is."""
        return str(self.request.get("note", ""))

    @property
    def receipt(self) -> Receipt | None:
        """The receipt of a published attempt."""
        if self.state != "published" or not self.image_id or not self.settled:
            return None
        return Receipt(
            id=self.image_id,
            rel_url=self.rel_url or f"/image/{self.image_id}",
            api_url=self.api_url,
            handle=self.handle,
            created=self.settled,
            body=self.request,
            body_sha256=self.body_sha256,
            key=self.key,
        )

    def __repr__(self) -> str:
        return f"<Attempt {self.key[:8]}: {self.state}, {self.note!r} under {self.handle!r} at {self.api_url}>"


_COLUMNS = ", ".join(Attempt.__dataclass_fields__)


class History(list[Attempt]):
    """Attempts, newest first; a table in a notebook."""

    def _repr_html_(self) -> str:
        if not self:
            return "<p>Nothing was published from this machine yet.</p>"
        heads = "".join(f"<th scope='col' style='text-align:left'>{head}</th>" for head in ("When", "State", "Note", "Handle", "Image", "Answer"))
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(map(_row, self))}</tbody></table>"


def _row(attempt: Attempt) -> str:
    receipt = attempt.receipt
    image = ""
    if receipt:
        link = receipt.record_url if receipt.record_url.startswith(("https://", "http://")) else ""
        image = f"<a href='{html.escape(link)}' target='_blank' rel='noopener noreferrer'>{html.escape(receipt.id)}</a>"
    cells = (f"{attempt.planned:%Y-%m-%d %H:%M} UTC", attempt.state, attempt.note, f"{attempt.handle} at {attempt.api_url}")
    texts = [html.escape(cell) for cell in cells] + [image, html.escape(attempt.answer)]
    return "<tr>" + "".join(f"<td style='text-align:left'>{text}</td>" for text in texts) + "</tr>"


class Journal:
    """The journal in a folder: by default ``journal`` in the user's state directory (``CXW_STATE_DIR``).

    Parameters
    ----------
    folder : Path, optional
        Where the file lies; made with mode 0700 if it is missing.

    Raises
    ------
    PublishError
        From every method, if the journal can't be read or written: publishing has to stop then, before anything is sent.
    """

    def __init__(self, folder: Path | str | None = None):
        self._given = Path(folder) if folder is not None else None
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._unused: list[sqlite3.Connection] = []

    @property
    def path(self) -> Path:
        """The journal's file."""
        return self._folder() / "journal.sqlite3"

    def close(self) -> None:
        """Close the file. The journal can still be used: it is opened again."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None

    # Reading

    def attempts(self, *, limit: int | None = None) -> History:
        """All attempts, newest first, or the newest `limit` of them."""
        with self._transaction() as db:
            return History(_read(db, "1 ORDER BY planned DESC, rowid DESC LIMIT ?", -1 if limit is None else limit))

    def attempt(self, key: str) -> Attempt | None:
        """The attempt of this key, None if there is none."""
        with self._transaction() as db:
            return next(iter(_read(db, "key = ?", key)), None)

    def related(self, api_url: str, handle: str, body_sha256: str, url: str) -> list[Attempt]:
        """Attempts, newest first, to publish this body or this image URL at the same place."""
        with self._transaction() as db:
            self._bury(db)
            where = "api_url = ? AND handle = ? AND (body_sha256 = ? OR (url = ? AND url != '')) ORDER BY planned DESC, rowid DESC"
            return _read(db, where, api_url, handle, body_sha256, url)

    def unsettled(self) -> list[Attempt]:
        """Unclear attempts, oldest first; what dead processes left in the state "sending" is unclear too."""
        with self._transaction() as db:
            self._bury(db)
            return _read(db, "state = 'unclear' ORDER BY planned, rowid")

    def image_ids(self, api_url: str) -> set[str]:
        """The images of an API that attempts of this journal are known to have made."""
        with self._transaction() as db:
            return {row[0] for row in db.execute("SELECT image_id FROM attempts WHERE api_url = ? AND image_id IS NOT NULL", (api_url,))}

    # Writing

    def claim(
        self, api_url: str, handle: str, url: str, body: bytes, *, known_ids: Iterable[str] = (), again: bool = False
    ) -> Attempt:
        """Write down that this body is going to be sent now, so that nobody else sends it. On disk when this returns.

        Parameters
        ----------
        again : bool
            Whether it may be sent although the same body was published before, or an earlier attempt is unclear. The caller has looked.

        Raises
        ------
        PublishError
            If the same body is being sent to the same place right now, was published, or may have been.
        """
        digest = hashlib.sha256(body).hexdigest()
        place = (api_url, handle, digest)
        with self._transaction() as db:
            self._bury(db)
            for earlier in _read(db, "api_url = ? AND handle = ? AND body_sha256 = ? ORDER BY planned DESC, rowid DESC", *place):
                if earlier.state == "sending":
                    raise PublishError(f"This image is being published under {handle!r} right now, by another window or program. Wait for it.")
                if earlier.state == "published" and not again:
                    raise PublishError(f"This image was published before. To publish it once more, say again=True.\n{earlier.receipt}")
                if earlier.state == "unclear" and not again:
                    raise PublishError("An earlier attempt to publish this image may have succeeded. Settle it first (publishing.settle).")
            now = _now()
            db.execute(
                "UPDATE attempts SET state = 'refused', settled = ?, answer = answer || ' Not found at the server, and sent anew.'"
                " WHERE state = 'unclear' AND api_url = ? AND handle = ? AND body_sha256 = ?",
                (now, *place),
            )
            key = uuid.uuid4().hex
            waiting = db.execute(
                "SELECT key FROM attempts WHERE state = 'planned' AND api_url = ? AND handle = ? AND body_sha256 = ?", place
            ).fetchone()
            if waiting:
                key = waiting[0]
                db.execute("DELETE FROM attempts WHERE key = ?", (key,))
            db.execute(
                "INSERT INTO attempts (key, api_url, handle, url, body_sha256, body, known_ids, state, owner, planned, sent)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 'sending', ?, ?, ?)",
                (key, api_url, handle, url, digest, body, json.dumps(sorted(known_ids)), self._own().begin(key), now, now),
            )
            return _read(db, "key = ?", key)[0]

    def published(self, key: str, image_id: str, rel_url: str, when: datetime | None = None) -> None:
        """The server has the image of this attempt."""
        self._finish(key, "published", "", image_id, rel_url, when)

    def refused(self, key: str, answer: str) -> None:
        """The server said no to this attempt, or nothing of it can ever arrive."""
        self._finish(key, "refused", answer)

    def unclear(self, key: str, answer: str) -> None:
        """Nobody knows whether the server has the image of this attempt."""
        self._finish(key, "unclear", answer)

    def not_sent(self, key: str, answer: str) -> None:
        """The request of this attempt provably never left."""
        self._finish(key, "planned", answer)

    def _finish(
        self, key: str, state: str, answer: str, image_id: str | None = None, rel_url: str | None = None, when: datetime | None = None
    ) -> None:
        settled = (when.isoformat() if when else _now()) if state in ("published", "refused") else None
        try:
            with self._transaction() as db:
                db.execute(
                    "UPDATE attempts SET state = ?, settled = ?, answer = ?, image_id = ?, rel_url = ?"
                    " WHERE key = ? AND state IN ('sending', 'unclear')",
                    (state, settled, answer, image_id, rel_url, key),
                )
        finally:
            self._own().end(key)  # if that could not be written, the row counts as left behind, and is settled by looking

    def _bury(self, db: sqlite3.Connection) -> None:
        """What a dead process was sending is unclear."""
        for key, owner in db.execute("SELECT key, owner FROM attempts WHERE state = 'sending'").fetchall():
            if not self._own().is_sending(key, owner):
                answer = "The program that sent it ended before the answer came."
                db.execute("UPDATE attempts SET state = 'unclear', answer = ? WHERE key = ?", (answer, key))

    # The file

    def _folder(self) -> Path:
        try:
            folder = self._given or state_dir("journal")
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return folder
        except OSError as error:
            raise _unusable(self._given or "the user's state directory", error) from None

    def _own(self) -> Owner:
        return Owner.of(self._folder() / "running")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that only one thread of one process is in; on disk when the block ends."""
        with self._lock:
            try:
                db = self._open()
                db.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                    db.execute("COMMIT")
                except BaseException:
                    with contextlib.suppress(sqlite3.Error):
                        db.execute("ROLLBACK")
                    raise
            except (sqlite3.Error, OSError) as error:
                raise _unusable(self.path, error) from None

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._process == os.getpid():
            return self._connection
        if self._connection is not None:
            self._unused.append(self._connection)  # our parent's, from before a fork: neither to be used nor closed here
        path = self.path
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA synchronous = FULL")
        if db.execute("PRAGMA user_version").fetchone()[0] == 0:
            _become_wal(db)
            db.executescript("BEGIN IMMEDIATE;" + _TABLE + "COMMIT;")
        self._connection, self._process = db, os.getpid()
        return db


def history(limit: int | None = None) -> History:
    """What was published from this machine, and what was tried, newest first.

    Parameters
    ----------
    limit : int, optional
        How many attempts at most. All by default.

    Returns
    -------
    History
        A list of `Attempt`; it shows itself as a table in a notebook.
    """
    return default_journal().attempts(limit=limit)


_journals: dict[str, Journal] = {}
_journals_lock = threading.Lock()


def default_journal() -> Journal:
    """The journal in the user's state directory, one object for all threads."""
    try:
        folder = state_dir("journal")
    except OSError as error:
        raise _unusable("the user's state directory", error) from None
    with _journals_lock:
        return _journals.setdefault(str(folder), Journal(folder))


def _read(db: sqlite3.Connection, where: str, *values: object) -> list[Attempt]:
    rows = db.execute(f"SELECT {_COLUMNS} FROM attempts WHERE {where}", values).fetchall()
    return [_attempt(*row) for row in rows]


def _attempt(*row: object) -> Attempt:
    fields = dict(zip(Attempt.__dataclass_fields__, row, strict=True))
    fields["known_ids"] = tuple(json.loads(fields["known_ids"]))
    for name in ("planned", "sent", "settled"):
        fields[name] = datetime.fromisoformat(fields[name]) if fields[name] else None
    return Attempt(**fields)


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


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _unusable(path: Path | str, error: Exception) -> PublishError:
    return PublishError(
        f"The journal of publications can't be written ({path}: {error}). Nothing is published without it: make room or set its rights, "
        "or set the environment variable CXW_STATE_DIR to a folder that can be written."
    )
