"""A published image, whose note, alt text and permissions can still be changed; everything else is fixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..api.changes import same
from ..autosave import first_values
from ..checks import ERROR, WARNING, Fix, Problem
from ..draft import ImageDraft
from ..errors import (
    BadAnswerError,
    ConflictError,
    DraftError,
    InvalidError,
    SourceError,
    UnclearError,
)
from ..observable import CheckedFields, normal
from ..schema.credits import clean_credits
from ..schema.fields import fields, flatten
from ..schema.records import ImageRecord, ImageSummary, Receipt
from ..text import one_line
from .published_record import PublishedRecord
from .save_report import CREDITS, Change, Saved, outcome
from .sending_changes import send_change

if TYPE_CHECKING:
    from ..api import Constellations

EDITABLE = ("note", "alt_text", "permissions.copyright", "permissions.credits", "permissions.license")
"""Paths of the fields that can be changed."""

_CANT_BE_EMPTIED = ("note", "alt_text")
# The server keeps what it has; values that are sent back unchanged are not sanitized here.
_SPEAKS_OF_WHAT_IS_DROPPED = "CXW502"


class PublishedImage(PublishedRecord[ImageRecord], CheckedFields):
    """A published image: read from the server, edited as a draft is, and saved.

    Of a published image only `note`, `alt_text` and the `permissions` can be changed; the other fields are there to be
    read.

    >>> image = cxw.PublishedImage(client, receipt)
    >>> image.permissions.license = "cc0-1.0"
    >>> image.changes
    {'permissions.license': Change(before='CC-BY-4.0', after='CC0-1.0')}
    >>> image.save()
    License: changed from 'CC-BY-4.0' to 'CC0-1.0'

    Parameters
    ----------
    client : Constellations
        Where it is; signed in as its owner, to save.
    image : str, Receipt, ImageRecord or ImageSummary
        Its id, or an object that has it. The record is read again in any case.

    Attributes
    ----------
    wwt, permissions, storage : FieldGroup
        The API's fields; those of `wwt` and `storage` are fixed.

    Raises
    ------
    PublishError
        If a receipt is one of another API, or none of an image.
    ApiError
        If the image can't be read: NotFoundError where there is none.
    """

    _KIND = "image"

    def __init__(self, client: Constellations, image: str | Receipt | ImageRecord | ImageSummary):
        super().__init__()
        self._name_record(client, image, lambda: self.changes)
        self._refused: dict[str, tuple[Any, Problem]] = {}  # by path: a value that the server rejected, and why
        self._saving = False
        self._saved: Saved | None = None
        self.reload()

    @property
    def name(self) -> str:
        """The beginning of the note."""
        return (one_line(self._record.note, 80) if self._record else "") or f"image {self._id}"

    @property
    def handle(self) -> str:
        """The handle under which it was published."""
        return self.record.handle.handle

    @property
    def wtml_url(self) -> str:
        """Address of the WTML."""
        return f"{self.record_url}/img.wtml"

    @property
    def locked(self) -> bool:
        """Whether widgets reject edits: the image is being saved, or this account may not change it."""
        return self._saving or not self._may_edit

    @property
    def saved(self) -> Saved | None:
        """The outcome of each field at the latest `save`; None before the first, and if it is unknown."""
        return self._saved

    @property
    def receipt(self) -> ImageRecord:
        """The record. Widgets on a draft recognize by its receipt that it is published and can't be moved any more."""
        return self.record

    @property
    def local(self) -> None:
        """None: a `Preview` loads the image from the address in its record."""

    def draft(self) -> ImageDraft:
        """Return a draft of the record as it was read last. Publishing it would make a second image."""
        return ImageDraft.from_submission(self.record, autosave=False)

    # -- edits

    def update(self, changes: Mapping[str, Any]) -> None:
        """Set several fields by path, as one change.

        Raises
        ------
        KeyError
            If a path names no field.
        InvalidError
            If a field is fixed. Nothing is changed then.
        """
        if fixed := [path for path in changes if path in fields() and path not in EDITABLE]:
            raise InvalidError(
                f"{', '.join(fixed)} can't be changed: of a published image only the note, the alt text and the "
                "permissions can."
            )
        super().update(changes)

    def edit(self, changes: Mapping[str, Any]) -> None:
        """Set several fields by path; called by widgets."""
        super().edit({path: value for path, value in changes.items() if path in EDITABLE})

    @property
    def changes(self) -> dict[str, Change]:
        """The fields that differ from the server's record, by path: they wait to be saved."""
        with self._lock:
            now = {path: self[path] for path in self._base}
            pairs = {path: Change(before, _text(now[path])) for path, before in self._base.items()}
        return {path: change for path, change in pairs.items() if change.before != change.after}

    def outgoing(self) -> dict[str, str]:
        """Return what `save` would send, by path.

        Raises
        ------
        DraftError
            If a changed field has an error.
        """
        if errors := [problem for problem in self.problems if problem.severity == ERROR]:
            raise DraftError(errors, f"The image {self.name!r}", "saved")
        after = {path: change.after for path, change in self.changes.items()}
        return {path: clean_credits(text) if path == CREDITS else text for path, text in after.items()}

    def revert(self) -> None:
        """Discard all unsaved changes."""
        self.update({path: change.before for path, change in self.changes.items()})

    def restore(self) -> None:
        """Apply the unsaved changes of an earlier kernel again: those of the newest readable file.

        Raises
        ------
        SourceError
            If there are none.
        """
        values = first_values(self.earlier)
        if values is None:
            raise SourceError(f"There are no earlier changes of {self.name!r} that were not saved")
        self.edit(values)

    def _notify(self, paths: frozenset[str]) -> None:
        if not paths.isdisjoint((*EDITABLE, "record")):
            self._unsaved.touch()
        super()._notify(paths)

    def _find_problems(self) -> list[Problem]:
        changes = self.changes
        found = []
        for problem in super()._find_problems():
            if problem.field not in EDITABLE:
                continue  # it can't be repaired
            if problem.field not in changes:
                if problem.code == _SPEAKS_OF_WHAT_IS_DROPPED:
                    continue
                # The server has this value already, so it does not block saving.
                severity = WARNING if problem.severity == ERROR else problem.severity
                problem = replace(problem, severity=severity)
            found.append(problem)
        for path in _CANT_BE_EMPTIED:
            if path in changes and changes[path].after == "":
                message = "can't be emptied: the server ignores an empty text. Write something else, or restore it"
                found.append(Problem("CXW903", ERROR, path, message, Fix("Put it back", {path: changes[path].before})))
        return found + [problem for path, (value, problem) in self._refused.items() if self[path] == value]

    # -- the server

    def _read_record(self) -> ImageRecord:
        return self._client.image(self._id)

    def _read_may_edit(self) -> bool:
        return self._client.may_edit(self._id)

    _is_same = staticmethod(same)

    def save(self) -> Saved:
        """Send the changes, verify that the server applied them, and return the outcome field by field.

        The record is read again first: if a value that would be overwritten has changed on the server, nothing is sent.
        All permissions are sent, since the server deletes what is left out. Saving twice does no harm.

        Returns
        -------
        Saved
            The outcome of each field; empty if nothing was changed.

        Raises
        ------
        DraftError
            If a changed field has an error; nothing was sent.
        ConflictError
            If the same fields changed on the server meanwhile; nothing was sent. The unchanged fields are updated, and
            `changes` shows theirs → yours: `save` again writes yours over them, `revert` takes theirs.
        ForbiddenError, NotFoundError, SignInError, NotSentError
            If the image is not this account's or does not exist, or nothing was sent.
        InvalidError
            If the server rejects a value. `problems` names the field.
        BadAnswerError
            If the server reported success but did not make all changes: `saved` tells which, and so do the `problems`.
        UnclearError
            If the outcome is unknown. Save again.
        """
        with self._one_save:
            with self._lock:
                asked = self.outgoing()
                typed = {path: self[path] for path in asked}
            if not asked:
                return Saved()
            self._saved = None
            self._set_saving(True)
            try:
                return self._send(asked, typed)
            finally:
                self._set_saving(False)

    def _send(self, asked: Mapping[str, str], typed: Mapping[str, Any]) -> Saved:
        permissions = {path.partition(".")[2]: text for path, text in asked.items() if "." in path}
        texts = {path: text for path, text in asked.items() if "." not in path}
        before, seen = self._base, self.record
        read: list[ImageRecord] = []

        def send() -> ImageRecord:
            read.clear()
            return self._client.update_image(self._id, **texts, permissions=permissions or None, seen=seen)

        def is_made(record: ImageRecord) -> bool:
            read.append(record)
            return _made(before, asked, record).complete

        try:
            record = send_change(send, lambda: self._client.image(self._id), is_made)
        except ConflictError as error:
            self._take(error.record)
            raise
        except InvalidError as error:
            named = [path for path in typed if path.rpartition(".")[2] in str(error)]
            self._refuse({path: f"the server does not take it: {error.message}" for path in named})
            raise
        except (BadAnswerError, UnclearError):
            if read:  # part of it may be made
                self._look(before, asked, typed, read[-1])
            raise
        return self._look(before, asked, typed, record)

    def _look(
        self, before: Mapping[str, str], asked: Mapping[str, str], typed: Mapping[str, Any], record: ImageRecord
    ) -> Saved:
        """Compare what was requested with the server's record."""
        saved = self._saved = _made(before, asked, record)
        made = {entry.field for entry in saved if entry.made and self[entry.field] == typed[entry.field]}
        self._take(record, made)
        unmade = [entry.field for entry in saved if not entry.made]
        self._refuse(dict.fromkeys(unmade, "was not changed at the server: save again"), severity=WARNING)
        return saved

    def _take(self, record: ImageRecord, made: set[str] | None = None) -> None:
        """Make `record` the base. Changes that were `made` and unchanged fields follow it."""
        base = _editable(record)
        found = flatten(record.model_dump())
        with self._lock:
            kept = self.changes.keys() - (made or set())
            self._record, self._base, self._problems = record, base, None
        values = {path: found.get(path) for path in fields()} | base
        super().update({path: value for path, value in values.items() if path not in kept})
        self._notify(frozenset({"record"}))

    def _refuse(self, messages: Mapping[str, str], severity: Any = ERROR) -> None:
        with self._lock:
            self._refused = {
                path: (self[path], Problem("CXW904", severity, path, text)) for path, text in messages.items()
            }
            self._problems = None
        self._notify(frozenset())

    def _set_saving(self, saving: bool) -> None:
        self._saving = saving
        self._notify(frozenset({"locked"}))

    def __repr__(self) -> str:
        count = len(self.changes)
        unsaved = f"{count} unsaved change{'s' * (count != 1)}" if count else "as the server has it"
        return f"<PublishedImage {self._id}: {self.name!r} under {self.handle!r} at {self._client.api_url}, {unsaved}>"


def _editable(record: ImageRecord) -> dict[str, str]:
    """Return the editable fields of a record, normalized as an edit would be."""
    found = flatten(record.model_dump())
    return {path: normal(path, _text(found.get(path))) for path in EDITABLE}


def _made(before: Mapping[str, str], asked: Mapping[str, str], record: ImageRecord) -> Saved:
    """Return the outcome of each requested change, by the current record."""
    now = _editable(record)
    return Saved(outcome(path, before[path], text, now[path]) for path, text in asked.items())


def _text(value: Any) -> Any:
    return "" if value is None else value
