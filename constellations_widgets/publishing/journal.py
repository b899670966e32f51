"""The journal: every attempt to publish, on disk before its request leaves.

It holds no token. Threads, kernels and processes of one user share it.
"""

from __future__ import annotations

import contextlib
import hashlib
import operator
import sqlite3
import threading
import warnings
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path

from ..errors import JournalError, PublishError
from ..state import state_dir
from .attempts import COLUMNS, Attempt, History, as_text
from .database import Database, unusable
from .owner import Owner

_SAME_BODY = "api_url = ? AND handle = ? AND body_sha256 = ?"
_SAME_URL = "api_url = ? AND handle = ? AND url = ? AND url != ''"
_NEWEST_FIRST = "ORDER BY planned DESC, rowid DESC"


class Journal:
    """The journal in a folder: by default ``journal`` in the user's state directory (``CXW_STATE_DIR``).

    Parameters
    ----------
    folder : Path, optional
        Where the file lies; made with mode 0700 if it is missing.

    Raises
    ------
    JournalError
        From every method but `attempts`, if the journal can't be written: publishing has to stop then. From `attempts`, if it
        can't be read.
    """

    def __init__(self, folder: Path | str | None = None):
        try:
            self._database = Database(Path(folder) if folder is not None else state_dir("journal"), self._settle_dead)
        except OSError as error:
            raise unusable("the user's state directory", error) from None
        self._running = (self._database.folder / "running").resolve()  # one owner, by whatever names the folder goes

    @property
    def path(self) -> Path:
        """The journal's file."""
        return self._database.path

    def close(self) -> None:
        """Close the file. The journal can still be used: it is opened again."""
        self._database.close()

    # Reading

    def attempts(self, *, limit: int | None = None) -> History:
        """All attempts, newest first, or the newest `limit` of them. A full or read-only disk is read, too."""
        most = -1 if limit is None else operator.index(limit)
        return History(self._database.read(lambda db: _read(db, f"1 {_NEWEST_FIRST} LIMIT ?", most)))

    def attempt(self, key: str) -> Attempt | None:
        """The attempt of this key, None if there is none."""
        return next(iter(self._database.run(lambda db: _read(db, "key = ?", key))), None)

    def related(self, api_url: str, handle: str, body_sha256: str, url: str) -> list[Attempt]:
        """Attempts, newest first, to publish this body or this image URL at the same place."""
        return self.related_to_each(api_url, handle, [(body_sha256, url)])[0]

    def related_to_each(self, api_url: str, handle: str, wanted: Iterable[tuple[str, str]]) -> list[list[Attempt]]:
        """`related` of many, each the SHA-256 of a body and an image URL, in their order."""
        # Two lookups: of one condition with an OR in it SQLite reads all attempts of the handle.
        of_body = f"SELECT rowid FROM attempts WHERE {_SAME_BODY}"
        of_url = f"SELECT rowid FROM attempts WHERE {_SAME_URL}"
        where = f"rowid IN ({of_body} UNION {of_url}) {_NEWEST_FIRST}"
        place = (api_url, handle)
        return self._database.run(lambda db: [_read(db, where, *place, body, *place, url) for body, url in wanted])

    def unsettled(self) -> list[Attempt]:
        """Unclear attempts, oldest first."""
        return self._database.run(lambda db: _read(db, "state = 'unclear' ORDER BY planned, rowid"))

    def image_ids(self, api_url: str) -> set[str]:
        """The images and scenes of an API that attempts of this journal are known to have made."""
        query = "SELECT image_id FROM attempts WHERE api_url = ? AND image_id IS NOT NULL"
        return {image_id for (image_id,) in self._database.run(lambda db: db.execute(query, (api_url,)).fetchall())}

    def scenes_of(self, api_url: str, handle: str, image_id: str) -> list[Attempt]:
        """The attempts that made a scene with this image, newest first."""
        where = f"api_url = ? AND handle = ? AND url = '' AND state = 'published' AND instr(body, ?) {_NEWEST_FIRST}"
        found = self._database.run(lambda db: _read(db, where, api_url, handle, image_id))
        return [attempt for attempt in found if attempt.kind == "scene"]

    def same_body(self, api_url: str, handle: str, body: bytes) -> list[Attempt]:
        """Attempts, newest first, to publish exactly this at the same place."""
        digest = hashlib.sha256(body).hexdigest()
        return self._database.run(lambda db: _read(db, f"{_SAME_BODY} {_NEWEST_FIRST}", api_url, handle, digest))

    def refuse_twice(self, api_url: str, handle: str, body: bytes) -> None:
        """Raise PublishError if this body was published before (with the receipt), may have been, or is just being."""
        for earlier in self.same_body(api_url, handle, body):
            _refuse_twice(earlier)

    # Writing

    def claim(
        self,
        api_url: str,
        handle: str,
        url: str,
        body: bytes,
        *,
        known_ids: Iterable[str] = (),
        despite: Iterable[str] = (),
        resend: Iterable[str] = (),
    ) -> Attempt:
        """Write down that this body is going to be sent now, so that nobody else sends it. On disk when this returns.

        Parameters
        ----------
        known_ids : iterable of str
            The images with this URL that the server has already.
        despite : iterable of str
            Keys of earlier attempts that don't stand in the way although they published the same body, or may have:
            somebody has looked at them and decided. Attempts made since then do stand in the way.
        resend : iterable of str
            Keys of earlier attempts that don't stand in the way as long as they are unclear.

        Raises
        ------
        PublishError
            If the same body is being sent to the same place right now, was published, or may have been.
        """
        digest, pardoned, open_ones = hashlib.sha256(body).hexdigest(), set(despite), set(resend)
        known, keys = tuple(sorted(known_ids)), []  # one key, once the work has begun

        def work(db: sqlite3.Connection) -> Attempt:
            now, owner = datetime.now(UTC), self._owner()
            if not keys:
                keys.append(owner.new_key())
            elif done := _read(db, "key = ?", *keys):
                return done[0]
            new = Attempt(
                key=keys[0],
                api_url=api_url,
                handle=handle,
                url=url,
                body_sha256=digest,
                body=body,
                known_ids=known,
                state="sending",
                owner=owner.name,
                planned=now,
                sent=now,
                settled=None,
                image_id=None,
                rel_url=None,
                answer="",
            )
            same = api_url, handle, digest
            if _insert(db, new, f"NOT EXISTS (SELECT 1 FROM attempts WHERE {_SAME_BODY})", *same):
                return new
            before = _read(db, f"{_SAME_BODY} {_NEWEST_FIRST}", *same)
            for one in before:
                _refuse_twice(one, pardoned | open_ones if one.state == "unclear" else pardoned)
            for one in before:
                if one.state == "unclear":
                    answer = f"{one.answer} Not found at the server, and sent anew."
                    _update(db, one.key, state="refused", settled=_now(), answer=answer)
                if one.state == "planned":  # it goes on as the new one
                    db.execute("DELETE FROM attempts WHERE key = ?", (one.key,))
            _insert(db, new)
            return new

        try:
            return self._database.run(work)
        except Exception:
            raise
        except BaseException:  # an interrupt: it may be written down, or be just then, but nobody will send it
            self._finish(keys, state="planned", answer="Interrupted before it was sent.")
            raise

    # Outcomes. Each is on disk when the call returns, or a moment later where another thread is at the disk just then.
    # They raise nothing: the request is out, and what it did must be told even where it can't be written down.

    def published(self, key: str, image_id: str, rel_url: str, when: datetime | None = None) -> None:
        """The server has the image of this attempt, since `when`."""
        settled = when.isoformat() if when else _now()
        self._finish([key], state="published", settled=settled, image_id=image_id, rel_url=rel_url, answer="")

    def refused(self, key: str, answer: str) -> None:
        """The server said no to this attempt."""
        self._finish([key], state="refused", settled=_now(), answer=answer)

    def unclear(self, key: str, answer: str) -> None:
        """Nobody knows whether the server has the image of this attempt."""
        self._finish([key], state="unclear", answer=answer)

    def not_sent(self, key: str, answer: str) -> None:
        """The request of this attempt provably never left."""
        self._finish([key], state="planned", answer=answer)

    def _finish(self, keys: list[str], **columns: str) -> None:
        def work(db: sqlite3.Connection) -> None:
            for key in keys:
                _update(db, key, " AND state IN ('sending', 'unclear')", **columns)

        def lost(error: JournalError) -> None:
            with contextlib.suppress(OSError, Warning):
                self._owner().lost.update(keys)
                warnings.warn(
                    f"An outcome could not be written down; it will be looked up at the server next time. {error}",
                    stacklevel=2,
                )

        self._database.write(work, lost)

    def _settle_dead(self, db: sqlite3.Connection) -> None:
        """What dead processes were sending is unclear, and so is what was lost here."""
        us = self._owner()
        others = db.execute("SELECT key, owner FROM attempts WHERE state = 'sending' AND owner != ?", (us.name,))
        for key in us.lost.union(key for key, owner in others.fetchall() if not us.is_alive(owner)):
            answer = "The program that sent it ended before the answer came."
            if not _update(db, key, " AND state = 'sending'", state="unclear", answer=answer):
                us.lost.discard(key)  # an earlier transaction did it, and is on disk

    def _owner(self) -> Owner:
        return Owner.of(self._running)


def _refuse_twice(earlier: Attempt, pardoned: Collection[str] = ()) -> None:
    """Raise PublishError where an earlier attempt with the same body forbids another."""
    if earlier.state == "sending":
        raise PublishError(
            f"{earlier.note!r} is being published under {earlier.handle!r} right now, by another window or program. "
            "Wait for its outcome."
        )
    if earlier.key in pardoned:
        return
    if earlier.state == "published":
        raise PublishError(
            f"{earlier.note!r} was published before. To publish it once more, say again=True.\n{earlier.receipt}"
        )
    if earlier.state == "unclear":
        raise PublishError(
            f"An earlier attempt to publish {earlier.note!r} may have succeeded. Settle it first: publishing.settle()."
        )


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

    Raises
    ------
    JournalError
        If the journal can't be read.
    """
    return default_journal().attempts(limit=limit)


_journals: dict[Path, Journal] = {}
_journals_lock = threading.Lock()


def default_journal() -> Journal:
    """The journal in the user's state directory, one object for all threads."""
    try:
        folder = state_dir("journal")
    except OSError as error:
        raise unusable("the user's state directory", error) from None
    with _journals_lock:
        return _journals.setdefault(folder, Journal(folder))


def _read(db: sqlite3.Connection, where: str, *values: object) -> list[Attempt]:
    rows = db.execute(f"SELECT {COLUMNS} FROM attempts WHERE {where}", values).fetchall()
    return [Attempt.from_row(row) for row in rows]


def _insert(db: sqlite3.Connection, attempt: Attempt, condition: str = "1", *values: object) -> bool:
    """Write the attempt down if the condition holds; gives whether it does."""
    row = attempt.as_row()
    query = f"INSERT INTO attempts ({COLUMNS}) SELECT {', '.join('?' * len(row))} WHERE {condition}"
    return db.execute(query, (*row, *values)).rowcount == 1


def _update(db: sqlite3.Connection, key: str, condition: str = "", /, **columns: object) -> bool:
    """Change the attempt if the condition holds; gives whether it does."""
    changes = ", ".join(f"{column} = ?" for column in columns)
    return db.execute(f"UPDATE attempts SET {changes} WHERE key = ?{condition}", (*columns.values(), key)).rowcount == 1


def _now() -> str:
    return as_text(datetime.now(UTC))
