"""What the lists of a handle's images and scenes share: pages as they are wanted, and one record open below the list."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from ipywidgets import VBox

from ..api.addresses import handle_name
from ..errors import ConstellationsError
from ..publishing._arguments import require_client
from .base import PageWidget, placeholder, synced_dict
from .handle_pages import PAGE, HandlePages, Item
from .lifetime import ClosesModels
from .protocol.scenes import HandleListStatus, HandleRowsResponse, OpenedRecord
from .rpc import Handler, Response, require_count
from .worker import Job, Worker, format_error

if TYPE_CHECKING:
    from ..api import Constellations
    from ..api.base_client import RecordPage

_MOST_ROWS = 500  # in one response


class ListWidget(PageWidget):
    """The list itself; its owner shows below it what is opened."""

    status: Any = synced_dict()

    def __init__(self, owner: HandleList[Any], status: HandleListStatus, requests: Mapping[str, Handler]):
        self._owner = owner
        super().__init__(
            messages={"view": lambda _message: None},
            requests={"rows": owner._rows, "do": owner._do, **requests},
            once=["do"],
            status=status,
        )

    def __repr__(self) -> str:
        return repr(self._owner)


class HandleList(ClosesModels, VBox, Generic[Item]):
    """A handle's records, newest first, of which one is open below the list.

    Parameters
    ----------
    client : Constellations
        Signed in as the handle's owner.
    handle : str
        The handle.
    """

    noun: ClassVar[str]
    """What the list has: "images" or "scenes"."""

    ways: ClassVar[frozenset[str]]
    """Ways to open a record, as the page names them."""

    children: tuple[Any, ...]

    _unfollow: Callable[[], None] | None = None  # stops following the record that is edited

    def __init__(self, client: Constellations, handle: str):
        require_client(type(self).__name__, client)
        self._client, self._handle = client, handle_name(handle)
        self._edited: dict[str, Any] = {}  # published records with their unsaved edits, by id
        self._opened: OpenedRecord = {"what": "", "id": "", "phase": "", "message": ""}
        self._lock = threading.RLock()
        self._worker = Worker("open", self._on_error, self._lock)
        self._list: ListWidget | None = None
        self._pages = HandlePages(client, self.noun, self._list_pages, self._push, self._lock)
        self._list = self._make_list()
        super().__init__([self._list])
        self._stop_listening = client.on_account_change(self._on_account_change)

    def __repr__(self) -> str:
        return placeholder(self, f" of {self._handle!r} at {self._client.api_url}")

    # -- to be overridden

    def _list_pages(self, first_page: int) -> Iterator[RecordPage[Item]]:
        """Yield the pages of the handle's records, each of `PAGE`, from number `first_page` on."""
        raise NotImplementedError

    def _make_list(self) -> ListWidget:
        """Return the widget of the list."""
        raise NotImplementedError

    def _row(self, item: Item) -> Any:
        """Return a record for the page."""
        raise NotImplementedError

    def _read(self, what: str, id: str) -> Any:
        """Read what is opened in one of `ways`; in a worker thread."""
        raise NotImplementedError

    def _published(self, id: str) -> Any:
        """Read a published record that can be edited."""
        raise NotImplementedError

    def _present(self, what: str, subject: Any) -> None:
        """Show what `_read` returned; calls `_open`."""
        raise NotImplementedError

    def _closed(self) -> None:
        """Let go of what was open."""
        if self._unfollow is not None:
            self._unfollow()
            self._unfollow = None

    # -- the same as a click, for Python

    @property
    def total_count(self) -> int | None:
        """Number of the handle's records; None until the server has sent it."""
        return self._pages.total

    def load(self, count: int | None = None) -> None:
        """Load pages until there are `count` records, by default one page more. Returns at once."""
        self._pages.load(len(self._pages.loaded()[1]) + PAGE if count is None else count)

    def refresh(self) -> None:
        """Load the list again, with what was made meanwhile. Returns at once."""
        self._pages.refresh()

    def dismiss(self) -> None:
        """Close what is shown below the list."""
        with self._lock:
            self._worker.drop()
            self._open("", "")

    def close(self) -> None:
        """Close the list and what is below it."""
        if hasattr(self, "_stop_listening"):  # not if the arguments were refused
            self._stop_listening()
            self._worker.drop()  # what is read later would be shown below a list that is closed
            self._pages.close()
        self._closed()
        for part in self.children:
            part.close()
        super().close()

    def _on_account_change(self) -> None:
        """Load the list again if it could not be loaded: its owner may have signed in."""
        if self._pages.phase == "failed" and self._client.signed_in:
            self.refresh()

    # -- from the page, in any thread

    def _rows(self, request: Mapping[str, Any]) -> Response:
        start = require_count(request, "start")
        if self._pages.phase == "idle" and self._pages.total is None:
            self._pages.load(PAGE)
        version, items = self._pages.loaded()
        rows = [self._row(item) for item in items[start : start + _MOST_ROWS]]
        return HandleRowsResponse(version=version, rows=rows), []

    def _do(self, request: Mapping[str, Any]) -> Response:
        """Do what a button says; what takes long in a thread."""
        what, id = str(request.get("what")), str(request.get("of"))
        if what == "more":
            self.load()
        elif what == "all":
            self.load(10**9)
        elif what == "refresh":
            self.refresh()
        elif what == "close":
            self.dismiss()
        elif what in self.ways:
            self._open_later(what, id)
        else:
            raise ConstellationsError(f"Unknown button {what[:40]!r}.")
        return {}, []

    def _open_later(self, what: str, id: str) -> None:
        """Open a record once it is read, unless another button is pressed meanwhile."""

        def run(job: Job) -> None:
            subject = self._read(what, id)
            with self._lock:
                if job.is_current:
                    self._present(what, subject)

        with self._lock:
            self._worker.start(run, replace=True)
            self._open(what, id, phase="opening")

    def _on_error(self, error: Exception) -> None:
        self._open(self._opened["what"], self._opened["id"], phase="failed", message=format_error(error))

    def _to_edit(self, id: str) -> Any:
        """Return a published record, read again, with the edits that were made before."""
        record = self._edited.get(id)
        if record is None:
            record = self._published(id)
        else:
            record.reload()
        return self._edited.setdefault(id, record)

    # -- to the page

    def _open(self, what: str, id: str, *widgets: Any, phase: Any = "", message: str = "") -> None:
        """Show these widgets below the list; without any, `phase` tells why."""
        with self._lock:
            self._closed()
            old = self.children[1:]
            self.children = (self.children[0], *widgets)
            self._opened = {"what": what, "id": id, "phase": "open" if widgets else phase, "message": message}
        for part in old:
            part.close()
        self._push()

    def _use(self, record: Item, more: Mapping[str, Any] | None = None) -> None:
        """Update the list with a record that was read again."""
        self._pages.replace(record)
        if self._list is not None:
            self._list.send({"kind": "row", "row": self._row(record), **(more or {})})

    def _push(self) -> None:
        with self._lock:
            if self._list is not None:
                self._list.status = self._status()

    def _status(self) -> HandleListStatus:
        pages = self._pages
        version, items = pages.loaded()
        return {
            "handle": self._handle,
            "api_url": self._client.api_url,
            "version": version,
            "loaded": len(items),
            "total": pages.total,
            "phase": pages.phase,
            "message": pages.message,
            "opened": self._opened,
        }
