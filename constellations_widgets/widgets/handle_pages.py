"""The images or scenes of a handle, loaded page by page, and the records of images."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from .. import runtime
from ..errors import ApiError, ConstellationsError
from .worker import Job, Worker, format_error

if TYPE_CHECKING:
    from ..api import Constellations
    from ..api.base_client import RecordPage
    from ..schema.records import ImageRecord, ImageSummary
    from ..schema.scenes import SceneSummary

PAGE = 100
"""Records in one page: the most that the server gives at once."""
_NOT_SIGNED_IN = (
    "Only the owner of a handle can list its {what}, and this client is not signed in: pass auth=sign_in(…)."
)

Item = TypeVar("Item", bound="ImageSummary | SceneSummary")


class HandlePages(Generic[Item]):
    """A handle's images or scenes, newest first. Any thread may use it; nothing here waits for the server.

    Parameters
    ----------
    client : Constellations
        Signed in as the handle's owner: only they may list its records.
    what : str
        "images" or "scenes", for messages.
    pages : callable
        Yields the pages, from the one with this number on.
    on_change : callable
        Called after every change, in the thread that made it; sometimes with `lock` held.
    lock : RLock
        Lock of this and of what `on_change` shows. With two locks, a list that is shown while its loading fails would
        wait for itself.

    Attributes
    ----------
    version : int
        Grows when the list is loaded again.
    total : int or None
        Number of the handle's records, if the server has sent it.
    phase : str
        "idle", "loading", "complete" or "failed".
    message : str
        Why it failed.
    """

    def __init__(
        self,
        client: Constellations,
        what: str,
        pages: Callable[[int], Iterator[RecordPage[Item]]],
        on_change: Callable[[], None],
        lock: threading.RLock,
    ):
        self._client, self._what, self._pages, self._on_change = client, what, pages, on_change
        self._lock = lock
        self._worker = Worker("list", self._on_error, self._lock)
        self.version = 0
        self._begin()

    def _begin(self) -> None:
        self._worker.drop()
        self.version += 1
        self.phase: Literal["idle", "loading", "complete", "failed"] = "idle"
        self.message = ""
        self.total: int | None = None
        self._items: dict[str, Item] = {}
        self._page = self._wanted = 0

    def loaded(self) -> tuple[int, list[Item]]:
        """Return `version` and the records that are loaded."""
        with self._lock:
            return self.version, list(self._items.values())

    def load(self, count: int) -> None:
        """Load pages until there are `count` records, or all."""
        with self._lock:
            self._wanted = max(self._wanted, count)
            if self.phase in ("loading", "complete") or len(self._items) >= self._wanted:
                return
            self.phase, self.message = "loading", ""
            self._worker.start(self._load, replace=True)
        self._on_change()

    def refresh(self) -> None:
        """Load the list again, beginning with the first page."""
        with self._lock:
            self._begin()
        self.load(PAGE)

    def close(self) -> None:
        """Load no more pages."""
        self._worker.drop()

    def replace(self, record: Item) -> None:
        """Replace an entry by its record, which was read later."""
        with self._lock:
            if record.id in self._items:
                self._items[record.id] = record

    def _load(self, job: Job) -> None:
        for page in self._pages(self._page):
            with self._lock:
                if not job.is_current:
                    return
                self._items |= {each.id: each for each in page if each.id not in self._items}
                self._page += 1
                self.total = max(page.total_count, len(self._items))
                if len(self._items) >= min(self._wanted, self.total):
                    self.phase = "complete" if len(self._items) >= self.total else "idle"
                    break
            self._on_change()
        else:
            with self._lock:
                if not job.is_current:
                    return
                self.phase, self.total = "complete", len(self._items)
        self._on_change()

    def _on_error(self, error: Exception) -> None:
        signed_out = isinstance(error, ApiError) and not self._client.signed_in
        self.phase = "failed"
        self.message = _NOT_SIGNED_IN.format(what=self._what) if signed_out else format_error(error)
        self._on_change()


class Records:
    """Whole records, read in a few threads on demand: a list has no thumbnails.

    Parameters
    ----------
    client : Constellations
        Client of their API.
    on_record : callable
        Called with the id and the record, or None if it can't be read.
    """

    _THREADS = 4

    def __init__(self, client: Constellations, on_record: Callable[[str, ImageRecord | None], None]):
        self._client, self._on_record = client, on_record
        self._lock = threading.Lock()
        self._known: dict[str, ImageRecord | None] = {}
        self._wanted: list[str] = []
        self._threads = 0

    def known(self, ids: list[str]) -> dict[str, ImageRecord | None]:
        """Return the records that are read. The others are read from now on, the latest requested first."""
        with self._lock:
            missing = [id for id in ids if id not in self._known]
            self._wanted = [id for id in self._wanted if id not in missing] + missing[::-1]
            for _ in range(min(self._THREADS - self._threads, len(self._wanted))):
                self._threads += 1
                runtime.start_thread("records", self._run)
            return {id: self._known[id] for id in ids if id in self._known}

    def keep(self, record: ImageRecord) -> None:
        """Keep a record that was read anyway."""
        with self._lock:
            self._known[record.id] = record

    def forget(self) -> None:
        """Forget all records, so that they are read again."""
        with self._lock:
            self._known.clear()
            self._wanted.clear()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._wanted:
                    self._threads -= 1
                    return
                id = self._wanted.pop()
            try:
                record = self._client.image(id)
            except ConstellationsError:
                record = None  # the row is shown without
            with self._lock:
                self._known[id] = record
            self._on_record(id, record)
