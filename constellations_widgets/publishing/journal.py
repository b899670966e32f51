"""Journal of every attempt to publish, on disk before its request is sent.

It holds no token. Threads, kernels and processes of one user share it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import operator
import sqlite3
import threading
import warnings
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .. import runtime
from ..errors import JournalError, PublishError
from ..interface import in_terms
from ..state import state_dir
from . import clock
from .attempts import Attempt, History, as_text
from .database import Database, missing, unusable
from .image_source import EarlierPublication, ImageSource
from .matching import differs_in_text_only
from .process_lock import ProcessLock, Sender, host_of
from .queries import (
    MAY_APPEAR,
    NEWEST_FIRST,
    OPEN,
    SAME_BODY,
    SAME_URL,
    conflicts,
    delete,
    from_source,
    insert,
    insert_source,
    owned_ids,
    owner_of,
    read,
    update,
)

if TYPE_CHECKING:
    from ..draft import ImageDraft

_DUPLICATES = "The server has {} more of it, which can't be deleted: {}. A gateway or the network repeated the request."

_IN_MEMORY = (
    "The journal of publications is in this page's memory: it is lost when the kernel restarts or the page is closed, and "
    "other pages do not see it. Keep the receipts. Before an image is published, the server is still asked whether it has it."
)

_MAYBE_DUPLICATES = "It may have more of it: {} could not be read."


class Journal:
    """Journal in a folder: by default ``journal`` in the user's state directory (``CXW_STATE_DIR``).

    Parameters
    ----------
    folder : Path, optional
        Where the file lies; created with mode 0700 if it is missing.

    Raises
    ------
    JournalError
        From every method but `attempts`, if the journal can't be written: publishing has to stop then. From `attempts`,
        if it can't be read.
    """

    def __init__(self, folder: Path | str | None = None):
        try:
            self._database = Database(Path(folder) if folder is not None else state_dir("journal"), self._close_ended)
        except OSError as error:
            raise unusable("the user's state directory", error) from None
        self._running = (self._database.folder / "running").resolve()  # one lock, whatever path leads to the folder

    @property
    def path(self) -> Path:
        """The journal's file."""
        return self._database.path

    def close(self) -> None:
        """Close the file. The journal can still be used: it reopens the file."""
        self._database.close()

    # Reading

    def attempts(self, *, limit: int | None = None) -> History:
        """Return all attempts, newest first, or the newest `limit`. A full or read-only disk is read, too."""
        most = -1 if limit is None else operator.index(limit)
        return History(self._database.read(lambda db: read(db, f"1 {NEWEST_FIRST} LIMIT ?", most)))

    def attempt(self, key: str) -> Attempt | None:
        """Return the attempt with this key, or None if the journal lacks it. Works on a full or read-only disk, too."""
        return next(iter(self._database.read(lambda db: read(db, "key = ?", key))), None)

    def related(self, api_url: str, handle: str, body_sha256: str, url: str) -> list[Attempt]:
        """Return the attempts, newest first, to publish this body or this image URL at the same place."""
        found = self.related_to_each(api_url, handle, [(body_sha256, url)])[0]
        return [attempt for attempt in found if attempt.handle == handle]

    def related_to_each(self, api_url: str, handle: str, wanted: Iterable[tuple[str, str]]) -> list[list[Attempt]]:
        """Return the attempts related to each of many pairs of a body's SHA-256 and an image URL, in their order.

        Those of the same body are of this handle; those of the same URL are of any handle, since the site identifies
        images by their URL alone.
        """
        # Two lookups: for one condition with OR, SQLite would read all attempts of the handle.
        of_body = f"SELECT rowid FROM attempts WHERE {SAME_BODY}"
        of_url = f"SELECT rowid FROM attempts WHERE {SAME_URL}"
        where = f"rowid IN ({of_body} UNION {of_url}) {NEWEST_FIRST}"
        place = (api_url, handle)
        return self._database.run(lambda db: [read(db, where, *place, body, api_url, url) for body, url in wanted])

    def published_from(self, api_url: str, sources: Iterable[ImageSource | None]) -> list[list[EarlierPublication]]:
        """Return for each source what was, or may have been, published from it at an API ("": at any), newest first.

        A source is recognized by its origin, and by its content under another name or address. None has none.
        """
        wanted = list(sources)
        if not any(wanted):
            return [[] for _ in wanted]
        return self._database.read(lambda db: [from_source(db, api_url, it) if it else [] for it in wanted])

    def unsettled(self) -> list[Attempt]:
        """Return the unclear attempts, oldest first."""
        found = self._database.run(lambda db: read(db, f"state = 'unclear'{OPEN} ORDER BY planned, rowid"))
        for attempt in found:
            self.seconds_unclear(attempt.key)  # counts from now on
        return found

    def image_ids(self, api_url: str) -> set[str]:
        """Return the ids of all images and scenes of an API that belong to attempts of this journal, duplicates too."""
        return {image_id for image_id, _ in self._database.read(lambda db: owned_ids(db, api_url))}

    def with_keys(self, keys: Iterable[str]) -> list[Attempt]:
        """Return the attempts with these keys, in their order."""
        return self._database.run(lambda db: [attempt for key in keys for attempt in read(db, "key = ?", key)])

    def scenes_of(self, api_url: str, handle: str, image_id: str) -> list[Attempt]:
        """Return the attempts that made a scene with this image, newest first."""
        where = f"api_url = ? AND handle = ? AND url = '' AND state = 'published' AND instr(body, ?) {NEWEST_FIRST}"
        found = self._database.run(lambda db: read(db, where, api_url, handle, image_id))
        return [attempt for attempt in found if attempt.kind == "scene"]

    def same_body(self, api_url: str, handle: str, body: bytes) -> list[Attempt]:
        """Return the attempts, newest first, to publish exactly this body at the same place."""
        digest = hashlib.sha256(body).hexdigest()
        return self._database.run(lambda db: read(db, f"{SAME_BODY} {NEWEST_FIRST}", api_url, handle, digest))

    def seconds_unclear(self, key: str) -> float:
        """Return for how many seconds this process has known that an attempt is unclear.

        It may have been unclear for longer: wall clocks are not used, since they are corrected, and differ between
        machines.
        """
        moment = clock.monotonic()
        try:
            return moment - self._process_lock().unclear_since.setdefault(key, moment)
        except OSError:
            return 0.0

    # Writing

    def claim(
        self,
        api_url: str,
        handle: str,
        url: str,
        body: bytes,
        *,
        known_ids: Iterable[str] = (),
        ignored_keys: Mapping[str, str] | None = None,
        sender: Sender | None = None,
        unique: bool = False,
        source: ImageSource | None = None,
    ) -> Attempt:
        """Record that this body is about to be sent, so that no other call sends it. On disk when this returns.

        Parameters
        ----------
        known_ids : iterable of str
            The images with this URL that the server has already.
        ignored_keys : mapping of str to str, optional
            Keys of earlier attempts that do not stand in the way, since the caller has examined each, and the state that
            it had then. An attempt that changed since does stand in the way, and so does a new one.
        sender : Sender, optional
            The call that sends it. When that call is over and no outcome is recorded, the attempt is unclear. By
            default when this process ends.
        unique : bool, optional
            Whether attempts with another body that would make the same image or scene stand in the way, too. Default
            False.
        source : ImageSource, optional
            What the image was read from: see `published_from`.

        Raises
        ------
        EarlierAttemptsError
            If the same body was sent to the same place before, or is being sent right now.
        ConflictingAttemptsError
            If there is such an attempt with another body, and `unique` is true.
        """
        digest, ignored = hashlib.sha256(body).hexdigest(), ignored_keys or {}
        known = tuple(sorted(known_ids))
        keys: list[str] = []  # one key, once the work has begun

        def work(db: sqlite3.Connection) -> Attempt:
            now, lock = clock.now(), self._process_lock()
            if not keys:
                keys.append(lock.new_key())
                if sender is not None:
                    lock.senders[keys[0]] = sender
            elif done := read(db, "key = ?", *keys):
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
                owner=lock.name,
                planned=now,
                sent=now,
                settled=None,
                image_id=None,
                rel_url=None,
                answer="",
            )
            same = api_url, handle, digest
            others = conflicts(db, new) if unique else []
            if conflicting := [it for it in others if ignored.get(it.key) != it.state]:
                lock.forget(keys[0])
                raise ConflictingAttemptsError(conflicting, new)
            if insert(db, new, f"NOT EXISTS (SELECT 1 FROM attempts WHERE {SAME_BODY})", *same):
                if source is not None:
                    insert_source(db, new.key, source)
                return new
            before = read(db, f"{SAME_BODY} {NEWEST_FIRST}", *same)
            if in_the_way := [it for it in before if it.state != "planned" and ignored.get(it.key) != it.state]:
                lock.forget(keys[0])
                raise EarlierAttemptsError(in_the_way)
            for one in before:
                if one.state == "unclear":
                    answer = f"{one.answer} Not found at the server, and sent again."
                    update(db, one.key, state="refused", settled=_now(), answer=answer)
                if one.state == "planned":  # the new one takes its place
                    delete(db, one.key)
            insert(db, new)
            if source is not None:
                insert_source(db, new.key, source)
            return new

        try:
            return self._database.run(work)
        except Exception:
            raise
        except BaseException:  # an interrupt: it may be recorded, now or a moment later, but will not be sent
            self._finish(keys, state="planned", answer="Interrupted before it was sent.")
            raise

    # Outcomes. They raise nothing: the request was sent, and its outcome must be reported even if it can't be recorded.

    def published(
        self,
        key: str,
        image_id: str,
        rel_url: str,
        when: datetime | None = None,
        duplicates: Iterable[str] = (),
        *,
        unreadable: Iterable[str] = (),
        verified: bool = False,
    ) -> Attempt | None:
        """Record that the server has the image of this attempt, since `when`; on disk when this returns.

        `unreadable` are records that may be duplicates, too. `verified`: the record has been read and is the one that was sent, so that no other attempt can have made it.

        Returns
        -------
        Attempt or None
            Its current state: unclear if the image belongs to another attempt, since one image never serves two. None
            if the outcome could not be recorded.
        """
        settled = when.isoformat() if when else _now()
        twins = tuple(dict.fromkeys(duplicates))

        def work(db: sqlite3.Connection) -> Attempt | None:
            current = next(iter(read(db, "key = ?", key)), None)
            if current is None:
                return None
            taken = {owned for owned, owner in owned_ids(db, current.api_url) if owner != key} if twins else set()
            owner = owner_of(db, current.api_url, image_id)
            if verified and owner not in (None, key):
                self._disown(db, owner, image_id)
                owner = owner_of(db, current.api_url, image_id)
            if owner not in (None, key):
                answer = f"The server named {current.kind} {image_id}, which belongs to another attempt."
                update(db, key, OPEN, state="unclear", settled=_now(), answer=answer)
            else:
                mine = [twin for twin in twins if twin not in taken and twin != image_id]
                columns = {"image_id": image_id, "rel_url": rel_url, "duplicates": json.dumps(mine)}
                answers = [
                    _DUPLICATES.format(len(mine), ", ".join(mine)) if mine else "",
                    _MAYBE_DUPLICATES.format(", ".join(unreadable)) if unreadable else "",
                ]
                answer = " ".join(filter(None, answers))
                update(db, key, MAY_APPEAR, state="published", settled=settled, answer=answer, **columns)
            return next(iter(read(db, "key = ?", key)), None)

        try:
            done = self._database.run(work)
        except JournalError as error:
            self._lose([key], error)
            return None
        except BaseException:  # an interrupt: it is recorded nevertheless, now or with the next transaction
            self._database.write(work, lambda error: self._lose([key], error))
            raise
        self._forget([key])
        return done

    def disown(self, key: str, image_id: str) -> None:
        """Record that a published attempt did not make this image, which its response had named: it is unclear again."""
        self._note_time([key])
        self._database.write(lambda db: self._disown(db, key, image_id), lambda error: self._lose([], error))

    @staticmethod
    def _disown(db: sqlite3.Connection, key: str, image_id: str) -> None:
        answer = f"The response named image {image_id}, which is that of another request."
        columns = {"settled": _now(), "image_id": None, "rel_url": None, "answer": answer}
        values = (*columns.values(), key, image_id)
        changes = ", ".join(f"{column} = ?" for column in columns)
        db.execute(
            f"UPDATE attempts SET state = 'unclear', {changes} WHERE key = ? AND state = 'published' AND image_id = ?",
            values,
        )

    def refused(self, key: str, answer: str) -> None:
        """Record that the server refused this attempt."""
        self._finish([key], state="refused", settled=_now(), answer=answer)

    def doubt(self, key: str, answer: str) -> None:
        """Record that a refused attempt may have made its image: it is unclear from now on."""
        self._note_time([key])
        self._finish([key], " AND state = 'refused'", state="unclear", settled=_now(), answer=answer)

    def unclear(self, key: str, answer: str) -> None:
        """Record that it is unknown whether the server has the image of this attempt."""
        self._note_time([key])
        self._finish([key], state="unclear", settled=_now(), answer=answer)

    def interrupted(self, key: str, answer: str) -> None:
        """Record that this attempt was interrupted while it was sent, unless an outcome is recorded already."""
        self._note_time([key])
        self._finish([key], " AND state = 'sending'", state="unclear", settled=_now(), answer=answer)

    def not_sent(self, key: str, answer: str) -> None:
        """Record that the request of this attempt was provably never sent."""
        self._finish([key], state="planned", answer=answer)

    def _finish(self, keys: list[str], condition: str = OPEN, /, **columns: str) -> None:
        """Record an outcome: on disk when this returns, or a moment later if another thread uses the disk."""

        def work(db: sqlite3.Connection) -> None:
            for key in keys:
                update(db, key, condition, **columns)

        self._database.write(work, lambda error: self._lose(keys, error))
        self._forget(keys)

    def _lose(self, keys: list[str], error: JournalError) -> None:
        with contextlib.suppress(OSError, Warning):
            self._process_lock().lost.update(keys)
            warnings.warn(
                f"An outcome could not be recorded; it will be looked up at the server next time. {error}", stacklevel=4
            )

    def _note_time(self, keys: Iterable[str]) -> None:
        with contextlib.suppress(OSError):
            self._process_lock().unclear_since.update(dict.fromkeys(keys, clock.monotonic()))

    def _forget(self, keys: Iterable[str]) -> None:
        with contextlib.suppress(OSError):
            for key in keys:
                self._process_lock().senders.pop(key, None)

    def _close_ended(self, db: sqlite3.Connection) -> None:
        """Record as unclear what dead processes and interrupted calls were sending, and outcomes that were lost."""
        us = self._process_lock()
        if not us.is_in_place:
            raise missing(self._running, "lost the folder of its locks")
        others = db.execute("SELECT key, owner FROM attempts WHERE state = 'sending' AND owner != ?", (us.name,))
        dead = {key for key, owner in others.fetchall() if not us.is_alive(owner)}
        ended = us.ended() | dead
        for key in ended:
            answer = "The program that sent it ended, or was interrupted, before the response arrived."
            if not update(db, key, " AND state = 'sending'", state="unclear", settled=_now(), answer=answer):
                us.forget(key)  # an earlier transaction did it, and is on disk
        self._note_time(ended - us.unclear_since.keys())

    def _process_lock(self) -> ProcessLock:
        return ProcessLock.of(self._running)


class EarlierAttemptsError(PublishError):
    """The same body was sent to the same place before, or is being sent right now.

    Attributes
    ----------
    attempts : list of Attempt
        Those that stand in the way, newest first.
    """

    def __init__(self, attempts: list[Attempt]):
        self.attempts = attempts
        super().__init__(in_the_way(min(attempts, key=lambda attempt: _WEIGHT.index(attempt.state))))


class ConflictingAttemptsError(PublishError):
    """An attempt with another body made the same image or scene, or may have: the same image URL, or all but the texts.

    Attributes
    ----------
    attempts : list of Attempt
        Those that stand in the way, newest first.
    new : Attempt
        The attempt that is not made.
    """

    def __init__(self, attempts: list[Attempt], new: Attempt):
        self.attempts, self.new = attempts, new
        first = min(attempts, key=lambda it: (differs_in_text_only(it, new), _WEIGHT.index(it.state)))
        super().__init__(conflict(first, moved=not differs_in_text_only(first, new)))


_WEIGHT = ("sending", "published", "unclear", "refused")


def conflict(earlier: Attempt, *, moved: bool) -> str:
    """Return why an earlier attempt with another body forbids this one, and what to do; `moved`: its placement differs."""
    kind, when = earlier.kind, f"{earlier.planned:%Y-%m-%d %H:%M} UTC"
    shared = "the same image URL" if kind == "image" else "the same view and layers"
    attempt = f"{earlier.note!r} ({when}, under {earlier.handle!r}), which has {shared} and another {'placement' if moved else 'text'},"
    if moved:
        remedy = "Give the corrected image another address: the site would draw it where that one is."
    else:
        second = f"To have a second {kind}, which can't be deleted, pass again=True"
        remedy = in_terms(f"{second}.", f"{second} in Python.", "")
    if earlier.state == "published":
        return f"{attempt} was published as {earlier.image_id}. Nothing was sent. {remedy}".rstrip()
    if earlier.state == "sending":
        return f"{attempt} is being published right now. Nothing was sent. Wait for its outcome. {remedy}".rstrip()
    return (
        f"An earlier attempt at {attempt} may have succeeded. Nothing was sent. {reconcile_first()} {remedy}".rstrip()
    )


def reconcile_first() -> str:
    """Return how to reconcile an unclear attempt before something else is published."""
    settle = "cxw.settle_all(client) checks whether the server has it, and with forget=True abandons what the server does not have."
    return in_terms(
        f"Reconcile it first: {settle}",
        f"Reconcile it first, in Python: {settle}",
        "Reconcile it first, with “Check now” above.",
    )


def in_the_way(earlier: Attempt) -> str:
    """Return why an earlier attempt with the same body forbids another one, and what to do."""
    if earlier.state == "sending":
        host = host_of(earlier.owner)
        return (
            f"{earlier.note!r} is being published under {earlier.handle!r} right now, by another window or program on the "
            f"host {host}. Wait for its outcome."
        )
    if earlier.state == "published":
        return (
            f"{earlier.note!r} was published before."
            + in_terms(" To publish a duplicate, which can't be deleted, pass again=True.", "", "")
            + f"\n{earlier.receipt}"
        )
    if earlier.state == "unclear":
        return f"An earlier attempt to publish {earlier.note!r} may have succeeded. {reconcile_first()}"
    return f"The server refused an earlier attempt to publish {earlier.note!r}: {earlier.answer}"


def history(limit: int | None = None, *, source: ImageDraft | Path | str | None = None) -> History:
    """Return the attempts to publish from this machine, newest first.

    Parameters
    ----------
    limit : int, optional
        Maximum number of attempts. All by default.
    source : ImageDraft, Path or str, optional
        Only what was published, or may have been, from the file of this draft or at this path, whatever its address. A file
        that was moved or renamed is recognized by its content.

    Returns
    -------
    History
        A list of `Attempt`, shown as a table in a notebook.

    Raises
    ------
    JournalError
        If the journal can't be read.

    Examples
    --------
    >>> cxw.history(10)
    """
    if source is None:
        return default_journal().attempts(limit=limit)
    wanted = ImageSource.of_file(source) if isinstance(source, Path | str) else ImageSource.of(source)
    found = default_journal().published_from("", [wanted])[0]
    return History(earlier.attempt for earlier in found[: None if limit is None else operator.index(limit)])


_journals: dict[Path, Journal] = {}
_journals_lock = threading.Lock()


def default_journal() -> Journal:
    """Return the journal in the user's state directory, one object for all threads."""
    try:
        folder = state_dir("journal")
    except OSError as error:
        raise unusable("the user's state directory", error) from None
    with _journals_lock:
        if runtime.IN_BROWSER and folder not in _journals:
            warnings.warn(_IN_MEMORY, stacklevel=2)
        return _journals.setdefault(folder, Journal(folder))


def _now() -> str:
    return as_text(clock.now())
