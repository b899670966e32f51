"""What published images and scenes share: a record at the server, the client that reads it, and unsaved changes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from .. import runtime
from ..errors import ApiError
from ..schema.records import ImageRecord
from ..schema.scenes import SceneRecord
from ._arguments import record_id_of
from .pending_edits import PendingEdits
from .save_report import Change

if TYPE_CHECKING:
    from ..api import Constellations

Record = TypeVar("Record", ImageRecord, SceneRecord)


class PublishedRecord(Generic[Record]):
    """A record at the server whose owner can change some of its values."""

    _KIND: ClassVar[str]  # as in the record's address
    _notify: Callable[[frozenset[str]], None]  # of the class of the values

    def _name_record(
        self, client: Constellations, named: Any, unsaved_changes: Callable[[], Mapping[str, Change]]
    ) -> None:
        """Take from the arguments of the constructor which record this is; `reload` reads it."""
        self._client, self._id = client, record_id_of(type(self).__name__, self._KIND, client, named)
        self._record: Record | None = None
        self._base: dict[str, Any] = {}  # the values that can be changed, as the server has them
        self._may_edit = False
        self._one_save = runtime.new_lock()
        self._unsaved = PendingEdits(self.record_url, unsaved_changes)

    @property
    def id(self) -> str:
        """The record's id at the server."""
        return self._id

    @property
    def client(self) -> Constellations:
        """The client that reads and saves the record."""
        return self._client

    @property
    def record(self) -> Record:
        """The record as it was read last."""
        assert self._record is not None
        return self._record

    @property
    def record_url(self) -> str:
        """Address of the record (JSON)."""
        return f"{self._client.api_url}/{self._KIND}/{self._id}"

    @property
    def may_edit(self) -> bool:
        """Whether the client's account may change it, according to the server's latest response."""
        return self._may_edit

    @property
    def earlier(self) -> list[Path]:
        """Return the files with unsaved changes of this record from earlier kernels, newest first; see `restore`."""
        return self._unsaved.earlier

    def reload(self) -> list[str]:
        """Read the record again. Values with unsaved changes keep them, the others are updated.

        Returns
        -------
        list of str
            Names of the values that changed on the server since the record was read last; those of an image are paths.

        Raises
        ------
        ApiError
            If it can't be read.
        """
        record, before = self._read_record(), self._base
        self._find_may_edit()
        self._take(record)
        return [name for name, value in before.items() if not self._is_same(name, value, self._base[name])]

    def check_may_edit(self) -> None:
        """Ask the server again whether the account may change the record, after it has signed in or out; values stay as they are."""
        self._find_may_edit()
        self._notify(frozenset({"locked"}))

    def _find_may_edit(self) -> None:
        may_edit = self._client.signed_in
        with contextlib.suppress(ApiError):  # unknown: the server will report it when it is saved
            may_edit = may_edit and self._read_may_edit()
        self._may_edit = may_edit

    # -- of each kind

    def _read_record(self) -> Record:
        raise NotImplementedError

    def _read_may_edit(self) -> bool:
        raise NotImplementedError

    def _take(self, record: Record) -> None:
        """Make `record` the base. Unchanged values follow it."""
        raise NotImplementedError

    @staticmethod
    def _is_same(name: str, one: Any, other: Any, /) -> bool:
        """Return whether two values are the same to the server."""
        raise NotImplementedError
